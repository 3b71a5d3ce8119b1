//! Commands: seats are asked for and given up, sockets come in, an end is announced.

use std::time::Duration;

use bytes::Bytes;
use tickwire_game::Game;
use tickwire_protocol::codec::{BoundedVec, encode, encode_into};
use tickwire_protocol::messages::{Event, ServerMessage, Welcome};
use tickwire_protocol::schema::Phase;
use tickwire_protocol::{CloseReason, PlayerId, Secret};
use tokio::time::Instant;

use super::MatchTask;
use crate::clock::{self, Moment};
use crate::matches::handle::{Command, Reservation, ReserveError, Reserved};
use crate::matches::roster::Taken;
use crate::simulation::Simulation;
use crate::transport::Socket;

impl<G: Game> MatchTask<G> {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Reserve { reservation, reply } => {
                let answer = self.reserve(&reservation);
                // Before the answer: whoever has it must find the seat in the figures.
                self.publish_seats();
                // Who asked may have gone: then the reservation expires.
                let _ = reply.send(answer);
            }
            Command::Release { owner } => {
                let freed = self.roster.release(owner);
                self.unseat(freed);
                self.publish_seats();
            }
            Command::Attach { player, ticket, socket } => {
                let slot = self.audience.free_slot();
                match self.roster.attach(player, ticket, slot, Instant::now()) {
                    Some(taken) => self.seat(&taken, slot, *socket),
                    None => refuse(*socket, CloseReason::BadTicket),
                }
            }
            Command::Resume { token, socket } => {
                let slot = self.audience.free_slot();
                match self.roster.resume(token, slot, Instant::now()) {
                    Some(taken) => self.seat(&taken, slot, *socket),
                    None => refuse(*socket, CloseReason::BadResume),
                }
            }
            Command::Spectate { socket } if self.audience.spectators() >= self.config.spectators_max => refuse(*socket, CloseReason::Full),
            Command::Spectate { socket } => {
                self.need_world();
                let slot = self.audience.free_slot();
                let welcome = self.welcome(None, Secret::default());
                self.audience.admit(slot, *socket, None, &welcome, &mut self.replication, &Moment::now(self.tick));
            }
            Command::Drain { until } => {
                self.ends_by = Some(Instant::from_std(until));
                self.draining().into_iter().for_each(|event| self.tell(&event));
            }
            // Handled by the loop.
            Command::End(_) => {}
        }
    }

    fn reserve(&mut self, reservation: &Reservation) -> Result<Reserved, ReserveError> {
        let (reserved, freed) = self.roster.reserve(reservation, Instant::now())?;
        self.unseat(freed);
        if self.roster.rename(reserved.player, &reservation.name) {
            self.tell_of(reserved.player);
        }
        if self.lifecycle.phase() == Phase::Finished {
            self.roster.vote_rematch(reserved.player);
        }
        Ok(reserved)
    }

    /// Connects a seat to a socket.
    fn seat(&mut self, taken: &Taken, slot: usize, socket: Socket) {
        let player = taken.player;
        if let Some(replaced) = taken.replaced {
            self.audience.close(replaced, CloseReason::Replaced);
        }
        self.need_world();
        self.players.reset(player, self.tick);
        if taken.first {
            self.join(player);
            if self.lifecycle.phase() == Phase::Finished {
                // Nobody comes to look at the results of others.
                self.roster.vote_rematch(player);
            }
        } else if taken.changed {
            self.tell_of(player);
        }
        self.mind(player);
        let welcome = self.welcome(Some(player), taken.resume);
        self.audience.admit(slot, socket, Some(player), &welcome, &mut self.replication, &Moment::now(self.tick));
    }

    /// Builds the world for the first who comes, and takes a first look at it.
    fn need_world(&mut self) {
        let Self { simulation, info, seeds, tick, replication, .. } = self;
        if simulation.is_none() {
            let simulation = simulation.insert(Simulation::new(&info.mode, seeds.next_u64(), *tick, 0));
            replication.advance(*tick, Bytes::new(), std::iter::empty(), |snapshot| simulation.capture(snapshot));
        }
    }

    fn welcome(&self, player: Option<PlayerId>, resume: Secret) -> Vec<u8> {
        let welcome = Welcome {
            match_id: self.info.id,
            player,
            mode: self.info.mode_index,
            tick_rate: self.info.mode.tick_rate,
            tick: self.tick,
            resume,
            roster: BoundedVec::truncated(self.roster.entries()),
        };
        let mut bytes = encode(&ServerMessage::Welcome(welcome));
        let lobby = self.lobby.state(&self.roster).map(Event::Lobby);
        for event in [self.results.clone(), lobby, self.draining()].into_iter().flatten() {
            encode_into(&ServerMessage::Event(event), &mut bytes);
        }
        bytes
    }

    /// What is told of the end that was announced: by which tick it comes, if ticks go on from now.
    fn draining(&self) -> Option<Event> {
        let left = self.ends_by?.saturating_duration_since(Instant::now());
        Some(Event::Draining { until: self.tick.plus(ticks(left, self.info.mode.tick_rate)) })
    }
}

fn ticks(duration: Duration, rate: u8) -> u32 {
    clock::ticks(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), rate)
}

fn refuse(socket: Socket, reason: CloseReason) {
    crate::metrics::count_close(reason);
    tokio::task::spawn_local(socket.refuse(reason));
}
