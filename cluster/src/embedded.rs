//! The store of one process: of a server that runs alone, or of several nodes in one process, as
//! tests and the simulation have them.
//!
//! It is all in memory behind one lock. Its clock is given to it, so a test decides when a lease is
//! over. [`Embedded::snapshot`], [`Embedded::roll_back`] and [`Embedded::wipe`] do what
//! happens to a real store: it comes back without its last seconds, or with nothing.

mod shelf;
mod state;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::MatchId;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::state::State;
use crate::store::{
    Claim, EXCHANGE_MAX, Epoch, Exchange, Letter, MAILBOX_MAX, MESSAGE_BYTES_MAX, MatchEntry, NodeCard, NodeId, Reply, Store, StoreError,
    Writes, Written,
};

/// A store in memory. Clones are handles to the same store.
#[derive(Clone)]
pub struct Embedded {
    inner: Arc<Mutex<Inner>>,
    clock: Arc<dyn Fn() -> Instant + Send + Sync>,
}

/// All that an [`Embedded`] knew at a moment, but its mailboxes.
#[derive(Clone, Debug)]
pub struct Snapshot(State);

struct Inner {
    state: State,
    mailboxes: BTreeMap<NodeId, mpsc::Sender<Letter>>,
}

impl Embedded {
    /// An empty store with the runtime's clock: a test that pauses that stops its leases too.
    pub fn new() -> Self {
        Self::with_clock(Instant::now)
    }

    /// An empty store with a clock of its own.
    pub fn with_clock(clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        let inner = Inner { state: State::default(), mailboxes: BTreeMap::new() };
        Self { inner: Arc::new(Mutex::new(inner)), clock: Arc::new(clock) }
    }

    /// All that it knows now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.lock().state.clone())
    }

    /// Makes it know what it knew then. Mailboxes stay open.
    pub fn roll_back(&self, snapshot: &Snapshot) {
        self.lock().state = snapshot.0.clone();
    }

    /// Makes it know nothing. Mailboxes stay open.
    pub fn wipe(&self) {
        self.lock().state = State::default();
    }

    /// Closes every mailbox and forgets what is in the way to them, as a broken connection does.
    pub fn close_mailboxes(&self) {
        self.lock().mailboxes.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something when it is awaited, and not before: as a store does that is far away.
    fn when_awaited<'a, T>(&'a self, act: impl FnOnce(&mut Inner, Instant) -> T + Send + 'a) -> Reply<'a, T> {
        Box::pin(async move { Ok(act(&mut self.lock(), (self.clock)())) })
    }
}

impl Default for Embedded {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Embedded").finish_non_exhaustive()
    }
}

impl Inner {
    /// Whether the letter lies in the mailbox now.
    fn deliver(&mut self, to: &NodeId, letter: Letter) -> bool {
        let Some(mailbox) = self.mailboxes.get(to) else {
            return false;
        };
        match mailbox.try_send(letter) {
            Ok(()) => true,
            Err(mpsc::error::TrySendError::Full(_)) => false,
            Err(mpsc::error::TrySendError::Closed(_)) => {
                self.mailboxes.remove(to);
                false
            }
        }
    }
}

impl Store for Embedded {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    fn beat<'a>(&'a self, card: &'a NodeCard, ttl: Duration) -> Reply<'a, ()> {
        self.when_awaited(move |inner, now| inner.state.beat(now, card.clone(), ttl))
    }

