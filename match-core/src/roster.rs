//! Who sits where: seats reserved, taken, away, or played by bots.
//!
//! Invariants: people never hold more seats than the match has, and nobody two; a bot gives way to
//! a person; a bad ticket or token changes nothing; no two are called the same; what a tick asks
//! for is counted when a seat changes.

pub(crate) mod counts;
mod namesakes;
pub(crate) mod occupant;
mod seat;

use std::collections::BTreeMap;

use tickwire_protocol::PlayerId;
use tickwire_protocol::codec::{Decode, Encode};
use tickwire_protocol::messages::RosterEntry;
use tickwire_protocol::text::Name;

use crate::credentials::Credentials;
use crate::step::{OwnerId, Reserve, ReserveError, SecretHash, SessionId};
use crate::time::Age;
use counts::Counts;
use occupant::Occupant;
use seat::{Holder, Person, Seat};

/// The seats of one match.
#[derive(Clone, Debug, Encode, Decode)]
#[bincode(crate = "tickwire_protocol::codec::bincode")]
pub(crate) struct Roster {
    seats: BTreeMap<PlayerId, Seat>,
    max: u16,
    /// Whether a bot plays the seat of a person who does not.
    stand_in: bool,
    /// Players there have been.
    arrivals: u64,
    /// Rises with every change.
    version: u64,
    counts: Counts,
    /// Players the game has, rising, and whether the server plays for them.
    joined: Vec<(PlayerId, bool)>,
}

/// A seat that was freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Freed {
    /// Whose.
    pub player: PlayerId,
    /// The game has it, and must be told.
    pub joined: bool,
}

/// A seat that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// Whose.
    pub player: PlayerId,
    /// The session that held it until now.
    pub replaced: Option<SessionId>,
    /// For the first time: the game must be told.
    pub first: bool,
    /// What the others see of it has changed.
    pub changed: bool,
}

impl Roster {
    /// No one, in a match of `max` seats. With `stand_in` a bot plays the seats of those who are
    /// away or idle.
    pub(crate) fn new(max: u16, stand_in: bool) -> Self {
        Self { seats: BTreeMap::new(), max, stand_in, arrivals: 0, version: 0, counts: Counts::default(), joined: Vec::new() }
    }

    /// Keeps a seat for a person: the one that they have, else a new one. A bot's seat is freed for
    /// it when there is no other.
    pub(crate) fn reserve(&mut self, reservation: &Reserve, now: Age) -> Result<(PlayerId, Option<Freed>), ReserveError> {
        let until = now.plus(reservation.patience);
        let (player, freed) = match self.player_of(reservation.owner) {
            Some(player) => (player, None),
            None if reservation.own_only => return Err(ReserveError::NoSeat),
            None if self.counts.held >= usize::from(self.max) => return Err(ReserveError::Full),
            None => {
                let freed = if self.seats.len() < usize::from(self.max) { None } else { self.free_a_bot() };
                let person = Person { owner: reservation.owner, asked_name: reservation.name.clone(), credentials: Credentials::default() };
                (self.seat(&reservation.name, Holder::Reserved { until }, Some(person)).ok_or(ReserveError::Full)?, freed)
            }
        };
        let kept = self.change(player, |seat| {
            seat.keep_until(until);
            let person = seat.person.as_mut()?;
            person.credentials.add_ticket(reservation.ticket, until, now);
            Some(player)
        });
        kept.flatten().map(|player| (player, freed)).ok_or(ReserveError::Full)
    }

    /// The name that `player` goes by from now on, who gives `asked`. Says whether it is another
    /// one.
    pub(crate) fn rename(&mut self, player: PlayerId, asked: &Name) -> bool {
        let asked_before = self.seats.get(&player).and_then(|seat| seat.person.as_ref()).map(|person| &person.asked_name);
        if asked_before.is_none_or(|before| before == asked) {
            return false;
        }
        let others = self.seats.iter().filter(|(other, _)| **other != player).map(|(_, seat)| &seat.name);
        let name = namesakes::told_apart(asked, others);
        let renamed = self.change(player, |seat| {
            seat.person.as_mut()?.asked_name = asked.clone();
            Some(std::mem::replace(&mut seat.name, name.clone()) != name)
        });
        renamed.flatten().unwrap_or_default()
    }

    /// Frees the seat of `owner`, if nobody has come to it yet.
    pub(crate) fn release(&mut self, owner: OwnerId) -> Option<Freed> {
        let player = self.player_of(owner)?;
        matches!(self.seats.get(&player)?.holder, Holder::Reserved { .. }).then_some(())?;
        self.free(player)
    }

