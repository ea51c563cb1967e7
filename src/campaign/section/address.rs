//! Addresses as people write them: `Name <box@domain>`, and `ack+{token}@domain` for answers.

use super::domain;
use crate::campaign::header::{LONGEST_NAME, is_unsafe_in_header};
use crate::fault::Finding;
use lettre::{Address, message::Mailbox};

/// As long as a person's token gets.
const LONGEST_TOKEN: &str = "abcdefghijklmnop";

/// The octets before the `@` (RFC 5321, section 4.5.3.1.1).
const LONGEST_LOCAL_PART: usize = 64;

/// Reads `Name <box@domain>`, `"Name, Town" <box@domain>` or a plain address.
pub(super) fn mailbox(text: &str) -> Result<Mailbox, Finding> {
    let Some((name, rest)) = text.rsplit_once('<') else { return Ok(Mailbox::new(None, address(text)?)) };
    let Some(inner) = rest.trim_end().strip_suffix('>') else { return Err(bad(text)) };
    let name = name.trim();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name).replace("\\\"", "\"");
    if name.len() > LONGEST_NAME || name.chars().any(is_unsafe_in_header) {
        let cause = format!("the sender's name holds a control character or has more than {LONGEST_NAME} bytes");
        return Err(Finding::error("bad-name", cause, "shorten it: it stands in the header of each letter"));
    }
    Ok(Mailbox::new(Some(name).filter(|name| !name.is_empty()), address(inner)?))
}

/// An address in which `{token}` may stand for a person's token; anything else in braces is a slip.
pub(super) fn with_token(text: &str) -> Result<String, Finding> {
    let filled = text.replacen("{token}", LONGEST_TOKEN, 1);
    if filled.contains(['{', '}']) {
        let cause = format!("'{text}' holds braces that mean nothing here");
        return Err(Finding::error("bad-address", cause, "the one placeholder is {token}, once, before the @"));
    }
    let address = address(&filled).map_err(|_| bad(text))?;
    if address.domain().contains(LONGEST_TOKEN) {
        let cause = format!("'{text}' has the token after the @, where no mail server expects it");
        return Err(Finding::error("bad-address", cause, "write it before the @, like ack+{token}@corp.example"));
    }
    if address.user().len() > LONGEST_LOCAL_PART {
        let cause = format!("'{text}' is longer than {LONGEST_LOCAL_PART} characters before the @, token included");
        return Err(Finding::error("bad-address", cause, "choose a shorter name"));
    }
    let local = text.rsplit_once('@').map_or(text, |(local, _)| local).trim_start();
    Ok(format!("{local}@{}", address.domain()))
}

/// With its domain as DNS has it (RFC 5890). A name beyond ASCII before the @ would need SMTPUTF8 of every server that mail
/// passes, and of those of the people who answer.
fn address(text: &str) -> Result<Address, Finding> {
    let address: Address = text.trim().parse().map_err(|_| bad(text))?;
    if !address.user().is_ascii() {
        let cause =
            format!("'{text}' has letters beyond ASCII before the @: mail servers cannot be relied on to take it");
        return Err(Finding::error("bad-address", cause, "use an address of the same mailbox in ASCII"));
    }
    if address.domain().is_ascii() {
        return Ok(address);
    }
    let domain = domain::in_ascii(address.domain()).ok_or_else(|| bad(text))?;
    Address::new(address.user(), domain).map_err(|_| bad(text))
}

fn bad(text: &str) -> Finding {
    let cause = format!("'{text}' is no mail address");
    Finding::error("bad-address", cause, "write it like maildesk@corp.example or Mail Desk <maildesk@corp.example>")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_is_a_name_and_one_address() {
        let read = |text: &str| mailbox(text).map(|mailbox| (mailbox.name, mailbox.email.to_string()));
        assert_eq!(read("desk@corp.example"), Ok((None, "desk@corp.example".into())));
        assert_eq!(read("\"Desk, HQ\" <d@c.example>"), Ok((Some("Desk, HQ".into()), "d@c.example".into())));
        for text in ["", "desk", "Desk <d@c.example", "a@c.example, b@c.example", "Desk <d@c.example> more", "@", "<>"]
        {
            assert!(read(text).is_err(), "{text}");
        }
        for name in ["x".repeat(201), "Mail\u{2028}Desk".into(), "Mail\r\nBcc: eve".into()] {
            assert_eq!(mailbox(&format!("{name} <d@c.example>")).expect_err("no header takes it").code, "bad-name");
        }
    }

    #[test]
    fn a_domain_beyond_ascii_is_kept_as_dns_has_it_and_a_name_beyond_it_is_refused() {
        assert_eq!(mailbox("D <d@bücher.example>").expect("an address").email.to_string(), "d@xn--bcher-kva.example");
        assert_eq!(with_token("ack+{token}@Bücher.example"), Ok("ack+{token}@xn--bcher-kva.example".into()));
        let finding = mailbox("D <bücher@corp.example>").expect_err("refused");
        assert!(finding.cause.contains("before the @"), "{finding:?}");
    }

    #[test]
    fn the_token_stands_once_and_before_the_at() {
        assert_eq!(with_token("ack+{token}@c.example"), Ok("ack+{token}@c.example".into()));
        assert!(with_token("ack@c.example").is_ok());
        let long = format!("{}{{token}}@c.example", "x".repeat(60));
        for text in ["ack+{tokn}@c.example", "{token}+{token}@c.example", "ack@{token}.example", "{token}", &long] {
            assert!(with_token(text).is_err(), "{text}");
        }
    }
}
