//! The record in DNS by which everybody can check a signature (RFC 6376 section 3.6.1).

use super::Key;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest string within a TXT record (RFC 1035 section 3.3.14).
const STRING: usize = 255;

/// One line for a zone file. A longer record has several strings, which DNS joins.
pub fn entry(name: &str, key: &Key) -> String {
    let (kind, public) = key.public();
    let record = format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(public));
    let strings: Vec<String> =
        record.as_bytes().chunks(STRING).map(|chunk| format!("\"{}\"", String::from_utf8_lossy(chunk))).collect();
    match strings.as_slice() {
        [one] => format!("{name}. IN TXT {one}"),
        several => format!("{name}. IN TXT ( {} )", several.join(" ")),
    }
}
