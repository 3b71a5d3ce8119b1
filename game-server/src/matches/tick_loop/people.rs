//! Who plays which seat: people, bots, and bots for people who are away or idle.

use tickwire_game::Game;
use tickwire_protocol::messages::{Event, Retry};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, PlayerId, Tick};
use tokio::time::Instant;

use super::MatchTask;
use crate::config::ms;
use crate::matches::roster::Freed;
use crate::transport::Ended;

impl<G: Game> MatchTask<G> {
    /// Frees the seats that have expired. The match is over when nobody has held one for a while.
    pub(super) fn keep_seats(&mut self, now: Instant) -> Option<CloseReason> {
        while let Some(player) = self.roster.next_expired(now) {
            let freed = self.roster.free(player);
            self.unseat(freed);
        }
        if self.roster.counts().held > 0 {
            self.empty_since = None;
            return None;
        }
        let since = *self.empty_since.get_or_insert(now);
        (now.duration_since(since) >= ms(self.config.empty_ms)).then_some(CloseReason::MatchOver)
    }

    /// When there is something to do although nobody is connected.
    pub(super) fn next_deadline(&self) -> Instant {
        let abandoned = self.empty_since.map(|since| since + ms(self.config.empty_ms));
        // There is one: a seat that is held by nobody connected expires.
        [self.roster.next_expiry(), abandoned].into_iter().flatten().min().unwrap_or_else(Instant::now)
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

    /// A seat was freed: the game and the others are told.
    pub(super) fn unseat(&mut self, freed: Option<Freed>) {
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
    }

    pub(super) fn fill_with_bots(&mut self) {
        let people = self.roster.counts().held;
        let wanted = if self.lobby.has_bots() { self.bots.wanted(people) } else { 0 };
        while self.roster.bots() > wanted {
            let freed = self.roster.free_a_bot();
            self.unseat(freed);
        }
        while self.roster.bots() < wanted {
            let Some(player) = self.roster.add_bot(&self.bots.next_name()) else { break };
            self.bots.add(player, self.seeds.next_u64());
            self.join(player);
        }
    }

    /// Sessions that ended by themselves keep their seats for the grace period, unless they are
    /// told not to come back.
    pub(super) fn settle_lost(&mut self) {
        for lost in self.audience.take_lost() {
            let Some(player) = lost.player else { continue };
            let may_return = !matches!(lost.ended, Ended::Closed(reason) if reason.retry() == Retry::No);
            if lost.ended == Ended::Closed(CloseReason::Left) {
                continue;
            }
            tracing::debug!(match_id = %self.info.id, player = player.0, ended = ?lost.ended, "session lost");
            if !self.roster.disconnect(player, lost.slot, Instant::now() + self.grace) {
                continue;
            }
            if may_return {
                self.players.reset(player, self.tick);
                self.mind(player);
                self.tell_of(player);
            } else {
                let freed = self.roster.free(player);
                self.unseat(freed);
            }
        }
    }

    /// Once a second: who has done nothing for long in a match that is live.
    pub(super) fn look_for_idlers(&mut self, tick: Tick) {
        let rate = u32::from(self.info.mode.tick_rate.max(1));
        if self.idle_after == 0 || self.lifecycle.phase() != Phase::Live || !tick.0.is_multiple_of(rate) {
            return;
        }
        let Self { roster, players, idle_after, .. } = self;
        let idlers: Vec<PlayerId> = roster.connected().filter(|player| players.falls_idle(*player, tick, *idle_after)).collect();
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
