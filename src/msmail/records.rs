//! The records of NETWORK.GLB and the .XTN files, as far as they are documented: which networks, gateways and
//! external postoffices there are, and which mailbags are theirs.

use super::sizes;

/// One active record of NETWORK.GLB (Q148666).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The type code. [`MAIL_CONNECTION`] and [`FFAPI`] are the documented ones.
    pub kind: u8,
    /// Upper-case, made printable.
    pub name: String,
    /// The outgoing queue: the 8 hex digits of its .MBG and .KEY.
    pub mailbag: Option<String>,
}

/// One active record of an .XTN file (Q86625, Q148666).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct External {
    pub postoffice: String,
    pub mailbag: Option<String>,
}

/// Type of the Mail Connection gateway to AppleTalk networks (Q148666).
pub const MAIL_CONNECTION: u8 = 0x10;
/// Type of a gateway of the File Format API (Q148666).
pub const FFAPI: u8 = 0x64;

/// The first byte of a record in use; a deleted one has 00.
const ACTIVE: u8 = 1;

/// The active records of a NETWORK.GLB. A torn last record is left out: the size rule reports it.
pub fn networks(bytes: &[u8]) -> Vec<Network> {
    let (records, _) = bytes.as_chunks::<{ sizes::NETWORK as usize }>();
    let active = records.iter().filter(|record| record[0] == ACTIVE);
    active
        .map(|record| Network { kind: record[1], name: name(&record[2..13]), mailbag: hexid(&record[0x21..0x29]) })
        .collect()
}

/// The active records of an .XTN file.
pub fn externals(bytes: &[u8]) -> Vec<External> {
    let (records, _) = bytes.as_chunks::<{ sizes::EXTERNAL as usize }>();
    let active = records.iter().filter(|record| record[0] == ACTIVE);
    active.map(|record| External { postoffice: name(&record[1..0x0C]), mailbag: hexid(&record[0x0C..0x14]) }).collect()
}

/// Whether a text is the name of a mailbag: 8 hex digits (Q77926).
pub fn is_hexid(text: &str) -> bool {
    text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn hexid(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| is_hexid(text))?;
    Some(text.to_ascii_uppercase())
}

/// A name ends at the first NUL, and may hold anything: what is not printable is escaped.
fn name(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    text.to_ascii_uppercase().trim_ascii().escape_ascii().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The record that the article prints, at its documented offsets.
    fn record() -> Vec<u8> {
        let mut record = vec![0; 122];
        record[..8].copy_from_slice(b"\x01\x10MSMAIL");
        record[0x21..0x29].copy_from_slice(b"0000002E");
        record
    }

    #[test]
    fn active_records_are_read_and_deleted_ones_left_out() {
        let mut deleted = record();
        deleted[0] = 0;
        let bytes = [record(), deleted, record()[..50].to_vec()].concat();
        let network = Network { kind: 0x10, name: "MSMAIL".into(), mailbag: Some("0000002E".into()) };
        assert_eq!(networks(&bytes), [network]);
    }

    #[test]
    fn an_external_postoffice_names_its_mailbag() {
        let mut record = vec![0; 698];
        record[..6].copy_from_slice(b"\x01SALES");
        record[0x0C..0x14].copy_from_slice(b"0000000a");
        let external = External { postoffice: "SALES".into(), mailbag: Some("0000000A".into()) };
        assert_eq!(externals(&record), [external]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..1500)) {
            for network in networks(&bytes) {
                prop_assert!(network.name.is_ascii() && !network.name.contains(char::is_control));
            }
            prop_assert!(externals(&bytes).len() <= 2);
        }
    }
}
