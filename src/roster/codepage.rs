//! Is this old text Windows-1252 or an OEM code page? Judged by how its words read; in doubt a person decides.
//!
//! In the OEM pages 437 and 850 the accented letters lie at 0x80-0x9F and 0xA0-0xA5, where Windows-1252 has mostly
//! punctuation; the letters of Windows-1252 lie at 0xC0-0xFF, where the OEM pages have mostly lines and Greek.

use crate::campaign::Encoding;
use encoding_rs::WINDOWS_1252;
use oem_cp::code_table::{DECODING_TABLE_CP437, DECODING_TABLE_CP850};
use oem_cp::{decode_char_complete_table, decode_string_complete_table};

/// Decodes text in a code page of one byte a character. A byte that Windows-1252 leaves open becomes a C1 control.
pub(super) fn decode(bytes: &[u8], encoding: Encoding) -> String {
    match encoding {
        Encoding::Cp437 => decode_string_complete_table(bytes, &DECODING_TABLE_CP437),
        Encoding::Cp850 => decode_string_complete_table(bytes, &DECODING_TABLE_CP850),
        Encoding::Windows1252 => WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
        Encoding::Utf8 | Encoding::Auto => String::from_utf8_lossy(bytes).into_owned(),
    }
}

pub(super) fn name(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "utf-8",
        Encoding::Windows1252 => "windows-1252",
        Encoding::Cp437 => "cp437",
        Encoding::Cp850 => "cp850",
        Encoding::Auto => "auto",
    }
}

/// How the bytes above 0x7F fit a reading.
#[derive(Debug, Default, Clone, Copy)]
struct Fit {
    good: usize,
    bad: usize,
}

impl Fit {
    /// Nearly everything reads well; one byte in twenty may be a slip.
    fn convinces(self) -> bool {
        self.good > 0 && self.bad * 20 <= self.good
    }

    fn fails(self) -> bool {
        self.good <= self.bad
    }
}

/// The code page of a text that is not UTF-8, or nothing where both readings stand to reason.
pub(super) fn judge(bytes: &[u8]) -> Option<Encoding> {
    let ansi_table = ansi_table();
    let ansi = fit(bytes, |byte| ansi_table[byte as usize], ansi_fits);
    let oem = fit(bytes, |byte| decode_char_complete_table(byte, &DECODING_TABLE_CP850), oem_fits);
    match (ansi.convinces() && oem.fails(), oem.convinces() && ansi.fails()) {
        (true, false) => Some(Encoding::Windows1252),
        (false, true) => Some(Encoding::Cp850),
        _ => None,
    }
}

fn ansi_table() -> [char; 256] {
    std::array::from_fn(|byte| {
        let text = WINDOWS_1252.decode_without_bom_handling(&[byte as u8]).0.chars().next();
        text.expect("Windows-1252 decodes every byte to one character")
    })
}

fn fit(bytes: &[u8], read: impl Fn(u8) -> char, fits: impl Fn(u8, char, char, char) -> Option<bool>) -> Fit {
    let mut fit = Fit::default();
    let near = |at: Option<usize>| at.and_then(|at| bytes.get(at)).map_or(' ', |byte| read(*byte));
    for (at, byte) in bytes.iter().enumerate().filter(|(_, byte)| !byte.is_ascii()) {
        match fits(*byte, near(at.checked_sub(1)), read(*byte), near(at.checked_add(1))) {
            Some(true) => fit.good += 1,
            Some(false) => fit.bad += 1,
            None => {}
        }
    }
    fit
}

/// á in Windows-1252 and ß in the OEM pages: common in both, so it proves nothing.
const EITHER: u8 = 0xE1;

fn ansi_fits(byte: u8, before: char, c: char, after: char) -> Option<bool> {
    let inside = before.is_alphabetic() && after.is_alphabetic();
    match c {
        _ if byte == EITHER => None,
        '’' => Some(inside),
        c if is_latin(c) => Some(case_fits(before, c, after)),
        c => Some(!c.is_control() && !before.is_alphabetic() && !after.is_alphabetic()),
    }
}

fn oem_fits(byte: u8, before: char, c: char, after: char) -> Option<bool> {
    match byte {
        EITHER => None,
        // The letters both pages have at the same place; the others of 850 are rare in the languages that use it.
        0x80..=0xA5 => Some(is_latin(c) && case_fits(before, c, after)),
        _ if is_latin(c) && case_fits(before, c, after) && is_common(c) => None,
        _ => Some(false),
    }
}

/// Letters of code page 850 outside the common block that names do hold.
fn is_common(c: char) -> bool {
    matches!(
        c,
        'ã' | 'Ã'
            | 'õ'
            | 'Õ'
            | 'Á'
            | 'Â'
            | 'À'
            | 'Ê'
            | 'Ë'
            | 'È'
            | 'Í'
            | 'Î'
            | 'Ï'
            | 'Ì'
            | 'Ó'
            | 'Ô'
            | 'Ò'
            | 'Ú'
            | 'Û'
            | 'Ù'
    )
}

fn is_latin(c: char) -> bool {
    matches!(c, 'À'..='ž') && !matches!(c, '×' | '÷')
}

/// A capital does not follow a small letter, nor stand second in a word that goes on small; a small letter is not
/// followed by a capital.
fn case_fits(before: char, c: char, after: char) -> bool {
    if c.is_lowercase() {
        return !after.is_uppercase();
    }
    let inside_small = before.is_lowercase() || before.is_alphabetic() && after.is_lowercase();
    !inside_small
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str, encoding: Encoding) -> Vec<u8> {
        let one = |c: char| (0..=255u8).find(|byte| decode(&[*byte], encoding) == c.to_string());
        text.chars().map(|c| one(c).expect("a character of the code page")).collect()
    }

    const NAMES: [&str; 6] = [
        "Jürgen Müller, Käthe Groß, Jörg Ähren, Özgür",
        "René, François, Hélène, Gaëlle, Benoît, Zoë",
        "José Núñez, Inés Martínez, Ramón, Sánchez",
        "Åse Østby, Bjørn Sæther, Märta Öberg",
        "João Simões, Conceição, Luís, Antônio",
        "MÜLLER JÜRGEN, BJÖRN ÅBERG",
    ];

    #[test]
    fn names_are_recognised_in_the_page_they_were_written_in() {
        for names in NAMES {
            for encoding in [Encoding::Windows1252, Encoding::Cp850] {
                assert_eq!(judge(&encoded(names, encoding)), Some(encoding), "{names}");
            }
        }
        assert_eq!(judge(&encoded("Jürgen Müller, Käthe", Encoding::Cp437)), Some(Encoding::Cp850));
    }

    #[test]
    fn what_reads_well_both_ways_is_not_guessed() {
        // O'Brien with a curly apostrophe, or OÆBrien; Strauß or Strauá; nothing that reads well at all.
        for bytes in [b"O\x92BRIEN".as_slice(), b"Strau\xE1", b"S\x81\xC4\xB3\xFFx"] {
            assert_eq!(judge(bytes), None, "{bytes:x?}");
        }
    }
}
