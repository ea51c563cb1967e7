//! The link to the confirm page, and what else of the page is keyed: made from the campaign's secret, a key for each
//! purpose, so that nothing made for one passes for the other.
//!
//! ```text
//! link = base64url(revision 2 | expires 4 | whom 8 | HMAC-SHA-256, 16 of its 32 bytes): 40 characters
//! ```
//! Numbers are big-endian, `expires` in minutes since 1970. Campaign, key number and layout are part of the key. `whom`
//! is keyed as well: neither the person nor their mailbox can be read out of a link. It is short, because mail gateways
//! wrap lines at 76 columns (Q111860), and a wrapped address is no address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeZone, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::net::IpAddr;
use subtle::ConstantTimeEq;

const BODY: usize = 14;
const TAG: usize = 16;
/// No spare bits in its last character, so that a link is written in one way only.
const LINK: usize = BODY + TAG;
/// A form stays good for so long: somebody opens the page, looks for the disk, and comes back.
const FORM_MINUTES: u64 = 24 * 60;
const NONCE_TAG: usize = 12;

/// Which person is asked for which acknowledgement, without saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Whom([u8; 8]);

/// What a genuine link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    pub revision: u32,
    /// To the minute.
    pub expires: DateTime<Utc>,
    pub whom: Whom,
}

/// The keys of one campaign's confirm page.
#[derive(Clone)]
pub struct LinkKeys {
    number: u8,
    link: [u8; 32],
    whom: [u8; 32],
    nonce: [u8; 32],
    source: [u8; 32],
}

impl LinkKeys {
    /// The keys with this number. Campaign and number are part of every key: a link of another campaign, or made with
    /// another number, is as wrong as any other text.
    pub fn new(secret: &[u8; 32], campaign: &str, number: u8) -> LinkKeys {
        let key = |purpose: &str| {
            let fields: [&[u8]; 4] = [b"flagday confirm page 1", purpose.as_bytes(), campaign.as_bytes(), &[number]];
            mac(secret, &fields)
        };
        LinkKeys { number, link: key("link"), whom: key("whom"), nonce: key("nonce"), source: key("source") }
    }

    pub fn whom(&self, person: &str, acknowledgement: &str) -> Whom {
        let mut whom = [0; 8];
        whom.copy_from_slice(&mac(&self.whom, &[person.as_bytes(), acknowledgement.as_bytes()])[..8]);
        Whom(whom)
    }

