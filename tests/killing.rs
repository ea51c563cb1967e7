//! Killed at any instant, the next run goes on where the files are: nothing is lost, nothing happens twice.

use crate::harness::{Campaign, FUTURE, kill, tree};
use std::collections::BTreeSet;
use std::time::Duration;

/// Every single point of every step is tried by `tests/sweep`; these fall where nobody chose.
const ROUNDS: usize = 10;

/// A campaign at one place, put back there before every round.
struct Rounds {
    campaign: Campaign,
    kept: std::path::PathBuf,
    dice: kill::Dice,
    /// A kill falls within what an uninterrupted run takes, and a little.
    longest: Duration,
    cut: usize,
}

impl Rounds {
    fn of(campaign: Campaign, line: &str, seed: u64) -> Rounds {
        let kept = campaign.root().with_file_name("kept");
        tree::copy(campaign.root(), &kept);
        let longest = kill::duration_of(|| {
            campaign.run(line);
        });
        Rounds { campaign, kept, dice: kill::Dice(seed), longest, cut: 0 }
    }

    /// Puts the campaign back and kills one run of the command; then a second one, now and then.
    fn kill(&mut self, line: &str) {
        fs_err::remove_dir_all(self.campaign.root()).expect("removed");
        tree::copy(&self.kept, self.campaign.root());
        self.kill_again(line);
    }

    fn kill_again(&mut self, line: &str) {
        for _ in 0..=self.dice.below(2) {
            let delay = Duration::from_micros(self.dice.below(self.longest.as_micros() as u64));
            self.cut += usize::from(kill::after(&self.campaign, line, delay));
        }
    }
}

/// Every message of the outbox folder by its Message-ID; two files with one ID fail.
fn message_ids(campaign: &Campaign) -> BTreeSet<String> {
    let outbox = campaign.outbox("");
    let ids: BTreeSet<String> = outbox
        .iter()
        .map(|path| {
            let bytes = fs_err::read(path).expect("a message");
            let message = mail_parser::MessageParser::default().parse(&bytes).expect("a whole message");
            message.message_id().expect("it has one").to_owned()
        })
        .collect();
    assert_eq!(ids.len(), outbox.len(), "one message, one file: {outbox:?}");
    ids
}

#[test]
fn a_sending_that_is_killed_sends_everything_once() {
    let campaign = Campaign::ready_in_memory();
    campaign.run("build").ends(0);
    let mut rounds = Rounds::of(campaign, "send local-change-date --yes", 2_047);
    for round in 0..ROUNDS {
        rounds.kill("send local-change-date --yes");
        let campaign = &rounds.campaign;
        let last = campaign.run("send local-change-date --yes");
        assert!([0, 3].contains(&last.code), "round {round}: {last}");
        let status = campaign.run("status --json").ends(0).json();
        let messages = &status["messages"];
        assert_eq!(messages["sent"], 28, "round {round}: {messages}\n{last}");
        assert_eq!(message_ids(campaign).len(), 28, "round {round}");
        let people: BTreeSet<_> =
            campaign.outbox("").iter().map(|path| path.file_name().expect("a name").to_owned()).collect();
        assert_eq!(people.len(), 28, "round {round}");
        campaign.run("audit verify").ends(0);
    }
    assert!(rounds.cut > ROUNDS / 3, "only {} runs were cut off: the kills come too late", rounds.cut);
}

/// Runs the cutover to its next stop, as often as it has to be run.
fn go_on(campaign: &Campaign, round: usize, stop: &str) {
    let run = campaign.run("cutover --yes");
    assert!(run.code == 3 && run.out.contains(stop), "round {round}: {run}");
}

#[test]
fn a_cutover_that_is_killed_before_the_change_goes_on() {
    let campaign = Campaign::ready_in_memory();
    campaign.run("build").ends(0);
    campaign.announce().answer();
    let before = tree::contents(&campaign.path("postoffice"));
    let mut rounds = Rounds::of(campaign, "cutover --yes", 10_411);
    for round in 0..ROUNDS {
        rounds.kill("cutover --yes");
        go_on(&rounds.campaign, round, "step quiesce needs a person");
        rounds.campaign.attest("quiesce");
        rounds.kill_again("cutover --yes");
        let campaign = &rounds.campaign;
        go_on(campaign, round, "step broadcast needs a person");
        let backup = campaign.backup();
        assert!(
            before.iter().all(|(path, bytes)| backup.get(path) == Some(bytes)),
            "round {round}: the backup is whole"
        );
        let mut closed = tree::contents(&campaign.path("postoffice"));
        closed = closed.into_iter().map(|(path, bytes)| (path.replacen("POLD/", "P1/", 1), bytes)).collect();
        assert_eq!(tree::differences(&before, &closed), [""; 0], "round {round}");
        assert!(campaign.path("postoffice/POLD").exists() && !campaign.path("postoffice/P1").exists());
        campaign.run("audit verify").ends(0);
    }
    assert!(rounds.cut > ROUNDS / 3, "only {} runs were cut off: the kills come too late", rounds.cut);
}

