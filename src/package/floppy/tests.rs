use super::*;
use crate::package::files::DiskFile;
use crate::package::stamp::DosStamp;
use proptest::prelude::*;
use std::io::{Cursor, Read};

fn stamp() -> DosStamp {
    DosStamp::new("2026-12-12T18:00:00".parse().expect("a time")).expect("a year of DOS")
}

fn set(files: &[(&str, usize)]) -> FileSet {
    let bytes = |name: &str, size: usize| (0..size).map(|n| (n * 7 + name.len()) as u8).collect::<Vec<_>>();
    FileSet::new(files.iter().map(|(name, size)| DiskFile::new(*name, bytes(name, *size))).collect()).expect("good")
}

fn init_disk() -> FileSet {
    set(&[("ACCESS.MAI", 586), ("CONNECT.GLB", 695), ("CONTROL.MAI", 8), ("EMPTY", 0), ("TRANSFIL", 1603)])
}

fn image(medium: Medium, files: &FileSet) -> Vec<u8> {
    super::image(medium, "INITDISK", 0x1998_0306, files, stamp()).expect("it fits")
}

fn why(image: &[u8]) -> String {
    let findings = read(image).expect_err("a damaged disk");
    findings.iter().map(|finding| finding.cause.as_str()).collect::<Vec<_>>().join("; ")
}

/// Where the first file's entry stands on a 1.44M disk: behind the label.
const FIRST: usize = (1 + 2 * 9) * SECTOR + ENTRY;

#[test]
fn the_room_for_files_is_what_the_articles_list() {
    let capacity = MEDIA.map(|medium| Geometry::of(medium).capacity());
    assert_eq!(capacity, [362_496, 730_112, 1_213_952, 1_457_664]);
}

#[test]
fn another_reader_finds_every_file_on_all_four_media() {
    for medium in MEDIA {
        let files = init_disk();
        let disk = fatfs::FileSystem::new(Cursor::new(image(medium, &files)), fatfs::FsOptions::new()).expect("FAT");
        assert_eq!(disk.fat_type(), fatfs::FatType::Fat12);
        assert_eq!(disk.volume_id(), 0x1998_0306);
        assert_eq!(disk.volume_label(), "INITDISK");
        assert_eq!(disk.read_volume_label_from_root_dir().expect("root").as_deref(), Some("INITDISK"));
        let free = Geometry::of(medium).clusters() - clusters_needed(&Geometry::of(medium), &files);
        assert_eq!(disk.stats().expect("table").free_clusters() as usize, free);
        let entries: Vec<_> = disk.root_dir().iter().map(|entry| entry.expect("entry")).collect();
        assert_eq!(entries.len(), files.len());
        for (entry, file) in entries.iter().zip(&files) {
            let mut bytes = Vec::new();
            entry.to_file().read_to_end(&mut bytes).expect("contents");
            assert_eq!((entry.file_name(), bytes), (file.name.clone(), file.bytes.clone()));
            let modified = entry.modified();
            assert_eq!((modified.date.year, modified.date.month, modified.date.day), (2026, 12, 12));
            assert_eq!((modified.time.hour, modified.time.min, modified.time.sec), (18, 0, 0));
        }
    }
}

#[test]
fn our_reader_reads_another_writer() {
    let mut disk = Cursor::new(vec![0; 2880 * SECTOR]);
    fatfs::format_volume(&mut disk, fatfs::FormatVolumeOptions::new().volume_label(*b"OTHER      ")).expect("format");
    {
        let volume = fatfs::FileSystem::new(&mut disk, fatfs::FsOptions::new()).expect("FAT");
        for file in &init_disk() {
            let mut out = volume.root_dir().create_file(&file.name).expect("file");
            std::io::Write::write_all(&mut out, &file.bytes).expect("contents");
        }
    }
    assert_eq!(read(disk.get_ref()).expect("a good disk"), init_disk());
}

#[test]
fn same_input_same_bytes() {
    assert_eq!(image(Medium::M1_44, &init_disk()), image(Medium::M1_44, &init_disk()));
}

#[test]
fn a_disk_may_be_full_to_the_last_cluster_and_the_last_entry() {
    for medium in MEDIA {
        let geometry = Geometry::of(medium);
        let full = set(&[("A", geometry.capacity() - 1), ("B", 0)]);
        assert_eq!(read(&image(medium, &full)).expect("full"), full);
        let names: Vec<String> = (0..geometry.files_max()).map(|n| format!("F{n}")).collect();
        let many = set(&names.iter().map(|name| (name.as_str(), 1)).collect::<Vec<_>>());
        assert_eq!(read(&image(medium, &many)).expect("many"), many);
    }
}

