//! Which node gets a new match: nodes are filled one after another, so that those that are not
//! needed can be taken away.
//!
//! A node says how much of its measured headroom is used, but only with each beat. Whoever places
//! many matches in between counts its own.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::store::{NodeCard, NodeId};

/// A node is filled to here. The rest is for what its matches will need.
pub const FULL_PERMILLE: u16 = 950;
/// What a match is taken to need where none runs, if nobody knows better.
const MATCH_PERMILLE: u32 = 10;
/// Most matches that are counted for a node before its card shows them; a node with as many is
/// full.
const UNSEEN_MAX: usize = 1_024;
/// After so long a match that was placed is in its node's card, or is not there.
const SEEN_WITHIN: Duration = Duration::from_secs(3);

/// Places matches, and remembers what it has placed for as long as cards do not show it.
///
/// ```
/// use tickwire_cluster::{NodeCard, NodeId, Placement};
/// use tokio::time::Instant;
///
/// let card = |name: &str, load_permille| NodeCard {
///     id: NodeId::new(name).expect("a name"),
///     incarnation: 1,
///     address: format!("http://{name}/"),
///     load_permille,
///     matches: 10,
///     is_draining: false,
/// };
/// // The fullest that has room: the emptier one can be taken away when its matches have ended.
/// let nodes = [card("a", 200), card("b", 600), card("c", 980)];
/// let chosen = Placement::new(10).place(Instant::now(), &nodes);
/// assert_eq!(chosen, Some(nodes[1].id.clone()));
/// ```
#[derive(Clone, Debug)]
pub struct Placement {
    /// What a match is taken to need where none runs.
    match_permille: u32,
    nodes: BTreeMap<NodeId, Placed>,
}

#[derive(Clone, Debug, Default)]
struct Placed {
    /// How many matches its last card said it runs.
    matches: u32,
    /// When those were placed that no card has shown.
    unseen: VecDeque<Instant>,
}

impl Placement {
    /// With what is known of how much of a node a match needs; nodes' cards say it better.
    pub fn new(match_permille: u16) -> Self {
        Self { match_permille: u32::from(match_permille.max(1)), nodes: BTreeMap::new() }
    }

    /// The node for a new match: of those that are neither draining nor full, the fullest; of
    /// equals the first by name. If all are full only by what was placed and not seen yet, the
    /// emptiest. `None` if all are full or draining. The match is counted.
    pub fn place(&mut self, now: Instant, nodes: &[NodeCard]) -> Option<NodeId> {
        self.see(now, nodes);
        let full = u32::from(FULL_PERMILLE);
        let takes_more = |card: &&NodeCard| !card.is_draining && card.load_permille < FULL_PERMILLE && self.unseen(&card.id) < UNSEEN_MAX;
        let loads = nodes.iter().filter(takes_more).map(|card| (self.load_permille(card, nodes), card));
        // Those with room first, the fullest of them first; then the others, the emptiest first.
        let order = |(load, card): &(u32, &NodeCard)| (*load >= full, load.abs_diff(full), card.id.clone());
        let id = loads.min_by_key(order)?.1.id.clone();
        if let Some(placed) = self.nodes.get_mut(&id) {
            placed.unseen.push_back(now);
        }
        Some(id)
    }

    /// Compares with new cards what was placed.
    fn see(&mut self, now: Instant, nodes: &[NodeCard]) {
        self.nodes.retain(|id, _| nodes.iter().any(|card| card.id == *id));
        for card in nodes {
            let placed = self.nodes.entry(card.id.clone()).or_default();
            let seen = card.matches.saturating_sub(placed.matches) as usize;
            placed.matches = card.matches;
            placed.unseen.drain(..seen.min(placed.unseen.len()));
            while placed.unseen.front().is_some_and(|at| now.duration_since(*at) >= SEEN_WITHIN) {
                placed.unseen.pop_front();
            }
        }
    }

    /// What its card says, and as much again for each match that the card does not show as
    /// matches need on average: its own, else those of all nodes.
    fn load_permille(&self, card: &NodeCard, nodes: &[NodeCard]) -> u32 {
        let load = u32::from(card.load_permille);
        let average = || {
            let running = || nodes.iter().filter(|card| card.matches > 0);
            let loads: u64 = running().map(|card| u64::from(card.load_permille)).sum();
            loads.checked_div(running().map(|card| u64::from(card.matches)).sum()).map(|each| each as u32)
        };
        let each = load.checked_div(card.matches).or_else(average).unwrap_or(self.match_permille).max(1);
        load + each * self.unseen(&card.id) as u32
    }

    fn unseen(&self, id: &NodeId) -> usize {
        self.nodes.get(id).map_or(0, |placed| placed.unseen.len())
    }
}

