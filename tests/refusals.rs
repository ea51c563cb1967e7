//! What the facts forbid is refused: through the program itself, with its code, its exit code, and nothing changed.

use crate::harness::{Campaign, Run, tree};
use serde_json::Value;

/// `check` ends with 1 and names the article; the change is refused too, and the postoffice stays as it is.
#[track_caller]
fn refused_by_check_and_cutover(campaign: &Campaign, code: &str, article: &str) {
    let before = tree::contents(&campaign.path("postoffice"));
    campaign.run("check").ends(1).refuses(code).says(article);
    let findings = campaign.run("check --json").ends(1).json();
    let finding = finding(&findings, code);
    assert_eq!((finding["severity"].as_str(), finding["article"].as_str()), (Some("error"), Some(article)));
    campaign.run("cutover --yes").ends(1).refuses(code);
    assert_eq!(campaign.step("stage-check"), "pending");
    assert!(tree::differences(&before, &tree::contents(&campaign.path("postoffice"))).is_empty());
}

fn finding<'a>(findings: &'a Value, code: &str) -> &'a Value {
    let mut all = findings["findings"].as_array().expect("findings").iter();
    all.find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("no {code} in {findings:#}"))
}

#[test]
fn serial_numbers_that_many_postoffices_have() {
    for (serial, article) in [("0799-99992", "Q142196"), ("799-99992", "Q142196"), ("22-28798", "Q151228")] {
        let campaign = Campaign::ready();
        campaign.edit("32-20977", serial);
        refused_by_check_and_cutover(&campaign, "serial-not-unique", article);
    }
}

#[test]
fn a_serial_number_that_is_none_or_the_old_one() {
    let campaign = Campaign::ready();
    campaign.edit("\"32-20977\"", "\"0032-10411\"").run("check").ends(1).refuses("serial-unchanged");
    campaign.edit("\"0032-10411\"", "\"32/20977\"");
    refused_by_check_and_cutover(&campaign, "serial-form", "Q194712");
}

#[test]
fn a_master_file_that_does_not_fit() {
    let campaign = Campaign::ready();
    let old = campaign.bytes("staged/GLB/MASTER.GLB")[0x94];
    campaign.poke("staged/GLB/MASTER.GLB", 0x94, old ^ 1);
    refused_by_check_and_cutover(&campaign, "master-security", "Q104586");

    for (tree, length) in [("postoffice", 175), ("staged", 177)] {
        let campaign = Campaign::ready();
        campaign.write(&format!("{tree}/GLB/MASTER.GLB"), vec![0x71; length]);
        refused_by_check_and_cutover(&campaign, "master-size", "Q128358");
    }

    let campaign = Campaign::ready();
    campaign.write("staged/GLB/MASTER.GLB", campaign.bytes("postoffice/GLB/MASTER.GLB"));
    refused_by_check_and_cutover(&campaign, "master-same", "Q209486");
}

#[test]
fn a_postoffice_that_is_in_the_midst_of_something() {
    let campaign = Campaign::ready();
    campaign.write("postoffice/POLD/POPULATE.MSM", [0]);
    refused_by_check_and_cutover(&campaign, "p1-both", "Q135902");

    let campaign = Campaign::ready();
    campaign.write("postoffice/GLB/OLDMAST.GLB", [0; 176]);
    refused_by_check_and_cutover(&campaign, "oldmast-exists", "Q209486");

    let campaign = Campaign::ready();
    let access = campaign.bytes("postoffice/GLB/ACCESS2.GLB");
    campaign.write("postoffice/GLB/ACCESS2.GLB", &access[..access.len() - 69]);
    refused_by_check_and_cutover(&campaign, "access-unequal", "Q87402");
}

