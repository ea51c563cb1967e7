//! What happens next, and when: the timed actions that are not done.

use crate::engine::{Engine, Planned};
use crate::fault::Result;

/// The first `most` of them; what is due or held stands first, because its hour has come.
pub fn coming(engine: &Engine, most: usize) -> Result<Vec<Planned>> {
    Ok(engine.plan(None)?.into_iter().filter(|planned| planned.state != "done").take(most).collect())
}
