//! Where the campaign stands: gates first, then counts, then names that block and why, and the next sensible thing.

use super::failures::{self, FailureRow};
use crate::answer::{Kind, Standing};
use crate::campaign::Grade;
use crate::engine::{
    Asleep, Engine, Entry, GateChange, News, OldAddress, Overridden, RosterChanges, Situation, StepView, UNSEEN,
};
use crate::fault::{Result, counted};
use crate::gate::Verdict;
use crate::ledger::{Aborted, Counts, Leaver, MessageRow, Outage, Task, Unread};
use crate::outbox::{FailureClass, State, Suspended};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

/// A run that sends writes all the time; what it counts is a little older or newer then.
const READINGS: usize = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Nobody was told yet.
    Preparing,
    Announced,
    /// A step that waits for the change was begun.
    CuttingOver,
    Done,
    Aborted,
}

/// `status --json`, schema 1.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    pub schema: u32,
    pub campaign: String,
    pub revision: u32,
    pub change_at: DateTime<Utc>,
    pub phase: Phase,
    pub people: usize,
    pub messages: Counts,
    /// Notices whose window is over before these many people got them: they wait to be asked for by name.
    pub overdue: BTreeMap<String, usize>,
    /// What sends each of them.
    #[serde(skip)]
    pub send_late: BTreeMap<String, String>,
    /// What would leave now, were it not for quiet hours.
    pub asleep: Vec<Asleep>,
    /// Mailboxes that could not be read when they last were to be: answers may lie there.
    pub unread: Vec<Unread>,
    /// Reminders, escalations and calls that wait until they are read.
    pub kept_waiting: usize,
    pub acknowledgements: Vec<AcknowledgementStatus>,
    /// What people wrote that is no acknowledgement, and letters that wait for a human.
    pub answers: Answers,
    pub gates: Vec<Verdict>,
    pub steps: Vec<StepView>,
    /// Messages that a server may have or not: the reply to them was lost, and some are held because of that.
    pub in_doubt: Vec<FailureRow>,
    /// Why nothing leaves for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<Suspended>,
    /// What a server put off, by code, or by words where the connection failed.
    pub deferrals: BTreeMap<String, FailureClass>,
    /// Every connection of the last run failed, and messages wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
    /// By package, the people for whom it was built of something else than lies at its source now.
    pub replaced: BTreeMap<String, Vec<String>>,
    /// People with a message that waits and was written to another address than the roster has now: the next `send` writes it
    /// anew.
    pub readdressed: Vec<String>,
    /// People who may have a letter at an address that the roster has no longer; to the new one it goes when asked for.
    pub at_old_addresses: Vec<OldAddress>,
    /// Messages that failed, came back or are held, and that nobody has made needless since.
    pub lost: Vec<FailureRow>,
    /// Every gate that was passed against the count, for ever.
    pub overrides: Vec<Overridden>,
    /// What was changed of what the gates ask since that is on record, for ever.
    pub gate_changes: Vec<GateChange>,
    /// What the files of the postoffice show now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postoffice: Option<Situation>,
    /// Calls for a human to make.
    pub tasks: Vec<Task>,
    /// The change is put off, and its new date is not known.
    pub postponed: bool,
    /// Who called the campaign off, when and why.
    pub aborted: Option<Aborted>,
    /// Who came and went on the rosters since people were told; `amend` takes it over.
    pub roster: RosterChanges,
    /// Those who had to answer and left, by the amendment that took note of it. No gate counts them any more.
    pub leavers: Vec<Gone>,
    /// The next timed action, with its instant.
    pub upcoming: Option<Entry>,
    pub next: String,
    /// The head of the audit chain.
    pub head: Option<String>,
}

/// Somebody who had to answer and left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gone {
    #[serde(flatten)]
    pub leaver: Leaver,
    /// They have to answer again: by now they are back.
    pub back: bool,
}

fn gone(engine: &Engine, leaver: Leaver) -> Gone {
    let asked = engine.campaign.acknowledgements.get(&leaver.acknowledgement);
    let audience = asked.map(|asked| &engine.campaign.audiences[&asked.audience]);
    let person = engine.roster.get(&leaver.person);
    Gone { back: person.zip(audience).is_some_and(|(person, audience)| person.is_in(audience)), leaver }
}

/// How many people stand so, over all acknowledgements, and how many letters wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Answers {
    pub declined: usize,
    pub question: usize,
    /// An automatic reply is on.
    pub away: usize,
    /// They answered what holds no more, and are still to be told so.
    pub outdated: usize,
    /// `flagday ack review` lists them.
    pub review: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AcknowledgementStatus {
    pub name: String,
    pub audience: String,
    pub required: Grade,
    pub satisfied: usize,
    pub waived: usize,
    pub missing: Vec<String>,
}

