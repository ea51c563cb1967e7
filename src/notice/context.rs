//! What a template sees: one type made for it, and nothing else.
//!
//! What a person or a notice does not have is left out rather than left empty, so that a template which needs it fails
//! at `check` instead of writing "Hello ,". `{{#if person.phone}}` asks first.

use super::moment;
use super::shape::COLUMNS;
use crate::campaign::schedule::Moment;
use crate::campaign::{Campaign, Change};
use crate::roster::Person;
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Context {
    pub campaign: CampaignWords,
    pub change: ChangeWords,
    /// Who reads it: every column of the roster that is filled in.
    pub person: BTreeMap<String, String>,
    /// What the flag day is about; see [`facts`].
    pub facts: BTreeMap<String, String>,
    pub notice: NoticeWords,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ack: Option<AckWords>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<PackageWords>,
    /// The person an escalation is about, as `person`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<BTreeMap<String, String>>,
    /// What the person answered, for `outdated-answer` alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outdated: Option<OutdatedWords>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CampaignWords {
    pub name: String,
    pub title: String,
    pub contact: String,
    /// What people get are floppy disks: packages that have to fit one.
    pub disks: bool,
}

/// When it happens, in words of the reader's language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeWords {
    /// `2026-12-12`
    pub date: String,
    /// `18:00`
    pub time: String,
    /// `America/Chicago`
    pub zone: String,
    pub weekday: String,
    /// `Saturday, 12 December 2026, 18:00 CST (America/Chicago)`
    pub local: String,
    /// `2026-12-13 00:00 UTC`
    pub utc: String,
    /// `local` in the person's own zone, where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_local: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoticeWords {
    pub name: String,
    /// The audience it goes to; empty to whoever is asked about one of them.
    pub audience: String,
    /// Why it was sent now, as the end of a line without a full stop: `your address was corrected`. Absent for the
    /// notice itself in its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// 0 for the notice itself, 1 for the first reminder, and so on.
    pub count: u32,
    /// What is different from what the person was told. Empty but in an amendment.
    pub changes: Vec<ChangedWords>,
}

/// One thing that is different, for `amendment`, which comes first in such a letter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangedWords {
    /// `date`, `zone`, `title`, `contact`, `package`, `text`, `due` (until when an answer is needed, in `now`), or `fact` for
    /// any other.
    pub kind: String,
    /// The fact's name; for a package, the package's.
    pub name: String,
    /// As it was told; for a package, the day on which it went out. Empty where no date was known.
    pub told: String,
    pub now: String,
}

/// An answer to what holds no more, and the message that is to be answered instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutdatedWords {
    /// The day on which the answer came in, as `2026-11-24`.
    pub answered: String,
    /// The day on which the message that holds went out.
    pub sent: String,
    /// Its subject, as it stands in the person's mailbox.
    pub subject: String,
}

/// The answer that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AckWords {
    /// As [`ChangeWords::local`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// The word that a reply has to hold.
    pub word: String,
    /// The code from the package is asked for instead of the word.
    pub code_asked: bool,
    /// Where the reply goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// The confirm page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PackageWords {
    pub name: String,
    /// The files as they are attached.
    pub files: Vec<FileWords>,
    /// Of the first file attached, or of the manifest: what the person can compare.
    pub sha256: String,
    /// In bytes, over all files.
    pub size: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileWords {
    pub name: String,
    pub size: u64,
    pub sha256: String,
}

impl Context {
    /// Everything that follows from the campaign and the person. `notice` names one of the campaign's notices or, for a
    /// letter to everybody, any other word. Acknowledgement, package and `about` are the caller's to add.
    pub fn new(campaign: &Campaign, person: &Person, notice: &str) -> Context {
        Context::with(ChangeWords::of(campaign, person), campaign, person, notice)
    }

    /// The same, where the change was put into words before.
    pub fn with(change: ChangeWords, campaign: &Campaign, person: &Person, notice: &str) -> Context {
        let audience = campaign.notices.get(notice).map_or(notice, |notice| &notice.audience);
        Context {
            campaign: CampaignWords {
                name: campaign.name.clone(),
                title: campaign.title.clone(),
                contact: campaign.contact.clone(),
                disks: campaign.has_disks(),
            },
            change,
            person: columns(person),
            facts: facts(campaign),
            notice: NoticeWords {
                name: notice.to_owned(),
                audience: audience.to_owned(),
                reason: None,
                count: 0,
                changes: vec![],
            },
            ack: None,
            package: None,
            about: None,
            outdated: None,
        }
    }
}

impl ChangeWords {
    /// In the person's language and zone; whoever shares these reads the same words.
    pub fn of(campaign: &Campaign, person: &Person) -> ChangeWords {
        let change = &campaign.change;
        let language = person.language.as_deref();
        let own = person.time_zone.filter(|zone| {
            let there = change.at.with_timezone(zone).naive_local();
            there != change.local
        });
        ChangeWords {
            date: change.local.format("%Y-%m-%d").to_string(),
            time: change.local.format("%H:%M").to_string(),
            zone: change.zone.name().to_owned(),
            weekday: moment::weekday(change.local.date(), language).to_owned(),
            local: moment::in_words(change.at, change.zone, language),
            utc: change.at.format("%Y-%m-%d %H:%M UTC").to_string(),
            own_local: own.map(|zone| moment::in_words(change.at, zone, language)),
        }
    }
}

