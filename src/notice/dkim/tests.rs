use super::*;
use crate::notice::mime;
use crate::notice::{Rendered, open_file, sample};

fn signer(folder: &std::path::Path) -> Signer {
    let file = folder.join("dkim.pem");
    if !file.exists() {
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
        fs_err::write(&file, key.serialize_pem()).unwrap();
        crate::platform::set_mode(&fs_err::File::open(&file).unwrap(), 0o600).unwrap();
    }
    Signer::load(&Dkim { domain: "corp.example".into(), selector: "flagday".into(), key_file: file }).unwrap()
}

fn letter() -> Letter {
    let rendered = Rendered { subject: "Grüße".into(), text: "Hello.\n".into(), html: None };
    let header = crate::notice::Header { attachments: Vec::new(), ..sample::header() };
    mime::compose(&rendered, &header).unwrap()
}

fn signed(signer: &Signer, letter: Letter) -> String {
    String::from_utf8(sample::bytes(&signer.sign(letter, sample::header().date, &open_file).unwrap())).unwrap()
}

#[test]
fn the_signature_stands_in_front_of_the_same_bytes_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let once = signed(&signer(folder.path()), letter());
    assert_eq!(once, signed(&signer(folder.path()), letter()));
    let unsigned = String::from_utf8(sample::bytes(&letter())).unwrap();
    let field = once.strip_suffix(&unsigned).unwrap();
    assert!(
        field.starts_with(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=corp.example;\r\n\ts=flagday; t="
        )
    );
    assert!(field.lines().all(|line| line.len() <= 78), "{field}");
    // Each field that is there is named twice, each that is not once.
    let names: String = field.split("h=").nth(1).unwrap().split(';').next().unwrap().split_whitespace().collect();
    let count = |name: &str| names.split(':').filter(|one| *one == name).count();
    assert_eq!(["From", "To", "Subject", "Date", "Message-ID", "Content-Type"].map(count), [2; 6], "{names}");
    assert_eq!(["Cc", "List-Unsubscribe"].map(count), [1; 2], "{names}");
    assert!(!field.contains("l="));
}

#[test]
fn a_key_that_is_none_or_that_others_can_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refusal = |name: &str, text: &str, mode: u32| {
        let file = folder.path().join(name);
        fs_err::write(&file, text).unwrap();
        crate::platform::set_mode(&fs_err::File::open(&file).unwrap(), mode).unwrap();
        Key::load(&file).map(|_| ()).map_err(|fault| fault.findings[0].code)
    };
    let good = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap().serialize_pem();
    let curve = rcgen::KeyPair::generate().unwrap().serialize_pem();
    assert_eq!(refusal("good.pem", &good, 0o640), Ok(()));
    assert_eq!(refusal("none.pem", "no key\n", 0o600), Err("dkim-key"));
    assert_eq!(refusal("curve.pem", &curve, 0o600), Err("dkim-key"));
    #[cfg(unix)]
    for mode in [0o644, 0o660, 0o666] {
        assert_eq!(refusal("open.pem", &good, mode), Err("dkim-key-open"));
    }
    let fault = Key::load(&folder.path().join("none.pem")).unwrap_err();
    assert!(fault.findings[0].place.as_ref().unwrap().to_string().ends_with("none.pem"));
    assert!(!format!("{fault:?}").contains("no key"));
}

#[test]
fn check_says_what_to_publish_and_whom_the_signature_speaks_for() {
    let folder = tempfile::tempdir().unwrap();
    let signer = signer(folder.path());
    for (from, codes) in [
        ("desk@corp.example", &["dkim-record"][..]),
        ("desk@hq.corp.example", &["dkim-record"]),
        ("desk@notcorp.example", &["dkim-record", "dkim-alignment"]),
    ] {
        let findings = signer.remarks(&from.parse().unwrap());
        assert_eq!(findings.iter().map(|finding| finding.code).collect::<Vec<_>>(), codes, "{from}");
        assert!(findings[0].remedy.contains("flagday._domainkey.corp.example. IN TXT \"v=DKIM1; k=ed25519; p="));
    }
}
