//! What another text changes for the eye: one letter that people got, line by line against the same letter now.

use super::facts::text_of;
use super::{Difference, Engine};
use crate::answer::InboundMessage;
use crate::fault::Result;
use crate::ledger::MessageRow;
use crate::notice::{Letter, Segment};
use crate::outbox::State;
use crate::roster::Format;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Changed lines shown of one text.
const LINES: usize = 40;
/// Unchanged ones around them.
const AROUND: usize = 1;
/// What stands above it in a letter is the heading of an amendment.
const RULE: &str = "\n----\n";

/// One changed text, as one person reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wording {
    /// The fact, as the amendment names it.
    pub fact: String,
    /// Whose letter it is.
    pub person: String,
    /// Each begins with `- ` (as it was told), `+ ` (as it is now), two blanks (both) or is `…`.
    pub lines: Vec<String>,
}

impl Engine<'_> {
    /// Of every text among the differences the newest letter that went out, where there is one and it can be made anew.
    pub(super) fn wordings(&self, differences: &[&Difference]) -> Result<Vec<Wording>> {
        let mut wordings = Vec::new();
        if !differences.iter().any(|one| text_of(&one.fact).is_some()) {
            return Ok(wordings);
        }
        let (texts, messages) = (self.texts()?, self.ledger.messages()?);
        for one in differences {
            let Some((notice, voice)) = text_of(&one.fact) else { continue };
            let went_out = |message: &&MessageRow| {
                matches!(message.state, State::Sent | State::Delivered) && message.tells && message.notice == notice
            };
            let theirs = messages.iter().rev().filter(went_out).filter_map(|message| {
                let person = self.roster.get(&message.person)?;
                texts.hears(person.language.as_deref(), voice).then_some((message, person))
            });
            // A gateway's letter is laid out for the gateway.
            let Some((message, person)) = theirs.min_by_key(|(_, person)| person.format != Format::Mime) else {
                continue;
            };
            let Ok(now) = self.preview(notice, &person.id) else { continue };
            let (told, now) = (text_of_letter(&self.ledger.letter(message.id)?), text_of_letter(&now.letter));
            let (Some(told), Some(now)) = (told, now) else { continue };
            let (fact, person) = (one.fact.clone(), person.id.clone());
            wordings.push(Wording { fact, person, lines: compared(below_heading(&told, &now), &now) });
        }
        Ok(wordings)
    }
}

/// The text of a letter as it leaves, in lines.
fn text_of_letter(letter: &Letter) -> Option<String> {
    let mut bytes = Vec::new();
    for segment in letter.segments() {
        if let Segment::Bytes(piece) = segment {
            bytes.extend_from_slice(piece);
        }
    }
    let parsed = InboundMessage::parse(&bytes).ok()?;
    let lines: Vec<&str> = parsed.part("text/plain")?.text()?.trim().lines().map(str::trim_end).collect();
    Some(lines.join("\n") + "\n")
}

/// What an amendment heads, as against the same letter without one.
fn below_heading<'t>(told: &'t str, now: &str) -> &'t str {
    let first = |text: &str| text.lines().find(|line| !line.is_empty()).map(str::to_owned);
    match told.split_once(RULE) {
        Some((_, below)) if first(told) != first(now) && first(below) == first(now) => below.trim_start(),
        _ => told,
    }
}

fn compared(told: &str, now: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(told, now);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(AROUND) {
        if !lines.is_empty() {
            lines.push("…".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mark = match change.tag() {
                ChangeTag::Delete => "- ",
                ChangeTag::Insert => "+ ",
                ChangeTag::Equal => "  ",
            };
            lines.push(format!("{mark}{}", change.value().trim_end()));
        }
    }
    if lines.len() > LINES {
        lines.truncate(LINES);
        lines.push("…".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_changed_are_shown_with_those_around_them() {
        let told = "Hello Kim,\n\nkeep the disk.\na\nb\nc\nd\nBye\n";
        let now = "Hello Kim,\n\nkeep the disk safe.\na\nb\nc\nd\nBye now\n";
        let shown = ["  ", "- keep the disk.", "+ keep the disk safe.", "  a", "…", "  d", "- Bye", "+ Bye now"];
        assert_eq!(compared(told, now), shown);
        assert_eq!(compared(told, told), [] as [String; 0]);
        let long: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let shown = compared("", &long);
        assert_eq!((shown.len(), shown[LINES].as_str()), (LINES + 1, "…"));
    }

    #[test]
    fn the_heading_of_an_amendment_is_no_part_of_the_text() {
        let now = "Hello Kim,\nkeep it.\n";
        assert_eq!(below_heading("CHANGED\n----\n\nHello Kim,\nkeep the disk.\n", now), "Hello Kim,\nkeep the disk.\n");
        let footed = "Hello Kim,\nkeep the disk.\n----\nDesk\n";
        assert_eq!(below_heading(footed, now), footed);
    }
}
