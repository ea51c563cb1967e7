//! From the bytes of a roster to its text. What the bytes mean is stated, proven or asked; never guessed.

use super::codepage::{self, judge, name};
use super::complaints::shown;
use crate::campaign::Encoding;
use crate::fault::Finding;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// Ctrl-Z, with which DOS programs end a text file.
const END_OF_FILE: char = '\u{1A}';

#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// What there is to say about the encoding, and about which byte of the text.
    pub(super) finding: Option<(usize, Finding)>,
    /// Nobody knows how the characters beyond ASCII read: rows that hold one are not to be used.
    pub(super) in_doubt: bool,
}

/// Decodes a whole file.
///
/// # Errors
/// The file is no text of a kind that is read here.
pub(super) fn decode(bytes: &[u8], stated: Encoding) -> Result<Decoded, Finding> {
    if let Some(kind) = foreign(bytes) {
        let cause = format!("the file is {kind}");
        return Err(Finding::error("not-csv", cause, "save it as CSV with the encoding UTF-8"));
    }
    let marked = bytes.starts_with(BYTE_ORDER_MARK);
    if marked && !matches!(stated, Encoding::Utf8 | Encoding::Auto) {
        let cause = format!("the file begins with the mark of UTF-8, but `encoding` says {}", name(stated));
        return Err(Finding::error("encoding", cause, "state encoding = \"utf-8\""));
    }
    let bytes = if marked { &bytes[BYTE_ORDER_MARK.len()..] } else { bytes };
    let mut decoded = match stated {
        Encoding::Utf8 => utf8(bytes),
        Encoding::Auto => auto(bytes, marked),
        page => Decoded { text: codepage::decode(bytes, page), finding: None, in_doubt: false },
    };
    let end = decoded.text.trim_end_matches(END_OF_FILE).len();
    decoded.text.truncate(end);
    Ok(decoded)
}

/// What the file is by its first bytes, where it is certainly no CSV text.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let start = &bytes[..bytes.len().min(64)];
    let nul_at = |odd: usize| start.len() > 3 && start.iter().skip(odd).step_by(2).all(|byte| *byte == 0);
    match start {
        [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Some("UTF-32, which is not read here"),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Some("UTF-16 (\"Unicode text\"), which is not read here"),
        [b'P', b'K', 3, 4, ..] => Some("a zip archive, perhaps an Excel workbook (.xlsx)"),
        [0xD0, 0xCF, 0x11, 0xE0, ..] => Some("an old Office document, perhaps an Excel workbook (.xls)"),
        _ if nul_at(0) || nul_at(1) => Some("UTF-16 (\"Unicode text\") without its mark, which is not read here"),
        _ => None,
    }
}

fn utf8(bytes: &[u8]) -> Decoded {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let finding = std::str::from_utf8(bytes).err().map(|error| {
        let at = error.valid_up_to();
        let remedy = match judge(bytes) {
            Some(page) => format!("save the file as UTF-8, or state encoding = \"{}\"", name(page)),
            None => "save the file as UTF-8, or state the `encoding` in which the names read right".to_owned(),
        };
        let cause = format!("the file is not UTF-8: {}", readings(bytes, at));
        (at, Finding::error("encoding", cause, remedy))
    });
    Decoded { text, finding, in_doubt: false }
}

fn auto(bytes: &[u8], marked: bool) -> Decoded {
    let sure = |text, finding| Decoded { text, finding, in_doubt: false };
    let note = |cause: String, page| {
        Finding::note("encoding-chosen", cause, format!("state encoding = \"{}\" to keep it so", name(page)))
    };
    let Some(first) = bytes.iter().position(|byte| !byte.is_ascii()) else { return utf8(bytes) };
    let Err(error) = std::str::from_utf8(bytes) else {
        let why = if marked { "it begins with its mark" } else { "all its characters beyond ASCII are valid UTF-8" };
        let finding = note(format!("the file is read as utf-8, because {why}"), Encoding::Utf8);
        return sure(codepage::decode(bytes, Encoding::Utf8), Some((first, finding)));
    };
    if marked {
        return utf8(bytes);
    }
    let at = error.valid_up_to();
    match judge(bytes) {
        Some(page) => {
            let text = codepage::decode(bytes, page);
            let sample = shown(&codepage::decode(around(bytes, at), page));
            let same = page == Encoding::Cp850 && text == codepage::decode(bytes, Encoding::Cp437);
            let same = if same { " (cp437 reads the same)" } else { "" };
            let why = format!("its names read right that way, as '{sample}'{same}, and wrong in any other");
            let finding = note(format!("the file is read as {}, because {why}", name(page)), page);
            let at = codepage::decode(&bytes[..at], page).len();
            sure(text, Some((at, finding)))
        }
        None => {
            let cause = format!("the encoding of the file is in doubt: {}", readings(bytes, at));
            let remedy = "state the `encoding` in which the names read right: encoding = \"cp850\"; rows with such characters are left out until then";
            let at = codepage::decode(&bytes[..at], Encoding::Windows1252).len();
            let text = codepage::decode(bytes, Encoding::Windows1252);
            Decoded { text, finding: Some((at, Finding::error("encoding", cause, remedy))), in_doubt: true }
        }
    }
}

