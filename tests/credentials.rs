//! The playbook `credential-rotation`: everybody gets a new credential, and the old ones stop working at one moment.

use crate::harness::letter::Letter;
use crate::harness::{Campaign, FUTURE, PAST, Run, program};
use std::path::Path;

/// Words of Microsoft Mail, which nobody who rotates credentials has to read.
const FOREIGN: [&str; 6] = ["disk", "postoffice", "serial", "ADMIN", "mailbag", "Q209486"];

fn begun() -> Campaign {
    let campaign = Campaign::begun("credential-rotation");
    campaign.edit("# reply_to = ", "reply_to = ");
    campaign
}

/// Everybody was told, although the day is near or past.
fn told(moment: &str) -> Campaign {
    let campaign = begun().change_at(moment);
    campaign.run("build").ends(0).says("3 people, 3 written");
    campaign.run("cutover --yes").ends(3).says("side-by-side");
    campaign.run("cutover attest side-by-side --by Pat --note seen").ends(0);
    campaign.run("send new-credential --short-notice --yes").ends(0).says("3 sent");
    campaign.run("send partner-change-date --short-notice --yes").ends(0).says("1 sent");
    campaign
}

fn code(campaign: &Campaign, person: &str) -> String {
    campaign.code_in_package("credential", person)
}

fn record(campaign: &Campaign, person: &str) -> Run {
    let code = code(campaign, person);
    campaign.run(&format!("ack record {person} --by Pat --code {code} --note phone"))
}

/// A reply as a mail program writes it, in a folder for `intake`.
fn reply(campaign: &Campaign, part: &str, text: &str) {
    let sent = campaign.outbox(part).pop().expect("a message");
    let sent = String::from_utf8_lossy(&fs_err::read(sent).expect("readable")).into_owned();
    let field = |name: &str| {
        let line = sent.lines().find(|line| line.to_lowercase().starts_with(name)).expect("the field");
        line[name.len()..].trim().to_owned()
    };
    let letter = format!(
        "From: {}\r\nTo: {}\r\nSubject: Re: yours\r\nIn-Reply-To: {}\r\nMessage-ID: <{part}@example>\r\n\
         Date: Sat, 28 Nov 2026 09:00:00 +0000\r\nContent-Type: text/plain\r\n\r\n{text}\r\n",
        field("to:"),
        field("reply-to:"),
        field("message-id:"),
    );
    campaign.write(&format!("mails/{part}.eml"), letter);
}

#[test]
fn init_writes_a_campaign_that_works_once_it_is_filled_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("vpn");
    Run::of(program().arg("init").arg(&root).args(["--playbook", "credential-rotation"])).ends(0).says("sam.ovpn");
    let check = Run::of(program().arg("-C").arg(&root).args(["check", "--json"])).ends(0).json();
    let codes: Vec<_> = check["findings"].as_array().expect("findings").iter().map(|one| &one["code"]).collect();
    assert_eq!(codes, ["placeholder", "placeholder", "placeholder", "not-built"], "and nothing else is complained of");

    let campaign = begun();
    campaign.run("build").ends(0).says("3 people, 3 written");
    campaign.run("build --verify").ends(0);
    assert_eq!(campaign.run("check --json").ends(0).json()["findings"].as_array().map(Vec::len), Some(0));
    campaign.run("plan").ends(0).says("new-credential").says("partners-connected");
    campaign.run("preview new-credential --to sam").ends(0).says("neue Zugangsdaten").says("credential.zip");
    campaign.run("preview partner-change-date --to north").ends(0).says("systems of yours");
}

/// Everybody holds the new credential.
fn up_to_the_change(campaign: &Campaign) {
    campaign.run("cutover --yes").ends(3).says("way-back needs a person");
    campaign.run("cutover attest way-back --by Pat --note tried").ends(0);
    campaign.run("cutover --yes").ends(3).says("revoke-old needs a person");
}

fn revoke(campaign: &Campaign) {
    campaign.run("cutover attest revoke-old --by Pat --note revoked").ends(0);
    campaign.run("cutover --yes").ends(3).says("check needs a person");
}

