//! One bound on one figure.

use super::figure;
use crate::report::{Bound, Operator, Report, Unit};

/// A figure, and what it must be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Threshold {
    pub(super) name: String,
    pub(super) operator: Operator,
    pub(super) limit: f64,
    pub(super) unit: Unit,
    /// A run that had no way to measure it passes.
    pub(super) only_if_measured: bool,
}

impl From<&Bound> for Threshold {
    fn from(bound: &Bound) -> Self {
        let only_if_measured = bound.held && bound.value.is_none();
        Self { name: bound.figure.clone(), operator: bound.operator, limit: bound.limit, unit: bound.unit, only_if_measured }
    }
}

impl Threshold {
    /// Whether it says the same of the same figure.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.name == other.name && self.operator == other.operator && (self.limit - other.limit).abs() < f64::EPSILON
    }

    /// What `report` says of it.
    pub(super) fn check(&self, report: &Report) -> Bound {
        let value = figure::look_up(&self.name, report).map_or(Err("there is no such figure"), |figure| figure.value);
        let held = value.map_or(self.only_if_measured, |value| self.operator.holds(value, self.limit));
        let mut bound = Bound {
            figure: self.name.clone(),
            operator: self.operator,
            limit: self.limit,
            unit: self.unit,
            value: value.ok(),
            held,
            sentence: String::new(),
        };
        if !held {
            bound.sentence = match value {
                Ok(_) => format!("{} was {}; it must be {}", self.name, bound.was(), bound.must_be()),
                Err(why) => format!("{} must be {}, but {why}", self.name, bound.must_be()),
            };
        }
        bound
    }
}
