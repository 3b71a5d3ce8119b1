//! Who sits where: seats reserved, taken, away, or played by bots.
//!
//! Invariants: people never hold more seats than the match has; a bot gives way to a person; a bad resume token changes
//! nothing; a token is stored only as a hash and changes whenever it is used; what a tick asks for is counted when a seat changes.

use std::collections::BTreeMap;

use tickwire_protocol::messages::{Presence, RosterEntry};
use tickwire_protocol::text::Name;
use tickwire_protocol::{PlayerId, Secret};
use tokio::time::Instant;

use super::handle::ReserveError;
use crate::secrets::{SecretHash, hash, random_bytes};

/// The seats of one match.
#[derive(Debug)]
pub struct Roster {
    seats: BTreeMap<PlayerId, Seat>,
    max: u16,
    counts: Counts,
    /// Players the game has, rising.
    joined: Vec<(PlayerId, Holder)>,
}

/// What every tick asks for.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    held: usize,
    connected: usize,
    votes: usize,
    /// The first seat that will be freed, and when.
    expires: Option<(Instant, PlayerId)>,
}

#[derive(Debug)]
struct Seat {
    name: Name,
    holder: Holder,
    resume_hash: Option<SecretHash>,
    wants_rematch: bool,
    /// The game has it: it was played from at least once.
    joined: bool,
}

/// Who holds a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The server plays it.
    Bot,
    /// Kept for someone with a ticket.
    Reserved {
        /// Freed then.
        until: Instant,
    },
    /// Played over the session in this slot.
    Connected {
        /// Of the match's sessions.
        slot: usize,
    },
    /// Its connection was lost.
    Away {
        /// Freed then.
        until: Instant,
    },
}

/// A seat that was freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freed {
    /// Whose.
    pub player: PlayerId,
    /// The game has it, and must be told.
    pub joined: bool,
}

/// A seat that was taken.
#[derive(Debug)]
pub struct Taken {
    /// Whose.
    pub player: PlayerId,
    /// Returns to the seat; shown once.
    pub resume: Secret,
    /// The session that held it until now.
    pub replaced: Option<usize>,
    /// For the first time: the game must be told.
    pub first: bool,
}

impl Roster {
    /// No one, in a match of `max` seats.
    pub fn new(max: u16) -> Self {
        Self { seats: BTreeMap::new(), max, counts: Counts::default(), joined: Vec::new() }
    }

    /// Keeps a seat for a person. A bot's seat is freed for it when there is no other.
    pub fn reserve(&mut self, name: Name, until: Instant) -> Result<(PlayerId, Option<Freed>), ReserveError> {
        if self.held() >= usize::from(self.max) {
            return Err(ReserveError::Full);
        }
        let freed = if self.seats.len() < usize::from(self.max) { None } else { self.free_a_bot() };
        let player = self.seat(name, Holder::Reserved { until }).ok_or(ReserveError::Full)?;
        Ok((player, freed))
    }

    /// Seats a bot, if there is room.
    pub fn add_bot(&mut self, name: Name) -> Option<PlayerId> {
        let player = self.seat(name, Holder::Bot)?;
        self.change(player, |seat| seat.joined = true)?;
        Some(player)
    }

    /// Frees the seat of the bot that came last.
    pub fn free_a_bot(&mut self) -> Option<Freed> {
        let player = self.seats.iter().rev().find(|(_, seat)| seat.holder == Holder::Bot).map(|(player, _)| *player)?;
        self.free(player)
    }

    /// The ticket for a reserved seat was redeemed by the session in `slot`.
    pub fn take(&mut self, player: PlayerId, slot: usize) -> Option<Taken> {
        let seat = self.seats.get(&player)?;
        matches!(seat.holder, Holder::Reserved { .. }).then_some(())?;
        self.connect(player, slot)
    }

    /// The seat that `token` belongs to, now held by the session in `slot`. Nothing changes if it belongs to none.
    pub fn resume(&mut self, token: Secret, slot: usize) -> Option<Taken> {
        let hash = Some(hash(token));
        let (player, _) = self.seats.iter().find(|(_, seat)| seat.resume_hash == hash)?;
        self.connect(*player, slot)
    }

    fn connect(&mut self, player: PlayerId, slot: usize) -> Option<Taken> {
        let resume = Secret(random_bytes());
        self.change(player, |seat| {
            let replaced = match seat.holder {
                Holder::Connected { slot } => Some(slot),
                _ => None,
            };
            seat.holder = Holder::Connected { slot };
            seat.resume_hash = Some(hash(resume));
            let first = !std::mem::replace(&mut seat.joined, true);
            Taken { player, resume, replaced, first }
        })
    }

    /// The session that played this seat is gone: the seat is kept until `until`.
    pub fn disconnect(&mut self, player: PlayerId, slot: usize, until: Instant) {
        self.change(player, |seat| {
            if seat.holder == (Holder::Connected { slot }) {
                seat.holder = Holder::Away { until };
            }
        });
    }

    /// Frees a seat at once.
    pub fn free(&mut self, player: PlayerId) -> Option<Freed> {
        let seat = self.seats.remove(&player)?;
        self.recount();
        Some(Freed { player, joined: seat.joined })
    }

    /// A seat whose reservation or grace period is over, if any.
    pub fn next_expired(&self, now: Instant) -> Option<PlayerId> {
        self.counts.expires.filter(|(until, _)| *until <= now).map(|(_, player)| player)
    }

    /// Counts a vote for a rematch.
    pub fn vote_rematch(&mut self, player: PlayerId) {
        self.change(player, |seat| seat.wants_rematch = true);
    }

