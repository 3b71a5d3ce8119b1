//! Guests and people with accounts, as the operator lets them in. A token of the identity provider
//! has dots, a guest's has none.

use std::future::ready;
use std::sync::Arc;
use std::time::Instant;

use super::accounts::Accounts;
use super::guests::Guests;
use super::{Answer, Authenticator, Refusal};
use crate::http::address::ClientAddress;
use crate::secrets::Bearer;

/// Lets in whoever may play.
#[derive(Debug)]
pub(crate) struct Everyone {
    /// `None` if guests are turned off.
    pub(crate) guests: Option<Guests>,
    /// `None` if there are no accounts.
    pub(crate) accounts: Option<Arc<Accounts>>,
}

impl Authenticator for Everyone {
    fn authenticate<'a>(&'a self, now: Instant, client: ClientAddress, credential: Bearer<'a>) -> Answer<'a> {
        let is_accounts = credential.reveal().contains('.');
        match (&self.accounts, &self.guests) {
            (Some(accounts), _) if is_accounts => accounts.authenticate(now, client, credential),
            (_, Some(guests)) => guests.authenticate(now, client, credential),
            (_, None) => Box::pin(ready(Err(Refusal::Unknown))),
        }
    }
}
