//! The sample's generator writes what is committed, byte for byte.

use crate::need::{MTOOLS, PYTHON, command, output, trial};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use std::path::Path;

pub fn trials() -> Vec<Trial> {
    vec![trial("the_generator_writes_the_committed_sample", &[PYTHON, MTOOLS], same_bytes)]
}

fn same_bytes() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data");
    let made = tempfile::TempDir::new().expect("a temporary folder");
    fs_err::create_dir(made.path().join("rosters")).expect("a folder");
    for roster in ["rosters/users.csv", "rosters/async-admins.csv"] {
        fs_err::copy(sample.join("msmail").join(roster), made.path().join(roster)).expect("a roster");
    }
    output(command("python3").arg(sample.join("generate.py")).arg(made.path()));
    for tree in ["postoffice", "staged", "disks", "corrections"] {
        let (made, committed) = (contents(&made.path().join(tree)), contents(&sample.join("msmail").join(tree)));
        assert!(made.keys().eq(committed.keys()), "{tree}: other files; run sample-data/generate.py");
        let differing: Vec<_> =
            made.iter().filter(|(path, bytes)| committed[*path] != **bytes).map(|(path, _)| path).collect();
        assert!(differing.is_empty(), "{tree}: run sample-data/generate.py; other bytes in {differing:?}");
    }
}

fn contents(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs_err::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root).expect("below").to_string_lossy().into_owned();
                found.insert(name, fs_err::read(&path).expect("a file"));
            }
        }
    }
    found
}
