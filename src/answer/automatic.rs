//! Marks of mail that no person wrote (RFC 3834 section 5, and the habits of real systems). Any one of them is enough to
//! forbid an acknowledgement; which kind of machine it was is asked afterwards.

use super::bounce;
use super::message::InboundMessage;

/// What a mark says: a machine's answer, or a machine's or a list's own mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub answers: bool,
    pub because: String,
}

/// Fields that only an answering machine writes.
const ANSWERING: &[&str] = &[
    "X-Autoreply",
    "X-Auto-Reply",
    "X-Autoreply-From",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Auto-Responder",
    "X-AutoReply-From",
    "X-Mail-Autoreply",
    "X-Vacation",
    "X-Vacation-Reply",
    "X-Mailer-Vacation",
    "X-MS-Exchange-Inbox-Rules-Loop",
    "X-Facebook-Notify-Autoreply",
    "X-POST-MessageClass-AutoReply",
    "X-Amazon-Auto-Reply",
    "X-Zendesk-From-Account-Id",
    "X-OTRS-Loop",
    "X-RT-Loop-Prevention",
    "X-FreshDesk-Auto-Reply",
    "X-Jira-FingerPrint",
    "X-Pardot-Autoreply",
    "X-Away-Message",
    "X-Opened-By-Autoresponder",
    "X-Notes-Autoreply",
    "X-GWAutoReply",
];
/// Fields of machines and lists that speak by themselves.
const BULK: &[&str] = &[
    "List-Id",
    "List-Unsubscribe",
    "List-Post",
    "Mailing-List",
    "X-Mailing-List",
    "X-Mailman-Version",
    "X-BeenThere",
    "X-List-Host",
    "Feedback-ID",
    "X-Campaign",
    "X-CampaignId",
    "X-Mailgun-Sid",
    "X-SES-Outgoing",
    "X-MC-User",
    "X-Cron-Env",
    "X-GitHub-Reason",
];
/// Values of `X-Mailer` and the like of programs that answer by themselves.
const PROGRAMS: &[&str] = &[
    "vacation",
    "autorespond",
    "auto-respond",
    "autoreply",
    "auto reply",
    "auto-reply",
    "mailbot",
    "otrs",
    "request tracker",
    "zendesk",
    "osticket",
    "formail",
];
/// Local parts that nobody reads.
const SENDERS: &[&str] = &[
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "do_not_reply",
    "no.reply",
    "nicht-antworten",
    "notifications",
    "notification",
    "autoreply",
    "auto-reply",
    "autoresponder",
    "auto-responder",
    "autoresponse",
    "vacation",
    "autoanswer",
    "cron",
    "newsletter",
    "alerts",
    "listserv",
    "majordomo",
    "mailman",
    "owner-list",
];

/// Every mark on the message.
pub(super) fn marks(message: &InboundMessage) -> Vec<Mark> {
    let headers = &message.headers;
    let mut marks = Vec::new();
    let mut add = |answers, because: String| marks.push(Mark { answers, because });
    for value in headers.all("Auto-Submitted") {
        let word = value.split([';', ' ', '(']).next().unwrap_or_default().to_ascii_lowercase();
        if !word.is_empty() && word != "no" {
            add(word != "auto-generated" && word != "auto-notified", format!("Auto-Submitted: {word}"));
        }
    }
    for name in ANSWERING {
        if headers
            .get(name)
            .is_some_and(|value| !matches!(value.to_ascii_lowercase().as_str(), "no" | "false" | "none"))
        {
            add(true, format!("{name} is there"));
        }
    }
    for value in headers.all("Precedence").chain(headers.all("X-Precedence")) {
        match value.to_ascii_lowercase().as_str() {
            word @ ("auto_reply" | "auto-reply" | "autoreply") => add(true, format!("Precedence: {word}")),
            word @ ("bulk" | "junk" | "list") => add(false, format!("Precedence: {word}")),
            _ => {}
        }
    }
    if let Some(value) = headers.get("X-Auto-Response-Suppress") {
        let word = value.to_ascii_lowercase();
        if !word.is_empty() && word != "none" {
            add(false, format!("X-Auto-Response-Suppress: {word}"));
        }
    }
    for name in ["X-Loop", "X-Loops", "Delivered-By-The-Graces-Of-God"] {
        if headers.has(name) {
            add(false, format!("{name} is there"));
        }
    }
    if headers.get("Preference").is_some_and(|value| value.eq_ignore_ascii_case("auto_reply")) {
        add(true, "Preference: auto_reply".to_owned());
    }
    for name in ["X-Mailer", "User-Agent", "X-Generator", "X-Software", "X-Mailer-Info", "X-Powered-By"] {
        if let Some(value) = headers.get(name).map(str::to_lowercase)
            && PROGRAMS.iter().any(|program| value.contains(program))
        {
            add(true, format!("{name}: {value}"));
        }
    }
    if headers.get("X-Original-Subject-Autoreply").is_some() || headers.get("X-Autoreply-Reason").is_some() {
        add(true, "written by an answering machine".to_owned());
    }
    for name in BULK {
        if headers.has(name) {
            add(false, format!("{name} is there"));
        }
    }
    if message.has_null_sender() {
        add(false, "sent by nobody (null return path)".to_owned());
    }
    if bounce::is_from_a_mail_system(message) {
        add(false, "written by a mail system".to_owned());
    }
    let machine = |address: &str| {
        let local = address.split('@').next().unwrap_or_default();
        let plain = local.split('+').next().unwrap_or_default();
        SENDERS.contains(&plain)
            || local.starts_with("bounce")
            || local.starts_with("noreply")
            || local.starts_with("no-reply")
    };
    if let Some(address) = message.authors().find(|address| machine(address)) {
        let local = address.split('@').next().unwrap_or_default();
        add(local.contains("auto") || local.contains("vacation"), format!("written by {local}"));
    }
    marks
}
