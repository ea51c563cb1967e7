//! `send --to failed` of letters about a change: to the address that is right by now, they say and cancel what the first
//! ones did.

use super::amended::postpone;
use super::*;
use crate::engine::Wish;
use crate::outbox::{Queue, Suspended};

impl Play {
    /// As if the server had refused it.
    fn refuse(&self, notice: &str, person: &str) {
        let ledger = rusqlite::Connection::open(self.folder.path().join(".flagday/ledger.db")).expect("the ledger");
        let refused = "UPDATE message SET state = 'failed', reply = '550 no such user' WHERE notice = ? AND person = ? \
                       AND id = (SELECT max(id) FROM message WHERE notice = ?1 AND person = ?2)";
        assert_eq!(ledger.execute(refused, (notice, person)).expect("refused"), 1);
    }

    fn moves(&self, from: &str, to: &str) {
        let path = self.folder.path().join("people.csv");
        let people = fs_err::read_to_string(&path).expect("a roster");
        fs_err::write(path, people.replacen(from, to, 1)).expect("written");
    }

    fn again(&self) -> Sent {
        let engine = &mut self.engine();
        engine.send(None, &To::Failed, None, false, &AtomicBool::new(false), &mut |_| {}).expect("tried again")
    }
}

fn with_calendar() -> String {
    CAMPAIGN.replace("[notice.news]\n", "[notice.news]\ncalendar = true\n")
}

#[test]
fn a_postponement_to_another_address_takes_the_calendar_entry_out_too() {
    let play = Play::of(&with_calendar());
    play.tick();
    play.at("2027-03-19T09:00").amend(&postpone());
    assert!(play.letter_to("postponed", "ann@corp.example").contains("METHOD:CANCEL"));
    play.refuse("postponed", "ann");
    play.moves("ann@corp.example", "ann@home.example");
    let sent = play.at("2027-03-19T10:00").again();
    assert_eq!((sent.planned, sent.sent), (1, 1));
    let letter = play.letter_to("postponed", "ann@home.example");
    assert!(letter.contains("METHOD:CANCEL") && letter.contains("SEQUENCE:1"), "{letter}");
    assert!(letter.contains("Why:         no room") && !letter.contains("address was corrected"), "{letter}");
    assert_eq!(play.engine().to_be_told_of_postponement().expect("counted"), 0);
    // Whoever never had an entry has none to take out.
    play.moves("bea@corp.example", "bea@home.example");
    let play = Play::new();
    play.tick();
    play.at("2027-03-19T09:00").amend(&postpone());
    play.refuse("postponed", "bea");
    play.moves("bea@corp.example", "bea@home.example");
    assert_eq!(play.again().sent, 1);
    assert!(!play.letter_to("postponed", "bea@home.example").contains("METHOD:CANCEL"));
}

#[test]
fn that_it_is_off_is_told_again_to_whom_it_did_not_reach_and_to_nobody_else() {
    let play = Play::of(&with_calendar());
    play.tick();
    assert_eq!(play.at("2027-03-19T09:00").call_off(), 3);
    play.refuse("abort", "ann");
    play.refuse("abort", "cy");
    play.moves("ann@corp.example", "ann@home.example");
    let sent = play.at("2027-03-19T10:00").again();
    assert_eq!((sent.planned, sent.sent), (2, 2));
    let letter = play.letter_to("abort", "ann@home.example");
    assert!(letter.contains("METHOD:CANCEL") && letter.contains("Why: the room burnt down"), "{letter}");
    assert_eq!(play.to("abort").len(), 4, "Cy's own letter went out once more, as it was");
    assert!(play.again().nothing_due);
    // A round sends what is due, and nothing that failed.
    play.refuse("abort", "bea");
    assert!(play.tick().nothing_due);
    // Who has left since is told at the address that there was.
    play.moves("bea,Bea,bea@corp.example,user,,aide@corp.example,de\n", "");
    assert_eq!(play.again().sent, 1);
}

