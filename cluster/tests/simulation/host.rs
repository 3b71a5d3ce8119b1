//! A server: the real node, a door for clients, a mailbox for other servers, and the matches it
//! runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tickwire_cluster::{Consistency, Epoch, Event, Load, MatchEntry, Node, Options, Store};
use tickwire_match::{MatchCore, ReserveError, SecretHash};
use tickwire_protocol::codec::{Decode, Encode, decode, encode};
use tickwire_protocol::{MatchId, PlayerId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::gate::Gate;
use crate::link::Link;
use crate::machine::{LEASE, short};
use crate::plant::Plant;
use crate::play::{self, Ask, Frame, How, Order, Play};
use crate::world::World;

/// What a client asks of a server.
pub(crate) enum Request {
    Create {
        id: MatchId,
        seed: u64,
    },
    Join {
        id: MatchId,
        owner: u32,
        ticket: SecretHash,
        reply: oneshot::Sender<Joined>,
    },
    Connect {
        id: MatchId,
        how: How,
        frames: mpsc::UnboundedSender<Frame>,
        reply: oneshot::Sender<Connected>,
    },
    /// From the operator: this match is to go on with another node.
    HandOver {
        id: MatchId,
        to: usize,
    },
}

/// The answer to a join.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) enum Joined {
    /// Come to this node.
    Seat {
        player: PlayerId,
        node: u32,
    },
    /// The match has ended, or nobody knows it.
    Gone,
    Later,
}

/// The answer to a connection.
pub(crate) enum Connected {
    Here(mpsc::UnboundedSender<Ask>),
    Migrate(usize),
    Later,
    Gone,
}

/// What servers write each other.
#[derive(Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
enum Note {
    Join { number: u64, id: [u8; 16], owner: u32, ticket: SecretHash },
    Answer { number: u64, answer: Joined },
}

/// A process.
pub(crate) struct Process {
    pub(crate) door: mpsc::UnboundedSender<Request>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) host: Arc<Host>,
}

pub(crate) struct Host {
    world: Arc<World>,
    number: usize,
    incarnation: u64,
    node: Node,
    gate: Arc<Gate>,
    tasks: Mutex<JoinSet<()>>,
    matches: Mutex<BTreeMap<MatchId, Running>>,
    /// Joins that another node answers.
    asked: Mutex<BTreeMap<u64, oneshot::Sender<Joined>>>,
}

struct Running {
    epoch: Epoch,
    asks: mpsc::UnboundedSender<Ask>,
    orders: watch::Sender<Order>,
    frozen: watch::Receiver<Option<u64>>,
}

impl Process {
    /// Everything in it ends at once, as with SIGKILL.
    pub(crate) fn end(&self) {
        self.host.tasks.lock().unwrap().abort_all();
        self.host.world.died(self.host.number, self.host.incarnation);
        self.host.world.nodes[self.host.number].process.lock().unwrap().take();
    }
}

/// The process on machine `number`, if one runs there.
pub(crate) fn process(world: &World, number: usize) -> Option<Arc<Process>> {
    world.nodes[number].process.lock().unwrap().clone()?.downcast().ok()
}

/// Starts a server on machine `number`.
pub(crate) fn start(world: &Arc<World>, number: usize) {
    let incarnation = world.unique();
    let skew = world.nodes[number].skew;
    let factor = if world.is(Plant::LeaseBelievedLonger) { 2 } else { 1 };
    let options = Options {
        id: world.nodes[number].id.clone(),
        incarnation,
        address: format!("http://n{number}/"),
        // Its clock goes slower or faster than the store's.
        lease: LEASE * (1_000 + skew) as u32 / 1_000 * factor,
        flush: Duration::from_millis(50),
        seed: world.seed(),
    };
    let store: Arc<dyn Store> = Arc::new(Link::new(world, number));
    let load = || Load { permille: 100, matches: 0, is_draining: false, has_room: true };
    let (node, events, driver) = tickwire_cluster::start(store, options, load);
    let gate = Arc::new(Gate::default());
    let host = Arc::new(Host {
        world: Arc::clone(world),
        number,
        incarnation,
        node,
        gate: Arc::clone(&gate),
        tasks: Mutex::default(),
        matches: Mutex::default(),
        asked: Mutex::default(),
    });
    let (door, requests) = mpsc::unbounded_channel();
    host.spawn(driver);
    host.spawn(Arc::clone(&host).take_events(events));
    host.spawn(Arc::clone(&host).answer_door(requests));
    host.spawn(Arc::clone(&host).read_letters());
    host.spawn(Arc::clone(&host).hold_codes());
    *world.nodes[number].process.lock().unwrap() = Some(Arc::new(Process { door, gate, host }));
}

