//! The KEY file of a mailbag: 560 bytes, 512 of them a bitmap of deleted headers (Q119088). Its place is not
//! documented; the rest being counts, it is taken to be the end. So what it says is told to people and decides nothing.
//! Without a whole KEY file that they can see, no client reads what lies in the mailbag (Q87408, Q112887).

use crate::msmail::tree::{Entry, Postoffice};

const SIZE: usize = 560;
const BITMAP: usize = 512;

/// How many of the mailbag's headers are marked as deleted; `None` where the file cannot be read so.
pub fn marked_deleted(live: &Postoffice, hexid: &str, headers: u64) -> Option<u64> {
    let bytes = live.read(&format!("KEY/{hexid}.KEY")).ok()??;
    count(&bytes).filter(|marked| *marked <= headers)
}

/// What keeps clients from reading the mailbag; `None` for a KEY file as it should be.
pub fn fault(key: Option<&Entry>) -> Option<&'static str> {
    let Some(key) = key else { return Some("missing") };
    if key.size != SIZE as u64 {
        return Some("damaged");
    }
    key.attributes().is_ok_and(|attributes| attributes.hidden).then_some("hidden")
}

fn count(bytes: &[u8]) -> Option<u64> {
    let bitmap = bytes.get(SIZE - BITMAP..).filter(|bitmap| bitmap.len() == BITMAP)?;
    Some(bitmap.iter().map(|byte| u64::from(byte.count_ones())).sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::msmail::fixture::Tree;

    #[test]
    fn marks_are_counted_in_the_bitmap_alone() {
        let mut key = vec![0; SIZE];
        key[..4].fill(0xFF);
        assert_eq!(count(&key), Some(0), "the counts before the bitmap are no marks");
        key[SIZE - BITMAP] = 0b101;
        key[SIZE - 1] = 0x80;
        assert_eq!(count(&key), Some(3));
        assert_eq!((count(&key[1..]), count(&[key.clone(), vec![0]].concat())), (None, None));
    }

    #[test]
    fn more_marks_than_headers_say_nothing() {
        let tree = Tree::live();
        let mut key = vec![0; SIZE];
        key[SIZE - BITMAP] = 0b11;
        tree.write("KEY/00000001.KEY", &key);
        let live = tree.open();
        assert_eq!(marked_deleted(&live, "00000001", 2), Some(2));
        assert_eq!(marked_deleted(&live, "00000001", 1), None);
        assert_eq!(marked_deleted(&live, "00000077", 1), None, "there is no such file");
    }
}
