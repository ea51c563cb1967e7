//! A change put off, moved or called off, killed or failed at its system calls and asked for again: everybody who has to
//! hear of it does, once, and nobody else; steps that were to be taken back are.

use crate::harness::letter::Letter;
use crate::harness::{Campaign, FUTURE, PAST};
use crate::need::{MTOOLS, PYTHON, STRACE, trial};
use crate::strace::Fault;
use crate::sweep::{Hit, Judge, Sweep, few, shown, sweep};
use crate::whole::Whole;
use libtest_mimic::Trial;
use serde_json::Value;
use std::collections::BTreeMap;

pub fn trials() -> Vec<Trial> {
    let needs = [STRACE, PYTHON, MTOOLS];
    vec![
        trial("killed_at_its_system_calls_a_change_of_plan_is_told_to_everybody_once", &needs, || {
            sweep(&[Fault::Kill], 40, told, changes);
        }),
        trial("failing_at_its_system_calls_a_change_of_plan_is_told_to_everybody_once", &needs, || {
            sweep(&Fault::ERRORS, 40, told, changes);
        }),
    ]
}

/// Remote users and neighbours were told; one step is done; one has answered.
fn told() -> Campaign {
    let campaign = few();
    campaign.run("build").ends(0);
    campaign.run("cutover --yes").ends(3);
    campaign.attest("attest-staged").run("cutover --yes --until copy-access").ends(0);
    campaign.disks_of_today();
    campaign.edit(PAST, FUTURE).run("build").ends(0);
    campaign.run("send change-date --yes").ends(0).says("3 sent");
    campaign.run("send new-serial --yes").ends(0).says("2 sent");
    campaign.run(&format!("ack record CARTER --by Pat --note phone --code {}", campaign.code("CARTER"))).ends(0);
    campaign
}

/// Each from the same beginning.
fn changes(sweep: &mut Sweep) {
    let lines = [
        ("postpone", "amend --postpone --reason storm --yes"),
        ("abort", "abort --reason faulty --by Pat --rollback --yes"),
        ("amend", "amend --yes"),
    ];
    for (name, line) in lines {
        if name == "amend" {
            sweep.campaign.edit(FUTURE, "2096-12-19T18:00:00").run("build").ends(0);
        }
        if !sweep.wish.has(name) {
            continue;
        }
        let before = State::of(&sweep.campaign);
        let calls = sweep.undisturbed(line);
        let judge = Told { before, after: State::of(&sweep.campaign) };
        assert!(judge.after.letters.values().sum::<usize>() >= 10, "{line}: {:?}", judge.after.letters);
        sweep.points(line, &calls, sweep.wish.share(1, lines.len()), &judge);
    }
}

/// What is known of a campaign once nothing is in hand any more.
#[derive(Debug, PartialEq)]
struct State {
    /// How many letters about one notice are in the outbox for one person.
    letters: BTreeMap<String, usize>,
    revision: Value,
    phase: Value,
    trees: Whole,
}

impl State {
    fn of(campaign: &Campaign) -> State {
        let status = campaign.run("status --json").ends(0).json();
        State {
            letters: letters(campaign).expect("letters"),
            revision: status["revision"].clone(),
            phase: status["phase"].clone(),
            trees: Whole::of(campaign.root(), &["postoffice", "staged"]),
        }
    }
}

/// The letters there are, each of them whole and no two of them the same.
fn letters(campaign: &Campaign) -> Result<BTreeMap<String, usize>, String> {
    let (mut counts, mut ids) = (BTreeMap::new(), Vec::new());
    for path in campaign.outbox("") {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let (whose, _) = name.rsplit_once('-').expect("person-notice-hash");
        *counts.entry(whose.to_owned()).or_default() += 1;
        ids.push(Letter::read(&path).id);
    }
    let all = ids.len();
    ids.sort();
    ids.dedup();
    if ids.len() == all { Ok(counts) } else { Err(format!("{} letters share a Message-ID", all - ids.len())) }
}

struct Told {
    before: State,
    after: State,
}

impl Judge for Told {
    fn at_once(&self, sweep: &Sweep, hit: &Hit<'_>) -> Result<(), String> {
        match (hit.fault, hit.output.status.code()) {
            (Fault::Kill, _) | (Fault::Error(_), Some(0 | 1 | 3 | 4 | 5 | 127)) => {}
            _ => return Err(format!("ended with {:?}: {}", hit.output.status, shown(hit.output))),
        }
        let there = letters(&sweep.campaign)?;
        for (whose, count) in &there {
            let least = self.before.letters.get(whose).copied().unwrap_or(0);
            let most = self.after.letters.get(whose).copied().unwrap_or(0);
            if !(least..=most).contains(count) {
                return Err(format!("{whose} has {count} letters, and {most} are right"));
            }
        }
        Whole::of(sweep.campaign.root(), &["postoffice", "staged"]).holds(&self.before.trees)
    }

    /// Asked for once more it is whole, and once more again it is nothing.
    fn later(&self, sweep: &Sweep, hit: &Hit<'_>) -> Result<(), String> {
        for when in ["gone on", "asked for again"] {
            let run = sweep.campaign.run(hit.line);
            if ![0, 3].contains(&run.code) {
                return Err(format!("{when}: {run}"));
            }
            // A letter whose package could not be read has failed, is counted, and goes out when that is asked for.
            if sweep.campaign.run("status --json").json()["messages"]["failed"] != 0 {
                sweep.ends_well("send --to failed --yes")?;
            }
            let there = State::of(&sweep.campaign);
            if there.letters != self.after.letters {
                return Err(format!("{when}: letters {:?}, not {:?}; {run}", there.letters, self.after.letters));
            }
            let differences = there.trees.differences(&self.after.trees);
            if !differences.is_empty() {
                return Err(format!("{when}: {}", differences.join("; ")));
            }
            if there != self.after {
                return Err(format!("{when}: revision {}, {}; {run}", there.revision, there.phase));
            }
        }
        sweep.ends_well("audit verify").map(drop)
    }
}
