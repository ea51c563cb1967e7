//! The answer in what a person typed: the code, the word asked for, a refusal, a question; or none that is clear.

use super::reading::Said;
use crate::package::Code;
use aho_corasick::{AhoCorasick, MatchKind};

/// What counts as an answer to this campaign's notices.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The words asked for, in any language people were told them.
    pub words: Vec<String>,
    /// Without a campaign nobody can say which codes went out: whatever has the shape of one is taken for one.
    pub any_code: bool,
}

impl Asked {
    /// Outside of a campaign: the words that notices ask for, in the languages people write.
    pub fn anywhere() -> Asked {
        Asked { words: WORDS.iter().map(|word| (*word).to_owned()).collect(), any_code: true }
    }

    /// Within a campaign, whose notices ask for these words; the usual ones in other languages count as well.
    pub fn in_campaign(words: impl IntoIterator<Item = String>) -> Asked {
        Asked { words: words.into_iter().chain(Asked::anywhere().words).collect(), any_code: false }
    }

    /// Whether this is one of the words and nothing else, as somebody types it into a field.
    pub fn is_word(&self, typed: &str) -> bool {
        let typed = typed.trim().trim_matches(['"', '\'', '.', '!', '“', '”', '„']).to_uppercase();
        self.words.iter().any(|word| word.to_uppercase() == typed)
    }
}

const WORDS: &[&str] = &[
    "ACK",
    "ACKNOWLEDGED",
    "CONFIRMED",
    "CONFIRM",
    "I CONFIRM",
    "BESTÄTIGT",
    "BESTAETIGT",
    "BESTÄTIGE",
    "ICH BESTÄTIGE",
    "CONFIRMÉ",
    "CONFIRME",
    "JE CONFIRME",
    "CONFIRMADO",
    "CONFIRMADA",
    "CONFIRMO",
    "CONFERMATO",
    "CONFERMO",
    "BEVESTIGD",
    "BEVESTIG",
    "BEKRÄFTAT",
    "BEKRÄFTAR",
    "BEKRÆFTET",
    "BEKREFTET",
    "VAHVISTETTU",
    "POTWIERDZAM",
    "POTWIERDZONE",
    "POTVRZENO",
    "POTVRZUJI",
    "MEGERŐSÍTVE",
    "CONFIRMAT",
    "ONAYLANDI",
    "ПОДТВЕРЖДАЮ",
    "ПОДТВЕРЖДЕНО",
    "ПІДТВЕРДЖУЮ",
    "确认",
    "確認しました",
];
/// Words near a code or the word asked for that turn it round or put it in doubt.
#[rustfmt::skip]
const NEGATIONS: &[&str] = &[
    "not", "no", "never", "cannot", "can't", "cant", "couldn't", "couldnt", "won't", "wont", "don't", "dont", "didn't", "didnt", "doesn't", "doesnt", "isn't", "isnt", "wasn't", "wasnt", "haven't", "havent", "hasn't", "hasnt", "without", "unable", "wrong", "invalid", "fails", "failed", "instead", "unless", "if", "nothing", "neither", "nor", "refuse", "wouldn't", "unconfirmed", "missing", "rejected", "before", "once", "until", "when", "later", "supposed", "should", "would",
    "nicht", "kein", "keine", "keinen", "nie", "niemals", "ohne", "falsch", "wenn", "falls", "weder", "ungültig", "pas", "non", "jamais", "aucun", "sans", "faux", "si", "sí", "nunca", "sin", "ningún", "tampoco", "mai", "senza", "nessun", "sbagliato", "niet", "geen", "nooit", "zonder", "não", "nao", "sem", "inte", "ikke", "ej", "aldrig", "ei", "en", "nie", "ne", "nem", "nu", "değil", "не", "нет",
];
/// These negate only beside each other with something else, or are common in other senses.
const HARMLESS: &[&str] = &["sí", "en", "nu", "mai"];
#[rustfmt::skip]
const REFUSALS: &[&str] = &[
    "i decline", "we decline", "declined", "i refuse", "we refuse", "i will not", "i won't", "we will not", "we won't", "i do not agree", "i don't agree", "i do not accept", "i don't accept", "do not confirm", "don't confirm", "cannot confirm", "can't confirm", "can not confirm", "not going to", "no thanks", "no thank you", "not interested", "do not want", "don't want", "i object", "unsubscribe", "remove me", "stop sending", "stop emailing", "take me off", "wrong person", "not the right person", "not me", "you have the wrong", "wrong address", "i am not the", "i'm not the", "no longer work", "not responsible", "i have left", "i left the company", "not my mailbox", "never asked for",
    "ich lehne ab", "lehne ich ab", "lehnen wir ab", "abgelehnt", "ich weigere", "werde ich nicht", "werde nicht", "will ich nicht", "ich will nicht", "ich möchte nicht", "möchte ich nicht", "nicht einverstanden", "nein danke", "kann nicht bestätigen", "nicht bestätigen", "falsche person", "nicht zuständig", "arbeite nicht mehr",
    "je refuse", "nous refusons", "refusé", "je ne veux pas", "je n'accepte pas", "ne suis pas d'accord", "ne peux pas confirmer", "no acepto", "me niego", "rechazo", "no quiero", "no puedo confirmar", "no estoy de acuerdo", "rifiuto", "non accetto", "non voglio", "non posso confermare", "weiger", "ik wil niet", "niet akkoord", "recuso", "não aceito", "não quero",
];
const REFUSALS_ALONE: &[&str] =
    &["no", "nope", "nein", "non", "nee", "não", "nao", "nej", "nei", "nie", "ne", "нет", "stop", "decline"];
