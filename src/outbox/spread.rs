//! Which messages of a queue tell most of what a server takes, when those at its front are refused.

use std::collections::HashSet;

/// So many places of those in `domains`, where each message of the queue has its recipient's: a few with other domains than
/// `tried`, one each, and the others from all over it, its far end first.
pub fn spread(domains: &[String], count: usize, tried: &[String]) -> Vec<usize> {
    let backwards = || (0..domains.len()).rev();
    let mut seen: HashSet<&str> = tried.iter().map(String::as_str).collect();
    let mut places: Vec<usize> =
        backwards().filter(|place| seen.insert(&domains[*place])).take(count.div_ceil(2)).collect();
    let step = (domains.len() / count.max(1)).max(1);
    for place in backwards().step_by(step).chain(backwards()) {
        if places.len() >= count {
            break;
        }
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_domains_come_first_and_then_places_far_apart() {
        let mut domains = vec!["closed.example".to_owned(); 100];
        let tried = ["closed.example".to_owned()];
        assert_eq!(spread(&domains, 5, &tried), [99, 79, 59, 39, 19]);
        domains[3] = "corp.example".to_owned();
        domains[7] = "corp.example".to_owned();
        assert_eq!(spread(&domains, 5, &tried), [7, 99, 79, 59, 39], "one of each");
        let many: Vec<String> = (0..9).map(|n| format!("{n}.example")).collect();
        assert_eq!(spread(&many, 5, &[]), [8, 7, 6, 5, 4]);
        assert_eq!(spread(&many[..2], 5, &many), [1, 0], "no more than there are");
        assert_eq!(spread(&[], 5, &[]), [0; 0]);
    }
}