#[test]
fn a_workgroup_postoffice() {
    let campaign = Campaign::ready();
    campaign.write("postoffice/INF/ADMIN.INF", "x").write("postoffice/TPL/ADMIN.TPL", "x");
    // No trace of External and no gateway: what sets a workgroup postoffice apart.
    for file in ["GLB/RNETSEM.GLB", "GLB/RNETWORK.GLB", "GLB/SMTP.GLB", "GLB/FAX.GLB", "NME/SMTP.NME", "NME/FAX.NME"] {
        fs_err::remove_file(campaign.path("postoffice").join(file)).expect("removed");
    }
    for file in tree::files(&campaign.path("postoffice/XTN")) {
        fs_err::write(file, []).expect("emptied");
    }
    let findings = campaign.run("check --json").ends(1).json();
    assert_eq!(finding(&findings, "workgroup-postoffice")["article"], "Q132560");
    campaign.run("cutover --yes").ends(1).refuses("workgroup-postoffice");
}

#[test]
fn the_postoffice_of_an_exchange_connector() {
    let campaign = Campaign::ready();
    for folder in ["CAL", "FOLDERS", "INI", "MEM", "MMF"] {
        fs_err::remove_dir_all(campaign.path("postoffice").join(folder)).expect("removed");
    }
    refused_by_check_and_cutover(&campaign, "connector-postoffice", "Q181951");
}

/// Campaigns that stand before `quiesce`, with everybody ready.
fn before_quiesce() -> Campaign {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().run("cutover --yes").ends(3).says("step quiesce needs a person");
    campaign
}

#[test]
fn p1_that_is_not_quiet() {
    let campaign = before_quiesce();
    for (path, code) in [
        ("P1/0000000A.P1", "p1-inbound"),
        ("P1/0000000A.0LK", "p1-mailbag-lock"),
        ("P1/LOCKP1ID.PBB", "p1-session"),
        ("P1/00000116.PBB", "p1-outbound"),
        ("P1/NOTES.TXT", "p1-unknown"),
    ] {
        let path = format!("postoffice/{path}");
        campaign.attest("quiesce").write(&path, "x").run("cutover --yes").ends(1).refuses(code);
        assert!(campaign.path("postoffice/P1").exists() && !campaign.path("postoffice/POLD").exists());
        fs_err::remove_file(campaign.path(&path)).expect("moved away");
    }
    campaign.attest("quiesce").write("postoffice/MBG/INQUEUE3.MBG", [0; 116]);
    campaign.run("cutover --yes").ends(1).refuses("inqueue3-waiting");
    campaign.write("postoffice/MBG/INQUEUE3.MBG", []).attest("quiesce").run("cutover --yes --until quiesce").ends(0);

    // Quiet when a person said so, and not any more when it is about to be closed.
    campaign.write("postoffice/P1/0000000A.P1", "x");
    campaign.run("cutover --yes").ends(1).refuses("p1-inbound").says("note[statement-taken-away]");
    assert!(campaign.path("postoffice/P1/0000000A.P1").exists() && !campaign.path("postoffice/POLD").exists());
    fs_err::remove_file(campaign.path("postoffice/P1/0000000A.P1")).expect("handed out by External");
    let asked = campaign
        .run("cutover --yes")
        .ends(3)
        .says("step quiesce needs a person")
        .says("warning[state-anew]: P1 was in use");
    asked.keeps_quiet_about("done: close-p1");
    campaign.attest("quiesce").run("cutover --yes").ends(3).says("done: close-p1");

    // Somebody makes P1 anew while it is renamed.
    campaign.write("postoffice/P1/POPULATE.MSM", [0]).attest("broadcast");
    campaign.run("cutover --yes").ends(1).refuses("p1-both");
    assert!(!campaign.path("postoffice/GLB/OLDMAST.GLB").exists());
}

#[test]
fn an_old_master_that_appears_at_the_last_moment_is_not_overwritten() {
    let campaign = before_quiesce();
    campaign.close().drain().write("postoffice/GLB/OLDMAST.GLB", "somebody's");
    campaign.run("cutover --yes").ends(1).refuses("oldmast-exists");
    assert_eq!(campaign.bytes("postoffice/GLB/OLDMAST.GLB"), b"somebody's");
    assert_eq!(campaign.bytes("postoffice/GLB/MASTER.GLB").len(), 176);
}

