//! Somebody gets two packages: the code of each counts for what asks for that one, by whatever way it comes.

use crate::harness::http::{get, nonce, post};
use crate::harness::{Campaign, FUTURE};
use flagday::engine::Engine;
use flagday::system::{Real, World};

const GUIDE: &str = r#"
[web]
public_url = "http://127.0.0.1:8480"
[package.guide]
audience = "remote-users"
source = "collected"
[notice.guide]
audience = "remote-users"
package = "guide"
template = "change-date"
[acknowledgement.guide-received]
audience = "remote-users"
notice = "guide"
grade = "possessed"
due = "T-3d"
[[intake.mailbox]]
maildir = "Maildir"
"#;

fn told() -> Campaign {
    let campaign = Campaign::ready().change_at(FUTURE);
    campaign.append(GUIDE).run("build").ends(0);
    campaign.run("send change-date --yes").ends(0).says("12 sent");
    campaign.run("send guide --yes").ends(0).says("12 sent");
    campaign
}

/// Of the disk and of the guide.
fn satisfied(campaign: &Campaign) -> (u64, u64) {
    let status = campaign.run("status --json").ends(0).json();
    let all = status["acknowledgements"].as_array().expect("acknowledgements");
    let of = |name: &str| all.iter().find(|one| one["name"] == name).and_then(|one| one["satisfied"].as_u64());
    (of("disk-received").expect("the disk"), of("guide-received").expect("the guide"))
}

#[test]
fn a_code_counts_for_the_package_in_which_it_stands() {
    let campaign = told();
    let guide = |person: &str| campaign.code_in_package("guide", person);
    assert_ne!(guide("WEISS"), campaign.code("WEISS"));

    // By hand, named or not.
    let record = |person: &str, code: &str, more: &str| {
        campaign.run(&format!("ack record {person} --by Pat --note phone --code {code}{more}"))
    };
    record("LINDBERG", &guide("LINDBERG"), " --for disk-received").ends(1).refuses("code-of-another-package");
    assert_eq!(satisfied(&campaign), (0, 0));
    record("LINDBERG", &guide("LINDBERG"), "").ends(0).says("guide-received");
    assert_eq!(satisfied(&campaign), (0, 1));

    // By mail, whichever letter it answers.
    let notice = campaign.outbox("WEISS-change").pop().expect("a notice");
    let text = String::from_utf8_lossy(&fs_err::read(notice).expect("readable")).into_owned();
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).expect("there");
    let (to, id) = (field("Reply-To"), field("Message-ID"));
    let letter = |name: &str, code: &str| {
        let head = format!(
            "From: weiss@hq.corp.example\nTo: {to}\nIn-Reply-To: {id}\nReferences: {id}\nSubject: Re: {name}\n"
        );
        campaign.write(&format!("Maildir/new/{name}"), format!("{head}\n{code}\n"));
        campaign.run("intake").ends(0);
    };
    letter("guide", &guide("WEISS"));
    assert_eq!(satisfied(&campaign), (0, 2));
    letter("disk", &campaign.code("WEISS"));
    assert_eq!(satisfied(&campaign), (1, 2));

    // On the page of the disk, that of the guide is wrong.
    let engine = Engine::open(campaign.root(), &Real).expect("opened");
    let link = engine.confirm_link("LEROY", "disk-received", 1, Real.now()).expect("a page");
    drop(engine);
    let served = campaign.serve(|command| {
        command.arg("--pages-only");
    });
    let page = link.strip_prefix("http://127.0.0.1:8480").expect("its address");
    let typed = |typed: &str| {
        let form = get(served.address, page);
        post(served.address, page, &[("nonce", nonce(&form.body)), ("answer", "done"), ("typed", typed)]).status
    };
    assert_eq!(typed(&guide("LEROY")), 422);
    assert_eq!(satisfied(&campaign), (1, 2));
    served.terminate();
    served.end();
}
