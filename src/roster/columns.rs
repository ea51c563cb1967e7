//! Which field of a row is which column: the header line, read once a file.

use super::complaints::{Complaints, shown};
use super::field::{control_name, forbidden};
use crate::campaign::{RosterFile, nearest};
use crate::fault::Finding;
use csv::StringRecord;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;

/// Columns of one file.
pub(super) const MOST_COLUMNS: usize = 500;

/// A column that the program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Id,
    Name,
    Email,
    Kind,
    Mailbox,
    Hexid,
    MailStore,
    Format,
    Language,
    TimeZone,
    ManagerEmail,
    AlternateEmail,
    Network,
    Postoffice,
    Phone,
}

impl Column {
    const ALL: [(Column, &str); 15] = [
        (Column::Id, "id"),
        (Column::Name, "name"),
        (Column::Email, "email"),
        (Column::Kind, "kind"),
        (Column::Mailbox, "mailbox"),
        (Column::Hexid, "hexid"),
        (Column::MailStore, "mail_store"),
        (Column::Format, "format"),
        (Column::Language, "language"),
        (Column::TimeZone, "time_zone"),
        (Column::ManagerEmail, "manager_email"),
        (Column::AlternateEmail, "alternate_email"),
        (Column::Network, "network"),
        (Column::Postoffice, "postoffice"),
        (Column::Phone, "phone"),
    ];

    pub(super) fn from_word(word: &str) -> Option<Column> {
        Column::ALL.into_iter().find(|(_, known)| known.eq_ignore_ascii_case(word)).map(|(column, _)| column)
    }

    pub(super) fn words() -> impl Iterator<Item = &'static str> + Clone {
        Column::ALL.into_iter().map(|(_, word)| word)
    }
}

/// The columns of one file.
#[derive(Debug, Default)]
pub(super) struct Layout {
    known: [Option<usize>; Column::ALL.len()],
    /// The campaign's own columns, by name.
    pub(super) extra: Vec<(usize, String)>,
    /// Columns without a header.
    pub(super) unnamed: Vec<usize>,
    /// Rows can become people: there is something to serve as id, and a kind.
    pub(super) usable: bool,
}

impl Layout {
    pub(super) fn index(&self, column: Column) -> Option<usize> {
        self.known[column as usize]
    }

    /// The names of all columns of the file, as an audience names them.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let known = Column::ALL.iter().filter(|(column, _)| self.index(*column).is_some()).map(|(_, word)| *word);
        known.chain(self.extra.iter().map(|(_, name)| name.as_str()))
    }

    pub(super) fn is_extra(&self, index: usize) -> bool {
        self.extra.binary_search_by_key(&index, |(index, _)| *index).is_ok()
    }

    /// Reads the header line. `cells`: where each header stands in the text.
    pub(super) fn read(
        header: &StringRecord,
        cells: &[Range<usize>],
        file: &RosterFile,
        complaints: &mut Complaints,
    ) -> Layout {
        let mut layout = Layout::default();
        let mapping = Mapping::read(file, complaints);
        let mut taken: HashMap<String, &str> = HashMap::new();
        let mut readable = true;
        for (index, (text, cell)) in header.iter().zip(cells).enumerate() {
            let text = text.trim();
            if let Some(c) = forbidden(text, false) {
                let cause = format!("this header holds {}", control_name(c));
                complaints.add(cell.clone(), Finding::error("control-character", cause, "write it on one line"));
                readable = false;
                continue;
            }
            if text.is_empty() {
                let finding = Finding::warning("header-empty", "this column has no header", "name it, or delete it");
                complaints.add(cell.clone(), finding);
                layout.unnamed.push(index);
                continue;
            }
            let name = mapping.name(text);
            if let Some(other) = taken.insert(name.to_lowercase(), text) {
                complaints.add(cell.clone(), twice(name, other, text));
                continue;
            }
            match Column::from_word(name) {
                Some(column) => layout.known[column as usize] = Some(index),
                None => layout.extra.push((index, name.to_owned())),
            }
        }
        mapping.complain_of_absent(header, file, complaints);
        layout.complain_of_slips(header, cells, complaints);
        // What seems to be missing may be under the header that could not be read.
        layout.usable = readable && layout.complain_of_missing(cells, file, complaints);
        layout
    }

    /// Headers that only look like a known column which the file does not have. A mapped one has its own complaint.
    fn complain_of_slips(&self, header: &StringRecord, cells: &[Range<usize>], complaints: &mut Complaints) {
        for (index, name) in &self.extra {
            let unmapped = header.get(*index).is_some_and(|text| text.trim() == name);
            if let Some(known) = slip(name).filter(|known| unmapped && !self.names().any(|name| name == *known)) {
                let cell = cells.get(*index).cloned().unwrap_or(0..0);
                complaints.add(cell, looks_like(name, known));
            }
        }
    }

    fn complain_of_missing(&self, cells: &[Range<usize>], file: &RosterFile, complaints: &mut Complaints) -> bool {
        let place = cells.first().cloned().unwrap_or(0..0);
        let has = |columns: &[Column]| columns.iter().any(|column| self.index(*column).is_some());
        let recognised = has(&[Column::Id, Column::Mailbox, Column::Email]);
        if !recognised {
            let cause = "no column tells these people apart: there is neither `id` nor `mailbox` nor `email`";
            let remedy = "add one, or map a header to it: columns = { email = \"E-Mail\" }";
            complaints.add(place.clone(), Finding::error("no-id-column", cause, remedy));
        }
        let kind = has(&[Column::Kind]) || file.kind.is_some();
        if !kind {
            let remedy = "add the column, or state kind = \"…\" for the whole roster";
            complaints.add(place.clone(), Finding::error("no-kind-column", "there is no column `kind`", remedy));
        }
        if !has(&[Column::Email]) {
            let cause =
                "there is no column `email`: mail reaches nobody of this roster, and every notice to them fails";
            let remedy = "add it, or map a header to it: columns = { email = \"E-Mail\" }";
            complaints.add(place, Finding::warning("no-address", cause, remedy));
        }
        recognised && kind
    }
}

