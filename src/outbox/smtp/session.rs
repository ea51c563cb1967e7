//! A session from the greeting until it may carry mail.

use super::capabilities::Capabilities;
use super::line::{Line, Wire};
use super::{Phase, Server, Trouble, auth, tls};
use crate::campaign::{Reuse, Tls};
use crate::outbox::Reply;
use lettre::transport::smtp::commands::{Ehlo, Quit, Starttls};
use tokio::time::Instant;

/// An open session, logged in where that was asked for.
#[derive(Debug)]
pub struct Session {
    pub(super) line: Line,
    pub(super) offers: Capabilities,
    pub(super) encrypted: bool,
    /// The last transaction did not end with an accepted message: RSET comes first.
    pub(super) soiled: bool,
    /// Nothing more can be said on this connection.
    pub(super) over: bool,
    /// Messages carried so far.
    pub(super) carried: usize,
    reuse: Reuse,
    /// When it last carried one.
    pub(super) last: Instant,
}

impl Session {
    /// `loopback`: the peer is this machine.
    pub async fn open(wire: Box<dyn Wire>, server: &Server, loopback: bool) -> Result<Session, Trouble> {
        let mut encrypted = false;
        let mut wire = wire;
        if server.tls == Tls::Implicit {
            wire = encrypt(wire, server).await?;
            encrypted = true;
        }
        let mut line = Line::new(wire, server.patience);
        welcome(line.hear(Phase::Greeting).await?)?;
        let mut offers = hello(&mut line, server).await?;
        let wanted = matches!(server.tls, Tls::Required | Tls::Opportunistic);
        if wanted && offers.starttls {
            line = starttls(line, server).await?;
            encrypted = true;
            // Nothing that was said in clear counts any more (RFC 3207 §4.2).
            offers = hello(&mut line, server).await?;
        } else if server.tls == Tls::Required {
            return Err(Trouble::NoStarttls);
        }
        if let Some(login) = &server.login {
            auth::log_in(&mut line, &offers, login, encrypted || loopback).await?;
        }
        let (reuse, last) = (server.reuse, Instant::now());
        Ok(Session { line, offers, encrypted, soiled: false, over: false, carried: 0, reuse, last })
    }

    /// Whether another message may go over it.
    pub fn is_usable(&self) -> bool {
        !self.over && self.carried < self.reuse.messages && self.last.elapsed() < self.reuse.idle
    }

    /// Says goodbye and does not insist on an answer: the messages are settled.
    pub async fn quit(mut self) {
        if !self.over {
            let _ = self.line.ask(Phase::Quit, &Quit.to_string()).await;
        }
    }
}

fn welcome(reply: Reply) -> Result<(), Trouble> {
    match reply.code {
        220 => Ok(()),
        _ if reply.is_transient() || reply.is_permanent() => Err(Trouble::Turned(Phase::Greeting, reply)),
        _ => Err(Trouble::OutOfStep(Phase::Greeting, reply)),
    }
}

/// EHLO, or HELO for a server that knows no better (RFC 5321 §3.2).
async fn hello(line: &mut Line, server: &Server) -> Result<Capabilities, Trouble> {
    let reply = line.ask(Phase::Hello, &Ehlo::new(server.hello.clone()).to_string()).await?;
    match reply.code {
        250 => return Ok(Capabilities::read(&reply)),
        500 | 501 | 502 | 504 => {}
        _ if reply.is_transient() || reply.is_permanent() => return Err(Trouble::Turned(Phase::Hello, reply)),
        _ => return Err(Trouble::OutOfStep(Phase::Hello, reply)),
    }
    let reply = line.ask(Phase::Hello, &format!("HELO {}\r\n", server.hello)).await?;
    if reply.code == 250 { Ok(Capabilities::default()) } else { Err(Trouble::Turned(Phase::Hello, reply)) }
}

async fn starttls(mut line: Line, server: &Server) -> Result<Line, Trouble> {
    let reply = line.ask(Phase::Starttls, &Starttls.to_string()).await?;
    if reply.code != 220 {
        // A server that offers TLS and takes it back is no server to go on with in clear.
        return Err(Trouble::Turned(Phase::Starttls, reply));
    }
    if line.has_unread() {
        return Err(Trouble::EarlyPlaintext);
    }
    Ok(Line::new(encrypt(line.into_wire(), server).await?, server.patience))
}

async fn encrypt(wire: Box<dyn Wire>, server: &Server) -> Result<Box<dyn Wire>, Trouble> {
    let Some(trust) = server.trust.clone() else {
        return Err(Trouble::Tls { words: "no certificate is trusted".into() });
    };
    tls::wrap(wire, trust, &server.host, server.patience).await
}
