//! Mail addresses in running text, and in the typed fields of reports.

/// Longer than any address (RFC 5321 section 4.5.3.1).
pub(super) const LONGEST: usize = 320;

/// Every address in a line, in lower case, in order.
pub(super) fn in_text(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices('@') {
        let local = line[..at]
            .rfind(|c| !is_local(c))
            .map_or(0, |end| end + line[end..].chars().next().map_or(1, char::len_utf8));
        let rest = &line[at + 1..];
        let domain = &rest[..rest.find(|c| !is_domain(c)).unwrap_or(rest.len())];
        let local = line[local..at].trim_start_matches(['.', '=', '\'', '/', '*', '-', '+', '|']);
        // X.400 and Notes write `SMTP=a@b`, `smtp:a@b`; a `=` inside is no part of an address as people have them.
        let local = local.rsplit(['=', '/']).next().unwrap_or(local);
        let domain = domain.split("..").next().unwrap_or_default().trim_matches(['.', '-', '_']);
        if local.is_empty() || !domain.contains('.') && !domain.contains("localhost") || domain.is_empty() {
            continue;
        }
        let address = format!("{local}@{domain}").to_lowercase();
        if address.len() <= LONGEST && !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

fn is_local(c: char) -> bool {
    c.is_alphanumeric()
        || matches!(
            c,
            '.' | '!'
                | '#'
                | '$'
                | '%'
                | '&'
                | '\''
                | '*'
                | '+'
                | '-'
                | '/'
                | '='
                | '?'
                | '^'
                | '_'
                | '`'
                | '{'
                | '|'
                | '}'
                | '~'
        )
}

fn is_domain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// The address in `rfc822; a@b` (RFC 3464 section 2.1.2): of whatever type, when it holds one. A route, a comment and
/// angle brackets are taken off; xtext and UTF-8 forms (RFC 6533) are undone.
pub(super) fn in_field(value: &str) -> Option<String> {
    let (kind, rest) = value.split_once(';').map_or(("", value), |(kind, rest)| (kind.trim(), rest));
    let rest = rest.trim();
    let plain = match kind.eq_ignore_ascii_case("utf-8") {
        true => unescaped(rest),
        false => unxtext(rest),
    };
    if let Some(found) = in_text(&plain).into_iter().next_back() {
        return Some(found);
    }
    // A local name says something too, where the system has no domain.
    let bare = plain.trim_matches(['<', '>', '"', ' ']);
    let named = matches!(kind.to_ascii_lowercase().as_str(), "rfc822" | "local" | "x-local-user");
    let word = !bare.is_empty() && bare.len() <= LONGEST && !bare.contains(char::is_whitespace);
    (named && word).then(|| bare.to_lowercase())
}

/// `\x{E9}` (RFC 6533 section 3).
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\\x{") {
        out.push_str(&rest[..at]);
        let code = &rest[at + 3..];
        let end = code.find('}').unwrap_or(code.len());
        match u32::from_str_radix(&code[..end], 16).ok().and_then(char::from_u32) {
            Some(c) => out.push(c),
            None => out.push_str(&code[..end]),
        }
        rest = code.get(end + 1..).unwrap_or_default();
    }
    out + rest
}

/// `+2B` (RFC 3461 section 4): two capital hexadecimal digits behind a plus. An address with a plain plus is left alone
/// unless it cannot be meant literally.
fn unxtext(text: &str) -> String {
    let escapes = [("+40", "@"), ("+2B", "+"), ("+3D", "=")];
    match text.contains('@') && !text.contains("+2B") && !text.contains("+3D") {
        true => text.to_owned(),
        false => escapes.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_running_text() {
        for (line, expected) in [
            ("<Kim.Lee@Corp.Example>:", vec!["kim.lee@corp.example"]),
            ("  * kim+a@corp.example, lee@b.example.", vec!["kim+a@corp.example", "lee@b.example"]),
            ("c=US;a= ;p=X;o=Y;dda:SMTP=kim@corp.example; on Fri", vec!["kim@corp.example"]),
            ("To: 'kim@corp.example'", vec!["kim@corp.example"]),
            ("smtp:kim@corp.example(reason)", vec!["kim@corp.example"]),
            ("mailto:kim@corp.example", vec!["kim@corp.example"]),
            ("no address at all @ home, a@b", vec![]),
            ("jörg@bücher.example", vec!["jörg@bücher.example"]),
        ] {
            assert_eq!(in_text(line), expected, "{line}");
        }
    }

    #[test]
    fn addresses_in_fields() {
        for (value, expected) in [
            ("rfc822; kim@corp.example", Some("kim@corp.example")),
            ("RFC822;<Kim@corp.example>", Some("kim@corp.example")),
            ("rfc822; kim+2Ba@corp.example", Some("kim+a@corp.example")),
            ("utf-8; j\\x{F6}rg@corp.example", Some("jörg@corp.example")),
            ("kim@corp.example", Some("kim@corp.example")),
            ("X-LOCAL; KIM", None),
            ("rfc822;kim", Some("kim")),
            ("rfc822; \"Kim Lee\" <kim@corp.example> (forwarded)", Some("kim@corp.example")),
            ("unknown", None),
        ] {
            assert_eq!(in_field(value).as_deref(), expected, "{value}");
        }
    }
}
