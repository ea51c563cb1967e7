//! Which lines of a mail the person wrote: not what they quote, not their signature, not the disclaimer of their firm.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use std::sync::OnceLock;

/// "… wrote:" in the languages of the common mail programs. Each stands in a line that also holds a date or an address.
const WROTE: &[&str] = &[
    "wrote",
    "writes",
    "schrieb",
    "geschrieben",
    "a écrit",
    "écrit",
    "escribió",
    "escribio",
    "ha scritto",
    "scrive",
    "scritto",
    "schreef",
    "geschreven",
    "escreveu",
    "skrev",
    "kirjoitti",
    "napisał",
    "napisala",
    "napsal",
    "pisze",
    "írta",
    "a scris",
    "yazdı",
    "написал",
    "пишет",
    "написав",
    "έγραψε",
    "のメール",
    "写道",
    "寫道",
];
/// Above a message that is quoted whole, between dashes or alone on a line.
const SEPARATORS: &[&str] = &[
    "original message",
    "originalnachricht",
    "ursprüngliche nachricht",
    "ursprungliche nachricht",
    "message d'origine",
    "message original",
    "mensaje original",
    "messaggio originale",
    "oorspronkelijk bericht",
    "mensagem original",
    "ursprungligt meddelande",
    "originalmeddelande",
    "oprindelig meddelelse",
    "opprinnelig melding",
    "alkuperäinen viesti",
    "wiadomość oryginalna",
    "oryginalna wiadomość",
    "původní zpráva",
    "eredeti üzenet",
    "mesaj original",
    "исходное сообщение",
    "пересланное сообщение",
    "оригінальне повідомлення",
    "özgün ileti",
    "orijinal mesaj",
    "forwarded message",
    "weitergeleitete nachricht",
    "message transféré",
    "mensaje reenviado",
    "messaggio inoltrato",
    "doorgestuurd bericht",
    "mensagem encaminhada",
    "vidarebefordrat",
    "begin forwarded",
    "reply separator",
    "original appointment",
    "原始邮件",
    "元のメッセージ",
];
/// The first word of a header line, in the languages in which Outlook, Notes and others write a quoted header.
const HEADERS: &[&str] = &[
    "from",
    "sent",
    "to",
    "cc",
    "subject",
    "date",
    "von",
    "gesendet",
    "an",
    "betreff",
    "datum",
    "kopie",
    "de",
    "envoyé",
    "envoye",
    "à",
    "objet",
    "enviado",
    "enviado el",
    "para",
    "asunto",
    "fecha",
    "da",
    "inviato",
    "a",
    "oggetto",
    "data",
    "van",
    "verzonden",
    "aan",
    "onderwerp",
    "assunto",
    "enviada em",
    "från",
    "skickat",
    "till",
    "ämne",
    "fra",
    "sendt",
    "til",
    "emne",
    "lähettäjä",
    "lähetetty",
    "vastaanottaja",
    "aihe",
    "od",
    "wysłano",
    "do",
    "temat",
    "odesláno",
    "komu",
    "předmět",
    "feladó",
    "küldve",
    "címzett",
    "tárgy",
    "от",
    "отправлено",
    "кому",
    "тема",
    "дата",
    "від",
    "发件人",
    "发送时间",
    "收件人",
    "主题",
];
/// Programs' own lines under a person's text.
const DEVICES: &[&str] = &[
    "sent from my",
    "sent from mail for",
    "sent from outlook",
    "sent from yahoo",
    "sent via",
    "get outlook for",
    "sent with",
    "von meinem",
    "gesendet von",
    "gesendet mit",
    "diese nachricht wurde von meinem",
    "outlook für",
    "envoyé de mon",
    "envoyé depuis",
    "télécharger outlook",
    "enviado desde",
    "obtener outlook",
    "inviato da",
    "ottieni outlook",
    "verzonden vanaf",
    "enviado do meu",
    "enviado via",
    "skickat från",
    "sendt fra",
    "lähetetty",
    "отправлено с",
];
/// How a disclaimer begins; everything after it belongs to it.
const DISCLAIMERS: &[&str] = &[
    "this e-mail and any",
    "this email and any",
    "this message and any",
    "this e-mail is confidential",
    "this email is confidential",
    "this message is confidential",
    "this e-mail is intended",
    "this email is intended",
    "this message is intended",
    "this communication is",
    "the information contained in this",
    "the information in this e",
    "confidentiality notice",
    "confidentiality:",
    "confidential:",
    "disclaimer",
    "important notice",
    "diese e-mail enthält",
    "diese e-mail kann",
    "diese nachricht ist vertraulich",
    "ce message et toutes",
    "ce courriel",
    "este mensaje",
    "questo messaggio",
    "dit bericht",
    "esta mensagem",
];
/// A quoted header may be so many lines long, an introduction so many.
const HEADER_LINES: usize = 12;
const INTRODUCTION: usize = 4;

