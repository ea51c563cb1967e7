//! The room as a whole, on a small postoffice.

mod crashes;
mod doubts;
mod journal_file;
mod office;
mod power;
mod refusals;
mod stories;
mod words;