#[test]
fn the_whole_path() {
    let campaign = told(PAST);
    record(&campaign, "rosa").ends(0);
    let of_another = format!("ack record lee --by Pat --code {} --note phone", code(&campaign, "rosa"));
    campaign.run(&of_another).refuses("code-of-another").says("whose package");
    reply(&campaign, "sam-", &code(&campaign, "sam"));
    reply(&campaign, "north-", "CONFIRMED");
    campaign.run(&format!("intake {}", campaign.path("mails").display())).ends(0).says("2 facts recorded");
    campaign.run("cutover --yes").ends(3).says("announce").says("credentials-held");
    campaign.run("ack waive lee --by Pat --reason leave").ends(0);

    up_to_the_change(&campaign);
    revoke(&campaign);
    campaign.run("cutover attest check --by Pat --note seen --without help-desk").ends(0);
    campaign.run("cutover --yes").ends(3).says("partners-connected has 0 of 1");
    campaign.run("ack record north --by Pat --note connects --for partner-connected").ends(0);
    campaign.run("cutover --yes").ends(3).says("help-desk");
    campaign.run("cutover attest check --by Pat --note quiet").ends(0);
    campaign.run("cutover --yes").ends(0);
    assert_eq!(campaign.outbox("all-clear").len() + campaign.outbox("all_clear").len(), 4);
    let status = campaign.run("status --json").ends(0).json();
    assert_eq!(status["phase"], "done");
    campaign.run("report --call-sheet").ends(0);
    campaign.run("report").ends(0);
    campaign.run("audit verify").ends(0);

    let printed = campaign.everything_printed();
    let letters: String = campaign.outbox("").iter().map(|path| campaign_text(path)).collect();
    let pages: String = ["call-sheet.txt", "letters.txt", "report.html"]
        .iter()
        .map(|page| campaign_text(&campaign.path(&format!(".flagday/report/{page}"))))
        .collect();
    for word in FOREIGN {
        assert!(!printed.contains(word), "printed: {word}");
        assert!(!letters.contains(word), "a letter: {word}");
        assert!(!pages.contains(word), "a page: {word}");
    }
}

fn campaign_text(path: &Path) -> String {
    String::from_utf8_lossy(&fs_err::read(path).expect("readable")).into_owned()
}

#[test]
fn what_was_answered_on_an_evening_that_was_rolled_back_counts_no_more_and_everybody_is_told_anew() {
    let campaign = told(PAST);
    ["rosa", "sam", "lee"].iter().for_each(|person| drop(record(&campaign, person).ends(0)));
    campaign.run("ack record north --by Pat --note confirmed").ends(0);
    let change = || {
        revoke(&campaign);
        campaign.run("cutover attest check --by Pat --note seen").ends(0);
        campaign.run("cutover --yes").ends(3).says("partners-connected has 0 of 1");
        campaign.run("ack record north --by Pat --note connects --for partner-connected").ends(0);
        campaign.run("cutover --yes").ends(0).says("done: all-clear");
    };
    up_to_the_change(&campaign);
    change();
    let back = campaign.run("cutover rollback --to way-back --yes").ends(0);
    back.says("4 people have its letter, which is not true any more").says("1 person has its letter");
    let status = campaign.run("status --json").ends(0).json();
    let connected = status["gates"].as_array().expect("gates").iter().find(|gate| gate["name"] == "partners-connected");
    assert_eq!(connected.map(|gate| (&gate["open"], &gate["satisfied"])), Some((&false.into(), &0.into())));
    campaign.run("cutover --yes").ends(3).says("revoke-old needs a person");
    change();
    let letters = |notice: &str| campaign.outbox(notice).len();
    assert_eq!((letters("partner_check"), letters("all_clear")), (2, 8));
    let anew = campaign.outbox("north-all_clear");
    let says = |path: &std::path::PathBuf| Letter::read(path).text.split_whitespace().collect::<Vec<_>>().join(" ");
    let texts: Vec<String> = anew.iter().map(says).collect();
    assert_eq!(texts.iter().filter(|text| text.contains("made again")).count(), 1, "{texts:#?}");
}

#[test]
fn who_was_silent_on_an_evening_that_was_rolled_back_is_reminded_on_the_next() {
    let campaign = told(PAST);
    ["rosa", "sam", "lee"].iter().for_each(|person| drop(record(&campaign, person).ends(0)));
    campaign.run("ack record north --by Pat --note confirmed").ends(0);
    up_to_the_change(&campaign);
    for evening in 1..=2 {
        revoke(&campaign);
        campaign.run("cutover attest check --by Pat --note seen").ends(0);
        let held = campaign.run("cutover --yes").ends(3).says("partners-connected has 0 of 1");
        held.says("north (sent): was sent the notice");
        if evening == 1 {
            campaign.run("cutover rollback --to way-back --yes").ends(0).says("undone: ask-partners");
            campaign.run("cutover --yes").ends(3).says("revoke-old needs a person");
        }
    }
    campaign.run("send reminder --to north --yes").ends(0).says("1 sent");
}