#[test]
fn what_a_manager_was_told_is_told_again_at_the_same_address() {
    let play = Play::new();
    play.tick();
    play.record("ann", Kind::HardBounce);
    play.at("2027-03-18T09:00").tick();
    play.at("2027-03-19T09:00").amend(&postpone());
    let boss = "boss@corp.example";
    let before = play.letter_to("postponed", boss);
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    let refused = "UPDATE message SET state = 'failed' WHERE notice = 'postponed' AND envelope_to = ?";
    assert_eq!(ledger.execute(refused, [boss]).expect("refused"), 1);
    let to_call = |play: &Play| -> Vec<String> {
        play.engine().calls_about_the_end().expect("told").into_iter().map(|task| task.what).collect()
    };
    let asks =
        |what: &String| what.starts_with("tell boss@corp.example, who was asked to remind Ann and does not know");
    assert_eq!(to_call(&play).iter().filter(|what| asks(what)).count(), 1, "{:?}", to_call(&play));
    // Ann's own address is another one by now, which is nothing to them.
    play.moves("ann@corp.example", "ann@home.example");
    assert_eq!(play.again().sent, 1);
    assert!(!to_call(&play).iter().any(asks), "they know");
    assert_eq!(play.letter_to("postponed", boss), before);

    play.write(&CAMPAIGN.replace("2027-03-31T18", "2027-04-14T18"));
    play.at("2027-03-20T09:00").amend(&Wish::default());
    let before = play.letter_to("correction", boss);
    play.refuse("correction", "ann");
    assert_eq!(play.again().sent, 1);
    assert_eq!((play.to("correction").len(), play.letter_to("correction", boss)), (1, before));
}

#[test]
fn an_escalation_goes_to_the_managers_corrected_address_and_only_where_it_is_another() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-28T07:00").tick();
    let to_boss = |to: &str| ("ann".to_owned(), to.to_owned());
    assert_eq!(play.to("escalation")[0], to_boss("boss@corp.example"));
    let before = play.letter_to("escalation", "boss@corp.example");
    // The alternate of somebody else has nothing to do with it.
    play.refuse("escalation", "ann");
    assert_eq!(play.again().sent, 1);
    assert_eq!(play.letter_to("escalation", "boss@corp.example"), before, "the same bytes to the same address");

    play.refuse("escalation", "ann");
    play.moves("boss@corp.example", "head@corp.example");
    let sent = play.again();
    assert_eq!((sent.planned, sent.sent), (1, 1));
    let about_ann = || play.letters("escalation").into_iter().filter(|one| one.person == "ann").collect::<Vec<_>>();
    let rows = about_ann();
    assert_eq!(
        rows.iter().map(|one| one.envelope_to.clone().unwrap_or_default()).collect::<Vec<_>>(),
        ["boss@corp.example", "head@corp.example"]
    );
    assert_eq!((rows[0].reason.as_str(), rows[0].acknowledgement.as_deref()), (rows[1].reason.as_str(), Some("read")));
    assert!(play.again().nothing_due, "the letter that it replaces is given up");
    // The chain goes on where it was: the alternate by their hour, then a call.
    play.at("2027-03-28T08:00").tick();
    assert_eq!(about_ann().len(), 2);
    play.at("2027-03-29T07:00").tick();
    assert_eq!(about_ann().last().and_then(|one| one.envelope_to.clone()).as_deref(), Some("aide@corp.example"));
}

#[test]
fn an_escalation_whose_manager_left_asks_the_alternate_and_nobody_twice() {
    let play = Play::new();
    play.tick();
    play.at("2027-03-28T07:00").tick();
    play.refuse("escalation", "ann");
    play.moves("boss@corp.example", "");
    assert_eq!(play.again().sent, 1);
    let about_ann = || play.to("escalation").into_iter().filter(|(id, _)| id == "ann").collect::<Vec<_>>();
    assert_eq!(about_ann().last().expect("asked").1, "aide@corp.example");
    // Nobody is left who was not asked.
    play.refuse("escalation", "ann");
    play.moves("user,,aide@corp.example", "user,,");
    let asked = about_ann().len();
    assert_eq!((play.again().sent, about_ann().len()), (0, asked));
}

