//! Every step of the playbook on the sample postoffice, killed or failed at its system calls, then gone on with or taken
//! back: both trees end exactly as they should, with their times and modes, and no content is gone in between.
//!
//! A part of the points is tried each time, the same ones on every machine with the same calls.
//! `FLAGDAY_SWEEP=5000` tries so many, `changing` every call that may change a file, `every` every call there is;
//! `tests/sweep` does that and shows its progress.

use crate::harness::Campaign;
use crate::need::{STRACE, trial};
use crate::strace::{self, Call, Fault};
use crate::whole::Whole;
use libtest_mimic::Trial;
use std::path::PathBuf;
use std::process::{Command, Output};

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("the_list_of_calls_is_read_as_strace_writes_it", || {
            strace::reads_its_list();
            Ok(())
        }),
        trial("killed_at_its_system_calls_every_step_ends_as_it_should", &[STRACE], || {
            sweep(&[Fault::Kill], 150);
        }),
        trial("failing_at_its_system_calls_every_step_ends_as_it_should", &[STRACE], || {
            sweep(&["EIO", "ENOSPC", "EACCES", "EROFS", "EINTR"].map(Fault::Error), 150);
        }),
    ]
}

/// One command of the cutover, and the one that takes it back.
struct Move {
    step: &'static str,
    line: String,
    back: String,
    /// What was taken back can be done again without a person: no statement expires with it.
    again: bool,
    /// How much of the sample it gets: steps that change files get most.
    share: usize,
}

/// The runbook in order. A step that changes files is also taken back, and done once more to go on from.
fn moves() -> Vec<Move> {
    let mut moves: Vec<Move> = Vec::new();
    let mut before = String::new();
    let steps = [
        ("stage-check", ""),
        ("attest-staged", "stated"),
        ("copy-access", "files"),
        ("init-disks", ""),
        ("announce", ""),
        ("backup", "files"),
        ("quiesce", "stated"),
        ("close-p1", "files"),
        ("broadcast", "stated"),
        ("drain", ""),
        ("retire-master", "files"),
        ("install-master", "files"),
        ("open-p1", "files"),
        ("restart", "stated"),
        ("async-confirmed", ""),
        ("all-clear", ""),
    ];
    for (step, kind) in steps {
        let go = format!("cutover --yes --until {step}");
        let back = format!("cutover rollback --yes{before}");
        let one =
            |line: &str, back: &str, again, share| Move { step, line: line.into(), back: back.into(), again, share };
        if kind == "stated" {
            moves.push(one(&format!("cutover attest {step} --by Pat --note seen"), &back, false, 1));
        }
        moves.push(one(&go, &back, kind != "stated", if kind == "files" { 4 } else { 1 }));
        if kind == "files" {
            moves.push(one(&back, &go, true, 3));
            moves.push(one(&go, &back, true, 0));
        }
        before = format!(" --to {step}");
    }
    moves
}

/// What has to happen outside before a move can be made.
fn prepare(campaign: &Campaign, step: &str) {
    match step {
        "stage-check" => drop(campaign.run("build").ends(0)),
        "init-disks" => campaign.disks_of_today(),
        "announce" => {
            for notice in ["change-date", "new-serial", "local-change-date"] {
                campaign.run(&format!("send {notice} --yes")).ends(0);
            }
        }
        "backup" => {
            campaign.answer();
        }
        "drain" => {
            campaign.run("cutover --yes --until drain").ends(3);
            campaign.drain();
        }
        "async-confirmed" => {
            campaign.read_back();
        }
        _ => {}
    }
}

struct Sweep {
    campaign: Campaign,
    /// The campaign as it was before the move.
    kept: PathBuf,
    points: usize,
    failures: Vec<String>,
}

/// Takes the campaign through all its steps and tries points of each on the way.
fn sweep(faults: &[Fault], sample: usize) {
    let wish = std::env::var("FLAGDAY_SWEEP").unwrap_or_default();
    let sample = match wish.as_str() {
        "" => sample,
        "changing" | "every" => usize::MAX / 1000,
        number => number.parse().expect("FLAGDAY_SWEEP is a number, `changing` or `every`"),
    };
    let only = std::env::var("FLAGDAY_SWEEP_STEP").ok();
    let campaign = Campaign::ready_in_memory();
    let kept = campaign.root().with_file_name("kept");
    let mut sweep = Sweep { campaign, kept, points: 0, failures: Vec::new() };
    let moves = moves();
    let shares: usize = moves.iter().map(|one| one.share).sum();
    let mut step = "";
    for one in &moves {
        if one.step != step {
            prepare(&sweep.campaign, one.step);
        }
        step = one.step;
        if one.share > 0 && only.as_deref().is_none_or(|step| step == one.step) {
            sweep.one(one, faults, sample * one.share / shares, wish == "every");
        }
        sweep.campaign.run(&one.line).ends(0);
    }
    let kinds: Vec<String> = faults.iter().map(Fault::to_string).collect();
    println!(
        "{} points tried in {} commands ({})",
        sweep.points,
        moves.iter().filter(|one| one.share > 0).count(),
        kinds.join(", ")
    );
    assert!(sweep.failures.is_empty(), "{} points failed:\n{}", sweep.failures.len(), sweep.failures.join("\n"));
    assert!(only.is_some() || sweep.points >= sample.min(200) / 2, "{}", sweep.points);
}

