//! Zip archives: written so that PKUNZIP 2.04 reads them and the same files give the same bytes; read with suspicion.

mod read;
mod write;

pub use read::read;
pub use write::zip;

#[cfg(test)]
mod tests {
    use super::write::zip;
    use crate::fault::Finding;
    use crate::package::bounds::{Bounds, FILES_MAX};
    use crate::package::files::{DiskFile, FileSet};
    use crate::package::floppy::IMAGE_MAX;
    use crate::package::stamp::DosStamp;
    use ::zip::write::SimpleFileOptions;
    use ::zip::{CompressionMethod, System, ZipArchive, ZipWriter};
    use proptest::prelude::*;
    use std::io::{Cursor, Write};

    fn stamp() -> DosStamp {
        DosStamp::new("2026-12-12T18:00:00".parse().expect("a time")).expect("a year of DOS")
    }

    fn sample() -> FileSet {
        let files = [("CONNECT.GLB", vec![7; 695]), ("EMPTY", vec![]), ("README.TXT", b"Hello\r\n".repeat(100))];
        FileSet::new(files.into_iter().map(|(name, bytes)| DiskFile::new(name, bytes)).collect()).expect("good")
    }

    fn foreign(entries: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(*name, options).expect("start");
            writer.write_all(bytes).expect("write");
        }
        writer.finish().expect("finish").into_inner()
    }

    fn read(archive: &[u8]) -> Result<FileSet, Vec<Finding>> {
        super::read(archive, Bounds::Floppy)
    }

    fn why(archive: &[u8]) -> String {
        read(archive).expect_err("a bad archive").iter().map(|finding| finding.cause.clone()).collect()
    }

    #[test]
    fn what_is_written_is_read_and_is_the_same_each_time() {
        let archive = zip(&sample(), stamp());
        assert_eq!(archive, zip(&sample(), stamp()));
        assert_eq!(read(&archive).expect("our own"), sample());
    }

    #[test]
    fn what_was_packed_before_leaves_no_trace() {
        let noise: Vec<u8> = (0..200_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let other = FileSet::new(vec![DiskFile::new("NOISE", noise)]).expect("good");
        assert_eq!(read(&zip(&other, stamp())).expect("our own"), other);
        let after = zip(&sample(), stamp());
        let fresh = std::thread::spawn(|| zip(&sample(), stamp())).join().expect("a thread of its own");
        assert_eq!(after, fresh);
    }

    #[test]
    fn an_old_unzipper_can_read_it() {
        let bytes = zip(&sample(), stamp());
        let mut archive = ZipArchive::new(Cursor::new(&bytes)).expect("an archive");
        for n in 0..archive.len() {
            let entry = archive.by_index(n).expect("entry");
            assert_eq!(entry.version_needed(), 20);
            assert_eq!(entry.system(), System::Dos);
            assert_eq!(entry.external_attributes(), 0x20);
            assert!(entry.extra_data().is_none_or(|extra| extra.is_empty()));
            let at = entry.last_modified().expect("a date");
            assert_eq!((at.year(), at.month(), at.day(), at.hour(), at.minute()), (2026, 12, 12, 18, 0));
        }
        assert_eq!(bytes[4..8], [20, 0, 0, 0], "version needed and flags, in the local header");
    }

    #[test]
    fn hostile_archives_are_refused() {
        let plain = SimpleFileOptions::default();
        for name in ["../A", "/A", "C:\\A", "A\\B", "D/A", "NUL", "LONG FILE NAME.TEXT"] {
            assert!(why(&foreign(&[(name, b"x")], plain)).contains("no file name for a DOS disk"), "{name}");
        }
        assert!(why(&foreign(&[("a", b"1"), ("A", b"2")], plain)).contains("two files are called A"));
        assert!(why(b"PK nonsense").contains("cannot be read"));
        let mut folder = ZipWriter::new(Cursor::new(Vec::new()));
        folder.add_directory("DIR/", plain).expect("folder");
        assert!(why(&folder.finish().expect("finish").into_inner()).contains("folder or a link"));
        let mut link = ZipWriter::new(Cursor::new(Vec::new()));
        link.add_symlink("LINK", "/etc/passwd", plain).expect("link");
        assert!(why(&link.finish().expect("finish").into_inner()).contains("folder or a link"));
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let zeros = vec![0; IMAGE_MAX / 2 + 1];
        let bomb = foreign(&[("A", &zeros), ("B", &zeros)], SimpleFileOptions::default());
        assert!(bomb.len() < 10_000);
        assert!(why(&bomb).contains("beyond what any floppy disk holds"));
        let names: Vec<String> = (0..=FILES_MAX).map(|n| format!("F{n}")).collect();
        let crowd: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b""[..])).collect();
        assert!(why(&foreign(&crowd, SimpleFileOptions::default())).contains("225 entries"));
    }

    #[test]
    fn doubled_entries_are_refused() {
        let archive = foreign(&[("A", b"first"), ("B", b"second")], SimpleFileOptions::default());
        let doubled: Vec<u8> = archive.iter().map(|byte| if *byte == b'B' { b'A' } else { *byte }).collect();
        assert!(why(&doubled).contains("same name"), "{}", why(&doubled));
    }

    #[test]
    fn a_changed_byte_of_a_file_is_noticed() {
        let mut archive =
            foreign(&[("A", b"some text")], SimpleFileOptions::default().compression_method(CompressionMethod::Stored));
        let at = archive.windows(4).position(|part| part == b"text").expect("stored as it is");
        archive[at] = b'n';
        assert!(why(&archive).contains("\"A\""), "{}", why(&archive));
    }

    proptest! {
        #[test]
        fn a_hostile_archive_never_makes_the_reader_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20), cut in any::<prop::sample::Index>()) {
            let mut archive = zip(&sample(), stamp());
            for (at, byte) in changes {
                let at = at.index(archive.len());
                archive[at] = byte;
            }
            let _ = read(&archive);
            let _ = read(&archive[..cut.index(archive.len())]);
        }
    }
}
