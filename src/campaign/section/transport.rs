//! `[mail] transport` and `rate`: how messages leave, and how fast.

use crate::campaign::model::{Auth, Rate, SmtpServer, Tls, Transport};
use crate::campaign::url::{Url, is_this_machine};
use crate::campaign::value::one_of;
use crate::fault::Finding;
use std::time::Duration;

const FORM: &str = "write \"file\", or a URL like \"smtp://user@mail.corp.example:587?tls=required\"";

/// Reads `file`, `smtp://user@host:port?tls=…&auth=…` or `smtps://…`.
///
/// Default ports: 465 with TLS from the first byte (RFC 8314), 587 for a submission with a user (RFC 6409), else 25.
/// Default TLS: none to this machine itself, required to any other.
pub(super) fn transport(text: &str) -> Result<Transport, Finding> {
    let refuse = |cause: String, remedy: &str| Finding::error("bad-smtp-url", cause, remedy);
    if text == "file" {
        return Ok(Transport::File);
    }
    let url = Url::parse(text).map_err(|why| refuse(format!("'{text}' {why}"), FORM))?;
    let mut tls = match url.scheme.as_str() {
        "smtps" => Tls::Implicit,
        "smtp" if url.is_loopback() => Tls::None,
        "smtp" => Tls::Required,
        other => return Err(refuse(format!("'{other}' is no way to send mail"), FORM)),
    };
    if !url.path.is_empty() {
        return Err(refuse(format!("an SMTP server has no path '/{}'", url.path), FORM));
    }
    let mut auth = None;
    for (key, value) in &url.query {
        match key.as_str() {
            "tls" if tls != Tls::Implicit => {
                let words = [("required", Tls::Required), ("opportunistic", Tls::Opportunistic), ("none", Tls::None)];
                tls = one_of("tls", value, &words)?;
            }
            "auth" if url.user.is_some() => {
                let words = [("plain", Auth::Plain), ("login", Auth::Login), ("xoauth2", Auth::Xoauth2)];
                auth = Some(one_of("auth", value, &words)?);
            }
            "auth" => {
                return Err(refuse("it names a login and no user".into(), "write smtp://user@host, or leave it out"));
            }
            _ => return Err(refuse(format!("{}:// takes no option '{key}'", url.scheme), "leave it out")),
        }
    }
    if url.user.is_some() && tls != Tls::Implicit && tls != Tls::Required && !url.is_loopback() {
        let cause = format!("the password would cross the network to {} where others can read it", url.host);
        return Err(refuse(cause, "use tls=required or smtps://, or log on without a user"));
    }
    if tls != Tls::Implicit && url.port == Some(465) {
        let cause =
            "port 465 speaks TLS from the first byte (RFC 8314): over smtp:// both sides would wait for a greeting"
                .into();
        return Err(refuse(cause, "write smtps:// instead of smtp://"));
    }
    let port = url.port.unwrap_or(match (tls, &url.user) {
        (Tls::Implicit, _) => 465,
        (_, Some(_)) => 587,
        (_, None) => 25,
    });
    Ok(Transport::Smtp(SmtpServer { host: url.host, port, user: url.user, tls, auth }))
}

/// What leaves this machine for others to read.
pub(super) fn in_clear(transport: &Transport) -> Option<Finding> {
    let Transport::Smtp(server) = transport else { return None };
    let when = match server.tls {
        Tls::None => "",
        Tls::Opportunistic => " where it offers no TLS, or somebody on the way says so",
        Tls::Implicit | Tls::Required => return None,
    };
    let host = Some(&server.host).filter(|host| !is_this_machine(host))?;
    let cause =
        format!("letters, with packages, codes and links, go to {host} in clear{when}: whoever reads them can answer");
    let remedy = "write tls=required or smtps://, if the server can do either";
    Some(Finding::warning("smtp-in-clear", cause, remedy))
}

/// Reads `30s` or `2m`, from a second to an hour.
pub(super) fn idle(text: &str) -> Result<Duration, Finding> {
    let read = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            _ => return None,
        };
        number.trim().parse::<u64>().ok()?.checked_mul(unit).filter(|seconds| (1..=3600).contains(seconds))
    };
    read().map(Duration::from_secs).ok_or_else(|| {
        let cause = format!("'{text}' is no time for an idle connection");
        Finding::error("out-of-range", cause, "write seconds or minutes, from 1s to 60m")
    })
}

