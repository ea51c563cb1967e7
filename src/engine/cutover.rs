//! The cutover: steps in their order until one is blocked, done, or needs a person. What was done is read from the
//! journal and from the files, never from memory.

use super::Engine;
use crate::answer::Kind;
use crate::campaign::{Action, Step};
use crate::fault::{Exit, Fault, Finding, Result};
use crate::gate::{self, Verdict};
use crate::msmail::{self, drain};
use crate::outbox::{Progress, State};
use crate::runbook::{
    self,
    journal::{Entry, Event, Journal},
    run::Paths,
    step::StepState,
};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::json;
use std::sync::atomic::AtomicBool;

/// Why the cutover stopped where it did.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "stop", rename_all = "snake_case")]
pub enum Stop {
    /// Every step is done.
    Done,
    /// The last step asked for is done.
    Reached {
        step: String,
    },
    Blocked {
        step: String,
        gates: Vec<Verdict>,
    },
    Waiting {
        step: String,
        until: DateTime<Utc>,
    },
    /// Something outside has to happen first.
    Pending {
        step: String,
        why: String,
    },
    NeedsPerson {
        step: String,
        statement: String,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cutover {
    /// The steps done in this run.
    pub ran: Vec<String>,
    #[serde(flatten)]
    pub stop: Stop,
}

/// One step as a report sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StepView {
    pub name: String,
    pub title: String,
    pub article: Option<String>,
    /// `pending`, `blocked`, `running`, `done`, `failed` or `undone`.
    pub state: &'static str,
    pub needs: Vec<String>,
    pub why: String,
    pub at: Option<DateTime<Utc>>,
}

impl Engine<'_> {
    /// Runs steps until one stops it, or until the step named is done. `told` hears of every step that is done.
    pub fn cutover(&mut self, until: Option<&str>, told: &mut dyn FnMut(&Step)) -> Result<Cutover> {
        self.require_roster()?;
        self.require_unchanged()?;
        if let Some(name) = until {
            self.step_named(name)?;
        }
        let mut ran = Vec::new();
        for step in self.campaign.steps.clone() {
            let state = runbook::journal::state_of(&self.ledger.entries()?, &step.name);
            if state != StepState::Done {
                if state == StepState::Started {
                    self.resume_step(&step)?;
                }
                if let Some(stop) = self.advance(&step)? {
                    return Ok(Cutover { ran, stop });
                }
                told(&step);
                ran.push(step.name.clone());
            }
            if until == Some(step.name.as_str()) {
                return Ok(Cutover { ran, stop: Stop::Reached { step: step.name } });
            }
        }
        Ok(Cutover { ran, stop: Stop::Done })
    }

    /// Takes one step as far as it goes; `None` when it is done.
    fn advance(&mut self, step: &Step) -> Result<Option<Stop>> {
        let entries = self.ledger.entries()?;
        if runbook::journal::state_of(&entries, &step.name) == StepState::Done {
            return Ok(None);
        }
        if let Some(until) = step.wait.map(|moment| moment.instant(&self.campaign.change))
            && self.now() < until
        {
            return Ok(Some(Stop::Waiting { step: step.name.clone(), until }));
        }
        if let Some(statement) = &step.attest
            && !is_attested(&entries, &step.name)
        {
            // What a person has to see to first is refused before they are asked to vouch for it.
            let faults = step.before.iter().flat_map(|name| self.check_by_name(name)).collect();
            Fault::check(faults)?;
            let statement = self.fill(statement)?;
            return Ok(Some(Stop::NeedsPerson { step: step.name.clone(), statement }));
        }
        // An observation comes first where the gates are built on what it sees.
        let mut facts = json!({});
        if let Some(Action::Observe(what)) = &step.action {
            facts = self.look(what)?;
        }
        let passed = match gate::pass(&step.name, &step.needs, &self.verdicts()?) {
            Ok(passed) => passed,
            Err(shut) => {
                let gates = self.verdicts()?.into_iter().filter(|verdict| shut.contains(&verdict.name)).collect();
                return Ok(Some(Stop::Blocked { step: step.name.clone(), gates }));
            }
        };
        if let Some(why) = self.do_beforehand(step)? {
            return Ok(Some(Stop::Pending { step: step.name.clone(), why }));
        }
        let paths = self.paths();
        let clock = self.world;
        let (postoffice, campaign) = (self.campaign.msmail.clone(), self.campaign.file.clone());
        let checks = |name: &str| check(postoffice.as_ref(), &campaign, name);
        runbook::run::perform(step, passed, &paths, &mut self.ledger, &checks, facts, &|| clock.now())?;
        Ok(None)
    }

