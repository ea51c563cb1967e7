//! OLDMAST.GLB, the way back to the old serial number, where somebody took it away after step 6 of Q209486: told wherever the
//! cutover stops, with the copy that the backup has of it.

use super::Engine;
use super::situation::Serial;
use crate::fault::{Fault, Finding, Result, Severity};
use crate::msmail::Postoffice;
use crate::runbook::{Journal, state_of};
use std::path::PathBuf;

const OLD_MASTER: &str = "GLB/OLDMAST.GLB";
const MISSING: &str = "oldmast-missing";

impl Engine<'_> {
    /// The steps have kept the old file under that name, and it is not there.
    pub(super) fn old_master_gone(&self) -> Result<Option<Finding>> {
        let Some(facts) = &self.campaign.msmail else { return Ok(None) };
        let retired = self.retired()?;
        if !retired.state.has_begun() {
            return Ok(None);
        }
        // That it cannot be looked at is told by whoever looks at more of it.
        let Ok(live) = Postoffice::open_folders(&facts.postoffice, &["GLB"]) else { return Ok(None) };
        match self.look_at_master(facts, self.installed()?.as_ref())? {
            Ok((_, serial)) if serial != Serial::Old && live.entry(OLD_MASTER).is_none() => {}
            _ => return Ok(None),
        }
        let place = live.place(OLD_MASTER);
        let back = match self.old_master_in_backup()? {
            Some(copy) => format!("the backup has it: `cp -p {} {}`", copy.display(), place.display()),
            None => "look for the old MASTER.GLB: no backup of this cutover has it".to_owned(),
        };
        let remedy =
            format!("{back}, before anything else is done; until it is there `flagday cutover rollback` refuses");
        let cause = "OLDMAST.GLB is missing: there is no way back to the old serial number but the backup";
        Ok(Some(Finding::error(MISSING, cause, remedy).in_file(place).article("Q209486")))
    }

    /// As what it is while a cutover goes forward, which does not need it.
    pub(super) fn old_master_to_know(&self) -> Result<Option<Finding>> {
        Ok(self.old_master_gone()?.map(|gone| Finding { severity: Severity::Warning, ..gone }))
    }

    /// What a check says of it, which does not know the backup.
    pub(super) fn told_with_backup(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        for finding in findings.iter_mut().filter(|finding| finding.code == MISSING) {
            if let Ok(Some(gone)) = self.old_master_gone() {
                *finding = gone;
            }
        }
        findings
    }

    /// A rollback that gives the old file its name back has to find it.
    pub(super) fn require_old_master_kept(&self, to: Option<&str>) -> Result<()> {
        let entries = self.ledger.entries()?;
        let mut gives_back = false;
        for step in self.steps_back(to).filter(|step| step.retires_master()) {
            gives_back |= state_of(&entries, &step.name)?.has_begun();
        }
        let gone = if gives_back { self.old_master_gone()? } else { None };
        Fault::check(gone.into_iter().collect()).map(drop).map_err(|mut fault| {
            let cause = "no step was taken back: there would be no MASTER.GLB, and P1 would be closed";
            let remedy = "bring the old file back as told above. Safe now: `flagday check` says the same, `flagday status` where \
                          it stands; both only look";
            fault.findings.push(Finding::note("rollback-not-begun", cause, remedy));
            fault
        })
    }

    /// The very file that was renamed, as the backup has it.
    fn old_master_in_backup(&self) -> Result<Option<PathBuf>> {
        let (Some((place, bytes)), retired) = (self.copy_of_master()?, self.retired()?) else { return Ok(None) };
        Ok(retired.renames().any(|it| it.is_of(&bytes)).then_some(place))
    }

    /// MASTER.GLB as the backup has it.
    pub(super) fn copy_of_master(&self) -> Result<Option<(PathBuf, Vec<u8>)>> {
        const MASTER: &str = "GLB/MASTER.GLB";
        let Some(tree) = self.backup_tree()? else { return Ok(None) };
        let Ok(copy) = Postoffice::open_folders(&tree, &["GLB"]) else { return Ok(None) };
        Ok(copy.read(MASTER).ok().flatten().map(|bytes| (copy.place(MASTER), bytes)))
    }
}
