//! A visit to the mail server before anything is sent: connect, EHLO, TLS, login, QUIT.

use super::{Dial, Server, Session};
use crate::campaign::Tls;
use crate::fault::Finding;
use std::time::Duration;

/// Somebody is waiting in front of the screen.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is about to be sent, as far as a server may refuse it.
#[derive(Debug, Default)]
pub struct Load {
    /// The size of the largest message, in bytes.
    pub largest: Option<u64>,
    /// People whose address has a local part beyond ASCII.
    pub beyond_ascii: Vec<String>,
}

/// What `check` says of the server.
pub fn probe(server: &Server, load: &Load) -> Vec<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return crate::fault::Fault::from(error).findings,
    };
    let findings = runtime.block_on(visit(server, load));
    // A name service that does not answer must not hold the command.
    runtime.shutdown_background();
    findings
}

async fn visit(server: &Server, load: &Load) -> Vec<Finding> {
    match server.within(PATIENCE).open().await {
        Err(trouble) => vec![trouble.finding(&server.name())],
        Ok(session) => {
            let findings = remarks(server, &session, load);
            session.quit().await;
            findings
        }
    }
}

/// What the open session tells.
pub(super) fn remarks(server: &Server, session: &Session, load: &Load) -> Vec<Finding> {
    let (name, offers) = (server.name(), &session.offers);
    let mut findings = Vec::new();
    if let (Some(limit), Some(size)) = (offers.size_limit, load.largest)
        && size > limit
    {
        let cause = format!("{name} takes messages up to {limit} bytes, and the largest of this campaign has {size}");
        findings.push(Finding::error("smtp-size", cause, "send smaller packages, or have the limit raised"));
    }
    if let (false, Some(first)) = (offers.smtp_utf8, load.beyond_ascii.first()) {
        let count = load.beyond_ascii.len();
        let cause =
            format!("{name} does not offer SMTPUTF8, and {count} people need it for their address, {first} among them");
        let remedy =
            "give them addresses in ASCII, or use a server that offers it: mail to them fails, everybody else's goes";
        findings.push(Finding::warning("smtp-no-utf8", cause, remedy));
    }
    if !session.encrypted && server.tls != Tls::None {
        let cause = format!("{name} does not offer STARTTLS: mail goes there in clear");
        findings.push(Finding::warning("smtp-clear", cause, "write tls=required and use a server that offers it"));
    }
    if !offers.dsn {
        let cause = format!("{name} gives no delivery reports (DSN, RFC 3461)");
        let remedy = "nothing to do: the grade `delivered` then comes from people's own replies only";
        findings.push(Finding::note("smtp-no-dsn", cause, remedy));
    }
    let way = if session.encrypted { "over TLS" } else { "in clear" };
    let login = server.login.as_ref().map_or(String::new(), |login| format!(", logged in as {}", login.user));
    let cause = format!("{name} is ready, {way}{login}");
    findings.push(Finding::note("smtp-ready", cause, "nothing to do"));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::SmtpServer;
    use crate::outbox::Secret;
    use crate::outbox::smtp::script::{Act, Stage};
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    fn server(host: &str, port: u16) -> Server {
        let smtp = SmtpServer { host: host.into(), port, user: None, tls: Tls::None, auth: None };
        Server::new(&smtp, None, None).expect("a server")
    }

    fn codes(findings: &[Finding]) -> Vec<&'static str> {
        findings.iter().map(|finding| finding.code).collect()
    }

    async fn remarks_on(stage: Stage, largest: Option<u64>) -> Vec<&'static str> {
        let load = Load { largest, beyond_ascii: Vec::new() };
        codes(&remarks(&stage.server, &stage.session().await, &load))
    }

    #[tokio::test]
    async fn it_says_what_will_be_missed() {
        let stage = |offers| Stage::new(|_| Act::Go).offering(offers);
        assert_eq!(remarks_on(stage("DSN|SIZE 1000"), Some(1000)).await, ["smtp-ready"]);
        assert_eq!(remarks_on(stage("DSN|SIZE 1000"), Some(1001)).await, ["smtp-size", "smtp-ready"]);
        assert_eq!(remarks_on(stage("8BITMIME"), None).await, ["smtp-no-dsn", "smtp-ready"]);
        let load = Load { largest: None, beyond_ascii: vec!["KIM".into()] };
        for (offers, told) in [("DSN", &["smtp-no-utf8", "smtp-ready"][..]), ("DSN|SMTPUTF8", &["smtp-ready"])] {
            let stage = stage(offers);
            assert_eq!(codes(&remarks(&stage.server, &stage.session().await, &load)), told);
        }
        let mut tolerant = stage("DSN");
        tolerant.server.tls = Tls::Opportunistic;
        assert_eq!(remarks_on(tolerant, None).await, ["smtp-clear", "smtp-ready"]);
    }

    #[test]
    fn a_closed_port_and_an_unknown_host_are_told_apart() {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
        for (host, port, code) in [("127.0.0.1", closed, "smtp-refused"), ("host.invalid", 25, "smtp-unresolved")] {
            let findings = probe(&server(host, port), &Load::default());
            assert_eq!(codes(&findings), [code]);
            assert!(findings[0].is_error() && findings[0].cause.starts_with(&format!("{host}:{port}: ")));
        }
    }

    #[test]
    fn a_real_visit_is_polite() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let host = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a visit");
            stream.write_all(b"220 mail\r\n").expect("written");
            let mut verbs = Vec::new();
            for line in BufReader::new(stream.try_clone().expect("a socket")).lines() {
                let line = line.expect("a line");
                verbs.push(line.split(' ').next().unwrap_or_default().to_owned());
                let reply: &[u8] = if line.starts_with("EHLO") { b"250-mail\r\n250 DSN\r\n" } else { b"221 bye\r\n" };
                stream.write_all(reply).expect("written");
            }
            verbs
        });
        let findings = probe(&server("127.0.0.1", port), &Load::default());
        assert_eq!(codes(&findings), ["smtp-ready"]);
        assert_eq!(findings[0].cause, format!("127.0.0.1:{port} is ready, in clear"));
        assert_eq!(host.join().expect("a good host"), ["EHLO", "QUIT"]);
    }

    #[test]
    fn a_user_needs_a_password_and_a_password_a_user() {
        let smtp = |user: Option<&str>| SmtpServer {
            host: "mail.corp.example".into(),
            port: 587,
            user: user.map(str::to_owned),
            tls: Tls::None,
            auth: None,
        };
        let code =
            |smtp, password| Server::new(&smtp, None, password).map(|_| ()).map_err(|fault| fault.findings[0].code);
        assert_eq!(code(smtp(Some("kim")), None), Err("password-missing"));
        assert_eq!(code(smtp(None), Some(Secret::new("sesame").into())), Err("user-missing"));
        assert_eq!(code(smtp(Some("kim")), Some(Secret::new("sesame").into())), Ok(()));
    }

    #[test]
    fn a_file_of_authorities_is_read_or_named() {
        let smtp =
            SmtpServer { host: "mail.corp.example".into(), port: 465, user: None, tls: Tls::Implicit, auth: None };
        let folder = tempfile::tempdir().expect("a folder");
        let own = rcgen::generate_simple_self_signed(["corp.example".to_owned()]).expect("a certificate").cert.pem();
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (name, text, expected) in [
            ("own.pem", own.as_str(), None),
            ("empty.pem", "no certificate here", Some("ca-file")),
            ("garbage.pem", garbage, Some("ca-file")),
            ("missing.pem", "", Some("io")),
        ] {
            let file = folder.path().join(name);
            if name != "missing.pem" {
                fs_err::write(&file, text).expect("written");
            }
            let code = Server::new(&smtp, Some(&file), None).err().map(|fault| fault.findings[0].code);
            assert_eq!(code, expected, "{name}");
        }
    }
}
