//! Who holds a gate and what to do, each reason and each remedy once.

use super::output;
use crate::gate::{Verdict, grouped};

/// Names shown of one reason; `who --blocking` has them all.
const NAMES: usize = 12;

/// Lines for a person at a terminal, indented by two.
pub fn text(gate: &Verdict) -> String {
    let mut text = String::new();
    for group in grouped(&gate.blocking) {
        for reason in &group.reasons {
            text += &format!("  {} ({}): {}\n", names(&reason.people), reason.grade, reason.why);
        }
        if !group.remedy.is_empty() {
            text += &format!("    to do: {}\n", group.remedy);
        }
    }
    output::clean(&text)
}

/// The first of them, and how many more.
pub fn names(people: &[&str]) -> String {
    match people.len() {
        n if n <= NAMES => people.join(", "),
        n => format!("{} and {} more", people[..NAMES].join(", "), n - NAMES),
    }
}
