//! Logging in at a real submission server, Postfix with Dovecot's SASL behind STARTTLS, and what must never show.

use crate::harness::Campaign;
use crate::need::{DOVECOT, Need, OPENSSL, POSTFIX, trial};
use crate::postfix::{Delivery, Postfix};
use crate::sending::campaign_for;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libtest_mimic::Trial;
use std::path::Path;

const NEEDS: [Need; 4] = [POSTFIX, DOVECOT, OPENSSL, Need::Root];
const USER: &str = "maildesk";
/// Nothing else in a campaign looks like it.
const PASSWORD: &str = "mArKeR+sesame/4711";

pub fn trials() -> Vec<Trial> {
    vec![
        trial("postfix_takes_mail_after_a_login", &NEEDS, logged_in),
        trial("postfix_refuses_a_wrong_password", &NEEDS, wrong_password),
        trial("a_login_that_is_not_offered_is_named", &NEEDS, not_offered),
        trial("a_host_without_an_address_is_named", &[], unresolvable),
    ]
}

/// A campaign that logs in at the server, which its own certificate vouches for. The password comes from a command.
fn campaign_at(server: &Postfix, password: &str, auth: &str) -> Campaign {
    let certificate = &server.certificate.as_ref().expect("made for it").certificate;
    campaign_for(&format!(
        "transport = \"smtp://{USER}@127.0.0.1:{}?tls=required{auth}\"
password_command = \"echo '{password}'\"
ca_file = \"{}\"",
        server.port,
        certificate.display()
    ))
}

fn logged_in() {
    for (offered, auth, used) in [("PLAIN LOGIN", "", "PLAIN"), ("PLAIN LOGIN", "&auth=login", "LOGIN")] {
        let server = Postfix::submission(&Delivery::Discard, offered, (USER, PASSWORD));
        let campaign = campaign_at(&server, PASSWORD, auth);
        campaign.run("check -v").ends(0).says(&format!("over TLS, logged in as {USER}"));
        campaign.run("send change-date --yes -v").ends(0).says("12 sent");
        let login = format!("sasl_method={used}, sasl_username={USER}");
        assert!(server.log().contains(&login), "{login} is missing\n{}", server.log());
        shows_no(&campaign, PASSWORD);
    }
}

fn wrong_password() {
    for mechanism in ["PLAIN", "LOGIN"] {
        let server = Postfix::submission(&Delivery::Discard, mechanism, (USER, PASSWORD));
        let wrong = "wRoNg+sesame/4711";
        let campaign = campaign_at(&server, wrong, "");
        campaign.run("check").ends(1).refuses("smtp-password");
        campaign
            .run("send change-date --yes -v")
            .ends(1)
            .refuses("smtp-password")
            .says("correct the user or the password");
        let messages = campaign.run("status --json").ends(0).json()["messages"].clone();
        assert_eq!((messages["planned"].as_u64(), messages["failed"].as_u64()), (Some(12), Some(0)), "{messages}");
        assert!(!server.log().contains("from=<"), "nothing was handed over:\n{}", server.log());
        let refused = server.log().matches("authentication failed").count();
        assert_eq!(refused, 2, "one try by check, one by send with its four connections:\n{}", server.log());
        shows_no(&campaign, wrong);
    }
}

fn not_offered() {
    let server = Postfix::submission(&Delivery::Discard, "PLAIN", (USER, PASSWORD));
    let campaign = campaign_at(&server, PASSWORD, "&auth=xoauth2");
    campaign.run("check").ends(1).refuses("smtp-no-auth").says("usable here: XOAUTH2");
}

fn unresolvable() {
    let campaign = campaign_for("transport = \"smtp://no-such-host.invalid:25?tls=none\"");
    campaign.run("check").ends(1).refuses("smtp-unresolved").says("no-such-host.invalid");
}

/// Neither in what was printed nor in anything the campaign keeps, as it is or as a login would carry it. The command
/// that prints it stands in the file of the test alone.
fn shows_no(campaign: &Campaign, secret: &str) {
    let forms = [secret.to_owned(), STANDARD.encode(secret), STANDARD.encode(format!("\0{USER}\0{secret}"))]
        .map(String::into_bytes);
    let printed = campaign.everything_printed();
    let mut kept = vec![("what was printed".to_owned(), printed.into_bytes())];
    gather(&campaign.path(".flagday"), &mut kept);
    assert!(kept.len() > 5, "the state was read");
    for (place, bytes) in kept {
        for form in &forms {
            assert!(memchr::memmem::find(&bytes, form).is_none(), "the password stands in {place}");
        }
    }
}

fn gather(folder: &Path, kept: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs_err::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            gather(&path, kept);
        } else {
            kept.push((path.display().to_string(), fs_err::read(&path).expect("a file")));
        }
    }
}
