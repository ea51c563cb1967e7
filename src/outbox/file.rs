//! The transport `file`: one `.eml` a message, complete or absent, and written once however often it is tried.

use super::outcome::Unwritten;
use super::{Claimed, Outcome, Payload, Refusal, Unsendable};
use crate::fault::Result;
use data_encoding::HEXLOWER;
use fs_err::File;
use sha2::{Digest, Sha256};
use std::io::{BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Puts the message into `folder` under its own name: written beside it, synced where that is asked for, renamed. The caller
/// syncs the folder with [`sync`] before it believes the name.
pub fn store(folder: &Path, message: &Claimed, sync: bool) -> Result<Outcome> {
    let file = folder.join(name(message));
    let failed = |unsendable| Ok(Outcome::Failed { refusal: Refusal::Message(unsendable) });
    let mut written = tempfile::Builder::new().prefix(".writing-").suffix(".tmp").tempfile_in(folder)?;
    let digest = match write(&*message.payload, &mut written)? {
        Ok(digest) => digest,
        Err(unreadable) => return failed(unreadable),
    };
    match File::open(&file) {
        Ok(there) if hash(&there)? == digest => return Ok(Outcome::Stored { file }),
        Ok(_) => return failed(Unsendable::Occupied { file }),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    if sync {
        written.as_file().sync_all()?;
    }
    // Never over a file that has appeared meanwhile.
    written.persist_noclobber(&file).map_err(|error| error.error)?;
    Ok(Outcome::Stored { file })
}

/// The hash of what was written. A disk that is full or cannot be read is the run's trouble; an attachment that is not what
/// it was is the message's own.
fn write(payload: &dyn Payload, file: &mut NamedTempFile) -> Result<Result<Vec<u8>, Unsendable>> {
    let mut out = Hashing { out: BufWriter::new(file), hash: Sha256::new(), failed: None };
    let written = payload.write(&mut out);
    if let Some(error) = out.failed {
        return Err(error.into());
    }
    out.out.flush()?;
    match written.map_err(Unwritten::from) {
        Ok(()) => Ok(Ok(out.hash.finalize().to_vec())),
        Err(Unwritten::Message(unsendable)) => Ok(Err(unsendable)),
        Err(Unwritten::Machine(finding)) => Err(finding.into()),
    }
}

/// Makes the names in `folder` survive a power cut.
pub fn sync(folder: &Path) -> Result<()> {
    Ok(crate::platform::sync_folder(folder)?)
}

/// `<person>-<notice>-<hash of the Message-ID>.eml`: readable, safe on every file system, and never the same for two
/// messages.
fn name(message: &Claimed) -> PathBuf {
    let digest = Sha256::digest(message.message_id.as_bytes());
    let tail = HEXLOWER.encode(&digest[..8]);
    format!("{}-{}-{tail}.eml", plain(&message.person), plain(&message.notice)).into()
}

/// Letters, digits and a few signs; up to 40 of them, and no dot in front.
fn plain(text: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '+') { c } else { '_' };
    let plain: String = text.trim_start_matches('.').chars().take(40).map(keep).collect();
    if plain.is_empty() { "_".to_owned() } else { plain }
}

fn hash(file: &File) -> Result<Vec<u8>> {
    let (mut reader, mut hash, mut buffer) = (BufReader::new(file), Sha256::new(), [0; 16 * 1024]);
    loop {
        match reader.read(&mut buffer)? {
            0 => return Ok(hash.finalize().to_vec()),
            n => hash.update(&buffer[..n]),
        }
    }
}

/// Writes and hashes, and remembers whose fault a failure was.
struct Hashing<W> {
    out: W,
    hash: Sha256,
    failed: Option<std::io::Error>,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.out.write(bytes) {
            Ok(n) => {
                self.hash.update(&bytes[..n]);
                Ok(n)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) => {
                let told = std::io::Error::new(error.kind(), error.to_string());
                self.failed = Some(error);
                Err(told)
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Fault;
    use crate::outbox::queue::{Queue, memory::MemoryQueue};
    use std::sync::Arc;

    fn message() -> Claimed {
        MemoryQueue::of(1).claim(chrono::DateTime::UNIX_EPOCH, 1).expect("a queue").remove(0)
    }

    fn files(folder: &Path) -> Vec<String> {
        let entries = fs_err::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").file_name());
        entries.map(|name| name.into_string().expect("a plain name")).collect()
    }

    #[test]
    fn the_very_bytes_stand_under_a_readable_name_and_nothing_else_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let Outcome::Stored { file } = store(folder.path(), &message(), true).expect("stored") else {
            panic!("not stored")
        };
        assert_eq!(fs_err::read(&file).expect("a file"), b"Subject: 0\r\nMessage-ID: <0@t>\r\n\r\nbody 0\r\n");
        let names = files(folder.path());
        assert_eq!(names.len(), 1);
        assert!(names[0].starts_with("p0-change_date-") && names[0].ends_with(".eml"), "{names:?}");
    }

    #[test]
    fn a_second_time_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = store(folder.path(), &message(), true).expect("stored");
        assert_eq!(store(folder.path(), &message(), true).expect("stored"), first);
        assert_eq!(files(folder.path()).len(), 1);
    }

    #[test]
    fn another_message_under_the_name_is_never_overwritten() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name(&message()));
        fs_err::write(&file, b"mine").expect("written");
        let outcome = store(folder.path(), &message(), true).expect("judged");
        assert_eq!(outcome, Outcome::Failed { refusal: Refusal::Message(Unsendable::Occupied { file: file.clone() }) });
        assert_eq!(fs_err::read(&file).expect("a file"), b"mine");
        assert_eq!(files(folder.path()).len(), 1);
    }

    #[test]
    fn names_are_safe_whatever_a_person_is_called() {
        for (person, start) in
            [("../../etc/passwd", "_.._etc_passwd-"), ("", "_-"), ("Jürgen K.", "J_rgen_K.-"), ("..", "_-")]
        {
            let name = name(&Claimed { person: person.into(), ..message() });
            let name = name.to_str().expect("ascii");
            assert!(name.starts_with(start) && !name.contains(['/', '\\', ' ']), "{person}: {name}");
        }
        let other = Claimed { message_id: "<other@t>".into(), ..message() };
        assert_ne!(name(&other), name(&message()));
    }

    #[test]
    fn an_attachment_that_cannot_be_read_fails_its_message_and_leaves_nothing() {
        struct Gone;
        impl Payload for Gone {
            fn size(&self) -> u64 {
                9
            }
            fn write(&self, out: &mut dyn Write) -> Result<()> {
                out.write_all(b"To: x\r\n")?;
                Err(Fault::new("package", "kim.zip has changed", "run build"))
            }
        }
        let folder = tempfile::tempdir().expect("a folder");
        let outcome = store(folder.path(), &Claimed { payload: Arc::new(Gone), ..message() }, true).expect("judged");
        assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome}");
        assert_eq!(outcome.to_string(), "kim.zip has changed");
        assert_eq!(files(folder.path()), [""; 0]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_named() {
        let full = fs_err::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
        let path = tempfile::TempPath::try_from_path("/var/campaign/.writing-1.tmp").expect("a path");
        let mut file = NamedTempFile::from_parts(full.into_parts().0, path);
        let fault = write(&*message().payload, &mut file).expect_err("no space is left");
        let remedy = fault.findings[0].remedy.clone();
        assert!(fault.cause().contains("/var/campaign/.writing-1.tmp") && remedy.contains("that volume"), "{fault:?}");
    }

    #[test]
    fn a_folder_that_is_gone_stops_the_run() {
        let folder = tempfile::tempdir().expect("a folder").path().join("gone");
        assert_eq!(store(&folder, &message(), true).expect_err("no folder").findings[0].code, "io");
    }
}
