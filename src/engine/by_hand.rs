//! What stands changed although no step of this campaign did it: P1 renamed, MASTER.GLB taken away or replaced (steps 5a and 6
//! to 8 of Q209486). Somebody did it by hand, or another campaign has a change of the same postoffice under way; the files
//! look alike. The checks look at one name each, and their remedies would lead astray.

use super::Engine;
use super::situation::Serial;
use crate::campaign::{Action, Step};
use crate::fault::{Fault, Finding, Result};
use crate::msmail::{self, P1, Postoffice};
use crate::runbook::{Journal, StepState, state_of};

/// What the checks say of such a MASTER.GLB.
const OF_MASTER: [&str; 4] = ["master-missing", "master-same", "oldmast-exists", "master-not-retired"];
/// And of such a P1.
const OF_P1: [&str; 4] = ["p1-renamed", "p1-not-closed", "p1-not-open", "p1-both"];

/// Put right under another campaign, the postoffice would change in the middle of its evening.
const ASK: &str = "ask who else works here: while another campaign has a change of this postoffice under way, touch nothing, and \
                   let that one go on or go back, from its own folder. Only if there is none: ";
const NOT_HERE: &str = "by no step of this campaign";
const GO_ON: &str = "then run this again: the steps do it in their turn, when all gates are open";

/// One of the two that are looked at.
type Look<'e> = fn(&Engine<'e>) -> Result<Vec<Finding>>;

impl<'e> Engine<'e> {
    /// What was done by hand, and how to take it back.
    pub(super) fn by_hand(&self) -> Result<Vec<Finding>> {
        Ok([self.master_by_hand()?, self.p1_by_hand()?].concat())
    }

    /// Nothing where the file lies there that the steps have left.
    fn master_by_hand(&self) -> Result<Vec<Finding>> {
        let Some(facts) = &self.campaign.msmail else { return Ok(Vec::new()) };
        let retired = self.retired()?;
        if !self.campaign.steps.iter().any(Step::retires_master) || self.installed()?.is_some() {
            return Ok(Vec::new());
        }
        // That it cannot be looked at is told by whoever looks at more of it.
        let Ok(live) = Postoffice::open_folders(&facts.postoffice, &["GLB"]) else { return Ok(Vec::new()) };
        let Ok((_, serial)) = self.look_at_master(facts, None)? else { return Ok(Vec::new()) };
        let told = match retired.state {
            StepState::Done => self.put_there(&live, serial),
            state if state.has_begun() => return Ok(Vec::new()),
            _ => self.swapped(&live, serial)?,
        };
        let master = live.place("GLB/MASTER.GLB");
        Ok(Vec::from_iter(told.map(|(cause, remedy)| {
            Finding::error("master-by-hand", cause, format!("{ASK}{remedy}; {GO_ON}"))
                .in_file(master)
                .article("Q209486")
        })))
    }

    /// Before the step that takes the old one away.
    fn swapped(&self, live: &Postoffice, serial: Serial) -> Result<Option<(String, String)>> {
        let master = live.place("GLB/MASTER.GLB");
        let old = live.entry("GLB/OLDMAST.GLB");
        let back = match old {
            Some(old) => format!("`mv {} {}`", old.path.display(), master.display()),
            None => format!("put the old one back from the backup as {}", master.display()),
        };
        Ok(match serial {
            Serial::None => Some((format!("MASTER.GLB was taken away, and {NOT_HERE}: nobody can sign in"), back)),
            // Else it may be the staged one that is a copy of this.
            Serial::New if old.is_some() || self.recorded()?.stated == msmail::fingerprint(live)? => {
                let remedy = format!("{}. {}, then {back}", sign_out(), self.aside(live));
                Some((self.in_force_already(), remedy))
            }
            // Before the backup a check says that it is in the way.
            Serial::Unknown if old.is_some() => self.copy_of_master()?.map(|(copy, kept)| {
                let cause = format!(
                    "OLDMAST.GLB lies there and MASTER.GLB is not the one of the backup, both {NOT_HERE}: which serial number is in \
                     force cannot be told"
                );
                let swapped = live.read("GLB/OLDMAST.GLB").is_ok_and(|old| old.as_ref() == Some(&kept));
                let remedy = match swapped {
                    true => format!("{}. {}, then {back}", sign_out(), self.aside(live)),
                    false => format!("compare both with {}, and move the one that is nobody's away", copy.display()),
                };
                (cause, remedy)
            }),
            _ => None,
        })
    }

