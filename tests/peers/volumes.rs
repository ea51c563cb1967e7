//! Volumes as they are at night: full, read-only, immutable, somebody else's, another one. Each refusal comes before
//! anything is touched. The mounts live in a namespace of their own and go with it.

use crate::harness::{Files, Run, tree};
use crate::need::{CHATTR, Need, SETPRIV, trial};
use libtest_mimic::Trial;
use std::process::{Command, Stdio};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_full_volume_is_refused_before_anything_is_touched", &[Need::Mounts], full),
        trial("no_room_for_all_files_of_a_step_is_refused_before_the_first", &[Need::Mounts], full_for_all),
        trial("no_room_for_the_next_step_is_refused_before_this_one", &[Need::Mounts], full_ahead),
        trial("a_volume_without_room_for_names_is_refused", &[Need::Mounts], no_names_left),
        trial("a_backup_without_room_is_refused_before_it_begins", &[Need::Mounts], no_room_for_a_backup),
        trial("a_restore_without_room_is_refused_before_it_begins", &[Need::Mounts], no_room_for_a_restore),
        trial("another_volume_is_refused_for_a_rename_and_fine_for_a_copy", &[Need::Mounts], other_volume),
        trial("a_read_only_volume_is_refused", &[Need::Mounts], read_only),
        trial("immutable_files_and_folders_are_refused", &[Need::Mounts, CHATTR], immutable),
        trial("an_account_without_rights_is_refused", &[Need::Root, SETPRIV], no_rights),
        trial("a_rollback_without_rights_takes_nothing_back", &[Need::Root, SETPRIV], no_way_back),
        trial("a_copy_that_cannot_be_given_to_its_owner_is_refused_beforehand", &[Need::Root, SETPRIV], no_giving),
        trial("a_file_that_only_its_owner_may_move_is_left_alone", &[Need::Root, SETPRIV], sticky),
        trial("a_file_in_use_is_waited_for_with_a_counter", &[], in_use),
    ]
}

const RENAME: &str = "[[step]]\nname = \"move\"\nrename = { from = \"vol/A\", to = \"vol/B\" }";

/// Runs a script in a namespace of its own; `$1` is the campaign, `$2` the program.
fn apart(files: &Files, script: &str) -> Run {
    let mut command = assert_cmd::Command::new("unshare");
    command.args(["-m", "sh", "-euc", script, "sh"]).arg(files.root()).arg(env!("CARGO_BIN_EXE_flagday"));
    Run::of(command.current_dir(files.root()))
}

/// What the script listed last: the volume must be as it was.
fn untouched(run: &Run) {
    let (before, after) = run.out.split_once("--- after\n").expect("the script lists the volume twice");
    let before = before.split_once("--- before\n").expect("twice").1;
    assert_eq!(before.lines().next_back(), after.lines().next_back(), "{run}");
}

/// Lists the volume on one line, runs the cutover, lists it again.
const AROUND: &str = r#"
list() { echo "--- $1"; (cd vol && find . -type f -exec sha256sum {} + | sort | tr '\n' ' '); echo; }
list before; code=0; "$2" -C "$1" cutover --yes || code=$?; list after; exit $code
"#;

fn full() {
    let files = Files::with("[[step]]\nname = \"copy\"\ncopy = { from = \"BIG\", to = \"vol/BIG\" }");
    files.write("BIG", &"x".repeat(200_000));
    files.write("vol/here", "");
    let mount = "mount -t tmpfs -o size=240k none vol; head -c 100000 /dev/zero > vol/OTHER";
    let run = apart(&files, &format!("{mount}\n{AROUND}")).ends(1).refuses("space-short");
    untouched(&run);
}

fn full_for_all() {
    let files = Files::with(
        "[[step]]\nname = \"both\"\nreplace = [{ from = \"A\", to = \"vol/A\" }, { from = \"B\", to = \"vol/B\" }]",
    );
    files.write("vol/here", "");
    for (sizes, ends) in [((200_000, 180_000), 1), ((200_000, 80_000), 0)] {
        files.write("A", &"a".repeat(sizes.0));
        files.write("B", &"b".repeat(sizes.1));
        let mount = "mount -t tmpfs -o size=400k none vol; echo a > vol/A; echo b > vol/B";
        let run = apart(&files, &format!("{mount}\n{AROUND}")).ends(ends);
        if ends == 1 {
            untouched(&run.refuses("space-short"));
        }
    }
}

