//! In which state the postoffice is, seen in its files and told in words for two in the morning; and what is safe now.

use super::Engine;
use crate::campaign::{Action, Grade, MsMail, Step};
use crate::fault::{Finding, Result};
use crate::msmail::{self, P1, Postoffice, p1_state};
use crate::runbook::{Event, History, Journal, StepState, history_of, state_of};
use chrono::{DateTime, Utc};
use serde::Serialize;

/// Which MASTER.GLB is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Serial {
    Old,
    New,
    /// The new one, to which ADMIN or another program has written since.
    #[serde(rename = "new")]
    Rewritten,
    /// There is no MASTER.GLB.
    None,
    Unknown,
}

/// What a rollback that ends with P1 renamed asks of the transports (Q148707).
const STAY_STOPPED: &str = "keep them stopped until P1 is opened again: P1 is POLD afterwards, and External that is started then \
                            finds no envelope, and that mail is lost";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Situation {
    /// `open`, `closed`, `both`, `neither` or `unknown`.
    pub p1: &'static str,
    /// Since when this cutover has had P1 closed.
    pub closed_since: Option<DateTime<Utc>>,
    pub serial: Serial,
    /// A sentence each.
    pub words: Vec<String>,
    /// Two commands that do no harm now, with what they do.
    pub safe: [(String, String); 2],
}

