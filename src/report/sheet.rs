//! The call sheet and the letters, each as a page to print and as plain text: for every person in their own language.

use super::calls::{Ask, Call, Why, calls};
use super::pieces::Pieces;
use crate::engine::Engine;
use crate::fault::{Fault, Finding, Result};
use fs_err as fs;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The widest line of plain text.
const COLUMNS: usize = 76;

/// What was written.
#[derive(Debug)]
pub struct Sheets {
    pub files: Vec<PathBuf>,
    pub calls: usize,
    pub letters: usize,
}

/// Writes call-sheet.html, call-sheet.txt, letters.html and letters.txt. A letter goes to everybody whom mail does not
/// reach; it says where the code stands and how to answer, and never the code.
pub fn write(engine: &Engine, folder: &Path, check_letters: bool) -> Result<Sheets> {
    let (pieces, findings) = Pieces::load(&engine.campaign.root);
    Fault::check(findings)?;
    fs::create_dir_all(folder)?;
    let calls = calls(engine, check_letters)?;
    let files = [true, false].map(|plain| files(engine, &pieces, &calls, check_letters, plain));
    let mut written = Vec::new();
    for (name, text) in files.into_iter().collect::<Result<Vec<_>>>()?.into_iter().flatten() {
        let path = folder.join(&name);
        super::write_private(&path, &if name.ends_with(".txt") { wrapped(&text) } else { text })?;
        written.push(path);
    }
    written.sort();
    let letters = calls.iter().filter(|call| call.why.needs_letter()).count();
    Ok(Sheets { files: written, calls: calls.len(), letters })
}

/// The sheet and the letters, with their names.
fn files(
    engine: &Engine,
    pieces: &Pieces,
    calls: &[Call],
    check_letters: bool,
    plain: bool,
) -> Result<[(String, String); 2]> {
    let campaign = &engine.campaign;
    let now = engine.now().with_timezone(&campaign.change.zone);
    let site = site(engine);
    let one = |name: &str, call: &Call| -> Result<String> {
        let (language, words) = (Some(call.language.as_str()), words(&site, call)?);
        let rendered = match plain {
            true => pieces.text(name, language, &words),
            false => pieces.page(name, language, &words),
        };
        Ok(rendered?)
    };
    let mut groups = Vec::new();
    for why in Why::ALL {
        let alike: Vec<&Call> = calls.iter().filter(|call| call.why == why).collect();
        let rendered = alike.iter().map(|call| one("call", call)).collect::<Result<Vec<_>>>()?;
        if !rendered.is_empty() {
            groups.push(json!({ "title": heading(why, &alike), "count": rendered.len(), "calls": rendered }));
        }
    }
    let letters = calls.iter().filter(|call| call.why.needs_letter());
    let letters = letters.map(|call| one("letter", call)).collect::<Result<Vec<_>>>()?;
    let language = shared(calls);
    let german = crate::notice::is_german(language);
    let around = json!({
        "title": campaign.title,
        "contact": campaign.contact,
        "made": now.format(if german { "%F %H:%M %Z" } else { "%a %F %H:%M %Z" }).to_string(),
        "revision": engine.revision_number()?,
        "count": calls.len(),
        "check_letters": check_letters,
        "groups": groups,
        "letters": letters,
        // A form feed: the next letter starts a page of its own on any printer.
        "page_end": "\u{c}",
    });
    let end = if plain { "txt" } else { "html" };
    let (sheet, letters) = (format!("call-sheet.{end}"), format!("letters.{end}"));
    let texts = (pieces.around(&sheet, language, &around)?, pieces.around(&letters, language, &around)?);
    Ok([(sheet, texts.0), (letters, texts.1)])
}

/// The language of all calls: whoever makes them reads it. Of several it is the campaign's.
fn shared(calls: &[Call]) -> Option<&str> {
    let first = calls.first()?.language.as_str();
    calls.iter().all(|call| call.language.eq_ignore_ascii_case(first)).then_some(first)
}

/// Over calls in one language in that one, over others in both: whoever makes them reads both.
fn heading(why: Why, calls: &[&Call]) -> String {
    let german = |call: &&&Call| crate::notice::is_german(Some(&call.language));
    match calls.iter().filter(german).count() {
        0 => why.title(false).to_owned(),
        all if all == calls.len() => why.title(true).to_owned(),
        _ => format!("{} / {}", why.title(false), why.title(true)),
    }
}

