//! Who has to be called, why, what to say and what to ask. Codes are not among it: the person reads theirs out, the
//! operator types it, and the program compares. A sheet that showed them would let anybody answer for everybody.

use crate::answer::{Kind, Standing};
use crate::campaign::{Acknowledgement, Grade};
use crate::engine::{Engine, News, Uninformed};
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::notice::{day_in_words, in_words};
use crate::outbox::State;
use crate::package::{Manifest, code_for};
use crate::roster::Person;
use serde::Serialize;
use std::collections::{HashMap, HashSet};

/// Why somebody is on the sheet. The first that fits counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// No address, or every message came back: a letter may go as well.
    Unreachable,
    /// Their letter is held, because a server may have it or not.
    InDoubt,
    /// Reminded and escalated, and still silent.
    Silent,
    /// They said no, or asked something.
    Asked,
    /// Nothing else is to be said any more.
    CalledOff,
    /// Likewise, for now.
    Postponed,
}

impl Why {
    pub const ALL: [Why; 6] = [Why::Unreachable, Why::InDoubt, Why::Silent, Why::Asked, Why::CalledOff, Why::Postponed];

    /// The heading over them, in English or German.
    pub fn title(self, german: bool) -> &'static str {
        match (self, german) {
            (Why::Unreachable, false) => "Mail does not reach them",
            (Why::Unreachable, true) => "Mail erreicht sie nicht",
            (Why::InDoubt, false) => "Nobody knows whether our letter came: ask",
            (Why::InDoubt, true) => "Ob unser Schreiben ankam, weiß niemand: fragen",
            (Why::Silent, false) => "They have not answered",
            (Why::Silent, true) => "Sie haben nicht geantwortet",
            (Why::Asked, false) => "They said no, or asked something",
            (Why::Asked, true) => "Sie haben abgelehnt oder etwas gefragt",
            (Why::CalledOff, false) => "They do not know that it is off",
            (Why::CalledOff, true) => "Sie wissen nicht, dass es abgesagt ist",
            (Why::Postponed, false) => "They do not know that it is put off",
            (Why::Postponed, true) => "Sie wissen nicht, dass es verschoben ist",
        }
    }

    /// Mail does not tell them: a letter on paper may.
    pub fn needs_letter(self) -> bool {
        !matches!(self, Why::InDoubt | Why::Silent | Why::Asked)
    }
}

/// One call to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Call {
    pub why: Why,
    /// Mail reaches them.
    pub reachable: bool,
    /// They were told by an operator, and no letter was tried.
    pub by_hand: bool,
    pub person: String,
    pub name: String,
    /// Empty where the roster has none.
    pub phone: String,
    pub email: String,
    pub language: String,
    /// The time of day there now, where the person has a time zone of their own.
    pub their_time: String,
    pub manager: String,
    /// Where a letter goes: the roster's column `postal_address`.
    pub postal_address: String,
    /// Today, in the person's language.
    pub date: String,
    /// What is known, in words.
    pub known: String,
    pub change: String,
    /// They are only to hear that it does not take place, or not on that date.
    pub called_off: bool,
    pub postponed: bool,
    /// What to type once they know, where they are asked nothing.
    pub record: String,
    pub asks: Vec<Ask>,
}

/// What the person has to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ask {
    pub acknowledgement: String,
    pub notice: String,
    pub package: String,
    pub due: String,
    /// The code that stands in the package is asked for.
    pub code: bool,
    /// The last two letters of it, where they were asked for: enough to hear a slip, and not enough to answer with.
    pub check_letters: String,
    pub known: String,
    pub record: String,
}

