//! What somebody did by hand to P1, MASTER.GLB, OLDMAST.GLB or the campaign's folder in the middle of the evening: told as that,
//! with the way out, and nothing goes forward or back on it.

use crate::harness::{Campaign, tree};

#[test]
fn an_old_file_that_was_thrown_away_is_told_with_the_command_that_brings_it_back() {
    let campaign = Campaign::switched();
    let old = campaign.path("postoffice/GLB/OLDMAST.GLB");
    let before = fs_err::read(&old).expect("read");
    fs_err::remove_file(&old).expect("thrown away");
    let copy = campaign.backup_folder().join("tree/GLB/MASTER.GLB");
    let command = format!("`cp -p {} {}`", copy.display(), old.display());
    let asked = campaign.run("cutover --yes").ends(3).says("warning[oldmast-missing]").says(&command);
    asked
        .says("step restart needs a person")
        .says("no way back")
        .says("  flagday check ")
        .keeps_quiet_about("rollback --to");
    campaign.run("status").ends(0).says("Next: flagday check: it says how to put this right: OLDMAST.GLB is missing");
    campaign.run("check --offline").ends(1).refuses("oldmast-missing").says(&command);
    let refused = campaign.run("cutover rollback --to backup --yes").ends(1).refuses("oldmast-missing").says(&command);
    refused.says("no step was taken back").keeps_quiet_about("undone:").keeps_quiet_about("files-unclear");
    campaign.attest("restart").run("cutover --yes").ends(1).refuses("oldmast-missing").says(&command);
    assert!(campaign.path("postoffice/P1").exists(), "P1 stays open");

    fs_err::copy(&copy, &old).expect("brought back");
    campaign.run("cutover --yes").ends(3).keeps_quiet_about("oldmast-missing");
    campaign.run("cutover rollback --to backup --yes").ends(0).says("serial number 32-10411 is in force");
    assert_eq!(campaign.bytes("postoffice/GLB/MASTER.GLB"), before);
    campaign.run("status").ends(0).keeps_quiet_about("oldmast").keeps_quiet_about("flagday check");
}

#[test]
fn steps_made_by_hand_are_told_with_the_way_out_and_p1_is_not_opened_on_them() {
    let campaign = Campaign::answered();
    campaign.close();
    campaign.drain().run("cutover --yes --until drain").ends(0);
    let (master, old) = ("postoffice/GLB/MASTER.GLB", "postoffice/GLB/OLDMAST.GLB");
    let rename = |from, to| fs_err::rename(campaign.path(from), campaign.path(to)).expect("renamed");
    let led_astray = |run: crate::harness::Run| {
        let told = run.refuses("master-by-hand").says("OLDMAST.GLB").says("MASTER.GLB`");
        told.keeps_quiet_about("put it back from a backup").keeps_quiet_about("from an earlier change");
    };
    rename(master, old);
    let next = "Next: flagday check: it says how to put this right: MASTER.GLB was taken away";
    campaign.run("status").ends(0).says(next);
    for command in ["cutover --yes", "cutover rollback --to backup --yes", "check --offline"] {
        let run = campaign.run(command).ends(1);
        led_astray(run.says("nobody can sign in").keeps_quiet_about("stays in force"));
    }
    campaign.write(master, campaign.bytes("staged/GLB/MASTER.GLB"));
    let run = campaign.run("cutover --yes").ends(1).says("serial number 32-20977 is in force");
    led_astray(run.says("Safe now:\n  flagday check").keeps_quiet_about("cutover rollback"));
    led_astray(campaign.run("cutover rollback --to backup --yes").ends(1).keeps_quiet_about("stays in force"));
    assert!(campaign.path("postoffice/POLD").exists() && !campaign.path("postoffice/P1").exists());

    rename(master, ".flagday/MASTER.GLB.by-hand");
    rename(old, master);
    let back = campaign.run("cutover rollback --to backup --yes").ends(0);
    back.says("The old serial number stays in force").says("undone: close-p1");
}

#[test]
fn a_new_file_or_a_p1_put_there_by_hand_holds_everything_with_the_way_out() {
    let campaign = Campaign::answered();
    campaign.close();
    let (p1, pold) = ("postoffice/P1", "postoffice/POLD");
    let (master, old) = ("postoffice/GLB/MASTER.GLB", "postoffice/GLB/OLDMAST.GLB");
    let rename = |from, to| fs_err::rename(campaign.path(from), campaign.path(to)).expect("renamed");
    campaign.drain().run("cutover --yes --until retire-master").ends(0);
    let files = || tree::contents(&campaign.path("postoffice"));
    campaign.write(master, campaign.bytes("staged/GLB/MASTER.GLB"));
    let before = files();
    for command in ["cutover --yes", "cutover rollback --to backup --yes", "check --offline"] {
        let told = campaign.run(command).ends(1).refuses("master-by-hand").says(".flagday/MASTER.GLB.by-hand`");
        told.keeps_quiet_about("stays in force").keeps_quiet_about("nothing must take its place");
    }
    assert_eq!(files(), before);
    rename(master, ".flagday/MASTER.GLB.by-hand");
    rename(pold, p1);
    campaign.write("postoffice/P1/00000001.0LK", "");
    campaign.run("cutover --yes").ends(1).refuses("p1-by-hand").refuses("p1-mailbag-lock").says("POLD`");
    campaign
        .run("cutover rollback --to backup --yes")
        .ends(1)
        .refuses("p1-mailbag-lock")
        .says("no step was taken back");
    assert!(campaign.path(old).exists(), "no MASTER.GLB is changed under a session");
    campaign.run("check --offline").ends(1).refuses("p1-by-hand").keeps_quiet_about("run the step that closes P1");
    fs_err::remove_file(campaign.path("postoffice/P1/00000001.0LK")).expect("the session has ended");
    rename(p1, pold);
    campaign.run("cutover --yes").ends(3).says("done: open-p1");

    rename(p1, pold);
    campaign.run("cutover --yes").ends(1).refuses("p1-by-hand").says("once more").says("P1`");
    rename(pold, p1);
    rename(master, ".flagday/new");
    rename(old, master);
    campaign.run("status").ends(0);
}

