//! What the person typed: the text of a mail without quoted text, signature and disclaimer.

mod html;
mod quote;

use super::message::{Body, InboundMessage, Part, TEXT};

/// Lines beyond these say nothing that counts.
const LINES: usize = 5_000;

/// All that a reader sees, quoted text with it, in plain lines; of a text longer than any letter, its beginning.
pub(super) fn seen(message: &InboundMessage) -> String {
    let mut text = String::new();
    for part in chosen(message) {
        if text.len() >= TEXT {
            break;
        }
        match &part.body {
            Body::Text(plain) if part.flowed => text.push_str(&unflow(plain)),
            Body::Text(plain) => text.push_str(plain),
            Body::Html(page) => text.push_str(&html::lines(page)),
            Body::Bytes(_) | Body::Message(_) => {}
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    text.truncate(text.floor_char_boundary(TEXT));
    if let Some(end) = memchr::memchr_iter(b'\n', text.as_bytes()).nth(LINES - 1) {
        text.truncate(end + 1);
    }
    text.replace('\r', "").replace('\u{A0}', " ")
}

/// The lines of [`seen`] that the person typed.
pub(super) fn typed(seen: &str) -> String {
    let lines: Vec<&str> = seen.lines().collect();
    quote::own(&lines).join("\n").trim().to_owned()
}

/// The parts that are the text. A plain part that is empty has its meaning in the HTML beside it.
fn chosen(message: &InboundMessage) -> Vec<&Part> {
    let shown = || message.shown.iter().filter_map(|at| message.parts.get(*at)).filter(|part| !part.attached);
    let says_something = |part: &&Part| part.text().is_some_and(|text| !text.trim().is_empty());
    let some: Vec<&Part> = shown().filter(says_something).collect();
    if !some.is_empty() {
        return some;
    }
    message.parts.iter().filter(|part| !part.attached && matches!(part.body, Body::Html(_) | Body::Text(_))).collect()
}

/// Lines that end with a blank go on in the next one, at the same depth of quoting (RFC 3676 section 4).
fn unflow(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Option<usize> = None;
    for line in text.lines() {
        let depth = line.bytes().take_while(|c| *c == b'>').count();
        let content = &line[depth..];
        let content = content.strip_prefix(' ').unwrap_or(content);
        match open {
            Some(last) if last == depth && content != "-- " => {}
            Some(_) => {
                out.push('\n');
                out.push_str(&">".repeat(depth));
            }
            None => out.push_str(&">".repeat(depth)),
        }
        if depth > 0 && open != Some(depth) {
            out.push(' ');
        }
        let flows = content.ends_with(' ') && content != "-- ";
        out.push_str(content);
        open = flows.then_some(depth);
        if !flows {
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowed_lines_are_joined_at_one_depth() {
        assert_eq!(unflow("a \nb\n> c \n> d\n >e\n-- \nKim"), "a b\n> c d\n>e\n-- \nKim\n");
        assert_eq!(unflow("a \n-- \nKim"), "a \n-- \nKim\n");
    }

    #[test]
    fn html_alone_is_read_as_text() {
        let raw =
            b"From: a@x.example\nContent-Type: text/html; charset=utf-8\n\n<p>mine</p><blockquote>theirs</blockquote>";
        let message = InboundMessage::parse(raw).expect("a message");
        assert_eq!(typed(&seen(&message)), "mine");
    }

    #[test]
    fn a_text_of_blank_lines_is_read_once() {
        let blank = format!("From: a@x.example\n\nmine{}theirs\n", "\n".repeat(1 << 20));
        let message = InboundMessage::parse(blank.as_bytes()).expect("a message");
        let seen = seen(&message);
        assert_eq!((seen.lines().count(), typed(&seen).as_str()), (LINES, "mine"));
        // Without the limit, too, the lines are looked at once each.
        let mut lines = vec![""; 1 << 20];
        lines.push("theirs");
        assert_eq!(quote::own(&lines).len(), lines.len());
    }
}
