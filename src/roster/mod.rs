//! WHO: rosters read from CSV, every bad row a finding, every person in their audiences.

mod audience;
mod encoding;
mod fields;
mod person;
mod table;
#[cfg(test)]
mod tests;

pub use audience::check_audiences;
pub use person::{Format, MailStore, Person};

use crate::campaign::{Campaign, RosterFile};
use crate::fault::{Fault, Finding, Place};
use fields::nearest;
use fs_err as fs;
use std::collections::HashMap;
use std::io::Read;

/// The largest roster, in bytes and in rows.
const BYTES: u64 = 64 << 20;
const ROWS: usize = 200_000;

/// Everybody, in the order of the files.
#[derive(Debug, Clone, Default)]
pub struct Roster {
    pub people: Vec<Person>,
    /// Every header that a file has, for those who select by columns.
    columns: Vec<String>,
    by_id: HashMap<String, usize>,
}

/// Reads every roster of the campaign. A row with a fault is reported and left out; `Roster` holds the others.
pub fn read(campaign: &Campaign) -> (Roster, Vec<Finding>) {
    let mut roster = Roster::default();
    let mut findings = Vec::new();
    for file in &campaign.rosters {
        match read_file(file) {
            Ok(bytes) => parse(&bytes, file, &mut roster, &mut findings),
            Err(finding) => findings.push(finding.at(file.place.clone())),
        }
    }
    findings.extend(duplicates(&roster.people));
    roster.by_id = roster.people.iter().enumerate().map(|(at, person)| (person.id.clone(), at)).collect();
    (roster, findings)
}

