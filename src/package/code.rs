//! The possession code: eight letters that stand in one person's package and nowhere else. Who sends them back holds
//! the package.

use crate::campaign::{Campaign, Package};
use crate::roster::Person;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use subtle::ConstantTimeEq;

/// The letters without I, L and O, which pass for digits. Twenty-three is a prime: a sum with different weights, modulo
/// twenty-three, changes with every single wrong letter and with every swap of two different letters.
const ALPHABET: &[u8; 23] = b"ABCDEFGHJKMNPQRSTUVWXYZ";
const LETTERS: usize = 8;

/// Longer input is no code, however it is spaced.
const TYPED_MAX: usize = 64;

/// Seven letters and a check letter. Shown as `ABCD-EFGH`, compared in constant time, never shown by `{:?}`.
#[derive(Clone, Copy)]
pub struct Code([u8; LETTERS]);

/// Why typed text is no code. None of these repeats what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeFault {
    /// So many letters instead of eight.
    Length(usize),
    /// A character that stands in no code.
    Letter(char),
    /// One letter is wrong, or two have changed places.
    Check,
}

impl Code {
    /// The code that only the holder of the secret can derive for this context (HMAC-SHA-256, RFC 2104). The parts
    /// of the context are kept apart by their lengths.
    pub fn derive(secret: &[u8; 32], context: &[&str]) -> Code {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        mac.update(b"flagday possession code 1");
        for part in context {
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        let tag = mac.finalize().into_bytes();
        let mut number = tag[..8].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let mut letters = [0; LETTERS];
        for letter in &mut letters[..LETTERS - 1] {
            *letter = ALPHABET[(number % 23) as usize];
            number /= 23;
        }
        letters[LETTERS - 1] = ALPHABET[check(&letters[..LETTERS - 1])];
        Code(letters)
    }

    /// Reads what a person typed: small letters, blanks and hyphens of any kind are welcome.
    pub fn parse(typed: &str) -> Result<Code, CodeFault> {
        let mut letters = [0; LETTERS];
        let mut count = 0;
        for c in typed.chars().take(TYPED_MAX) {
            if c.is_whitespace() || matches!(c, '-' | '_' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}') {
                continue;
            }
            let upper = c.to_ascii_uppercase();
            let letter = u8::try_from(upper).ok().filter(|c| value(*c).is_some()).ok_or(CodeFault::Letter(upper))?;
            if let Some(place) = letters.get_mut(count) {
                *place = letter;
            }
            count += 1;
        }
        if count != LETTERS {
            return Err(CodeFault::Length(count));
        }
        match value(letters[LETTERS - 1]) == Some(check(&letters[..LETTERS - 1])) {
            true => Ok(Code(letters)),
            false => Err(CodeFault::Check),
        }
    }

    /// What may be stored in the code's place: SHA-256 behind a prefix of its own, as hex. It keeps codes from being
    /// read; it does not keep anybody who holds it from trying all 3.4 thousand million.
    pub fn fingerprint(&self) -> String {
        let digest = Sha256::new().chain_update(b"flagday possession code fingerprint 1\0").chain_update(self.0);
        HEXLOWER.encode(&digest.finalize())
    }
}

/// The code in this person's copy of the package. It changes with the person, with any file of the package (`digest`
/// is that of the files without README.TXT), and with the facts people are told.
pub fn code_for(secret: &[u8; 32], campaign: &Campaign, package: &Package, person: &Person, digest: &str) -> Code {
    let change = format!("{} {}", campaign.change.local.format("%Y-%m-%dT%H:%M:%S"), campaign.change.zone);
    let mut context = vec![campaign.name.as_str(), &package.name, &person.id, digest, &change];
    if let Some(facts) = &campaign.msmail {
        context.extend([facts.network.as_str(), &facts.name, &facts.old_serial, &facts.new_serial]);
    }
    for (name, value) in &campaign.facts {
        context.extend([name.as_str(), value]);
    }
    Code::derive(secret, &context)
}

fn value(letter: u8) -> Option<usize> {
    ALPHABET.iter().position(|c| *c == letter)
}

