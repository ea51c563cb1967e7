//! A command tried at its system calls: the campaign is put back, the command runs with one call cut off or failed, and
//! what it has left is judged. Then the next call.
//!
//! A part of the points is tried each time, the same ones on every machine with the same calls.
//! `FLAGDAY_SWEEP=5000` tries so many, `changing` every call that may change a file, `every` every call there is;
//! `tests/sweep` does that and shows its progress.

use crate::harness::{Campaign, Run};
use crate::strace::{self, Call, Fault};
use crate::whole::{self, Whole};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::process::{Command, Output};

/// One of each kind: every place where a person's mail can be, a disk that was wrong, one with a script, a neighbour in
/// this network and one in another.
const FEW: [&str; 10] =
    ["ADMIN", "MORGAN", "TANAKA", "HANSEN", "REYES", "LINDBERG", "CARTER", "MWANGI", "DENVER", "HARBOR"];

/// How much is tried.
#[derive(Debug, Clone)]
pub struct Wish {
    /// None: every point.
    sample: Option<usize>,
    every: bool,
    /// One step, or the command of that name.
    only: Option<String>,
    /// A whole sweep has its points shared out, each part with a campaign of its own.
    parts: usize,
}

impl Wish {
    pub fn or(sample: usize) -> Wish {
        let wish = std::env::var("FLAGDAY_SWEEP").unwrap_or_default();
        let sample = match wish.as_str() {
            "" => Some(sample),
            "changing" | "every" => None,
            number => Some(number.parse().expect("FLAGDAY_SWEEP is a number, `changing` or `every`")),
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let parts = if sample.is_some() { 1 } else { cores };
        Wish { sample, every: wish == "every", only: std::env::var("FLAGDAY_SWEEP_STEP").ok(), parts }
    }

    /// Whether this is among what was asked for.
    pub fn has(&self, step: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == step)
    }

    /// So many points of a whole, of which it is a share.
    pub fn share(&self, share: usize, of: usize) -> Option<usize> {
        self.sample.map(|sample| sample * share / of)
    }
}

/// A small sample.
pub fn few() -> Campaign {
    Campaign::few_in_memory(&FEW)
}

/// What a sweep was like.
#[derive(Debug, Default)]
struct Outcome {
    commands: usize,
    points: usize,
    /// Points whose state had been gone on from before.
    known: usize,
    failures: Vec<String>,
}

/// One point that was tried.
pub struct Hit<'h> {
    pub line: &'h str,
    pub fault: Fault,
    /// Where it goes on to; every other point goes back.
    pub forward: bool,
    pub output: &'h Output,
}

/// What has to hold after a hit.
pub trait Judge {
    fn at_once(&self, sweep: &Sweep, hit: &Hit<'_>) -> Result<(), String>;
    fn later(&self, sweep: &Sweep, hit: &Hit<'_>) -> Result<(), String>;
}

pub struct Sweep {
    pub campaign: Campaign,
    pub wish: Wish,
    pub faults: &'static [Fault],
    /// The campaign as it was before the command.
    kept: PathBuf,
    part: usize,
    outcome: Outcome,
    known: HashSet<(u64, bool)>,
}

/// Tries what `path` takes a campaign through, and fails with every point that did not end well.
pub fn sweep(faults: &'static [Fault], sample: usize, campaign: fn() -> Campaign, path: fn(&mut Sweep)) {
    let wish = Wish::or(sample);
    let part = |part| {
        let campaign = campaign();
        let kept = campaign.root().with_file_name("kept");
        let (outcome, known) = Default::default();
        let mut sweep = Sweep { campaign, wish: wish.clone(), faults, kept, part, outcome, known };
        path(&mut sweep);
        sweep.outcome
    };
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let parts: Vec<_> = (0..wish.parts).map(|nth| scope.spawn(move || part(nth))).collect();
        parts.into_iter().map(|part| part.join().expect("the part ends")).collect()
    });
    let sum = |of: fn(&Outcome) -> usize| outcomes.iter().map(of).sum::<usize>();
    let kinds: Vec<String> = faults.iter().map(Fault::to_string).collect();
    println!(
        "{} points tried in {} commands ({}); {} of them left what another had left",
        sum(|one| one.points),
        outcomes[0].commands,
        kinds.join(", "),
        sum(|one| one.known)
    );
    let failures: Vec<String> = outcomes.iter().flat_map(|one| one.failures.clone()).collect();
    assert!(failures.is_empty(), "{} points failed:\n{}", failures.len(), failures.join("\n"));
    assert!(wish.only.is_some() || sum(|one| one.points) >= sample.min(200) / 2, "too few points");
}

impl Sweep {
    /// Keeps the campaign as it is and runs a command once, undisturbed: its calls.
    pub fn undisturbed(&self, line: &str) -> Vec<Call> {
        whole::copy(self.campaign.root(), &self.kept);
        let (calls, clean) = strace::calls(self.program(line), &self.kept.with_file_name("trace"));
        assert_eq!(clean.status.code(), Some(0), "{line}: {}", shown(&clean));
        calls
    }

