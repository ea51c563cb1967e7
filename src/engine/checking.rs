//! `check`: everything validated before anything leaves.

use super::Engine;
use super::gates::is_evening;
use crate::campaign::Transport;
use crate::fault::{Finding, Result, people};
use crate::msmail::{self, Postoffice};
use crate::notice::Texts;
use crate::notice::dkim::Signer;
use crate::outbox::smtp::Load;
use crate::outbox::{Password, TransportKind, smtp};
use crate::platform;
use crate::roster::Person;
use std::collections::BTreeMap;

impl Engine<'_> {
    /// Every finding about file, rosters, texts, packages, postoffice, mailboxes and, with `online`, the mail servers.
    pub fn check(&self, online: bool) -> Result<Vec<Finding>> {
        let mut findings = self.findings.clone();
        let (texts, largest) = self.check_texts();
        findings.extend(texts);
        // A key that is of no use has stopped the texts already.
        let signature = self.check_signature().into_iter().filter(|finding| !findings.contains(finding));
        findings.extend(signature.collect::<Vec<_>>());
        findings.extend(self.check_packages());
        findings.extend(crate::package::strays(&self.campaign));
        findings.extend(self.check_postoffice()?);
        findings.extend(self.facts_changed()?);
        findings.extend(self.check_gates()?);
        let readdressed = self.to_readdress()?;
        if !readdressed.is_empty() {
            let cause = format!(
                "what waits for {} was written to another address than the roster has now",
                people(&readdressed)
            );
            let remedy = "`flagday send` writes it anew, to the address of now";
            findings.push(Finding::note("address-corrected", cause, remedy));
        }
        findings.extend(self.past_due(None)?);
        findings.extend(self.too_late()?);
        findings.extend(self.check_notice_time()?);
        if online && let Transport::Smtp(_) = &self.campaign.mail.transport {
            match self.transport() {
                // A password that is not there hides nothing else.
                Err(fault) => findings.extend(fault.findings),
                Ok(TransportKind::Smtp(server)) => {
                    let beyond_ascii = self
                        .roster
                        .people()
                        .filter(|person| person.email.as_ref().is_some_and(|address| !address.user().is_ascii()));
                    let beyond_ascii = beyond_ascii.map(|person| person.id.clone()).collect();
                    findings.extend(smtp::probe(&server, &Load { largest, beyond_ascii }));
                }
                Ok(TransportKind::File { .. } | TransportKind::Captured { .. }) => {}
            }
        }
        findings.extend(self.check_mailboxes(online)?);
        findings.extend(
            platform::share_kind(&self.campaign.root).map(on_a_share).map(|it| it.in_file(&self.campaign.root)),
        );
        Ok(findings)
    }

    fn check_texts(&self) -> (Vec<Finding>, Option<u64>) {
        let (texts, mut findings) = Texts::load(&self.campaign);
        findings.extend(texts.check_columns(self.roster.columns()));
        if findings.iter().any(Finding::is_error) {
            return (findings, None);
        }
        let (faults, largest) = self.rehearse_texts();
        findings.extend(faults);
        findings.extend(self.wanting_a_column());
        findings.extend(self.in_two_languages(&texts));
        (findings, largest)
    }

    /// Notices whose text is not in the language of some who read it, while what stands around the text is.
    fn in_two_languages(&self, texts: &Texts) -> Vec<Finding> {
        let mut findings = Vec::new();
        for notice in self.campaign.notices.values() {
            let mut readers: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for person in self.roster.audience(&self.campaign.audiences[&notice.audience]) {
                if let Some(language) = person.language.as_deref() {
                    readers.entry(language).or_default().push(person.id.clone());
                }
            }
            for (language, ids) in
                readers.iter().filter(|(language, _)| texts.is_mixed(&notice.template, Some(language)))
            {
                let cause = format!(
                    "'{}' has no text in '{language}' for {}: they read the general one, with dates, answer and end in theirs",
                    notice.name,
                    people(ids)
                );
                let remedy =
                    format!("write templates/mail/{}/text.{language}.hbs, and subject.{language}.hbs", notice.template);
                findings.push(Finding::warning("template-language", cause, remedy).at(notice.place.clone()));
            }
        }
        findings
    }

    fn check_signature(&self) -> Vec<Finding> {
        let Some(dkim) = &self.campaign.mail.dkim else { return Vec::new() };
        match Signer::load(dkim) {
            Ok(signer) => signer.remarks(&self.campaign.mail.from.email),
            Err(fault) => fault.findings,
        }
    }

    fn check_packages(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for package in self.campaign.packages.values() {
            match self.check_package(package) {
                Ok(found) => findings.extend(found),
                Err(fault) => {
                    findings.extend(fault.findings);
                    continue;
                }
            }
            match self.outdated_disks(package) {
                Ok(outdated) => findings.extend(outdated),
                Err(fault) => findings.extend(fault.findings),
            }
        }
        findings
    }

    /// The trees as they should be now. From the evening on, P1 and MASTER.GLB are where its steps have left them.
    fn check_postoffice(&self) -> Result<Vec<Finding>> {
        let Some(facts) = &self.campaign.msmail else { return Ok(Vec::new()) };
        let mut names = match self.evening_has_begun()? {
            false => vec!["stage".to_owned()],
            true => [vec!["postoffice".to_owned()], self.checks_by_now()?].concat(),
        };
        if self.lives_on_copies()? {
            names.push("access-current".to_owned());
        }
        let mut findings = self.check_by_names(&names);
        findings.extend(self.not_quiet_yet(&names)?);
        findings.extend(self.backup_gone()?);
        match Postoffice::open(&facts.postoffice) {
            Ok(live) => {
                findings.extend(self.told_by_hand(msmail::at_any_instant(&live)));
                let people: Vec<&Person> = self.roster.people().collect();
                findings.extend(msmail::roster(&live, &people));
            }
            Err(fault) => findings.extend(fault.findings),
        }
        if fs_err::symlink_metadata(&facts.postoffice).is_ok_and(|seen| seen.is_symlink()) {
            let cause =
                format!("{} is a link, and what it leads to is taken for the postoffice", facts.postoffice.display());
            let remedy = "see that it leads to the live one; links inside of it are refused";
            findings.push(facts.at("postoffice", Finding::note("postoffice-link", cause, remedy)));
        }
        // What several checks say is said once.
        let mut told: Vec<Finding> = Vec::new();
        findings.retain(|finding| {
            let new = !told.contains(finding);
            told.extend(new.then(|| finding.clone()));
            new
        });
        Ok(findings)
    }

    pub(super) fn evening_has_begun(&self) -> Result<bool> {
        is_evening(&self.campaign, &self.ledger)
    }

    /// How messages leave, with the password fetched.
    pub(super) fn transport(&self) -> Result<TransportKind> {
        match &self.campaign.mail.transport {
            Transport::File => {
                let folder = self.campaign.state().join("outbox");
                fs_err::create_dir_all(&folder)?;
                Ok(match self.ledger.is_throwaway() {
                    true => TransportKind::Captured { folder },
                    false => TransportKind::File { folder },
                })
            }
            Transport::Smtp(server) => {
                let password = self.campaign.mail.password.as_ref();
                let password = password.map(|source| Password::fetch(source, &self.campaign.root)).transpose()?;
                let ca_file = self.campaign.mail.ca_file.as_deref();
                Ok(TransportKind::Smtp(smtp::Server::new(server, ca_file, password)?.reusing(self.campaign.mail.reuse)))
            }
        }
    }
}

/// Two machines that have it open at a time may damage it (sqlite.org/wal.html), and what a server calls durable may not be.
fn on_a_share(kind: &str) -> Finding {
    let cause = format!(
        "the campaign lies on a network share ({kind}): its ledger is a database that one machine alone may have open, and it \
         outlives a power cut only as well as the server does"
    );
    let remedy = "move the campaign's folder to a disk of the machine that runs it; the postoffice may stay where it is. Until \
                  then run every command, `status` too, on one machine";
    Finding::warning("state-on-share", cause, remedy)
}
