//! The DOS attributes of a file: read-only and hidden, wherever this system keeps them.

use super::here;
use std::fs::Metadata;
use std::io::Result;
use std::path::Path;

/// What DOS clients and ADMIN see of a file beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attributes {
    pub read_only: bool,
    /// False where the system has no such attribute to tell.
    pub hidden: bool,
}

/// FILE_ATTRIBUTE_READONLY and FILE_ATTRIBUTE_HIDDEN, MS-FSCC 2.6.
const READ_ONLY: u32 = 0x01;
const HIDDEN: u32 = 0x02;

impl Attributes {
    /// The attributes of the file at `path`. An error only when it cannot be looked at.
    pub fn of(path: &Path) -> Result<Attributes> {
        let metadata = fs_err::symlink_metadata(path)?;
        let bits = dos_bits(path, &metadata).unwrap_or(0);
        let read_only = metadata.permissions().readonly() || bits & READ_ONLY != 0;
        Ok(Attributes { read_only, hidden: bits & HIDDEN != 0 })
    }
}

/// A Samba server keeps the bits in `user.DOSATTRIB`; a CIFS mount shows them as `user.cifs.dosattrib`, 32 bits.
const MOUNTED: &str = "user.cifs.dosattrib";
const SERVED: &str = "user.DOSATTRIB";
/// The names under which the bits may stand beside a file.
pub(super) const NAMES: [&str; 2] = [MOUNTED, SERVED];

fn dos_bits(path: &Path, metadata: &Metadata) -> Option<u32> {
    let mounted = || u32::from_ne_bytes(here::extended(path, MOUNTED)?.try_into().ok()?).into();
    here::file_attributes(metadata).or_else(mounted).or_else(|| samba_bits(&here::extended(path, SERVED)?))
}

/// Reads Samba's `user.DOSATTRIB`: text such as `0x22` up to version 3, and from version 4 an empty text, the
/// version twice, the valid fields and the bits, each aligned, little-endian (Samba `librpc/idl/xattr.idl`,
/// `xattr_DOSATTRIB`).
fn samba_bits(value: &[u8]) -> Option<u32> {
    let text = value.split(|byte| *byte == 0).next()?;
    if let Some(hex) = text.strip_prefix(b"0x") {
        return u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok();
    }
    let version = u16::from_le_bytes(value.get(2..4)?.try_into().ok()?);
    let bits = u32::from_le_bytes(value.get(12..16)?.try_into().ok()?);
    (text.is_empty() && (4..=5).contains(&version)).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_samba_are_read() {
        assert_eq!(samba_bits(b"0x22"), Some(0x22));
        assert_eq!(samba_bits(b"0x3\0\0\x03\0\x03\0\0\0\x11\0\0\0\x03\0\0\0"), Some(3));
        assert_eq!(samba_bits(b"\0\0\x04\0\x04\0\0\0\x51\0\0\0\x02\0\0\0rest of it"), Some(2));
    }

    #[test]
    fn anything_else_says_nothing() {
        for value in [&b""[..], b"0x", b"0xzz", b"\0", b"\0\0\x09\0\x09\0\0\0\x51\0\0\0\x02\0\0\0", b"hidden!!hidden!!"]
        {
            assert_eq!(samba_bits(value), None, "{value:?}");
        }
    }
}
