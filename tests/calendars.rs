//! Rehearsals held event by event against calendars written by hand, across the changes of the clocks in both hemispheres.
//!
//! Each campaign: the notice at T-14d 09:00, answered by ANN two hours later; a reminder that BOB answers; a reminder and
//! an escalation for CAM, whom the operator waives an hour after it; DOT's answer comes late, and the gate opens.

use crate::harness::small::{PEOPLE, Small, told};

fn hold(change_at: &str, zone: &str, remind: [&str; 2], due: &str, calendar: &[&str]) {
    let [first, second] = remind;
    let asks = format!(
        "due = \"{due}\"\nremind = [\"{first}\", \"{second}\"]\nescalate = [{{ at = \"{due}\", to = \"manager\" }}]\n"
    );
    let campaign = Small::new(change_at, zone, &asks);
    let outcome = campaign.rehearse(PEOPLE, "out").ends(0).json();
    assert_eq!(told(&outcome), calendar, "{zone} {change_at}");
}

#[test]
fn chicago_when_the_clocks_go_back() {
    // They go back on Sunday, 1 November 2026, at 02:00. 01:30 comes twice that night: the earlier one counts.
    hold(
        "2026-11-07T18:00:00",
        "America/Chicago",
        ["T-7d 09:00", "T-6d 01:30"],
        "T-3d",
        &[
            "2026-10-24T09:00:00-05:00 sent announcement: ANN BOB CAM DOT",
            "2026-10-24T11:00:00-05:00 answer ready: ANN",
            "2026-10-31T09:00:00-05:00 sent reminder 1 for ready: BOB CAM DOT",
            "2026-10-31T11:00:00-05:00 answer ready: BOB",
            "2026-11-01T01:30:00-05:00 sent reminder 2 for ready: CAM DOT",
            "2026-11-04T09:00:00-06:00 sent escalation 1 for ready: CAM DOT",
            "2026-11-04T10:00:00-06:00 by-hand CAM",
            "2026-11-04T11:00:00-06:00 answer ready: DOT",
            "2026-11-04T11:00:00-06:00 gate-opens all-ready",
            "2026-11-07T18:00:00-06:00 step-done switch",
        ],
    );
}

#[test]
fn berlin_when_the_clocks_go_forward() {
    // They go forward on Sunday, 28 March 2027, at 02:00: 02:30 does not exist, and 03:00 comes first. Two working days
    // before Wednesday are Monday.
    hold(
        "2027-03-31T18:00:00",
        "Europe/Berlin",
        ["T-7d 09:00", "T-3d 02:30"],
        "T-2wd 09:00",
        &[
            "2027-03-17T09:00:00+01:00 sent announcement: ANN BOB CAM DOT",
            "2027-03-17T11:00:00+01:00 answer ready: ANN",
            "2027-03-24T09:00:00+01:00 sent reminder 1 for ready: BOB CAM DOT",
            "2027-03-24T11:00:00+01:00 answer ready: BOB",
            "2027-03-28T03:00:00+02:00 sent reminder 2 for ready: CAM DOT",
            "2027-03-29T09:00:00+02:00 sent escalation 1 for ready: CAM DOT",
            "2027-03-29T10:00:00+02:00 by-hand CAM",
            "2027-03-29T11:00:00+02:00 answer ready: DOT",
            "2027-03-29T11:00:00+02:00 gate-opens all-ready",
            "2027-03-31T18:00:00+02:00 step-done switch",
        ],
    );
}

#[test]
fn sydney_when_the_clocks_go_forward() {
    // They go forward on Sunday, 4 October 2026, at 02:00. 160 hours before the change are counted hour by hour: one of
    // the wall clock's is missing.
    hold(
        "2026-10-10T18:00:00",
        "Australia/Sydney",
        ["T-7d 09:00", "T-160h"],
        "T-5wd",
        &[
            "2026-09-26T09:00:00+10:00 sent announcement: ANN BOB CAM DOT",
            "2026-09-26T11:00:00+10:00 answer ready: ANN",
            "2026-10-03T09:00:00+10:00 sent reminder 1 for ready: BOB CAM DOT",
            "2026-10-03T11:00:00+10:00 answer ready: BOB",
            "2026-10-04T01:00:00+10:00 sent reminder 2 for ready: CAM DOT",
            "2026-10-05T09:00:00+11:00 sent escalation 1 for ready: CAM DOT",
            "2026-10-05T10:00:00+11:00 by-hand CAM",
            "2026-10-05T11:00:00+11:00 answer ready: DOT",
            "2026-10-05T11:00:00+11:00 gate-opens all-ready",
            "2026-10-10T18:00:00+11:00 step-done switch",
        ],
    );
}

