//! Out of the office, in the words of people and their machines; and when they are back.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use chrono::{Datelike, NaiveDate};
use std::sync::OnceLock;

/// Beginnings of subjects that only an answering machine writes.
#[rustfmt::skip]
const SUBJECTS: &[&str] = &[
    "automatic reply", "automatic response", "automated reply", "automated response", "auto reply", "auto-reply", "autoreply", "auto response", "auto-response", "autoresponse", "auto:", "[auto]", "[auto-reply]", "(auto)", "autoresponder", "out of office", "out of the office", "out-of-office", "ooo", "ooto", "away from", "i am away", "i'm away",
    "on vacation", "vacation", "on holiday", "on leave", "annual leave", "parental leave", "maternity leave", "i am out", "i'm out", "currently out", "am out of", "away message", "away:", "office closed", "thank you for contacting", "thank you for your e-mail", "thank you for your email", "thank you for your message", "we have received your", "we received your",
    "automatische antwort", "automatische rückantwort", "abwesenheit", "abwesend", "ich bin nicht im büro", "nicht im büro", "nicht im hause", "außer haus", "ausser haus", "urlaub", "im urlaub", "empfangsbestätigung", "eingangsbestätigung",
    "réponse automatique", "reponse automatique", "absence du bureau", "absent du bureau", "absence", "absent", "en congé", "accusé de réception automatique",
    "respuesta automática", "respuesta automatica", "fuera de la oficina", "fuera de oficina", "ausencia", "ausente", "vacaciones",
    "risposta automatica", "fuori sede", "fuori ufficio", "assente", "assenza", "automatisch antwoord", "automatische beantwoording", "afwezig", "niet aanwezig",
    "resposta automática", "resposta automatica", "fora do escritório", "autosvar", "automatiskt svar", "automatisk svar", "frånvaro", "fravær", "automaattinen vastaus", "poissa", "autoodpowiedź", "odpowiedź automatyczna", "automatická odpověď", "nieobecn",
];
#[rustfmt::skip]
const MORE_SUBJECTS: &[&str] = &[
    "automatikus válasz", "házon kívül", "răspuns automat", "otomatik yanıt", "otomatik cevap", "ofis dışında", "автоматический ответ", "автоответ", "нет на работе", "в отпуске", "отсутств", "автоматична відповідь", "αυτόματη απάντηση", "automatsko",
    "自动回复", "自動回覆", "自動応答", "自動返信", "不在", "자동 회신", "부재중", "תשובה אוטומטית",
];
/// What such a mail says in its text.
#[rustfmt::skip]
const TEXT: &[&str] = &[
    "out of the office", "out of office", "out of my office", "on vacation", "on annual leave", "on holiday", "on parental leave", "on maternity leave", "on sick leave", "away from the office", "away from my desk", "currently away", "am away", "currently out", "will be out", "no access to e-mail", "no access to email", "limited access to email", "limited access to e-mail", "limited access to my email", "will be back", "will return", "i return", "returning to the office", "not in the office", "this is an automated", "this is an automatic", "this is an auto", "automated response", "automatic reply", "automatically generated", "automatic response", "autoreply", "auto-reply",
    "do not reply to this", "your ticket", "ticket number", "ticket has been", "has been received and", "a case has been", "request has been received", "support request", "have received your message", "have received your email", "have received your e-mail", "received your email", "we will get back to you", "will respond to your", "no longer with", "no longer works", "has left the company", "is no longer employed", "mailbox is not monitored", "mailbox is unattended", "address is not monitored",
    "nicht im büro", "nicht im hause", "außer haus", "ausser haus", "im urlaub", "abwesend", "automatische antwort", "automatisch generiert", "automatisch erstellt", "nicht mehr im unternehmen", "wird nicht weitergeleitet", "nicht erreichbar",
    "absent du bureau", "je suis absent", "en congé", "en congés", "réponse automatique", "message automatique", "fuera de la oficina", "de vacaciones", "respuesta automática", "fuori ufficio", "fuori sede", "sono assente", "in ferie", "risposta automatica", "niet op kantoor", "afwezig", "fora do escritório",
];
#[rustfmt::skip]
const MORE_TEXT: &[&str] = &[
    "ausente", "de férias", "resposta automática", "på semester", "på ferie", "ikke på kontoret", "inte på kontoret", "lomalla", "na urlopie", "jestem nieobecny", "mimo kancelář", "szabadságon", "в отпуске", "отсутствую", "不在办公室", "休暇",
];

