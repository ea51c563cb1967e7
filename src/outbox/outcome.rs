//! How one attempt ended.

use super::smtp::Phase;
use super::{Event, Reply, Sender, retry};
use crate::fault::{Fault, Finding};
use chrono::{DateTime, Utc};
use std::fmt;
use std::path::PathBuf;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Code 250 to the dot.
    Sent {
        reply: Reply,
    },
    /// The file transport has it in place.
    Stored {
        file: PathBuf,
    },
    /// A complete 4xx: again at `until`. Uses an attempt, unless it is 421.
    Deferred {
        reply: Reply,
        until: DateTime<Utc>,
    },
    Failed {
        refusal: Refusal,
    },
    /// The reply to the dot was lost: nobody knows.
    Uncertain {
        why: String,
    },
    /// Given back: the run ended, or something that concerns every message is in the way.
    Released {
        why: String,
    },
    /// The connection ended before the mark, more than once with this message on it: others go first. Uses an attempt
    /// where it `may_be_the_message`.
    Broken {
        why: String,
        remedy: String,
        until: DateTime<Utc>,
        may_be_the_message: bool,
    },
    /// The quiet hours of whoever gets it have begun: nobody is written to before `until`.
    Asleep {
        until: DateTime<Utc>,
    },
    /// Past its own expiry before anything was sent.
    Late,
    /// Not needed any more at the instant of sending, and why.
    Moot {
        why: String,
    },
}

/// Who refused, and in which words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A complete 5xx.
    Server { phase: Phase, reply: Reply },
    /// The last of many 4xx, or the last one before the message's own expiry.
    GaveUp { attempts: u32, phase: Phase, reply: Reply },
    /// A complete 5xx about the sender, while another one is accepted.
    Sender { sender: Sender, reply: Reply },
    /// The connection failed each time that this message was on its way, before the mark.
    Unfinished { attempts: u32, why: String },
    /// It must not leave as it is.
    Message(Unsendable),
}

/// Why this program does not send a message to this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unsendable {
    /// A CR or LF alone, counted in bytes from the message's start (RFC 5321 §2.3.8).
    BareLineEnd { offset: u64 },
    /// A line above 998 bytes (RFC 5322 §2.1.1), by its number from 1.
    LongLine { line: u64 },
    /// A byte above 127 in a message that claims to have none.
    EightBit { offset: u64 },
    /// The bytes written are not as many as were promised.
    WrongSize { promised: u64, written: u64 },
    /// Above the server's SIZE (RFC 1870).
    TooLarge { size: u64, limit: u64 },
    /// The server does not offer an extension that the address or the message needs.
    NeedsExtension { keyword: &'static str },
    /// A domain that has no ASCII form (RFC 5890).
    BadDomain,
    /// An attachment is missing, changed or unreadable; in the words of who reads it.
    Unreadable { cause: String, remedy: String },
    /// Another message stands under this one's file name.
    Occupied { file: PathBuf },
}

/// Why the bytes of a message could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unwritten {
    /// It must not leave as it is.
    Message(Unsendable),
    /// A disk or a share failed while a file was read. The message may be sound.
    Machine(Finding),
}

impl From<Unsendable> for Unwritten {
    fn from(unsendable: Unsendable) -> Self {
        Unwritten::Message(unsendable)
    }
}

impl From<Fault> for Unwritten {
    /// In the words of whoever could not read it.
    fn from(fault: Fault) -> Self {
        match fault.findings.into_iter().next() {
            Some(finding) if finding.code == "io" => Unwritten::Machine(finding),
            finding => {
                let (cause, remedy) = finding.map(|finding| (finding.cause, finding.remedy)).unwrap_or_default();
                Unsendable::Unreadable { cause, remedy }.into()
            }
        }
    }
}

impl Outcome {
    /// What happens to the message.
    pub fn event(&self) -> Event {
        match self {
            Outcome::Sent { .. } => Event::Accept,
            Outcome::Stored { .. } => Event::Store,
            Outcome::Deferred { .. } => Event::Defer,
            Outcome::Failed { .. } => Event::Refuse,
            Outcome::Uncertain { .. } => Event::Doubt,
            Outcome::Released { .. } | Outcome::Broken { .. } | Outcome::Asleep { .. } => Event::Release,
            Outcome::Late => Event::Hold,
            Outcome::Moot { .. } => Event::Cancel,
        }
    }

    /// Whether the message was judged, or merely found the way barred.
    pub fn uses_an_attempt(&self) -> bool {
        match self {
            Outcome::Released { .. } | Outcome::Asleep { .. } | Outcome::Late | Outcome::Moot { .. } => false,
            Outcome::Broken { may_be_the_message, .. } => *may_be_the_message,
            // The server closes, whoever the message is for.
            Outcome::Deferred { reply, .. } => reply.code != 421,
            _ => true,
        }
    }

    /// When it is due again, where this outcome says so.
    pub fn due(&self) -> Option<DateTime<Utc>> {
        match self {
            Outcome::Deferred { until, .. } | Outcome::Broken { until, .. } | Outcome::Asleep { until } => Some(*until),
            _ => None,
        }
    }

    /// What a person can do about it: at once, or where it is put off time after time.
    pub fn remedy(&self) -> Option<String> {
        match self {
            Outcome::Deferred { reply, .. } => Some(retry::if_it_goes_on(reply).to_owned()),
            Outcome::Broken { remedy, .. } => Some(remedy.clone()),
            Outcome::Failed { refusal } => Some(refusal.remedy()),
            Outcome::Late => Some("`flagday send --to failed` sends it late all the same".to_owned()),
            _ => None,
        }
    }
}

