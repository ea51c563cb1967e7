//! Challenge/response systems: they hold a message until its sender proves to be a person. Nobody here does.

use super::message::InboundMessage;

const FIELDS: &[&str] = &[
    "X-TMDA-Confirm",
    "X-TMDA-Fingerprint",
    "X-Delivery-Agent-TMDA",
    "X-ASK-Auth",
    "X-ASK-Version",
    "X-Boxbe",
    "X-Challenge-Id",
    "X-SpamArrest",
    "X-Spamarrest-Noauth",
    "X-Qconfirm",
    "X-Mailblocks",
    "X-Choicemail",
];
const SUBJECTS: &[&str] = &[
    "please confirm your message",
    "please confirm your email",
    "please confirm your e-mail",
    "confirm your message",
    "confirmation required",
    "your confirmation is required",
    "message verification",
    "sender verification",
    "verification required",
    "verify your message",
    "verify your email to",
    "please verify",
    "email verification",
    "[spam arrest",
    "spamarrest",
    "[boxbe]",
    "challenge",
    "your message to",
    "authorization required",
    "action required: your message",
    "bestätigen sie ihre nachricht",
    "ihre nachricht wartet",
    "confirmez votre message",
    "confirme su mensaje",
];
#[rustfmt::skip]
const TEXTS: &[&str] = &[
    "to release your message", "release this message", "release it to", "deliver your message, please", "confirm that you are", "confirm you are a", "prove that you are", "prove you are", "verify that you are", "verify you are", "verify your identity", "verify yourself", "verifying your", "verify that this message", "confirm your identity", "confirm that this message", "confirm your message", "confirm this message", "confirm the delivery of your message",
    "not a spammer", "not a robot", "you are human", "a real person", "a human being", "real person and not", "sent by a human", "approved sender", "approved senders", "approved list", "guest list", "allowed senders list", "whitelist", "list of allowed senders", "add yourself to", "one-time confirmation", "one time confirmation", "one-time verification", "held until", "being held", "is held pending", "has been held pending", "quarantined until you", "waiting for your confirmation", "awaiting your confirmation", "antworten sie auf diese nachricht, um ihre",
    "confirmer que vous", "confirme que usted", "bestätigen sie, dass sie ein mensch",
];
/// What the sender is told to do about it.
const ACTS: &[&str] = &[
    "click",
    "reply to this",
    "replying to this",
    "simply reply",
    "just reply",
    "hit reply",
    "reply with",
    "follow this link",
    "follow the link",
    "visit the",
    "visit this",
    "go to http",
    "link below",
    "url below",
    "web page",
    "enter the",
    "type the",
    "klicken",
    "antworten sie",
    "cliquez",
    "répondre à",
    "répondez",
    "haga clic",
    "responda",
    "clicca",
    "respond to this",
];

/// Why it is one. `answers`: its subject is that of a reply and no mark of a machine is on it; then words are not enough.
pub(super) fn is_one(message: &InboundMessage, seen: &str, answers: bool) -> Option<String> {
    if let Some(field) = FIELDS.iter().find(|field| message.headers.has(field)) {
        return Some(format!("{field} is there"));
    }
    if message.headers.get("X-Delivery-Agent").is_some_and(|agent| agent.starts_with("TMDA")) {
        return Some("X-Delivery-Agent: TMDA".to_owned());
    }
    if answers {
        return None;
    }
    let lower = seen[..seen.floor_char_boundary(16 << 10)].to_lowercase();
    let subject = message.subject().to_lowercase();
    let texts = TEXTS.iter().filter(|words| lower.contains(*words)).count();
    let acts = ACTS.iter().any(|words| lower.contains(words)) || lower.contains("http");
    let titled = SUBJECTS.iter().any(|words| subject.contains(words));
    (acts && (titled && texts > 0 || texts > 1)).then(|| "asks the sender to prove that a person wrote it".to_owned())
}
