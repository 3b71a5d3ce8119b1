//! What those who run the server see of it: the operator's listener and the monitoring system's.
//!
//! [`admin`] is the operator's: [`auth`] lets operators in, [`dashboard`] tells of matches,
//! [`spectate`] shows one, [`moderate`] looks after the people in them, and [`audit`] remembers
//! what operators did. [`monitoring`] is the monitoring system's: [`scrape`] writes the figures of
//! the whole server as text, `healthz` and `readyz` say whether it lives and takes players. Both
//! ask the [`observer`], which keeps what matches counted ([`match_watch`]); [`process`] and
//! [`descriptors`] ask the operating system.
//!
//! Invariants: everything under `/admin/api` needs the token; there is no default token; who
//! watched what is in the log under the target `audit`, and the token is in none.

pub(crate) mod admin;
pub(crate) mod audit;
pub(crate) mod auth;
pub(crate) mod dashboard;
pub(crate) mod descriptors;
pub(crate) mod match_watch;
pub(crate) mod moderate;
pub(crate) mod monitoring;
pub(crate) mod observer;
pub(crate) mod process;
mod relay;
pub(crate) mod scrape;
pub(crate) mod spectate;
