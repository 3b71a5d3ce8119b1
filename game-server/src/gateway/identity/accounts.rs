//! People with an account at the game's identity provider, known by the tokens (JWT) it signs.
//!
//! A token that was good is known again by its hash, so that a player's calls cost one signature,
//! and a flood of forged tokens costs each address a few. [`token`] reads a token, [`keys`] what it
//! is signed with; the keys' file is looked at every [`LOOKS_AT_KEYS`].
//!
//! Invariants: what is remembered is bounded and expires no later than its token; with other keys
//! nothing is remembered; a file that gives no keys changes nothing.

pub(crate) mod keys;
mod members;
pub(crate) mod token;

use std::future::ready;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::{Answer, Authenticator, Identity, Refusal};
use crate::config::AccountsConfig;
use crate::http::address::ClientAddress;
use crate::http::budget::{Budget, Refused};
use crate::http::table::ExpiringTable;
use crate::metrics;
use crate::secrets::{Bearer, SecretHash};
use keys::{Keys, KeysError};
use token::{Account, Flaw, Rules};

/// Tokens that are known again. One more takes the place of the one that expires first.
const KNOWN_MAX: usize = 16_384;
/// How often the keys' file is looked at.
const LOOKS_AT_KEYS: Duration = Duration::from_secs(2);

/// Why nobody with an account can be let in.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    /// The keys' file cannot be read.
    #[error("cannot read accounts.jwt.keys_file {}: {error}", file.display())]
    Unreadable {
        /// `accounts.jwt.keys_file` of the settings.
        file: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// The keys' file gives no keys.
    #[error("accounts.jwt.keys_file {}: {error}", file.display())]
    NoKeys {
        /// `accounts.jwt.keys_file` of the settings.
        file: PathBuf,
        /// What is wrong in the file.
        error: KeysError,
    },
}

/// Lets in whoever brings a token that the identity provider signed.
pub(crate) struct Accounts {
    rules: Rules,
    file: PathBuf,
    known: Mutex<Known>,
    verifications: Budget,
    refused: Mutex<Refused>,
}

/// The keys, and what was found good with them.
struct Known {
    keys: Arc<Keys>,
    /// Of the file as it was looked at last, whether it was good or not.
    looked_at: SecretHash,
    tokens: ExpiringTable<SecretHash, Identity>,
}

impl Accounts {
    /// As the operator set them. `None` if there are none.
    pub(crate) fn new(config: &AccountsConfig) -> Result<Option<Arc<Self>>, AccountsError> {
        let jwt = &config.jwt;
        let (Some(algorithm), Some(file), Some(issuer), Some(audience)) =
            (jwt.algorithm, jwt.keys_file.clone(), jwt.issuer.clone(), jwt.audience.clone())
        else {
            return Ok(None);
        };
        let text = read(&file).map_err(|error| AccountsError::Unreadable { file: file.clone(), error })?;
        let keys = Keys::parse(&text, algorithm).map_err(|error| AccountsError::NoKeys { file: file.clone(), error })?;
        let known = Known { keys: Arc::new(keys), looked_at: hash(&text), tokens: ExpiringTable::new(KNOWN_MAX) };
        Ok(Some(Arc::new(Self {
            rules: Rules {
                algorithm,
                issuer,
                audience,
                leeway_s: jwt.leeway_s,
                name_claim: jwt.name_claim.clone(),
                rating_claim: jwt.rating_claim.clone(),
            },
            file,
            known: Mutex::new(known),
            verifications: Budget::new("accounts.verifications_per_minute", config.verifications_per_minute),
            refused: Mutex::default(),
        })))
    }

    /// Looks for other keys, for ever.
    pub(crate) async fn keep_keys(&self) {
        let mut interval = tokio::time::interval(LOOKS_AT_KEYS);
        loop {
            interval.tick().await;
            let file = self.file.clone();
            // A disk that hangs must not stop the gateway.
            let read = tokio::task::spawn_blocking(move || read(&file)).await;
            self.renew_keys(read.unwrap_or_else(|error| Err(io::Error::other(error))));
        }
    }

