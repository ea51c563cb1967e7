//! Logging in, and what never shows.

use crate::campaign::{Auth, PasswordSource, Tls};
use crate::outbox::Password;
use crate::outbox::smtp::Login;
use crate::outbox::smtp::script::{Act, Stage, Step};
use crate::outbox::smtp::{Dial, Phase, Trouble};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

fn stage(offers: &'static str, rule: impl Fn(Step) -> Act + Send + Sync + 'static) -> Stage {
    Stage::new(move |seen| rule(seen.step)).offering(offers).logging_in("kim", "sesame")
}

#[tokio::test]
async fn each_mechanism_in_its_own_words() {
    for (offers, lines) in [
        ("AUTH PLAIN LOGIN XOAUTH2", &["AUTH PLAIN AGtpbQBzZXNhbWU="][..]),
        ("AUTH LOGIN XOAUTH2", &["AUTH LOGIN", "a2lt", "c2VzYW1l"]),
        ("AUTH=XOAUTH2", &["AUTH XOAUTH2 dXNlcj1raW0BYXV0aD1CZWFyZXIgc2VzYW1lAQE="]),
    ] {
        let stage = stage(offers, |_| Act::Go);
        stage.session().await;
        assert_eq!(stage.log().lines[1..], *lines);
    }
}

#[tokio::test]
async fn a_wrong_password_is_final_and_is_not_repeated_in_words() {
    for (offers, at) in [("AUTH PLAIN", Step::Auth), ("AUTH LOGIN", Step::AuthLine)] {
        let stage =
            stage(
                offers,
                move |step| {
                    if step == at { Act::Say("535 5.7.8 sesame is wrong, as is c2VzYW1l\r\n") } else { Act::Go }
                },
            );
        let trouble = stage.open().await.expect_err("refused");
        assert!(trouble.is_final());
        let finding = trouble.finding("mail:587");
        assert_eq!(finding.code, "smtp-password");
        assert!(!format!("{trouble:?}{finding:?}").contains("sesame"), "{finding:?}");
        assert!(finding.cause.contains("*** is wrong, as is ***"), "{finding:?}");
    }
}

#[tokio::test]
async fn no_reply_after_the_login_repeats_the_password_either() {
    for at in [Step::Mail, Step::Rcpt, Step::Data, Step::Dot] {
        let echo = Act::Say("550-5.7.1 you said AGtpbQBzZXNhbWU=\r\n550 5.7.1 which is sesame\r\n");
        let stage = stage("AUTH PLAIN", move |step| if step == at { echo } else { Act::Go });
        let told = super::judged(&stage, &super::message("x\r\n")).await;
        assert!(told.contains("you said *** which is ***"), "{at:?}: {told}");
    }
}

#[tokio::test]
async fn xoauth2_hears_the_refusal_behind_its_explanation() {
    let stage = stage("AUTH XOAUTH2", |step| match step {
        Step::Auth => Act::Say("334 eyJzdGF0dXMiOiI0MDEifQ==\r\n"),
        Step::AuthLine => Act::Say("535 5.7.8 bad token\r\n"),
        _ => Act::Go,
    });
    assert!(matches!(stage.open().await, Err(Trouble::WrongPassword(reply)) if reply.text == "bad token"));
    assert_eq!(stage.log().lines.last().map(String::as_str), Some(""));
}

#[tokio::test]
async fn a_login_that_is_only_late_is_tried_again() {
    let stage = stage("AUTH PLAIN", |step| if step == Step::Auth { Act::Say("454 4.7.0 later\r\n") } else { Act::Go });
    let trouble = stage.open().await.expect_err("refused");
    assert!(matches!(trouble, Trouble::Turned(Phase::Auth, _)) && !trouble.is_final());
}

#[tokio::test]
async fn no_password_in_clear_beyond_this_machine() {
    let mut stage = stage("AUTH PLAIN", |_| Act::Go);
    stage.loopback = false;
    assert_eq!(stage.open().await.expect_err("clear"), Trouble::ClearPassword);
    assert_eq!(stage.log().lines, ["EHLO desk.corp.example"]);
    let mut stage = stage.offering("STARTTLS|AUTH PLAIN").with_tls(Tls::Opportunistic, "mail.corp.example", 4000, true);
    stage.loopback = false;
    assert!(stage.open().await.is_ok());
}

#[tokio::test]
async fn a_server_without_a_login_we_know() {
    for (offers, offered) in [("8BITMIME", ""), ("AUTH CRAM-MD5", "CRAM-MD5")] {
        let trouble = stage(offers, |_| Act::Go).open().await.expect_err("none");
        assert_eq!(trouble, Trouble::NoMechanism { offered: offered.into(), usable: "PLAIN, LOGIN, XOAUTH2" });
    }
}

#[tokio::test]
async fn nothing_that_prints_shows_the_password() {
    let stage = stage("AUTH PLAIN", |_| Act::Go);
    assert!(!format!("{:?}{:?}", stage.server, stage.session().await).contains("sesame"));
}

#[tokio::test]
async fn the_login_that_is_chosen_is_the_one_used() {
    for (auth, first) in
        [(Auth::Plain, "AUTH PLAIN AGtpbQBzZXNhbWU="), (Auth::Login, "AUTH LOGIN"), (Auth::Xoauth2, "AUTH XOAUTH2 ")]
    {
        let mut stage = stage("AUTH PLAIN LOGIN XOAUTH2", |_| Act::Go);
        stage.server.login.as_mut().expect("a login").auth = Some(auth);
        stage.session().await;
        assert!(stage.log().lines[1].starts_with(first), "{auth:?}: {:?}", stage.log().lines);
        let mut stage = stage.offering("AUTH CRAM-MD5");
        stage.server.login.as_mut().expect("a login").auth = Some(auth);
        let finding = stage.open().await.expect_err("not offered").finding("mail:587");
        assert_eq!(finding.code, "smtp-no-auth");
    }
}

#[tokio::test]
async fn an_expired_token_is_fetched_anew_once() {
    let folder = tempfile::tempdir().expect("a folder");
    // The first token has expired; the second is good for `good` servers.
    let counting = "echo x >> calls; echo token-$(cat calls | wc -l | tr -d ' ')";
    for (good, outcome) in [("token-2", Ok(())), ("token-9", Err("smtp-password"))] {
        let _ = fs_err::remove_file(folder.path().join("calls"));
        let password = Password::fetch(&PasswordSource::Command(counting.into()), folder.path()).expect("a token");
        let accepted = STANDARD.encode(format!("user=kim\x01auth=Bearer {good}\x01\x01"));
        let mut stage = Stage::new(move |seen| match seen.step {
            Step::Auth if seen.line.ends_with(&accepted) => Act::Go,
            Step::Auth => Act::Say("334 eyJzdGF0dXMiOiI0MDAifQ==\r\n"),
            Step::AuthLine => Act::Say("535 5.7.8 token expired\r\n"),
            _ => Act::Go,
        })
        .offering("AUTH XOAUTH2 PLAIN");
        stage.server.login = Some(Login::new("kim", password, Some(Auth::Xoauth2)));
        let opened = stage.open().await.map(|_| ()).map_err(|trouble| trouble.finding("mail:587").code);
        assert_eq!(opened, outcome);
        // Nobody is asked a third time.
        assert_eq!(fs_err::read_to_string(folder.path().join("calls")).expect("calls").lines().count(), 2);
        assert_eq!(stage.log().lines.iter().filter(|line| line.starts_with("AUTH ")).count(), 2);
    }
}
