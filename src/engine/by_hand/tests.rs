//! Two campaigns of one postoffice: one in the middle of its evening, the other about to begin with its own.

use super::*;
use crate::engine::fixture::campaign_of;
use crate::msmail::fixture::Tree;
use crate::system::Standing;
use tempfile::TempDir;

const STEPS: &str = r#"
[[step]]
name = "backup"
before = ["master-old"]
backup = { from = "{postoffice}", to = "{state}/backup" }
[[step]]
name = "quiesce"
attest = "stopped"
[[step]]
name = "close-p1"
before = ["master-old"]
rename = { from = "{postoffice}/P1", to = "{postoffice}/POLD" }
after = ["p1-closed"]
[[step]]
name = "retire-master"
rename = { from = "{postoffice}/GLB/MASTER.GLB", to = "{postoffice}/GLB/OLDMAST.GLB" }
after = ["master-retired"]
[[step]]
name = "install-master"
copy = { from = "{staged}/GLB/MASTER.GLB", to = "{postoffice}/GLB/MASTER.GLB" }
after = ["master-new"]
[[step]]
name = "open-p1"
rename = { from = "{postoffice}/POLD", to = "{postoffice}/P1" }
after = ["p1-open"]
"#;

struct Two {
    live: Tree,
    _staged: [Tree; 2],
    campaigns: [TempDir; 2],
    clock: Standing,
}

impl Two {
    /// One of them has its staged postoffice from the same disks as the other, or from its own.
    fn new(same: bool) -> Two {
        let (live, staged) = (Tree::live(), [Tree::staged(), Tree::staged()]);
        if !same {
            staged[1].patch("GLB/MASTER.GLB", 0x20, 0x5A);
        }
        let campaigns = [0, 1].map(|one: usize| {
            let root = campaign_of(&live, STEPS);
            let file = root.path().join("flagday.toml");
            let text = fs_err::read_to_string(&file).expect("read");
            let staged = format!("staged = {:?}", staged[one].root());
            fs_err::write(&file, text.replace(&format!("staged = {:?}", live.root()), &staged)).expect("written");
            root
        });
        let clock = Standing::at("2026-12-13T12:00:00Z".parse().expect("a time"));
        Two { live, _staged: staged, campaigns, clock }
    }

    fn engine(&self, one: usize) -> Engine<'_> {
        Engine::open(self.campaigns[one].path(), &self.clock).expect("opened")
    }

    fn until(&self, one: usize, step: &str) -> Result<()> {
        self.engine(one).cutover(Some(step), &mut |_, _| {}).map(drop)
    }

    fn state(&self, one: usize) -> crate::engine::Situation {
        self.engine(one).situation().expect("told").expect("a postoffice")
    }

    /// The names that the steps change, with what lies there.
    fn files(&self) -> Vec<Option<Vec<u8>>> {
        let paths = ["P1/POPULATE.MSM", "POLD/POPULATE.MSM", "GLB/MASTER.GLB", "GLB/OLDMAST.GLB"];
        paths.map(|path| fs_err::read(self.live.path(path)).ok()).to_vec()
    }

    /// The second refuses to go on, names who else may be at work, and offers what only looks; so does its `check`.
    fn second_refuses(&self, code: &str, stage: &str) {
        let before = self.files();
        let fault = self.until(1, "open-p1").expect_err(stage);
        let checked = self.engine(1).check(false).expect("checked");
        for findings in [&fault.findings, &checked] {
            let told = findings.iter().find(|one| one.code == code).unwrap_or_else(|| panic!("{stage}: {findings:?}"));
            assert!(told.is_error() && told.remedy.contains("another campaign"), "{stage}: {told:?}");
        }
        let state = self.state(1);
        let safe = state.safe.iter().map(|(command, _)| command.as_str()).collect::<Vec<_>>();
        assert_eq!(safe, ["flagday check", "flagday status"], "{stage}");
        let steps = self.engine(1).steps().expect("told");
        let next = steps.iter().find(|step| step.state != "done").expect("one is open");
        let told = next.why.contains("no step of this campaign");
        assert!(told || code == "oldmast-exists", "{stage}: {}", next.why);
        assert_eq!(self.files(), before, "{stage}");
    }
}

#[test]
fn what_another_campaign_has_half_changed_is_left_alone_and_told() {
    for (same, evenings) in [(true, ["backup", "quiesce"]), (false, ["nothing", "quiesce"])] {
        let two = Two::new(same);
        two.until(0, "backup").expect("backed up");
        for ready in evenings {
            if ready != "nothing" {
                two.until(1, "backup").expect("backed up");
            }
            if ready == "quiesce" {
                two.engine(1).attest("quiesce", "Bob", "seen").expect("stated");
                two.until(1, "quiesce").expect("stopped");
            }
            two.engine(0).attest("quiesce", "Ann", "seen").expect("stated");
            for stage in ["close-p1", "retire-master", "install-master", "open-p1"] {
                two.until(0, stage).expect("the first goes on");
                let code = match (stage, ready) {
                    ("close-p1", _) | ("install-master", "nothing") => "p1-by-hand",
                    // Without a backup it may be of a change long ago.
                    ("open-p1", "nothing") => "oldmast-exists",
                    _ => "master-by-hand",
                };
                let case = format!("same {same}, the second has done {ready}, the first has done {stage}");
                two.second_refuses(code, &case);
                let serial = two.state(1).serial;
                assert_eq!(serial == Serial::Old, stage == "close-p1", "{case}: {serial:?}");
                if ready == "backup" {
                    two.engine(1).attest("quiesce", "Bob", "seen").expect_err(&case);
                }
            }
            two.engine(0).rollback(Some("backup")).expect("the first goes back");
            assert_eq!(two.state(1).serial, Serial::Old);
        }
        two.until(1, "close-p1").expect("the second begins");
    }
}