/// The check letter's value: weights 2 to 8, and 22 for the check letter itself, are all different and none is zero.
fn check(letters: &[u8]) -> usize {
    letters.iter().zip(2..).map(|(letter, weight)| weight * value(*letter).unwrap_or(0)).sum::<usize>() % 23
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(********)")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, letter) in self.0.iter().enumerate() {
            write!(f, "{}{}", if n == LETTERS / 2 { "-" } else { "" }, char::from(*letter))?;
        }
        Ok(())
    }
}

impl fmt::Display for CodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodeFault::Length(count) => write!(f, "a code has {LETTERS} letters, this one has {count}"),
            CodeFault::Letter(c) => write!(f, "{c:?} stands in no code: codes have letters only, without I, L and O"),
            CodeFault::Check => {
                f.write_str("the check letter does not fit: a letter is wrong or two have changed places")
            }
        }
    }
}

impl std::error::Error for CodeFault {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = Code::derive(SECRET, &["corp", "init-disk", "ADAMS"]);
        let shown = code.to_string();
        assert_eq!(shown.len(), 9);
        let bare = shown.replace('-', "");
        for typed in [shown.clone(), bare.to_lowercase(), format!(" {} ", bare), shown.replace('-', " \u{2013} ")] {
            assert_eq!(Code::parse(&typed), Ok(code), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_says_why() {
        let code = Code::derive(SECRET, &["x"]).to_string();
        assert_eq!(Code::parse(""), Err(CodeFault::Length(0)));
        assert_eq!(Code::parse(&code[1..]), Err(CodeFault::Length(7)));
        assert_eq!(Code::parse(&format!("{code}{code}")), Err(CodeFault::Length(16)));
        assert_eq!(Code::parse("abcd-efg1"), Err(CodeFault::Letter('1')));
        assert_eq!(Code::parse("oooo-oooo"), Err(CodeFault::Letter('O')));
        assert_eq!(Code::parse(&"A".repeat(1_000_000)), Err(CodeFault::Length(TYPED_MAX)));
        assert!(CodeFault::Check.to_string().contains("check letter does not fit"));
    }

    #[test]
    fn a_code_depends_on_secret_and_context_and_on_where_its_parts_end() {
        let code = Code::derive(SECRET, &["ab", "c"]);
        assert_ne!(code, Code::derive(SECRET, &["a", "bc"]));
        assert_ne!(code, Code::derive(SECRET, &["abc"]));
        assert_ne!(code, Code::derive(b"another secret, 32 bytes long...", &["ab", "c"]));
        assert_eq!(code, Code::derive(SECRET, &["ab", "c"]));
    }

    #[test]
    fn nothing_but_display_shows_a_code() {
        let code = Code::derive(SECRET, &["x"]);
        let bare = code.to_string().replace('-', "");
        assert_eq!(format!("{code:?} {:?}", Some(code)), "Code(********) Some(Code(********))");
        assert_eq!(code.fingerprint().len(), 64);
        assert_ne!(code.fingerprint(), super::super::files::sha256(bare.as_bytes()));
    }

    proptest! {
        #[test]
        fn every_wrong_letter_and_every_swap_is_caught(word in "\\PC{0,20}") {
            let Code(letters) = Code::derive(SECRET, &[&word]);
            let faulty = |letters: [u8; LETTERS]| {
                Code::parse(&String::from_utf8_lossy(&letters)) == Err(CodeFault::Check)
            };
            for n in 0..LETTERS {
                for letter in ALPHABET.iter().filter(|letter| **letter != letters[n]) {
                    let mut wrong = letters;
                    wrong[n] = *letter;
                    prop_assert!(faulty(wrong));
                }
                for m in (0..n).filter(|m| letters[*m] != letters[n]) {
                    let mut swapped = letters;
                    swapped.swap(m, n);
                    prop_assert!(faulty(swapped));
                }
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(typed in "\\PC{0,80}") {
            if let Ok(code) = Code::parse(&typed) {
                prop_assert_eq!(Code::parse(&code.to_string()), Ok(code));
            }
        }
    }
}