#[test]
fn every_mistake_of_flagday_toml_at_once_each_with_its_line() {
    let campaign = Campaign::ready();
    campaign.edit("change_at = 2001-02-03T18:00:00", "change_at = \"soon\"");
    campaign.edit("America/Chicago", "America/Chikago").edit("\"cp850\"", "\"cp849\"").edit("gateways =", "gatevays =");
    campaign.edit("rosters/users.csv", "rosters/usrs.csv");
    campaign.append("[gate.nobody]\nacknowledgement = \"no-such-one\"");
    let mistakes = [
        ("bad-moment", "change_at = \"soon\""),
        ("bad-time-zone", "time_zone = \"America/Chikago\""),
        ("no-such-file", "file = \"rosters/usrs.csv\""),
        ("unknown-word", "encoding = \"cp849\""),
        ("unknown-key", "gatevays = [\"SMTP\", \"FAX\"]"),
    ];
    let text = fs_err::read_to_string(campaign.path("flagday.toml")).expect("UTF-8");
    for command in ["check", "status", "send --yes", "cutover --yes"] {
        let run = campaign.run(command).ends(1);
        for (code, quoted) in mistakes {
            let line = text.lines().position(|line| line.contains(quoted)).expect("it is there") + 1;
            assert!(run.err.contains(&format!("flagday.toml:{line}:")), "{code}\n{run}");
            assert!(run.err.contains(&format!(" {line} | {quoted}")), "{code}\n{run}");
            assert!(run.err.contains(&format!("error[{code}]")), "{code}\n{run}");
        }
        run.says("did you mean 'gateways'?").says("no-such-one").says("^^^^");
    }
    let findings = campaign.run("check --json").ends(1).json();
    for (code, _) in mistakes {
        let place = finding(&findings, code)["place"].as_str().expect("a place").to_owned();
        assert_eq!(place.split(':').count(), 3, "{place}");
    }
}

#[test]
fn a_file_that_is_no_toml_or_not_there() {
    let campaign = Campaign::ready();
    campaign.edit("[msmail]", "[msmail").run("check").ends(1).says("[msmail").says("flagday.toml:");
    fs_err::remove_file(campaign.path("flagday.toml")).expect("removed");
    campaign.run("check").ends(1).says("flagday.toml");
}

const BAD_ROWS: &str = "LOOSE;\"Two\r\nBcc: eve@evil.example\";two@hq.corp.example;local;LOOSE;00000091;;;;;;\r\n\
                        EVE;Eve;not-an-address;remote;TOOLONGMAILBOX;00000099;;;;;;\r\n\
                        ADMIN;Another;x@y.example;local;ADMIN2;00000000;;;;;;\r\n\
                        SHORT;few\r\n";

#[test]
fn every_bad_row_of_a_roster_and_nothing_is_sent() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    let roster = campaign.bytes("rosters/users.csv");
    let first = roster.iter().filter(|byte| **byte == b'\n').count() + 1;
    campaign.write("rosters/users.csv", [&roster, BAD_ROWS.as_bytes()].concat());
    let findings = campaign.run("check --json").ends(1).json();
    for (code, line) in [
        ("control-character", first),
        ("bad-address", first + 2),
        ("bad-mailbox", first + 2),
        ("duplicate-id", first + 3),
        ("duplicate-hexid", first + 3),
        ("field-count", first + 4),
    ] {
        let place = finding(&findings, code)["place"].as_str().expect("a place").to_owned();
        assert!(place.contains(&format!("rosters/users.csv:{line}:")), "{code}: {place}");
    }
    for command in ["send change-date --yes", "build", "cutover --yes"] {
        campaign.run(command).ends(1).refuses("control-character").refuses("duplicate-id");
    }
    assert!(campaign.outbox("").is_empty());
}

#[test]
fn a_text_that_needs_what_nobody_gives() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign
        .write("templates/mail/change-date/text.hbs", "Hello {{person.name}},\nyour size is {{person.shoe_size}}\n");
    campaign.run("check").ends(1).refuses("template-column").says("text.hbs:2:").says("{{person.shoe_size}}");
    campaign.run("send change-date --yes").ends(1);
    campaign.write("templates/mail/change-date/text.hbs", "Hello {{nobody_said}}\n");
    campaign.run("check").ends(1).says("nobody_said");
    campaign.run("send change-date --yes").ends(1).says("nobody_said");
    assert!(campaign.outbox("").is_empty(), "nothing leaves, to nobody");
}

