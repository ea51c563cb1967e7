//! A file that states all it can.

use super::campaign;
use crate::campaign::*;
use std::path::Path;
use std::time::Duration;

const ALL: &str = r#"
[campaign]
name = "corp-hq-serial"
title = "New serial number for CORP/HQ"
playbook = "msmail-serial-change"
change_at = 2026-12-12T18:00:00
time_zone = "America/Chicago"
contact = "Mail Desk, +1 555 0100, maildesk@corp.example"
minimum_notice = "10d"

[calendar]
working_days = ["mon-thu", "sat"]
holidays = ["us.ics", 2026-12-07, "2026-12-08"]
quiet = "20:00-07:00"
quiet_days_off = true
[calendar.country.de]
holidays = ["2026-12-09"]

[mail]
from = "\"Desk, Mail\" <maildesk@corp.example>"
transport = "smtp://user@mail.corp.example:587?tls=required&auth=login"
password_command = "pass show smtp"
reply_to = "ack+{token}@corp.example"
bounce_to = "bounce+{token}@corp.example"
connections = 8
rate = "600/m"
messages_per_connection = 20
idle = "5s"
uncertain = "hold"
ca_file = "ca.pem"
[mail.domain]
"Example.com" = { connections = 1, rate = "2/s" }
"münchen.example" = { connections = 3 }
"*" = { rate = "10/s" }
[mail.dkim]
domain = "corp.example"
selector = "flagday"
key_file = "/etc/dkim.pem"

[intake]
[[intake.mailbox]]
maildir = "/var/mail/maildesk"
[[intake.mailbox]]
mbox = "answers.mbox"
[[intake.mailbox]]
imap = "imaps://desk%40corp.example@imap.corp.example/Flag%20day"
password_env = "FLAGDAY_IMAP_PASSWORD"

[web]
listen = "[::1]:8480"
public_url = "https://flagday.corp.example/"

[ledger]

[facts]
window_hours = 3
site = "HQ"

[[roster]]
file = "rosters/users.csv"
encoding = "cp850"
columns = { email = "E-Mail", name = "Display Name" }
[[roster]]
file = "rosters/async-admins.csv"
kind = "async-admin"

[audience]
remote-users = { kind = ["remote", "travelling"] }

[msmail]
postoffice = "/mnt/MAILDATA"
staged = "staged"
disks = "sets"
network = "CORP"
name = "HQ"
old_serial = "32-10411"
new_serial = "32-20977"
gateways = ["SMTP", "FAX"]
global_address_list = true
polling = "30m"

[package.init-disk]
audience = "remote-users"
format = "img"
medium = "720K"
source = "command"
command = ["make-disk", "{mailbox}", "{out}"]

[notice.change-date]
audience = "remote-users"
template = "date-and-disk"
package = "init-disk"
at = 2026-11-28T09:00:00
window = "90m"
calendar = false
[acknowledgement.disk-received]
audience = "remote-users"
notice = "change-date"
grade = "possessed"
due = "T-3wd 12:00"
remind = "T-10d"
escalate = { at = "T-3d", to = "alternate" }
cap = 3
window = "2d"
[gate.disks-held]
acknowledgement = "disk-received"
share = 0.95
allow_empty = true
on_deadline = "abort"
[[step]]
name = "backup"
title = "Snapshot"
article = "none"
needs = "disks-held"
wait = "T-2h"
before = "p1-open"
after = ["p1-open"]
attest = "Seen."
shell = { run = ["snapshot", "create"], undo = ["snapshot", "drop"] }
[[step]]
name = "inform"
follows = "backup"
needs = ["async-informed"]
notice = "reminder"
"#;

#[test]
fn mail_and_answers() {
    let campaign = campaign(ALL);
    let mail = &campaign.mail;
    assert_eq!(mail.from.name.as_deref(), Some("Desk, Mail"));
    let server = SmtpServer {
        host: "mail.corp.example".into(),
        port: 587,
        user: Some("user".into()),
        tls: Tls::Required,
        auth: Some(Auth::Login),
    };
    assert_eq!(mail.transport, Transport::Smtp(server));
    assert_eq!(mail.password, Some(PasswordSource::Command("pass show smtp".into())));
    assert_eq!(mail.rate, Some(Rate { count: 600, per: Duration::from_secs(60) }));
    assert_eq!(mail.reuse, Reuse { messages: 20, idle: Duration::from_secs(5) });
    let limit = |connections, count: Option<u32>| DomainLimit {
        connections,
        rate: count.map(|count| Rate { count, per: Duration::from_secs(1) }),
    };
    assert_eq!(mail.domains.of("example.com"), Some(&limit(Some(1), Some(2))));
    assert_eq!(mail.domains.of("xn--mnchen-3ya.example"), Some(&limit(Some(3), None)));
    assert_eq!(mail.domains.of("sub.example.com"), Some(&limit(None, Some(10))));
    assert_eq!((mail.connections, mail.uncertain), (8, Uncertain::Hold));
    assert_eq!(mail.ca_file.as_deref(), Some(Path::new("/corp/ca.pem")));
    assert_eq!(mail.dkim.as_ref().map(|dkim| dkim.key_file.as_path()), Some(Path::new("/etc/dkim.pem")));
    let kinds: Vec<_> = campaign.intake.iter().map(|mailbox| mailbox.kind.clone()).collect();
    let imap = ImapServer {
        host: "imap.corp.example".into(),
        port: 993,
        user: "desk@corp.example".into(),
        folder: "Flag day".into(),
        tls: Tls::Implicit,
        password: PasswordSource::Env("FLAGDAY_IMAP_PASSWORD".into()),
    };
    assert_eq!(
        kinds,
        [
            MailboxKind::Maildir("/var/mail/maildesk".into()),
            MailboxKind::Mbox("/corp/answers.mbox".into()),
            MailboxKind::Imap(imap)
        ]
    );
    let web = campaign.web.expect("a web section");
    assert_eq!(
        (web.listen.to_string().as_str(), web.public_url.as_deref()),
        ("[::1]:8480", Some("https://flagday.corp.example"))
    );
}