fn read_file(file: &RosterFile) -> Result<Vec<u8>, Finding> {
    let name = file.file.display();
    let unreadable = |error: std::io::Error| {
        Finding::error(
            "roster-unreadable",
            error.to_string(),
            "correct the path in `file`, or give the right to read it",
        )
    };
    let mut bytes = Vec::new();
    let opened = fs::File::open(&file.file).map_err(unreadable)?;
    opened.take(BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > BYTES {
        let cause = format!("{name} has more than {} MiB", BYTES >> 20);
        return Err(Finding::error("roster-size", cause, "split it into several rosters"));
    }
    Ok(bytes)
}

/// Reads one roster's bytes into the people and the findings.
fn parse(bytes: &[u8], file: &RosterFile, roster: &mut Roster, findings: &mut Vec<Finding>) {
    let before = findings.len();
    let text = match encoding::decode(bytes, file) {
        Ok((text, note)) => {
            findings.extend(note);
            text
        }
        Err(finding) => return findings.push(finding),
    };
    let quote = |finding: &mut Finding| {
        let place = finding.place.as_ref().filter(|place| place.line > 0 && place.file == file.file);
        let line = place.and_then(|place| text.lines().nth(place.line as usize - 1));
        if let Some(line) = line.filter(|line| line.len() < 500) {
            *finding = finding.clone().quoting(line, 1);
        }
    };
    let delimiter = table::delimiter(&text);
    match table::rows(&text, delimiter, &file.file) {
        Err(faults) => findings.extend(faults),
        Ok(rows) if rows.len() > ROWS => {
            let cause = format!("{} rows; {ROWS} are the most", rows.len());
            findings.push(Finding::error("roster-rows", cause, "split it into several rosters").in_file(&file.file));
        }
        Ok(rows) => take_rows(&rows, file, roster, findings),
    }
    // Quoting searches the text by line: of very many findings the first ones show their line.
    findings.iter_mut().skip(before).take(200).for_each(quote);
}

fn take_rows(rows: &[table::Row], file: &RosterFile, roster: &mut Roster, findings: &mut Vec<Finding>) {
    let Some((header, rows)) = rows.split_first() else {
        let cause = format!("{} is empty", file.file.display());
        return findings.push(Finding::error("roster-empty", cause, "it needs a header line and a row a person"));
    };
    let Some(columns) = headers(header, file, findings) else { return };
    for row in rows {
        if row.fields.len() != columns.len() {
            let cause = format!("{} fields, and the header has {}", row.fields.len(), columns.len());
            let remedy = "a delimiter is missing or stands too often; quote a field that holds one";
            findings.push(Finding::error("roster-fields", cause, remedy).at(Place::new(&file.file, row.line, 1)));
            continue;
        }
        let mut reader = fields::Reader::new(&file.file, &columns, row);
        roster.people.extend(reader.person(file));
        findings.append(&mut reader.faults);
    }
    roster.columns.extend(columns);
}

/// The header's names as flagday calls them.
fn headers(header: &table::Row, file: &RosterFile, findings: &mut Vec<Finding>) -> Option<Vec<String>> {
    let mut columns: Vec<String> = Vec::new();
    let before = findings.iter().filter(|finding| finding.is_error()).count();
    let names = || header.fields.iter().map(|field| field.text.as_str());
    for (known, foreign) in &file.columns {
        if !names().any(|name| name.eq_ignore_ascii_case(foreign)) {
            let remedy = match nearest(foreign, names()) {
                Some(name) => format!("did you mean '{name}'?"),
                None => format!("its headers are {}", names().collect::<Vec<_>>().join(", ")),
            };
            let cause = format!("`columns` takes {known} from the header '{foreign}', which the file does not have");
            findings.push(Finding::error("roster-header", cause, remedy).at(file.place.clone()));
        }
    }
    for field in &header.fields {
        let place = Place::new(&file.file, field.line, field.column);
        let mapped = file.columns.iter().find(|(_, foreign)| foreign.eq_ignore_ascii_case(&field.text));
        let known = fields::KNOWN.iter().find(|known| known.eq_ignore_ascii_case(&field.text));
        let name = match (mapped, known) {
            (Some((known, _)), _) => known.clone(),
            (None, Some(known)) => (*known).to_owned(),
            (None, None) => field.text.clone(),
        };
        if name.is_empty() {
            findings.push(Finding::error("roster-header", "a column has no name", "name it").at(place));
        } else if columns.contains(&name) {
            let cause = format!("the column '{name}' stands twice");
            findings.push(
                Finding::error("roster-header", cause, "remove one, or map the right one in `columns`").at(place),
            );
        } else if known.is_none()
            && mapped.is_none()
            && let Some(near) = nearest(&name, fields::KNOWN).filter(|_| name.len() > 3)
        {
            let cause = format!("the column '{name}' means nothing to flagday");
            findings.push(Finding::note("roster-header", cause, format!("did you mean '{near}'?")).at(place));
        }
        columns.push(name);
    }
    (findings.iter().filter(|finding| finding.is_error()).count() == before).then_some(columns)
}

/// Two people with one id, hex id or mailbox: an error. Two with one address: a warning.
fn duplicates(people: &[Person]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen: HashMap<(&str, String), &Person> = HashMap::new();
    for person in people {
        let mailbox = person.mailbox.as_ref().map(|mailbox| {
            let part = |value: &Option<String>| value.clone().unwrap_or_default();
            format!("{mailbox} {} {}", part(&person.network), part(&person.postoffice))
        });
        let keys = [
            ("id", Some(person.id.clone())),
            ("hex id", person.hexid.clone()),
            ("mailbox", mailbox),
            ("address", person.email.as_ref().map(ToString::to_string)),
        ];
        for (what, value) in keys {
            let Some(value) = value else { continue };
            let shown = value.split(' ').next().unwrap_or("").to_owned();
            let Some(first) = seen.insert((what, value.to_lowercase()), person) else { continue };
            let cause = format!("{} and {} have one {what}, '{shown}'", first.id, person.id);
            let remedy = format!("the other one stands at {}", first.place);
            let finding = match what {
                "address" => Finding::warning("roster-same-address", cause, remedy),
                _ => Finding::error("roster-duplicate", cause, remedy),
            };
            findings.push(finding.at(person.place.clone()));
        }
    }
    findings
}

impl Roster {
    /// Every column that a roster has, and those with a meaning of their own.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(String::as_str).chain(fields::KNOWN)
    }

    pub fn get(&self, id: &str) -> Option<&Person> {
        self.by_id.get(id).map(|at| &self.people[*at])
    }

    /// A person as somebody types them: id, mailbox, address, or a name that only one has.
    pub fn find(&self, word: &str) -> Result<&Person, Fault> {
        if let Some(person) = self.get(word) {
            return Ok(person);
        }
        let same = |value: &str| value.eq_ignore_ascii_case(word);
        let exact = |person: &&Person| {
            same(&person.id)
                || person.mailbox.as_deref().is_some_and(same)
                || person.email.as_ref().is_some_and(|email| same(&email.to_string()))
        };
        let mut found: Vec<&Person> = self.people.iter().filter(exact).collect();
        if found.is_empty() {
            found = self.people.iter().filter(|person| person.name.to_lowercase() == word.to_lowercase()).collect();
        }
        match found.as_slice() {
            [person] => Ok(person),
            [] => {
                let names = self.people.iter().flat_map(|person| [person.id.as_str(), person.name.as_str()]);
                let remedy = match nearest(word, names) {
                    Some(name) => format!("did you mean '{name}'?"),
                    None => "use an id, a mailbox, an address or a full name of the rosters".to_owned(),
                };
                Err(Fault::new("unknown-person", format!("nobody in the rosters is '{word}'"), remedy))
            }
            several => {
                let ids: Vec<_> = several.iter().map(|person| person.id.as_str()).collect();
                let cause = format!("'{word}' could be {}", ids.join(" or "));
                Err(Fault::new("ambiguous-person", cause, "use the id"))
            }
        }
    }
}
