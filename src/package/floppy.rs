//! A real DOS floppy: FAT12, plain 8.3 entries in the root folder, contiguous files, fixed times; and the reader for
//! images that somebody else made, which trusts nothing in them.

use super::fat::{END, Geometry, SECTOR, get, set};
use super::files::{FileSet, split_8_3};
use crate::campaign::Medium;
use crate::fault::Finding;
use chrono::{Datelike, NaiveDateTime, Timelike};

const MEDIA: [(Medium, &str); 4] =
    [(Medium::K360, "360K"), (Medium::K720, "720K"), (Medium::M1_2, "1.2M"), (Medium::M1_44, "1.44M")];

/// What the boot sector does when somebody starts from the disk: prints, waits for a key, starts again.
const NO_BOOT: &[u8] =
    b"\x0e\x1f\xbe\x5b\x7c\xac\x22\xc0\x74\x0b\x56\xb4\x0e\xbb\x07\x00\xcd\x10\x5e\xeb\xf0\x32\xe4\xcd\
\x16\xcd\x19\xeb\xfeThis disk holds data only.\r\n\0";

/// Whether the set fits the medium by whole clusters and root entries; else how far it is over and which one would do.
pub fn check_fit(medium: Medium, files: &FileSet) -> Result<(), Finding> {
    let over = |medium: Medium| {
        let geometry = Geometry::of(medium);
        let need: usize =
            files.iter().map(|file| file.bytes.len().div_ceil(geometry.cluster()) * geometry.cluster()).sum();
        let entries = files.len() + 1 > usize::from(geometry.root_entries);
        need.saturating_sub(geometry.clusters() * geometry.cluster()) + usize::from(entries) * 32
    };
    let excess = over(medium);
    if excess == 0 {
        return Ok(());
    }
    let name = MEDIA.iter().find(|(one, _)| *one == medium).map_or("", |(_, name)| name);
    let remedy = match MEDIA.iter().find(|(one, _)| over(*one) == 0) {
        Some((_, name)) => format!("a {name} disk would hold it: state `medium = \"{name}\"`"),
        None => "no floppy holds it: leave files out, or make the address view smaller".to_owned(),
    };
    Err(Finding::error("package-too-big", format!("{excess} bytes too many for a {name} disk"), remedy)
        .article("Q103291"))
}

/// The image. `stamp` dates every file; `serial` is the volume's.
pub fn image(
    medium: Medium,
    label: &str,
    serial: u32,
    files: &FileSet,
    stamp: NaiveDateTime,
) -> Result<Vec<u8>, Finding> {
    check_fit(medium, files)?;
    let geometry = Geometry::of(medium);
    let mut image = vec![0; geometry.bytes()];
    boot_sector(&mut image, geometry, label, serial);
    let mut fat = vec![0; usize::from(geometry.sectors_per_fat) * SECTOR];
    set(&mut fat, 0, 0xF00 | u16::from(geometry.media));
    set(&mut fat, 1, END);
    let mut root = vec![entry(padded(label), 0x08, stamp, 0, 0)];
    let mut next = 2;
    for file in files.iter() {
        let count = file.bytes.len().div_ceil(geometry.cluster());
        for cluster in next..next + count {
            set(&mut fat, cluster, if cluster + 1 == next + count { END } else { cluster as u16 + 1 });
        }
        let at = geometry.data() + (next - 2) * geometry.cluster();
        image[at..at + file.bytes.len()].copy_from_slice(&file.bytes);
        let first = if count == 0 { 0 } else { next as u16 };
        root.push(entry(short_name(&file.name), 0x20, stamp, first, file.bytes.len() as u32));
        next += count;
    }
    for copy in 0..2 {
        image[geometry.fat(copy)..][..fat.len()].copy_from_slice(&fat);
    }
    for (at, entry) in root.iter().enumerate() {
        image[geometry.root() + at * 32..][..32].copy_from_slice(entry);
    }
    Ok(image)
}

fn boot_sector(image: &mut [u8], geometry: Geometry, label: &str, serial: u32) {
    let mut put = |at: usize, bytes: &[u8]| image[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[0xEB, 0x3C, 0x90]);
    put(3, b"MSDOS5.0");
    put(11, &(SECTOR as u16).to_le_bytes());
    put(13, &[geometry.sectors_per_cluster]);
    put(14, &1u16.to_le_bytes()); // reserved sectors: this one
    put(16, &[2]); // copies of the FAT
    put(17, &geometry.root_entries.to_le_bytes());
    put(19, &geometry.sectors.to_le_bytes());
    put(21, &[geometry.media]);
    put(22, &geometry.sectors_per_fat.to_le_bytes());
    put(24, &geometry.sectors_per_track.to_le_bytes());
    put(26, &2u16.to_le_bytes()); // heads
    put(38, &[0x29]); // an extended boot record follows
    put(39, &serial.to_le_bytes());
    put(43, &padded(label));
    put(54, b"FAT12   ");
    put(62, NO_BOOT);
    put(510, &[0x55, 0xAA]);
}

