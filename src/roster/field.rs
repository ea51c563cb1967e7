//! What each column may hold. Every rule takes the trimmed text of one field and says what is wrong with it.

use super::complaints::shown;
use super::person::{Format, MailStore};
use crate::campaign::{LONGEST_NAME, is_unsafe_in_header, nearest, turns_direction};
use crate::fault::Finding;
use chrono_tz::{TZ_VARIANTS, Tz};

/// A character that must not reach a mail header, a file name or a terminal. A line break or a tab may stand in
/// columns that only templates see.
pub(super) fn forbidden(text: &str, breaks_allowed: bool) -> Option<char> {
    let forbidden = |c: char| match c {
        '\r' | '\n' | '\t' | '\u{2028}' | '\u{2029}' => !breaks_allowed,
        c => is_unsafe_in_header(c),
    };
    text.chars().find(|c| forbidden(*c))
}

/// A control character as a person may know it.
pub(super) fn control_name(c: char) -> String {
    match c {
        '\r' | '\n' | '\u{2028}' | '\u{2029}' => "a line break".to_owned(),
        '\t' => "a tab".to_owned(),
        '\0' => "a NUL".to_owned(),
        c if turns_direction(c) => {
            format!("the invisible character U+{:04X}, which turns the reading direction", c as u32)
        }
        c => format!("the control character U+{:04X}", c as u32),
    }
}

/// An id stands in file names, commands and tokens.
pub(super) fn id(text: &str) -> Result<String, Finding> {
    const LONGEST: usize = 64;
    let wrong = if text.chars().count() > LONGEST {
        format!("has more than {LONGEST} characters")
    } else if text.len() > LONGEST_NAME {
        format!("has more than {LONGEST_NAME} bytes")
    } else if text.starts_with(['-', '.']) {
        format!("begins with '{}'", &text[..1])
    } else if text.contains("..") {
        "holds '..'".to_owned()
    } else if let Some(c) = text.chars().find(|c| matches!(c, '/' | '\\') || c.is_whitespace()) {
        format!("holds '{c}'")
    } else {
        return Ok(text.to_owned());
    };
    let cause = format!("the id '{}' {wrong}", shown(text));
    Err(Finding::error("bad-id", cause, "give a short id of letters, digits, '.', '-' and '_' in the column `id`"))
}

/// A name stands in the header of each letter to its person.
pub(super) fn name(text: &str) -> Result<String, Finding> {
    let length = text.len();
    if length <= LONGEST_NAME {
        return Ok(text.to_owned());
    }
    let cause =
        format!("the name '{}' has {length} bytes, and no letter's header takes more than {LONGEST_NAME}", shown(text));
    Err(Finding::error("bad-name", cause, "shorten it; what is longer can stand in a column of its own, for the texts"))
}

/// One of the three parts of a Microsoft Mail address: 10 characters, 7-bit (Q101461), without the characters that
/// Q199676 (mailboxes) and Q91044 (networks and postoffices) forbid.
pub(super) fn address_part(what: &'static str, article: &'static str, text: &str) -> Result<String, Finding> {
    const LONGEST: usize = 10;
    let length = text.chars().count();
    let mut wrong = Vec::new();
    let mut source = "Q101461";
    if length > LONGEST {
        wrong.push(format!("has {length} characters where {LONGEST} fit"));
    }
    if let Some(c) = text.chars().find(|c| !c.is_ascii()) {
        wrong.push(format!("holds '{c}', which is no 7-bit character"));
    }
    if let Some(c) = text.chars().find(|c| *c == ' ' || c.is_ascii_punctuation()) {
        wrong.push(format!("holds '{c}', which Microsoft Mail forbids there"));
        source = article;
    }
    if wrong.is_empty() {
        return Ok(text.to_owned());
    }
    let cause = format!("the {what} '{}' {}", shown(text), wrong.join(" and "));
    let remedy = format!("write the {what} as the Microsoft Mail address has it: up to 10 letters and digits");
    Err(Finding::error(code_of(what), cause, remedy).article(source))
}