#[test]
fn what_does_not_fit_says_how_much_and_which_medium_would_do() {
    let finding = fit(Medium::K360, &set(&[("A", 362_496), ("B", 1), ("C", 1025)])).expect_err("too much");
    assert!(finding.cause.contains("need 3072 bytes more than the 362496"), "{}", finding.cause);
    assert!(finding.remedy.contains("\"720K\""), "{}", finding.remedy);
    let finding = fit(Medium::M1_44, &set(&[("A", 1_457_665)])).expect_err("too much");
    assert!(finding.remedy.contains("no floppy"), "{}", finding.remedy);
    let names: Vec<String> = (0..112).map(|n| format!("F{n}")).collect();
    let many = set(&names.iter().map(|name| (name.as_str(), 0)).collect::<Vec<_>>());
    let finding = fit(Medium::K360, &many).expect_err("too many");
    assert!(finding.cause.contains("112 files") && finding.remedy.contains("\"1.2M\""), "{finding:?}");
}

#[test]
fn a_label_that_dos_cannot_show_is_refused() {
    for label in ["", "TWELVE CHARS", "small", " FRONT", "Ä", "A/B"] {
        assert!(super::image(Medium::K360, label, 0, &init_disk(), stamp()).is_err(), "{label}");
    }
}

#[test]
fn damage_is_named() {
    let good = image(Medium::M1_44, &init_disk());
    let damaged = |at: usize, bytes: &[u8]| {
        let mut image = good.clone();
        image[at..at + bytes.len()].copy_from_slice(bytes);
        why(&image)
    };
    let both = |cluster: usize, link: u16| {
        let mut image = good.clone();
        for copy in 0..2 {
            let at = SECTOR + copy * 9 * SECTOR;
            table::set(&mut image[at..at + 9 * SECTOR], cluster, link);
        }
        why(&image)
    };
    assert!(why(&good[..100]).contains("100 bytes are no floppy"));
    assert!(why(&vec![0; IMAGE_MAX + 1]).contains("no floppy"));
    assert!(why(&good[..good.len() - 1]).contains("cut off"));
    assert!(why(&[0; 720 * SECTOR]).contains("512 bytes"));
    assert!(damaged(13, &[3]).contains("no FAT12"));
    assert!(damaged(17, &[0xFF, 0xFF]).contains("no room"));
    assert!(damaged(22, &[1, 0]).contains("does not match"));
    assert!(damaged(SECTOR + 6, &[0xFF]).contains("tables differ"));
    assert!(damaged(FIRST + 11, &[0x10]).contains("folder ACCESS.MAI"));
    assert!(damaged(FIRST + 26, &[0, 0]).contains("ACCESS.MAI: its chain of clusters leaves the disk"));
    assert!(
        damaged(FIRST + 26, &[4, 0])
            .contains("CONNECT.GLB: its chain of clusters runs in a circle or into another file")
    );
    assert!(damaged(FIRST + 28, &[0xFF; 4]).contains("larger than the disk"));
    assert!(damaged(FIRST + 28, &[0; 4]).contains("empty and yet"));
    assert!(damaged(FIRST, b"A/").contains("no file name for a DOS disk"));
    assert!(both(2, 2).contains("circle"));
    assert!(both(2, 4).contains("CONNECT.GLB: its chain of clusters runs in a circle or into another file"));
    assert!(both(3, 4).contains("goes on behind its end"));
    assert!(both(2, 0).contains("ends too early"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_written_is_read(files in prop::collection::btree_map("[A-Z][A-Z0-9]{0,6}(\\.[A-Z]{1,3})?", prop::collection::vec(any::<u8>(), 0..3000), 0..20)) {
        let devices = ["CON", "PRN", "AUX", "NUL"];
        let files = files.into_iter().filter(|(name, _)| !devices.iter().any(|device| name.starts_with(device)));
        let Ok(files) = FileSet::new(files.map(|(name, bytes)| DiskFile::new(name, bytes)).collect()) else {
            return Ok(());
        };
        for medium in MEDIA {
            prop_assert_eq!(&read(&image(medium, &files)).expect("our own"), &files);
        }
    }

    #[test]
    fn a_hostile_image_never_makes_the_reader_panic(changes in prop::collection::vec((prop_oneof![0..64_usize, 0..16_000_usize], any::<u8>()), 0..60), length in 0..1_474_560_usize) {
        let mut image = image(Medium::M1_44, &init_disk());
        for (at, byte) in changes {
            image[at] = byte;
        }
        if let Ok(files) = read(&image) {
            prop_assert!(files.iter().map(|file| file.bytes.len()).sum::<usize>() <= image.len());
        }
        let _ = read(&image[..length]);
    }
}
