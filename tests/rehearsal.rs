//! The rehearsal of the sample, on a copy.

use crate::harness::{Campaign, Run, program, tree};
use serde_json::Value;
use std::path::Path;

fn rehearse(root: &Path, out: &str) -> Value {
    let out = root.with_file_name(out);
    Run::of(program().arg("rehearse").arg(root).args(["--json", "--out"]).arg(out)).ends(0).json()
}

#[test]
fn it_finishes_the_same_twice_and_touches_nothing_real() {
    let campaign = Campaign::sample();
    let before = tree::contents(campaign.root());
    let root = campaign.root();
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(|| rehearse(root, "second"));
        (rehearse(root, "first"), second.join().expect("it ends"))
    });
    let changed = tree::differences(&before, &tree::contents(campaign.root()));
    assert!(changed.is_empty(), "the rehearsal touched {changed:?}");

    assert_eq!(first["finished"], true);
    let timeline = |outcome: &Value, folder: &str| outcome["timeline"].to_string().replace(folder, "FOLDER");
    assert!(first["timeline"].as_array().expect("a timeline").len() > 50);
    assert_eq!(timeline(&first, "/first"), timeline(&second, "/second"));
}
