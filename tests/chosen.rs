//! Whoever asks for some people, or for so many messages, reaches these and no others.

use crate::harness::taking::Taking;
use crate::harness::{Campaign, FUTURE};

/// Twelve letters wait, for a server that puts everybody off for some minutes.
fn waiting(server: &Taking) -> Campaign {
    let campaign = Campaign::ready().change_at(FUTURE);
    campaign.edit("transport = \"file\"", "transport = \"smtp://127.0.0.1:9\"\nconnections = 1").run("build").ends(0);
    // Nobody listens on port 9: they stay planned.
    campaign.run("send change-date --yes").ends(1);
    campaign.edit("smtp://127.0.0.1:9", &format!("smtp://127.0.0.1:{}", server.port));
    campaign
}

#[test]
fn one_person_or_so_many_and_the_rest_of_the_queue_stays() {
    let server = Taking::start(|_| None);
    let campaign = waiting(&server);
    campaign
        .run("send change-date --to WEISS --yes")
        .ends(0)
        .says("0 planned, 1 sent")
        .says("11 still to go out: flagday send");
    assert_eq!(server.recipients(), ["weiss@hq.corp.example"]);
    campaign.run("send local-change-date --to KIM --yes").ends(0).says("1 planned, 1 sent");
    assert_eq!(server.recipients()[1..], ["kim@hq.corp.example"]);
    campaign.run("send --limit 2 --yes").ends(3).says("0 planned, 2 sent").says("9 still to go out");
    campaign.run("send local-change-date --limit 3 --yes").says("3 planned, 3 sent");
    // The question says how many it is about, and where they come from.
    campaign.run("send local-change-date --to TANAKA").ends(3).says("one message: nothing was done");
    campaign.run("send new-serial").ends(3).says("14 messages, 9 of them planned before");
    assert_eq!(server.recipients().len(), 7);
    campaign.run("send --yes").ends(0).says("9 sent");
    assert_eq!(server.recipients().len(), 16);
    campaign.run_words(&["abort", "--reason", "no", "--by", "Pat", "--yes"]).ends(0).says("16 sent");
    for line in ["send --to WEISS --yes", "send --limit 2 --yes", "send --to unanswered"] {
        campaign.run(line).ends(2).refuses("told-to-all").says("the change is called off");
    }
    assert_eq!(server.recipients().len(), 32);
}

#[test]
fn what_failed_and_is_beyond_the_limit_is_named() {
    let server = Taking::start(|_| Some("550 5.1.1 nobody here"));
    let campaign = Campaign::ready().change_at(FUTURE);
    let transport = format!("transport = \"smtp://127.0.0.1:{}\"\nconnections = 1", server.port);
    campaign.edit("transport = \"file\"", &transport).run("build").ends(0);
    let header = campaign.run("who --failed --csv").ends(0).says("\"person\",\"name\",\"email\"");
    assert_eq!(header.out.lines().count(), 1, "{}", header.out);
    campaign.run("send change-date --to WEISS --to LEROY --to GARCIA --yes").ends(4).says("3 failed");
    server.answer(|_| None);
    let some = campaign.run("send --to failed --limit 2 --yes").ends(3).says("2 planned, 2 sent");
    some.says("one more waits to be tried again, beyond --limit: flagday send --to failed");
    campaign.run("send --to failed --yes").ends(0).says("1 planned, 1 sent").keeps_quiet_about("beyond --limit");
    campaign.run("send local-change-date --limit 0 --yes").ends(2).says("1 is the least");
}
