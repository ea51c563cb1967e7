//! Signatures that another implementation (dkimpy) checks, with the very record that `check` says to publish.

use crate::harness::Campaign;
use crate::need::{DKIMPY, OPENSSL, command, output, trial};
use libtest_mimic::Trial;
use std::path::Path;
use std::process::Command;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("dkim_rsa_is_verified", &[DKIMPY, OPENSSL], || {
            verified(&["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"], "RSA with 2048 bits");
        }),
        trial("dkim_ed25519_is_verified", &[DKIMPY, OPENSSL], || verified(&["-algorithm", "ed25519"], "Ed25519")),
    ]
}

/// dkimpy's own verdict on each message of a folder, as `True` or `False`, a line each. The record stands in for DNS.
const VERIFY: &str = r"
import dkim, pathlib, sys
def txt(name, timeout=5):
    assert name == b'flagday._domainkey.corp.example.', name
    return sys.argv[1].encode()
for file in sorted(pathlib.Path(sys.argv[2]).glob('*.eml')):
    print(dkim.verify(file.read_bytes(), dnsfunc=txt))
";

fn verdicts(record: &str, folder: &Path) -> Vec<bool> {
    // Debian's own Python: it has Debian's modules.
    let text = output(Command::new("/usr/bin/python3").args(["-c", VERIFY, record]).arg(folder));
    text.lines().map(|line| line == "True").collect()
}

fn verified(kind: &[&str], words: &str) {
    let campaign = Campaign::ready();
    let key = campaign.path("dkim.pem");
    output(command("openssl").arg("genpkey").args(kind).arg("-out").arg(&key));
    campaign.append("[mail.dkim]\ndomain = \"corp.example\"\nselector = \"flagday\"\nkey_file = \"dkim.pem\"");
    campaign.run("build").ends(0);
    let check = campaign.run("check -v").ends(0).says("flagday._domainkey.corp.example. IN TXT").says(words);
    campaign.run("send change-date --yes").ends(0).says("12 sent");
    campaign.run("send new-serial --yes").ends(0).says("5 sent");
    let record = published(&format!("{}{}", check.out, check.err));
    let messages = campaign.outbox("");
    assert_eq!(messages.len(), 17);
    assert_eq!(verdicts(&record, &campaign.path(".flagday/outbox")), [true; 17]);

    let first = String::from_utf8(fs_err::read(&messages[0]).expect("a message")).expect("ASCII");
    assert!(first.starts_with("DKIM-Signature: v=1; "), "{first}");
    let altered = tempfile::TempDir::new().expect("a temporary folder");
    let write = |name: &str, text: String| fs_err::write(altered.path().join(name), text).expect("written");
    // What mail servers do on the way is no forgery; what changes the meaning is.
    write("1.eml", first.replacen("\r\nSubject: ", "\r\nSubject:\t ", 1));
    write("2.eml", format!("Received: by relay.example\r\n{first}\r\n\r\n"));
    write("3.eml", first.replacen("\r\nSubject: ", "\r\nSubject: not ", 1));
    write("4.eml", first.replacen("\r\nSubject: ", "\r\nSubject: another\r\nSubject: ", 1));
    write("5.eml", first.replacen("\r\n\r\n", "\r\nReply-To: mallory@evil.example\r\n\r\n", 1));
    write("6.eml", first.replacen("\r\n\r\n", "\r\n\r\nOne more line.\r\n", 1));
    write("7.eml", first.replacen("\r\n\r\n", "\r\nFrom: mallory@evil.example\r\n\r\n", 1));
    assert_eq!(verdicts(&record, altered.path()), [true, true, false, false, false, false, false]);
    // The key itself is nobody else's, and nothing shows it.
    let secret = fs_err::read_to_string(&key).expect("PEM");
    let line = secret.lines().nth(1).expect("base64");
    assert!(!campaign.everything_printed().contains(line));
}

/// The strings of the record in what `check` printed, joined as DNS does.
fn published(printed: &str) -> String {
    let entry = printed.lines().find(|line| line.contains("IN TXT")).expect("the record");
    entry.split('"').skip(1).step_by(2).collect()
}
