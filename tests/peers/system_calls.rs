//! Every step of the playbook on a small sample, killed or failed at its system calls, then gone on with or taken back:
//! both trees end exactly as they should, with their times and modes, and no content is gone in between. The backup is
//! laid out again as well.

use crate::harness::{Campaign, tree, with_steps};
use crate::need::{MTOOLS, PYTHON, STRACE, trial};
use crate::strace::{self, Fault};
use crate::sweep::{Hit, Judge, Sweep, few, shown, sweep};
use crate::whole::{self, Whole};
use libtest_mimic::Trial;

pub fn trials() -> Vec<Trial> {
    let needs = [STRACE, PYTHON, MTOOLS];
    vec![
        Trial::test("the_list_of_calls_is_read_as_strace_writes_it", || {
            strace::reads_its_list();
            Ok(())
        }),
        trial("killed_at_its_system_calls_a_backup_ends_as_it_should", &[STRACE], || {
            sweep(&[Fault::Kill], 40, one_of_each_kind, backup_and_restore);
        }),
        trial("failing_at_its_system_calls_a_backup_ends_as_it_should", &[STRACE], || {
            sweep(&Fault::ERRORS, 40, one_of_each_kind, backup_and_restore);
        }),
        trial("killed_at_its_system_calls_every_step_ends_as_it_should", &needs, || {
            sweep(&[Fault::Kill], 150, few, steps)
        }),
        trial("failing_at_its_system_calls_every_step_ends_as_it_should", &needs, || {
            sweep(&Fault::ERRORS, 150, few, steps)
        }),
    ]
}

/// One command of the cutover, and the way back from it.
struct Move {
    step: &'static str,
    line: String,
    back: Back,
    /// How much of the sample it gets: steps that change files get most.
    share: usize,
}

enum Back {
    /// By this command. What was taken back can be done again without a person where `again` says so: no statement
    /// expires with it.
    By { line: String, again: bool },
    /// There is none: asked again, it goes on.
    None,
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
        // Once P1 was open, that the transports are stopped has to be stated anew.
        let closes = matches!(step, "close-p1" | "open-p1");
        let once_more =
            if closes { format!("cutover attest quiesce --by Pat --note seen && {go}") } else { go.clone() };
        let back = format!("cutover rollback --yes{before}");
        let one = |line: &str, back: &str, again, share| Move {
            step,
            line: line.into(),
            back: Back::By { line: back.into(), again },
            share,
        };
        if kind == "stated" {
            moves.push(one(&format!("cutover attest {step} --by Pat --note seen"), &back, false, 1));
        }
        moves.push(one(&go, &back, kind != "stated" && !closes, if kind == "files" { 4 } else { 1 }));
        if kind == "files" {
            moves.push(one(&back, &once_more, true, 3));
            moves.push(one(&once_more, &back, true, 0));
        }
        before = format!(" --to {step}");
    }
    moves
}

