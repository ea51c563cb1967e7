//! What mail systems write: reports by structure and in words, automatic replies, receipts, complaints.

use crate::dice::Dice;
use crate::hunt::{self, Verdict};
use crate::mutate::mutated;
use flagday::answer::{Asked, InboundMessage, MailKind, Said, Unreadable, judge};
use std::path::Path;
use std::sync::LazyLock;

/// A code with the right check letter; nobody's.
pub const CODE: &str = "KTRM-WQZB";

/// Our own messages of every kind, as `tests/classifying.rs` reads them.
pub fn corpus(files: &[&str]) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let text: String = files.iter().map(|file| fs_err::read_to_string(folder.join(file)).expect("UTF-8")).collect();
    let text = text.replace("@CODE@", CODE).replace("@code@", &CODE.to_lowercase());
    text.split("=== ").skip(1).filter_map(|case| Some(case.split_once('\n')?.1.as_bytes().to_vec())).collect()
}

pub fn hunt() -> Verdict {
    let corpus = corpus(&["reports.txt", "bounces.txt", "automatic.txt"]);
    let make = |dice: &mut Dice| match dice.below(20) {
        0 => (0..dice.below(600)).map(|_| dice.byte()).collect(),
        _ => mutated(dice, &corpus),
    };
    hunt::hunt("report", make, read)
}

/// What holds of every message whatever.
pub fn read(input: &[u8]) -> Verdict {
    static ASKED: LazyLock<Asked> = LazyLock::new(|| Asked::in_campaign([]));
    let message = match InboundMessage::parse(input) {
        Ok(message) => message,
        Err(Unreadable::Empty | Unreadable::TooDeep | Unreadable::TooManyParts) => return Ok(()),
        Err(why) => return Err(format!("{why:?} of {} octets", input.len())),
    };
    let reading = judge(&message, &ASKED);
    let kind = reading.kind;
    let holds = |what: &str, holds: bool| if holds { Ok(()) } else { Err(format!("{what}: {reading:?}")) };
    holds("only a failure is permanent or not", reading.permanent.is_some() == (kind == MailKind::DsnFailed))?;
    holds("only a person answers", reading.said.is_none() || kind == MailKind::Reply)?;
    holds("a code is no code of nothing", (reading.said == Some(Said::Possessed)) <= !reading.codes.is_empty())?;
    holds("addresses are short", reading.recipients.iter().all(|address| address.len() < 400))?;
    let enhanced = |status: &str| {
        let parts: Vec<&str> = status.split('.').collect();
        parts.len() == 3
            && parts.iter().all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|c| c.is_ascii_digit()))
    };
    holds("a status has three numbers", reading.status.as_deref().is_none_or(enhanced))?;
    holds("the reason is told", !reading.because.is_empty())
}
