//! When memory runs short, and what follows.

use serde::{Deserialize, Serialize};

/// How much of the memory that this process may have is used before nobody new is let in, and
/// before the largest consumer is shed. 0 for never.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MemoryConfig {
    /// Bytes this process may have; 0 for what its control groups and the machine say.
    pub limit_bytes: u64,
    /// With so much of it in use nobody new is let in.
    pub brake_percent: u8,
    /// With so much of it in use the largest consumer is shed, one a second.
    pub shed_percent: u8,
}

impl Default for MemoryConfig {
    fn default() -> Self {
        Self { limit_bytes: 0, brake_percent: 85, shed_percent: 95 }
    }
}