#[test]
fn what_cannot_be_written_was_told_to_nobody_and_may_be_mended() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    let text = "templates/mail/change-date/text.hbs";
    campaign.write(text, "Hello {{nobody_said}}\n");
    campaign.run("send change-date --yes").ends(1).says("nobody_said");
    campaign.run("status").ends(0).says("preparing");
    campaign.run("audit export").ends(0).keeps_quiet_about("revision");
    campaign.write(text, "Hello {{person.name}}\n");
    campaign.run("check").keeps_quiet_about("facts-changed");
    campaign.run("send change-date --yes").says("12 planned, 12 sent");
    campaign.run("audit export").ends(0).says("\"revision\"");
    campaign.run("audit verify").ends(0);
}

#[test]
fn disks_that_are_wrong() {
    let refused = |campaign: &Campaign| -> Run {
        let run = campaign.run("build").ends(1);
        assert!(tree::files(&campaign.path(".flagday/packages")).is_empty(), "nobody's package is written\n{run}");
        run
    };
    let campaign = Campaign::ready();
    let connect = campaign.bytes("disks/DUBOIS/CONNECT.GLB");
    campaign.write("disks/DUBOIS/CONNECT.GLB", &connect[..694]);
    fs_err::remove_file(campaign.path("disks/WEISS/C850SORT.GLB")).expect("removed");
    campaign.write("disks/OBRIEN/CONNECT.GLB", campaign.bytes("disks/HARRIS/CONNECT.GLB"));
    refused(&campaign)
        .refuses("disk-file-size")
        .says("694 bytes; it must have 695")
        .refuses("disk-file-missing")
        .says("the disk of WEISS")
        .refuses("disk-shared")
        .says("HARRIS and OBRIEN");

    let campaign = Campaign::ready();
    fs_err::remove_dir_all(campaign.path("disks/LEROY")).expect("removed");
    refused(&campaign).refuses("disk-missing").says("LEROY");

    // 357 KB of files: they fit 720K and not 360K, where clusters of 1024 bytes and the table take their part.
    let campaign = Campaign::ready();
    campaign.append("[package.init-disk]\nmedium = \"360K\"").run("build").ends(0);
    let campaign = Campaign::ready();
    campaign.append("[package.init-disk]\nmedium = \"360K\"").write("disks/LEROY/PHONES.TXT", vec![0x20; 357 << 10]);
    refused(&campaign).says("LEROY").says("medium = \"720K\"");
    campaign.edit("medium = \"360K\"", "medium = \"720K\"").run("build").ends(0);

    // Older than the staged postoffice it should have been made from.
    let campaign = Campaign::ready();
    tree::rewrite(&campaign.path("staged/GLB/MASTER.GLB"));
    refused(&campaign).says("CARTER").says("old");
}

#[test]
fn words_that_mean_nothing() {
    let campaign = Campaign::ready();
    campaign.run("send no-such-notice --yes").ends(2).refuses("unknown-notice").says("change-date");
    campaign.run("cutover --yes --until no-such-step").ends(2).refuses("unknown-step").says("close-p1");
    campaign.run("who --grade-below good").ends(2).refuses("unknown-grade");
    campaign.run("ack waive HARRIS --reason leave").ends(2);
    campaign.run("no-such-command").ends(2);
    campaign.run("cutover attest close-p1 --by Pat --note x").ends(1).refuses("nothing-to-attest");
}

#[test]
fn what_a_new_campaign_begins_with_reaches_nobody() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    let contact = campaign.bytes("flagday.toml");
    let contact = String::from_utf8(contact).expect("UTF-8");
    let line = contact.lines().find(|line| line.starts_with("contact = ")).expect("a contact").to_owned();
    campaign.edit(&line, "contact = \"CHANGE-ME\"");
    for command in ["send change-date --yes", "send --yes", "tick --yes"] {
        campaign.run(command).ends(1).refuses("placeholder").says("fill in your own").says("flagday.toml:");
    }
    assert!(campaign.outbox("-change_date-").is_empty());
    campaign.run("preview change-date --to WEISS").ends(0);
    campaign.edit("contact = \"CHANGE-ME\"", &line).run("send change-date --yes").ends(0);
}