#[rustfmt::skip]
const QUESTIONS: &[&str] = &[
    "please help", "need help", "i need assistance", "can you help", "could you", "can you", "would you", "please explain", "please call", "please advise", "please clarify", "what should", "what do i", "how do i", "how can i", "where do i", "where can i", "when will", "when do", "i do not understand", "i don't understand", "not sure what", "not sure how", "wondering", "i have a question", "quick question", "did not receive", "didn't receive", "have not received", "haven't received", "no attachment", "attachment is missing", "attachment was missing", "without attachment", "cannot open", "can't open", "could not open", "couldn't open", "unable to open", "cannot read", "can't read", "could not read", "cannot find", "can't find", "could not find", "couldn't find", "resend", "send it again",
    "brauche hilfe", "bitte um hilfe", "können sie", "könnten sie", "ich verstehe nicht", "was muss ich", "wie kann ich", "nicht erhalten", "lässt sich nicht öffnen", "nicht öffnen", "nicht lesen", "pouvez-vous", "je ne comprends pas", "no entiendo",
];

/// A line so long, in octets, that ends in no mark goes on in the next one.
const WRAPPED: usize = 50;

/// Everything that the text says, and why.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub said: Option<Said>,
    pub codes: Vec<Code>,
    /// The word asked for stands in it, whether or not as an answer.
    pub mentions: bool,
    pub because: Vec<String>,
}