/// The lines that the person wrote, in order, blank ones among them.
pub(super) fn own<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    let mut own = Vec::new();
    let last_quoted = lines.iter().rposition(|line| is_quoted(line.trim()));
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim();
        if is_quoted(line) {
            at += 1;
        } else if begins_the_rest(lines, at) {
            break;
        } else if let Some(length) = introduction(lines, at) {
            at += length;
            // Where the quoted text is not marked, it is everything that follows.
            let next = lines[at..].iter().find(|line| !line.trim().is_empty());
            if next.is_some() && last_quoted.is_none_or(|last| last < at) {
                break;
            }
        } else if is_signature(lines, at) {
            match lines[at..].iter().position(|line| is_quoted(line.trim())) {
                Some(quoted) => at += quoted,
                None => break,
            }
        } else {
            if !is_device(line) {
                own.push(line);
            }
            at += 1;
        }
    }
    own
}

/// `>` (RFC 3676 section 4.5), `|` of old programs, and initials as in `KL> `.
pub(super) fn is_quoted(line: &str) -> bool {
    let Some(first) = line.chars().next() else { return false };
    if matches!(first, '>' | '|' | '¦') {
        return true;
    }
    let initials = line.bytes().take_while(u8::is_ascii_uppercase).count();
    (1..=3).contains(&initials) && line[initials..].starts_with('>')
}

/// A separator or a header under which everything is somebody else's.
fn begins_the_rest(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    if line.is_empty() {
        return false;
    }
    let dashed = line.starts_with("--") || line.starts_with("__") || line.starts_with("==");
    let bare = line.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    if (dashed || bare.len() < 40) && SEPARATORS.iter().any(|word| bare.starts_with(word)) {
        // On its own it could be a sentence that begins so.
        return dashed || line.ends_with(':') || SEPARATORS.contains(&bare.as_str());
    }
    let rule = line.len() >= 5 && line.chars().all(|c| matches!(c, '-' | '_' | '=' | '*'));
    // Under a rule a digest's numbered message may begin, with a header as short as this (RFC 1153).
    match rule {
        true => is_header(&lines[at + 1..], 2) || is_header(after_first(&lines[at + 1..]), 2),
        false => is_header(&lines[at..], 3),
    }
}

/// What stands behind the first line that is not blank.
fn after_first<'a, 'b>(lines: &'a [&'b str]) -> &'a [&'b str] {
    let first = lines.iter().position(|line| !line.trim().is_empty());
    first.map_or(&[], |first| &lines[first + 1..])
}

/// So many different header lines, the first of them at once: `From:`, `Sent:`, `To:`, `Subject:` in any language.
fn is_header(lines: &[&str], least: usize) -> bool {
    let head = |line: &&str| {
        let line = line.trim().trim_start_matches('*');
        let name = line.split([':', '：']).next().filter(|name| name.len() < line.len())?;
        let name = name.trim().trim_end_matches('*').to_lowercase();
        HEADERS.contains(&name.as_str()).then_some(name)
    };
    let Some(first) = lines.iter().find(|line| !line.trim().is_empty()) else { return false };
    if head(first).is_none() {
        return false;
    }
    let mut names: Vec<String> = lines.iter().take(HEADER_LINES).filter_map(head).collect();
    names.sort_unstable();
    names.dedup();
    names.len() >= least
}

/// "On Friday, Kim wrote:" over one line or several: how many.
fn introduction(lines: &[&str], at: usize) -> Option<usize> {
    let mut text = String::new();
    for (n, line) in lines[at..].iter().take(INTRODUCTION).enumerate() {
        let line = line.trim();
        if line.is_empty() || is_quoted(line) {
            return None;
        }
        text.push_str(&line.to_lowercase());
        text.push(' ');
        let end = text.trim_end_matches([' ', '>', '"', '*']);
        let closes = end.ends_with([':', '：']) || end.ends_with("wrote") || end.ends_with("schrieb");
        if closes {
            let dated = text.contains('@') || text.bytes().filter(u8::is_ascii_digit).count() >= 3;
            let placed = text.len() < 400 && (dated || n == 0);
            return (placed && wrote().is_match(&text)).then_some(n + 1);
        }
        // An introduction begins with a date, a name or an address, and holds no full sentence.
        if line.ends_with(['.', '!', '?']) && !line.contains('@') {
            return None;
        }
    }
    None
}

