//! A copy onto a free name. What takes the place of a file that was renamed away gets that file's owner and rights.

use super::place::{Placement, survey};
use super::room::room;
use crate::campaign::FromTo;
use crate::fault::{Fault, Finding, Result};
use crate::platform::Kind;
use crate::runbook::file_ops::Stamp;
use crate::runbook::lookup::Paths;

pub fn plan(
    step: &str,
    wanted: &FromTo,
    like: Option<&str>,
    paths: &Paths,
    warnings: &mut Vec<Finding>,
) -> Result<Placement> {
    let mut refusals = Vec::new();
    let mut placement = survey(step, wanted, paths, &mut refusals)?;
    if let (Some(placement), Some(like)) = (&mut placement, like) {
        let model = paths.find(like)?;
        let folder = model.folder()?;
        match folder.look(model.name())?.filter(|look| look.kind == Kind::File) {
            Some(look) => {
                let modified = placement.new_stamp.modified;
                placement.new_stamp = Stamp { modified, ..Stamp::of(&folder, model.name(), &look) };
            }
            None => refusals.push(
                Finding::error(
                    "like-missing",
                    format!("{model} is not there: {} is to have its owner and rights", placement.to),
                    "finish the step before this one, which makes it, or correct the path",
                )
                .in_file(model.path()),
            ),
        }
    }
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
        Some(placement) => {
            refusals.extend(room(std::slice::from_ref(&placement))?);
            warnings.extend(Fault::check(refusals)?);
            Ok(placement)
        }
        None => Err(Fault { exit: crate::fault::Exit::Error, findings: refusals }),
    }
}
