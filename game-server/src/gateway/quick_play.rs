//! Finds a seat for someone who does not care where: the open match with room that most play, else
//! a new one. One that nobody is connected to comes last, and only if its worker has time to wake
//! it. A match that waits in its lobby is left to those who were invited or picked it: nobody else
//! knows when it starts.
//!
//! Invariants: the match alone decides who gets a seat, so no crowd of callers can overfill one; a
//! match is created only when no open one can have a free seat, so no crowd creates more than it
//! fills.
//!
//! How a crowd stays exact: each request for a seat that is still unanswered is counted. A match
//! whose unanswered requests alone, or whose known players alone, fill it counts as full. Where
//! only both together would fill it nobody can say yet, since a request may already be among the
//! players; then the caller waits for an answer and looks again.

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use tickwire_protocol::MatchId;
use tickwire_protocol::schema::Phase;
use tokio::sync::watch;

use crate::matches::{CreateError, Directory, MatchHandle, MatchRequest, Reservation, Reserved, Settings};

/// Seats for all comers.
#[derive(Clone)]
pub(crate) struct QuickPlay {
    directory: Arc<Directory>,
    /// Unanswered requests by match. Locked while choosing, never across an await.
    asked: Arc<Mutex<HashMap<MatchId, u32>>>,
    /// Changes with every answer.
    answered: Arc<watch::Sender<()>>,
}

/// Where to try next.
enum Choice {
    /// Ask this match.
    Ask(MatchHandle, Asked),
    /// Some match may or may not have a seat: wait for an answer.
    Wait,
}

/// A request for a seat that is not answered yet; counted until dropped.
struct Asked {
    quick_play: QuickPlay,
    id: MatchId,
}

impl QuickPlay {
    /// Among the matches of `directory`.
    pub(crate) fn new(directory: Arc<Directory>) -> Self {
        Self { directory, asked: Arc::default(), answered: Arc::new(watch::Sender::new(())) }
    }

    /// A seat in a match of mode `mode_id`.
    pub(crate) async fn find_seat(&self, mode_id: &str, reservation: &Reservation) -> Result<(MatchHandle, Reserved), CreateError> {
        let mut refused = Vec::new();
        loop {
            let mut answers = self.answered.subscribe();
            match self.choose(mode_id, &refused)? {
                Choice::Ask(handle, asked) => {
                    let reserved = handle.reserve(reservation.clone()).await;
                    drop(asked);
                    match reserved {
                        Ok(reserved) => return Ok((handle, reserved)),
                        Err(_) => refused.push(handle.info.id),
                    }
                }
                // The sender is ours: it cannot be gone.
                Choice::Wait => drop(answers.changed().await),
            }
        }
    }

    fn choose(&self, mode_id: &str, refused: &[MatchId]) -> Result<Choice, CreateError> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let mut best: Option<(u32, MatchHandle)> = None;
        let mut undecided = false;
        for handle in self.directory.all() {
            let info = &handle.info;
            if !is_open(&handle, mode_id) || waits_in_lobby(&handle) || refused.contains(&info.id) || !handle.has_time() {
                continue;
            }
            let (held, connected) = (info.stats.held.load(Relaxed), info.stats.connected.load(Relaxed));
            let unanswered = asked.get(&info.id).copied().unwrap_or_default();
            // Who is away keeps the seat, and is no company.
            let company = connected + unanswered + info.stats.reserved.load(Relaxed);
            match room(held, unanswered, u32::from(info.mode.max_players)) {
                Room::Full => {}
                Room::Undecided => undecided = true,
                Room::Free if best.as_ref().is_some_and(|(most, _)| *most >= company) => {}
                Room::Free => best = Some((company, handle)),
            }
        }
        let handle = match best {
            Some((_, handle)) => handle,
            None if undecided => return Ok(Choice::Wait),
            None => self.directory.create(MatchRequest::new(mode_id, Settings::PUBLIC))?,
        };
        let id = handle.info.id;
        *asked.entry(id).or_default() += 1;
        drop(asked);
        Ok(Choice::Ask(handle, Asked { quick_play: self.clone(), id }))
    }
}

/// Whether a match of this mode is played, or will be, by whoever comes.
pub(crate) fn is_open(handle: &MatchHandle, mode_id: &str) -> bool {
    let info = &handle.info;
    !info.settings.private && info.mode.id == mode_id && info.stats.phase() != Phase::Finished && !handle.is_gone()
}

fn waits_in_lobby(handle: &MatchHandle) -> bool {
    handle.info.settings.lobby && handle.info.stats.phase() == Phase::Waiting
}

/// Whether a match has a free seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Room {
    Free,
    Full,
    Undecided,
}

fn room(players: u32, unanswered: u32, seats: u32) -> Room {
    if players.max(unanswered) >= seats {
        Room::Full
    } else if players + unanswered < seats {
        Room::Free
    } else {
        Room::Undecided
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let mut asked = self.quick_play.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = asked.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                asked.remove(&self.id);
            }
        }
        drop(asked);
        self.quick_play.answered.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_certain_or_undecided() {
        assert_eq!(room(3, 4, 8), Room::Free);
        assert_eq!(room(8, 0, 8), Room::Full);
        assert_eq!(room(0, 8, 8), Room::Full, "the unanswered alone will fill it");
        assert_eq!(room(4, 4, 8), Room::Undecided, "the unanswered may be among the players already");
    }
}
