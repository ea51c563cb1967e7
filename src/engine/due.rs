//! Whom the timed actions of the calendar still concern, and what of it may go out now. Whom an escalation goes to is in
//! `chain`, who may be pressed already in `timely`, and whom what is to come would concern in `ahead`.

mod ahead;
mod by_name;
mod chain;
mod fate;
mod timely;

pub(super) use chain::ways_of;

use super::Engine;
use super::calendar::{Entry, What};
use super::reason::Reason;
use super::sending::{Intent, Sent};
use super::unread::PRESSING;
use super::whereabouts::Whereabouts;
use crate::answer::Kind;
use crate::campaign::{Acknowledgement, EscalationWay, Grade};
use crate::fault::Result;
use crate::ledger::{Letters, Task};
use crate::roster::Person;
use chrono::{DateTime, NaiveDate, Utc};
use indexmap::IndexMap;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use timely::When;

/// Somebody who was told and has not settled an acknowledgement.
#[derive(Debug, Clone)]
struct Silent {
    person: Arc<Person>,
    /// Mail to the address in the roster comes back.
    unreachable: bool,
    /// They were never told: our message did not leave.
    unsent: bool,
    /// The day on which the person is back.
    away: Option<NaiveDate>,
    /// Their newest absence, also where they are back.
    absent: Option<(DateTime<Utc>, NaiveDate)>,
    letters: Option<Letters>,
}

/// The numbers of the copies that each person has.
type Copies = HashMap<String, HashSet<u32>>;

/// One look at the calendar: what the ledger says is asked once.
#[derive(Debug)]
pub(super) struct Look<'e, 'w> {
    engine: &'e Engine<'w>,
    now: DateTime<Utc>,
    /// Letters that amendments owe: they are not the calendar's to send.
    owed: HashSet<(String, String)>,
    /// Whom somebody has to call already, by person and acknowledgement, and since when.
    calls: HashMap<(String, String), DateTime<Utc>>,
    /// An operator asks by name: that somebody was just told does not count.
    pub(super) by_name: bool,
    have: RefCell<HashMap<String, Rc<Copies>>>,
    silent: RefCell<HashMap<String, Rc<IndexMap<String, Silent>>>>,
    untold: RefCell<HashMap<String, Rc<Vec<Arc<Person>>>>>,
    asked: RefCell<HashMap<String, Rc<chain::Asked>>>,
    came_back: RefCell<Option<Rc<HashSet<String>>>>,
}

impl Engine<'_> {
    pub(super) fn look_around(&self) -> Result<Look<'_, '_>> {
        let (have, silent, untold, asked, came_back) = Default::default();
        let calls = self.ledger.calls()?;
        let owed = self.owed()?.into_iter().map(|owed| (owed.person, owed.notice)).collect();
        Ok(Look { engine: self, now: self.now(), owed, calls, by_name: false, have, silent, untold, asked, came_back })
    }

    /// Everything whose hour has come and that still has somebody to tell; tasks are noted at once.
    pub(super) fn intents_due(&mut self, sent: &mut Sent) -> Result<Vec<Intent>> {
        let mut due = self.look_around()?.due()?;
        sent.late = std::mem::take(&mut due.late);
        if self.ledger.presses_nobody {
            due.keep_back();
        }
        for (intent, why) in &due.tasks {
            sent.tasks.extend(self.task(intent, why)?);
        }
        Ok(due.intents)
    }

    /// How many notices to one person each wait to be asked for by name, because their window is over.
    pub fn overdue(&self) -> Result<usize> {
        Ok(self.overdue_by_name()?.len())
    }

    /// The name of each of them.
    pub fn overdue_by_name(&self) -> Result<Vec<String>> {
        if self.aborted()?.is_some() || self.is_postponed()? {
            return Ok(Vec::new());
        }
        Ok(self.overdue_letters()?.into_iter().map(|one| one.notice).collect())
    }

    /// What the calendar of the file holds, whatever people were told last.
    pub(super) fn overdue_letters(&self) -> Result<Vec<Intent>> {
        let look = self.look_around()?;
        let mut held = Vec::new();
        for entry in look.due()?.late {
            held.extend(look.intents(&entry)?.into_iter().filter(|one| !one.is_a_call(&entry)));
        }
        Ok(held)
    }

    fn task(&mut self, intent: &Intent, what: &str) -> Result<Option<Task>> {
        let person = &intent.person;
        let phone = person.phone.as_deref().unwrap_or("no phone number in the roster");
        let task = Task {
            at: self.now(),
            person: person.id.clone(),
            acknowledgement: intent.acknowledgement.clone().unwrap_or_default(),
            what: format!("{what}: call {} ({phone})", person.name),
            call: true,
        };
        Ok(self.ledger.add_task(&task)?.then_some(task))
    }
}

