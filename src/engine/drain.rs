//! Watching whether the local users have fetched their mail: what the files of the postoffice show becomes evidence.

use super::Engine;
use super::elsewhere::server_clock_read;
use super::nobodys::MAIL_OF_NOBODY;
use crate::answer::Kind;
use crate::campaign::{Action, Gate, Grade, MsMail, Step};
use crate::fault::{Fault, Finding, Result, Severity};
use crate::gate::Verdict;
use crate::msmail::{self, Postoffice, drain};
use crate::roster::Person;
use crate::runbook::{Entry, Event, Journal, StepState, state_of};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The moment from which fetched mail counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broadcast {
    /// Of the journal.
    pub entry: i64,
    /// By this machine's clock.
    pub at: DateTime<Utc>,
    /// By the file server's.
    pub server: DateTime<Utc>,
}

/// One look at the postoffice while it drains.
#[derive(Debug, Clone, Serialize)]
pub struct DrainLook {
    pub schema: u32,
    pub at: DateTime<Utc>,
    /// When the broadcast was sent, and the instant of this look, both by the file server's clock.
    pub broadcast: DateTime<Utc>,
    pub server_now: DateTime<Utc>,
    /// Until then nobody is late: clients may not have looked for mail yet.
    pub patience: DateTime<Utc>,
    /// The same moment by this machine's clock, as `at` is: the step is not done before, whoever is.
    pub not_before: DateTime<Utc>,
    pub gate: Verdict,
    pub people: Vec<DrainRow>,
    /// The rosters against the postoffice.
    pub findings: Vec<Finding>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrainRow {
    pub person: String,
    /// `drained`, `vouched`, `waived`, `not-yet` or `unseen`.
    pub state: &'static str,
    /// Headers in the mailbag; absent where there is none that can be judged.
    pub mailbag: Option<u64>,
    pub marked_deleted: Option<u64>,
    /// When the message store was written, by the file server's clock.
    pub store: Option<DateTime<Utc>>,
    pub store_bytes: Option<u64>,
    pub why: String,
    pub remedy: String,
}

impl DrainLook {
    /// Everybody is done, nobody's client can still be on its way to look, and no mail lies where nobody is waited for.
    pub fn is_over(&self) -> bool {
        let held = self.findings.iter().any(|finding| finding.code == MAIL_OF_NOBODY && finding.is_error());
        self.gate.open && self.at >= self.not_before && !held
    }
}

impl Engine<'_> {
    /// Looks once, records what is seen, and tells where everybody stands.
    pub fn drain(&mut self) -> Result<DrainLook> {
        self.require_roster()?;
        let step = self.drain_step()?.clone();
        self.require_before(&step)?;
        self.require_old_master()?;
        let (watch, seen) = self.observe_drain()?;
        self.record_drain(&seen)?;
        self.remember_unwatched()?;
        let gate = self.drain_gate()?;
        let acknowledgement = &self.campaign.acknowledgements[&gate.acknowledgement];
        let verdicts = self.verdicts()?;
        let standings = self.standings(acknowledgement)?;
        let rows = seen.into_iter().zip(&standings).map(|(one, standing)| DrainRow {
            state: match one.verdict {
                _ if standing.waiver.is_some() => "waived",
                drain::Verdict::Drained => "drained",
                _ if standing.attested => "vouched",
                drain::Verdict::NotYet => "not-yet",
                drain::Verdict::Unseen => "unseen",
            },
            person: one.person,
            mailbag: one.headers_left,
            marked_deleted: one.marked_deleted,
            store: one.mmf.and_then(|store| store.modified),
            store_bytes: one.mmf.map(|store| store.size),
            why: one.why,
            remedy: one.remedy,
        });
        Ok(DrainLook {
            schema: 1,
            at: self.now(),
            broadcast: watch.since,
            server_now: watch.now,
            patience: watch.patience(),
            not_before: self.polled(&step)?.unwrap_or_default(),
            people: rows.collect(),
            gate: verdicts.into_iter().find(|verdict| verdict.name == gate.name).ok_or_else(no_gate)?,
            findings: [self.mail_of_nobody(Severity::Error)?.into_iter().collect(), self.reconcile()?].concat(),
        })
    }

    /// Looks at everybody's mailbag and message store and records what they show.
    pub(super) fn look_at_drain(&mut self) -> Result<Vec<String>> {
        let (watch, seen) = self.observe_drain()?;
        let drained = seen.iter().filter(|one| one.verdict == drain::Verdict::Drained).count();
        let fact = format!(
            "{drained} of {} have fetched their mail, seen {} minutes after the broadcast",
            seen.len(),
            (watch.now - watch.since).num_minutes()
        );
        self.record_drain(&seen)?;
        Ok(vec![fact])
    }

