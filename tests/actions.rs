//! Every action stands in any step of a campaign file, without a playbook: done, gone back on, done again.

use crate::harness::{Files, tree};

const STEPS: &str = r#"
[[step]]
name = "keep"
backup = { from = "data", to = "{state}/kept" }

[[step]]
name = "agree"
attest = "Everybody agreed."

[[step]]
name = "retire"
rename = { from = "data/server.crt", to = "data/server.old" }

[[step]]
name = "install"
copy = { from = "new/server.crt", to = "data/server.crt" }

[[step]]
name = "settings"
replace = [{ from = "new/vpn.conf", to = "data/vpn.conf" }, { from = "new/dns.conf", to = "data/dns.conf" }]

[[step]]
name = "reload"
shell = { run = ["sh", "-c", "cp data/vpn.conf running"], undo = ["rm", "running"] }

[[step]]
name = "tell"
notice = ["told"]

[[step]]
name = "rest"
wait = "T+1d 09:00"
"#;

fn campaign() -> Files {
    let files = Files::with(STEPS);
    for (name, text) in [
        ("data/server.crt", "old certificate"),
        ("data/vpn.conf", "old settings"),
        ("data/dns.conf", "old names"),
        ("new/server.crt", "new certificate"),
        ("new/vpn.conf", "new settings"),
        ("new/dns.conf", "new names"),
    ] {
        files.write(name, text);
    }
    files
}

#[test]
fn every_action_stands_in_any_step() {
    let files = campaign();
    files.run("check").ends(0);
    let before = tree::contents(&files.path("data"));
    files.run("cutover --yes").ends(3).says("step agree needs a person");
    files.run("cutover attest agree --by Pat --note yes").ends(0);
    files.run("cutover --yes").ends(0).says("every step is done");
    let after = tree::contents(&files.path("data"));
    let bytes = |name: &str| after[name].as_slice();
    assert_eq!(bytes("server.old"), b"old certificate");
    assert_eq!(bytes("server.crt"), b"new certificate");
    assert_eq!((bytes("vpn.conf"), bytes("dns.conf")), (&b"new settings"[..], &b"new names"[..]));
    assert_eq!(fs_err::read(files.path("running")).expect("it ran"), b"new settings");

    let back = files.run("cutover rollback --yes --to agree").ends(0);
    let undone: Vec<&str> = back.out.lines().filter_map(|line| line.strip_prefix("undone: ")).collect();
    assert_eq!(undone, ["rest", "tell", "reload", "settings", "install", "retire"]);
    assert_eq!(tree::differences(&before, &tree::contents(&files.path("data"))), [""; 0]);
    assert!(!files.path("running").exists());
    files.run("cutover --yes").ends(0);
    assert_eq!(tree::differences(&after, &tree::contents(&files.path("data"))), [""; 0]);
    files.run("audit verify").ends(0);
}

#[test]
fn a_dry_run_tells_what_each_action_does_and_how_it_is_undone() {
    let files = campaign();
    let before = tree::contents(files.root());
    let run = files.run("cutover --dry-run").ends(0);
    for line in [
        "copy the whole tree",
        "its undo: nothing; a backup is never removed",
        "its undo: rename it back",
        "its undo: remove the copy; its content is kept in",
        "its undo: put the old content back",
        r#"its undo: ["rm", "running"]"#,
        "its undo: nothing; what people were told stays told",
    ] {
        assert!(run.out.contains(line), "{line:?} is missing\n{run}");
    }
    let mut after = tree::contents(files.root());
    after.retain(|name, _| !name.starts_with(".flagday"));
    assert_eq!(tree::differences(&before, &after), [""; 0]);
}

#[test]
fn a_refused_step_says_where_everything_stands_and_what_is_safe() {
    let files = campaign();
    files.write("data/server.old", "somebody's");
    files.run("cutover --yes").ends(3);
    files.run("cutover attest agree --by Pat --note yes").ends(0);
    let run = files.run("cutover --yes").ends(1).refuses("both-exist").says("has not begun: nothing was touched");
    assert!(run.err.contains("`flagday cutover`") && run.err.contains("`flagday cutover rollback`"), "{run}");
}

#[test]
fn a_file_that_is_missing_only_on_the_way_back_is_told_as_that() {
    let files = campaign();
    files.run("cutover --yes").ends(3);
    files.run("cutover attest agree --by Pat --note yes").ends(0);
    files.run("cutover --yes").ends(0);
    fs_err::remove_file(files.path("data/server.old")).expect("thrown away");
    let refused = files.run("cutover rollback --yes --to agree").ends(1).refuses("files-unclear");
    refused
        .says("so it would be once the steps behind it were taken back, not now")
        .says("A backup that a step has made");
    assert_eq!(
        fs_err::read(files.path("data/server.crt")).expect("read"),
        b"new certificate",
        "nothing was taken back"
    );
}

#[test]
fn what_is_done_is_told_as_done_and_a_folder_that_is_no_backup_with_those_that_are() {
    let files = campaign();
    files.run("cutover --yes").ends(3);
    let run = files.run("cutover --dry-run").ends(0).says("keep (done)\n").keeps_quiet_about("copy the whole tree");
    run.says("its undo: rename it back");
    let restore = |from: &str| {
        let (from, to) = (files.path(from), files.path("restored"));
        files.run(&format!("cutover restore --from {} --to {}", from.display(), to.display()))
    };
    let mut kept = fs_err::read_dir(files.path(".flagday/kept")).expect("listed");
    let backup = kept.next().expect("a backup").expect("listed").path();
    let (above, known) = (".flagday/kept", format!("name the folder of one backup: {}", backup.display()));
    restore(above).ends(1).refuses("no-backup").says(&known);
    restore(&format!("{above}/2026-01-01")).ends(1).refuses("no-backup").says(&known);
    restore("data").ends(1).refuses("no-backup").says("there is none here");
    assert!(!files.path("restored").exists());

    // A file and its line, cut out together.
    let manifest = backup.join("manifest.ndjson");
    let list = fs_err::read_to_string(&manifest).expect("a list");
    let gone = list.lines().find(|line| line.contains("\"file\"")).expect("a file");
    fs_err::write(&manifest, list.replacen(&format!("{gone}\n"), "", 1)).expect("written");
    restore(&backup.display().to_string()).ends(1).says("lists other files than its last line counts");
}

#[test]
fn what_a_step_did_under_an_absolute_path_is_taken_back() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let at = |name: &str| elsewhere.path().join(name).display().to_string();
    let files =
        Files::with(&format!("[[step]]\nname = \"put\"\nrename = {{ from = \"{}\", to = \"{}\" }}", at("a"), at("b")));
    fs_err::write(at("a"), "a").expect("written");
    files.run("cutover --yes").ends(0);
    files.run("cutover rollback --yes").ends(0).says("undone: put");
    assert!(elsewhere.path().join("a").exists());
}
