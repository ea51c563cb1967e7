//! Thousands of messages: the sending is killed again and again, or its disk fills up. Nobody is missed, and nobody is told
//! twice but where nobody could know.

use crate::harness::{Campaign, kill};
use crate::need::{Need, SMTP_SINK, trial};
use crate::sink::Sink;
use libtest_mimic::Trial;
use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const PEOPLE: usize = 10_000;
const CONNECTIONS: usize = 4;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_sending_that_is_killed_again_and_again_misses_nobody", &[SMTP_SINK], killed),
        trial("a_disk_that_fills_up_stops_the_sending_and_loses_nothing", &[SMTP_SINK, Need::Mounts], starved),
    ]
}

/// How often the sink took each message, by Message-ID; copies of one must be the very same bytes.
fn copies(sink: &Sink) -> HashMap<String, usize> {
    let mut bodies: HashMap<String, (String, usize)> = HashMap::new();
    for message in sink.messages() {
        // What the sink itself puts on top ends with its Received line.
        let (_, ours) = message.split_once("From: ").expect("a header of ours");
        let id = ours.lines().find_map(|line| line.strip_prefix("Message-ID: ")).expect("a Message-ID").to_owned();
        let entry = bodies.entry(id).or_insert_with(|| (ours.to_owned(), 0));
        assert_eq!(entry.0, ours, "a second copy differs from the first");
        entry.1 += 1;
    }
    bodies.into_iter().map(|(id, (_, count))| (id, count)).collect()
}

fn counts(campaign: &Campaign) -> (usize, usize) {
    let status = campaign.run("status --json").ends(0).json();
    let count = |state: &str| status["messages"][state].as_u64().expect("a count") as usize;
    (count("sent"), count("uncertain"))
}

fn killed() {
    let sink = Sink::start(&[]);
    let campaign = Campaign::crowd(PEOPLE, &format!("smtp://127.0.0.1:{}", sink.port));
    let mut dice = kill::Dice(10_000);
    let mut kills = 0;
    loop {
        let enough = sink.count() + 100 + dice.below(500) as usize;
        if !kill::when(&campaign, "send move --yes", || sink.count() >= enough) {
            break;
        }
        kills += 1;
    }
    assert!(kills > 10, "only {kills} runs were cut off: the sending is too fast for this test");
    let (sent, uncertain) = counts(&campaign);
    assert_eq!(sent + uncertain, PEOPLE, "after {kills} kills");
    assert!(uncertain <= kills * CONNECTIONS, "{uncertain} in doubt after {kills} kills");
    let before = copies(&sink);
    assert!(before.values().all(|copies| *copies == 1), "nothing was sent twice");
    assert!((sent..=PEOPLE).contains(&before.len()), "{} taken, {sent} counted as sent", before.len());
    campaign.run("audit verify").ends(0);
    // A delivery report could still come.
    campaign.run("send --to failed --yes");
    assert_eq!(counts(&campaign), (sent, uncertain));
    let ledger = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger");
    let an_hour = "UPDATE message SET settled_at = settled_at - 3600000 WHERE state = 'uncertain'";
    assert_eq!(ledger.execute(an_hour, ()).expect("an hour later"), uncertain);
    drop(ledger);
    // A person decides that what is in doubt goes out once more.
    campaign.run("send --to failed --yes");
    assert_eq!(counts(&campaign), (PEOPLE, 0));
    let after = copies(&sink);
    assert_eq!(after.len(), PEOPLE, "everybody has it");
    assert!(after.values().filter(|copies| **copies > 1).count() <= uncertain && after.values().all(|n| *n <= 2));
}

fn starved() {
    const PEOPLE: usize = 1_000;
    let (mut stopped, mut in_the_midst) = (0, 0);
    // Full while planning, while sending, or not at all.
    for size in ["300k", "700k", "1500k", "2500k", "4m", "6m", "9m"] {
        let sink = Sink::start(&[]);
        let disk = SmallDisk::new("64m");
        let campaign =
            Campaign::crowd_in(&disk.path().join("campaign"), PEOPLE, &format!("smtp://127.0.0.1:{}", sink.port));
        if !disk.resize(size) {
            continue; // the rosters alone are larger
        }
        let run = campaign.run("send move --yes");
        if run.code != 0 {
            stopped += 1;
            assert!(run.code == 1 && run.err.contains("free space"), "{size}: {run}");
        }
        assert!(disk.resize("64m"), "a larger disk");
        if run.code != 0 {
            let said = run.err.lines().find_map(|line| line.strip_prefix("Before it was broken off: "));
            let said =
                said.map_or(0, |counts| counts.split_once(" sent, ").expect("counts").0.parse().expect("a number"));
            assert_eq!(said, counts(&campaign).0, "{size}: {run}");
            in_the_midst += usize::from(said > 0);
        }
        campaign.run("send move --yes");
        let (sent, uncertain) = counts(&campaign);
        assert_eq!(sent + uncertain, PEOPLE, "{size}");
        assert!(uncertain <= CONNECTIONS, "{size}: {uncertain} in doubt");
        let taken = copies(&sink);
        assert!((sent..=PEOPLE).contains(&taken.len()) && taken.values().all(|copies| *copies == 1), "{size}");
        campaign.run("audit verify").ends(0);
    }
    assert!(stopped > 2, "only {stopped} runs met a full disk");
    assert!(in_the_midst > 0, "none of {stopped} runs met it while sending");
}

/// A file system of a given size, gone when dropped.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn new(size: &str) -> SmallDisk {
        let folder = TempDir::new().expect("a temporary folder");
        assert!(mount(&format!("size={size}"), folder.path()), "this test needs mounts");
        SmallDisk(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// False where more stands on it already.
    fn resize(&self, size: &str) -> bool {
        mount(&format!("remount,size={size}"), self.path())
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        Command::new("umount").arg("--lazy").arg(self.path()).stderr(Stdio::null()).status().ok(); // nothing more can be done
    }
}

fn mount(options: &str, folder: &Path) -> bool {
    let mut mount = Command::new("mount");
    mount.args(["-t", "tmpfs", "-o", options, "flagday-test"]).arg(folder).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}