pub(super) fn read(typed: &str, asked: &Asked) -> Answer {
    let mut answer = Answer::default();
    let (mut code, mut word, mut doubt) = (false, false, None);
    for (sentence, begins) in headed(typed) {
        let shapes = codes(sentence, asked.any_code);
        let found = shapes.iter().filter_map(|shape| Code::parse(shape).ok());
        for one in found {
            if !answer.codes.contains(&one) && answer.codes.len() < 20 {
                answer.codes.push(one);
            }
        }
        let asks = sentence.trim_end().ends_with(['?', '？']);
        let mentioned = mentions(sentence, &asked.words);
        answer.mentions |= mentioned;
        if shapes.is_empty() && !mentioned {
            continue;
        }
        let rest = shapes.iter().fold(sentence.to_lowercase(), |rest, shape| rest.replace(&shape.to_lowercase(), " "));
        match negation(&rest) {
            Some(negation) => doubt = Some(format!("'{negation}' stands near it")),
            None if asks => doubt = Some("it is asked, not stated".to_owned()),
            None => {
                code |= !shapes.is_empty();
                word |= begins && says(sentence, &asked.words);
            }
        }
    }
    let lower = typed.to_lowercase();
    if let Some(doubt) = doubt {
        answer.because.push(format!("the code or the word is there, but {doubt}"));
        // What is said plainly beside it may still be a refusal or a question, never an answer.
        answer.said = refuses(&lower).then_some(Said::Declined).or_else(|| asks(&lower).then_some(Said::Question));
    } else if code {
        answer.said = Some(Said::Possessed);
        answer.because.push("a code stands in what the person typed".to_owned());
    } else if refuses(&lower) {
        answer.said = Some(Said::Declined);
        answer.because.push("the person refuses".to_owned());
    } else if asks(&lower) {
        answer.said = Some(Said::Question);
        answer.because.push("the person asks something".to_owned());
    } else if word {
        answer.said = Some(Said::Confirmed);
        answer.because.push("the word asked for stands in what the person typed".to_owned());
    } else if answer.mentions {
        answer.because.push("the word asked for is there, but not by itself".to_owned());
    }
    answer
}

/// The text with whatever could be a code in it blotted out: so much may be kept and shown. More than what answers: a word
/// that is a code by chance goes too.
pub fn masked(text: &str) -> String {
    let plain: String = text.chars().map(|c| if is_dash(c) { '-' } else { c }).collect();
    let words = plain.split(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.')));
    let chance = words.map(|word| word.trim_matches(['-', '_', '.'])).filter(|word| Code::parse(word).is_ok());
    let answers = sentences(&plain).flat_map(|sentence| codes(sentence, true));
    let mut shapes: Vec<String> = answers.chain(chance.map(str::to_owned)).collect();
    shapes.sort_unstable();
    shapes.dedup();
    let found = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&shapes);
    // So many that they cannot be looked for together: nothing of it is shown.
    found.map_or_else(|_| String::new(), |found| found.replace_all(&plain, &vec!["****-****"; shapes.len()]))
}

fn is_dash(c: char) -> bool {
    matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}')
}

/// Lines, and the sentences in them.
fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .flat_map(|line| line.split_inclusive(['.', '!', '?', ';', '？', '。']))
        .filter(|part| !part.trim().is_empty())
}

/// The sentences, and whether each begins where a person began it: not in a line that only goes on from the one above,
/// as those of a notice do that a mail program wrapped anew.
fn headed(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut open = false;
    text.lines().flat_map(move |line| {
        let goes_on = open;
        let end = line.trim_end();
        open = end.len() >= WRAPPED && !end.ends_with(['.', '!', '?', ':', ';', ',', '。', '？']);
        sentences(line).enumerate().map(move |(n, sentence)| (sentence, n > 0 || !goes_on))
    })
}

/// Whatever has the shape of a code: eight letters, apart in two fours; or together, where they stand alone in capitals.
fn codes(sentence: &str, any: bool) -> Vec<String> {
    let plain: String = sentence.chars().map(|c| if is_dash(c) { '-' } else { c }).collect();
    let words: Vec<&str> = plain
        .split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .filter(|word| word.contains(char::is_alphanumeric))
        .collect();
    let letter = |c: char| c.is_ascii_alphanumeric() && (any || c.is_ascii_alphabetic());
    let four = |text: &str| text.len() == 4 && text.chars().all(letter);
    // Alone in its line, or named: "code: abcdefgh".
    let lower = plain.to_lowercase();
    let named =
        words.len() <= 2 || ["code", "código", "codice", "kode", "kod", "код"].iter().any(|word| lower.contains(word));
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let capital = !word.chars().any(|c| c.is_ascii_lowercase());
        let hyphenated = word.split_once(['-', '_']).is_some_and(|(a, b)| four(a) && four(b));
        let together = word.len() == 8 && word.chars().all(letter) && (named || capital);
        let next = words.get(at + 1);
        let apart = four(word) && next.is_some_and(|next| four(next)) && (words.len() == 2 || named && capital);
        let shape = match (hyphenated, together, apart) {
            (true, ..) => (*word).to_owned(),
            (_, true, _) => (*word).to_owned(),
            (_, _, true) => format!("{word} {}", next.copied().unwrap_or_default()),
            _ => continue,
        };
        let valid = Code::parse(&shape).is_ok();
        // Without a campaign: in capitals, with a letter, and none of the letters that no code has.
        let likely = any
            && hyphenated
            && capital
            && shape.chars().any(|c| c.is_ascii_alphabetic())
            && !shape.contains(['I', 'L', 'O']);
        let stands = hyphenated || capital || named;
        if stands && (valid || likely) {
            found.push(shape);
        }
    }
    found
}