impl Status {
    /// All of one moment: where another run writes while this reads, it is read again.
    pub fn of(engine: &Engine) -> Result<Status> {
        for _ in 1..READINGS {
            let version = engine.ledger().version()?;
            let status = Status::read(engine)?;
            if engine.ledger().version()? == version {
                return Ok(status);
            }
        }
        Status::read(engine)
    }

    fn read(engine: &Engine) -> Result<Status> {
        let ledger = engine.ledger();
        let steps = engine.steps()?;
        let gates = engine.verdicts()?;
        let mut messages = ledger.counts()?;
        // What waits for its hour that is over was not planned yet, and is held all the same.
        let mut overdue: BTreeMap<String, usize> = BTreeMap::new();
        engine.overdue_by_name()?.into_iter().for_each(|name| *overdue.entry(name).or_default() += 1);
        messages.held += overdue.values().sum::<usize>();
        let send_late =
            overdue.keys().map(|name| Ok((name.clone(), engine.send_by_name(name)?))).collect::<Result<_>>()?;
        let asleep = engine.asleep()?;
        let kept_waiting = engine.kept_waiting()?;
        let waits = messages.planned + messages.deferred > 0;
        let told = ledger.revision()?.is_some();
        let mut acknowledgements = Vec::new();
        let (review, outdated) = (engine.in_review()?.len(), engine.to_hear()?.len());
        let mut answers = Answers { review, outdated, ..Answers::default() };
        for acknowledgement in engine.campaign.acknowledgements.values() {
            let standings = engine.standings(acknowledgement)?;
            // As the gates count: what the program should have seen may be vouched for.
            let vouched = |one: &Standing| acknowledgement.grade == Grade::Observed && one.attested;
            let answered = |one: &Standing| one.grade >= acknowledgement.grade || vouched(one);
            for standing in standings.iter().filter(|one| one.waiver.is_none() && !answered(one)) {
                match standing.trouble {
                    Some(Kind::Declined) => answers.declined += 1,
                    Some(Kind::Question) => answers.question += 1,
                    Some(Kind::AutoReply) => answers.away += 1,
                    _ => {}
                }
            }
            acknowledgements.push(AcknowledgementStatus {
                name: acknowledgement.name.clone(),
                audience: acknowledgement.audience.clone(),
                required: acknowledgement.grade,
                satisfied: standings.iter().filter(|one| one.waiver.is_none() && answered(one)).count(),
                waived: standings.iter().filter(|one| one.waiver.is_some()).count(),
                missing: standings
                    .iter()
                    .filter(|one| one.waiver.is_none() && !answered(one))
                    .map(|one| one.person.clone())
                    .collect(),
            });
        }
        let replaced = engine.replaced()?;
        Ok(Status {
            schema: 1,
            campaign: engine.campaign.name.clone(),
            revision: engine.revision_number()?,
            change_at: engine.campaign.change.at,
            phase: phase(engine, &steps, told)?,
            people: engine.roster.len(),
            next: next(engine, &steps, &messages, &gates, &asleep, kept_waiting, &replaced)?,
            messages,
            send_late,
            overdue,
            asleep,
            unread: engine.unread()?,
            kept_waiting,
            acknowledgements,
            answers,
            gates,
            steps,
            in_doubt: failures::in_doubt(engine)?,
            lost: if messages.failed + messages.held > 0 { failures::open(engine)? } else { Vec::new() },
            replaced,
            readdressed: if waits { engine.to_readdress()? } else { Vec::new() },
            at_old_addresses: engine.at_old_addresses()?,
            paused: engine.paused()?,
            deferrals: if messages.deferred > 0 { engine.deferrals()? } else { BTreeMap::new() },
            outage: if waits { engine.outage()? } else { None },
            overrides: engine.overrides()?,
            gate_changes: engine.gate_changes()?,
            postoffice: engine.situation()?,
            tasks: open_tasks(engine)?,
            postponed: engine.is_postponed()?,
            aborted: engine.aborted()?,
            roster: engine.roster_changes()?,
            leavers: ledger.leavers()?.into_iter().map(|leaver| gone(engine, leaver)).collect(),
            upcoming: engine.next_entry()?,
            head: ledger.audit_head()?.map(|head| head.hash),
        })
    }
}

impl Status {
    /// When the change is, or why there is none.
    pub fn when(&self, local: &dyn Fn(DateTime<Utc>) -> String) -> String {
        match (&self.aborted, self.postponed) {
            (Some(_), true) => "called off; it had been put off before".to_owned(),
            (Some(_), false) => format!("called off; it was to be {}", local(self.change_at)),
            (None, true) => "put off, and no new date yet".to_owned(),
            (None, false) => local(self.change_at),
        }
    }
}