impl Default for Placement {
    fn default() -> Self {
        Self { match_permille: MATCH_PERMILLE, nodes: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn card(name: &str, load_permille: u16, matches: u32) -> NodeCard {
        NodeCard { id: NodeId::new(name).unwrap(), incarnation: 1, address: String::new(), load_permille, matches, is_draining: false }
    }

    fn place(nodes: &[NodeCard]) -> Option<String> {
        Placement::default().place(Instant::now(), nodes).map(|id| id.to_string())
    }

    #[test]
    fn the_fullest_that_is_not_full_is_filled() {
        assert_eq!(place(&[]), None);
        assert_eq!(place(&[card("a", 0, 0), card("b", 500, 5), card("c", 950, 9)]).as_deref(), Some("b"));
        assert_eq!(place(&[card("b", 0, 0), card("a", 0, 0)]).as_deref(), Some("a"));
        assert_eq!(place(&[card("a", 950, 9), card("b", 1_000, 9)]), None);
        let draining = NodeCard { is_draining: true, ..card("a", 500, 5) };
        assert_eq!(place(std::slice::from_ref(&draining)), None);
        assert_eq!(place(&[draining, card("b", 0, 0)]).as_deref(), Some("b"));
    }

    #[test]
    fn what_cards_do_not_show_yet_counts_until_they_do_or_never_will() {
        let (mut placement, now) = (Placement::default(), Instant::now());
        let nodes = [card("a", 500, 5), card("b", 0, 0)];
        let placed: Vec<_> = (0..6).filter_map(|_| placement.place(now, &nodes)).map(|id| id.to_string()).collect();
        assert_eq!(placed, ["a", "a", "a", "a", "a", "b"], "each match on a needs 100");
        let shown = [card("a", 800, 8), card("b", 0, 0)];
        assert_eq!(placement.place(now, &shown).unwrap().as_str(), "b", "two more are on their way to a");
        let later = now + SEEN_WITHIN;
        assert_eq!(placement.place(later, &shown).unwrap().as_str(), "a", "they did not arrive");
    }

    #[test]
    fn a_thousand_joins_in_a_second_fill_three_nodes_one_after_another() {
        let (mut placement, start) = (Placement::new(2), Instant::now());
        let mut matches = [0_u32; 3];
        let mut cards = Vec::new();
        for join in 0..1_000_u32 {
            if join % 300 == 0 {
                cards = ["a", "b", "c"].iter().zip(matches).map(|(name, count)| card(name, (count * 2) as u16, count)).collect();
            }
            let id = placement.place(start + Duration::from_millis(join.into()), &cards).unwrap();
            let index = ["a", "b", "c"].iter().position(|name| *name == id.as_str()).unwrap();
            matches[index] += 1;
        }
        assert_eq!(matches, [475, 475, 50]);
    }

    proptest! {
        #[test]
        fn a_match_goes_where_the_rule_says(
            nodes in proptest::collection::btree_map("[a-e]", (0..1_200_u16, 0..50_u32, any::<bool>()), 0..6),
            turn in 0..6_usize,
        ) {
            let mut cards: Vec<_> = nodes
                .iter()
                .map(|(name, (load, matches, is_draining))| NodeCard { is_draining: *is_draining, ..card(name, *load, *matches) })
                .collect();
            let fits = |card: &&NodeCard| !card.is_draining && card.load_permille < FULL_PERMILLE;
            let chosen = place(&cards);
            prop_assert_eq!(chosen.is_some(), cards.iter().any(|card| fits(&card)));
            if let Some(chosen) = &chosen {
                let of_chosen = cards.iter().find(|card| card.id.as_str() == chosen).unwrap();
                prop_assert!(fits(&of_chosen));
                for other in cards.iter().filter(fits) {
                    prop_assert!((other.load_permille, &of_chosen.id) <= (of_chosen.load_permille, &other.id));
                }
            }
            if !cards.is_empty() {
                let turn = turn % cards.len();
                cards.rotate_left(turn);
            }
            prop_assert_eq!(place(&cards), chosen, "in whatever order they are told");
        }

        #[test]
        fn however_many_come_at_once_nodes_are_filled_before_they_are_overfilled(
            loads in proptest::collection::vec((0..950_u16, 1..50_u32), 1..5),
            count in 0..200_usize,
        ) {
            let names = ["a", "b", "c", "d", "e"];
            let cards: Vec<_> = loads.iter().zip(names).map(|((load, matches), name)| card(name, *load, *matches)).collect();
            let (mut placement, now) = (Placement::default(), Instant::now());
            for _ in 0..count {
                let before = placement.clone();
                let id = placement.place(now, &cards).expect("no card says full");
                let loads: Vec<_> = cards.iter().map(|card| (before.load_permille(card, &cards), card)).collect();
                let of_chosen = loads.iter().find(|(_, card)| card.id == id).unwrap().0;
                if of_chosen >= u32::from(FULL_PERMILLE) {
                    prop_assert!(loads.iter().all(|(load, _)| *load >= of_chosen), "none has room, and this is the emptiest");
                }
            }
        }
    }
}
