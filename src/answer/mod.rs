//! WHAT COMES BACK: evidence, graded by its kind, and where each person stands because of it.

mod evidence;
mod link;
mod standing;
mod tries;

pub use evidence::{Evidence, Kind};
pub use link::{Claims, LinkKeys, Whom};
pub use standing::{Standing, Waiver};
pub use tries::{DAY, Refusal, Tries};
