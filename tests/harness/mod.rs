//! The program as its users meet it: the built binary, run on a copy of the sample campaign in a temporary folder.

pub mod hang_up; // a mail server that takes a message and never says so
#[allow(dead_code, reason = "two test programs share the harness")]
pub mod taking; // a mail server that takes mail, but for whom its rule names
mod files; // a campaign without a postoffice
mod by_hand; // the path of a campaign, in the commands that a person types
#[allow(dead_code, reason = "two test programs share the harness, and one of them needs all of it")]
mod crowd; // a campaign of thousands
pub mod kill; // a run that is cut off
#[allow(dead_code, reason = "two test programs share the harness")]
pub mod small; // a campaign without a postoffice, for rehearsals
pub mod http; // requests by hand
#[allow(dead_code, reason = "two test programs share the harness")]
pub mod letter; // one message as its reader sees it
mod run; // one run of the program: exit code, data, prose
mod served; // `serve` while it runs
pub mod tree; // folders: copied, hashed, given times

#[allow(unused_imports, reason = "two test programs share the harness, and one of them needs all of it")]
pub use by_hand::{ASYNC, REMOTE};
#[allow(unused_imports, reason = "likewise")]
pub use files::{Files, with_steps};
pub use run::{Run, program};
#[allow(unused_imports, reason = "as above")]
pub use served::Served;

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A change long past: everything that waits for it may happen now.
pub const PAST: &str = "2001-02-03T18:00:00";
/// A change that no run of these tests will see: nothing is due.
pub const FUTURE: &str = "2096-12-12T18:00:00";

/// A folder in memory, where the system has such a place.
fn in_memory() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() };
    folder.expect("a temporary folder")
}

/// A campaign of its own; it is gone when dropped.
pub struct Campaign {
    root: PathBuf,
    outputs: RefCell<Vec<String>>,
    _folder: TempDir,
}

impl Campaign {
    /// The sample as it is committed, with file times as they were before anybody worked on it.
    pub fn sample() -> Campaign {
        Campaign::sample_in(TempDir::new().expect("a temporary folder"))
    }

    /// What `init` writes of a playbook, its gaps filled in; the change is far off, and no day is near for a notice.
    #[allow(dead_code, reason = "two test programs share the harness")]
    pub fn begun(playbook: &str) -> Campaign {
        let folder = in_memory();
        let root = folder.path().join("campaign");
        Run::of(run::program().arg("init").arg(&root).args(["--playbook", playbook])).ends(0);
        let text = fs_err::read_to_string(root.join("flagday.toml")).expect("written");
        let text = text.replace("CHANGE-ME, telephone, address", "Help Desk, +1 555 0100, helpdesk@corp.example");
        let text = text.replace("CHANGE-ME", "the Corp VPN").replace("change-me.example", "corp.example");
        fs_err::write(root.join("flagday.toml"), text).expect("filled in");
        Campaign { root, outputs: RefCell::default(), _folder: folder }
    }

    /// Ready, and in memory where the system has such a place: what syncs many thousand times is quick there.
    pub fn ready_in_memory() -> Campaign {
        let campaign = Campaign::sample_in(in_memory()).past();
        campaign.correct_disks();
        campaign
    }

    /// The same with these people of the sample alone, and the trees that its generator makes of them: as many kinds of
    /// files, and fewer of each.
    #[allow(dead_code, reason = "two test programs share the harness, and one of them needs all of it")]
    pub fn few_in_memory(people: &[&str]) -> Campaign {
        let campaign = Campaign::sample_in(in_memory()).past();
        for file in ["rosters/users.csv", "rosters/async-admins.csv"] {
            let roster = campaign.bytes(file);
            let mut lines = roster.split_inclusive(|byte| *byte == b'\n');
            let header = lines.next().expect("a header");
            let stays = |line: &&[u8]| {
                let id = line.split(|byte| b";,".contains(byte)).next().expect("an id");
                people.iter().any(|person| person.as_bytes() == id)
            };
            campaign.write(file, [header].into_iter().chain(lines.filter(stays)).collect::<Vec<_>>().concat());
        }
        let generator = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/generate.py");
        let made = std::process::Command::new("python3").arg(generator).arg(campaign.root()).status();
        assert!(made.expect("python3 runs").success(), "the trees are made");
        tree::set_times(campaign.root(), tree::long_ago());
        campaign.correct_disks();
        campaign
    }

    fn sample_in(folder: TempDir) -> Campaign {
        let root = folder.path().join("campaign");
        tree::copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/msmail"), &root);
        tree::set_times(&root, tree::long_ago());
        Campaign { root, outputs: RefCell::default(), _folder: folder }
    }

    /// The sample with the right disk for everybody and the change in the past: it can be carried through by hand.
    pub fn ready() -> Campaign {
        let campaign = Campaign::sample().past();
        campaign.correct_disks();
        campaign
    }

