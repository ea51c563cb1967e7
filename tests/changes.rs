//! Facts that change in mid-rehearsal: `amend` in simulated time, event by event against calendars written by hand.

use crate::harness::small::{PEOPLE, Small, told};
use crate::harness::{Campaign, Run, program};
use serde_json::Value;

fn play(fault: &str) -> (Small, Value) {
    let asks = "due = \"T-3d\"\nremind = [\"T-10d\", \"T-7d\"]\nescalate = [{ at = \"T-3d\", to = \"manager\" }]\n";
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", asks);
    let outcome = campaign.rehearse(&format!("{PEOPLE}{fault}"), "out").ends(0).json();
    (campaign, outcome)
}

/// The text of the first event of a kind.
fn text<'a>(outcome: &'a Value, kind: &str) -> &'a str {
    let found = outcome["timeline"].as_array().expect("a timeline").iter().find(|event| event["kind"] == kind);
    found.unwrap_or_else(|| panic!("no {kind}"))["text"].as_str().expect("a text")
}

#[test]
fn a_later_date_voids_the_answers_and_gives_everything_another_hour() {
    let fault = "[[fault]]\nkind = \"date-change\"\nat = \"T-9d 10:00\"\nto = 2026-12-19T18:00:00\nfor = \"1h\"\nreason = \"No room\"\n";
    let (campaign, outcome) = play(fault);
    assert_eq!(
        told(&outcome),
        [
            "2026-11-28T09:00:00-06:00 sent announcement: ANN BOB CAM DOT",
            "2026-11-28T11:00:00-06:00 answer ready: ANN",
            "2026-12-02T09:00:00-06:00 sent reminder 1 for ready: BOB CAM DOT",
            "2026-12-02T11:00:00-06:00 answer ready: BOB",
            "2026-12-03T10:00:00-06:00 fault date-change",
            // An hour later the administrator takes it over.
            "2026-12-03T11:00:00-06:00 by-hand flagday.toml",
            "2026-12-03T11:00:00-06:00 amended revision 2: ANN BOB CAM DOT",
            "2026-12-03T11:00:00-06:00 void ready: ANN BOB",
            "2026-12-03T11:00:00-06:00 sent announcement: ANN BOB CAM DOT",
            "2026-12-03T13:00:00-06:00 answer ready: ANN",
            // The new calendar: ten days and a week before the new date; what went out on the 2nd does not count.
            "2026-12-09T09:00:00-06:00 sent reminder 1 for ready: BOB CAM DOT",
            "2026-12-09T11:00:00-06:00 answer ready: BOB",
            "2026-12-12T09:00:00-06:00 sent reminder 2 for ready: CAM DOT",
            "2026-12-16T09:00:00-06:00 sent escalation 1 for ready: CAM DOT",
            "2026-12-16T10:00:00-06:00 by-hand CAM",
            "2026-12-16T11:00:00-06:00 answer ready: DOT",
            "2026-12-16T11:00:00-06:00 gate-opens all-ready",
            "2026-12-19T18:00:00-06:00 step-done switch",
        ]
    );
    assert_eq!(text(&outcome, "amended"), "amended to revision 2 (material): 4 people are informed, 0 answers stay");
    let counts: Vec<u64> = outcome["gates"]["all-ready"]
        .as_array()
        .expect("counts")
        .iter()
        .map(|count| count["satisfied"].as_u64().expect("a number"))
        .collect();
    assert_eq!(counts, [0, 1, 2, 0, 1, 2, 2, 3], "the gate falls back once, when the answers are void");
    let page = fs_err::read_to_string(campaign.beside("out/rehearsal.html")).expect("a page");
    assert!(page.contains(">amended</text>") && page.contains("<tr class=\"void\">"), "the picture shows it");
    let real = fs_err::read_to_string(campaign.path("flagday.toml")).expect("the campaign itself");
    assert_eq!(real, campaign.toml, "only the copy was edited");
}

