//! Chance from a seed: the same seed, the same inputs. SplitMix64 (Steele, Lea, Flood 2014).

use std::hash::{BuildHasher, RandomState};

pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to below `most`.
    pub fn below(&mut self, most: usize) -> usize {
        (self.next() % most.max(1) as u64) as usize
    }

    pub fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    pub fn byte(&mut self) -> u8 {
        self.next() as u8
    }
}

/// The one that is asked for, or another one each time.
pub fn seed() -> u64 {
    let asked = std::env::var("FLAGDAY_FUZZ_SEED").ok().map(|text| text.parse().expect("a number"));
    asked.unwrap_or_else(|| RandomState::new().hash_one("fuzz") >> 16)
}
