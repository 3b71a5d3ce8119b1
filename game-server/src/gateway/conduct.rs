//! Consequences that grow: whoever is closed again and again for what it sent waits longer each
//! time before it may come back.
//!
//! The first of a player's closings is forgiven, since a stalled line can look like a flood; after
//! each further one the wait doubles. An address, which many people may share, has more of them
//! free. A closing is forgotten for every minute without another one.
//!
//! Bounded: [`KNOWN_MAX`] players and addresses; beyond, those closest to being forgotten go.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tickwire_protocol::CloseReason;

use crate::http::address::AddressKey;
use crate::http::table::ExpiringTable;
use crate::matches::PlayerKey;

/// How long somebody waits after the first closing that counts; it doubles with each further one.
const WAIT_FIRST: Duration = Duration::from_secs(1);
/// How long somebody waits at most before they may connect again.
const WAIT_MAX: Duration = Duration::from_secs(64);
/// One closing is forgotten in so long.
const FORGIVEN: Duration = Duration::from_mins(1);
/// Closings that a player does not wait for.
pub(crate) const PLAYER_FREE: u32 = 1;
/// Closings that an address does not wait for.
pub(crate) const ADDRESS_FREE: u32 = 16;
/// More closings are not counted: the wait does not grow any more.
const COUNT_MAX: u32 = 32;
/// Players and addresses that are remembered.
pub(crate) const KNOWN_MAX: usize = 16_384;

/// Who a connection belongs to, as its handshake says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Whose {
    /// A player the server knows.
    Player(PlayerKey),
    /// Everyone at an address who does not say who they are: together they are like one player.
    Nameless(AddressKey),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Key {
    One(Whose),
    Address(AddressKey),
}

/// How often someone was closed for what they sent.
#[derive(Clone, Copy, Debug)]
struct Record {
    count: u32,
    last: Instant,
    /// When they may connect again.
    until: Instant,
}

/// What is remembered of those who were closed for what they sent.
#[derive(Debug)]
pub(crate) struct Conduct(Mutex<ExpiringTable<Key, Record>>);

impl Default for Conduct {
    fn default() -> Self {
        Self::with_room_for(KNOWN_MAX)
    }
}

impl Conduct {
    fn with_room_for(count: usize) -> Self {
        Self(Mutex::new(ExpiringTable::new(count)))
    }

    /// A connection is closed. Counts if that is because of what it sent.
    pub(crate) fn note(&self, now: Instant, whose: Whose, address: AddressKey, reason: CloseReason) {
        if matches!(reason, CloseReason::Malformed | CloseReason::RateLimited) {
            let mut table = self.table();
            count(&mut table, now, Key::One(whose), PLAYER_FREE);
            count(&mut table, now, Key::Address(address), ADDRESS_FREE);
        }
    }

    /// Whether a handshake may go on. `Err` is how long to wait. What others at its address did
    /// keeps no player waiting whom the server knows and who was never closed for anything.
    pub(crate) fn check(&self, now: Instant, whose: Whose, address: AddressKey) -> Result<(), Duration> {
        let mut table = self.table();
        let own = table.get_mut(now, &Key::One(whose)).copied();
        let of_address = table.get_mut(now, &Key::Address(address)).copied();
        let shared = of_address.filter(|_| own.is_some() || matches!(whose, Whose::Nameless(_)));
        wait(now, own.into_iter().chain(shared))
    }

    /// Whether somebody at `address` may become a player whom the server knows.
    pub(crate) fn check_address(&self, now: Instant, address: AddressKey) -> Result<(), Duration> {
        wait(now, self.table().get_mut(now, &Key::Address(address)).copied())
    }

    /// Forgets what is forgiven.
    pub(crate) fn purge(&self, now: Instant) {
        self.table().purge(now);
    }

    fn table(&self) -> MutexGuard<'_, ExpiringTable<Key, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn wait(now: Instant, records: impl IntoIterator<Item = Record>) -> Result<(), Duration> {
    let until = records.into_iter().map(|record| record.until).max();
    match until.map(|until| until.saturating_duration_since(now)) {
        Some(wait) if !wait.is_zero() => Err(wait),
        _ => Ok(()),
    }
}

