//! Guests: whoever gives a name is given a random token, and is the same person for as long as the
//! server keeps their session. Servers that share a store know each other's guests.
//!
//! Invariant: only the SHA-256 of a token is kept, as the id of its session.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tickwire_cluster::Store;
use tickwire_protocol::Secret;
use tickwire_protocol::text::Name;

use super::{Answer, Authenticator, Identity, Refusal, names};
use crate::gateway::sessions::{IDLE_MAX, Known, Sessions};
use crate::http::address::{AddressKey, ClientAddress};
use crate::matches::PlayerKey;
use crate::secrets::{Bearer, hash, random_bytes};

/// When it is worth asking a store again that is away.
const STORE_WAIT: Duration = Duration::from_secs(2);

/// Lets in whoever has the token of a session.
#[derive(Clone, Debug)]
pub(crate) struct Guests {
    sessions: Arc<Sessions>,
    /// What servers share, if there are several.
    store: Option<Arc<dyn Store>>,
}

/// Where the store keeps guests' names, by the hash of their tokens.
const GUESTS: &str = "guest";

/// What a new guest is told.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Shows who they are. It is kept nowhere else.
    pub(crate) token: Secret,
    /// How the others see them.
    pub(crate) name: Name,
}

impl Guests {
    /// Those who have one of these sessions, or one that another server opened.
    pub(crate) fn new(sessions: Arc<Sessions>, store: Option<Arc<dyn Store>>) -> Self {
        Self { sessions, store }
    }

    /// A session for someone at `address` who typed `name`.
    pub(crate) async fn open(&self, now: Instant, name: &str, address: AddressKey) -> Opened {
        let (token, name) = (Secret(random_bytes()), names::clean(name));
        let id = PlayerKey(hash(token));
        self.sessions.enter(now, Known { id, name: name.clone(), expires: None }, address);
        if let Some(store) = &self.store {
            // While the store is away, this server alone knows them.
            let _ = store.put(GUESTS, &id.0, Bytes::from(name.as_str().to_owned()), IDLE_MAX).await;
        }
        Opened { token, name }
    }

    async fn recognise(&self, now: Instant, token: &str) -> Result<Identity, Refusal> {
        let token: Secret = token.parse().map_err(|_| Refusal::Unknown)?;
        let subject = PlayerKey(hash(token));
        let name = match self.sessions.name(now, subject) {
            Some(name) => name,
            None => self.named_elsewhere(subject).await?,
        };
        Ok(Identity { subject, name, expires: None, rating: None })
    }

    /// Another server may have opened the session.
    async fn named_elsewhere(&self, subject: PlayerKey) -> Result<Name, Refusal> {
        let store = self.store.as_ref().ok_or(Refusal::Unknown)?;
        let name = store.get(GUESTS, &subject.0, Some(IDLE_MAX)).await.map_err(|_| Refusal::Unavailable(STORE_WAIT))?;
        let name = name.ok_or(Refusal::Unknown)?;
        Ok(Name::truncated(&String::from_utf8_lossy(&name)))
    }
}

impl Authenticator for Guests {
    fn authenticate<'a>(&'a self, now: Instant, _: ClientAddress, credential: Bearer<'a>) -> Answer<'a> {
        Box::pin(self.recognise(now, credential.reveal()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::gateway::sessions::IDLE_MAX;

    #[tokio::test]
    async fn a_token_shows_who_a_guest_is_as_long_as_there_is_a_session() {
        let start = Instant::now();
        let guests = Guests::new(Sessions::new(&Config::default()), None);
        let address = AddressKey::V4([192, 0, 2, 1]);
        let (ada, bob) = (guests.open(start, " Ada\n", address).await, guests.open(start, "Bob", address).await);
        assert_eq!(ada.name.as_str(), "Ada");
        let recognised = guests.recognise(start, &ada.token.reveal()).await.expect("known");
        assert_eq!((recognised.name, recognised.expires), (ada.name, None));
        assert_ne!(recognised.subject, guests.recognise(start, &bob.token.reveal()).await.expect("known").subject);
        assert_eq!(guests.recognise(start + IDLE_MAX, &ada.token.reveal()).await, Err(Refusal::Unknown));
        for nobodys in ["", "x", &Secret([7; 16]).reveal(), &format!("{}0", bob.token.reveal())] {
            assert_eq!(guests.recognise(start, nobodys).await, Err(Refusal::Unknown), "{nobodys:?}");
        }
    }
}
