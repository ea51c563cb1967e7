//! A copy onto a free name.

use super::place::{Placement, survey};
use crate::campaign::FromTo;
use crate::fault::{Fault, Finding, Result};
use crate::runbook::lookup::Paths;

pub fn plan(step: &str, wanted: &FromTo, paths: &Paths) -> Result<Placement> {
    let mut refusals = Vec::new();
    let placement = survey(step, wanted, paths, &mut refusals)?;
    if let Some(placement) = &placement
        && let Some(there) = &placement.old
    {
        refusals.push(
            Finding::error(
                "target-exists",
                format!("{} exists already: {there}", placement.to),
                "find out why it is there; a copy never replaces. Move it away, or finish the step before this one",
            )
            .in_file(placement.to.path()),
        );
    }
    match placement {
        Some(placement) if refusals.is_empty() => Ok(placement),
        _ => Err(Fault { exit: crate::fault::Exit::Error, findings: refusals }),
    }
}