impl Engine<'_> {
    /// What the files of the live postoffice show now; `None` for a campaign without one.
    pub fn situation(&self) -> Result<Option<Situation>> {
        let Some(facts) = &self.campaign.msmail else { return Ok(None) };
        let by_hand = !self.by_hand()?.is_empty();
        let ways = if self.aborted()?.is_some() { "is taken back" } else { "goes on or goes back" };
        let (p1, serial, mut words) = match self.look_at_master(facts, self.installed()?.as_ref())? {
            Ok((p1, serial)) => (p1_word(p1), serial, vec![serial_words(serial, by_hand, facts, ways)]),
            Err(cause) => {
                let words = format!("The postoffice cannot be looked at, so its state is not known here: {cause}.");
                ("unknown", Serial::Unknown, vec![words])
            }
        };
        let closed_since = self.closed_since()?.filter(|_| p1 == "closed");
        let since = closed_since.map_or(String::new(), |at| {
            format!(" since {}", at.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z"))
        });
        words.splice(..0, p1_words(p1, &since, serial, self.p1_by_now()?));
        words.extend(self.backup_words()?);
        Ok(Some(Situation { p1, closed_since, serial, words, safe: self.safe(p1, serial, by_hand)? }))
    }

    /// What `check` has the way out of, before anything else is done: a step made by hand, or the way back missing.
    pub fn to_be_put_right(&self) -> Result<Option<String>> {
        let first = self.by_hand()?.into_iter().next();
        let first = if first.is_some() { first } else { self.old_master_gone()? };
        Ok(first.map(|finding| finding.cause))
    }

    /// What has to be said before steps are undone: what going back costs, with the new MASTER.GLB in place and before.
    pub fn rollback_warning(&self, to: Option<&str>) -> Result<Option<String>> {
        let to = self.way_back(to)?;
        let entries = self.ledger.entries()?;
        let mut taken_back = Vec::new();
        for step in self.steps_back(to.as_deref()) {
            if state_of(&entries, &step.name)?.has_begun() {
                taken_back.push(step);
            }
        }
        let closes = self.campaign.steps.iter().any(Step::closes_p1);
        let ends_closed = closes && !taken_back.iter().any(|step| step.closes_p1());
        let installs = self.install_step().is_some_and(|install| taken_back.iter().any(|one| one.name == install.name));
        if installs && self.was_in_force()? {
            let transports = if ends_closed { STAY_STOPPED } else { "restart the transports afterwards" };
            let mut text = format!(
                "The new MASTER.GLB is in place: mail that was written since then cannot be read under the old serial number. \
                 Stop all transports first, have everybody sign out, and {transports}. \
                 Remote users who have installed the new disk need the old one again"
            );
            let switched = self.switched()?;
            if switched > 0 {
                text += &format!(
                    ", and {switched} neighbouring administrators who have entered the new number have to change it back"
                );
            }
            return Ok(Some(text));
        }
        if ends_closed && taken_back.iter().any(|step| step.opens_p1()) {
            return Ok(Some(format!("This renames P1 to POLD again. Stop all transports first, and {STAY_STOPPED}")));
        }
        // Then it is refused, with the way to put it right.
        if !self.new_by_hand()?.is_empty() {
            return Ok(None);
        }
        Ok(taken_back.into_iter().any(Step::closes_p1).then(|| {
            "The old serial number stays in force, and P1 is opened again: no mail is lost by that. Start the transports only \
             afterwards, and tell the local users that the change did not take place"
                .to_owned()
        }))
    }

    /// Whether anybody can have written mail under the new serial number: the new file lies there, or was seen to. A step
    /// that failed before it had put it there has cost nothing.
    pub(super) fn was_in_force(&self) -> Result<bool> {
        let (Some(history), Some(facts)) = (self.installed()?, &self.campaign.msmail) else { return Ok(false) };
        let lies_there = || {
            Ok(match self.look_at_master(facts, Some(&history))? {
                Ok((_, serial)) => matches!(serial, Serial::New | Serial::Rewritten),
                Err(_) => true,
            })
        };
        if history.acted.is_some() { Ok(true) } else { lies_there() }
    }

    /// P1, and which MASTER.GLB lies there; or why that cannot be seen.
    pub(super) fn look_at_master(
        &self,
        facts: &MsMail,
        installed: Option<&History>,
    ) -> Result<std::result::Result<(P1, Serial), String>> {
        Ok(look(facts, installed, &self.retired()?, &|| Some(self.copy_of_master().ok()??.1)))
    }

    /// The last start of the step that installs the new MASTER.GLB; `None` while it has not begun or was taken back.
    pub(super) fn installed(&self) -> Result<Option<History>> {
        let Some(step) = self.install_step() else { return Ok(None) };
        let history = history_of(&self.ledger.entries()?, &step.name)?;
        Ok(history.state.has_begun().then_some(history))
    }

    /// What the journal has of the old file's other name.
    pub(super) fn retired(&self) -> Result<History> {
        match self.campaign.steps.iter().find(|step| step.retires_master()) {
            Some(step) => history_of(&self.ledger.entries()?, &step.name),
            None => Ok(History::default()),
        }
    }

    /// How many have read the new serial number back.
    fn switched(&self) -> Result<usize> {
        let drained = self.drain_gate().map(|gate| gate.acknowledgement.clone()).unwrap_or_default();
        let mut switched = 0;
        for asked in self.campaign.acknowledgements.values() {
            if asked.grade == Grade::Observed && asked.notice.is_none() && asked.name != drained {
                switched += self.standings(asked)?.iter().filter(|one| one.grade == Grade::Observed).count();
            }
        }
        Ok(switched)
    }

    /// When the step that closes P1 was done and not taken back.
    fn closed_since(&self) -> Result<Option<DateTime<Utc>>> {
        let Some(step) = self.campaign.steps.iter().find(|step| step.closes_p1()) else { return Ok(None) };
        let entries = self.ledger.entries()?;
        if !matches!(state_of(&entries, &step.name)?, StepState::Done | StepState::Started) {
            return Ok(None);
        }
        let begun = |event: &Event| matches!(event, Event::Started { .. });
        Ok(entries.iter().rev().find(|entry| entry.step == step.name && begun(&entry.event)).map(|entry| entry.at))
    }

    /// The first step that has changed something and was not taken back, and whether taking back was cut off.
    fn changed(&self) -> Result<(Option<usize>, bool)> {
        let entries = self.ledger.entries()?;
        let (mut changed, mut undoing) = (None, false);
        for (at, step) in self.campaign.steps.iter().enumerate() {
            let state = state_of(&entries, &step.name)?;
            undoing |= state == StepState::Undoing;
            if changes(step) && state.has_begun() {
                changed = changed.or(Some(at));
            }
        }
        Ok((changed, undoing))
    }

    /// Whether steps have changed something that is still so.
    pub fn stands_changed(&self) -> Result<bool> {
        self.changed().map(|(changed, undoing)| changed.is_some() || undoing)
    }

    /// Brings a rollback to its end that was cut off. What lies before the evening it leaves as it is, unless it has come to
    /// that already.
    pub(super) fn rest_of_the_way_back(&self) -> Result<String> {
        let entries = self.ledger.entries()?;
        let mut cut_off = None;
        for (at, step) in self.campaign.steps.iter().enumerate() {
            if state_of(&entries, &step.name)? == StepState::Undoing {
                cut_off = Some(at);
            }
        }
        let evening = self.campaign.beginning().map(|(at, _)| at).filter(|evening| cut_off >= Some(*evening));
        let keep = evening.and_then(|evening| Some(&self.campaign.steps.get(evening.checked_sub(1)?)?.name));
        Ok(keep.map_or("flagday cutover rollback".to_owned(), |keep| format!("flagday cutover rollback --to {keep}")))
    }

    /// The step that stays when everything that stands changed is taken back. Stopped transports have to be stated anew, so the
    /// way leads to before the first step of the evening.
    fn stays(&self, changed: Option<usize>) -> Option<&str> {
        let evening = self.campaign.beginning().map(|(at, _)| at);
        let first = changed.map(|at| evening.map_or(at, |evening| at.min(evening)))?;
        Some(&self.campaign.steps.get(first.checked_sub(1)?)?.name)
    }

    /// The command that takes steps back, where no situation is told that would name it.
    pub(super) fn way_back_without_situation(&self) -> Result<Option<String>> {
        if self.campaign.msmail.is_some() {
            return Ok(None);
        }
        let begun = if self.evening_has_begun()? { self.campaign.beginning() } else { None };
        let stays = self.stays(begun.map(|(at, _)| at).or(self.changed()?.0)).map(|keep| format!(" --to {keep}"));
        Ok(Some(format!("flagday cutover rollback{}", stays.unwrap_or_default())))
    }

    /// Going on is safe because every step looks before it acts; so is the way back, or a look while there is none.
    fn safe(&self, p1: &str, serial: Serial, by_hand: bool) -> Result<[(String, String); 2]> {
        let (changed, undoing) = self.changed()?;
        let line = |command: &str, what: &str| (command.to_owned(), what.to_owned());
        let status = line("flagday status", "shows what is next; it only looks");
        if undoing {
            let rest = line(&self.rest_of_the_way_back()?, "takes the rest back: going back was cut off");
            return Ok([rest, status]);
        }
        let back = match self.was_in_force()? {
            true => "goes back to the old serial number; mail written under the new one is lost to its readers",
            false => "puts everything back as it was before the change",
        };
        if self.aborted()?.is_some() {
            let rest = match changed {
                None => line("flagday abort", "tells those who do not know yet that it is off"),
                Some(_) if self.may_go_back(None)? && self.require_one_p1(None).is_ok() => {
                    line("flagday cutover rollback", back)
                }
                Some(_) => line("flagday check", "says what is wrong and what to do; it only looks"),
            };
            return Ok([rest, status]);
        }
        if matches!(p1, "unknown" | "both" | "neither") || serial == Serial::Unknown || by_hand {
            return Ok([line("flagday check", "says what is wrong and what to do; it only looks"), status]);
        }
        let back = match self.stays(changed) {
            Some(keep) if self.may_go_back(Some(keep))? => {
                (format!("flagday cutover rollback --to {keep}"), back.to_owned())
            }
            _ if self.old_master_gone()?.is_some() => {
                line("flagday check", "says what is missing for the way back, and where it is; it only looks")
            }
            _ => status,
        };
        Ok([line("flagday cutover", "goes on from here; what is not ready holds it"), back])
    }
}

