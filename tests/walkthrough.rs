//! The whole path by hand, command by command, as somebody walks it with the sample campaign.

use crate::harness::{Campaign, code_in, tree};
use serde_json::Value;
use std::collections::BTreeSet;

const STEPS: [&str; 16] = [
    "stage-check",
    "attest-staged",
    "copy-access",
    "init-disks",
    "announce",
    "backup",
    "quiesce",
    "close-p1",
    "broadcast",
    "drain",
    "retire-master",
    "install-master",
    "open-p1",
    "restart",
    "async-confirmed",
    "all-clear",
];

#[test]
fn the_wrong_disk_is_found_and_the_right_one_built() {
    let campaign = Campaign::sample();
    campaign.run("check --json").ends(0).json()["findings"].as_array().expect("findings");
    campaign
        .run("build")
        .ends(1)
        .refuses("disk-shared")
        .says("CARTER and LINDBERG have the same CONNECT.GLB")
        .says("(Q132955)");
    let built = tree::files(&campaign.path(".flagday/packages"));
    assert!(built.is_empty(), "nothing is built while anything is wrong: {built:?}");

    campaign.correct_disks();
    campaign.run("build").ends(0).says("12 people, 12 written");
    campaign.run("build --verify").ends(0).says("every package is what was built");
    campaign.run("build").ends(0).says("12 people, 0 written");

    let package = ".flagday/packages/init-disk/CARTER.zip";
    let length = campaign.bytes(package).len();
    campaign.poke(package, length / 2, campaign.bytes(package)[length / 2] ^ 1);
    campaign.run("build --verify").ends(1).says("CARTER");
}

#[test]
fn plan_and_preview_show_what_would_leave_and_nothing_leaves() {
    let campaign = Campaign::ready().change_at(crate::harness::FUTURE);
    campaign.run("build").ends(0);
    let plan = campaign.run("plan --json").ends(0).json();
    assert_eq!(plan["steps"].as_array().expect("steps").len(), STEPS.len());
    let notices: BTreeSet<&str> =
        plan["calendar"].as_array().expect("entries").iter().filter_map(|entry| entry["notice"].as_str()).collect();
    for name in ["change-date", "new-serial", "local-change-date", "reminder", "escalation"] {
        assert!(notices.contains(name), "{name}: {notices:?}");
    }

    let (eml, html) = (campaign.path("carter.eml"), campaign.path("carter.html"));
    let (eml_word, html_word) = (eml.to_string_lossy().into_owned(), html.to_string_lossy().into_owned());
    campaign
        .run_words(&["preview", "change-date", "--to", "GARCIA", "--eml", &eml_word, "--html", &html_word])
        .ends(0)
        .says("Inés García Peña")
        .says("INITDISK.ZIP");
    let bytes = fs_err::read(&eml).expect("the message");
    let message = mail_parser::MessageParser::default().parse(&bytes).expect("a message");
    assert_eq!(message.to().and_then(|to| to.first()?.address()), Some("ines.garcia@field.example"));
    assert!(
        message.attachments().any(|part| part.contents() == campaign.bytes(".flagday/packages/init-disk/GARCIA.zip"))
    );
    assert!(fs_err::read_to_string(&html).expect("UTF-8").contains("<html"));
    assert!(campaign.outbox("").is_empty());
    assert_eq!(campaign.run("status --json").json()["phase"], "preparing");
}

