//! The path of the sample campaign by hand, in pieces: each ends where a person has to do something.

use super::{Campaign, Run, tree};
use std::path::PathBuf;
use std::time::Duration;

pub const REMOTE: [&str; 12] = [
    "ADEYEMI", "CARTER", "DUBOIS", "GARCIA", "HARRIS", "KOWALSKI", "LEROY", "LINDBERG", "MUELLER", "MWANGI", "OBRIEN",
    "WEISS",
];
pub const ASYNC: [&str; 5] = ["DENVER", "MUNICH", "HARBOR", "LUMEN", "ORCHARD"];

impl Campaign {
    /// Those of them who are on the rosters: a small campaign has a few.
    fn present(&self, people: &[&'static str]) -> Vec<&'static str> {
        let rosters = ["rosters/users.csv", "rosters/async-admins.csv"].map(|file| self.bytes(file)).concat();
        let rosters = String::from_utf8_lossy(&rosters);
        let ids: Vec<&str> = rosters.lines().filter_map(|line| line.split([';', ',']).next()).collect();
        people.iter().filter(|person| ids.contains(person)).copied().collect()
    }

    pub fn attest(&self, step: &str) -> &Campaign {
        self.run(&format!("cutover attest {step} --by Pat --note seen")).ends(0);
        self
    }

    /// The disks are made from the staged postoffice, now that the users are in it.
    pub fn disks_of_today(&self) {
        tree::files(&self.path("disks")).iter().for_each(|file| tree::rewrite(file));
    }

    /// Runs up to a statement, and makes it.
    pub fn attest_when_asked(&self, step: &str) -> &Campaign {
        self.run("cutover --yes").ends(3).says(&format!("step {step} needs a person"));
        self.attest(step)
    }

    /// Up to and including the notices.
    pub fn announce(&self) -> &Campaign {
        self.run("cutover --yes").ends(3).says("step attest-staged needs a person");
        self.attest("attest-staged");
        self.run("cutover --yes --until copy-access").ends(0);
        self.disks_of_today();
        // The change lies in the past here, so every notice is late: held until it is asked for by name.
        self.run("cutover --yes").ends(3).says("is held");
        for notice in ["change-date", "new-serial", "local-change-date"] {
            self.run(&format!("send {notice} --yes"));
        }
        self.run("cutover --yes").ends(3).says("step backup is blocked");
        self
    }

    /// Everybody's answer, from one file: the codes and the confirmations.
    pub fn answer(&self) -> &Campaign {
        let (remote, neighbours) = (self.present(&REMOTE), self.present(&ASYNC));
        let codes = remote.iter().map(|person| format!("{person},{},Pat,phone\n", self.code(person)));
        let words = neighbours.iter().map(|person| format!("{person},,Pat,phone\n"));
        let rows: String = codes.chain(words).collect();
        self.write("answers.csv", format!("person,code,by,note\n{rows}"));
        self.run_words(&["ack", "import", &self.path("answers.csv").to_string_lossy()])
            .ends(0)
            .says(&format!("{} recorded, 0 refused", remote.len() + neighbours.len()));
        self
    }

    /// From the backup to the broadcast; the drain has looked once and holds.
    pub fn close(&self) -> &Campaign {
        self.run("cutover --yes").ends(3).says("step quiesce needs a person");
        self.attest("quiesce").run("cutover --yes").ends(3).says("step broadcast needs a person");
        self.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked");
        self
    }

    /// What the backup holds, by path below the postoffice.
    pub fn backup(&self) -> std::collections::BTreeMap<String, Vec<u8>> {
        tree::contents(&self.backup_folder().join("tree"))
    }

    /// The newest whole backup.
    pub fn backup_folder(&self) -> PathBuf {
        let mut whole: Vec<_> = fs_err::read_dir(self.path(".flagday/backup"))
            .expect("a backup")
            .map(|entry| entry.expect("readable").path())
            .filter(|path| path.join("manifest.ndjson").exists() && path.extension().is_none())
            .collect();
        whole.sort();
        whole.pop().expect("a whole backup")
    }

    /// Every local user has signed in and out: mailbags empty, message stores rewritten.
    pub fn drain(&self) -> &Campaign {
        a_file_time_later();
        for file in tree::files(&self.path("postoffice/MBG")) {
            if file.extension().is_some_and(|extension| extension == "MBG") {
                fs_err::write(file, []).expect("emptied");
            }
        }
        for file in tree::files(&self.path("postoffice/MMF")) {
            tree::rewrite(&file);
        }
        self
    }

    /// All neighbours read the new serial number back.
    pub fn read_back(&self) -> &Campaign {
        for person in self.present(&ASYNC) {
            self.run(&format!("ack record {person} --serial 32-20977 --by Pat --note phone")).ends(0);
        }
        self
    }

    /// What is left once everything is drained, to the all-clear.
    pub fn finish(&self) -> Run {
        self.run("cutover --yes").ends(3).says("step restart needs a person");
        self.attest("restart").run("cutover --yes").ends(3).says("step async-confirmed is blocked");
        self.read_back().run("cutover --yes")
    }

    /// The state of one step, as `status --json` has it.
    pub fn step(&self, name: &str) -> String {
        let status = self.run("status --json").ends(0).json();
        let steps = status["steps"].as_array().expect("steps").clone();
        let step = steps.iter().find(|step| step["name"] == name).expect("a step of the playbook");
        step["state"].as_str().expect("a word").to_owned()
    }
}

/// A FAT volume's times are even seconds: what happens within two of them cannot be told apart, and counts as too early.
#[expect(clippy::disallowed_methods, reason = "file times are real time")]
fn a_file_time_later() {
    std::thread::sleep(Duration::from_millis(2100));
}