/// The word alone, or at the head of its sentence with little behind it: "CONFIRMED, thanks", and not the "write the
/// word CONFIRMED on a line of its own" that our notice says itself.
fn says(sentence: &str, words: &[String]) -> bool {
    let trimmed = bare(sentence);
    words.iter().any(|word| {
        let Some(head) = trimmed.get(..word.len()) else { return false };
        let rest = &trimmed[word.len()..];
        let told = head == word || word.contains(' ') || rest.starts_with([',', ':', '-']);
        let few = rest.split_whitespace().count() <= 5;
        let apart = rest.starts_with([',', ':', ' ', '-', '(', '\u{2013}', '\u{2014}']);
        same(trimmed, word) || same(head, word) && told && few && apart
    })
}

/// The word in capitals anywhere, or the whole sentence.
fn mentions(sentence: &str, words: &[String]) -> bool {
    let trimmed = bare(sentence);
    let inner = |c: char| c.is_alphanumeric() || c == '-';
    words.iter().any(|word| {
        let stands = |at: usize| !trimmed[..at].ends_with(inner) && !trimmed[at + word.len()..].starts_with(inner);
        trimmed.match_indices(word.as_str()).any(|(at, _)| stands(at))
    }) || says(sentence, words)
}

fn bare(sentence: &str) -> &str {
    sentence.trim().trim_matches(|c: char| !c.is_alphanumeric())
}

fn same(text: &str, word: &str) -> bool {
    text.to_uppercase() == word.to_uppercase()
}

fn negation(sentence: &str) -> Option<&'static str> {
    let words: Vec<&str> = sentence
        .split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’'))
        .filter(|word| !word.is_empty())
        .collect();
    let told = |word: &&str| {
        let plain = word.replace('’', "'");
        NEGATIONS.iter().find(|negation| **negation == plain).copied().filter(|negation| !HARMLESS.contains(negation))
    };
    // "No problem, CONFIRMED", "don't worry": said so often that they put nothing in doubt.
    let lower = words.join(" ");
    let soothing = ["no problem", "no worries", "kein problem", "pas de problème", "sin problema", "no problema"];
    if soothing.iter().any(|words| lower.contains(words)) {
        let rest = soothing.iter().fold(lower, |rest, words| rest.replace(words, " "));
        return rest.split_whitespace().find_map(|word| told(&word));
    }
    words.iter().find_map(told)
}

fn refuses(lower: &str) -> bool {
    let lower = lower.replace('’', "'");
    let alone = |line: &str| REFUSALS_ALONE.contains(&line.trim_matches(|c: char| !c.is_alphanumeric()));
    let head = |line: &str| {
        let first = line.split([',', '.', '!']).next().unwrap_or_default();
        first.len() < line.len() && alone(first)
    };
    REFUSALS.iter().any(|words| lower.contains(words)) || lower.lines().any(|line| alone(line) || head(line.trim()))
}

