//! How mail leaves and comes in, as a campaign states it: transport, limits, signatures, mailboxes, pages.

use crate::campaign::Network;
use crate::fault::Place;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Clone)]
pub struct Mail {
    /// `Name <address>` or a plain address, already checked.
    pub from: lettre::message::Mailbox,
    pub transport: Transport,
    /// Where people's replies go; `{token}` stands for the person's token.
    pub reply_to: Option<String>,
    /// The envelope sender; `{token}` stands for the person's token. Absent: the address in `from`.
    pub bounce_to: Option<String>,
    /// Of this program to the server, at a time.
    pub connections: usize,
    /// Over all connections.
    pub rate: Option<Rate>,
    pub domains: DomainLimits,
    pub reuse: Reuse,
    pub uncertain: Uncertain,
    /// Certificates to trust beside the system's: a PEM file.
    pub ca_file: Option<PathBuf>,
    /// Where the password for the transport comes from. The password itself is never kept, printed or logged.
    pub password: Option<PasswordSource>,
    pub dkim: Option<Dkim>,
}

/// How long one connection serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// `messages_per_connection`: then a fresh one, as servers and the balancers before them count on.
    pub messages: usize,
    /// `idle`: it is closed when so long nothing was to be sent.
    pub idle: Duration,
}

impl Default for Reuse {
    fn default() -> Self {
        // Servers wait five minutes for a command (RFC 5321 section 4.5.3.2.7), the busy ones less.
        Reuse { messages: 1000, idle: Duration::from_secs(60) }
    }
}

/// `[mail.domain."example.com"]` and `[mail.domain."*"]`: how much the recipients' domains bear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DomainLimits {
    /// By name in lower case and ASCII (RFC 5890).
    pub named: IndexMap<String, DomainLimit>,
    /// `"*"`: for each domain that is not named, counted by itself.
    pub others: Option<DomainLimit>,
}

/// For mail to one domain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DomainLimit {
    /// Connections that carry mail to it at a time; absent: as many as there are.
    pub connections: Option<usize>,
    pub rate: Option<Rate>,
}

impl DomainLimits {
    /// `domain` in lower case and ASCII.
    pub fn of(&self, domain: &str) -> Option<&DomainLimit> {
        self.named.get(domain).or(self.others.as_ref())
    }
}

/// `[mail.dkim]`: the signature under every message (RFC 6376).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dkim {
    pub domain: String,
    pub selector: String,
    /// Absolute path of the private key, PEM.
    pub key_file: PathBuf,
}

/// One `[[intake.mailbox]]`.
#[derive(Debug, Clone)]
pub struct IntakeMailbox {
    pub kind: MailboxKind,
    pub place: Place,
}

impl IntakeMailbox {
    /// What it is called by: its path, or [`ImapServer::name`].
    pub fn name(&self) -> String {
        match &self.kind {
            MailboxKind::Maildir(path) | MailboxKind::Mbox(path) => path.display().to_string(),
            MailboxKind::Imap(server) => server.name(),
        }
    }
}

/// How a mailbox is kept. Paths are absolute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxKind {
    Maildir(PathBuf),
    Mbox(PathBuf),
    Imap(ImapServer),
}

/// An IMAP URL taken apart (RFC 5092): `imaps://user@host:port/FOLDER`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapServer {
    pub host: String,
    pub port: u16,
    pub user: String,
    /// Default: INBOX.
    pub folder: String,
    /// [`Tls::Implicit`] for `imaps://`; [`Tls::None`] for `imap://`, which only a loopback host may have.
    pub tls: Tls,
    pub password: PasswordSource,
}

impl ImapServer {
    /// `imap://user@host/folder`: what letters and the cursor are called by.
    pub fn name(&self) -> String {
        format!("imap://{}@{}/{}", self.user, self.host, self.folder)
    }
}

/// `[web]`: the confirm page and the dashboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Web {
    pub listen: SocketAddr,
    /// What links in mails point to; without a slash at the end.
    pub public_url: Option<String>,
    /// Whose `X-Forwarded-For` is believed.
    pub proxies: Vec<Network>,
    /// Which key the links are made with: another number makes every link that is out worthless.
    pub link_key: u8,
}

impl Web {
    /// Host and port of the public address, as a browser names them in `Host`.
    pub fn public_host(&self) -> Option<&str> {
        let (_, rest) = self.public_url.as_deref()?.split_once("://")?;
        rest.split('/').next()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// One `.eml` per message in `.flagday/outbox/`.
    File,
    Smtp(SmtpServer),
}

/// An SMTP URL taken apart: `smtp://user@host:port?tls=required`, `smtps://…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpServer {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub tls: Tls,
    /// `?auth=…`; absent: the first of these that the server offers.
    pub auth: Option<Auth>,
}

/// How a user logs in (RFC 4954).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    Plain,
    Login,
    /// With an OAuth 2.0 access token in place of a password.
    Xoauth2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// TLS from the first byte (`smtps://`, RFC 8314).
    Implicit,
    /// STARTTLS or nothing is sent (`?tls=required`).
    Required,
    /// STARTTLS where the server offers it (`?tls=opportunistic`).
    Opportunistic,
    /// Clear text (`?tls=none`, and the default for a loopback address).
    None,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PasswordSource {
    /// The name of an environment variable.
    Env(String),
    /// A command whose first line of output is the password.
    Command(String),
}

/// So many messages in so long a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    pub count: u32,
    pub per: Duration,
}

/// What becomes of a message whose acceptance is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Uncertain {
    Retry,
    Hold,
}
