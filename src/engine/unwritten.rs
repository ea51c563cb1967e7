//! Letters whose template wants what their person does not have. They are on record as failed, and all others are served. A
//! notice that nobody was ever to get, and that can be written to nobody now, is left out: its text is wrong, and is not
//! what people were told.

use super::Sent;
use crate::fault::{Fault, Finding, Result};
use crate::ledger::NewMessage;
use crate::outbox::FailureClass;
use std::collections::HashSet;

#[derive(Debug, Default)]
pub(super) struct Unwritten {
    /// Notices of which there is no message, and none of these could be written so far.
    new: HashSet<String>,
    /// Notice, person and why.
    letters: Vec<(String, String, Finding)>,
}

impl Unwritten {
    pub fn of(new: HashSet<String>) -> Unwritten {
        Unwritten { new, letters: Vec::new() }
    }

    /// The same messages; an error at the end where a notice can be written to nobody, so that nothing is planned.
    pub fn judge(
        &mut self,
        composed: impl Iterator<Item = Result<NewMessage>>,
    ) -> impl Iterator<Item = Result<NewMessage>> {
        let mut composed = composed.fuse();
        std::iter::from_fn(move || match composed.next() {
            Some(message) => {
                message.iter().for_each(|message| self.note(message));
                Some(message)
            }
            None => self.in_vain().next().map(|(_, _, finding)| Err(Fault::from(finding.clone()))),
        })
    }

    fn note(&mut self, message: &NewMessage) {
        if let Some(finding) = &message.unwritten {
            self.letters.push((message.notice.clone(), message.person.clone(), finding.clone()));
        } else if message.envelope_to.is_some() {
            self.new.remove(&message.notice);
        }
    }

    /// Letters of notices that can be written to nobody.
    fn in_vain(&self) -> impl Iterator<Item = &(String, String, Finding)> {
        self.letters.iter().filter(|(notice, ..)| self.new.contains(notice))
    }

    /// The notices that can be written to nobody; their letters alone are told.
    pub fn left_out(&mut self) -> HashSet<String> {
        let notices: HashSet<String> = self.in_vain().map(|(notice, ..)| notice.clone()).collect();
        self.letters.retain(|(notice, ..)| notices.contains(notice));
        notices
    }

    /// Counts them among what failed, each notice for itself.
    pub fn tell(self, sent: &mut Sent, then: &str) {
        sent.failed += self.letters.len();
        for (notice, person, finding) in self.letters {
            let place = finding.place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default();
            let words = || (format!("{place}{}", finding.cause), format!("{}; then {then}", finding.remedy));
            FailureClass::add(&mut sent.failures, format!("{} of '{notice}'", finding.code), &person, words);
        }
    }
}
