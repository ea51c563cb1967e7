//! Checks on whole trees, made by the fixture.

mod cutover;
mod people;
mod stage;

use super::*;
use crate::msmail::fixture::{Tree, facts};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_bytes_in_any_file_are_judged_without_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..1500),
        file in proptest::sample::select(&["GLB/MASTER.GLB", "GLB/NETWORK.GLB", "XTN/00000009.XTN", "GLB/ACCESS.GLB"][..]),
    ) {
        let (live, staged) = (Tree::live(), Tree::staged());
        live.write(file, &bytes);
        staged.write(file, &bytes);
        for name in CHECKS {
            check_by_name(name, live.root(), staged.root(), &facts()).expect("a check of that name");
        }
        let findings = stage(&live.open(), &staged.open(), &facts());
        roster(&live.open(), &[]);
        prop_assert!(file != "GLB/MASTER.GLB" || findings.iter().any(Finding::is_error), "two equal or broken masters pass");
    }
}
