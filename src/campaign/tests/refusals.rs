//! One fault at a time in a file that is good otherwise: it is told, by its code, and nothing else is.

use super::{OWN, SITE, read, shown};
use crate::fault::Severity::{self, Error, Warning};

#[track_caller]
fn told(text: &str, severity: Severity, code: &str) {
    let (good, findings) = match read(text) {
        Ok((_, findings)) => (true, findings),
        Err(fault) => (false, fault.findings),
    };
    let codes: Vec<_> = findings.iter().map(|finding| (finding.severity, finding.code)).collect();
    assert_eq!(codes, [(severity, code)], "{}\n{text}", shown(&findings));
    assert_eq!(good, severity != Error);
}

/// Replaces a line of the site's file.
#[track_caller]
fn replaced(line: &str, with: &str, code: &str) {
    assert!(SITE.contains(line), "{line}");
    told(&SITE.replace(line, with), Error, code);
}

/// Adds lines to the site's file.
#[track_caller]
fn added(lines: &str, code: &str) {
    told(&format!("{SITE}{lines}\n"), Error, code);
}

#[test]
fn the_campaign_has_a_name_a_date_and_a_zone() {
    replaced("name = \"corp-hq-serial\"", "name = \"Corp HQ\"", "bad-name");
    replaced("name = \"corp-hq-serial\"", "name = \"\"", "bad-name");
    replaced("name = \"corp-hq-serial\"", "", "missing-key");
    replaced("contact = \"Mail Desk, +1 555 0100\"", "", "missing-key");
    replaced("contact = \"Mail Desk, +1 555 0100\"", "contact = 3", "wrong-type");
    replaced("contact = \"Mail Desk, +1 555 0100\"", "contact = \"a\\r\\nBcc: b\"", "control-character");
    for date in ["2026-12-12T18:00:00Z", "2026-12-12T18:00:00-06:00", "2026-12-12", "18:00:00"] {
        replaced("2026-12-12T18:00:00", date, "bad-date");
    }
    for date in ["\"T-3d\"", "\"0026-12-12 18:00\"", "\"+99999-12-12 18:00\"", "2027-03-14T02:30:00"] {
        replaced("2026-12-12T18:00:00", date, "bad-date");
    }
    replaced("2026-12-12T18:00:00", "\"next week\"", "bad-moment");
    replaced("2026-12-12T18:00:00", "20261212", "wrong-type");
    replaced("2026-12-12T18:00:00", "2026-11-01T01:30:00", "bad-date");
    replaced("America/Chicago", "America/Chigaco", "bad-time-zone");
    replaced("playbook = \"msmail-serial-change\"", "playbook = \"msmail-serial-changes\"", "unknown-playbook");
}

#[test]
fn days_of_work_and_quiet_hours() {
    let calendar = |lines: &str, code: &str| added(&format!("[calendar]\n{lines}"), code);
    calendar("holidays = [\"christmas\"]", "bad-holidays");
    calendar("holidays = [\"fr.ics\"]", "no-such-file");
    calendar("holidays = 3", "wrong-type");
    calendar("working_days = [\"mon-freitag\"]", "bad-weekday");
    for hours in ["20:00", "20:00-25:00", "07:00-07:00"] {
        calendar(&format!("quiet = \"{hours}\""), "bad-quiet-hours");
    }
    calendar("[calendar.country.DE]", "bad-name");
    calendar("[calendar.country.de]\nholiday = []", "unknown-key");
    replaced("[mail]", "minimum_notice = \"two weeks\"\n[mail]", "bad-span");
    added("[notice.all-clear]\nwindow = \"0h\"", "out-of-range");
    added("[acknowledgement.disk-received]\ncap = 2.5", "out-of-range");
}

