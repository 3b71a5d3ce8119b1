//! Which of many clients gets which network.

use std::fmt::{self, Display};
use std::str::FromStr;

use super::conditions::Conditions;
use super::text::ConditionsError;

/// Conditions by weight, written `wifi:60,4g:30,train:10`; conditions alone are a mix of one.
///
/// Weights are shares of their sum. Entries may be presets or settings: `delay=40ms,loss=1%:50,ideal:50`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct Mix {
    /// Never empty; weights are above 0.
    entries: Vec<(Conditions, u32)>,
}

impl Mix {
    /// Whether every client's network does nothing.
    pub fn is_ideal(&self) -> bool {
        self.entries.iter().all(|(conditions, _)| conditions.is_ideal())
    }

    /// The conditions of the `index`th client: the same for the same `seed`, and shared out evenly among any clients in a row, so that
    /// those who join one after another do not all get the same.
    pub fn deal(&self, index: usize, seed: u64) -> Conditions {
        // Steps of the golden ratio's fraction fill an interval evenly, however many are taken.
        let point = seed.wrapping_add((index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let total: u64 = self.entries.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut left = ((u128::from(point) * u128::from(total)) >> 64) as u64;
        for (conditions, weight) in &self.entries {
            let weight = u64::from(*weight);
            if left < weight {
                return *conditions;
            }
            left -= weight;
        }
        Conditions::ideal() // never: `left` is less than the sum
    }
}

impl From<Conditions> for Mix {
    fn from(conditions: Conditions) -> Self {
        Self { entries: vec![(conditions, 1)] }
    }
}

impl FromStr for Mix {
    type Err = ConditionsError;

    fn from_str(text: &str) -> Result<Self, ConditionsError> {
        if !text.contains(':') {
            return Ok(Self::from(text.parse::<Conditions>()?));
        }
        // Settings are separated as entries are; the weight ends an entry.
        let (mut entries, mut start) = (Vec::new(), 0);
        for (end, _) in text.match_indices(',').chain([(text.len(), "")]) {
            let Some((conditions, weight)) = text[start..end].split_once(':') else { continue };
            let weight = weight.trim().parse().ok().filter(|weight| *weight > 0);
            let weight = weight.ok_or_else(|| ConditionsError::BadWeight(text[start..end].trim().to_string()))?;
            entries.push((conditions.parse()?, weight));
            start = end + 1;
        }
        match text.get(start..) {
            Some(rest) => Err(ConditionsError::BadWeight(rest.trim().to_string())),
            None => Ok(Self { entries }),
        }
    }
}

impl TryFrom<String> for Mix {
    type Error = ConditionsError;

    fn try_from(text: String) -> Result<Self, ConditionsError> {
        text.parse()
    }
}

impl Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [(conditions, 1)] = self.entries.as_slice() {
            return conditions.fmt(f);
        }
        let entries: Vec<String> = self.entries.iter().map(|(conditions, weight)| format!("{conditions}:{weight}")).collect();
        f.write_str(&entries.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(text: &str) -> Mix {
        text.parse().unwrap()
    }

    fn count(mix: &Mix, wanted: Conditions, indices: impl Iterator<Item = usize>) -> usize {
        indices.filter(|index| mix.deal(*index, 7) == wanted).count()
    }

    #[test]
    fn shares_are_as_weighed_among_all_and_among_some() {
        let mix = mix("wifi:60,4g:30,train:10");
        assert_eq!(count(&mix, Conditions::wifi(), 0..1000).abs_diff(600), 0);
        assert!(count(&mix, Conditions::train(), 0..1000).abs_diff(100) <= 2);
        assert!(count(&mix, Conditions::lte(), 500..600).abs_diff(30) <= 2, "any hundred in a row");
        assert!(count(&mix, Conditions::lte(), (0..3200).step_by(32)).abs_diff(30) <= 5, "those of one match");
    }

    #[test]
    fn the_seed_decides_who() {
        let mix = mix("wifi:1,4g:1");
        let dealt = |seed| (0..64).map(|index| mix.deal(index, seed)).collect::<Vec<_>>();
        assert_eq!(dealt(1 << 60), dealt(1 << 60));
        assert_ne!(dealt(0), dealt(1 << 62));
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in ["wifi:60,4g:30,train:10", "delay=40ms,loss=1%:50,ideal:50", "train", "delay=1ms,jitter=1ms"] {
            assert_eq!(mix(text).to_string(), text);
        }
        assert_eq!(mix("wifi:1").to_string(), "wifi");
    }

    #[test]
    fn errors_name_the_entry() {
        let error = |text: &str| text.parse::<Mix>().expect_err("this is no mix").to_string();
        assert_eq!(error("wifi:60,4g"), "`4g` needs a weight above 0, such as wifi:60");
        assert_eq!(error("wifi:0"), "`wifi:0` needs a weight above 0, such as wifi:60");
        assert_eq!(error("wifi:60,"), "`` needs a weight above 0, such as wifi:60");
        assert!(error("wifi:1,5g:2").starts_with("no network is called `5g`"));
        assert!(error("").starts_with("no network is called ``"));
    }
}
