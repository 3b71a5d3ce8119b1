//! Strangers become players: the HTTP API, sessions and seats, handshake and admission.
//!
//! In the order in which a stranger meets them: [`api`] (HTTP), [`identity`], [`sessions`] and
//! [`seating`] (who it is, and a seat), [`upgrade`] (a WebSocket) or [`stream`] (the same over
//! HTTP), [`admission`] (Hello, and off to the match). In a [`queue`] people wait for others, for
//! whom [`matchmaking`] makes matches. [`bans`] keeps people out, [`moderation`] also takes them
//! out, and after bad [`conduct`] they wait. [`kept`] is what the next process remembers. Runs on a
//! thread of its own, apart from the matches: whatever strangers do, no tick waits for it.
//!
//! Invariants: everything a stranger can make the gateway remember is bounded and expires; nothing
//! a stranger sends can make it panic; tokens are stored as hashes only and appear in no log.

mod admission;
mod adopted;
mod api;
pub(crate) mod bans;
mod conduct;
mod creations;
mod crowd;
mod elsewhere;
mod expected;
mod game_facts;
mod holdings;
mod identity;
mod kept;
mod ledger;
mod match_list;
mod matchmaking;
mod moderation;
pub(crate) mod problems;
mod queue;
mod queue_api;
mod quick_play;
mod rates;
mod recall;
mod routes;
mod seating;
mod sessions;
mod shared;
mod stream;
mod streams;
mod tickets;
pub(crate) mod upgrade;
mod watched;

pub(crate) use game_facts::GameFacts;
pub(crate) use identity::accounts::Accounts;
pub use identity::accounts::AccountsError;
pub use identity::accounts::keys::{Keys, KeysError};
pub use identity::accounts::token::{Account, Flaw, Rules, Unverified};
pub(crate) use kept::Remembered;
pub(crate) use routes::router;
pub(crate) use shared::Gateway;
pub use tickets::{TicketDesk, keys::TicketKeysError};
pub(crate) use tickets::{keys::Keys as TicketKeys, signer::Signer};
