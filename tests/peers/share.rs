//! The cutover with its postoffice on a network share that `FLAGDAY_SHARE` names: `tests/share` makes one. Not among the
//! tests where none is named.

use crate::harness::{Campaign, kill, tree};
use crate::need::{MTOOLS, Need, PYTHON, command, trial};
use crate::sweep::few;
use libtest_mimic::Trial;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub fn trials() -> Vec<Trial> {
    let Some(share) = std::env::var_os("FLAGDAY_SHARE").map(PathBuf::from) else { return Vec::new() };
    let needs = [Need::Mounts, PYTHON, MTOOLS];
    let there = share.clone();
    vec![
        trial("a_cutover_on_a_network_share_is_killed_and_goes_on", &needs, move || cutover(&there)),
        trial("small_letters_on_a_network_share_find_their_way_back", &needs, move || small_letters(&share)),
    ]
}

/// How often each stretch of the cutover is cut off before it may go on to its end.
const KILLS: usize = 6;

fn cutover(share: &Path) {
    let campaign = few();
    let there = share.join("HQ");
    copy_bytes(&campaign.path("postoffice"), &there);
    let _mount = Mount::of(&there, &campaign.path("postoffice"));
    let mut dice = kill::Dice(445);
    let before = tree::contents(&campaign.path("postoffice"));

    campaign.run("build").ends(0);
    campaign.announce().answer();
    cut_off(&campaign, "cutover --yes", &mut dice);
    campaign.run("cutover --yes").ends(3).says("step quiesce needs a person");
    assert_eq!(tree::differences(&before, &campaign.backup()), [""; 0], "the backup holds the share");
    campaign.attest("quiesce");
    cut_off(&campaign, "cutover --yes", &mut dice);
    campaign.run("cutover --yes").ends(3).says("step broadcast needs a person");
    assert!(campaign.path("postoffice/POLD").is_dir() && !campaign.path("postoffice/P1").exists());
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked");
    campaign.drain();
    let drained = tree::contents(&campaign.path("postoffice"));
    let staged = campaign.bytes("staged/GLB/MASTER.GLB");
    in_use(&campaign);

    cut_off(&campaign, "cutover --yes", &mut dice);
    campaign.run("cutover --yes").ends(3).says("step restart needs a person");
    assert_eq!(campaign.bytes("postoffice/GLB/MASTER.GLB"), staged);
    cut_off(&campaign, "cutover rollback --yes --to drain", &mut dice);
    campaign.run("cutover rollback --yes --to drain").ends(0);
    let back = tree::contents(&campaign.path("postoffice"));
    assert_eq!(tree::differences(&drained, &back), [""; 0], "as it was before the swap");

    campaign.attest("quiesce").finish().ends(0).says("every step is done");
    let after = tree::contents(&campaign.path("postoffice"));
    assert_eq!((&after["GLB/MASTER.GLB"], &after["GLB/OLDMAST.GLB"]), (&staged, &before["GLB/MASTER.GLB"]));
    assert!(after.contains_key("P1/POPULATE.MSM") && !campaign.path("postoffice/POLD").exists());
    let leftovers: Vec<_> = after.keys().filter(|name| name.contains("/FD")).collect();
    assert!(leftovers.is_empty(), "{leftovers:?}");
    campaign.run("audit verify").ends(0);
}

/// The server takes `master.glb` and MASTER.GLB for one file.
fn small_letters(share: &Path) {
    let campaign = few();
    let there = share.join("SMALL");
    copy_bytes(&campaign.path("postoffice"), &there);
    for (name, small) in [("P1", "p1"), ("GLB/MASTER.GLB", "GLB/master.glb")] {
        fs_err::rename(there.join(name), there.join("between")).expect("away");
        fs_err::rename(there.join("between"), there.join(small)).expect("back");
    }
    let _mount = Mount::of(&there, &campaign.path("postoffice"));
    campaign.run("build").ends(0);
    campaign.announce().answer().close();
    campaign.drain();
    let drained = tree::contents(&campaign.path("postoffice"));
    assert!(drained.contains_key("GLB/master.glb") && !drained.contains_key("GLB/MASTER.GLB"));
    campaign.run("cutover --yes").ends(3).says("step restart needs a person");
    assert!(tree::contents(&campaign.path("postoffice")).contains_key("GLB/MASTER.GLB"));
    campaign.run("cutover rollback --yes --to drain").ends(0);
    let back = tree::contents(&campaign.path("postoffice"));
    assert_eq!(tree::differences(&drained, &back), [""; 0], "as it was before the swap, in its letters");
    campaign.run("cutover rollback --yes --to backup").ends(0);
    assert!(tree::contents(&campaign.path("postoffice")).contains_key("p1/POPULATE.MSM"));
}

/// Another client has MASTER.GLB open and does not share its name: the server says so, and it is waited for.
fn in_use(campaign: &Campaign) {
    let before = tree::contents(&campaign.path("postoffice"));
    let mut client = command("timeout");
    client
        .args(["60", "stdbuf", "-oL", "smbclient", "-N", "//127.0.0.1/share"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut client = client.spawn().expect("smbclient runs");
    writeln!(client.stdin.as_mut().expect("its orders"), r"open HQ\GLB\MASTER.GLB").expect("told");
    let said = BufReader::new(client.stdout.take().expect("its words")).lines();
    assert!(said.map_while(Result::ok).any(|line| line.contains("for read/write")), "the client has opened it");
    let run = campaign.run("cutover --yes --wait 2 --until retire-master");
    drop(client.stdin.take());
    client.wait().expect("it ends with its orders");
    run.ends(3).refuses("file-in-use").says("in use, 2 s of 2 s waited");
    assert_eq!(tree::differences(&before, &tree::contents(&campaign.path("postoffice"))), [""; 0]);
}

/// Cuts the same run off again and again, a little later each time.
fn cut_off(campaign: &Campaign, line: &str, dice: &mut kill::Dice) {
    for nth in 1..=KILLS as u64 {
        kill::after(campaign, line, Duration::from_millis(dice.below(200 * nth)));
    }
}

/// The bytes alone: not every share takes modes.
fn copy_bytes(from: &Path, to: &Path) {
    for (name, bytes) in tree::contents(from) {
        let target = to.join(&name);
        match name.ends_with('/') {
            true => fs_err::create_dir_all(target).expect("a folder"),
            false => {
                fs_err::create_dir_all(target.parent().expect("above")).expect("a folder");
                fs_err::write(target, bytes).expect("written");
            }
        }
    }
}

/// The share's folder where the campaign has its postoffice; taken away again.
struct Mount(PathBuf);

impl Mount {
    fn of(what: &Path, place: &Path) -> Mount {
        let done = Command::new("mount").arg("--bind").arg(what).arg(place).status().expect("mount runs");
        assert!(done.success(), "{} is there", place.display());
        Mount(place.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(&self.0).status().expect("umount runs");
    }
}
