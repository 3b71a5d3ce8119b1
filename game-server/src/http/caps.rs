//! How many connections there may be: in all, from one address, and of strangers who have not said
//! a valid Hello.
//!
//! Where there is no room, a newcomer takes a stranger's place: one of the busiest address, as
//! [`mod@line`] says, so a flood pushes out itself. Players are never pushed out.
//!
//! A trusted proxy's connections count for the client that they serve at the moment, and for no
//! address while they serve none.
//!
//! Invariants: what is counted is given back exactly once: when the permit is dropped, wherever the
//! socket went by then, or when its holder is pushed out. Of those who were pushed out and still
//! have their descriptor there are [`LEAVING_MAX`] at most: until they are gone, nobody is
//! accepted.

mod line;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tickwire_protocol::CloseReason;
use tokio::sync::Notify;

use super::address::{AddressKey, ClientAddress, PeerAddress};
use crate::config::ConnectionConfig;
use crate::metrics::{self, Reject};
use line::{Line, Turn};

/// Most connections that were pushed out and are not closed yet.
pub(crate) const LEAVING_MAX: usize = 32;

/// The caps of one listener and what is taken of them.
#[derive(Debug)]
pub(crate) struct Caps {
    total_max: usize,
    per_address_max: usize,
    strangers_max: usize,
    taken: Mutex<Taken>,
    /// Somebody who was pushed out is gone.
    gone: Notify,
}

/// Connections there are.
#[derive(Debug, Default)]
struct Taken {
    total: usize,
    /// How many of each address that has at least one: never more than `total`.
    by_address: HashMap<AddressKey, usize>,
    /// Those who have not said a valid Hello.
    strangers: Line<Arc<CapPlace>>,
    /// Those who were pushed out and are not gone yet.
    leaving: usize,
    next: u64,
}

/// One connection's place under the caps.
#[derive(Debug)]
struct CapPlace {
    /// Locked only while `Taken` is.
    owner: Mutex<Owner>,
    /// Locked only while `Taken` is.
    standing: Mutex<Standing>,
    lost: Notify,
}

/// Whom a connection counts for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// Who connected, or whom a proxy connected for.
    Client(AddressKey),
    /// The client whose request a proxy passes on. `None` between two requests.
    Proxy(Option<AddressKey>),
}

