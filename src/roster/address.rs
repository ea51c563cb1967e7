//! Which mail addresses a roster may hold: the syntax of RFC 5321 §4.1.2, and less where more only does harm.

use super::complaints::shown;
use crate::fault::Finding;
use lettre::Address;

/// Octets of an address; a path has 256 with its angle brackets (RFC 5321 §4.5.3.1.3).
const LONGEST: usize = 254;

/// Reads one address; with it come warnings.
pub(super) fn address(text: &str) -> Result<(Address, Vec<Finding>), Finding> {
    let bad = |why: &str, remedy: &str| Finding::error("bad-address", format!("'{}' {why}", shown(text)), remedy);
    let plain = "write one address like name@domain.example";
    if text.contains(['<', '>']) {
        return Err(bad("holds angle brackets", "write only the address; the name has a column of its own"));
    }
    if text.len() > LONGEST {
        return Err(bad(&format!("has more than {LONGEST} octets"), plain));
    }
    let Some((user, domain)) = text.rsplit_once('@') else { return Err(bad("has no '@'", plain)) };
    if domain.starts_with('[') || domain.parse::<std::net::IpAddr>().is_ok() {
        return Err(bad("names a machine by its number", "write the name of the domain"));
    }
    let quoted = user.len() > 1 && user.starts_with('"') && user.ends_with('"');
    if !quoted && text.contains([',', ';', ' ']) {
        return Err(bad(
            "is no single address",
            "one address a person: copies go to `manager_email` and `alternate_email`",
        ));
    }
    if let Some(label) = domain.split('.').find(|label| !is_label(label)) {
        return Err(bad(&format!("has '{}' in its domain", shown(label)), plain));
    }
    let fits = |domain: String| user.len() + "@".len() + domain.len() <= LONGEST;
    if !in_ascii(domain).is_some_and(fits) {
        return Err(bad(
            "has a domain that DNS cannot hold",
            "correct the domain: up to 63 characters between two dots",
        ));
    }
    let address: Address = text.parse().map_err(|_| bad("is no mail address", plain))?;
    let warnings = doubts(user, domain, quoted);
    Ok((address, warnings))
}

/// A label of a host name: letters, digits and inner hyphens (RFC 1123 §2.1), or beyond ASCII what IDNA turns into one.
fn is_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && c.is_alphanumeric());
    !label.is_empty() && !label.starts_with('-') && !label.ends_with('-') && label.chars().all(inner)
}

/// As DNS has it (RFC 5890), with the lengths that it allows (RFC 1035 §2.3.4).
fn in_ascii(domain: &str) -> Option<String> {
    let domain = idna::domain_to_ascii(domain).ok()?;
    (domain.len() <= 253 && domain.split('.').all(|label| (1..=63).contains(&label.len()))).then_some(domain)
}

fn doubts(user: &str, domain: &str, quoted: bool) -> Vec<Finding> {
    let mut doubts = Vec::new();
    let mut doubt = |code, cause: String, remedy: &str| doubts.push(Finding::warning(code, cause, remedy));
    if !domain.contains('.') && !domain.eq_ignore_ascii_case("localhost") {
        let cause =
            format!("the domain '{}' is a single word: only a mail server beside it knows the way", shown(domain));
        doubt("address-one-label", cause, "write the full domain, unless your mail server knows this one");
    }
    if quoted {
        let cause = format!("'{}' is quoted; many mail systems refuse such addresses", shown(user));
        doubt("address-quoted", cause, "make sure of the spelling");
    }
    if !user.is_ascii() {
        let cause = format!("'{}' is not ASCII: the mail server has to offer SMTPUTF8 (RFC 6531)", shown(user));
        doubt("address-non-ascii", cause, "use the person's ASCII address if there is one");
    }
    doubts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_pass_without_a_word() {
        for good in ["ann@corp.example", "a.b+c@x-y.example", "root@localhost", "z@bücher.example"] {
            let (address, warnings) = address(good).expect(good);
            assert_eq!((address.to_string().as_str(), warnings), (good, vec![]));
        }
    }

    #[test]
    fn odd_but_possible_addresses_pass_with_a_warning() {
        for (text, code) in [
            ("ann@mailhost", "address-one-label"),
            ("\"ann m\"@corp.example", "address-quoted"),
            ("zoë@corp.example", "address-non-ascii"),
        ] {
            let (_, warnings) = address(text).expect(text);
            assert_eq!(warnings.iter().map(|w| w.code).collect::<Vec<_>>(), [code]);
        }
    }

    #[test]
    fn what_is_no_single_deliverable_address_is_refused() {
        let long = format!("{}@corp.example", "a".repeat(65));
        let longer = format!("a@{}example", "label.".repeat(45));
        let label = format!("a@{}.example", "l".repeat(64));
        // 60 letters, and 70 in the form that DNS has.
        let beyond = format!("a@{}.example", "ü".repeat(60));
        for bad in [
            "ann",
            "ann@",
            "@corp.example",
            "Ann <ann@corp.example>",
            "ann@corp.example, bob@corp.example",
            "ann@corp.example;bob@corp.example",
            "ann m@corp.example",
            "ann@[192.0.2.1]",
            "ann@192.0.2.1",
            "ann@corp..example",
            "ann@-corp.example",
            "ann@corp_hq.example",
            "ann@corp.example.",
            "a..b@corp.example",
            "a@b@corp.example",
            &long,
            &longer,
            &label,
            &beyond,
            "a@xn--ü.example",
        ] {
            assert_eq!(address(bad).expect_err(bad).code, "bad-address");
        }
    }
}
