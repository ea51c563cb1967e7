//! Packages that no step of the runbook builds: the administrator does that by hand before anything goes out.

use super::script::On;
use super::stage::Stage;
use crate::campaign::Action;
use crate::engine::What;
use crate::fault::{Fault, Finding, Result};
use chrono::{DateTime, Utc};

impl Stage<'_, '_> {
    /// Builds each of them. What is wrong with one is told, and the play goes on without it.
    pub(super) fn build_by_hand(&mut self) {
        let campaign = self.engine.campaign.clone();
        let by_step = |name: &str| campaign.steps.iter().any(|step| step.action == Some(Action::Package(name.into())));
        for package in campaign.packages.keys().filter(|name| !by_step(name)) {
            match self.build(package) {
                Ok(people) => {
                    let text = format!("builds '{package}', which no step does, for {people} people: flagday build");
                    self.by_hand(On::BuildFailed, package, &text);
                }
                Err(fault) => {
                    let (now, by) = (self.world.truly(), self.told_first(package));
                    self.record.stop(now, package, &format!("'{package}' is not built: {fault}"));
                    let what = format!("see to '{package}', then `flagday build`: {}", fault.cause());
                    self.need(On::BuildFailed, package, &what, by);
                    self.trigger(On::BuildFailed, None, None, None);
                }
            }
        }
    }

    /// For so many people.
    fn build(&mut self, package: &str) -> Result<usize> {
        let built = self.engine.build(Some(package))?;
        let people = built.iter().map(|one| one.people).sum();
        let findings: Vec<Finding> = built.into_iter().flat_map(|one| one.findings).collect();
        Fault::check(findings).map(|_| people)
    }

    /// The hour of the first notice that brings a package.
    fn told_first(&self, package: &str) -> Option<DateTime<Utc>> {
        let notices = &self.engine.campaign.notices;
        let brings = |name: &String| notices.get(name).is_some_and(|one| one.package.as_deref() == Some(package));
        let calendar = self.engine.calendar().into_iter();
        let told = calendar.filter(|entry| entry.what == What::Notice && entry.notice.as_ref().is_some_and(brings));
        told.map(|entry| entry.at).min()
    }
}
