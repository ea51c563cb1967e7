//! The possession code: eight letters that stand only inside one person's package. Whoever sends them back has opened
//! it.
//!
//! The alphabet is the 23 letters without I, L and O, which are taken for figures, and there are no figures that could
//! be taken for letters. 23 is a prime, so a weighted sum modulo 23 catches every single wrong letter and every swap
//! of two neighbours.

use super::files::{hex, sha256};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use subtle::ConstantTimeEq;

const ALPHABET: &[u8; 23] = b"ABCDEFGHJKMNPQRSTUVWXYZ";
const LENGTH: usize = 8;

#[derive(Clone, Copy)]
pub struct Code([u8; LENGTH]);

/// Why what was typed is no code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeFault {
    Length(usize),
    Letter(char),
    Check,
}

impl Code {
    /// The code of a context (campaign, package, person, what is inside), by the campaign's own key.
    pub fn derive(secret: &[u8; 32], context: &[&str]) -> Code {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
        mac.update(b"flagday possession code 1");
        for part in context {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        // 64 bits modulo 23^7 leave a bias below one in a hundred million.
        let mut number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        let mut letters = [0; LENGTH];
        for letter in letters.iter_mut().take(LENGTH - 1) {
            *letter = ALPHABET[(number % 23) as usize];
            number /= 23;
        }
        letters[LENGTH - 1] = check(&letters);
        Code(letters)
    }

    /// Reads what somebody typed; case, blanks, hyphens and dots do not matter.
    pub fn parse(typed: &str) -> Result<Code, CodeFault> {
        let letters: Vec<char> =
            typed.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '.' | '_')).collect();
        if letters.len() != LENGTH {
            return Err(CodeFault::Length(letters.len()));
        }
        let mut code = [0; LENGTH];
        for (place, letter) in code.iter_mut().zip(letters) {
            let upper = letter.to_ascii_uppercase();
            let known = ALPHABET.iter().find(|known| char::from(**known) == upper);
            *place = *known.ok_or(CodeFault::Letter(letter))?;
        }
        if check(&code) == code[LENGTH - 1] { Ok(Code(code)) } else { Err(CodeFault::Check) }
    }

    /// What may be stored: a hash that gives nothing away but whether a code is this one.
    pub fn fingerprint(&self) -> String {
        let mut bytes = b"flagday code fingerprint 1".to_vec();
        bytes.extend(self.0);
        sha256(&bytes)
    }

    /// As it stands in the package: `ABCD-EFGH`.
    pub fn letters(&self) -> String {
        let text: String = self.0.iter().map(|byte| char::from(*byte)).collect();
        format!("{}-{}", &text[..4], &text[4..])
    }
}

fn check(letters: &[u8; LENGTH]) -> u8 {
    let value = |letter: u8| ALPHABET.iter().position(|known| *known == letter).unwrap_or(0);
    let sum: usize = letters[..LENGTH - 1].iter().enumerate().map(|(at, letter)| (at + 2) * value(*letter)).sum();
    ALPHABET[sum % 23]
}

impl PartialEq for Code {
    fn eq(&self, other: &Code) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code(#{})", &hex(&self.0[..0]))
    }
}

impl fmt::Display for CodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CodeFault::Length(n) => write!(f, "a code has 8 letters, and that has {n}"),
            CodeFault::Letter(letter) => {
                write!(f, "'{letter}' stands in no code (they have no I, L, O and no figures)")
            }
            CodeFault::Check => f.write_str("the check letter does not fit: one letter is wrong, or two are swapped"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_differ_by_context_and_are_the_same_for_the_same_one() {
        let code = |person: &str| Code::derive(&[7; 32], &["c", "init-disk", person]);
        assert_eq!(code("ann"), code("ann"));
        assert_ne!(code("ann"), code("bob"));
        assert_ne!(Code::derive(&[7; 32], &["ab", "c"]), Code::derive(&[7; 32], &["a", "bc"]));
        assert_eq!(format!("{:?}", code("ann")), "Code(#)");
    }

    #[test]
    fn what_was_typed_is_read_with_mercy_and_refused_with_a_reason() {
        let code = Code::derive(&[7; 32], &["x"]);
        let text = code.letters();
        assert_eq!(Code::parse(&format!(" {} ", text.to_lowercase().replace('-', " "))), Ok(code));
        assert_eq!(Code::parse("ABC"), Err(CodeFault::Length(3)));
        assert_eq!(Code::parse("ABCD-EFG1"), Err(CodeFault::Letter('1')));
    }

    proptest! {
        #[test]
        fn every_wrong_letter_and_every_swap_of_neighbours_is_caught(seed: [u8; 32], at in 0..8usize, other in 0..23usize) {
            let code = Code::derive(&seed, &["x"]);
            let mut wrong = code;
            wrong.0[at] = ALPHABET[other];
            prop_assert_eq!(Code::parse(&wrong.letters()).is_ok(), wrong.0[at] == code.0[at]);
            let mut swapped = code;
            swapped.0.swap(at, (at + 1) % 8);
            if at < 7 && swapped != code {
                prop_assert_eq!(Code::parse(&swapped.letters()), Err(CodeFault::Check));
            }
        }
    }
}
