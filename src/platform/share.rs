//! Network shares by the number that statfs(2) gives their kind of file system.

/// `None` for a disk of this machine.
#[allow(dead_code, reason = "not every system tells such a number")]
pub fn by_magic(number: u32) -> Option<&'static str> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_share_is_told_from_a_disk() {
        assert_eq!(crate::platform::share_kind(Path::new("/proc")), None);
        assert_eq!((by_magic(0x6969), by_magic(0xFE53_4D42), by_magic(0xEF53)), (Some("NFS"), Some("SMB"), None));
    }
}
