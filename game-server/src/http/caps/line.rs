//! In which order strangers are pushed out: those of the busiest network first, of these the ones
//! of its busiest address, and of these whoever's turn is first.
//!
//! Who floods has many connections from few places, and a newcomer has one from another place: the
//! flood pushes out itself, and the newcomer keeps its place for as long as it needs. A network is
//! an IPv4 /24 or an IPv6 /48, which is what one customer is given at most; so somebody who has
//! thousands of addresses of one network weighs no more than somebody who has one.
//!
//! Every operation takes O(log n).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::http::address::AddressKey;

/// Where a stranger stands among those of its address: the idle before the busy, and those who have
/// been so for longer before the others. No two are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    /// Asks for something, or has just come.
    pub(super) is_busy: bool,
    /// Rises with every turn that is given.
    pub(super) since: u64,
}

/// Where a crowd stands among others: the largest is first, of equal ones the one whose first turn
/// is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    size: Reverse<usize>,
    first: Turn,
}

/// Strangers, in the order in which they are pushed out.
#[derive(Debug)]
pub(super) struct Line<T> {
    places: BTreeMap<Turn, T>,
    addresses: HashMap<AddressKey, BTreeSet<Turn>>,
    networks: HashMap<NetworkKey, Network>,
    /// Of every network, and of everyone who counts for no address.
    order: BTreeSet<Rank>,
}

#[derive(Debug, Default)]
struct Network {
    size: usize,
    /// Of its addresses.
    order: BTreeSet<Rank>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum NetworkKey {
    V4([u8; 3]),
    V6(u64),
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), addresses: HashMap::new(), networks: HashMap::new(), order: BTreeSet::new() }
    }
}

impl<T> Line<T> {
    /// Number of strangers.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// One more, of this address. Without an address it is a crowd of its own.
    pub(super) fn insert(&mut self, turn: Turn, key: Option<AddressKey>, place: T) {
        self.places.insert(turn, place);
        self.note(turn, key, true);
    }

    /// Takes one out. `key` is what it was inserted with.
    pub(super) fn remove(&mut self, turn: Turn, key: Option<AddressKey>) -> Option<T> {
        let place = self.places.remove(&turn)?;
        self.note(turn, key, false);
        Some(place)
    }

    /// Who is in the way.
    pub(super) fn get(&self, turn: Turn) -> Option<&T> {
        self.places.get(&turn)
    }

    /// Who is pushed out first.
    pub(super) fn first(&self) -> Option<Turn> {
        self.order.first().map(|rank| rank.first)
    }

    /// Who of this address is pushed out first.
    pub(super) fn first_of(&self, key: AddressKey) -> Option<Turn> {
        self.addresses.get(&key)?.first().copied()
    }

    fn note(&mut self, turn: Turn, key: Option<AddressKey>, comes: bool) {
        let Some(key) = key else {
            let alone = Rank { size: Reverse(1), first: turn };
            if comes {
                self.order.insert(alone)
            } else {
                self.order.remove(&alone)
            };
            return;
        };
        let network = self.networks.entry(key.into()).or_default();
        let turns = self.addresses.entry(key).or_default();
        network.rank().map(|rank| self.order.remove(&rank));
        rank(turns).map(|rank| network.order.remove(&rank));
        if comes {
            network.size += 1;
            turns.insert(turn);
        } else {
            network.size -= 1;
            turns.remove(&turn);
        }
        network.order.extend(rank(turns));
        self.order.extend(network.rank());
        if turns.is_empty() {
            self.addresses.remove(&key);
        }
        if network.size == 0 {
            self.networks.remove(&key.into());
        }
    }
}

impl Network {
    fn rank(&self) -> Option<Rank> {
        self.order.first().map(|busiest| Rank { size: Reverse(self.size), first: busiest.first })
    }
}

fn rank(turns: &BTreeSet<Turn>) -> Option<Rank> {
    turns.first().map(|first| Rank { size: Reverse(turns.len()), first: *first })
}

