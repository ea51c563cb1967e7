//! Everywhere else: Ctrl-C, and nobody to talk to.

use std::ffi::OsStr;
use std::io::Result;

#[derive(Debug)]
pub struct Signals;

impl Signals {
    pub fn new() -> Result<Signals> {
        Ok(Signals)
    }

    pub async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

pub fn open_files(wanted: u64) -> u64 {
    wanted
}

#[derive(Debug)]
pub struct Manager;

impl Manager {
    pub fn connect(_: &OsStr) -> Option<Manager> {
        None
    }

    pub fn say(&self, _: &str) {}
}
