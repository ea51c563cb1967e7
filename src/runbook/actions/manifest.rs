//! The list that makes a heap of files a backup: one JSON object a line, written while the tree is read, its last
//! line the proof that it is whole.

use crate::fault::{Fault, Result};
use crate::platform::{Attributes, Kind, Look, name_from_bytes, sync_file};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// The manifest's name inside a backup, beside [`TREE`].
pub const MANIFEST: &str = "manifest.ndjson";
/// The folder that holds the copied tree.
pub const TREE: &str = "tree";
/// A longer line is no manifest of ours.
const LINE: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "line")]
pub enum Line {
    Begin {
        schema: u32,
        from: String,
        /// When the tree was as it is listed.
        #[serde(default)]
        at: Option<DateTime<Utc>>,
        /// Of the tree itself.
        #[serde(default)]
        mode: Option<u32>,
        #[serde(default)]
        owner: Option<(u32, u32)>,
    },
    Entry {
        /// Below the tree, `/` between names; `%XX` for `%` and for bytes that are not UTF-8.
        path: String,
        kind: Kind,
        size: u64,
        /// Empty for folders.
        sha256: String,
        modified: DateTime<Utc>,
        mode: Option<u32>,
        /// User and group by number.
        #[serde(default)]
        owner: Option<(u32, u32)>,
        hidden: bool,
        read_only: bool,
        /// DOS attributes in the form in which the volume of the tree keeps them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        carried: Vec<(String, Vec<u8>)>,
    },
    End {
        files: u64,
        folders: u64,
        bytes: u64,
    },
}

impl Line {
    pub fn entry(
        path: &[OsString],
        look: &Look,
        attributes: Attributes,
        carried: Vec<(String, Vec<u8>)>,
        sha256: String,
    ) -> Line {
        Line::Entry {
            path: encode(path),
            kind: look.kind,
            size: if look.kind == Kind::File { look.size } else { 0 },
            sha256,
            modified: look.modified.into(),
            mode: look.mode,
            owner: look.owner,
            hidden: attributes.hidden || path.last().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")),
            read_only: attributes.read_only,
            carried,
        }
    }
}

/// Writes lines and counts what they list.
pub struct Writer {
    out: BufWriter<fs_err::File>,
    files: u64,
    folders: u64,
    bytes: u64,
}

impl Writer {
    /// `root`: the tree itself.
    pub fn begin(file: fs_err::File, from: &Path, at: Option<DateTime<Utc>>, root: Option<&Look>) -> Result<Writer> {
        let mut writer = Writer { out: BufWriter::new(file), files: 0, folders: 0, bytes: 0 };
        let from = from.to_string_lossy().into_owned();
        let (mode, owner) = (root.and_then(|root| root.mode), root.and_then(|root| root.owner));
        writer.write(&Line::Begin { schema: 1, from, at, mode, owner })?;
        Ok(writer)
    }

    pub fn write(&mut self, line: &Line) -> Result<()> {
        match line {
            Line::Entry { kind: Kind::File, size, .. } => {
                (self.files, self.bytes) = (self.files + 1, self.bytes + size)
            }
            Line::Entry { .. } => self.folders += 1,
            _ => {}
        }
        let mut text = serde_json::to_vec(line).map_err(std::io::Error::from)?;
        text.push(b'\n');
        Ok(self.out.write_all(&text)?)
    }

    /// Writes the last line and makes the list durable.
    pub fn end(mut self) -> Result<Line> {
        let end = Line::End { files: self.files, folders: self.folders, bytes: self.bytes };
        self.write(&end)?;
        let file = self.out.into_inner().map_err(|error| error.into_error())?;
        sync_file(&file)?;
        Ok(end)
    }
}