/// What is the same for everybody.
fn site(engine: &Engine) -> Map<String, Value> {
    let campaign = &engine.campaign;
    let facts = campaign
        .msmail
        .as_ref()
        .map(|facts| json!({ "network": facts.network, "name": facts.name, "new_serial": facts.new_serial }));
    let words = [
        ("title", json!(campaign.title)),
        ("contact", json!(campaign.contact)),
        ("msmail", json!(facts)),
        ("disks", json!(campaign.has_disks())),
    ];
    words.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What a call or a letter may say: the site's words and those of [`Call`].
fn words(site: &Map<String, Value>, call: &Call) -> Result<Value> {
    let mut words = site.clone();
    if let Value::Object(own) = serde_json::to_value(call)? {
        words.extend(own);
    }
    Ok(Value::Object(words))
}

/// The texts held against everything that a sheet may have to say, in every language, before anybody has to be called.
pub fn check_texts(engine: &Engine) -> Vec<Finding> {
    let (pieces, mut findings) = Pieces::load(&engine.campaign.root);
    let mut languages: BTreeSet<String> = pieces.languages().flatten().collect();
    languages.extend(engine.roster.people().filter_map(|person| person.language.clone()));
    languages.insert(String::new());
    for language in &languages {
        for call in examples(language) {
            let words = words(&site(engine), &call).unwrap_or_default();
            let language = Some(language.as_str());
            for name in ["call", "letter"] {
                let made = [pieces.text(name, language, &words), pieces.page(name, language, &words)];
                findings.extend(made.into_iter().filter_map(Result::err));
            }
        }
    }
    for plain in [true, false] {
        for calls in languages.iter().map(|language| examples(language)).chain([Vec::new()]) {
            // What is wrong with a single call is told above.
            if let (true, Err(fault)) = (findings.is_empty(), files(engine, &pieces, &calls, true, plain)) {
                findings.extend(fault.findings);
            }
        }
    }
    let mut told: Vec<Finding> = Vec::new();
    findings.into_iter().for_each(|finding| {
        if !told.contains(&finding) {
            told.push(finding)
        }
    });
    told
}

/// Calls of every kind, with everything filled in and with nothing.
fn examples(language: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    for word in ["X", ""] {
        let ask = |notice: &str, code: bool| Ask {
            acknowledgement: "x".to_owned(),
            notice: notice.to_owned(),
            package: word.to_owned(),
            due: word.to_owned(),
            code,
            check_letters: word.to_owned(),
            known: "x".to_owned(),
            record: "x".to_owned(),
        };
        for asks in [vec![], vec![ask("x", true)], vec![ask("x", false)], vec![ask("", false)]] {
            calls.extend(Why::ALL.map(|why| Call {
                why,
                reachable: !why.needs_letter(),
                by_hand: word.is_empty(),
                person: "X".to_owned(),
                name: "X".to_owned(),
                phone: word.to_owned(),
                email: word.to_owned(),
                language: language.to_owned(),
                their_time: word.to_owned(),
                manager: word.to_owned(),
                postal_address: word.to_owned(),
                date: "x".to_owned(),
                known: "x".to_owned(),
                change: "x".to_owned(),
                called_off: why == Why::CalledOff,
                postponed: why == Why::Postponed,
                record: word.to_owned(),
                asks: asks.clone(),
            }));
        }
    }
    calls
}

/// Every line broken at [`COLUMNS`], further lines under the first letter of their own.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let indent: String = line.chars().take_while(|c| *c == ' ').collect();
        let mut current = indent.clone();
        if line.chars().count() <= COLUMNS {
            out += line.trim_end_matches(' ');
            out.push('\n');
            continue;
        }
        for word in line.split_whitespace() {
            let empty = current.trim().is_empty();
            if !empty && current.chars().count() + 1 + word.chars().count() > COLUMNS {
                out += &current;
                out.push('\n');
                current.clone_from(&indent);
            } else if !empty {
                current.push(' ');
            }
            current += word;
        }
        out += &current;
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_under_their_beginning() {
        let text = format!("  {}\nshort\n", "word ".repeat(30));
        let wrapped = wrapped(&text);
        assert!(wrapped.lines().all(|line| line.chars().count() <= COLUMNS), "{wrapped}");
        assert!(wrapped.lines().take(2).all(|line| line.starts_with("  word")), "{wrapped}");
        assert_eq!(wrapped.split_whitespace().count(), 31);
    }
}
