//! `[intake]` and `[ledger]`: where answers come in, and where what is known is kept.

use super::{Context, password};
use crate::campaign::model::{ImapServer, IntakeMailbox, MailboxKind, Tls};
use crate::campaign::table::Table;
use crate::campaign::url::{Url, holds_password};
use crate::campaign::value::Text;
use crate::fault::Finding;

pub(super) fn mailboxes(all: &mut Table, context: &Context) -> Vec<IntakeMailbox> {
    let Some(mut table) = all.table("intake") else { return Vec::new() };
    let mailboxes = table.tables("mailbox").into_iter().filter_map(|table| mailbox(table, context)).collect();
    table.finish();
    mailboxes
}

fn mailbox(mut table: Table, context: &Context) -> Option<IntakeMailbox> {
    let maildir = table.text("maildir").map(|text| MailboxKind::Maildir(context.path(&text)));
    let mbox = table.text("mbox").map(|text| MailboxKind::Mbox(context.path(&text)));
    let has_imap = table.has("imap");
    let imap = imap(&mut table).map(MailboxKind::Imap);
    let stated = usize::from(maildir.is_some()) + usize::from(mbox.is_some()) + usize::from(has_imap);
    if stated != 1 {
        let cause = format!("a mailbox is one thing, and this one is {stated}");
        let remedy =
            "write one of maildir = \"/var/mail/desk\", mbox = \"/var/mail/desk\", imap = \"imaps://desk@host\"";
        table.complain(Finding::error("contradiction", cause, remedy));
    }
    let place = table.place();
    table.finish();
    Some(IntakeMailbox { kind: maildir.or(mbox).or(imap)?, place })
}

fn imap(table: &mut Table) -> Option<ImapServer> {
    let password = password::source(table);
    let text = table.text("imap")?;
    if holds_password(&text.value) {
        password::in_the_file(table, text.at);
        return None;
    }
    let refuse = |cause: String| {
        let remedy = "write it like \"imaps://desk@imap.corp.example/INBOX\"";
        table.report.add(text.at, Finding::error("bad-imap-url", cause, remedy));
    };
    let url = Url::parse(&text.value).map_err(|why| refuse(format!("'{}' {why}", text.value))).ok()?;
    let (tls, port) = match url.scheme.as_str() {
        "imaps" => (Tls::Implicit, 993),
        "imap" if url.query.iter().any(|(name, value)| name == "tls" && value == "required") => (Tls::Required, 143),
        "imap" if url.is_loopback() => (Tls::None, 143),
        "imap" => {
            refuse(format!("the password would cross the network to {} where others can read it", url.host));
            return None;
        }
        other => {
            refuse(format!("'{other}' is no way to read a mailbox"));
            return None;
        }
    };
    let Some(user) = url.user else {
        refuse("the URL names no user".to_owned());
        return None;
    };
    let Some(password) = password else {
        let remedy = "add password_env = \"FLAGDAY_IMAP_PASSWORD\" or password_command = \"pass show imap\"";
        let cause = "nothing says where the mailbox's password comes from";
        table.report.add(text.at, Finding::error("missing-key", cause, remedy));
        return None;
    };
    let folder = if url.path.is_empty() { "INBOX".to_owned() } else { url.path };
    Some(ImapServer { host: url.host, port: url.port.unwrap_or(port), user, folder, tls, password })
}

pub(super) fn ledger(all: &mut Table) {
    let Some(mut table) = all.table("ledger") else { return };
    if let Some(text) = table.text("url") {
        judge_ledger(&table, &text);
    }
    table.finish();
}

fn judge_ledger(table: &Table, text: &Text) {
    let remedy = "leave url out: the ledger is then .flagday/ledger.db, for one machine";
    let cause = match text.value.split_once(':').map_or(text.value.as_str(), |(scheme, _)| scheme) {
        "postgres" | "postgresql" => "PostgreSQL is not supported by this build",
        "sqlite" => "the SQLite ledger has one place, inside the campaign",
        _ => "this is no ledger",
    };
    let finding = Finding::error("ledger-url", cause, remedy);
    if holds_password(&text.value) {
        table.report.add_unquoted(text.at, finding);
    } else {
        table.report.add(text.at, finding);
    }
}
