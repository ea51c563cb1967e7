//! From a roster's bytes to its text. What is written in a known encoding is decoded; what could be several things is
//! shown, never guessed in silence.

use crate::campaign::{Encoding, RosterFile};
use crate::fault::Finding;
use encoding_rs::WINDOWS_1252;
use oem_cp::code_table::{DECODING_TABLE_CP437, DECODING_TABLE_CP850};
use std::borrow::Cow;

/// The text, or why there is none. A choice made by `auto` is told as a note.
pub(super) fn decode<'a>(bytes: &'a [u8], file: &RosterFile) -> Result<(Cow<'a, str>, Option<Finding>), Finding> {
    let name = file.file.display();
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let cause = format!("{name} is UTF-16, which no roster may be");
        return Err(Finding::error("roster-utf16", cause, "save it as CSV UTF-8").in_file(&file.file));
    }
    let marked = bytes.strip_prefix(b"\xEF\xBB\xBF");
    let body = marked.unwrap_or(bytes);
    match file.encoding {
        Encoding::Utf8 => utf8(body, file).map(|text| (text, None)),
        _ if marked.is_some() => utf8(body, file).map(|text| (text, None)),
        Encoding::Windows1252 => Ok((windows_1252(body), None)),
        Encoding::Cp437 => Ok((oem(body, &DECODING_TABLE_CP437), None)),
        Encoding::Cp850 => Ok((oem(body, &DECODING_TABLE_CP850), None)),
        Encoding::Auto => match std::str::from_utf8(body) {
            Ok(text) => Ok((Cow::Borrowed(text), None)),
            Err(_) => judge(body, file),
        },
    }
}

fn utf8<'a>(body: &'a [u8], file: &RosterFile) -> Result<Cow<'a, str>, Finding> {
    std::str::from_utf8(body).map(Cow::Borrowed).map_err(|error| {
        let before = &body[..error.valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let column = 1 + String::from_utf8_lossy(&before[start..]).chars().count();
        Finding::error(
            "roster-encoding",
            format!("byte 0x{:02X} is no UTF-8", body[error.valid_up_to()]),
            "state `encoding = \"windows-1252\"`, \"cp850\", \"cp437\" or \"auto\" for this roster",
        )
        .at(crate::fault::Place::new(&file.file, line as u32, column as u32))
    })
}

fn windows_1252(body: &[u8]) -> Cow<'_, str> {
    WINDOWS_1252.decode_without_bom_handling(body).0
}

fn oem<'a>(body: &'a [u8], table: &[char; 128]) -> Cow<'a, str> {
    Cow::Owned(oem_cp::decode_string_complete_table(body, table))
}

/// DOS code pages keep their letters where Windows-1252 keeps rare signs (0x80 to 0x9F), and Windows-1252 keeps its
/// letters where the DOS pages draw boxes. Letters on one side only make it clear.
fn judge<'a>(body: &'a [u8], file: &RosterFile) -> Result<(Cow<'a, str>, Option<Finding>), Finding> {
    let letters = |range: std::ops::RangeInclusive<u8>| body.iter().filter(|byte| range.contains(byte)).count();
    let (oem_letters, windows_letters) = (letters(0x80..=0x9F), letters(0xC0..=0xFF));
    let note = |chosen: &str| {
        let cause = format!("read as {chosen}: its letters stand where that encoding keeps them");
        let remedy = format!("state `encoding = \"{chosen}\"` to be sure");
        Finding::note("roster-encoding-chosen", cause, remedy).in_file(&file.file)
    };
    match (oem_letters, windows_letters) {
        (0, 1..) => Ok((windows_1252(body), Some(note("windows-1252")))),
        // The two pages agree on all letters of western languages below 0xA0.
        (1.., 0) => Ok((oem(body, &DECODING_TABLE_CP850), Some(note("cp850")))),
        _ => {
            let at = body.iter().position(|byte| *byte >= 0x80).unwrap_or(0);
            let start = body[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            let end = body[at..].iter().position(|byte| *byte == b'\n').map_or(body.len(), |length| at + length);
            let line = 1 + body[..at].iter().filter(|byte| **byte == b'\n').count();
            let sample = &body[start..end.min(start + 120)];
            let shown = [
                ("windows-1252", windows_1252(sample)),
                ("cp850", oem(sample, &DECODING_TABLE_CP850)),
                ("cp437", oem(sample, &DECODING_TABLE_CP437)),
            ];
            let readings: Vec<String> =
                shown.iter().map(|(name, text)| format!("{name}: {}", text.trim_end())).collect();
            Err(Finding::error(
                "roster-encoding-doubtful",
                format!("this could be several encodings; the line reads as {}", readings.join(" | ")),
                "state the right one as `encoding = \"…\"` for this roster",
            )
            .at(crate::fault::Place::new(&file.file, line as u32, 1)))
        }
    }
}