/// A subject that an answering machine wrote; `Re:` and what stands before it is looked behind.
pub(super) fn is_subject(subject: &str) -> bool {
    let subject = subject.trim().to_lowercase();
    let mut subject = subject.as_str();
    loop {
        let cut = ["re:", "aw:", "sv:", "fw:", "antw:", "[external]", "[ext]"]
            .iter()
            .find_map(|prefix| subject.strip_prefix(prefix));
        match cut {
            Some(rest) => subject = rest.trim_start(),
            None => break,
        }
    }
    SUBJECTS.iter().chain(MORE_SUBJECTS).any(|words| subject.starts_with(words))
        || [
            ": out of office",
            "(out of office)",
            "- out of office",
            "is out of the office",
            "is away",
            "out of office auto",
            "autoreply",
            "[auto",
            "ist nicht im",
            "est absent",
        ]
        .iter()
        .any(|words| subject.contains(words))
}

pub(super) fn is_text(lower: &str) -> bool {
    static FOUND: OnceLock<AhoCorasick> = OnceLock::new();
    let words = || TEXT.iter().chain(MORE_TEXT);
    FOUND.get_or_init(|| AhoCorasickBuilder::new().build(words()).expect("few short phrases")).is_match(lower)
}

/// How an answering machine's text begins, where nothing else tells that it is one.
#[rustfmt::skip]
const OPENINGS: &[&str] = &[
    "i am out of the office", "i'm out of the office", "i am currently out of", "i'm currently out of", "i am away from", "i'm away from", "i am on vacation", "i'm on vacation", "i am on annual leave", "i am on leave", "i am on holiday", "i will be out of the office", "thank you for your email. i am", "thank you for your e-mail. i am", "thank you for your message. i am", "thanks for your email. i am",
    "this is an automatic", "this is an automated", "this is an auto", "automatic reply", "automated response", "auto-reply", "autoreply", "yes. i received your mail", "we have received your", "your message has been received", "your request has been received", "a ticket has been",
    "ich bin derzeit nicht im", "ich bin zur zeit nicht", "ich bin zurzeit nicht", "ich bin im urlaub", "ich bin bis", "ich bin vom", "ich befinde mich", "dies ist eine automatische", "dies ist eine automatisch", "vielen dank für ihre nachricht. ich bin", "vielen dank für ihre e-mail. ich bin",
    "je suis absent", "je suis actuellement absent", "je suis en congé", "ceci est une réponse automatique", "ceci est un message automatique", "estoy fuera de la oficina", "estaré fuera", "este es un mensaje automático", "sono fuori ufficio", "sono assente", "questo è un messaggio automatico", "ik ben afwezig", "ik ben niet op kantoor", "estou fora do escritório", "estou de férias",
];

/// Whether a text begins as an answering machine's does, a salutation before it or not.
pub(super) fn is_plain(lower: &str) -> bool {
    let head: String = lower.split_whitespace().take(40).collect::<Vec<_>>().join(" ").replace('’', "'");
    let body = head
        .split_once([',', '!'])
        .filter(|(salutation, _)| salutation.len() < 30)
        .map_or("", |(_, rest)| rest.trim_start());
    OPENINGS.iter().any(|words| head.starts_with(words) || body.starts_with(words))
}