    pub(super) fn observe_drain(&self) -> Result<(drain::Watch, Vec<drain::Observation>)> {
        let broadcast = self.require_broadcast()?;
        let postoffice = Postoffice::open_folders(&self.msmail()?.postoffice, drain::FOLDERS)?;
        let server_now = self.server_now()?;
        let watch = drain::Watch {
            since: broadcast.server,
            now: server_now,
            leap: (server_now - broadcast.server) - (self.now() - broadcast.at),
            before: self.stores_at_broadcast()?,
            polling: self.msmail()?.polling,
            zone: self.campaign.change.zone,
        };
        let acknowledgement = &self.drain_gate()?.acknowledgement;
        let audience = &self.campaign.audiences[&self.campaign.acknowledgements[acknowledgement].audience];
        let people: Vec<&Person> = self.roster.audience(audience).collect();
        let seen = drain::observe(&postoffice, &people, &watch);
        Ok((watch, seen))
    }

    fn record_drain(&mut self, seen: &[drain::Observation]) -> Result<()> {
        let acknowledgement = self.drain_gate()?.acknowledgement.clone();
        for one in seen {
            let (kind, detail) = match one.verdict {
                drain::Verdict::Drained => (Kind::Drained, one.why.clone()),
                // The second line is what to do.
                drain::Verdict::NotYet | drain::Verdict::Unseen => {
                    (Kind::NotDrained, format!("{}\n{}", one.why, one.remedy))
                }
            };
            self.observe(&acknowledgement, &one.person, kind, &detail)?;
        }
        self.review_vouching(&acknowledgement)
    }

    /// Mailboxes that nobody listed, people without a mailbag, counts against the ACCESS files.
    pub(super) fn reconcile(&self) -> Result<Vec<Finding>> {
        let people: Vec<&Person> = self.roster.people().collect();
        let postoffice = Postoffice::open_folders(&self.msmail()?.postoffice, WHERE)?;
        let mut findings = msmail::roster(&postoffice, &people);
        // Message stores are told with each person.
        findings.retain(|finding| !["mmf-missing", "mmf-orphan"].contains(&finding.code));
        findings.extend(postoffice.findings().to_vec());
        findings.extend(self.mail_waiting()?);
        Ok(findings)
    }

    /// Those of whom any acknowledgement waits for something.
    pub(super) fn waited_for(&self) -> BTreeSet<&str> {
        let audiences = self.campaign.acknowledgements.values().map(|one| &self.campaign.audiences[&one.audience]);
        audiences.flat_map(|audience| self.roster.audience(audience)).map(|person| person.id.as_str()).collect()
    }

    /// Those whose mailbags the drain watches.
    pub(super) fn watched(&self) -> BTreeSet<&str> {
        let Ok(gate) = self.drain_gate() else { return BTreeSet::new() };
        let audience = &self.campaign.audiences[&self.campaign.acknowledgements[&gate.acknowledgement].audience];
        self.roster.audience(audience).map(|person| person.id.as_str()).collect()
    }

    /// When the broadcast was sent: the instant at which a person stated it, and the server's clock at that instant.
    /// Without a statement, when the clock was read. `None` before, and after it was taken back.
    pub(super) fn broadcast(&self) -> Result<Option<Broadcast>> {
        let Some(step) = self.campaign.steps.iter().find(|step| reads_clock(step)) else { return Ok(None) };
        let entries = self.ledger.entries()?;
        if state_of(&entries, &step.name)? != StepState::Done {
            return Ok(None);
        }
        let own = || entries.iter().rev().filter(|entry| entry.step == step.name);
        Ok(own().find_map(stated).or_else(|| own().find_map(done)))
    }

    pub(super) fn require_broadcast(&self) -> Result<Broadcast> {
        self.broadcast()?.ok_or_else(|| {
            let cause = "nobody has stated yet that the broadcast was sent";
            Fault::new("no-broadcast", cause, "run `flagday cutover` first; it shows the text")
        })
    }

    /// When every client that is signed in has looked for mail since the broadcast: the step that watches the drain is not
    /// done before, even if everybody is. It counts from the statement on record, so a stop in between costs nothing.
    pub(super) fn polled(&self, step: &Step) -> Result<Option<DateTime<Utc>>> {
        let (Some(facts), true) = (&self.campaign.msmail, watches_drain(step)) else { return Ok(None) };
        Ok(self.broadcast()?.map(|broadcast| broadcast.at + facts.polling))
    }