impl Refusal {
    /// Whether it says that the person cannot be reached at this address. What is wrong with a file, a size, a policy, the
    /// sender, a relay or the connection says nothing of the kind.
    pub fn is_of_the_recipient(&self) -> bool {
        match self {
            Refusal::Server { phase, reply } | Refusal::GaveUp { phase, reply, .. } => {
                reply.is_of_the_recipient(*phase == Phase::Rcpt)
            }
            Refusal::Sender { .. } | Refusal::Unfinished { .. } => false,
            Refusal::Message(unsendable) => matches!(unsendable, Unsendable::BadDomain),
        }
    }

    /// One word or code for counting alike failures together.
    pub fn class(&self) -> String {
        match self {
            Refusal::Server { reply, .. } | Refusal::GaveUp { reply, .. } | Refusal::Sender { reply, .. } => {
                reply.class()
            }
            Refusal::Unfinished { .. } => "connection-lost".to_owned(),
            Refusal::Message(unsendable) => unsendable.code().to_owned(),
        }
    }

    /// What a person can do about it.
    pub fn remedy(&self) -> String {
        match self {
            Refusal::Server { reply, .. } => retry::advice(reply).to_owned(),
            Refusal::Sender { sender, .. } => sender.remedy().to_owned(),
            Refusal::GaveUp { .. } => retry::PATIENCE_IS_OVER.to_owned(),
            Refusal::Unfinished { .. } => {
                "look into the mail server's log: it, or something in between, ends the connection with this message"
                    .into()
            }
            Refusal::Message(unsendable) => unsendable.remedy(),
        }
    }
}

impl Unsendable {
    /// A stable code, as findings have.
    pub fn code(&self) -> &'static str {
        match self {
            Unsendable::BareLineEnd { .. } => "message-line-end",
            Unsendable::LongLine { .. } => "message-long-line",
            Unsendable::EightBit { .. } => "message-8bit",
            Unsendable::WrongSize { .. } => "message-changed",
            Unsendable::TooLarge { .. } => "message-too-large",
            Unsendable::NeedsExtension { .. } => "server-lacks-extension",
            Unsendable::BadDomain => "address-domain",
            Unsendable::Unreadable { .. } => "message-unreadable",
            Unsendable::Occupied { .. } => "outbox-name-taken",
        }
    }

    fn remedy(&self) -> String {
        match self {
            Unsendable::BareLineEnd { .. } | Unsendable::LongLine { .. } | Unsendable::EightBit { .. } => {
                "run `preview` for this person and see which template or header brings it in".into()
            }
            Unsendable::WrongSize { .. } => "run `build --verify`: a package has changed since it was planned".into(),
            Unsendable::TooLarge { .. } => {
                "send a smaller package, or ask the server's administrator for a higher limit".into()
            }
            Unsendable::NeedsExtension { .. } => {
                "give the person an address in ASCII, or use a server that offers the extension".into()
            }
            Unsendable::BadDomain => "correct the address in the roster".into(),
            Unsendable::Unreadable { remedy, .. } => remedy.clone(),
            Unsendable::Occupied { .. } => "move that file away, then run `send --to failed`".into(),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Sent { reply } | Outcome::Deferred { reply, .. } => reply.fmt(f),
            Outcome::Stored { file } => write!(f, "stored as {}", file.display()),
            Outcome::Failed { refusal } => refusal.fmt(f),
            Outcome::Uncertain { why }
            | Outcome::Released { why }
            | Outcome::Broken { why, .. }
            | Outcome::Moot { why } => f.write_str(why),
            Outcome::Asleep { .. } => f.write_str("quiet hours have begun"),
            Outcome::Late => f.write_str("past its expiry before it was sent"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Server { phase, reply } => write!(f, "{reply} (to {phase})"),
            Refusal::Sender { reply, .. } => write!(f, "{reply} (the sender is refused)"),
            Refusal::GaveUp { attempts, reply, .. } => write!(f, "{reply} (given up at attempt {attempts})"),
            Refusal::Unfinished { attempts, why } => write!(f, "{why} (each time, given up at attempt {attempts})"),
            Refusal::Message(unsendable) => unsendable.fmt(f),
        }
    }
}

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unsendable::BareLineEnd { offset } => write!(f, "a CR or LF stands alone at byte {offset} of the message"),
            Unsendable::LongLine { line } => write!(f, "line {line} of the message has more than 998 bytes"),
            Unsendable::EightBit { offset } => {
                write!(f, "an 8-bit character stands at byte {offset} of a 7-bit message")
            }
            Unsendable::WrongSize { promised, written } => {
                write!(f, "the message should have {promised} bytes and came to {written}")
            }
            Unsendable::TooLarge { size, limit } => {
                write!(f, "the message has {size} bytes; the server takes up to {limit}")
            }
            Unsendable::NeedsExtension { keyword } => write!(f, "the server does not offer {keyword}"),
            Unsendable::BadDomain => f.write_str("the address's domain is no name that DNS can hold"),
            Unsendable::Unreadable { cause, .. } => f.write_str(cause),
            Unsendable::Occupied { file } => write!(f, "{} holds another message", file.display()),
        }
    }
}
