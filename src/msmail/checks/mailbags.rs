//! Whose each mailbag is: found in one walk for whatever is asked of it.

use crate::fault::Finding;
use crate::msmail::tree::{Entry, Postoffice};
use crate::msmail::{drain, records};
use crate::roster::Person;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Mailbags of the postoffice itself (Q77926, Q87416).
const SYSTEM: [&str; 3] = ["INQUEUE", "INQUEUE3", "SYSTEM"];
pub const MAILBAGS: &str = "MBG";

#[derive(Debug)]
pub struct Mailbags<'p>(Vec<Mailbag<'p>>);

#[derive(Debug)]
struct Mailbag<'p> {
    hexid: String,
    size: u64,
    /// The hex id, and how much there is.
    holds: String,
    owner: Owner<'p>,
}

#[derive(Debug)]
enum Owner<'p> {
    Person(&'p Person),
    /// A gateway, a neighbour, or the postoffice itself: mail of theirs can be carried away only while P1 is open, and the old
    /// serial number in force.
    Other(String),
    Nobody,
}

impl<'p> Mailbags<'p> {
    /// Those of the postoffice; and what hides some of their owners.
    pub fn of(live: &Postoffice, people: &[&'p Person]) -> (Mailbags<'p>, Vec<Finding>) {
        let (owners, unreadable) = other_owners(live);
        let people: HashMap<&str, &'p Person> =
            people.iter().rev().filter_map(|person| Some((person.hexid.as_deref()?, *person))).collect();
        let owner = |stem: &str| match people.get(stem) {
            Some(person) => Owner::Person(person),
            None if SYSTEM.contains(&stem) => Owner::Other("the postoffice itself".to_owned()),
            None => owners.get(stem).map_or(Owner::Nobody, |owner| Owner::Other(owner.clone())),
        };
        let mailbag = |(stem, bag): (&str, &Entry)| Mailbag {
            hexid: stem.to_owned(),
            size: bag.size,
            holds: holding(stem, bag),
            owner: owner(stem),
        };
        let bags = live.folder(MAILBAGS).into_iter().flat_map(|bags| bags.with_suffix(".MBG"));
        (Mailbags(bags.map(mailbag).collect()), unreadable)
    }

    /// What each holds that nobody on the rosters has, nor any gateway or postoffice.
    pub fn unlisted(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter(|bag| matches!(bag.owner, Owner::Nobody)).map(|bag| bag.holds.as_str())
    }

    /// Those with mail in them that no drain watches, of remote users, gateways, neighbours and the postoffice: by hex id, with
    /// bytes and words.
    pub fn unwatched(&self, watched: &BTreeSet<&str>, asked: &BTreeSet<&str>) -> BTreeMap<String, (u64, String)> {
        let told = |bag: &Mailbag<'_>| {
            let owner = match &bag.owner {
                Owner::Person(person) if watched.contains(person.id.as_str()) || !is_known(person, watched, asked) => {
                    None
                }
                Owner::Person(person) => Some(format!("{} ({})", person.id, person.kind)),
                Owner::Other(owner) => Some(owner.clone()),
                Owner::Nobody => None,
            }?;
            Some((bag.hexid.clone(), (bag.size, format!("{} of {owner}", bag.holds))))
        };
        self.full().filter_map(told).collect()
    }

    /// Those with mail in them for which nobody is waited: neither of the people who are asked for something, the drain among
    /// it, nor one of the above. The hex id, and what each holds, of whom if the rosters tell.
    pub fn nobodys(&self, watched: &BTreeSet<&str>, asked: &BTreeSet<&str>) -> Vec<(String, String)> {
        let told = |bag: &Mailbag<'_>| {
            let of = match &bag.owner {
                Owner::Person(person) if is_known(person, watched, asked) => None,
                Owner::Person(person) => Some(format!(" of {} ({})", person.id, person.kind)),
                Owner::Other(_) => None,
                Owner::Nobody => Some(String::new()),
            }?;
            Some((bag.hexid.clone(), bag.holds.clone() + &of))
        };
        self.full().filter_map(told).collect()
    }

    fn full(&self) -> impl Iterator<Item = &Mailbag<'p>> {
        self.0.iter().filter(|bag| bag.size > 0)
    }
}

/// Mailbags that NETWORK.GLB and the .XTN files give to gateways and external postoffices.
pub(super) fn other_owners(live: &Postoffice) -> (BTreeMap<String, String>, Vec<Finding>) {
    let (mut owners, mut findings) = (BTreeMap::new(), Vec::new());
    let mut read = |path: &str| {
        live.read(path).map(Option::unwrap_or_default).unwrap_or_else(|fault| {
            findings.extend(fault.findings);
            Vec::new()
        })
    };
    for network in records::networks(&read("GLB/NETWORK.GLB")) {
        owners.extend(network.mailbag.map(|mailbag| (mailbag, network.name)));
    }
    for (stem, _) in live.folder("XTN").into_iter().flat_map(|folder| folder.with_suffix(".XTN")) {
        for external in records::externals(&read(&format!("XTN/{stem}.XTN"))) {
            owners.extend(external.mailbag.map(|mailbag| (mailbag, external.postoffice)));
        }
    }
    (owners, findings)
}

/// Somebody is waited for, or fetches mail while P1 is open; remote users may be of a kind of the campaign's own. A local
/// user's mail is waited for by the drain alone, whatever else they are asked.
fn is_known(person: &Person, watched: &BTreeSet<&str>, asked: &BTreeSet<&str>) -> bool {
    let id = person.id.as_str();
    watched.contains(id) || person.kind == "remote" || person.kind != "local" && asked.contains(id)
}

/// A mailbag, and what it holds: mail that nobody watches is lost with the change.
fn holding(stem: &str, mailbag: &Entry) -> String {
    match drain::headers(mailbag) {
        Some(0) => stem.to_owned(),
        Some(1) => format!("{stem} (1 header)"),
        Some(left) => format!("{stem} ({left} headers)"),
        None => format!("{stem} ({} bytes)", mailbag.size),
    }
}