    /// After it, and before the step that installs the new one: nothing is to lie there.
    fn put_there(&self, live: &Postoffice, serial: Serial) -> Option<(String, String)> {
        let master = live.file("GLB/MASTER.GLB")?;
        Some(match (serial, live.entry("GLB/OLDMAST.GLB")) {
            (Serial::New, _) => (self.in_force_already(), format!("{}. {}", sign_out(), self.aside(live))),
            (Serial::Old, None) => (
                format!("OLDMAST.GLB was given the name MASTER.GLB again, and {NOT_HERE}"),
                format!("`mv {} {}`", master.path.display(), live.place("GLB/OLDMAST.GLB").display()),
            ),
            _ => (format!("MASTER.GLB was put there, and {NOT_HERE}"), self.aside(live)),
        })
    }

    fn in_force_already(&self) -> String {
        let number = self.campaign.msmail.as_ref().map_or("", |facts| &facts.new_serial);
        format!(
            "MASTER.GLB is the staged one already, and no step of this campaign has put it there: serial number {number} is in \
             force"
        )
    }

    fn aside(&self, live: &Postoffice) -> String {
        let kept = self.campaign.state().join("MASTER.GLB.by-hand");
        format!("`mv {} {}`", live.place("GLB/MASTER.GLB").display(), kept.display())
    }

    /// Nothing where P1 bears the name that the steps have given it, or what became of it is not that simple.
    fn p1_by_hand(&self) -> Result<Vec<Finding>> {
        let Some(facts) = &self.campaign.msmail else { return Ok(Vec::new()) };
        let Ok(live) = Postoffice::open_folders(&facts.postoffice, &["P1", "POLD"]) else { return Ok(Vec::new()) };
        let state = msmail::p1_state(&live);
        if state == P1::Both {
            return Ok(Vec::from_iter(self.stray_beside_p1(&live)?));
        }
        let steps = &self.campaign.steps;
        let (closing, opening) = (steps.iter().find(|it| it.closes_p1()), steps.iter().find(|it| it.opens_p1()));
        let (Some(closing), Some(opening)) = (closing, opening) else { return Ok(Vec::new()) };
        let entries = self.ledger.entries()?;
        let (closed, opened) = (state_of(&entries, &closing.name)?, state_of(&entries, &opening.name)?);
        let (p1, pold) = (live.place("P1"), live.place("POLD"));
        let open = format!("`mv {} {}`", pold.display(), p1.display());
        let (cause, remedy) = match state {
            P1::Open if closed == StepState::Done && !opened.has_begun() => (
                format!("P1 was given its name back, and {NOT_HERE}: transports can work"),
                format!(
                    "stop every transport and let the sessions end. When P1 holds nothing but POPULATE.MSM: `mv {} {}`",
                    p1.display(),
                    pold.display()
                ),
            ),
            P1::Closed if !closed.has_begun() => {
                (format!("P1 was renamed to POLD, and {NOT_HERE}: no mail comes in"), open)
            }
            P1::Closed if opened == StepState::Done => {
                (format!("P1 was renamed to POLD once more, and {NOT_HERE}"), open)
            }
            _ => return Ok(Vec::new()),
        };
        let remedy = format!("{ASK}{remedy}; {GO_ON}");
        let mut told = vec![Finding::error("p1-by-hand", cause, remedy).in_file(p1).article("Q209486")];
        if state == P1::Open {
            told.extend(self.check_by_names(&["p1-quiet".to_owned()]));
        }
        Ok(told)
    }

