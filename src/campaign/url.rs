//! The URLs a campaign may hold: `scheme://user@host:port/path?key=value` (RFC 3986, without what nobody needs here).

use std::net::{IpAddr, Ipv6Addr};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// In lower case.
    pub(super) scheme: String,
    pub(super) user: Option<String>,
    /// A name or an address; an IPv6 address without its brackets.
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// What follows the host, without the first `/`.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
}

impl Url {
    /// The error says what is wrong, as the end of a sentence that names the URL.
    pub(super) fn parse(text: &str) -> Result<Url, String> {
        let (scheme, rest) = text.split_once("://").ok_or("has no scheme, like smtp://")?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(decode(user).ok_or("has a user name that cannot be read")?), host),
            None => (None, authority),
        };
        let (host, port) = split_port(host)?;
        let query = query.split('&').filter(|pair| !pair.is_empty());
        let pair = |pair: &str| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (key.to_owned(), value.to_owned())
        };
        Ok(Url {
            scheme: scheme.to_ascii_lowercase(),
            user: user.filter(|user| !user.is_empty()),
            host,
            port,
            path: decode(path).ok_or("has a path that cannot be read")?,
            query: query.map(pair).collect(),
        })
    }

    /// Whether nobody but this machine hears what is said.
    pub(super) fn is_loopback(&self) -> bool {
        is_this_machine(&self.host)
    }
}

pub(super) fn is_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether the text seems to carry a password, be it a URL that can be read or not.
pub(super) fn holds_password(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    authority.rsplit_once('@').is_some_and(|(user, _)| user.contains(':'))
}

fn split_port(authority: &str) -> Result<(String, Option<u16>), &'static str> {
    let bracketed = authority.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, rest)) => {
            host.parse::<Ipv6Addr>().map_err(|_| "has no IPv6 address between its brackets")?;
            (host, rest.strip_prefix(':'))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    // As DNS has it (RFC 5890).
    let host = match host.is_ascii() {
        true => host.to_owned(),
        false => idna::domain_to_ascii(host).map_err(|_| "names no host")?,
    };
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bracketed.is_none() && (host.is_empty() || host.len() > 253 || !host.chars().all(named)) {
        return Err("names no host");
    }
    let port = match port.map(str::parse::<u16>) {
        None => None,
        Some(Ok(port)) if port > 0 => Some(port),
        Some(_) => return Err("has no port between 1 and 65535 after its colon"),
    };
    Ok((host, port))
}

/// Percent-decoding; the result holds no control character.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                (digit()? * 16 + digit()?) as u8
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok().filter(|text| !text.chars().any(char::is_control))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url = Url::parse("SMTP://desk%40corp.example@[::1]:2525/a%20b?tls=none&x").expect("a URL");
        assert_eq!(url.scheme, "smtp");
        assert_eq!(url.user.as_deref(), Some("desk@corp.example"));
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("::1", Some(2525), "a b"));
        assert_eq!(url.query, [("tls".into(), "none".into()), ("x".into(), String::new())]);
        assert!(url.is_loopback());
        let host = Url::parse("smtp://mail.bücher.example:25").expect("a URL").host;
        assert_eq!(host, "mail.xn--bcher-kva.example");
        assert!(!Url::parse("smtp://127.mail.example").expect("a URL").is_loopback());
    }

    #[test]
    fn what_is_no_url_says_why() {
        for (text, why) in [
            ("mail.example", "scheme"),
            ("smtp://", "host"),
            ("smtp://a b", "host"),
            ("smtp://host:0", "port"),
            ("smtp://host:99999", "port"),
            ("smtp://[zz]", "IPv6"),
            ("smtp://%0a@host", "user"),
            ("imaps://host/%zz", "path"),
        ] {
            assert!(Url::parse(text).expect_err(text).contains(why), "{text}");
        }
    }

    #[test]
    fn a_password_is_noticed_wherever_it_hides() {
        assert!(holds_password("smtp://user:pa@ss/word@host"));
        assert!(holds_password("user:secret@host"));
        assert!(!holds_password("smtp://user@host:587"));
        assert!(!holds_password("smtp://[::1]:25"));
    }
}
