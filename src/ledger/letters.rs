//! How letters are kept: a few of them whole, all others as what is different from one of those (LZ4, the whole one as its
//! dictionary; `likeness` is the quick way to it). Letters of one notice differ in a few words; kept whole, a hundred thousand would take hundreds of megabytes
//! through the write-ahead log in one transaction.
//!
//! ```text
//! base IS NULL   bytes are the letter
//! base           bytes are its length u32 (big-endian) and an LZ4 block; base is the message whose letter is the dictionary
//! sum            CRC-32 of the letter itself
//! ```
//! What does not come out as it went in is never sent.

use super::Ledger;
use super::likeness::differences;
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

/// A letter as it is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Packed {
    pub base: Option<i64>,
    pub sum: u32,
    pub bytes: Vec<u8>,
}

/// Makes letters small, one after the other.
#[derive(Debug, Default)]
pub(super) struct Packer {
    /// Messages whose letters are kept whole, the one that served last in front.
    bases: Vec<(i64, Vec<u8>)>,
}

impl Packer {
    /// What to keep of this message's letter.
    pub fn pack(&mut self, message: i64, whole: Vec<u8>) -> Packed {
        let sum = crc32fast::hash(&whole);
        let pack = |way: fn(&[u8], &[u8]) -> Vec<u8>, times: usize| {
            let packed = self.bases.iter().map(|(_, dictionary)| way(&whole, dictionary)).enumerate();
            packed.into_iter().find(|(_, packed)| packed.len() * times < whole.len())
        };
        if let Some((place, packed)) = pack(differences, 4).or_else(|| pack(compress_with_dict, 2)) {
            let bytes = [&(whole.len() as u32).to_be_bytes()[..], &packed].concat();
            self.bases[..=place].rotate_right(1);
            return Packed { base: Some(self.bases[0].0), sum, bytes };
        }
        if whole.len() <= LONGEST {
            self.bases.truncate(BASES - 1);
            self.bases.insert(0, (message, whole.clone()));
        }
        Packed { base: None, sum, bytes: whole }
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

    /// The letter that was packed. An older flagday kept no sum.
    pub fn unpack(&mut self, base: Option<i64>, sum: Option<u32>, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let whole = match base {
            None => bytes,
            Some(base) => {
                if !self.bases.contains_key(&base) {
                    let find = "SELECT bytes FROM letter WHERE message = ? AND base IS NULL";
                    let found = self.db.prepare_cached(find)?.query_row([base], |row| row.get(0)).optional()?;
                    self.bases.insert(base, found.ok_or_else(damaged)?);
                }
                expand(&bytes, &self.bases[&base]).ok_or_else(damaged)?
            }
        };
        if sum.is_some_and(|sum| sum != crc32fast::hash(&whole)) {
            return Err(damaged());
        }
        Ok(whole)
    }
}

fn expand(bytes: &[u8], dictionary: &[u8]) -> Option<Vec<u8>> {
    let (length, packed) = bytes.split_first_chunk()?;
    let length = u32::from_be_bytes(*length) as usize;
    let whole = decompress_with_dict(packed, (length <= LARGEST).then_some(length)?, dictionary).ok()?;
    (whole.len() == length).then_some(whole)
}

impl Ledger {
    /// Reads every letter: each has to be as it was planned.
    pub(super) fn verify_letters(&self) -> Result<()> {
        let mut letters = Unpacker::new(&self.db);
        let mut all = self.db.prepare("SELECT base, sum, bytes FROM letter ORDER BY message")?;
        let mut rows = all.query(())?;
        while let Some(row) = rows.next()? {
            letters.unpack(row.get(0)?, row.get(1)?, row.get(2)?)?;
        }
        Ok(())
    }
}

fn damaged() -> Fault {
    Fault::new(
        "letter-stored",
        "a stored message cannot be read: the ledger is damaged, or a newer flagday wrote it",
        "restore the ledger from its backup, or use the newer flagday; or tell the person another way",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn letter(language: &str, person: &str) -> Vec<u8> {
        // Nothing in it repeats itself: only another letter of the same language makes it small.
        let body: Vec<String> =
            (0..60).map(|n| format!("{language}{:x}", (n + 7) * 2_654_435_761u64 * language.len() as u64)).collect();
        let body = body.join(" ");
        format!("To: {person}\r\n\r\n{body}\r\n{person}\r\n").into_bytes()
    }

    /// A table with these letters, as messages 1, 2, …
    fn table(letters: &[Vec<u8>]) -> Connection {
        let db = Connection::open_in_memory().expect("a database");
        db.execute_batch("CREATE TABLE letter(message INTEGER PRIMARY KEY, base INTEGER, sum INTEGER, bytes BLOB)")
            .expect("a table");
        let mut packer = Packer::default();
        for (id, letter) in (1..).zip(letters) {
            let Packed { base, sum, bytes } = packer.pack(id, letter.clone());
            db.execute("INSERT INTO letter VALUES (?,?,?,?)", (id, base, sum, bytes)).expect("kept");
        }
        db
    }

    fn unpacked(db: &Connection, message: i64) -> Result<Vec<u8>> {
        let find = "SELECT base, sum, bytes FROM letter WHERE message = ?";
        let (base, sum, bytes) =
            db.query_row(find, [message], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("a row");
        Unpacker::new(db).unpack(base, sum, bytes)
    }

    #[test]
    fn letters_of_one_notice_are_small_and_come_back_as_they_were() {
        let language = |n| if n % 3 == 0 { "Deutsch" } else { "English " };
        let letters: Vec<_> = (0..100).map(|n| letter(language(n), &format!("person {n} of a hundred"))).collect();
        let db = table(&letters);
        for (id, letter) in (1..).zip(&letters) {
            assert_eq!(&unpacked(&db, id).expect("unpacked"), letter);
        }
        let count = |sql: &str| db.query_row(sql, (), |row| row.get::<_, i64>(0)).expect("counted");
        assert_eq!(count("SELECT count(*) FROM letter WHERE base IS NULL"), 2);
        let kept = count("SELECT sum(length(bytes)) FROM letter");
        assert!(kept < letters.iter().map(Vec::len).sum::<usize>() as i64 / 4, "{kept}");
    }

    #[test]
    fn a_changed_byte_never_makes_another_letter() {
        let letters = [letter("en", "a"), letter("en", "somebody with a long name of her own")];
        let db = table(&letters);
        for message in [1, 2] {
            let find = "SELECT bytes FROM letter WHERE message = ?";
            let kept: Vec<u8> = db.query_row(find, [message], |row| row.get(0)).expect("a row");
            let mut refused = 0;
            for at in 0..kept.len() {
                let mut altered = kept.clone();
                altered[at] ^= 1;
                db.execute("UPDATE letter SET bytes = ? WHERE message = ?", (altered, message)).expect("altered");
                for (id, letter) in (1..).zip(&letters) {
                    match unpacked(&db, id) {
                        // What repeats itself may be copied from another place, and not all of a dictionary is used.
                        Ok(found) => assert_eq!(&found, letter, "{message} altered at {at}"),
                        Err(_) => refused += 1,
                    }
                }
            }
            assert!(refused > kept.len() / 2, "{refused} of {}", kept.len());
            db.execute("UPDATE letter SET bytes = ? WHERE message = ?", (kept, message)).expect("put back");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = expand(&bytes, b"a dictionary");
        }
    }
}
