//! What one message says, read by itself: before anybody asks whose it is.

use super::evidence::Kind;
use super::message::{Body, Headers, InboundMessage};
use super::{addresses, away};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Serialize, Serializer};

/// The kinds of what comes in, as `intake --classify` names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    Reply,
    AutoReply,
    DsnFailed,
    DsnDelayed,
    DsnDelivered,
    DsnRelayed,
    MdnDisplayed,
    MdnOther,
    Feedback,
    Challenge,
    Unrelated,
}

impl MailKind {
    pub const ALL: [MailKind; 11] = [
        MailKind::Reply,
        MailKind::AutoReply,
        MailKind::DsnFailed,
        MailKind::DsnDelayed,
        MailKind::DsnDelivered,
        MailKind::DsnRelayed,
        MailKind::MdnDisplayed,
        MailKind::MdnOther,
        MailKind::Feedback,
        MailKind::Challenge,
        MailKind::Unrelated,
    ];

    pub fn word(self) -> &'static str {
        match self {
            MailKind::Reply => "reply",
            MailKind::AutoReply => "auto_reply",
            MailKind::DsnFailed => "dsn_failed",
            MailKind::DsnDelayed => "dsn_delayed",
            MailKind::DsnDelivered => "dsn_delivered",
            MailKind::DsnRelayed => "dsn_relayed",
            MailKind::MdnDisplayed => "mdn_displayed",
            MailKind::MdnOther => "mdn_other",
            MailKind::Feedback => "feedback",
            MailKind::Challenge => "challenge",
            MailKind::Unrelated => "unrelated",
        }
    }

    pub fn from_word(word: &str) -> Option<MailKind> {
        MailKind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Serialize for MailKind {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.word())
    }
}

/// What a person said in a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Said {
    /// The code that stands only inside the package.
    Possessed,
    /// The word that was asked for.
    Confirmed,
    Declined,
    Question,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub kind: MailKind,
    /// Of a failure: it will not go away.
    pub permanent: Option<bool>,
    /// Nothing of it but its header was read: what stands in it only a human can tell.
    pub unread: bool,
    /// Whom a report is about, in lower case.
    pub recipients: Vec<String>,
    /// RFC 3463, as `5.1.1`.
    pub status: Option<String>,
    /// The server's words.
    pub diagnostic: String,
    pub original: Original,
    pub said: Option<Said>,
    /// Every code in the text that the person typed.
    pub codes: Vec<crate::package::Code>,
    /// The text that the person typed.
    pub typed: String,
    /// Who wrote it: the addresses of From and Sender, in lower case.
    pub authors: Vec<String>,
    pub subject: String,
    pub message_id: Option<String>,
    /// When it was written, by the clock of whoever wrote it.
    pub written: Option<DateTime<Utc>>,
    /// The first day on which the person is back, when an automatic reply states it.
    pub back_on: Option<NaiveDate>,
    /// The facts that decided.
    pub because: Vec<String>,
}

impl Reading {
    pub(super) fn of(kind: MailKind) -> Reading {
        Reading {
            kind,
            permanent: None,
            unread: false,
            recipients: Vec::new(),
            status: None,
            diagnostic: String::new(),
            original: Original::default(),
            said: None,
            codes: Vec::new(),
            typed: String::new(),
            authors: Vec::new(),
            subject: String::new(),
            message_id: None,
            written: None,
            back_on: None,
            because: Vec::new(),
        }
    }

    /// What this proves about the person, should it be theirs.
    pub fn evidence(&self) -> Option<Kind> {
        match (self.kind, self.said) {
            (MailKind::DsnFailed, _) if self.permanent == Some(true) => Some(Kind::HardBounce),
            (MailKind::DsnFailed | MailKind::DsnDelayed, _) => Some(Kind::SoftBounce),
            (MailKind::DsnDelivered, _) => Some(Kind::DsnDelivered),
            (MailKind::MdnDisplayed, _) => Some(Kind::Displayed),
            (MailKind::AutoReply, _) => Some(Kind::AutoReply),
            (MailKind::Reply, Some(Said::Possessed)) => Some(Kind::Code),
            (MailKind::Reply, Some(Said::Confirmed)) => Some(Kind::Confirmed),
            (MailKind::Reply, Some(Said::Declined)) => Some(Kind::Declined),
            (MailKind::Reply, Some(Said::Question)) => Some(Kind::Question),
            (MailKind::Reply, None) => Some(Kind::Reply),
            (MailKind::DsnRelayed | MailKind::MdnOther | MailKind::Feedback, _) => None,
            (MailKind::Challenge | MailKind::Unrelated, _) => None,
        }
    }