fn full_ahead() {
    let files =
        Files::with(&format!("{RENAME}\n[[step]]\nname = \"new\"\ncopy = {{ from = \"BIG\", to = \"vol/A\" }}"));
    files.write("BIG", &"x".repeat(200_000));
    files.write("vol/here", "");
    let mount = "mount -t tmpfs -o size=240k none vol; head -c 100000 /dev/zero > vol/OTHER; echo a > vol/A";
    let run = apart(&files, &format!("{mount}\n{AROUND}")).ends(1).refuses("space-short");
    let run = run.says("step new would be refused, and follows at once");
    untouched(&run.says("step move has not begun: nothing was touched"));
}

fn no_names_left() {
    let files = Files::with(RENAME);
    files.write("vol/here", "");
    let run = apart(&files, &format!("mount -t tmpfs -o nr_inodes=2 none vol; echo a > vol/A\n{AROUND}"));
    let run = run.ends(1).refuses("space-short").says("step move is not done: the files are again as before it");
    untouched(&run);
}

fn no_room_for_a_backup() {
    let files = Files::with("[[step]]\nname = \"keep\"\nbackup = { from = \"data\", to = \"vol/kept\" }");
    files.write("data/BIG", &"x".repeat(400_000));
    files.write("vol/here", "");
    let run = apart(&files, &format!("mount -t tmpfs -o size=300k none vol\n{AROUND}")).ends(1).refuses("space-short");
    untouched(&run);
}

fn no_room_for_a_restore() {
    let files = Files::with("[[step]]\nname = \"keep\"\nbackup = { from = \"data\", to = \"{state}/kept\" }");
    files.write("data/BIG", &"x".repeat(400_000));
    files.write("vol/here", "");
    files.run("cutover --yes").ends(0);
    let script = "mount -t tmpfs -o size=300k none vol\n\
                  code=0; \"$2\" -C \"$1\" cutover restore --from .flagday/kept/* --to vol || code=$?\n\
                  ls -A vol; exit $code";
    let run = apart(&files, script).ends(1).refuses("space-short");
    assert_eq!(run.out, "", "nothing was laid out: {run}");
}

fn other_volume() {
    let files = Files::with("[[step]]\nname = \"move\"\nrename = { from = \"A\", to = \"vol/B\" }");
    files.write("A", "a");
    files.write("vol/here", "");
    let run = apart(&files, &format!("mount -t tmpfs none vol\n{AROUND}")).ends(1).refuses("other-volume");
    untouched(&run);
    assert_eq!(fs_err::read(files.path("A")).expect("still there"), b"a");

    let files = Files::with("[[step]]\nname = \"copy\"\ncopy = { from = \"A\", to = \"vol/B\" }");
    files.write("A", "a");
    files.write("vol/here", "");
    apart(&files, "mount -t tmpfs none vol; \"$2\" -C \"$1\" cutover --yes; cmp A vol/B").ends(0);
}

fn read_only() {
    let files = Files::with(RENAME);
    files.write("vol/here", "");
    let mount = "mount -t tmpfs none vol; echo a > vol/A; mount -o remount,ro vol";
    let run = apart(&files, &format!("{mount}\n{AROUND}")).ends(1).refuses("no-right");
    untouched(&run);
}

fn immutable() {
    for (what, code) in [("vol/A", "read-only"), ("vol", "no-right")] {
        let files = Files::with(RENAME);
        files.write("vol/here", "");
        let mount = format!(
            "truncate -s 4M image; mkfs.ext4 -q image; mount -o loop image vol; echo a > vol/A; chattr +i {what}"
        );
        let run = apart(&files, &format!("{mount}\n{AROUND}")).ends(1).refuses(code);
        untouched(&run);
    }
}

/// Runs the cutover as somebody who has no rights but those that files give to all.
fn as_nobody(files: &Files, line: &str) -> Run {
    let mut command = assert_cmd::Command::new("setpriv");
    command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]).arg(env!("CARGO_BIN_EXE_flagday"));
    Run::of(command.arg("-C").arg(files.root()).args(line.split_whitespace()))
}

/// Everything but the folder `vol` belongs to nobody.
fn give_away(files: &Files) {
    let up = files.root().parent().expect("a folder");
    let give = "chmod 755 \"$1\"; chown -R 65534:65534 \"$2\"; chown -R 0:0 \"$2/vol\"";
    let status = Command::new("sh").args(["-euc", give, "sh"]).arg(up).arg(files.root()).status().expect("sh runs");
    assert!(status.success());
}

fn no_rights() {
    let files = Files::with(RENAME);
    files.write("vol/A", "a");
    give_away(&files);
    let before = tree::contents(&files.path("vol"));
    as_nobody(&files, "cutover --yes").ends(1).refuses("no-right").says("has not begun: nothing was touched");
    assert_eq!(tree::differences(&before, &tree::contents(&files.path("vol"))), [""; 0]);
}

