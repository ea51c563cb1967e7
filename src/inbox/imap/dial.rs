//! The connection: TCP with deadlines, TLS from the first byte or after STARTTLS, lines and literals of bounded length.

use super::response::{Response, announced};
use crate::campaign::{ImapServer, Tls};
use crate::fault::{Fault, Result};
use crate::outbox::smtp::trust;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::time::{Duration, Instant};

const CONNECT: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(60);
/// However steadily a server trickles: what is left then the next round reads.
const SESSION: Duration = Duration::from_secs(300);
/// The longest line of a response, without its literals.
const LINE: u64 = 64 << 10;
const LITERALS: usize = 16;

trait Stream: Read + Write + std::fmt::Debug {}
impl<T: Read + Write + std::fmt::Debug> Stream for T {}

#[derive(Debug)]
pub(super) struct Wire {
    stream: BufReader<Box<dyn Stream>>,
    host: String,
}

/// A connection that is over at a fixed moment.
#[derive(Debug)]
struct Bounded {
    tcp: TcpStream,
    until: Instant,
}

impl Bounded {
    /// How long the next read or write may take.
    fn patience(&self) -> std::io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()).min(SILENCE) {
            Duration::ZERO => Err(std::io::Error::new(std::io::ErrorKind::TimedOut, "it takes too long")),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.tcp.set_read_timeout(self.patience()?)?;
        self.tcp.read(buffer)
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.tcp.set_write_timeout(self.patience()?)?;
        self.tcp.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.tcp.flush()
    }
}

impl Wire {
    /// Connects, reads the greeting, and is encrypted where the server's URL says so.
    pub fn dial(server: &ImapServer, ca_file: Option<&Path>) -> Result<Wire> {
        let host = server.host.clone();
        let tcp = Bounded { tcp: connect(&host, server.port)?, until: Instant::now() + SESSION };
        let trust = match server.tls {
            Tls::None => None,
            _ => Some(trust(ca_file)?),
        };
        let encrypt = |tcp: Bounded| -> Result<Box<dyn Stream>> {
            let config = trust.clone().ok_or_else(|| lost(&host, "no TLS"))?;
            let name = ServerName::try_from(host.clone()).map_err(|error| lost(&host, &error.to_string()))?;
            let connection = ClientConnection::new(config, name).map_err(|error| lost(&host, &error.to_string()))?;
            Ok(Box::new(StreamOwned::new(connection, tcp)))
        };
        if server.tls == Tls::Implicit {
            let mut wire = Wire { stream: BufReader::new(encrypt(tcp)?), host };
            wire.greeting()?;
            return Ok(wire);
        }
        let again = Bounded { tcp: tcp.tcp.try_clone()?, until: tcp.until };
        let mut wire = Wire { stream: BufReader::new(Box::new(tcp)), host: host.clone() };
        wire.greeting()?;
        if server.tls == Tls::Required {
            wire.write(b"f0 STARTTLS\r\n")?;
            loop {
                let response = wire.response(0)?;
                match response.tagged("f0") {
                    Some(Ok(())) => break,
                    Some(Err(words)) => return Err(lost(&host, &format!("it refuses STARTTLS: {words}"))),
                    None => {}
                }
            }
            // What came in clear behind the answer was not said by whom the certificate will name.
            if !wire.stream.buffer().is_empty() {
                return Err(lost(&host, "it spoke on in clear after STARTTLS"));
            }
            wire.stream = BufReader::new(encrypt(again)?);
        }
        Ok(wire)
    }

    fn greeting(&mut self) -> Result<()> {
        let response = self.response(0)?;
        match response.line.starts_with("* OK") || response.line.starts_with("* PREAUTH") {
            true => Ok(()),
            false => Err(lost(&self.host, "it does not greet as an IMAP server")),
        }
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(bytes).and_then(|()| stream.flush()).map_err(|error| lost(&self.host, &error.to_string()))
    }

    /// The `+` after which an answer may be sent.
    pub fn await_go_ahead(&mut self) -> Result<()> {
        for _ in 0..100 {
            let response = self.response(0)?;
            if response.line.starts_with('+') {
                return Ok(());
            }
            if !response.line.starts_with("* ") {
                return Err(lost(&self.host, &format!("it says: {}", response.line)));
            }
        }
        Err(lost(&self.host, "it does not come to an end"))
    }

    /// One response whose literals together are at most `most` octets.
    pub fn response(&mut self, most: usize) -> Result<Response> {
        let mut response = Response::default();
        let mut room = most;
        loop {
            let mut line = Vec::new();
            let read = (&mut self.stream).take(LINE).read_until(b'\n', &mut line);
            read.map_err(|error| lost(&self.host, &error.to_string()))?;
            if line.last() != Some(&b'\n') {
                let what =
                    if line.len() as u64 == LINE { "a line of it has no end" } else { "it closed the connection" };
                return Err(lost(&self.host, what));
            }
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\r', '\n']);
            let Some(length) = announced(text) else {
                response.line.push_str(text);
                return Ok(response);
            };
            if length > room || response.literals.len() == LITERALS {
                return Err(lost(&self.host, "it sends more than was asked for"));
            }
            room -= length;
            let mut literal = Vec::new();
            let read = (&mut self.stream).take(length as u64).read_to_end(&mut literal);
            if read.map_err(|error| lost(&self.host, &error.to_string()))? < length {
                return Err(lost(&self.host, "it closed the connection"));
            }
            response.line.push_str(&text[..text.rfind('{').unwrap_or(text.len())]);
            response.line.push_str("{}");
            response.literals.push(literal);
        }
    }
}

fn connect(host: &str, port: u16) -> Result<TcpStream> {
    let mut last = "it has no address".to_owned();
    for address in (host, port).to_socket_addrs().map_err(|error| lost(host, &error.to_string()))? {
        match TcpStream::connect_timeout(&address, CONNECT) {
            Ok(tcp) => {
                tcp.set_nodelay(true)?;
                return Ok(tcp);
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(lost(host, &last))
}

fn lost(host: &str, why: &str) -> Fault {
    Fault::new(
        "imap",
        format!("{host}: {why}"),
        "see that the server runs and that [[intake.mailbox]] names it; the next intake goes on where this one stopped",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_trickles_on_is_left_when_the_session_is_over() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let trickle = std::thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            while client.write_all(b"x").is_ok() {}
        });
        let until = Instant::now() + Duration::from_millis(50);
        let mut bounded = Bounded { tcp: TcpStream::connect(address).unwrap(), until };
        let mut byte = [0];
        let error = std::iter::repeat_with(|| bounded.read(&mut byte)).find_map(Result::err).unwrap();
        assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
        assert!(Instant::now() >= until);
        drop(bounded);
        trickle.join().unwrap();
    }
}
