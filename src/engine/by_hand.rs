//! What somebody did by hand although it is a step that does it: P1 renamed, MASTER.GLB taken away or replaced (steps 5a and
//! 6 to 8 of Q209486). The checks look at one name each, and their remedies would lead astray.

use super::Engine;
use super::situation::{Serial, look};
use crate::campaign::Step;
use crate::fault::{Fault, Finding, Result};
use crate::msmail::{self, P1, Postoffice};
use crate::runbook::{Journal, StepState, state_of};

/// What the checks say of such a MASTER.GLB.
const OF_MASTER: [&str; 4] = ["master-missing", "master-same", "oldmast-exists", "master-not-retired"];
/// And of such a P1.
const OF_P1: [&str; 2] = ["p1-not-closed", "p1-not-open"];

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
        let Ok((_, serial)) = look(facts, None, &retired) else { return Ok(Vec::new()) };
        let told = match retired.state {
            StepState::Done => self.put_there(&live, serial),
            state if state.has_begun() => return Ok(Vec::new()),
            _ => self.swapped(&live, serial)?,
        };
        let master = live.place("GLB/MASTER.GLB");
        Ok(Vec::from_iter(told.map(|(cause, remedy)| {
            Finding::error("master-by-hand", cause, format!("{remedy}; {GO_ON}")).in_file(master).article("Q209486")
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
            Serial::None => Some(("MASTER.GLB was taken away, and not by a step: nobody can sign in".to_owned(), back)),
            // Else it may be the staged one that is a copy of this.
            Serial::New if old.is_some() || self.recorded()?.stated == msmail::fingerprint(live)? => {
                let remedy = format!("{}. {}, then {back}", sign_out(), self.aside(live));
                Some((self.in_force_already(), remedy))
            }
            _ => None,
        })
    }

    /// After it, and before the step that installs the new one: nothing is to lie there.
    fn put_there(&self, live: &Postoffice, serial: Serial) -> Option<(String, String)> {
        let master = live.file("GLB/MASTER.GLB")?;
        Some(match (serial, live.entry("GLB/OLDMAST.GLB")) {
            (Serial::New, _) => (self.in_force_already(), format!("{}. {}", sign_out(), self.aside(live))),
            (Serial::Old, None) => (
                "OLDMAST.GLB was given the name MASTER.GLB again, and not by a step".to_owned(),
                format!("`mv {} {}`", master.path.display(), live.place("GLB/OLDMAST.GLB").display()),
            ),
            _ => ("MASTER.GLB was put there, and not by a step".to_owned(), self.aside(live)),
        })
    }

    fn in_force_already(&self) -> String {
        let number = self.campaign.msmail.as_ref().map_or("", |facts| &facts.new_serial);
        format!(
            "MASTER.GLB is the staged one already, and no step has put it there: serial number {number} is in force"
        )
    }

    fn aside(&self, live: &Postoffice) -> String {
        let kept = self.campaign.state().join("MASTER.GLB.by-hand");
        format!("`mv {} {}`", live.place("GLB/MASTER.GLB").display(), kept.display())
    }

    /// Nothing where P1 bears the name that the steps have given it, or what became of it is not that simple.
    fn p1_by_hand(&self) -> Result<Vec<Finding>> {
        let Some(facts) = &self.campaign.msmail else { return Ok(Vec::new()) };
        let steps = &self.campaign.steps;
        let (closing, opening) = (steps.iter().find(|it| it.closes_p1()), steps.iter().find(|it| it.opens_p1()));
        let (Some(closing), Some(opening)) = (closing, opening) else { return Ok(Vec::new()) };
        let entries = self.ledger.entries()?;
        let (closed, opened) = (state_of(&entries, &closing.name)?, state_of(&entries, &opening.name)?);
        let Ok(live) = Postoffice::open_folders(&facts.postoffice, &[]) else { return Ok(Vec::new()) };
        let (p1, pold) = (live.place("P1"), live.place("POLD"));
        let open = format!("`mv {} {}`", pold.display(), p1.display());
        let state = msmail::p1_state(&live);
        let (cause, remedy) = match state {
            P1::Open if closed == StepState::Done && !opened.has_begun() => (
                "P1 was given its name back, and not by a step: transports can work",
                format!(
                    "stop every transport and let the sessions end. When P1 holds nothing but POPULATE.MSM: `mv {} {}`",
                    p1.display(),
                    pold.display()
                ),
            ),
            P1::Closed if !closed.has_begun() => ("P1 was renamed to POLD, and not by a step: no mail comes in", open),
            P1::Closed if opened == StepState::Done => ("P1 was renamed to POLD once more, and not by a step", open),
            _ => return Ok(Vec::new()),
        };
        let remedy = format!("{remedy}; {GO_ON}");
        let mut told = vec![Finding::error("p1-by-hand", cause, remedy).in_file(p1).article("Q209486")];
        if state == P1::Open {
            told.extend(self.check_by_names(&["p1-quiet".to_owned()]));
        }
        Ok(told)
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
                    findings.retain(|finding| !astray.contains(&finding.code));
                    findings.splice(..0, told);
                    // No way back is safe now.
                    for finding in findings.iter_mut().filter(|finding| finding.code == "step-not-begun") {
                        finding.remedy =
                            "put it right as told above; then `flagday cutover` tries this step again".to_owned();
                    }
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

    /// A rollback that opens P1 says that the old serial number stays in force: then it has to be.
    pub(super) fn require_old_master_for_p1(&self, to: Option<&str>) -> Result<()> {
        let entries = self.ledger.entries()?;
        let mut opens = false;
        for step in self.steps_back(to).filter(|step| step.closes_p1()) {
            opens |= state_of(&entries, &step.name)?.has_begun();
        }
        let Some(facts) = self.campaign.msmail.as_ref().filter(|_| opens) else { return Ok(()) };
        if let Err(cause) = look(facts, None, &self.retired()?) {
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
        let old = matches!(look(facts, None, &self.retired()?), Ok((_, Serial::Old)));
        if old { Ok(Vec::new()) } else { self.master_by_hand() }
    }
}

fn sign_out() -> &'static str {
    "stop every transport and have everybody sign out, because what is written until then cannot be read under the old number"
}