fn code_of(what: &str) -> &'static str {
    match what {
        "mailbox" => "bad-mailbox",
        "network" => "bad-network",
        _ => "bad-postoffice",
    }
}

/// The name of a person's files in a postoffice.
pub(super) fn hexid(text: &str) -> Result<String, Finding> {
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_ascii_uppercase());
    }
    let cause = format!("the hexid '{}' is not 8 hexadecimal digits", shown(text));
    Err(Finding::error(
        "bad-hexid",
        cause,
        "write it as the person's mailbag is named, for example 0000001A; a spreadsheet drops leading zeros",
    ))
}

/// `local`, `remote` and `async-admin` however they are written; a campaign's own word as it stands.
pub(super) fn kind(text: &str) -> String {
    let known = ["local", "remote", "async-admin"].into_iter().find(|known| known.eq_ignore_ascii_case(text));
    known.unwrap_or(text).to_owned()
}

pub(super) fn mail_store(text: &str) -> Result<MailStore, Finding> {
    let all = [MailStore::Postoffice, MailStore::Local, MailStore::Dos, MailStore::Pst];
    word("mail_store", text, &all.map(|store| (store.word(), store)))
}

pub(super) fn format(text: &str) -> Result<Format, Finding> {
    word("format", text, &[Format::Mime, Format::Rfc1154].map(|format| (format.word(), format)))
}

fn word<T: Copy>(column: &str, text: &str, choices: &[(&str, T)]) -> Result<T, Finding> {
    if let Some((_, value)) = choices.iter().find(|(word, _)| word.eq_ignore_ascii_case(text)) {
        return Ok(*value);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let cause = format!("`{column}` does not know '{}'", shown(text));
    let remedy = match nearest(text, words.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("choose one of {}", words.join(", ")),
    };
    Err(Finding::error("bad-word", cause, remedy))
}

/// A language with an optional script and region (RFC 5646 §2.1), written the usual way: `de`, `pt-BR`, `zh-Hant-TW`.
pub(super) fn language(text: &str) -> Result<String, Finding> {
    let mut parts = text.split('-');
    let alphabetic = |part: &str, lengths: &[usize]| {
        lengths.contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic())
    };
    let language = parts.next().filter(|part| alphabetic(part, &[2, 3])).map(str::to_ascii_lowercase);
    let mut rest = parts.peekable();
    let script = rest.next_if(|part| alphabetic(part, &[4]));
    let is_number = |part: &str| part.len() == 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let region = rest.next_if(|part| alphabetic(part, &[2]) || is_number(part));
    match (language, rest.next()) {
        (Some(mut tag), None) => {
            if let Some(script) = script {
                tag.extend(["-", &script[..1].to_ascii_uppercase(), &script[1..].to_ascii_lowercase()]);
            }
            if let Some(region) = region {
                tag.extend(["-", &region.to_ascii_uppercase()]);
            }
            Ok(tag)
        }
        _ => {
            let cause = format!("'{}' is no language tag", shown(text));
            Err(Finding::error("bad-language", cause, "write it like `de` or `pt-BR`"))
        }
    }
}

