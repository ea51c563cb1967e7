//! What says whose it is: tokens in addresses and subjects, Message-IDs, codes, the links of the confirm page. Nothing
//! that was not given out may point to anybody.

use crate::dice::Dice;
use crate::hunt::{self, Verdict};
use crate::mutate::mutated;
use flagday::answer::{Addresses, Asked, Claims, Issued, Known, LinkKeys, Token, Told, place, read};
use flagday::package::Code;
use std::sync::LazyLock;

const TOKEN: &str = "k7mq2wvxyzabcd5e";
const ID: &str = "<rotation.change.q5ttz3mbn7hkwyfa@corp.example>";
const SECRET: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

pub fn hunt() -> Verdict {
    let head = |to: &str, subject: &str, id: &str| {
        format!("From: kim@corp.example\nTo: {to}\nSubject: {subject}\nIn-Reply-To: {id}\n\nCONFIRMED\n").into_bytes()
    };
    let to = format!("ack+{TOKEN}@corp.example");
    let letters = [
        head(&to, "Re: disk", "<none@x.example>"),
        head("Desk <desk@corp.example>", &format!("RE: [{}] disk", &TOKEN[..8]), "<none@x.example>"),
        head("desk@corp.example", "Re: disk", ID),
        head(&format!("\"a, b\" <{to}>, other@corp.example"), "Re: disk", &format!("<z@z> {ID}")),
        format!("From: MAILER-DAEMON@x.example\nDelivered-To: bounce+{TOKEN}@corp.example\nSubject: failure notice\n\n<kim@corp.example>:\n550 5.1.1 unknown\n").into_bytes(),
        link().into_bytes(),
        b"KTRM-WQZB".to_vec(),
    ];
    let make = |dice: &mut Dice| mutated(dice, &letters);
    hunt::hunt("token", make, judge)
}

fn keys() -> LinkKeys {
    LinkKeys::new(SECRET, "rotation", 1)
}

fn link() -> String {
    let expires = chrono::DateTime::from_timestamp(1_900_000_000, 0).expect("a moment");
    keys().link(&Claims { revision: 1, expires, whom: keys().whom("KIM", "ready") })
}

/// One person, one token, one message.
struct Desk;

impl Known for Desk {
    fn token(&self, token: &str) -> Option<Token> {
        let ours = flagday::answer::is_token(token) && TOKEN.starts_with(token);
        ours.then(|| Token { person: "KIM".into(), revision: 1, tells: true })
    }
    fn message(&self, id: &str) -> Option<Told> {
        let told = || Told { id: 1, person: "KIM".into(), revision: 1, acknowledgement: None, tells: true };
        (id == ID).then(told)
    }
    fn people_at(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
    fn code(&self, _: &str) -> Option<Issued> {
        None
    }
    fn told(&self, _: &str, _: Option<chrono::DateTime<chrono::Utc>>) -> Option<u32> {
        None
    }
    fn floor(&self, _: &str, _: Option<&str>) -> u32 {
        0
    }
}

fn judge(input: &[u8]) -> Verdict {
    static ASKED: LazyLock<Asked> = LazyLock::new(|| Asked::in_campaign([]));
    let addresses = Addresses {
        reply_to: Some("ack+{token}@corp.example".into()),
        bounce_to: Some("bounce+{token}@corp.example".into()),
    };
    let placed = place(&read(input, &ASKED), &addresses, &Desk);
    // Folded lines and encoded words may part it: the letters have to be there all the same.
    let text: String = String::from_utf8_lossy(input).split_whitespace().collect::<String>().to_lowercase();
    let given = text.contains(&TOKEN[..8]) || text.contains(ID) || text.contains("=?") || text.contains("%2");
    if placed.person.is_some() && !given {
        return Err(format!("it points to somebody by nothing of ours: {placed:?}"));
    }
    let word = String::from_utf8_lossy(input);
    let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).expect("a moment");
    if keys().open(&word, now).is_some() != (word == link()) {
        return Err(format!("another link than ours opens, or ours does not: {word}"));
    }
    if keys().is_nonce(&link(), &word, now) {
        return Err(format!("it passes for a form's nonce: {word}"));
    }
    match Code::parse(&word) {
        Ok(code) if Code::parse(&code.to_string()).is_err() => Err(format!("{word} is a code, and not once more")),
        _ => Ok(()),
    }
}