fn padded(text: &str) -> [u8; 11] {
    let mut bytes = [b' '; 11];
    let upper = text.to_ascii_uppercase();
    let letters = upper.bytes().filter(|c| c.is_ascii_alphanumeric() || *c == b' ');
    bytes.iter_mut().zip(letters).for_each(|(place, letter)| *place = letter);
    bytes
}

fn short_name(name: &str) -> [u8; 11] {
    let mut bytes = [b' '; 11];
    if let Some((stem, extension)) = split_8_3(name) {
        bytes[..stem.len()].copy_from_slice(stem.as_bytes());
        bytes[8..8 + extension.len()].copy_from_slice(extension.as_bytes());
    }
    bytes
}

/// DOS keeps years 1980 to 2107 and even seconds.
pub(super) fn dos_time(stamp: NaiveDateTime) -> (u16, u16) {
    let year = (stamp.year().clamp(1980, 2107) - 1980) as u16;
    let date = year << 9 | (stamp.month() as u16) << 5 | stamp.day() as u16;
    let time = (stamp.hour() as u16) << 11 | (stamp.minute() as u16) << 5 | stamp.second() as u16 / 2;
    (date, time)
}

fn entry(name: [u8; 11], attributes: u8, stamp: NaiveDateTime, cluster: u16, size: u32) -> [u8; 32] {
    let (date, time) = dos_time(stamp);
    let mut entry = [0; 32];
    entry[..11].copy_from_slice(&name);
    entry[11] = attributes;
    entry[22..24].copy_from_slice(&time.to_le_bytes());
    entry[24..26].copy_from_slice(&date.to_le_bytes());
    entry[26..28].copy_from_slice(&cluster.to_le_bytes());
    entry[28..].copy_from_slice(&size.to_le_bytes());
    entry
}

/// The files in an image's root folder. Hostile images are refused: a chain that loops, leaves the disk or is shared.
pub fn read(image: &[u8]) -> Result<FileSet, Finding> {
    let damaged =
        |cause: String| Finding::error("image-damaged", cause, "make the image anew, or give the files in a folder");
    let medium = MEDIA.iter().find(|(medium, _)| Geometry::of(*medium).bytes() == image.len());
    let Some((medium, _)) = medium else {
        return Err(damaged(format!("{} bytes are no 360K, 720K, 1.2M or 1.44M disk", image.len())));
    };
    let geometry = Geometry::of(*medium);
    let field = |at: usize| u16::from_le_bytes([image[at], image[at + 1]]);
    let told = (field(11), image[13], field(14), image[16], field(17), field(22));
    let expected = (SECTOR as u16, geometry.sectors_per_cluster, 1, 2, geometry.root_entries, geometry.sectors_per_fat);
    if told != expected {
        return Err(damaged("its boot sector describes another kind of disk".into()));
    }
    let fat = &image[geometry.fat(0)..geometry.fat(1)];
    let mut taken = vec![false; geometry.clusters() + 2];
    let mut files = FileSet::default();
    for slot in image[geometry.root()..geometry.data()].chunks_exact(32) {
        match (slot[0], slot[11]) {
            (0x00, _) => break,
            // Deleted; a long name; the label.
            (0xE5, _) | (_, 0x0F) => continue,
            (_, attributes) if attributes & 0x08 != 0 => continue,
            (_, attributes) if attributes & 0x10 != 0 => {
                return Err(damaged("it holds a folder; an init disk has none".into()));
            }
            _ => {}
        }
        let part = |range: std::ops::Range<usize>| String::from_utf8_lossy(&slot[range]).trim_end().to_owned();
        let (stem, extension) = (part(0..8), part(8..11));
        let name = if extension.is_empty() { stem } else { format!("{stem}.{extension}") };
        let size = u32::from_le_bytes([slot[28], slot[29], slot[30], slot[31]]) as usize;
        let mut bytes = Vec::new();
        let mut cluster = usize::from(u16::from_le_bytes([slot[26], slot[27]]));
        while bytes.len() < size {
            let free = (2..taken.len()).contains(&cluster) && !std::mem::replace(&mut taken[cluster], true);
            if !free {
                return Err(damaged(format!("the chain of {name} leaves the disk, loops or is shared")));
            }
            let at = geometry.data() + (cluster - 2) * geometry.cluster();
            bytes.extend(&image[at..at + geometry.cluster().min(size - bytes.len())]);
            cluster = usize::from(get(fat, cluster).unwrap_or(0));
        }
        files.add(&name, bytes, modified(slot))?;
    }
    Ok(files)
}

