//! WHAT HAPPENED: the state of things as data, for every face to show.

pub mod audit;
pub mod coming;
pub mod failures;
pub mod calls;
pub mod people;
pub mod page;
pub mod sheet;
pub mod status;