fn wrote() -> &'static AhoCorasick {
    static FOUND: OnceLock<AhoCorasick> = OnceLock::new();
    FOUND.get_or_init(|| AhoCorasickBuilder::new().build(WROTE).expect("few short words"))
}

/// `-- ` on a line of its own (RFC 3676 section 4.3), blank lost or not; or a disclaimer.
fn is_signature(lines: &[&str], at: usize) -> bool {
    let line = lines[at].trim();
    if line == "--" || line == "\u{2013}\u{2013}" || line == "\u{2014}" {
        return true;
    }
    let rule = line.len() >= 10 && line.chars().all(|c| matches!(c, '_' | '*' | '=' | '-'));
    let next = if rule { lines.get(at + 1).map_or("", |next| next.trim()) } else { line };
    let next = next.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    DISCLAIMERS.iter().any(|words| next.starts_with(words))
}

fn is_device(line: &str) -> bool {
    let line = line.to_lowercase();
    line.len() < 120 && DEVICES.iter().any(|words| line.starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        own(&text.lines().collect::<Vec<_>>()).join("\n").trim().to_owned()
    }

    #[test]
    fn top_bottom_and_inline() {
        assert_eq!(
            kept("mine\n\nOn Fri, 27 Nov 2026 at 10:00, Desk <desk@corp.example> wrote:\n> theirs\n> theirs"),
            "mine"
        );
        assert_eq!(kept("On Fri, 27 Nov 2026, Desk wrote:\n> theirs\n\nmine"), "mine");
        assert_eq!(kept("> theirs?\nmine\n> theirs\nmine too"), "mine\nmine too");
        assert_eq!(kept("mine\n| theirs\nKL> theirs"), "mine");
    }

    #[test]
    fn introductions_in_many_languages_also_over_several_lines() {
        for line in [
            "Am 27.11.2026 um 10:00 schrieb Desk <desk@corp.example>:",
            "Le ven. 27 nov. 2026 à 10:00, Desk\n<desk@corp.example> a écrit :",
            "El vie, 27 nov 2026 a las 10:00, Desk (<desk@corp.example>) escribió:",
            "Il giorno ven 27 nov 2026 alle ore 10:00 Desk <desk@corp.example> ha scritto:",
            "Op vr 27 nov. 2026 om 10:00 schreef Desk <desk@corp.example>:",
            "Em sex., 27 de nov. de 2026 às 10:00, Desk <desk@corp.example> escreveu:",
            "Den fre 27 nov. 2026 kl 10:00 skrev Desk <desk@corp.example>:",
            "pt., 27 lis 2026 o 10:00 Desk <desk@corp.example> napisał(a):",
            "пт, 27 нояб. 2026 г. в 10:00, Desk <desk@corp.example> написал:",
            "Desk <desk@corp.example> wrote on 11/27/2026 10:00:00 AM:",
        ] {
            assert_eq!(kept(&format!("mine\n\n{line}\n\n> theirs")), "mine", "{line}");
            assert_eq!(kept(&format!("mine\n\n{line}\n\ntheirs, unmarked")), "mine", "{line}");
        }
    }

    #[test]
    fn messages_quoted_whole() {
        for separator in [
            "-----Original Message-----\nFrom: Desk",
            "-------- Ursprüngliche Nachricht --------",
            "________________________________\nVon: Desk\nGesendet: Freitag\nAn: Kim\nBetreff: x",
            "From: Desk\nSent: Friday\nTo: Kim\nSubject: x",
            "De : Desk\nEnvoyé : vendredi\nÀ : Kim\nObjet : x",
            " ----------\nFrom:  Desk\nTo:  Kim\nSubject:  x\nDate:  Friday",
            "______________________________ Reply Separator _________________________________\nSubject: x",
            "---------- Forwarded message ---------",
        ] {
            assert_eq!(kept(&format!("mine\n\n{separator}\n\ntheirs")), "mine", "{separator}");
        }
    }

    #[test]
    fn signatures_devices_and_disclaimers() {
        assert_eq!(kept("mine\n-- \nKim Lee\nCorp"), "mine");
        assert_eq!(kept("mine\n\nSent from my iPhone"), "mine");
        assert_eq!(kept("mine\n\n*** This e-mail and any attachments are confidential"), "mine");
        assert_eq!(kept("mine\n__________________________\nCONFIDENTIALITY NOTICE: x\ny"), "mine");
    }

    #[test]
    fn what_a_person_writes_stays() {
        for text in [
            "From tomorrow on I have it.\nTo be clear: CONFIRMED",
            "He wrote me yesterday.",
            "The original message got lost, so here it is again",
            "I wrote: fine",
        ] {
            assert_eq!(kept(text), text);
        }
    }
}
