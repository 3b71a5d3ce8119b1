//! Time as a match counts it.

use tickwire_protocol::codec::{Decode, Encode};

/// How long a match has existed, in intervals of its tick: it goes on while nobody is connected and
/// there are no ticks.
///
/// ```
/// use tickwire_match::Age;
///
/// let later = Age(90).plus(30);
/// assert_eq!((later, later.since(Age(90)), Age(90).since(later)), (Age(120), 30, 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub struct Age(pub u64);

impl Age {
    /// `ticks` later.
    #[must_use]
    pub const fn plus(self, ticks: u32) -> Self {
        Self(self.0.saturating_add(ticks as u64))
    }

    /// Ticks from `earlier` until now; 0 if that is still to come.
    pub const fn since(self, earlier: Self) -> u32 {
        let ticks = self.0.saturating_sub(earlier.0);
        if ticks > u32::MAX as u64 { u32::MAX } else { ticks as u32 }
    }
}

/// The ticks that last for `ms` milliseconds at `rate` ticks per second, rounded up; at most half
/// of all there are, since further apart nobody can tell the earlier of two.
///
/// ```
/// use tickwire_match::ticks;
///
/// assert_eq!([1_000, 1_001].map(|ms| ticks(ms, 30)), [30, 31]);
/// ```
pub fn ticks(ms: u64, rate: u8) -> u32 {
    let ticks = ms.saturating_mul(rate.into()).div_ceil(1_000);
    ticks.min(i32::MAX as u64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_in_ticks_is_never_too_short_and_bounded() {
        assert_eq!([0, 1, 1_000, 1_001, u64::MAX].map(|ms| ticks(ms, 30)), [0, 1, 30, 31, i32::MAX as u32]);
    }

    #[test]
    fn an_age_never_runs_backwards() {
        let age = Age(5);
        assert_eq!((age.plus(3).since(age), age.since(age.plus(3))), (3, 0));
        assert_eq!(Age(u64::MAX).since(Age(0)), u32::MAX);
    }
}
