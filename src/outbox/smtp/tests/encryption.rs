//! STARTTLS and TLS from the first byte, and everything that may stand in between.

use super::{judged, message};
use crate::campaign::Tls;
use crate::outbox::smtp::script::{Act, Stage, Step};
use crate::outbox::smtp::{BadCertificate, Dial, Phase, Session, Trouble};

const HOST: &str = "mail.corp.example";

fn stage(tls: Tls) -> Stage {
    Stage::new(|_| Act::Go).offering("STARTTLS|AUTH PLAIN").with_tls(tls, HOST, 4000, true)
}

#[tokio::test]
async fn starttls_and_implicit_tls_carry_mail() {
    for tls in [Tls::Required, Tls::Opportunistic, Tls::Implicit] {
        let stage = stage(tls);
        assert!(judged(&stage, &message("x\r\n")).await.starts_with("accepted"), "{tls:?}");
        let hellos = stage.log().lines.iter().filter(|line| line.starts_with("EHLO")).count();
        // What was offered in clear is asked for again.
        assert_eq!(hellos, if tls == Tls::Implicit { 1 } else { 2 }, "{tls:?}");
    }
}

#[tokio::test]
async fn an_offer_taken_away_stops_what_requires_it() {
    let stripped = stage(Tls::Required).offering("AUTH PLAIN");
    assert_eq!(stripped.open().await.expect_err("stripped"), Trouble::NoStarttls);
    assert_eq!(stripped.log().lines, ["EHLO desk.corp.example"]);
    let tolerant = stage(Tls::Opportunistic).offering("8BITMIME");
    assert!(judged(&tolerant, &message("x\r\n")).await.starts_with("accepted"));
}

#[tokio::test]
async fn clear_bytes_behind_starttls_are_an_attack() {
    let attack = Act::Say("220 go ahead\r\n250-injected.example\r\n250 AUTH LOGIN\r\n");
    let stage = Stage::always(Step::Starttls, attack).offering("STARTTLS").with_tls(Tls::Required, HOST, 4000, true);
    assert_eq!(stage.open().await.expect_err("injected"), Trouble::EarlyPlaintext);
}

#[tokio::test]
async fn a_server_that_takes_its_offer_back_gets_no_mail_in_clear() {
    for tls in [Tls::Required, Tls::Opportunistic] {
        let refusal = Act::Say("454 4.7.0 TLS not available\r\n");
        let stage = Stage::always(Step::Starttls, refusal).offering("STARTTLS").with_tls(tls, HOST, 4000, true);
        assert!(matches!(stage.open().await, Err(Trouble::Turned(Phase::Starttls, _))));
    }
}

#[tokio::test]
async fn certificates_are_always_checked() {
    for (name, year, trusted, why) in [
        (HOST, 2020, true, BadCertificate::Expired),
        (HOST, 4000, false, BadCertificate::UnknownIssuer),
        ("other.example", 4000, true, BadCertificate::OtherName),
    ] {
        for tls in [Tls::Required, Tls::Opportunistic, Tls::Implicit] {
            let stage = Stage::new(|_| Act::Go).offering("STARTTLS").with_tls(tls, name, year, trusted);
            assert_eq!(stage.open().await.expect_err("refused"), Trouble::Certificate(why.clone()), "{tls:?}");
        }
    }
}

#[tokio::test]
async fn a_servers_own_certificate_in_ca_file_is_enough_while_name_and_dates_hold() {
    let stage = |name, year, trusted| {
        Stage::new(|_| Act::Go).offering("STARTTLS").with_authority(Tls::Required, name, year, trusted)
    };
    assert!(judged(&stage(HOST, 4000, true), &message("x\r\n")).await.starts_with("accepted"));
    for (name, year, trusted, why) in
        [(HOST, 2020, true, BadCertificate::Expired), ("other.example", 4000, true, BadCertificate::OtherName)]
    {
        let trouble = stage(name, year, trusted).open().await.expect_err("refused");
        assert_eq!(trouble, Trouble::Certificate(why));
    }
    // Another one of the same name is a stranger.
    let trouble = stage(HOST, 4000, false).open().await.expect_err("refused");
    assert!(trouble.finding("x").code.starts_with("smtp-certificate"), "{trouble}");
}

#[tokio::test]
async fn a_server_that_hangs_up_in_the_handshake() {
    let stage = Stage::always(Step::Starttls, Act::Cut("220 go\r\n")).offering("STARTTLS");
    let stage = stage.with_tls(Tls::Required, HOST, 4000, true);
    assert_eq!(stage.open().await.expect_err("cut"), Trouble::Closed(Phase::Handshake));
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls() {
    let (ours, mut theirs) = tokio::io::duplex(1000);
    tokio::io::AsyncWriteExt::write_all(&mut theirs, b"220 mail.corp.example ESMTP\r\n").await.expect("room");
    let stage = stage(Tls::Implicit);
    let trouble = Session::open(Box::new(ours), &stage.server, true).await.expect_err("no TLS");
    assert_eq!(trouble.finding("x").code, "smtp-tls");
}