/// One step could be taken back, and the one before it not.
fn no_way_back() {
    let files =
        Files::with(&format!("{RENAME}\n[[step]]\nname = \"open\"\nrename = {{ from = \"in/C\", to = \"in/D\" }}"));
    files.write("vol/A", "a");
    files.write("in/C", "c");
    give_away(&files);
    let rights =
        |mode| assert!(Command::new("chmod").arg(mode).arg(files.path("vol")).status().expect("runs").success());
    rights("777");
    as_nobody(&files, "cutover --yes").ends(0);
    rights("755");
    let run = as_nobody(&files, "cutover rollback --yes").ends(1).refuses("no-right").says("note[rollback-not-begun]");
    run.keeps_quiet_about("undone:");
    assert!(files.path("vol/B").exists() && files.path("in/D").exists(), "nothing was taken back");
    rights("777");
    as_nobody(&files, "cutover rollback --yes").ends(0).says("undone: open").says("undone: move");
}

fn no_giving() {
    let copy = "[[step]]\nname = \"new\"\ncopy = { from = \"NEW\", to = \"vol/A\", like = \"vol/B\" }";
    let files = Files::with(&format!("{RENAME}\n{copy}"));
    files.write("vol/A", "a");
    files.write("NEW", "new");
    give_away(&files);
    let theirs = |owner: &str| {
        let give = "chmod 777 \"$1\"; chmod 664 \"$1/A\"; chown $2 \"$1/A\"";
        let mut command = Command::new("sh");
        command.args(["-euc", give, "sh"]).arg(files.path("vol")).arg(owner);
        assert!(command.status().expect("sh runs").success());
    };
    let before = tree::contents(&files.path("vol"));
    theirs("65533:65534");
    let run = as_nobody(&files, "cutover --yes").ends(1).refuses("no-right").says("cannot give a file to them");
    run.says("step move has not begun: nothing was touched");
    assert_eq!(tree::differences(&before, &tree::contents(&files.path("vol"))), [""; 0]);
    theirs("65534:65534");
    as_nobody(&files, "cutover --yes").ends(0);
}

/// In a folder like /tmp everybody may create files and nobody may rename another's.
fn sticky() {
    let files = Files::with(RENAME);
    files.write("vol/A", "a");
    give_away(&files);
    assert!(Command::new("chmod").arg("1777").arg(files.path("vol")).status().expect("chmod runs").success());
    let before = tree::contents(&files.path("vol"));
    let run = as_nobody(&files, "cutover --yes").ends(1).refuses("no-right");
    run.says("the folder is sticky").says("step move has not begun: nothing was touched");
    assert_eq!(tree::differences(&before, &tree::contents(&files.path("vol"))), [""; 0]);
}

fn in_use() {
    let files = Files::with("[[step]]\nname = \"close\"\nrename = { from = \"P1\", to = \"POLD\" }");
    files.write("P1/SESSION.0LK", "x");
    let mut holder = held(&files, "P1/SESSION.0LK");
    let run = files.run("cutover --yes --wait 2");
    holder.kill().expect("ended");
    holder.wait().expect("ended");
    let run = run.ends(3).refuses("file-in-use").says("in use, 0 s of 2 s waited").says("in use, 2 s of 2 s waited");
    let run = run.says(&format!("sleep (process {}) has it open", holder.id()));
    run.says("has not begun: nothing was touched").says("`flagday cutover rollback`");
    files.run("cutover --yes").ends(0);
    assert!(files.path("POLD/SESSION.0LK").exists());

    // Taking it back waits in the same way.
    let mut holder = held(&files, "POLD/SESSION.0LK");
    let run = files.run("cutover rollback --yes --wait 1");
    holder.kill().expect("ended");
    holder.wait().expect("ended");
    let run = run.ends(3).refuses("file-in-use").says("in use, 0 s of 1 s waited").says("in use, 1 s of 1 s waited");
    run.says("step close is not taken back: nothing of it was touched");
    assert!(files.path("POLD/SESSION.0LK").exists() && !files.path("P1").exists());
    files.run("cutover rollback --yes").ends(0).says("undone: close");
    assert!(files.path("P1/SESSION.0LK").exists());
}

/// A program that has a file open, for a minute at most.
fn held(files: &Files, name: &str) -> std::process::Child {
    let (file, _) = fs_err::File::open(files.path(name)).expect("open").into_parts();
    Command::new("sleep").arg("60").stdin(Stdio::from(file)).spawn().expect("sleep runs")
}
