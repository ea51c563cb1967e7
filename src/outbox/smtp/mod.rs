//! SMTP as a client (RFC 5321): one connection, one message at a time, each phase known by name.
//!
//! lettre gives the words: addresses, MAIL and RCPT with their parameters, EHLO, AUTH. The conversation is our own, since
//! lettre's connection takes a message only as a whole, keeps what an attacker sends in clear after STARTTLS, accepts any
//! 2xx or 3xx as delivery, forgets the EHLO keywords that streaming needs, and has no deadline for an answer.

mod auth;
mod capabilities;
mod dial;
mod envelope;
mod line;
mod phase;
mod pinned;
mod probe;
mod session;
mod tls;
mod transaction;
mod transparency;
mod trouble;

pub use phase::Phase;
pub use probe::{Load, probe};
pub(super) use session::Session;
pub use tls::trust;
pub(super) use transaction::Verdict;
pub use trouble::{BadCertificate, Trouble};

use super::{Password, Reply};
use crate::campaign::{Auth, Reuse, SmtpServer, Tls};
use crate::fault::{Fault, Result};
use lettre::transport::smtp::extension::ClientId;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// A mail server, with all it takes to speak to it.
#[derive(Debug, Clone)]
pub struct Server {
    host: String,
    port: u16,
    tls: Tls,
    login: Option<Login>,
    /// Absent where no TLS is wanted.
    trust: Option<Arc<rustls::ClientConfig>>,
    hello: ClientId,
    /// No phase lasts longer, whatever RFC 5321 grants it.
    patience: Duration,
    pub(in crate::outbox) reuse: Reuse,
}

#[derive(Debug, Clone)]
struct Login {
    user: String,
    password: Password,
    auth: Option<Auth>,
    /// Shared by all connections.
    proof: Arc<Mutex<Proof>>,
}

/// What is known of a password so far.
#[derive(Debug, Default)]
enum Proof {
    #[default]
    Untried,
    Accepted,
    /// Final: another try could lock the account.
    Refused(Reply),
}

impl Login {
    fn new(user: &str, password: Password, auth: Option<Auth>) -> Login {
        Login { user: user.to_owned(), password, auth, proof: Arc::default() }
    }
}

impl Server {
    /// `ca_file`: PEM certificates to trust beside the system's.
    pub fn new(smtp: &SmtpServer, ca_file: Option<&Path>, password: Option<Password>) -> Result<Server> {
        let login = match (&smtp.user, password) {
            (Some(user), Some(password)) => Some(Login::new(user, password, smtp.auth)),
            (None, None) => None,
            (Some(user), None) => {
                let cause = format!("the transport names the user {user}, and no password is given");
                return Err(Fault::new("password-missing", cause, "set password_env or password_command in [mail]"));
            }
            (None, Some(_)) => {
                let remedy = "write the user into the transport, as smtp://user@host";
                return Err(Fault::new("user-missing", "a password is given, and the transport names no user", remedy));
            }
        };
        let trust = if smtp.tls == Tls::None { None } else { Some(tls::trust(ca_file)?) };
        let (host, port, tls) = (smtp.host.clone(), smtp.port, smtp.tls);
        let (hello, patience, reuse) = (ClientId::default(), Duration::MAX, Reuse::default());
        Ok(Server { host, port, tls, login, trust, hello, patience, reuse })
    }

    /// The same server, with connections that serve so long.
    pub fn reusing(self, reuse: Reuse) -> Server {
        Server { reuse, ..self }
    }

    /// The same server for somebody who will not wait ten minutes.
    fn within(&self, patience: Duration) -> Server {
        Server { patience, ..self.clone() }
    }

    /// `host:port`, for messages.
    pub fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Where sessions come from.
pub(super) trait Dial {
    async fn open(&self) -> std::result::Result<Session, Trouble>;

    /// For messages.
    fn name(&self) -> String;

    /// After so long without a message a session is to be closed.
    fn idle(&self) -> Duration;
}

impl Dial for Server {
    async fn open(&self) -> std::result::Result<Session, Trouble> {
        let (wire, loopback) = dial::dial(self).await?;
        Session::open(wire, self, loopback).await
    }

    fn name(&self) -> String {
        Server::name(self)
    }

    fn idle(&self) -> Duration {
        self.reuse.idle
    }
}

#[cfg(test)]
pub(super) mod script;
#[cfg(test)]
mod tests;
