//! Our own words that come back are no answer: the notice looped back, sent on, forwarded, quoted without a mark, wrapped
//! anew by a mail program, or in the digest of a list.

use crate::harness::letter::Letter;
use crate::harness::{Campaign, FUTURE};
use flagday::answer::{Asked, Said, read};

/// Every kind of letter that somebody is asked to answer by the word, as it lies in the outbox.
fn letters() -> Vec<(Vec<u8>, String)> {
    let campaign = Campaign::ready().change_at(FUTURE);
    for notice in ["new-serial", "reminder", "escalation"] {
        campaign.run(&format!("send {notice} --yes"));
    }
    let paths = ["DENVER-new", "DENVER-reminder", "DENVER-escalation"].map(|part| campaign.outbox(part));
    let paths: Vec<_> = paths.into_iter().flatten().collect();
    assert_eq!(paths.len(), 3, "a notice, a reminder and an escalation");
    let preview = campaign.run("preview outdated-answer --to DENVER").ends(0).out;
    let mut all: Vec<_> =
        paths.iter().map(|path| (fs_err::read(path).expect("a letter"), Letter::read(path).text)).collect();
    all.push((Vec::new(), preview));
    all
}

fn is_no_answer(message: &str, words: &str) {
    let reading = read(message.as_bytes(), &Asked::in_campaign([]));
    let answer = matches!(reading.said, Some(Said::Confirmed | Said::Possessed));
    assert!(!answer, "{words} is taken for {:?} because {:?}:\n{message}", reading.said, reading.because);
}

/// As a mail program breaks lines that are longer than it likes.
fn wrapped(text: &str, columns: usize) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut column = 0;
        for word in line.split(' ') {
            if column > 0 && column + 1 + word.len() > columns {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += word.len();
        }
        out.push('\n');
    }
    out
}

const HEAD: &str = "From: elena.ruiz@denver.corp.example\nTo: ack+aaaaaaaaaaaaaaaa@corp.example\nSubject: Re: new serial number\nIn-Reply-To: <1@corp.example>\n";

#[test]
fn our_own_words_that_come_back_answer_nothing() {
    for (bytes, text) in letters() {
        let ours = String::from_utf8_lossy(&bytes).into_owned();
        if !ours.is_empty() {
            is_no_answer(&ours, "the letter looped back");
            let hidden = ours.replace("Auto-Submitted:", "X-Old:").replace("X-Auto-Response-Suppress:", "X-Older:");
            is_no_answer(&hidden, "the letter without its marks");
            is_no_answer(
                &format!(
                    "{HEAD}Content-Type: multipart/mixed; boundary=B\n\n--B\n\nsee below\n--B\nContent-Type: message/rfc822\n\n{hidden}\n--B--\n"
                ),
                "the letter attached",
            );
        }
        for columns in (14..80).step_by(3).chain([200]) {
            let text = wrapped(&text, columns);
            is_no_answer(&format!("{HEAD}\n{text}"), "the letter sent on");
            is_no_answer(&format!("{HEAD}\nThanks.\n\n{text}"), "the letter below, with no mark");
            is_no_answer(&format!("{HEAD}\n{text}\n\nThanks.\n"), "the letter above, with no mark");
            let forwarded = format!(
                "FYI\n\n---------- Forwarded message ----------\nFrom: Mail Desk <maildesk@corp.example>\nSubject: new\n\n{text}"
            );
            is_no_answer(&format!("{HEAD}\n{forwarded}"), "the letter forwarded");
            let html = text.lines().map(|line| format!("<div>{line}</div>")).collect::<String>();
            is_no_answer(&format!("{HEAD}Content-Type: text/html\n\n<p>Thanks.</p>{html}"), "the letter as HTML");
        }
    }
}

#[test]
fn what_a_list_sends_on_answers_nothing() {
    let reply = format!("{HEAD}\nCONFIRMED\n");
    let listed = |marks: &str| format!("{marks}{reply}");
    is_no_answer(&listed("List-Id: <desk.corp.example>\n"), "a copy of a list");
    is_no_answer(&listed("Precedence: list\n"), "a copy of an old list");
    let digest = |kind: &str| {
        format!(
            "From: desk-request@corp.example\nTo: ack+aaaaaaaaaaaaaaaa@corp.example\nSubject: Re: digest\nIn-Reply-To: <1@corp.example>\n\
             Content-Type: {kind}; boundary=B\n\n--B\nContent-Type: message/rfc822\n\n{reply}\n--B--\n"
        )
    };
    is_no_answer(&digest("multipart/digest"), "a digest");
    is_no_answer(&digest("multipart/mixed"), "a digest of another kind");
    is_no_answer(
        &format!(
            "{HEAD}\nToday's topics:\n\n   1. Re: new (Elena)\n\n------------------------------\n\nMessage: 1\nFrom: Elena\nSubject: Re: new\n\nCONFIRMED\n"
        ),
        "a digest in plain text",
    );
}