/// The lines of a manifest, one at a time. A list without its last line is a fault: that backup was never finished.
pub fn read(file: fs_err::File) -> impl Iterator<Item = Result<Line>> {
    let path = file.path().to_owned();
    let mut input = BufReader::new(file);
    let mut ended = false;
    let mut stopped = false;
    let mut listed = (0, 0, 0);
    std::iter::from_fn(move || {
        if stopped {
            return None;
        }
        let line = next(&mut input, &path);
        match &line {
            Ok(Some(Line::Entry { kind: Kind::File, size, .. })) if !ended => {
                listed = (listed.0 + 1, listed.1, listed.2 + size);
            }
            Ok(Some(Line::Entry { .. })) if !ended => listed.1 += 1,
            Ok(Some(Line::End { files, folders, bytes })) if !ended => {
                ended = true;
                if listed != (*files, *folders, *bytes) {
                    stopped = true;
                    return Some(Err(damaged(&path, "it lists other files than its last line counts")));
                }
            }
            Ok(None) if ended => return None,
            Ok(None) => {
                stopped = true;
                return Some(Err(damaged(&path, "it ends too early")));
            }
            Ok(Some(_)) if ended => {
                stopped = true;
                return Some(Err(damaged(&path, "it goes on after its last line")));
            }
            Err(_) => stopped = true,
            Ok(Some(_)) => {}
        }
        line.transpose()
    })
}

fn next(input: &mut impl BufRead, path: &Path) -> Result<Option<Line>> {
    let mut text = Vec::new();
    if input.by_ref().take(LINE).read_until(b'\n', &mut text)? == 0 {
        return Ok(None);
    }
    serde_json::from_slice(&text).map(Some).map_err(|error| damaged(path, &error.to_string()))
}

pub fn damaged(path: &Path, why: &str) -> Fault {
    crate::fault::Finding::error(
        "backup-damaged",
        format!("{} is not the list of a finished backup: {why}", path.display()),
        "use another backup; this one is incomplete or was altered",
    )
    .in_file(path)
    .into()
}

fn encode(path: &[OsString]) -> String {
    let names: Vec<String> = path.iter().map(|name| encode_name(name)).collect();
    names.join("/")
}

fn encode_name(name: &OsStr) -> String {
    let mut text = String::new();
    for piece in name.as_encoded_bytes().utf8_chunks() {
        text.push_str(&piece.valid().replace('%', "%25"));
        for byte in piece.invalid() {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// The names of a path as [`Line::Entry`] holds it; `None` for a path that would lead out of the tree.
pub fn decode(path: &str) -> Option<Vec<OsString>> {
    path.split('/').map(decode_name).collect()
}

fn decode_name(text: &str) -> Option<OsString> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let (high, low) = (char::from(rest.next()?), char::from(rest.next()?));
            bytes.push((high.to_digit(16)? * 16 + low.to_digit(16)?).try_into().ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let safe = !matches!(bytes.as_slice(), b"" | b"." | b"..") && !bytes.contains(&b'/') && !bytes.contains(&0);
    if safe { name_from_bytes(bytes) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_comes_back_as_it_was() {
        for names in [vec!["A.GLB"], vec!["MAI", "100%.txt"], vec!["Grüße"]] {
            let names: Vec<OsString> = names.into_iter().map(OsString::from).collect();
            assert_eq!(decode(&encode(&names)), Some(names));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_comes_back_too() {
        use std::os::unix::ffi::OsStringExt;
        let names = vec![OsString::from_vec(b"caf\xe9%.MSG".to_vec())];
        assert_eq!(encode(&names), "caf%E9%25.MSG");
        assert_eq!(decode("caf%E9%25.MSG"), Some(names));
    }

    #[test]
    fn a_path_that_leads_out_is_none() {
        for path in ["..", "a/../b", "/a", "a//b", "", "%2e%2e", "a%2fb", "%", "%zz", "a%00"] {
            assert_eq!(decode(path), None, "{path}");
        }
    }

    #[test]
    fn a_list_without_its_end_is_damaged() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join(MANIFEST);
        let create = || fs_err::File::create(&path).expect("made");
        let open = || fs_err::File::open(&path).expect("open");
        Writer::begin(create(), Path::new("/po"), None, None).expect("begun").end().expect("ended");
        assert_eq!(read(open()).filter_map(Result::ok).count(), 2);
        let whole = fs_err::read(&path).expect("read");
        for cut in [0, 10, whole.len() - 3] {
            fs_err::write(&path, &whole[..cut]).expect("cut");
            assert!(read(open()).any(|line| line.is_err()), "cut at {cut}");
        }
        fs_err::write(&path, [whole.as_slice(), whole.as_slice()].concat()).expect("doubled");
        assert!(read(open()).any(|line| line.is_err()));
    }
}
