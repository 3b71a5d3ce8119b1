//! What can be wrong with the settings.

use std::path::PathBuf;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file given with `--config`.
    #[error("cannot read the config file {}: {error}", file.display())]
    Unreadable {
        /// The file of `--config`.
        file: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the config file {}, line {line}: {reason}", file.display())]
    NotToml {
        /// The file of `--config`.
        file: PathBuf,
        /// The line with the mistake, from 1.
        line: usize,
        /// What TOML's parser says.
        reason: String,
    },
    /// A key that the config does not have.
    #[error("unknown setting `{key}` in {layer}")]
    Unknown {
        /// The key, with the tables around it.
        key: String,
        /// Where it was set.
        layer: String,
    },
    /// A value that is not what its key takes, or not sensible.
    #[error("bad setting `{key}`: {reason}")]
    Bad {
        /// The key, with the tables around it.
        key: String,
        /// What TOML's parser says.
        reason: String,
    },
}

/// Refuses the setting `key` for this `reason`, unless it holds.
pub(super) fn demand(holds: bool, key: &str, reason: &str) -> Result<(), ConfigError> {
    if holds { Ok(()) } else { Err(ConfigError::Bad { key: key.to_owned(), reason: reason.to_owned() }) }
}
