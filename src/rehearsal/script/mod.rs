//! `rehearsal.toml`: how the simulated people behave, what goes wrong meanwhile, and what the simulated administrator does
//! about it. Without the file everybody answers at once and nothing goes wrong.

mod cast;
mod read;

pub(super) use cast::Cast;

use crate::campaign::schedule::Moment;
use crate::engine::Engine;
use chrono::{DateTime, Duration, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

#[derive(Debug, Clone)]
pub(super) struct Script {
    pub seed: u64,
    pub operator: String,
    start: Option<Moment>,
    end: Option<Moment>,
    pub times: Times,
    answers: Manner,
    shares: Vec<Share<Manner>>,
    people: BTreeMap<String, Manner>,
    evening: EveningManner,
    evening_shares: Vec<Share<EveningManner>>,
    evening_people: BTreeMap<String, EveningManner>,
    read_back: ReadBackManner,
    read_back_people: BTreeMap<String, ReadBackManner>,
    pub administrator: Vec<Deed>,
    pub mishaps: Vec<Mishap>,
}

/// When the files of the copied trees were last written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Times {
    pub postoffice: Option<Moment>,
    pub staged: Option<Moment>,
    pub disks: Option<Moment>,
}

/// A part of an audience, of those who are not named, that behaves so.
#[derive(Debug, Clone)]
struct Share<M> {
    /// Absent: everybody whom the section is about.
    audience: Option<String>,
    share: f64,
    manner: M,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Behaviour {
    #[default]
    AtOnce,
    AfterReminder,
    Late,
    Never,
    Twice,
    ByPhone,
    WrongCode,
    Bounce,
    SoftBounce,
    AutoReply,
    Decline,
    DeclineThenAnswer,
    Question,
    LoseDisk,
}

/// As written; what is not said follows from the common manner.
#[derive(Debug, Clone, Copy, Default)]
struct Manner {
    behaviour: Option<Behaviour>,
    reminders: Option<usize>,
    delay: Option<Duration>,
    spread: Option<Duration>,
    then: Option<Duration>,
    until: Option<Moment>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum AtEvening {
    #[default]
    LogsOn,
    Away,
    Shadowing,
}

#[derive(Debug, Clone, Copy, Default)]
struct EveningManner {
    behaviour: Option<AtEvening>,
    delay: Option<Duration>,
    spread: Option<Duration>,
}

#[derive(Debug, Clone, Default)]
struct ReadBackManner {
    first: Option<String>,
    then: Option<Duration>,
    delay: Option<Duration>,
    spread: Option<Duration>,
}

/// Something the administrator waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    Attestation,
    BuildFailed,
    StepDone,
    Bounced,
    Declined,
    Question,
    Escalated,
    DrainWaiting,
    Held,
    WrongCode,
    /// The program was killed, and has to be started again.
    Killed,
    /// The files say something else than people were told.
    FactsChanged,
}

/// One thing the administrator does.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    pub on: On,
    pub step: Option<String>,
    pub person: Option<String>,
    pub notice: Option<String>,
    /// For everybody whom it fits, not only once.
    pub each: bool,
    pub after: Duration,
    pub attest: Option<String>,
    pub copy: Option<FromTo>,
    pub touch: Option<String>,
    pub record: Option<String>,
    pub resend: Option<String>,
    pub send: Option<String>,
    pub waive: Option<String>,
    pub log_on: bool,
    pub vouch: Option<String>,
    pub note: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct FromTo {
    pub from: String,
    pub to: String,
}

/// Something that goes wrong.
#[derive(Debug, Clone)]
pub(super) struct Mishap {
    pub at: Moment,
    /// How long it lasts; where facts change, until the administrator takes them over.
    pub lasts: Duration,
    pub what: What,
    /// Why facts change, as people read it.
    pub reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum What {
    /// The mail server does not answer.
    ServerDown,
    /// The machine sleeps: nothing is sent, read or asked, and the administrator has no program.
    Asleep,
    /// The machine's clock is off by so much; files on the server keep the true time.
    ClockStep(Duration),
    /// The program is killed: in its next run that sends, after so many messages, or in this step, between its change
    /// and the record of it. Somebody starts it again when it is over.
    Kill { during: Option<String>, after: usize },
    /// `change_at` in flagday.toml becomes another, and is taken over with `amend`.
    DateChange(NaiveDateTime),
    /// The date is off, and nobody knows another yet: `amend --postpone`.
    Postpone,
    /// The text of a notice becomes another, and is taken over with `amend`.
    TextChange { notice: String, cosmetic: bool },
}

impl Default for Script {
    fn default() -> Self {
        Script {
            seed: 1,
            operator: "the operator".into(),
            start: None,
            end: None,
            times: Times::default(),
            answers: Manner::default(),
            shares: Vec::new(),
            people: BTreeMap::new(),
            evening: EveningManner::default(),
            evening_shares: Vec::new(),
            evening_people: BTreeMap::new(),
            read_back: ReadBackManner::default(),
            read_back_people: BTreeMap::new(),
            administrator: Vec::new(),
            mishaps: Vec::new(),
        }
    }
}

impl Script {
    pub(super) fn start(&self, engine: &Engine) -> DateTime<Utc> {
        let change = &engine.campaign.change;
        let first = engine.calendar().first().map(|entry| entry.at).unwrap_or(change.at);
        self.start.map_or(first.min(change.at) - Duration::days(1), |start| start.instant(change))
    }

    pub(super) fn end(&self, engine: &Engine) -> DateTime<Utc> {
        let change = &engine.campaign.change;
        self.end.map_or(change.at + Duration::days(14), |end| end.instant(change))
    }

    /// The key of the copy: the same seed gives the same codes and tokens, and never those of the campaign itself.
    pub(super) fn key(&self) -> [u8; 32] {
        Sha256::digest(format!("flagday rehearsal key 1 {}", self.seed)).into()
    }

    /// A number that follows from the seed, the purpose and the person alone.
    fn lot(&self, purpose: &str, person: &str) -> u32 {
        let hash = Sha256::digest(format!("{} {purpose}{person}", self.seed));
        u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
    }

    /// Some part of a spread.
    fn part(&self, spread: Duration, person: &str) -> Duration {
        let lot = self.lot("", person);
        Duration::seconds((spread.num_seconds() as i128 * i128::from(lot) / i128::from(u32::MAX)) as i64)
    }
}