#[test]
fn a_pold_beside_the_p1_in_use_is_the_stray_one() {
    let campaign = Campaign::answered();
    let (stray, kept) = (campaign.path("postoffice/POLD"), campaign.path(".flagday/POLD.by-hand"));
    let told = |command: &str| {
        let told = campaign.run(command).ends(1).refuses("p1-both").says("POLD is a stray").says("leave P1 and all");
        told.says("POLD.by-hand`").keeps_quiet_about("remove this P1").keeps_quiet_about("made P1 anew");
    };
    let state = || {
        let status = campaign.run("status").ends(0).says("P1 is the one in use, and POLD a stray");
        status.keeps_quiet_about("made P1 anew")
    };
    fs_err::create_dir(&stray).expect("of a change long ago");
    ["check --offline", "cutover --yes"].into_iter().for_each(told);
    state().says("Next: flagday check");
    fs_err::remove_dir(&stray).expect("away");
    campaign.close().drain().finish().ends(0);

    campaign.write("postoffice/P1/000003CB.P1", "an envelope");
    fs_err::create_dir(&stray).expect("made");
    ["check --offline", "cutover rollback --to backup --yes"].into_iter().for_each(told);
    state();
    // What is said is carried out, and nothing is lost by it.
    fs_err::rename(&stray, kept).expect("moved");
    campaign.run("check --offline").ends(0);
    assert!(campaign.path("postoffice/P1/000003CB.P1").exists());
}

#[test]
fn a_file_that_is_refused_is_not_called_missing() {
    let campaign = Campaign::answered();
    campaign.close();
    campaign.drain();
    let (master, away) = (campaign.path("postoffice/GLB/MASTER.GLB"), campaign.path("elsewhere.glb"));
    fs_err::rename(&master, &away).expect("away");
    std::os::unix::fs::symlink(&away, &master).expect("a link");
    let run = campaign.run("cutover --yes").ends(1).refuses("link-refused");
    run.keeps_quiet_about("was taken away").keeps_quiet_about("nobody can sign in").says("cannot be looked at");
    campaign
        .run("cutover rollback --to backup --yes")
        .ends(1)
        .refuses("master-unseen")
        .keeps_quiet_about("was taken away");
    assert!(!campaign.path("postoffice/GLB/OLDMAST.GLB").exists());
}

#[test]
fn a_stray_entry_beside_it_hides_no_new_file_put_there_by_hand() {
    let campaign = Campaign::answered();
    campaign.close();
    campaign.drain();
    let (master, old) = (campaign.path("postoffice/GLB/MASTER.GLB"), campaign.path("postoffice/GLB/OLDMAST.GLB"));
    fs_err::rename(&master, &old).expect("away");
    fs_err::copy(campaign.path("staged/GLB/MASTER.GLB"), &master).expect("put there");
    std::os::unix::fs::symlink(&old, campaign.path("postoffice/GLB/stray")).expect("a link");
    campaign.run("cutover rollback --to backup --yes").ends(1).refuses("master-by-hand");
    let off = ["abort", "--reason", "no", "--by", "Pat", "--as-it-stands", "--yes"];
    campaign
        .run_words(&off)
        .ends(1)
        .refuses("master-by-hand")
        .says("nobody is told that the change does not take place");
    assert!(campaign.outbox("-abort-").is_empty());
    fs_err::rename(&master, campaign.path("away")).expect("away");
    std::os::unix::fs::symlink(campaign.path("away"), &master).expect("a link");
    campaign.run("cutover rollback --to backup --yes").ends(1).refuses("master-unseen");
    assert!(campaign.path("postoffice/POLD").exists() && !campaign.path("postoffice/P1").exists());
}

#[test]
fn a_staged_folder_that_is_gone_is_told_as_that_on_the_way_back() {
    let campaign = Campaign::answered();
    campaign.close();
    fs_err::rename(campaign.path("staged"), campaign.path("away")).expect("away");
    campaign.run("cutover rollback --to backup --yes").ends(0).says("undone: close-p1");
    let whole = campaign.run("cutover rollback --yes").ends(1).says("staged");
    whole.keeps_quiet_about("has other places now");
}

#[test]
fn a_campaign_that_was_moved_takes_back_nothing_of_another_place() {
    let mut campaign = Campaign::answered();
    campaign.close();
    let old = campaign.root().to_owned();
    let new = old.with_file_name("moved");
    tree::copy(&old, &new);
    campaign.move_to(new);
    campaign.run("status").ends(1).refuses("state-elsewhere").says("move it back");
    let home = format!("{}\n", campaign.path(".flagday").display());
    campaign.write(".flagday/home", home);
    campaign
        .run("cutover rollback --to backup --yes")
        .ends(1)
        .refuses("other-place")
        .says("move the campaign's folder back");
    assert!(old.join("postoffice/POLD").exists() && campaign.path("postoffice/POLD").exists(), "neither was touched");
}