/// What one look finds.
#[derive(Debug, Default)]
pub(super) struct Due {
    pub(super) intents: Vec<Intent>,
    /// Calls to make, and why.
    tasks: Vec<(Intent, String)>,
    late: Vec<Entry>,
    /// Reminders and escalations in this look, by person and acknowledgement.
    pressed: HashMap<(String, String), usize>,
    /// Whom this look escalates to, about whom.
    escalated: HashSet<(String, String, String)>,
}

impl Due {
    /// Leaves out what presses somebody to answer, calls among it, and says how much that was.
    pub(super) fn keep_back(&mut self) -> usize {
        let all = self.intents.len() + self.tasks.len();
        self.tasks.clear();
        self.intents.retain(|intent| !PRESSING.contains(&intent.notice.as_str()));
        all - self.intents.len()
    }
}

impl Look<'_, '_> {
    pub(super) fn due(&self) -> Result<Due> {
        let mut due = Due::default();
        let calendar = self.engine.calendar();
        for entry in calendar.iter().filter(|entry| entry.at <= self.now) {
            let entry = self.engine.newest(&calendar, entry);
            if entry.is_late(self.now) && entry.what != What::Task {
                // Held and shown; but a call is late better than never.
                let (calls, held): (Vec<_>, Vec<_>) =
                    self.intents(&entry)?.into_iter().partition(|intent| intent.is_a_call(&entry));
                self.add(&mut due, &entry, calls)?;
                if !held.is_empty() {
                    due.late.push(entry);
                }
                continue;
            }
            let intents = self.intents(&self.engine.awake(&entry))?;
            self.add(&mut due, &entry, intents)?;
        }
        self.pull_forward(&calendar, &mut due)?;
        Ok(due)
    }

    /// An escalation without anybody left to write to becomes a call.
    fn add(&self, due: &mut Due, entry: &Entry, intents: Vec<Intent>) -> Result<()> {
        if entry.what == What::Notice && due.intents.is_empty() {
            due.intents = intents;
            return Ok(());
        }
        for intent in intents {
            match entry.what {
                What::Task => {
                    let why = self.why_call(&intent, "no answer to mail")?;
                    due.tasks.push((intent, why));
                }
                What::Escalation if intent.instead.is_none() => {
                    let capped = intent.room == 0;
                    let otherwise =
                        if capped { "no answer to as many letters as the cap allows" } else { "nobody to escalate to" };
                    let why = self.why_call(&intent, otherwise)?;
                    due.tasks.push((intent, why));
                }
                What::Notice => due.intents.push(intent),
                What::Reminder | What::Escalation => {
                    let name = intent.acknowledgement.clone().unwrap_or_default();
                    // Two steps that lead to one address take two rounds: the second then sees the first.
                    let to = intent.instead.as_ref().map(|to| to.to_string().to_lowercase());
                    let new = |to| due.escalated.insert((intent.person.id.clone(), name.clone(), to));
                    if !to.is_none_or(new) {
                        continue;
                    }
                    let pressed = due.pressed.entry((intent.person.id.clone(), name)).or_default();
                    *pressed += 1;
                    if *pressed <= intent.room {
                        due.intents.push(intent);
                    }
                }
            }
        }
        Ok(())
    }

    /// In words; `otherwise` where nothing else is known of somebody than that they are silent.
    fn why_call(&self, intent: &Intent, otherwise: &str) -> Result<String> {
        let asked = intent.acknowledgement.as_ref().and_then(|name| self.engine.campaign.acknowledgements.get(name));
        let Some(asked) = asked else { return Ok(otherwise.to_owned()) };
        Ok(match self.silent(asked)?.get(&intent.person.id) {
            Some(silent) if silent.unreachable => "mail does not reach them".to_owned(),
            Some(silent) if silent.unsent => "our mail to them could not be sent".to_owned(),
            Some(Silent { away: Some(until), .. }) if *until > self.engine.today(&intent.person) => {
                format!("{otherwise}, and away until {until}")
            }
            _ => otherwise.to_owned(),
        })
    }

