//! What must not open a gate, lose a notice or reach a real file, each tried through the program.

use crate::harness::{Campaign, tree};

fn gate(campaign: &Campaign, name: &str) -> serde_json::Value {
    let status = campaign.run("status --json").ends(0).json();
    let gates = status["gates"].as_array().expect("gates");
    gates.iter().find(|gate| gate["name"] == name).expect("a gate of the playbook").clone()
}

#[test]
fn a_serial_number_answers_no_disk_and_no_question_before_the_change() {
    let campaign = Campaign::ready();
    campaign.run("ack record LINDBERG --by Pat --note x --serial 32-20977").ends(1).refuses("no-read-back");
    campaign
        .run("ack record LINDBERG --for disk-received --by Pat --note x --serial 32-20977")
        .ends(1)
        .refuses("no-read-back");
    campaign.run("ack record LUMEN --by Pat --note x --serial 32-20977").ends(1).refuses("no-read-back");
    assert_eq!(gate(&campaign, "disks-held")["satisfied"], 0);
}

#[test]
fn a_read_back_counts_no_more_once_the_change_is_taken_back() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().close().drain().finish().ends(0);
    assert_eq!(gate(&campaign, "async-switched")["satisfied"], 5);
    campaign.run("cutover rollback --yes --to drain").ends(0);
    assert_eq!(gate(&campaign, "async-switched")["satisfied"], 0);
}

#[test]
fn nobody_is_vouched_for_but_in_the_drain_at_its_turn() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.run("cutover attest async-confirmed --person HARBOR --by Pat --note x").ends(1).refuses("not-personal");
    campaign.run("cutover attest drain --person FISCHER --by Pat --note x").ends(1).refuses("not-its-turn");
    campaign.announce().answer().close();
    campaign.run("cutover attest drain --person WEISS --by Pat --note x").ends(1).refuses("not-concerned");
    campaign.run("cutover attest drain --person FISCHER --by Pat --note seen").ends(0);
    assert_eq!(gate(&campaign, "locals-drained")["attested"], serde_json::json!(["FISCHER"]));
    campaign.run("cutover rollback --yes --to backup").ends(0);
    assert_eq!(gate(&campaign, "locals-drained")["attested"], serde_json::json!([]));
}

#[test]
fn a_person_who_was_told_does_not_leave_with_the_row() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.run("send change-date --yes").ends(0);
    let roster = campaign.bytes("rosters/users.csv");
    let without: Vec<u8> = roster
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"HARRIS;"))
        .flatten()
        .copied()
        .collect();
    assert_ne!(without.len(), roster.len(), "the row is there to be deleted");
    campaign.write("rosters/users.csv", without);
    campaign.run("send new-serial --yes").ends(6).refuses("facts-changed").says("HARRIS");
    campaign.run("cutover --yes").ends(6).says("HARRIS");
}

#[test]
fn all_is_not_clear_before_it_is() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.run("send all-clear --yes").ends(1).refuses("not-its-turn");
    assert!(campaign.outbox("-all_clear-").is_empty());
}

#[test]
fn two_failed_and_one_at_a_time_lose_nobody() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    let roster = String::from_utf8(campaign.bytes("rosters/async-admins.csv")).expect("UTF-8");
    let lines: Vec<String> = roster.split_inclusive('\n').map(str::to_owned).collect();
    let blind = |line: &String| {
        let address = line.split(',').find(|field| field.contains('@')).unwrap_or_default().to_owned();
        if address.is_empty() { line.clone() } else { line.replacen(&address, "", 1) }
    };
    let mut broken = lines.clone();
    for line in broken.iter_mut().skip(1).take(2) {
        *line = blind(line);
    }
    campaign.write("rosters/async-admins.csv", broken.concat());
    campaign.run("send new-serial --yes").ends(4).says("2 failed");
    campaign.write("rosters/async-admins.csv", &roster);
    campaign.run("send --to failed --limit 1 --yes").ends(3).says("1 sent");
    campaign.run("send --to failed --yes").ends(0).says("1 sent");
    assert_eq!(campaign.outbox("-new_serial-").len(), 5);
}

#[test]
fn a_reminder_by_name_goes_to_the_silent_and_an_escalation_to_their_manager() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.run("send change-date --yes").ends(0);
    let code = campaign.code("CARTER");
    campaign.run(&format!("ack record CARTER --by Pat --note x --code {code}")).ends(0);
    campaign.run("send reminder --yes").ends(0).says("11 planned");
    assert!(campaign.outbox("CARTER-reminder").is_empty());
    campaign.run("send escalation --yes").ends(0);
    let escalations = campaign.outbox("-escalation-");
    assert!(!escalations.is_empty());
    let text = String::from_utf8_lossy(&fs_err::read(&escalations[0]).expect("a message")).into_owned();
    assert!(!text.contains("To: Harris"), "{text}");
}

