//! The date and time that FAT directories and zip archives put beside a file.

use crate::fault::Finding;
use chrono::{Datelike, NaiveDateTime, Timelike};

/// A local date and time in steps of two seconds, from 1980 to 2107, in the two words of MS-DOS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DosStamp {
    pub date: u16,
    pub time: u16,
}

impl DosStamp {
    /// Rounds down to an even second. A year that DOS cannot write is a finding.
    pub fn new(at: NaiveDateTime) -> Result<DosStamp, Finding> {
        let year = u16::try_from(at.year()).ok().filter(|year| (1980..=2107).contains(year)).ok_or_else(|| {
            Finding::error(
                "package-year",
                format!("the files of a package are dated {}, and DOS knows the years 1980 to 2107 only", at.date()),
                "correct change_at",
            )
        })?;
        Ok(DosStamp {
            date: (year - 1980) << 9 | (at.month() as u16) << 5 | at.day() as u16,
            time: (at.hour() as u16) << 11 | (at.minute() as u16) << 5 | (at.second() as u16 / 2),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(text: &str) -> Result<DosStamp, Finding> {
        DosStamp::new(text.parse().expect("a time"))
    }

    #[test]
    fn the_two_words_are_those_of_dos() {
        assert_eq!(stamp("1980-01-01T00:00:00").expect("the first"), DosStamp { date: 0x0021, time: 0 });
        assert_eq!(stamp("2107-12-31T23:59:59").expect("the last"), DosStamp { date: 0xFF9F, time: 0xBF7D });
        assert_eq!(stamp("1998-03-06T12:30:10").expect("a day"), DosStamp { date: 0x2466, time: 0x63C5 });
    }

    #[test]
    fn other_years_are_refused() {
        assert!(stamp("1979-12-31T23:59:59").is_err());
        assert!(stamp("2108-01-01T00:00:00").is_err());
    }
}