#[test]
fn an_amended_notice_to_another_address_still_says_what_is_different() {
    let play = Play::of(&with_calendar());
    play.tick();
    play.write(&with_calendar().replace("2027-03-31T18", "2027-04-14T18"));
    let wish = Wish { reason: "the room is taken".to_owned(), ..Wish::default() };
    play.at("2027-03-19T09:00").amend(&wish);
    assert!(play.letter_to("news", "ann@corp.example").contains("Subject: Changed: "));
    play.refuse("news", "ann");
    play.moves("ann@corp.example", "ann@home.example");
    assert_eq!(play.again().sent, 1);
    let letter = play.letter_to("news", "ann@home.example");
    assert!(letter.contains("Subject: Changed: ") && letter.contains("14 April 2027"), "{letter}");
    assert!(letter.contains("METHOD:REQUEST") && letter.contains("SEQUENCE:1"), "{letter}");
    let row = play.letters("news").into_iter().last().expect("the newest");
    assert_eq!((row.reason.as_str(), row.copy), ("the room is taken", 1));
}

#[test]
fn whose_address_was_corrected_reads_so_in_their_language() {
    let play = Play::new();
    play.tick();
    play.refuse("news", "ann");
    play.refuse("news", "bea");
    play.moves("ann@corp.example", "ann@home.example");
    play.moves("bea@corp.example", "bea@home.example");
    assert_eq!(play.again().sent, 2);
    let reasons: Vec<String> = play.letters("news").into_iter().skip(3).map(|one| one.reason).collect();
    assert_eq!(reasons, ["your address was corrected", "Ihre Adresse wurde berichtigt"]);
}

#[test]
fn what_is_tried_again_is_counted_beforehand_and_while_delivery_is_paused_no_word_says_otherwise() {
    let play = Play::new();
    play.tick();
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    let made = |sql: &str| assert_eq!(ledger.execute(sql, ()).expect("made so"), 1);
    play.refuse("news", "ann");
    // Waits to go out once more; and for so short in doubt that a report may come first.
    made("UPDATE message SET state = 'planned', doubts = 1, attempts = 1, reply = 'hung up' WHERE person = 'bea'");
    made("UPDATE message SET state = 'uncertain', doubts = 1 WHERE person = 'cy'");
    let mut engine = play.engine();
    assert_eq!(engine.forecast(None, &To::Failed, None, false).expect("counted"), (2, 1));
    let remedy = |engine: &crate::engine::Engine| {
        let doubtful = crate::report::failures::in_doubt(engine).expect("listed");
        doubtful.into_iter().find(|one| one.person == "bea").expect("hers").remedy
    };
    assert!(remedy(&engine).starts_with("`flagday send` sends the same bytes once more"));
    let (now, finding) = (play.clock.now(), crate::fault::Finding::error("smtp-password", "no login", "correct it"));
    let pause = Suspended::after(None, "smtp-password".into(), &engine.mail_settings(), &finding, now);
    engine.ledger.suspend(&pause, &[], now).expect("paused");
    assert!(remedy(&engine).contains("when delivery goes on"));
    assert!(engine.held_by_pause().expect("asked").is_some());
    assert!(engine.deferrals().expect("listed").is_empty(), "it was put off by nobody");
}

#[test]
fn what_comes_next_is_what_settles_a_doubt() {
    let play = Play::new();
    play.tick();
    let ledger = rusqlite::Connection::open(play.folder.path().join(".flagday/ledger.db")).expect("the ledger");
    ledger.execute("UPDATE message SET state = 'uncertain', doubts = 1 WHERE person = 'cy'", ()).expect("made so");
    let next = || crate::report::status::Status::of(&play.engine()).expect("looked").next;
    let wait = "wait: what is in doubt goes out once more, or is held, from Wed 2027-03-17 10:10 CET on";
    assert!(next().starts_with(wait), "{}", next());
    let moment = play.engine().next_moment().expect("asked").map(|(at, _)| at);
    assert_eq!(moment, Some(day("2027-03-17T09:10")));
    play.at("2027-03-17T09:10");
    assert!(next().starts_with("flagday send: what is in doubt"), "{}", next());
    // A person decides, and no `flagday send` does anything.
    play.write(&CAMPAIGN.replace("[mail]\n", "[mail]\nuncertain = \"hold\"\n"));
    assert!(next().starts_with("flagday send --to failed: "), "{}", next());
    assert!(play.tick().nothing_due);
}