#[test]
fn a_new_text_voids_answers_unless_it_is_cosmetic() {
    let fault = "[[fault]]\nkind = \"text-change\"\nat = \"T-9d 10:00\"\nnotice = \"announcement\"\n";
    let (_, outcome) = play(fault);
    let lines = told(&outcome);
    let at = |line: &str| lines.iter().position(|told| told == line).unwrap_or_else(|| panic!("{line}: {lines:#?}"));
    assert!(
        at("2026-12-03T10:30:00-06:00 void ready: ANN BOB")
            < at("2026-12-03T10:30:00-06:00 sent announcement: ANN BOB CAM DOT")
    );
    // The calendar stays; BOB waits for the next reminder, a week before.
    at("2026-12-05T09:00:00-06:00 sent reminder 1 for ready: BOB CAM DOT");
    at("2026-12-12T18:00:00-06:00 step-done switch");

    let (_, outcome) = play(&format!("{fault}cosmetic = true\n"));
    let lines = told(&outcome);
    assert!(lines.contains(&"2026-12-03T10:30:00-06:00 amended revision 2".to_owned()), "{lines:#?}");
    assert_eq!(text(&outcome, "amended"), "amended to revision 2 (cosmetic): 0 people are informed, 2 answers stay");
    assert!(!lines.iter().any(|line| line.contains(" void ")), "{lines:#?}");
    assert_eq!(lines.iter().filter(|line| line.contains("sent announcement")).count(), 1, "nobody is written to");
}

#[test]
fn a_date_that_is_off_holds_everything_until_there_is_another() {
    let fault = "[[fault]]\nkind = \"postpone\"\nat = \"T-11d 10:00\"\nreason = \"The hall is flooded\"\n\
                 [[fault]]\nkind = \"date-change\"\nat = \"T-4d 10:00\"\nto = 2027-01-16T18:00:00\n";
    let (_, outcome) = play(fault);
    let lines = told(&outcome);
    let from = lines.iter().position(|line| line.contains("fault postpone")).expect("it is put off");
    assert_eq!(
        lines[from..from + 9],
        [
            "2026-12-01T10:00:00-06:00 fault postpone",
            "2026-12-01T10:00:00-06:00 by-hand flagday.toml",
            "2026-12-01T10:00:00-06:00 amended revision 2: ANN BOB CAM DOT",
            "2026-12-01T10:00:00-06:00 void ready: ANN",
            "2026-12-01T10:00:00-06:00 sent postponed: ANN BOB CAM DOT",
            // No reminder on the 2nd and the 5th: there is no date.
            "2026-12-08T10:00:00-06:00 fault date-change",
            "2026-12-08T10:30:00-06:00 by-hand flagday.toml",
            "2026-12-08T10:30:00-06:00 amended revision 3: ANN BOB CAM DOT",
            "2026-12-08T10:30:00-06:00 sent announcement: ANN BOB CAM DOT",
        ]
    );
    assert_eq!(lines.last().expect("a line"), "2027-01-16T18:00:00-06:00 step-done switch");
}

#[test]
fn a_statement_that_was_in_hand_when_the_date_moved_is_made_on_the_new_one() {
    let asks = "due = \"T-3d\"\n";
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", asks);
    campaign.write("flagday.toml", &format!("{}attest = \"it is done\"\n", campaign.toml));
    let fault = "[answers]\ndelay = \"2h\"\nspread = \"0m\"\n\
                 [[fault]]\nkind = \"date-change\"\nat = \"T+2m\"\nto = 2026-12-26T18:00:00\nfor = \"3m\"\n";
    let stated = "[[administrator]]\non = \"attestation\"\nstep = \"switch\"\nafter = \"10m\"\nattest = \"seen\"\n";
    // The second is an administrator without a script.
    for script in [format!("{fault}{stated}"), fault.to_owned()] {
        let outcome = campaign.rehearse(&script, "out").ends(0).json();
        let waits = outcome["timeline"].as_array().expect("a timeline").iter();
        let mut kept =
            waits.filter(|event| event["text"].to_string().contains("keeps what was to be stated for switch"));
        assert_eq!(kept.next().expect("told")["at"], "2026-12-12T18:10:00-06:00");
        assert_eq!(told(&outcome).last().expect("a line"), "2026-12-26T18:10:00-06:00 step-done switch");
        fs_err::remove_dir_all(campaign.beside("out")).expect("removed");
    }
}

