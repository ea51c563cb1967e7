//! The unit for systemd, read by systemd itself.

use crate::need::{Need, command, trial};
use libtest_mimic::Trial;

pub const SYSTEMD: Need = Need::Program { name: "systemd-analyze", package: "systemd" };

pub fn trials() -> Vec<Trial> {
    vec![trial("systemd_has_nothing_to_say_about_the_unit", &[SYSTEMD], || {
        let folder = tempfile::tempdir().expect("a folder");
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/systemd/flagday.service");
        let shipped = fs_err::read_to_string(shipped).expect("the unit");
        // It looks for the program; the user of the unit is the site's own.
        let unit = shipped.replace("/usr/local/bin/flagday", env!("CARGO_BIN_EXE_flagday"));
        let unit = unit.replace("User=flagday\n", "User=root\n");
        assert_eq!(unit.matches(env!("CARGO_BIN_EXE_flagday")).count(), 1, "{unit}");
        let said = |text: &str| {
            let file = folder.path().join("flagday.service");
            fs_err::write(&file, text).expect("written");
            let ran = command("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().expect("run");
            (ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
        };
        assert_eq!(said(&unit), (true, String::new()));
        // And it would have: a word that it does not know is told.
        let wrong = said(&unit.replace("ProtectClock=yes", "ProtectClocks=yes"));
        assert!(wrong.1.contains("ProtectClocks"), "{wrong:?}");
    })]
}