    /// Forgets what has expired.
    pub(crate) fn purge(&self, now: Instant) {
        self.known().tokens.purge(now);
        self.verifications.forget_idle();
    }

    /// Takes the keys that a file has now. Says nothing again about one that was looked at before.
    fn renew_keys(&self, text: io::Result<Vec<u8>>) {
        let file = self.file.display();
        let looked_at = text.as_ref().map_or_else(|error| hash(error.to_string().as_bytes()), |text| hash(text));
        let mut known = self.known();
        if known.looked_at == looked_at {
            return;
        }
        known.looked_at = looked_at;
        match text.map_err(|error| error.to_string()).and_then(|text| self.parse(&text).map_err(|error| error.to_string())) {
            Ok(keys) => {
                tracing::info!(%file, keys = keys.count(), "the keys for sign-in have changed");
                known.keys = Arc::new(keys);
                known.tokens = ExpiringTable::new(KNOWN_MAX);
            }
            Err(error) => tracing::error!(%file, error, "the keys for sign-in stay as they were: their file gives none"),
        }
    }

    fn parse(&self, text: &[u8]) -> Result<Keys, KeysError> {
        Keys::parse(text, self.rules.algorithm)
    }

    fn recognise(&self, now: Instant, client: ClientAddress, token: &str) -> Result<Identity, Refusal> {
        let id = hash(token.as_bytes());
        let keys = {
            let mut known = self.known();
            if let Some(identity) = known.tokens.get_mut(now, &id) {
                return Ok(identity.clone());
            }
            Arc::clone(&known.keys)
        };
        let unix = unix_now();
        let unverified = self.rules.read(token, unix).map_err(|flaw| self.refuse(now, client, flaw))?;
        self.verifications.check(client).map_err(Refusal::TooMany)?;
        let Account { subject, name, expires, rating } = unverified.verify(&keys).map_err(|flaw| self.refuse(now, client, flaw))?;
        let expires = now + Duration::from_secs(expires.saturating_sub(unix));
        let identity = Identity { subject, name, expires: Some(expires), rating };
        let mut known = self.known();
        if Arc::ptr_eq(&known.keys, &keys) {
            known.tokens.insert_evicting(now, id, identity.clone(), expires);
        }
        Ok(identity)
    }

    fn refuse(&self, now: Instant, client: ClientAddress, flaw: Flaw) -> Refusal {
        let flaw_name = flaw.name();
        metrics::count_sign_in_refusal(flaw_name);
        tracing::debug!(%client, flaw = flaw_name, "a sign-in was refused");
        if flaw == Flaw::Expired {
            return Refusal::Expired;
        }
        if let Some(refused) = self.refused.lock().unwrap_or_else(PoisonError::into_inner).count(now) {
            tracing::warn!(%client, flaw = flaw_name, refused, "sign-ins were refused, the last of them from this address for this flaw");
        }
        Refusal::NotAccepted
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Authenticator for Accounts {
    fn authenticate<'a>(&'a self, now: Instant, client: ClientAddress, credential: Bearer<'a>) -> Answer<'a> {
        Box::pin(ready(self.recognise(now, client, credential.reveal())))
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Accounts").field("rules", &self.rules).field("file", &self.file).finish_non_exhaustive()
    }
}

/// The file, and no more of it than it may have.
fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    std::fs::File::open(file)?.take(keys::FILE_BYTES_MAX as u64 + 1).read_to_end(&mut text)?;
    Ok(text)
}

fn hash(bytes: &[u8]) -> SecretHash {
    Sha256::digest(bytes).into()
}

/// Seconds since 1970, which tokens are written in. A clock before that makes every token one of
/// the future.
fn unix_now() -> u64 {
    crate::clock::unix().as_secs()
}

#[cfg(test)]
mod tests;
