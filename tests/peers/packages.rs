//! The packages that `build` writes, as other programs read them.

use crate::floppy_images::{copy_out, is_clean};
use crate::harness::{Campaign, REMOTE, tree};
use crate::need::{FSCK, MTOOLS, UNZIP, command, output, trial};
use libtest_mimic::Trial;
use std::collections::BTreeMap;
use tempfile::TempDir;

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = ["360K", "720K", "1.2M", "1.44M"]
        .into_iter()
        .map(|medium| {
            let name = format!("built_images_of_{medium}_are_clean_and_read_back_byte_for_byte");
            trial(&name, &[FSCK, MTOOLS], move || images(medium))
        })
        .collect();
    trials.push(trial("built_archives_pass_unzip", &[UNZIP, MTOOLS], archives));
    trials
}

/// What a person's disk holds, by name; ADEYEMI's is an image itself.
fn disk(campaign: &Campaign, person: &str) -> BTreeMap<String, Vec<u8>> {
    let folder = campaign.path(&format!("disks/{person}"));
    if folder.is_dir() {
        return tree::contents(&folder);
    }
    let copied = TempDir::new().expect("a temporary folder");
    copy_out(&campaign.path(&format!("disks/{person}.img")), copied.path());
    tree::contents(copied.path())
}

/// README.TXT is there for this person, and everything else is the disk, byte for byte.
fn is_the_package_of(person: &str, mut found: BTreeMap<String, Vec<u8>>, campaign: &Campaign) {
    let readme = String::from_utf8_lossy(&found.remove("README.TXT").expect("README.TXT")).into_owned();
    assert!(readme.contains(&format!("mailbox {person},")), "{readme}");
    assert!(readme.lines().all(|line| line.chars().count() <= 80) && readme.matches("\r\n").count() > 20);
    assert_eq!(tree::differences(&disk(campaign, person), &found), [""; 0], "{person}");
}

fn images(medium: &str) {
    let size = match medium {
        "360K" => 360 << 10,
        "720K" => 720 << 10,
        "1.2M" => 1200 << 10,
        _ => 1440 << 10,
    };
    let campaign = Campaign::ready();
    campaign.append(&format!("[package.init-disk]\nformat = \"img\"\nmedium = \"{medium}\"")).run("build").ends(0);
    campaign.run("build --verify").ends(0);
    for person in REMOTE {
        let image = campaign.path(&format!(".flagday/packages/init-disk/{person}.img"));
        assert_eq!(fs_err::metadata(&image).expect("an image").len(), size, "{person}");
        let words = is_clean(&image);
        let files = disk(&campaign, person).len() + 2; // README.TXT, and the label, which fsck.fat counts too
        assert!(words.contains(&format!("{files} files")), "{person}: {words}");
        let folder = TempDir::new().expect("a temporary folder");
        copy_out(&image, folder.path());
        is_the_package_of(person, tree::contents(folder.path()), &campaign);
    }
}

fn archives() {
    let campaign = Campaign::ready();
    campaign.run("build").ends(0);
    for person in REMOTE {
        let archive = campaign.path(&format!(".flagday/packages/init-disk/{person}.zip"));
        assert!(output(command("unzip").arg("-t").arg(&archive)).contains("No errors detected"));
        let folder = TempDir::new().expect("a temporary folder");
        output(command("unzip").arg("-q").arg(&archive).arg("-d").arg(folder.path()));
        is_the_package_of(person, tree::contents(folder.path()), &campaign);
    }
}