#[test]
fn answers_prove_what_they_prove_and_no_more() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.run("send change-date --yes").ends(0).says("12 planned, 12 sent");
    assert_eq!(campaign.outbox("-change_date-").len(), 12);
    campaign.run("send change-date --yes").ends(3).says("0 planned, 0 sent");
    assert_eq!(campaign.outbox("-change_date-").len(), 12, "nobody is told twice");

    let code = campaign.code("CARTER");
    let record =
        |person: &str, code: &str| campaign.run(&format!("ack record {person} --code {code} --by Pat --note phone"));
    record("LINDBERG", &code).ends(1).refuses("code-of-another");
    record("CARTER", "ZZZZ-ZZZZ").ends(1);
    record("CARTER", "AAAA").ends(1).refuses("code-malformed");
    record("NOBODY", &code).ends(1).refuses("unknown-person");
    assert_eq!(satisfied(&campaign, "disks-held"), 0);

    // Without a code somebody's word is worth `confirmed`, and the disk asks for more.
    campaign.run("ack record WEISS --by Pat --note phone").ends(0).says("asks for possessed");
    assert_eq!(satisfied(&campaign, "disks-held"), 0);

    // As people type: small letters, no hyphen.
    record("CARTER", &code.to_lowercase().replace('-', "")).ends(0).says("that is what is asked");
    let again = campaign.run(&format!("ack record CARTER --code {code} --by Pat --note phone --json")).ends(0).json();
    assert_eq!(again["new"], false);
    assert_eq!(satisfied(&campaign, "disks-held"), 1);
    campaign.run("ack revoke CARTER --by Pat --note misheard").ends(0);
    assert_eq!(satisfied(&campaign, "disks-held"), 0, "a revoked answer proves nothing");
    record("CARTER", &code).ends(0);
    assert_eq!(satisfied(&campaign, "disks-held"), 1);

    let rows = format!(
        "person,code,by,note\r\nWEISS,{},Pat,phone\r\nMUELLER,{},Pat,phone\r\nNOBODY,,Pat,phone\r\n",
        campaign.code("WEISS"),
        campaign.code("DUBOIS")
    );
    campaign.write("answers.csv", rows);
    let file = campaign.path("answers.csv").to_string_lossy().into_owned();
    let rows = campaign.run_words(&["ack", "import", &file, "--json"]).ends(4).json();
    let told: Vec<_> =
        rows.as_array().expect("rows").iter().map(|row| (row["line"].clone(), row["ok"].clone())).collect();
    assert_eq!(told, [(2.into(), true.into()), (3.into(), false.into()), (4.into(), false.into())]);
    assert_eq!(satisfied(&campaign, "disks-held"), 2);

    campaign.run("ack waive HARRIS --reason leave --by Pat").ends(0);
    let gate = gate(&campaign, "disks-held");
    assert_eq!((gate["satisfied"].clone(), gate["of"].clone()), (2.into(), 11.into()), "a waiver is no answer");
    assert_eq!(gate["waived"], serde_json::json!(["HARRIS"]));
    campaign.run("ack revoke HARRIS --waiver --by Pat --note back").ends(0);
    assert_eq!(self::gate(&campaign, "disks-held")["of"], 12);

    let blocking = campaign.run("who --blocking disks-held --json").ends(0).json();
    assert_eq!(blocking.as_array().expect("people").len(), 10);
    campaign.run("who --blocking disks-held --csv").ends(0).says("HARRIS").keeps_quiet_about("CARTER");
    campaign.run("who --person CARTER").ends(0).says("(revoked)");
    campaign.run("audit export").ends(0).says("misheard");
    campaign
        .run("who --grade-below possessed --audience remote-users")
        .ends(0)
        .says("HARRIS")
        .keeps_quiet_about("CARTER");
}

#[test]
fn the_whole_path_ends_with_the_serial_changed_and_a_record_that_holds() {
    let campaign = Campaign::ready();
    let (before, staged) = (tree::contents(&campaign.path("postoffice")), campaign.bytes("staged/GLB/MASTER.GLB"));
    campaign.run("build").ends(0);
    campaign.run("cutover --dry-run").ends(0).says("POLD");
    assert_eq!(tree::contents(&campaign.path("postoffice")), before, "a dry run touches nothing");

    campaign.announce();
    assert_eq!(campaign.outbox("").len(), 12 + 5 + 28);
    campaign.run("cutover --yes").ends(3).says("gate disks-held has 0 of 12");
    campaign.answer().close();
    assert!(campaign.path("postoffice/POLD").exists() && !campaign.path("postoffice/P1").exists());
    let backup = campaign.backup();
    assert!(before.iter().all(|(path, bytes)| backup.get(path) == Some(bytes)), "the backup holds every file");

    // Emptied before anybody was asked does not count: the message stores are as old as before.
    campaign.run("who --blocking locals-drained --json").ends(0).says("BAKER");
    campaign.run("cutover --yes").ends(3).says("step drain is blocked");
    campaign.drain().run("cutover --yes").ends(3).says("done: install-master").says("step restart needs a person");
    assert_eq!(campaign.bytes("postoffice/GLB/MASTER.GLB"), staged);
    assert_eq!(campaign.bytes("postoffice/GLB/OLDMAST.GLB"), before["GLB/MASTER.GLB"]);
    assert!(campaign.path("postoffice/P1").exists() && !campaign.path("postoffice/POLD").exists());

    campaign.attest("restart").run("cutover --yes").ends(3).says("step async-confirmed is blocked");
    let read_back = |serial: &str| campaign.run(&format!("ack record LUMEN --serial {serial} --by Pat --note phone"));
    read_back("32-10411").ends(1).refuses("serial-differs");
    read_back("thirty-two").ends(1).refuses("serial-malformed");
    assert_eq!(satisfied(&campaign, "async-switched"), 0);
    read_back("0032-20977").ends(0).says("observed");
    campaign.read_back().run("cutover --yes").ends(0).says("every step is done");
    assert_eq!(campaign.outbox("-all_clear-").len(), 45);
    campaign.run("cutover --yes").ends(0).says("every step is done");
    assert_eq!(campaign.outbox("-all_clear-").len(), 45, "a second run repeats nothing");

    as_promised(&campaign.run("status --json").ends(0).json());
    the_report_tells(&campaign);
    the_chain_holds_until_somebody_changes_it(&campaign);
}

