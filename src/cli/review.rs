//! `ack review`: letters in doubt, listed, settled by flags, or one after the other in a few keystrokes.

use super::{Global, output};
use crate::answer::Said;
use crate::engine::{Engine, Reviewed, Verdict, WHICH};
use crate::fault::{Exit, Fault, Result};
use crate::ledger::Inbound;
use clap::ValueEnum;
use std::io::{BufRead, IsTerminal, Write};

/// Settle letters in doubt: list them, settle one by flags, or go through all at the terminal
#[derive(Debug, clap::Args)]
pub struct Review {
    /// The letter's number in the list
    #[arg(requires_all = ["taken_as", "by"])]
    letter: Option<i64>,
    /// What it is
    #[arg(long = "as", value_name = "WHAT", requires = "letter")]
    taken_as: Option<TakenAs>,
    /// Whose it is, where the list does not know
    #[arg(long, requires = "letter")]
    person: Option<String>,
    /// Which acknowledgement it is for, where the letter does not say so
    #[arg(long = "for", value_name = "ACKNOWLEDGEMENT", requires = "letter")]
    acknowledgement: Option<String>,
    /// Who you are
    #[arg(long)]
    by: Option<String>,
    /// How you know
    #[arg(long, default_value = "")]
    note: String,
    /// The code, where it stands in a picture or an attachment
    #[arg(long, requires = "letter")]
    code: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TakenAs {
    Possessed,
    Confirmed,
    Declined,
    Question,
    /// It answers nothing
    Nothing,
}

impl TakenAs {
    fn said(self) -> Option<Said> {
        match self {
            TakenAs::Possessed => Some(Said::Possessed),
            TakenAs::Confirmed => Some(Said::Confirmed),
            TakenAs::Declined => Some(Said::Declined),
            TakenAs::Question => Some(Said::Question),
            TakenAs::Nothing => None,
        }
    }
}

impl Review {
    pub fn run(&self, global: &Global, engine: &mut Engine) -> Result<Exit> {
        if let (Some(letter), Some(taken_as), Some(by)) = (self.letter, self.taken_as, &self.by) {
            let verdict = Verdict {
                said: taken_as.said(),
                person: self.person.clone(),
                acknowledgement: self.acknowledgement.clone(),
                by: by.clone(),
                note: self.note.clone(),
                code: self.code.clone(),
            };
            let reviewed = engine.settle(letter, &verdict)?;
            tell(global, &reviewed)?;
            global.hint(if reviewed.left > 0 { "Next: flagday ack review" } else { "Next: flagday status" });
            return Ok(Exit::Done);
        }
        let waiting = engine.in_review()?;
        if global.json {
            output::json(&waiting)?;
        } else if let (Some(by), true) = (&self.by, std::io::stdin().is_terminal()) {
            return one_by_one(global, engine, by, waiting);
        } else {
            waiting.iter().try_for_each(show)?;
        }
        match waiting.first() {
            None => global.hint("No letter waits for you. Next: flagday status"),
            Some(first) => global.hint(format!(
                "Next: flagday ack review {} --as possessed|confirmed|declined|question|nothing --by NAME; or flagday ack review --by NAME at a terminal",
                first.id
            )),
        }
        Ok(Exit::Done)
    }
}

fn show(letter: &Inbound) -> Result<()> {
    let person = letter.person.as_deref().unwrap_or("?");
    let mut text = format!(
        "{:>4}  {person}  {}  from {}  {}\n      why: {}\n      where: {}\n",
        letter.id,
        letter.kind,
        if letter.sender.is_empty() { "nobody" } else { &letter.sender },
        letter.subject,
        letter.review,
        letter.place,
    );
    for line in letter.excerpt.lines().filter(|line| !line.trim().is_empty()).take(8) {
        text.push_str(&format!("      | {line}\n"));
    }
    output::data(&output::clean(&text))
}

fn tell(global: &Global, reviewed: &Reviewed) -> Result<()> {
    if global.json {
        return output::json(reviewed);
    }
    let person = reviewed.person.as_deref().map(|person| format!(" of {person}")).unwrap_or_default();
    let what = match (&reviewed.acknowledgement, reviewed.taken_as) {
        (Some(acknowledgement), taken_as) => format!("{taken_as} for '{acknowledgement}'"),
        (None, taken_as) => format!("taken for {taken_as}"),
    };
    let outdated = match reviewed.outdated {
        true => ", which holds no more: send tells them so, once",
        false => "",
    };
    output::data(&format!("letter {}{person}: {what}{outdated}; {} left", reviewed.letter, reviewed.left))
}

/// One key and Enter a letter. The end of input ends the round; nothing is settled by an empty line.
fn one_by_one(global: &Global, engine: &mut Engine, by: &str, waiting: Vec<Inbound>) -> Result<Exit> {
    for letter in &waiting {
        show(letter)?;
        loop {
            let keys = "[p]ossessed [c]onfirmed [d]eclined [q]uestion [n]othing, [s]kip, e[x]it";
            let Some(key) = ask(keys)? else { return Ok(Exit::Done) };
            let taken_as = match key.as_str() {
                "p" => TakenAs::Possessed,
                "c" => TakenAs::Confirmed,
                "d" => TakenAs::Declined,
                "q" => TakenAs::Question,
                "n" => TakenAs::Nothing,
                "s" => break,
                "x" => return Ok(Exit::Done),
                _ => continue,
            };
            let mut verdict = Verdict { said: taken_as.said(), by: by.to_owned(), ..Verdict::default() };
            if letter.person.is_none() && verdict.said.is_some() {
                verdict.person = ask("whose is it (id, mailbox, address or name)")?;
            }
            let mut settled = engine.settle(letter.id, &verdict);
            if let Err(fault) = &settled
                && fault.findings.iter().any(|finding| finding.code == WHICH)
            {
                verdict.acknowledgement = ask(&format!("{}; which is it", fault.cause()))?;
                settled = engine.settle(letter.id, &verdict);
            }
            match settled {
                Ok(reviewed) => {
                    tell(global, &reviewed)?;
                    break;
                }
                Err(Fault { findings, .. }) => output::findings(&findings, true),
            }
        }
    }
    Ok(Exit::Done)
}

/// What was typed, in small letters where it is one; `None` at the end of input.
fn ask(what: &str) -> Result<Option<String>> {
    let mut out = std::io::stderr().lock();
    write!(out, "{what}: ")?;
    out.flush()?;
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line)?;
    Ok((read > 0).then(|| line.trim().to_owned()))
}
