//! What can be wrong with the settings.

use std::path::PathBuf;

/// What is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file given with `--config`.
    #[error("cannot read the config file {}: {error}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// The file is not TOML.
    #[error("the config file {}, line {line}: {reason}", file.display())]
    NotToml {
        /// The file.
        file: PathBuf,
        /// From 1.
        line: usize,
        /// Why.
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
        /// Why.
        reason: String,
    },
}
