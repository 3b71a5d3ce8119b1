//! From the first phase of a match to its results, and round again.

use tickwire_game::{Game, Simulation};
use tickwire_protocol::codec::BoundedVec;
use tickwire_protocol::messages::Event;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, Tick};

use super::MatchCore;
use crate::lifecycle::{Census, Transition};
use crate::step::Happened;

impl<G: Game> MatchCore<G> {
    /// Moves the phase on to `tick`. Says if the match is over.
    pub(super) fn move_on(&mut self, tick: Tick, happened: &mut Vec<Happened>) -> Option<CloseReason> {
        let before = self.lifecycle.phase();
        let census = self.census();
        match self.lifecycle.advance(tick, census) {
            Transition::Continue => {}
            Transition::Finish(until) => self.finish(until),
            Transition::Rematch => self.rematch(tick, happened),
            Transition::Over => return Some(CloseReason::MatchOver),
        }
        let phase = self.lifecycle.phase();
        if phase != before {
            // Who did nothing while there was nothing to do is not idle.
            self.players.excuse_all(tick);
            self.lobby.close();
        }
        None
    }

    fn census(&mut self) -> Census {
        let counts = self.roster.counts();
        let is_live = self.lifecycle.phase() == Phase::Live;
        let decided = is_live && self.simulation.as_mut().is_some_and(Simulation::is_decided);
        let may_begin = self.lobby.may_begin(&self.roster);
        Census { may_begin, connected: counts.connected, votes: counts.votes, coming: counts.coming, decided }
    }

    /// While the match waits in its lobby: what changed there.
    pub(super) fn tell_of_lobby(&mut self) {
        if let Some(lobby) = self.lobby.news(&self.roster) {
            self.tell(&Event::Lobby(lobby));
        }
    }

    fn finish(&mut self, until: Tick) {
        let ranking = self.simulation.as_mut().map(Simulation::ranking).unwrap_or_default();
        let results = Event::Results { ranking: BoundedVec::truncated(ranking), rematch_by: until };
        self.tell(&results);
        self.results = Some(results);
    }

    /// Another round, in a fresh world, without those who are here and had not voted.
    fn rematch(&mut self, tick: Tick, happened: &mut Vec<Happened>) {
        self.results = None;
        for player in self.roster.take_abstainers() {
            if let Some(session) = self.roster.session_of(player) {
                happened.push(Happened::Dismissed(session, CloseReason::MatchOver));
            }
            let freed = self.roster.free(player);
            self.unseat(freed, happened);
        }
        let first_net_id = self.simulation.as_ref().map_or(0, Simulation::next_net_id);
        let mut simulation = Simulation::new(&self.setup.mode, self.seeds.next_u64(), tick, first_net_id);
        self.roster.joined().for_each(|(player, _)| simulation.join(player));
        self.simulation = Some(simulation);
    }
}
