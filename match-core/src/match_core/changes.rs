//! What comes from outside: seats are asked for and given up, sessions come and go, players say
//! something.

use tickwire_game::Game;
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, PlayerId};

use super::MatchCore;
use crate::roster::Taken;
use crate::step::{Change, Happened, Reserve, ReserveError, SessionId};

impl<G: Game> MatchCore<G> {
    pub(super) fn change(&mut self, change: &Change<G::Input>, happened: &mut Vec<Happened>) {
        match *change {
            Change::Reserve(ref reserve) => {
                let answer = self.reserve(reserve, happened);
                happened.push(answer.map_or_else(Happened::NotReserved, Happened::Reserved));
            }
            Change::Release(owner) => {
                let freed = self.roster.release(owner);
                self.unseat(freed, happened);
            }
            Change::Attach { player, ticket, session, resume } => {
                let taken = self.roster.attach(player, ticket, session, resume, self.age);
                self.seat(taken.ok_or(CloseReason::BadTicket), session, happened);
            }
            Change::Resume { token, session, resume } => {
                let taken = self.roster.resume(token, session, resume, self.age);
                self.seat(taken.ok_or(CloseReason::BadResume), session, happened);
            }
            Change::Watch => self.need_world(),
            Change::Disconnect { player, session, may_return } => self.disconnect(player, session, may_return, happened),
            Change::Leave(player) => {
                let freed = self.roster.free(player);
                self.unseat(freed, happened);
            }
            Change::Confirm(player) => self.roster.confirm(player),
            Change::Input { player, tick, input } => {
                if self.players.offer(player, tick, input, self.tick.next()) {
                    self.stirs(player);
                }
            }
            Change::Rematch(player) => {
                if self.lifecycle.phase() == Phase::Finished {
                    self.roster.vote_rematch(player);
                }
                if self.players.stir(player, self.tick.next()) {
                    self.stirs(player);
                }
            }
            Change::Ready(player, is_ready) if self.lobby.is_open() => self.roster.set_ready(player, is_ready),
            Change::Ready(..) => {}
            Change::Start(player) => self.lobby.start(player, &self.roster),
            Change::Bots(player, bots) => self.lobby.set_bots(player, bots, &self.roster),
            Change::AnnounceEnd(within) => {
                self.ends_by = Some(self.age.plus(within));
                if let Some(draining) = self.draining() {
                    self.tell(&draining);
                }
            }
        }
    }

    fn reserve(&mut self, reserve: &Reserve, happened: &mut Vec<Happened>) -> Result<PlayerId, ReserveError> {
        let (player, freed) = self.roster.reserve(reserve, self.age)?;
        self.unseat(freed, happened);
        if self.roster.rename(player, &reserve.name) {
            self.tell_of(player);
        }
        if self.lifecycle.phase() == Phase::Finished {
            self.roster.vote_rematch(player);
        }
        Ok(player)
    }

    /// A session presented something. If that opens a seat, it holds the seat from now on.
    fn seat(&mut self, taken: Result<Taken, CloseReason>, session: SessionId, happened: &mut Vec<Happened>) {
        let Taken { player, replaced, first, changed } = match taken {
            Ok(taken) => taken,
            Err(reason) => return happened.push(Happened::Refused(session, reason)),
        };
        self.need_world();
        self.players.reset(player, self.tick);
        if first {
            self.join(player);
            if self.lifecycle.phase() == Phase::Finished {
                // Nobody comes to look at the results of others.
                self.roster.vote_rematch(player);
            }
        } else if changed {
            self.tell_of(player);
        }
        self.mind(player);
        happened.push(Happened::Seated { player, session, replaced });
    }

    /// A session that ended by itself keeps its seat for the grace period, unless it is told not to
    /// come back.
    fn disconnect(&mut self, player: PlayerId, session: SessionId, may_return: bool, happened: &mut Vec<Happened>) {
        if !self.roster.disconnect(player, session, self.age.plus(self.setup.rules.grace)) {
            return;
        }
        if may_return {
            self.players.reset(player, self.tick);
            self.mind(player);
            self.tell_of(player);
        } else {
            let freed = self.roster.free(player);
            self.unseat(freed, happened);
        }
    }

    /// The player did something: whoever was idle is so no more.
    fn stirs(&mut self, player: PlayerId) {
        if self.roster.set_idle(player, false) {
            self.mind(player);
            self.tell_of(player);
        }
    }
}
