//! Tickets: what they are signed with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What tickets are signed with.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TicketConfig {
    /// File of the keys, which is made if there is none; absent for a key of this server's own,
    /// which is kept where its matches are kept, if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}
