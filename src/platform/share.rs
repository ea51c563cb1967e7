//! Whether a path lies on a disk of this machine or on a network share.

use std::path::Path;

/// What kind of network share the path lies on, where the system tells; `None` for a disk of this machine.
#[cfg(all(target_os = "linux", not(portable)))]
pub fn share_kind(path: &Path) -> Option<&'static str> {
    of_magic(rustix::fs::statfs(path).ok()?.f_type as u32)
}

/// Not told.
#[cfg(not(all(target_os = "linux", not(portable))))]
pub fn share_kind(_: &Path) -> Option<&'static str> {
    None
}

/// statfs(2).
#[cfg(all(target_os = "linux", not(portable)))]
fn of_magic(number: u32) -> Option<&'static str> {
    Some(match number {
        0x6969 => "NFS",
        0x517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB",
        0x564C => "NCP",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x0102_1997 => "9P",
        0x00C3_6400 => "Ceph",
        _ => return None,
    })
}

#[cfg(all(test, target_os = "linux", not(portable)))]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_told_from_a_disk() {
        assert_eq!(share_kind(Path::new("/proc")), None);
        assert_eq!((of_magic(0x6969), of_magic(0xFE53_4D42), of_magic(0xEF53)), (Some("NFS"), Some("SMB"), None));
    }
}
