//! Writing a floppy disk image: boot sector, two allocation tables, root directory, files one after the other.

use super::{ENTRY, Geometry, SECTOR, fit, table};
use crate::campaign::Medium;
use crate::fault::Finding;
use crate::package::files::{DiskFile, FileSet};
use crate::package::stamp::DosStamp;

/// A PC that is started from the disk gets these words instead of a crash: print the text behind the code, halt.
const BOOT_CODE: &[u8] =
    b"\x31\xC0\x8E\xD8\xFC\xBE\x57\x7C\xAC\x08\xC0\x74\x09\xB4\x0E\xBB\x07\x00\xCD\x10\xEB\xF2\xF4\xEB\xFD\
    This disk carries files only. Take it out and start again.\r\n\0";

const ARCHIVE: u8 = 0x20;
const LABEL: u8 = 0x08;

/// The disk as bytes, sector by sector. Same input, same bytes. `serial` is the volume's serial number, `label` its
/// name of up to 11 letters, digits and blanks.
pub fn image(medium: Medium, label: &str, serial: u32, files: &FileSet, stamp: DosStamp) -> Result<Vec<u8>, Finding> {
    let label = padded_label(label)?;
    fit(medium, files)?;
    let geometry = Geometry::of(medium);
    let mut disk = vec![0; geometry.sectors as usize * SECTOR];
    boot_sector(&mut disk[..SECTOR], &geometry, &label, serial);

    let fat_bytes = geometry.sectors_per_fat as usize * SECTOR;
    let root_at = SECTOR + 2 * fat_bytes;
    let data_at = root_at + geometry.root_entries as usize * ENTRY;
    let mut fat = vec![0; fat_bytes];
    table::set(&mut fat, 0, 0xF00 | u16::from(geometry.media));
    table::set(&mut fat, 1, table::LAST);

    disk[root_at..root_at + ENTRY].copy_from_slice(&entry(&label, LABEL, stamp, 0, 0));
    let mut next = 2;
    for (n, file) in files.iter().enumerate() {
        let clusters = file.bytes.len().div_ceil(geometry.cluster_bytes());
        for cluster in next..next + clusters {
            let link = if cluster + 1 < next + clusters { cluster as u16 + 1 } else { table::LAST };
            table::set(&mut fat, cluster, link);
        }
        let at = data_at + (next - 2) * geometry.cluster_bytes();
        disk[at..at + file.bytes.len()].copy_from_slice(&file.bytes);
        let first = if clusters == 0 { 0 } else { next as u16 };
        let at = root_at + (n + 1) * ENTRY;
        disk[at..at + ENTRY].copy_from_slice(&file_entry(file, stamp, first));
        next += clusters;
    }
    disk[SECTOR..SECTOR + fat_bytes].copy_from_slice(&fat);
    disk[SECTOR + fat_bytes..root_at].copy_from_slice(&fat);
    Ok(disk)
}

/// The boot sector with the parameter block of MS-DOS 4 and later: serial number, label and file system by name.
fn boot_sector(sector: &mut [u8], geometry: &Geometry, label: &[u8; 11], serial: u32) {
    let mut put = |at: usize, bytes: &[u8]| sector[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &[0xEB, 0x3C, 0x90]);
    put(3, b"MSDOS5.0");
    put(11, &(SECTOR as u16).to_le_bytes());
    put(13, &[geometry.sectors_per_cluster]);
    put(14, &1_u16.to_le_bytes()); // this sector
    put(16, &[2]); // two tables
    put(17, &geometry.root_entries.to_le_bytes());
    put(19, &geometry.sectors.to_le_bytes());
    put(21, &[geometry.media]);
    put(22, &geometry.sectors_per_fat.to_le_bytes());
    put(24, &geometry.sectors_per_track.to_le_bytes());
    put(26, &2_u16.to_le_bytes()); // two sides
    put(38, &[0x29]);
    put(39, &serial.to_le_bytes());
    put(43, label);
    put(54, b"FAT12   ");
    put(62, BOOT_CODE);
    put(510, &[0x55, 0xAA]);
}

fn file_entry(file: &DiskFile, stamp: DosStamp, first: u16) -> [u8; ENTRY] {
    let (base, extension) = file.name.split_once('.').unwrap_or((&file.name, ""));
    let mut name = [b' '; 11];
    name[..base.len()].copy_from_slice(base.as_bytes());
    name[8..8 + extension.len()].copy_from_slice(extension.as_bytes());
    let size = u32::try_from(file.bytes.len()).expect("a file that fits a floppy is shorter than 4 GiB");
    entry(&name, ARCHIVE, stamp, first, size)
}

fn entry(name: &[u8; 11], attributes: u8, stamp: DosStamp, first: u16, size: u32) -> [u8; ENTRY] {
    let mut entry = [0; ENTRY];
    entry[..11].copy_from_slice(name);
    entry[11] = attributes;
    entry[22..24].copy_from_slice(&stamp.time.to_le_bytes());
    entry[24..26].copy_from_slice(&stamp.date.to_le_bytes());
    entry[26..28].copy_from_slice(&first.to_le_bytes());
    entry[28..32].copy_from_slice(&size.to_le_bytes());
    entry
}

fn padded_label(label: &str) -> Result<[u8; 11], Finding> {
    let good = (1..=11).contains(&label.len())
        && !label.starts_with(' ')
        && label.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b' ');
    if !good {
        return Err(Finding::error(
            "package-label",
            format!("{label:?} cannot be the label of a floppy disk"),
            "use up to 11 capital letters, digits and blanks, no blank in front",
        ));
    }
    let mut padded = [b' '; 11];
    padded[..label.len()].copy_from_slice(label.as_bytes());
    Ok(padded)
}
