//! Brings a match back that another process ran: its core at the newest checkpoint, and the steps
//! since. Whose connection was kept plays on; everybody else who was connected has lost theirs, and
//! may come back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tickwire_game::Game;
use tickwire_match::{Advance, Change, MatchCore, Occupant, RestoreError, Restored, Setup, Stay, Step};
use tickwire_protocol::text::Name;
use tickwire_protocol::{CloseReason, PlayerId, Tick};
use tokio::sync::mpsc;

use super::MatchTask;
use crate::clock::{self, Moment};
use crate::config::{MatchConfig, SessionConfig};
use crate::journal::record::{self, Identity, Record};
use crate::journal::{Loss, Revival};
use crate::matches::handle::{MatchInfo, Order, PlayerKey, SeatMark, SeatWatch};
use crate::matches::kept::{ConnectionNote, KeptConnection};
use crate::matches::sign_in::SignIn;

/// A seat that somebody had and has again.
#[derive(Clone, Debug)]
pub struct RevivedSeat {
    /// Whose.
    pub owner: PlayerKey,
    /// How the others see them.
    pub name: Name,
    /// The seat's player.
    pub player: PlayerId,
    /// What becomes of the seat.
    pub seat: SeatWatch,
    /// Until when the owner may play, if there is such a moment.
    pub sign_in: Option<Arc<SignIn>>,
}

/// Why a match does not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevivalError {
    /// Its core cannot be read here.
    #[error(transparent)]
    Core(#[from] RestoreError),
    /// It had ended, and that was not written.
    #[error("it had ended: {}", .0.name())]
    Over(CloseReason),
}

impl RevivalError {
    /// What is told to those who look for the match. `None` if it is over.
    pub fn loss(&self) -> Option<Loss> {
        match self {
            Self::Core(_) => Some(Loss::Changed),
            Self::Over(_) => None,
        }
    }
}

/// The replayed steps came to another world than they had come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Diverged(Tick);

impl<G: Game> MatchTask<G> {
    /// The match that was kept as `revival`. `info` is made from it.
    ///
    /// # Errors
    /// If it cannot go on.
    pub fn revive(
        info: Arc<MatchInfo>,
        orders: mpsc::Receiver<Order>,
        session: SessionConfig,
        config: &MatchConfig,
        offset: Duration,
        revival: &Revival,
        connections: Vec<KeptConnection>,
    ) -> Result<Self, RevivalError> {
        let Identity { rules, seed, lobby, bots, .. } = revival.identity;
        let setup = Setup { id: info.id, mode: info.mode, mode_index: info.mode_index, lobby, bots, rules, seed };
        let mut core = replayed::<G>(&setup, revival)?;
        let connections = fitting(&mut core, connections);
        lose_others(&mut core, &connections);
        let mut task = Self::of_core(core, info, orders, session, config, offset);
        task.is_revived = true;
        task.mark_seats(&revival.identity);
        task.go_on_with(connections);
        task.publish_revived();
        Ok(task)
    }

    /// Goes on with connections that fit.
    fn go_on_with(&mut self, connections: Vec<KeptConnection>) {
        let moment = Moment::now(self.core.tick());
        for connection in connections {
            let (ConnectionNote { slot, player, .. }, since) = (connection.note, connection.tick());
            let Ok(socket) = connection.into_socket() else { continue };
            if let Some(player) = player {
                self.timings.reset(player);
                if let Some(mark) = self.marks.get(&player) {
                    mark.take();
                }
            }
            self.audience.go_on(slot as usize, socket, player, since, self.core.replication(), &moment);
        }
        // Whose connection broke in the first moment is lost as any other.
        self.note_lost();
    }

    /// The seats that people have.
    pub fn seats(&self) -> Vec<RevivedSeat> {
        let seat = |Occupant { player, owner, name, .. }| {
            let sign_in = self.sign_ins.get(&player).cloned();
            Some(RevivedSeat { owner, name, player, seat: self.marks.get(&player)?.watch(), sign_in })
        };
        self.core.occupants().filter_map(seat).collect()
    }

