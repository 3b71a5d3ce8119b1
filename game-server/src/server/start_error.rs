//! Why a server does not start, in a line for its operator.

use std::io;
use std::path::PathBuf;

use crate::config::ConfigError;
use crate::gateway::{AccountsError, TicketKeysError};
use crate::journal::RecoveryError;
use crate::ops::auth::TokenError;
use crate::ops::descriptors::TooFew as TooFewDescriptors;
use crate::sockets::SocketsError;
use crate::tls::MaterialError;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings contradict each other.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The page was not built.
    #[error("there is no page in {}: build it (cargo xtask play does), or serve none by leaving web_dir empty", web_dir.display())]
    NoPage {
        /// Where it should be.
        web_dir: PathBuf,
    },
    /// Operators cannot be let in.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The certificate or its key cannot be used.
    #[error("TLS: {0}")]
    Tls(#[from] MaterialError),
    /// People with an account cannot be let in.
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    /// Matches cannot be kept where the operator wants them.
    #[error(transparent)]
    Journal(#[from] RecoveryError),
    /// Tickets cannot be signed.
    #[error(transparent)]
    Tickets(#[from] TicketKeysError),
    /// What servers share cannot be used as it was given.
    #[error("cluster.store: {0}")]
    Store(String),
    /// There would be more connections than the system allows.
    #[error(transparent)]
    Descriptors(#[from] TooFewDescriptors),
    /// An address cannot be listened on.
    #[error(transparent)]
    Sockets(#[from] SocketsError),
    /// The system gave no thread or no event queue.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

impl StartError {
    /// Whether it is the settings' fault, so that trying again does not help.
    pub const fn is_settings(&self) -> bool {
        use StartError::{Accounts, Config, Descriptors, NoPage, Store, Tickets, Tls, Token};

        matches!(self, Config(_) | NoPage { .. } | Token(_) | Tls(_) | Accounts(_) | Tickets(_) | Store(_) | Descriptors(_))
    }
}
