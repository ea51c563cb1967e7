use super::{Global, output};
use crate::fault::{Exit, Result};
use clap::Subcommand;
use serde_json::json;

/// The hash-chained record of everything that happened
#[derive(Debug, clap::Args)]
pub struct Audit {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Recompute the chain
    Verify {
        /// A head printed earlier: it must still be part of the chain
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// Every event, one JSON object a line
    Export,
}

impl Audit {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        let engine = global.open()?;
        match &self.what {
            What::Verify { head } => {
                let found = engine.ledger().audit_verify(head.as_deref())?;
                if global.json {
                    output::json(&json!({ "schema": 1, "ok": true, "head": found }))?;
                } else {
                    output::data(&match found {
                        Some(head) => format!("{} events, the chain holds; head {}", head.events, head.hash),
                        None => "no events yet".to_owned(),
                    })?;
                }
            }
            What::Export => {
                engine.ledger().audit_events(|event| output::data(&serde_json::to_string(&event)?))?;
            }
        }
        Ok(Exit::Done)
    }
}
