//! The FAT12 allocation table: 12-bit links, two of them in three bytes.

/// A link from here on ends a chain.
pub const END: u16 = 0xFF8;
/// What this writer ends a chain with.
pub const LAST: u16 = 0xFFF;

/// The link of `cluster`. The caller has checked that the table is long enough.
pub fn get(table: &[u8], cluster: usize) -> u16 {
    let at = cluster * 3 / 2;
    let pair = u16::from_le_bytes([table[at], table[at + 1]]);
    if cluster.is_multiple_of(2) { pair & 0xFFF } else { pair >> 4 }
}

/// Sets the link of `cluster`, leaving its neighbour alone.
pub fn set(table: &mut [u8], cluster: usize, link: u16) {
    let at = cluster * 3 / 2;
    let pair = u16::from_le_bytes([table[at], table[at + 1]]);
    let pair = if cluster.is_multiple_of(2) { pair & 0xF000 | link } else { pair & 0x000F | link << 4 };
    table[at..at + 2].copy_from_slice(&pair.to_le_bytes());
}

/// Bytes of a table that links `clusters` data clusters; two more entries stand in front.
pub const fn bytes(clusters: usize) -> usize {
    ((clusters + 2) * 3).div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_share_a_byte_and_stay_apart() {
        let mut table = [0; 6];
        for (cluster, link) in [(0, 0xABC), (1, 0x123), (2, 0xFFF), (3, 0x456)] {
            set(&mut table, cluster, link);
        }
        assert_eq!(table, [0xBC, 0x3A, 0x12, 0xFF, 0x6F, 0x45]);
        set(&mut table, 2, 0);
        assert_eq!([0, 1, 2, 3].map(|cluster| get(&table, cluster)), [0xABC, 0x123, 0, 0x456]);
    }
}
