//! The order in which a message is judged: limits, then reports by structure, then what mail systems write, then the
//! marks of machines, and only then a person's answer. The first that fits ends it.

use super::message::{InboundMessage, Unreadable};
use super::reading::{MailKind, Original, Reading, Said};
use super::said::{self, Asked};
use super::{automatic, away, bounce, challenge, receipt, report, typed};
use chrono::{DateTime, FixedOffset};

/// Reads one message, whatever it is. Never panics: what cannot be read is `unrelated`, says why, and is still known by its
/// header.
pub fn read(raw: &[u8], asked: &Asked) -> Reading {
    match InboundMessage::parse(raw) {
        Ok(message) => {
            let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| judge(&message, asked)));
            let reading = judged.unwrap_or_else(|_| unread(&InboundMessage::header(raw), "it could not be judged"));
            signed(reading, &message)
        }
        Err(why @ Unreadable::Empty) => Reading::of(MailKind::Unrelated).because(why.words()),
        Err(why) => {
            let header = InboundMessage::header(raw);
            signed(unread(&header, why.words()), &header)
        }
    }
}

/// Known by its header alone.
fn unread(header: &InboundMessage, why: &str) -> Reading {
    let mut reading = Reading::of(MailKind::Unrelated).because(why);
    reading.original = Original::of(header);
    reading.unread = true;
    reading
}

/// With its authors, subject, identifier and date.
fn signed(mut reading: Reading, message: &InboundMessage) -> Reading {
    reading.authors = message.authors().filter(|address| !address.is_empty()).map(str::to_owned).collect();
    reading.authors.dedup();
    reading.subject = message.subject().chars().take(200).collect();
    reading.message_id = message.headers.get("Message-ID").map(str::to_owned);
    reading.written = written(message).map(|date| date.to_utc());
    reading
}

/// Judges a message that was read within limits.
pub fn judge(message: &InboundMessage, asked: &Asked) -> Reading {
    if let Some(reading) = report::read(message) {
        return reading;
    }
    // Gateways wrap the report of another system whole; a person who forwards one is no mail system.
    if bounce::is_from_a_mail_system(message)
        && let Some(inner) = message.inner().filter(|inner| bounce::is_from_a_mail_system(inner))
        && let Some(reading) = report::read(inner)
    {
        return reading.because("inside a message of another mail system");
    }
    let seen = typed::seen(message);
    let subject = message.subject();
    let away = away::is_subject(subject);
    if let Some(reading) = receipt::read(message, &seen).or_else(|| bounce::read(message, &seen, away)) {
        return reading;
    }
    let letter = Letter {
        marks: automatic::marks(message),
        threaded: message.headers.has("In-Reply-To") || message.headers.has("References"),
        answers: is_reply_subject(subject),
        away,
        own: typed::typed(&seen),
        message,
    };
    if let Some(because) = challenge::is_one(message, &seen, letter.answers && letter.marks.is_empty()) {
        return letter.reading(MailKind::Challenge).because(because);
    }
    letter.postmaster(asked).or_else(|| letter.machine()).unwrap_or_else(|| letter.person(asked))
}

/// A letter that no mail system wrote, with what was seen of it so far.
struct Letter<'a> {
    message: &'a InboundMessage,
    marks: Vec<automatic::Mark>,
    threaded: bool,
    /// Its subject is that of a reply.
    answers: bool,
    /// Its subject is that of an answering machine.
    away: bool,
    /// What was typed.
    own: String,
}

