//! flagday runs a flag day: a change that everybody must make at the same moment.
//!
//! The rooms stand in the order in which data flows; a room imports only rooms above it. See `ARCHITECTURE.md`.

pub mod fault; // what is wrong, where, and what to do
pub mod platform; // what differs between operating systems
pub mod system; // the clock, chance, and a file server's time

pub mod campaign; // WHAT A PERSON WROTE
pub mod roster; // WHO
pub mod package; // WHAT EACH ONE GETS
pub mod notice; // WHAT EACH ONE READS
pub mod outbox; // GETTING IT THERE
pub mod inbox; // LETTING IT IN
pub mod answer; // WHAT COMES BACK
pub mod gate; // MAY WE
pub mod runbook; // DOING IT
pub mod msmail; // THE POSTOFFICE
pub mod ledger; // WHAT WE KNOW
pub mod engine; // WHEN
pub mod report; // WHAT HAPPENED
pub mod rehearsal; // WHAT IF

pub mod web; // THE FACE on the network
pub mod cli; // THE FACE at the keyboard