impl From<AddressKey> for NetworkKey {
    fn from(key: AddressKey) -> Self {
        match key {
            AddressKey::V4([a, b, c, _]) => Self::V4([a, b, c]),
            AddressKey::V6(prefix) => Self::V6(prefix >> 16),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Entry = (Turn, Option<AddressKey>);

    /// Says the same by looking at everyone.
    fn model_first(line: &[Entry]) -> Option<Turn> {
        let network = |entry: &Entry| entry.1.map(NetworkKey::from);
        let size = |of: &Entry| if of.1.is_none() { 1 } else { line.iter().filter(|entry| network(entry) == network(of)).count() };
        let neighbours = |of: &Entry| line.iter().filter(|entry| entry.1 == of.1).count();
        let is_first_of_its_address =
            |of: &Entry| of.1.is_none() || line.iter().filter(|entry| entry.1 == of.1).all(|entry| of.0 <= entry.0);
        let firsts = line.iter().filter(|entry| is_first_of_its_address(entry));
        let is_of_the_busiest_address = |of: &Entry| {
            let others =
                line.iter().filter(|entry| of.1.is_some() && network(entry) == network(of)).filter(|entry| is_first_of_its_address(entry));
            others.map(|other| (Reverse(neighbours(other)), other.0)).min().is_none_or(|first| first.1 == of.0)
        };
        firsts.filter(|entry| is_of_the_busiest_address(entry)).min_by_key(|entry| (Reverse(size(entry)), entry.0)).map(|entry| entry.0)
    }

    fn keys() -> impl Strategy<Value = Option<AddressKey>> {
        prop_oneof![
            1 => Just(None),
            6 => (0u8..3, 0u8..3).prop_map(|(network, host)| Some(AddressKey::V4([192, 0, network, host]))),
            3 => (0u64..2, 0u64..3).prop_map(|(network, host)| Some(AddressKey::V6(network << 16 | host))),
        ]
    }

    proptest! {
        #[test]
        fn the_line_is_what_looking_at_everyone_says(steps in proptest::collection::vec((keys(), any::<bool>(), 0u8..4, any::<u16>()), 0..120)) {
            let mut line = Line::default();
            let mut model: Vec<Entry> = Vec::new();
            for (nth, (key, is_busy, what, which)) in steps.into_iter().enumerate() {
                if what > 0 || model.is_empty() {
                    let turn = Turn { is_busy, since: nth as u64 };
                    line.insert(turn, key, nth);
                    model.push((turn, key));
                } else {
                    let (turn, key) = model.remove(usize::from(which) % model.len());
                    prop_assert_eq!(line.remove(turn, key), Some(turn.since as usize));
                }
                prop_assert_eq!(line.len(), model.len());
                prop_assert_eq!(line.first(), model_first(&model));
                for (_, key) in &model {
                    let Some(key) = *key else { continue };
                    prop_assert_eq!(line.first_of(key), model.iter().filter(|entry| entry.1 == Some(key)).map(|entry| entry.0).min());
                }
            }
            for (turn, key) in model {
                line.remove(turn, key);
            }
            prop_assert!(line.addresses.is_empty() && line.networks.is_empty() && line.order.is_empty());
        }

        /// Whoever is alone in a network is never the first while another network has two.
        #[test]
        fn who_is_alone_keeps_its_place_whatever_the_flood(flood in proptest::collection::vec((0u8..8, any::<bool>()), 2..200)) {
            let mut line = Line::default();
            let quiet = Turn { is_busy: false, since: 0 };
            line.insert(quiet, Some(AddressKey::V4([198, 51, 100, 1])), 0);
            for (nth, (host, is_busy)) in (1u64..).zip(flood) {
                line.insert(Turn { is_busy, since: nth }, Some(AddressKey::V4([192, 0, 2, host])), nth);
                if nth > 1 {
                    prop_assert_ne!(line.first(), Some(quiet));
                }
            }
        }
    }

    #[test]
    fn many_addresses_of_one_network_weigh_together() {
        let mut line = Line::default();
        for since in 0..9 {
            line.insert(Turn { is_busy: true, since }, Some(AddressKey::V6(0x2001_0db8_0001_0000 | since)), ());
        }
        for since in 9..12 {
            line.insert(Turn { is_busy: false, since }, Some(AddressKey::V4([192, 0, 2, 1])), ());
        }
        assert_eq!(line.first().map(|turn| turn.since), Some(0), "one each, nine together");
    }
}
