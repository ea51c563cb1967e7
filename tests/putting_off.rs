//! What a server puts off, or cannot be given to it, is counted as that and told in its words, with the next try.

use crate::harness::Campaign;
use crate::harness::taking::Taking;

/// Two are greylisted, one is met by a server that has enough, all others are taken.
fn slow(recipient: &str) -> Option<&'static str> {
    match recipient.split('@').next()? {
        "person0" | "person1" => Some("450 4.7.1 Greylisted, come back later"),
        "person2" => Some("421 4.3.2 Too much at the moment"),
        _ => None,
    }
}

#[test]
fn in_the_servers_words_with_the_next_try_and_what_to_do() {
    let server = Taking::start(slow);
    let campaign = Campaign::crowd(6, &format!("smtp://127.0.0.1:{}", server.port));
    let sent = campaign.run("send move --yes").ends(3).says("3 sent, 3 deferred, 0 failed");
    let status = campaign.run("status").ends(0);
    campaign.run("report").ends(0);
    for file in ["report.html", "not-arrived.csv", "report.json"] {
        let text = String::from_utf8(campaign.bytes(&format!(".flagday/report/{file}"))).expect("UTF-8");
        for words in ["deferred", "Greylisted, come back later", "tries again; if that goes on for hours"] {
            assert!(text.contains(words), "{words:?} is missing in {file}\n{text}");
        }
    }
    for run in [&sent, &status] {
        for words in [
            "2 put off (P0, P1): 450 4.7.1 Greylisted, come back later. The first is tried again from ",
            "if that goes on for hours: greylisting passes by itself",
            "1 put off (P2): 127.0.0.1:",
            "421 4.3.2 Too much at the moment",
        ] {
            assert!(run.out.contains(words) || run.err.contains(words), "{words:?} is missing\n{run}");
        }
    }
    let status = campaign.run("status --json").ends(0).json();
    let messages = &status["messages"];
    assert_eq!((&messages["planned"], &messages["deferred"], &messages["sent"]), (&0.into(), &3.into(), &3.into()));
    let greylisted = &status["deferrals"]["450 4.7.1"];
    assert_eq!((&greylisted["count"], greylisted["again_at"].is_string()), (&2.into(), true));
    assert_eq!(status["deferrals"].as_object().map(|all| all.len()), Some(2));
    assert!(
        status["next"].as_str().is_some_and(|next| next.starts_with("wait: what was put off is tried again from "))
    );

    // Whoever asks for people who have theirs hears of the others, and has what they asked for.
    campaign
        .run("send move --to P5 --again --yes")
        .ends(0)
        .says("1 sent")
        .says("3 still to go out: flagday send from ");
    campaign.run("send move --to P0 --to P5 --again --yes").ends(3).says("still to go out");
}

#[test]
fn a_server_that_is_not_there_is_told_with_all_who_wait_for_it() {
    let campaign = Campaign::crowd(3, "smtp://127.0.0.1:9");
    campaign.run("send move --yes").ends(1).refuses("smtp-refused");
    let status =
        campaign.run("status").ends(0).says("messages: 3 planned").says("Next: flagday send: once the mail server");
    status
        .says("NOTHING COULD BE SENT since ")
        .says("127.0.0.1:9: ")
        .says("3 wait; to do: ")
        .says("or start the mail server");
    let outage = campaign.run("status --json").ends(0).json()["outage"].clone();
    assert!(
        outage["since"] == outage["last"]
            && outage["cause"].as_str().is_some_and(|cause| cause.contains("nothing listens"))
    );
    // Another server has not failed yet, and once it takes what waits nothing is left of that.
    let server = Taking::start(|_| None);
    campaign.edit("127.0.0.1:9", &format!("127.0.0.1:{}", server.port));
    campaign
        .run("status")
        .ends(0)
        .keeps_quiet_about("NOTHING COULD BE SENT")
        .says("Next: flagday send: messages are waiting");
    campaign.run("send --yes").ends(0).says("3 sent");
    assert!(campaign.run("status --json").ends(0).json()["outage"].is_null());
}

#[test]
fn a_password_that_nobody_gives_is_why_nothing_could_be_sent_until_somebody_does() {
    let server = Taking::start(|_| None);
    let at = |user: &str| format!("smtp://{user}127.0.0.1:{}", server.port);
    let campaign = Campaign::crowd(3, &at("desk@"));
    let sealed = "connections = 4\npassword_command = \"echo unlocking >&2; echo vault is sealed >&2; exit 7\"";
    campaign.edit("connections = 4", sealed);
    let send = campaign.run("send move --yes").ends(1).refuses("password-command");
    // What the program says of itself may hold a secret: it is shown, and kept nowhere.
    send.says("vault is sealed").says("ended with exit status: 7\n");
    campaign.run("tick --yes").ends(1).refuses("password-command");
    let status = campaign.run("status").ends(0).says("NOTHING COULD BE SENT since ").says("ended with exit status: 7");
    campaign.run("audit export").ends(0).keeps_quiet_about("vault");
    status.keeps_quiet_about("vault").says("run the command by hand in the campaign's folder").says("3 wait");
    campaign.run("check").ends(1).refuses("password-command");
    campaign.edit(&at("desk@"), &at("")).edit(sealed, "connections = 4").run("tick --yes").ends(0).says("3 sent");
    campaign.run("status").ends(0).keeps_quiet_about("NOTHING COULD BE SENT");
}
