//! What the gates ask is on record from when people are told. What the file states wins; but a gate that asks for less than
//! it did is told, and stays visible like an override. Once the change itself has begun it does not count by itself: every
//! gate asks at least what it asked then, and past it leads a decision by name.

use super::Engine;
use crate::campaign::{Campaign, place_of};
use crate::fault::{Exit, Fault, Finding, Place, Result, Severity};
use crate::gate::{BarChange, Bars, Way};
use crate::ledger::{GatesFound, Ledger};
use crate::runbook::{Journal, state_of};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Something that a gate asks was changed, which stays visible for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GateChange {
    #[serde(flatten)]
    pub change: BarChange,
    /// When it was found; absent: the next run that holds the campaign puts it on record.
    pub at: Option<DateTime<Utc>>,
    /// The change itself had begun.
    pub evening: bool,
}

impl GateChange {
    /// In capitals, for whoever looks over it.
    pub fn head(&self) -> &'static str {
        match self.change.way {
            Way::Looser => "LOOSENED",
            Way::Tighter => "TIGHTENED",
            Way::Other => "CHANGED",
        }
    }

    /// When it was found, and that it does not count where that is so.
    pub fn words(&self, local: &dyn Fn(DateTime<Utc>) -> String) -> String {
        let found = self.at.map_or("not yet on record".to_owned(), |at| format!("found {}", local(at)));
        let counts = match self.evening && self.change.is_held() {
            true => ", after the change had begun: there a gate asks at least what it asked before",
            false => "",
        };
        format!("{} ({found}{counts})", self.change)
    }
}

