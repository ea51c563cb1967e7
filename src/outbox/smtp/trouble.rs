//! What can be wrong with a connection, as opposed to a message.

use super::Phase;
use crate::fault::Finding;
use crate::outbox::Reply;
use crate::outbox::reply::Malformed;
use std::fmt;
use std::io::ErrorKind;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// No address for the host.
    Unresolved {
        words: String,
    },
    /// No connection to any of its addresses.
    Unreachable {
        kind: ErrorKind,
        words: String,
    },
    /// The deadline of a phase passed.
    Silent(Phase),
    /// The connection ended, perhaps in the middle of a reply.
    Closed(Phase),
    /// Bytes that are no reply.
    Garbled(Phase, Malformed),
    /// A reply that cannot stand there, or that nobody asked for.
    OutOfStep(Phase, Reply),
    /// The server says that it will not go on: 421, or a refusal of RSET, before the first message, or of any sender now.
    Turned(Phase, Reply),
    /// TLS is required and not offered: a server without it, or somebody in between who took the offer away.
    NoStarttls,
    /// Bytes in clear behind the answer to STARTTLS: somebody in between put them there.
    EarlyPlaintext,
    Certificate(BadCertificate),
    /// The handshake failed for another reason.
    Tls {
        words: String,
    },
    /// A password would have to go over the network in clear.
    ClearPassword,
    /// None of the mechanisms offered is known here.
    NoMechanism {
        offered: String,
        usable: &'static str,
    },
    WrongPassword(Reply),
    /// The password is refused, and `password_command` gave no other.
    NoPassword {
        refusal: Reply,
        words: String,
    },
    /// Mail from this sender, or without a login, is refused whoever the recipient is.
    SenderRefused(Reply),
    /// Not the connection's own: a file of the message could not be read, and half a message ends it.
    Unread(Finding),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadCertificate {
    Expired,
    NotYetValid,
    UnknownIssuer,
    OtherName,
    Other { words: String },
}

impl Trouble {
    /// Trying again will not help, and may lock an account: the run ends at once.
    pub fn is_final(&self) -> bool {
        use Trouble::*;
        matches!(
            self,
            NoStarttls
                | EarlyPlaintext
                | Certificate(_)
                | ClearPassword
                | NoMechanism { .. }
                | WrongPassword(_)
                | NoPassword { .. }
        )
    }

    /// How a server ends a connection that it has had enough of, before it has heard of the next message: it hangs up, says
    /// that time is up (X.4.2), or will not begin anew. Any other 421 asks to be slower.
    pub fn is_a_farewell(&self) -> bool {
        match self {
            Trouble::Closed(phase) => matches!(phase, Phase::Reset | Phase::Mail),
            Trouble::Turned(Phase::Reset, reply) if reply.code != 421 => true,
            Trouble::Turned(Phase::Reset | Phase::Mail, reply) => {
                reply.enhanced.is_some_and(|enhanced| (enhanced.subject, enhanced.detail) == (4, 2))
            }
            _ => false,
        }
    }

    /// In a message's own transaction: it may be what the message does to the server, or to something in between. A
    /// refused sender, a farewell or a file that cannot be read is not.
    pub fn may_be_the_message(&self) -> bool {
        use Trouble::*;
        matches!(self, Silent(_) | Closed(_) | Garbled(..) | OutOfStep(..))
    }

    /// As a complaint about `server` (host and port).
    pub fn finding(&self, server: &str) -> Finding {
        if let Trouble::Unread(finding) = self {
            return finding.clone();
        }
        let (code, remedy) = self.advice();
        Finding::error(code, format!("{server}: {self}"), remedy)
    }

