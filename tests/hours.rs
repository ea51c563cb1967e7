//! When things happen, event by event, by everybody's own clock: against calendars written by hand.

use crate::harness::{Campaign, FUTURE, Run, program};
use flagday::system::{Real, World};
use serde_json::Value;
use tempfile::TempDir;

fn plan(toml: &str, people: &str) -> Vec<(String, String, String)> {
    let folder = TempDir::new().expect("a folder");
    let write = |name: &str, text: &str| fs_err::write(folder.path().join(name), text).expect("written");
    write("flagday.toml", toml);
    write("people.csv", people);
    let run = Run::of(program().arg("-C").arg(folder.path()).args(["plan", "--json"])).ends(0).json();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let calendar = run["calendar"].as_array().expect("a calendar").iter();
    calendar.map(|entry| (text(&entry["at"]), text(&entry["moment"]), text(&entry["local"]))).collect()
}

fn own(change: &str, zone: &str, at: &str, remind: &str, more: &str) -> String {
    format!(
        "[campaign]\nname = \"vpn\"\nchange_at = {change}\ntime_zone = \"{zone}\"\ncontact = \"IT\"\n\
         [mail]\nfrom = \"it@corp.example\"\n[[roster]]\nfile = \"people.csv\"\n[audience]\nall = {{}}\n\
         [notice.news]\naudience = \"all\"\nat = \"{at}\"\n[notice.reminder]\naudience = \"all\"\n\
         [acknowledgement.read]\naudience = \"all\"\nnotice = \"news\"\ngrade = \"confirmed\"\nremind = {remind}\n{more}\n"
    )
}

fn instants(calendar: &[(String, String, String)], moment: &str) -> Vec<String> {
    calendar.iter().filter(|(_, written, _)| written == moment).map(|(at, ..)| at.clone()).collect()
}

/// Clocks change in Chicago on 14 March, in Berlin on 28 March, and back in Sydney on 4 April 2027.
#[test]
fn clocks_change_in_both_hemispheres_before_the_change() {
    let toml = own(
        "2027-04-05T18:00:00",
        "America/Chicago",
        "T-28d 09:00",
        r#"["T-9d 02:30", "T-7d", "T-2d 02:30", "T-1d"]"#,
        "",
    );
    let people = "id,name,email,kind,time_zone\nann,Ann,ann@corp.example,user,\n\
                  bea,Bea,bea@corp.example,user,Europe/Berlin\ncy,Cy,cy@corp.example,user,Australia/Sydney\n";
    let calendar = plan(&toml, people);
    // 18:00 in Chicago is the next day in Berlin and in Sydney: their days count from there.
    assert_eq!(
        instants(&calendar, "T-28d 09:00"),
        ["2027-03-08T15:00:00Z", "2027-03-08T22:00:00Z", "2027-03-09T08:00:00Z"],
        "CST, AEDT, CET"
    );
    assert_eq!(
        instants(&calendar, "T-7d 09:00"),
        ["2027-03-29T14:00:00Z", "2027-03-29T22:00:00Z", "2027-03-30T07:00:00Z"],
        "CDT, AEDT, CEST"
    );
    assert_eq!(
        instants(&calendar, "T-1d 09:00"),
        ["2027-04-04T14:00:00Z", "2027-04-04T23:00:00Z", "2027-04-05T07:00:00Z"],
        "CDT, AEST by now, CEST"
    );
    // 02:30 does not exist in Berlin on 28 March; it comes twice in Sydney on 4 April, and the first one counts.
    assert!(instants(&calendar, "T-9d 02:30").contains(&"2027-03-28T01:00:00Z".to_owned()), "{calendar:?}");
    assert!(instants(&calendar, "T-2d 02:30").contains(&"2027-04-03T15:30:00Z".to_owned()), "{calendar:?}");
    assert!(calendar.iter().any(|(.., local)| local == "Sun 2027-03-28 03:00 CEST"));
}