    /// Whoever mail does not reach, or who is away until the answer is due, is escalated at once: their first escalation
    /// to come is taken now, and the next one where a letter to somebody else about them did not arrive. Where the
    /// campaign has none, somebody has to call.
    fn pull_forward(&self, calendar: &[Entry], due: &mut Due) -> Result<()> {
        for asked in self.engine.campaign.acknowledgements.values() {
            for silent in self.silent(asked)?.values() {
                let lost = self.lost_escalation(asked, &silent.person)?;
                // Whoever is next in the chain by their own hour need not be brought forward.
                let pressed = due.pressed.contains_key(&(silent.person.id.clone(), asked.name.clone()));
                if lost.is_none() && !self.cannot_answer(asked, silent) || lost.is_some() && pressed {
                    continue;
                }
                let Some((entry, intent)) = self.next_step(calendar, asked, silent)? else {
                    self.call(asked, silent, lost, due)?;
                    continue;
                };
                let only = self.engine.awake(&self.for_one(&entry, silent, intent.as_ref()));
                if entry.at > self.now && !only.there.is_empty() {
                    self.add(due, &entry, intent.into_iter().collect())?;
                }
            }
        }
        Ok(())
    }

    /// An entry for whoever gets it about one person.
    fn for_one(&self, entry: &Entry, silent: &Silent, intent: Option<&Intent>) -> Entry {
        let place = match intent.and_then(|intent| intent.instead.as_ref()) {
            Some(to) => Whereabouts::at(&self.engine.roster, to.as_ref()),
            None => Whereabouts::of(&silent.person),
        };
        Entry { there: vec![place], ..entry.clone() }
    }

    /// The step that is taken at once about somebody who cannot answer, with what it comes to where they have not had it.
    /// Nothing where the chain has none, or nobody has to be brought forward.
    fn next_step(
        &self,
        calendar: &[Entry],
        asked: &Acknowledgement,
        silent: &Silent,
    ) -> Result<Option<(Entry, Option<Intent>)>> {
        let lost = self.lost_escalation(asked, &silent.person)?.is_some();
        if !lost && !self.cannot_answer(asked, silent) {
            return Ok(None);
        }
        let escalations = calendar.iter().filter(|entry| {
            matches!(entry.what, What::Escalation | What::Task)
                && entry.acknowledgement.as_deref() == Some(&asked.name)
                && entry.is_for(&self.engine.roster, &silent.person)
                && (!lost || entry.at > self.now)
        });
        // In the order of the chain, also where somebody's quiet hours put off their step until after the next one.
        let mut escalations: Vec<&Entry> = escalations.collect();
        escalations.sort_by_key(|entry| entry.hour);
        for entry in escalations {
            let intent = self.intent_if_new(asked, silent, entry)?;
            if intent.is_some() || !lost {
                return Ok(Some((entry.clone(), intent)));
            }
        }
        Ok(None)
    }

    /// Nobody is left to write to.
    fn call(&self, asked: &Acknowledgement, silent: &Silent, lost: Option<String>, due: &mut Due) -> Result<()> {
        if self.is_called(asked, &silent.person) {
            return Ok(());
        }
        let intent = self.intent_about(asked, silent, "", 0, None)?;
        let otherwise = lost.map_or("no answer to mail".to_owned(), |to| format!("a letter to {to} did not arrive"));
        let why = self.why_call(&intent, &otherwise)?;
        due.tasks.push((intent, why));
        Ok(())
    }

    /// What did not leave may be mended until the answer is due.
    fn cannot_answer(&self, asked: &Acknowledgement, silent: &Silent) -> bool {
        let change = &self.engine.campaign.change;
        let due = asked.due.map_or(change.at, |due| due.instant(change));
        let day = due.with_timezone(&change.zone).date_naive();
        silent.unreachable || silent.unsent && due <= self.now || silent.away.is_some_and(|until| until >= day)
    }

