//! A match as a node runs it: its core, its lane, and who is connected. Records are steps and
//! hashes, a checkpoint is a head and the core's state, as the server journals them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tag::Tag;
use tickwire_cluster::{Kept, MatchLane, Standing};
use tickwire_game::Game;
use tickwire_match::{Advance, Change, Happened, MatchCore, OwnerId, Reserve, ReserveError, Rules, SecretHash, SessionId, Setup, Step};
use tickwire_protocol::codec::{decode, decode_prefix, encode, encode_into};
use tickwire_protocol::text::Name;
use tickwire_protocol::{CloseReason, MatchId, PlayerId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::machine::short;
use crate::plant::Plant;
use crate::world::World;

pub(crate) const TICK: Duration = Duration::from_millis(50);
const STEP: u8 = 0;
const HASH: u8 = 1;
const VERSION: u8 = 1;
type Input = <Tag as Game>::Input;

/// What is asked of a match from outside.
pub(crate) enum Ask {
    Reserve { owner: u32, ticket: SecretHash, reply: oneshot::Sender<Result<PlayerId, ReserveError>> },
    Attach { how: How, frames: mpsc::UnboundedSender<Frame> },
    Say(Change<Input>),
}

/// How a client comes to its seat.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    Ticket(PlayerId, SecretHash),
    Resume(SecretHash),
}

/// What a client is told.
#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Seated {
        player: PlayerId,
        resume: SecretHash,
    },
    Tick(u32),
    Refused(CloseReason),
    /// Another node runs the match.
    Migrate(Option<usize>),
    /// The seat is given up, or the match is over.
    Over,
}

/// What the node tells a match.
#[derive(Clone, Debug, Default)]
pub(crate) enum Order {
    #[default]
    Play,
    /// Somebody else runs it.
    Fenced(Option<usize>),
    /// It is handed over: it stops, and writes a checkpoint.
    Freeze,
    /// It was handed over, or was not.
    HandedOver(bool, Option<usize>),
}

/// A match and its lane.
pub(crate) struct Play {
    pub(crate) world: Arc<World>,
    pub(crate) node: usize,
    pub(crate) id: MatchId,
    pub(crate) core: MatchCore<Tag>,
    pub(crate) lane: MatchLane,
    pub(crate) asks: mpsc::UnboundedReceiver<Ask>,
    pub(crate) orders: watch::Receiver<Order>,
    /// Everything below this number is to be handed over.
    pub(crate) frozen: watch::Sender<Option<u64>>,
}

pub(crate) fn setup(id: MatchId, seed: u64) -> Setup {
    let rules =
        Rules { countdown: 10, live: 1_000_000, results: 30, grace: 400, idle_after: 0, empty_for: 20, bots_fill: 2, hash_every: 0 };
    Setup { id, mode: Tag::MODES[0], mode_index: 0, lobby: false, bots: true, rules, seed }
}

fn checkpoint(core: &mut MatchCore<Tag>) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    encode_into(&core.setup().seed, &mut bytes);
    bytes.extend_from_slice(&core.state());
    bytes
}

/// The match as it was left, or why it cannot go on.
pub(crate) fn restore(id: MatchId, kept: &Kept) -> Result<MatchCore<Tag>, String> {
    let Some((&VERSION, rest)) = kept.checkpoint.split_first() else { return Err("another version".into()) };
    let (seed, state) = decode_prefix::<u64, 16>(rest).map_err(|error| format!("{error:?}"))?;
    let mut core = MatchCore::<Tag>::restore(&setup(id, seed), state).map_err(|error| error.to_string())?.core;
    for record in &kept.records {
        match record.split_first() {
            Some((&STEP, step)) => drop(core.step(&decode::<Step<Input>, 65_536>(step).map_err(|error| format!("{error:?}"))?)),
            Some((&HASH, hash)) => {
                let hash = decode::<u64, 16>(hash).map_err(|error| format!("{error:?}"))?;
                if core.hash() != hash {
                    return Err(format!("at tick {} the hash differs", core.tick().0));
                }
            }
            _ => return Err("neither step nor hash".into()),
        }
    }
    Ok(core)
}