    /// Tries so many points of these calls, all of them where no number is given. The campaign is afterwards as it was.
    pub fn points(&mut self, line: &str, calls: &[Call], wanted: Option<usize>, judge: &dyn Judge) {
        let kill = self.faults == [Fault::Kill];
        // A call that changes nothing can fail as well, and the program then has to stop as well.
        let counts = |call: &&Call| self.wish.every || call.changes || (!kill && call.touches);
        let mine = |call: &&Call| call.nth % self.wish.parts == self.part;
        let calls: Vec<&Call> = calls.iter().filter(counts).filter(mine).collect();
        let points: Vec<(&Call, Fault)> =
            calls.iter().flat_map(|call| self.faults_of(call).into_iter().map(move |fault| (*call, fault))).collect();
        // From the middle of the first piece, so that the points of a small sample are not all the start of a run.
        let stride = points.len().div_ceil(wanted.unwrap_or(points.len()).max(1)).max(1);
        let (mut tried, mut known, failed) = (0usize, 0, self.outcome.failures.len());
        let (mut stamp, mut at_home) = (0, [false; 2]);
        for (call, fault) in points.iter().skip(stride / 2).step_by(stride) {
            if stamp == 0 || self.stamp() != stamp {
                self.put_back();
                stamp = self.stamp();
            }
            let output = strace::hit(self.program(line), call, *fault);
            let hit = Hit { line, fault: *fault, forward: !tried.is_multiple_of(2), output: &output };
            let ends = judge.at_once(self, &hit).and_then(|()| {
                let untouched = self.stamp() == stamp;
                let again = untouched && std::mem::replace(&mut at_home[usize::from(hit.forward)], true);
                if again || (!kill && !untouched && !self.is_new(hit.forward)) {
                    known += 1;
                    return Ok(());
                }
                judge.later(self, &hit)
            });
            if let Err(why) = ends {
                let way = if hit.forward { "then on" } else { "then back" };
                self.outcome.failures.push(format!("`{line}`, {} {fault} at #{}, {way}: {why}", call.name, call.nth));
            }
            tried += 1;
        }
        self.outcome.commands += 1;
        self.outcome.points += tried;
        self.outcome.known += known;
        let failed = self.outcome.failures.len() - failed;
        eprintln!("  {line:<52} {:>5} calls, {tried:>5} points, {known:>5} known, {failed} failures", calls.len());
        self.put_back();
    }

    /// A call that changes something fails in every way; one that only looks in one of the ways in which it can, each in
    /// turn, or in all of them where every call is asked for.
    fn faults_of(&self, call: &Call) -> Vec<Fault> {
        let can: Vec<Fault> = self.faults.iter().filter(|fault| call.can(**fault)).copied().collect();
        if call.changes || self.wish.every { can } else { vec![can[call.nth % can.len()]] }
    }

    /// Changes with every file that is written, made or moved; taking and leaving the lock is none of that.
    fn stamp(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        whole::stamp(self.campaign.root(), &|name| name != "lock", &mut hasher);
        hasher.finish()
    }

    /// Whether nobody has gone on from this state in this direction.
    fn is_new(&mut self, forward: bool) -> bool {
        self.state().is_none_or(|state| self.known.insert((state, forward)))
    }

    /// Whatever a later run can see: every file, and the ledger by what happened, both but for the numbers that belong to
    /// one run, such as times. None where the ledger cannot be read.
    fn state(&self) -> Option<u64> {
        let aside = self.kept.with_file_name("aside");
        whole::copy(self.campaign.root(), &aside);
        let mut look = Command::new(env!("CARGO_BIN_EXE_flagday"));
        let ledger = look.arg("-C").arg(&aside).args(["audit", "export"]).output().expect("the program runs");
        if !ledger.status.success() {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        for line in String::from_utf8_lossy(&ledger.stdout).lines() {
            let mut event: serde_json::Value = serde_json::from_str(line).ok()?;
            let fields = event.as_object_mut()?;
            ["at", "hash"].iter().for_each(|name| drop(fields.remove(*name)));
            // In whose words a call failed is for people alone.
            event.pointer_mut("/body/event/cause").map(serde_json::Value::take);
            numberless(&event.to_string()).hash(&mut hasher);
        }
        Whole::of(self.campaign.root(), &["postoffice", "staged", "restored", ".flagday"]).fingerprint(
            &mut hasher,
            |name| match name.strip_prefix(".flagday/") {
                Some("lock") => None,
                Some(name) if name.starts_with("ledger.db") => None,
                Some(_) => Some(numberless(name)),
                None => Some(name.to_owned()),
            },
        );
        Some(hasher.finish())
    }

    pub fn ends_well(&self, line: &str) -> Result<Run, String> {
        let mut last = None;
        for line in line.split(" && ") {
            let run = self.campaign.run(line);
            if run.code != 0 {
                return Err(format!("{run}"));
            }
            last = Some(run);
        }
        last.ok_or_else(|| "no command".to_owned())
    }

    fn put_back(&self) {
        fs_err::remove_dir_all(self.campaign.root()).expect("removed");
        whole::copy(&self.kept, self.campaign.root());
    }

    fn program(&self, line: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_flagday"));
        program.arg("-C").arg(self.campaign.root()).args(line.split_whitespace());
        program
    }
}

/// A text with its digits taken out.
fn numberless(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

pub fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