impl Sweep {
    fn one(&mut self, one: &Move, faults: &[Fault], wanted: usize, every: bool) {
        crate::whole::copy(self.campaign.root(), &self.kept);
        let before = self.trees();
        let (calls, clean) = strace::calls(self.program(&one.line), &self.kept.with_file_name("trace"));
        assert_eq!(clean.status.code(), Some(0), "{}: {}", one.line, shown(&clean));
        let after = self.trees();
        // A call that changes nothing can fail as well, and the program then has to stop as well.
        let counts = |call: &&Call| every || call.changes || (faults != [Fault::Kill] && call.touches);
        let calls: Vec<Call> = calls.iter().filter(counts).cloned().collect();
        let points: Vec<(&Call, Fault)> =
            calls.iter().flat_map(|call| faults.iter().map(move |fault| (call, *fault))).collect();
        // From the middle of the first piece, so that the points of a small sample are not all the start of a run.
        let stride = points.len().div_ceil(wanted.max(1)).max(1);
        let mut tried = 0usize;
        for (call, fault) in points.iter().skip(stride / 2).step_by(stride) {
            let forward = !tried.is_multiple_of(2);
            if let Err(why) = self.point(one, call, *fault, forward, (&before, &after)) {
                let way = if forward { "then on" } else { "then back" };
                self.failures.push(format!("`{}`, {} {fault} at #{}, {way}: {why}", one.line, call.name, call.nth));
            }
            tried += 1;
        }
        self.points += tried;
        eprintln!("  {:<48} {:>5} calls, {tried} points, {} failures", one.line, calls.len(), self.failures.len());
        self.put_back();
    }

    /// One fault, and the way home from it.
    fn point(
        &self,
        one: &Move,
        call: &Call,
        fault: Fault,
        forward: bool,
        (before, after): (&Whole, &Whole),
    ) -> Result<(), String> {
        self.put_back();
        let output = strace::hit(self.program(&one.line), call, fault);
        let code = output.status.code();
        match (fault, code) {
            (Fault::Error(_), Some(0)) => same("after a run that says it is done", &self.trees(), after)?,
            (Fault::Error(_), Some(1 | 3 | 5 | 127)) | (Fault::Kill, _) => {}
            _ => return Err(format!("ended with {:?}: {}", output.status, shown(&output))),
        }
        self.trees().holds(before)?;
        // A rollback that was cut off is brought to its end before anything else.
        if forward || one.line.contains("rollback") {
            self.ends_well(&one.line)?;
            same("gone on", &self.trees(), after)?;
        }
        self.ends_well(&one.back)?;
        same("taken back", &self.trees(), before)?;
        if one.again {
            self.ends_well(&one.line)?;
            same("done again", &self.trees(), after)?;
        }
        if one.step == "backup" {
            crate::whole::backups(self.campaign.root())?;
        }
        self.ends_well("audit verify")
    }

    fn ends_well(&self, line: &str) -> Result<(), String> {
        let run = self.campaign.run(line);
        if run.code == 0 { Ok(()) } else { Err(format!("{run}")) }
    }

    fn put_back(&self) {
        fs_err::remove_dir_all(self.campaign.root()).expect("removed");
        crate::whole::copy(&self.kept, self.campaign.root());
    }

    /// The postoffice and the staged installation.
    fn trees(&self) -> Whole {
        Whole::of(self.campaign.root(), &["postoffice", "staged"])
    }

    fn program(&self, line: &str) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_flagday"));
        program.arg("-C").arg(self.campaign.root()).args(line.split_whitespace());
        program
    }
}

fn same(when: &str, there: &Whole, wanted: &Whole) -> Result<(), String> {
    let differences = there.differences(wanted);
    if differences.is_empty() { Ok(()) } else { Err(format!("{when}: {}", differences.join("; "))) }
}

fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