impl Play {
    /// Runs until the match is over, or somebody else's.
    #[allow(clippy::too_many_lines)] // from top to bottom, as a tick goes
    pub(crate) async fn run(mut self) {
        let mut sessions: BTreeMap<SessionId, (PlayerId, mpsc::UnboundedSender<Frame>)> = BTreeMap::new();
        let mut waiting: BTreeMap<SessionId, (mpsc::UnboundedSender<Frame>, SecretHash)> = BTreeMap::new();
        // Whose connections ended with the last owner.
        let mut changes: Vec<Change<Input>> = self.core.occupants().filter_map(|seat| Some(lost(seat.player, seat.session?))).collect();
        let is_consistent = self.world.is_consistent(self.id);
        if self.core.tick().0 == 0 {
            self.write_checkpoint();
        }
        let mut next_number = 0;
        let mut next = Instant::now();
        let mut checkpoint_at = Instant::now() + Duration::from_secs(1);
        loop {
            next = (next + TICK).max(Instant::now());
            let order = self.orders.borrow_and_update().clone();
            match order {
                Order::Play => {}
                Order::Freeze => {
                    if !self.world.is(Plant::HandedOverUnwritten) {
                        self.write_checkpoint();
                    }
                    self.frozen.send_replace(Some(next_number));
                    if self.orders.changed().await.is_err() {
                        return;
                    }
                    next = Instant::now();
                    continue;
                }
                Order::HandedOver(false, _) => {
                    self.frozen.send_replace(None);
                }
                Order::HandedOver(true, to) | Order::Fenced(to) => {
                    sessions.values().for_each(|(_, frames)| drop(frames.send(Frame::Migrate(to))));
                    self.lane.leave();
                    return;
                }
            }
            tokio::select! {
                biased;
                _ = self.orders.changed() => continue,
                () = sleep_until(next) => {}
            }
            if is_consistent {
                if self.lane.standing() != Standing::Held {
                    if self.lane.wants_checkpoint() {
                        self.write_checkpoint();
                    }
                    continue;
                }
                self.world.holds(self.id, self.lane.epoch(), self.node).await;
            }
            let mut replies = Vec::new();
            self.gather(&mut changes, &mut replies, &mut waiting);
            for (session, (player, frames)) in &sessions {
                if frames.is_closed() {
                    changes.push(lost(*player, *session));
                }
            }
            sessions.retain(|_, (_, frames)| !frames.is_closed());
            let advance = if sessions.is_empty() && waiting.is_empty() { Advance::Doze(1) } else { Advance::Tick };
            let step = Step { changes: std::mem::take(&mut changes), advance };
            let mut record = vec![STEP];
            encode_into(&step, &mut record);
            let number = self.lane.record(&record);
            next_number = number + 1;
            let outcome = self.core.step(&step);
            let hash = self.core.hash();
            if self.core.tick().0.is_multiple_of(8) {
                next_number = 1 + self.lane.record(&[&[HASH][..], &encode(&hash)].concat());
            }
            if Instant::now() >= checkpoint_at || self.lane.wants_checkpoint() {
                self.write_checkpoint();
                checkpoint_at = Instant::now() + Duration::from_secs(1);
            }
            self.lane.card(format!("{} players", self.core.counts().held).as_bytes());
            if is_consistent && !self.is_written(number).await {
                // Nobody is told of it.
                continue;
            }
            self.world.acked(self.id, self.lane.epoch(), self.node, self.lane.acked());
            self.world.held(self.id, self.core.counts().held);
            if advance == Advance::Tick {
                self.world.told(self.id, self.lane.epoch(), self.node, self.core.tick().0, hash);
            }
            for happened in outcome.happened {
                match happened {
                    Happened::Reserved(player) => drop(replies.pop().map(|reply| reply.send(Ok(player)))),
                    Happened::NotReserved(why) => drop(replies.pop().map(|reply| reply.send(Err(why)))),
                    Happened::Seated { player, session, replaced } => {
                        let _ = replaced.and_then(|replaced| sessions.remove(&replaced));
                        if let Some((frames, resume)) = waiting.remove(&session) {
                            let _ = frames.send(Frame::Seated { player, resume });
                            sessions.insert(session, (player, frames));
                        }
                    }
                    Happened::Refused(session, why) => {
                        let _ = waiting.remove(&session).map(|(frames, _)| frames.send(Frame::Refused(why)));
                    }
                    Happened::Dismissed(session, _) => {
                        let _ = sessions.remove(&session).map(|(_, frames)| frames.send(Frame::Over));
                    }
                    Happened::Freed(player) => sessions.retain(|_, (held, frames)| {
                        let stays = *held != player;
                        if !stays {
                            let _ = frames.send(Frame::Over);
                        }
                        stays
                    }),
                }
            }
            let tick = self.core.tick().0;
            sessions.values().for_each(|(_, frames)| drop(frames.send(Frame::Tick(tick))));
            if outcome.over.is_some() {
                if self.world.is(Plant::JoinKeepsTheDisposed) && timeout(TICK * 4, self.asks.recv()).await.is_ok() {
                    std::future::pending::<()>().await;
                }
                sessions.values().for_each(|(_, frames)| drop(frames.send(Frame::Over)));
                self.world.note(&format!("match {} is over at node {}", short(self.id), self.node));
                self.world.over(self.id, self.lane.epoch());
                self.lane.end();
                return;
            }
        }
    }

