//! A few words of SMTP (RFC 5321) over a plain socket: enough to try a server without any code of the program.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::Duration;

pub struct Conversation {
    socket: BufReader<TcpStream>,
}

impl Conversation {
    /// Connects and reads the greeting.
    pub fn open(port: u16) -> Conversation {
        let socket = TcpStream::connect(("127.0.0.1", port)).expect("the server accepts");
        socket.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let mut conversation = Conversation { socket: BufReader::new(socket) };
        conversation.expect_code("220");
        conversation
    }

    /// Sends a line and returns the reply, which must begin with that code.
    pub fn say(&mut self, line: &str, code: &str) -> String {
        self.socket.get_mut().write_all(format!("{line}\r\n").as_bytes()).expect("the server listens");
        self.expect_code(code)
    }

    /// Sends one message from MAIL to the final dot.
    pub fn send(&mut self, from: &str, to: &str, message: &str) {
        self.say(&format!("MAIL FROM:<{from}>"), "250");
        self.say(&format!("RCPT TO:<{to}>"), "250");
        self.say("DATA", "354");
        self.say(&format!("{message}\r\n."), "250");
    }

    fn expect_code(&mut self, code: &str) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            self.socket.read_line(&mut line).expect("a reply");
            reply.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                break;
            }
        }
        assert!(reply.starts_with(code), "expected {code}, got {reply:?}");
        reply
    }
}
