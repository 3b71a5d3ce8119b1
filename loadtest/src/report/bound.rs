//! A bound on one figure and what was measured: what a verdict is made of, and what is shown beside
//! the figures.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a figure must be, and what it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// The figure, as a thresholds file calls it.
    pub figure: String,
    /// How the value must stand to the limit.
    pub operator: Operator,
    /// In the figure's unit; shares are 0 to 1.
    pub limit: f64,
    /// The figure's unit.
    pub unit: Unit,
    /// What was measured, if it was.
    pub value: Option<f64>,
    /// Whether it held.
    pub held: bool,
    /// What to say if it did not; empty if it did.
    pub sentence: String,
}

/// How a value must stand to a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operator {
    /// Below it.
    #[serde(rename = "<")]
    Less,
    /// At or below it.
    #[serde(rename = "<=")]
    AtMost,
    /// Above it.
    #[serde(rename = ">")]
    More,
    /// At or above it.
    #[serde(rename = ">=")]
    AtLeast,
    /// Exactly it.
    #[serde(rename = "=")]
    Equal,
}

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// A time.
    Milliseconds,
    /// 0 to 1, shown in percent.
    Share,
    /// A count, or an amount.
    Plain,
}

impl Bound {
    /// What the figure must be, such as `>= 99 %`.
    pub fn must_be(&self) -> String {
        format!("{} {}", self.operator.sign(), self.unit.shown(self.limit, self.limit))
    }

    /// What it was.
    pub fn was(&self) -> String {
        self.value.map_or_else(|| "not measured".to_owned(), |value| self.unit.shown(value, self.limit))
    }
}

impl Operator {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Less, Self::AtMost, Self::More, Self::AtLeast, Self::Equal];

    /// As people write it.
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
        }
    }

    /// Values are sums and quotients: what differs in the last bits only is equal.
    pub fn holds(self, value: f64, limit: f64) -> bool {
        let is_equal = (value - limit).abs() <= 1e-9 * limit.abs().max(1.0);
        match self {
            Self::Less => value < limit && !is_equal,
            Self::AtMost => value <= limit || is_equal,
            Self::More => value > limit && !is_equal,
            Self::AtLeast => value >= limit || is_equal,
            Self::Equal => is_equal,
        }
    }
}

impl Unit {
    /// `value` in this unit, with enough digits to tell it from `limit`.
    pub fn shown(self, value: f64, limit: f64) -> String {
        let (number, of) = (self.in_unit(value), self.in_unit(limit));
        let short = |number: f64| trimmed(&format!("{number:.2}"));
        let digits = if short(number) == short(of) && (value - limit).abs() > 0.0 { number.to_string() } else { short(number) };
        format!("{digits}{self}")
    }

    fn in_unit(self, value: f64) -> f64 {
        if self == Self::Share { value * 100.0 } else { value }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Milliseconds => " ms",
            Self::Share => " %",
            Self::Plain => "",
        })
    }
}

fn trimmed(number: &str) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_that_differ_in_their_last_bits_are_equal() {
        let sum = 0.1 + 0.2;
        assert!(Operator::Equal.holds(sum, 0.3) && Operator::AtLeast.holds(0.3, sum) && !Operator::Less.holds(0.3, sum));
        assert!(Operator::More.holds(0.31, sum) && !Operator::AtMost.holds(0.31, sum));
    }

    #[test]
    fn a_value_is_told_from_its_limit() {
        assert_eq!(Unit::Share.shown(0.98, 0.99), "98 %");
        assert_eq!(Unit::Milliseconds.shown(61.2, 50.0), "61.2 ms");
        assert!(Unit::Plain.shown(49.9999, 50.0).starts_with("49.9999"));
    }
}
