//! A person's statement for one other person, whom the program cannot see, or for a mailbag that nobody has. It speaks of the mail that lay there then: a
//! header in the mailbag that was not among it takes the statement away again.

use super::Engine;
use super::drain::watches_drain;
use crate::answer::{Evidence, Kind};
use crate::fault::{Fault, Result};
use crate::msmail::Postoffice;
use crate::msmail::drain::{Mail, Verdict};
use crate::runbook::stated;

impl Engine<'_> {
    /// Records a person's statement for one other person, whom the program cannot see, or for a mailbag of nobody.
    pub fn attest_person(&mut self, step: &str, person: &str, by: &str, note: &str) -> Result<String> {
        let (by, note) = stated(by, note)?;
        let step = self.step_named(step)?;
        let gate = step.needs.first().and_then(|gate| self.campaign.gates.get(gate));
        let Some(gate) = gate.filter(|_| watches_drain(step)) else {
            let cause = format!("step '{}' looks at nobody's files, so nobody can be vouched for there", step.name);
            return Err(Fault::new("not-personal", cause, "leave --person out, or record the person's own answer"));
        };
        self.require_before(step)?;
        self.require_broadcast()?;
        let audience = &self.campaign.audiences[&self.campaign.acknowledgements[&gate.acknowledgement].audience];
        let (id, waited_for) = match self.roster.find(person) {
            Ok(person) => (person.id.clone(), person.is_in(audience)),
            // Nobody's mailbag is vouched for by its own number.
            Err(unknown) => (self.nobodys_named(person)?.ok_or(unknown)?, true),
        };
        if !waited_for {
            let cause = format!("{id} is not among those whom step '{}' waits for", step.name);
            return Err(Fault::new("not-concerned", cause, format!("see `flagday who --blocking {}`", gate.name)));
        }
        let (_, seen) = self.observe_drain()?;
        let against = seen.into_iter().find(|one| one.person == id && one.verdict == Verdict::NotYet);
        let against = against.map_or(String::new(), |one| format!("although {}", one.why));
        let mail = self.mail_of(&self.mailbags()?, &id)?;
        let mut words = format!("{by} vouches for {id}; it stays visible as an attestation");
        let mut note = note;
        if !against.is_empty() {
            words += &format!(". The files say otherwise: {id} is taken for drained {against}");
            note += &format!("; {against}");
        }
        let acknowledgement = gate.acknowledgement.clone();
        let fact = Evidence {
            id: 0,
            at: self.now(),
            person: id,
            acknowledgement: acknowledgement.clone(),
            revision: self.revision_number()?,
            kind: Kind::Attested,
            by: Some(by),
            detail: format!("{note}\nheaders left: {}\n{MAIL}{}", mail.count(), mail.to_line()),
            revoked: false,
            address: None,
        };
        self.add_fact(&acknowledgement, &fact)?;
        Ok(words)
    }

    /// Takes back what was vouched for people in whose mailbag something lies that was not there then.
    pub(super) fn review_vouching(&mut self, acknowledgement: &str) -> Result<()> {
        let vouched = self.ledger.evidence(acknowledgement, 0)?.into_iter();
        let vouched: Vec<_> = vouched.filter(|fact| fact.kind == Kind::Attested && !fact.revoked).collect();
        if vouched.is_empty() {
            return Ok(());
        }
        let live = self.mailbags()?;
        for fact in vouched {
            let then = fact.detail.lines().find_map(|line| line.strip_prefix(MAIL)).map(Mail::from_line);
            let now = self.mail_of(&live, &fact.person)?;
            let new = now.new_since(&then.unwrap_or_default());
            if new > 0 {
                let note = format!("{new} of the {} headers now in the mailbag came in since", now.count());
                self.ledger.revoke_evidence(fact.id, "flagday", &note, self.world.now())?;
            }
        }
        Ok(())
    }

    fn mailbags(&self) -> Result<Postoffice> {
        let live = Postoffice::open_folders(&self.msmail()?.postoffice, &["MBG"])?;
        if live.folder("MBG").is_none() {
            Fault::check(live.findings().to_vec())?;
        }
        Ok(live)
    }

    fn mail_of(&self, live: &Postoffice, person: &str) -> Result<Mail> {
        let hexid = self.roster.get(person).map_or(Some(person), |person| person.hexid.as_deref());
        hexid.map_or(Ok(Mail::default()), |hexid| Mail::of(live, hexid))
    }
}

/// The line of a statement that holds the mailbag as it was then; for the program alone.
const MAIL: &str = "# mailbag: ";