#[test]
fn an_answer_to_the_letter_before_counts_no_more_even_where_the_new_one_is_on_its_way() {
    // The mail server is down when the date changes: ANN answers the only letter she has.
    let asks = "due = \"T-3d\"\nremind = [\"T-10d\"]\n";
    let campaign = Small::new("2026-12-12T18:00:00", "America/Chicago", asks);
    let script = "[answers]\ndelay = \"1d\"\nspread = \"0m\"\n\
                  [[fault]]\nkind = \"server-down\"\nat = \"T-14d 10:00\"\nfor = \"2d\"\n\
                  [[fault]]\nkind = \"date-change\"\nat = \"T-14d 11:00\"\nto = 2026-12-19T18:00:00\n";
    let outcome = campaign.rehearse(script, "out").ends(0).json();
    let lines = told(&outcome);
    // It is taken over all the same: what waits for the server is its letters.
    assert!(lines.contains(&"2026-11-28T11:30:00-06:00 amended revision 2: ANN BOB CAM DOT".to_owned()), "{lines:#?}");
    assert!(!outcome["timeline"].to_string().contains("the amendment is refused"));
    let after = |line: &str| lines.iter().position(|told| told == line).unwrap_or_else(|| panic!("{line}: {lines:#?}"));
    assert!(
        after("2026-11-29T09:00:00-06:00 fact older revision (ready): ANN")
            < after("2026-11-30T10:00:00-06:00 sent announcement: ANN BOB CAM DOT")
    );
    after("2026-12-01T10:00:00-06:00 answer ready: ANN");
}

#[test]
fn a_run_that_is_killed_while_it_informs_tells_the_others_when_it_is_started_again() {
    let fault = "[[fault]]\nkind = \"date-change\"\nat = \"T-9d 10:00\"\nto = 2026-12-19T18:00:00\n\
                 [[fault]]\nkind = \"kill\"\nat = \"T-9d 10:10\"\nafter = 2\nfor = \"1h\"\n";
    let (campaign, outcome) = play(fault);
    let folder = campaign.beside("out").join("campaign/.flagday/outbox");
    let letters = fs_err::read_dir(folder)
        .expect("an outbox")
        .filter(|entry| entry.as_ref().expect("an entry").file_name().to_string_lossy().contains("-announcement-"));
    assert_eq!(letters.count(), 8, "each got the first letter and the one about the new date, once");
    assert_eq!(outcome["finished"], true);
}

#[test]
fn the_sample_moves_its_date_and_still_comes_to_its_end() {
    let campaign = Campaign::sample();
    let script = String::from_utf8(campaign.bytes("rehearsal.toml")).expect("UTF-8");
    let fault = "[[fault]]\nkind = \"date-change\"\nat = \"T-9d 10:00\"\nto = 2026-12-19T18:00:00\nfor = \"2h\"\n";
    campaign.write("rehearsal.toml", format!("{script}\n{fault}"));
    let outcome = Run::of(program().arg("rehearse").arg(campaign.root()).arg("--json")).ends(0).json();
    assert_eq!((&outcome["finished"], &outcome["serial_changed"]), (&true.into(), &true.into()));
    assert!(outcome["change_at"].as_str().expect("a date").starts_with("2026-12-19T18:00:00"));
    let lines = told(&outcome);
    let void = lines.iter().find(|line| line.contains(" void disk-received")).expect("answers are void");
    assert!(void.contains("LINDBERG") && !void.contains("HARRIS"), "{void}");
    // Every disk is another one, for its README names the date and another code: all twelve go out again, at once.
    let again = lines.iter().find(|line| line.starts_with("2026-12-03T12:00:00-06:00 sent change-date: "));
    assert_eq!(again.expect("the disks go out again").split(": ").nth(1).expect("people").split(' ').count(), 12);
    let closed = lines.iter().find(|line| line.ends_with("step-done close-p1")).expect("it is closed");
    assert!(closed.starts_with("2026-12-19T"), "{closed}");
}
