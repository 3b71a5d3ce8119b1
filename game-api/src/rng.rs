//! The simulation's randomness: a 64-bit `SplitMix` generator.
//!
//! Written out rather than imported because recordings depend on every number it gives: it must
//! never change.

use tickwire_protocol::codec::{Decode, Encode};

/// Seeded, portable random numbers. Not for secrets.
///
/// ```
/// use tickwire_game::Rng;
///
/// let [mut one, mut other] = [Rng::new(7), Rng::new(7)];
/// assert_eq!(one.next_u64(), other.next_u64());
/// assert!((-3..=3).contains(&one.between(-3, 3)) && one.below(6) < 6);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Rng(u64);

impl Rng {
    /// A generator whose numbers follow from `seed`, on every machine.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 random bits.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `bound` - 1; 0 if `bound` is 0.
    pub const fn below(&mut self, bound: u32) -> u32 {
        (((self.next_u64() >> 32) * bound as u64) >> 32) as u32
    }

    /// A number from `low` to `high`, both included.
    pub const fn between(&mut self, low: i32, high: i32) -> i32 {
        low.wrapping_add(self.below(high.wrapping_sub(low).wrapping_add(1) as u32) as i32)
    }

    /// The internal state, for hashing and checkpoints; [`Rng::new`] takes it back.
    pub const fn state(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn the_sequence_never_changes() {
        let mut rng = Rng::new(42);
        assert_eq!([rng.next_u64(), rng.next_u64()], [13_679_457_532_755_275_413, 2_949_826_092_126_892_291]);
    }

    #[test]
    fn bounds_hold() {
        let mut rng = Rng::new(1);
        let draws: Vec<i32> = (0..1000).map(|_| rng.between(-2, 2)).collect();
        assert!(draws.iter().all(|draw| (-2..=2).contains(draw)));
        assert!((-2..=2).all(|value| draws.contains(&value)), "every value comes up in 1000 draws");
        assert_eq!(rng.below(0), 0);
    }
}
