//! Several servers that are one: who else there is, where a match is run, and how they ask each
//! other. [`tickwire_cluster`] knows who owns what; here is what players get of it.
//!
//! `letter` is what servers tell each other, `calls` who waits for an answer.
//!
//! Invariant: a store that is away costs what needs other servers, and nothing else.

mod calls;
pub mod letter;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use tickwire_cluster::placement::{FULL_PERMILLE, Placement};
use tickwire_cluster::{MatchEntry, Node, NodeCard, NodeId, StoreError};
use tickwire_protocol::MatchId;
use tickwire_protocol::codec::encode;
use tokio::time::Instant;

use calls::Calls;
use letter::{Answer, Ask, Message, Opening, Watching};

use crate::http::neighbours::Neighbours;
use crate::matches::MatchCard;

/// Most other servers whose addresses a client is given with its seat.
pub const ALTERNATES_MAX: usize = 8;
/// Another server must have answered after so long.
const PATIENCE: Duration = Duration::from_secs(3);
/// It must have made a match after so long: those who wait for it are not kept for much longer.
const OPENING: Duration = Duration::from_secs(1);
/// It must have said after so long whether a watched match has something new: it waits for that
/// itself, for less.
const WATCHING: Duration = Duration::from_secs(2);
/// What a match is taken to need of a server, in thousandths, before one has been measured.
const MATCH_PERMILLE: u16 = 10;

/// This server among the others.
pub struct Cluster {
    node: Node,
    ws_url: String,
    calls: Calls,
    placement: Mutex<Placement>,
    neighbours: Arc<Neighbours>,
    listed: RwLock<Arc<[Listed]>>,
}

/// A match, as its server told the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The match.
    pub id: MatchId,
    /// Who runs it, or ran it last.
    pub node: NodeId,
    /// What is to be known of it.
    pub card: MatchCard,
}

/// Where a match is run that is not in this server's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// Nobody knows of it.
    Nowhere,
    /// By another one.
    There(NodeId),
    /// Its server was lost, and nobody has taken it over yet; or this one is just doing so.
    Between,
}

/// Why another server did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// It cannot be reached, or took too long.
    #[error("the other server does not answer")]
    Silent,
    /// As many calls wait as may.
    #[error("too many calls wait for other servers")]
    Busy,
}

impl Cluster {
    /// With `node`, which players reach at `address`.
    pub fn new(node: Node, address: &str, neighbours: Arc<Neighbours>) -> Self {
        let ws_url = ws_url(address).unwrap_or_default();
        Self {
            node,
            ws_url,
            calls: Calls::default(),
            placement: Mutex::new(Placement::new(MATCH_PERMILLE)),
            neighbours,
            listed: RwLock::new(Arc::from([])),
        }
    }

    /// This server, as the others know it.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// Where players of this server open their WebSockets.
    pub fn ws_url(&self) -> &str {
        &self.ws_url
    }

    /// Whose pages and WebSockets are ours too.
    pub fn neighbours(&self) -> &Arc<Neighbours> {
        &self.neighbours
    }

    /// Who runs a match that is not here.
    ///
    /// # Errors
    /// If nobody can say.
    pub async fn locate(&self, id: MatchId) -> Result<Whereabouts, StoreError> {
        Ok(self.whereabouts(self.node.store().find(id).await?))
    }

    fn whereabouts(&self, entry: Option<MatchEntry>) -> Whereabouts {
        match entry {
            None => Whereabouts::Nowhere,
            Some(entry) if !entry.is_held || entry.owner.node == *self.node.id() => Whereabouts::Between,
            Some(entry) => Whereabouts::There(entry.owner.node),
        }
    }

    /// Where players of this node open their WebSockets. `None` if it is not known.
    pub fn ws_url_of(&self, node: &NodeId) -> Option<String> {
        self.node.nodes().iter().find(|card| card.id == *node).and_then(|card| ws_url(&card.address))
    }

