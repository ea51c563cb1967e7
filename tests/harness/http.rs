//! HTTP by hand, so that a test can say exactly what goes over the wire.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

/// One request on a connection of its own; `head` is the request line and headers without `Host`.
pub fn ask(address: SocketAddr, head: &str, body: &str) -> Reply {
    let mut stream = TcpStream::connect(address).expect("the server accepts");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let length = body.len();
    // In one piece: a server that has heard enough answers and closes before the rest comes.
    let request = format!("{head}\r\nHost: {address}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).expect("the request is taken");
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    let mut next = || {
        line.clear();
        answer.read_line(&mut line).expect("an answer");
        line.trim_end().to_owned()
    };
    let first = next();
    let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no answer: {first:?}"));
    let mut length = None;
    loop {
        let header = next();
        match header.to_ascii_lowercase().split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse::<u64>().ok(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = String::new();
    // chromedriver keeps the connection open whatever it is told.
    match length.filter(|_| !head.starts_with("HEAD ")) {
        Some(length) => answer.take(length).read_to_string(&mut body),
        None => answer.read_to_string(&mut body),
    }
    .expect("UTF-8");
    Reply { status, body }
}

pub fn get(address: SocketAddr, path: &str) -> Reply {
    ask(address, &format!("GET {path} HTTP/1.1"), "")
}

pub fn post(address: SocketAddr, path: &str, fields: &[(&str, &str)]) -> Reply {
    let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let head = format!("POST {path} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded");
    ask(address, &head, &body.join("&"))
}

/// The hidden field of the page's forms.
pub fn nonce(page: &str) -> &str {
    let (_, rest) = page.split_once("name=\"nonce\" value=\"").expect("the page has a form");
    rest.split('"').next().expect("a value")
}
