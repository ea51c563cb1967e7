//! Reading a zip archive back. It may come from anywhere: nothing in it is believed before it is checked, and nothing
//! is ever extracted to a disk.

use crate::fault::Finding;
use crate::package::bounds::{Bounds, FILES_MAX};
use crate::package::files::{DiskFile, FileSet};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// The files of the archive. Folders, links, paths, encrypted or doubled entries, entries that share their bytes, and
/// archives that grow beyond the bounds are findings.
pub fn read(archive: &[u8], bounds: Bounds) -> Result<FileSet, Vec<Finding>> {
    entries(archive, bounds).map_err(|why| vec![refusal(&why)]).and_then(|files| FileSet::within(bounds, files))
}

fn entries(bytes: &[u8], bounds: Bounds) -> Result<Vec<DiskFile>, String> {
    // What hardly packs may be a little longer packed than it is; no file set is larger for that.
    if bytes.len() > bounds.room() + (64 << 10) {
        return Err(format!("{} bytes are more than {}", bytes.len(), bounds.called()));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    if archive.has_duplicate_names() {
        return Err("two entries have the same name".to_owned());
    }
    if archive.len() > FILES_MAX {
        return Err(format!("{} entries are more than a package has", archive.len()));
    }
    if archive.has_overlapping_entries().map_err(|error| error.to_string())? {
        return Err("two entries share the same bytes".to_owned());
    }
    archive.validate_header_consistency().map_err(|error| error.to_string())?;
    let mut room = bounds.room() as u64;
    (0..archive.len())
        .map(|n| {
            let entry = archive.by_index(n).map_err(|error| error.to_string())?;
            let name = entry.name().map_err(|error| error.to_string())?.into_owned();
            if !entry.is_file() {
                return Err(format!("{name:?} is a folder or a link, and a package has none"));
            }
            let mut contents = Vec::new();
            // The size an entry claims is not trusted: one byte beyond the room that is left ends the reading.
            entry.take(room + 1).read_to_end(&mut contents).map_err(|error| format!("{name:?}: {error}"))?;
            let over = || format!("it grows beyond {}", bounds.called());
            room = room.checked_sub(contents.len() as u64).ok_or_else(over)?;
            Ok(DiskFile::new(name, contents))
        })
        .collect()
}

fn refusal(why: &str) -> Finding {
    Finding::error("package-archive-damaged", format!("the zip archive cannot be read: {why}"), "build it again")
}
