//! The token that recognises a person in an address or a subject: opaque, keyed, made again from the same facts.

use crate::fault::Finding;
use hmac::{Hmac, KeyInit, Mac};
use lettre::Address;
use sha2::Sha256;

/// The longest local part that RFC 5321 section 4.5.3.1.1 allows, in octets.
const LOCAL_PART: usize = 64;

/// 16 characters of lower-case base32, keyed with the campaign's secret (80 bits of HMAC-SHA-256). Nothing can be read
/// out of it: whoever wants to know the person keeps a table.
pub fn token(secret: &[u8; 32], campaign: &str, person: &str, revision: u32) -> String {
    keyed(secret, b"flagday reply token 1\0", campaign, person, revision)
}

/// The token of a letter about a person that goes to somebody else: what comes back to it is not that person's.
pub fn token_about(secret: &[u8; 32], campaign: &str, person: &str, revision: u32) -> String {
    keyed(secret, b"flagday token of an escalation 1\0", campaign, person, revision)
}

fn keyed(secret: &[u8; 32], purpose: &[u8], campaign: &str, person: &str, revision: u32) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(purpose);
    for field in [campaign.as_bytes(), person.as_bytes(), &revision.to_be_bytes()] {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    base32(&mac.finalize().into_bytes()[..10])
}

/// The beginning of a token, for a subject line with little room: 8 characters, 40 bits.
pub fn short_token(token: &str) -> &str {
    token.get(..8).unwrap_or(token)
}

/// Puts the token where `{token}` stands in an address such as `ack+{token}@corp.example`. An address without
/// `{token}` is taken as it is.
pub fn address_with_token(template: &str, token: &str) -> Result<Address, Finding> {
    let refused = |cause: String| {
        Finding::error("address", cause, "write a plain address, as ack+{token}@corp.example, at most 64 before the @")
    };
    let address: Address = template
        .replace("{token}", token)
        .parse()
        .map_err(|error| refused(format!("'{template}' with a token in it is no mail address: {error}")))?;
    if address.user().len() > LOCAL_PART {
        let length = address.user().len();
        return Err(refused(format!("'{template}' has {length} characters before the @ once the token stands in it")));
    }
    Ok(address)
}

/// RFC 4648 section 6 without padding, in lower case: safe in addresses, which some systems fold to one case.
pub(super) fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut bits, mut held) = (0u16, 0);
    for byte in bytes {
        bits = bits << 8 | u16::from(*byte);
        held += 8;
        while held >= 5 {
            held -= 5;
            text.push(char::from(ALPHABET[usize::from(bits >> held & 31)]));
        }
    }
    if held > 0 {
        text.push(char::from(ALPHABET[usize::from(bits << (5 - held) & 31)]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base32_is_that_of_rfc_4648() {
        for (plain, encoded) in
            [("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"), ("foobar", "mzxw6ytboi")]
        {
            assert_eq!(base32(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn every_fact_and_the_secret_change_the_token() {
        let one = token(&[1; 32], "corp", "kim", 1);
        assert_eq!(one, token(&[1; 32], "corp", "kim", 1));
        assert_eq!(one.len(), 16);
        for other in [
            token(&[2; 32], "corp", "kim", 1),
            token(&[1; 32], "corpk", "im", 1),
            token(&[1; 32], "corp", "lee", 1),
            token(&[1; 32], "corp", "kim", 2),
        ] {
            assert_ne!(one, other);
        }
        assert_eq!(short_token(&one), &one[..8]);
    }

    #[test]
    fn the_token_goes_into_the_address() {
        let address = |template: &str| address_with_token(template, "abcdefghijklmnop").map(|found| found.to_string());
        assert_eq!(address("ack+{token}@corp.example").as_deref(), Ok("ack+abcdefghijklmnop@corp.example"));
        assert_eq!(address("maildesk@corp.example").as_deref(), Ok("maildesk@corp.example"));
        let long = format!("{}+{{token}}@corp.example", "a".repeat(60));
        for refused in ["{token}", "Mail Desk <a+{token}@corp.example>", "a {token}@corp.example", "", &long] {
            assert!(address(refused).is_err(), "{refused}");
        }
    }
}
