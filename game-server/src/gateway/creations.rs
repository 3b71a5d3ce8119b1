//! How many of the matches alive one guest session, and one address, created by asking.
//!
//! Invariant: a match is counted from before it is created until it ends, however it ends. Bounded
//! by the number of matches.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::GuestConfig;
use crate::http::address::AddressKey;
use crate::matches::PlayerKey;

/// Who created how many of the matches alive.
#[derive(Debug)]
pub(crate) struct Creations {
    by_guest_max: usize,
    by_address_max: usize,
    alive: Mutex<Alive>,
}

#[derive(Debug, Default)]
struct Alive {
    by_guest: HashMap<PlayerKey, usize>,
    by_address: HashMap<AddressKey, usize>,
}

impl Alive {
    fn count(&mut self, guest: PlayerKey, address: AddressKey) {
        *self.by_guest.entry(guest).or_default() += 1;
        *self.by_address.entry(address).or_default() += 1;
    }
}

/// Whose matches are too many, and how many they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMany {
    /// The session's.
    ByGuest(usize),
    /// The address's.
    ByAddress(usize),
}

/// One match that counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Creation {
    creations: Arc<Creations>,
    guest: PlayerKey,
    address: AddressKey,
}

impl Creations {
    /// None yet, with limits as the operator set them.
    pub(crate) fn new(config: &GuestConfig) -> Arc<Self> {
        Arc::new(Self { by_guest_max: config.matches_max, by_address_max: config.matches_per_address, alive: Mutex::default() })
    }

    /// Counts one more match, if it may be.
    pub(crate) fn begin(self: &Arc<Self>, guest: PlayerKey, address: AddressKey) -> Result<Creation, TooMany> {
        let mut alive = self.alive();
        if count(&alive.by_guest, &guest) >= self.by_guest_max {
            return Err(TooMany::ByGuest(self.by_guest_max));
        }
        if count(&alive.by_address, &address) >= self.by_address_max {
            return Err(TooMany::ByAddress(self.by_address_max));
        }
        alive.count(guest, address);
        Ok(Creation { creations: Arc::clone(self), guest, address })
    }

    /// Counts a match that goes on, whatever there may be.
    pub(crate) fn go_on(self: &Arc<Self>, guest: PlayerKey, address: AddressKey) -> Creation {
        self.alive().count(guest, address);
        Creation { creations: Arc::clone(self), guest, address }
    }

    fn alive(&self) -> MutexGuard<'_, Alive> {
        self.alive.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Creation {
    fn drop(&mut self) {
        let mut alive = self.creations.alive();
        uncount(&mut alive.by_guest, &self.guest);
        uncount(&mut alive.by_address, &self.address);
    }
}

fn count<K: Eq + Hash>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or_default()
}

fn uncount<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn guest(number: u8) -> PlayerKey {
        PlayerKey([number; 32])
    }

    fn address(number: u8) -> AddressKey {
        AddressKey::V4([192, 0, 2, number])
    }

    #[test]
    fn a_session_has_few_and_an_address_some_more() {
        let creations = Creations::new(&GuestConfig { matches_max: 2, matches_per_address: 3, ..GuestConfig::default() });
        let first = creations.begin(guest(1), address(1)).expect("room");
        let _second = creations.begin(guest(1), address(1)).expect("room");
        assert_eq!(creations.begin(guest(1), address(2)).err(), Some(TooMany::ByGuest(2)), "wherever the session calls from");
        let _third = creations.begin(guest(2), address(1)).expect("room");
        assert_eq!(creations.begin(guest(3), address(1)).err(), Some(TooMany::ByAddress(3)));
        assert!(creations.begin(guest(3), address(2)).is_ok());
        drop(first);
        assert!(creations.begin(guest(1), address(1)).is_ok());
    }

    proptest! {
        /// In any order of matches begun and ended, what is counted is what is alive, and limits
        /// hold exactly.
        #[test]
        fn counts_are_never_off(steps in proptest::collection::vec((any::<bool>(), 0u8..4, 0u8..3), 0..200)) {
            let config = GuestConfig { matches_max: 3, matches_per_address: 5, ..GuestConfig::default() };
            let creations = Creations::new(&config);
            let mut alive: Vec<(u8, u8, Creation)> = Vec::new();
            for (begins, who, place) in steps {
                if begins {
                    let by_guest = alive.iter().filter(|(guest, ..)| *guest == who).count();
                    let by_address = alive.iter().filter(|(_, address, _)| *address == place).count();
                    let begun = creations.begin(guest(who), address(place));
                    prop_assert_eq!(begun.is_ok(), by_guest < config.matches_max && by_address < config.matches_per_address);
                    alive.extend(begun.ok().map(|creation| (who, place, creation)));
                } else if !alive.is_empty() {
                    alive.swap_remove(usize::from(who) * 7 % alive.len());
                }
                let counted: usize = creations.alive().by_guest.values().sum();
                prop_assert_eq!(counted, alive.len());
                let counted: usize = creations.alive().by_address.values().sum();
                prop_assert_eq!(counted, alive.len());
            }
            alive.clear();
            prop_assert!(creations.alive().by_guest.is_empty() && creations.alive().by_address.is_empty());
        }
    }
}