    /// The same, with everybody's answer.
    pub fn answered() -> Campaign {
        let campaign = Campaign::ready();
        campaign.run("build").ends(0);
        campaign.announce().answer();
        campaign
    }

    /// The evening is over: the new file is in, P1 is open.
    pub fn switched() -> Campaign {
        let campaign = Campaign::answered();
        campaign.close().drain().run("cutover --yes").ends(3).says("done: open-p1").says("step restart needs a person");
        campaign
    }

    /// CARTER's disk as it should have been.
    pub fn correct_disks(&self) {
        tree::copy(&self.path("corrections/disks"), &self.path("disks"));
    }

    #[allow(dead_code, reason = "two test programs share the harness, and one of them needs it")]
    pub fn move_to(&mut self, root: PathBuf) {
        self.root = root;
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    pub fn bytes(&self, below: &str) -> Vec<u8> {
        fs_err::read(self.path(below)).expect("a file of the campaign")
    }

    pub fn write(&self, below: &str, bytes: impl AsRef<[u8]>) -> &Campaign {
        let path = self.path(below);
        fs_err::create_dir_all(path.parent().expect("below the campaign")).expect("a folder");
        fs_err::write(path, bytes).expect("a file of the campaign");
        self
    }

    /// Replaces a text that stands once in `flagday.toml`.
    pub fn edit(&self, from: &str, to: &str) -> &Campaign {
        let text = fs_err::read_to_string(self.path("flagday.toml")).expect("UTF-8");
        assert_eq!(text.matches(from).count(), 1, "{from} stands once in flagday.toml");
        self.write("flagday.toml", text.replace(from, to))
    }

    /// Adds lines at the end of `flagday.toml`.
    pub fn append(&self, lines: &str) -> &Campaign {
        let text = fs_err::read_to_string(self.path("flagday.toml")).expect("UTF-8");
        self.write("flagday.toml", format!("{text}\n{lines}\n"))
    }

    pub fn change_at(self, moment: &str) -> Campaign {
        let text = fs_err::read_to_string(self.path("flagday.toml")).expect("UTF-8");
        let line = text.lines().find(|line| line.starts_with("change_at")).expect("the sample states it").to_owned();
        // However near it is.
        let least = if text.contains("\nminimum_notice = ") { "" } else { "\nminimum_notice = \"0d\"" };
        self.edit(&line, &format!("change_at = {moment}{least}"));
        self
    }

    /// The change was a while ago, and no client takes its time to look for mail: nothing has to be waited for.
    pub fn past(self) -> Campaign {
        let campaign = self.change_at(PAST);
        campaign.edit("[msmail]\n", "[msmail]\npolling = \"0m\"\n");
        campaign
    }

    /// Overwrites one byte of a file.
    pub fn poke(&self, below: &str, offset: usize, byte: u8) -> &Campaign {
        let mut bytes = self.bytes(below);
        bytes[offset] = byte;
        self.write(below, bytes)
    }

    /// Runs the program in this campaign with the words of a line.
    pub fn run(&self, line: &str) -> Run {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub fn run_words(&self, words: &[&str]) -> Run {
        let run = Run::of(run::program().arg("-C").arg(&self.root).args(words));
        self.outputs.borrow_mut().push(format!("{}{}", run.out, run.err));
        run
    }

    /// Everything that every run so far has printed.
    pub fn everything_printed(&self) -> String {
        self.outputs.borrow().concat()
    }

    /// The messages in the outbox folder whose name holds `part`, sorted: `CARTER-`, `-change_date-`.
    pub fn outbox(&self, part: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs_err::read_dir(self.path(".flagday/outbox")) else { return Vec::new() };
        let mut found: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        found.retain(|path| path.extension().is_some_and(|e| e == "eml") && path.to_string_lossy().contains(part));
        found.sort();
        found
    }

    /// The code in a person's package: read as the person reads it, from README.TXT in the ZIP.
    pub fn code(&self, person: &str) -> String {
        self.code_in_package("init-disk", person)
    }

    /// The code in another package of that person.
    pub fn code_in_package(&self, package: &str, person: &str) -> String {
        let file = fs_err::File::open(self.path(&format!(".flagday/packages/{package}/{person}.zip")));
        let mut archive = zip::ZipArchive::new(file.expect("a built package")).expect("a ZIP archive");
        let mut text = Vec::new();
        std::io::Read::read_to_end(&mut archive.by_name("README.TXT").expect("README.TXT"), &mut text).expect("read");
        code_in(&String::from_utf8_lossy(&text)).expect("a code stands in README.TXT").to_owned()
    }
}

/// The first line of a text that is a possession code and nothing else.
pub fn code_in(text: &str) -> Option<&str> {
    let letters = |part: &str| part.len() == 4 && part.bytes().all(|c| c.is_ascii_uppercase());
    text.lines().map(str::trim).find(|line| line.split_once('-').is_some_and(|(a, b)| letters(a) && letters(b)))
}
