//! The keys in force: the file is looked at every [`LOOKS_AT_KEYS`], so that they change without a
//! restart.
//!
//! Invariant: a file that gives no keys changes nothing.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::keys::{self, Cause, Keys, TicketKeysError};
use crate::config::TicketConfig;
use crate::secrets::SecretHash;

/// How often the keys' file is looked at.
const LOOKS_AT_KEYS: Duration = Duration::from_secs(2);

/// Has the keys.
#[derive(Debug)]
pub(crate) struct Signer {
    file: Option<PathBuf>,
    keys: RwLock<Arc<Keys>>,
    /// What the file held when it was looked at last, whether that was good or not.
    looked_at: Mutex<Option<SecretHash>>,
}

impl Signer {
    /// As the operator set it.
    pub(crate) fn new(config: &TicketConfig) -> Result<Self, TicketKeysError> {
        let keys = RwLock::new(Arc::new(Keys::new(config)?));
        Ok(Self { file: config.key_file.clone(), keys, looked_at: Mutex::default() })
    }

    /// The keys now.
    pub(crate) fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks for other keys, for ever.
    pub(crate) async fn keep_keys(&self) {
        let Some(file) = &self.file else { return };
        let mut interval = tokio::time::interval(LOOKS_AT_KEYS);
        loop {
            interval.tick().await;
            let read = {
                let file = file.clone();
                // A disk that hangs must not stop the gateway.
                tokio::task::spawn_blocking(move || keys::read(&file)).await
            };
            if let Ok(read) = read {
                self.renew(read);
            }
        }
    }

    /// Takes these keys, as a file has them.
    pub(crate) fn take(&self, text: &[u8]) {
        self.renew(Ok(text.to_vec()));
    }

    /// Takes the keys that the file has now. Says nothing again about one that was looked at
    /// before.
    fn renew(&self, text: Result<Vec<u8>, Cause>) {
        let looked_at = match &text {
            Ok(text) => Sha256::digest(text),
            Err(cause) => Sha256::digest(cause.to_string()),
        };
        let before = self.looked_at.lock().unwrap_or_else(PoisonError::into_inner).replace(looked_at.into());
        if before == Some(looked_at.into()) {
            return;
        }
        match text.and_then(|text| Keys::parse(&text)) {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                if before.is_some() {
                    tracing::info!("the keys for tickets have changed");
                }
            }
            Err(cause) => tracing::error!(%cause, "the keys for tickets stay as they were: tickets.key_file gives none"),
        }
    }
}

impl Default for Signer {
    /// With a key of its own.
    fn default() -> Self {
        Self { file: None, keys: RwLock::new(Arc::new(Keys::random())), looked_at: Mutex::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_keys_are_taken_and_no_keys_change_nothing() {
        let signer = Signer::default();
        let sign = || signer.keys().sign(b"x");
        let of = |text: &str| Keys::parse(text.as_bytes()).expect("good").sign(b"x");
        let (one, other) = ("0a1b".repeat(16), "2c3d".repeat(16));
        signer.renew(Ok(one.clone().into_bytes()));
        assert_eq!(sign(), of(&one));
        for nothing in [Ok(b"gone".to_vec()), Err(Cause::Public), Ok(Vec::new())] {
            signer.renew(nothing);
            assert_eq!(sign(), of(&one));
        }
        signer.renew(Ok(format!("{other}\n{one}").into_bytes()));
        assert_eq!(sign(), of(&other));
    }
}