    /// A step found begun after a crash: the files tell whether its effect is there.
    fn resume_step(&mut self, step: &Step) -> Result<()> {
        let clock = self.world;
        let (postoffice, campaign) = (self.campaign.msmail.clone(), self.campaign.file.clone());
        let checks = |name: &str| check(postoffice.as_ref(), &campaign, name);
        runbook::run::resume(step, &mut self.ledger, &checks, &|| clock.now())
    }

    /// Actions that are the work of other stages: notices sent, packages built. `Some(why)` while something is open.
    fn do_beforehand(&mut self, step: &Step) -> Result<Option<String>> {
        match &step.action {
            Some(Action::Package(name)) => {
                self.build(Some(name))?;
                Ok(None)
            }
            Some(Action::Notice(names)) => self.tell_all(names),
            _ => Ok(None),
        }
    }

    /// Sends notices whose hour has come, and says what is still on its way.
    fn tell_all(&mut self, names: &[String]) -> Result<Option<String>> {
        let now = self.now();
        let stop = AtomicBool::new(false);
        for name in names {
            let at = self.campaign.notices[name].at.map(|moment| moment.instant(&self.campaign.change));
            if let Some(at) = at
                && (at > now || now - at > super::calendar::WINDOW)
                && !self.untold(name)?.is_empty()
            {
                let hour = at.with_timezone(&self.campaign.change.zone).format("%a %F %H:%M %Z");
                return Ok(Some(if at > now {
                    format!("notice '{name}' goes out {hour}; `flagday send {name}` sends it now")
                } else {
                    format!("notice '{name}' was due {hour} and is held; `flagday send {name}` sends it late")
                }));
            }
            self.send(Some(name), &super::To::Everyone, None, false, &stop, &mut |_: Progress<'_>| {})?;
            let open = self.untold(name)?;
            if !open.is_empty() {
                return Ok(Some(format!("notice '{name}' is still on its way to {} people", open.len())));
            }
        }
        Ok(None)
    }

    /// People of a notice's audience whose message is not settled yet, or not even planned.
    fn untold(&self, notice: &str) -> Result<Vec<String>> {
        let revision = self.revision_number()?;
        let settled: std::collections::HashSet<String> = self
            .ledger
            .messages()?
            .into_iter()
            .filter(|message| message.notice == notice && message.revision == revision)
            .filter(|message| {
                !matches!(message.state, State::Planned | State::Sending | State::Transmitting | State::Uncertain)
            })
            .map(|message| message.person)
            .collect();
        let audience = &self.campaign.audiences[&self.campaign.notices[notice].audience];
        Ok(self.roster.audience(audience).map(|one| one.id.clone()).filter(|id| !settled.contains(id)).collect())
    }

    /// Looks at the world and records what it sees; returns the facts for the journal.
    fn look(&mut self, what: &str) -> Result<serde_json::Value> {
        let Some(facts) = self.campaign.msmail.clone() else {
            let cause = format!("'{what}' observes a postoffice, and this campaign has none");
            return Err(Fault::new("no-postoffice", cause, "state [msmail] in flagday.toml"));
        };
        let server_now = self.world.server_now(&facts.postoffice)?;
        match what {
            "server-clock" => Ok(json!({ "server_time": server_now })),
            "drain" => {
                let since = self.server_time_told()?;
                let acknowledgement = self.observed_by_drain()?;
                let audience = &self.campaign.audiences[&self.campaign.acknowledgements[&acknowledgement].audience];
                let people: Vec<_> = self.roster.audience(audience).cloned().collect();
                let postoffice = msmail::Postoffice::open_folders(&facts.postoffice, drain::FOLDERS)?;
                let seen = drain::observe(&postoffice, &people.iter().collect::<Vec<_>>(), since, server_now);
                let mut drained = 0;
                for observation in seen {
                    let kind = match observation.verdict {
                        drain::Verdict::Drained => {
                            drained += 1;
                            Kind::Drained
                        }
                        drain::Verdict::NotYet | drain::Verdict::Unseen => Kind::NotDrained,
                    };
                    let detail = format!("{}; {}", observation.why, observation.remedy);
                    let detail = if kind == Kind::Drained { &observation.why } else { &detail };
                    self.observe(&acknowledgement, &observation.person, kind, detail)?;
                }
                Ok(json!({ "server_time": server_now, "drained": drained, "of": people.len() }))
            }
            other => Err(Fault::new(
                "unknown-observation",
                format!("there is no observation '{other}'"),
                "observe = \"server-clock\" or \"drain\"",
            )),
        }
    }

    /// The server's own time when the users were told to log off: the last time it was read for the journal.
    fn server_time_told(&self) -> Result<DateTime<Utc>> {
        let entries = self.ledger.entries()?;
        let told = entries.iter().rev().find_map(|entry| match &entry.event {
            Event::Done { facts } if facts.get("drained").is_none() => {
                serde_json::from_value(facts.get("server_time")?.clone()).ok()
            }
            _ => None,
        });
        told.ok_or_else(|| {
            Fault::new("no-broadcast", "no step has read the server's clock yet", "run the step `broadcast` first")
        })
    }

    /// The acknowledgement that watching the postoffice answers: observed, and asked by no notice, of local people.
    fn observed_by_drain(&self) -> Result<String> {
        let drain = |step: &&Step| step.action == Some(Action::Observe("drain".into()));
        let gate = self.campaign.steps.iter().find(drain).and_then(|step| step.needs.first());
        gate.and_then(|gate| self.campaign.gates.get(gate)).map(|gate| gate.acknowledgement.clone()).ok_or_else(|| {
            let cause = "the step that observes the drain needs no gate";
            Fault::new("drain-without-gate", cause, "give that step `needs = [\"locals-drained\"]`")
        })
    }

    /// Records a person's statement: for a whole step, or for one person whom the program cannot see.
    pub fn attest(&mut self, step: &str, person: Option<&str>, by: &str, note: &str) -> Result<String> {
        if by.trim().is_empty() || note.trim().is_empty() {
            return Err(Fault::new("attestation-empty", "a statement needs a name and words", "give --by and --note"));
        }
        let step = self.step_named(step)?.clone();
        let now = self.now();
        if let Some(word) = person {
            let id = self.roster.find(word)?.id.clone();
            let gate = step.needs.first().and_then(|gate| self.campaign.gates.get(gate)).cloned();
            let Some(gate) = gate else {
                let cause = format!("step '{}' waits for nobody in particular", step.name);
                return Err(Fault::new("not-personal", cause, "leave --person out"));
            };
            let fact = crate::answer::Evidence {
                id: 0,
                at: now,
                person: id.clone(),
                acknowledgement: gate.acknowledgement,
                revision: self.revision_number()?,
                kind: Kind::Attested,
                by: Some(by.to_owned()),
                detail: note.to_owned(),
                revoked: false,
            };
            self.ledger.add_evidence(&fact)?;
            return Ok(format!("{by} vouches for {id}; it stays visible as an attestation"));
        }
        if step.attest.is_none() {
            let cause = format!("step '{}' asks for no statement", step.name);
            return Err(Fault::new("no-attestation", cause, "see `flagday cutover --dry-run`"));
        }
        self.ledger.append(&step.name, Event::Attested { by: by.to_owned(), note: note.to_owned() }, now)?;
        Ok(format!("stated by {by}: {}", step.title))
    }

    /// Undoes done steps in reverse, back to and including the step named, or all of them.
    pub fn rollback(&mut self, to: Option<&str>) -> Result<Vec<String>> {
        if let Some(name) = to {
            self.step_named(name)?;
        }
        let clock = self.world;
        let steps = self.campaign.steps.clone();
        runbook::rollback::rollback(&steps, to, &mut self.ledger, &|| clock.now())
    }

    /// What has to be said before undoing: mail written under the new serial number is stranded by going back.
    pub fn rollback_warning(&self, to: Option<&str>) -> Result<Option<String>> {
        let entries = self.ledger.entries()?;
        let steps = &self.campaign.steps;
        let first = to.and_then(|name| steps.iter().position(|step| step.name == name)).unwrap_or(0);
        let installs = |step: &&Step| step.after.iter().any(|check| check == "master-new") && step.action.is_some();
        let undone = steps[first..].iter().find(installs);
        let installed = undone.is_some_and(|step| runbook::journal::state_of(&entries, &step.name) == StepState::Done);
        Ok(installed.then(|| {
            "The new MASTER.GLB is in place: mail that was written since then cannot be read under the old serial \
             number. Stop all transports first, and restart them afterwards"
                .to_owned()
        }))
    }

    /// Every step with its state, and why it does not run.
    pub fn steps(&self) -> Result<Vec<StepView>> {
        let entries = self.ledger.entries()?;
        let verdicts = self.verdicts()?;
        let mut before_done = true;
        let mut views = Vec::new();
        for step in &self.campaign.steps {
            let last = entries.iter().rev().find(|entry| entry.step == step.name);
            let state = runbook::journal::state_of(&entries, &step.name);
            let shut: Vec<&Verdict> =
                verdicts.iter().filter(|verdict| step.needs.contains(&verdict.name) && !verdict.open).collect();
            let wait = step.wait.map(|moment| moment.instant(&self.campaign.change)).filter(|at| *at > self.now());
            let (word, why) = match state {
                StepState::Done => ("done", String::new()),
                StepState::Started | StepState::Undoing => ("running", "begun and not finished: run it again".into()),
                StepState::Failed => ("failed", failure(&entries, &step.name)),
                StepState::Pending | StepState::Undone if !before_done => {
                    (idle(state), "a step before it is open".into())
                }
                StepState::Pending | StepState::Undone => match (shut.first(), wait) {
                    (Some(verdict), _) => {
                        ("blocked", format!("gate {}: {} of {}", verdict.name, verdict.satisfied, verdict.of))
                    }
                    (None, Some(at)) => {
                        let at = at.with_timezone(&self.campaign.change.zone);
                        ("blocked", format!("not before {}", at.format("%a %F %H:%M %Z")))
                    }
                    (None, None) if step.attest.is_some() && !is_attested(&entries, &step.name) => {
                        ("blocked", "a person's statement is awaited".into())
                    }
                    (None, None) => (idle(state), "next".into()),
                },
            };
            before_done &= state == StepState::Done;
            views.push(StepView {
                name: step.name.clone(),
                title: step.title.clone(),
                article: step.article.clone(),
                state: word,
                needs: step.needs.clone(),
                why,
                at: last.map(|entry| entry.at),
            });
        }
        Ok(views)
    }

    /// What each step would do, in words; nothing is touched.
    pub fn dry_run(&self) -> Vec<(String, Vec<String>)> {
        let paths = self.paths();
        let steps = &self.campaign.steps;
        steps.iter().map(|step| (step.name.clone(), runbook::dry_run::describe(step, &paths))).collect()
    }

    fn paths(&self) -> Paths {
        let mut paths = Paths::new(&self.campaign.root, &self.campaign.state());
        if let Some(msmail) = &self.campaign.msmail {
            paths.add("postoffice", &msmail.postoffice);
            paths.add("staged", &msmail.staged);
        }
        paths
    }

    fn check_by_name(&self, name: &str) -> Vec<Finding> {
        check(self.campaign.msmail.as_ref(), &self.campaign.file, name).unwrap_or_else(|fault| fault.findings)
    }

    /// A statement's placeholders: `{new_serial}`, `{broadcast}` and the like.
    fn fill(&self, statement: &str) -> Result<String> {
        let mut text = statement.to_owned();
        if let Some(msmail) = &self.campaign.msmail {
            for (name, value) in [
                ("{new_serial}", msmail.new_serial.as_str()),
                ("{old_serial}", &msmail.old_serial),
                ("{network}", &msmail.network),
                ("{name}", &msmail.name),
            ] {
                text = text.replace(name, value);
            }
        }
        if text.contains("{broadcast}") {
            text = text.replace("{broadcast}", &self.broadcast_text()?);
        }
        Ok(text)
    }

    fn step_named(&self, name: &str) -> Result<&Step> {
        self.campaign.step(name).ok_or_else(|| {
            let known: Vec<_> = self.campaign.steps.iter().map(|step| step.name.as_str()).collect();
            let cause = format!("there is no step '{name}'");
            Fault::ending(Exit::Usage, "unknown-step", cause, format!("one of {}", known.join(", ")))
        })
    }
}

/// A check of the postoffice, by the name a step calls it.
fn check(facts: Option<&crate::campaign::MsMail>, file: &std::path::Path, name: &str) -> Result<Vec<Finding>> {
    let found = facts.and_then(|facts| msmail::check_by_name(name, &facts.postoffice, &facts.staged, facts));
    found.ok_or_else(|| {
        let remedy = format!("one of {}; they need [msmail]", msmail::CHECKS.join(", "));
        Finding::error("unknown-check", format!("there is no check '{name}'"), remedy).in_file(file).into()
    })
}

/// Stated since the step was last undone or begun anew.
fn is_attested(entries: &[Entry], step: &str) -> bool {
    entries
        .iter()
        .rev()
        .filter(|entry| entry.step == step)
        .take_while(|entry| !matches!(entry.event, Event::Undone { .. }))
        .any(|entry| matches!(entry.event, Event::Attested { .. }))
}

fn failure(entries: &[Entry], step: &str) -> String {
    let cause = entries.iter().rev().filter(|entry| entry.step == step).find_map(|entry| match &entry.event {
        Event::Failed { cause } => Some(cause.clone()),
        _ => None,
    });
    cause.unwrap_or_else(|| "it failed".into())
}

fn idle(state: StepState) -> &'static str {
    if state == StepState::Undone { "undone" } else { "pending" }
}