    /// The part of the page's address that stands for one person, one acknowledgement and one revision.
    pub fn link(&self, claims: &Claims) -> String {
        let minute = u32::try_from(claims.expires.timestamp() / 60).unwrap_or(0);
        let mut bytes = [0; LINK];
        bytes[..2].copy_from_slice(&u16::try_from(claims.revision).unwrap_or(u16::MAX).to_be_bytes());
        bytes[2..6].copy_from_slice(&minute.to_be_bytes());
        bytes[6..BODY].copy_from_slice(&claims.whom.0);
        let tag = mac(&self.link, &[&bytes[..BODY]]);
        bytes[BODY..].copy_from_slice(&tag[..TAG]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a link says, if it is one of ours and still good. The tag is looked at first, in constant time; whatever is
    /// wrong, the work and the answer are the same.
    pub fn open(&self, link: &str, now: DateTime<Utc>) -> Option<Claims> {
        let mut bytes = [0; LINK];
        let whole = link.len() == LINK * 4 / 3 && URL_SAFE_NO_PAD.decode_slice(link, &mut bytes) == Ok(LINK);
        let tag = mac(&self.link, &[&bytes[..BODY]]);
        let genuine: bool = tag[..TAG].ct_eq(&bytes[BODY..]).into();
        if !(whole && genuine) {
            return None;
        }
        let minute = u32::from_be_bytes([bytes[2], bytes[3], bytes[4], bytes[5]]);
        let expires = Utc.timestamp_opt(i64::from(minute) * 60, 0).single()?;
        let revision = u32::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        let mut whom = [0; 8];
        whom.copy_from_slice(&bytes[6..BODY]);
        (now < expires).then_some(Claims { revision, expires, whom: Whom(whom) })
    }

    /// Goes into the form and comes back with it: whoever sends the form has seen the page behind this link.
    pub fn nonce(&self, link: &str, now: DateTime<Utc>) -> String {
        let minute = (now.timestamp().max(0) as u64 / 60) as u32;
        let mut bytes = [0; 4 + NONCE_TAG];
        bytes[..4].copy_from_slice(&minute.to_be_bytes());
        let tag = mac(&self.nonce, &[link.as_bytes(), &bytes[..4]]);
        bytes[4..].copy_from_slice(&tag[..NONCE_TAG]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Whether the form came from the page behind this link, within a day.
    pub fn is_nonce(&self, link: &str, nonce: &str, now: DateTime<Utc>) -> bool {
        let mut bytes = [0; 4 + NONCE_TAG];
        if nonce.len() != 22 || URL_SAFE_NO_PAD.decode_slice(nonce, &mut bytes) != Ok(bytes.len()) {
            return false;
        }
        let tag = mac(&self.nonce, &[link.as_bytes(), &bytes[..4]]);
        let genuine: bool = tag[..NONCE_TAG].ct_eq(&bytes[4..]).into();
        let minute = u64::from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
        let age = (now.timestamp().max(0) as u64 / 60).checked_sub(minute);
        genuine && age.is_some_and(|age| age <= FORM_MINUTES)
    }

    /// Stands for an address where tries are counted, so that none is kept. Of IPv6 the first 64 bits count: one
    /// customer has all that follow.
    pub fn source(&self, address: IpAddr) -> String {
        let tag = match address.to_canonical() {
            IpAddr::V4(v4) => mac(&self.source, &[b"4", &v4.octets()]),
            IpAddr::V6(v6) => mac(&self.source, &[b"6", &v6.octets()[..8]]),
        };
        URL_SAFE_NO_PAD.encode(&tag[..12])
    }
}

impl std::fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LinkKeys({})", self.number)
    }
}

/// HMAC-SHA-256 (RFC 2104) over fields that are kept apart by their lengths.
fn mac(key: &[u8; 32], fields: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for field in fields {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn keys() -> LinkKeys {
        LinkKeys::new(&[7; 32], "corp", 1)
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        Utc.timestamp_opt(seconds, 0).unwrap()
    }

    fn claims() -> Claims {
        Claims { revision: 3, expires: at(6_000), whom: keys().whom("KIM", "disk-received") }
    }

    #[test]
    fn a_link_says_what_was_put_in_until_it_expires() {
        let link = keys().link(&claims());
        assert_eq!(link.len(), 40);
        assert_eq!(keys().open(&link, at(5_999)), Some(claims()));
        assert_eq!(keys().open(&link, at(6_000)), None);
        assert!(!link.contains("KIM"));
    }

    #[test]
    fn every_flipped_bit_and_every_other_length_is_refused() {
        let link = keys().link(&claims());
        let bytes = URL_SAFE_NO_PAD.decode(&link).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(keys().open(&URL_SAFE_NO_PAD.encode(other), at(3_000)), None, "bit {bit}");
        }
        for end in 0..link.len() {
            assert_eq!(keys().open(&link[..end], at(3_000)), None);
        }
        assert_eq!(keys().open(&format!("{link}A"), at(3_000)), None);
        assert_eq!(keys().open(&format!("{link}="), at(3_000)), None);
    }

    #[test]
    fn another_campaign_key_or_secret_makes_another_link() {
        let link = keys().link(&claims());
        let others = [
            LinkKeys::new(&[7; 32], "corp2", 1),
            LinkKeys::new(&[7; 32], "corp", 2),
            LinkKeys::new(&[8; 32], "corp", 1),
        ];
        for other in others {
            assert_eq!(other.open(&link, at(3_000)), None);
            assert_ne!(other.whom("KIM", "disk-received"), keys().whom("KIM", "disk-received"));
        }
        assert_ne!(keys().whom("KIM", "a"), keys().whom("LEE", "a"));
        assert_ne!(keys().whom("KIM", "a"), keys().whom("KIM", "b"));
    }

    #[test]
    fn a_form_belongs_to_its_link_and_to_its_day() {
        let (one, other) = ("one link", "another link");
        let nonce = keys().nonce(one, at(60_000));
        let day = 24 * 3_600;
        assert!(keys().is_nonce(one, &nonce, at(60_000)) && keys().is_nonce(one, &nonce, at(60_000 + day)));
        assert!(!keys().is_nonce(one, &nonce, at(60_060 + day)));
        assert!(!keys().is_nonce(one, &nonce, at(59_000)), "made in the future");
        assert!(!keys().is_nonce(other, &nonce, at(60_000)));
        assert!(!keys().is_nonce(one, "", at(60_000)));
    }

    #[test]
    fn an_address_counts_as_one_however_it_is_written() {
        let source = |text: &str| keys().source(text.parse().unwrap());
        assert_eq!(source("192.0.2.1"), source("::ffff:192.0.2.1"));
        assert_ne!(source("192.0.2.1"), source("192.0.2.2"));
        assert_eq!(source("2001:db8::1"), source("2001:db8::ffff:2"));
        assert_ne!(source("2001:db8::1"), source("2001:db8:0:1::1"));
    }

    proptest! {
        #[test]
        fn no_text_opens(link in "\\PC{0,80}", nonce in "\\PC{0,40}") {
            prop_assert_eq!(keys().open(&link, at(0)), None);
            prop_assert!(!keys().is_nonce(&link, &nonce, at(0)));
        }
    }
}
