//! WHAT COMES BACK: evidence, graded by its kind, and where each person stands because of it.

mod evidence;
mod standing;

pub use evidence::{Evidence, Kind};
pub use standing::{Standing, Waiver};
