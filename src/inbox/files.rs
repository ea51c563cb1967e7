//! Letters that are files of their own: in a Maildir those in `new` and `cur`, elsewhere every file of a folder.

use crate::fault::Result;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Every letter below a folder, by name. Of a Maildir (a folder with `cur` or `new`) those of `new` come first, and
/// nothing of `tmp`; a folder inside is looked into, a link is not followed.
pub fn find(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut new, mut cur) = (folder.join("new"), folder.join("cur"));
    if !new.is_dir() && !cur.is_dir() {
        let mut found = Vec::new();
        collect(folder, &mut found)?;
        found.sort();
        return Ok(found);
    }
    let mut found = Vec::new();
    for place in [&mut new, &mut cur] {
        let mut some = Vec::new();
        collect(place, &mut some)?;
        some.sort();
        found.append(&mut some);
    }
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let entries = match fs_err::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let kind = entry.file_type()?;
        if kind.is_file() && !hidden {
            found.push(entry.path());
        } else if kind.is_dir() && !hidden {
            collect(&entry.path(), found)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_maildir_is_read_from_new_and_cur_and_a_folder_from_all_its_files() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["new/b", "new/a", "cur/c:2,S", "tmp/d", ".hidden"] {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().expect("below")).expect("a folder");
            fs_err::write(path, "x").expect("a file");
        }
        let names = |found: Vec<PathBuf>| -> Vec<String> {
            found.iter().map(|path| path.strip_prefix(folder.path()).expect("below").display().to_string()).collect()
        };
        assert_eq!(names(find(folder.path()).expect("readable")), ["new/a", "new/b", "cur/c:2,S"]);
        fs_err::remove_dir_all(folder.path().join("new")).expect("gone");
        fs_err::remove_dir_all(folder.path().join("cur")).expect("gone");
        assert_eq!(names(find(folder.path()).expect("readable")), ["tmp/d"]);
    }
}
