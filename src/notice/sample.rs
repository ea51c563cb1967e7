//! One campaign and one person for the tests of this room.

use super::*;
use crate::campaign::*;
use crate::fault::Place;
use crate::roster::{Format, MailStore, Person};
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::path::PathBuf;

pub fn place() -> Place {
    Place::new("flagday.toml", 40, 1)
}

pub fn campaign() -> Campaign {
    let local = "2026-12-12T18:00:00".parse().unwrap();
    let notice = |name: &str, audience: &str| Notice {
        name: name.to_owned(),
        audience: audience.to_owned(),
        template: name.to_owned(),
        package: None,
        at: None,
        window: chrono::Duration::hours(24),
        calendar: false,
        place: place(),
    };
    let package = Package {
        name: "init-disk".to_owned(),
        audience: "remote-users".to_owned(),
        format: PackageFormat::Zip,
        medium: Some(Medium::M1_44),
        source: PackageSource::Collected { from: "disks".into() },
        place: place(),
    };
    let notices = [
        ("change-date", "remote-users"),
        ("new-serial", "async-admins"),
        ("local-change-date", "local-users"),
        ("reminder", "remote-users"),
        ("escalation", "managers"),
        ("broadcast", "local-users"),
        ("all-clear", "everybody"),
        ("abort", "everybody"),
        ("postponed", "everybody"),
        ("outdated-answer", "everybody"),
        ("correction", "managers"),
    ];
    Campaign {
        root: PathBuf::from("/no/such/campaign"),
        file: PathBuf::from("/no/such/campaign/flagday.toml"),
        name: "corp-hq-serial".to_owned(),
        title: "New serial number for CORP/HQ".to_owned(),
        playbook: Some("msmail-serial-change".to_owned()),
        change: Change::new(local, chrono_tz::America::Chicago).unwrap(),
        minimum_notice: None,
        calendar: Calendar::default(),
        contact: "Mail Desk, +1 555 0100, maildesk@corp.example".to_owned(),
        mail: Mail {
            from: "Mail Desk <maildesk@corp.example>".parse().unwrap(),
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
        intake: vec![],
        web: None,
        rosters: vec![],
        audiences: IndexMap::new(),
        packages: IndexMap::from([("init-disk".to_owned(), package)]),
        notices: notices.iter().map(|(name, to)| ((*name).to_owned(), notice(name, to))).collect(),
        acknowledgements: IndexMap::new(),
        gates: IndexMap::new(),
        steps: vec![],
        msmail: Some(MsMail {
            postoffice: "M:/MAILDATA".into(),
            staged: "D:/NEWPO".into(),
            network: "CORP".to_owned(),
            name: "HQ".to_owned(),
            old_serial: "32-10411".to_owned(),
            new_serial: "32-20977".to_owned(),
            gateways: vec![],
            global_address_list: true,
            polling: chrono::Duration::minutes(20),
            place: place(),
            stated: Default::default(),
        }),
        facts: BTreeMap::new(),
    }
}

pub fn person() -> Person {
    Person {
        id: "kim".to_owned(),
        name: "Kim Sørensen".to_owned(),
        email: Some("kim@corp.example".parse().unwrap()),
        kind: "remote".to_owned(),
        mailbox: Some("KIM".to_owned()),
        hexid: None,
        mail_store: MailStore::Postoffice,
        format: Format::Mime,
        language: None,
        time_zone: None,
        manager_email: None,
        alternate_email: None,
        network: None,
        postoffice: None,
        phone: Some("+1 555 0177".to_owned()),
        extra: BTreeMap::from([("Room".to_owned(), "2.17".to_owned())]),
        place: place(),
    }
}

/// Everything a template can see, for Kim.
pub fn full() -> Context {
    full_for(&person(), "change-date")
}

pub fn full_for(person: &Person, notice: &str) -> Context {
    let campaign = campaign();
    let mut context = Context::new(&campaign, person, notice);
    let due = "2026-12-09T15:00:00Z".parse().unwrap();
    let file = FileWords { name: "KIM.ZIP".to_owned(), size: 4_321, sha256: "0123456789abcdef".repeat(4) };
    context.change.own_local.get_or_insert("Sunday, 13 December 2026, 01:00 CET (Europe/Oslo)".to_owned());
    context.notice.reason = Some("two reminders went out without an answer".to_owned());
    context.notice.changes = [
        ("change_at", "2026-12-05 18:00:00", "2026-12-12 18:00:00"),
        ("new_serial", "32-20970", "32-20977"),
        ("text change-date", "0123", "4567"),
        ("package init-disk kim", "2026-11-21", ""),
    ]
    .map(|(fact, told, now)| ChangedWords::new(&campaign, person, fact, told, now))
    .to_vec();
    context.ack = Some(AckWords {
        due: Some(AckWords::due(&campaign, person, due)),
        word: "CONFIRMED".to_owned(),
        code_asked: true,
        reply_to: Some("ack+abcdefghijklmnop@corp.example".to_owned()),
        link: Some("https://flagday.corp.example/c/abcdefghijklmnop".to_owned()),
    });
    context.package = Some(PackageWords {
        name: "init-disk".to_owned(),
        sha256: file.sha256.clone(),
        size: file.size,
        files: vec![file],
    });
    context.about = Some(columns(person));
    context.outdated = Some(OutdatedWords {
        answered: "2026-11-24".to_owned(),
        sent: "2026-11-26".to_owned(),
        subject: "Changed: New serial number for CORP/HQ".to_owned(),
    });
    context
}

pub fn date() -> DateTime<Utc> {
    "2026-11-28T15:00:00Z".parse().unwrap()
}

/// What the sample attachment holds: every byte, lone line ends included.
pub fn disk() -> Vec<u8> {
    (0..4_321u32).map(|n| (n * n % 253) as u8).chain(*b"\n.\nMAIL FROM:<x>\r").collect()
}

pub fn attachment() -> Attachment {
    use sha2::Digest;
    Attachment {
        shown_name: "KIM.ZIP".to_owned(),
        mime: "application/zip".to_owned(),
        path: "packages/KIM.ZIP".into(),
        sha256: HEXLOWER.encode(&sha2::Sha256::digest(disk())),
        size: disk().len() as u64,
    }
}

pub fn header() -> Header {
    Header {
        from: campaign().mail.from,
        to: ("Kim Sørensen".to_owned(), "kim@corp.example".parse().unwrap()),
        reply_to: Some("ack+abcdefghijklmnop@corp.example".parse().unwrap()),
        message_id: "<corp-hq-serial.change-date.aaaabbbbccccdddd@corp.example>".to_owned(),
        date: date(),
        references: vec![],
        answers: false,
        attachments: vec![attachment()],
        calendar: None,
    }
}

/// The letter as it goes out, with the sample attachment's content.
pub fn bytes(letter: &Letter) -> Vec<u8> {
    let mut out = Vec::new();
    letter.write(&mut out, &|_| Ok(Box::new(std::io::Cursor::new(disk())))).unwrap();
    assert_eq!(out.len() as u64, letter.size());
    out
}