/// The shape of `status --json` that scripts rely on.
fn as_promised(status: &Value) {
    let keys = |value: &Value| value.as_object().expect("a table").keys().cloned().collect::<BTreeSet<_>>();
    let has = |value: &Value, names: &[&str]| {
        let keys = keys(value);
        assert!(names.iter().all(|name| keys.contains(*name)), "{names:?} of {keys:?}");
    };
    has(
        status,
        &[
            "schema",
            "campaign",
            "revision",
            "change_at",
            "phase",
            "people",
            "messages",
            "acknowledgements",
            "gates",
            "steps",
            "next",
        ],
    );
    assert_eq!(status["schema"], 1);
    assert_eq!(status["campaign"], "corp-hq-serial");
    assert_eq!(status["phase"], "done");
    assert_eq!(status["people"], 45);
    assert_eq!(status["change_at"], "2001-02-04T00:00:00Z");
    let counts = ["planned", "sending", "sent", "delivered", "deferred", "failed", "held", "uncertain"];
    has(&status["messages"], &counts);
    assert_eq!(counts.iter().map(|name| status["messages"][name].as_u64().expect("a count")).sum::<u64>(), 90);
    for acknowledgement in status["acknowledgements"].as_array().expect("a list") {
        has(acknowledgement, &["name", "audience", "required", "satisfied", "waived", "missing"]);
    }
    for gate in status["gates"].as_array().expect("a list") {
        has(gate, &["name", "open", "satisfied", "of", "blocking"]);
        assert_eq!(gate["open"], true);
    }
    let steps = status["steps"].as_array().expect("a list");
    assert_eq!(steps.iter().map(|step| step["name"].as_str().expect("a name")).collect::<Vec<_>>(), STEPS);
    for step in steps {
        has(step, &["name", "state", "needs", "why"]);
        assert_eq!(step["state"], "done");
    }
}

fn the_report_tells(campaign: &Campaign) {
    let files = campaign.run("report --json").ends(0).json();
    let names: Vec<&str> =
        files.as_array().expect("files").iter().filter_map(|file| file.as_str()?.rsplit('/').next()).collect();
    for name in ["report.html", "report.json", "people.csv", "messages.csv", "evidence.csv"] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
    let html = fs_err::read_to_string(campaign.path(".flagday/report/report.html")).expect("UTF-8");
    let head = head(campaign);
    for text in ["CARTER", "install-master", "32-20977", &head] {
        assert!(html.contains(text), "{text} is missing in the report");
    }
    assert!(!html.contains("http://") && !html.contains("https://") && !html.contains("<script"), "one static file");
    let people = fs_err::read_to_string(campaign.path(".flagday/report/people.csv")).expect("UTF-8");
    assert!(people.contains("possessed") && people.contains("observed"));
}

fn head(campaign: &Campaign) -> String {
    let verified = campaign.run("audit verify --json").ends(0).json();
    verified["head"]["hash"].as_str().expect("a hash").to_owned()
}

