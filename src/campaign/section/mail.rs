//! `[mail]`: who writes, how it leaves, and where answers go.

use super::transport::{idle, in_clear, rate, transport};
use super::{Context, address, domain, password};
use crate::campaign::model::{Dkim, Mail, PasswordSource, Reuse, Transport, Uncertain};
use crate::campaign::table::Table;
use crate::campaign::url::holds_password;
use crate::fault::Finding;

/// More connections than this no mail server welcomes from one client.
const MOST_CONNECTIONS: usize = 64;
const CONNECTIONS: usize = 4;

pub(super) fn read(all: &mut Table, context: &Context) -> Option<Mail> {
    all.require_section("mail", "[mail]", "from = \"Mail Desk <maildesk@corp.example>\"");
    let mut table = all.table("mail")?;
    table.require("from", "\"Mail Desk <maildesk@corp.example>\"");
    let from = table.parsed("from", address::mailbox);
    let password = password::source(&mut table);
    let transport = way_out(&mut table, password.as_ref());
    let reply_to = table.parsed("reply_to", address::with_token);
    let bounce_to = table.parsed("bounce_to", address::with_token);
    let connections = connections(&mut table).unwrap_or(CONNECTIONS);
    let rate = table.parsed("rate", rate);
    let domains = table.table("domain").map(domain::limits).unwrap_or_default();
    let reuse = reuse(&mut table);
    let uncertain = table.word("uncertain", &[("retry", Uncertain::Retry), ("hold", Uncertain::Hold)]);
    let ca_file = table.text("ca_file").map(|text| context.file(&text));
    let dkim = table.table("dkim").and_then(|table| dkim(table, context));
    table.finish();
    Some(Mail {
        from: from?,
        transport: transport?,
        reply_to,
        bounce_to,
        connections,
        rate,
        domains,
        reuse,
        uncertain: uncertain.unwrap_or(Uncertain::Retry),
        ca_file,
        password,
        dkim,
    })
}

fn way_out(table: &mut Table, password: Option<&PasswordSource>) -> Option<Transport> {
    let Some(text) = table.text("transport") else { return Some(Transport::File) };
    if holds_password(&text.value) {
        password::in_the_file(table, text.at);
        return None;
    }
    let transport = transport(&text.value).map_err(|finding| table.report.add(text.at, finding)).ok()?;
    if let Some(finding) = in_clear(&transport) {
        table.report.add(text.at, finding);
    }
    let user = matches!(&transport, Transport::Smtp(server) if server.user.is_some());
    if user && password.is_none() {
        let cause = "the transport names a user, and nothing says where the password comes from";
        let remedy = "add password_env = \"FLAGDAY_SMTP_PASSWORD\" or password_command = \"pass show smtp\"";
        table.report.absent(text.at, Finding::error("missing-key", cause, remedy));
    }
    Some(transport)
}

fn reuse(table: &mut Table) -> Reuse {
    let usual = Reuse::default();
    Reuse {
        messages: table.whole("messages_per_connection", 1..=1_000_000).unwrap_or(usual.messages),
        idle: table.parsed("idle", idle).unwrap_or(usual.idle),
    }
}

/// A whole number of connections.
pub(super) fn connections(table: &mut Table) -> Option<usize> {
    table.whole("connections", 1..=MOST_CONNECTIONS)
}

fn dkim(mut table: Table, context: &Context) -> Option<Dkim> {
    table.require("domain", "\"corp.example\"");
    let signs_for = table.parsed("domain", |text| {
        let bad = || Finding::error("bad-domain", format!("'{text}' is no domain"), "write it like corp.example");
        domain::in_ascii(text).ok_or_else(bad)
    });
    table.require("selector", "\"flagday\"");
    let selector = table.parsed("selector", selector);
    let key_file = table.required("key_file", "\"dkim.pem\"");
    let key_file = key_file.map(|text| context.file(&text));
    table.finish();
    Some(Dkim { domain: signs_for?, selector: selector?, key_file: key_file? })
}

/// The label, or labels, before `._domainkey.` (RFC 6376 section 3.1).
fn selector(text: &str) -> Result<String, Finding> {
    let label = |label: &str| {
        let plain = label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        (1..=63).contains(&label.len()) && plain && !label.starts_with('-') && !label.ends_with('-')
    };
    if text.len() <= 200 && text.split('.').all(label) {
        return Ok(text.to_ascii_lowercase());
    }
    let cause = format!("'{text}' is no selector: it becomes a name in DNS, before ._domainkey");
    Err(Finding::error("bad-selector", cause, "use letters, digits and hyphens, like flagday or mail-2026"))
}
