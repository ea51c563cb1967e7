//! The file laid over its playbook.
//!
//! What the file states wins. Tables are merged key by key; any other value is replaced, and so are the lists: a
//! `[[roster]]` in the file replaces the playbook's. Three rules are of their own:
//! - an audience is one statement: naming one again replaces all of it;
//! - `[[step]]` entries are matched by `name`, and an action replaces the playbook's action of whatever kind;
//! - a step the playbook does not know stands at the end, or after the step it `follows`.

use super::nearest::instead;
use super::report::Report;
use super::tree::{Entries, Entry, Node, Spot, Value};
use super::value;
use crate::fault::Finding;

/// The keys of a step that make it do something; a step has at most one.
pub(super) const ACTIONS: [&str; 8] = ["rename", "copy", "replace", "backup", "shell", "notice", "package", "observe"];

pub(super) fn lay(playbook: Entries, file: Entries, report: &Report) -> Entries {
    let mut under = playbook;
    for (key, over) in file {
        let Some(base) = under.get_mut(&key) else {
            under.insert(key, over);
            continue;
        };
        match (key.as_str(), &mut base.node.value, over.node.value) {
            ("step", Value::List(base), Value::List(over)) => steps(base, over, report),
            ("step", Value::List(base), table @ Value::Table(_)) => {
                steps(base, vec![Node { value: table, at: over.node.at }], report);
            }
            ("step", Value::List(_), value) => {
                value::wrong::<()>(report, "a list of steps", Node { value, at: over.node.at });
            }
            ("audience", Value::Table(base), Value::Table(over)) => base.extend(over),
            (_, Value::Table(table), Value::Table(over_table)) => {
                merge(table, over_table);
                base.key = over.key;
                base.node.at = over.node.at;
            }
            (_, _, value) => *base = Entry { key: over.key, node: Node { value, at: over.node.at } },
        }
    }
    under
}

fn merge(under: &mut Entries, over: Entries) {
    for (key, over) in over {
        match (under.get_mut(&key), over.node.value) {
            (Some(Entry { key, node: Node { value: Value::Table(base), at } }), Value::Table(table)) => {
                merge(base, table);
                *key = over.key;
                *at = over.node.at;
            }
            (_, value) => {
                under.insert(key, Entry { key: over.key, node: Node { value, at: over.node.at } });
            }
        }
    }
}

fn steps(under: &mut Vec<Node>, over: Vec<Node>, report: &Report) {
    let playbook: Vec<String> = under.iter().filter_map(name).map(|(name, _)| name.to_owned()).collect();
    for mut step in over {
        let name = name(&step).map(|(name, _)| name.to_owned());
        let follows = follows(&mut step, report);
        let base = name.filter(|name| playbook.contains(name)).and_then(|name| position(under, &name));
        match (base, follows) {
            (Some(at), None) => lay_step(&mut under[at], step),
            (Some(_), Some((_, spot))) => report.add(
                spot,
                Finding::error(
                    "bad-order",
                    "the playbook's own steps keep their order: a safe one is what the playbook is for",
                    "leave 'follows' out, or give the step a name of its own",
                ),
            ),
            (None, None) => under.push(step),
            (None, Some((before, spot))) => match position(under, &before) {
                Some(at) => under.insert(at + 1, step),
                None => {
                    let names = under.iter().filter_map(self::name).map(|(name, _)| name).collect::<Vec<_>>();
                    report.absent(
                        spot,
                        Finding::error(
                            "unknown-step",
                            format!("it follows '{before}', and no step has that name"),
                            instead(&before, names.iter().copied()),
                        ),
                    );
                    under.push(step);
                }
            },
        }
    }
}

/// Takes the place that a new step asks for out of it.
fn follows(step: &mut Node, report: &Report) -> Option<(String, Spot)> {
    let Value::Table(entries) = &mut step.value else { return None };
    let name = value::text(report, entries.shift_remove("follows")?.node)?;
    Some((name.value, name.at))
}

fn lay_step(base: &mut Node, over: Node) {
    let (Value::Table(under), Value::Table(table)) = (&mut base.value, over.value) else { return };
    if ACTIONS.iter().any(|action| table.contains_key(*action)) {
        under.retain(|key, _| table.contains_key(key) || !ACTIONS.contains(&key.as_str()));
    }
    merge(under, table);
    base.at = over.at;
}

fn position(steps: &[Node], wanted: &str) -> Option<usize> {
    steps.iter().position(|step| name(step).is_some_and(|(name, _)| name == wanted))
}

/// The name that a step states, and where.
fn name(step: &Node) -> Option<(&str, Spot)> {
    let Value::Table(entries) = &step.value else { return None };
    match &entries.get("name")?.node {
        Node { value: Value::Text(name), at } => Some((name, *at)),
        _ => None,
    }
}