#[test]
fn an_import_with_a_strange_column_records_nothing() {
    let campaign = Campaign::ready();
    campaign.write("answers.csv", "person,Kode,by,note\nCARTER,ABCD-EFGH,Pat,x\n");
    let file = campaign.path("answers.csv").to_string_lossy().into_owned();
    campaign.run_words(&["ack", "import", &file]).ends(1).refuses("import-columns");
    campaign.run_words(&["ack", "record", "CARTER", "--by", "", "--note", ""]).ends(1).refuses("statement-empty");
}

#[cfg(unix)]
#[test]
fn a_rehearsal_works_on_its_copy_whatever_way_leads_to_the_campaign() {
    let campaign = Campaign::ready();
    let postoffice = campaign.path("postoffice");
    let before = tree::contents(&postoffice);
    let absolute = format!("postoffice = \"{}\"", postoffice.display());
    campaign.edit("postoffice = \"postoffice\"", &absolute);
    let link = campaign.path("../link");
    std::os::unix::fs::symlink(campaign.path(""), &link).expect("a link");
    let run = campaign.run_words(&["rehearse", &link.to_string_lossy(), "--json"]).ends(0).json();
    assert_eq!((run["finished"].clone(), run["serial_changed"].clone()), (true.into(), true.into()));
    assert_eq!(tree::contents(&postoffice), before, "the real postoffice is as it was");
    let inside = campaign.path("rehearsal").to_string_lossy().into_owned();
    let here = campaign.path("").to_string_lossy().into_owned();
    campaign.run_words(&["rehearse", &here, "--out", &inside]).ends(1).refuses("rehearsal-inside");
}

#[test]
fn a_rehearsal_runs_no_program_and_no_path_of_a_steps_own() {
    let campaign = Campaign::ready();
    let told = campaign.path("../told").to_string_lossy().into_owned();
    let toml = String::from_utf8(campaign.bytes("flagday.toml")).expect("UTF-8");
    let step = format!("\n[[step]]\nname = \"tell\"\ntitle = \"Tell\"\nshell = {{ run = [\"touch\", \"{told}\"] }}\n");
    campaign.write("flagday.toml", format!("{toml}{step}"));
    let here = campaign.path("").to_string_lossy().into_owned();
    campaign.run_words(&["rehearse", &here, "-q"]).ends(0);
    assert!(!std::path::Path::new(&told).exists(), "no program ran");
    let step =
        format!("\n[[step]]\nname = \"move\"\ntitle = \"Move\"\nrename = {{ from = \"{told}\", to = \"{told}2\" }}\n");
    campaign.write("flagday.toml", format!("{toml}{step}"));
    campaign.run_words(&["rehearse", &here, "-q"]).ends(1).says("not copied");
}

#[test]
fn whom_a_step_could_not_tell_is_named_and_the_journal_is_for_people() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    let roster = campaign.bytes("rosters/users.csv");
    let text: Vec<u8> = roster
        .split_inclusive(|byte| *byte == b'\n')
        .flat_map(|line| {
            let fields: Vec<&[u8]> = line.split(|byte| *byte == b';').collect();
            let blind = line.starts_with(b"OKAFOR;");
            let kept = fields.iter().map(|field| if blind && field.contains(&b'@') { &b""[..] } else { field });
            kept.collect::<Vec<_>>().join(&b';')
        })
        .collect();
    assert_ne!(text, roster);
    campaign.write("rosters/users.csv", text);
    campaign.run("cutover --yes").ends(3);
    campaign.attest("attest-staged").run("cutover --yes --until init-disks").ends(0);
    campaign.run("send change-date --yes").ends(0);
    campaign.run("send new-serial --yes").ends(0);
    campaign.run("send local-change-date --yes").ends(4).says("OKAFOR");
    campaign.run("cutover --yes").ends(3).says("done: announce").says("'local-change-date' did not reach OKAFOR");
    let journal = campaign.run("cutover journal").ends(0);
    journal.says("copy-access: begins").says("attest-staged: stated by Pat").keeps_quiet_about("{");
}

#[test]
fn a_package_that_was_touched_fails_its_message_and_says_nothing_of_the_address() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    let (carter, weiss) = (".flagday/packages/init-disk/CARTER.zip", ".flagday/packages/init-disk/WEISS.zip");
    campaign.write(carter, [campaign.bytes(carter), b"x".to_vec()].concat());
    fs_err::remove_file(campaign.path(weiss)).expect("removed");
    campaign.run("send change-date --yes").ends(4).says("10 sent").says("2 failed");
    campaign.run("who --failed").ends(0).says("CARTER.zip: the file is longer").says("WEISS.zip: the file is gone");
    let standing = campaign.run("who --person CARTER --json").ends(0);
    assert!(!standing.out.contains("bounce"), "{standing}");
    standing.says("was not sent our message: ");
    campaign.run("build").ends(0);
    campaign.run("send --to failed --yes").ends(0).says("2 sent");
    campaign.run("who --person CARTER").ends(0).says("was sent the notice");
}
