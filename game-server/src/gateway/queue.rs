//! Those who wait for a match with others: what the store has of each, and what this server does
//! for them while they ask.
//!
//! Whoever waits asks again and again; the server that is asked renews what the store has, so there
//! is no server that somebody belongs to. Who does not ask for [`TICKET_TTL`] has left. Several who
//! know the same secret are a party: each has a slot of it, and the party waits in
//! [`tickwire_cluster::queue`] as one while all of its slots are taken.
//!
//! Invariants: a player waits at one place at a time; a slot of a party is one player's; nobody but
//! the player whose it is sees or changes a place.

mod record;
mod waiters;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tickwire_cluster::queue::{EnterError, Group, Queue, QueuePlace, Rules, TICKET_TTL, Ticket, TicketId};
use tickwire_cluster::{Store, StoreError};
use tickwire_game::Mode;
use tickwire_protocol::{MatchId, Secret};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::letter::Member;
use crate::config::QueueConfig;
use crate::http::address::AddressKey;
use crate::matches::PlayerKey;
use crate::metrics;
use crate::secrets::random_bytes;
use waiters::Waiters;

pub(crate) use record::{Stage, Waiting};
pub(crate) use waiters::Crowded;

/// Most players of a party.
pub(crate) const PARTY_MAX: u16 = 8;
/// Where the store keeps who waits where, by player.
const WAITING: &str = "waiting";
/// Where it keeps the slots of parties.
const SLOTS: &str = "party";

/// The queues of all modes that have one.
pub(crate) struct Queues {
    store: Arc<dyn Store>,
    lines: Vec<Line>,
    rating_by_client: bool,
    waiters: Waiters,
    /// The parties that this server has just seated.
    seated: watch::Sender<Arc<HashSet<TicketId>>>,
}

/// The queue of a mode.
pub(crate) struct Line {
    /// The id of the mode.
    pub(crate) mode: &'static str,
    /// Most players of a match.
    pub(crate) seats: u16,
    /// Those who wait.
    pub(crate) queue: Queue,
}

/// What somebody wants who begins to wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Players of the party.
    pub(crate) players: u16,
    /// What all of the party know. `None` for one alone.
    pub(crate) party: Option<Secret>,
}

/// How far somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// They wait no more.
    Gone,
    /// So many of the party are here, and not all.
    Gathers(u16),
    /// For a match, for so long.
    Waits(Duration),
    /// There is a seat for them in this match.
    Seated(MatchId),
}

/// Why somebody does not wait.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// As many parties wait as may.
    #[error("the queue is full")]
    Full,
    /// All slots of the party are others'.
    #[error("the party is full")]
    PartyFull,
    /// Too many wait here.
    #[error(transparent)]
    Crowded(#[from] Crowded),
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<EnterError> for Refused {
    fn from(error: EnterError) -> Self {
        match error {
            // The number of players was looked at before.
            EnterError::Players(_) | EnterError::Full => Self::Full,
            EnterError::Store(error) => Self::Store(error),
        }
    }
}

/// Somebody who waits, for as long as one request of theirs takes.
pub(crate) struct Turn<'a> {
    queues: &'a Queues,
    line: &'a Line,
    member: Member,
    /// What the store has of them.
    pub(crate) waiting: Waiting,
    place: Option<QueuePlace>,
    seated: watch::Receiver<Arc<HashSet<TicketId>>>,
}

impl Queues {
    /// Over what `store` has.
    pub(crate) fn new(config: &QueueConfig, modes: &[Mode], store: Arc<dyn Store>) -> Self {
        let lines = modes.iter().filter(|mode| config.has(mode.id)).map(|mode| {
            let seats = if config.players == 0 { mode.max_players } else { config.players.min(mode.max_players) };
            let rules = Rules {
                seats,
                seats_min: config.players_min.min(seats),
                patience: Duration::from_secs(config.patience_seconds.into()),
                spread: config.rating_spread,
                widening_per_second: config.rating_widening_per_second,
            };
            Line { mode: mode.id, seats, queue: Queue::new(Arc::clone(&store), mode.id, rules) }
        });
        Self {
            lines: lines.collect(),
            rating_by_client: config.rating_by_client,
            waiters: Waiters::new(config.waiting_per_address),
            seated: watch::Sender::default(),
            store,
        }
    }

