//! Guests: whoever gives a name is given a random token, and is the same person for as long as the
//! server keeps their session.
//!
//! Invariant: only the SHA-256 of a token is kept, as the id of its session.

use std::future::ready;
use std::sync::Arc;
use std::time::Instant;

use tickwire_protocol::Secret;
use tickwire_protocol::text::Name;

use super::{Answer, Authenticator, Identity, Refusal, names};
use crate::gateway::sessions::{Known, Sessions};
use crate::http::address::{AddressKey, ClientAddress};
use crate::matches::PlayerKey;
use crate::secrets::{Bearer, hash, random_bytes};

/// Lets in whoever has the token of a session.
#[derive(Clone, Debug)]
pub(crate) struct Guests(Arc<Sessions>);

/// What a new guest is told.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Shows who they are. It is kept nowhere else.
    pub(crate) token: Secret,
    /// How the others see them.
    pub(crate) name: Name,
}

impl Guests {
    /// Those who have one of these sessions.
    pub(crate) fn new(sessions: Arc<Sessions>) -> Self {
        Self(sessions)
    }

    /// A session for someone at `address` who typed `name`.
    pub(crate) fn open(&self, now: Instant, name: &str, address: AddressKey) -> Opened {
        let (token, name) = (Secret(random_bytes()), names::clean(name));
        self.0.enter(now, Known { id: PlayerKey(hash(token)), name: name.clone(), expires: None }, address);
        Opened { token, name }
    }

    fn recognise(&self, now: Instant, token: &str) -> Result<Identity, Refusal> {
        let token: Secret = token.parse().map_err(|_| Refusal::Unknown)?;
        let subject = PlayerKey(hash(token));
        let name = self.0.name(now, subject).ok_or(Refusal::Unknown)?;
        Ok(Identity { subject, name, expires: None })
    }
}

impl Authenticator for Guests {
    fn authenticate<'a>(&'a self, now: Instant, _: ClientAddress, credential: Bearer<'a>) -> Answer<'a> {
        Box::pin(ready(self.recognise(now, credential.reveal())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::gateway::sessions::IDLE_MAX;

    #[test]
    fn a_token_shows_who_a_guest_is_as_long_as_there_is_a_session() {
        let start = Instant::now();
        let guests = Guests::new(Sessions::new(&Config::default()));
        let [ada, bob] = [" Ada\n", "Bob"].map(|name| guests.open(start, name, AddressKey::V4([192, 0, 2, 1])));
        assert_eq!(ada.name.as_str(), "Ada");
        let recognised = guests.recognise(start, &ada.token.reveal()).expect("known");
        assert_eq!((recognised.name, recognised.expires), (ada.name, None));
        assert_ne!(recognised.subject, guests.recognise(start, &bob.token.reveal()).expect("known").subject);
        assert_eq!(guests.recognise(start + IDLE_MAX, &ada.token.reveal()), Err(Refusal::Unknown));
        for nobodys in ["", "x", &Secret([7; 16]).reveal(), &format!("{}0", bob.token.reveal())] {
            assert_eq!(guests.recognise(start, nobodys), Err(Refusal::Unknown), "{nobodys:?}");
        }
    }
}
