//! A visit to the mail server before anything is sent: connect, EHLO, TLS, login, QUIT.

use super::{Dial, Server, Session};
use crate::campaign::Tls;
use crate::fault::Finding;
use std::time::Duration;

/// Somebody is waiting in front of the screen.
const PATIENCE: Duration = Duration::from_secs(15);

/// What `check` says of the server. `largest`: the size of the largest message to come, in bytes.
pub fn probe(server: &Server, largest: Option<u64>) -> Vec<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return crate::fault::Fault::from(error).findings,
    };
    let findings = runtime.block_on(visit(server, largest));
    // A name service that does not answer must not hold the command.
    runtime.shutdown_background();
    findings
}

async fn visit(server: &Server, largest: Option<u64>) -> Vec<Finding> {
    match server.within(PATIENCE).open().await {
        Err(trouble) => vec![trouble.finding(&server.name())],
        Ok(session) => {
            let findings = remarks(server, &session, largest);
            session.quit().await;
            findings
        }
    }
}

/// What the open session tells.
pub(super) fn remarks(server: &Server, session: &Session, largest: Option<u64>) -> Vec<Finding> {
    let (name, offers) = (server.name(), &session.offers);
    let mut findings = Vec::new();
    if let (Some(limit), Some(size)) = (offers.size_limit, largest)
        && size > limit
    {
        let cause = format!("{name} takes messages up to {limit} bytes, and the largest of this campaign has {size}");
        findings.push(Finding::error("smtp-size", cause, "send smaller packages, or have the limit raised"));
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