    /// Forgets all votes; returns the people who had not voted.
    pub fn take_abstainers(&mut self) -> Vec<PlayerId> {
        let abstained = |seat: &mut Seat| !std::mem::take(&mut seat.wants_rematch) && seat.holder != Holder::Bot;
        let abstainers = self.seats.iter_mut().filter_map(|(player, seat)| abstained(seat).then_some(*player)).collect();
        self.recount();
        abstainers
    }

    /// Seats held by people: connected, away or reserved.
    pub fn held(&self) -> usize {
        self.counts.held
    }

    /// Seats played by bots.
    pub fn bots(&self) -> usize {
        self.seats.len() - self.held()
    }

    /// Connected players, and how many of them voted for a rematch.
    pub fn connected_and_votes(&self) -> (usize, usize) {
        (self.counts.connected, self.counts.votes)
    }

    /// Players the game has, rising, and who holds their seats.
    pub fn joined(&self) -> impl Iterator<Item = (PlayerId, Holder)> + '_ {
        self.joined.iter().copied()
    }

    /// The session that plays `player`'s seat.
    pub fn slot_of(&self, player: PlayerId) -> Option<usize> {
        match self.seats.get(&player)?.holder {
            Holder::Connected { slot } => Some(slot),
            _ => None,
        }
    }

    /// What the others see of `player`.
    pub fn entry(&self, player: PlayerId) -> Option<RosterEntry> {
        let seat = self.seats.get(&player)?;
        Some(RosterEntry { player, name: seat.name.clone(), bot: seat.holder == Holder::Bot, presence: Presence::Here })
    }

    /// What a newcomer is told: everyone the game has.
    pub fn entries(&self) -> Vec<RosterEntry> {
        self.joined().filter_map(|(player, _)| self.entry(player)).collect()
    }

    fn seat(&mut self, name: Name, holder: Holder) -> Option<PlayerId> {
        let player = (0..self.max).map(PlayerId).find(|player| !self.seats.contains_key(player))?;
        self.seats.insert(player, Seat { name, holder, resume_hash: None, wants_rematch: false, joined: false });
        self.recount();
        Some(player)
    }

    fn change<T>(&mut self, player: PlayerId, change: impl FnOnce(&mut Seat) -> T) -> Option<T> {
        let changed = self.seats.get_mut(&player).map(change)?;
        self.recount();
        Some(changed)
    }

    /// Seats change a few times in a player's stay; a tick asks every time.
    fn recount(&mut self) {
        let mut counts = Counts::default();
        self.joined.clear();
        for (player, seat) in &self.seats {
            let expires = match seat.holder {
                Holder::Bot => None,
                Holder::Connected { .. } => {
                    counts.connected += 1;
                    counts.votes += usize::from(seat.wants_rematch);
                    None
                }
                Holder::Reserved { until } | Holder::Away { until } => Some((until, *player)),
            };
            counts.held += usize::from(seat.holder != Holder::Bot);
            counts.expires = [counts.expires, expires].into_iter().flatten().min();
            if seat.joined {
                self.joined.push((*player, seat.holder));
            }
        }
        self.counts = counts;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn now() -> Instant {
        Instant::now()
    }

    fn name(text: &str) -> Name {
        Name::truncated(text)
    }

    #[test]
    fn people_never_hold_more_seats_than_there_are_and_bots_give_way() {
        let mut roster = Roster::new(2);
        assert!(roster.add_bot(name("b0")).is_some() && roster.add_bot(name("b1")).is_some());
        assert_eq!(roster.add_bot(name("b2")), None);
        let (first, freed) = roster.reserve(name("Ada"), now()).expect("a bot gives way");
        assert_eq!(freed, Some(Freed { player: PlayerId(1), joined: true }));
        assert_eq!(first, PlayerId(1));
        assert!(roster.reserve(name("Bob"), now()).is_ok());
        assert_eq!(roster.reserve(name("Cyd"), now()), Err(ReserveError::Full));
        assert_eq!((roster.held(), roster.bots()), (2, 0));
    }

    #[test]
    fn a_resume_token_works_once_and_a_wrong_one_changes_nothing() {
        let mut roster = Roster::new(2);
        let (player, _) = roster.reserve(name("Ada"), now()).expect("room");
        let taken = roster.take(player, 7).expect("reserved");
        assert!(taken.first);
        roster.disconnect(player, 7, now());
        assert!(roster.resume(Secret([1; 16]), 8).is_none());
        assert_eq!(roster.slot_of(player), None, "still away");
        let back = roster.resume(taken.resume, 9).expect("the right token");
        assert_eq!((back.player, back.first, back.replaced), (player, false, None));
        assert!(roster.resume(taken.resume, 10).is_none(), "used");
        assert_eq!(roster.resume(back.resume, 11).expect("the new token").replaced, Some(9));
    }

    #[test]
    fn a_ticket_opens_only_a_reserved_seat() {
        let mut roster = Roster::new(2);
        let bot = roster.add_bot(name("b")).expect("room");
        assert!(roster.take(bot, 1).is_none());
        assert!(roster.take(PlayerId(9), 1).is_none());
    }

    #[test]
    fn expired_seats_are_found_one_by_one() {
        let mut roster = Roster::new(2);
        let at = now();
        let (player, _) = roster.reserve(name("Ada"), at + Duration::from_secs(1)).expect("room");
        assert_eq!(roster.next_expired(at), None);
        assert_eq!(roster.next_expired(at + Duration::from_secs(1)), Some(player));
        assert_eq!(roster.free(player), Some(Freed { player, joined: false }));
    }
}
