//! Matchmaking over several nodes: parties wait in the store, any node groups them, and a group is
//! taken all in one step or not at all.
//!
//! A ticket is renewed by the node that its party is connected to, and goes by itself when that
//! node is gone. Whoever groups reserves first, makes the match, and then says that it has seats;
//! if that node dies in between, each ticket's own node puts it back. So there is no leader, and
//! nothing that a dead node leaves behind stays. Times are each node's own: what a ticket has
//! waited is written in it.

mod form;
mod ticket;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use tickwire_protocol::MatchId;
use tokio::time::Instant;

use self::ticket::Stage;
use crate::store::{EXCHANGE_MAX, Exchange, Store, StoreError};

pub use self::form::Rules;
pub use self::ticket::{Ticket, TicketId};

/// Most parties that wait in a queue; a further one is refused, by what its node last saw.
pub const QUEUE_MAX: usize = 1_024;
/// Most tickets that are read at once: of parties that wait, and of those that have just got seats.
const READ_MAX: usize = 2 * QUEUE_MAX;
/// How long a ticket stays that nobody renews.
pub const TICKET_TTL: Duration = Duration::from_secs(10);
/// How often its node renews it.
const RENEW_EVERY: Duration = Duration::from_secs(2);
/// After so long a reservation came to nothing.
const RESERVED_FOR: Duration = Duration::from_secs(3);
const _: () = assert!(QUEUE_MAX <= EXCHANGE_MAX);
const _: () = assert!(RENEW_EVERY.as_secs() + RESERVED_FOR.as_secs() < TICKET_TTL.as_secs());

/// The parties that wait for a match of one mode.
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// use tickwire_cluster::Embedded;
/// use tickwire_cluster::queue::{Queue, Rules, TicketId};
/// use tickwire_protocol::MatchId;
/// use tokio::time::Instant;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let patience = Duration::from_secs(30);
/// let rules = Rules { seats: 2, seats_min: 2, patience, spread: 100, widening_per_second: 10 };
/// let queue = Queue::new(Arc::new(Embedded::new()), "duel", rules);
/// let (now, id) = (Instant::now(), MatchId([7; 16]));
/// let mut ada = queue.enter(now, TicketId([1; 16]), 1, 1_500).await?;
/// queue.enter(now, TicketId([2; 16]), 1, 1_540).await?;
///
/// // Any node groups them, makes the match, and says that it has their seats.
/// let groups = queue.reserve(|| id).await?;
/// assert!(queue.seat(&groups[0]).await?);
/// assert_eq!(queue.look(now, &mut ada).await?, Some(id));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Queue {
    store: Arc<dyn Store>,
    shelf: String,
    rules: Rules,
    /// How many waited when this node last looked.
    waiting: AtomicUsize,
}

/// A party's place in a queue, on the node that it is connected to.
#[derive(Debug)]
pub struct QueuePlace {
    ticket: Ticket,
    entered: Instant,
    /// When this node has renewed it last, if it has.
    renewed: Option<Instant>,
    /// The reservation that was seen last, and when it was first.
    reserved: Option<(MatchId, Instant)>,
}

impl QueuePlace {
    /// How long the party has waited.
    pub fn waited(&self, now: Instant) -> Duration {
        now.duration_since(self.entered)
    }
}

/// Parties for whom a match is to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The id that the new match must have.
    pub id: MatchId,
    /// The parties that are to play in it, each with all its players.
    pub tickets: Vec<Ticket>,
}