/// Words before the day of return; `true` where the day itself is still away ("until the 5th").
#[rustfmt::skip]
const BEFORE: &[(&str, bool)] = &[
    ("back in the office on", false), ("back in the office", false), ("back at work on", false), ("be back on", false), ("am back on", false), ("back on", false), ("back from", false), ("will be back", false), ("i'll be back", false), ("return to the office on", false), ("return to the office", false), ("returning to the office on", false), ("return on", false), ("returning on", false), ("returning", false), ("return date", false), ("i return", false), ("will return", false), ("available again on", false), ("available again from", false), ("available from", false), ("available again", false),
    ("until and including", true), ("up to and including", true), ("until", true), ("through", true), ("till", true), ("thru", true), ("up to", true),
    ("wieder erreichbar ab", false), ("wieder erreichbar", false), ("wieder im büro", false), ("wieder für sie da", false), ("wieder da", false), ("zurück am", false), ("wieder ab", false), ("ab dem", false), ("am", false), ("bis einschließlich", true), ("bis zum", true), ("bis", true),
    ("de retour le", false), ("de retour à partir du", false), ("serai de retour", false), ("jusqu'au", true), ("jusqu’au", true), ("de vuelta el", false), ("regreso el", false), ("vuelvo el", false), ("regresaré el", false), ("hasta el", true), ("rientro il", false), ("tornerò il", false), ("rientrerò il", false), ("fino al", true), ("tot en met", true), ("terug op", false), ("tot", true), ("retorno em", false), ("volto em", false), ("até", true), ("tillbaka", false),
];
const MONTHS: [&[&str]; 12] = [
    &["january", "januar", "janvier", "enero", "gennaio", "januari", "janeiro", "jan", "stycznia", "января"],
    &[
        "february",
        "februar",
        "février",
        "fevrier",
        "febrero",
        "febbraio",
        "februari",
        "fevereiro",
        "feb",
        "févr",
        "lutego",
        "февраля",
    ],
    &["march", "märz", "maerz", "mars", "marzo", "maart", "março", "mar", "mrz", "marca", "марта"],
    &["april", "avril", "abril", "aprile", "apr", "kwietnia", "апреля"],
    &["may", "mai", "mayo", "maggio", "mei", "maio", "maj", "maja", "мая"],
    &["june", "juni", "juin", "junio", "giugno", "junho", "jun", "czerwca", "июня"],
    &["july", "juli", "juillet", "julio", "luglio", "julho", "jul", "lipca", "июля"],
    &["august", "août", "aout", "agosto", "augustus", "augusti", "aug", "sierpnia", "августа"],
    &["september", "septembre", "septiembre", "settembre", "setembro", "sept", "sep", "września", "сентября"],
    &["october", "oktober", "octobre", "octubre", "ottobre", "outubro", "oct", "okt", "października", "октября"],
    &["november", "novembre", "noviembre", "novembro", "nov", "listopada", "ноября"],
    &[
        "december",
        "dezember",
        "décembre",
        "decembre",
        "diciembre",
        "dicembre",
        "dezembro",
        "dec",
        "dez",
        "déc",
        "grudnia",
        "декабря",
    ],
];

/// The first day back, when the text states it; `written` fills in a year that is left out.
pub(super) fn back_on(text: &str, written: Option<NaiveDate>) -> Option<NaiveDate> {
    let lower = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let mut best: Option<NaiveDate> = None;
    for (words, inclusive) in BEFORE {
        for (at, _) in lower.match_indices(words) {
            let apart = lower[..at].chars().next_back().is_none_or(|c| !c.is_alphanumeric());
            let rest = &lower[at + words.len()..];
            if !apart || rest.starts_with(char::is_alphanumeric) {
                continue;
            }
            let Some(day) = date(rest, written) else { continue };
            let day = if *inclusive { day.succ_opt().unwrap_or(day) } else { day };
            best = best.max(Some(day));
        }
    }
    best
}

/// How the day of return stands on record, and how it is read there again.
pub(crate) fn note_of_return(back: NaiveDate) -> String {
    format!("{NOTE}{back}")
}

pub(super) fn noted(detail: &str) -> Option<NaiveDate> {
    detail.strip_prefix(NOTE)?.parse().ok()
}

const NOTE: &str = "back on ";

/// A date within the next few words.
fn date(text: &str, written: Option<NaiveDate>) -> Option<NaiveDate> {
    let text = &text[..text.floor_char_boundary(48)];
    // The sentence ends the search; the dots of "14. Dezember" and "14.12." do not.
    let text = text.split(['\n', ';', '!', '?']).next()?;
    let words: Vec<&str> = text.split([' ', ',', '(', ')']).filter(|word| !word.is_empty()).take(7).collect();
    for at in 0..words.len() {
        if let Some(day) = numeric(words[at], written).or_else(|| named(&words[at..], written)) {
            return Some(day);
        }
    }
    None
}

