//! Called off: the queue stops at once, everyone who was told hears of it and nobody else, and nothing goes on.

use crate::harness::letter::Letter;
use crate::harness::{Campaign, FUTURE, program};
use flagday::system::World;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[test]
fn everyone_who_was_told_hears_of_it_and_nobody_else() {
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    let roster = String::from_utf8(campaign.bytes("rosters/async-admins.csv")).expect("UTF-8");
    let without: String = roster.lines().filter(|line| !line.starts_with("MUNICH")).map(|l| format!("{l}\n")).collect();
    campaign.write("rosters/async-admins.csv", without);
    let unreasoned = campaign.run("abort --by Pat --yes").ends(1).refuses("abort-unreasoned");
    unreasoned.says("give --reason: ").keeps_quiet_about("and --by");
    campaign.run_words(&["abort", "--reason", "the disks are faulty", "--by", "Pat"]).ends(3).refuses("not-confirmed");
    campaign.run_words(&["abort", "--reason", "the disks are faulty", "--by", "Pat", "--yes"]).ends(0).says("5 sent");
    let letters: Vec<Letter> = campaign.outbox("-abort-").iter().map(|path| Letter::read(path)).collect();
    assert_eq!(letters.len(), 5);
    for letter in &letters {
        assert!(letter.subject.starts_with("Called off: ") && letter.text.contains("the disks are faulty"));
        assert_eq!((letter.entry("METHOD"), letter.entry("SEQUENCE")), ("CANCEL", "1"));
        assert_eq!(letter.entry("STATUS"), "CANCELLED");
    }
    let told = Letter::read(&campaign.outbox("DENVER-new")[0]);
    let off = letters.iter().find(|letter| letter.to == told.to).expect("DENVER's");
    assert_eq!(off.entry("UID"), told.entry("UID"));
    assert!(letters.iter().any(|letter| letter.to.contains("munich")), "who left the roster was told too");

    let status = campaign.run("status --json").ends(0).json();
    assert_eq!((status["phase"].as_str(), status["aborted"]["by"].as_str()), (Some("aborted"), Some("Pat")));
    campaign.run("send change-date --yes").ends(1).refuses("aborted").says("the disks are faulty");
    campaign.run("cutover --yes").ends(1).refuses("aborted");
    campaign.run("amend --yes").ends(1).refuses("aborted");
    campaign.run("abort --yes").ends(0);
    let when = chrono::DateTime::parse_from_rfc3339(status["aborted"]["at"].as_str().expect("a time")).expect("a time");
    let when = when.with_timezone(&chrono_tz::America::Chicago).format("called off %a %F %H:%M %Z by Pat: the disks");
    campaign.run("tick --yes").ends(0).says(&when.to_string());
    campaign.run("send --yes").ends(3).says(&when.to_string()).keeps_quiet_about("Nothing is due");
    campaign.run("status").ends(0).says(&when.to_string());
    campaign.run(&format!("report --out {}", campaign.path("report").display())).ends(0);
    let report = |file: &str| String::from_utf8(campaign.bytes(&format!("report/{file}"))).expect("UTF-8");
    assert!(report("timeline.csv").contains("called off by Pat: the disks are faulty"));
    let page = report("report.html");
    for words in ["<dd>called off; it was to be", "by Pat: the disks are faulty</dd>", "called off by Pat: the disks"] {
        assert!(page.contains(words), "{words} is missing");
    }
    campaign.run("status").ends(0).says("change: called off; it was to be ");
    assert_eq!(campaign.outbox("").len(), 10, "nobody is told twice");
    campaign.run("audit verify").ends(0);
    campaign.run("plan").ends(0).says("it was called off").keeps_quiet_about("flagday build").keeps_quiet_about("next");
}

/// The campaign's own text of a notice, which wants a column of everybody.
fn wanting_the_kind(campaign: &Campaign, notice: &str) {
    campaign.write(format!("templates/mail/{notice}/text.hbs").as_str(), "Stop, all of you {{person.kind}} people.\n");
}

/// Reads English, and leaves with MUNICH.
const LEAVER: &str = "HARBOR";

/// Five were told; MUNICH, who reads German, and HARBOR have left the roster since.
fn two_have_left() -> Campaign {
    let campaign = Campaign::sample().change_at(FUTURE);
    let roster = String::from_utf8(campaign.bytes("rosters/async-admins.csv")).expect("UTF-8");
    let speaking = |line: &str| match line.trim_start_matches('\u{feff}').split(',').next() {
        Some("id") => format!("{line},language\n"),
        Some("MUNICH") => format!("{line},de\n"),
        _ => format!("{line},\n"),
    };
    let roster: Vec<String> = roster.lines().map(speaking).collect();
    campaign.write("rosters/async-admins.csv", roster.concat());
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    let mut stay = roster;
    stay.retain(|line| !line.starts_with("MUNICH") && !line.starts_with(LEAVER));
    assert_eq!(stay.len(), 4, "the header and three people");
    campaign.write("rosters/async-admins.csv", stay.concat());
    campaign
}

