//! What a supervisor does when the server dies.

use serde::{Deserialize, Serialize};

/// What a supervisor does when the server dies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SuperviseConfig {
    /// A server that dies so often within a minute is not started again.
    pub deaths_per_minute: u32,
}

impl Default for SuperviseConfig {
    fn default() -> Self {
        Self { deaths_per_minute: 10 }
    }
}
