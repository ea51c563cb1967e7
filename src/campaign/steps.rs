//! Gates and steps as they are once the campaign has been read: what holds what, and what each step does.

use super::schedule::Moment;
use crate::fault::Place;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone)]
pub struct Gate {
    pub name: String,
    pub acknowledgement: String,
    /// Of the audience without its waived people, from 0 to 1.
    pub share: f64,
    /// "All of nobody" is shut unless the campaign says that nobody is fine.
    pub allow_empty: bool,
    pub on_deadline: OnDeadline,
    /// A waiver counts only when two people decided it.
    pub two_person: bool,
    pub place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDeadline {
    /// It stays shut until it is satisfied, however late.
    Hold,
    /// What comes after the acknowledgement's `due` opens it no more: the campaign is to be called off.
    Abort,
}

/// One step of the runbook.
#[derive(Debug, Clone)]
pub struct Step {
    pub name: String,
    pub title: String,
    /// The step of the article it carries out, as `5a`.
    pub article: Option<String>,
    /// Gates.
    pub needs: Vec<String>,
    pub wait: Option<Moment>,
    /// Checks by name, before and after the action.
    pub before: Vec<String>,
    pub after: Vec<String>,
    /// What a person has to state before the step counts as done.
    pub attest: Option<String>,
    /// Points of that statement, each with a name: which of them were seen is recorded.
    pub checklist: IndexMap<String, String>,
    /// Earlier steps: every point of their checklists has to be seen, or waived, before this one begins.
    pub seen: Vec<String>,
    pub action: Option<Action>,
    pub place: Place,
}

impl Action {
    /// What it moves files between, as written.
    pub fn paths(&self) -> Vec<&str> {
        let pairs: Vec<&FromTo> = match self {
            Action::Rename(one) | Action::Copy { pair: one, .. } | Action::Backup(one) => vec![one],
            Action::Replace(all) => all.iter().collect(),
            _ => Vec::new(),
        };
        pairs.into_iter().flat_map(|pair| [pair.from.as_str(), pair.to.as_str()]).collect()
    }
}

impl Step {
    /// The notices that it sends.
    pub fn notices(&self) -> &[String] {
        match &self.action {
            Some(Action::Notice(names)) => names,
            _ => &[],
        }
    }

    pub fn sends(&self, notice: &str) -> bool {
        self.notices().iter().any(|one| one == notice)
    }

    /// Renames P1 away (step 5a of Q209486).
    pub fn closes_p1(&self) -> bool {
        self.brings_about("p1-closed")
    }

    /// Gives P1 its name back.
    pub fn opens_p1(&self) -> bool {
        self.brings_about("p1-open")
    }

    /// Takes the old MASTER.GLB away.
    pub fn retires_master(&self) -> bool {
        self.brings_about("master-retired")
    }

    fn brings_about(&self, check: &str) -> bool {
        self.action.is_some() && self.has_after(check)
    }

