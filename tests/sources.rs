//! What packages are made of, replaced or taken away after `build`: the old package does not leave unnoticed.

use crate::harness::{Campaign, FUTURE, Run};
use serde_json::Value;

const ROSA: &str = "credentials/rosa.ovpn";
const LEE: &str = "credentials/lee.ovpn";
const SAM: &str = "credentials/sam.ovpn";

fn begun() -> Campaign {
    let campaign = Campaign::begun("credential-rotation").change_at(FUTURE);
    campaign.edit("# reply_to = ", "reply_to = ");
    campaign
}

/// Severity and code of everything that `check` finds.
fn found(check: &Run) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let json = check.json();
    let findings = json["findings"].as_array().expect("findings");
    findings.iter().map(|one| (word(&one["severity"]), word(&one["code"]))).collect()
}

fn pair(severity: &str, code: &str) -> (String, String) {
    (severity.to_owned(), code.to_owned())
}

#[test]
fn a_source_that_is_another_one_since_build_keeps_the_old_package_here() {
    let campaign = begun();
    campaign.run("build").ends(0);
    campaign.run("cutover --yes").ends(3).says("side-by-side");
    campaign.run("cutover attest side-by-side --by Pat --note seen").ends(0);
    let (rosa, lee) = (campaign.bytes(ROSA), campaign.bytes(LEE));
    // Written again, with the same bytes at another time: the same file.
    campaign.write(ROSA, &rosa);
    assert_eq!(found(&campaign.run("check --json").ends(0)), []);

    campaign.write(ROSA, "the right one");
    fs_err::remove_file(campaign.path(LEE)).expect("removed");
    assert_eq!(
        found(&campaign.run("check --json").ends(0)),
        [pair("warning", "files-missing"), pair("warning", "source-changed")]
    );
    campaign.run("check").ends(0).says("there is nothing for lee").says("since it was built, for rosa").says("build");
    let status = campaign.run("status").ends(0);
    status.says("not as built").says("for rosa, lee; flagday build").says("Next: flagday build");
    campaign.run("plan").ends(0).says("Next: flagday build");
    campaign.run("preview new-credential --to rosa").ends(1).refuses("source-changed");
    campaign.run("preview new-credential --to sam").ends(0);
    campaign.run("send new-credential --short-notice --yes").ends(1).refuses("source-changed").says("2 people");
    assert!(campaign.outbox("").is_empty(), "nothing has left");

    campaign.run("build").ends(1).refuses("files-missing");
    campaign.write(LEE, &lee).run("build").ends(0).says("1 written");
    assert_eq!(found(&campaign.run("check --json").ends(0)), []);
    campaign.run("send new-credential --short-notice --yes").ends(0).says("3 sent");
}

#[test]
fn who_has_the_old_package_hears_of_the_new_one_by_an_amendment_and_who_has_theirs_needs_no_source() {
    let campaign = begun();
    campaign.run("build").ends(0);
    campaign.run("cutover --yes").ends(3);
    campaign.run("cutover attest side-by-side --by Pat --note seen").ends(0);
    campaign.run("send new-credential --short-notice --yes").ends(0).says("3 sent");
    // What has left is often thrown away.
    fs_err::remove_file(campaign.path(LEE)).expect("removed");
    assert_eq!(found(&campaign.run("check --json").ends(0)), []);
    campaign.write(LEE, "made anew").write(SAM, "made anew");
    let check = campaign.run("check").ends(1);
    check.says("for 2 people, sam among them").says("flagday amend");
    campaign.run("status").ends(0).says("Next: flagday build");
    campaign.run("build").ends(0).says("2 written");
    campaign.run("amend --dry-run").ends(0).says("'new-credential' goes to 2 people: lee, sam");
}

#[test]
fn what_is_not_there_to_be_packed_is_told_before_build() {
    let campaign = begun();
    for file in [LEE, SAM] {
        fs_err::remove_file(campaign.path(file)).expect("removed");
    }
    let check = campaign.run("check --json").ends(0);
    assert_eq!(found(&check), [pair("warning", "files-missing"), pair("warning", "not-built")]);
    let check = campaign.run("check").ends(0);
    check.says("for 2 people, sam among them").says("is not built for rosa").says("once there is something in it");
    fs_err::remove_dir_all(campaign.path("credentials")).expect("removed");
    let check = campaign.run("check --json").ends(0);
    assert_eq!(found(&check), [pair("warning", "files-missing")]);
    campaign.run("check").ends(0).says("this folder does not exist").says("3 people");
}

#[test]
fn texts_that_belong_to_nothing_are_told_with_the_nearest_name() {
    let campaign = begun();
    campaign.run("build").ends(0);
    campaign.write("templates/mail/new-credentail/text.hbs", "Hello");
    campaign.write("templates/package/README.TXT.de.hbs", "{{code}}");
    let check = campaign.run("check --json").ends(0);
    assert_eq!(found(&check), [pair("warning", "template-file"), pair("warning", "template-file")]);
    campaign.run("check").ends(0).says("did you mean 'new-credential'?").says("did you mean 'README.TXT.hbs'?");
}
