//! Strangers become players: accept, handshake, admission, the HTTP API and the page.
//!
//! In the order in which a stranger meets them: [`caps`] and [`listener`] (a connection), [`page`] and [`api`] (HTTP),
//! [`guests`] and [`seating`] (a session and a seat), [`upgrade`] (a WebSocket), [`admission`] (Hello, and off to the match). Runs on a thread of its own, apart from the
//! matches: whatever strangers do, no tick waits for it.
//!
//! Invariants: everything a stranger can make the gateway remember is bounded and expires; nothing a stranger sends can
//! make it panic; tokens are stored as hashes only and appear in no log.

pub mod address;
pub mod admission;
pub mod api;
pub mod caps;
pub mod cors;
pub mod creations;
pub mod expected;
pub mod guests;
pub mod headers;
pub mod holdings;
pub mod ledger;
pub mod listener;
pub mod match_list;
pub mod names;
pub mod origin;
pub mod pace;
pub mod page;
pub mod problem;
pub mod quick_play;
pub mod rates;
pub mod refusals;
pub mod request;
pub mod seating;
pub mod table;
pub mod tickets;
pub mod upgrade;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use tickwire_game::GameDef;
use tickwire_protocol::{ClientMessage, Credential};

use crate::config::Config;
use crate::matches::Directory;
use crate::transport::Kind;
use caps::Caps;
use creations::Creations;
use guests::Guests;
use ledger::Ledger;
use listener::Peer;
use match_list::MatchList;
use origin::AllowedOrigins;
use problem::Problem;
use quick_play::QuickPlay;
use rates::Rates;
use refusals::{Cause, Refusals};

/// How often what has expired is forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(10);

/// What the gateway needs to know of the game it admits to.
#[derive(Clone, Copy, Debug)]
pub struct GameFacts {
    /// Its stable name.
    pub name: &'static str,
    /// Its [`tickwire_protocol::Schema::hash`].
    pub schema_hash: u64,
    /// Decodes a first message: `None` unless it is a Hello.
    decode_hello: fn(&[u8]) -> Option<Hello>,
}

/// What a client says first.
#[derive(Clone, Copy, Debug)]
struct Hello {
    protocol: u16,
    schema: u64,
    credential: Credential,
}

impl GameFacts {
    /// Of game `G`.
    pub fn of<G: GameDef>() -> Self {
        let decode_hello = |bytes: &[u8]| match ClientMessage::<G::Input>::decode(bytes) {
            Ok(ClientMessage::Hello { protocol, schema, credential }) => Some(Hello { protocol, schema, credential }),
            _ => None,
        };
        Self { name: G::NAME, schema_hash: G::SCHEMA.hash(), decode_hello }
    }
}

/// What all of the gateway's tasks share.
pub struct Gateway {
    game: GameFacts,
    config: Arc<Config>,
    directory: Arc<Directory>,
    caps: Arc<Caps>,
    origins: AllowedOrigins,
    refusals: Refusals,
    guests: Mutex<Guests>,
    ledger: Ledger,
    creations: Arc<Creations>,
    quick_play: QuickPlay,
    match_list: MatchList,
    rates: Rates,
}

impl Gateway {
    /// With empty tables.
    pub fn new(game: GameFacts, config: Arc<Config>, directory: Arc<Directory>) -> Arc<Self> {
        Arc::new(Self {
            game,
            caps: Caps::new(&config.connections),
            origins: AllowedOrigins::new(&config.allowed_origins),
            refusals: Refusals::default(),
            guests: Mutex::new(Guests::new(&config)),
            ledger: Ledger::default(),
            creations: Creations::new(&config.sessions),
            quick_play: QuickPlay::new(Arc::clone(&directory)),
            match_list: MatchList::default(),
            rates: Rates::new(&config.rates),
            config,
            directory,
        })
    }

    /// Everything the players' listener answers: the API, the WebSocket, whether it lives, and the page.
    pub fn router(self: &Arc<Self>) -> Router {
        let alive = Router::new().route("/healthz", get(async || ([(CACHE_CONTROL, "no-store")], "ok\n")));
        let page = page::player_router(&self.config.web_dir);
        let routes = api::router(self).merge(admission::router(self)).merge(alive).fallback_service(page);
        let routes = routes.layer(cors::layer(&self.origins)).layer(from_fn_with_state(Arc::clone(self), notice_strangers));
        headers::secured(routes, &self.origins)
    }

    /// What carries connections into matches.
    pub fn transport(&self) -> Kind {
        self.config.transport.kind().unwrap_or(Kind::Portable)
    }

    /// The connections there are.
    pub fn caps(&self) -> &Arc<Caps> {
        &self.caps
    }

    /// The answer to a page whose WebSocket is refused.
    pub fn refuse_page(&self, cause: Cause, peer: &Peer, headers: &HeaderMap) -> Problem {
        self.refusals.refuse(Instant::now(), cause, peer, headers)
    }

    /// Guest sessions, and tickets whose time is not over.
    pub fn table_sizes(&self) -> (usize, usize) {
        (self.guests().len(), self.ledger.tickets())
    }

    /// Forgets what has expired, for ever.
    pub async fn keep_house(&self) {
        let mut interval = tokio::time::interval(HOUSEKEEPING);
        loop {
            interval.tick().await;
            let now = Instant::now();
            self.guests().purge(now);
            self.ledger.purge(now);
            self.refusals.purge(now);
            self.rates.forget_idle();
        }
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the operator of pages that call the API and could not connect: the first sign that a site is set up wrong.
async fn notice_strangers(State(gateway): State<Arc<Gateway>>, Extension(peer): Extension<Peer>, request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") && !gateway.origins.allow(request.headers()) {
        gateway.refusals.tell(Instant::now(), Cause::Origin, &peer, request.headers());
    }
    next.run(request).await
}