/// `2026-12-14`, `14.12.2026`, `14.12.`, `12/14/2026`, `14/12/26`.
fn numeric(word: &str, written: Option<NaiveDate>) -> Option<NaiveDate> {
    let word = word.trim_matches(['.', ':', '<', '>', '*', '"']);
    let mark = ['-', '.', '/'].into_iter().find(|mark| word.contains(*mark))?;
    let numbers: Vec<u32> =
        word.split(mark).filter(|part| !part.is_empty()).map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let day =
        |year: u32, month, day| NaiveDate::from_ymd_opt(if year < 100 { 2000 + year } else { year } as i32, month, day);
    match numbers[..] {
        [year, month, date] if year > 1900 => day(year, month, date),
        [date, month, year] if mark == '.' || mark == '-' || date > 12 => day(year, month, date),
        // American where it can be; a later day does less harm than an earlier one, so the later of the two counts.
        [a, b, year] => day(year, a, b).max(day(year, b, a)),
        [date, month] if mark == '.' => next(written?, month, date),
        [a, b] if mark == '/' => next(written?, a, b).or_else(|| next(written?, b, a)),
        _ => None,
    }
}

/// `14 December 2026`, `December 14th, 2026`, `14. Dezember`, `le 14 décembre`.
fn named(words: &[&str], written: Option<NaiveDate>) -> Option<NaiveDate> {
    let month = |word: &str| {
        let word = word.trim_matches(['.', ',']);
        MONTHS.iter().position(|names| names.contains(&word)).map(|at| at as u32 + 1)
    };
    let day = |word: &str| {
        let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
        let rest = &word[digits.len()..];
        let ordinal = matches!(rest.trim_end_matches('.'), "" | "st" | "nd" | "rd" | "th" | "er" | "º" | "ª" | "e");
        (ordinal && digits.len() <= 2)
            .then(|| digits.parse::<u32>().ok())
            .flatten()
            .filter(|day| (1..=31).contains(day))
    };
    let (first, mut rest) = words.split_first()?;
    rest = match rest.first() {
        Some(&("de" | "of" | "di" | "d'")) => &rest[1..],
        _ => rest,
    };
    let second = rest.first()?;
    let (month, date) = match (month(first), month(second)) {
        (Some(month), _) => (month, day(second)?),
        (None, Some(month)) => (month, day(first)?),
        _ => return None,
    };
    let year = rest.iter().skip(1).take(2).find_map(|word| {
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        (word.len() == 4).then(|| word.parse::<i32>().ok()).flatten()
    });
    match year {
        Some(year) => NaiveDate::from_ymd_opt(year, month, date),
        None => next(written?, month, date),
    }
}

/// That day in the year of the letter, or in the next one when it would lie far behind.
fn next(written: NaiveDate, month: u32, day: u32) -> Option<NaiveDate> {
    let this = NaiveDate::from_ymd_opt(written.year(), month, day);
    match this {
        Some(found) if written.signed_duration_since(found).num_days() > 60 => {
            NaiveDate::from_ymd_opt(written.year() + 1, month, day)
        }
        found => found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_of_return_is_read_in_many_ways() {
        let written = NaiveDate::from_ymd_opt(2026, 11, 27);
        for (text, day) in [
            ("I will be back on 14 December 2026.", Some("2026-12-14")),
            ("I'm out of the office until December 11th, 2026", Some("2026-12-12")),
            ("returning on Monday, December 14.", Some("2026-12-14")),
            ("Ich bin bis zum 11.12.2026 im Urlaub.", Some("2026-12-12")),
            ("Ab dem 14. Dezember bin ich wieder erreichbar.", Some("2026-12-14")),
            ("Je suis absent jusqu'au 3 janvier", Some("2027-01-04")),
            ("Estaré fuera hasta el 4 de enero de 2027.", Some("2027-01-05")),
            ("fino al 6 gennaio 2027", Some("2027-01-07")),
            ("until 2026-12-31", Some("2027-01-01")),
            ("until 13/12/2026", Some("2026-12-14")),
            ("I am away from 1 December until 5 December.", Some("2026-12-06")),
            ("Back soon.", None),
            ("I am away until further notice. Call 555-0100.", None),
            ("until 99/99/9999 and 31 February 2026", None),
        ] {
            assert_eq!(back_on(text, written).map(|day| day.to_string()).as_deref(), day, "{text}");
        }
    }

    #[test]
    fn subjects_of_machines() {
        for subject in [
            "Automatic reply: x",
            "AW: Abwesenheitsnotiz",
            "Réponse automatique : x",
            "Kim is out of the office (returning Monday)",
            "自动回复: x",
        ] {
            assert!(is_subject(subject), "{subject}");
        }
        for subject in ["Re: New serial number", "Office hours", "Our vacation plan"] {
            assert!(!is_subject(subject), "{subject}");
        }
    }
}
