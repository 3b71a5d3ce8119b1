//! The toolkit of every listener: connections and requests of strangers, bounded and answered.
//!
//! In the order in which a request meets them: `listener` accepts it under `caps`, or `accepting`
//! says what else, and paces it with `pace`, `proxy_protocol` reads what a proxy may say before it,
//! `remote` says whom it is for, by `proxies` and what `forwarded` reads, and `address` what counts
//! as one stranger, `host` by which name it may ask, `origin` which pages may, `limiter` and
//! `budget` how often; `request` reads it. `problem`, `page`, `headers` and `cors` are what answers
//! are made of; `to_https` is the answer where TLS was meant; `refusals` tells the operator why a
//! page cannot connect.
//!
//! Invariants: everything a stranger can make this room remember is bounded and expires; nothing a
//! stranger sends can make it panic. It knows of no game, no match and no session.

pub(crate) mod accepting;
pub(crate) mod address;
pub(crate) mod budget;
pub(crate) mod caps;
pub(crate) mod cors;
pub mod forwarded;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod limiter;
pub(crate) mod listener;
pub(crate) mod neighbours;
pub(crate) mod origin;
pub(crate) mod pace;
pub(crate) mod page;
pub(crate) mod problem;
pub(crate) mod proxies;
pub mod proxy_header;
pub(crate) mod proxy_protocol;
pub(crate) mod refusals;
pub(crate) mod remote;
pub(crate) mod request;
pub(crate) mod table;
pub(crate) mod to_https;