    /// Whether only somebody can have sent it whose server has the message that it is about.
    pub fn shows_it_was_taken(&self) -> bool {
        matches!(
            self.kind,
            MailKind::AutoReply
                | MailKind::DsnDelayed
                | MailKind::DsnRelayed
                | MailKind::DsnDelivered
                | MailKind::MdnDisplayed
                | MailKind::MdnOther
                | MailKind::Feedback
                | MailKind::Challenge
        )
    }

    /// What goes on record with the fact: the server's words, or the day of return.
    pub fn detail(&self) -> String {
        match (self.kind, self.back_on) {
            (MailKind::AutoReply, Some(day)) => away::note_of_return(day),
            (MailKind::DsnDelayed, _) if self.diagnostic.is_empty() => "delivery is delayed".to_owned(),
            _ => self.diagnostic.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(500).collect(),
        }
    }

    pub(super) fn because(mut self, fact: impl Into<String>) -> Reading {
        self.because.push(fact.into());
        self
    }
}

/// What a message tells of the message it answers or reports.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Original {
    /// Message-IDs with their angle brackets: of the returned message first, then In-Reply-To.
    pub ids: Vec<String>,
    /// The thread that it stands in, oldest first (RFC 5322 section 3.6.4): what was written before the message answered
    /// is named here too.
    pub references: Vec<String>,
    /// RFC 3464 `Original-Envelope-Id`.
    pub envelope_id: Option<String>,
    /// Whom the returned message was to.
    pub to: Vec<String>,
    /// The addresses that this message came to: a token may stand in them.
    pub came_to: Vec<String>,
}

/// Fields that name the envelope's recipient, as delivering hosts write it.
const ENVELOPE: &[&str] =
    &["Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "X-RCPT-TO"];

impl Original {
    pub(super) fn of(message: &InboundMessage) -> Original {
        let mut original = Original::default();
        for part in &message.parts {
            match &part.body {
                Body::Message(inner) => original.returned(&inner.headers),
                _ if matches!(
                    part.kind.as_str(),
                    "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers"
                ) =>
                {
                    original.returned(&InboundMessage::parse_headers(part.bytes()));
                }
                _ => {}
            }
        }
        let headers = &message.headers;
        headers.all("In-Reply-To").for_each(|value| original.add_id(value));
        headers.all("References").for_each(|value| add_ids(&mut original.references, value));
        let visible = ["To", "Cc", "Resent-To"].iter().flat_map(|field| headers.addresses(field)).map(str::to_owned);
        original.came_to = visible.collect();
        for field in ENVELOPE {
            original.came_to.extend(headers.all(field).flat_map(addresses::in_text));
        }
        original.came_to.dedup();
        original
    }

    /// Takes what the header of a returned message tells.
    pub(super) fn returned(&mut self, headers: &Headers) {
        if let Some(id) = headers.get("Message-ID") {
            self.add_id(id);
        }
        let to = ["To", "Cc"].iter().flat_map(|field| headers.addresses(field)).map(str::to_owned);
        self.to.extend(to);
    }

    /// Every `<id>` in a field that names what this message answers or reports.
    pub(super) fn add_id(&mut self, value: &str) {
        add_ids(&mut self.ids, value);
    }
}

fn add_ids(ids: &mut Vec<String>, value: &str) {
    let mut rest = value;
    while let Some(start) = rest.find('<') {
        let Some(end) = rest[start..].find('>') else { break };
        let id = &rest[start..=start + end];
        let bare = !id.contains(char::is_whitespace) && id.len() > 3;
        if bare && ids.len() < 100 && !ids.iter().any(|other| other == id) {
            ids.push(id.to_owned());
        }
        rest = &rest[start + end + 1..];
    }
    // Some programs lose the brackets.
    if ids.is_empty() && value.contains('@') && !value.contains(char::is_whitespace) && !value.contains('<') {
        ids.push(format!("<{value}>"));
    }
}
