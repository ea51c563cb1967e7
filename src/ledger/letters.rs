//! How letters are kept: a few of them whole, all others as what is different from one of those (LZ4, the whole one as its
//! dictionary). Letters of one notice differ in a few words; kept whole, a hundred thousand would take hundreds of megabytes
//! through the write-ahead log in one transaction.
//!
//! ```text
//! letter   base IS NULL   the bytes
//!          base           CRC-32 u32 | length u32 | LZ4 block; base is the message whose letter is the dictionary
//! ```
//! Numbers are big-endian. The checksum is of the whole letter: what does not come out as it went in is never sent.

use crate::fault::{Fault, Result};
use lz4_flex::block::{compress_with_dict, decompress_with_dict};
use rusqlite::{Connection, OptionalExtension};
use std::collections::HashMap;

/// Letters held as dictionaries while planning: one for each language and format is enough.
const BASES: usize = 8;
/// A longer letter cannot be a dictionary (LZ4 looks back so far, in bytes).
const LONGEST: usize = 64 * 1024;
/// More than all letters are, in bytes: a damaged length asks for no more memory.
const LARGEST: usize = 16 * 1024 * 1024;

/// Makes letters small, one after the other.
#[derive(Debug, Default)]
pub(super) struct Packer {
    /// Messages whose letters are kept whole, the one that served last in front.
    bases: Vec<(i64, Vec<u8>)>,
}

impl Packer {
    /// What to keep of this message's letter, and beside which base.
    pub fn pack(&mut self, message: i64, whole: Vec<u8>) -> (Option<i64>, Vec<u8>) {
        for place in 0..self.bases.len() {
            let (base, dictionary) = &self.bases[place];
            let packed = compress_with_dict(&whole, dictionary);
            if packed.len() * 2 < whole.len() {
                let (base, sum) = (*base, crc32fast::hash(&whole));
                let head = [sum.to_be_bytes(), (whole.len() as u32).to_be_bytes()].concat();
                self.bases[..=place].rotate_right(1);
                return (Some(base), [head, packed].concat());
            }
        }
        if whole.len() <= LONGEST {
            self.bases.truncate(BASES - 1);
            self.bases.insert(0, (message, whole.clone()));
        }
        (None, whole)
    }
}

/// Gives letters back as they were.
#[derive(Debug)]
pub(super) struct Unpacker<'d> {
    db: &'d Connection,
    bases: HashMap<i64, Vec<u8>>,
}

impl<'d> Unpacker<'d> {
    pub fn new(db: &'d Connection) -> Unpacker<'d> {
        Unpacker { db, bases: HashMap::new() }
    }

    /// The bytes that were packed.
    pub fn unpack(&mut self, base: Option<i64>, kept: Vec<u8>) -> Result<Vec<u8>> {
        let Some(base) = base else { return Ok(kept) };
        if !self.bases.contains_key(&base) {
            let find = "SELECT bytes FROM letter WHERE message = ? AND base IS NULL";
            let found = self.db.prepare_cached(find)?.query_row([base], |row| row.get(0)).optional()?;
            self.bases.insert(base, found.ok_or_else(damaged)?);
        }
        unpack(&kept, &self.bases[&base]).ok_or_else(damaged)
    }
}

fn unpack(kept: &[u8], dictionary: &[u8]) -> Option<Vec<u8>> {
    let (sum, rest) = kept.split_first_chunk()?;
    let (length, packed) = rest.split_first_chunk()?;
    let length = u32::from_be_bytes(*length) as usize;
    let whole = decompress_with_dict(packed, (length <= LARGEST).then_some(length)?, dictionary).ok()?;
    (whole.len() == length && crc32fast::hash(&whole) == u32::from_be_bytes(*sum)).then_some(whole)
}

fn damaged() -> Fault {
    Fault::new(
        "letter-stored",
        "a stored message cannot be read: the ledger is damaged, or a newer flagday wrote it",
        "run audit verify; restore the ledger from its backup, or use the newer flagday",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letter(language: &str, person: &str) -> Vec<u8> {
        let body = format!("{language}: the mail server moves. ").repeat(40);
        format!("To: {person}\r\n\r\n{body}\r\n{person}\r\n").into_bytes()
    }

    #[test]
    fn letters_of_one_notice_are_small_and_come_back_as_they_were() {
        let mut packer = Packer::default();
        let mut bases = HashMap::new();
        let mut whole_ones = 0;
        for n in 0..100 {
            let whole = letter(if n % 3 == 0 { "de" } else { "en" }, &format!("person {n} of a hundred"));
            let (base, kept) = packer.pack(n, whole.clone());
            match base {
                None => {
                    whole_ones += 1;
                    assert_eq!(kept, whole);
                    bases.insert(n, kept);
                }
                Some(base) => {
                    assert!(kept.len() < whole.len() / 4, "{}", kept.len());
                    assert_eq!(unpack(&kept, &bases[&base]), Some(whole));
                }
            }
        }
        assert!(whole_ones <= 2, "{whole_ones}");
    }

    #[test]
    fn a_changed_byte_never_makes_another_letter() {
        let mut packer = Packer::default();
        let base = packer.pack(1, letter("en", "a")).1;
        let whole = letter("en", "somebody with a long name of her own");
        let kept = packer.pack(2, whole.clone()).1;
        let altered = |bytes: &[u8]| {
            let bytes = bytes.to_vec();
            (0..bytes.len()).map(move |at| bytes.iter().enumerate().map(|(n, byte)| byte ^ u8::from(n == at)).collect())
        };
        let of_it = altered(&kept).map(|kept: Vec<u8>| unpack(&kept, &base));
        let of_its_dictionary = altered(&base).map(|base: Vec<u8>| unpack(&kept, &base));
        let all: Vec<Option<Vec<u8>>> = of_it.chain(of_its_dictionary).collect();
        // What repeats itself may be copied from another place, and not all of the dictionary is used.
        assert!(all.iter().flatten().all(|found| *found == whole));
        assert!(all.iter().filter(|found| found.is_none()).count() > kept.len() / 2);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(kept in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = unpack(&kept, b"a dictionary");
        }
    }
}