fn the_chain_holds_until_somebody_changes_it(campaign: &Campaign) {
    let head = head(campaign);
    campaign.run(&format!("audit verify --head {head}")).ends(0).says(&head);
    campaign.run(&format!("audit verify --head {}", "0".repeat(64))).ends(1).refuses("audit-broken");
    let events = campaign.run("audit export").ends(0).out.lines().count();

    let change = |sql: &str| {
        let db = rusqlite::Connection::open(campaign.path(".flagday/ledger.db")).expect("the ledger opens");
        assert_eq!(db.execute(sql, ()).expect("SQL"), 1);
    };
    change(
        "UPDATE event SET body = replace(body, 'Pat', 'Eve') WHERE seq = (SELECT max(seq) FROM event WHERE body GLOB '*\"Pat\"*')",
    );
    campaign.run("audit verify").ends(1).refuses("audit-broken").says("was altered");
    change("UPDATE event SET body = replace(body, 'Eve', 'Pat') WHERE body GLOB '*\"Eve\"*'");
    campaign.run("audit verify").ends(0);
    change(&format!("DELETE FROM event WHERE seq = {events}"));
    // A cut tail of the chain alone is consistent; here the journal still has what its last event told.
    campaign.run("audit verify").ends(1).says("journal of the cutover");
    campaign.run(&format!("audit verify --head {head}")).ends(1).says("the chain was cut or rewritten");
    change("DELETE FROM event WHERE seq = 7");
    campaign.run("audit verify").ends(1).says("event 7 is missing");
}

#[test]
fn rollback_restores_the_trees() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    let staged = tree::contents(&campaign.path("staged"));
    campaign.announce().answer().close().drain();
    let before = campaign.backup();
    assert_eq!(campaign.finish().ends(0).code, 0);
    campaign.run("cutover rollback").ends(3).refuses("not-confirmed").says("new MASTER.GLB is in place");
    campaign.run("cutover rollback --yes --to quiesce").ends(0).says("install-master").keeps_quiet_about("copy-access");
    for name in ["MASTER.GLB", "ACCESS.GLB"] {
        let name = format!("GLB/{name}");
        assert_eq!(campaign.bytes(&format!("postoffice/{name}")), before[&name]);
    }
    assert!(campaign.path("postoffice/P1").exists() && !campaign.path("postoffice/POLD").exists());
    assert!(!campaign.path("postoffice/GLB/OLDMAST.GLB").exists());
    campaign.run("cutover rollback --yes").ends(0).says("copy-access");
    let changed = tree::differences(&tree::contents(&campaign.path("staged")), &staged);
    assert!(changed.is_empty(), "{changed:?}");
    campaign.run("cutover rollback --yes").ends(0).says("nothing was left to undo");
}

#[test]
fn what_was_drained_before_a_rollback_has_to_be_drained_again() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.announce().answer().close().drain();
    campaign.run("cutover --yes").ends(3).says("done: drain");
    campaign.run("cutover rollback --yes --to backup").ends(0);
    // P1 was open again, and mail came in.
    campaign.write("postoffice/MBG/00000003.MBG", [0; 116]);
    campaign.attest("quiesce").run("cutover --yes").ends(3).says("step broadcast needs a person");
    campaign.attest("broadcast").run("cutover --yes").ends(3).says("step drain is blocked").says("OKAFOR");
    assert!(!campaign.path("postoffice/GLB/OLDMAST.GLB").exists());
}

#[test]
fn the_code_stands_in_the_package_alone() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    campaign.run("send change-date --yes").ends(0);
    let eml = fs_err::read(&campaign.outbox("GARCIA-")[0]).expect("a message");
    let message = mail_parser::MessageParser::default().parse(&eml).expect("a message");
    let code = campaign.code("GARCIA");
    for n in 0..message.text_body.len() {
        let text = message.body_text(n).expect("a text").into_owned();
        assert!(!text.contains(&code) && code_in(&text).is_none(), "{text}");
    }
    assert!(!message.body_html(0).expect("an HTML part").contains(&code));
}

fn gate(campaign: &Campaign, name: &str) -> Value {
    let status = campaign.run("status --json").ends(0).json();
    let gates = status["gates"].as_array().expect("gates");
    gates.iter().find(|gate| gate["name"] == name).expect("a gate of the playbook").clone()
}

fn satisfied(campaign: &Campaign, name: &str) -> u64 {
    gate(campaign, name)["satisfied"].as_u64().expect("a count")
}