fn count(table: &mut ExpiringTable<Key, Record>, now: Instant, key: Key, free: u32) {
    let before = table.get_mut(now, &key).map_or(0, |record| record.left(now));
    let count = (before + 1).min(COUNT_MAX);
    let record = Record { count, last: now, until: now + wait_after(count, free) };
    table.insert_evicting(now, key, record, now + FORGIVEN * count);
}

fn wait_after(count: u32, free: u32) -> Duration {
    let Some(doublings) = count.checked_sub(free + 1) else { return Duration::ZERO };
    WAIT_FIRST.saturating_mul(1 << doublings.min(16)).min(WAIT_MAX)
}

impl Record {
    /// Closings that are not forgiven yet.
    fn left(&self, now: Instant) -> u32 {
        let forgiven = now.saturating_duration_since(self.last).as_secs() / FORGIVEN.as_secs();
        self.count.saturating_sub(u32::try_from(forgiven).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: AddressKey = AddressKey::V4([192, 0, 2, 1]);
    const THERE: AddressKey = AddressKey::V4([192, 0, 2, 2]);
    const ADA: Whose = Whose::Player(PlayerKey([1; 32]));
    const BOB: Whose = Whose::Player(PlayerKey([2; 32]));

    #[test]
    fn the_wait_doubles_and_is_forgiven_with_time() {
        let (conduct, mut now) = (Conduct::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..10 {
            conduct.note(now, ADA, HERE, CloseReason::RateLimited);
            let wait = conduct.check(now, ADA, HERE).err().unwrap_or_default();
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(conduct.check(now, ADA, HERE), Ok(()), "it was told when");
        }
        assert_eq!(waits, [0, 1, 2, 4, 8, 16, 32, 64, 64, 64]);
        now += FORGIVEN * 11;
        conduct.note(now, ADA, HERE, CloseReason::Malformed);
        assert_eq!(conduct.check(now, ADA, HERE), Ok(()), "all is forgiven");
    }

    #[test]
    fn other_ends_and_other_people_are_not_counted() {
        let (conduct, now) = (Conduct::default(), Instant::now());
        for reason in CloseReason::ALL.into_iter().filter(|reason| !matches!(reason, CloseReason::Malformed | CloseReason::RateLimited)) {
            (0..50).for_each(|_| conduct.note(now, ADA, HERE, reason));
        }
        assert_eq!(conduct.check(now, ADA, HERE), Ok(()));
        for _ in 0..3 {
            conduct.note(now, ADA, HERE, CloseReason::Malformed);
        }
        assert!(conduct.check(now, ADA, THERE).is_err(), "wherever she comes from");
        assert_eq!(conduct.check(now, BOB, HERE), Ok(()));
        assert_eq!(conduct.check(now, Whose::Nameless(HERE), HERE), Ok(()));
    }

    #[test]
    fn an_address_waits_after_more_and_those_who_did_nothing_do_not() {
        let (conduct, now) = (Conduct::default(), Instant::now());
        for nth in 0..=ADDRESS_FREE {
            let whose = Whose::Player(PlayerKey([nth as u8 + 10; 32]));
            assert_eq!(conduct.check_address(now, HERE), Ok(()), "after {nth}");
            conduct.note(now, whose, HERE, CloseReason::Malformed);
        }
        assert!(conduct.check_address(now, HERE).is_err() && conduct.check_address(now, THERE).is_ok());
        assert!(conduct.check(now, Whose::Nameless(HERE), HERE).is_err());
        assert_eq!(conduct.check(now, BOB, HERE), Ok(()), "a player who was never closed");
    }

    #[test]
    fn what_is_remembered_is_bounded_and_forgotten() {
        let (conduct, now) = (Conduct::with_room_for(8), Instant::now());
        for nth in 0..100u8 {
            conduct.note(now, Whose::Nameless(AddressKey::V4([nth; 4])), AddressKey::V4([nth; 4]), CloseReason::Malformed);
        }
        assert_eq!(conduct.table().len(), 8);
        conduct.purge(now + FORGIVEN);
        assert_eq!(conduct.table().len(), 0);
    }
}
