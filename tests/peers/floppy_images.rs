//! Disk images as other programs see them.

use crate::need::{FSCK, MTOOLS, command, output, trial};
use libtest_mimic::Trial;
use std::path::Path;

pub fn trials() -> Vec<Trial> {
    vec![trial("the_sample_image_is_clean_and_holds_an_init_disk", &[FSCK, MTOOLS], the_sample_image)]
}

/// `fsck.fat -n`: changes nothing, and ends with an error when there is anything to repair.
pub fn is_clean(image: &Path) -> String {
    output(command("fsck.fat").arg("-n").arg(image))
}

/// Every file of an image, copied out by mtools.
pub fn copy_out(image: &Path, folder: &Path) {
    output(command("mcopy").arg("-n").arg("-i").arg(image).arg("::*").arg(folder));
}

fn the_sample_image() {
    let image = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data/msmail/disks/ADEYEMI.img");
    let words = is_clean(&image);
    assert!(words.contains("6 files"), "{words}");
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    copy_out(&image, folder.path());
    let size = |name: &str| fs_err::metadata(folder.path().join(name)).expect(name).len();
    assert_eq!((size("CONNECT.GLB"), size("TRANSFIL"), size("C850SORT.GLB")), (695, 1603, 795));
}
