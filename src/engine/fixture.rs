//! A small campaign of one person, and what a test adds to it.

use crate::msmail::fixture::Tree;
use std::path::Path;
use tempfile::TempDir;

const SMALL: &str = r#"
[campaign]
name = "small"
change_at = 2024-12-12T18:00:00
minimum_notice = "0d"
time_zone = "America/Chicago"
contact = "Desk, desk@corp.example"
[mail]
from = "Desk <desk@corp.example>"
transport = "file"
[[roster]]
file = "users.csv"
"#;

/// Somebody is asked for an answer.
pub const ASKED: &str = r#"
[audience.everyone]
kind = ["local"]
[notice.news]
audience = "everyone"
[acknowledgement.read]
audience = "everyone"
notice = "news"
grade = "confirmed"
"#;

const MSMAIL: &str = r#"
[msmail]
postoffice = "TREE"
staged = "TREE"
network = "CORP"
name = "HQ"
old_serial = "32-10411"
new_serial = "32-20977"
"#;

/// In a folder of its own.
pub fn campaign(more: &str) -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    write(root.path(), "flagday.toml", &[SMALL, more].concat());
    write(root.path(), "users.csv", "id,name,email,kind\nANN,Ann,ann@corp.example,local\n");
    root
}

/// Of a postoffice.
pub fn campaign_of(tree: &Tree, more: &str) -> TempDir {
    campaign(&[&MSMAIL.replace("TREE", &tree.root().display().to_string()), more].concat())
}

/// A notice's own subject and text.
pub fn texts(root: &Path, notice: &str) {
    for part in ["subject", "text"] {
        write(root, &format!("templates/mail/{notice}/{part}.hbs"), "All is said\n");
    }
}

pub fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs_err::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
    fs_err::write(path, text).expect("written");
}