/// When the entry says the file was written; none where the numbers are no date.
fn modified(slot: &[u8]) -> Option<i64> {
    let (time, date) = (u16::from_le_bytes([slot[22], slot[23]]), u16::from_le_bytes([slot[24], slot[25]]));
    let day = chrono::NaiveDate::from_ymd_opt(
        1980 + i32::from(date >> 9),
        u32::from(date >> 5 & 0xF),
        u32::from(date & 0x1F),
    )?;
    let at = day.and_hms_opt(u32::from(time >> 11), u32::from(time >> 5 & 0x3F), u32::from(time & 0x1F) * 2)?;
    Some(at.and_utc().timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::{Cursor, Read};

    fn stamp() -> NaiveDateTime {
        "2026-12-12T18:00:00".parse().expect("a time")
    }

    fn set_of(files: &[(&str, usize)]) -> FileSet {
        let mut set = FileSet::default();
        for (name, size) in files {
            set.add(name, (0..*size).map(|n| (n * 7 + size) as u8).collect(), None).expect("a file");
        }
        set
    }

    fn plain(set: &FileSet) -> Vec<(String, Vec<u8>)> {
        set.iter().map(|file| (file.name.clone(), file.bytes.clone())).collect()
    }

    #[test]
    fn another_reader_finds_every_byte_on_every_medium() {
        for (medium, name) in MEDIA {
            let room = Geometry::of(medium).clusters() * Geometry::of(medium).cluster();
            let set = set_of(&[("CONNECT.GLB", 695), ("EMPTY", 0), ("BIG.BIN", room - 4096), ("TRANSFIL", 1603)]);
            let bytes = image(medium, "INITDISK", 0x1998_0306, &set, stamp()).expect(name);
            assert_eq!(
                bytes,
                image(medium, "INITDISK", 0x1998_0306, &set, stamp()).expect(name),
                "same input, same bytes"
            );
            let disk = fatfs::FileSystem::new(Cursor::new(bytes.clone()), fatfs::FsOptions::new());
            let disk = disk.expect("a file system");
            for file in set.iter() {
                let mut found = Vec::new();
                disk.root_dir().open_file(&file.name).expect("there").read_to_end(&mut found).expect("readable");
                assert_eq!(found, file.bytes, "{name} {}", file.name);
            }
            assert_eq!(plain(&read(&bytes).expect(name)), plain(&set));
        }
    }

    #[test]
    fn what_does_not_fit_says_by_how_much_and_what_would_do() {
        let finding = image(Medium::K360, "X", 1, &set_of(&[("A.BIN", 400_000)]), stamp()).expect_err("too big");
        assert_eq!((finding.code, finding.remedy.contains("720K")), ("package-too-big", true));
        assert!(check_fit(Medium::M1_44, &set_of(&[("A.BIN", 1_457_664)])).is_ok());
        let finding = check_fit(Medium::M1_44, &set_of(&[("A.BIN", 1_457_665)])).expect_err("a cluster too many");
        assert!(finding.cause.starts_with("512 bytes") && finding.remedy.contains("no floppy"), "{finding:?}");
    }

    #[test]
    fn images_that_lie_are_refused() {
        let good = image(Medium::K360, "X", 1, &set_of(&[("A.BIN", 3000), ("B.BIN", 3000)]), stamp()).expect("fits");
        let geometry = Geometry::of(Medium::K360);
        let broken = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut image = good.clone();
            change(&mut image);
            read(&image).map(|_| ()).expect_err("it lies").cause
        };
        assert!(broken(&|image| image.truncate(1000)).contains("1000 bytes"));
        assert!(broken(&|image| image[13] = 8).contains("boot sector"));
        assert!(broken(&|image| set(&mut image[geometry.fat(0)..geometry.fat(1)], 2, 2)).contains("loops"));
        assert!(broken(&|image| image[geometry.root() + 64 + 26] = 2).contains("shared"));
        assert!(broken(&|image| image[geometry.root() + 32 + 11] = 0x10).contains("folder"));
    }

    proptest! {
        #[test]
        fn no_image_makes_the_reader_panic(seed in prop::collection::vec((0..368_640usize, any::<u8>()), 0..60)) {
            let mut image = image(Medium::K360, "X", 1, &set_of(&[("A.BIN", 3000)]), stamp()).expect("fits");
            let used = 8 * 1024;
            for (at, byte) in seed {
                image[at % used] = byte;
            }
            let _ = read(&image);
        }
    }
}
