//! Floppy disk images: real FAT12, root directory only, as MS-DOS has written and read them since version 3.3.

mod read;
mod table;
mod write;

#[cfg(test)]
mod tests;

pub use read::read;
pub use write::image;

use super::files::FileSet;
use crate::campaign::Medium;
use crate::fault::Finding;

/// Every floppy disk has sectors of so many bytes.
const SECTOR: usize = 512;
/// One entry of a directory.
const ENTRY: usize = 32;
/// An image longer than the largest floppy disk (2.88M) is none.
pub const IMAGE_MAX: usize = 5760 * SECTOR;

/// How a medium is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Geometry {
    /// As people call it.
    pub name: &'static str,
    sectors: u16,
    sectors_per_cluster: u8,
    root_entries: u16,
    media: u8,
    sectors_per_fat: u16,
    sectors_per_track: u16,
}

const MEDIA: [Medium; 4] = [Medium::K360, Medium::K720, Medium::M1_2, Medium::M1_44];

impl Geometry {
    /// The formats of MS-DOS; the bytes that are left for files are those of Q98812, Q98814 and Q98815.
    pub const fn of(medium: Medium) -> Geometry {
        let (name, sectors, sectors_per_cluster, root_entries, media, sectors_per_fat, sectors_per_track) = match medium
        {
            Medium::K360 => ("360K", 720, 2, 112, 0xFD, 2, 9),
            Medium::K720 => ("720K", 1440, 2, 112, 0xF9, 3, 9),
            Medium::M1_2 => ("1.2M", 2400, 1, 224, 0xF9, 7, 15),
            Medium::M1_44 => ("1.44M", 2880, 1, 224, 0xF0, 9, 18),
        };
        Geometry { name, sectors, sectors_per_cluster, root_entries, media, sectors_per_fat, sectors_per_track }
    }

    pub const fn cluster_bytes(&self) -> usize {
        self.sectors_per_cluster as usize * SECTOR
    }

    /// Clusters for files on an empty disk.
    pub const fn clusters(&self) -> usize {
        let system = 1 + 2 * self.sectors_per_fat as usize + self.root_entries as usize * ENTRY / SECTOR;
        (self.sectors as usize - system) / self.sectors_per_cluster as usize
    }

    /// Bytes for files on an empty disk.
    pub const fn capacity(&self) -> usize {
        self.clusters() * self.cluster_bytes()
    }

    /// Files that the root directory holds beside the disk's label.
    pub const fn files_max(&self) -> usize {
        self.root_entries as usize - 1
    }

    fn holds(&self, files: &FileSet) -> bool {
        clusters_needed(self, files) <= self.clusters() && files.len() <= self.files_max()
    }
}

/// Clusters that the files take: every file is rounded up to whole clusters, an empty one takes none.
pub fn clusters_needed(geometry: &Geometry, files: &FileSet) -> usize {
    files.iter().map(|file| file.bytes.len().div_ceil(geometry.cluster_bytes())).sum()
}

/// Whether the files fit the medium, in whole clusters. The finding says what is too much and which medium would do.
pub fn fit(medium: Medium, files: &FileSet) -> Result<(), Finding> {
    let geometry = Geometry::of(medium);
    if geometry.holds(files) {
        return Ok(());
    }
    let over = clusters_needed(&geometry, files).saturating_sub(geometry.clusters()) * geometry.cluster_bytes();
    let cause = if over > 0 {
        format!(
            "the files need {over} bytes more than the {} that a {} floppy has, in whole clusters of {} bytes",
            geometry.capacity(),
            geometry.name,
            geometry.cluster_bytes()
        )
    } else {
        let (name, most) = (geometry.name, geometry.files_max());
        format!("{} files, and the root directory of a {name} floppy holds {most}", files.len())
    };
    let larger = MEDIA.map(Geometry::of).into_iter().find(|other| other.holds(files));
    let remedy = match larger {
        Some(other) => format!("use medium = \"{}\", which holds them, or take files out", other.name),
        None => "take files out: no floppy holds them".to_owned(),
    };
    Err(Finding::error("package-too-large", cause, remedy))
}
