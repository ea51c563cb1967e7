//! Read receipts in words: of Exchange and Outlook in many languages, Notes, GroupWise, Pegasus, and of those that put
//! what they mean into a part nobody can open.

use super::message::InboundMessage;
use super::reading::{MailKind, Original, Reading};

const READ: &[&str] = &[
    "read:",
    "gelesen:",
    "lu :",
    "lu:",
    "leído:",
    "leido:",
    "letto:",
    "gelezen:",
    "lida:",
    "lido:",
    "läst:",
    "læst:",
    "lest:",
    "luettu:",
    "przeczytano:",
    "odczytano:",
    "přečteno:",
    "elolvasva:",
    "okundu:",
    "прочтено:",
    "прочитано:",
    "已读:",
];
const NOT_READ: &[&str] = &[
    "not read:",
    "ungelesen gelöscht:",
    "nicht gelesen:",
    "ungelesen:",
    "non lu :",
    "non lu:",
    "no leído:",
    "non letto:",
    "niet gelezen:",
    "não lida:",
    "ej läst:",
    "ikke lest:",
    "ikke læst:",
    "не прочтено:",
];
const RECEIPTS: &[&str] = &[
    "return receipt",
    "read receipt",
    "reading confirmation",
    "confirmation of reading",
    "message status - opened",
    "read notification",
    "lesebestätigung",
    "empfangsbestätigung (angezeigt)",
    "accusé de lecture",
    "confirmation de lecture",
    "confirmación de lectura",
    "conferma di lettura",
    "ricevuta di ritorno",
    "leesbevestiging",
    "confirmação de leitura",
    "kvittering for læsning",
];
#[rustfmt::skip]
const WAS_READ: &[&str] = &[
    "was read on", "was read by", "was read at", "has been read", "was opened", "has been opened", "was displayed", "has been displayed", "return receipt for the mail", "no guarantee that the message has been read", "was received by:", "opened:", "read:",
    "wurde gelesen", "wurde am", "a été lu", "a été ouvert", "se leyó", "fue leído", "è stato letto", "è stato visualizzato", "is gelezen", "foi lida", "lästes", "blev læst", "было прочитано",
];
#[rustfmt::skip]
const WAS_DELETED: &[&str] = &[
    "deleted without being read", "was deleted", "message status - deleted", "ungelesen gelöscht", "wurde gelöscht", "supprimé sans être lu", "a été supprimé", "se eliminó sin", "eliminato senza", "zonder te zijn gelezen",
];

pub(super) fn read(message: &InboundMessage, seen: &str) -> Option<Reading> {
    let subject = message.subject().trim().to_lowercase();
    let lower = seen[..seen.floor_char_boundary(8 << 10)].to_lowercase();
    let begins = |words: &[&str]| words.iter().any(|word| subject.starts_with(word));
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let report = message.headers.get("Content-Type").is_some_and(|kind| kind == "multipart/report");
    let sealed = message.parts.iter().any(|part| part.kind == "application/ms-tnef");
    let unread = begins(NOT_READ) || subject.contains("message status - deleted");
    let titled = begins(READ) || begins(NOT_READ) || RECEIPTS.iter().any(|words| subject.contains(words));
    if !titled {
        return None;
    }
    let kind = match (unread || says(WAS_DELETED), says(WAS_READ)) {
        (true, _) => MailKind::MdnOther,
        (false, true) => MailKind::MdnDisplayed,
        // A receipt in winmail.dat: what it says cannot be read, so it says nothing.
        (false, false) if sealed || report => MailKind::MdnOther,
        (false, false) => return None,
    };
    let mut reading = Reading::of(kind);
    reading.original = Original::of(message);
    reading.recipients = message.from().map(str::to_owned).into_iter().collect();
    Some(reading.because("a read receipt in words"))
}