    fn mark_seats(&mut self, identity: &Identity) {
        for Occupant { player, stay, .. } in self.core.occupants() {
            let mark = SeatMark::pending();
            if stay != Stay::Expected {
                mark.leave();
            }
            self.marks.insert(player, mark);
        }
        let (now, passed) = (Instant::now(), clock::unix());
        for (player, until) in &identity.sign_ins {
            let left = Duration::from_millis(*until).saturating_sub(passed);
            if self.marks.contains_key(player) {
                self.sign_ins.insert(*player, Arc::new(SignIn::until(now, Some(now + left))));
            }
        }
    }

    fn publish_revived(&self) {
        self.publish_seats();
        self.info.stats.set_phase(self.core.phase());
        self.info.stats.tick.store(self.core.tick().0, std::sync::atomic::Ordering::Relaxed);
    }
}

/// The core as far as it is known. Where the steps do not come to the same world again, or cannot
/// be taken by what the game is now, the checkpoint has to do.
fn replayed<G: Game>(setup: &Setup, revival: &Revival) -> Result<MatchCore<G>, RevivalError> {
    let Restored { mut core, can_replay, left_out } = MatchCore::<G>::restore(setup, &revival.core)?;
    if !can_replay || !left_out.is_empty() {
        let (left_out, steps) = (left_out.join(", "), if can_replay { 0 } else { revival.records.len() });
        tracing::warn!(match_id = %setup.id, left_out, steps, "the game is another than the match was played with: it goes on without these, from its checkpoint if steps are left out");
    }
    if !can_replay {
        return Ok(core);
    }
    match replay(&mut core, &revival.records) {
        Ok(None) => Ok(core),
        Ok(Some(over)) => Err(RevivalError::Over(over)),
        Err(Diverged(tick)) => {
            tracing::error!(match_id = %setup.id, tick = tick.0, "the match went another way than before: it goes on from its checkpoint. Is this another build?");
            Ok(MatchCore::restore(setup, &revival.core)?.core)
        }
    }
}

/// Takes the steps again. Says if the match is over.
fn replay<G: Game>(core: &mut MatchCore<G>, records: &[Vec<u8>]) -> Result<Option<CloseReason>, Diverged> {
    for bytes in records {
        match record::read::<G::Input>(bytes) {
            Ok(Record::Step(step)) => {
                if let Some(over) = core.step(&step).over {
                    return Ok(Some(over));
                }
            }
            Ok(Record::Hash(hash)) if core.hash() == hash => {}
            // Steps of another version are as good as steps that lead elsewhere.
            Ok(Record::Hash(_)) | Err(record::Unreadable) => return Err(Diverged(core.tick())),
        }
    }
    Ok(None)
}

/// Those that the match can go on with, in the order of their slots: a client's that has everything
/// but the newest tick, at most, and whose seat is played from that slot, or a spectator's.
fn fitting<G: Game>(core: &mut MatchCore<G>, mut connections: Vec<KeptConnection>) -> Vec<KeptConnection> {
    let newest = core.tick();
    let has_newest = core.replication().newest().is_some_and(|snapshot| snapshot.tick == newest);
    let before = has_newest.then(|| Tick(newest.0.wrapping_sub(1)));
    let played: Vec<_> = core.occupants().filter_map(|occupant| Some((occupant.session?, occupant.player))).collect();
    connections.sort_by_key(|connection| connection.note.slot);
    connections.dedup_by_key(|connection| connection.note.slot);
    connections.retain(|connection| {
        let ConnectionNote { slot, player, .. } = connection.note;
        let at_slot = played.iter().find(|(session, _)| *session == slot).map(|(_, player)| *player);
        at_slot == player && (connection.tick() == newest || Some(connection.tick()) == before)
    });
    connections
}

/// Nobody else's connection outlives a process.
fn lose_others<G: Game>(core: &mut MatchCore<G>, connections: &[KeptConnection]) {
    let is_kept = |slot| connections.iter().any(|connection| connection.note.slot == slot);
    let lost = core.occupants().filter_map(|Occupant { player, session, .. }| {
        let session = session.filter(|slot| !is_kept(*slot))?;
        Some(Change::Disconnect { player, session, may_return: true })
    });
    let step = Step { changes: lost.collect(), advance: Advance::Nothing };
    core.step(&step);
}