#[test]
fn mail_leaves_by_a_way_that_can_work() {
    let mail = |lines: &str, code: &str| replaced("[mail]\n", &format!("[mail]\n{lines}\n"), code);
    replaced("Mail Desk <maildesk@corp.example>", "maildesk", "bad-address");
    mail("transport = \"mail.corp.example\"", "bad-smtp-url");
    mail("transport = \"smtp://desk@mail.corp.example\"", "missing-key");
    mail("transport = \"smtp://desk@mail.corp.example?tls=none\"\npassword_env = \"P\"", "bad-smtp-url");
    mail("transport = \"smtp://mail.corp.example?tls=maybe\"", "unknown-word");
    mail("transport = \"smtp://desk:pw@mail.corp.example\"", "password-in-file");
    mail("password_env = \"P\"\npassword_command = \"pass\"", "contradiction");
    mail("reply_to = \"ack+{person}@corp.example\"", "bad-address");
    mail("bounce_to = \"bounce+{token}\"", "bad-address");
    for connections in ["0", "65", "1.5", "nan"] {
        mail(&format!("connections = {connections}"), "out-of-range");
    }
    mail("connections = \"4\"", "wrong-type");
    mail("rate = \"50\"", "bad-rate");
    mail("messages_per_connection = 0", "out-of-range");
    mail("idle = \"soon\"", "out-of-range");
    mail("idle = 30", "wrong-type");
    mail("transport = \"smtp://mail.corp.example?auth=login\"", "bad-smtp-url");
    mail("transport = \"smtps://a@mail.corp.example?auth=kerberos\"\npassword_env = \"P\"", "unknown-word");
    mail("domain.\"a.example\" = { rate = \"fast\" }", "bad-rate");
    mail("domain.\"a.example\" = { connections = 0 }", "out-of-range");
    mail("domain.\"a.example\" = { conections = 1 }", "unknown-key");
    mail("domain.\"a.example\" = 3", "wrong-type");
    mail("domain.\"kim@a.example\" = { connections = 1 }", "bad-domain");
    mail("domain.\"*.example\" = { connections = 1 }", "bad-domain");
    mail("domain = { \"A.example\" = {}, \"a.example\" = {} }", "contradiction");
    mail("uncertain = \"drop\"", "unknown-word");
    mail("ca_file = \"missing.pem\"", "no-such-file");
    mail("dkim = { domain = \"corp.example\", key_file = \"k.pem\" }", "missing-key");
    mail("dkim = { domain = \"c.example\", selector = \"s\", key_file = \"missing.pem\" }", "no-such-file");
    mail("dkim = { domain = \"c@c.example\", selector = \"s\", key_file = \"/etc/dkim.pem\" }", "bad-domain");
    mail("dkim = { domain = \"c.example\", selector = \"s;v=1\", key_file = \"/etc/dkim.pem\" }", "bad-selector");
}

#[test]
fn answers_come_in_by_a_way_that_can_work() {
    added("[[intake.mailbox]]", "contradiction");
    added("[[intake.mailbox]]\nmaildir = \"a\"\nmbox = \"b\"", "contradiction");
    added("[[intake.mailbox]]\nimap = \"imap://desk@mail.example\"\npassword_env = \"P\"", "bad-imap-url");
    added("[[intake.mailbox]]\nimap = \"imaps://mail.example\"\npassword_env = \"P\"", "bad-imap-url");
    added("[[intake.mailbox]]\nimap = \"pop3://desk@mail.example\"\npassword_env = \"P\"", "bad-imap-url");
    added("[[intake.mailbox]]\nimap = \"imaps://desk@mail.example\"", "missing-key");
    added("[[intake.mailbox]]\nimap = \"imaps://desk:pw@mail.example\"", "password-in-file");
    added("[web]\nlisten = \"8480\"", "bad-listen");
    added("[web]\nproxies = [\"proxy\"]", "bad-proxy");
    added("[web]\nlink_key = 256", "out-of-range");
    added("[web]\npublic_url = \"https://a.example/#x\"", "bad-url");
    added("[web]\npublic_url = \"flagday.corp.example\"", "bad-url");
    added("[ledger]\nurl = \"postgres://flagday@db/flagday\"", "ledger-url");
    added("[ledger]\nurl = \"sqlite://other.db\"", "ledger-url");
    added("[ledger]\npath = \"x\"", "unknown-key");
}

#[test]
fn rosters_exist_and_audiences_say_who() {
    added("[[roster]]\nfile = \"missing.csv\"", "no-such-file");
    added("[[roster]]\nkind = \"remote\"", "missing-key");
    added("[[roster]]\nfile = \"a.csv\"\n[[roster]]\nfile = \"a.csv\"", "duplicate-name");
    added("[[roster]]\nfile = \"a.csv\"\nencoding = \"utf8\"", "unknown-word");
    added("[[roster]]\nfile = \"a.csv\"\ncolumns = { email = 3 }", "wrong-type");
    added("[audience]\nlocal-users = \"local\"", "wrong-type");
    added("[audience]\nlocal-users = { kind = [] }", "out-of-range");
    added("[audience]\nlocal-users = { kind = 3 }", "wrong-type");
    added("[audience]\n\"Local Users\" = {}", "bad-name");
    added("[facts]\nold-name = \"x\"", "bad-name");
    told(&OWN.replace("[[roster]]\nfile = \"users.csv\"\n", ""), Error, "missing-key");
}

