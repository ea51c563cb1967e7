//! What a person typed, and what only stands there because they quoted it.

use crate::dice::Dice;
use crate::hunt::{self, Verdict};
use crate::mutate::mutated;
use crate::report::{CODE, corpus, read};
use flagday::answer::{self, Asked, Said};
use flagday::package::Code;
use std::sync::LazyLock;

pub fn hunt() -> Verdict {
    let mut corpus = corpus(&["replies.txt"]);
    // Some in which everything that could answer is quoted.
    for mark in ["> ", ">> ", "| > ", ">"] {
        let quoted = format!("{mark}Please send {CODE}\n{mark}\n{mark}or CONFIRMED\n");
        let head = "From: kim@corp.example\nSubject: Re: disk\nIn-Reply-To: <1@corp.example>\n\n";
        corpus.push(format!("{head}Thank you.\n\nOn Friday, Desk wrote:\n{quoted}").into_bytes());
        corpus.push(format!("{head}{quoted}\nThank you, I got it.\nKim\n").into_bytes());
    }
    let make = |dice: &mut Dice| mutated(dice, &corpus);
    hunt::hunt("reply", make, judge)
}

fn judge(input: &[u8]) -> Verdict {
    static ASKED: LazyLock<Asked> = LazyLock::new(|| Asked::in_campaign([]));
    read(input)?;
    let reading = answer::read(input, &ASKED);
    if reading.said == Some(Said::Possessed) && only_quoted(input) {
        return Err(format!("a code that is only quoted answers: {:?}", reading.typed));
    }
    let typed: String = reading.typed.chars().take(4_000).collect();
    let masked = answer::masked(&typed);
    if masked.split(|c: char| c.is_whitespace()).any(|word| word.len() == 9 && Code::parse(word).is_ok()) {
        return Err(format!("a code shows in {masked:?}"));
    }
    Ok(())
}

/// In a plain letter the code stands on lines that begin with `>` alone. (In an encoded one nobody can say so easily.)
fn only_quoted(input: &[u8]) -> bool {
    let text = String::from_utf8_lossy(input).to_uppercase();
    if text.contains("CONTENT-") || text.contains("=?") || text.contains('\r') || !text.is_ascii() {
        return false;
    }
    let letters = |line: &str| line.chars().filter(char::is_ascii_alphabetic).collect::<String>();
    let (first, second) = CODE.split_at(4);
    let second = second.trim_start_matches('-');
    let halves = |line: &str| letters(line).contains(first) || letters(line).contains(second);
    // Any other eight letters with the right sum would be a code as well; of these the mutations make none.
    let (quoted, own): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('>'));
    quoted.iter().any(|line| halves(line)) && !own.iter().any(|line| halves(line) || may_hold_a_code(line))
}

fn may_hold_a_code(line: &str) -> bool {
    let plain: String = line.chars().map(|c| if c.is_ascii_alphabetic() || c == '-' { c } else { ' ' }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    let code = |text: &str| Code::parse(text).is_ok();
    words.iter().any(|word| code(word)) || words.windows(2).any(|pair| code(&pair.concat()))
}
