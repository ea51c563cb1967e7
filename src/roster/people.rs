//! All people of a campaign, and how to find one of them.

use super::complaints::shown;
use super::person::Person;
use crate::campaign::nearest;
use crate::fault::Finding;
use std::borrow::Borrow;
use std::collections::{BTreeSet, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

#[derive(Debug, Clone, Default)]
pub struct Roster {
    /// In the order of the files.
    people: Vec<Arc<Person>>,
    by_id: HashSet<ById>,
    /// Those who have an address, in the order of [`Roster::at`], once somebody asks.
    by_address: OnceLock<Vec<u32>>,
    /// The columns that at least one file has.
    columns: BTreeSet<String>,
    /// Rows or whole files could not be read: who seems to be missing may only be unread.
    incomplete: bool,
}

/// A person, known by the id.
#[derive(Debug, Clone)]
struct ById(Arc<Person>);

impl Borrow<str> for ById {
    fn borrow(&self) -> &str {
        &self.0.id
    }
}

impl Hash for ById {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

impl PartialEq for ById {
    fn eq(&self, other: &ById) -> bool {
        self.0.id == other.0.id
    }
}

impl Eq for ById {}

impl Roster {
    /// A roster of these people. Of two with one id, [`Roster::get`] finds the first.
    pub fn new(people: Vec<Person>) -> Roster {
        Roster::of(people.into_iter().map(Arc::new).collect())
    }

    fn of(people: Vec<Arc<Person>>) -> Roster {
        let mut by_id = HashSet::with_capacity(people.len());
        // Of two with one id the first stays.
        by_id.extend(people.iter().map(|person| ById(Arc::clone(person))));
        let columns = people.iter().flat_map(|person| person.extra.keys().cloned()).collect();
        Roster { people, by_id, by_address: OnceLock::new(), columns, incomplete: false }
    }

    pub(super) fn read(people: Vec<Arc<Person>>, columns: BTreeSet<String>, incomplete: bool) -> Roster {
        Roster { columns, incomplete, ..Roster::of(people) }
    }

    /// Everybody, in the order of the files.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.iter().map(Arc::as_ref)
    }

    pub fn len(&self) -> usize {
        self.people.len()
    }

    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// The person with exactly this id.
    pub fn get(&self, id: &str) -> Option<&Person> {
        self.by_id.get(id).map(|one| &*one.0)
    }

    /// The person with exactly this id, to be kept beyond the roster's own time.
    pub fn shared(&self, id: &str) -> Option<Arc<Person>> {
        self.by_id.get(id).map(|one| Arc::clone(&one.0))
    }

    /// Whoever reads mail at an address, without regard to case. Of several the first on the rosters.
    pub fn at(&self, address: &str) -> Option<&Person> {
        let of = |place: &u32| self.people[*place as usize].email.as_ref().map_or("", AsRef::as_ref);
        fn small(text: &str) -> impl Iterator<Item = u8> + '_ {
            text.bytes().map(|byte| byte.to_ascii_lowercase())
        }
        let by_address = self.by_address.get_or_init(|| {
            let mut places: Vec<u32> = (0..self.people.len() as u32).filter(|place| !of(place).is_empty()).collect();
            places.sort_by(|one, other| small(of(one)).cmp(small(of(other))));
            places
        });
        let first = by_address.partition_point(|place| small(of(place)).lt(small(address)));
        let found = by_address.get(first).filter(|place| of(place).eq_ignore_ascii_case(address))?;
        self.people.get(*found as usize).map(Arc::as_ref)
    }

    /// The columns that at least one file has.
    pub fn columns(&self) -> &BTreeSet<String> {
        &self.columns
    }

    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// A person as somebody types them: id, mailbox, address or whole name, without regard to case, in that order.
    ///
    /// # Errors
    /// Nobody, or more than one; with who may be meant.
    pub fn find(&self, word: &str) -> Result<&Person, Finding> {
        let word = word.trim();
        if let Some(person) = self.get(word) {
            return Ok(person);
        }
        let wanted = word.to_lowercase();
        for column in ["id", "mailbox", "email", "name"] {
            let is_meant = |person: &&Person| person.column(column).is_some_and(|value| value.to_lowercase() == wanted);
            let mut found = self.people().filter(is_meant);
            match (found.next(), found.next()) {
                (None, _) => {}
                (Some(person), None) => return Ok(person),
                (Some(one), Some(other)) => return Err(ambiguous(word, [one, other].into_iter().chain(found))),
            }
        }
        Err(self.unknown(word, &wanted))
    }

    fn unknown(&self, word: &str, wanted: &str) -> Finding {
        let cause = format!("nobody in the rosters is '{}'", shown(word));
        let columns = ["id", "mailbox", "email", "name"];
        let contains = |person: &&Person| {
            let holds = |column| person.column(column).is_some_and(|value| value.to_lowercase().contains(wanted));
            wanted.chars().count() > 2 && columns.into_iter().any(holds)
        };
        let mut partly = self.people().filter(contains).peekable();
        let remedy = if partly.peek().is_some() {
            format!("did you mean {}?", listed(partly))
        } else {
            let values: Vec<String> = self
                .people()
                .flat_map(|person| columns.into_iter().filter_map(|column| person.column(column)))
                .collect();
            match nearest(word, values.iter().map(String::as_str)) {
                Some(near) => format!("did you mean '{}'?", shown(&near)),
                None => "name a person by id, mailbox, address or whole name; `flagday who` lists them".to_owned(),
            }
        };
        Finding::error("unknown-person", cause, remedy)
    }
}

fn ambiguous<'a>(word: &str, people: impl Iterator<Item = &'a Person>) -> Finding {
    let cause = format!("'{}' is more than one person", shown(word));
    Finding::error("ambiguous-person", cause, format!("name one by id: {}", listed(people)))
}

/// A few ids, and whether there are more.
fn listed<'a>(people: impl Iterator<Item = &'a Person>) -> String {
    const MOST: usize = 5;
    let ids: Vec<String> = people.take(MOST + 1).map(|person| format!("'{}'", person.id)).collect();
    match ids.len() > MOST {
        true => format!("{}, …", ids[..MOST].join(", ")),
        false => ids.join(", "),
    }
}