/// Whether the change itself has begun and was not taken back.
pub(super) fn is_evening(campaign: &Campaign, ledger: &Ledger) -> Result<bool> {
    let entries = ledger.entries()?;
    let begins = campaign.beginning().map(|(_, step)| step);
    let closes = campaign.steps.iter().find(|step| step.closes_p1());
    for step in begins.into_iter().chain(closes) {
        if state_of(&entries, &step.name)?.has_begun() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the gates ask at least: in the evening of the change, what they asked when it began.
pub(super) fn held_to(campaign: &Campaign, ledger: &Ledger) -> Result<Option<Bars>> {
    if !is_evening(campaign, ledger)? {
        return Ok(None);
    }
    let found = ledger.gates_found()?;
    // They may be on record only since then, where nobody was told anything.
    let before = found.iter().rfind(|found| !found.evening).or(found.first());
    Ok(before.map(|found| found.asked.clone()))
}

impl Engine<'_> {
    /// Puts on record what the gates ask, where that is another thing than what is on record, and tells of it. For every
    /// run that holds the campaign, before it does anything else.
    pub fn find_gates(&mut self) -> Result<Vec<Finding>> {
        let Some(last) = self.ledger.gates_found()?.pop() else {
            if self.ledger.revision()?.is_some() {
                self.begin_with_gates()?;
            }
            return Ok(Vec::new());
        };
        if self.clock_behind()?.is_some() {
            // Nothing is done before that is settled.
            return Ok(Vec::new());
        }
        let changes = last.asked.changes(&self.asked);
        let found = self.gates_now(changes)?;
        if !found.changes.is_empty() || last.evening && !found.evening {
            self.ledger.find_gates(&found)?;
        }
        self.told_of_gates(&found.changes)
    }

    /// A step that waits for gates is up, and nobody was told anything that would have put them on record.
    pub(super) fn begin_with_gates(&mut self) -> Result<()> {
        if self.ledger.gates_found()?.is_empty() {
            let found = self.gates_now(Vec::new())?;
            self.ledger.find_gates(&found)?;
        }
        Ok(())
    }

    pub(super) fn gates_now(&self, changes: Vec<BarChange>) -> Result<GatesFound> {
        let evening = self.evening_has_begun()?;
        Ok(GatesFound { at: self.now(), evening, changes, asked: self.asked.clone() })
    }

    /// Every change of what the gates ask since it is on record, oldest first.
    pub fn gate_changes(&self) -> Result<Vec<GateChange>> {
        let all = self.ledger.gates_found()?;
        let open = all.last().map(|last| last.asked.changes(&self.asked)).unwrap_or_default();
        let evening = !open.is_empty() && self.evening_has_begun()?;
        let known = all.into_iter().flat_map(|GatesFound { at, evening, changes, .. }| {
            changes.into_iter().map(move |change| GateChange { change, at: Some(at), evening })
        });
        Ok(known.chain(open.into_iter().map(|change| GateChange { change, at: None, evening })).collect())
    }

    /// What the file says now and does not count, because the change had begun.
    pub fn not_counted(&self) -> Result<Vec<BarChange>> {
        let held_to = held_to(&self.campaign, &self.ledger)?;
        let mut changes = held_to.map(|held_to| held_to.changes(&self.asked)).unwrap_or_default();
        changes.retain(BarChange::is_held);
        Ok(changes)
    }

    /// For `check`: what does not count, and what no run has put on record yet.
    pub(super) fn check_gates(&self) -> Result<Vec<Finding>> {
        let mut changes = self.not_counted()?;
        let open = self.gate_changes()?.into_iter().filter(|one| one.at.is_none()).map(|one| one.change);
        let open: Vec<BarChange> = open.filter(|one| !changes.contains(one)).collect();
        changes.extend(open);
        self.told_of_gates(&changes)
    }

    /// A gate that the change rested on when it began, and that cannot even be judged any more.
    pub(super) fn require_gates_there(&self) -> Result<()> {
        let Some(held_to) = held_to(&self.campaign, &self.ledger)? else { return Ok(()) };
        let Some(gate) = held_to.lost(&self.campaign).next() else { return Ok(()) };
        let cause =
            format!("steps waited for gate {gate} when the change began, and neither it nor what it asks is there");
        let remedy = format!("put [gate.{gate}] back into the file, with its acknowledgement");
        let finding = Finding::error("gate-gone", cause, remedy).in_file(&self.campaign.file);
        Err(Fault { exit: Exit::Waiting, findings: vec![finding] })
    }

    fn told_of_gates(&self, changes: &[BarChange]) -> Result<Vec<Finding>> {
        let (file, not_counted) = (&self.campaign.file, self.not_counted()?);
        let told = changes.iter().map(|change| {
            let (severity, remedy) = match (change.way, change.is_among(&not_counted)) {
                (_, true) => (Severity::Warning, self.past_the_gate(change)),
                (Way::Tighter, _) => (Severity::Note, "it counts, and status, report and audit show it for ever".to_owned()),
                _ => (
                    Severity::Warning,
                    "if that is meant, go on: it counts, and status, report and audit show it for ever; else put it back"
                        .to_owned(),
                ),
            };
            let cause = match change.way {
                Way::Looser => format!("a gate asks for less than is on record: {change}"),
                _ => format!("a gate asks others, or more, than is on record: {change}"),
            };
            let place = place_of(file, &change.section, &change.name, &change.key);
            Finding::new(severity, "gate-changed", cause, remedy).at(place.unwrap_or_else(|| Place::file(file)))
        });
        Ok(told.collect())
    }

    fn past_the_gate(&self, change: &BarChange) -> String {
        let gate = self.gate_of(change).unwrap_or("GATE");
        format!(
            "the change has begun, so it is judged as before. Put it back; or decide by name, for ever visible: `flagday cutover \
             --override {gate} --by NAME --reason TEXT` asks for the campaign's name"
        )
    }

    /// The gate that a change is about, where it is one.
    fn gate_of<'c>(&'c self, change: &'c BarChange) -> Option<&'c str> {
        match change.section.as_str() {
            "gate" => Some(&change.name),
            "acknowledgement" => {
                let asks = |name: &&str| self.campaign.gates[*name].acknowledgement == change.name;
                self.campaign.gates.keys().map(String::as_str).find(asks)
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::fixture::{self, ASKED};
    use crate::engine::{Engine, Stop};
    use crate::fault::{Exit, Fault};
    use crate::system::Standing;

    const GATE: &str = "[gate.all]\nacknowledgement = \"read\"\n";
    const BEFORE: &str = "[[step]]\nname = \"before\"\nshell = { run = [\"true\"], undo = [\"true\"] }\n";
    const BEGINS: &str = "[[step]]\nname = \"begins\"\nwait = \"T\"\nshell = { run = [\"true\"], undo = [\"true\"] }\n";
    const SWITCH: &str = "[[step]]\nname = \"switch\"\nshell = { run = [\"true\"], undo = [\"true\"] }\n";

    #[test]
    fn in_the_evening_a_gate_is_held_to_although_it_and_the_need_of_it_are_gone_from_the_file() {
        let whole = [ASKED, GATE, BEFORE, BEGINS, SWITCH, "needs = [\"all\"]\n"].concat();
        let root = fixture::campaign(&whole);
        fixture::texts(root.path(), "news");
        let clock = Standing::at("2024-12-13T01:00:00Z".parse().expect("a time"));
        let engine = || Engine::open(root.path(), &clock).expect("opened");
        let file = fs_err::read_to_string(root.path().join("flagday.toml")).expect("read");
        let write = |now: &[&str]| fixture::write(root.path(), "flagday.toml", &file.replace(&whole, &now.concat()));
        let held = || match engine().cutover(None, &mut |_, _| {}).expect("no fault").stop {
            Stop::Blocked { step, gates } => (step, gates[0].name.clone(), gates[0].of),
            other => panic!("{other:?}"),
        };
        let blocked = ("switch".to_owned(), "all".to_owned(), 1);
        assert_eq!(held(), blocked);

        write(&[ASKED, BEFORE, BEGINS, SWITCH]);
        assert_eq!(held(), blocked);
        let told = engine().find_gates().expect("found");
        assert_eq!(told.iter().map(|one| one.code).collect::<Vec<_>>(), ["gate-changed", "gate-changed"]);
        assert_eq!(engine().find_gates().expect("found"), [], "once");
        assert_eq!(engine().not_counted().expect("read").len(), 2);

        // What it asked is gone as well: it cannot be judged, and nothing goes on.
        write(&["[audience.everyone]\nkind = [\"local\"]\n", BEFORE, BEGINS, SWITCH]);
        let Fault { exit, findings } = engine().cutover(None, &mut |_, _| {}).expect_err("refused");
        assert_eq!((exit, findings[0].code), (Exit::Waiting, "gate-gone"));

        // Taken back to before the evening, what the file states wins.
        engine().rollback(Some("before")).expect("taken back");
        engine().find_gates().expect("found");
        assert_eq!(engine().cutover(None, &mut |_, _| {}).expect("no fault").stop, Stop::Done);
        engine().ledger().audit_verify(None).expect("the chain holds");
    }

    #[test]
    fn where_no_situation_is_told_a_stopped_step_names_the_way_back_to_before_the_evening() {
        let refused = SWITCH.replacen("[\"true\"]", "[\"false\"]", 1);
        let root = fixture::campaign(&[ASKED, BEFORE, BEGINS, &refused].concat());
        fixture::texts(root.path(), "news");
        let clock = Standing::at("2024-12-13T01:00:00Z".parse().expect("a time"));
        let mut engine = Engine::open(root.path(), &clock).expect("opened");
        let fault = engine.cutover(None, &mut |_, _| {}).expect_err("its program fails");
        let note = fault.findings.last().expect("words");
        assert_eq!(note.code, "step-not-known");
        assert!(
            note.remedy.contains("`flagday cutover rollback --to before` runs the program that undoes it"),
            "{note:?}"
        );
    }
}