/// What has to happen outside before a move can be made.
fn prepare(sweep: &Sweep, step: &str) {
    let campaign = &sweep.campaign;
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

/// Takes the campaign through all its steps and tries points of each on the way.
fn steps(sweep: &mut Sweep) {
    let moves = moves();
    let shares: usize = moves.iter().map(|one| one.share).sum();
    let mut step = "";
    for one in moves {
        if one.step != step {
            prepare(sweep, one.step);
        }
        step = one.step;
        try_move(sweep, one, shares);
    }
}

fn try_move(sweep: &mut Sweep, one: Move, shares: usize) {
    let line = one.line.clone();
    // Every file is copied by the same calls: the backup of few files has them all, and is tried whole.
    let many = one.step == "backup" && sweep.faults != [Fault::Kill] && sweep.campaign.path("postoffice").exists();
    if one.share > 0 && sweep.wish.has(one.step) {
        let before = trees(sweep);
        let calls = sweep.undisturbed(&line);
        let wanted = sweep.wish.share(one.share, shares).or(many.then_some(500));
        let judge = Trees { before, after: trees(sweep), own: one };
        sweep.points(&line, &calls, wanted, &judge);
    }
    line.split(" && ").for_each(|line| drop(sweep.campaign.run(line).ends(0)));
}

/// Files that a backup treats in different ways: without bytes, read-only, hidden, larger than what is read at a time;
/// folders that are empty, nested, and closed to others.
fn one_of_each_kind() -> Campaign {
    let campaign =
        with_steps("[[step]]\nname = \"backup\"\nbackup = { from = \"postoffice\", to = \"{state}/backup\" }");
    campaign.write("postoffice/GLB/MASTER.GLB", "x".repeat(176)).write("postoffice/MBG/EMPTY.MBG", "");
    campaign.write("postoffice/MMF/LARGE.MMF", vec![7; 600_000]).write("postoffice/.hidden", "h");
    campaign.write("postoffice/A/B/C/READONLY.TXT", "r");
    fs_err::create_dir(campaign.path("postoffice/EMPTY")).expect("a folder");
    tree::set_times(campaign.root(), tree::long_ago());
    let mode = |path: &str, mode| {
        let rights = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs_err::set_permissions(campaign.path(path), rights).expect("its mode");
    };
    mode("postoffice/A/B/C/READONLY.TXT", 0o444);
    mode("postoffice/A", 0o750);
    campaign
}

/// A backup, and the tree laid out from it.
fn backup_and_restore(sweep: &mut Sweep) {
    let step = "backup";
    let back = Back::By { line: "cutover rollback --yes".into(), again: true };
    try_move(sweep, Move { step, line: "cutover --yes".into(), back, share: 1 }, 2);
    let (from, to) = (sweep.campaign.backup_folder(), sweep.campaign.path("restored"));
    let line = format!("cutover restore --from {} --to {}", from.display(), to.display());
    try_move(sweep, Move { step, line, back: Back::None, share: 1 }, 2);
    let restored = Whole::of(&to, &["."]).differences(&Whole::of(&sweep.campaign.path("postoffice"), &["."]));
    assert_eq!(restored, [""; 0]);
}

/// The postoffice, the staged installation, and what was restored.
fn trees(sweep: &Sweep) -> Whole {
    Whole::of(sweep.campaign.root(), &["postoffice", "staged", "restored"])
}

/// The trees as they have to be before and after a move.
struct Trees {
    before: Whole,
    after: Whole,
    own: Move,
}

impl Judge for Trees {
    fn at_once(&self, sweep: &Sweep, hit: &Hit<'_>) -> Result<(), String> {
        let code = hit.output.status.code();
        match (hit.fault, code) {
            (Fault::Error(_), Some(0)) => same("after a run that says it is done", &trees(sweep), &self.after)?,
            (Fault::Error(_), Some(1 | 3 | 5 | 127)) | (Fault::Kill, _) => {}
            _ => return Err(format!("ended with {:?}: {}", hit.output.status, shown(hit.output))),
        }
        tells(&sweep.campaign, &shown(hit.output))?;
        trees(sweep).holds(&self.before)
    }

    fn later(&self, sweep: &Sweep, hit: &Hit<'_>) -> Result<(), String> {
        let Back::By { line: back, again } = &self.own.back else {
            // One that came to its end just before it was hit has nothing to go on with.
            if !trees(sweep).differences(&self.after).is_empty() {
                sweep.ends_well(hit.line)?;
            }
            return same("gone on", &trees(sweep), &self.after);
        };
        // A rollback that was cut off is brought to its end before anything else.
        if hit.forward || hit.line.contains("rollback") {
            sweep.ends_well(hit.line)?;
            same("gone on", &trees(sweep), &self.after)?;
        }
        sweep.ends_well(back)?;
        same("taken back", &trees(sweep), &self.before)?;
        if *again {
            sweep.ends_well(hit.line)?;
            same("done again", &trees(sweep), &self.after)?;
        }
        if self.own.step == "backup" {
            whole::backups(sweep.campaign.root())?;
        }
        sweep.ends_well("audit verify").map(drop)
    }
}

/// A step that failed says in which state the postoffice is, as it lies there, and two commands that are safe.
fn tells(campaign: &Campaign, said: &str) -> Result<(), String> {
    let failed = ["step-not-begun", "step-not-done", "step-unfinished", "step-not-seen", "step-half-undone"];
    if !failed.iter().any(|code| said.contains(&format!("[{code}]"))) || !campaign.path("staged").exists() {
        return Ok(());
    }
    let postoffice = campaign.path("postoffice");
    let p1 = match (postoffice.join("P1").exists(), postoffice.join("POLD").exists()) {
        (true, false) => "P1 is in its place",
        (false, true) => "P1 is renamed to POLD",
        _ => "Keep every transport stopped",
    };
    let master = match fs_err::read(postoffice.join("GLB/MASTER.GLB")) {
        Err(_) => "There is no MASTER.GLB: nobody can sign in",
        Ok(bytes) if bytes == campaign.bytes("staged/GLB/MASTER.GLB") => "serial number 32-20977 is in force",
        Ok(_) => "serial number 32-10411 is in force",
    };
    let safe = said.split_once("Safe now:\n").map_or("", |(_, safe)| safe);
    let commands = safe.lines().take_while(|line| line.starts_with("  flagday ")).count();
    let missing = |words: &&str| !said.contains(*words);
    if let Some(words) = ["The postoffice now:", p1, master].into_iter().find(missing) {
        return Err(format!("it does not say: {words}\n{said}"));
    }
    if commands == 2 { Ok(()) } else { Err(format!("it names {commands} safe commands\n{said}")) }
}

fn same(when: &str, there: &Whole, wanted: &Whole) -> Result<(), String> {
    let differences = there.differences(wanted);
    if differences.is_empty() { Ok(()) } else { Err(format!("{when}: {}", differences.join("; "))) }
}