impl Letter<'_> {
    fn reading(&self, kind: MailKind) -> Reading {
        let mut reading = Reading::of(kind);
        reading.original = Original::of(self.message);
        reading.typed = self.own.clone();
        reading
    }

    /// A postmaster may be a person; whether this is one, only a human can tell.
    fn postmaster(&self, asked: &Asked) -> Option<Reading> {
        let office = self.message.from().is_some_and(|address| address.starts_with("postmaster@"));
        let bare = self.marks.len() == 1 && !self.away && !away::is_text(&self.own.to_lowercase());
        if !(office && bare && (self.threaded || self.answers)) {
            return None;
        }
        let mut reading = self.reading(MailKind::Reply).because("written by postmaster, which may be a machine");
        reading.codes = said::read(&self.own, asked).codes;
        Some(reading)
    }

    /// An answering machine, a list or a newsletter.
    fn machine(&self) -> Option<Reading> {
        let marked =
            |begins: &[&str]| self.marks.iter().any(|mark| begins.iter().any(|word| mark.because.starts_with(word)));
        let listed = marked(&["List-", "Mailing-List"]);
        let answering = self.away || self.marks.iter().any(|mark| mark.answers);
        let related = self.threaded || self.answers || away::is_text(&self.own.to_lowercase());
        if self.marks.is_empty() && !self.away {
            return None;
        }
        // What a list sends on is no machine's answer; who wrote it nobody can tell.
        let kind = match (answering || related && !listed, listed && self.threaded) {
            (true, _) => MailKind::AutoReply,
            (false, true) => MailKind::Reply,
            (false, false) => MailKind::Unrelated,
        };
        let mut reading = self.reading(kind);
        reading.because.extend(self.marks.iter().map(|mark| mark.because.clone()));
        if self.away {
            reading.because.push("the subject of an answering machine".to_owned());
        }
        Some(self.dated(reading))
    }

    fn person(&self, asked: &Asked) -> Reading {
        let answer = said::read(&self.own, asked);
        let possessed = answer.said == Some(Said::Possessed);
        // Some machines leave no mark but their words.
        let machine = away::is_plain(&self.own.to_lowercase()) && !possessed;
        if machine && answer.mentions {
            return self.reading(MailKind::Reply).because("the words of an answering machine, and the word asked for");
        } else if machine {
            return self.dated(self.reading(MailKind::AutoReply).because("the words of an answering machine"));
        }
        let calendar = self.message.parts.iter().find(|part| part.kind == "text/calendar");
        let accepts = calendar.and_then(|part| part.parameter("method")) == Some("reply");
        let related = if accepts {
            "an answer to a calendar entry"
        } else if self.threaded {
            "In-Reply-To or References"
        } else if self.answers {
            "the subject of a reply"
        } else if possessed || answer.mentions || !answer.codes.is_empty() {
            "an answer stands in it"
        } else {
            return self.reading(MailKind::Unrelated).because("nothing in it answers anything");
        };
        let mut reading = self.reading(MailKind::Reply).because(related);
        if self.message.broken {
            return reading.because("its parts cannot be told apart");
        }
        // Accepting an appointment says nothing of the package.
        if !accepts {
            reading.said = answer.said;
            reading.codes = answer.codes;
            reading.because.extend(answer.because);
        }
        reading
    }

    /// With the day of return, where an answering machine states it.
    fn dated(&self, mut reading: Reading) -> Reading {
        if reading.kind == MailKind::AutoReply {
            let text = format!("{}\n{}", self.message.subject(), self.own);
            reading.back_on = away::back_on(&text, written(self.message).map(|date| date.date_naive()));
        }
        reading
    }
}

/// `Re:` in the languages of mail programs, with a counter or not.
fn is_reply_subject(subject: &str) -> bool {
    const PREFIXES: &[&str] = &[
        "re", "aw", "sv", "vs", "antw", "antwort", "rif", "odp", "res", "ynt", "ynt", "vá", "ref", "r", "bls", "rép",
        "rv", "на", "ha", "απ", "回复", "回覆", "答复", "返信", "atb", "doorst",
    ];
    let subject = subject.trim().to_lowercase();
    let Some((prefix, _)) = subject.split_once([':', '：']) else { return false };
    let prefix = prefix
        .trim_start_matches("[external]")
        .trim()
        .trim_end_matches(|c: char| c.is_ascii_digit() || "[]()^*".contains(c));
    PREFIXES.contains(&prefix)
}

fn written(message: &InboundMessage) -> Option<DateTime<FixedOffset>> {
    message.headers.get("Date").and_then(|date| DateTime::parse_from_rfc2822(date.split(" (").next()?).ok())
}