impl Owner {
    fn key(self) -> Option<AddressKey> {
        match self {
            Self::Client(key) => Some(key),
            Self::Proxy(key) => key,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Has not said a valid Hello.
    Stranger(Turn),
    /// Cannot be pushed out.
    Known,
    /// Its place was given to somebody else: there is nothing left to give back.
    Lost,
}

impl Caps {
    /// As the operator set them.
    pub(crate) fn new(config: &ConnectionConfig) -> Arc<Self> {
        Self::of(config.total, config.per_address, config.unauthenticated)
    }

    /// So many in all, from one address, and of strangers.
    pub(crate) fn of(total_max: usize, per_address_max: usize, strangers_max: usize) -> Arc<Self> {
        Arc::new(Self { total_max, per_address_max, strangers_max, taken: Mutex::default(), gone: Notify::new() })
    }

    /// Counts a new connection: a stranger's for now, and busy, since it came to ask for something.
    pub(crate) fn admit(self: &Arc<Self>, peer: PeerAddress) -> Result<Arc<ConnectionPermit>, Reject> {
        self.admit_owner(Owner::Client(peer.key()))
    }

    /// Counts a player's connection that the process before had: it is no stranger's.
    pub(crate) fn admit_again(self: &Arc<Self>, client: ClientAddress) -> Result<Arc<ConnectionPermit>, Reject> {
        let permit = self.admit_owner(Owner::Client(client.key()))?;
        permit.authenticate();
        Ok(permit)
    }

    /// Counts a new connection of a trusted proxy, for no address yet.
    pub(crate) fn admit_proxy(self: &Arc<Self>) -> Result<Arc<ConnectionPermit>, Reject> {
        self.admit_owner(Owner::Proxy(None))
    }

    fn admit_owner(self: &Arc<Self>, owner: Owner) -> Result<Arc<ConnectionPermit>, Reject> {
        let mut taken = self.taken();
        if let Some(key) = owner.key() {
            taken.make_room_at(key, self.per_address_max)?;
        }
        if taken.strangers.len() >= self.strangers_max {
            taken.push_out_first();
        }
        if taken.total >= self.total_max && !taken.push_out_first() {
            return Err(Reject::Total);
        }
        taken.total += 1;
        if let Some(key) = owner.key() {
            *taken.by_address.entry(key).or_default() += 1;
        }
        let turn = taken.turn(true);
        let place = Arc::new(CapPlace { owner: Mutex::new(owner), standing: Mutex::new(Standing::Stranger(turn)), lost: Notify::new() });
        taken.line_up(turn, &place);
        Ok(Arc::new(ConnectionPermit { caps: Arc::clone(self), place, watcher: OnceLock::new() }))
    }

    /// The process has no descriptor left: pushes out a stranger. `false` if there is none.
    pub(crate) fn make_room(&self) -> bool {
        self.taken().push_out_first()
    }

    /// Waits until there are fewer than `count` who were pushed out and still have their
    /// descriptors. For one task.
    pub(crate) async fn fewer_leaving_than(&self, count: usize) {
        while self.taken().leaving >= count {
            self.gone.notified().await;
        }
    }

    /// Connections in all, and those of them that are strangers'.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let taken = self.taken();
        (taken.total, taken.strangers.len())
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    /// The last turn among the idle, or among the busy.
    fn turn(&mut self, is_busy: bool) -> Turn {
        self.next += 1;
        Turn { is_busy, since: self.next }
    }

    fn line_up(&mut self, turn: Turn, place: &Arc<CapPlace>) {
        self.strangers.insert(turn, place.owner().key(), Arc::clone(place));
    }

    fn take_out(&mut self, turn: Turn) -> Option<Arc<CapPlace>> {
        let key = self.strangers.get(turn)?.owner().key();
        self.strangers.remove(turn, key)
    }

    /// Makes room for one more of this address, among its own strangers.
    fn make_room_at(&mut self, key: AddressKey, max: usize) -> Result<(), Reject> {
        if self.by_address.get(&key).is_some_and(|count| *count >= max) {
            let first = self.strangers.first_of(key).ok_or(Reject::PerAddress)?;
            self.push_out(first);
        }
        Ok(())
    }

    /// Counts a place for somebody else from now on.
    fn hand_over(&mut self, place: &CapPlace, owner: Owner) {
        let turn = if let Standing::Stranger(turn) = place.standing() { Some(turn) } else { None };
        let waiting = turn.and_then(|turn| self.take_out(turn));
        if let Some(key) = place.owner().key() {
            self.release_address(key);
        }
        if let Some(key) = owner.key() {
            *self.by_address.entry(key).or_default() += 1;
        }
        place.set_owner(owner);
        if let Some((turn, place)) = turn.zip(waiting) {
            self.line_up(turn, &place);
        }
    }

    /// Makes room. `false` if there are no strangers.
    fn push_out_first(&mut self) -> bool {
        self.strangers.first().map(|turn| self.push_out(turn)).is_some()
    }

    fn push_out(&mut self, turn: Turn) {
        if let Some(place) = self.take_out(turn) {
            place.set(Standing::Lost);
            place.lost.notify_one();
            self.leaving += 1;
            self.release(place.owner());
            metrics::count_reject(Reject::PushedOut);
        }
    }

    fn release(&mut self, owner: Owner) {
        self.total -= 1;
        if let Some(key) = owner.key() {
            self.release_address(key);
        }
    }

    fn release_address(&mut self, key: AddressKey) {
        if let Some(count) = self.by_address.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&key);
            }
        }
    }
}

impl CapPlace {
    fn owner(&self) -> Owner {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_owner(&self, owner: Owner) {
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) = owner;
    }

    fn standing(&self) -> Standing {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, standing: Standing) {
        *self.standing.lock().unwrap_or_else(PoisonError::into_inner) = standing;
    }
}

/// The right to a place under the caps. Goes with its connection wherever that goes.
pub(crate) struct ConnectionPermit {
    caps: Arc<Caps>,
    place: Arc<CapPlace>,
    /// Is told why the connection is closed, if it is told its client.
    watcher: OnceLock<Watcher>,
}

