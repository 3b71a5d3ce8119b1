//! Guest sessions: a name and a random token, so that a player is the same one from one request to
//! the next.
//!
//! Invariants: only the SHA-256 of a token is kept; there are at most [`GUESTS_MAX`] sessions, and
//! so many from one address as the operator says, each gone after [`IDLE_MAX`] without a request.
//! Where there is no room, a newcomer takes the place of the session that has been idle for
//! longest, of those that hold no seat if there is one: refusing newcomers would let a flood lock
//! everyone out, whereas an evicted player's page makes a new session and loses no seat by it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tickwire_protocol::Secret;
use tickwire_protocol::text::Name;

use super::holdings::Holdings;
use super::rates::SessionBudget;
use crate::config::Config;
use crate::http::address::AddressKey;
use crate::matches::GuestId;
use crate::secrets::{hash, random_bytes};

/// Most guest sessions.
pub(crate) const GUESTS_MAX: usize = 100_000;
/// A session without requests for so long is over.
pub(crate) const IDLE_MAX: Duration = Duration::from_hours(24);
/// So many of the sessions idle for longest are looked at to find one that holds no seat.
const LOOKS_MAX: usize = 1_000;

/// One guest session.
#[derive(Debug)]
pub(crate) struct Guest {
    /// Tells this session from others. No secret: it admits to nothing.
    pub(crate) id: GuestId,
    /// How the others see the player.
    pub(crate) name: Name,
    /// Calls of the API.
    pub(crate) calls: SessionBudget,
    /// WebSocket handshakes.
    pub(crate) handshakes: SessionBudget,
    /// Held while a seat is asked for: a session asks for one seat after the other, however many
    /// requests it sends at once.
    pub(crate) turn: Arc<tokio::sync::Mutex<()>>,
    holdings: Mutex<Holdings>,
}

impl Guest {
    fn new(id: GuestId, name: Name, calls_per_minute: u32) -> Self {
        let (calls, handshakes) = (SessionBudget::new(calls_per_minute), SessionBudget::new(calls_per_minute));
        Self { id, name, calls, handshakes, turn: Arc::default(), holdings: Mutex::default() }
    }

