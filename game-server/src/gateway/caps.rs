//! How many connections there may be: in all, from one address, and of strangers who have not said a valid Hello.
//!
//! When the room for strangers is full, a newcomer takes the place of the one who has been there longest: whoever means to
//! play needs a moment, whoever floods needs to stay, so a flood pushes out itself before it pushes out players.
//!
//! Invariant: what is counted is given back exactly once: when the permit is dropped, wherever the socket went by then, or
//! when its holder is pushed out.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::address::AddressKey;
use crate::config::ConnectionConfig;
use crate::metrics::{self, Reject};

/// The caps of one listener and what is taken of them.
#[derive(Debug)]
pub struct Caps {
    total_max: usize,
    per_address_max: usize,
    strangers_max: usize,
    taken: Mutex<Taken>,
}

/// Connections there are.
#[derive(Debug, Default)]
struct Taken {
    total: usize,
    /// Addresses with at least one connection: never more than `total`.
    by_address: HashMap<AddressKey, usize>,
    /// Those who have not said a valid Hello, the oldest first.
    strangers: BTreeMap<u64, Arc<Place>>,
    next: u64,
}

/// One connection's place under the caps.
#[derive(Debug)]
struct Place {
    key: AddressKey,
    /// Given to somebody else: there is nothing left to give back.
    is_lost: AtomicBool,
    lost: Notify,
}

impl Caps {
    /// As the operator set them.
    pub fn new(config: &ConnectionConfig) -> Arc<Self> {
        Self::of(config.total, config.per_address, config.unauthenticated)
    }

    /// So many in all, from one address, and of strangers.
    pub fn of(total_max: usize, per_address_max: usize, strangers_max: usize) -> Arc<Self> {
        Arc::new(Self { total_max, per_address_max, strangers_max, taken: Mutex::default() })
    }

    /// Counts a new connection, a stranger's for now.
    pub fn admit(self: &Arc<Self>, key: AddressKey) -> Result<Arc<ConnectionPermit>, Reject> {
        let mut taken = self.taken();
        if taken.by_address.get(&key).is_some_and(|count| *count >= self.per_address_max) {
            return Err(Reject::PerAddress);
        }
        if taken.strangers.len() >= self.strangers_max {
            taken.push_out_oldest();
            metrics::count_reject(Reject::PushedOut);
        }
        if taken.total >= self.total_max {
            return Err(Reject::Total);
        }
        let place = Arc::new(Place { key, is_lost: AtomicBool::new(false), lost: Notify::new() });
        let number = taken.next;
        taken.next += 1;
        taken.total += 1;
        *taken.by_address.entry(key).or_default() += 1;
        taken.strangers.insert(number, Arc::clone(&place));
        Ok(Arc::new(ConnectionPermit { caps: Arc::clone(self), place, number }))
    }

    /// Connections in all, and those of them that are strangers'.
    pub fn counts(&self) -> (usize, usize) {
        let taken = self.taken();
        (taken.total, taken.strangers.len())
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Taken {
    fn push_out_oldest(&mut self) {
        if let Some((_, place)) = self.strangers.pop_first() {
            place.is_lost.store(true, Relaxed);
            place.lost.notify_one();
            self.release(place.key);
        }
    }

    fn release(&mut self, key: AddressKey) {
        self.total -= 1;
        if let Some(count) = self.by_address.get_mut(&key) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&key);
            }
        }
    }
}

/// The right to a place under the caps.
#[derive(Debug)]
pub struct ConnectionPermit {
    caps: Arc<Caps>,
    place: Arc<Place>,
    number: u64,
}

impl ConnectionPermit {
    /// The connection is no stranger's any more, and cannot be pushed out. `false` if it was already.
    pub fn authenticate(&self) -> bool {
        let mut taken = self.caps.taken();
        taken.strangers.remove(&self.number);
        !self.place.is_lost.load(Relaxed)
    }

    /// Waits until the place is given to somebody else: then the connection must be dropped.
    pub async fn pushed_out(&self) {
        self.place.lost.notified().await;
        // Whoever else waits, wakes too.
        self.place.lost.notify_one();
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = self.caps.taken();
        if !self.place.is_lost.load(Relaxed) {
            taken.strangers.remove(&self.number);
            taken.release(self.place.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const A: AddressKey = AddressKey::V4([192, 0, 2, 1]);
    const B: AddressKey = AddressKey::V4([192, 0, 2, 2]);
    const C: AddressKey = AddressKey::V4([192, 0, 2, 3]);

    #[test]
    fn the_caps_on_players_hold_and_say_which_it_was() {
        let caps = Caps::of(4, 2, 3);
        let mut permits: Vec<_> = [A, A, B].into_iter().map(|key| caps.admit(key).expect("room")).collect();
        assert!(permits.iter().all(|permit| permit.authenticate()));
        assert_eq!(caps.admit(A).err(), Some(Reject::PerAddress));
        permits.push(caps.admit(C).expect("room"));
        assert_eq!(caps.admit(B).err(), Some(Reject::Total));
        assert_eq!(caps.counts(), (4, 1));
    }

    #[test]
    fn the_oldest_stranger_makes_room_and_players_do_not() {
        let caps = Caps::of(9, 9, 2);
        let player = caps.admit(A).expect("room");
        assert!(player.authenticate());
        let (oldest, newer) = (caps.admit(A).expect("room"), caps.admit(A).expect("room"));
        let newest = caps.admit(B).expect("room");
        assert_eq!(caps.counts(), (3, 2));
        assert!(oldest.pushed_out().now_or_never().is_some() && oldest.pushed_out().now_or_never().is_some());
        assert!(newer.pushed_out().now_or_never().is_none() && player.pushed_out().now_or_never().is_none());
        assert!(!oldest.authenticate(), "too late");
        drop((oldest, newer, newest, player));
        assert_eq!(caps.counts(), (0, 0));
    }

    #[test]
    fn strangers_make_room_when_everything_is_full() {
        let caps = Caps::of(2, 9, 1);
        let player = caps.admit(A).expect("room");
        assert!(player.authenticate());
        let _stranger = caps.admit(B).expect("room");
        let newcomer = caps.admit(C).expect("the stranger's place");
        assert!(newcomer.authenticate());
        assert_eq!(caps.admit(C).err(), Some(Reject::Total));
    }

    #[test]
    fn permits_give_back_what_they_took_once() {
        let caps = Caps::of(9, 9, 9);
        let (first, second) = (caps.admit(A).expect("room"), caps.admit(A).expect("room"));
        assert!(first.authenticate() && first.authenticate());
        let elsewhere = Arc::clone(&first);
        drop(first);
        assert_eq!(caps.counts(), (2, 1), "the socket still holds it");
        drop((elsewhere, second));
        assert_eq!(caps.counts(), (0, 0));
        assert!(caps.taken().by_address.is_empty());
    }
}