    /// The people a timed action still concerns.
    pub(super) fn intents(&self, entry: &Entry) -> Result<Vec<Intent>> {
        if entry.there.is_empty() {
            return Ok(Vec::new());
        }
        let is_there = |person: &Person| entry.is_for(&self.engine.roster, person);
        let asked = entry.acknowledgement.as_ref().and_then(|name| self.engine.campaign.acknowledgements.get(name));
        if entry.what == What::Notice {
            let notice = entry.notice.as_deref().unwrap_or_default();
            // A notice is told once in a revision, whatever copy; what was taken back before it left nobody has.
            let (have, copies) = (self.engine.ledger.have(notice)?, self.have(notice)?);
            let people = self.engine.people_of(&entry.audience);
            let is_owed = |id: &str| !self.owed.is_empty() && self.owed.contains(&(id.to_owned(), notice.to_owned()));
            let left = people.filter(|one| !have.contains(&one.id) && is_there(one) && !is_owed(&one.id));
            // Growing, it would be held twice for a moment.
            let mut intents = Vec::with_capacity(self.engine.roster.len());
            intents.extend(left.map(|person| {
                let next = copies.get(&person.id).and_then(|copies| copies.iter().max()).map(|copy| copy + 1);
                Intent { copy: next.unwrap_or(entry.copy), ..intent(entry, person) }
            }));
            return Ok(intents);
        }
        let Some(asked) = asked else { return Ok(Vec::new()) };
        let mut intents = Vec::new();
        for silent in self.silent(asked)?.values().filter(|silent| is_there(&silent.person)) {
            intents.extend(self.intent_if_new(asked, silent, entry)?);
        }
        Ok(intents)
    }

    /// How many people a notice, or the reminder or escalation of an entry, went to, as far as it holds.
    pub(super) fn went_to(&self, entry: &Entry, concerned: &dyn Fn(&str) -> bool) -> Result<usize> {
        let (roster, ledger) = (&self.engine.roster, &self.engine.ledger);
        let is_there = |id: &str| concerned(id) && roster.get(id).is_some_and(|one| entry.is_for(roster, one));
        let notice = entry.notice.as_deref().unwrap_or_default();
        Ok(match entry.what {
            What::Notice => ledger.have(notice)?.iter().filter(|id| is_there(id)).count(),
            _ => {
                let got = ledger.copies_that_stand(notice)?.into_iter();
                got.filter(|(id, copy)| *copy == entry.copy && is_there(id)).count()
            }
        })
    }

    /// Whether anybody got what an entry stands for, or is to be called because of it: as their phone task, or in place of a
    /// letter that had nobody to go to.
    pub(super) fn was_done(&self, calendar: &[Entry], entry: &Entry, concerned: &dyn Fn(&str) -> bool) -> Result<bool> {
        let roster = &self.engine.roster;
        let is_there = |id: &str| concerned(id) && roster.get(id).is_some_and(|one| entry.is_for(roster, one));
        let notice = match entry.what {
            What::Notice => return Ok(true),
            _ => entry.notice.as_deref().unwrap_or_default(),
        };
        let got = self.engine.ledger.copies_that_stand(notice)?;
        let got = got.iter().any(|(id, copy)| *copy == entry.copy && is_there(id));
        let asked = entry.acknowledgement.as_deref().unwrap_or_default();
        let instead = |since: DateTime<Utc>| {
            let next = |other: &&Entry| {
                matches!(other.what, What::Escalation | What::Task) && other.acknowledgement == entry.acknowledgement
            };
            let next = calendar.iter().filter(next).any(|other| other.hour > entry.hour && other.at <= since);
            entry.at <= since && !next
        };
        let called = self.calls.iter().any(|((id, about), since)| {
            about == asked && is_there(id) && (entry.what == What::Task || instead(*since))
        });
        Ok(got || called && entry.what != What::Reminder)
    }

    /// What an entry means for somebody silent: nothing where they had it, where it is out of place, or where it is a reminder
    /// and they had as many letters as anybody may have; an escalation is a call then. A call is noted once.
    fn intent_if_new(&self, asked: &Acknowledgement, silent: &Silent, entry: &Entry) -> Result<Option<Intent>> {
        let intent = self.intent_not_had(asked, silent, entry)?;
        Ok(intent.filter(|intent| self.when(asked, entry, silent, intent.is_a_call(entry)) == When::Now))
    }

    /// The same whether it may press them yet or not.
    fn intent_not_had(&self, asked: &Acknowledgement, silent: &Silent, entry: &Entry) -> Result<Option<Intent>> {
        let notice = entry.notice.as_deref().unwrap_or_default();
        let had = self.have(notice)?.get(&silent.person.id).is_some_and(|copies| copies.contains(&entry.copy))
            || entry.what == What::Escalation && self.stood_in(asked, &silent.person, entry)?;
        if had {
            return Ok(None);
        }
        let intent = self.intent_about(asked, silent, notice, entry.copy, entry.way)?;
        if intent.is_a_call(entry) {
            return Ok((!self.is_called(asked, &silent.person)).then_some(intent));
        }
        let until = Some(entry.until).filter(|_| !self.by_name && entry.at <= self.now);
        Ok((intent.room > 0).then_some(Intent { until, ..intent }))
    }

