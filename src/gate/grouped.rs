//! Those who hold a gate, put together by what is to be done: the same remedy is read once.

use super::Blocking;
use crate::campaign::Grade;

/// People with one remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group<'a> {
    pub remedy: &'a str,
    /// Each reason with its people, in the order in which they block.
    pub reasons: Vec<Reason<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason<'a> {
    pub grade: Grade,
    pub why: &'a str,
    pub people: Vec<&'a str>,
}

/// Groups those who block, in the order of the first of each group.
pub fn grouped(blocking: &[Blocking]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group> = Vec::new();
    for one in blocking {
        let at = groups.iter().position(|group| group.remedy == one.remedy).unwrap_or_else(|| {
            groups.push(Group { remedy: &one.remedy, reasons: Vec::new() });
            groups.len() - 1
        });
        let reasons = &mut groups[at].reasons;
        match reasons.iter_mut().find(|reason| reason.why == one.why && reason.grade == one.grade) {
            Some(reason) => reason.people.push(&one.person),
            None => reasons.push(Reason { grade: one.grade, why: &one.why, people: vec![&one.person] }),
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_remedy_is_read_once_and_one_reason_once_below_it() {
        let one = |person: &str, why: &str, remedy: &str| Blocking {
            person: person.into(),
            grade: Grade::None,
            why: why.into(),
            remedy: remedy.into(),
        };
        let blocking = [
            one("ann", "old", "sign out"),
            one("bob", "full", "compress"),
            one("cy", "new", "sign out"),
            one("di", "old", "sign out"),
        ];
        let groups = grouped(&blocking);
        let told: Vec<_> = groups
            .iter()
            .map(|group| {
                (group.remedy, group.reasons.iter().map(|reason| (reason.why, reason.people.clone())).collect())
            })
            .collect::<Vec<(&str, Vec<(&str, Vec<&str>)>)>>();
        assert_eq!(
            told,
            [
                ("sign out", vec![("old", vec!["ann", "di"]), ("new", vec!["cy"])]),
                ("compress", vec![("full", vec!["bob"])])
            ]
        );
    }
}
