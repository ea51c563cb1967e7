//! The zip that any unzipper since PKUNZIP 2.04 reads: deflate, no extra fields, fixed times. Same files, same bytes.

use super::files::FileSet;
use crate::fault::{Fault, Finding, Result};
use chrono::{Datelike, NaiveDateTime, Timelike};
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// The most that is unpacked of one archive, in bytes and in files: a floppy holds less.
const UNPACKED: u64 = 8 << 20;
const ENTRIES: usize = 512;

pub fn zip(files: &FileSet, stamp: NaiveDateTime) -> Result<Vec<u8>> {
    let year = stamp.year().clamp(1980, 2107) as u16;
    let (month, day) = (stamp.month() as u8, stamp.day() as u8);
    let (hour, minute, second) = (stamp.hour() as u8, stamp.minute() as u8, stamp.second() as u8 & !1);
    let time = zip::DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default();
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(time);
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files.iter() {
        writer.start_file(file.name.as_str(), options).map_err(failed)?;
        writer.write_all(&file.bytes)?;
    }
    Ok(writer.finish().map_err(failed)?.into_inner())
}

fn failed(error: zip::result::ZipError) -> Fault {
    Fault::new("zip", format!("the archive cannot be written: {error}"), "free memory and run it again")
}

/// The files of an archive, read by name and never extracted. Bombs, folders and names that lead elsewhere are refused.
pub fn read(bytes: &[u8]) -> Result<FileSet, Finding> {
    let damaged = |cause: String| Finding::error("zip-damaged", cause, "build the package again");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| damaged(format!("no zip: {error}")))?;
    if archive.len() > ENTRIES {
        return Err(damaged(format!("{} files; {ENTRIES} are the most", archive.len())));
    }
    let mut files = FileSet::default();
    let mut left = UNPACKED;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|error| damaged(format!("entry {at}: {error}")))?;
        let name = entry.name().map_err(|error| damaged(format!("entry {at}: {error}")))?.into_owned();
        let mut content = Vec::new();
        entry.take(left + 1).read_to_end(&mut content).map_err(|error| damaged(format!("{name}: {error}")))?;
        left = left
            .checked_sub(content.len() as u64)
            .ok_or_else(|| damaged(format!("more than {UNPACKED} bytes inside")))?;
        files.add(&name, content, None)?;
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stamp() -> NaiveDateTime {
        "2026-12-12T18:00:01".parse().expect("a time")
    }

    #[test]
    fn an_archive_is_the_same_each_time_and_reads_back() {
        let mut set = FileSet::default();
        set.add("CONNECT.GLB", vec![3; 695], None).expect("a file");
        set.add("README.TXT", b"hello\r\n".repeat(90), None).expect("a file");
        let bytes = zip(&set, stamp()).expect("packed");
        assert_eq!(bytes, zip(&set, stamp()).expect("packed"));
        assert_eq!(read(&bytes).expect("readable"), set);
        // Version needed 2.0 and no extra field, in the first local header (APPNOTE 4.3.7).
        assert_eq!((bytes[4], bytes[28], bytes[29]), (20, 0, 0));
    }

    #[test]
    fn hostile_archives_are_refused() {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("../EVIL.TXT", SimpleFileOptions::default()).expect("begun");
        let slip = writer.finish().expect("written").into_inner();
        assert_eq!(read(&slip).expect_err("it leads elsewhere").code, "package-name");
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        writer.start_file("BOMB.BIN", SimpleFileOptions::default()).expect("begun");
        writer.write_all(&vec![0; 9 << 20]).expect("written");
        let bomb = writer.finish().expect("written").into_inner();
        assert!(read(&bomb).expect_err("a bomb").cause.contains("bytes inside"));
        assert_eq!(read(b"PK").expect_err("no zip").code, "zip-damaged");
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(at in 0..700usize, byte: u8) {
            let mut set = FileSet::default();
            set.add("A.TXT", b"some text".repeat(50), None).expect("a file");
            let mut bytes = zip(&set, stamp()).expect("packed");
            let length = bytes.len();
            bytes[at % length] = byte;
            let _ = read(&bytes);
        }
    }
}
