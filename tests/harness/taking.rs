//! A mail server that takes mail, but for the recipients that its rule names an answer for.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The reply to RCPT for an address, in place of 250.
pub type Rule = fn(&str) -> Option<&'static str>;

pub struct Taking {
    pub port: u16,
    rule: Arc<Mutex<Rule>>,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Taking {
    /// Listens until the test ends.
    pub fn start(rule: Rule) -> Taking {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = Taking { port, rule: Arc::new(Mutex::new(rule)), taken: Arc::default() };
        let (rule, taken) = (Arc::clone(&server.rule), Arc::clone(&server.taken));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (rule, taken) = (Arc::clone(&rule), Arc::clone(&taken));
                // A client that breaks off is no news.
                std::thread::spawn(move || stream.and_then(|stream| converse(stream, &rule, &taken)));
            }
        });
        server
    }

    /// From now on it answers so.
    pub fn answer(&self, rule: Rule) {
        *self.rule.lock().expect("no test panics there") = rule;
    }

    /// Whose mail it took, oldest first.
    pub fn recipients(&self) -> Vec<String> {
        self.taken.lock().expect("no test panics there").clone()
    }
}

fn converse(stream: TcpStream, rule: &Mutex<Rule>, taken: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    let mut recipient = String::new();
    out.write_all(b"220 ready\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => out.write_all(b"250-here\r\n250 DSN\r\n")?,
            "RCPT" => {
                recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                let answer = rule.lock().expect("no test panics there")(&recipient).unwrap_or("250 yes");
                out.write_all(format!("{answer}\r\n").as_bytes())?;
            }
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                while lines.next().transpose()?.is_some_and(|line| line != ".") {}
                taken.lock().expect("no test panics there").push(std::mem::take(&mut recipient));
                out.write_all(b"250 2.0.0 taken\r\n")?;
            }
            "QUIT" => return out.write_all(b"221 bye\r\n"),
            _ => out.write_all(b"250 yes\r\n")?,
        }
    }
    Ok(())
}
