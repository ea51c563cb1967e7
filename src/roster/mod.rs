//! WHO: rosters read from CSV, every bad row a finding, every person in their audiences.

mod person;

pub use person::*;
