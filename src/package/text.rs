//! Text as DOS reads it: lines that end in CR LF, within 76 columns, in code page 437.

use oem_cp::code_table::ENCODING_TABLE_CP437;
use oem_cp::encode_char_checked;
use std::collections::BTreeSet;

/// What every screen, printer and mail program of the time shows without breaking the line itself.
pub const COLUMNS: usize = 76;

/// Breaks longer lines between words; what follows is indented like the line, or like its text behind `1. ` or `- `.
/// A word that is longer than a line stays whole.
pub fn wrap(text: &str) -> String {
    let mut wrapped = String::with_capacity(text.len());
    for line in text.lines() {
        let indent = " ".repeat(text_column(line).min(COLUMNS / 2));
        let mut rest = line.trim_end().to_owned();
        while rest.chars().count() > COLUMNS {
            let Some(at) = break_at(&rest) else { break };
            wrapped.push_str(rest[..at].trim_end());
            wrapped.push('\n');
            rest = format!("{indent}{}", rest[at..].trim_start());
        }
        wrapped.push_str(&rest);
        wrapped.push('\n');
    }
    wrapped
}

/// The last blank within the columns, else the first one behind them; never one of the indentation.
fn break_at(line: &str) -> Option<usize> {
    let start = line.len() - line.trim_start().len();
    let blanks = || line.char_indices().enumerate().filter(|(_, (at, c))| *c == ' ' && *at > start);
    let within = blanks().take_while(|(column, _)| *column <= COLUMNS).last();
    within.or_else(|| blanks().next()).map(|(_, (at, _))| at)
}

/// Where a line's text begins: behind the indentation and a list's mark.
fn text_column(line: &str) -> usize {
    let text = line.trim_start();
    let mark = text.split(' ').next().unwrap_or_default();
    let listed = mark == "-" || mark.len() <= 3 && mark.ends_with(['.', ')']);
    let behind = if listed { text[mark.len()..].trim_start() } else { text };
    line.len() - behind.len()
}

/// The text with CR LF at every line's end, whatever it had.
pub fn crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n").replace('\n', "\r\n")
}

/// The text in code page 437, to the letter; else line, column and character of the first one that it does not have.
pub fn encode(text: &str) -> Result<Vec<u8>, (u32, u32, char)> {
    let (mut line, mut column) = (1, 0);
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        column += 1;
        bytes.push(encode_char_checked(c, &ENCODING_TABLE_CP437).ok_or((line, column, c))?);
        if c == '\n' {
            (line, column) = (line + 1, 0);
        }
    }
    Ok(bytes)
}

/// The text in code page 437 as well as it goes: a letter that it lacks loses its mark, a typographic sign becomes the
/// typewriter's. The characters that became a question mark are told.
pub fn encode_readably(text: &str) -> (Vec<u8>, BTreeSet<char>) {
    let mut lost = BTreeSet::new();
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        if let Some(byte) = encode_char_checked(c, &ENCODING_TABLE_CP437) {
            bytes.push(byte);
        } else if let Some((_, plain)) = PLAIN.iter().find(|(signs, _)| signs.contains(c)) {
            bytes.extend_from_slice(plain.as_bytes());
        } else {
            bytes.push(b'?');
            lost.insert(c);
        }
    }
    (bytes, lost)
}

/// What stands for signs that code page 437 lacks, where every reader reads it the same way.
const PLAIN: &[(&str, &str)] = &[
    ("ÀÁÂÃĀĂĄ", "A"),
    ("ãāăą", "a"),
    ("ĆĈĊČ", "C"),
    ("ćĉċč", "c"),
    ("ĎĐ", "D"),
    ("ďđ", "d"),
    ("ÈÊËĒĔĖĘĚ", "E"),
    ("ēĕėęě", "e"),
    ("ĜĞĠĢ", "G"),
    ("ĝğġģ", "g"),
    ("ĤĦ", "H"),
    ("ĥħ", "h"),
    ("ÌÍÎÏĨĪĬĮİ", "I"),
    ("ĩīĭįı", "i"),
    ("Ĵ", "J"),
    ("ĵ", "j"),
    ("Ķ", "K"),
    ("ķ", "k"),
    ("ĹĻĽĿŁ", "L"),
    ("ĺļľŀł", "l"),
    ("ŃŅŇ", "N"),
    ("ńņň", "n"),
    ("ÒÓÔÕŌŎŐ", "O"),
    ("õōŏő", "o"),
    ("Ø", "Oe"),
    ("ø", "oe"),
    ("ŔŖŘ", "R"),
    ("ŕŗř", "r"),
    ("ŚŜŞŠȘ", "S"),
    ("śŝşšș", "s"),
    ("ŢŤŦȚ", "T"),
    ("ţťŧț", "t"),
    ("ÙÚÛŨŪŬŮŰŲ", "U"),
    ("ũūŭůűų", "u"),
    ("Ŵ", "W"),
    ("ŵ", "w"),
    ("ÝŸŶ", "Y"),
    ("ýŷ", "y"),
    ("ŹŻŽ", "Z"),
    ("źżž", "z"),
    ("Œ", "OE"),
    ("œ", "oe"),
    ("ẞ", "SS"),
    ("‘’‚‹›′", "'"),
    ("“”„″", "\""),
    ("‐‑‒–—−", "-"),
    ("…", "..."),
    ("€", "EUR"),
    ("\u{2007}\u{2009}\u{202f}", " "),
    ("\u{ad}\u{200b}\u{feff}", ""),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_lines_break_between_words_and_keep_their_indentation() {
        let long = format!("   1. {}", "word ".repeat(20).trim_end());
        let wrapped = wrap(&long);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert_eq!(lines, [&long[..75], "      word word word word word word"]);
        assert_eq!(wrap(&"x".repeat(100)), format!("{}\n", "x".repeat(100)));
        assert_eq!(wrap(&format!("  {} y", "x".repeat(100))), format!("  {}\n  y\n", "x".repeat(100)));
        assert_eq!(wrap("a\n\nb"), "a\n\nb\n");
    }

    #[test]
    fn every_line_ends_in_crlf_once() {
        assert_eq!(crlf("a\nb\r\nc\rd"), "a\r\nb\r\nc\r\nd");
    }

    #[test]
    fn code_page_437_to_the_letter_or_not_at_all() {
        assert_eq!(encode("Müller\r\n"), Ok(b"M\x81ller\r\n".to_vec()));
        assert_eq!(encode("a\r\nbŁ"), Err((2, 2, 'Ł')));
    }

    #[test]
    fn code_page_437_readably() {
        let (bytes, lost) = encode_readably("Čapek, Søren, Łódź – “Ñandú” §");
        assert_eq!(bytes, b"Capek, Soeren, L\xA2dz - \"\xA5and\xA3\" ?");
        assert_eq!(lost, BTreeSet::from(['§']));
    }

    proptest! {
        #[test]
        fn wrapping_loses_no_word_and_always_ends(text in "[a-z .)-]{0,400}") {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let wrapped = wrap(&text);
            prop_assert_eq!(words(&wrapped), words(&text));
            for line in wrapped.lines() {
                prop_assert!(line.chars().count() <= COLUMNS || !line.trim().contains(' ') , "{}", line);
            }
        }
    }
}
