//! Names that a message keeps for ever: its Message-ID, and the UID of its calendar entry. Both are made from facts
//! alone, so that planning twice names the same message. An answer that names a Message-ID proves that its author has
//! the message: it is keyed, and nobody makes one who has not seen it.

use super::token::base32;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What tells one message from every other of a campaign.
#[derive(Debug, Clone, Copy)]
pub struct Identity<'a> {
    pub campaign: &'a str,
    pub notice: &'a str,
    /// The person's id.
    pub person: &'a str,
    pub revision: u32,
    /// 0 for the notice itself, 1 for the first reminder, and so on.
    pub copy: u32,
    /// The domain of the sender's address.
    pub domain: &'a str,
}

/// `<campaign.notice.hash@domain>` (RFC 5322 section 3.6.4), with the angle brackets; the hash is keyed with the campaign's
/// secret.
pub fn message_id(secret: &[u8; 32], identity: &Identity) -> String {
    let Identity { campaign, notice, person, revision, copy, domain } = identity;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(b"flagday Message-ID 1\0");
    let (revision, copy) = (revision.to_string(), copy.to_string());
    for field in [*campaign, *notice, *person, &revision, &copy, *domain] {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field.as_bytes());
    }
    let hash = base32(&mac.finalize().into_bytes()[..10]);
    format!("<{}.{}.{hash}@{}>", atom(campaign), atom(notice), host(domain))
}

/// The UID of a person's calendar entry: the same in every revision, so that a calendar replaces what it has
/// (RFC 5545 section 3.8.4.7).
pub fn calendar_uid(campaign: &str, person: &str, domain: &str) -> String {
    format!("{}.{}@{}", atom(campaign), hash(&["calendar", campaign, person, domain]), host(domain))
}

/// 16 base32 characters over the fields and their lengths.
pub(super) fn hash(fields: &[&str]) -> String {
    let mut digest = Sha256::new();
    for field in fields {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field.as_bytes());
    }
    base32(&digest.finalize()[..10])
}

/// Whatever stands there, made into characters of an atom (RFC 5322 section 3.2.3). The hash tells apart what this
/// makes equal.
fn atom(text: &str) -> String {
    safe(text, 40, |c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn host(text: &str) -> String {
    let host = safe(text, 200, |c| c.is_ascii_alphanumeric() || c == '-' || c == '.');
    let dots = host.split('.').any(str::is_empty);
    if dots { "flagday.invalid".to_owned() } else { host }
}

fn safe(text: &str, limit: usize, allowed: fn(char) -> bool) -> String {
    text.chars().take(limit).map(|c| if allowed(c) { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
    const KIM: Identity = Identity {
        campaign: "corp-hq-serial",
        notice: "change-date",
        person: "kim",
        revision: 1,
        copy: 0,
        domain: "corp.example",
    };

    #[test]
    fn each_fact_makes_another_message() {
        let id = message_id(SECRET, &KIM);
        assert!(id.starts_with("<corp-hq-serial.change-date.") && id.ends_with("@corp.example>"), "{id}");
        assert_eq!(id, message_id(SECRET, &KIM));
        assert_ne!(id, message_id(b"another secret, 32 octets of it.", &KIM));
        for other in [
            Identity { campaign: "b", ..KIM },
            Identity { notice: "reminder", ..KIM },
            Identity { person: "Kim", ..KIM },
            Identity { revision: 2, ..KIM },
            Identity { copy: 1, ..KIM },
        ] {
            assert_ne!(id, message_id(SECRET, &other));
        }
    }

    #[test]
    fn nothing_unsafe_gets_into_a_message_id() {
        let id =
            message_id(SECRET, &Identity { notice: "a>\r\nBcc: b@c", person: "\0", domain: "bücher..example", ..KIM });
        assert!(id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
        assert_eq!((id.matches('>').count(), id.matches('@').count(), id.matches('<').count()), (1, 1, 1), "{id}");
    }

    #[test]
    fn a_calendar_entry_is_the_same_in_every_revision_and_another_for_each_person() {
        let uid = calendar_uid("corp", "kim", "corp.example");
        assert_eq!(uid, calendar_uid("corp", "kim", "corp.example"));
        assert_ne!(uid, calendar_uid("corp", "lee", "corp.example"));
    }
}