    fn has_after(&self, check: &str) -> bool {
        self.after.iter().any(|one| one == check)
    }
}

/// The step with which the change itself begins. A site may have steps of its own that wait, for days before the change or
/// within it: on a postoffice it is the one that finds P1 quiet, else the first that waits for the change itself, else the
/// last that waits before it.
pub fn beginning(steps: &[Step]) -> Option<usize> {
    let closing = steps.iter().position(Step::closes_p1);
    let ahead = closing.map_or(steps, |closing| &steps[..=closing]);
    let quiets = |step: &Step| closing.is_some() && step.wait.is_some() && step.has_after("p1-quiet");
    ahead
        .iter()
        .position(quiets)
        .or_else(|| ahead.iter().position(|step| step.wait == Some(Moment::Change)))
        .or_else(|| ahead.iter().rposition(|step| step.wait.is_some_and(Moment::leads_to_change)))
        .or_else(|| steps.iter().position(|step| step.wait.is_some()))
}

/// What let an earlier step begin has to hold still when the change itself begins, and at each moment that is waited for
/// before: an amendment, an answer taken back or a waiver that ran out may have shut the gate since.
pub(super) fn judge_again(steps: &mut [Step]) {
    let Some(begins) = beginning(steps) else { return };
    let mut needs: Vec<String> = Vec::new();
    for step in &mut steps[..=begins] {
        for gate in &step.needs {
            if !needs.contains(gate) {
                needs.push(gate.clone());
            }
        }
        if step.wait.is_some() {
            step.needs = needs.clone();
        }
    }
}

/// What a step does. Paths may hold `{postoffice}`, `{staged}`, `{state}` and `{campaign}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Rename(FromTo),
    /// Onto a free name; with owner, rights and attributes of the file `like`, where it names one.
    Copy {
        pair: FromTo,
        like: Option<String>,
    },
    /// Onto existing files, whose old contents are kept for undo.
    Replace(Vec<FromTo>),
    /// A verified copy of a whole tree.
    Backup(FromTo),
    /// A program without a shell, and how it is undone.
    Shell {
        run: Vec<String>,
        undo: Option<Vec<String>>,
    },
    /// Notices that must have gone out to everyone.
    Notice(Vec<String>),
    /// A package that must be built for everyone.
    Package(String),
    /// The program looks and records what it sees; the step's gates are judged afterwards.
    Observe(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FromTo {
    pub from: String,
    pub to: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, wait: Option<&str>, after: &[&str], needs: &[&str]) -> Step {
        let words = |all: &[&str]| all.iter().map(|&word| word.to_owned()).collect();
        let action = after.contains(&"p1-closed").then(|| Action::Observe(String::new()));
        let wait = wait.map(|text| Moment::parse(text).expect(text));
        let (name, title) = (name.to_owned(), name.to_owned());
        let (article, before, attest, seen) = Default::default();
        let (checklist, place) = (IndexMap::new(), Place::file("flagday.toml"));
        let (needs, after) = (words(needs), words(after));
        Step { name, title, article, needs, wait, before, after, attest, checklist, seen, action, place }
    }

    fn begins(steps: &[Step]) -> Option<&str> {
        beginning(steps).map(|at| steps[at].name.as_str())
    }

    #[test]
    fn a_wait_of_the_sites_own_is_not_the_beginning_of_the_change() {
        let mut steps = vec![
            step("announce", None, &[], &["told"]),
            step("freeze", Some("T-5d"), &[], &[]),
            step("backup", None, &[], &["ready"]),
            step("quiesce", Some("T"), &["p1-quiet"], &[]),
            step("last-call", Some("T+10m"), &[], &[]),
            step("close-p1", None, &["p1-closed"], &[]),
            step("tidy", Some("T+7d"), &[], &[]),
        ];
        assert_eq!(begins(&steps), Some("quiesce"));
        judge_again(&mut steps);
        let needs: Vec<_> = steps.iter().map(|step| step.needs.join(" ")).collect();
        assert_eq!(needs, ["told", "told", "ready", "told ready", "", "", ""]);
        steps.remove(3);
        assert_eq!(begins(&steps), Some("freeze"), "of those that wait for the change the last");
        let wait = |moments: &[&str]| moments.iter().map(|at| step(at, Some(at), &[], &[])).collect::<Vec<_>>();
        assert_eq!(begins(&wait(&["T-5d", "T", "T+7d"])), Some("T"));
        assert_eq!(begins(&wait(&["T-1h", "T+1d"])), Some("T-1h"));
        assert_eq!(begins(&wait(&["T-5d", "T", "2027-01-10 09:00", "T"])), Some("T"));
        assert_eq!(beginning(&wait(&["T", "T", "2027-01-10 09:00"])), Some(0));
        assert_eq!(begins(&wait(&["T+1d", "T+2d"])), Some("T+1d"), "none before: the first");
        assert_eq!(begins(&wait(&[])), None);
    }
}