#[test]
fn people_and_what_they_get() {
    let campaign = campaign(ALL);
    assert_eq!(campaign.rosters[0].encoding, Encoding::Cp850);
    assert_eq!(campaign.rosters[0].columns["email"], "E-Mail");
    assert_eq!(campaign.rosters[1].encoding, Encoding::Utf8);
    assert_eq!(campaign.audiences["remote-users"].columns["kind"], ["remote", "travelling"]);
    let package = &campaign.packages["init-disk"];
    assert_eq!((package.format, package.medium), (PackageFormat::Img, Some(Medium::K720)));
    assert!(matches!(&package.source, PackageSource::Command { argv } if argv[0] == "make-disk"));
    let facts: Vec<_> = campaign.facts.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(
        facts,
        ["name=HQ", "network=CORP", "new_serial=32-20977", "old_serial=32-10411", "site=HQ", "window_hours=3"]
    );
    let msmail = campaign.msmail.expect("a postoffice");
    assert_eq!((msmail.gateways.join(" ").as_str(), msmail.global_address_list), ("SMTP FAX", true));
    assert_eq!(msmail.polling, chrono::Duration::minutes(30));
}

#[test]
fn what_they_answer_and_what_is_done() {
    let campaign = campaign(ALL);
    let notice = &campaign.notices["change-date"];
    assert_eq!((notice.template.as_str(), notice.calendar), ("date-and-disk", false));
    assert_eq!(notice.at.map(|at| at.to_string()).as_deref(), Some("2026-11-28 09:00"));
    let asked = &campaign.acknowledgements["disk-received"];
    assert_eq!(asked.due.map(|due| due.to_string()).as_deref(), Some("T-3wd 12:00"));
    assert_eq!((asked.remind.len(), asked.escalate[0].way), (1, EscalationWay::Alternate));
    let gate = &campaign.gates["disks-held"];
    assert_eq!((gate.share, gate.allow_empty, gate.on_deadline), (0.95, true, OnDeadline::Abort));
    let step = campaign.step("backup").expect("a step");
    assert_eq!(
        (step.title.as_str(), step.article.as_deref(), step.attest.as_deref()),
        ("Snapshot", Some("none"), Some("Seen."))
    );
    assert_eq!(
        (step.needs.join(" "), step.before.join(" "), step.after.join(" ")),
        ("disks-held".into(), "p1-open".into(), "p1-open".into())
    );
    assert_eq!(step.wait.map(|wait| wait.to_string()).as_deref(), Some("T-120m"));
    let run = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let action = Action::Shell { run: run("snapshot create"), undo: Some(run("snapshot drop")) };
    assert_eq!(step.action, Some(action));
    assert_eq!(campaign.step("inform").expect("a step").action, Some(Action::Notice(vec!["reminder".into()])));
}

#[test]
fn when_people_work_and_are_left_alone() {
    let campaign = campaign(ALL);
    assert_eq!(campaign.minimum_notice, Some(chrono::Duration::days(10)));
    let day = |text: &str| text.parse().expect("a date");
    let worked = |country| {
        let week = campaign.change_seen_from(None, country).week;
        let december = ["2026-12-07", "2026-12-08", "2026-12-09", "2026-12-11", "2026-12-12"];
        december.map(|text| week.is_worked(day(text)))
    };
    assert_eq!(worked(None), [false, false, true, false, true], "two holidays, a Friday off, a Saturday on");
    assert_eq!(worked(Some("DE ")), [true, true, false, false, true], "its own holidays, the campaign's week");
    assert_eq!(worked(Some("fr")), worked(None));
    assert!(!campaign.calendar.week.is_worked(day("2026-11-26")), "out of us.ics");
    assert!(campaign.calendar.quiet.days_off && campaign.calendar.quiet.hours.is_some());
    assert_eq!(campaign.notices["change-date"].window, chrono::Duration::minutes(90));
    assert_eq!(campaign.notices["reminder"].window, chrono::Duration::hours(24));
    let asked = &campaign.acknowledgements["disk-received"];
    assert_eq!((asked.cap, asked.window), (3, chrono::Duration::days(2)));
}
