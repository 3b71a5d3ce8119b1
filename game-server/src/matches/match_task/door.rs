//! Commands: seats are asked for and given up, sockets come in, an end is announced. Each is a step
//! of its own.

use std::time::{Duration, Instant as StdInstant};

use tickwire_game::Game;
use tickwire_match::{Change, Happened, Reserve, Step};
use tickwire_protocol::{CloseReason, PlayerId, Secret};
use tokio::time::Instant;

use super::MatchTask;
use crate::clock::{self, Moment};
use crate::matches::handle::{Command, Order, Reservation, ReserveError, Reserved, SeatMark, SeatState, Sitter};
use crate::matches::headroom::Comer;
use crate::metrics::{self, NoRoom};
use crate::secrets::{hash, random_bytes};
use crate::transport::Socket;

impl<G: Game> MatchTask<G> {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Reserve { reservation, reply } => {
                let answer = self.reserve(*reservation);
                // Before the answer: whoever has it must find the seat in the figures.
                self.publish_seats();
                // Who asked may have gone: then the reservation expires.
                let _ = reply.send(answer);
            }
            Command::Release { owner } => {
                self.change(Change::Release(owner));
                self.publish_seats();
            }
            Command::Vacate { player, seat } => {
                let is_away = self.marks.get(&player).is_some_and(|mark| mark.watch().is_same(&seat) && seat.state() == SeatState::Away);
                if is_away {
                    self.change(Change::Leave(player));
                    self.publish_seats();
                }
            }
            Command::Attach { player, ticket, socket } => {
                if self.is_signed_out(player) {
                    return refuse(*socket, CloseReason::SignInExpired);
                }
                self.admit(*socket, Comer::New, |session, resume| Change::Attach { player, ticket, session, resume });
            }
            Command::Resume { token, socket } => {
                let token = hash(token);
                if !self.sign_ins.is_empty() && self.core.opened_by(&token).is_some_and(|player| self.is_signed_out(player)) {
                    return refuse(*socket, CloseReason::SignInExpired);
                }
                self.admit(*socket, Comer::Returning, |session, resume| Change::Resume { token, session, resume });
            }
            Command::Echo { reply } => drop(reply.send(())),
            Command::Look { reply } => {
                let sitters = self.sitters().collect();
                let _ = reply.send(sitters);
            }
            Command::Dismiss { whom, reason, reply } => {
                let dismissed = self.dismiss(&whom, reason);
                // Who asked may have gone: it is done all the same.
                let _ = reply.send(dismissed);
            }
            Command::Spectate { socket } if self.audience.spectators() >= self.spectators_max => refuse(*socket, CloseReason::Full),
            Command::Spectate { socket } => {
                self.change(Change::Watch);
                self.welcome(self.audience.free_slot(), *socket, None, Secret::default());
            }
            Command::Drain { until } => {
                let left = until.saturating_duration_since(StdInstant::now());
                self.change(Change::AnnounceEnd(self.ticks(left)));
            }
            Command::Shed => self.audience.shed(),
        }
    }

    /// The match is over before this order could be carried out.
    pub(super) fn turn_away(&self, order: Order) {
        self.turn_away_for(order, CloseReason::MatchGone);
    }

    /// This order is not carried out. Whoever came with it is told why.
    pub(super) fn turn_away_for(&self, order: impl Into<Order>, reason: CloseReason) {
        if let Some(socket) = order.into().into_socket() {
            tracing::debug!(match_id = %self.info.id, reason = reason.name(), "somebody came when the match was over");
            refuse(socket, reason);
        }
    }

    fn reserve(&mut self, reservation: Reservation) -> Result<Reserved, ReserveError> {
        let Reservation { owner, name, ticket, until, own_only, sign_in } = reservation;
        let patience = self.ticks(until.saturating_duration_since(StdInstant::now()));
        let answer = self.change(Change::Reserve(Box::new(Reserve { owner, name, ticket, patience, own_only })));
        match answer {
            Some(Happened::Reserved(player)) => {
                self.note_sign_in(player, sign_in);
                let seat = self.marks.entry(player).or_insert_with(SeatMark::pending).watch();
                Ok(Reserved { player, seat })
            }
            Some(Happened::NotReserved(error)) => Err(error),
            _ => Err(ReserveError::Gone),
        }
    }

    fn sitters(&self) -> impl Iterator<Item = Sitter> + '_ {
        self.core.occupants().map(|occupant| {
            let peer = occupant.session.and_then(|session| self.audience.peer(session as usize));
            Sitter { occupant, peer }
        })
    }

    fn dismiss(&mut self, whom: &dyn Fn(&Sitter) -> bool, reason: CloseReason) -> Vec<Sitter> {
        let chosen: Vec<_> = self.sitters().filter(whom).collect();
        for Sitter { occupant, .. } in &chosen {
            if let Some(session) = occupant.session {
                self.audience.close(session as usize, reason);
            }
            self.change(Change::Leave(occupant.player));
        }
        self.publish_seats();
        chosen
    }

    /// Lets a socket in, if what it presented opens a seat.
    ///
    /// Nobody is let into a match that sleeps while its worker has no time for it. What was
    /// presented is not looked at then, and stays as good as it was. A match that was brought back
    /// slept for no other reason than that its process had died: who played in it is let in.
    fn admit(&mut self, socket: Socket, comer: Comer, present: impl FnOnce(u32, [u8; 32]) -> Change<G::Input>) {
        if !self.log.may_tick() {
            // Another server may run the match by now: there the seat opened here would be unknown.
            refuse(socket, CloseReason::Restarting);
            return;
        }
        let was_played = self.is_revived && comer == Comer::Returning;
        if !self.is_awake() && !was_played && !self.load.has_room(self.info.mode_index, comer) {
            metrics::count_refusal(NoRoom::Headroom);
            refuse(socket, CloseReason::Busy);
            return;
        }
        let slot = self.audience.free_slot();
        let resume = Secret(random_bytes());
        match self.change(present(slot as u32, hash(resume))) {
            Some(Happened::Seated { player, replaced, .. }) => {
                if let Some(replaced) = replaced {
                    self.audience.close(replaced as usize, CloseReason::Replaced);
                }
                if let Some(mark) = self.marks.get(&player) {
                    mark.take();
                }
                self.timings.reset(player);
                // That the match is awake shows before anybody can be told so.
                self.publish_seats();
                self.welcome(slot, socket, Some(player), resume);
            }
            Some(Happened::Refused(_, reason)) => refuse(socket, reason),
            _ => refuse(socket, CloseReason::InternalError),
        }
    }

    fn welcome(&mut self, slot: usize, socket: Socket, player: Option<PlayerId>, resume: Secret) {
        let welcome = self.core.welcome(player, resume);
        let moment = Moment::now(self.core.tick());
        self.audience.admit(slot, socket, player, &welcome, self.core.replication(), &moment);
    }

    /// Carries one change out. Returns the answer to it, if it is one that is answered.
    fn change(&mut self, change: Change<G::Input>) -> Option<Happened> {
        // What clients have done before comes first.
        if !self.step.changes.is_empty() {
            self.take_step();
        }
        let step = Step::of(change);
        self.log.step(&step);
        let outcome = self.core.step(&step);
        self.act(&outcome.happened);
        outcome.happened.last().copied()
    }

    /// The ticks that last for `time` from now on: never too few, as a part of the running interval
    /// has passed already.
    fn ticks(&self, time: Duration) -> u32 {
        let passed = Instant::now().saturating_duration_since(self.aged).min(self.clock.interval());
        let ms = u64::try_from((time + passed).as_millis()).unwrap_or(u64::MAX);
        clock::ticks(ms, self.info.mode.tick_rate)
    }
}

fn refuse(socket: Socket, reason: CloseReason) {
    metrics::count_close(reason);
    tokio::task::spawn_local(socket.refuse(reason));
}