#[test]
fn packages_can_be_made() {
    let package = |lines: &str, code: &str| added(&format!("[package.init-disk]\n{lines}"), code);
    package("audience = \"remote-user\"", "unknown-audience");
    package("format = \"tar\"", "unknown-word");
    package("format = \"link\"", "not-available");
    package("medium = \"2.88M\"", "unknown-word");
    package("source = \"bought\"", "unknown-word");
    package("source = \"command\"", "contradiction");
    package("source = \"recipe\"", "contradiction");
    package("command = [\"make-disk\"]", "contradiction");
    added("[package.\"../disk\"]\naudience = \"everyone\"\nsource = \"collected\"", "bad-name");
}

#[test]
fn notices_reach_somebody() {
    let notice = |lines: &str, code: &str| added(&format!("[notice.news]\naudience = \"everyone\"\n{lines}"), code);
    added("[notice.news]", "missing-key");
    added("[notice.news]\naudience = \"everybody\"", "unknown-audience");
    notice("package = \"init-disks\"", "unknown-package");
    notice("at = \"T-14\"", "bad-moment");
    notice("at = 2026-11-28T09:00:00Z", "bad-date");
    notice("at = \"T-9223372036854775808d\"", "bad-moment");
    notice("template = \"../../etc\"", "bad-name");
    notice("calendar = \"yes\"", "wrong-type");
    notice("color = \"red\"", "unknown-key");
}

#[test]
fn what_is_asked_for_can_be_answered() {
    let asked = |lines: &str, code: &str| added(&format!("[acknowledgement.disk-received]\n{lines}"), code);
    asked("audience = \"nobody\"", "unknown-audience");
    asked("notice = \"change\"", "unknown-notice");
    asked("grade = \"posessed\"", "bad-grade");
    asked("grade = \"none\"", "bad-grade");
    asked("due = \"soon\"", "bad-moment");
    asked("remind = [\"T-10d\", 7]", "wrong-type");
    asked("escalate = [{ at = \"T-3d\" }]", "contradiction");
    asked("escalate = [{ at = \"T-3d\", to = \"manager\", task = \"phone\" }]", "contradiction");
    asked("escalate = [{ to = \"manager\" }]", "missing-key");
    asked("escalate = [\"T-3d\"]", "wrong-type");
    asked("escalate = [{ at = \"T-3d\", to = \"boss\" }]", "unknown-word");
    added("[acknowledgement.serial-received]\ngrade = \"possessed\"", "no-package");
    added("[acknowledgement.drained]\ngrade = \"confirmed\"", "nobody-asked");
    let own = format!("{OWN}[audience]\nall = {{}}\n[acknowledgement.a]\naudience = \"all\"\ngrade = \"observed\"\n");
    told(&format!("{own}remind = \"T-3d\""), Error, "unknown-notice");
    told(&format!("{own}escalate = {{ at = \"T-3d\", to = \"manager\" }}"), Error, "unknown-notice");
}

#[test]
fn a_gate_names_somebody() {
    let gate = |lines: &str, code: &str| added(&format!("[gate.disks-held]\n{lines}"), code);
    gate("acknowledgement = \"disks-received\"", "unknown-acknowledgement");
    gate("share = 1.1", "out-of-range");
    gate("share = -0.5", "out-of-range");
    gate("share = nan", "out-of-range");
    gate("share = \"all\"", "wrong-type");
    gate("on_deadline = \"explode\"", "unknown-word");
    added("[gate]\ndisks-held = 3", "wrong-type");
}