    /// What belongs to the statement that the broadcast was sent: the server's clock at this instant, and the message
    /// stores as they lie there now, kept in the chain.
    pub(super) fn seen_at_broadcast(&mut self, step: &Step) -> Result<Vec<String>> {
        if !reads_clock(step) {
            return Ok(Vec::new());
        }
        let postoffice = Postoffice::open_folders(&self.msmail()?.postoffice, &["MMF"])?;
        // A store that is not on this list counts as rewritten whenever its time is later.
        Fault::check(postoffice.findings().to_vec())?;
        if postoffice.folder("MMF").is_none() {
            let cause =
                "the postoffice has no folder MMF: which message stores lay there at the broadcast cannot be seen";
            return Err(Fault::new("stores-unseen", cause, "see what `flagday check` says of the postoffice"));
        }
        let fact = super::elsewhere::server_clock_fact(self.server_now()?);
        let stores = drain::stores(&postoffice);
        let now = self.now();
        self.ledger.note(now, STORES, &serde_json::json!({ "stores": stores }))?;
        Ok(vec![fact])
    }

    fn stores_at_broadcast(&self) -> Result<BTreeMap<String, drain::Store>> {
        let Some(event) = self.ledger.latest_event(STORES)? else { return Ok(BTreeMap::new()) };
        Ok(serde_json::from_value(event.body["stores"].clone())?)
    }

    pub(super) fn drain_step(&self) -> Result<&Step> {
        self.campaign.steps.iter().find(|step| watches_drain(step)).ok_or_else(|| {
            Fault::new("no-drain", "no step of this campaign watches mailbags", "see `flagday plan` for its steps")
        })
    }

    /// The gate that watching the postoffice opens.
    pub(super) fn drain_gate(&self) -> Result<&Gate> {
        let step = self.drain_step()?;
        let observed = |gate: &&Gate| self.campaign.acknowledgements[&gate.acknowledgement].grade == Grade::Observed;
        let mut gates = step.needs.iter().filter_map(|name| self.campaign.gates.get(name)).filter(observed);
        gates.next().ok_or_else(no_gate)
    }

    /// After the change a mailbag tells nothing about the drain any more.
    fn require_old_master(&self) -> Result<()> {
        let Some(install) = self.install_step() else { return Ok(()) };
        match state_of(&self.ledger.entries()?, &install.name)? {
            StepState::Pending | StepState::Undone => Ok(()),
            _ => {
                let cause =
                    "the new serial number is installed: what is still in the mailbags cannot be fetched any more";
                Err(Fault::new("drain-over", cause, "`flagday status` says what is next"))
            }
        }
    }

    pub(super) fn msmail(&self) -> Result<&MsMail> {
        self.campaign.msmail.as_ref().ok_or_else(|| {
            let cause = "the step observes a postoffice, and this campaign has none";
            Fault::new("no-postoffice", cause, "state [msmail] in flagday.toml")
        })
    }
}

/// The step of which the clock of the file server is read.
pub(super) fn reads_clock(step: &Step) -> bool {
    step.action == Some(Action::Observe("server-clock".to_owned()))
}

/// The step that is done when everybody has fetched their mail.
pub(super) fn watches_drain(step: &Step) -> bool {
    step.action == Some(Action::Observe("drain".to_owned()))
}

/// The folders that tell whose mailbag is whose.
pub(super) const WHERE: &[&str] = &["MBG", "MMF", "GLB", "XTN"];

/// The event that keeps the message stores as they were at the broadcast.
const STORES: &str = "message-stores";

fn stated(entry: &Entry) -> Option<Broadcast> {
    let Event::Attested { facts, .. } = &entry.event else { return None };
    read_at(entry, facts)
}

fn done(entry: &Entry) -> Option<Broadcast> {
    let Event::Done { facts } = &entry.event else { return None };
    read_at(entry, facts)
}

fn read_at(entry: &Entry, facts: &[String]) -> Option<Broadcast> {
    Some(Broadcast { entry: entry.seq, at: entry.at, server: facts.iter().find_map(|fact| server_clock_read(fact))? })
}

fn no_gate() -> Fault {
    let cause = "the step that observes the drain needs no gate over what is observed";
    Fault::new("drain-without-gate", cause, "give that step `needs = [\"locals-drained\"]`")
}
