//! Who has which seat, who is expected, and which tickets are void: written down at one place, so
//! that it agrees.
//!
//! The match alone frees seats. What is given up here it is told, and what becomes of the seat
//! shows in its [`SeatWatch`]. Until it has heard that, and if it is too busy to hear, the tickets
//! of the seat are void here: for [`SEAT_KEPT`], after which the match frees the seat by itself.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tickwire_protocol::{MatchId, PlayerId, Ticket};

use super::expected::{EXPECTED_MAX, Expected, Newcomer};
use super::sessions::PlayerSession;
use super::tickets::signer::Signer;
use super::tickets::{self, Blank, Claims, Flaw, Owner, SEAT_KEPT};
use crate::http::address::AddressKey;
use crate::http::table::ExpiringTable;
use crate::matches::{PlayerKey, SeatState, SeatWatch};

/// Seats whose tickets are void. One more takes the place of the one that was given up first.
const VOID_MAX: usize = 16_384;

/// All seats that sessions were given.
#[derive(Debug)]
pub(crate) struct Ledger {
    signer: Signer,
    expected: Mutex<Expected>,
    void: Mutex<ExpiringTable<(MatchId, Owner), ()>>,
}

/// A seat that nobody will come to: its match is to free it, unless somebody just came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// Whose.
    pub(crate) owner: PlayerKey,
    /// In which match.
    pub(crate) id: MatchId,
}

impl Ledger {
    /// Empty.
    pub(crate) fn new(signer: Signer) -> Self {
        Self::with_room_for(signer, EXPECTED_MAX)
    }

    /// Never more than `expected_max` people of one address who have not come yet.
    fn with_room_for(signer: Signer, expected_max: usize) -> Self {
        let (expected, void) = (Expected::with_room_for(expected_max), ExpiringTable::new(VOID_MAX));
        Self { signer, expected: Mutex::new(expected), void: Mutex::new(void) }
    }

    /// Has the keys for tickets.
    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The ticket for a seat that was found. `None` if that took too long.
    pub(crate) fn grant(&self, now: Instant, blank: Blank, id: MatchId, player: PlayerId) -> Option<(Ticket, Duration)> {
        blank.grant(now, &self.signer.keys(), id, player)
    }

    /// Where this ticket leads, which is shown now and at `unix`, seconds since 1970.
    pub(crate) fn find(&self, now: Instant, unix: u64, ticket: &Ticket) -> Result<Claims, Flaw> {
        let claims = tickets::read(ticket, unix, &self.signer.keys())?;
        let is_void = self.void().get_mut(now, &(claims.id, claims.owner)).is_some();
        if is_void { Err(Flaw::Void) } else { Ok(claims) }
    }

    /// `session` has a seat in match `id`, and is about to be given a ticket for it. Returns the
    /// seats that are given up for it.
    pub(crate) fn note(&self, now: Instant, session: &Arc<PlayerSession>, key: AddressKey, id: MatchId, seat: SeatWatch) -> Vec<GivenUp> {
        let others = session.holdings().hold(id, seat.clone());
        self.void().remove(now, &(id, tickets::owner(session.id)));
        let mut given_up: Vec<_> = others.into_iter().map(|other| self.give_up(now, session.id, other)).collect();
        if seat.state() == SeatState::Pending {
            let newcomer = Newcomer { owner: session.id, id, seat };
            let pushed_out = self.expected().add(key, newcomer);
            given_up.extend(pushed_out.map(|Newcomer { owner, id, .. }| self.give_up(now, owner, id)));
        }
        given_up
    }

    /// Nobody will come to the seat of `owner` in match `id`: its tickets are void.
    pub(crate) fn give_up(&self, now: Instant, owner: PlayerKey, id: MatchId) -> GivenUp {
        self.void().insert_evicting(now, (id, tickets::owner(owner)), (), now + SEAT_KEPT);
        GivenUp { owner, id }
    }

    /// Forgets what has expired.
    pub(crate) fn purge(&self, now: Instant) {
        self.void().purge(now);
        self.expected().purge();
    }

    fn void(&self) -> MutexGuard<'_, ExpiringTable<(MatchId, Owner), ()>> {
        self.void.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expected(&self) -> MutexGuard<'_, Expected> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use tickwire_protocol::text::Name;

    use super::super::sessions::{Known, Sessions};
    use super::*;
    use crate::config::Config;
    use crate::matches::handle::SeatMark;

    const PEOPLE: usize = 6;
    const MATCHES: u8 = 4;
    const EXPECTED: usize = 2;

    /// What happens to the seat of one person in one match.
    #[derive(Clone, Copy, Debug)]
    enum Deed {
        Ask,
        Come,
        /// The person leaves, the ticket expires, or the grace period does.
        Free,
        /// For everyone.
        MatchEnds,
        Purge,
        SessionEnds,
    }

    fn deeds() -> impl Strategy<Value = Vec<(Deed, usize, u8)>> {
        use Deed::{Ask, Come, Free, MatchEnds, Purge, SessionEnds};
        let kinds = [Ask, Ask, Ask, Ask, Come, Come, Free, MatchEnds, Purge, SessionEnds];
        proptest::collection::vec((proptest::sample::select(kinds.to_vec()), 0..PEOPLE, 0..MATCHES), 0..120)
    }

    /// Matches as they behave: they keep seats, and free those that are given up unless somebody
    /// came.
    #[derive(Default)]
    struct World {
        seats: HashMap<(PlayerKey, MatchId), (SeatMark, AddressKey)>,
    }