/// Reads `50/s`, `600/m`, `1000/h`.
pub(super) fn rate(text: &str) -> Result<Rate, Finding> {
    let read = || {
        let (count, unit) = text.split_once('/')?;
        let per = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        let count = count.trim().parse().ok().filter(|count| *count > 0)?;
        Some(Rate { count, per: Duration::from_secs(per) })
    };
    read().ok_or_else(|| {
        let cause = format!("'{text}' is no rate");
        Finding::error("bad-rate", cause, "write so many messages per second, minute or hour: 50/s, 600/m, 1000/h")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(text: &str) -> (String, u16, Option<String>, Tls) {
        match transport(text).expect(text) {
            Transport::Smtp(server) => (server.host, server.port, server.user, server.tls),
            Transport::File => panic!("no server in {text}"),
        }
    }

    #[test]
    fn ports_and_tls_have_the_defaults_of_their_kind() {
        assert_eq!(transport("file"), Ok(Transport::File));
        assert_eq!(smtp("smtp://mail.example"), ("mail.example".into(), 25, None, Tls::Required));
        assert_eq!(smtp("smtp://desk@mail.example"), ("mail.example".into(), 587, Some("desk".into()), Tls::Required));
        assert_eq!(smtp("smtps://mail.example"), ("mail.example".into(), 465, None, Tls::Implicit));
        assert_eq!(smtp("smtp://mail.example:26?tls=none"), ("mail.example".into(), 26, None, Tls::None));
        assert_eq!(smtp("smtp://mail.example?tls=opportunistic").3, Tls::Opportunistic);
        for own in ["smtp://localhost:2525", "smtp://127.0.0.2", "smtp://[::1]", "smtp://me@127.0.0.1"] {
            assert_eq!(smtp(own).3, Tls::None, "{own}");
        }
    }

    #[test]
    fn what_leaves_the_machine_in_clear_is_warned_of() {
        let warned = |text: &str| in_clear(&transport(text).expect(text)).map(|finding| finding.code);
        for text in ["smtp://mail.example?tls=none", "smtp://10.0.0.1:25?tls=opportunistic"] {
            assert_eq!(warned(text), Some("smtp-in-clear"), "{text}");
        }
        for text in
            ["file", "smtp://mail.example", "smtps://mail.example", "smtp://127.0.0.1:2525?tls=none", "smtp://[::1]"]
        {
            assert_eq!(warned(text), None, "{text}");
        }
    }

    #[test]
    fn what_cannot_work_or_would_leak_is_refused() {
        for (text, why) in [
            ("fil", "scheme"),
            ("http://mail.example", "no way to send"),
            ("smtp://mail.example/inbox", "path"),
            ("smtp://mail.example?tsl=required", "no option"),
            ("smtp://mail.example?tls=yes", "no value of 'tls'"),
            ("smtps://mail.example?tls=none", "no option"),
            ("smtps://mail.example?auth=plain", "no user"),
            ("smtps://desk@mail.example?auth=cram-md5", "no value of 'auth'"),
            ("smtp://mail.example:465", "RFC 8314"),
            ("smtp://desk@mail.example?tls=none", "others can read"),
            ("smtp://desk@mail.example?tls=opportunistic", "others can read"),
        ] {
            let finding = transport(text).expect_err(text);
            assert!(finding.cause.contains(why), "{text}: {}", finding.cause);
        }
    }

    #[test]
    fn a_login_may_be_chosen() {
        for (text, auth) in [
            ("smtps://desk@mail.example", None),
            ("smtps://desk@mail.example?auth=xoauth2", Some(Auth::Xoauth2)),
            ("smtp://desk@mail.example?tls=required&auth=login", Some(Auth::Login)),
        ] {
            assert!(matches!(transport(text), Ok(Transport::Smtp(server)) if server.auth == auth), "{text}");
        }
    }

    #[test]
    fn an_idle_connection_has_a_time() {
        assert_eq!((idle("30s"), idle("2m")), (Ok(Duration::from_secs(30)), Ok(Duration::from_secs(120))));
        for text in ["", "s", "30", "0s", "61m", "-1s", "1h", "99999999999999999999m", "1ß"] {
            assert!(idle(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_counts_per_second_minute_or_hour() {
        assert_eq!(rate("600/m"), Ok(Rate { count: 600, per: Duration::from_secs(60) }));
        for text in ["", "50", "0/s", "-1/s", "5/d", "99999999999/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }
}
