//! "Did you mean …?"

/// Words longer than this are no typing mistakes of ours, and comparing them costs.
const LONGEST: usize = 64;

/// The candidate that a person most likely meant: at most one slip in three characters away, case ignored.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let length = word.chars().take(LONGEST + 1).count();
    if length > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| (strsim::osa_distance(&word, &candidate.to_lowercase()), candidate))
        .filter(|(slips, candidate)| *slips <= length.max(candidate.chars().count()).div_ceil(3))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, candidate)| candidate.to_owned())
}

/// How a remedy begins: the nearest candidate, or what there is to choose from.
pub(crate) fn instead<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    match nearest(word, candidates.clone()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => match candidates.into_iter().take(20).collect::<Vec<_>>().join(", ") {
            list if list.is_empty() => "there is none to choose from yet.".to_owned(),
            list => format!("choose one of {list}."),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_understood_and_another_word_is_not() {
        let known = ["audience", "notice", "grade", "due"];
        assert_eq!(nearest("audiense", known).as_deref(), Some("audience"));
        assert_eq!(nearest("Notcie", known).as_deref(), Some("notice"));
        assert_eq!(nearest("colour", known), None);
        assert_eq!(nearest(&"a".repeat(1_000_000), known), None);
        assert_eq!(instead("zzz", ["a", "b"]), "choose one of a, b.");
        assert_eq!(instead("zzz", []), "there is none to choose from yet.");
    }
}