#[test]
fn a_step_does_one_thing_that_can_be_done() {
    let step = |lines: &str, code: &str| added(&format!("[[step]]\nname = \"ask\"\n{lines}"), code);
    step("attest = \"x\"\nchecklist = [\"no name\"]", "bad-checklist");
    step("checklist = [\"seen: a thing\"]", "bad-checklist");
    step("seen = [\"restrat\"]", "unknown-step");
    step("seen = [\"backup\"]", "unknown-step");
    step("seen = [\"ask\"]\nattest = \"x\"\nchecklist = [\"here: itself\"]", "unknown-step");
    added("[[step]]", "missing-key");
    added("[[step]]\nname = \"Ask\"", "bad-name");
    added("[[step]]\nname = \"ask\"\n[[step]]\nname = \"ask\"", "duplicate-name");
    added("[[step]]\nname = 3", "wrong-type");
    told(&SITE.replace("[campaign]", "step = 3\n[campaign]"), Error, "wrong-type");
    step("needs = [\"disk-held\"]", "unknown-gate");
    step("before = [\"stages\"]", "unknown-check");
    step("after = \"p1-shut\"", "unknown-check");
    step("observe = \"drains\"", "unknown-observation");
    step("notice = [\"news\"]", "unknown-notice");
    step("notice = []", "out-of-range");
    step("package = \"disk\"", "unknown-package");
    step("wait = \"later\"", "bad-moment");
    step("rename = { from = \"a\" }", "missing-key");
    step("rename = { from = \"{post}/P1\", to = \"b\" }", "unknown-placeholder");
    step("rename = { from = \"{state}/{x}\", to = \"b\" }", "unknown-placeholder");
    step("rename = { from = \"a\", to = \"b\" }\ncopy = { from = \"a\", to = \"b\" }", "contradiction");
    step("replace = []", "out-of-range");
    step("shell = { run = [] }", "out-of-range");
    step("shell = { run = \"a\", cwd = \"b\" }", "unknown-key");
    step("shell = { undo = [\"a\"] }", "missing-key");
    told(&format!("{OWN}[[step]]\nname = \"a\"\nbefore = \"stage\""), Error, "no-postoffice");
    told(&format!("{OWN}[[step]]\nname = \"a\"\nobserve = \"drain\""), Error, "no-postoffice");
    told(
        &format!("{OWN}[[step]]\nname = \"a\"\nbackup = {{ from = \"{{staged}}\", to = \"b\" }}"),
        Error,
        "no-postoffice",
    );
}

#[test]
fn the_postoffice_is_described_in_full() {
    for key in ["postoffice", "staged", "network", "name", "old_serial", "new_serial"] {
        let site = SITE.split_once("[msmail]").expect("the section");
        let lines: Vec<_> = site.1.lines().filter(|line| !line.starts_with(&format!("{key} ="))).collect();
        told(&format!("{}[msmail]{}\n", site.0, lines.join("\n")), Error, "missing-key");
    }
    replaced("new_serial = \"32-20977\"", "new_serial = 32-20977", "toml-syntax");
    replaced("[msmail]\n", "[msmail]\ngateways = [1]\n", "wrong-type");
    replaced("[msmail]\n", "[msmail]\nglobal_address_list = \"YES\"\n", "wrong-type");
    replaced("[msmail]\n", "[msmail]\npolling = \"soon\"\n", "bad-span");
}

#[test]
fn likely_mistakes_are_warned_of() {
    let warned = |lines: &str, code: &str| told(&format!("{SITE}{lines}\n"), Warning, code);
    let asked = "[acknowledgement.disk-received]\n";
    warned(&format!("{asked}due = \"T+1d\"\nescalate = []"), "due-after-change");
    warned(&format!("{asked}due = \"T-20d\"\nremind = []"), "due-before-notice");
    warned(&format!("{asked}remind = \"T-2d\""), "reminder-after-due");
    warned(&format!("{asked}remind = \"T-15d\""), "reminder-before-notice");
    warned(&format!("{asked}escalate = [{{ at = \"T-4d\", to = \"manager\" }}]"), "escalation-before-due");
    warned(
        &format!("{asked}remind = [\"T-12d\", \"T-11d\"]\nescalate = [{{ at = \"T-3d\", to = \"manager\" }}]\ncap = 2"),
        "beyond-cap",
    );
    warned("[gate.more]\nacknowledgement = \"drained\"", "unused-gate");
    let needs = |step: &str| format!("[[step]]\nname = \"{step}\"\nneeds = [\"disks-held\"]\n");
    warned(&(needs("async-confirmed") + &needs("all-clear")), "unused-gate");
    warned("[gate.disks-held]\nshare = 0", "gate-always-open");
    warned("[notice.news]\naudience = \"everyone\"\npackage = \"init-disk\"", "audience-differs");
    warned("[acknowledgement.serial-received]\naudience = \"everyone\"", "audience-differs");
    told(&SITE.replace("Mail Desk, +1 555 0100", "CHANGE-ME"), Warning, "placeholder");
    if cfg!(not(windows)) {
        told(&SITE.replace("\"postoffice\"", "\"M:/MAILDATA\""), Warning, "drive-letter");
    }
}
