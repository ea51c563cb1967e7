//! Copies onto existing files, whose old contents are kept.

use super::place::{Placement, survey};
use super::room::room;
use crate::campaign::FromTo;
use crate::fault::{Fault, Finding, Result};
use crate::runbook::lookup::Paths;

/// A file that already has the new content needs no change.
pub fn plan(step: &str, wanted: &[FromTo], paths: &Paths, warnings: &mut Vec<Finding>) -> Result<Vec<Placement>> {
    let mut refusals = Vec::new();
    let mut placements: Vec<Placement> = Vec::new();
    for pair in wanted {
        let Some(placement) = survey(step, pair, paths, &mut refusals)? else { continue };
        if placements.iter().any(|other| other.to == placement.to) {
            let cause = format!("{} is named twice as a target", placement.to);
            refusals.push(Finding::error("target-twice", cause, "leave one of the two out"));
        }
        placements.push(placement);
    }
    placements.retain(|placement| placement.old.as_ref().is_none_or(|old| !old.is(&placement.new)));
    refusals.extend(room(&placements)?);
    warnings.extend(Fault::check(refusals)?);
    Ok(placements)
}
