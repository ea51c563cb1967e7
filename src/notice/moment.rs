//! An instant in words, for people. English and German; every other language reads the English ones.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;

const ENGLISH: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const GERMAN: [&str; 7] = ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag"];
const GERMAN_MONTHS: [&str; 12] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
];

/// `Saturday, 12 December 2026, 18:00 CST (America/Chicago)`: weekday, date with the month as a word, time of day, and
/// the zone twice, so that nobody reads 11/12 the wrong way round or forgets where.
pub fn in_words(at: DateTime<Utc>, zone: Tz, language: Option<&str>) -> String {
    let local = at.with_timezone(&zone);
    let weekday = weekday(local.date_naive(), language);
    let abbreviation = local.format("%Z").to_string();
    // Zones without letters of their own are called by their offset, which says less than the name does.
    let abbreviation = if abbreviation.starts_with(['+', '-']) { String::new() } else { format!(" {abbreviation}") };
    if is_german(language) {
        let month = GERMAN_MONTHS[local.month0() as usize];
        format!("{weekday}, {}. {month} {} Uhr{abbreviation} ({zone})", local.day(), local.format("%Y, %H:%M"))
    } else {
        format!("{weekday}, {}{abbreviation} ({zone})", local.format("%-d %B %Y, %H:%M"))
    }
}

/// `12 December 2026`.
pub fn day_in_words(date: NaiveDate, language: Option<&str>) -> String {
    match is_german(language) {
        true => format!("{}. {} {}", date.day(), GERMAN_MONTHS[date.month0() as usize], date.year()),
        false => date.format("%-d %B %Y").to_string(),
    }
}

pub fn weekday(date: NaiveDate, language: Option<&str>) -> &'static str {
    let names = if is_german(language) { GERMAN } else { ENGLISH };
    names[date.weekday().num_days_from_monday() as usize]
}

/// Whether a language tag is one of German.
pub fn is_german(language: Option<&str>) -> bool {
    language.and_then(|tag| tag.split(['-', '_']).next()).is_some_and(|base| base.eq_ignore_ascii_case("de"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_with_its_zone() {
        let at: DateTime<Utc> = "2027-03-01T09:05:00Z".parse().unwrap();
        let words = |zone, language| in_words(at, zone, language);
        assert_eq!(words(chrono_tz::America::New_York, None), "Monday, 1 March 2027, 04:05 EST (America/New_York)");
        assert_eq!(words(chrono_tz::Europe::Berlin, Some("de")), "Montag, 1. März 2027, 10:05 Uhr CET (Europe/Berlin)");
        assert_eq!(words(chrono_tz::America::Sao_Paulo, Some("pt")), "Monday, 1 March 2027, 06:05 (America/Sao_Paulo)");
    }
}