    /// Other ways in, for a client whose server is lost.
    pub fn alternates(&self) -> Vec<String> {
        let nodes = self.node.nodes();
        let others = nodes.iter().filter(|card| card.id != *self.node.id());
        others.filter_map(|card| ws_url(&card.address)).take(ALTERNATES_MAX).collect()
    }

    /// Where a new match goes, best first. It is counted there until the server's own figures show
    /// it.
    pub fn for_match(&self) -> Vec<NodeId> {
        let nodes = self.node.nodes();
        let first = self.placement.lock().unwrap_or_else(PoisonError::into_inner).place(Instant::now(), &nodes);
        let others = self.for_newcomer().into_iter().filter(|node| Some(node) != first.as_ref());
        first.iter().cloned().chain(others).collect()
    }

    /// Where a newcomer goes, best first: to the fullest server that is not full, so that one is
    /// filled before the next is opened.
    pub fn for_newcomer(&self) -> Vec<NodeId> {
        let nodes = self.node.nodes();
        let mut open: Vec<&NodeCard> = nodes.iter().filter(|card| !card.is_draining).collect();
        open.sort_by_key(|card| {
            let is_full = card.load_permille >= FULL_PERMILLE;
            (is_full, if is_full { card.load_permille } else { FULL_PERMILLE - card.load_permille }, card.id.clone())
        });
        open.into_iter().map(|card| card.id.clone()).collect()
    }

    /// Asks another server for something.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn ask(&self, node: &NodeId, ask: Ask) -> Result<Answer, Unanswered> {
        self.call(node, PATIENCE, |number| Message::Ask(number, Box::new(ask))).await
    }

    /// Has another server make a match.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn open(&self, node: &NodeId, opening: Opening) -> Result<Answer, Unanswered> {
        self.call(node, OPENING, |number| Message::Open(number, Box::new(opening))).await
    }

    /// What comes next in a match that is watched.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn watch(&self, node: &NodeId, watching: Watching) -> Result<Answer, Unanswered> {
        self.call(node, WATCHING, |number| Message::Watch(number, Box::new(watching))).await
    }

    async fn call(&self, node: &NodeId, patience: Duration, question: impl FnOnce(u64) -> Message) -> Result<Answer, Unanswered> {
        let (number, answer) = self.calls.begin().ok_or(Unanswered::Busy)?;
        if !self.tell(node, &question(number)).await {
            self.calls.give_up(number);
            return Err(Unanswered::Silent);
        }
        let answer = tokio::time::timeout(patience, answer).await;
        self.calls.give_up(number);
        answer.ok().and_then(Result::ok).ok_or(Unanswered::Silent)
    }

    /// An answer has come.
    pub fn answered(&self, number: u64, answer: Answer) {
        self.calls.end(number, answer);
    }

    /// Tells another server something. Says whether it listens.
    pub async fn tell(&self, node: &NodeId, message: &Message) -> bool {
        let body = Bytes::from(encode(message));
        self.node.store().send(self.node.id(), node, body).await.unwrap_or_default()
    }

    /// The matches of all servers, as of the last look.
    pub fn listed(&self) -> Arc<[Listed]> {
        Arc::clone(&self.listed.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks who and what there is.
    pub async fn look(&self, matches_max: usize) {
        let nodes = self.node.nodes();
        self.neighbours.are(nodes.iter().filter(|card| card.id != *self.node.id()).map(|card| card.address.as_str()));
        let Ok(entries) = self.node.store().list(matches_max).await else { return };
        let listed = entries
            .into_iter()
            .filter_map(|entry| Some(Listed { id: entry.id, card: MatchCard::read(&entry.card)?, node: entry.owner.node }));
        *self.listed.write().unwrap_or_else(PoisonError::into_inner) = listed.collect();
    }
}

/// Where a server's players open their WebSockets.
fn ws_url(address: &str) -> Option<String> {
    Some(format!("ws{}ws", address.strip_prefix("http")?))
}
