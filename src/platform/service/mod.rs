//! What a long-running service asks of its system: to be told when it is to stop, room for many connections, and a word
//! with the service manager.

#[cfg(not(all(unix, not(portable))))]
mod other;
#[cfg(all(unix, not(portable)))]
mod unix;

#[cfg(not(all(unix, not(portable))))]
pub use other::{Manager, Signals, open_files};
#[cfg(all(unix, not(portable)))]
pub use unix::{Manager, Signals, open_files};