    fn player_of(&self, owner: OwnerId) -> Option<PlayerId> {
        let is_theirs = |seat: &Seat| seat.person.as_ref().is_some_and(|person| person.owner == owner);
        self.seats.iter().find(|(_, seat)| is_theirs(seat)).map(|(player, _)| *player)
    }

    /// Seats a bot, if there is room.
    pub(crate) fn add_bot(&mut self, name: &Name) -> Option<PlayerId> {
        let player = self.seat(name, Holder::Bot, None)?;
        self.arrivals += 1;
        let arrival = self.arrivals;
        self.change(player, |seat| seat.joined = arrival)?;
        Some(player)
    }

    /// Frees the seat of the bot that came last.
    pub(crate) fn free_a_bot(&mut self) -> Option<Freed> {
        let player = self.seats.iter().rev().find(|(_, seat)| seat.is_bot()).map(|(player, _)| *player)?;
        self.free(player)
    }

    /// `session` presented a ticket for this seat, and is given the token of which `given` is the
    /// hash. Nothing changes if the ticket is none.
    pub(crate) fn attach(
        &mut self,
        player: PlayerId,
        ticket: SecretHash,
        session: SessionId,
        given: SecretHash,
        now: Age,
    ) -> Option<Taken> {
        self.seats.get(&player)?.is_opened_by(&ticket, now).then_some(())?;
        self.connect(player, ticket, session, given)
    }

    /// The seat that `token` belongs to, now held by `session`. Nothing changes if it belongs to
    /// none.
    pub(crate) fn resume(&mut self, token: SecretHash, session: SessionId, given: SecretHash, now: Age) -> Option<Taken> {
        let player = self.opened_by(&token, now)?;
        self.connect(player, token, session, given)
    }

    /// The seat that `secret` opens, if it opens one.
    pub(crate) fn opened_by(&self, secret: &SecretHash, now: Age) -> Option<PlayerId> {
        self.seats.iter().find(|(_, seat)| seat.is_opened_by(secret, now)).map(|(player, _)| *player)
    }

    fn connect(&mut self, player: PlayerId, presented: SecretHash, session: SessionId, given: SecretHash) -> Option<Taken> {
        let arrival = self.arrivals + 1;
        let taken = self.change(player, |seat| {
            let (replaced, before) = (seat.session(), seat.presence());
            seat.connect(session, presented, given).then_some(())?;
            let first = seat.joined == 0;
            if first {
                seat.joined = arrival;
            }
            Some(Taken { player, replaced, first, changed: first || before != seat.presence() })
        })?;
        self.arrivals = arrival;
        taken
    }

    /// The player's session has spoken: what it presented is spent.
    pub(crate) fn confirm(&mut self, player: PlayerId) {
        if let Some(person) = self.seats.get_mut(&player).and_then(|seat| seat.person.as_mut()) {
            person.credentials.confirm();
        }
    }

    /// `session`, which played this seat, is gone: the seat is kept until `until`. Says whether
    /// that is so.
    pub(crate) fn disconnect(&mut self, player: PlayerId, session: SessionId, until: Age) -> bool {
        let disconnected = self.change(player, |seat| {
            let is_its = seat.session() == Some(session);
            if is_its {
                seat.holder = Holder::Away { until };
            }
            is_its
        });
        disconnected.unwrap_or_default()
    }

    /// Notes whether the player gives no input. Returns whether that has changed.
    pub(crate) fn set_idle(&mut self, player: PlayerId, is_idle: bool) -> bool {
        self.change(player, |seat| std::mem::replace(&mut seat.is_idle, is_idle) != is_idle).unwrap_or_default()
    }

    /// Whether the player is ready for the match to start.
    pub(crate) fn set_ready(&mut self, player: PlayerId, is_ready: bool) {
        let Some(seat) = self.seats.get_mut(&player).filter(|seat| seat.is_ready != is_ready) else { return };
        seat.is_ready = is_ready;
        // Not counted anew, as clients may change it often.
        self.version += 1;
        if seat.session().is_some() {
            self.counts.ready = if is_ready { self.counts.ready + 1 } else { self.counts.ready.saturating_sub(1) };
        }
    }

    /// Frees a seat at once.
    pub(crate) fn free(&mut self, player: PlayerId) -> Option<Freed> {
        let seat = self.seats.remove(&player)?;
        self.recount();
        Some(Freed { player, joined: seat.joined > 0 })
    }

