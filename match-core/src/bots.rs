//! Players that the server plays: so that a lone visitor has a game, and so that the seat of
//! somebody who is away is played.
//!
//! A bot sees what a client sees, the newest snapshot, and gives an input like one.

use std::collections::BTreeMap;

use tickwire_game::Game;
use tickwire_protocol::text::Name;
use tickwire_protocol::{PlayerId, Snapshot, Tick};

use crate::replication::Replication;

/// Names, given out in turn. Whether a player is a bot is told apart from its name.
const NAMES: &[&str] = &[
    "Ampere", "Babbage", "Cauchy", "Dirac", "Euler", "Fermat", "Gauss", "Hopper", "Ising", "Joule", "Kepler", "Lovelace", "Maxwell",
    "Noether", "Ohm", "Pascal", "Quine", "Riemann", "Shannon", "Turing",
];

/// The bots of one match, and those who stand in for people.
pub(crate) struct Bots<G: Game> {
    brains: BTreeMap<PlayerId, (G::Brain, G::Input)>,
    /// Seats that people and bots fill together.
    fill: usize,
    named: u64,
    /// What the bot at hand sees.
    view: Snapshot,
}

impl<G: Game> Bots<G> {
    /// None yet; they will fill `fill` seats together with the people.
    pub(crate) fn new(fill: u16) -> Self {
        Self { brains: BTreeMap::new(), fill: usize::from(fill), named: 0, view: Snapshot::empty(&G::SCHEMA) }
    }

    /// How many there should be beside `people`. None without people: nobody would see them.
    pub(crate) fn wanted(&self, people: usize) -> usize {
        if people == 0 { 0 } else { self.fill.saturating_sub(people) }
    }

    /// A name for the next one.
    pub(crate) fn next_name(&mut self) -> Name {
        let name = NAMES.get((self.named % NAMES.len() as u64) as usize).copied().unwrap_or_default();
        self.named += 1;
        Name::truncated(name)
    }

    /// Plays for `player` from now on.
    pub(crate) fn add(&mut self, player: PlayerId, seed: u64) {
        self.brains.insert(player, (G::brain(seed), G::Input::default()));
    }

    /// Whether it plays for `player`.
    pub(crate) fn plays_for(&self, player: PlayerId) -> bool {
        self.brains.contains_key(&player)
    }

    /// Plays for `player` no more.
    pub(crate) fn remove(&mut self, player: PlayerId) {
        self.brains.remove(&player);
    }

    /// Lets the bots look at the newest snapshot: every one of them, or in a divided match, where
    /// each sees something else, one half in even and one in odd ticks.
    pub(crate) fn think(&mut self, replication: &mut Replication, tick: Tick) {
        if !replication.is_divided() {
            let Some(view) = replication.newest() else { return };
            for (player, (brain, input)) in &mut self.brains {
                *input = G::think(brain, view, *player);
            }
            return;
        }
        for (player, (brain, input)) in &mut self.brains {
            if (tick.0 ^ u32::from(player.0)) & 1 == 0 && replication.see(*player, &mut self.view) {
                *input = G::think(brain, &self.view, *player);
            }
        }
    }

    /// How many names were given out.
    pub(crate) fn named(&self) -> u64 {
        self.named
    }

    /// What each remembers, and what it last decided.
    pub(crate) fn minds(&self) -> &BTreeMap<PlayerId, (G::Brain, G::Input)> {
        &self.brains
    }

    /// So many names were given out.
    pub(crate) fn set_named(&mut self, named: u64) {
        self.named = named;
    }

    /// Puts back what was stored.
    pub(crate) fn set_minds(&mut self, minds: BTreeMap<PlayerId, (G::Brain, G::Input)>) {
        self.brains = minds;
    }

    /// What `player` decided.
    pub(crate) fn input(&self, player: PlayerId) -> G::Input {
        self.brains.get(&player).map_or_else(G::Input::default, |(_, input)| *input)
    }
}