#[test]
fn a_leap_day_is_a_day_and_a_day_of_work() {
    let toml =
        own("2028-03-01T12:00:00", "Europe/Berlin", "T-366d", r#"["T-1wd 10:00", "T-1d", "2028-02-29 15:00"]"#, "");
    let calendar = plan(&toml, "id,name,email,kind\nann,Ann,ann@corp.example,user\n");
    let events: Vec<_> = calendar.iter().map(|(at, moment, _)| format!("{at} {moment}")).collect();
    assert_eq!(
        events,
        [
            "2027-03-01T08:00:00Z T-366d 09:00",
            "2028-02-29T08:00:00Z T-1d 09:00",
            "2028-02-29T09:00:00Z T-1wd 10:00",
            "2028-02-29T14:00:00Z 2028-02-29 15:00"
        ]
    );
}

#[test]
fn holidays_do_not_count_and_quiet_hours_put_off() {
    let calendar = "[calendar]\nholidays = [\"2026-11-26\", \"2026-11-27\"]\nquiet = \"20:00-07:00\"\nquiet_days_off = true\n\
                    [calendar.country.de]\nholidays = []\n";
    let remind = r#"["T-3wd 21:00", "T-1wd 10:00", "T-2d 09:00"]"#;
    let toml = own("2026-12-01T12:00:00", "America/Chicago", "T-14d", remind, calendar);
    let people = "id,name,email,kind,country\nann,Ann,ann@corp.example,user,\nbea,Bea,bea@corp.example,user,DE\n";
    let calendar = plan(&toml, people);
    // Tuesday 1 December; Thanksgiving and the day after are off at home. 21:00 is quiet until the next morning's 07:00.
    assert_eq!(instants(&calendar, "T-3wd 21:00"), ["2026-11-25T13:00:00Z", "2026-11-27T13:00:00Z"]);
    assert_eq!(instants(&calendar, "T-1wd 10:00"), ["2026-11-30T16:00:00Z"]);
    // A Sunday: put off until Monday morning.
    assert_eq!(instants(&calendar, "T-2d 09:00"), ["2026-11-30T13:00:00Z"]);
}

#[test]
fn what_was_slept_past_is_held_and_counted() {
    let campaign = Campaign::ready();
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!(status["messages"]["held"], 12 + 5 + 28, "every notice's window is over");
    campaign.run("plan").ends(0).says("held");
    campaign.run("tick --yes").ends(0).says("late notices are not sent blindly");
    assert!(campaign.outbox("").is_empty());
}

#[test]
fn one_persons_calendar_shows_their_own_hours() {
    let campaign = Campaign::sample().change_at(crate::harness::FUTURE);
    campaign
        .run("plan --person MUNICH")
        .ends(0)
        .says(", there ")
        .says("CET")
        .says("new-serial")
        .keeps_quiet_about("change-date");
    let plan = campaign.run("plan --person DENVER --json").ends(0).json();
    assert_eq!(plan["calendar"][0]["local"], "Wed 2096-11-28 09:00 MST", "{plan:#}");
}

#[test]
fn a_clock_that_stands_before_the_record_stops_everything_until_somebody_says_that_it_is_right() {
    let campaign = Campaign::ready();
    let later = Real.now() + chrono::Duration::hours(3);
    let mut ledger = flagday::ledger::Ledger::open(&campaign.path(".flagday")).expect("a ledger");
    ledger.note(later, "built", &serde_json::json!({})).expect("an event of a clock that was ahead");
    for line in ["tick --yes", "send new-serial --yes", "cutover --yes"] {
        campaign.run(line).ends(1).refuses("clock-behind").says("--clock-ok once");
    }
    assert!(campaign.outbox("").is_empty());
    campaign.run("status").ends(0).says("set this machine's clock right");
    campaign.run("send new-serial --clock-ok --yes").ends(0).says("5 sent");
    campaign.run("tick --yes").ends(0);
    campaign.run("status").ends(0).keeps_quiet_about("clock right");
    campaign.run("audit export").ends(0).says("clock-accepted");
    campaign.run("audit verify").ends(0);
}

#[test]
fn the_plan_counts_whom_a_notice_went_to_and_ends_with_what_is_next() {
    let campaign = Campaign::sample().change_at(FUTURE);
    campaign.correct_disks();
    campaign.run("plan").ends(0).says("Next: flagday build, then flagday preview NOTICE --to PERSON");
    campaign.run("build").ends(0);
    campaign.run("plan").ends(0).says("Next: flagday preview NOTICE --to PERSON, then flagday send");
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    let planned = campaign.run("plan --json").ends(0).json()["calendar"].clone();
    let rows = planned.as_array().expect("a calendar").iter();
    let told: Vec<_> = rows.filter(|row| row["notice"] == "new-serial" && row["what"] == "notice").collect();
    assert!(told.iter().all(|row| row["state"] == "done"), "{told:?}");
    assert_eq!(told.iter().map(|row| row["people"].as_u64().expect("a number")).sum::<u64>(), 5);
    campaign.run("plan").ends(0).says("Next: flagday status").keeps_quiet_about("flagday build");
}