fn phase(engine: &Engine, steps: &[StepView], told: bool) -> Result<Phase> {
    let begun = |step: &&StepView| matches!(step.state, "done" | "running" | "failed");
    let cutting = engine.campaign.beginning().map_or(steps.len(), |(at, _)| at);
    Ok(if engine.aborted()?.is_some() {
        Phase::Aborted
    } else if engine.has_taken_place()? {
        Phase::Done
    } else if steps.iter().skip(cutting).any(|step| begun(&step)) {
        Phase::CuttingOver
    } else if told {
        Phase::Announced
    } else {
        Phase::Preparing
    })
}

/// Tasks whose acknowledgement is still open, and calls about the end of it all.
fn open_tasks(engine: &Engine) -> Result<Vec<Task>> {
    let mut open = engine.calls_about_the_end()?;
    if engine.aborted()?.is_some() {
        // No answer is needed any more.
        return Ok(open);
    }
    for task in engine.ledger().tasks_in_force()? {
        let Some(acknowledgement) = engine.campaign.acknowledgements.get(&task.acknowledgement) else { continue };
        let standing = engine.standing(acknowledgement, &task.person)?;
        if standing.is_some_and(|one| one.waiver.is_none() && one.grade < acknowledgement.grade) {
            open.push(task);
        }
    }
    Ok(open)
}

fn to_call(people: usize, news: News) -> String {
    let news = news.words();
    match people {
        1 => {
            format!("flagday report --call-sheet: one person does not know that it is {news}, and no letter tells them")
        }
        n => format!("flagday report --call-sheet: {n} people do not know that it is {news}, and no letter tells them"),
    }
}

