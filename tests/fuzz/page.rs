//! Requests to the confirm page of the real server: nothing that is no answer counts as one, nothing breaks a request off,
//! and the server goes on.

use crate::dice::Dice;
use crate::harness::http::{get, nonce};
use crate::harness::{Campaign, FUTURE};
use crate::hunt::{self, Verdict};
use crate::mutate::mutated;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// What the server may say. 500 and 503 would be a request that broke off.
const SAYS: [u16; 15] = [200, 303, 400, 403, 404, 405, 408, 411, 413, 414, 415, 421, 422, 429, 431];
const PEOPLE: [&str; 6] = ["LINDBERG", "WEISS", "LEROY", "GARCIA", "DUBOIS", "OBRIEN"];

pub fn hunt() -> Verdict {
    let campaign = Campaign::ready().change_at(FUTURE);
    campaign.append("[web]\npublic_url = \"http://127.0.0.1:8480\"").run("build").ends(0);
    campaign.run("send change-date --yes").ends(0);
    let served = campaign.serve(|command| {
        command.args(["--pages-only", "--quiet"]);
    });
    let address = served.address;
    let requests: Vec<Vec<u8>> = PEOPLE.iter().flat_map(|person| requests(address, &campaign.link(person))).collect();
    let make = |dice: &mut Dice| mutated(dice, &requests);
    hunt::hunt("page", make, |input| judge(address, input))?;
    if get(address, "/healthz").body != "ok\n" {
        return Err("the server does not answer any more".to_owned());
    }
    let grades = campaign.run("who --grade-below confirmed --audience remote-users --json").ends(0).json();
    let below = grades.as_array().map_or(0, Vec::len);
    if below != 12 { Err(format!("somebody has answered: {grades}")) } else { Ok(()) }
}

/// A look and three answers, none of them the right code.
fn requests(address: SocketAddr, link: &str) -> Vec<Vec<u8>> {
    let page = get(address, link);
    let nonce = nonce(&page.body).to_owned();
    let post = |answer: &str, typed: &str| {
        let form = format!("nonce={nonce}&answer={answer}&typed={typed}");
        format!(
            "POST {link} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        )
        .into_bytes()
    };
    let look = format!("GET {link} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").into_bytes();
    vec![look, post("done", "KTRM-WQZB"), post("help", "It%20does+not+work"), post("somebody-else", "Kim%C3%A9")]
}

fn judge(address: SocketAddr, input: &[u8]) -> Verdict {
    let lost = |error: std::io::Error| format!("the server is gone: {error}");
    let mut stream = TcpStream::connect(address).map_err(lost)?;
    stream.set_read_timeout(Some(Duration::from_secs(25))).map_err(lost)?;
    // The server may have said enough before all of it was sent.
    stream.write_all(input).ok();
    stream.shutdown(Shutdown::Write).ok();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok();
    let answer = String::from_utf8_lossy(&answer);
    let status = answer.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|code| code.parse().ok());
    match status {
        Some(status) if !SAYS.contains(&status) => {
            Err(format!("it says {}", answer.lines().next().unwrap_or_default()))
        }
        _ if answer.contains("panicked") => Err("it tells of a panic".to_owned()),
        // No request at all gets no answer.
        _ => Ok(()),
    }
}