#[test]
fn sydney_when_the_clocks_go_back() {
    // They go back on Sunday, 2 April 2028, at 03:00. 02:30 comes twice that night: the earlier one counts.
    hold(
        "2028-04-08T18:00:00",
        "Australia/Sydney",
        ["T-7d 09:00", "T-6d 02:30"],
        "T-3d",
        &[
            "2028-03-25T09:00:00+11:00 sent announcement: ANN BOB CAM DOT",
            "2028-03-25T11:00:00+11:00 answer ready: ANN",
            "2028-04-01T09:00:00+11:00 sent reminder 1 for ready: BOB CAM DOT",
            "2028-04-01T11:00:00+11:00 answer ready: BOB",
            "2028-04-02T02:30:00+11:00 sent reminder 2 for ready: CAM DOT",
            "2028-04-05T09:00:00+10:00 sent escalation 1 for ready: CAM DOT",
            "2028-04-05T10:00:00+10:00 by-hand CAM",
            "2028-04-05T11:00:00+10:00 answer ready: DOT",
            "2028-04-05T11:00:00+10:00 gate-opens all-ready",
            "2028-04-08T18:00:00+10:00 step-done switch",
        ],
    );
}

#[test]
fn sydney_over_a_leap_day() {
    // Days and working days are counted back over 29 February 2028.
    hold(
        "2028-03-09T18:00:00",
        "Australia/Sydney",
        ["T-9d 09:00", "T-6wd 09:00"],
        "T-2d",
        &[
            "2028-02-24T09:00:00+11:00 sent announcement: ANN BOB CAM DOT",
            "2028-02-24T11:00:00+11:00 answer ready: ANN",
            "2028-02-29T09:00:00+11:00 sent reminder 1 for ready: BOB CAM DOT",
            "2028-02-29T11:00:00+11:00 answer ready: BOB",
            "2028-03-01T09:00:00+11:00 sent reminder 2 for ready: CAM DOT",
            "2028-03-07T09:00:00+11:00 sent escalation 1 for ready: CAM DOT",
            "2028-03-07T10:00:00+11:00 by-hand CAM",
            "2028-03-07T11:00:00+11:00 answer ready: DOT",
            "2028-03-07T11:00:00+11:00 gate-opens all-ready",
            "2028-03-09T18:00:00+11:00 step-done switch",
        ],
    );
}

#[test]
fn two_hemispheres_in_one_campaign() {
    // Chicago sets its clocks back on 1 November 2026, Sydney has set its own forward before. Everybody is told at 09:00 by
    // their own clock, and days count back from the day that the change has there: Sunday, 8 November, in Sydney.
    let asks = "due = \"T-3d\"\nremind = [\"T-7d 09:00\"]\nescalate = [{ at = \"T-3d\", to = \"manager\" }]\n";
    let campaign = Small::new("2026-11-07T18:00:00", "America/Chicago", asks);
    campaign.write(
        "people.csv",
        "kind,id,name,email,manager_email,time_zone\nstaff,ANN,Ann,ann@corp.example,head@corp.example,\n\
         staff,SUE,Sue,sue@corp.example,boss@corp.example,Australia/Sydney\n\
         chief,HEAD,Head,head@corp.example,,Australia/Sydney\n",
    );
    let script = "[[share]]\nshare = 1\nbehaviour = \"never\"\n";
    let outcome = campaign.rehearse(script, "out").ends(3).json();
    let page = fs_err::read_to_string(campaign.beside("out/rehearsal.html")).expect("a page");
    assert!(page.contains("to ANN, SUE, HEAD, zone by zone until 2026-10-24 Sat 17:00"), "as one line");
    assert_eq!(
        told(&outcome),
        [
            "2026-10-24T09:00:00-05:00 sent announcement: ANN",
            "2026-10-24T17:00:00-05:00 sent announcement: SUE HEAD", // 25 October, 09:00 in Sydney
            "2026-10-31T09:00:00-05:00 sent reminder 1 for ready: ANN",
            "2026-10-31T17:00:00-05:00 sent reminder 1 for ready: SUE HEAD", // 1 November, 09:00
            // By the clock of whoever is asked: no roster knows Sue's manager, and Ann's is in Sydney.
            "2026-11-04T09:00:00-06:00 sent escalation 1 for ready: SUE",
            "2026-11-04T16:00:00-06:00 sent escalation 1 for ready: ANN", // 5 November, 09:00
            "2026-11-04T16:00:00-06:00 task call for ready: HEAD",
        ]
    );
}
