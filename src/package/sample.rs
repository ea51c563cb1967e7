//! A small campaign and its people for the tests of this room.

use crate::campaign::{
    Campaign, Change, Mail, Medium, MsMail, Package, PackageFormat, PackageSource, Transport, Uncertain,
};
use crate::fault::Place;
use crate::roster::Person;
use std::path::Path;

pub fn campaign(root: &Path) -> Campaign {
    let local = "2026-12-12T18:00:00".parse().expect("a time");
    Campaign {
        root: root.to_owned(),
        file: root.join("flagday.toml"),
        name: "corp-hq-serial".into(),
        title: "New serial number for CORP/HQ".into(),
        playbook: Some("msmail-serial-change".into()),
        change: Change::new(local, chrono_tz::America::Chicago).expect("an instant"),
        minimum_notice: None,
        calendar: Default::default(),
        contact: "Mail Desk, +1 555 0100".into(),
        mail: Mail {
            from: "Mail Desk <maildesk@corp.example>".parse().expect("an address"),
            transport: Transport::File,
            reply_to: None,
            bounce_to: None,
            connections: 1,
            rate: None,
            domains: crate::campaign::DomainLimits::default(),
            reuse: crate::campaign::Reuse::default(),
            uncertain: Uncertain::Retry,
            ca_file: None,
            password: None,
            dkim: None,
        },
        intake: Vec::new(),
        web: None,
        rosters: Vec::new(),
        audiences: Default::default(),
        packages: Default::default(),
        notices: Default::default(),
        acknowledgements: Default::default(),
        gates: Default::default(),
        steps: Vec::new(),
        msmail: Some(MsMail {
            postoffice: root.join("postoffice"),
            staged: root.join("staged"),
            network: "CORP".into(),
            name: "HQ".into(),
            old_serial: "32-10411".into(),
            new_serial: "32-20977".into(),
            gateways: Vec::new(),
            global_address_list: true,
            polling: chrono::Duration::minutes(20),
            place: Place::file("flagday.toml"),
            stated: Default::default(),
        }),
        facts: Default::default(),
    }
}

pub fn package(format: PackageFormat, source: PackageSource) -> Package {
    Package {
        name: "init-disk".into(),
        audience: "remote-users".into(),
        format,
        medium: Some(Medium::M1_44),
        source,
        place: Place::new("flagday.toml", 20, 1),
    }
}

/// A person with a name that is hard on templates, one column of their own, and an empty one.
pub fn person(id: &str) -> Person {
    Person {
        name: "Ann O'Hara & {{x}}".into(),
        mailbox: Some(id.into()),
        extra: [("Room".to_owned(), "2.17".to_owned()), ("Floor".to_owned(), String::new())].into(),
        ..Person::named(id, "remote", Place::new("users.csv", 2, 1))
    }
}
