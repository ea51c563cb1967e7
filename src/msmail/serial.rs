//! A postoffice's serial number: as it is typed, as it is compared, and which numbers no postoffice may be given.

use crate::campaign::MsMail;
use crate::fault::Finding;
use std::fmt;

/// A serial number such as `32-20977`: a prefix of 1 to 4 digits, a hyphen, a suffix of 1 to 5 digits.
///
/// The same number is printed as `0799-99992` and `799-99992` (Q142196, Q143060), `22-28798` and `22- 28798`
/// (Q151228): blanks and leading zeros carry no meaning. The full legal range is not documented.
#[derive(Debug, Clone)]
pub struct Serial {
    typed: String,
    prefix: u16,
    suffix: u32,
}

/// The number that every workgroup postoffice has (Q132560), and an unserialised BackOffice install (Q142196).
const WORKGROUP: (u16, u32) = (799, 99_992);
/// The number that every Exchange connector postoffice has (Q151228).
const CONNECTOR: (u16, u32) = (22, 28_798);
/// Above this suffix Gateway to X.400 3.0 stops, until X400GATE 3.2.1 (Q194712).
const X400_SUFFIX_MAX: u32 = 64_536;

impl Serial {
    /// `None` where the text is not a serial number.
    pub fn parse(text: &str) -> Option<Serial> {
        let (prefix, suffix) = text.trim_ascii().split_once('-')?;
        Some(Serial { typed: text.to_owned(), prefix: digits(prefix, 4)?, suffix: digits(suffix.trim_ascii(), 5)? })
    }

    /// The text as a person typed it, for print.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// Without blanks and leading zeros: `799-99992`.
    pub fn normalised(&self) -> String {
        format!("{}-{}", self.prefix, self.suffix)
    }
}

impl PartialEq for Serial {
    fn eq(&self, other: &Self) -> bool {
        (self.prefix, self.suffix) == (other.prefix, other.suffix)
    }
}

impl Eq for Serial {}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.typed.trim_ascii())
    }
}

/// Up to `most` digits and nothing else, as a number.
fn digits<N: std::str::FromStr>(text: &str, most: usize) -> Option<N> {
    let whole = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    whole.then(|| text.parse().ok()).flatten()
}

/// Whether two texts state the same serial number. A text that is none equals nothing.
pub fn same(a: &str, b: &str) -> bool {
    matches!((Serial::parse(a), Serial::parse(b)), (Some(a), Some(b)) if a == b)
}

/// Judges the change from the old serial number to the new one, each at its place.
pub fn check(facts: &MsMail, x400_gateway: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let new_one = |finding: Finding| facts.at("new_serial", finding);
    let old = read("old_serial", &facts.old_serial, facts, &mut findings);
    let new = read("new_serial", &facts.new_serial, facts, &mut findings);
    let Some(new) = new else { return findings };
    if old.is_some_and(|old| old == new) {
        let cause = format!("the new serial number {new} is the old one");
        let remedy = "read the new number from the label of the new disk set and correct `new_serial`";
        findings.push(new_one(Finding::error("serial-unchanged", cause, remedy)));
    }
    findings.extend(not_unique(&new).map(new_one));
    if x400_gateway && new.suffix > X400_SUFFIX_MAX {
        let cause =
            format!("the part of {new} behind the hyphen is above {X400_SUFFIX_MAX}: Gateway to X.400 3.0 stops");
        let remedy = "bring X400GATE to 3.2.1 or later before the change";
        findings.push(new_one(Finding::warning("serial-large", cause, remedy).article("Q194712")));
    }
    findings
}

fn read(key: &str, text: &str, facts: &MsMail, findings: &mut Vec<Finding>) -> Option<Serial> {
    let serial = Serial::parse(text);
    if serial.is_none() {
        let cause = format!("`{key}` is {text:?}, which is not a serial number");
        let remedy = "write up to 4 digits, a hyphen and up to 5 digits, as on the disk label: 32-20977";
        findings.push(facts.at(key, Finding::error("serial-form", cause, remedy).article("Q194712")));
    }
    serial
}

/// The numbers that many postoffices share: two postoffices with one number cannot exchange mail (Q151228).
fn not_unique(serial: &Serial) -> Option<Finding> {
    let (owner, article) = match (serial.prefix, serial.suffix) {
        WORKGROUP => ("every workgroup postoffice and every unserialised BackOffice install", "Q142196"),
        CONNECTOR => ("every Exchange connector postoffice", "Q151228"),
        _ => return None,
    };
    let cause = format!("the new serial number {serial} is not unique: {owner} has it");
    let remedy = "install the staged postoffice from a serialised disk set of its own and state that number";
    Some(Finding::error("serial-not-unique", cause, remedy).article(article))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn codes(old: &str, new: &str, x400: bool) -> Vec<&'static str> {
        let (old_serial, new_serial) = (old.to_owned(), new.to_owned());
        let facts = MsMail { old_serial, new_serial, ..crate::msmail::fixture::facts() };
        check(&facts, x400).iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn blanks_and_leading_zeros_carry_no_meaning() {
        for (a, b) in [("0799-99992", "799-99992"), ("22-28798", " 22- 28798 "), ("32-00001", "0032-1")] {
            assert!(same(a, b), "{a} {b}");
        }
        assert!(!same("32-20977", "32-20978"));
        assert!(!same("33-20977", "32-20977"));
        assert!(!same("none", "none"));
    }

    #[test]
    fn the_text_stays_as_typed() {
        let serial = Serial::parse(" 0022- 28798").expect("a serial");
        assert_eq!((serial.typed(), serial.normalised().as_str()), (" 0022- 28798", "22-28798"));
        assert_eq!(serial.to_string(), "0022- 28798");
    }

    #[test]
    fn what_is_no_serial_number_is_refused() {
        for text in ["", "-", "32", "32-", "-20977", "32-209770", "00032-1", "3a-1", "32-1-1", "32 -1", "٣٢-1", "+1-2"]
        {
            assert!(Serial::parse(text).is_none(), "{text}");
            assert_eq!(codes("32-1", text, false), ["serial-form"]);
        }
    }

    #[test]
    fn a_number_that_many_share_is_no_target() {
        for text in ["0799-99992", "799-99992", "22-28798", "22- 28798"] {
            assert_eq!(codes("32-10411", text, false), ["serial-not-unique"]);
        }
        assert_eq!(codes("0799-99992", "32-20977", false), [""; 0]);
    }

    #[test]
    fn the_change_must_change_something() {
        assert_eq!(codes("0032-10411", "32- 10411", false), ["serial-unchanged"]);
    }

    #[test]
    fn a_large_suffix_matters_to_x400_only() {
        assert_eq!(codes("32-10411", "32-64537", true), ["serial-large"]);
        assert_eq!(codes("32-10411", "32-64537", false), [""; 0]);
        assert_eq!(codes("32-10411", "32-64536", true), [""; 0]);
    }

    proptest! {
        #[test]
        fn any_text_is_judged_without_panic(text in any::<String>()) {
            if let Some(serial) = Serial::parse(&text) {
                prop_assert!(same(&text, &serial.normalised()));
            }
        }
    }
}
