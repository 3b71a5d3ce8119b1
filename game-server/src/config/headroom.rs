//! When a server has enough to do, and takes nobody new.

use serde::{Deserialize, Serialize};

/// How busy a worker may be before it takes in no match that would cost it more. 0 for no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HeadroomConfig {
    /// Of a worker's time, over two seconds: what it works, and what the matches that it has just
    /// taken in will cost.
    pub busy_percent: u8,
    /// Of a worker's ticks, over two seconds: those that start more than an interval late.
    pub late_percent: u8,
}

impl Default for HeadroomConfig {
    fn default() -> Self {
        Self { busy_percent: 80, late_percent: 10 }
    }
}

impl HeadroomConfig {
    /// No limit.
    pub const NONE: Self = Self { busy_percent: 0, late_percent: 0 };
}