    /// The queue of a mode, if it has one.
    pub(crate) fn line(&self, mode: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.mode == mode)
    }

    /// The queues in which somebody waits, as far as this server knows.
    pub(crate) fn busy(&self, now: Instant) -> impl Iterator<Item = &Line> {
        let modes = self.waiters.modes(now);
        self.lines.iter().filter(move |line| modes.contains(line.mode) || line.queue.waiting() > 0)
    }

    /// How many people wait whose last request came here.
    pub(crate) fn waiting(&self) -> usize {
        self.waiters.len(Instant::now())
    }

    /// What counts of a rating: what the identity provider has said, or what the client says if the
    /// operator believes it.
    pub(crate) fn rating(&self, known: Option<i32>, claimed: Option<i32>) -> i32 {
        known.or(claimed.filter(|_| self.rating_by_client)).unwrap_or_default()
    }

    /// Somebody at `address` begins to wait. Where they waited before they have left.
    pub(crate) async fn enter<'a>(
        &'a self,
        line: &'a Line,
        wanted: Wanted,
        member: Member,
        address: AddressKey,
    ) -> Result<Turn<'a>, Refused> {
        let player = member.player;
        if let Some(before) = self.read(player).await? {
            self.forget(player, &before).await?;
        }
        self.waiters.come(Instant::now(), player, address, line.mode)?;
        let party = wanted.party.map_or_else(|| TicketId(random_bytes()), |secret| record::party(line.mode, wanted.players, secret));
        let waiting = Waiting {
            ticket: Secret(random_bytes()),
            mode: line.mode.to_owned(),
            party: party.0,
            players: wanted.players,
            slot: 0,
            stage: Stage::Waits,
        };
        let Some(slot) = self.claim(&waiting, &member).await? else {
            self.waiters.leave(player);
            return Err(Refused::PartyFull);
        };
        let waiting = Waiting { slot, ..waiting };
        self.store.put(WAITING, &player.0, waiting.write(), TICKET_TTL).await?;
        Ok(self.turn(line, member, waiting, None))
    }

    /// The first slot of the party that is free, or the player's already.
    async fn claim(&self, waiting: &Waiting, member: &Member) -> Result<Option<u16>, StoreError> {
        for slot in 0..waiting.players {
            let kept = self.store.put_first(SLOTS, &waiting.key(slot), record::write(member), TICKET_TTL).await?;
            if record::read::<Member>(&kept).is_some_and(|kept| kept.player == member.player) {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    /// Somebody at `address` asks again. `None` if that is not the ticket with which they wait.
    pub(crate) async fn come_back(&self, member: Member, ticket: Secret, address: AddressKey) -> Result<Option<Turn<'_>>, Refused> {
        let Some(waiting) = self.read(member.player).await?.filter(|waiting| waiting.ticket == ticket) else { return Ok(None) };
        let Some(line) = self.line(&waiting.mode) else { return Ok(None) };
        let place = self.waiters.come(Instant::now(), member.player, address, line.mode)?;
        Ok(Some(self.turn(line, member, waiting, place)))
    }

    fn turn<'a>(&'a self, line: &'a Line, member: Member, waiting: Waiting, place: Option<QueuePlace>) -> Turn<'a> {
        Turn { queues: self, line, member, waiting, place, seated: self.seated.subscribe() }
    }

    /// Somebody waits no more. Says whether they did, with this ticket.
    pub(crate) async fn leave(&self, player: PlayerKey, ticket: Secret) -> Result<bool, StoreError> {
        let Some(waiting) = self.read(player).await?.filter(|waiting| waiting.ticket == ticket) else { return Ok(false) };
        self.forget(player, &waiting).await?;
        Ok(true)
    }

    /// Takes somebody out who cannot be seated: they are told so when they ask again.
    pub(crate) async fn put_out(&self, player: PlayerKey) -> Result<(), StoreError> {
        match self.read(player).await? {
            Some(waiting) => self.forget(player, &waiting).await,
            None => Ok(()),
        }
    }

    /// Everyone of a party. `None` if somebody is missing, or waits elsewhere by now.
    pub(crate) async fn members(&self, ticket: &Ticket) -> Result<Option<Vec<Member>>, StoreError> {
        let mut members = Vec::new();
        for slot in 0..ticket.players {
            let found = self.store.get(SLOTS, &record::key(ticket.id.0, slot), None).await?;
            let Some(member) = found.and_then(|value| record::read::<Member>(&value)) else { return Ok(None) };
            let waits = self.read(member.player).await?.is_some_and(|waiting| waiting.party == ticket.id.0);
            if !waits {
                return Ok(None);
            }
            members.push(member);
        }
        Ok(Some(members))
    }

    /// These have seats: whoever asks for them here and now is told at once.
    pub(crate) fn tell(&self, groups: &[Group]) {
        let parties = groups.iter().flat_map(|group| group.tickets.iter().map(|ticket| ticket.id)).collect();
        self.seated.send_replace(Arc::new(parties));
    }

    async fn read(&self, player: PlayerKey) -> Result<Option<Waiting>, StoreError> {
        let found = self.store.get(WAITING, &player.0, None).await?;
        Ok(found.and_then(|value| record::read(&value)))
    }

    async fn forget(&self, player: PlayerKey, waiting: &Waiting) -> Result<(), StoreError> {
        self.waiters.leave(player);
        self.store.remove(WAITING, &player.0).await?;
        if waiting.stage != Stage::Waits {
            return Ok(());
        }
        let key = waiting.key(waiting.slot);
        let slot = self.store.get(SLOTS, &key, None).await?;
        if slot.and_then(|value| record::read::<Member>(&value)).is_some_and(|member| member.player == player) {
            self.store.remove(SLOTS, &key).await?;
        }
        match self.line(&waiting.mode) {
            Some(line) => line.queue.withdraw(TicketId(waiting.party)).await,
            None => Ok(()),
        }
    }
}

impl Turn<'_> {
    /// Looks how far they are, and renews what the store has of them.
    pub(crate) async fn step(&mut self) -> Result<Progress, Refused> {
        let store = &self.queues.store;
        let player = self.member.player;
        self.queues.waiters.stay(Instant::now(), player);
        let found = store.get(WAITING, &player.0, Some(TICKET_TTL)).await?.and_then(|value| record::read::<Waiting>(&value));
        let Some(found) = found.filter(|found| found.ticket == self.waiting.ticket) else {
            return Ok(Progress::Gone);
        };
        if let Stage::Seated(id) = found.stage {
            return Ok(Progress::Seated(id));
        }
        let Some((here, rating)) = self.gather().await? else { return Ok(Progress::Gone) };
        if here < self.waiting.players {
            if let Some(place) = self.place.take() {
                self.line.queue.leave(place).await?;
            }
            return Ok(Progress::Gathers(here));
        }
        let (now, party) = (Instant::now(), TicketId(self.waiting.party));
        let place = match &mut self.place {
            Some(place) => place,
            none => none.insert(self.line.queue.take_up(now, party, here, rating).await?),
        };
        let Some(id) = self.line.queue.look(now, place).await? else { return Ok(Progress::Waits(place.waited(now))) };
        metrics::waited(place.waited(now));
        self.waiting.stage = Stage::Seated(id);
        store.put(WAITING, &player.0, self.waiting.write(), TICKET_TTL).await?;
        Ok(Progress::Seated(id))
    }

    /// How many of the party are here, and how good the best of them is. `None` if the slot has
    /// gone to somebody else.
    async fn gather(&self) -> Result<Option<(u16, i32)>, StoreError> {
        let (store, member) = (&self.queues.store, &self.member);
        let (mut here, mut rating) = (0, i32::MIN);
        for slot in 0..self.waiting.players {
            let is_own = slot == self.waiting.slot;
            let key = self.waiting.key(slot);
            let found = store.get(SLOTS, &key, is_own.then_some(TICKET_TTL)).await?;
            let found = match found {
                // The store has lost it.
                None if is_own => Some(store.put_first(SLOTS, &key, record::write(member), TICKET_TTL).await?),
                found => found,
            };
            let Some(found) = found.and_then(|value: Bytes| record::read::<Member>(&value)) else { continue };
            if is_own && found.player != member.player {
                return Ok(None);
            }
            (here, rating) = (here + 1, rating.max(found.rating));
        }
        Ok(Some((here, rating)))
    }

    /// Returns when this server has seated the party.
    pub(crate) async fn told(&mut self) {
        let party = TicketId(self.waiting.party);
        // The sender is ours: it cannot be gone.
        while self.seated.changed().await.is_ok() && !self.seated.borrow_and_update().contains(&party) {}
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.queues.waiters.rest(Instant::now(), self.member.player, self.place.take());
    }
}
