//! WHAT IF: the whole campaign on a copy, with a simulated clock, simulated people and a captured outbox. The engine is
//! the real one; only the world around it is made up, by `rehearsal.toml`.
//!
//! ```text
//! copy -site-> the campaign without its state, its trees beside it      script -read, cast-> who does what
//! stage -play-> happenings in order of time: people, mail, steps, administrator, mishaps -record-> Outcome
//! ```

mod administrator;
mod amendment;
mod by_zone;
mod compare;
mod copy;
mod mail;
mod mishaps;
mod outcome;
mod packages;
mod page;
mod people;
mod picture;
mod record;
mod script;
mod stage;
mod steps;
mod tally;
mod world;

pub use compare::{Change, Comparison, Difference, Side, compare};
pub use outcome::{Blocked, Count, Event, Kind, Need, Outcome, Told};
pub use script::On;

use crate::fault::{Fault, Result};
use crate::ledger;
use crate::roster;
use fs_err as fs;
use record::Record;
use script::Script;
use stage::Stage;
use std::path::{Path, PathBuf};
use world::Simulated;

/// What to rehearse, and how.
#[derive(Debug, Clone, Default)]
pub struct Order {
    pub campaign: PathBuf,
    /// An empty folder of the caller's; else a new temporary one.
    pub out: Option<PathBuf>,
    /// Instead of the one in `rehearsal.toml`.
    pub seed: Option<u64>,
}

/// A rehearsal that was played, and where it lies.
#[derive(Debug)]
pub struct Rehearsed {
    pub outcome: Outcome,
    pub folder: PathBuf,
    /// The timeline as a page with a picture.
    pub page: PathBuf,
    pub report: Vec<PathBuf>,
    /// The head of the copy's audit chain, verified.
    pub head: String,
}

/// Rehearses a campaign inside a folder of its own. Nothing outside that folder is touched. `told` hears of everything
/// as it happens.
pub fn rehearse(order: &Order, told: &mut dyn FnMut(Told)) -> Result<Rehearsed> {
    let (campaign, _) = crate::campaign::load(&order.campaign)?;
    let (people, faults) = roster::read(&campaign);
    Fault::check(faults)?;
    let mut script = Script::load(&order.campaign, &campaign, &people)?;
    script.seed = order.seed.unwrap_or(script.seed);
    let folder = copy::folder(order.out.as_deref())?;
    let world = Simulated::at(campaign.change.at);
    let zone = campaign.change.zone;
    let site = copy::site(campaign, &folder)?;
    told(Told::Aside(&format!("rehearsing in {}", folder.display())));
    ledger::begin_with_key(&site.root.join(".flagday"), &script.key())?;
    let engine = site.open(&world)?;
    world.set(script.start(&engine));
    site.stamp(&script, &engine)?;
    let record = Record::new(zone, format!("{}/", site.root.display()), told);
    let mut stage = Stage::new(engine, &world, &script, &site, record);
    let open = stage.play();
    // Where it broke off, what came before says why.
    stage.record.tell_the_rest();
    let open = open?;
    let (outcome, report, head) = stage.outcome(open, &folder)?;
    fs::write(folder.join(OUTCOME), serde_json::to_vec_pretty(&outcome)?)?;
    let page = folder.join("rehearsal.html");
    fs::write(&page, page::render(&outcome)?)?;
    Ok(Rehearsed { outcome, folder, page, report, head })
}

/// Under which name the outcome is kept in the rehearsal's folder.
const OUTCOME: &str = "rehearsal.json";

/// What to compare with: a campaign, which is rehearsed on a copy that is gone afterwards; or the folder of an earlier
/// rehearsal, or its `rehearsal.json`.
pub fn earlier(path: &Path, seed: Option<u64>) -> Result<Outcome> {
    if path.join("flagday.toml").exists() {
        let folder = tempfile::tempdir()?;
        let out = Some(folder.path().join("before"));
        return Ok(rehearse(&Order { campaign: path.to_owned(), out, seed }, &mut |_| {})?.outcome);
    }
    let file = if path.is_dir() { path.join(OUTCOME) } else { path.to_owned() };
    let unusable = |why: String| {
        let cause = format!("{} is no rehearsal to compare with: {why}", file.display());
        Fault::new("no-rehearsal", cause, "name a campaign's folder, or what an earlier `rehearse --out DIR` wrote")
    };
    let text = fs::read(&file).map_err(|error| unusable(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))
}
