//! The call sheet and the letters, each as a page to print and as plain text.

use super::calls::{Call, Why, calls};
use crate::engine::Engine;
use crate::fault::{Fault, Result};
use fs_err as fs;
use handlebars::{Handlebars, html_escape, no_escape};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const SHEET_PAGE: &str = include_str!("../../templates/report/call-sheet.html.hbs");
const SHEET_TEXT: &str = include_str!("../../templates/report/call-sheet.txt.hbs");
const LETTERS_PAGE: &str = include_str!("../../templates/report/letters.html.hbs");
const LETTERS_TEXT: &str = include_str!("../../templates/report/letters.txt.hbs");

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
    fs::create_dir_all(folder)?;
    let calls = calls(engine, check_letters)?;
    let letters: Vec<&Call> = calls.iter().filter(|call| call.why == Why::Unreachable).collect();
    let campaign = &engine.campaign;
    let now = engine.now().with_timezone(&campaign.change.zone);
    let groups: Vec<Value> = Why::ALL
        .into_iter()
        .map(|why| (why, calls.iter().filter(|call| call.why == why).collect::<Vec<_>>()))
        .filter(|(_, calls)| !calls.is_empty())
        .map(|(why, calls)| json!({ "title": why.title(), "count": calls.len(), "calls": calls }))
        .collect();
    let facts = campaign
        .msmail
        .as_ref()
        .map(|facts| json!({ "network": facts.network, "name": facts.name, "new_serial": facts.new_serial }));
    let data = json!({
        "title": campaign.title,
        "contact": campaign.contact,
        "made": now.format("%a %F %H:%M %Z").to_string(),
        "date": now.format("%-d %B %Y").to_string(),
        "revision": engine.revision_number()?,
        "msmail": facts,
        "count": calls.len(),
        "check_letters": check_letters,
        "groups": groups,
        "letters": letters,
        // A form feed: the next letter starts a page of its own on any printer.
        "page_end": "\u{c}",
    });
    let mut files = Vec::new();
    for (name, template) in [
        ("call-sheet.html", SHEET_PAGE),
        ("call-sheet.txt", SHEET_TEXT),
        ("letters.html", LETTERS_PAGE),
        ("letters.txt", LETTERS_TEXT),
    ] {
        let plain = name.ends_with(".txt");
        let text = render(template, &data, plain)?;
        let path = folder.join(name);
        super::write_private(&path, &if plain { wrapped(&text) } else { text })?;
        files.push(path);
    }
    Ok(Sheets { files, calls: calls.len(), letters: letters.len() })
}

fn render(template: &str, data: &Value, plain: bool) -> Result<String> {
    let failed = |cause: String| Fault::new("report-page", cause, "this is a fault of flagday itself: report it");
    let mut page = Handlebars::new();
    page.set_strict_mode(true);
    page.register_escape_fn(if plain { no_escape } else { html_escape });
    page.register_template_string("page", template).map_err(|error| failed(error.to_string()))?;
    page.render("page", data).map_err(|error| failed(error.to_string()))
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
