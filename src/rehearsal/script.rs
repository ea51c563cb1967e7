//! `rehearsal.toml`: how the simulated people behave, and what the simulated administrator does about it. Without the
//! file everybody answers at once.

use crate::campaign::schedule::Moment;
use crate::engine::Engine;
use crate::fault::{Fault, Finding, Place, Result};
use chrono::{DateTime, Duration, Utc};
use fs_err as fs;
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Script {
    pub seed: u64,
    pub operator: String,
    pub clock: Clock,
    pub times: Times,
    pub answers: Answers,
    pub person: BTreeMap<String, Manner>,
    pub drain: Evening,
    pub read_back: ReadBack,
    pub administrator: Vec<Deed>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Clock {
    #[serde(deserialize_with = "moment")]
    start: Option<Moment>,
    #[serde(deserialize_with = "moment")]
    end: Option<Moment>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Times {
    #[serde(deserialize_with = "moment")]
    pub postoffice: Option<Moment>,
    #[serde(deserialize_with = "moment")]
    pub staged: Option<Moment>,
    #[serde(deserialize_with = "moment")]
    pub disks: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Behaviour {
    #[default]
    AtOnce,
    AfterReminder,
    Never,
    Bounce,
    AutoReply,
    DeclineThenAnswer,
    LoseDisk,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Answers {
    default: Behaviour,
    #[serde(deserialize_with = "length")]
    delay: Duration,
    #[serde(deserialize_with = "length")]
    spread: Duration,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Manner {
    behaviour: Option<Behaviour>,
    reminders: Option<usize>,
    #[serde(deserialize_with = "some_length")]
    delay: Option<Duration>,
    #[serde(deserialize_with = "some_length")]
    then: Option<Duration>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AtEvening {
    #[default]
    LogsOn,
    Away,
    Shadowing,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Evening {
    #[serde(deserialize_with = "length")]
    delay: Duration,
    #[serde(deserialize_with = "length")]
    spread: Duration,
    person: BTreeMap<String, EveningManner>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct EveningManner {
    behaviour: AtEvening,
    #[serde(deserialize_with = "some_length")]
    delay: Option<Duration>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ReadBack {
    #[serde(deserialize_with = "length")]
    delay: Duration,
    #[serde(deserialize_with = "length")]
    spread: Duration,
    person: BTreeMap<String, ReadBackManner>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReadBackManner {
    first: Option<String>,
    #[serde(deserialize_with = "some_length")]
    then: Option<Duration>,
    #[serde(deserialize_with = "some_length")]
    delay: Option<Duration>,
}

/// Something the administrator waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum On {
    Attestation,
    BuildFailed,
    StepDone,
    Bounced,
    Declined,
    Question,
    Escalated,
    DrainWaiting,
}

/// One thing the administrator does.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Deed {
    pub on: On,
    pub step: Option<String>,
    pub person: Option<String>,
    #[serde(default, deserialize_with = "some_length")]
    after: Option<Duration>,
    pub attest: Option<String>,
    pub copy: Option<FromTo>,
    pub touch: Option<String>,
    pub record: Option<String>,
    pub resend: Option<String>,
    pub waive: Option<String>,
    #[serde(default)]
    pub log_on: bool,
    pub vouch: Option<String>,
    pub note: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FromTo {
    pub from: String,
    pub to: String,
}

/// How one person answers a notice, resolved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answering {
    pub behaviour: Behaviour,
    /// Which reminder it takes.
    pub reminders: usize,
    pub delay: Duration,
    pub then: Duration,
}

impl Default for Script {
    fn default() -> Self {
        Script {
            seed: 1,
            operator: "the operator".into(),
            clock: Clock::default(),
            times: Times::default(),
            answers: Answers::default(),
            person: BTreeMap::new(),
            drain: Evening::default(),
            read_back: ReadBack::default(),
            administrator: Vec::new(),
        }
    }
}

impl Default for Answers {
    fn default() -> Self {
        Answers { default: Behaviour::AtOnce, delay: Duration::hours(2), spread: Duration::hours(8) }
    }
}

impl Default for Evening {
    fn default() -> Self {
        Evening { delay: Duration::minutes(6), spread: Duration::minutes(18), person: BTreeMap::new() }
    }
}

impl Default for ReadBack {
    fn default() -> Self {
        ReadBack { delay: Duration::hours(1), spread: Duration::hours(4), person: BTreeMap::new() }
    }
}

impl Script {
    /// Reads `rehearsal.toml` of the campaign, and checks that everybody and every step in it exists.
    pub(super) fn load(root: &Path, engine: &Engine) -> Result<Script> {
        let path = root.join("rehearsal.toml");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Script::default()),
            Err(error) => return Err(error.into()),
        };
        let script: Script = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let before = &text[..start.min(text.len())];
            let line = before.matches('\n').count();
            let column = before.rsplit('\n').next().unwrap_or("").chars().count();
            Finding::error(
                "rehearsal-file",
                error.message().to_owned(),
                "see the comments in sample-data/msmail/rehearsal.toml",
            )
            .at(Place::new(&path, line as u32 + 1, column as u32 + 1))
            .quoting(text.lines().nth(line).unwrap_or(""), error.span().map_or(1, |span| span.len().min(60)))
        })?;
        let mut findings = Vec::new();
        let deeds = script.administrator.iter();
        let people = script.person.keys().chain(script.drain.person.keys()).chain(script.read_back.person.keys());
        for id in people.chain(deeds.clone().filter_map(|deed| deed.person.as_ref())) {
            findings.extend(engine.roster.find(id).err().map(|finding| finding.in_file(&path)));
        }
        for step in deeds.filter_map(|deed| deed.step.as_ref()) {
            if engine.campaign.step(step).is_none() {
                let cause = format!("there is no step '{step}'");
                findings.push(Finding::error("unknown-step", cause, "name a step of the campaign").in_file(&path));
            }
        }
        Fault::check(findings)?;
        Ok(script)
    }

    pub(super) fn start(&self, engine: &Engine) -> DateTime<Utc> {
        let change = &engine.campaign.change;
        let first = engine.calendar().first().map(|entry| entry.at).unwrap_or(change.at);
        self.clock.start.map_or(first.min(change.at) - Duration::days(1), |start| start.instant(change))
    }

    pub(super) fn end(&self, engine: &Engine) -> DateTime<Utc> {
        let change = &engine.campaign.change;
        self.clock.end.map_or(change.at + Duration::days(14), |end| end.instant(change))
    }

    pub(super) fn answering(&self, person: &str) -> Answering {
        let manner = self.person.get(person).cloned().unwrap_or_default();
        let delay = manner.delay.unwrap_or_else(|| self.answers.delay + self.part(self.answers.spread, person));
        Answering {
            behaviour: manner.behaviour.unwrap_or(self.answers.default),
            reminders: manner.reminders.unwrap_or(1),
            delay,
            then: manner.then.unwrap_or(Duration::days(1)),
        }
    }

    /// What a local person does on the evening, and how long after the broadcast.
    pub(super) fn evening(&self, person: &str) -> (AtEvening, Duration) {
        let manner = self.drain.person.get(person).cloned().unwrap_or_default();
        let delay = manner.delay.unwrap_or_else(|| self.drain.delay + self.part(self.drain.spread, person));
        (manner.behaviour, delay)
    }

    /// When an administrator reads the serial number back, what is read first, and how long the right one takes then.
    pub(super) fn read_back(&self, person: &str) -> (Duration, Option<(String, Duration)>) {
        let manner = self.read_back.person.get(person).cloned().unwrap_or_default();
        let delay = manner.delay.unwrap_or_else(|| self.read_back.delay + self.part(self.read_back.spread, person));
        (delay, manner.first.map(|first| (first, manner.then.unwrap_or(Duration::hours(1)))))
    }

    /// Some part of a spread: which one follows from the seed and the person alone.
    fn part(&self, spread: Duration, person: &str) -> Duration {
        let hash = Sha256::digest(format!("{} {person}", self.seed));
        let share = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
        Duration::seconds((spread.num_seconds() as i128 * i128::from(share) / i128::from(u32::MAX)) as i64)
    }
}

impl Deed {
    pub(super) fn after(&self) -> Duration {
        self.after.unwrap_or(Duration::minutes(10))
    }
}

fn moment<'de, D: Deserializer<'de>>(source: D) -> std::result::Result<Option<Moment>, D::Error> {
    let text = String::deserialize(source)?;
    Moment::parse(&text).map(Some).map_err(serde::de::Error::custom)
}

fn length<'de, D: Deserializer<'de>>(source: D) -> std::result::Result<Duration, D::Error> {
    let text = String::deserialize(source)?;
    let wrong = || serde::de::Error::custom(format!("'{text}' is no length of time: write 10m, 3h or 2d"));
    let (number, unit) = text.split_at(text.len().saturating_sub(1));
    let number: i64 = number.parse().map_err(|_| wrong())?;
    match unit {
        "m" if (0..600_000).contains(&number) => Ok(Duration::minutes(number)),
        "h" if (0..10_000).contains(&number) => Ok(Duration::hours(number)),
        "d" if (0..1000).contains(&number) => Ok(Duration::days(number)),
        _ => Err(wrong()),
    }
}

fn some_length<'de, D: Deserializer<'de>>(source: D) -> std::result::Result<Option<Duration>, D::Error> {
    length(source).map(Some)
}