fn twice(name: &str, one: &str, other: &str) -> Finding {
    let name = Column::words().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name);
    let cause = match one == other {
        true => format!("the header '{}' stands here twice", shown(other)),
        false => format!("'{}' and '{}' would both be the column `{}`", shown(one), shown(other), shown(name)),
    };
    Finding::error("header-twice", cause, "keep one of them, or rename the other")
}

fn looks_like(header: &str, known: &str) -> Finding {
    let cause = format!("'{}' is not a column the program knows; only templates and audiences see it", shown(header));
    let remedy = format!("did you mean `{known}`? Map it with columns = {{ {known} = \"{}\" }}", shown(header));
    Finding::note("header-unknown", cause, remedy)
}

/// A known column that differs only in punctuation or in one slip.
fn slip(name: &str) -> Option<&'static str> {
    let bare = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let name = bare(name);
    let near = |known: &str| {
        let known = bare(known);
        name == known || known.len() > 4 && name.len() < 64 && strsim::osa_distance(&name, &known) == 1
    };
    Column::words().find(|known| near(known))
}

/// `columns = { email = "E-Mail" }`, the other way round.
struct Mapping<'a> {
    /// Lower-case header to the column's name.
    names: BTreeMap<String, &'a str>,
}

impl<'a> Mapping<'a> {
    fn read(file: &'a RosterFile, complaints: &mut Complaints) -> Mapping<'a> {
        let mut names = BTreeMap::new();
        for (name, header) in &file.columns {
            if let Some(other) = names.insert(header.trim().to_lowercase(), name.as_str()) {
                let cause = format!("the header '{}' is mapped to `{}` and to `{}`", shown(header), other, shown(name));
                let finding = Finding::error("bad-mapping", cause, "map it to one column");
                complaints.add_placed(finding.at(file.place.clone()));
            }
            if Column::from_word(name).is_none()
                && let Some(known) = slip(name)
            {
                let cause = format!("`{}` is not a column the program knows", shown(name));
                let finding = Finding::warning("bad-mapping", cause, format!("did you mean `{known}`?"));
                complaints.add_placed(finding.at(file.place.clone()));
            }
        }
        Mapping { names }
    }

    /// What the column under this header is called here.
    fn name<'h>(&self, header: &'h str) -> &'h str
    where
        'a: 'h,
    {
        self.names.get(&header.to_lowercase()).copied().unwrap_or(header)
    }

    fn complain_of_absent(&self, header: &StringRecord, file: &RosterFile, complaints: &mut Complaints) {
        let present: HashSet<String> = header.iter().map(|text| text.trim().to_lowercase()).collect();
        for (name, text) in &file.columns {
            if present.contains(&text.trim().to_lowercase()) {
                continue;
            }
            let cause = format!("`{}` is mapped to '{}', which is no header of this roster", shown(name), shown(text));
            let remedy = match nearest(text.trim(), header.iter().map(str::trim)) {
                Some(near) => format!("did you mean '{}'?", shown(&near)),
                None => {
                    let headers: Vec<_> = header.iter().take(20).map(|text| shown(text.trim())).collect();
                    format!("its headers are: {}", headers.join(", "))
                }
            };
            complaints.add_placed(Finding::error("bad-mapping", cause, remedy).at(file.place.clone()));
        }
    }
}
