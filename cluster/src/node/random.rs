//! Randomness that a seed decides: `SplitMix64`.

use std::time::Duration;

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The `part`th sequence of `seed`.
    pub(super) fn new(seed: u64, part: u64) -> Self {
        Self(seed ^ mix(part))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Three to five quarters of `time`, so that nodes that started together do not stay so.
    pub(super) fn about(&mut self, time: Duration) -> Duration {
        time * 3 / 4 + time / 2 * u32::from(self.next() as u16) / u32::from(u16::MAX)
    }
}

/// Spreads a number over all others.
pub(super) fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_a_quarter() {
        let mut random = Random::new(1, 2);
        let times: Vec<Duration> = (0..1_000).map(|_| random.about(Duration::from_millis(100))).collect();
        assert!(times.iter().all(|time| (75..=125).contains(&time.as_millis())));
        assert!(times.iter().any(|time| time.as_millis() < 80) && times.iter().any(|time| time.as_millis() > 120));
    }
}
