//! Who has which seat and which tickets, and who is expected: written down at one place, so that it
//! agrees.
//!
//! The match alone frees seats. What is given up here it is told, and what becomes of the seat
//! shows in its [`SeatWatch`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tickwire_protocol::{MatchId, Secret};

use super::expected::{EXPECTED_MAX, Expected, Newcomer};
use super::sessions::PlayerSession;
use super::tickets::{Blank, TICKETS_MAX, Ticket, Tickets};
use crate::http::address::AddressKey;
use crate::matches::{PlayerKey, SeatState, SeatWatch};

/// All seats and tickets that session sessions were given.
#[derive(Debug)]
pub(crate) struct Ledger {
    tickets: Tickets,
    expected: Mutex<Expected>,
}

/// A seat that nobody will come to: its match is to free it, unless somebody just came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// Whose.
    pub(crate) owner: PlayerKey,
    /// In which match.
    pub(crate) id: MatchId,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::with_room_for(TICKETS_MAX, EXPECTED_MAX)
    }
}

impl Ledger {
    /// Never more than `tickets_max` tickets, nor more than `expected_max` people of one address
    /// who have not come yet.
    pub(crate) fn with_room_for(tickets_max: usize, expected_max: usize) -> Self {
        Self { tickets: Tickets::with_room_for(tickets_max), expected: Mutex::new(Expected::with_room_for(expected_max)) }
    }

    /// A ticket for a seat that is yet to be found. `None` if too many are outstanding.
    pub(crate) fn begin(&self, now: Instant) -> Option<Blank> {
        self.tickets.begin(now)
    }

    /// Where this ticket leads.
    pub(crate) fn find(&self, now: Instant, ticket: Secret) -> Option<Ticket> {
        self.tickets.find(now, ticket)
    }

    /// `session` has a seat in match `id`, which `ticket` admits to. Returns the seats that are
    /// given up for it.
    pub(crate) fn note(
        &self,
        now: Instant,
        session: &Arc<PlayerSession>,
        key: AddressKey,
        id: MatchId,
        seat: SeatWatch,
        ticket: &Blank,
    ) -> Vec<GivenUp> {
        let (others, void) = {
            let mut holdings = session.holdings();
            (holdings.hold(id, seat.clone()), holdings.keep_ticket(id, ticket.hash()))
        };
        self.tickets.revoke(now, void);
        let mut given_up: Vec<_> = others.into_iter().map(|other| self.give_up(now, session, other)).collect();
        if seat.state() == SeatState::Pending {
            let newcomer = Newcomer { owner: session.id, session: Arc::downgrade(session), id, seat };
            let pushed_out = self.expected().add(key, newcomer);
            given_up.extend(pushed_out.map(|Newcomer { owner, session, id, .. }| {
                session.upgrade().map_or(GivenUp { owner, id }, |session| self.give_up(now, &session, id))
            }));
        }
        given_up
    }

    /// Nobody will come to the seat of `session` in match `id`: its tickets are void.
    pub(crate) fn give_up(&self, now: Instant, session: &PlayerSession, id: MatchId) -> GivenUp {
        let void = session.holdings().take_tickets(id);
        self.tickets.revoke(now, void);
        GivenUp { owner: session.id, id }
    }

    /// Forgets what has expired.
    pub(crate) fn purge(&self, now: Instant) {
        self.tickets.purge(now);
        self.expected().purge();
    }

    /// Tickets whose time is not over.
    pub(crate) fn tickets(&self) -> usize {
        self.tickets.len()
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

    use super::super::holdings;
    use super::super::sessions::{Known, Sessions};
    use super::*;
    use crate::config::Config;
    use crate::matches::handle::SeatMark;

    const PEOPLE: usize = 6;
    const MATCHES: u8 = 4;
    const EXPECTED: usize = 2;

    /// What happens to the seat of one person in one match.
    #[derive(Clone, Copy, Debug)]
    enum Step {
        Ask,
        Come,
        /// The person leaves, the ticket expires, or the grace period does.
        Free,
        /// For everyone.
        MatchEnds,
        TicketsExpire,
        Purge,
        SessionEnds,
    }

    fn steps() -> impl Strategy<Value = Vec<(Step, usize, u8)>> {
        use Step::{Ask, Come, Free, MatchEnds, Purge, SessionEnds, TicketsExpire};
        let kinds = [Ask, Ask, Ask, Ask, Come, Come, Free, MatchEnds, TicketsExpire, Purge, SessionEnds];
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
        fn what_is_noted_is_never_off(steps in steps()) {
            let mut now = Instant::now();
            let sessions = Sessions::new(&Config::default());
            let address = |who: usize| AddressKey::V4([192, 0, 2, (who % 2) as u8]);
            let mut opened = 0u8;
            let mut open = |now: Instant, who: usize| {
                opened += 1;
                let known = Known { id: PlayerKey([opened; 32]), name: Name::truncated("Ada"), expires: None };
                sessions.enter(now, known, address(who))
            };
            let mut people: Vec<Arc<PlayerSession>> = (0..PEOPLE).map(|who| open(now, who)).collect();
            let ledger = Ledger::with_room_for(1_000, EXPECTED);
            let mut world = World::default();
            for (step, who, number) in steps {
                let (owner, id, key) = (people[who].id, MatchId([number; 16]), address(who));
                match step {
                    Step::Ask => {
                        let blank = ledger.begin(now).expect("room");
                        let seat = world.reserve(owner, id, key);
                        let given_up = ledger.note(now, &people[who], key, id, seat, &blank);
                        prop_assert!(!given_up.contains(&GivenUp { owner, id }), "nobody gives up what was just asked for");
                        given_up.into_iter().for_each(|seat| world.release(seat));
                    }
                    Step::Come => if let Some((mark, _)) = world.seats.get(&(owner, id)) { mark.take() },
                    Step::Free => drop(world.seats.remove(&(owner, id))),
                    Step::MatchEnds => world.seats.retain(|(_, other), _| *other != id),
                    Step::TicketsExpire => now += super::super::tickets::TICKET_LIFE,
                    Step::Purge => ledger.purge(now),
                    Step::SessionEnds => people[who] = open(now, who),
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

        /// A session never has more tickets than it may, and those of a seat that is given up lead
        /// nowhere.
        #[test]
        fn tickets_are_bounded_and_void_with_their_seat(asked in proptest::collection::vec(0..MATCHES, 1..40)) {
            let now = Instant::now();
            let sessions = Sessions::new(&Config::default());
            let key = AddressKey::V4([192, 0, 2, 1]);
            let known = Known { id: PlayerKey([1; 32]), name: Name::truncated("Ada"), expires: None };
            let session = sessions.enter(now, known, key);
            let ledger = Ledger::with_room_for(1_000, EXPECTED);
            let mut world = World::default();
            let mut blanks: Vec<(MatchId, Blank)> = Vec::new();
            for number in asked {
                let id = MatchId([number; 16]);
                let blank = ledger.begin(now).expect("room");
                let seat = world.reserve(session.id, id, key);
                for given_up in ledger.note(now, &session, key, id, seat, &blank) {
                    blanks.retain(|(other, _)| *other != given_up.id);
                    world.release(given_up);
                }
                blanks.push((id, blank));
                blanks.drain(..blanks.len().saturating_sub(holdings::TICKETS_MAX));
                prop_assert_eq!(ledger.tickets(), blanks.len());
                prop_assert!(blanks.iter().all(|(of, _)| *of == id), "one seat is pending: this one");
            }
        }
    }
}
