//! A MASTER.GLB that somebody took away or replaced although no step has done it: steps 6 and 7 of Q209486, made by hand.

use super::Engine;
use super::situation::{Serial, closes, look, retires};
use crate::fault::{Fault, Finding, Result};
use crate::msmail::{self, Postoffice};
use crate::runbook::{Journal, state_of};

/// What the checks say of such a file, which leads astray: each looks at one name alone.
const ASTRAY: [&str; 3] = ["master-missing", "master-same", "oldmast-exists"];

impl Engine<'_> {
    /// What was done by hand, and how to take it back; `None` where the old file lies there, or a step took it away.
    pub(super) fn master_by_hand(&self) -> Result<Option<Finding>> {
        let Some(facts) = &self.campaign.msmail else { return Ok(None) };
        let taken_away = self.campaign.steps.iter().any(retires);
        let retired = self.retired()?;
        if !taken_away || retired.state.has_begun() || self.installed()?.is_some() {
            return Ok(None);
        }
        // That it cannot be looked at is told by whoever looks at more of it.
        let Ok(live) = Postoffice::open_folders(&facts.postoffice, &["GLB"]) else { return Ok(None) };
        let master = live.place("GLB/MASTER.GLB");
        let old = live.entry("GLB/OLDMAST.GLB");
        let back = match old {
            Some(old) => format!("`mv {} {}`", old.path.display(), master.display()),
            None => format!("put the old one back from the backup as {}", master.display()),
        };
        let (cause, remedy) = match look(facts, None, &retired) {
            Ok((_, Serial::None)) => {
                ("MASTER.GLB was taken away, and not by a step: nobody can sign in".to_owned(), back)
            }
            // Else it may be the staged one that is a copy of this.
            Ok((_, Serial::New)) if old.is_some() || self.recorded()?.stated == msmail::fingerprint(&live)? => (
                format!(
                    "MASTER.GLB is the staged one already, and no step has put it there: serial number {} is in force",
                    facts.new_serial
                ),
                format!(
                    "stop every transport and have everybody sign out, because what is written until then cannot be read \
                     under the old number. `mv {} {}`, then {back}",
                    master.display(),
                    self.campaign.state().join("MASTER.GLB.by-hand").display(),
                ),
            ),
            _ => return Ok(None),
        };
        let remedy = format!("{remedy}; then run this again: the steps do it in their turn, when all gates are open");
        Ok(Some(Finding::error("master-by-hand", cause, remedy).in_file(master).article("Q209486")))
    }

    /// One finding with the way out takes the place of those that each see a part.
    pub(super) fn told_by_hand(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        if !findings.iter().any(|finding| ASTRAY.contains(&finding.code)) {
            return findings;
        }
        match self.master_by_hand() {
            Ok(Some(by_hand)) => {
                findings.retain(|finding| !ASTRAY.contains(&finding.code));
                findings.insert(0, by_hand);
                // No way back is safe now.
                for finding in findings.iter_mut().filter(|finding| finding.code == "step-not-begun") {
                    finding.remedy =
                        "put it right as told above; then `flagday cutover` tries this step again".to_owned();
                }
            }
            Ok(None) => {}
            Err(fault) => findings.extend(fault.findings),
        }
        findings
    }

    /// From the first step of the evening on, nothing goes forward on such a file: who cannot sign in fetches no mail.
    pub(super) fn require_no_master_by_hand(&self) -> Result<()> {
        let begun = self.evening_has_begun()?;
        Fault::check(if begun { self.master_by_hand()?.into_iter().collect() } else { Vec::new() }).map(drop)
    }

    /// A rollback that opens P1 says that the old serial number stays in force: then it has to be.
    pub(super) fn require_old_master_for_p1(&self, to: Option<&str>) -> Result<()> {
        let entries = self.ledger.entries()?;
        let mut opens = false;
        for step in self.steps_back(to).filter(|step| closes(step)) {
            opens |= state_of(&entries, &step.name)?.has_begun();
        }
        Fault::check(if opens { self.master_by_hand()?.into_iter().collect() } else { Vec::new() }).map(drop)
    }
}
