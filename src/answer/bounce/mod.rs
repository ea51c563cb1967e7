//! Bounces without the structure of RFC 3464: what a mail system wrote for people, read as well as it can be.

mod phrases;
mod recipients;
mod returned;

use super::addresses;
use super::message::InboundMessage;
use super::reading::{MailKind, Original, Reading};
use super::status::{self, Status};
use phrases::Meaning;

/// Local parts of mail systems.
const DAEMONS: &[&str] = &[
    "mailer-daemon",
    "mailerdaemon",
    "mailer_daemon",
    "mail-daemon",
    "maildaemon",
    "postmaster",
    "mdaemon",
    "mmdf",
    "mailsystem",
    "mail-system",
    "mail_system",
    "maildelivery",
    "mail.delivery",
    "bounce",
    "bounces",
    "smtpd",
    "postoffice",
    "nondeliveryreport",
    "daemon",
    "mailadmin",
    "microsoftexchange",
];
/// The most of a notification that is read, in octets.
const TEXT: usize = 64 << 10;

/// Whether a mail system wrote this.
pub(super) fn is_from_a_mail_system(message: &InboundMessage) -> bool {
    let daemon = |address: &str| {
        let local = address.split('@').next().unwrap_or_default();
        let plain = local.split(['+', '=']).next().unwrap_or_default();
        DAEMONS.contains(&plain)
            || local.starts_with("mailer-daemon")
            || local.starts_with("postmaster")
            || local.starts_with("microsoftexchange")
            || local.starts_with("mail.delivery")
    };
    // `From: <>` is how some sign.
    message.authors().any(daemon) || message.headers.has("From") && message.from().is_none_or(str::is_empty)
}

/// Reads a bounce, a warning or a confirmation of delivery in words; `None` when it is none.
pub(super) fn read(message: &InboundMessage, seen: &str, away: bool) -> Option<Reading> {
    let headers = &message.headers;
    let failed: Vec<String> = headers.all("X-Failed-Recipients").flat_map(addresses::in_text).collect();
    let system = is_from_a_mail_system(message);
    let subject = phrases::is_subject(message.subject());
    let report = headers.get("Content-Type").is_some_and(|kind| kind == "multipart/report");
    let nobody = message.has_null_sender();
    if failed.is_empty() && !system && !subject && !report && !nobody {
        return None;
    }
    // A person's absence, told by a machine, is no failure, whatever address it is sent from.
    if away && failed.is_empty() && !report {
        return None;
    }
    let text = &seen[..seen.floor_char_boundary(TEXT)];
    let (lines, back) = returned::split(text);
    let lower = lines.join("\n").to_lowercase();
    let mut meanings = phrases::meanings(&lower);
    if subject {
        meanings.extend(phrases::meanings(&message.subject().to_lowercase()));
    }
    let told = lines.iter().any(|line| Status::find(line).is_some() || status::smtp_code(line).is_some());
    let carries = back.is_some() || message.inner().is_some() || message.part("text/rfc822-headers").is_some();
    let empty = lower.trim().is_empty() && system;
    let has = |meaning: Meaning| meanings.contains(&meaning);
    let kind = if has(Meaning::Delayed) && !has(Meaning::GaveUp) {
        MailKind::DsnDelayed
    } else if has(Meaning::Relayed) {
        MailKind::DsnRelayed
    } else if has(Meaning::Delivered) && !has(Meaning::Failed) && !has(Meaning::GaveUp) {
        MailKind::DsnDelivered
    } else if has(Meaning::Failed)
        || has(Meaning::GaveUp) && subject
        || !failed.is_empty()
        || empty
        || system && carries
    {
        MailKind::DsnFailed
    } else {
        return None;
    };
    // Words alone, from nobody in particular, are not enough: something of a delivery must be with them.
    if !(system || subject || report || told || carries || !failed.is_empty()) {
        return None;
    }
    let by = match (failed.is_empty(), system, subject) {
        (false, ..) => "X-Failed-Recipients",
        (_, true, _) => "written by a mail system",
        (_, _, true) => "the subject of a mail system",
        _ if report => "multipart/report",
        _ => "sent by nobody (null return path)",
    };
    Some(tell(message, kind, &lines, back, failed).because(by))
}

fn tell(message: &InboundMessage, kind: MailKind, lines: &[&str], back: Option<&str>, failed: Vec<String>) -> Reading {
    let mut reading = Reading::of(kind);
    reading.original = Original::of(message);
    if let Some(back) = back {
        returned::read(back, &mut reading.original);
    }
    let mut ours: Vec<String> = message.authors().map(str::to_owned).collect();
    ours.extend(["To", "Cc"].iter().flat_map(|field| message.headers.addresses(field)).map(str::to_owned));
    ours.extend(message.inner().iter().flat_map(|inner| inner.authors()).map(str::to_owned));
    reading.recipients = if failed.is_empty() { recipients::find(lines, &ours) } else { failed };
    if reading.recipients.is_empty() {
        reading.recipients = recipients::msmail(lines);
    }
    if reading.recipients.is_empty() {
        let domain = message.from().and_then(|from| from.split_once('@')).map(|(_, domain)| domain);
        reading.recipients = domain.map(|domain| recipients::local(lines, domain)).unwrap_or_default();
    }
    if reading.recipients.is_empty() {
        reading.recipients = reading.original.to.clone();
    }
    reading.diagnostic = recipients::diagnostic(lines, &reading.recipients);
    let status = lines.iter().find_map(|line| Status::find(line)).or_else(|| Status::find(message.subject()));
    let fits = |status: &Status| match kind {
        MailKind::DsnFailed | MailKind::DsnDelayed => status.class != 2,
        _ => status.class == 2,
    };
    let status = status.filter(fits);
    reading.status = status.map(|status| status.to_string());
    if kind == MailKind::DsnFailed {
        let words = match status::permanence(&reading.diagnostic).is_some()
            || status::smtp_code(&reading.diagnostic).is_some()
        {
            true => reading.diagnostic.clone(),
            false => lines.join("\n"),
        };
        reading.permanent = Some(status::is_permanent(status, &words));
    }
    reading.because.push(match kind {
        MailKind::DsnDelayed => "says that delivery is delayed and goes on".to_owned(),
        MailKind::DsnDelivered => "says that it was delivered".to_owned(),
        MailKind::DsnRelayed => "says that it went on to a system that reports nothing".to_owned(),
        _ => "says that it could not be delivered".to_owned(),
    });
    reading
}
