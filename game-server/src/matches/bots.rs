//! Players that the server plays, so that a lone visitor has a game.
//!
//! A bot sees what a client sees, the newest snapshot, and gives an input like one.

use std::collections::BTreeMap;

use tickwire_game::{Game, GameDef};
use tickwire_protocol::text::Name;
use tickwire_protocol::{PlayerId, Snapshot};

/// Names, given out in turn. Whether a player is a bot is told apart from its name.
const NAMES: &[&str] = &[
    "Ampere", "Babbage", "Cauchy", "Dirac", "Euler", "Fermat", "Gauss", "Hopper", "Ising", "Joule", "Kepler", "Lovelace", "Maxwell",
    "Noether", "Ohm", "Pascal", "Quine", "Riemann", "Shannon", "Turing",
];

/// The bots of one match.
pub struct Bots<G: GameDef> {
    brains: BTreeMap<PlayerId, (G::Brain, G::Input)>,
    /// Seats that people and bots fill together.
    fill: usize,
    named: usize,
}

impl<G: Game> Bots<G> {
    /// None yet; they will fill `fill` seats together with the people.
    pub fn new(fill: u16) -> Self {
        Self { brains: BTreeMap::new(), fill: usize::from(fill), named: 0 }
    }

    /// How many there should be beside `people`. None without people: nobody would see them.
    pub fn wanted(&self, people: usize) -> usize {
        if people == 0 { 0 } else { self.fill.saturating_sub(people) }
    }

    /// A name for the next one.
    pub fn next_name(&mut self) -> Name {
        let name = NAMES.get(self.named % NAMES.len()).copied().unwrap_or_default();
        self.named += 1;
        Name::truncated(name)
    }

    /// Gives a seated bot its brain.
    pub fn add(&mut self, player: PlayerId, seed: u64) {
        self.brains.insert(player, (G::brain(seed), G::Input::default()));
    }

    /// The bot has left.
    pub fn remove(&mut self, player: PlayerId) {
        self.brains.remove(&player);
    }

    /// Lets every bot look at the newest snapshot.
    pub fn think(&mut self, view: &Snapshot) {
        for (player, (brain, input)) in &mut self.brains {
            *input = G::think(brain, view, *player);
        }
    }

    /// What `player` decided.
    pub fn input(&self, player: PlayerId) -> G::Input {
        self.brains.get(&player).map_or_else(G::Input::default, |(_, input)| *input)
    }
}
