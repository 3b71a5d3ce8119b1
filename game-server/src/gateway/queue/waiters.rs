//! Those who wait and whose last request came to this server: how many of an address, and what is
//! known of each until they ask again.
//!
//! Bounded: [`WAITERS_MAX`] in all, and so many of an address as the operator says; a further one
//! is refused. Who does not ask again is forgotten.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tickwire_cluster::queue::{QueuePlace, TICKET_TTL};
use tokio::time::Instant;

use crate::http::address::AddressKey;
use crate::matches::PlayerKey;

/// Most people who wait at a server.
const WAITERS_MAX: usize = 8_192;

/// Everyone who waits here.
#[derive(Debug)]
pub(crate) struct Waiters {
    per_address_max: usize,
    table: Mutex<HashMap<PlayerKey, Waiter>>,
}

#[derive(Debug)]
struct Waiter {
    address: AddressKey,
    mode: &'static str,
    /// Forgotten then, unless they ask again.
    until: Instant,
    place: Option<QueuePlace>,
}

/// Too many wait here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Crowded {
    /// The server has as many as it may have.
    #[error("as many people wait as may")]
    All,
    /// Their address has as many as it may have.
    #[error("as many people of this address wait as may")]
    Address,
}

impl Waiters {
    /// Nobody yet, and never more than `per_address_max` of one address.
    pub(crate) fn new(per_address_max: usize) -> Self {
        Self { per_address_max, table: Mutex::default() }
    }

    /// Somebody asks, for `mode`. Returns what was known of them.
    pub(crate) fn come(
        &self,
        now: Instant,
        player: PlayerKey,
        address: AddressKey,
        mode: &'static str,
    ) -> Result<Option<QueuePlace>, Crowded> {
        let mut table = self.table();
        table.retain(|_, waiter| waiter.until > now);
        let before = table.remove(&player);
        if table.len() >= WAITERS_MAX {
            return Err(Crowded::All);
        }
        if table.values().filter(|waiter| waiter.address == address).count() >= self.per_address_max {
            return Err(Crowded::Address);
        }
        table.insert(player, Waiter { address, mode, until: now + TICKET_TTL, place: None });
        Ok(before.filter(|before| before.mode == mode).and_then(|before| before.place))
    }

    /// A request of somebody's ends: they may ask again.
    pub(crate) fn rest(&self, now: Instant, player: PlayerKey, place: Option<QueuePlace>) {
        if let Some(waiter) = self.table().get_mut(&player) {
            waiter.until = now + TICKET_TTL;
            waiter.place = place;
        }
    }

    /// Somebody goes on asking.
    pub(crate) fn stay(&self, now: Instant, player: PlayerKey) {
        if let Some(waiter) = self.table().get_mut(&player) {
            waiter.until = now + TICKET_TTL;
        }
    }

    /// Somebody waits no more.
    pub(crate) fn leave(&self, player: PlayerKey) {
        self.table().remove(&player);
    }

    /// The modes in whose queues somebody waits.
    pub(crate) fn modes(&self, now: Instant) -> HashSet<&'static str> {
        self.table().values().filter(|waiter| waiter.until > now).map(|waiter| waiter.mode).collect()
    }

    /// How many wait.
    pub(crate) fn len(&self, now: Instant) -> usize {
        self.table().values().filter(|waiter| waiter.until > now).count()
    }

    fn table(&self) -> MutexGuard<'_, HashMap<PlayerKey, Waiter>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn player(number: u16) -> PlayerKey {
        let mut key = [0; 32];
        key[..2].copy_from_slice(&number.to_le_bytes());
        PlayerKey(key)
    }

    fn address(number: u64) -> AddressKey {
        AddressKey::V6(number)
    }

    #[test]
    fn so_many_of_an_address_wait_and_no_more_until_one_is_gone() {
        let (waiters, start) = (Waiters::new(2), Instant::now());
        let come = |number, at, now| waiters.come(now, player(number), address(at), "duel").map(|place| place.is_some());
        assert_eq!([come(1, 1, start), come(2, 1, start), come(1, 1, start)], [Ok(false); 3], "who asks again is one");
        assert_eq!((come(3, 1, start), come(3, 2, start)), (Err(Crowded::Address), Ok(false)));
        waiters.leave(player(2));
        assert_eq!(come(4, 1, start), Ok(false));
        waiters.stay(start + TICKET_TTL / 2, player(4));
        assert_eq!((come(5, 1, start + TICKET_TTL), waiters.len(start + TICKET_TTL)), (Ok(false), 2), "one has not asked again");
        assert_eq!(waiters.modes(start + TICKET_TTL * 3), HashSet::new());
    }

    #[test]
    fn a_server_has_room_for_so_many() {
        let (waiters, start) = (Waiters::new(1), Instant::now());
        for number in 0..WAITERS_MAX as u16 {
            assert_eq!(waiters.come(start, player(number), address(number.into()), "duel").err(), None);
        }
        assert_eq!(waiters.come(start, player(u16::MAX), address(u64::MAX), "duel").err(), Some(Crowded::All));
        assert_eq!(waiters.come(start, player(0), address(0), "duel").err(), None);
    }
}