/// The next sensible command, with the reason.
fn next(
    engine: &Engine,
    steps: &[StepView],
    messages: &Counts,
    gates: &[Verdict],
    asleep: &[Asleep],
    kept_waiting: usize,
    replaced: &BTreeMap<String, Vec<String>>,
) -> Result<String> {
    let uninformed = engine.uninformed()?.len();
    if engine.aborted()?.is_some() {
        if engine.stands_changed()? {
            return Ok("flagday cutover rollback: it was called off, and steps of the cutover are still done".into());
        }
        return Ok(
            match engine.to_be_told_of_abort()?.len()
                + engine.asked_to_be_told_of_abort()?.len()
                + messages.planned
                + messages.deferred
            {
                0 if uninformed > 0 => to_call(uninformed, News::CalledOff),
                0 => "flagday report: the campaign was called off, and everyone who was told knows".into(),
                people => format!(
                    "flagday abort: {} still to be told that it is off",
                    counted(people, "person is", "people are")
                ),
            },
        );
    }
    if engine.clock_behind()?.is_some() {
        let what = "nothing is sent or switched while it stands before what is on record";
        return Ok(format!("set this machine's clock right: {what} (if it is right, say --clock-ok once)"));
    }
    if engine.findings.iter().any(crate::fault::Finding::is_error) {
        return Ok("flagday check: a roster has errors, and nothing is sent while it has".into());
    }
    if !engine.owed()?.is_empty() {
        return Ok("flagday send: an amendment still has people to tell".into());
    }
    if engine.is_postponed()? {
        match engine.to_be_told_of_postponement()? {
            0 => {}
            1 => return Ok("flagday send: one letter that the change is put off waits to go out".into()),
            n => return Ok(format!("flagday send: {n} letters that the change is put off wait to go out")),
        }
        if uninformed > 0 {
            return Ok(to_call(uninformed, News::Postponed));
        }
        return Ok("set the new change_at when it is known, then flagday amend: until then everything waits".into());
    }
    if let Some(remedy) = engine.to_be_as_it_was()? {
        return Ok(format!("{remedy} (the change has taken place, and the files say otherwise)"));
    }
    if let Some(package) = replaced.keys().next() {
        return Ok(format!("flagday build: what package '{package}' is made of changed since it was built"));
    }
    if !engine.differences()?.is_empty() {
        return Ok("flagday amend: the facts changed since people were told".into());
    }
    if let Some(cause) = engine.to_be_put_right()?.filter(|_| steps.iter().any(|step| step.state != "done")) {
        return Ok(format!("flagday check: it says how to put this right: {cause}"));
    }
    if let Some(step) = steps.iter().find(|step| matches!(step.state, "failed" | "running")) {
        return Ok(format!("{}: step {} {}", step.resume, step.name, step.why));
    }
    if kept_waiting > 0 {
        let why = "a mailbox cannot be read, and nobody is pressed while answers may lie there";
        return Ok(format!("flagday intake: {why} (flagday send does it all the same)"));
    }
    if let (Some(name), false) = (engine.overdue_by_name()?.first(), engine.unread()?.is_empty()) {
        let why = "its window was over while a mailbox could not be read";
        return Ok(format!("{}: {why} (first flagday intake)", engine.send_by_name(name)?));
    }
    let waiting = messages.planned + messages.deferred;
    if engine.paused()?.is_some() && waiting > 0 {
        return Ok("flagday send: after mending what has stopped delivery".into());
    }
    if let (Some(first), 0) = (asleep.first(), messages.uncertain)
        && waiting > 0
        && engine.ledger().due(engine.now())? == 0
    {
        let until = first.until.with_timezone(&engine.campaign.change.zone).format("%a %F %H:%M %Z");
        return Ok(format!("wait: quiet hours end {until}, then flagday send (serve and tick do it by themselves)"));
    }
    let due = waiting > 0 && engine.ledger().due(engine.now())? > 0;
    if due && engine.outage()?.is_some() {
        return Ok("flagday send: once the mail server can be reached".into());
    }
    if due {
        return Ok("flagday send: messages are waiting to go out".into());
    }
    let doubt = if messages.uncertain > 0 { engine.doubt_ends()? } else { None };
    if messages.uncertain > 0 && doubt.is_none() {
        return Ok(
            "flagday send --to failed: what is in doubt goes out once more (or ask the people, and record it)".into()
        );
    }
    if doubt.is_some_and(|at| at <= engine.now()) {
        return Ok("flagday send: what is in doubt goes out once more, or is held".into());
    }
    match engine.to_hear()?.len() {
        0 => {}
        1 => return Ok("flagday send: one person answered what holds no more, and is to be told so".into()),
        n => return Ok(format!("flagday send: {n} people answered what holds no more, and are to be told so")),
    }
    match engine.in_review()?.len() {
        0 => {}
        1 => return Ok("flagday ack review: a letter waits for you".into()),
        n => return Ok(format!("flagday ack review: {n} letters wait for you")),
    }
    if let Some(at) = doubt {
        let at = at.with_timezone(&engine.campaign.change.zone).format("%a %F %H:%M %Z");
        let how = "by flagday send, serve or tick";
        return Ok(format!("wait: what is in doubt goes out once more, or is held, from {at} on, {how}"));
    }
    if let Some(at) = engine.ledger().next_due()? {
        let at = at.with_timezone(&engine.campaign.change.zone).format("%a %F %H:%M %Z");
        return Ok(format!("wait: what was put off is tried again from {at} on, by flagday send, serve or tick"));
    }
    let Some(step) = steps.iter().find(|step| step.state != "done") else {
        return Ok("flagday report: every step is done".into());
    };
    // A message that failed matters while its person holds the next step, and nobody has settled it another way.
    let holds = |person: &str| {
        let shut = gates.iter().filter(|gate| !gate.open && step.needs.contains(&gate.name));
        shut.flat_map(|gate| &gate.blocking).any(|one| one.person == person)
    };
    let lost = |message: &MessageRow| {
        matches!(message.state, State::Failed | State::Bounced | State::Held)
            && !message.is_in_doubt()
            && holds(&message.person)
    };
    if messages.failed + messages.held > 0 && engine.ledger().messages_in_trouble()?.iter().any(lost) {
        return Ok("flagday send --to failed: after correcting what kept them from arriving".into());
    }
    let before = engine.now() < engine.campaign.change.at;
    let late = engine.overdue_by_name()?.into_iter().find(|name| !matches!(name.as_str(), "reminder" | "escalation"));
    if let Some(name) = late.filter(|_| before) {
        return Ok(format!("{}: people have not got it, and its window is over", engine.send_by_name(&name)?));
    }
    if let Some(gate) = gates.iter().find(|gate| !gate.open && step.needs.contains(&gate.name)) {
        if gate.missed.is_some() {
            return Ok(format!("flagday abort --reason TEXT: gate {} missed its deadline", gate.name));
        }
        return Ok(format!("flagday who --blocking {}: they hold step {}", gate.name, step.name));
    }
    if step.why.contains("statement") {
        return Ok(format!("flagday cutover: reads what to state for step {}", step.name));
    }
    if step.why.starts_with(UNSEEN) {
        return Ok(format!("flagday cutover: says how to state for step {} what was {}", step.name, step.why));
    }
    if step.why.starts_with("not before") {
        return Ok(format!("wait: step {} is {}", step.name, step.why));
    }
    Ok(format!("flagday cutover: step {} is next", step.name))
}