    fn nodes(&self) -> Reply<'_, Vec<NodeCard>> {
        self.when_awaited(|inner, now| inner.state.nodes(now))
    }

    fn leave<'a>(&'a self, node: &'a NodeId, incarnation: u64) -> Reply<'a, ()> {
        self.when_awaited(move |inner, _| inner.state.leave(node, incarnation))
    }

    fn claim<'a>(&'a self, id: MatchId, node: &'a NodeId, lease: Duration) -> Reply<'a, Claim> {
        self.when_awaited(move |inner, now| inner.state.claim(now, id, node, lease))
    }

    fn write<'a>(&'a self, node: &'a NodeId, lease: Duration, writes: &'a [(MatchId, Epoch, Writes)]) -> Reply<'a, Vec<Written>> {
        self.when_awaited(move |inner, now| writes.iter().map(|one| inner.state.write(now, node, lease, one)).collect())
    }

    fn give_up<'a>(&'a self, node: &'a NodeId, matches: &'a [(MatchId, Epoch)]) -> Reply<'a, ()> {
        self.when_awaited(move |inner, now| matches.iter().for_each(|(id, epoch)| inner.state.give_up(now, node, *id, *epoch)))
    }

    fn end<'a>(&'a self, node: &'a NodeId, matches: &'a [(MatchId, Epoch)]) -> Reply<'a, ()> {
        self.when_awaited(move |inner, now| matches.iter().for_each(|(id, epoch)| inner.state.end(now, node, *id, *epoch)))
    }

    fn find(&self, id: MatchId) -> Reply<'_, Option<MatchEntry>> {
        self.when_awaited(move |inner, now| inner.state.find(now, id))
    }

    fn list(&self, max: usize) -> Reply<'_, Vec<MatchEntry>> {
        self.when_awaited(move |inner, now| inner.state.list(now, max))
    }

    fn orphans(&self, max: usize) -> Reply<'_, Vec<MatchId>> {
        self.when_awaited(move |inner, now| inner.state.orphans(now, max))
    }

    fn find_code<'a>(&'a self, code: &'a str) -> Reply<'a, Option<MatchId>> {
        self.when_awaited(move |inner, now| {
            inner.state.codes.forget(now);
            let id = inner.state.codes.get(code.as_bytes())?;
            <[u8; 16]>::try_from(&id[..]).ok().map(MatchId)
        })
    }

    fn hold_code<'a>(&'a self, code: &'a str, id: MatchId, ttl: Duration) -> Reply<'a, bool> {
        self.when_awaited(move |inner, now| {
            let codes = &mut inner.state.codes;
            codes.forget(now);
            let is_free = codes.get(code.as_bytes()).is_none_or(|holder| holder[..] == id.0);
            if is_free {
                codes.put(code.as_bytes(), Bytes::copy_from_slice(&id.0), now + ttl);
            }
            is_free
        })
    }

    fn put<'a>(&'a self, shelf: &'a str, key: &'a [u8], value: Bytes, ttl: Duration) -> Reply<'a, ()> {
        self.when_awaited(move |inner, now| inner.state.shelf(now, shelf).put(key, value, now + ttl))
    }

    fn put_first<'a>(&'a self, shelf: &'a str, key: &'a [u8], value: Bytes, ttl: Duration) -> Reply<'a, Bytes> {
        self.when_awaited(move |inner, now| {
            let shelf = inner.state.shelf(now, shelf);
            if let Some(kept) = shelf.get(key) {
                return kept.clone();
            }
            shelf.put(key, value.clone(), now + ttl);
            value
        })
    }

    fn exchange<'a>(&'a self, shelf: &'a str, exchanges: &'a [Exchange], ttl: Duration) -> Reply<'a, bool> {
        if exchanges.len() > EXCHANGE_MAX {
            return Box::pin(async move { Err(StoreError::TooMany(exchanges.len())) });
        }
        self.when_awaited(move |inner, now| {
            let shelf = inner.state.shelf(now, shelf);
            let is_right = |one: &Exchange| shelf.get(&one.key).is_some_and(|kept| *kept == one.from || *kept == one.to);
            let are_right = exchanges.iter().all(is_right);
            if are_right {
                exchanges.iter().for_each(|one| shelf.put(&one.key, one.to.clone(), now + ttl));
            }
            are_right
        })
    }

    fn get<'a>(&'a self, shelf: &'a str, key: &'a [u8], renew: Option<Duration>) -> Reply<'a, Option<Bytes>> {
        self.when_awaited(move |inner, now| {
            let shelf = inner.state.shelf(now, shelf);
            let value = shelf.get(key)?.clone();
            if let Some(ttl) = renew {
                shelf.put(key, value.clone(), now + ttl);
            }
            Some(value)
        })
    }

    fn remove<'a>(&'a self, shelf: &'a str, key: &'a [u8]) -> Reply<'a, ()> {
        self.when_awaited(move |inner, now| inner.state.shelf(now, shelf).remove(key))
    }

    fn all<'a>(&'a self, shelf: &'a str, max: usize) -> Reply<'a, Vec<(Bytes, Bytes)>> {
        self.when_awaited(move |inner, now| inner.state.shelf(now, shelf).iter().take(max).collect())
    }

    fn listen<'a>(&'a self, node: &'a NodeId) -> Reply<'a, mpsc::Receiver<Letter>> {
        self.when_awaited(move |inner, _| {
            let (sender, receiver) = mpsc::channel(MAILBOX_MAX);
            inner.mailboxes.retain(|_, mailbox| !mailbox.is_closed());
            inner.mailboxes.insert(node.clone(), sender);
            receiver
        })
    }

    fn send<'a>(&'a self, from: &'a NodeId, to: &'a NodeId, body: Bytes) -> Reply<'a, bool> {
        if body.len() > MESSAGE_BYTES_MAX {
            return Box::pin(async move { Err(StoreError::TooLong(body.len())) });
        }
        self.when_awaited(move |inner, _| inner.deliver(to, Letter { from: from.clone(), body }))
    }

    fn announce<'a>(&'a self, from: &'a NodeId, body: Bytes) -> Reply<'a, ()> {
        if body.len() > MESSAGE_BYTES_MAX {
            return Box::pin(async move { Err(StoreError::TooLong(body.len())) });
        }
        self.when_awaited(move |inner, _| {
            let nodes: Vec<_> = inner.mailboxes.keys().cloned().collect();
            for node in nodes {
                inner.deliver(&node, Letter { from: from.clone(), body: body.clone() });
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Kept, Owner};

    const LEASE: Duration = Duration::from_secs(1);
    const MATCH: MatchId = MatchId([7; 16]);

    fn node(name: &str) -> NodeId {
        NodeId::new(name).unwrap()
    }

    fn checkpoint(first: u64) -> Writes {
        Writes { checkpoint: Some((first, Bytes::from(format!("before {first}")))), ..Writes::default() }
    }

    fn record(number: u64) -> Writes {
        Writes { records: vec![(number, Bytes::from(format!("record {number}")))], ..Writes::default() }
    }

    async fn write(store: &Embedded, by: &str, epoch: u64, writes: Writes) -> Written {
        store.write(&node(by), LEASE, &[(MATCH, Epoch(epoch), writes)]).await.unwrap().remove(0)
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_ends_when_the_paused_clock_says_so() {
        let store = Embedded::new();
        assert_eq!(write(&store, "a", 1, checkpoint(0)).await, Written::Adopted);
        assert_eq!(write(&store, "a", 1, record(0)).await, Written::Done);
        assert_eq!(store.claim(MATCH, &node("b"), LEASE).await, Ok(Claim::Held(Owner { node: node("a"), epoch: Epoch(1) })));
        tokio::time::advance(LEASE).await;
        assert_eq!(store.orphans(9).await, Ok(vec![MATCH]));
        let kept = Kept { checkpoint: "before 0".into(), first: 0, records: vec!["record 0".into()] };
        assert_eq!(store.claim(MATCH, &node("b"), LEASE).await, Ok(Claim::Granted { epoch: Epoch(2), kept }));
        assert_eq!(write(&store, "a", 1, record(1)).await, Written::Fenced(Some(Owner { node: node("b"), epoch: Epoch(2) })));
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_lost_its_last_seconds_heals_by_the_owners_next_checkpoint() {
        let store = Embedded::new();
        write(&store, "a", 1, checkpoint(0)).await;
        write(&store, "a", 1, record(0)).await;
        let snapshot = store.snapshot();
        tokio::time::advance(LEASE).await;
        store.claim(MATCH, &node("b"), LEASE).await.unwrap();
        write(&store, "b", 2, record(1)).await;

        store.roll_back(&snapshot);
        assert_eq!(write(&store, "b", 2, record(2)).await, Written::Adopted);
        assert_eq!(write(&store, "a", 1, record(1)).await, Written::Fenced(Some(Owner { node: node("b"), epoch: Epoch(2) })));
        assert_eq!(write(&store, "b", 2, checkpoint(3)).await, Written::Done);
        assert_eq!(write(&store, "b", 2, record(3)).await, Written::Done);

        store.wipe();
        assert_eq!(store.find(MATCH).await, Ok(None));
        assert_eq!(write(&store, "b", 2, record(4)).await, Written::Adopted);
        assert_eq!(store.find(MATCH).await.unwrap().unwrap().owner, Owner { node: node("b"), epoch: Epoch(2) });
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_comes_late_takes_nothing_back() {
        let store = Embedded::new();
        write(&store, "a", 1, checkpoint(0)).await;
        write(&store, "a", 1, record(0)).await;
        write(&store, "a", 1, checkpoint(1)).await;
        write(&store, "a", 1, record(1)).await;
        assert_eq!(write(&store, "a", 1, checkpoint(0)).await, Written::Done);
        assert_eq!(write(&store, "a", 1, record(0)).await, Written::Done);
        tokio::time::advance(LEASE).await;
        let kept = Kept { checkpoint: "before 1".into(), first: 1, records: vec!["record 1".into()] };
        assert_eq!(store.claim(MATCH, &node("b"), LEASE).await, Ok(Claim::Granted { epoch: Epoch(2), kept }));
    }

    #[tokio::test]
    async fn a_full_mailbox_takes_no_further_letter() {
        let store = Embedded::new();
        let mut letters = store.listen(&node("b")).await.unwrap();
        for _ in 0..MAILBOX_MAX {
            assert_eq!(store.send(&node("a"), &node("b"), Bytes::from_static(b"hear")).await, Ok(true));
        }
        assert_eq!(store.send(&node("a"), &node("b"), Bytes::from_static(b"full")).await, Ok(false));
        assert_eq!(letters.recv().await, Some(Letter { from: node("a"), body: "hear".into() }));
        assert_eq!(store.send(&node("a"), &node("b"), Bytes::from_static(b"room")).await, Ok(true));
    }
}