    fn advice(&self) -> (&'static str, &str) {
        use Trouble::*;
        match self {
            Unresolved { .. } => {
                ("smtp-unresolved", "correct the host in [mail] transport, or see to this machine's name service")
            }
            Unreachable { kind: ErrorKind::ConnectionRefused, .. } => {
                ("smtp-refused", "correct host and port in [mail] transport, or start the mail server")
            }
            Unreachable { .. } => ("smtp-unreachable", "see whether a firewall or a missing route lies in between"),
            Silent(Phase::Connect) => ("smtp-unreachable", "see whether a firewall or a missing route lies in between"),
            Silent(Phase::Greeting) => (
                "smtp-silent",
                "look at the mail server's load and log; where the port speaks TLS from the first byte, as 465 does, write \
                 smtps:// instead of smtp:// into [mail] transport",
            ),
            Silent(_) => ("smtp-silent", "look at the mail server's load and log, then run the command again"),
            Closed(_) => ("smtp-closed", "look into the mail server's log for the reason, then run the command again"),
            Garbled(..) | OutOfStep(..) => (
                "smtp-garbled",
                "make sure that a mail server listens there, and nothing in between alters its answers",
            ),
            Turned(Phase::Starttls, ..) => (
                "smtp-turned-away",
                "the server cannot do TLS now: look into its log and at its certificate, then run the command again",
            ),
            Turned(..) => {
                ("smtp-turned-away", "wait, or lower [mail] connections and rate, then run the command again")
            }
            NoStarttls => (
                "smtp-no-starttls",
                "use the server's TLS port (smtps://), or find out who removes the offer; tls=none only on a trusted wire",
            ),
            EarlyPlaintext => (
                "smtp-injection",
                "somebody between here and the server alters the connection: use smtps:// and tell the network's administrator",
            ),
            Certificate(BadCertificate::Expired) => {
                ("smtp-certificate-expired", "have the server's certificate renewed, or set this machine's clock right")
            }
            Certificate(BadCertificate::NotYetValid) => {
                ("smtp-certificate-early", "set this machine's clock right, or have the server's certificate corrected")
            }
            Certificate(BadCertificate::UnknownIssuer) => (
                "smtp-certificate-issuer",
                "name the issuer's certificate, or the server's own, in [mail] ca_file (PEM)",
            ),
            Certificate(BadCertificate::OtherName) => {
                ("smtp-certificate-name", "write the host into [mail] transport as the certificate names it")
            }
            Certificate(BadCertificate::Other { .. }) => {
                ("smtp-certificate", "show these words to the administrator of the mail server")
            }
            Tls { .. } => {
                ("smtp-tls", "make sure that the port speaks TLS: smtps:// at 465, smtp:// with STARTTLS at 587")
            }
            ClearPassword => {
                ("smtp-clear-password", "use tls=required or smtps://; a password never goes out in clear")
            }
            NoMechanism { .. } => (
                "smtp-no-auth",
                "use the submission port (587 or 465) or another auth= in [mail] transport, or leave the user out",
            ),
            WrongPassword(_) => (
                "smtp-password",
                "correct the user or the password (for XOAUTH2: the access token, which expires), then run the command again",
            ),
            NoPassword { .. } => (
                "password-command",
                "run the command by hand in the campaign's folder and see why, then run this again",
            ),
            SenderRefused(_) => (
                "smtp-sender-refused",
                "log in as somebody who may send as [mail] from and bounce_to, or correct these",
            ),
            Unread(finding) => (finding.code, &finding.remedy),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use Trouble::*;
        match self {
            Unresolved { words } => write!(f, "the name cannot be resolved ({words})"),
            Unreachable { words, .. } => write!(f, "no connection ({words})"),
            Silent(phase) => write!(f, "no answer in time to {phase}"),
            Closed(phase) => write!(f, "the connection ended at {phase}"),
            Garbled(phase, how) => write!(f, "the answer to {phase} is no SMTP reply: {how}"),
            OutOfStep(phase, reply) => write!(f, "the answer to {phase} makes no sense: {reply}"),
            Turned(phase, reply) => write!(f, "turned away at {phase}: {reply}"),
            NoStarttls => f.write_str("TLS is required, and the server does not offer STARTTLS"),
            EarlyPlaintext => f.write_str("bytes in clear came between STARTTLS and TLS; nothing was sent"),
            Certificate(bad) => bad.fmt(f),
            Tls { words } => write!(f, "TLS failed: {words}"),
            ClearPassword => f.write_str("the connection is not encrypted, and a user is to log in"),
            NoMechanism { offered, .. } if offered.is_empty() => f.write_str("the server offers no login"),
            NoMechanism { offered, usable } => {
                write!(f, "the server offers the logins {offered}; usable here: {usable}")
            }
            WrongPassword(reply) => write!(f, "the login is refused: {reply}"),
            NoPassword { refusal, words } => write!(f, "the login is refused ({refusal}), and {words}"),
            SenderRefused(reply) => write!(f, "the sender is refused: {reply}"),
            Unread(finding) => f.write_str(&finding.cause),
        }
    }
}

impl fmt::Display for BadCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadCertificate::Expired => f.write_str("the server's certificate has expired"),
            BadCertificate::NotYetValid => f.write_str("the server's certificate is not valid yet"),
            BadCertificate::UnknownIssuer => f.write_str("the server's certificate comes from an unknown issuer"),
            BadCertificate::OtherName => f.write_str("the server's certificate is for another name"),
            BadCertificate::Other { words } => write!(f, "the server's certificate is refused: {words}"),
        }
    }
}