type Watcher = Box<dyn Fn(CloseReason) + Send + Sync>;

impl fmt::Debug for ConnectionPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ConnectionPermit").field(&self.place).finish()
    }
}

impl ConnectionPermit {
    /// The connection asks for something: others are pushed out before it.
    pub(crate) fn busy(&self) {
        self.line_up_anew(true);
    }

    /// The connection is kept for another request: it is pushed out before those that ask for
    /// something.
    pub(crate) fn idle(&self) {
        self.line_up_anew(false);
        let mut taken = self.caps.taken();
        if self.place.standing() == Standing::Lost || matches!(self.place.owner(), Owner::Client(_)) {
            return;
        }
        taken.hand_over(&self.place, Owner::Proxy(None));
        // Who is known was one of its clients: the next one may be a stranger.
        if self.place.standing() == Standing::Known {
            if taken.strangers.len() >= self.caps.strangers_max {
                taken.push_out_first();
            }
            let turn = taken.turn(false);
            self.place.set(Standing::Stranger(turn));
            taken.line_up(turn, &self.place);
        }
    }

    /// The proxy whose connection this is made it for `client` alone: it counts for that address.
    pub(crate) fn belongs_to(&self, client: ClientAddress) -> Result<(), Reject> {
        self.count_for(Owner::Client(client.key()))
    }

    /// A proxy's connection passes on a request of `client`. It counts for that address until the
    /// connection is idle again; if it becomes a WebSocket, for as long as that is open. One that
    /// is no proxy's goes on counting for who connected.
    pub(crate) fn serves(&self, client: ClientAddress) -> Result<(), Reject> {
        self.count_for(Owner::Proxy(Some(client.key())))
    }

    fn count_for(&self, owner: Owner) -> Result<(), Reject> {
        let mut taken = self.caps.taken();
        let now = self.place.owner();
        if self.place.standing() == Standing::Lost || matches!(now, Owner::Client(_)) {
            return Ok(());
        }
        if let Some(key) = owner.key().filter(|_| now.key() != owner.key()) {
            taken.make_room_at(key, self.caps.per_address_max)?;
        }
        taken.hand_over(&self.place, owner);
        Ok(())
    }

    fn line_up_anew(&self, is_busy: bool) {
        let mut taken = self.caps.taken();
        let Standing::Stranger(turn) = self.place.standing() else { return };
        if turn.is_busy != is_busy {
            taken.take_out(turn);
            let turn = taken.turn(is_busy);
            taken.line_up(turn, &self.place);
            self.place.set(Standing::Stranger(turn));
        }
    }

    /// The connection is no stranger's any more, and cannot be pushed out. `false` if it was
    /// already.
    pub(crate) fn authenticate(&self) -> bool {
        let mut taken = self.caps.taken();
        if let Standing::Stranger(turn) = self.place.standing() {
            taken.take_out(turn);
            self.place.set(Standing::Known);
        }
        self.place.standing() != Standing::Lost
    }

    /// `watcher` is told why the connection is closed. There is one at most.
    pub(crate) fn watch(&self, watcher: impl Fn(CloseReason) + Send + Sync + 'static) {
        // A connection is upgraded once.
        let _ = self.watcher.set(Box::new(watcher));
    }

    /// The connection is closed for this reason.
    pub(crate) fn closes(&self, reason: CloseReason) {
        if let Some(watcher) = self.watcher.get() {
            watcher(reason);
        }
    }

    /// Waits until the place is given to somebody else: then the connection must be dropped.
    pub(crate) async fn pushed_out(&self) {
        self.place.lost.notified().await;
        // Whoever else waits, wakes too.
        self.place.lost.notify_one();
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = self.caps.taken();
        match self.place.standing() {
            Standing::Lost => {
                taken.leaving -= 1;
                self.caps.gone.notify_one();
                return;
            }
            Standing::Stranger(turn) => drop(taken.take_out(turn)),
            Standing::Known => {}
        }
        taken.release(self.place.owner());
    }
}

#[cfg(test)]
mod tests;