    /// What this session holds.
    pub(crate) fn holdings(&self) -> MutexGuard<'_, Holdings> {
        self.holdings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everyone with a session.
#[derive(Debug)]
pub(crate) struct Guests {
    entries: HashMap<GuestId, Entry>,
    /// The one idle for longest first.
    order: Order,
    by_address: HashMap<AddressKey, Order>,
    /// Tells sessions used at the same instant apart.
    next: u64,
    per_address_max: usize,
    calls_per_minute: u32,
}

type Place = (Instant, u64);
type Order = BTreeMap<Place, GuestId>;

#[derive(Debug)]
struct Entry {
    guest: Arc<Guest>,
    address: AddressKey,
    place: Place,
}

impl Guests {
    /// Nobody yet, with limits as the operator set them.
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            entries: HashMap::new(),
            order: Order::new(),
            by_address: HashMap::new(),
            next: 0,
            per_address_max: config.sessions.per_address,
            calls_per_minute: config.rates.calls_per_minute,
        }
    }

    /// A session for someone called `name` at `address`. Returns its token, which is kept nowhere
    /// else.
    pub(crate) fn open(&mut self, now: Instant, name: Name, address: AddressKey) -> Secret {
        self.purge(now);
        let neighbours = self.by_address.get(&address).filter(|neighbours| neighbours.len() >= self.per_address_max);
        if let Some(evicted) = neighbours.and_then(|neighbours| self.least_missed(neighbours)) {
            self.remove(evicted);
        }
        if self.entries.len() >= GUESTS_MAX
            && let Some(evicted) = self.least_missed(&self.order)
        {
            self.remove(evicted);
        }
        let token = Secret(random_bytes());
        let id = GuestId(hash(token));
        let place = self.line_up(now, id, address);
        self.entries.insert(id, Entry { guest: Arc::new(Guest::new(id, name, self.calls_per_minute)), address, place });
        token
    }

    /// Whose token this is, if anybody's. Their session is not idle.
    pub(crate) fn recognise(&mut self, now: Instant, token: Secret) -> Option<Arc<Guest>> {
        let id = GuestId(hash(token));
        let guest = self.find(now, id)?;
        let entry = self.entries.get(&id)?;
        let (old, address) = (entry.place, entry.address);
        self.leave(old, address);
        let place = self.line_up(now, id, address);
        self.entries.get_mut(&id)?.place = place;
        Some(guest)
    }

    /// The session with this id. It stays as idle as it was: an id proves nothing.
    pub(crate) fn find(&self, now: Instant, id: GuestId) -> Option<Arc<Guest>> {
        let entry = self.entries.get(&id).filter(|entry| now < entry.place.0 + IDLE_MAX)?;
        Some(Arc::clone(&entry.guest))
    }

    /// Drops sessions that were idle for too long.
    pub(crate) fn purge(&mut self, now: Instant) {
        while let Some((place, id)) = self.order.first_key_value()
            && place.0 + IDLE_MAX <= now
        {
            self.remove(*id);
        }
    }

    /// Number of sessions.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn least_missed(&self, order: &Order) -> Option<GuestId> {
        let holds_none = |id: &&GuestId| self.entries.get(id).is_some_and(|entry| !entry.guest.holdings().has_seat());
        let seatless = order.values().take(LOOKS_MAX).find(holds_none);
        seatless.or_else(|| order.values().next()).copied()
    }

    fn line_up(&mut self, now: Instant, id: GuestId, address: AddressKey) -> Place {
        let place = (now, self.next);
        self.next += 1;
        self.order.insert(place, id);
        self.by_address.entry(address).or_default().insert(place, id);
        place
    }

    fn leave(&mut self, place: Place, address: AddressKey) {
        self.order.remove(&place);
        if let Some(neighbours) = self.by_address.get_mut(&address) {
            neighbours.remove(&place);
            if neighbours.is_empty() {
                self.by_address.remove(&address);
            }
        }
    }

    fn remove(&mut self, id: GuestId) {
        if let Some(Entry { address, place, .. }) = self.entries.remove(&id) {
            self.leave(place, address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matches::handle::SeatMark;
    use tickwire_protocol::MatchId;

    const HERE: AddressKey = AddressKey::V4([192, 0, 2, 1]);
    const THERE: AddressKey = AddressKey::V4([192, 0, 2, 2]);

    fn guests(per_address: usize) -> Guests {
        let mut config = Config::default();
        config.sessions.per_address = per_address;
        Guests::new(&config)
    }

    fn ada() -> Name {
        Name::truncated("Ada")
    }

    #[test]
    fn a_session_lasts_while_it_is_used() {
        let start = Instant::now();
        let mut guests = guests(9);
        let token = guests.open(start, ada(), HERE);
        let almost = Duration::from_hours(23);
        let later = start + almost;
        assert_eq!(guests.recognise(later, token).expect("known").name, ada());
        let id = guests.recognise(later + almost, token).expect("its idle time began anew").id;
        assert!(guests.find(start + IDLE_MAX * 4, id).is_none());
        assert!(guests.recognise(start + IDLE_MAX * 4, token).is_none());
        assert!(guests.recognise(start, Secret([7; 16])).is_none(), "nobody's token");
        guests.purge(start + IDLE_MAX * 4);
        assert!(guests.len() == 0 && guests.order.is_empty() && guests.by_address.is_empty());
    }

    #[test]
    fn a_crowd_at_one_address_evicts_its_own_who_were_idle_for_longest() {
        let start = Instant::now();
        let mut guests = guests(2);
        let other = guests.open(start, ada(), THERE);
        let [first, second] = [(); 2].map(|()| guests.open(start, ada(), HERE));
        assert!(guests.recognise(start, first).is_some());
        let third = guests.open(start, ada(), HERE);
        assert!(guests.recognise(start, second).is_none(), "idle for longest");
        for kept in [other, first, third] {
            assert!(guests.recognise(start, kept).is_some());
        }
    }

    #[test]
    fn who_has_a_seat_is_not_evicted_while_somebody_has_none() {
        let start = Instant::now();
        let mut guests = guests(2);
        let [seated, idle] = [(); 2].map(|()| guests.open(start, ada(), HERE));
        let mark = SeatMark::pending();
        guests.recognise(start, seated).expect("known").holdings().hold(MatchId([1; 16]), mark.watch());
        assert!(guests.recognise(start, idle).is_some(), "used after the other");
        let newcomer = guests.open(start, ada(), HERE);
        assert!(guests.recognise(start, seated).is_some() && guests.recognise(start, idle).is_none());
        drop(mark);
        assert!(guests.recognise(start, newcomer).is_some());
        guests.open(start, ada(), HERE);
        assert!(guests.recognise(start, seated).is_none(), "the seat was freed");
    }
}
