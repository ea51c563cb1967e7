use super::confirm::confirm;
use super::{Global, output};
use crate::fault::{Exit, Result};
use crate::system::{Real, World};
use crate::web::{Log, Serve as Asked, serve};
use std::net::SocketAddr;
use std::sync::Arc;

/// Confirm page, dashboard, /metrics, and the scheduler: sends, reads, reminds, escalates on time
#[derive(Debug, clap::Args)]
pub struct Serve {
    /// Listen here instead of at [web] listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// The pages alone: nothing is sent
    #[arg(long)]
    pages_only: bool,
}

impl Serve {
    pub fn run(&self, global: &Global) -> Result<Exit> {
        if !self.pages_only {
            let title = global.open()?.campaign.title.clone();
            confirm(global, &format!("Serving, and sending what is due for {title} until it is stopped"))?;
        }
        let log: Log = Arc::new(|line| output::prose(&format!("{} {line}", Real.now().format("%F %T"))));
        let access: Log = if global.quiet { Arc::new(|_| {}) } else { log.clone() };
        let asked = Asked {
            root: global.dir.clone(),
            listen: self.listen,
            schedule: !self.pages_only,
            log: log.clone(),
            access,
        };
        serve(&asked, |address| {
            // Whoever started it may wait for this line.
            let _ = output::data(&format!("listening on http://{address}/"));
            global.hint("The operator's password for names is in .flagday/operator. Stop with Ctrl-C.");
        })
    }
}
