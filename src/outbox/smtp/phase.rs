//! The phases of a conversation, and how long each may last.

use std::fmt;
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    Connect,
    Handshake,
    Greeting,
    Hello,
    Starttls,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The message before its last block.
    Body,
    /// The last block with the final dot, and the answer to it.
    Dot,
    Reset,
    Quit,
}

impl Phase {
    /// RFC 5321 §4.5.3.2; connecting and leaving are our own. Three minutes are granted to each block of a body, and ten to
    /// the answer that hands over responsibility: giving up earlier makes doubles.
    pub fn deadline(self) -> Duration {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        match self {
            Phase::Connect | Phase::Handshake => Duration::from_secs(30),
            Phase::Greeting | Phase::Hello | Phase::Starttls | Phase::Auth => minutes(5),
            Phase::Mail | Phase::Rcpt | Phase::Reset => minutes(5),
            Phase::Data => minutes(2),
            Phase::Body => minutes(3),
            Phase::Dot => minutes(10),
            Phase::Quit => Duration::from_secs(2),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Phase::Connect => "the call",
            Phase::Handshake => "the TLS handshake",
            Phase::Greeting => "the greeting",
            Phase::Hello => "EHLO",
            Phase::Starttls => "STARTTLS",
            Phase::Auth => "AUTH",
            Phase::Mail => "MAIL",
            Phase::Rcpt => "RCPT",
            Phase::Data => "DATA",
            Phase::Body => "the message",
            Phase::Dot => "the end of the message",
            Phase::Reset => "RSET",
            Phase::Quit => "QUIT",
        })
    }
}
