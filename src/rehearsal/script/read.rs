//! `rehearsal.toml` as it stands: every mistake with its place, every name held against the campaign.

use super::{
    AtEvening, Behaviour, Deed, EveningManner, FromTo, Manner, Mishap, On, ReadBackManner, Script, Share, What,
};
use crate::campaign::schedule::Moment;
use crate::campaign::{Campaign, Report, Table, Text, companion, instead};
use crate::fault::{Finding, Result};
use crate::roster::Roster;
use chrono::Duration;
use fs_err as fs;
use std::path::Path;

const BEHAVIOURS: [(&str, Behaviour); 14] = [
    ("at-once", Behaviour::AtOnce),
    ("after-reminder", Behaviour::AfterReminder),
    ("late", Behaviour::Late),
    ("never", Behaviour::Never),
    ("twice", Behaviour::Twice),
    ("by-phone", Behaviour::ByPhone),
    ("wrong-code", Behaviour::WrongCode),
    ("bounce", Behaviour::Bounce),
    ("soft-bounce", Behaviour::SoftBounce),
    ("auto-reply", Behaviour::AutoReply),
    ("decline", Behaviour::Decline),
    ("decline-then-answer", Behaviour::DeclineThenAnswer),
    ("question", Behaviour::Question),
    ("lose-disk", Behaviour::LoseDisk),
];

const EVENINGS: [(&str, AtEvening); 3] =
    [("logs-on", AtEvening::LogsOn), ("away", AtEvening::Away), ("shadowing", AtEvening::Shadowing)];

const ONS: [(&str, On); 10] = [
    ("attestation", On::Attestation),
    ("build-failed", On::BuildFailed),
    ("step-done", On::StepDone),
    ("bounced", On::Bounced),
    ("declined", On::Declined),
    ("question", On::Question),
    ("escalated", On::Escalated),
    ("drain-waiting", On::DrainWaiting),
    ("held", On::Held),
    ("wrong-code", On::WrongCode),
];

/// The words for the kinds of `[[fault]]`.
#[derive(Clone, Copy)]
enum Kind {
    ServerDown,
    Asleep,
    ClockStep,
    Kill,
    DateChange,
    Postpone,
    TextChange,
}

const KINDS: [(&str, Kind); 7] = [
    ("server-down", Kind::ServerDown),
    ("asleep", Kind::Asleep),
    ("clock-step", Kind::ClockStep),
    ("kill", Kind::Kill),
    ("date-change", Kind::DateChange),
    ("postpone", Kind::Postpone),
    ("text-change", Kind::TextChange),
];

impl Script {
    /// Reads `rehearsal.toml` of the campaign in `root`.
    ///
    /// # Errors
    /// Every mistake in it, each with its place.
    pub(in crate::rehearsal) fn load(root: &Path, campaign: &Campaign, roster: &Roster) -> Result<Script> {
        let here = root.as_os_str().is_empty() || root == Path::new(".");
        let path = if here { "rehearsal.toml".into() } else { root.join("rehearsal.toml") };
        match fs::read_to_string(&path) {
            Ok(text) => companion::read(path, text, |table, report| Reader { campaign, roster, report }.script(table)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Script::default()),
            Err(error) => Err(error.into()),
        }
    }
}

struct Reader<'a> {
    campaign: &'a Campaign,
    roster: &'a Roster,
    report: &'a Report,
}

