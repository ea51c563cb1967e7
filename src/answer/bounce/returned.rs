//! Where a notification ends and the returned message begins, in a text without MIME.

use crate::answer::message::InboundMessage;
use crate::answer::reading::Original;

/// Lines under which the returned message stands, by their words.
const MARKS: &[&str] = &[
    "below this line is a copy of the message",
    "this is a copy of the message",
    "this is a copy of your message",
    "a copy of the message follows",
    "copy of the original message",
    "original message follows",
    "original message headers follow",
    "original message header",
    "original message headers",
    "original message:",
    "original message -",
    "- original message",
    "the original message",
    "message headers follow",
    "message header follows",
    "message follows",
    "unsent message follows",
    "unsent message below",
    "unsent message",
    "returned message",
    "returned mail follows",
    "text of the message",
    "text of your message",
    "the header of the message",
    "headers of the message",
    "message contents",
    "message text follows",
    "start of returned message",
    "your original message",
    "your message follows",
    "received message",
    "undelivered message",
    "beginning of the message",
    "first part of the message",
    "included is a copy",
    "nachrichtentext",
    "ursprüngliche nachricht",
    "kopie der nachricht",
    "kopie ihrer nachricht",
    "en-têtes de message",
];
/// Fields that open a header and stand in no notification.
const OPENING: &[&str] = &[
    "return-path",
    "received",
    "message-id",
    "mime-version",
    "dkim-signature",
    "x-mailer",
    "from",
    "date",
    "delivered-to",
    "content-type",
    "x-originating-ip",
];

/// The notification's own lines, and the text from the returned header on.
pub(super) fn split(text: &str) -> (Vec<&str>, Option<&str>) {
    let mut own = Vec::new();
    let mut at = 0;
    let mut marked = None;
    for line in text.split_inclusive('\n') {
        if marked.is_none() && is_mark(line) && own.iter().any(|line: &&str| !line.trim().is_empty()) {
            marked = Some(own.len());
        }
        if begins_header(&text[at..]) {
            // What stands between the mark and the header belongs to the mark.
            if let Some(marked) = marked {
                own.truncate(marked);
            }
            return (own, Some(&text[at..]));
        }
        own.push(line.trim_end());
        at += line.len();
    }
    // A mark without a header: the returned text was cut, or is a body alone.
    match marked {
        Some(marked) if marked > 2 => {
            own.truncate(marked);
            (own, None)
        }
        _ => (own, None),
    }
}

fn is_mark(line: &str) -> bool {
    let line = line.trim();
    let rule = ['-', '=', '*', '>', '_'];
    let dressed = line.starts_with(rule) || line.ends_with(rule) || line.ends_with(':') || line.contains("follow");
    if !dressed || line.len() > 120 {
        return false;
    }
    let lower = line.to_lowercase();
    // Sendmail begins with "The original message was received at …".
    !lower.contains("was received at")
        && !lower.contains("did not reach")
        && MARKS.iter().any(|mark| lower.contains(mark))
}

fn begins_header(text: &str) -> bool {
    let mut lines = text.lines();
    let name = |line: &str| {
        let (name, _) = line.trim_start_matches(['>', ' ']).split_once(':')?;
        (!name.is_empty()
            && name.len() < 40
            && name.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'))
        .then(|| name.to_ascii_lowercase())
    };
    let Some(first) = lines.next().and_then(name).filter(|name| OPENING.contains(&name.as_str())) else { return false };
    let mut names = vec![first];
    for line in lines.take(8) {
        if line.trim().is_empty() {
            break;
        }
        if !line.starts_with([' ', '\t']) {
            let Some(next) = name(line) else { return false };
            names.push(next);
        }
    }
    names.len() >= 3
}

/// What the returned header tells.
pub(super) fn read(returned: &str, original: &mut Original) {
    let plain: String =
        returned.lines().take(400).map(|line| line.trim_start_matches("> ").to_owned() + "\n").collect();
    original.returned(&InboundMessage::parse_headers(plain.as_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notification_ends_where_the_returned_message_begins() {
        let text = "Hi. This is the program.\n<kim@x.example>:\nno.\n\n--- Below this line is a copy of the message.\n\nReturn-Path: <a@b.example>\nReceived: by x\nMessage-ID: <1@b.example>\n\nbody";
        let (own, returned) = split(text);
        assert_eq!(own, ["Hi. This is the program.", "<kim@x.example>:", "no.", ""]);
        let mut original = Original::default();
        read(returned.expect("returned"), &mut original);
        assert_eq!(original.ids, ["<1@b.example>"]);
    }

    #[test]
    fn the_header_that_exchange_quotes_is_its_own_text() {
        let text = "Your message\n\n  To:      Kim\n  Subject: x\n  Sent:    Fri\n\ndid not reach the following recipient(s):\n\nkim@x.example on Fri";
        assert_eq!(split(text).0.len(), 9);
    }
}
