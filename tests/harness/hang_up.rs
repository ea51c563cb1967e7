//! A mail server that takes every message and hangs up before it says so: nobody can know whether it has it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

pub struct HangUp {
    pub port: u16,
    messages: Arc<Mutex<Vec<String>>>,
}

impl HangUp {
    /// Listens until the test ends.
    pub fn start() -> HangUp {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&messages);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that breaks off is no news.
                let _ = stream.and_then(|stream| converse(stream, &kept));
            }
        });
        HangUp { port, messages }
    }

    /// What it took, oldest first.
    pub fn messages(&self) -> Vec<String> {
        self.messages.lock().expect("no test panics there").clone()
    }
}

fn converse(stream: TcpStream, kept: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    out.write_all(b"220 ready\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => out.write_all(b"250-here\r\n250 DSN\r\n")?,
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let mut message = String::new();
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    message.push_str(&line);
                    message.push('\n');
                }
                kept.lock().expect("no test panics there").push(message);
                return Ok(());
            }
            _ => out.write_all(b"250 yes\r\n")?,
        }
    }
    Ok(())
}