/// Which MASTER.GLB lies there is judged by the identity of what the step installed, and by OLDMAST.GLB: the staged tree
/// may change once it is done, or be gone. Before the step there is only that tree to compare with.
/// `kept`: the MASTER.GLB of this cutover's backup.
fn look(
    facts: &MsMail,
    installed: Option<&History>,
    retired: &History,
    kept: &dyn Fn() -> Option<Vec<u8>>,
) -> Result<(P1, Serial), String> {
    let open =
        |path, folders: &[&'static str]| Postoffice::open_folders(path, folders).map_err(|f| f.cause().to_owned());
    let live = open(&facts.postoffice, &["GLB"])?;
    // Refused, or not to be listed: that is no file that is not there.
    let ours =
        ["GLB", "GLB/MASTER.GLB", "GLB/OLDMAST.GLB"].map(|path| live.place(path).to_string_lossy().to_uppercase());
    let of_ours = |finding: &&Finding| {
        let place = finding.place.as_ref().map(|place| place.file.to_string_lossy().to_uppercase());
        place.is_some_and(|place| ours.contains(&place))
    };
    if let Some(unseen) = live.findings().iter().filter(|finding| finding.is_error()).find(of_ours) {
        return Err(unseen.cause.clone());
    }
    let read = |po: &Postoffice, path: &str| po.read(path).map_err(|fault| fault.cause().to_owned());
    let Some(master) = read(&live, "GLB/MASTER.GLB")? else { return Ok((p1_state(&live), Serial::None)) };
    let old = read(&live, "GLB/OLDMAST.GLB")?;
    if master.len() as u64 != msmail::MASTER_SIZE {
        return Ok((p1_state(&live), Serial::Unknown));
    }
    let is_new = match installed.map(History::places).filter(|placed| !placed.is_empty()) {
        Some(placed) => Some(placed.iter().any(|identity| identity.is_of(&master))),
        None => {
            let staged = open(&facts.staged, &["GLB"]).and_then(|staged| read(&staged, "GLB/MASTER.GLB"));
            staged.ok().flatten().map(|staged| staged == master)
        }
    };
    // As long as nothing was renamed or installed, what is not the staged file is the old one. With an OLDMAST.GLB beside it
    // that no step has made, another campaign may have put its own there: then it is the one of the backup, or unknown.
    let away = retired.state.has_begun();
    let stayed = old.is_none() || (!away && kept().as_ref() == Some(&master));
    let untouched = installed.is_none() && is_new == Some(false) && stayed;
    let is_old = untouched || old.as_ref() == Some(&master) || retired.renames().any(|it| it.is_of(&master));
    let serial = match (is_new, is_old) {
        (_, true) => Serial::Old,
        (Some(true), false) => Serial::New,
        // It was seen to lie there, and the old one is kept: what lies there now was made of it.
        (Some(false), false) if old.is_some() && installed.is_some_and(|history| history.acted.is_some()) => {
            Serial::Rewritten
        }
        (Some(false) | None, false) => Serial::Unknown,
    };
    Ok((p1_state(&live), serial))
}

fn p1_word(state: P1) -> &'static str {
    match state {
        P1::Open => "open",
        P1::Closed => "closed",
        P1::Both => "both",
        P1::Neither => "neither",
    }
}

