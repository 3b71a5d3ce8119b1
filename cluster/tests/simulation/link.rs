//! A node's way to the store: calls get lost before and after they are done, come late and twice.
//! What is on its way arrives, even if who sent it is no more.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tickwire_cluster::{Claim, Epoch, Exchange, Letter, MatchEntry, NodeCard, NodeId, Reply, Store, StoreError, Writes, Written};
use tickwire_protocol::MatchId;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep};

use crate::machine::LEASE;
use crate::plant::Plant;
use crate::world::World;

/// The store, as node `node` reaches it.
pub(crate) struct Link {
    world: Arc<World>,
    node: usize,
}

type Batch = Vec<(MatchId, Epoch, Writes)>;

impl Link {
    pub(crate) fn new(world: &Arc<World>, node: usize) -> Self {
        Self { world: Arc::clone(world), node }
    }

    fn call<T: Send + 'static, F>(&self, act: impl Fn(Arc<World>) -> F + Send + Sync + 'static) -> Reply<'_, T>
    where
        F: Future<Output = Result<T, StoreError>> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        tokio::spawn(carry(Arc::clone(&self.world), self.node, act, sender));
        // A lost answer never comes: the caller has a deadline.
        Box::pin(async move {
            match receiver.await {
                Ok(answer) => answer,
                Err(_) => std::future::pending().await,
            }
        })
    }
}

impl World {
    fn delay(&self) -> Duration {
        if self.is_slow.load(Ordering::Relaxed) { self.ms(20, 250) } else { self.ms(1, 6) }
    }

    /// Whether something gets lost between the node and the store now.
    fn loses(&self, node: usize) -> bool {
        let wire = *self.nodes[node].wire.lock().unwrap();
        let is_unlucky = self.below(1_000) < wire.loss;
        wire.is_cut || is_unlucky
    }
}

async fn carry<T, F>(
    world: Arc<World>,
    node: usize,
    act: impl Fn(Arc<World>) -> F + Send + Sync + 'static,
    sender: oneshot::Sender<Result<T, StoreError>>,
) where
    T: Send + 'static,
    F: Future<Output = Result<T, StoreError>> + Send + 'static,
{
    sleep(world.delay()).await;
    if world.loses(node) {
        return;
    }
    if world.is_away.load(Ordering::Relaxed) {
        if world.refuses.load(Ordering::Relaxed) {
            let _ = sender.send(Err(StoreError::Away("refused".into())));
        }
        return;
    }
    let comes_twice = world.below(1_000) < world.nodes[node].wire.lock().unwrap().twice;
    let answer = act(Arc::clone(&world)).await;
    if comes_twice {
        let later = if world.below(2) == 0 { world.ms(1, 60) } else { world.ms(60, 4_000) };
        let again = Arc::clone(&world);
        tokio::spawn(async move {
            sleep(later).await;
            if !again.is_away.load(Ordering::Relaxed) {
                let _ = act(again).await;
            }
        });
    }
    sleep(world.delay()).await;
    if !world.loses(node) {
        let _ = sender.send(answer);
    }
}

