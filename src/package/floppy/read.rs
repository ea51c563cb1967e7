//! Reading a floppy disk image back. The image may come from anywhere: every number in it is checked before it is
//! used, no cluster is read twice, and a damaged disk is refused rather than half read.

use super::{ENTRY, IMAGE_MAX, SECTOR, table};
use crate::fault::Finding;
use crate::package::files::{DiskFile, FileSet};

const DIRECTORY: u8 = 0x10;
const LABEL: u8 = 0x08;

/// The files of the root directory. Labels and long names are passed over; a folder, a damaged chain, a cluster that
/// two files claim, and two different allocation tables are findings.
pub fn read(image: &[u8]) -> Result<FileSet, Vec<Finding>> {
    let layout = Layout::of(image).map_err(|why| vec![refusal(&why)])?;
    let mut findings = Vec::new();
    if layout.tables_differ(image) {
        findings.push(refusal("its two allocation tables differ"));
    }
    let mut taken = vec![false; layout.clusters + 2];
    let mut files = Vec::new();
    for entry in layout.root(image).chunks_exact(ENTRY).take_while(|entry| entry[0] != 0) {
        let attributes = entry[11];
        if entry[0] == 0xE5 || attributes & LABEL != 0 {
            continue;
        }
        let name = entry_name(entry);
        if attributes & DIRECTORY != 0 {
            findings.push(refusal(&format!("it holds the folder {name}, and a package has none")));
            continue;
        }
        match layout.contents(image, entry, &mut taken) {
            Ok(bytes) => files.push(DiskFile::new(name, bytes)),
            Err(why) => findings.push(refusal(&format!("{name}: {why}"))),
        }
    }
    match FileSet::new(files) {
        Ok(files) if findings.is_empty() => return Ok(files),
        Ok(_) => {}
        Err(names) => findings.extend(names),
    }
    Err(findings)
}

/// Where everything lies, in bytes, as the boot sector tells it and the image's length allows.
struct Layout {
    cluster_bytes: usize,
    clusters: usize,
    tables: usize,
    table_at: usize,
    table_bytes: usize,
    root_at: usize,
    data_at: usize,
}

impl Layout {
    fn of(image: &[u8]) -> Result<Layout, String> {
        if image.len() < SECTOR || image.len() > IMAGE_MAX {
            return Err(format!("{} bytes are no floppy disk", image.len()));
        }
        let word = |at: usize| usize::from(u16::from_le_bytes([image[at], image[at + 1]]));
        let (per_cluster, reserved, tables) = (usize::from(image[13]), word(14), usize::from(image[16]));
        let (root_entries, sectors, per_table) = (word(17), word(19), word(22));
        if word(11) != SECTOR {
            return Err("its boot sector does not describe a DOS disk with sectors of 512 bytes".to_owned());
        }
        if !per_cluster.is_power_of_two() || reserved == 0 || !(1..=2).contains(&tables) || root_entries == 0 {
            return Err("its boot sector describes no FAT12 disk".to_owned());
        }
        let table_bytes = per_table * SECTOR;
        let root_at = (reserved + tables * per_table) * SECTOR;
        let data_at = root_at + (root_entries * ENTRY).next_multiple_of(SECTOR);
        let end = sectors * SECTOR;
        if end > image.len() {
            return Err(format!("it is cut off: {} bytes of {end}", image.len()));
        }
        if data_at >= end {
            return Err("its boot sector leaves no room for files".to_owned());
        }
        let cluster_bytes = per_cluster * SECTOR;
        let clusters = (end - data_at) / cluster_bytes;
        // Beyond 4084 clusters a disk is FAT16.
        if clusters > 4084 || table::bytes(clusters) > table_bytes {
            return Err("its allocation table does not match its size".to_owned());
        }
        let table_at = reserved * SECTOR;
        Ok(Layout { cluster_bytes, clusters, tables, table_at, table_bytes, root_at, data_at })
    }

    fn table<'a>(&self, image: &'a [u8], n: usize) -> &'a [u8] {
        let at = self.table_at + n * self.table_bytes;
        &image[at..at + self.table_bytes]
    }

    fn tables_differ(&self, image: &[u8]) -> bool {
        let used = table::bytes(self.clusters);
        self.tables == 2 && self.table(image, 0)[..used] != self.table(image, 1)[..used]
    }

    fn root<'a>(&self, image: &'a [u8]) -> &'a [u8] {
        &image[self.root_at..self.data_at]
    }

    /// One file's bytes, along its chain of clusters; each cluster is marked in `taken`, so that no chain runs in a
    /// circle or through another file.
    fn contents(&self, image: &[u8], entry: &[u8], taken: &mut [bool]) -> Result<Vec<u8>, &'static str> {
        let size = u32::from_le_bytes([entry[28], entry[29], entry[30], entry[31]]) as usize;
        let mut cluster = usize::from(u16::from_le_bytes([entry[26], entry[27]]));
        if size > self.clusters * self.cluster_bytes {
            return Err("it claims to be larger than the disk");
        }
        if size == 0 {
            return if cluster == 0 { Ok(Vec::new()) } else { Err("it is empty and yet has a place on the disk") };
        }
        let table = self.table(image, 0);
        let mut bytes = Vec::with_capacity(size);
        loop {
            if !(2..self.clusters + 2).contains(&cluster) {
                return Err("its chain of clusters leaves the disk or ends too early");
            }
            if std::mem::replace(&mut taken[cluster], true) {
                return Err("its chain of clusters runs in a circle or into another file");
            }
            let at = self.data_at + (cluster - 2) * self.cluster_bytes;
            let part = self.cluster_bytes.min(size - bytes.len());
            bytes.extend_from_slice(&image[at..at + part]);
            let link = table::get(table, cluster);
            match (bytes.len() == size, link >= table::END) {
                (true, true) => return Ok(bytes),
                (true, false) => return Err("its chain of clusters goes on behind its end"),
                (false, _) => cluster = usize::from(link),
            }
        }
    }
}

/// `ACCESS  MAI` as `ACCESS.MAI`. What is not ASCII stays visible and is refused with the name.
fn entry_name(entry: &[u8]) -> String {
    let part = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>().trim_end().to_owned();
    let (base, extension) = (part(&entry[..8]), part(&entry[8..11]));
    if extension.is_empty() { base } else { format!("{base}.{extension}") }
}

fn refusal(why: &str) -> Finding {
    Finding::error("package-disk-damaged", format!("the floppy disk cannot be read: {why}"), "make the disk again")
}
