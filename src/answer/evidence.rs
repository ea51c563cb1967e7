//! Evidence: one recorded fact about a person, and the highest grade such a fact can prove.

use crate::campaign::Grade;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What happened. The kind alone decides the grade: nobody can record a fact above what it proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The server answered 250 to the notice.
    Sent,
    /// A success DSN (RFC 3464, `Action: delivered`).
    DsnDelivered,
    /// A failure DSN that will not go away, or a 5xx at sending.
    HardBounce,
    /// A failure DSN that may.
    SoftBounce,
    /// Our message did not leave, for a reason that says nothing of the person's address.
    Unsent,
    /// RFC 3834: a machine answered.
    AutoReply,
    /// A read receipt (RFC 8098).
    Displayed,
    /// The person wrote back, without the code or the word asked for.
    Reply,
    /// The person typed the word asked for, or their mailbox name on the confirm page.
    Confirmed,
    /// The code that stands only inside the package came back.
    Code,
    /// The person said no.
    Declined,
    /// The person asked something.
    Question,
    /// Whoever has the link asks for help on the confirm page. No more than that: it may be anybody.
    HelpAsked,
    /// Likewise: says that the notice reached somebody else than was meant.
    NotMe,
    /// Likewise: says that somebody else does it, and names them.
    Delegated,
    /// An operator heard the answer and vouches for it.
    Operator,
    /// The serial number read back matches (compared as normalised).
    SerialMatches,
    /// The serial number read back is another one.
    SerialDiffers,
    /// The person's mailbag is drained, by the files themselves.
    Drained,
    /// Seen, and not drained; or not to be seen at all.
    NotDrained,
    /// An operator states what the program cannot see. Counted apart from what it saw.
    Attested,
}

impl Kind {
    /// The highest grade that this fact proves.
    pub fn proves(self) -> Grade {
        match self {
            Kind::Sent => Grade::Sent,
            Kind::DsnDelivered | Kind::Reply | Kind::Declined | Kind::Question => Grade::Delivered,
            Kind::Displayed => Grade::Read,
            Kind::Confirmed | Kind::Operator => Grade::Confirmed,
            Kind::Code => Grade::Possessed,
            Kind::SerialMatches | Kind::Drained => Grade::Observed,
            Kind::HardBounce
            | Kind::SoftBounce
            | Kind::Unsent
            | Kind::AutoReply
            | Kind::HelpAsked
            | Kind::NotMe
            | Kind::Delegated
            | Kind::SerialDiffers
            | Kind::NotDrained
            | Kind::Attested => Grade::None,
        }
    }

    /// In a sentence that starts with the person.
    pub fn words(self) -> &'static str {
        match self {
            Kind::Sent => "was sent the notice",
            Kind::DsnDelivered => "has the notice in the mailbox",
            Kind::HardBounce => "cannot be reached by mail",
            Kind::SoftBounce => "could not be reached for now",
            Kind::Unsent => "was not sent our message",
            Kind::AutoReply => "has an automatic reply on",
            Kind::Displayed => "opened the notice",
            Kind::Reply => "wrote back without the code",
            Kind::Confirmed => "confirmed",
            Kind::Code => "sent the code from the package",
            Kind::Declined => "declined",
            Kind::Question => "asked a question",
            Kind::HelpAsked => "asks for help",
            Kind::NotMe => "is not who was reached",
            Kind::Delegated => "has somebody else do it",
            Kind::Operator => "answered an operator",
            Kind::SerialMatches => "read the new serial number back",
            Kind::SerialDiffers => "read another serial number back",
            Kind::Drained => "has nothing left in the mailbag",
            Kind::NotDrained => "was not seen to be drained",
            Kind::Attested => "is vouched for by an operator",
        }
    }
}

/// One recorded fact. Only ever added; a revocation is a fact of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub person: String,
    /// The acknowledgement it counts for.
    pub acknowledgement: String,
    /// The revision of the facts that the person answered.
    pub revision: u32,
    pub kind: Kind,
    /// The operator who recorded it; absent when the program saw it itself.
    pub by: Option<String>,
    /// Words: the note, the server's reply, what was seen. A line that begins with `# ` is for the program.
    pub detail: String,
    pub revoked: bool,
    /// Where our letter went that it speaks of, where it is known to speak of one.
    #[serde(skip)]
    pub address: Option<String>,
}

impl Evidence {
    /// What people read of it.
    pub fn words(&self) -> String {
        self.detail.lines().filter(|line| !line.starts_with("# ")).collect::<Vec<_>>().join("\n")
    }

    pub fn grade(&self) -> Grade {
        if self.revoked { Grade::None } else { self.kind.proves() }
    }
}