impl ChangedWords {
    /// `fact`, `told` and `now` as a revision has them.
    pub fn new(campaign: &Campaign, person: &Person, fact: &str, told: &str, now: &str) -> ChangedWords {
        let language = person.language.as_deref();
        let zone = campaign.change.zone;
        let date = |text: &str| {
            let local = text.replace(' ', "T").parse().ok();
            let change = local.and_then(|local| Change::new(local, zone).ok());
            change.map(|change| moment::in_words(change.at, zone, language)).unwrap_or_default()
        };
        let mut words = fact.split(' ');
        let (kind, name) = match (words.next().unwrap_or_default(), words.next()) {
            ("change_at", _) => ("date", fact),
            ("time_zone", _) => ("zone", fact),
            ("campaign", Some(kind @ ("title" | "contact"))) => (kind, kind),
            ("package", Some(name)) => ("package", name),
            ("text", Some(name)) => ("text", name),
            ("due", Some(_)) => ("due", "due"),
            _ => ("fact", fact),
        };
        let name = name.replace('_', " ");
        let shown = |text: &str| match kind {
            "date" => date(text),
            "text" => String::new(),
            // Counted from the change, as it is now; what it was would be counted from the same.
            "due" => Moment::parse(text).map_or(String::new(), |due| Self::due(campaign, due, language)),
            _ => text.to_owned(),
        };
        let told = if kind == "due" { String::new() } else { shown(told) };
        ChangedWords { kind: kind.to_owned(), name, told, now: shown(now) }
    }

    fn due(campaign: &Campaign, due: Moment, language: Option<&str>) -> String {
        moment::in_words(due.instant(&campaign.change), campaign.change.zone, language)
    }
}

impl AckWords {
    /// `due` in the words of the person's language and the campaign's zone.
    pub fn due(campaign: &Campaign, person: &Person, due: DateTime<Utc>) -> String {
        moment::in_words(due, campaign.change.zone, person.language.as_deref())
    }
}

/// The person's filled-in columns by name. Whoever has no name is called by mailbox or id.
pub fn columns(person: &Person) -> BTreeMap<String, String> {
    let extra = person.extra.keys().map(String::as_str);
    let mut columns: BTreeMap<String, String> = COLUMNS
        .into_iter()
        .chain(extra)
        .filter_map(|name| Some((name.to_owned(), person.column(name)?)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    if !columns.contains_key("name") {
        let name = person.mailbox.as_ref().unwrap_or(&person.id).clone();
        columns.insert("name".to_owned(), name);
    }
    columns
}

/// `[facts]`, and for a Microsoft Mail postoffice its `network`, `name`, `old_serial` and `new_serial`.
pub fn facts(campaign: &Campaign) -> BTreeMap<String, String> {
    let mut facts = BTreeMap::new();
    if let Some(msmail) = &campaign.msmail {
        for (name, value) in [
            ("network", &msmail.network),
            ("name", &msmail.name),
            ("old_serial", &msmail.old_serial),
            ("new_serial", &msmail.new_serial),
        ] {
            facts.insert(name.to_owned(), value.clone());
        }
    }
    facts.extend(campaign.facts.clone());
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::sample;

    #[test]
    fn what_a_person_does_not_have_is_left_out() {
        let mut kim = sample::person();
        kim.phone = Some(String::new());
        kim.name = String::new();
        let columns = columns(&kim);
        assert_eq!(columns.get("phone"), None);
        assert_eq!(columns.get("hexid"), None);
        assert_eq!(columns["name"], "KIM");
        assert_eq!(columns["Room"], "2.17");
    }

    #[test]
    fn the_change_is_told_in_the_readers_language_and_zone() {
        let campaign = sample::campaign();
        let mut kim = sample::person();
        assert_eq!(Context::new(&campaign, &kim, "change-date").change.own_local, None);
        kim.language = Some("de-AT".to_owned());
        kim.time_zone = Some(chrono_tz::Europe::Vienna);
        let words = Context::new(&campaign, &kim, "change-date").change;
        assert_eq!(words.weekday, "Samstag");
        assert_eq!(words.local, "Samstag, 12. Dezember 2026, 18:00 Uhr CST (America/Chicago)");
        assert_eq!(words.own_local.as_deref(), Some("Sonntag, 13. Dezember 2026, 01:00 Uhr CET (Europe/Vienna)"));
        assert_eq!(words.utc, "2026-12-13 00:00 UTC");
    }

    #[test]
    fn a_fact_that_the_file_states_wins() {
        let mut campaign = sample::campaign();
        assert_eq!(facts(&campaign)["new_serial"], "32-20977");
        campaign.facts.insert("new_serial".to_owned(), "other".to_owned());
        assert_eq!(facts(&campaign)["new_serial"], "other");
    }

    #[test]
    fn an_unknown_notice_names_itself_as_the_audience() {
        let words = Context::new(&sample::campaign(), &sample::person(), "change-date").notice;
        assert_eq!(words.audience, "remote-users");
        assert_eq!(Context::new(&sample::campaign(), &sample::person(), "other").notice.audience, "other");
    }
}
