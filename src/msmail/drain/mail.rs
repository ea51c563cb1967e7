//! Which headers lie in a mailbag: a digest of each, so that new ones are told apart from those that were there, whatever
//! Compress took away in between. What the 116 bytes mean does not matter here.

use crate::fault::Result;
use crate::msmail::sizes::MAILBAG_HEADER;
use crate::msmail::tree::Postoffice;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The headers of a mailbag, each as twelve hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mail {
    headers: Vec<String>,
}

impl Mail {
    /// What lies in a mailbag now; nothing where there is none. A header that is not whole yet counts as one.
    pub fn of(live: &Postoffice, hexid: &str) -> Result<Mail> {
        let bytes = live.read(&format!("MBG/{hexid}.MBG"))?.unwrap_or_default();
        let digest = |header: &[u8]| Sha256::digest(header)[..6].iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Mail { headers: bytes.chunks(MAILBAG_HEADER as usize).map(digest).collect() })
    }

    pub fn count(&self) -> usize {
        self.headers.len()
    }

    /// How many headers are here that were not there then.
    pub fn new_since(&self, then: &Mail) -> usize {
        let mut known: BTreeMap<&str, usize> = BTreeMap::new();
        then.headers.iter().for_each(|header| *known.entry(header).or_default() += 1);
        let is_new = |header: &&String| match known.get_mut(header.as_str()) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        };
        self.headers.iter().filter(is_new).count()
    }

    pub fn to_line(&self) -> String {
        self.headers.join(" ")
    }

    pub fn from_line(line: &str) -> Mail {
        Mail { headers: line.split_whitespace().map(str::to_owned).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msmail::fixture::Tree;

    fn of(bytes: &[&[u8]]) -> Mail {
        let tree = Tree::live();
        tree.write("MBG/00000001.MBG", &bytes.concat());
        Mail::of(&tree.open(), "00000001").expect("read")
    }

    #[test]
    fn new_headers_are_told_from_those_that_were_there() {
        let (one, two, three) = ([1; 116], [2; 116], [3; 116]);
        let then = of(&[&one, &two]);
        assert_eq!(Mail::from_line(&then.to_line()), then);
        for (now, new) in [
            (of(&[&one, &two]), 0),
            (of(&[&two]), 0),
            (of(&[]), 0),
            (of(&[&two, &three]), 1),
            (of(&[&three, &three]), 2),
            (of(&[&one, &two, &two]), 1),
            (of(&[&one, &two, &three[..7]]), 1),
        ] {
            assert_eq!(now.new_since(&then), new, "{now:?}");
        }
        assert_eq!(then.new_since(&Mail::default()), 2);
    }
}