    /// A seat whose reservation or grace period is over, if any.
    pub(crate) fn next_expired(&self, now: Age) -> Option<PlayerId> {
        self.counts.expires.filter(|(until, _)| *until <= now).map(|(_, player)| player)
    }

    /// When the next seat will be freed.
    pub(crate) fn next_expiry(&self) -> Option<Age> {
        self.counts.expires.map(|(until, _)| until)
    }

    /// Counts a vote for a rematch.
    pub(crate) fn vote_rematch(&mut self, player: PlayerId) {
        if self.seats.get(&player).is_some_and(|seat| !seat.wants_rematch) {
            self.change(player, |seat| seat.wants_rematch = true);
        }
    }

    /// Forgets all votes; returns the people who are connected and had not voted. Who is away or on
    /// the way in could not.
    pub(crate) fn take_abstainers(&mut self) -> Vec<PlayerId> {
        let abstained = |seat: &mut Seat| !std::mem::take(&mut seat.wants_rematch) && seat.session().is_some();
        let abstainers = self.seats.iter_mut().filter_map(|(player, seat)| abstained(seat).then_some(*player)).collect();
        self.recount();
        abstainers
    }

    /// How many people there are, and what they want.
    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    /// Seats of bots.
    pub(crate) fn bots(&self) -> usize {
        self.seats.len() - self.counts.held
    }

    /// Rises with every change.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Players the game has, rising, and whether the server plays for them.
    pub(crate) fn joined(&self) -> impl Iterator<Item = (PlayerId, bool)> + '_ {
        self.joined.iter().copied()
    }

    /// People who are connected, rising.
    pub(crate) fn connected(&self) -> impl Iterator<Item = PlayerId> + '_ {
        self.seats.iter().filter(|(_, seat)| seat.session().is_some()).map(|(player, _)| *player)
    }

    /// The people who have a seat, rising.
    pub(crate) fn occupants(&self) -> impl Iterator<Item = Occupant> + '_ {
        self.seats.iter().filter_map(|(player, seat)| Occupant::of(*player, seat))
    }

    /// The person who has been here for longest.
    pub(crate) fn host(&self) -> Option<PlayerId> {
        let people = self.seats.iter().filter(|(_, seat)| !seat.is_bot() && seat.joined > 0);
        people.min_by_key(|(_, seat)| seat.joined).map(|(player, _)| *player)
    }

    /// Who is ready for the match to start, rising.
    pub(crate) fn ready(&self) -> impl Iterator<Item = PlayerId> + '_ {
        self.seats.iter().filter(|(_, seat)| seat.is_ready && seat.joined > 0).map(|(player, _)| *player)
    }

    /// Whether the game has this player.
    pub(crate) fn has_joined(&self, player: PlayerId) -> bool {
        self.seats.get(&player).is_some_and(|seat| seat.joined > 0)
    }

    /// Whether the server plays for this person now.
    pub(crate) fn needs_stand_in(&self, player: PlayerId) -> bool {
        self.seats.get(&player).is_some_and(|seat| !seat.is_bot() && seat.is_played_for(self.stand_in))
    }

    /// The session that plays `player`'s seat.
    pub(crate) fn session_of(&self, player: PlayerId) -> Option<SessionId> {
        self.seats.get(&player)?.session()
    }

    /// What the others see of `player`.
    pub(crate) fn entry(&self, player: PlayerId) -> Option<RosterEntry> {
        Some(self.seats.get(&player)?.entry(player))
    }

    /// What a newcomer is told: everyone the game has.
    pub(crate) fn entries(&self) -> Vec<RosterEntry> {
        self.joined().filter_map(|(player, _)| self.entry(player)).collect()
    }

    fn seat(&mut self, name: &Name, holder: Holder, person: Option<Person>) -> Option<PlayerId> {
        let player = (0..self.max).map(PlayerId).find(|player| !self.seats.contains_key(player))?;
        let name = namesakes::told_apart(name, self.seats.values().map(|seat| &seat.name));
        self.seats.insert(player, Seat::new(name, holder, person));
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
        self.version += 1;
        self.counts = Counts::of(&self.seats);
        self.joined.clear();
        let joined = self.seats.iter().filter(|(_, seat)| seat.joined > 0);
        self.joined.extend(joined.map(|(player, seat)| (*player, seat.is_played_for(self.stand_in))));
    }
}

#[cfg(test)]
mod tests;
