//! What a server offers in its answer to EHLO (RFC 5321 §4.1.1.1).

use super::Trouble;
use crate::campaign::Auth;
use crate::outbox::Reply;
use lettre::transport::smtp::authentication::Mechanism;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// RFC 2920.
    pub pipelining: bool,
    pub starttls: bool,
    /// RFC 6152.
    pub eight_bit_mime: bool,
    /// RFC 6531.
    pub smtp_utf8: bool,
    /// RFC 3461.
    pub dsn: bool,
    /// RFC 1870: SIZE is understood.
    pub size: bool,
    /// The largest message in bytes, where the server names one.
    pub size_limit: Option<u64>,
    /// SASL mechanisms by name, upper case.
    pub auth: Vec<String>,
}

impl Capabilities {
    /// The first line is the server's greeting; unknown keywords are none of our business.
    pub fn read(reply: &Reply) -> Capabilities {
        let mut offers = Capabilities::default();
        for line in reply.text.lines().skip(1) {
            // Old servers write AUTH=LOGIN.
            let line = line.to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("PIPELINING") => offers.pipelining = true,
                Some("STARTTLS") => offers.starttls = true,
                Some("8BITMIME") => offers.eight_bit_mime = true,
                Some("SMTPUTF8") => offers.smtp_utf8 = true,
                Some("DSN") => offers.dsn = true,
                Some("SIZE") => {
                    offers.size = true;
                    // 0 stands for no fixed limit.
                    offers.size_limit = words.next().and_then(|n| n.parse().ok()).filter(|limit| *limit > 0);
                }
                Some("AUTH") => offers.auth.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        offers
    }

    /// The login to use: the one chosen, or the first one offered. A bearer token comes last: where PLAIN is offered too,
    /// what we hold is more likely a password.
    pub fn mechanism(&self, chosen: Option<Auth>) -> Result<Mechanism, Trouble> {
        let (usable, names): (&[Mechanism], _) = match chosen {
            Some(Auth::Plain) => (&[Mechanism::Plain], "PLAIN"),
            Some(Auth::Login) => (&[Mechanism::Login], "LOGIN"),
            Some(Auth::Xoauth2) => (&[Mechanism::Xoauth2], "XOAUTH2"),
            None => (&[Mechanism::Plain, Mechanism::Login, Mechanism::Xoauth2], "PLAIN, LOGIN, XOAUTH2"),
        };
        let offered = |mechanism: &&Mechanism| self.auth.iter().any(|offered| *offered == mechanism.to_string());
        let found = usable.iter().find(offered).copied();
        found.ok_or_else(|| Trouble::NoMechanism { offered: self.auth.join(" "), usable: names })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Capabilities {
        Capabilities::read(&Reply { code: 250, enhanced: None, text: text.into() })
    }

    #[test]
    fn keywords_in_any_case() {
        let offers =
            read("PIPELINING\nPipelining\nSIZE 1000\n8bitmime\nSMTPUTF8\nDSN\nSTARTTLS\nAUTH login plain\nX-FOO");
        assert!(offers.pipelining && offers.eight_bit_mime && offers.smtp_utf8 && offers.dsn && offers.starttls);
        assert_eq!((offers.size, offers.size_limit), (true, Some(1000)));
        assert_eq!(offers.mechanism(None), Ok(Mechanism::Plain));
    }

    #[test]
    fn the_servers_name_is_no_keyword() {
        assert_eq!(read("PIPELINING"), Capabilities::default());
    }

    #[test]
    fn sizes_that_are_no_limit() {
        for text in ["x\nSIZE", "x\nSIZE 0", "x\nSIZE many", "x\nSIZE 99999999999999999999999"] {
            assert_eq!((read(text).size, read(text).size_limit), (true, None), "{text}");
        }
    }

    #[test]
    fn logins_by_choice_else_by_preference() {
        use Mechanism::{Login, Plain, Xoauth2};
        for (offers, chosen, used) in [
            ("x\nAUTH=LOGIN", None, Some(Login)),
            ("x\nAUTH XOAUTH2 LOGIN", None, Some(Login)),
            ("x\nAUTH XOAUTH2 CRAM-MD5", None, Some(Xoauth2)),
            ("x\nAUTH CRAM-MD5", None, None),
            ("x\nAUTH PLAIN LOGIN XOAUTH2", Some(Auth::Xoauth2), Some(Xoauth2)),
            ("x\nAUTH PLAIN LOGIN XOAUTH2", Some(Auth::Login), Some(Login)),
            ("x\nAUTH PLAIN", Some(Auth::Plain), Some(Plain)),
            ("x\nAUTH PLAIN LOGIN", Some(Auth::Xoauth2), None),
        ] {
            assert_eq!(read(offers).mechanism(chosen).ok(), used, "{offers} {chosen:?}");
        }
    }
}