impl Reader<'_> {
    fn script(&self, mut file: Table) -> Script {
        let mut script = Script::default();
        if let Some((seed, at)) = file.number("seed") {
            match seed >= 0.0 && seed.fract() == 0.0 && seed < 9e15 {
                true => script.seed = seed as u64,
                false => self.report.add(at, out_of_range("a seed is a whole number, and not a negative one")),
            }
        }
        if let Some(operator) = file.text("operator") {
            script.operator = operator.value;
        }
        if let Some(mut clock) = file.table("clock") {
            script.start = clock.moment("start").map(|(moment, _)| moment);
            script.end = clock.moment("end").map(|(moment, _)| moment);
            clock.finish();
        }
        if let Some(mut times) = file.table("times") {
            script.times.postoffice = times.moment("postoffice").map(|(moment, _)| moment);
            script.times.staged = times.moment("staged").map(|(moment, _)| moment);
            script.times.disks = times.moment("disks").map(|(moment, _)| moment);
            times.finish();
        }
        if let Some(mut answers) = file.table("answers") {
            script.answers = Manner {
                behaviour: answers.word("default", &BEHAVIOURS),
                delay: answers.parsed("delay", length),
                spread: answers.parsed("spread", length),
                ..Manner::default()
            };
            answers.finish();
        }
        let shares = file.tables("share");
        script.shares = self.shares(shares, true, manner);
        for (id, mut table) in self.people(&mut file) {
            let manner = manner(&mut table);
            script.people.extend(id.map(|id| (id, manner)));
            table.finish();
        }
        if let Some(mut drain) = file.table("drain") {
            script.evening.delay = drain.parsed("delay", length);
            script.evening.spread = drain.parsed("spread", length);
            let shares = drain.tables("share");
            script.evening_shares = self.shares(shares, false, evening);
            for (id, mut table) in self.people(&mut drain) {
                let manner = evening(&mut table);
                script.evening_people.extend(id.map(|id| (id, manner)));
                table.finish();
            }
            drain.finish();
        }
        if let Some(mut read_back) = file.table("read_back") {
            script.read_back.delay = read_back.parsed("delay", length);
            script.read_back.spread = read_back.parsed("spread", length);
            for (id, mut table) in self.people(&mut read_back) {
                let manner = ReadBackManner {
                    first: table.text("first").map(|text| text.value),
                    then: table.parsed("then", length),
                    delay: table.parsed("delay", length),
                    spread: None,
                };
                script.read_back_people.extend(id.map(|id| (id, manner)));
                table.finish();
            }
            read_back.finish();
        }
        script.administrator = file.tables("administrator").into_iter().filter_map(|table| self.deed(table)).collect();
        script.mishaps = file.tables("fault").into_iter().filter_map(|table| self.mishap(table)).collect();
        file.finish();
        script
    }

    /// The tables of `[person.NAME]`, by the ids of the rosters; somebody unknown is told, and their table read all the
    /// same.
    fn people<'r>(&self, table: &mut Table<'r>) -> Vec<(Option<String>, Table<'r>)> {
        let report = table.report;
        let Some(people) = table.table("person") else { return Vec::new() };
        let read = |(name, node): (Text, _)| {
            let table = Table::of(report, format!("[person.{}]", name.value), node)?;
            Some((self.person(name), table))
        };
        people.into_values().filter_map(read).collect()
    }

    fn person(&self, name: Text) -> Option<String> {
        let found = self.roster.find(&name.value).map(|person| person.id.clone());
        found.map_err(|finding| self.report.add(name.at, finding)).ok()
    }

    /// One of the campaign's names.
    fn known<'k>(
        &self,
        what: &str,
        code: &'static str,
        name: Option<Text>,
        names: impl Iterator<Item = &'k String> + Clone,
    ) -> Option<String> {
        let name = name?;
        if names.clone().any(|one| *one == name.value) {
            return Some(name.value);
        }
        let cause = format!("there is no {what} '{}'", name.value);
        self.report.add(name.at, Finding::error(code, cause, instead(&name.value, names.map(String::as_str))));
        None
    }

    fn step(&self, name: Option<Text>) -> Option<String> {
        self.known("step", "unknown-step", name, self.campaign.steps.iter().map(|step| &step.name))
    }

    fn notice(&self, name: Option<Text>) -> Option<String> {
        self.known("notice", "unknown-notice", name, self.campaign.notices.keys())
    }

    fn shares<M>(&self, tables: Vec<Table>, of_audience: bool, manner: fn(&mut Table) -> M) -> Vec<Share<M>> {
        let mut shares: Vec<Share<M>> = Vec::new();
        for mut table in tables {
            let audience = match of_audience {
                true => {
                    let name = table.text("audience");
                    self.known("audience", "unknown-audience", name, self.campaign.audiences.keys())
                }
                false => None,
            };
            table.require("share", "0.8");
            let share = table.number("share");
            let manner = manner(&mut table);
            if let Some((share, at)) = share {
                let so_far: f64 = shares.iter().filter(|one| one.audience == audience).map(|one| one.share).sum();
                if !(share > 0.0 && share <= 1.0) {
                    self.report.add(at, out_of_range("a share is above 0 and at most 1"));
                } else if so_far + share > 1.0 + 1e-9 {
                    self.report.add(at, out_of_range("the shares of one audience come to more than 1"));
                }
                shares.push(Share { audience, share, manner });
            }
            table.finish();
        }
        shares
    }

    fn deed(&self, mut table: Table) -> Option<Deed> {
        table.require("on", "\"attestation\"");
        let on = table.word("on", &ONS);
        let copy = table.table("copy").and_then(|mut pair| {
            let (from, to) = (pair.required("from", "\"corrections/disks\""), pair.required("to", "\"disks\""));
            pair.finish();
            Some(FromTo { from: from?.value, to: to?.value })
        });
        let text = |text: Option<Text>| text.map(|text| text.value);
        let person = table.text("person");
        let (step, notice) = (table.text("step"), table.text("notice"));
        let (resend, send) = (table.text("resend"), table.text("send"));
        let deed = on.map(|on| Deed {
            on,
            step: self.step(step),
            person: person.and_then(|name| self.person(name)),
            notice: self.notice(notice),
            each: table.boolean("each").unwrap_or(false),
            after: table.parsed("after", length).unwrap_or(Duration::minutes(10)),
            attest: text(table.text("attest")),
            copy,
            touch: text(table.text("touch")),
            record: text(table.text("record")),
            resend: self.notice(resend),
            send: self.notice(send),
            waive: text(table.text("waive")),
            log_on: table.boolean("log_on").unwrap_or(false),
            vouch: text(table.text("vouch")),
            note: text(table.text("note")),
        });
        // A deed that waits for nothing known has reported that already, and its other keys are not judged.
        if deed.is_some() {
            table.finish();
        }
        deed
    }

    fn mishap(&self, mut table: Table) -> Option<Mishap> {
        table.require("kind", "\"server-down\"");
        table.require("at", "\"T-10d 08:00\"");
        let kind = table.word("kind", &KINDS);
        let at = table.moment("at").map(|(moment, _)| moment);
        let kind = kind?;
        if matches!(kind, Kind::ServerDown | Kind::Asleep) {
            table.require("for", "\"1d\"");
        }
        let lasts = if matches!(kind, Kind::Postpone) { None } else { table.parsed("for", length) };
        let amended = matches!(kind, Kind::DateChange | Kind::Postpone | Kind::TextChange);
        let reason = if amended { table.text("reason") } else { None };
        let what = match kind {
            Kind::ServerDown => Some(What::ServerDown),
            Kind::Asleep => Some(What::Asleep),
            Kind::ClockStep => {
                table.require("by", "\"-2h\"");
                table.parsed("by", signed).map(What::ClockStep)
            }
            Kind::Kill => {
                let during = table.text("during");
                let asked = during.is_some();
                let during = self.step(during);
                let after = match table.number("after") {
                    Some((after, at)) if after < 1.0 || after.fract() != 0.0 || after > 1e6 => {
                        self.report.add(at, out_of_range("a number of messages is whole and at least 1"));
                        None
                    }
                    other => other.map(|(after, _)| after as usize),
                };
                (!asked || during.is_some()).then_some(What::Kill { during, after: after.unwrap_or(3) })
            }
            Kind::DateChange => {
                table.require("to", "2026-12-19T18:00:00");
                match table.moment("to") {
                    Some((Moment::At(to), _)) => Some(What::DateChange(to)),
                    Some((_, at)) => {
                        let finding = Finding::error(
                            "bad-date",
                            "the new date is no date of its own",
                            "write a date with a time",
                        );
                        self.report.add(at, finding);
                        None
                    }
                    None => None,
                }
            }
            Kind::Postpone => Some(What::Postpone),
            Kind::TextChange => {
                table.require("notice", "\"change-date\"");
                let notice = table.text("notice");
                let cosmetic = table.boolean("cosmetic").unwrap_or(false);
                self.notice(notice).map(|notice| What::TextChange { notice, cosmetic })
            }
        };
        table.finish();
        let common = match kind {
            Kind::Kill => Duration::minutes(10),
            Kind::DateChange | Kind::TextChange => Duration::minutes(30),
            _ => Duration::zero(),
        };
        let reason = reason.map(|text| text.value).unwrap_or_default();
        Some(Mishap { at: at?, lasts: lasts.unwrap_or(common), what: what?, reason })
    }
}

