//! Who plays which seat: people, bots, and bots for people who are away or idle.

use tickwire_game::Game;
use tickwire_protocol::messages::Event;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, PlayerId, Tick};

use super::MatchCore;
use crate::roster::Freed;
use crate::step::Happened;

impl<G: Game> MatchCore<G> {
    /// Frees the seats that have expired. The match is over when nobody has held one for a while.
    pub(super) fn keep_seats(&mut self, happened: &mut Vec<Happened>) -> Option<CloseReason> {
        while let Some(player) = self.roster.next_expired(self.age) {
            let freed = self.roster.free(player);
            self.unseat(freed, happened);
        }
        if self.roster.counts().held > 0 {
            self.empty_since = None;
            return None;
        }
        let since = *self.empty_since.get_or_insert(self.age);
        (self.age.since(since) >= self.setup.rules.empty_for).then_some(CloseReason::MatchOver)
    }

    /// The game and the others are told that `player` takes part.
    pub(super) fn join(&mut self, player: PlayerId) {
        if let Some(simulation) = &mut self.simulation {
            simulation.join(player);
        }
        if let Some(entry) = self.roster.entry(player) {
            self.tell(&Event::Joined(entry));
        }
    }

    /// A seat was freed: the game, the others and the shell are told.
    pub(super) fn unseat(&mut self, freed: Option<Freed>, happened: &mut Vec<Happened>) {
        let Some(Freed { player, joined }) = freed else { return };
        self.players.remove(player);
        self.bots.remove(player);
        self.replication.forget(player);
        if joined {
            if let Some(simulation) = &mut self.simulation {
                simulation.leave(player);
            }
            self.tell(&Event::Left(player));
        }
        happened.push(Happened::Freed(player));
    }

    pub(super) fn fill_with_bots(&mut self, happened: &mut Vec<Happened>) {
        let people = self.roster.counts().held;
        let wanted = if self.lobby.has_bots() { self.bots.wanted(people) } else { 0 };
        while self.roster.bots() > wanted {
            let freed = self.roster.free_a_bot();
            self.unseat(freed, happened);
        }
        while self.roster.bots() < wanted {
            let Some(player) = self.roster.add_bot(&self.bots.next_name()) else { break };
            self.bots.add(player, self.seeds.next_u64());
            self.join(player);
        }
    }

    /// Once a second: who has done nothing for long in a match that is live.
    pub(super) fn look_for_idlers(&mut self, tick: Tick) {
        let (rate, idle_after) = (u32::from(self.setup.mode.tick_rate.max(1)), self.setup.rules.idle_after);
        if idle_after == 0 || self.lifecycle.phase() != Phase::Live || !tick.0.is_multiple_of(rate) {
            return;
        }
        let Self { roster, players, .. } = self;
        let idlers: Vec<PlayerId> = roster.connected().filter(|player| players.falls_idle(*player, tick, idle_after)).collect();
        for player in idlers {
            self.roster.set_idle(player, true);
            self.mind(player);
            self.tell_of(player);
        }
    }

    /// A bot plays for a person who does not, if the mode says so, and for nobody else.
    pub(super) fn mind(&mut self, player: PlayerId) {
        match (self.roster.needs_stand_in(player), self.bots.plays_for(player)) {
            (true, false) => self.bots.add(player, self.seeds.next_u64()),
            (false, true) => self.bots.remove(player),
            _ => {}
        }
    }

    /// Tells everyone what is seen of `player`, if the game has it.
    pub(super) fn tell_of(&mut self, player: PlayerId) {
        if let Some(entry) = self.roster.entry(player).filter(|_| self.roster.has_joined(player)) {
            self.tell(&Event::Updated(entry));
        }
    }
}