/// A zone of the IANA time zone database.
pub(super) fn time_zone(text: &str) -> Result<Tz, Finding> {
    text.parse().map_err(|_| {
        let remedy = match nearest(text, TZ_VARIANTS.iter().map(|zone| zone.name())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write it like `Europe/Vienna`".to_owned(),
        };
        Finding::error("bad-time-zone", format!("there is no time zone '{}'", shown(text)), remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remedy<T: std::fmt::Debug>(result: Result<T, Finding>) -> String {
        result.expect_err("a finding").remedy
    }

    fn cause<T: std::fmt::Debug>(result: Result<T, Finding>) -> String {
        result.expect_err("a finding").cause
    }

    #[test]
    fn an_id_cannot_be_a_path_an_option_or_two_words() {
        for good in ["ann", "ann@corp.example", "Zoë-7", &"x".repeat(64)] {
            assert_eq!(id(good).expect("a good id"), good);
        }
        for bad in ["-rf", ".", "..", "a..b", "a/b", "a\\b", "a b", "a\u{a0}b", &"x".repeat(65)] {
            assert_eq!(id(bad).expect_err(bad).code, "bad-id");
        }
    }

    #[test]
    fn a_name_fits_a_header() {
        for good in ["Ann Müller".to_owned(), "x".repeat(200), "東".repeat(66)] {
            assert_eq!(name(&good).expect("a good name"), good);
        }
        assert_eq!(
            cause(name(&"ü".repeat(101))),
            format!("the name '{}…' has 202 bytes, and no letter's header takes more than 200", "ü".repeat(60))
        );
        assert_eq!(
            cause(id(&"𠀀".repeat(51))).split(' ').next_back(),
            Some("bytes"),
            "it stands for a name that is missing"
        );
    }

    #[test]
    fn a_mailbox_fits_the_postoffice() {
        let mailbox = |text: &str| address_part("mailbox", "Q199676", text);
        assert_eq!(mailbox("MILLERANN1").expect("10 characters"), "MILLERANN1");
        for c in " ~!@#$%^&*()_+-=`{}[]|\\:;\"'<>?,./".chars() {
            let finding = mailbox(&format!("A{c}B")).expect_err("a forbidden character");
            assert_eq!((finding.code, finding.article), ("bad-mailbox", Some("Q199676")), "{c}");
        }
        assert_eq!(mailbox("MÜLLER").expect_err("8-bit").article, Some("Q101461"));
        assert_eq!(
            cause(mailbox("ANN.MILLER1")),
            "the mailbox 'ANN.MILLER1' has 11 characters where 10 fit and holds '.', which Microsoft Mail forbids there"
        );
    }

    #[test]
    fn a_hexid_is_eight_digits_in_capitals() {
        assert_eq!(hexid("0000001a").expect("a hexid"), "0000001A");
        for bad in ["1A", "0000001G", "0000001A0", "0x00001A", "ÄÄÄÄ"] {
            assert_eq!(hexid(bad).expect_err(bad).code, "bad-hexid");
        }
    }

    #[test]
    fn words_are_known_in_any_case_and_nearly_right_ones_understood() {
        assert_eq!(mail_store("PST").expect("a store"), MailStore::Pst);
        assert_eq!(remedy(mail_store("postofice")), "did you mean `postoffice`?");
        assert_eq!(remedy(mail_store("cloud")), "choose one of postoffice, local, dos, pst");
        assert_eq!(remedy(format("rfc1145")), "did you mean `rfc1154`?");
        assert_eq!(kind("Remote"), "remote");
        assert_eq!(kind("Vip"), "Vip");
    }

    #[test]
    fn languages_are_tags() {
        for (text, tag) in [("DE", "de"), ("pt-br", "pt-BR"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")] {
            assert_eq!(language(text).expect("a tag"), tag);
        }
        for bad in ["German", "de_AT", "d", "de-", "de-AT-x", "dé", "12", "-"] {
            assert_eq!(language(bad).expect_err(bad).code, "bad-language");
        }
    }

    #[test]
    fn time_zones_are_those_of_the_database() {
        assert_eq!(time_zone("America/Chicago").expect("a zone"), Tz::America__Chicago);
        assert_eq!(remedy(time_zone("america/chicago")), "did you mean `America/Chicago`?");
        assert_eq!(time_zone("Middle of Nowhere").expect_err("none").code, "bad-time-zone");
    }

    #[test]
    fn characters_that_steer_are_forbidden() {
        for c in ['\0', '\r', '\n', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}', '\u{202e}', '\u{2066}'] {
            assert_eq!(forbidden(&format!("a{c}b"), false), Some(c));
        }
        assert_eq!(forbidden("a\r\n\t\u{2028}b", true), None);
        assert_eq!(forbidden("a\0", true), Some('\0'));
        assert_eq!(forbidden("Zoë Ünal 東京 \u{200f}", false), None);
    }
}