/// Three read the campaign's own words, who left those of the program, in the language in which they were written to.
fn everybody_hears_of_it(campaign: &Campaign, notice: &str, german: &str, english: &str) {
    let letters: Vec<Letter> = campaign.outbox(&format!("-{notice}-")).iter().map(|path| Letter::read(path)).collect();
    assert_eq!(letters.len(), 5);
    let own = |letter: &&Letter| letter.text.contains("Stop, all of you async-admin people.");
    assert_eq!(letters.iter().filter(own).count(), 3);
    let munich = letters.iter().find(|letter| letter.to.contains("munich")).expect("MUNICH's");
    assert!(munich.text.contains(german), "{}", munich.text);
    let other = letters.iter().find(|letter| !own(letter) && !letter.to.contains("munich")).expect("the other one's");
    assert!(other.text.contains(english), "{}", other.text);
    let record = campaign.run("audit export").ends(0).out;
    assert_eq!(record.lines().filter(|line| line.contains("shipped_text") && line.contains("person.kind")).count(), 2);
}

#[test]
fn a_text_that_wants_a_column_keeps_nobody_who_has_left_from_hearing_of_it() {
    let campaign = two_have_left();
    campaign.run("check").keeps_quiet_about("template-leaver");
    wanting_the_kind(&campaign, "abort");
    campaign.run("check").says("warning[template-leaver]").says("person.kind").says("abort/text.hbs:1:18");
    let abort = ["abort", "--reason", "the disks are faulty", "--by", "Pat", "--yes"];
    let run = campaign.run_words(&abort).ends(0).says("5 sent");
    run.says("warning[shipped-text]").says("MUNICH").says(LEAVER).says("'person.kind'");
    everybody_hears_of_it(&campaign, "abort", "Abgesagt", "the change that we told you about does not take place");
    campaign.run("abort --yes").ends(0).keeps_quiet_about("shipped-text");
}

#[test]
fn who_has_left_hears_that_it_is_put_off_whatever_its_text_wants() {
    let campaign = two_have_left();
    wanting_the_kind(&campaign, "postponed");
    campaign.run("check").says("warning[template-leaver]").says("postponed/text.hbs:1:18");
    let run = campaign.run("amend --postpone --reason storm --yes").ends(0).says("5 sent");
    run.says("warning[shipped-text]").says("MUNICH").says(LEAVER).says("'person.kind'");
    everybody_hears_of_it(&campaign, "postponed", "Verschoben", "Postponed:");
}

#[test]
fn without_a_name_it_is_whose_process_it_is() {
    let campaign = Campaign::sample().change_at(FUTURE);
    let mut abort = program();
    abort.env_remove("USER").env_remove("LOGNAME").arg("-C").arg(campaign.root());
    abort.args(["abort", "--reason", "the disks are faulty", "--yes"]).assert().success();
    let status = campaign.run("status --json").ends(0).json();
    assert!(status["aborted"]["by"].as_str().is_some_and(|name| !name.is_empty()), "{status}");
}

#[test]
fn steps_are_taken_back_where_that_is_asked_for() {
    let campaign = Campaign::ready();
    campaign.run("cutover --yes").ends(3);
    campaign.run("cutover attest attest-staged --by Pat --note seen").ends(0);
    campaign.run("cutover --yes --until copy-access").ends(0);
    campaign
        .run_words(&["abort", "--reason", "no", "--by", "Pat", "--rollback", "--yes"])
        .ends(0)
        .says("undone: copy-access");
    assert_eq!(campaign.step("copy-access"), "undone");
    assert!(campaign.outbox("").is_empty(), "nobody was told anything");
}

#[test]
fn people_hear_of_it_once_the_steps_are_taken_back_and_a_refusal_tells_the_state() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().close().write("postoffice/P1/POPULATE.MSM", [0]);
    let off = ["abort", "--reason", "no", "--by", "Pat", "--rollback", "--yes"];
    let refused = campaign.run_words(&off).ends(1).refuses("p1-both");
    refused
        .says("nobody has been told of it by this run")
        .says("The postoffice now:")
        .says("P1 and POLD are both there")
        .says("Safe now:\n  flagday check ")
        .says("  flagday status ");
    assert!(campaign.outbox("-abort-").is_empty(), "what they would be told is not true yet");
    let status = campaign.run("status").ends(0).says("flagday cutover rollback: it was called off");
    status.keeps_quiet_about("goes on from here");

    fs_err::remove_dir_all(campaign.path("postoffice/P1")).expect("removed");
    let done = campaign.run("abort --rollback --yes").ends(0).says("undone: close-p1").says("P1 is in its place");
    done.says("serial number 32-10411 is in force").says("  flagday abort ");
    assert_eq!(campaign.outbox("-abort-").len(), 45);
    campaign.run("status").ends(0).says("everyone who was told knows");
}