    impl World {
        fn reserve(&mut self, owner: PlayerKey, id: MatchId, key: AddressKey) -> SeatWatch {
            self.seats.entry((owner, id)).or_insert_with(|| (SeatMark::pending(), key)).0.watch()
        }

        fn release(&mut self, GivenUp { owner, id }: GivenUp) {
            if self.seats.get(&(owner, id)).is_some_and(|(mark, _)| mark.watch().state() == SeatState::Pending) {
                self.seats.remove(&(owner, id));
            }
        }

        fn count(&self, state: SeatState, wanted: impl Fn(PlayerKey, AddressKey) -> bool) -> usize {
            let is_counted = |(owner, _): &(PlayerKey, MatchId), (mark, key): &(SeatMark, AddressKey)| {
                mark.watch().state() == state && wanted(*owner, *key)
            };
            self.seats.iter().filter(|(of, seat)| is_counted(of, seat)).count()
        }
    }

    proptest! {
        /// Whatever happens in whatever order, what is noted of a session or an address is what the
        /// matches have.
        #[test]
        fn what_is_noted_is_never_off(steps in deeds()) {
            let now = Instant::now();
            let sessions = Sessions::new(&Config::default());
            let address = |who: usize| AddressKey::V4([192, 0, 2, (who % 2) as u8]);
            let mut opened = 0u8;
            let mut open = |now: Instant, who: usize| {
                opened += 1;
                let known = Known { id: PlayerKey([opened; 32]), name: Name::truncated("Ada"), expires: None };
                sessions.enter(now, known, address(who))
            };
            let mut people: Vec<Arc<PlayerSession>> = (0..PEOPLE).map(|who| open(now, who)).collect();
            let ledger = Ledger::with_room_for(Signer::default(), EXPECTED);
            let mut world = World::default();
            for (step, who, number) in steps {
                let (owner, id, key) = (people[who].id, MatchId([number; 16]), address(who));
                match step {
                    Deed::Ask => {
                        let seat = world.reserve(owner, id, key);
                        let given_up = ledger.note(now, &people[who], key, id, seat);
                        prop_assert!(!given_up.contains(&GivenUp { owner, id }), "nobody gives up what was just asked for");
                        given_up.into_iter().for_each(|seat| world.release(seat));
                    }
                    Deed::Come => if let Some((mark, _)) = world.seats.get(&(owner, id)) { mark.take() },
                    Deed::Free => drop(world.seats.remove(&(owner, id))),
                    Deed::MatchEnds => world.seats.retain(|(_, other), _| *other != id),
                    Deed::Purge => ledger.purge(now),
                    Deed::SessionEnds => people[who] = open(now, who),
                }
                for (who, session) in people.iter().enumerate() {
                    let is_theirs = |owner, _| owner == session.id;
                    let mut held = session.holdings().matches();
                    held.sort_unstable_by_key(|id| id.0);
                    let mut theirs: Vec<_> = world.seats.keys().filter(|(owner, _)| *owner == session.id).map(|(_, id)| *id).collect();
                    theirs.sort_unstable_by_key(|id| id.0);
                    prop_assert_eq!(held, theirs);
                    prop_assert_eq!(session.holdings().taken(), world.count(SeatState::Taken, is_theirs));
                    prop_assert!(world.count(SeatState::Pending, is_theirs) <= 1);
                    prop_assert!(world.count(SeatState::Pending, |_, key| key == address(who)) <= EXPECTED);
                }
            }
            world.seats.clear();
            ledger.purge(now);
            prop_assert!(ledger.expected().is_empty());
            prop_assert!(people.iter().all(|session| !session.holdings().has_seat()));
        }

        /// Tickets of a seat that is given up lead nowhere, until the seat is asked for again.
        #[test]
        fn tickets_are_void_with_their_seat(asked in proptest::collection::vec(0..MATCHES, 1..40)) {
            let (now, unix) = (Instant::now(), 1_800_000_000);
            let sessions = Sessions::new(&Config::default());
            let key = AddressKey::V4([192, 0, 2, 1]);
            let known = Known { id: PlayerKey([1; 32]), name: Name::truncated("Ada"), expires: None };
            let session = sessions.enter(now, known, key);
            let ledger = Ledger::with_room_for(Signer::default(), EXPECTED);
            let mut world = World::default();
            let mut given: Vec<(MatchId, Ticket)> = Vec::new();
            for number in asked {
                let id = MatchId([number; 16]);
                let blank = Blank::new(now, unix, session.id);
                let seat = world.reserve(session.id, id, key);
                ledger.note(now, &session, key, id, seat).into_iter().for_each(|given_up| world.release(given_up));
                let (ticket, _) = ledger.grant(now, blank, id, PlayerId(3)).expect("in time");
                given.push((id, ticket));
                for (of, ticket) in &given {
                    let found = ledger.find(now, unix, ticket).map(|claims| (claims.id, claims.player));
                    prop_assert_eq!(found, if *of == id { Ok((id, PlayerId(3))) } else { Err(Flaw::Void) }, "one seat is pending");
                }
            }
            let void = ledger.void().len();
            prop_assert!(void < usize::from(MATCHES), "one entry a seat, not a ticket");
            ledger.purge(now + SEAT_KEPT);
            prop_assert_eq!(ledger.void().len(), 0);
        }
    }
}
