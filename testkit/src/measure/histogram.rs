//! A histogram of microseconds: two significant digits, up to a minute, and bytes to keep it in a report.

use data_encoding::BASE64;
use hdrhistogram::serialization::{Deserializer, Serializer, V2Serializer};
use serde::{Deserialize, Serialize};

/// Longest time told apart; longer ones count as this, microseconds.
const MICROS_MAX: u64 = 60_000_000;
/// Significant digits: values within 1 % of each other count as one.
const DIGITS: u8 = 2;

/// Times in microseconds.
#[derive(Clone, Debug)]
pub struct Histogram(hdrhistogram::Histogram<u32>);

/// What is read off a histogram, milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Quantiles {
    /// Values.
    pub count: u64,
    /// Their mean.
    pub mean: f64,
    /// Half are at most this.
    pub p50: f64,
    /// 90 % are at most this.
    pub p90: f64,
    /// 99 % are at most this.
    pub p99: f64,
    /// 99.9 % are at most this.
    #[serde(rename = "p99.9")]
    pub p999: f64,
    /// The largest.
    pub max: f64,
}

impl Default for Histogram {
    #[allow(clippy::expect_used)] // constants
    fn default() -> Self {
        let mut histogram = hdrhistogram::Histogram::new(DIGITS).expect("two digits are legal");
        histogram.auto(true);
        Self(histogram)
    }
}

impl Histogram {
    /// Adds a time.
    pub fn record(&mut self, micros: u64) {
        // It cannot fail: it grows by itself, and the value is bounded.
        let _ = self.0.record(micros.min(MICROS_MAX));
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        if !other.is_empty() {
            // It cannot fail: it grows by itself.
            let _ = self.0.add(&other.0);
        }
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time that `quantile` (0 to 1) of the values do not exceed, milliseconds.
    pub fn ms_at(&self, quantile: f64) -> f64 {
        self.0.value_at_quantile(quantile) as f64 / 1000.0
    }

    /// Share of the values that are at most `micros`, 0 to 1; 1 if there are none.
    pub fn share_within(&self, micros: u64) -> f64 {
        if self.is_empty() { 1.0 } else { self.0.percentile_below(micros) / 100.0 }
    }

    /// The sum of the values that are at least `micros`, microseconds.
    pub fn sum_from(&self, micros: u64) -> f64 {
        let values = self.0.iter_recorded().filter(|step| step.value_iterated_to() >= micros);
        values.map(|step| step.value_iterated_to() as f64 * step.count_since_last_iteration() as f64).sum()
    }

    /// What people read.
    pub fn quantiles(&self) -> Quantiles {
        Quantiles {
            count: self.count(),
            mean: self.0.mean() / 1000.0,
            p50: self.ms_at(0.5),
            p90: self.ms_at(0.9),
            p99: self.ms_at(0.99),
            p999: self.ms_at(0.999),
            max: self.0.max() as f64 / 1000.0,
        }
    }

    /// Share of values up to each of `points` places, for a curve: pairs of milliseconds and share.
    pub fn curve(&self) -> Vec<(f64, f64)> {
        let total = self.count().max(1) as f64;
        let mut below = 0;
        let steps = self.0.iter_recorded().map(|step| {
            below += step.count_since_last_iteration();
            (step.value_iterated_to() as f64 / 1000.0, below as f64 / total)
        });
        steps.collect()
    }

    /// All of it as text, in HdrHistogram's V2 format and base 64, which its tools read in many languages.
    pub fn to_text(&self) -> String {
        let mut bytes = Vec::new();
        // It cannot fail: a vector takes everything.
        let _ = V2Serializer::new().serialize(&self.0, &mut bytes);
        BASE64.encode(&bytes)
    }

    /// Reads what [`Histogram::to_text`] wrote.
    pub fn from_text(text: &str) -> Result<Self, String> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|error| error.to_string())?;
        let histogram = Deserializer::new().deserialize(&mut bytes.as_slice()).map_err(|error| error.to_string())?;
        let mut read = Self::default();
        read.0.add(&histogram).map_err(|error| error.to_string())?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_brings_every_value_back() {
        let mut histogram = Histogram::default();
        for value in [0, 1, 33_333, 33_400, 1_000_000, u64::MAX] {
            histogram.record(value);
        }
        let read = Histogram::from_text(&histogram.to_text()).expect("reads back");
        assert_eq!(read.0, histogram.0);
        assert!(Histogram::from_text("AAAA").is_err() && Histogram::from_text("not base 64!").is_err());
    }

    #[test]
    fn values_are_told_apart_to_a_hundredth() {
        let mut histogram = Histogram::default();
        (0..99).for_each(|_| histogram.record(33_333));
        histogram.record(250_000);
        assert!((histogram.ms_at(0.5) / 33.333 - 1.0).abs() < 0.01 && (histogram.quantiles().max / 250.0 - 1.0).abs() < 0.01);
        assert!((histogram.share_within(50_000) - 0.99).abs() < 1e-9);
    }
}
