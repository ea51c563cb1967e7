//! The gates as the play goes on. Judging one looks at everybody's evidence, so between two runs of the program answers
//! are only counted off, and a gate is judged again when the count says that it may have opened.

use crate::engine::Engine;
use crate::fault::Result;
use indexmap::IndexMap;
use std::collections::HashSet;

#[derive(Debug, Default)]
pub(super) struct Tally {
    gates: IndexMap<String, Gate>,
}

#[derive(Debug)]
pub(super) struct Gate {
    acknowledgement: String,
    pub open: bool,
    pub satisfied: usize,
    pub of: usize,
    enough: usize,
    blocking: HashSet<String>,
}

impl Tally {
    /// Judges every gate; those that have opened or shut since the last time.
    pub(super) fn judge(&mut self, engine: &Engine) -> Result<Vec<(String, bool)>> {
        let mut turned = Vec::new();
        for verdict in engine.verdicts()? {
            let gate = &engine.campaign.gates[&verdict.name];
            let was_open = self.gates.get(&verdict.name).is_some_and(|gate| gate.open);
            if was_open != verdict.open {
                turned.push((verdict.name.clone(), verdict.open));
            }
            let judged = Gate {
                acknowledgement: gate.acknowledgement.clone(),
                open: verdict.open,
                satisfied: verdict.satisfied,
                of: verdict.of,
                enough: (gate.share * verdict.of as f64 - 1e-9).ceil().max(0.0) as usize,
                blocking: verdict.blocking.into_iter().map(|one| one.person).collect(),
            };
            self.gates.insert(verdict.name, judged);
        }
        Ok(turned)
    }

    /// Somebody's answer is there: true when a gate has to be judged again.
    pub(super) fn answered(&mut self, acknowledgement: &str, person: &str) -> bool {
        let mut enough = false;
        for gate in self.gates.values_mut().filter(|gate| gate.acknowledgement == acknowledgement) {
            if gate.blocking.remove(person) {
                gate.satisfied += 1;
                enough |= !gate.open && gate.satisfied >= gate.enough;
            }
        }
        enough
    }

    pub(super) fn gates(&self) -> impl Iterator<Item = (&String, &Gate)> {
        self.gates.iter()
    }
}