/// A party does not wait.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnterError {
    /// It has no players, or more than a match has seats.
    #[error("a party has 1 to {0} players")]
    Players(u16),
    /// As many wait as may.
    #[error("{QUEUE_MAX} parties wait already")]
    Full,
    /// The store did not answer; whether the party waits is not known.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Queue {
    /// The queue of a mode.
    pub fn new(store: Arc<dyn Store>, mode: &str, rules: Rules) -> Self {
        Self { store, shelf: format!("queue-{mode}"), rules, waiting: AtomicUsize::new(0) }
    }

    /// A party begins to wait. Its node calls [`Queue::look`] from now on, a few times a second.
    pub async fn enter(&self, now: Instant, id: TicketId, players: u16, rating: i32) -> Result<QueuePlace, EnterError> {
        if players == 0 || players > self.rules.seats {
            return Err(EnterError::Players(self.rules.seats));
        }
        if self.waiting.load(Relaxed) >= QUEUE_MAX {
            return Err(EnterError::Full);
        }
        let ticket = Ticket { id, players, rating, waited: Duration::ZERO };
        self.store.put(&self.shelf, &id.0, ticket.write(Stage::Waits), TICKET_TTL).await?;
        self.waiting.fetch_add(1, Relaxed);
        Ok(QueuePlace { ticket, entered: now, renewed: Some(now), reserved: None })
    }

    /// A party whose node was another before, or that this node has lost sight of, waits on. It
    /// begins to wait if the store does not know it.
    pub async fn take_up(&self, now: Instant, id: TicketId, players: u16, rating: i32) -> Result<QueuePlace, EnterError> {
        let found = self.store.get(&self.shelf, &id.0, None).await?;
        let Some((kept, _)) = found.and_then(|value| Ticket::read(&id.0, &value)) else {
            return self.enter(now, id, players, rating).await;
        };
        let entered = now.checked_sub(kept.waited).unwrap_or(now);
        Ok(QueuePlace { ticket: Ticket { rating, ..kept }, entered, renewed: None, reserved: None })
    }

    /// The match that has seats for the party by now, if there is one. Renews its ticket, puts it
    /// in again if the store has lost it, and takes it back from a node that has died.
    pub async fn look(&self, now: Instant, place: &mut QueuePlace) -> Result<Option<MatchId>, StoreError> {
        let key = place.ticket.id.0;
        let found = self.store.get(&self.shelf, &key, None).await?;
        let stage = found.as_ref().and_then(|value| Ticket::read(&key, value)).map(|(_, stage)| stage);
        let waits = Ticket { waited: now.duration_since(place.entered), ..place.ticket.clone() };
        match (stage, &found) {
            (Some(Stage::Seated(id)), _) => return Ok(Some(id)),
            (Some(Stage::Reserved(id)), Some(value)) => match place.reserved {
                Some((seen, since)) if seen == id => {
                    if now.duration_since(since) >= RESERVED_FOR {
                        self.exchange(&[(&waits, value.clone(), Stage::Waits)]).await?;
                    }
                }
                _ => place.reserved = Some((id, now)),
            },
            (Some(Stage::Waits), Some(value)) => {
                place.reserved = None;
                if place.renewed.is_none_or(|renewed| now.duration_since(renewed) >= RENEW_EVERY) {
                    self.exchange(&[(&waits, value.clone(), Stage::Waits)]).await?;
                    place.renewed = Some(now);
                }
            }
            _ => {
                self.store.put(&self.shelf, &key, waits.write(Stage::Waits), TICKET_TTL).await?;
                (place.reserved, place.renewed) = (None, Some(now));
            }
        }
        place.ticket = waits;
        Ok(None)
    }

    /// The party waits no more, or has its seats.
    pub async fn leave(&self, place: QueuePlace) -> Result<(), StoreError> {
        self.withdraw(place.ticket.id).await
    }

    /// Takes a party out of the queue whose [`QueuePlace`] this node does not have.
    pub async fn withdraw(&self, id: TicketId) -> Result<(), StoreError> {
        self.store.remove(&self.shelf, &id.0).await
    }

    /// How many parties waited when this node last looked.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Relaxed)
    }

    /// Groups those who wait, and reserves each group for a match of a new id. Another node may do
    /// the same: each group is then one node's. The caller makes the matches, and says then
    /// [`Queue::seat`] or [`Queue::release`].
    pub async fn reserve(&self, mut new_id: impl FnMut() -> MatchId) -> Result<Vec<Group>, StoreError> {
        let all = self.store.all(&self.shelf, READ_MAX).await?;
        let read = all.iter().filter_map(|(key, value)| Ticket::read(key, value));
        let waiting: Vec<Ticket> = read.filter(|(_, stage)| *stage == Stage::Waits).map(|(ticket, _)| ticket).collect();
        self.waiting.store(waiting.len(), Relaxed);
        let mut groups = Vec::new();
        for ids in form::form(&waiting, &self.rules) {
            let id = new_id();
            let tickets: Vec<_> = waiting.iter().filter(|ticket| ids.contains(&ticket.id)).cloned().collect();
            let exchanges: Vec<_> = tickets.iter().map(|ticket| (ticket, ticket.write(Stage::Waits), Stage::Reserved(id))).collect();
            match self.exchange(&exchanges).await {
                Ok(true) => groups.push(Group { id, tickets }),
                Ok(false) => (),
                Err(error) if groups.is_empty() => return Err(error),
                // Those that are reserved are the caller's all the same.
                Err(_) => break,
            }
        }
        Ok(groups)
    }

    /// The group's match is there and has seats for all of it. If this says no, somebody has left
    /// or was put back meanwhile: the others wait again, and the match is not theirs.
    pub async fn seat(&self, group: &Group) -> Result<bool, StoreError> {
        let reserved = |ticket: &Ticket| ticket.write(Stage::Reserved(group.id));
        let exchanges: Vec<_> = group.tickets.iter().map(|ticket| (ticket, reserved(ticket), Stage::Seated(group.id))).collect();
        let is_seated = self.exchange(&exchanges).await?;
        if !is_seated {
            self.release(group).await?;
        }
        Ok(is_seated)
    }

    /// There is no such match: those of the group wait again who are still there.
    pub async fn release(&self, group: &Group) -> Result<(), StoreError> {
        for ticket in &group.tickets {
            self.exchange(&[(ticket, ticket.write(Stage::Reserved(group.id)), Stage::Waits)]).await?;
        }
        Ok(())
    }

    /// Tickets, what the store must have of each, and their new stages.
    async fn exchange(&self, tickets: &[(&Ticket, Bytes, Stage)]) -> Result<bool, StoreError> {
        let exchanges: Vec<_> = tickets
            .iter()
            .map(|(ticket, from, stage)| Exchange {
                key: Bytes::copy_from_slice(&ticket.id.0),
                from: from.clone(),
                to: ticket.write(*stage),
            })
            .collect();
        self.store.exchange(&self.shelf, &exchanges, TICKET_TTL).await
    }
}
