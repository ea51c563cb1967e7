//! How mail systems say that a message failed, waits, arrived or went on, in the words of those without RFC 3464 and in
//! the words around it.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use std::sync::OnceLock;

/// What a phrase means for the delivery that the text tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Failed,
    /// Failed for good, whatever else is said of trying.
    GaveUp,
    Delayed,
    Delivered,
    Relayed,
}

#[rustfmt::skip]
const FAILED: &[&str] = &[
    // RFC 3464 in words, sendmail, Postfix, Exim, qmail, Courier, Sun, CommuniGate, PMDF
    "could not be delivered", "couldn't be delivered", "cannot be delivered", "can not be delivered", "can't be delivered",
    "could not deliver", "couldn't deliver", "cannot deliver", "can't deliver", "unable to deliver", "was not able to deliver", "wasn't able to deliver",
    "unable to send the message", "unable to complete delivery", "not delivered to", "was not delivered", "wasn't delivered", "has not been delivered", "have not been delivered", "not be delivered to",
    "undeliverable", "undelivered mail", "undelivered message", "non-delivery", "nondelivery", "delivery failed", "delivery failure", "delivery has failed", "failed to deliver",
    "delivery to the following", "delivery to these recipients", "delivery error", "failed delivery", "delivery status notification (failure)",
    "the following addresses had permanent", "had permanent fatal errors", "permanent fatal errors", "transcript of session follows", "fatal errors",
    "following address(es) failed", "following addresses failed", "following recipients failed", "following recipient failed", "address failed", "failed recipient", "failed addresses follow",
    "did not reach the following", "did not reach the recipient", "didn't reach", "could not reach", "couldn't reach the", "hi. this is the", "hi! this is the",
    "mail could not", "message could not", "mail delivery failed", "returned mail", "returned to sender", "returning message to sender", "mail is being returned", "has been returned because", "was aborted after", "could not find a gateway", "processing error", "message is being returned",
    "message has been returned", "mail returned", "failure notice", "failure delivery", "delivery report failed", "bounced", "error delivering", "error sending your", "problem delivering your",
    "rcpt to generated following response", "rcpt to:<", "user unknown", "unknown user", "no such user", "unknown recipient", "unknown recipients", "user not known",
    "recipient name is not recognized", "recipient not found", "not listed in domino", "not listed in public name", "mailbox unavailable", "mailbox is full", "over quota", "quota exceeded", "mailbox full",
    "message was rejected", "message rejected", "has been rejected", "was rejected", "was blocked", "has been blocked", "refused by", "your message was undeliverable",
    "was undeliverable to the following", "no valid recipients", "invalid recipient", "unrouteable", "not deliverable", "message not sent", "message blocked",
    // Microsoft Mail for PC Networks
    "mail retry count exceeded", "missing routing file", "mail maximum size exceeded", "useful life exceeded", "not delivered, ", "mail could not be sent",
    // X.400
    "unable-to-transfer", "unrecognised-or-name", "unrecognized-or-name", "transfer-failure", "mts-congestion", "conversion-not-performed",
    // other languages
    "konnte nicht zugestellt", "konnten nicht zugestellt", "nicht zugestellt werden", "nicht zustellbar", "unzustellbar", "zustellung fehlgeschlagen", "zustellung ist fehlgeschlagen", "wurde nicht zugestellt",
    "n'a pas pu être", "n'a pu être remis", "n'a pas été remis", "non remis", "échec de la remise", "échec de remise", "impossible de remettre",
    "no se pudo entregar", "no se ha podido entregar", "no pudo ser entregado", "no entregado", "error en la entrega",
    "impossibile recapitare", "non è stato possibile", "mancato recapito", "mancata consegna", "non recapitabile",
    "kan niet worden bezorgd", "kon niet worden", "niet bezorgd", "não pôde ser entregue", "não foi possível entregar", "falha na entrega",
];
#[rustfmt::skip]
const MORE_FAILED: &[&str] = &[
    "kunde inte levereras", "kunne ikke leveres", "toimittaminen epäonnistui", "nie można dostarczyć", "nie dostarczono", "niedostarczalna", "nelze doručit", "nedoručitelná", "kézbesítés sikertelen",
    "nu a putut fi", "iletilemedi", "teslim edilemedi", "не доставлено", "не удалось доставить", "невозможно доставить", "недоставленное", "не может быть доставлено",
    "未送达", "退信", "无法投递", "配信できません", "配信不能",
];
#[rustfmt::skip]
const GAVE_UP: &[&str] = &[
    "gave up", "giving up", "given up", "i've given up", "failed permanently", "permanent error", "permanent fatal error", "permanently failed", "will not be retried", "no further attempts",
    "no more attempts", "will be no further", "will be deleted from queue", "message will be deleted", "removed from the queue", "maximum retry", "retry count exceeded", "expired", "stopped trying", "has been cancelled",
    "delivery attempts have failed", "could not be delivered for too long", "retry timeout exceeded", "too long in queue", "wird nicht erneut", "abgebrochen", "endgültig",
];
#[rustfmt::skip]
const DELAYED: &[&str] = &[
    "will keep trying", "will continue to try", "continue to attempt", "continue trying", "will continue to attempt", "continue to be attempted", "keep trying to deliver", "attempts to deliver the message will continue",
    "delivery attempts will continue", "attempts will continue", "will be retried", "will retry", "will try again", "is still trying", "still trying to deliver", "still being attempted", "trying to deliver your message",
    "warning message only", "this is a warning message", "is just a warning", "this is only a warning", "warning: could not send message", "warning: message still undelivered", "warning: message delayed", "warning: message",
    "do not need to resend", "don't need to resend", "need not resend", "no need to resend", "do not need to do anything", "no action is required", "not yet been delivered", "has not yet been", "have not yet been", "not yet delivered",
    "delivery is delayed", "delivery delayed", "delayed mail", "delivery has been delayed", "has been delayed", "is delayed", "delivery status notification (delay)", "delivery incomplete", "delivery delay",
    "temporary problem delivering", "haven't been able to deliver", "had transient non-fatal errors", "transient non-fatal errors", "queued for later delivery", "message delayed", "in the queue for",
    "verzögert", "weitere zustellversuche", "wird weiterhin versucht", "noch nicht zugestellt", "retardée", "retardé", "se ha retrasado", "in ritardo", "vertraagd", "atrasada", "задержана", "opóźni",
];
#[rustfmt::skip]
const DELIVERED: &[&str] = &[
    "was successfully delivered", "been successfully delivered", "were successfully delivered", "successful mail delivery", "successfully delivered to", "had successful delivery notifications",
    "successful delivery", "has been delivered to the following", "was delivered to the following", "has been delivered to the recipient", "message has been delivered", "has been delivered", "delivery status notification (success)", "delivered to your recipient", "has been deposited",
    "wurde erfolgreich zugestellt", "wurde an folgende empfänger", "erfolgreich zugestellt", "a été remis à", "a été remis aux", "se ha entregado a", "è stato recapitato", "is bezorgd bij", "foi entregue a",
];
#[rustfmt::skip]
const RELAYED: &[&str] = &[
    "delivery notification was not sent by the destination", "no delivery notification was sent", "relayed to non-dsn-aware", "has been relayed", "delivery to these recipients or groups is complete, but no",
    "delivery status notification (relay)", "was relayed", "keine übermittlungsbestätigung", "keine zustellungsbenachrichtigung", "message has been forwarded to the next", "aucune notification de remise",
];

