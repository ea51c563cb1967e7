//! The room as a whole, on a small postoffice.

mod crashes;
mod doubts;
mod journal_file;
mod office;
mod refusals;
mod stories;