    /// Everything that was asked, as changes. Replies are in reverse order.
    fn gather(
        &mut self,
        changes: &mut Vec<Change<Input>>,
        replies: &mut Vec<oneshot::Sender<Result<PlayerId, ReserveError>>>,
        waiting: &mut BTreeMap<SessionId, (mpsc::UnboundedSender<Frame>, SecretHash)>,
    ) {
        while let Ok(ask) = self.asks.try_recv() {
            match ask {
                Ask::Reserve { owner, ticket, reply } => {
                    let owner = if self.world.is(Plant::LetterTakesTwoSeats) { owner + 1_000 * self.world.unique() as u32 } else { owner };
                    let name = Name::truncated(&format!("p{owner}"));
                    changes.push(Change::Reserve(Box::new(Reserve {
                        owner: owner_id(owner),
                        name,
                        ticket,
                        patience: 200,
                        own_only: false,
                    })));
                    replies.insert(0, reply);
                }
                Ask::Attach { how, frames } => {
                    let (session, resume) = (self.world.unique() as u32, secret(self.world.unique()));
                    changes.push(match how {
                        How::Ticket(player, ticket) => Change::Attach { player, ticket, session, resume },
                        How::Resume(token) => Change::Resume { token, session, resume },
                    });
                    waiting.insert(session, (frames, resume));
                }
                Ask::Say(change) => changes.push(change),
            }
        }
    }

    /// Waits until the store has record `number`. No, if this node is no longer to run the match.
    async fn is_written(&mut self, number: u64) -> bool {
        let mut acks = self.lane.acks();
        loop {
            if *acks.borrow_and_update() > number {
                return true;
            }
            match self.lane.standing() {
                Standing::Held => self.world.holds(self.id, self.lane.epoch(), self.node).await,
                Standing::Doubtful => {}
                Standing::Fenced => return false,
            }
            if self.lane.wants_checkpoint() {
                self.write_checkpoint();
            }
            tokio::select! {
                biased;
                _ = acks.changed() => {}
                () = sleep(TICK) => {}
                // It stops when this tick is told, or when it is known to be another's.
                _ = self.orders.changed() => {
                    let order = self.orders.borrow().clone();
                    self.orders.mark_changed();
                    if matches!(order, Order::Fenced(_)) {
                        return false;
                    }
                    tokio::select! {
                        biased;
                        _ = acks.changed() => {}
                        () = sleep(TICK) => {}
                    }
                }
            }
        }
    }

    fn write_checkpoint(&mut self) {
        let bytes = checkpoint(&mut self.core);
        self.lane.checkpoint(&bytes);
    }
}

fn lost(player: PlayerId, session: SessionId) -> Change<Input> {
    Change::Disconnect { player, session, may_return: true }
}

pub(crate) fn owner_id(owner: u32) -> OwnerId {
    OwnerId(secret(u64::from(owner)))
}

pub(crate) fn secret(number: u64) -> SecretHash {
    let mut secret = [0; 32];
    secret[..8].copy_from_slice(&number.to_le_bytes());
    secret
}