/// Every meaning in a text, in no order, each once.
pub(super) fn meanings(lower: &str) -> Vec<Meaning> {
    static FOUND: OnceLock<(AhoCorasick, Vec<Meaning>)> = OnceLock::new();
    let (found, meanings) = FOUND.get_or_init(|| {
        let tables: [(&[&str], Meaning); 6] = [
            (FAILED, Meaning::Failed),
            (MORE_FAILED, Meaning::Failed),
            (GAVE_UP, Meaning::GaveUp),
            (DELAYED, Meaning::Delayed),
            (DELIVERED, Meaning::Delivered),
            (RELAYED, Meaning::Relayed),
        ];
        let meanings = tables.iter().flat_map(|(words, meaning)| words.iter().map(|_| *meaning)).collect();
        let words = tables.iter().flat_map(|(words, _)| words.iter());
        (AhoCorasickBuilder::new().build(words).expect("few short phrases"), meanings)
    });
    let mut all = Vec::new();
    for hit in found.find_overlapping_iter(lower) {
        let meaning = meanings[hit.pattern().as_usize()];
        if !all.contains(&meaning) {
            all.push(meaning);
        }
    }
    all
}

/// Subjects that only a mail system writes, by their beginning or anywhere.
#[rustfmt::skip]
const SUBJECTS: &[&str] = &[
    "undeliver", "undelivered", "non-delivery", "nondelivery", "not deliver", "delivery status notification", "delivery failure", "delivery failed", "delivery has failed", "delivery error", "delivery problem",
    "delivery report", "delivery notification", "mail delivery", "message delivery", "failure notice", "failure delivery", "failed delivery", "returned mail", "returned message", "mail returned", "returned to sender", "mail system error",
    "returning message to sender", "mail failure", "message failure", "mail could not be delivered", "message could not be delivered", "could not be delivered", "unable to deliver", "bounce", "rejected:", "permanent delivery",
    "delivery delay", "delayed mail", "message delayed", "warning: could not send", "warning: message", "delayed delivery", "mail delayed", "successful mail delivery", "nachricht nicht zugestellt", "unzustellbar", "nicht zustellbar",
    "zustellung", "non remis", "échec de la remise", "no se puede entregar", "no entregado", "error de entrega", "mancato recapito", "non recapitabile", "onbestelbaar", "não foi possível entregar", "falha na entrega",
    "notificação de status de entrega", "delivered:", "relayed:", "недоставлен", "не доставлено", "退信", "配信",
];

pub(super) fn is_subject(subject: &str) -> bool {
    let subject = subject.to_lowercase();
    let answers = ["re:", "aw:", "fwd:", "fw:", "wg:", "tr:", "sv:", "antw:", "rif:", "rv:", "r:", "i:"];
    // Some gateways put the verdict behind the old subject.
    let behind =
        [": non remis", ": undeliverable", ": undelivered", " - non remis", "(undeliverable)", "(delivery failed)"];
    if behind.iter().any(|words| subject.ends_with(words)) {
        return true;
    }
    !answers.iter().any(|prefix| subject.starts_with(prefix)) && SUBJECTS.iter().any(|words| subject.contains(words))
}