#[test]
fn a_change_that_is_killed_ends_right() {
    let campaign = Campaign::ready_in_memory();
    campaign.run("build").ends(0);
    campaign.announce().answer().close().drain();
    let before = tree::contents(&campaign.path("postoffice"));
    let staged = campaign.bytes("staged/GLB/MASTER.GLB");
    let mut rounds = Rounds::of(campaign, "cutover --yes", 20_977);
    for round in 0..ROUNDS {
        rounds.kill("cutover --yes");
        let campaign = &rounds.campaign;
        // Half of the rounds go back first.
        if round % 2 == 1 {
            campaign.run("cutover rollback --yes --to drain").ends(0);
            assert_eq!(campaign.bytes("postoffice/GLB/MASTER.GLB"), before["GLB/MASTER.GLB"], "round {round}");
            assert!(!campaign.path("postoffice/GLB/OLDMAST.GLB").exists(), "round {round}");
            // Where the run had come to open P1, the transports may have run.
            if campaign.step("quiesce") == "blocked" {
                campaign.attest("quiesce");
            }
        }
        go_on(campaign, round, "step restart needs a person");
        // The number can be read back only now that it is in force.
        rounds.campaign.attest("restart").read_back();
        rounds.kill_again("cutover --yes");
        let campaign = &rounds.campaign;
        let last = campaign.run("cutover --yes");
        assert_eq!(last.code, 0, "round {round}: {last}");
        let after = tree::contents(&campaign.path("postoffice"));
        assert_eq!(after["GLB/MASTER.GLB"], staged, "round {round}");
        assert_eq!(after["GLB/OLDMAST.GLB"], before["GLB/MASTER.GLB"], "round {round}");
        let mut changed = tree::differences(&before, &after);
        changed.retain(|path| !path.starts_with("P1/") && !path.starts_with("POLD/"));
        assert_eq!(changed, ["GLB/MASTER.GLB", "GLB/OLDMAST.GLB"], "round {round}");
        assert!(campaign.path("postoffice/P1").exists() && !campaign.path("postoffice/POLD").exists());
        assert_eq!(campaign.outbox("-all_clear-").len(), 45, "round {round}");
        assert_eq!(message_ids(campaign).len(), 90, "round {round}");
        campaign.run("audit verify").ends(0);
    }
    assert!(rounds.cut > ROUNDS / 3, "only {} runs were cut off: the kills come too late", rounds.cut);
}

#[test]
fn a_change_of_plan_that_is_killed_is_told_to_everybody_once() {
    for line in ["amend --yes", "amend --postpone --reason storm --yes", "abort --reason faulty --by Pat --yes"] {
        let campaign = Campaign::ready_in_memory().change_at(FUTURE);
        campaign.run("build").ends(0);
        campaign.run("send change-date --yes").ends(0).says("12 sent");
        campaign.run("send new-serial --yes").ends(0).says("5 sent");
        if line == "amend --yes" {
            campaign.edit(FUTURE, "2096-12-19T18:00:00").run("build").ends(0);
        }
        let told = campaign.outbox("");
        let mut rounds = Rounds::of(campaign, line, 2_096);
        for round in 0..ROUNDS / 2 {
            rounds.kill(line);
            let campaign = &rounds.campaign;
            campaign.run(line).ends(0);
            let letters = message_ids(campaign);
            let outbox = campaign.outbox("");
            let person = |path: &std::path::PathBuf| {
                path.file_name().and_then(|name| name.to_str()?.split('-').next()).expect("a person").to_owned()
            };
            let anew: BTreeSet<String> = outbox.iter().filter(|path| !told.contains(path)).map(person).collect();
            assert_eq!((outbox.len(), anew.len()), (34, 17), "round {round}: {line}");
            campaign.run(line);
            assert_eq!(message_ids(campaign), letters, "round {round}: nobody hears it twice");
            let status = campaign.run("status --json").ends(0).json();
            assert_eq!((&status["messages"]["planned"], &status["messages"]["sent"]), (&0.into(), &34.into()));
            campaign.run("audit verify").ends(0);
        }
        assert!(rounds.cut > 0, "{line}: the kills come too late");
    }
}
