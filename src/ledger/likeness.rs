//! What tells a letter from another one, line by line, as an LZ4 block with the other one as its dictionary. Letters of one
//! notice have the same lines in the same order but for a few; where two have not, a real compressor finds more.
//!
//! ```text
//! sequence  lengths u8 | literals | offset u16 (little-endian) | …: so many bytes as they are, then a run of the dictionary
//! ```
//! A length of 15 and more goes on in bytes of its own, the match's in front of the next sequence (LZ4 block format).

use memchr::memchr;

/// The shortest run worth a sequence, in bytes. LZ4 itself has 4.
const SHORTEST: usize = 8;
const MATCH: usize = 4;
/// No match begins in the last 12 bytes of a block, and the last 5 are literals.
const LAST_MATCH: usize = 12;
const LAST_LITERALS: usize = 5;

/// The letter as what is different from `other`; how small it is says how alike they are.
pub(super) fn differences(letter: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(letter.len() / 4);
    let (mut at, mut there, mut written) = (0, 0, 0);
    while at + LAST_MATCH <= letter.len() && there < other.len() {
        let same = common(&letter[at..letter.len() - LAST_LITERALS], &other[there..]);
        if let (Ok(offset), SHORTEST..) = (u16::try_from(other.len() - there + at), same) {
            sequence(&mut out, &letter[written..at], Some((offset, same)));
            (at, there, written) = (at + same, there + same, at + same);
        }
        // Where they differ, both go on with their next line.
        let (Some(line), Some(its)) = (memchr(b'\n', &letter[at..]), memchr(b'\n', &other[there..])) else { break };
        (at, there) = (at + line + 1, there + its + 1);
    }
    sequence(&mut out, &letter[written..], None);
    out
}

/// How many bytes they begin with alike.
fn common(one: &[u8], other: &[u8]) -> usize {
    let (blocks, others) = (one.as_chunks::<32>().0, other.as_chunks::<32>().0);
    let whole = 32 * blocks.iter().zip(others).take_while(|(one, other)| one == other).count();
    whole + one[whole..].iter().zip(&other[whole..]).take_while(|(one, other)| one == other).count()
}

/// Literals, and the run of the dictionary behind them, by its distance and length.
fn sequence(out: &mut Vec<u8>, literals: &[u8], run: Option<(u16, usize)>) {
    let more = run.map_or(0, |(_, length)| length - MATCH);
    out.push((literals.len().min(15) << 4 | more.min(15)) as u8);
    length(out, literals.len());
    out.extend_from_slice(literals);
    if let Some((offset, _)) = run {
        out.extend_from_slice(&offset.to_le_bytes());
        length(out, more);
    }
}

/// What of a length does not stand in the first byte.
fn length(out: &mut Vec<u8>, whole: usize) {
    if let Some(rest) = whole.checked_sub(15) {
        out.resize(out.len() + rest / 255, 255);
        out.push((rest % 255) as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lz4_flex::block::decompress_with_dict;
    use proptest::prelude::*;

    fn there_and_back(letter: &[u8], other: &[u8]) -> usize {
        let packed = differences(letter, other);
        let back = decompress_with_dict(&packed, letter.len(), other).expect("unpacked");
        assert_eq!(back, letter);
        packed.len()
    }

    #[test]
    fn a_letter_is_its_own_lines_and_a_few_bytes() {
        let letter = |name: &str| format!("To: {name}\r\n\r\n{}\r\n{name}\r\n", "a line of many\r\n".repeat(300));
        let packed = there_and_back(letter("kim").as_bytes(), letter("somebody with a long name").as_bytes());
        assert!(packed < 60, "{packed}");
        assert!(there_and_back(letter("kim").as_bytes(), b"nothing alike") > 4800);
    }

    #[test]
    fn what_is_further_back_than_a_block_can_say_is_written_out() {
        let other = [&[b'x'; 40_000][..], b"\n", &[b'y'; 25_000]].concat();
        let letter = [&[b'z'; 600][..], b"\n", &[b'y'; 25_000]].concat();
        assert!(there_and_back(&letter, &other) < 800);
        let long = [&[b'z'; 41_000][..], b"\n", &[b'y'; 25_000]].concat();
        there_and_back(&long, &other);
        let far = [&[b'x'][..], b"\n", &[b'y'; 65_500]].concat();
        there_and_back(&[&[b'z'; 100][..], b"\n", &[b'y'; 65_500]].concat(), &far);
    }

    proptest! {
        #[test]
        fn any_two_come_back(letter in "[ab\n]{0,80}", other in "[ab\n]{0,80}", tail in "[a-z\n]{0,40}", same in 0usize..3) {
            let long = "abcdefghijklmnopqrstuvwxyz\n".repeat(same * 10);
            there_and_back(format!("{letter}{long}{tail}").as_bytes(), format!("{other}{long}{tail}").as_bytes());
            there_and_back(format!("{long}{letter}{tail}").as_bytes(), format!("{long}{other}").as_bytes());
        }
    }
}
