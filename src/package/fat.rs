//! The numbers of a DOS floppy: geometry, where each area starts, 12-bit entries.

use crate::campaign::Medium;

pub(super) const SECTOR: usize = 512;

/// One row of the table that MS-DOS itself used (checked with `fsck.fat` and `minfo`).
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    pub sectors: u16,
    pub sectors_per_cluster: u8,
    pub root_entries: u16,
    pub media: u8,
    pub sectors_per_fat: u16,
    pub sectors_per_track: u16,
}

impl Geometry {
    pub(super) fn of(medium: Medium) -> Geometry {
        let row = |sectors, sectors_per_cluster, root_entries, media, sectors_per_fat, sectors_per_track| Geometry {
            sectors,
            sectors_per_cluster,
            root_entries,
            media,
            sectors_per_fat,
            sectors_per_track,
        };
        match medium {
            Medium::K360 => row(720, 2, 112, 0xFD, 2, 9),
            Medium::K720 => row(1440, 2, 112, 0xF9, 3, 9),
            Medium::M1_2 => row(2400, 1, 224, 0xF9, 7, 15),
            Medium::M1_44 => row(2880, 1, 224, 0xF0, 9, 18),
        }
    }

    pub(super) fn bytes(self) -> usize {
        usize::from(self.sectors) * SECTOR
    }

    pub(super) fn cluster(self) -> usize {
        usize::from(self.sectors_per_cluster) * SECTOR
    }

    /// First byte of the n-th copy of the FAT.
    pub(super) fn fat(self, copy: usize) -> usize {
        (1 + copy * usize::from(self.sectors_per_fat)) * SECTOR
    }

    pub(super) fn root(self) -> usize {
        self.fat(2)
    }

    pub(super) fn data(self) -> usize {
        self.root() + usize::from(self.root_entries) * 32
    }

    /// Clusters for data; their numbers begin at 2.
    pub(super) fn clusters(self) -> usize {
        (self.bytes() - self.data()) / self.cluster()
    }
}

/// Marks the last cluster of a file.
pub(super) const END: u16 = 0xFFF;

pub(super) fn set(fat: &mut [u8], cluster: usize, value: u16) {
    let at = cluster * 3 / 2;
    let [low, high] = value.to_le_bytes();
    if cluster.is_multiple_of(2) {
        fat[at] = low;
        fat[at + 1] = fat[at + 1] & 0xF0 | high & 0x0F;
    } else {
        fat[at] = fat[at] & 0x0F | low << 4;
        fat[at + 1] = (value >> 4) as u8;
    }
}

pub(super) fn get(fat: &[u8], cluster: usize) -> Option<u16> {
    let at = cluster * 3 / 2;
    let pair = u16::from_le_bytes([*fat.get(at)?, *fat.get(at + 1)?]);
    Some(if cluster.is_multiple_of(2) { pair & 0xFFF } else { pair >> 4 })
}
