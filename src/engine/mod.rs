//! WHEN: the stages put together. Everything a face can ask for is a method of [`Engine`], a file each; the world
//! (clock, file server) comes in from outside, so a rehearsal runs the very same code.

mod abort;
mod age;
mod again;
mod amend;
mod amendment;
mod anew;
mod answers;
mod building;
mod by_hand;
mod by_name;
mod by_now;
mod calendar;
mod checking;
mod choice;
mod compose;
mod concerned;
mod clock;
mod confirm;
mod corrections;
mod cutover;
mod desk;
mod drain;
mod due;
mod elsewhere;
mod facts;
#[cfg(test)]
pub(crate) mod fixture;
mod gates;
mod import;
mod in_vain;
mod inputs;
mod intake;
mod mailboxes;
mod membership;
mod missed;
mod newest;
mod nights;
mod left_behind;
mod nobodys;
mod old_address;
mod old_master;
mod outdated;
mod overruling;
mod review;
mod pace;
mod past_due;
mod paused;
mod plan;
mod points;
mod planning;
mod postponed;
mod reason;
mod restating;
mod sending;
mod round;
mod shipped;
mod signing;
mod situation;
mod sources;
mod staged;
mod uninformed;
mod standings;
mod starting;
mod steps;
mod too_late;
mod true_again;
mod unread;
mod unwritten;
mod urgent;
mod visit;
mod vouching;
mod waiving;
mod way_back;
mod whereabouts;
mod wording;

pub use amend::Wish;
pub use amendment::{Amendment, Change, Effect, Informed, Left, Rests};
pub use answers::{Answer, Recorded};
pub use building::Built;
pub use calendar::{Entry, What};
pub use compose::Preview;
pub use confirm::{Outcome, PageState, PageView, Said, masked};
pub use cutover::{Cutover, Patience, Stop, TakenBack};
pub use drain::{DrainLook, DrainRow};
pub use facts::Difference;
pub use gates::GateChange;
pub use import::ImportRow;
pub use intake::{Seen, TakenIn};
pub use membership::RosterChanges;
pub use nights::Asleep;
pub use old_address::OldAddress;
pub use overruling::{Overridden, Overrule};
pub use plan::Planned;
pub use points::{Except, Point, UNSEEN};
pub use review::{Reviewed, Verdict, WHICH};
pub use sending::{Sent, To};
pub use situation::Situation;
pub use steps::{Outlook, StepView};
pub use uninformed::{News, Uninformed};
pub use unread::kept_waiting_words;
pub use urgent::Urgent;
pub use waiving::{Waive, Waived};
pub use wording::Wording;

use crate::campaign::{self, Campaign};
use crate::fault::{Finding, Result, Severity};
use crate::gate::Bars;
use crate::ledger::Ledger;
use crate::notice::Texts;
use crate::roster::{self, Roster};
use crate::system::World;
use chrono::{DateTime, Utc};
use std::cell::OnceCell;
use std::path::Path;
use std::sync::Arc;

/// One campaign, opened: what was written, who is in it, what is known.
pub struct Engine<'w> {
    pub campaign: Arc<Campaign>,
    pub roster: Roster,
    /// Warnings of the file and everything wrong with the rosters.
    pub findings: Vec<Finding>,
    /// With files that others have open.
    pub patience: Patience,
    ledger: Ledger,
    /// What the gates ask as the file says it, whether it counts or not.
    asked: Bars,
    world: &'w dyn World,
    /// The operator has said that people may hear of the date later than the campaign allows.
    pub short_notice: bool,
    /// Nobody is there: what was given up for a while is not tried before its time.
    by_schedule: bool,
    /// A step of the runbook sends: it wakes nothing that quiet hours have put off.
    by_step: bool,
    /// People are told of an abort although steps of the cutover are still done.
    pub as_it_stands: bool,
    /// The templates, compiled when they are first needed.
    texts: OnceCell<Arc<Texts>>,
    /// What was read when it was opened.
    inputs: inputs::Inputs,
}

impl<'w> Engine<'w> {
    /// Opens the campaign in `root`. Faults in its file stop everything; faults in the rosters stop only what would
    /// reach people (see [`Engine::require_roster`]).
    pub fn open(root: &Path, world: &'w dyn World) -> Result<Engine<'w>> {
        Engine::open_with(root, world, Ledger::open)
    }

    /// The same for the copy that a rehearsal works on: its ledger need not survive a power cut.
    pub(crate) fn open_rehearsal(root: &Path, world: &'w dyn World) -> Result<Engine<'w>> {
        Engine::open_with(root, world, Ledger::open_throwaway)
    }

    fn open_with(root: &Path, world: &'w dyn World, open: impl FnOnce(&Path) -> Result<Ledger>) -> Result<Engine<'w>> {
        let (mut campaign, mut findings) = campaign::load(root)?;
        let inputs = inputs::inputs(&campaign);
        let (roster, faults) = roster::read(&campaign);
        findings.extend(faults);
        findings.extend(roster::check_audiences(&campaign, &roster));
        let mut ledger = open(&campaign.state())?;
        let asked = Bars::of(&campaign);
        if let Some(bars) = gates::held_to(&campaign, &ledger)? {
            bars.hold(&mut campaign);
        }
        let two = campaign.gates.values().filter(|gate| gate.two_person);
        ledger.two_names = two.map(|gate| gate.acknowledgement.clone()).collect();
        let campaign = Arc::new(campaign);
        let (patience, short_notice, by_schedule, by_step, as_it_stands, texts) = Default::default();
        Ok(Engine {
            inputs,
            campaign,
            roster,
            findings,
            patience,
            ledger,
            asked,
            world,
            short_notice,
            by_schedule,
            by_step,
            as_it_stands,
            texts,
        })
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.world.now()
    }

    /// Read access for reports.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Nobody gets a letter with what a new campaign begins with in it.
    pub(super) fn require_filled_in(&self) -> Result<()> {
        let left = self.findings.iter().filter(|finding| finding.code == "placeholder").cloned();
        let left = left.map(|finding| Finding { severity: Severity::Error, ..finding });
        crate::fault::Fault::check(left.collect()).map(drop)
    }

    /// Nothing goes out and nothing is switched while a roster has errors.
    pub fn require_roster(&self) -> Result<()> {
        crate::fault::Fault::check(self.findings.clone()).map(drop)
    }
}

impl std::fmt::Debug for Engine<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("campaign", &self.campaign.name).finish_non_exhaustive()
    }
}
