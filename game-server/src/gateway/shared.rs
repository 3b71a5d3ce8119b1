//! What all of the gateway's tasks share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::HeaderMap;
use tickwire_cluster::Embedded;
use tickwire_protocol::MatchId;

use super::bans::Bans;
use super::conduct::Conduct;
use super::creations::Creations;
use super::crowd::Crowd;
use super::game_facts::GameFacts;
use super::identity::Authenticator;
use super::identity::accounts::Accounts;
use super::identity::everyone::Everyone;
use super::identity::guests::Guests;
use super::kept::Keeping;
use super::ledger::Ledger;
use super::match_list::MatchList;
use super::problems;
use super::queue::Queues;
use super::quick_play::QuickPlay;
use super::rates::Rates;
use super::sessions::Sessions;
use super::streams::Streams;
use super::tickets::signer::Signer;
use super::watched::Watched;
use crate::cluster::Cluster;
use crate::cluster::letter::{Answer, Watching};
use crate::config::{Config, TransportKind};
use crate::http::caps::Caps;
use crate::http::origin::AllowedOrigins;
use crate::http::problem::Problem;
use crate::http::refusals::{Cause, Refusals};
use crate::http::remote::Remote;
use crate::matches::{Directory, RevivedSeat};
use crate::memory::Brake;
use crate::metrics::{self, NoRoom};

/// How often what has expired is forgotten.
const HOUSEKEEPING: Duration = Duration::from_secs(10);

/// The gateway's tables and settings.
pub(crate) struct Gateway {
    pub(super) game: GameFacts,
    pub(super) config: Arc<Config>,
    pub(super) directory: Arc<Directory>,
    pub(super) origins: AllowedOrigins,
    pub(super) refusals: Refusals,
    /// `None` if guests are turned off.
    pub(super) guests: Option<Guests>,
    /// `None` if there are none.
    pub(super) accounts: Option<Arc<Accounts>>,
    /// Says who callers are.
    pub(super) authenticator: Box<dyn Authenticator>,
    pub(super) sessions: Arc<Sessions>,
    pub(super) ledger: Ledger,
    pub(super) creations: Arc<Creations>,
    pub(super) crowd: Crowd,
    pub(super) brake: Brake,
    pub(super) quick_play: QuickPlay,
    /// Those who wait for a match with others.
    pub(super) queues: Queues,
    pub(super) match_list: MatchList,
    pub(super) rates: Rates,
    pub(super) caps: Arc<Caps>,
    pub(super) bans: Bans,
    pub(super) conduct: Arc<Conduct>,
    /// Connections over HTTP.
    pub(super) streams: Arc<Streams>,
    /// What is kept for the next process.
    pub(super) kept: Keeping,
    /// Who watches a match from another server.
    pub(super) watched: Watched,
    /// The other servers, if there are any.
    pub(super) cluster: Option<Arc<Cluster>>,
}

impl Gateway {
    /// With empty tables.
    pub(crate) fn new(
        game: GameFacts,
        config: Arc<Config>,
        directory: Arc<Directory>,
        accounts: Option<Arc<Accounts>>,
        signer: Signer,
        cluster: Option<Arc<Cluster>>,
    ) -> Self {
        let sessions = Sessions::new(&config);
        let store = cluster.as_ref().map(|cluster| Arc::clone(cluster.node().store()));
        let waiting = store.clone().unwrap_or_else(|| Arc::new(Embedded::new()));
        let guests = config.accounts.guests.then(|| Guests::new(Arc::clone(&sessions), store));
        let neighbours = cluster.as_ref().map(|cluster| Arc::clone(cluster.neighbours())).unwrap_or_default();
        Self {
            game,
            caps: Caps::new(&config.connections),
            streams: Streams::new(&config.connections),
            origins: AllowedOrigins::new(&config.allowed_origins).with(neighbours),
            refusals: Refusals::default(),
            authenticator: Box::new(Everyone { guests: guests.clone(), accounts: accounts.clone() }),
            guests,
            accounts,
            sessions,
            ledger: Ledger::new(signer),
            creations: Creations::new(&config.sessions),
            crowd: Crowd::new(config.sessions.seats_per_address),
            brake: Brake::new(&config.memory),
            quick_play: QuickPlay::new(Arc::clone(&directory)),
            queues: Queues::new(&config.queue, directory.modes(), waiting),
            match_list: MatchList::default(),
            rates: Rates::new(&config.rates),
            bans: if config.journal.is_on() { Bans::kept_in(&config.journal.dir, Instant::now()) } else { Bans::default() },
            conduct: Arc::default(),
            kept: Keeping::default(),
            watched: Watched::default(),
            cluster,
            config,
            directory,
        }
    }