#[test]
fn a_credential_made_anew_is_amended_for_its_owner_alone() {
    let campaign = told(FUTURE);
    ["rosa", "sam", "lee"].iter().for_each(|person| drop(record(&campaign, person).ends(0)));
    campaign.write("credentials/rosa.ovpn", "client\nremote vpn2.corp.example 1194\n");
    campaign.run("build").ends(0).says("1 written");
    campaign.run("send --yes").ends(6);
    campaign.run("amend --yes").ends(0).says("1 sent");
    let missing = &campaign.run("status --json").ends(0).json()["acknowledgements"][0]["missing"];
    assert_eq!(*missing, serde_json::json!(["rosa"]));
    campaign.run("abort --reason moved --yes").ends(0).says("4 sent");
    let abort = campaign.outbox("sam-abort").pop().expect("told");
    assert!(campaign_text(&abort).contains("Zugangsdaten gelten weiter"), "{}", campaign_text(&abort));
}

/// The campaign of the README that names no playbook, beside the rosters that `init` wrote.
fn of_the_readme() -> Campaign {
    let campaign = begun();
    let readme = include_str!("../README.md");
    let section = readme.split_once("## Your own flag day").expect("the section").1;
    let toml = section.split_once("```toml\n").and_then(|(_, rest)| rest.split_once("```")).expect("a campaign").0;
    campaign.write("flagday.toml", toml);
    for person in ["rosa", "sam", "lee"] {
        campaign.write(&format!("badges/{person}.pdf"), format!("the badge of {person}"));
    }
    campaign
}

#[test]
fn the_readme_shows_a_whole_campaign_without_a_playbook() {
    let campaign = of_the_readme();
    campaign.run("build").ends(0).says("3 people, 3 written");
    assert_eq!(campaign.run("check --json").ends(0).json()["findings"], serde_json::json!([]));
    campaign.run("preview announcement --to sam").ends(0).says("Zu tun:").says("badge.zip");
    let rehearsed = Run::of(program().arg("rehearse").arg(campaign.root())).ends(0);
    rehearsed.says("builds 'badge', which no step does").says("2 of 2 steps done");

    campaign.edit("2031-06-14T06:00:00", PAST).run("build").ends(0);
    campaign.run("check").ends(0).says("warning[short-notice]").says("lies in the past");
    campaign.run("send announcement --yes").ends(3).refuses("short-notice").says("the change lies in the past");
    campaign.run("send announcement --short-notice --yes").ends(0).says("3 sent");
    for person in ["rosa", "sam", "lee"] {
        let code = campaign.code_in_package("badge", person);
        campaign.run(&format!("ack record {person} --by Pat --code {code} --note phone")).ends(0);
    }
    campaign.run("cutover --yes").ends(3).says("Every reader takes a new badge");
    campaign.run("cutover attest readers --by Pat --note set").ends(0);
    campaign.run("cutover --yes").ends(0);
    let letters: String = campaign.outbox("").iter().map(|path| campaign_text(path)).collect();
    assert!(FOREIGN.iter().all(|word| !letters.contains(word)) && letters.contains("Badges".to_lowercase().as_str()));
}

#[test]
fn what_a_newcomer_writes_wrong_is_told_with_the_way_out() {
    let campaign = of_the_readme();
    let escalate = "escalate = [{ at = \"T-3d\", to = \"manager\" }, { at = \"T-2d\", task = \"phone\" }]";
    let wrong = |from: &str, to: &str, says: &str| {
        campaign.edit(from, to).run("check").ends(1).says(says).says("flagday.toml:");
        campaign.edit(to, from);
    };
    wrong(escalate, "escalate = [\"T-5d\"]", "{ at = \"T-5d\", to = \"manager\" }");
    wrong("from = \"badges\"", "# from", "add from = ");
    campaign
        .write("templates/mail/announcement/text.hbs", "{{person.name}}, come on {{change.local}}.\n{{> answer}}\n");
    campaign.write("templates/mail/announcement/subject.hbs", "Your badge\n");
    campaign.run("check").ends(0).says("template-language").says("'de' for sam");
    campaign.write("templates/mail/announcement/text.de.hbs", "{{person.name}}: {{change.local}}.\n{{> answer}}\n");
    campaign.run("check").ends(0).keeps_quiet_about("template-language").says("0 errors, 1 warning, 0 notes");
    campaign.run("who --person rosa").ends(0).says("No evidence of rosa yet.");
    campaign.run("plan").ends(0).keeps_quiet_about("ARTICLE");
}

#[test]
fn the_sample_rehearses_to_its_end() {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/credential-rotation");
    let outcome = Run::of(program().arg("rehearse").arg(&sample).arg("--json")).ends(0).json();
    assert_eq!((&outcome["finished"], &outcome["serial_changed"]), (&true.into(), &serde_json::Value::Null));
    Run::of(program().arg("rehearse").arg(&sample)).ends(0).says("9 of 9 steps done");
    assert!(!sample.join(".flagday").exists());
}