/// `by_now`: the name that the steps have left it.
fn p1_words(p1: &str, since: &str, serial: Serial, by_now: Option<P1>) -> Option<String> {
    let locals = match serial {
        Serial::None => "",
        _ => " Local users can sign in, read and write to each other.",
    };
    Some(match p1 {
        "open" => "P1 is in its place: mail comes in and goes out once the transports run.".to_owned(),
        "closed" => format!(
            "P1 is renamed to POLD{since}: no mail comes in or goes out, and nobody dials in. Keep every transport \
             stopped.{locals}"
        ),
        "both" => match by_now {
            Some(P1::Open) => {
                "P1 and POLD are both there: P1 is the one in use, and POLD a stray. Take nothing out of P1, and start no \
                 transport until `flagday check` is content."
            }
            Some(_) => "P1 and POLD are both there: somebody made P1 anew. Keep every transport stopped.",
            None => "P1 and POLD are both there: which of them was put there is not known. Keep every transport stopped.",
        }
        .to_owned(),
        "neither" => {
            "Neither P1 nor POLD is there: no mail comes in or goes out. Keep every transport stopped.".to_owned()
        }
        _ => return None,
    })
}

fn serial_words(serial: Serial, by_hand: bool, facts: &MsMail, ways: &str) -> String {
    match serial {
        Serial::Unknown => "MASTER.GLB is neither known as the old one nor as the new one: which serial number is in force \
                            cannot be told. Compare it with OLDMAST.GLB and with the backup before anything else is done."
            .to_owned(),
        Serial::Old => format!("MASTER.GLB is the old one: serial number {} is in force.", facts.old_serial),
        Serial::New => format!("MASTER.GLB is the new one: serial number {} is in force.", facts.new_serial),
        Serial::Rewritten => format!(
            "MASTER.GLB is the new one, and was written to since it was installed: serial number {} is in force.",
            facts.new_serial
        ),
        Serial::None if by_hand => {
            "There is no MASTER.GLB, and no step of this campaign has taken it away: nobody can sign in until there is one again."
                .to_owned()
        }
        Serial::None => format!("There is no MASTER.GLB: nobody can sign in until the cutover {ways}."),
    }
}

/// The step that changes something in the live postoffice.
fn changes(step: &Step) -> bool {
    let into = |path: &str| path.starts_with("{postoffice}");
    match &step.action {
        Some(Action::Rename(one) | Action::Copy { pair: one, .. }) => into(&one.to),
        Some(Action::Replace(all)) => all.iter().any(|one| into(&one.to)),
        Some(Action::Shell { .. }) => true,
        _ => false,
    }
}
