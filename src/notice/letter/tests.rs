use super::*;

fn bytes(text: &str) -> Segment {
    Segment::Bytes(text.as_bytes().to_vec())
}

fn file(content: &[u8], encoding: Encoding) -> Segment {
    Segment::File {
        path: "DISK.ZIP".into(),
        sha256: HEXLOWER.encode(&Sha256::digest(content)),
        size: content.len() as u64,
        encoding,
    }
}

fn written(letter: &Letter, content: &[u8]) -> (Vec<u8>, Result<()>) {
    let content = content.to_vec();
    let mut out = Vec::new();
    let result = letter.write(&mut out, &|_| Ok(Box::new(std::io::Cursor::new(content.clone()))));
    (out, result)
}

#[test]
fn what_must_not_go_over_the_wire_is_refused() {
    let long = format!("{}\r\n", "x".repeat(999));
    for (text, cause) in [
        ("a\rb\r\n", "bare CR"),
        ("a\nb\r\n", "bare LF"),
        ("a\r\n\n", "bare LF"),
        ("a\r\r\n", "bare CR"),
        ("a\r", "bare CR"),
        ("To: x\r\n\r\nü\r\n", "above 127"),
        ("no end", "does not end"),
        (long.as_str(), "998"),
        (&long[2..1000], "bare CR"),
        (&long[..999], "998"),
    ] {
        let fault = Letter::new(vec![bytes(text)]).expect_err(text);
        assert!(fault.cause().contains(cause), "{text:?}: {fault}");
    }
    assert!(Letter::new(vec![bytes(&long[1..])]).is_ok());
}

#[test]
fn an_attachment_needs_a_digest() {
    let segment = Segment::File { path: "A".into(), sha256: "ABC".into(), size: 1, encoding: Encoding::Base64 };
    assert!(Letter::new(vec![segment, bytes("\r\n")]).is_err());
}

#[test]
fn a_file_is_streamed_and_its_size_is_known_in_advance() {
    for length in [0, 1, 56, 57, 58, 45, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17] {
        let content: Vec<u8> = (0..length).map(|n| (n * 7 % 251) as u8).collect();
        for encoding in [Encoding::Base64, Encoding::Uuencode] {
            let letter = Letter::new(vec![bytes("head\r\n\r\n"), file(&content, encoding), bytes("\r\n")]).unwrap();
            let (out, result) = written(&letter, &content);
            result.unwrap();
            assert_eq!(out.len() as u64, letter.size(), "{length} {encoding:?}");
            check_lines(&out).unwrap();
        }
    }
}

#[test]
fn a_file_that_changed_never_makes_a_whole_message() {
    let content = vec![7; 2 * CHUNK];
    let letter = Letter::new(vec![bytes("head\r\n"), file(&content, Encoding::Base64), bytes("\r\nend\r\n")]).unwrap();
    let mut touched = content.clone();
    touched[5] = 8;
    for (now, cause) in [
        (touched, "SHA-256"),
        (content[1..].to_vec(), "bytes instead of"),
        ([&content[..], b"x"].concat(), "is longer than"),
        (vec![], "has 0 bytes"),
    ] {
        let (out, result) = written(&letter, &now);
        assert!(result.unwrap_err().cause().contains(cause));
        assert!(out.len() as u64 <= letter.size() - CHUNK as u64);
        let verified = letter.verify(&|_| Ok(Box::new(std::io::Cursor::new(now.clone()))));
        assert!(verified.unwrap_err().cause().contains(cause));
    }
    letter.verify(&|_| Ok(Box::new(std::io::Cursor::new(content.clone())))).unwrap();
}

#[test]
fn a_missing_file_is_named() {
    let missing =
        Segment::File { path: "no/such/DISK.ZIP".into(), sha256: "0".repeat(64), size: 1, encoding: Encoding::Base64 };
    let letter = Letter::new(vec![missing, bytes("\r\n")]).unwrap();
    assert!(letter.verify(&open_file).unwrap_err().cause().contains("no/such/DISK.ZIP"));
}

#[test]
fn a_letter_of_nothing_is_kept_and_never_written() {
    let nothing = Letter::new(vec![]).unwrap();
    assert_eq!(nothing.size(), 0);
    assert_eq!(Letter::from_bytes(&nothing.to_bytes()).unwrap(), nothing);
    assert!(written(&nothing, b"").1.unwrap_err().cause().contains("nothing in it"));
}
