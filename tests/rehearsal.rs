//! The rehearsal of the sample, on a copy.

use crate::harness::{Campaign, tree};
use serde_json::Value;

fn rehearse(campaign: &Campaign, out: &str) -> Value {
    let out = campaign.root().parent().expect("a folder").join(out).to_string_lossy().into_owned();
    campaign.run_words(&["rehearse", "--json", "--out", &out]).ends(0).json()
}

#[test]
fn it_finishes_the_same_twice_and_touches_nothing_real() {
    let campaign = Campaign::sample();
    let before = tree::contents(campaign.root());
    let (first, second) = (rehearse(&campaign, "first"), rehearse(&campaign, "second"));
    let changed = tree::differences(&before, &tree::contents(campaign.root()));
    assert!(changed.is_empty(), "the rehearsal touched {changed:?}");

    assert_eq!(first["finished"], true);
    let timeline = |outcome: &Value, folder: &str| outcome["timeline"].to_string().replace(folder, "FOLDER");
    assert!(first["timeline"].as_array().expect("a timeline").len() > 50);
    assert_eq!(timeline(&first, "/first"), timeline(&second, "/second"));
}