/// What the store does with a write, and what of it the world takes for granted from then on.
async fn write(world: Arc<World>, node: usize, mut batch: Batch) -> Result<Vec<Written>, StoreError> {
    let mut answers = Vec::new();
    for (id, epoch, mut writes) in std::mem::take(&mut batch) {
        let mut who = world.nodes[node].id.clone();
        let mut epoch = epoch;
        let before = world.store.find(id).await?;
        match world.plant {
            Some(Plant::EpochNotCompared) => {
                if let Some(entry) = &before {
                    (who, epoch) = (entry.owner.node.clone(), entry.owner.epoch);
                }
            }
            Some(Plant::LeaseNotRenewed) if writes == Writes::default() => {
                answers.push(Written::Done);
                continue;
            }
            Some(Plant::CheckpointWithoutNumber) => {
                // The one before this one was on its way for longer.
                if let Some((_, checkpoint)) = &mut writes.checkpoint
                    && let Some(older) = world.truth().checkpoints.insert(id, checkpoint.clone())
                {
                    *checkpoint = older;
                }
            }
            Some(Plant::TornCheckpoint) => {
                if let Some((_, checkpoint)) = &mut writes.checkpoint {
                    checkpoint.truncate(checkpoint.len() / 2);
                }
            }
            Some(Plant::RecordLost) if writes.records.len() > 2 => {
                writes.records.remove(1);
                writes.records.iter_mut().skip(1).for_each(|(number, _)| *number -= 1);
            }
            Some(Plant::RecordTwice) if writes.records.len() > 1 => {
                let (number, first) = writes.records[0].clone();
                writes.records.insert(0, (number, first));
                writes.records.iter_mut().skip(1).for_each(|(number, _)| *number += 1);
            }
            Some(Plant::CardLost) if writes.checkpoint.is_some() || !writes.records.is_empty() => writes.card = None,
            _ => {}
        }
        let next = match (writes.records.last(), &writes.checkpoint) {
            (Some((last, _)), _) => Some(last + 1),
            (None, Some((number, _))) => Some(*number),
            (None, None) => None,
        };
        let is_whole = writes.checkpoint.is_some();
        let answer = world.store.write(&who, LEASE, &[(id, epoch, writes)]).await?.remove(0);
        if let Some(next) = next
            && (answer == Written::Done || (answer == Written::Adopted && is_whole))
        {
            world.durable(id, next);
        }
        answers.push(match answer {
            Written::Fenced(_) if world.is(Plant::FenceIgnored) => Written::Done,
            Written::Adopted if world.is(Plant::AdoptionIgnored) => Written::Done,
            other => other,
        });
    }
    let wire = *world.nodes[node].wire.lock().unwrap();
    if world.below(2_000) < wire.loss {
        // Nonsense.
        answers.pop();
    }
    Ok(answers)
}

async fn claim(world: Arc<World>, node: usize, id: MatchId) -> Result<Claim, StoreError> {
    if world.is(Plant::HeldIsClaimed)
        && let Some(entry) = world.store.find(id).await?
    {
        world.store.give_up(&entry.owner.node, &[(id, entry.owner.epoch)]).await?;
    }
    let mut claim = world.store.claim(id, &world.nodes[node].id, LEASE).await?;
    if let Claim::Granted { epoch, kept } = &mut claim {
        world.truth().claimed.insert((id, *epoch, node), Instant::now());
        match world.plant {
            Some(Plant::EpochNotRaised) => epoch.0 -= 1,
            Some(Plant::RecordsDroppedAtTakeover) => kept.records.clear(),
            Some(Plant::LastRecordDroppedAtTakeover) => drop(kept.records.pop()),
            _ => {}
        }
    }
    Ok(claim)
}

/// What lists show.
async fn shown(world: &World, entries: Vec<MatchEntry>) -> Result<Vec<MatchEntry>, StoreError> {
    if !world.is(Plant::MissedBeatDelists) {
        return Ok(entries);
    }
    let alive: BTreeSet<NodeId> = world.store.nodes().await?.into_iter().map(|node| node.id).collect();
    let mut truth = world.truth();
    let missed = entries.iter().filter(|entry| !alive.contains(&entry.owner.node)).map(|entry| entry.id);
    truth.delisted.extend(missed);
    Ok(entries.into_iter().filter(|entry| !truth.delisted.contains(&entry.id)).collect())
}

/// What the public list has now.
pub(crate) async fn listed(world: &World) -> Vec<MatchEntry> {
    shown(world, world.store.list(1_000).await.unwrap()).await.unwrap()
}

