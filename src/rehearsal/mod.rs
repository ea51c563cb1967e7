//! WHAT IF: the whole campaign on a copy, with a simulated clock, simulated people and a captured outbox. The engine is
//! the real one; only the world around it is made up, by `rehearsal.toml`.

mod administrator;
mod copy;
mod outcome;
mod people;
mod script;
mod stage;
mod world;

pub use outcome::{Blocked, Outcome, Told};

use crate::engine::Engine;
use crate::fault::Result;
use script::Script;
use stage::Stage;
use std::path::Path;
use std::sync::Arc;
use world::Simulated;

/// Rehearses the campaign in `root` inside `out`, or in a new temporary folder. Nothing outside that folder is touched.
/// `told` hears of everything as it happens.
pub fn rehearse(root: &Path, out: Option<&Path>, told: &mut dyn FnMut(Told)) -> Result<Outcome> {
    let (campaign, _) = crate::campaign::load(root)?;
    let folder = copy::folder(out)?;
    let site = copy::site(&campaign, &folder)?;
    told(Told::Aside(&format!("rehearsing in {}", folder.display())));
    let world = Simulated::at(campaign.change.at);
    let mut engine = Engine::open(&site.root, &world)?;
    site.redirect(Arc::make_mut(&mut engine.campaign), &campaign)?;
    site.refuse_outside(&engine.campaign, &folder)?;
    let script = Script::load(&site.root, &engine)?;
    world.set(script.start(&engine));
    site.stamp(&script, &engine)?;
    let mut stage = Stage::new(engine, &world, &script, &site, told);
    stage.play()?;
    let outcome = stage.outcome(folder)?;
    fs_err::write(outcome.folder.join("rehearsal.json"), serde_json::to_vec_pretty(&outcome)?)?;
    Ok(outcome)
}