#[test]
fn what_is_half_done_is_taken_back_first_or_told_by_a_word_of_its_own() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().close();
    let outbox = campaign.outbox("").len();
    let off = ["abort", "--reason", "no", "--by", "Pat", "--yes", "--as-it-stands"];
    let refused = campaign.run_words(&off[..6]).ends(1).refuses("abort-half-done");
    refused.says("P1 is renamed to POLD").says("flagday abort --rollback").says("--as-it-stands");
    // Somebody who puts the mark while a step runs: a round of the schedule tells nobody either.
    flagday::ledger::Ledger::open(&campaign.path(".flagday"))
        .and_then(|mut ledger| {
            let (at, reason, by) = (flagday::system::Real.now(), "no".to_owned(), "Pat".to_owned());
            ledger.call_off(&flagday::ledger::Aborted { at, reason, by })
        })
        .expect("called off");
    campaign.run("tick --yes").ends(0);
    campaign.run("send --yes").ends(1).refuses("abort-half-done");
    campaign.run("abort --yes").ends(1).refuses("abort-half-done");
    assert_eq!(campaign.outbox("").len(), outbox);
    campaign.run_words(&off).ends(0).says("45 sent");
    // The word holds for what another run has to carry.
    campaign.run("send --yes").ends(3).says("by Pat: no. Nothing more is sent");
    campaign.run("status").ends(0).says("flagday cutover rollback: it was called off");
    campaign.run("cutover rollback --yes").ends(0).says("undone: close-p1");
}

#[test]
fn what_is_in_force_is_not_called_off() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().close().drain().run("cutover --yes").ends(3).says("step restart needs a person");
    let outbox = campaign.outbox("").len();
    for how in ["--quiet", "--as-it-stands"] {
        let refused = campaign.run_words(&["abort", "--reason", "too late", "--by", "Pat", "--yes", how]);
        refused.ends(1).refuses("abort-half-done").says("the new serial number is in force").says("abort --rollback");
    }
    // Nobody is sent back for a fresh backup any more.
    fs_err::rename(campaign.path(".flagday/backup"), campaign.path("away")).expect("moved");
    campaign.run("check --offline").keeps_quiet_about("backup-gone");
    campaign.run("status").ends(0).says("is gone, or no longer whole");
    assert_eq!(campaign.outbox("").len(), outbox);
}

/// Takes mail for the test, a message every third of a second, but for the first, which it refuses; counts those it has
/// accepted.
fn slow_server(accepted: Arc<AtomicUsize>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let refused = Arc::new(AtomicBool::new(false));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (accepted, refused) = (accepted.clone(), refused.clone());
            std::thread::spawn(move || {
                let mut out = stream.try_clone().expect("a stream");
                let mut say = move |text: &str| out.write_all(text.as_bytes()).is_ok();
                let mut in_data = false;
                say("220 slow\r\n");
                for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).trim_end().to_ascii_uppercase();
                    let answer = match line.as_str() {
                        rcpt if !in_data && rcpt.starts_with("RCPT") && !refused.swap(true, Ordering::SeqCst) => {
                            "550 5.1.1 no such user\r\n"
                        }
                        "." if in_data => {
                            in_data = false;
                            flagday::system::pause(Duration::from_millis(300));
                            accepted.fetch_add(1, Ordering::SeqCst);
                            "250 taken\r\n"
                        }
                        _ if in_data => continue,
                        "DATA" => {
                            in_data = true;
                            "354 go on\r\n"
                        }
                        "QUIT" => "221 bye\r\n",
                        _ => "250 ok\r\n",
                    };
                    if !say(answer) {
                        return;
                    }
                }
            });
        }
    });
    port
}

#[test]
fn a_send_that_is_running_stops_within_a_second() {
    let accepted = Arc::new(AtomicUsize::new(0));
    let port = slow_server(accepted.clone());
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.edit("transport = \"file\"", &format!("connections = 1\ntransport = \"smtp://127.0.0.1:{port}\""));
    let root = campaign.root().to_owned();
    let sending = std::thread::spawn(move || {
        program().arg("-C").arg(&root).args(["send", "local-change-date", "--yes"]).output().expect("it runs")
    });
    let patience = Instant::now();
    while accepted.load(Ordering::SeqCst) < 2 {
        assert!(patience.elapsed() < Duration::from_secs(60), "the first messages go out");
        flagday::system::pause(Duration::from_millis(20));
    }
    let run = campaign.run_words(&["abort", "--reason", "stop", "--by", "Pat", "--yes"]).ends(0);
    let sending = sending.join().expect("the send ends");
    let status = campaign.run("status --json").ends(0).json();
    let abort_letters = status["messages"]["sent"].as_u64().expect("a number");
    // So many were told, so many heard that it is off; one may have been in the lane's hands when the mark was put.
    let total = accepted.load(Ordering::SeqCst) as u64;
    assert_eq!(abort_letters, total, "{run}");
    assert!(total.is_multiple_of(2) && total / 2 < 12, "{total} messages of 28, and as many that call them off: {run}");
    assert_eq!(status["messages"]["planned"], 0);
    run.says(&format!("called off; {} messages that had not left are taken back", 28 - total / 2));
    let told = String::from_utf8(sending.stderr).expect("UTF-8");
    assert!(told.contains("The campaign was called off meanwhile") && !told.contains("still to go out"), "{told}");
    assert!(told.contains("flagday who --failed") && !told.contains("Next: correct the roster"), "{told}");
}