/// Everybody who has to be called, by why and in roster order. `check_letters`: for an operator who cannot ask the
/// program during the call.
pub fn calls(engine: &Engine, check_letters: bool) -> Result<Vec<Call>> {
    let off = engine.aborted()?.is_some();
    if off || engine.is_postponed()? {
        return uninformed(engine);
    }
    let untrue = engine.untrue()?;
    let holds = |message: &MessageRow| !untrue.contains(&message.id);
    let mut newest: HashMap<(String, String), MessageRow> = HashMap::new();
    for message in engine.ledger().messages()?.into_iter().filter(holds) {
        // A message that went to somebody else says nothing about the person.
        if message.tells {
            newest.insert((message.person.clone(), message.notice.clone()), message);
        }
    }
    let tasks: HashSet<(String, String)> =
        engine.ledger().tasks_in_force()?.into_iter().map(|task| (task.person, task.acknowledgement)).collect();
    let mut found: HashMap<String, (Why, String, Vec<Ask>)> = HashMap::new();
    for acknowledgement in engine.campaign.acknowledgements.values() {
        for standing in engine.standings(acknowledgement)? {
            let Some(person) = engine.roster.get(&standing.person) else { continue };
            if standing.waiver.is_some() || standing.grade >= acknowledgement.grade {
                continue;
            }
            let letter = acknowledgement.notice.as_ref().map(|notice| newest.get(&(person.id.clone(), notice.clone())));
            let lost = letter.map(|letter| match letter {
                _ if person.email.is_none() => Some(Why::Unreachable),
                letter => letter.and_then(lost),
            });
            let task = tasks.contains(&(person.id.clone(), acknowledgement.name.clone()));
            let Some(why) = reason(&standing, lost.flatten(), task) else { continue };
            let ask = ask(engine, acknowledgement, person, &standing, check_letters)?;
            let entry = found.entry(person.id.clone()).or_insert_with(|| (why, standing.why.clone(), Vec::new()));
            entry.0 = entry.0.min(why);
            entry.2.push(ask);
        }
    }
    // A notice that asks for nothing has to reach them all the same.
    let asked =
        |notice: &str| engine.campaign.acknowledgements.values().any(|one| one.notice.as_deref() == Some(notice));
    for ((person, notice), message) in newest.iter().filter(|(_, message)| engine.is_there(message)) {
        if let Some(why) = lost(message).filter(|_| !asked(notice) && notice != "reminder") {
            let how = if why == Why::InDoubt { "may have reached them or not" } else { "did not reach them" };
            let known = format!("'{notice}' {how}: {}", message.reply);
            found.entry(person.clone()).or_insert_with(|| (why, known, Vec::new()));
        }
    }
    let mut calls = Vec::new();
    for person in engine.roster.people() {
        if let Some((why, known, asks)) = found.remove(&person.id) {
            calls.push(call(engine, person, why, known, asks));
        }
    }
    calls.sort_by_key(|call| call.why);
    Ok(calls)
}

/// While it is off or put off nobody is asked anything.
fn uninformed(engine: &Engine) -> Result<Vec<Call>> {
    let call = |one: Uninformed| {
        let why = match one.news {
            News::CalledOff => Why::CalledOff,
            News::Postponed => Why::Postponed,
        };
        let person = engine.roster.get(&one.person)?;
        let to_tell = Call { by_hand: one.by_hand, ..call(engine, person, why, one.why, Vec::new()) };
        let Some(address) = one.asked else { return Some(to_tell) };
        // Of whom the roster knows nothing but where they were written to.
        let known = format!("asked to remind {}: {}", person.name, to_tell.known);
        let (phone, manager, postal_address) = Default::default();
        Some(Call { name: address.clone(), email: address, known, phone, manager, postal_address, ..to_tell })
    };
    Ok(engine.uninformed()?.into_iter().filter_map(call).collect())
}

/// What a message that ended so is called about.
fn lost(message: &MessageRow) -> Option<Why> {
    match message.state {
        State::Failed | State::Held if message.is_in_doubt() => Some(Why::InDoubt),
        // Of who had left and is back: in doubt as before, once that is taken note of.
        State::Cancelled if message.doubts > 0 => Some(Why::InDoubt),
        State::Failed | State::Bounced | State::Held => Some(Why::Unreachable),
        _ => None,
    }
}

