//! Mail in a mailbag that nobody has: no person whom the drain waits for, no remote user, no gateway, no neighbour. With the
//! change it is lost; so it holds the swap until somebody has said whose it is. A person whose kind is misspelt is in no
//! audience, and their mailbag is such a one.

use super::Engine;
use crate::answer::Kind;
use crate::campaign::Step;
use crate::fault::{Exit, Fault, Finding, Result, Severity};
use std::collections::HashSet;

impl Engine<'_> {
    /// Each mailbag of nobody that holds mail: its hex id, and what it holds.
    fn nobodys(&self) -> Result<Vec<(String, String)>> {
        Ok(self.whose_mailbags()?.nobodys(&self.watched(), &self.waited_for()))
    }

    /// The hex id of one of them, as a person writes it.
    pub(super) fn nobodys_named(&self, word: &str) -> Result<Option<String>> {
        let mut all = self.nobodys()?.into_iter().map(|(hexid, _)| hexid);
        Ok(all.find(|hexid| hexid.eq_ignore_ascii_case(word.trim())))
    }

    /// What is to be said of them: `None` where there are none, or somebody has vouched for all of them since the broadcast.
    pub(super) fn mail_of_nobody(&self, severity: Severity) -> Result<Option<Finding>> {
        let (Some(_), Ok(gate)) = (&self.campaign.msmail, self.drain_gate()) else { return Ok(None) };
        let mut all = self.nobodys()?;
        if !all.is_empty() {
            let vouched = self.vouched_mailbags(&gate.acknowledgement)?;
            all.retain(|(hexid, _)| !vouched.contains(hexid));
        }
        let Some((first, _)) = all.first() else { return Ok(None) };
        let list: Vec<&str> = all.iter().map(|(_, holds)| holds.as_str()).collect();
        let cause = format!("mail lies in mailbags of nobody whom the drain waits for: {}", list.join(", "));
        let drain = &self.drain_step()?.name;
        let remedy = format!(
            "look up with LISTUSER whose each is. A user's: list them on a roster, of a kind that the drain waits for \
             (`flagday amend` takes them over). Nobody's any more: let ADMIN delete it, or state, once the broadcast is sent, \
             that its mail may stay behind: `flagday cutover attest {drain} --person {first} --by NAME --note TEXT`"
        );
        let place = self.mailbags_place();
        Ok(Some(Finding::new(severity, MAIL_OF_NOBODY, cause, remedy).in_file(place).article("Q87416")))
    }

    /// Holds the steps that wait for the drain.
    pub(super) fn require_no_mail_of_nobody(&self, step: &Step) -> Result<()> {
        if !self.waits_for_drain(step) {
            return Ok(());
        }
        match self.mail_of_nobody(Severity::Error)? {
            Some(finding) => Err(Fault { exit: Exit::Waiting, findings: vec![finding] }),
            None => Ok(()),
        }
    }

    pub(super) fn waits_for_drain(&self, step: &Step) -> bool {
        self.drain_gate().is_ok_and(|gate| step.needs.contains(&gate.name))
    }

    fn vouched_mailbags(&self, acknowledgement: &str) -> Result<HashSet<String>> {
        let since = self.observed_since(&self.campaign.acknowledgements[acknowledgement])?;
        let facts = self.ledger.evidence(acknowledgement, since.entry())?.into_iter();
        let holds = facts.filter(|fact| fact.kind == Kind::Attested && !fact.revoked);
        Ok(holds.map(|fact| fact.person).collect())
    }
}

/// Its code: while it is an error, the drain is not over.
pub(super) const MAIL_OF_NOBODY: &str = "mailbag-of-nobody";
