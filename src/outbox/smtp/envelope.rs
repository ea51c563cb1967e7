//! MAIL and RCPT for one message, with the parameters that this server understands.

use super::capabilities::Capabilities;
use crate::outbox::{Claimed, Unsendable};
use lettre::Address;
use lettre::transport::smtp::commands::{Mail, Rcpt};
use lettre::transport::smtp::extension::{MailBodyParameter, MailParameter, RcptParameter};

/// An envelope identifier may have 100 characters (RFC 3461 §4.4); each may grow to three in xtext.
const ENVID_LIMIT: usize = 100;
/// How much longer ORCPT may make the line of RCPT (RFC 3461 §4.2).
const ORCPT_LIMIT: usize = 500;

/// The two commands with their CRLF; an error when the server lacks what this message needs.
pub fn commands(offers: &Capabilities, message: &Claimed) -> Result<(String, String), Unsendable> {
    let from = message.envelope_from.as_ref().map(on_the_wire).transpose()?;
    let to = on_the_wire(&message.envelope_to)?;
    let size = message.payload.size();
    if let Some(limit) = offers.size_limit.filter(|limit| size > *limit) {
        return Err(Unsendable::TooLarge { size, limit });
    }
    let mut mail = Vec::new();
    if offers.size {
        mail.push(MailParameter::Size(size as usize));
    }
    // First, for it is why such a message has bytes beyond ASCII at all.
    if ![from.as_ref(), Some(&to)].into_iter().flatten().all(|address| address.user().is_ascii()) {
        require(offers.smtp_utf8, "SMTPUTF8")?;
        mail.push(MailParameter::SmtpUtfEight);
    }
    if message.payload.eight_bit() {
        require(offers.eight_bit_mime, "8BITMIME")?;
        mail.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let mut rcpt = Vec::new();
    if offers.dsn {
        reports(message, &to, &mut mail, &mut rcpt);
    }
    Ok((Mail::new(from, mail).to_string(), Rcpt::new(to, rcpt).to_string()))
}

/// Asks for delivery reports that name the message and bring back its header only (RFC 3461).
fn reports(message: &Claimed, to: &Address, mail: &mut Vec<MailParameter>, rcpt: &mut Vec<RcptParameter>) {
    let parameter = |keyword: &str, value: String| (keyword.to_owned(), Some(value));
    let (keyword, value) = parameter("RET", "HDRS".into());
    mail.push(MailParameter::Other { keyword, value });
    let id = message.message_id.trim_matches(['<', '>']);
    let grown: usize = id.bytes().map(|byte| if matches!(byte, b'+' | b'=') { 3 } else { 1 }).sum();
    if grown <= ENVID_LIMIT && id.bytes().all(|byte| byte.is_ascii_graphic()) {
        let (keyword, value) = parameter("ENVID", id.into());
        mail.push(MailParameter::Other { keyword, value });
    }
    let (keyword, value) = parameter("NOTIFY", "SUCCESS,FAILURE,DELAY".into());
    rcpt.push(RcptParameter::Other { keyword, value });
    let original = if to.user().is_ascii() { format!("rfc822;{to}") } else { format!("utf-8;{}", embedded(to)) };
    let grown: usize = original.bytes().map(|byte| if matches!(byte, b'+' | b'=') { 3 } else { 1 }).sum();
    if grown <= ORCPT_LIMIT {
        let (keyword, value) = parameter("ORCPT", original);
        rcpt.push(RcptParameter::Other { keyword, value });
    }
}

/// An internationalised address in ASCII, as every server can hand it on: utf-8-addr-xtext of RFC 6533 §3.
fn embedded(address: &Address) -> String {
    let embed = |c: char| match c {
        '\\' | '+' | '=' => format!("\\x{{{:X}}}", u32::from(c)),
        c if c.is_ascii_graphic() => c.to_string(),
        c => format!("\\x{{{:X}}}", u32::from(c)),
    };
    let text: &str = address.as_ref();
    text.chars().map(embed).collect()
}

fn require(offered: bool, keyword: &'static str) -> Result<(), Unsendable> {
    if offered { Ok(()) } else { Err(Unsendable::NeedsExtension { keyword }) }
}

/// With the domain in ASCII (RFC 5890): that needs no extension of any server.
fn on_the_wire(address: &Address) -> Result<Address, Unsendable> {
    if address.domain().is_ascii() {
        return Ok(address.clone());
    }
    let domain = idna::domain_to_ascii(address.domain()).map_err(|_| Unsendable::BadDomain)?;
    Address::new(address.user(), domain).map_err(|_| Unsendable::BadDomain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Payload;
    use crate::outbox::queue::{Queue, memory::MemoryQueue};
    use chrono::DateTime;
    use std::sync::Arc;

    fn message(to: &str) -> Claimed {
        let mut queue = MemoryQueue::default();
        queue.push(to, "body\r\n");
        queue.claim(DateTime::UNIX_EPOCH, 1).expect("a queue").remove(0)
    }

    /// As mail to an address beyond ASCII has them in its header.
    struct EightBit;

    impl Payload for EightBit {
        fn size(&self) -> u64 {
            1
        }

        fn write(&self, _: &mut dyn std::io::Write) -> crate::fault::Result<()> {
            Ok(())
        }

        fn eight_bit(&self) -> bool {
            true
        }
    }

    fn all() -> Capabilities {
        let (pipelining, starttls, eight_bit_mime, smtp_utf8, dsn, size) = (true, true, true, true, true, true);
        Capabilities { pipelining, starttls, eight_bit_mime, smtp_utf8, dsn, size, size_limit: None, auth: vec![] }
    }

    fn both(offers: &Capabilities, to: &str) -> String {
        let (mail, rcpt) = commands(offers, &message(to)).expect("sendable");
        mail + &rcpt
    }

    #[test]
    fn a_plain_server_gets_plain_commands() {
        let text = both(&Capabilities::default(), "kim@corp.example");
        assert_eq!(text, "MAIL FROM:<bounce@corp.example>\r\nRCPT TO:<kim@corp.example>\r\n");
    }

    #[test]
    fn what_is_offered_is_used() {
        insta::assert_snapshot!(both(&all(), "kim+x=1@corp.example"), @r"
        MAIL FROM:<bounce@corp.example> SIZE=6 RET=HDRS ENVID=0@t
        RCPT TO:<kim+x=1@corp.example> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;kim+2Bx+3D1@corp.example
        ");
    }

    #[test]
    fn a_domain_goes_out_in_ascii_and_a_local_part_needs_smtputf8() {
        assert!(both(&Capabilities::default(), "kim@münchen.example").contains("<kim@xn--mnchen-3ya.example>"));
        let refused = commands(&Capabilities::default(), &message("jürgen@corp.example"));
        assert_eq!(refused, Err(Unsendable::NeedsExtension { keyword: "SMTPUTF8" }));
        let eight_bit = Claimed { payload: Arc::new(EightBit), ..message("jürgen@corp.example") };
        let refused = commands(&Capabilities::default(), &eight_bit);
        assert_eq!(
            refused,
            Err(Unsendable::NeedsExtension { keyword: "SMTPUTF8" }),
            "what the address needs comes first"
        );
        let offers = Capabilities { smtp_utf8: true, ..Default::default() };
        assert_eq!(commands(&offers, &eight_bit), Err(Unsendable::NeedsExtension { keyword: "8BITMIME" }));
        let text = both(&all(), "jürgen@münchen.example");
        assert!(text.contains(" SMTPUTF8 ") && text.contains("<jürgen@xn--mnchen-3ya.example>"), "{text}");
        assert!(text.contains(" ORCPT=utf-8;j\\x{FC}rgen@xn--mnchen-3ya.example\r\n"), "{text}");
        let text = both(&all(), "jürgen+a=b@corp.example");
        assert!(text.contains(" ORCPT=utf-8;j\\x{FC}rgen\\x{2B}a\\x{3D}b@corp.example\r\n"), "{text}");
    }

    #[test]
    fn what_is_too_large_is_not_even_offered() {
        let offers = Capabilities { size: true, size_limit: Some(5), ..Default::default() };
        let refused = commands(&offers, &message("kim@corp.example"));
        assert_eq!(refused, Err(Unsendable::TooLarge { size: 6, limit: 5 }));
    }

    #[test]
    fn an_identifier_that_does_not_fit_is_left_out() {
        for id in ["x".repeat(101), "=".repeat(34), "a b".into(), "é".into()] {
            let message = Claimed { message_id: id.clone(), ..message("kim@corp.example") };
            let (mail, _) = commands(&all(), &message).expect("sendable");
            assert!(!mail.contains("ENVID"), "{id}");
        }
    }
}
