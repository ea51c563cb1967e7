//! Writing a zip archive, as the APPNOTE of PKWARE describes version 2.0: a header before each file, a directory behind
//! them all, nothing else.
//!
//! The compressor is kept from archive to archive. It is a block of some 270 KB; allocated anew for each of thousands
//! of people it leaves holes in the heap that are never filled again, 200 KB a person.

use crate::package::files::FileSet;
use crate::package::stamp::DosStamp;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};
use std::cell::RefCell;

/// "Version needed to extract": 2.0, the first one with deflate. Made by the same, on MS-DOS.
const VERSION: u16 = 20;
const DEFLATED: u16 = 8;
/// DOS's own attribute of a file that no backup has seen yet.
const ARCHIVE: u32 = 0x20;

/// Bytes of a local header before the name (APPNOTE 4.3.7).
const LOCAL: usize = 30;

thread_local! {
    /// Deflate at level 6 without the header of zlib.
    static DEFLATE: RefCell<Compress> = RefCell::new(Compress::new(Compression::new(6), false));
}

/// The files as a zip archive: sorted, all of one date, deflated at level 6.
pub fn zip(files: &FileSet, stamp: DosStamp) -> Vec<u8> {
    let mut archive = Vec::with_capacity(files.iter().map(|file| LOCAL + 64 + file.bytes.len() / 2).sum());
    let mut directory = Vec::new();
    for file in files {
        let at = archive.len();
        let start = at + LOCAL + file.name.len();
        archive.resize(start, 0);
        deflate(&file.bytes, &mut archive);
        let facts = facts(&file.name, &file.bytes, archive.len() - start, stamp);

        let header = [&b"PK\x03\x04"[..], &facts, file.name.as_bytes()].concat();
        archive[at..start].copy_from_slice(&header);

        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&facts);
        directory.extend_from_slice(&[0; 6]); // no comment, first disk, no internal attributes
        directory.extend_from_slice(&ARCHIVE.to_le_bytes());
        directory.extend_from_slice(&length(at).to_le_bytes());
        directory.extend_from_slice(file.name.as_bytes());
    }
    let at = archive.len();
    archive.extend_from_slice(&directory);
    end(&mut archive, files.len(), directory.len(), at);
    archive
}

/// What the header before a file and its entry in the directory have in common: from the version to the lengths.
fn facts(name: &str, bytes: &[u8], packed: usize, stamp: DosStamp) -> [u8; 26] {
    let mut crc = Crc::new();
    crc.update(bytes);
    let mut facts = [0; 26];
    let mut put = |at: usize, value: &[u8]| facts[at..at + value.len()].copy_from_slice(value);
    put(0, &VERSION.to_le_bytes());
    put(4, &DEFLATED.to_le_bytes());
    put(6, &stamp.time.to_le_bytes());
    put(8, &stamp.date.to_le_bytes());
    put(10, &crc.sum().to_le_bytes());
    put(14, &length(packed).to_le_bytes());
    put(18, &length(bytes.len()).to_le_bytes());
    put(22, &short(name.len()).to_le_bytes());
    facts
}

/// The end of the directory (APPNOTE 4.3.16).
fn end(archive: &mut Vec<u8>, files: usize, bytes: usize, at: usize) {
    let files = short(files).to_le_bytes();
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    archive.extend_from_slice(&files);
    archive.extend_from_slice(&files);
    archive.extend_from_slice(&length(bytes).to_le_bytes());
    archive.extend_from_slice(&length(at).to_le_bytes());
    archive.extend_from_slice(&[0, 0]);
}

fn deflate(mut bytes: &[u8], out: &mut Vec<u8>) {
    DEFLATE.with_borrow_mut(|deflate| {
        deflate.reset();
        loop {
            out.reserve(bytes.len() / 2 + 64);
            let before = deflate.total_in();
            let status = deflate.compress_vec(bytes, out, FlushCompress::Finish);
            bytes = &bytes[(deflate.total_in() - before) as usize..];
            if status.expect("a compressor that was reset takes any bytes") == Status::StreamEnd {
                break;
            }
        }
    });
}

fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("what fits a floppy is shorter than 4 GiB")
}

fn short(count: usize) -> u16 {
    u16::try_from(count).expect("a floppy has fewer files, and a DOS name fewer letters, than 65,536")
}