impl Host {
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.lock().unwrap().spawn(Arc::clone(&self.gate).pass(work));
    }

    pub(crate) fn runs(&self) -> Vec<(MatchId, Epoch)> {
        self.matches.lock().unwrap().iter().map(|(id, running)| (*id, running.epoch)).collect()
    }

    fn asks(&self, id: MatchId) -> Option<mpsc::UnboundedSender<Ask>> {
        self.matches.lock().unwrap().get(&id).map(|running| running.asks.clone())
    }

    fn run(self: &Arc<Self>, id: MatchId, epoch: Epoch, core: MatchCore<tag::Tag>, next: u64) {
        self.world.owns(id, epoch, self.number, self.incarnation, next, core.tick().0);
        let consistency = if self.world.is_consistent(id) { Consistency::Consistent } else { Consistency::Available };
        let lane = self.node.open(id, epoch, consistency);
        let (sender, asks) = mpsc::unbounded_channel();
        let (orders, receiver) = watch::channel(Order::Play);
        let (frozen, is_frozen) = watch::channel(None);
        let world = Arc::clone(&self.world);
        let play = Play { world, node: self.number, id, core, lane, asks, orders: receiver, frozen };
        self.matches.lock().unwrap().insert(id, Running { epoch, asks: sender, orders, frozen: is_frozen });
        let host = Arc::clone(self);
        self.spawn(async move {
            let _ = timeout(Duration::from_millis(400), host.node.store().hold_code(&code(id), id, Duration::from_secs(4))).await;
        });
        let host = Arc::clone(self);
        self.spawn(async move {
            play.run().await;
            let mut matches = host.matches.lock().unwrap();
            if matches.get(&id).is_some_and(|running| running.epoch == epoch) {
                matches.remove(&id);
            }
        });
    }

    async fn take_events(self: Arc<Self>, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            match event {
                Event::Granted { id, epoch, kept } => {
                    let next = kept.first + kept.records.len() as u64;
                    match play::restore(id, &kept) {
                        Ok(mut core) => {
                            self.world.note(&format!("match {} goes on at node {} in {epoch:?} from {next}", short(id), self.number));
                            self.world.restored(id, core.tick().0, core.hash());
                            self.run(id, epoch, core, next);
                        }
                        Err(error) => {
                            self.world.broken(&format!("match {} cannot be restored: {error}", short(id)));
                            self.node.refuse(id, epoch);
                        }
                    }
                }
                Event::Fenced { id, owner } => {
                    self.world.note(&format!("node {} is fenced from match {}: {owner:?}", self.number, short(id)));
                    let to = owner.and_then(|owner| self.world.by_name(&owner.node));
                    if let Some(running) = self.matches.lock().unwrap().get(&id) {
                        self.world.lets_go(id, running.epoch);
                        running.orders.send_replace(Order::Fenced(to));
                    }
                }
            }
        }
    }

    async fn answer_door(self: Arc<Self>, mut requests: mpsc::UnboundedReceiver<Request>) {
        while let Some(request) = requests.recv().await {
            match request {
                Request::Create { id, seed } => {
                    self.run(id, Epoch(1), MatchCore::new(&play::setup(id, seed)), 0);
                }
                Request::Join { id, owner, ticket, reply } => {
                    let host = Arc::clone(&self);
                    self.spawn(async move {
                        let _ = reply.send(host.join(id, owner, ticket).await);
                    });
                }
                Request::Connect { id, how, frames, reply } => {
                    if let Some(asks) = self.asks(id) {
                        let _ = asks.send(Ask::Attach { how, frames });
                        let _ = reply.send(Connected::Here(asks));
                        continue;
                    }
                    let host = Arc::clone(&self);
                    self.spawn(async move {
                        let answer = match host.find(id).await {
                            Some(Some(entry)) if entry.is_held => match host.world.by_name(&entry.owner.node) {
                                Some(node) if node != host.number => Connected::Migrate(node),
                                _ => Connected::Later,
                            },
                            Some(None) => Connected::Gone,
                            _ => Connected::Later,
                        };
                        let _ = reply.send(answer);
                    });
                }
                Request::HandOver { id, to } => {
                    let host = Arc::clone(&self);
                    self.spawn(async move { host.hand_over(id, to).await });
                }
            }
        }
    }

    /// `None`: the store does not answer.
    async fn find(&self, id: MatchId) -> Option<Option<MatchEntry>> {
        timeout(Duration::from_millis(400), self.node.store().find(id)).await.ok()?.ok()
    }

    async fn join(&self, id: MatchId, owner: u32, ticket: SecretHash) -> Joined {
        if let Some(asks) = self.asks(id) {
            return self.join_here(&asks, owner, ticket).await;
        }
        let entry = match self.find(id).await {
            Some(Some(entry)) if entry.is_held && entry.owner.node != *self.node.id() => entry,
            Some(None) => return Joined::Gone,
            _ => return Joined::Later,
        };
        let number = self.world.unique();
        let (sender, receiver) = oneshot::channel();
        self.asked.lock().unwrap().insert(number, sender);
        let letter = encode(&Note::Join { number, id: id.0, owner, ticket });
        let _ = timeout(Duration::from_millis(400), self.node.store().send(self.node.id(), &entry.owner.node, Bytes::from(letter))).await;
        let answer = timeout(Duration::from_millis(800), receiver).await;
        self.asked.lock().unwrap().remove(&number);
        answer.ok().and_then(Result::ok).unwrap_or(Joined::Later)
    }

    async fn join_here(&self, asks: &mpsc::UnboundedSender<Ask>, owner: u32, ticket: SecretHash) -> Joined {
        let (reply, answer) = oneshot::channel();
        let _ = asks.send(Ask::Reserve { owner, ticket, reply });
        match timeout(Duration::from_millis(800), answer).await {
            Ok(Ok(Ok(player))) => Joined::Seat { player, node: self.number as u32 },
            Ok(Ok(Err(ReserveError::Gone))) => Joined::Gone,
            _ => Joined::Later,
        }
    }

    async fn read_letters(self: Arc<Self>) {
        loop {
            let listening = timeout(Duration::from_millis(400), self.node.store().listen(self.node.id())).await;
            let Ok(Ok(mut letters)) = listening else {
                sleep(Duration::from_millis(100)).await;
                continue;
            };
            while let Some(letter) = letters.recv().await {
                match decode::<Note, 65_536>(&letter.body) {
                    Ok(Note::Join { number, id, owner, ticket }) => {
                        let host = Arc::clone(&self);
                        self.spawn(async move {
                            let answer = match host.asks(MatchId(id)) {
                                Some(asks) => host.join_here(&asks, owner, ticket).await,
                                None => Joined::Later,
                            };
                            let body = Bytes::from(encode(&Note::Answer { number, answer }));
                            let _ = timeout(Duration::from_millis(400), host.node.store().send(host.node.id(), &letter.from, body)).await;
                        });
                    }
                    Ok(Note::Answer { number, answer }) => {
                        if let Some(asked) = self.asked.lock().unwrap().remove(&number) {
                            let _ = asked.send(answer);
                        }
                    }
                    Err(error) => self.world.broken(&format!("a letter cannot be read: {error:?}")),
                }
            }
            if self.world.is(Plant::BeatsButNeverAnswers) {
                return;
            }
        }
    }

    /// Codes are kept as long as their matches, by who runs them.
    async fn hold_codes(self: Arc<Self>) {
        let mut losses = self.node.losses();
        loop {
            for (id, _) in self.runs() {
                let _ = timeout(Duration::from_millis(400), self.node.store().hold_code(&code(id), id, Duration::from_secs(4))).await;
            }
            let _ = timeout(Duration::from_secs(1), losses.changed()).await;
        }
    }

    async fn hand_over(&self, id: MatchId, to: usize) {
        let Some((epoch, orders, mut frozen)) =
            self.matches.lock().unwrap().get(&id).map(|running| (running.epoch, running.orders.clone(), running.frozen.clone()))
        else {
            return;
        };
        orders.send_replace(Order::Freeze);
        let is_frozen = timeout(Duration::from_secs(1), frozen.wait_for(Option::is_some)).await;
        let Some(next) = is_frozen.ok().and_then(Result::ok).and_then(|next| *next) else {
            orders.send_modify(|order| {
                if matches!(order, Order::Freeze) {
                    *order = Order::HandedOver(false, None);
                }
            });
            return;
        };
        let is_done = if self.world.is(Plant::HandedOverUnwritten) {
            let _ = timeout(Duration::from_millis(400), self.node.store().give_up(self.node.id(), &[(id, epoch)])).await;
            true
        } else {
            self.node.hand_over(&[id], Duration::from_secs(1)).await == [id]
        };
        self.world.note(&format!("node {} hands match {} over to {to}: {is_done}", self.number, short(id)));
        if is_done {
            // It has nothing of the match any more, and all is in the store.
            self.world.acked(id, epoch, self.number, next);
            self.world.hurt(self.number, LEASE * 2);
            self.world.truth().figures.hand_overs += 1;
            if let Some(process) = process(&self.world, to) {
                process.host.node.claim(id);
            }
        }
        orders.send_modify(|order| {
            if is_done || matches!(order, Order::Freeze) {
                *order = Order::HandedOver(is_done, is_done.then_some(to));
            }
        });
    }
}

pub(crate) fn code(id: MatchId) -> String {
    format!("CODE{}", short(id))
}