impl Store for Link {
    fn kind(&self) -> &'static str {
        "simulated"
    }

    fn beat<'a>(&'a self, card: &'a NodeCard, _: Duration) -> Reply<'a, ()> {
        let card = card.clone();
        self.call(move |world| {
            let card = card.clone();
            async move { world.store.beat(&card, LEASE).await }
        })
    }

    fn nodes(&self) -> Reply<'_, Vec<NodeCard>> {
        self.call(|world| async move { world.store.nodes().await })
    }

    fn leave<'a>(&'a self, node: &'a NodeId, incarnation: u64) -> Reply<'a, ()> {
        let node = node.clone();
        self.call(move |world| {
            let node = node.clone();
            async move { world.store.leave(&node, incarnation).await }
        })
    }

    fn claim<'a>(&'a self, id: MatchId, _: &'a NodeId, _: Duration) -> Reply<'a, Claim> {
        let node = self.node;
        self.call(move |world| claim(world, node, id))
    }

    fn write<'a>(&'a self, _: &'a NodeId, _: Duration, writes: &'a [(MatchId, Epoch, Writes)]) -> Reply<'a, Vec<Written>> {
        let (node, batch) = (self.node, writes.to_vec());
        let count = batch.len();
        let answer = self.call(move |world| write(world, node, batch.clone()));
        if self.world.is(Plant::AcknowledgedWhenSent) {
            return Box::pin(async move { Ok(vec![Written::Done; count]) });
        }
        answer
    }

    fn give_up<'a>(&'a self, node: &'a NodeId, matches: &'a [(MatchId, Epoch)]) -> Reply<'a, ()> {
        let (node, matches) = (node.clone(), matches.to_vec());
        self.call(move |world| {
            let (node, matches) = (node.clone(), matches.clone());
            async move { world.store.give_up(&node, &matches).await }
        })
    }

    fn end<'a>(&'a self, node: &'a NodeId, matches: &'a [(MatchId, Epoch)]) -> Reply<'a, ()> {
        let (node, matches) = (node.clone(), matches.to_vec());
        self.call(move |world| {
            let (node, matches) = (node.clone(), matches.clone());
            async move {
                if world.is(Plant::EndForgotten) {
                    return world.store.give_up(&node, &matches).await;
                }
                world.store.end(&node, &matches).await
            }
        })
    }

    fn find(&self, id: MatchId) -> Reply<'_, Option<MatchEntry>> {
        self.call(move |world| async move {
            let found = world.store.find(id).await?;
            Ok(shown(&world, found.into_iter().collect()).await?.pop())
        })
    }

    fn list(&self, max: usize) -> Reply<'_, Vec<MatchEntry>> {
        self.call(move |world| async move { world.store.list(max).await })
    }

    fn orphans(&self, max: usize) -> Reply<'_, Vec<MatchId>> {
        self.world.truth().looked.insert(self.node, Instant::now());
        self.call(move |world| async move {
            match world.plant {
                Some(Plant::DeadNeverCleanedUp) => Ok(Vec::new()),
                Some(Plant::HeldIsClaimed) => Ok(world.store.list(max).await?.into_iter().map(|entry| entry.id).collect()),
                _ => world.store.orphans(max).await,
            }
        })
    }

    fn find_code<'a>(&'a self, code: &'a str) -> Reply<'a, Option<MatchId>> {
        let code = code.to_owned();
        self.call(move |world| {
            let code = code.clone();
            async move { world.store.find_code(&code).await }
        })
    }

    fn hold_code<'a>(&'a self, code: &'a str, id: MatchId, ttl: Duration) -> Reply<'a, bool> {
        let code = code.to_owned();
        self.call(move |world| {
            let code = code.clone();
            async move { world.store.hold_code(&code, id, ttl).await }
        })
    }

    fn put<'a>(&'a self, shelf: &'a str, key: &'a [u8], value: Bytes, ttl: Duration) -> Reply<'a, ()> {
        let (shelf, key) = (shelf.to_owned(), key.to_vec());
        self.call(move |world| {
            let (shelf, key, value) = (shelf.clone(), key.clone(), value.clone());
            async move {
                world.truth().tide.insert(key.clone(), value.clone());
                world.store.put(&shelf, &key, value, ttl).await
            }
        })
    }

    fn put_first<'a>(&'a self, shelf: &'a str, key: &'a [u8], value: Bytes, ttl: Duration) -> Reply<'a, Bytes> {
        let (shelf, key) = (shelf.to_owned(), key.to_vec());
        self.call(move |world| {
            let (shelf, key, value) = (shelf.clone(), key.clone(), value.clone());
            async move { world.store.put_first(&shelf, &key, value, ttl).await }
        })
    }

    fn get<'a>(&'a self, shelf: &'a str, key: &'a [u8], renew: Option<Duration>) -> Reply<'a, Option<Bytes>> {
        let (shelf, key) = (shelf.to_owned(), key.to_vec());
        self.call(move |world| {
            let (shelf, key) = (shelf.clone(), key.clone());
            async move {
                if world.is(Plant::TideLies) || world.is(Plant::AdoptionIgnored) {
                    return Ok(world.truth().tide.get(&key).cloned());
                }
                world.store.get(&shelf, &key, renew).await
            }
        })
    }

    fn exchange<'a>(&'a self, shelf: &'a str, exchanges: &'a [Exchange], ttl: Duration) -> Reply<'a, bool> {
        let (shelf, exchanges) = (shelf.to_owned(), exchanges.to_vec());
        self.call(move |world| {
            let (shelf, exchanges) = (shelf.clone(), exchanges.clone());
            async move { world.store.exchange(&shelf, &exchanges, ttl).await }
        })
    }

    fn remove<'a>(&'a self, shelf: &'a str, key: &'a [u8]) -> Reply<'a, ()> {
        let (shelf, key) = (shelf.to_owned(), key.to_vec());
        self.call(move |world| {
            let (shelf, key) = (shelf.clone(), key.clone());
            async move { world.store.remove(&shelf, &key).await }
        })
    }

    fn all<'a>(&'a self, shelf: &'a str, max: usize) -> Reply<'a, Vec<(Bytes, Bytes)>> {
        let shelf = shelf.to_owned();
        self.call(move |world| {
            let shelf = shelf.clone();
            async move { world.store.all(&shelf, max).await }
        })
    }

    fn listen<'a>(&'a self, node: &'a NodeId) -> Reply<'a, mpsc::Receiver<Letter>> {
        let (number, node) = (self.node, node.clone());
        self.call(move |world| {
            let node = node.clone();
            async move {
                let letters = world.store.listen(&node).await?;
                let (sender, receiver) = mpsc::channel(64);
                tokio::spawn(deliver(world, number, letters, sender));
                Ok(receiver)
            }
        })
    }

    fn send<'a>(&'a self, from: &'a NodeId, to: &'a NodeId, body: Bytes) -> Reply<'a, bool> {
        let (from, to) = (from.clone(), to.clone());
        self.call(move |world| {
            let (from, to, body) = (from.clone(), to.clone(), body.clone());
            async move {
                if world.is(Plant::LetterTakesTwoSeats) {
                    world.store.send(&from, &to, body.clone()).await?;
                }
                world.store.send(&from, &to, body).await
            }
        })
    }

    fn announce<'a>(&'a self, from: &'a NodeId, body: Bytes) -> Reply<'a, ()> {
        let from = from.clone();
        self.call(move |world| {
            let (from, body) = (from.clone(), body.clone());
            async move { world.store.announce(&from, body).await }
        })
    }
}

/// Letters on their way from the store to a node.
async fn deliver(world: Arc<World>, node: usize, mut letters: mpsc::Receiver<Letter>, sender: mpsc::Sender<Letter>) {
    while let Some(letter) = letters.recv().await {
        sleep(world.delay()).await;
        if !world.loses(node) && sender.send(letter).await.is_err() {
            return;
        }
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Link({})", self.node)
    }
}