/// How the field around a byte reads in each code page.
fn readings(bytes: &[u8], at: usize) -> String {
    let field = around(bytes, at);
    let pages = [Encoding::Windows1252, Encoding::Cp850, Encoding::Cp437];
    let one = |page| format!("'{}' in {}", shown(&codepage::decode(field, page)), name(page));
    format!("one field reads {}", pages.map(one).join(", "))
}

/// The field around a byte, bounded.
fn around(bytes: &[u8], at: usize) -> &[u8] {
    const REACH: usize = 30;
    let ends = |byte: &u8| matches!(byte, b',' | b';' | b'\t' | b'"' | b'\r' | b'\n');
    let start = bytes[..at].iter().rev().take(REACH).take_while(|byte| !ends(byte)).count();
    let length = bytes[at..].iter().take(REACH).take_while(|byte| !ends(byte)).count();
    &bytes[at - start..at + length]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(bytes: &[u8], stated: Encoding) -> Finding {
        match decode(bytes, stated) {
            Ok(decoded) => decoded.finding.expect("a finding").1,
            Err(finding) => finding,
        }
    }

    #[test]
    fn a_stated_page_is_taken_at_its_word() {
        for (bytes, page) in [
            (b"M\xFCller".as_slice(), Encoding::Windows1252),
            (b"M\x81ller", Encoding::Cp850),
            (b"M\x81ller\x1A", Encoding::Cp437),
            (b"\xEF\xBB\xBFM\xC3\xBCller", Encoding::Utf8),
        ] {
            let decoded = decode(bytes, page).expect("a text");
            assert_eq!((decoded.text.as_str(), decoded.finding), ("Müller", None));
        }
    }

    #[test]
    fn bytes_that_are_not_utf8_are_shown_in_each_page() {
        let finding = finding(b"id,name\r\nann,J\x81rgen M\x81ller,x\r\n", Encoding::Utf8);
        assert_eq!(
            (finding.cause.as_str(), finding.remedy.as_str()),
            (
                "the file is not UTF-8: one field reads 'J rgen M ller' in windows-1252, 'Jürgen Müller' in cp850, \
                 'Jürgen Müller' in cp437",
                "save the file as UTF-8, or state encoding = \"cp850\""
            )
        );
    }

    #[test]
    fn auto_says_what_it_chose_and_why() {
        assert!(decode(b"plain", Encoding::Auto).expect("a text").finding.is_none());
        let cause = |bytes| finding(bytes, Encoding::Auto).cause;
        assert_eq!(
            cause("Müller".as_bytes()),
            "the file is read as utf-8, because all its characters beyond ASCII are valid UTF-8"
        );
        assert_eq!(cause(b"\xEF\xBB\xBFM\xC3\xBCller"), "the file is read as utf-8, because it begins with its mark");
        assert_eq!(
            cause(b"J\x81rgen"),
            "the file is read as cp850, because its names read right that way, as 'Jürgen' (cp437 reads the same), \
             and wrong in any other"
        );
        let decoded = decode(b"1,M\xFCller", Encoding::Auto).expect("a text");
        let (at, chosen) = decoded.finding.expect("a note");
        assert_eq!((decoded.text.as_str(), at, chosen.is_error()), ("1,Müller", 3, false));
        assert!(chosen.cause.contains("windows-1252"));
    }

    #[test]
    fn in_doubt_a_person_decides() {
        let decoded = decode(b"a,O\x92BRIEN,b", Encoding::Auto).expect("a text");
        let (_, finding) = decoded.finding.expect("an error");
        assert!(decoded.in_doubt && finding.is_error());
        assert_eq!(
            finding.cause,
            "the encoding of the file is in doubt: one field reads 'O’BRIEN' in windows-1252, 'OÆBRIEN' in cp850, \
             'OÆBRIEN' in cp437"
        );
    }

    #[test]
    fn what_is_no_csv_text_is_refused_by_name() {
        for (bytes, kind) in [
            (b"\xFF\xFEi\0d\0".as_slice(), "UTF-16"),
            (b"\xFE\xFF\0i\0d", "UTF-16"),
            (b"i\0d\0,\0", "without its mark"),
            (b"\0i\0d\0,", "without its mark"),
            (b"\xFF\xFE\0\0i\0\0\0", "UTF-32"),
            (b"PK\x03\x04....", ".xlsx"),
            (b"\xD0\xCF\x11\xE0\xA1", ".xls"),
        ] {
            let finding = finding(bytes, Encoding::Auto);
            assert_eq!(finding.code, "not-csv");
            assert!(finding.cause.contains(kind), "{}", finding.cause);
        }
        assert_eq!(finding(b"\xEF\xBB\xBFid", Encoding::Cp850).remedy, "state encoding = \"utf-8\"");
    }
}