fn reason(standing: &Standing, lost: Option<Why>, task: bool) -> Option<Why> {
    match standing.trouble {
        Some(Kind::HardBounce) => Some(Why::Unreachable),
        _ if lost.is_some() => lost,
        Some(Kind::Declined | Kind::Question) => Some(Why::Asked),
        _ => task.then_some(Why::Silent),
    }
}

fn ask(
    engine: &Engine,
    acknowledgement: &Acknowledgement,
    person: &Person,
    standing: &Standing,
    check_letters: bool,
) -> Result<Ask> {
    let campaign = &engine.campaign;
    let notice = acknowledgement.notice.as_ref().and_then(|name| campaign.notices.get(name));
    let package = notice.and_then(|notice| notice.package.as_ref());
    let code = acknowledgement.grade == Grade::Possessed;
    let due = acknowledgement.due.map(|due| due.instant(&campaign.change));
    let zone = person.time_zone.unwrap_or(campaign.change.zone);
    let letters = match package.filter(|_| code && check_letters) {
        Some(package) => last_letters(engine, package, person)?,
        None => String::new(),
    };
    let how = match acknowledgement.grade {
        Grade::Possessed => "--code ____-____ ",
        Grade::Observed if campaign.msmail.is_some() => "--serial __________ ",
        _ => "",
    };
    Ok(Ask {
        acknowledgement: acknowledgement.name.clone(),
        notice: acknowledgement.notice.clone().unwrap_or_default(),
        package: package.cloned().unwrap_or_default(),
        due: due.map(|due| in_words(due, zone, person.language.as_deref())).unwrap_or_default(),
        code,
        check_letters: letters,
        known: standing.why.clone(),
        record: format!("flagday ack record {} {how}--by NAME --note phone", person.id),
    })
}

/// The end of the person's code, derived as `build` does; empty where the package is not built, or is another by now.
fn last_letters(engine: &Engine, package: &str, person: &Person) -> Result<String> {
    let folder = engine.campaign.state().join("packages").join(package);
    if !folder.join("manifest.json").exists() {
        return Ok(String::new());
    }
    let manifest = Manifest::load(&folder)?;
    let Some(entry) = manifest.person(&person.id) else { return Ok(String::new()) };
    let code =
        code_for(engine.ledger().secret(), &engine.campaign, &engine.campaign.packages[package], person, &entry.source);
    if code.fingerprint() != entry.code_fingerprint {
        return Ok(String::new());
    }
    let code = code.to_string();
    Ok(code.get(code.len() - 2..).unwrap_or_default().to_owned())
}

fn call(engine: &Engine, person: &Person, why: Why, known: String, asks: Vec<Ask>) -> Call {
    let change = &engine.campaign.change;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let address = |address: &Option<lettre::Address>| address.as_ref().map(ToString::to_string).unwrap_or_default();
    let own = person.time_zone.filter(|zone| *zone != change.zone);
    Call {
        why,
        reachable: !why.needs_letter(),
        by_hand: false,
        person: person.id.clone(),
        name: person.name.clone(),
        phone: text(&person.phone),
        email: address(&person.email),
        language: text(&person.language),
        their_time: own
            .map(|zone| engine.now().with_timezone(&zone).format("%a %H:%M %Z").to_string())
            .unwrap_or_default(),
        manager: address(&person.manager_email),
        postal_address: person.column("postal_address").unwrap_or_default(),
        date: day_in_words(engine.now().with_timezone(&change.zone).date_naive(), person.language.as_deref()),
        known,
        change: in_words(change.at, person.time_zone.unwrap_or(change.zone), person.language.as_deref()),
        called_off: why == Why::CalledOff,
        postponed: why == Why::Postponed,
        record: match why {
            Why::CalledOff | Why::Postponed => {
                format!("flagday ack record {} --by NAME --note \"knows it\"", person.id)
            }
            _ => String::new(),
        },
        asks,
    }
}