    /// A reminder, an escalation or a call about somebody who is silent, with the reason.
    fn intent_about(
        &self,
        asked: &Acknowledgement,
        silent: &Silent,
        notice: &str,
        copy: u32,
        way: Option<EscalationWay>,
    ) -> Result<Intent> {
        let person = &silent.person;
        let letters = silent.letters.as_ref();
        let room = asked.cap.saturating_sub(letters.map_or(0, |letters| letters.pressed as usize));
        // A call is no letter: who may get no more of them is called.
        let way_out = way.filter(|_| room > 0);
        let instead = way_out.map(|way| self.next_in_chain(asked, person, way, &[])).transpose()?.flatten();
        let reminder = letters.map_or(0, |letters| letters.reminders as usize) + 1;
        let name = person.name.clone();
        let reason = match (way, silent.away) {
            (None, _) => Reason::Silent { reminder, of: asked.remind.len().max(reminder) },
            _ if silent.unreachable && person.email.is_none() => Reason::NoAddress { name },
            _ if silent.unreachable => Reason::Unreachable { name },
            _ if silent.unsent => Reason::Unsent { name },
            (_, Some(until)) if self.cannot_answer(asked, silent) => Reason::Away { name, until },
            _ => Reason::NoAnswer { name, letters: letters.map_or(1, |letters| letters.told as usize) },
        };
        Ok(Intent {
            acknowledgement: Some(asked.name.clone()),
            copy,
            count: if way.is_none() { reminder as u32 } else { 0 },
            room,
            reason: reason.words(self.language_of(person, instead.as_ref())),
            instead,
            ..Intent::new(notice, person.clone(), self.now)
        })
    }

    /// What whoever gets a letter about a person speaks.
    fn language_of<'p>(&'p self, person: &'p Person, instead: Option<&lettre::Address>) -> Option<&'p str> {
        let reader = instead.and_then(|to| self.engine.roster.at(to.as_ref())).unwrap_or(person);
        reader.language.as_deref()
    }

    /// Who has which copies of a notice in this revision.
    fn have(&self, notice: &str) -> Result<Rc<Copies>> {
        if let Some(have) = self.have.borrow().get(notice) {
            return Ok(have.clone());
        }
        let mut have = Copies::new();
        for (person, copy) in self.engine.ledger.copies(notice)? {
            have.entry(person).or_default().insert(copy);
        }
        Ok(self.have.borrow_mut().entry(notice.to_owned()).or_insert(Rc::new(have)).clone())
    }

    /// Those who were told and have not settled an acknowledgement.
    fn silent(&self, asked: &Acknowledgement) -> Result<Rc<IndexMap<String, Silent>>> {
        if let Some(silent) = self.silent.borrow().get(&asked.name) {
            return Ok(silent.clone());
        }
        let mut letters: HashMap<String, Letters> = HashMap::new();
        for one in self.engine.ledger.letters(&asked.name)? {
            letters.insert(one.person.clone(), one);
        }
        let mut silent = IndexMap::new();
        for standing in self.engine.standings(asked)? {
            let unreachable = standing.trouble == Some(Kind::HardBounce);
            let unsent = standing.trouble == Some(Kind::Unsent);
            let told = standing.grade > Grade::None || unreachable || unsent;
            if !told || Engine::is_settled(asked, &standing) {
                continue;
            }
            let Some(person) = self.engine.roster.shared(&standing.person) else { continue };
            let letters = letters.remove(&standing.person);
            let (away, absent) = (standing.away_until, standing.absent);
            silent.insert(standing.person.clone(), Silent { person, unreachable, unsent, away, absent, letters });
        }
        Ok(self.silent.borrow_mut().entry(asked.name.clone()).or_insert(Rc::new(silent)).clone())
    }
}

impl Intent {
    /// What this entry comes to for the person is a call, not a letter.
    pub(super) fn is_a_call(&self, entry: &Entry) -> bool {
        entry.what == What::Task || entry.what == What::Escalation && self.instead.is_none()
    }
}

fn intent(entry: &Entry, person: Arc<Person>) -> Intent {
    Intent {
        acknowledgement: entry.acknowledgement.clone(),
        copy: entry.copy,
        ..Intent::new(entry.notice.clone().unwrap_or_default(), person, entry.at)
    }
}

#[cfg(test)]
mod tests;
