//! GETTING IT THERE: the life of one message, and the lanes that carry it to a folder or a mail server.

mod batch;
mod deliver;
mod delivery;
mod file;
mod giving_way;
mod lane;
mod outcome;
mod pacing;
mod password;
mod queue;
mod refusals;
mod reply;
mod retry;
mod round;
mod secret;
mod senders;
pub mod smtp;
mod spread;
mod summary;
mod suspension;

pub use deliver::{Hours, Limits, TransportKind, Yielding, deliver};
pub use delivery::{Event, Impossible, State};
pub use outcome::{Outcome, Refusal, Unsendable};
pub use password::Password;
pub use queue::{Claimed, Lease, Payload, Queue};
pub use reply::{Enhanced, Reply};
pub use retry::{Next, UNCERTAIN_PAUSE, after_deferral};
pub use secret::Secret;
pub use senders::{History, Sender};
pub use spread::spread;
pub use summary::{FailureClass, Progress, Summary, given_up};
pub use suspension::Suspended;
