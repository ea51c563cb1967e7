//! WHAT COMES BACK: evidence, graded by its kind, and where each person stands because of it; and what one message says.

mod evidence;
mod link;
mod standing;
mod tries;
mod waiver;

mod message; // one message, taken apart within limits
mod reading; // what it says
mod read; // the order in which it is judged
mod report; // RFC 3464, RFC 8098, RFC 5965
mod receipt; // read receipts in words
mod bounce; // failures in words
mod status; // what a failure means
mod addresses; // addresses in running text
mod challenge; // who asks for proof of a person
mod automatic; // the marks of machines
mod away; // who is away, and until when
mod typed; // what the person wrote
mod said; // the answer in it
mod correlate; // whose it is
mod decide; // what it counts for
mod fingerprint; // by what it is known again

pub(crate) use away::note_of_return;
pub use correlate::{Addresses, Issued, Known, Placed, Token, Told, is_token, place};
pub use decide::{Decision, Fate, decide};
pub use evidence::{Evidence, Kind};
pub use fingerprint::digest;
pub use link::{Claims, LinkKeys, Whom};
pub use message::{InboundMessage, SIZE, Unreadable};
pub use read::{judge, read};
pub use reading::{MailKind, Original, Reading, Said};
pub use said::{Asked, masked};
pub use standing::{CORRECTED, Standing, absence};
pub use tries::{DAY, Refusal, Tries};
pub use waiver::{Ended, Waiver, Waiving, same_name};
