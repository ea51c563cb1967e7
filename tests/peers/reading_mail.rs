//! `intake` from a real Dovecot, in clear, over STARTTLS and over TLS: each letter once, nothing in the mailbox changed.

use crate::dovecot::{Dovecot, Speaks};
use crate::harness::{Campaign, FUTURE, Run, program};
use crate::need::{DOVECOT, Need, OPENSSL, trial};
use libtest_mimic::Trial;
use serde_json::Value;

pub fn trials() -> Vec<Trial> {
    let needs = [DOVECOT, OPENSSL, Need::Root];
    vec![
        trial("letters_on_an_imap_server_are_read_once_and_left_as_they_are", &needs, in_clear),
        trial("imap_over_tls_and_starttls_with_an_own_authority", &needs, encrypted),
        trial("imap_refuses_a_stranger_a_wrong_password_and_no_folder", &needs, refused),
        trial("check_tries_the_mailbox_and_says_what_keeps_it_shut", &needs, checked),
        trial("a_mailbox_made_anew_is_read_anew_and_counts_nothing_twice", &needs, anew),
    ]
}

fn campaign(url: &str, extra: &str) -> Campaign {
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.append(&format!("[[intake.mailbox]]\nimap = \"{url}\"\npassword_env = \"FLAGDAY_TEST_IMAP\""));
    if !extra.is_empty() {
        campaign.edit("bounce_to = ", &format!("{extra}\nbounce_to = "));
    }
    campaign
}

fn intake(campaign: &Campaign, password: &str) -> Run {
    let mut command = program();
    command.env("FLAGDAY_TEST_IMAP", password).arg("-C").arg(campaign.root()).args(["intake", "--json"]);
    Run::of(&mut command)
}

fn counts(run: &Run) -> (u64, u64) {
    let taken: Value = run.json();
    (taken["read"].as_u64().expect("a number"), taken["new"].as_u64().expect("a number"))
}

fn letter(n: usize) -> String {
    format!(
        "From: weiss@hq.corp.example\nSubject: Re: disk {n}\nMessage-ID: <{n}@home.example>\n\n{{9999}}\nf3 OK not the end {n}\n"
    )
}

fn in_clear() {
    let dovecot = Dovecot::start(Speaks::Clear);
    let campaign = campaign(&format!("imap://desk@127.0.0.1:{}/INBOX", dovecot.port), "");
    assert_eq!(counts(&intake(&campaign, "let me in").ends(0)), (0, 0));
    (0..250).for_each(|n| dovecot.deliver(&format!("{n}.host"), &letter(n)));
    dovecot.deliver("empty.host", "");
    dovecot.deliver("large.host", &format!("{}{}", letter(1000), "x".repeat(79).repeat(400_000)));
    assert_eq!(counts(&intake(&campaign, "let me in").ends(0)), (252, 252));
    assert_eq!(counts(&intake(&campaign, "let me in").ends(0)), (0, 0));
    dovecot.deliver("last.host", &letter(2000));
    assert_eq!(counts(&intake(&campaign, "let me in").ends(0)), (1, 1));
    let flagged = fs_err::read_dir(dovecot.mail("cur"))
        .expect("cur")
        .filter(|entry| entry.as_ref().expect("an entry").file_name().to_string_lossy().contains('S'));
    assert_eq!(flagged.count(), 0, "nothing is marked as seen");
}

fn encrypted() {
    for (speaks, scheme, query) in [(Speaks::Tls, "imaps", ""), (Speaks::StartTls, "imap", "?tls=required")] {
        let dovecot = Dovecot::start(speaks);
        dovecot.deliver("1.host", &letter(1));
        let url = format!("{scheme}://desk@localhost:{}/INBOX{query}", dovecot.port);
        let own = format!("ca_file = \"{}\"", dovecot.certificate.certificate.display());
        assert_eq!(counts(&intake(&campaign(&url, &own), "let me in").ends(0)), (1, 1));
        // Without the authority nobody is believed.
        intake(&campaign(&url, ""), "let me in").ends(1).refuses("imap").keeps_quiet_about("let me in");
    }
}

fn refused() {
    let dovecot = Dovecot::start(Speaks::Clear);
    let url = format!("imap://desk@127.0.0.1:{}", dovecot.port);
    let wrong = intake(&campaign(&url, ""), "wrong horse").ends(1).refuses("imap-login");
    wrong.keeps_quiet_about("wrong horse").keeps_quiet_about("AGRlc2s");
    intake(&campaign(&format!("{url}/Nowhere"), ""), "let me in").ends(1).refuses("imap");
    let closed = campaign("imap://desk@127.0.0.1:1/INBOX", "");
    intake(&closed, "x").ends(1).refuses("imap");
}

fn anew() {
    let dovecot = Dovecot::start(Speaks::Clear);
    dovecot.deliver("1.host", &letter(1));
    let campaign = campaign(&format!("imap://desk@127.0.0.1:{}/INBOX", dovecot.port), "");
    assert_eq!(counts(&intake(&campaign, "let me in").ends(0)), (1, 1));
    // Without its list of UIDs the server gives new ones, and says so by another UIDVALIDITY.
    for entry in fs_err::read_dir(dovecot.mail("")).expect("the mailbox") {
        let path = entry.expect("an entry").path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("dovecot")) {
            fs_err::remove_file(path).expect("removed");
        }
    }
    let list = dovecot.mail("dovecot-uidlist");
    fs_err::write(&list, "3 V99 N1 Gaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n").expect("a list");
    std::os::unix::fs::chown(&list, Some(65534), Some(65534)).expect("given away");
    assert_eq!(counts(&intake(&campaign, "let me in").ends(0)), (1, 0));
}

fn checked() {
    let dovecot = Dovecot::start(Speaks::Clear);
    dovecot.deliver("1.host", &letter(1));
    let url = format!("imap://desk@127.0.0.1:{}", dovecot.port);
    let check = |url: &str, password: &str, how: &[&str]| {
        let campaign = campaign(url, "");
        let mut command = program();
        command.env("FLAGDAY_TEST_IMAP", password).arg("-C").arg(campaign.root()).arg("check").args(how);
        (Run::of(&mut command), campaign)
    };
    let (run, campaign) = check(&format!("{url}/INBOX"), "let me in", &["-v"]);
    run.ends(0).says("mailbox-ready").says("flagday.toml:").keeps_quiet_about("let me in");
    assert_eq!(counts(&intake(&campaign, "let me in").ends(0)), (1, 1), "the look has read nothing");
    let (run, _) = check(&format!("{url}/INBOX"), "wrong horse", &[]);
    run.ends(1).refuses("imap-login").says("flagday.toml:").keeps_quiet_about("wrong horse");
    check(&format!("{url}/Nowhere"), "let me in", &[]).0.ends(1).refuses("imap").says("Nowhere");
    check("imap://desk@127.0.0.1:1/INBOX", "x", &[]).0.ends(1).refuses("imap");
    check("imap://desk@127.0.0.1:1/INBOX", "x", &["--offline"]).0.ends(0);
}