fn manner(table: &mut Table) -> Manner {
    Manner {
        behaviour: table.word("behaviour", &BEHAVIOURS),
        reminders: table.number("reminders").and_then(|(count, at)| match count >= 1.0 && count.fract() == 0.0 {
            true => Some(count as usize),
            false => {
                table.report.add(at, out_of_range("a reminder has a whole number, and the first is 1"));
                None
            }
        }),
        delay: table.parsed("delay", length),
        spread: table.parsed("spread", length),
        then: table.parsed("then", length),
        until: table.moment("until").map(|(moment, _)| moment),
    }
}

fn evening(table: &mut Table) -> EveningManner {
    EveningManner {
        behaviour: table.word("behaviour", &EVENINGS),
        delay: table.parsed("delay", length),
        spread: table.parsed("spread", length),
    }
}

fn out_of_range(cause: &str) -> Finding {
    Finding::error("out-of-range", cause, "see the comments in sample-data/msmail/rehearsal.toml")
}

/// A length of time: `10m`, `3h`, `2d`.
fn length(text: &str) -> Result<Duration, Finding> {
    let wrong = || {
        let cause = format!("'{text}' is no length of time");
        Finding::error("bad-length", cause, "write a whole number with m, h or d: 10m, 3h, 2d")
    };
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let number: i64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| wrong())?;
    match unit {
        'm' if (0..600_000).contains(&number) => Ok(Duration::minutes(number)),
        'h' if (0..10_000).contains(&number) => Ok(Duration::hours(number)),
        'd' if (0..1000).contains(&number) => Ok(Duration::days(number)),
        _ => Err(wrong()),
    }
}

/// A length of time forwards or back: `-2h`.
fn signed(text: &str) -> Result<Duration, Finding> {
    match text.strip_prefix('-') {
        Some(back) => length(back).map(|length| -length),
        None => length(text.strip_prefix('+').unwrap_or(text)),
    }
}
