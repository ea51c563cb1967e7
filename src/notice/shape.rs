//! What names there are for a template to use: the shape of [`Context`](super::Context), for the lint.

/// The columns of a roster that templates may name without the rosters being asked.
pub(super) const COLUMNS: [&str; 15] = [
    "id",
    "name",
    "email",
    "kind",
    "mailbox",
    "hexid",
    "mail_store",
    "format",
    "language",
    "time_zone",
    "manager_email",
    "alternate_email",
    "network",
    "postoffice",
    "phone",
];

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    /// A word, a number or a yes-or-no.
    Value,
    Record(&'static [(&'static str, Shape)]),
    List(&'static Shape),
    /// A row of a roster. The site's own columns are known only once the rosters have been read.
    Columns,
    /// The campaign's facts.
    Facts,
}

use Shape::{Columns, Facts, List, Record, Value};

pub(super) const CONTEXT: Shape = Record(&[
    ("campaign", Record(&[("name", Value), ("title", Value), ("contact", Value), ("disks", Value)])),
    (
        "change",
        Record(&[
            ("date", Value),
            ("time", Value),
            ("zone", Value),
            ("weekday", Value),
            ("local", Value),
            ("utc", Value),
            ("own_local", Value),
        ]),
    ),
    ("person", Columns),
    ("facts", Facts),
    (
        "notice",
        Record(&[
            ("name", Value),
            ("audience", Value),
            ("reason", Value),
            ("count", Value),
            ("changes", List(&Record(&[("kind", Value), ("name", Value), ("told", Value), ("now", Value)]))),
        ]),
    ),
    ("ack", Record(&[("due", Value), ("word", Value), ("code_asked", Value), ("reply_to", Value), ("link", Value)])),
    (
        "package",
        Record(&[
            ("name", Value),
            ("files", List(&Record(&[("name", Value), ("size", Value), ("sha256", Value)]))),
            ("sha256", Value),
            ("size", Value),
        ]),
    ),
    ("about", Columns),
    ("outdated", Record(&[("answered", Value), ("sent", Value), ("subject", Value)])),
]);

/// What a name stands for inside a shape.
pub(super) enum Found {
    Shape(Shape),
    /// A column that no roster has to have: to be asked for when the rosters are known.
    Column,
    /// The names that would have been right.
    Unknown(Vec<String>),
}

impl Shape {
    pub(super) fn field(self, name: &str, facts: &[String]) -> Found {
        let known = |names: Vec<String>, found: Shape| {
            if names.iter().any(|known| known == name) { Found::Shape(found) } else { Found::Unknown(names) }
        };
        match self {
            Record(fields) => match fields.iter().find(|(field, _)| *field == name) {
                Some((_, shape)) => Found::Shape(*shape),
                None => Found::Unknown(fields.iter().map(|(field, _)| (*field).to_owned()).collect()),
            },
            Facts => known(facts.to_vec(), Value),
            Columns if COLUMNS.contains(&name) => Found::Shape(Value),
            Columns => Found::Column,
            Value | List(_) => Found::Unknown(vec![]),
        }
    }

    /// What `{{#each}}` walks over.
    pub(super) fn item(self) -> Option<Shape> {
        match self {
            List(item) => Some(*item),
            Columns | Facts => Some(Value),
            Record(_) | Value => None,
        }
    }
}

/// `a.b/c.[d e]` as `a`, `b`, `c`, `d e`; `this` and `.` add nothing.
pub(super) fn segments(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(['.', '/']);
        let (head, tail) = match rest.strip_prefix('[') {
            Some(raw) => raw.split_once(']').unwrap_or((raw, "")),
            None => rest.split_at(rest.find(['.', '/']).unwrap_or(rest.len())),
        };
        rest = tail;
        (!head.is_empty()).then_some(head)
    })
    .filter(|field| *field != "this")
}

/// The remedy for a name nobody knows: the nearest known one, or all of them.
pub(super) fn names(wrong: &str, known: &[String]) -> String {
    let nearest = known.iter().max_by(|a, b| {
        let likeness = |name: &str| strsim::jaro_winkler(name, wrong);
        likeness(a).total_cmp(&likeness(b))
    });
    match nearest {
        None => "take it out".to_owned(),
        Some(name) if strsim::jaro_winkler(name, wrong) > 0.8 => format!("did you mean '{name}'?"),
        Some(_) => format!("use one of: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::sample;
    use serde_json::Value as Json;

    /// The shape and the type must name the same things.
    fn compare(shape: Shape, value: &Json, path: &str) {
        match (shape, value) {
            (Value, Json::String(_) | Json::Number(_) | Json::Bool(_)) => {}
            (Columns | Facts, Json::Object(_)) => {}
            (List(item), Json::Array(items)) => items.iter().for_each(|value| compare(*item, value, path)),
            (Record(fields), Json::Object(map)) => {
                let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
                assert_eq!(names, map.keys().collect::<Vec<_>>(), "{path}");
                fields.iter().for_each(|(name, shape)| compare(*shape, &map[*name], &format!("{path}.{name}")));
            }
            other => panic!("{path}: {other:?}"),
        }
    }

    #[test]
    fn the_shape_is_that_of_the_context() {
        compare(CONTEXT, &serde_json::to_value(sample::full()).unwrap(), "");
    }
}
