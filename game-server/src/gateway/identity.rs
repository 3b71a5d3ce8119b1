//! Who a caller of the API is. [`Authenticator`] is the seam: [`guests`] and [`accounts`] are
//! behind it, [`everyone`] is both. Nothing outside of this room knows what a credential looks
//! like. [`names`] makes what people call themselves fit to be shown.

pub(crate) mod accounts;
pub(crate) mod everyone;
pub(crate) mod guests;
pub(crate) mod names;

use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::http::address::ClientAddress;
use crate::matches::PlayerKey;
use crate::secrets::Bearer;
use tickwire_protocol::text::Name;

/// Says whose a credential is.
pub(crate) trait Authenticator: Send + Sync {
    /// Whose `credential` is: what a request brings as `Authorization: Bearer`.
    ///
    /// It is asked before the budget of the caller, who is at `client`, is known, so it must be
    /// cheap or limit itself.
    fn authenticate<'a>(&'a self, now: Instant, client: ClientAddress, credential: Bearer<'a>) -> Answer<'a>;
}

/// What an [`Authenticator`] says, once it knows.
pub(crate) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Identity, Refusal>> + Send + 'a>>;

/// Somebody the server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Who the person is, whatever the credential. No secret: it admits to nothing.
    pub(crate) subject: PlayerKey,
    /// How the others see them.
    pub(crate) name: Name,
    /// When the credential is good no more; `None` if that is not known beforehand.
    pub(crate) expires: Option<Instant>,
    /// How good they are, if whoever knows that has said it.
    pub(crate) rating: Option<i32>,
}

/// Why a caller is not known. A page can act on each: make a session, sign in again, or wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It brought no credential.
    Missing,
    /// Its credential is nobody's, or was forgotten.
    Unknown,
    /// Its credential was good once.
    Expired,
    /// The identity provider did not sign its credential, or not for here, or not for now.
    NotAccepted,
    /// Too many credentials were brought from its address. It may ask again after so long.
    TooMany(Duration),
    /// Nobody can say at the moment. It may ask again after so long.
    Unavailable(Duration),
}