    /// What carries connections into matches.
    pub(crate) fn transport(&self) -> TransportKind {
        self.config.transport.kind().unwrap_or(TransportKind::Portable)
    }

    /// How long a request's body may take, milliseconds.
    pub(crate) fn request_ms(&self) -> u64 {
        self.config.connections.request_ms
    }

    /// Says when memory runs short.
    pub(crate) fn brake(&self) -> &Brake {
        &self.brake
    }

    /// Refuses somebody new while there is no memory for them.
    pub(super) fn check_memory(&self) -> Result<(), Problem> {
        if !self.brake.is_on() {
            return Ok(());
        }
        metrics::count_refusal(NoRoom::Memory);
        Err(problems::no_memory())
    }

    /// The connections there are.
    pub(crate) fn caps(&self) -> &Arc<Caps> {
        &self.caps
    }

    /// The answer to a page whose WebSocket is refused.
    pub(crate) fn refuse_page(&self, cause: Cause, remote: &Remote, headers: &HeaderMap) -> Problem {
        self.refusals.refuse(Instant::now(), cause, remote, headers)
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// People have these seats in match `id` from before this process began.
    pub(crate) fn adopt(&self, id: MatchId, seats: Vec<RevivedSeat>) {
        seats.into_iter().for_each(|seat| self.sessions.adopt(id, seat));
    }

    /// The next message for an operator of another server who watches a match of this one.
    pub(crate) async fn answer_watching(&self, watching: &Watching) -> Answer {
        self.watched.answer(&self.directory, watching).await
    }

    /// Nobody watches this stream any more.
    pub(crate) fn end_watching(&self, stream: u64) {
        self.watched.end(stream);
    }

    /// How many people wait for a match with others, of whom this server knows.
    pub(crate) fn waiting(&self) -> usize {
        self.queues.waiting()
    }

    /// The other servers, if there are any.
    pub(crate) fn cluster(&self) -> Option<&Cluster> {
        self.cluster.as_deref()
    }

    /// Takes the keys that all servers sign tickets with.
    pub(crate) fn take_ticket_keys(&self, text: &[u8]) {
        self.ledger.signer().take(text);
    }

    /// Forgets what has expired, takes the keys for sign-in and for tickets that change, and makes
    /// matches for those who wait, for ever.
    pub(crate) async fn keep_house(self: &Arc<Self>) {
        let keep_keys = async {
            if let Some(accounts) = &self.accounts {
                accounts.keep_keys().await;
            }
        };
        tokio::join!(self.forget(), keep_keys, self.ledger.signer().keep_keys(), self.make_matches());
    }

    async fn forget(&self) {
        let mut interval = tokio::time::interval(HOUSEKEEPING);
        loop {
            interval.tick().await;
            let now = Instant::now();
            self.sessions.purge(now);
            self.ledger.purge(now);
            self.crowd.purge();
            self.kept.purge(|id| self.directory.find(id).is_some());
            self.refusals.purge(now);
            self.rates.forget_idle();
            self.conduct.purge(now);
            self.accounts.iter().for_each(|accounts| accounts.purge(now));
        }
    }
}