fn asks(lower: &str) -> bool {
    let lower = lower.replace('’', "'");
    let mark = |line: &str| {
        // A link may hold one.
        line.split_whitespace().any(|word| word.ends_with(['?', '？', '؟']) && !word.contains("://"))
    };
    lower.lines().any(mark) || QUESTIONS.iter().any(|words| lower.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Option<Said> {
        read(text, &Asked::anywhere()).said
    }

    fn code() -> String {
        Code::derive(b"0123456789abcdef0123456789abcdef", &["said"]).to_string()
    }

    #[test]
    fn the_code_as_people_type_it() {
        let code = code();
        let together = code.replace('-', "");
        for text in [
            code.clone(),
            code.to_lowercase(),
            format!("Hello,\n\n{code}\n\nKim"),
            format!("The code is {code}."),
            format!("Code: {}", together.to_lowercase()),
            together.clone(),
            code.replace('-', " "),
            code.replace('-', " - "),
            code.replace('-', "\u{2013}"),
            format!("No problem, here it is: {code}"),
        ] {
            assert_eq!(said(&text), Some(Said::Possessed), "{text}");
            assert_eq!(read(&text, &Asked::in_campaign([])).codes.len(), 1, "{text}");
        }
    }

    #[test]
    fn a_negation_or_a_question_near_the_code_or_the_word_is_no_answer() {
        let code = code();
        for text in [
            format!("My code is not {code}"),
            format!("{code} does not work"),
            format!("Is it {code}?"),
            "NOT CONFIRMED".to_owned(),
            "I have not CONFIRMED anything".to_owned(),
            "CONFIRMED?".to_owned(),
            "Nicht BESTÄTIGT".to_owned(),
        ] {
            let said = said(&text);
            assert!(said != Some(Said::Possessed) && said != Some(Said::Confirmed), "{text}: {said:?}");
        }
    }

    #[test]
    fn the_word_in_any_language() {
        for text in [
            "CONFIRMED",
            "confirmed",
            "Confirmed, thanks",
            "ACK",
            "ack.",
            "Hallo,\n\nBESTÄTIGT\n\nGruß",
            "Confirmé",
            "CONFIRMADO.",
            "I confirm",
            "Подтверждаю",
        ] {
            assert_eq!(said(text), Some(Said::Confirmed), "{text}");
        }
        for text in [
            "I got it, thanks",
            "We confirmed it with Bob yesterday that the room is free",
            "thanks a lot",
            "UNCONFIRMED",
            "packet lost",
            "How to answer: reply to this message and write the word CONFIRMED on a\nline of its own.",
            "How to answer: reply to this message and write the word\nCONFIRMED on a\nline of its own.",
            "Please write the word. CONFIRMED on a line of its own is enough for us.",
            "What to do:  reply with the word CONFIRMED",
            "CONFIRMED\n\nI will not install this",
            "CONFIRMED\n\nWhen will this happen?",
        ] {
            assert_ne!(said(text), Some(Said::Confirmed), "{text}");
        }
    }

    #[test]
    fn refusals_and_questions() {
        for text in
            ["No.", "I will not install this", "Nein, danke", "I refuse.", "Je refuse", "You have the wrong person"]
        {
            assert_eq!(said(text), Some(Said::Declined), "{text}");
        }
        for text in ["When will this happen?", "Please help", "I cannot open the disk", "Wann denn?"] {
            assert_eq!(said(text), Some(Said::Question), "{text}");
        }
        for text in ["Thanks!", "", "See you on Friday."] {
            assert_eq!(said(text), None, "{text}");
        }
    }

    #[test]
    fn whatever_could_be_a_code_is_blotted_out() {
        let code = code();
        let text = format!("{code} or {}, {code}. Yours, Kim", code.to_lowercase().replace('-', "\u{2013}"));
        assert_eq!(masked(&text), "****-**** or ****-****, ****-****. Yours, Kim");
        assert_eq!(masked("Nothing here."), "Nothing here.");
        let dotted = code.to_lowercase().replace('-', ".");
        assert_eq!(masked(&format!("It is, I think, {dotted}.")), "It is, I think, ****-****.");
        assert_eq!(masked("r r messagge."), "r r ****-****.", "a word that is a code by chance");
    }
}