    /// Where the steps have left P1 closed, the check is right: P1 was made anew. Where they have it open it is the one in use,
    /// and an envelope that is taken out of it is lost (Q148707).
    fn stray_beside_p1(&self, live: &Postoffice) -> Result<Option<Finding>> {
        let both = "P1 and POLD are both there";
        let holds = |folder: &str| {
            let entries = live.folder(folder).into_iter().flat_map(|folder| folder.entries());
            format!("{folder} holds: {}", msmail::names(entries.map(|entry| entry.name.as_str())))
        };
        let (cause, remedy) = match self.p1_by_now()? {
            Some(P1::Open) => {
                let kept = self.campaign.state().join("POLD.by-hand");
                (
                    format!(
                        "{both}, and no step of this campaign has P1 renamed now: POLD is a stray. {}",
                        holds("POLD")
                    ),
                    format!(
                        "{ASK}leave P1 and all that it holds where it is, for it is the one in use; `mv {} {}`, and keep \
                     that: what it holds besides POPULATE.MSM is mail that nobody has got; then run this again",
                        live.place("POLD").display(),
                        kept.display()
                    ),
                )
            }
            None => (
                format!(
                    "{both}, and a step that renames one to the other did not come to its end: which of them was put there is \
                     not known. {}; {}",
                    holds("P1"),
                    holds("POLD")
                ),
                format!(
                    "{ASK}stop all transports and start none; delete nothing. Keep what either holds besides POPULATE.MSM in a \
                     third folder, outside P1 and POLD; move POLD there as well, or P1 if only POLD has a POPULATE.MSM; then run \
                     this again. What you kept goes into P1 once P1 is open, and only then start External"
                ),
            ),
            Some(_) => return Ok(None),
        };
        Ok(Some(Finding::error("p1-both", cause, remedy).in_file(live.place("POLD")).article("Q135902")))
    }

    /// What was done by hand, with the way out, takes the place of what each check sees of it.
    pub(super) fn told_by_hand(&self, mut findings: Vec<Finding>) -> Vec<Finding> {
        for (astray, seen) in
            [(&OF_P1[..], Self::p1_by_hand as Look<'e>), (&OF_MASTER[..], Self::master_by_hand as Look<'e>)]
        {
            if !findings.iter().any(|finding| astray.contains(&finding.code)) {
                continue;
            }
            match seen(self) {
                Ok(told) if told.is_empty() => {}
                Ok(told) => {
                    // Nor does everything stand as the steps have left it, which is what a step says that has not begun.
                    findings.retain(|finding| !astray.contains(&finding.code) && finding.code != "step-not-begun");
                    findings.splice(..0, told);
                }
                Err(fault) => findings.extend(fault.findings),
            }
        }
        findings
    }

    /// From the first step of the evening on, nothing goes forward on that: who cannot sign in fetches no mail, and a
    /// transport that comes to life finds a MASTER.GLB that changes under it.
    pub(super) fn require_nothing_by_hand(&self) -> Result<()> {
        let begun = self.evening_has_begun()?;
        Fault::check(if begun { self.by_hand()? } else { Vec::new() }).map(drop)
    }

    /// What holds the step: no backup is made of what another campaign has half changed, and no evening begins on it.
    pub(super) fn changed_by_others(&self, step: &Step) -> Result<Vec<Finding>> {
        let begins = self.campaign.beginning().map(|(_, first)| &first.name);
        let is_first =
            |one: &Step| matches!(one.action, Some(Action::Backup(_))) || one.closes_p1() || begins == Some(&one.name);
        let from_there = self.campaign.steps.iter().skip_while(|one| !is_first(one));
        let holds = from_there.map(|one| &one.name).any(|name| *name == step.name);
        if holds { self.by_hand() } else { Ok(Vec::new()) }
    }

    /// A rollback that opens P1 says that the old serial number stays in force: then it has to be.
    pub(super) fn require_old_master_for_p1(&self, to: Option<&str>) -> Result<()> {
        let entries = self.ledger.entries()?;
        let mut opens = false;
        for step in self.steps_back(to).filter(|step| step.closes_p1()) {
            opens |= state_of(&entries, &step.name)?.has_begun();
        }
        let Some(facts) = self.campaign.msmail.as_ref().filter(|_| opens) else { return Ok(()) };
        if let Err(cause) = self.look_at_master(facts, None)? {
            let cause = format!("which MASTER.GLB is in force cannot be seen, and P1 would be opened: {cause}");
            let remedy = "no step was taken back. See to that file; `flagday check` says more; then roll back again";
            return Err(Fault::new("master-unseen", cause, remedy));
        }
        Fault::check(self.new_by_hand()?).map(drop)
    }

    /// A MASTER.GLB made by hand that is not the old one. Where the old one bears its name again, that much of the way back
    /// is gone already.
    pub(super) fn new_by_hand(&self) -> Result<Vec<Finding>> {
        let Some(facts) = &self.campaign.msmail else { return Ok(Vec::new()) };
        let old = matches!(self.look_at_master(facts, None)?, Ok((_, Serial::Old)));
        if old { Ok(Vec::new()) } else { self.master_by_hand() }
    }
}

fn sign_out() -> &'static str {
    "stop every transport and have everybody sign out, because what is written until then cannot be read under the old number"
}

#[cfg(test)]
mod tests;
