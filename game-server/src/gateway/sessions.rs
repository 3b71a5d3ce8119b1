//! What the server keeps of everyone it knows: a name, budgets, and what they hold, so that a
//! player is the same one from one request to the next.
//!
//! Invariants: there are at most [`SESSIONS_MAX`] sessions, and so many from one address as the
//! operator says, each gone after [`IDLE_MAX`] without a request, or when what it was opened by
//! expires. Where there is no room, a newcomer takes the place of the session that has been idle
//! for longest, of those that hold no seat if there is one: refusing newcomers would let a flood
//! lock everyone out, whereas an evicted player gets a new session and loses no seat by it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tickwire_protocol::MatchId;
use tickwire_protocol::text::Name;

use super::adopted::Adopted;
use super::holdings::Holdings;
use super::rates::SessionBudget;
use crate::config::Config;
use crate::http::address::AddressKey;
use crate::matches::{PlayerKey, RevivedSeat, SignIn};

/// Most sessions.
pub(crate) const SESSIONS_MAX: usize = 100_000;
/// A session without requests for so long is over.
pub(crate) const IDLE_MAX: Duration = Duration::from_hours(24);
/// So many of the sessions idle for longest are looked at to find one that holds no seat.
const LOOKS_MAX: usize = 1_000;

/// One player's.
#[derive(Debug)]
pub(crate) struct PlayerSession {
    /// Tells this session from others. No secret: it admits to nothing.
    pub(crate) id: PlayerKey,
    /// How the others see the player.
    pub(crate) name: Name,
    /// Until when the player is known. The seats of the player go by it too.
    pub(crate) sign_in: Arc<SignIn>,
    /// Calls of the API.
    pub(crate) calls: SessionBudget,
    /// WebSocket handshakes.
    pub(crate) handshakes: SessionBudget,
    /// Held while a seat is asked for: a session asks for one seat after the other, however many
    /// requests it sends at once.
    pub(crate) turn: Arc<tokio::sync::Mutex<()>>,
    holdings: Mutex<Holdings>,
}

impl PlayerSession {
    fn new(id: PlayerKey, name: Name, sign_in: Arc<SignIn>, calls_per_minute: u32) -> Self {
        let (calls, handshakes) = (SessionBudget::new(calls_per_minute), SessionBudget::new(calls_per_minute));
        Self { id, name, sign_in, calls, handshakes, turn: Arc::default(), holdings: Mutex::default() }
    }

    /// Until when the player may play, for a seat. `None` if there is no such moment.
    pub(crate) fn sign_in_if_any(&self, now: Instant) -> Option<Arc<SignIn>> {
        self.sign_in.left(now).map(|_| Arc::clone(&self.sign_in))
    }

    /// What this session holds.
    pub(crate) fn holdings(&self) -> MutexGuard<'_, Holdings> {
        self.holdings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What opens a session, and keeps it open.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// Who it is.
    pub(crate) id: PlayerKey,
    /// How the others see them.
    pub(crate) name: Name,
    /// When the server knows them no more, if there is such a moment.
    pub(crate) expires: Option<Instant>,
}

/// Everyone with a session.
#[derive(Debug)]
pub(crate) struct Sessions(Mutex<Table>);

impl Sessions {
    /// Nobody yet, with limits as the operator set them.
    pub(crate) fn new(config: &Config) -> Arc<Self> {
        Arc::new(Self(Mutex::new(Table {
            entries: HashMap::new(),
            order: ByLastUse::new(),
            by_address: HashMap::new(),
            sign_ins: HashMap::new(),
            adopted: Adopted::default(),
            next: 0,
            per_address_max: config.sessions.per_address,
            calls_per_minute: config.rates.calls_per_minute,
        })))
    }

    /// The session of someone at `address`, which is not idle then. It is opened if there is none.
    pub(crate) fn enter(&self, now: Instant, known: Known, address: AddressKey) -> Arc<PlayerSession> {
        self.table().enter(now, known, address)
    }

    /// The session with this id. It stays as idle as it was: an id proves nothing.
    pub(crate) fn find(&self, now: Instant, id: PlayerKey) -> Option<Arc<PlayerSession>> {
        self.table().find(now, id).map(|entry| Arc::clone(&entry.session))
    }

    /// How somebody is called who has a session, or a seat from before this process began.
    pub(crate) fn name(&self, now: Instant, id: PlayerKey) -> Option<Name> {
        let table = self.table();
        table.find(now, id).map(|entry| entry.session.name.clone()).or_else(|| table.adopted.name(id))
    }

    /// Somebody has this seat in match `id` from before this process began. Their session has it
    /// when it is opened.
    pub(crate) fn adopt(&self, id: MatchId, seat: RevivedSeat) {
        let mut table = self.table();
        if let Some(sign_in) = &seat.sign_in {
            table.sign_ins.insert(seat.owner, Arc::downgrade(sign_in));
        }
        table.adopted.add(id, seat);
    }

    /// A guest of a former process, who was at `address` and idle for so long.
    pub(crate) fn go_on(&self, now: Instant, known: Known, address: AddressKey, idle: Duration) {
        if idle < IDLE_MAX {
            self.table().open_used(now, now.checked_sub(idle).unwrap_or(now), known, address);
        }
    }

    /// Everyone whose session ends by itself, with how long they have been idle.
    pub(crate) fn guests(&self, now: Instant) -> Vec<(PlayerKey, Name, AddressKey, Duration)> {
        let table = self.table();
        let guests = table.entries.iter().filter(|(_, entry)| entry.session.sign_in.left(now).is_none() && !entry.is_idle(now));
        let guest = |(id, entry): (&PlayerKey, &Entry)| {
            (*id, entry.session.name.clone(), entry.address, now.saturating_duration_since(entry.place.0))
        };
        guests.map(guest).collect()
    }

    /// Drops sessions that were idle for too long.
    pub(crate) fn purge(&self, now: Instant) {
        let mut table = self.table();
        table.purge(now);
        table.sign_ins.retain(|_, sign_in| sign_in.strong_count() > 0);
        table.adopted.purge();
    }

    /// Number of sessions.
    pub(crate) fn len(&self) -> usize {
        self.table().entries.len()
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Table {
    entries: HashMap<PlayerKey, Entry>,
    /// The one idle for longest first.
    order: ByLastUse,
    by_address: HashMap<AddressKey, ByLastUse>,
    /// Of all sessions and seats there are, of people who are not known for good: a session that is
    /// opened anew has the one that the player's seats go by.
    sign_ins: HashMap<PlayerKey, Weak<SignIn>>,
    /// Seats whose owners have opened no session since this process began.
    adopted: Adopted,
    /// Tells sessions used at the same instant apart.
    next: u64,
    per_address_max: usize,
    calls_per_minute: u32,
}

/// When a session was used last, and its number among those used at that instant.
type LastUse = (Instant, u64);
/// Sessions, the one that was missed longest first.
type ByLastUse = BTreeMap<LastUse, PlayerKey>;

#[derive(Debug)]
struct Entry {
    session: Arc<PlayerSession>,
    address: AddressKey,
    place: LastUse,
}

impl Entry {
    fn is_idle(&self, now: Instant) -> bool {
        self.place.0 + IDLE_MAX <= now
    }
}

impl Table {
    fn enter(&mut self, now: Instant, known: Known, address: AddressKey) -> Arc<PlayerSession> {
        let id = known.id;
        // Also one that had expired: its seats are kept for whoever signs in again.
        let Some(entry) = self.entries.get(&id).filter(|entry| !entry.is_idle(now)) else { return self.open(now, known, address) };
        let (session, old, address) = (Arc::clone(&entry.session), entry.place, entry.address);
        session.sign_in.extend(known.expires);
        self.leave(old, address);
        let place = self.line_up(now, id, address);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.place = place;
        }
        session
    }

    fn open(&mut self, now: Instant, known: Known, address: AddressKey) -> Arc<PlayerSession> {
        self.open_used(now, now, known, address)
    }

    /// Opens a session that was used last at `used`.
    fn open_used(&mut self, now: Instant, used: Instant, known: Known, address: AddressKey) -> Arc<PlayerSession> {
        let Known { id, name, expires } = known;
        self.purge(now);
        self.remove(id);
        let neighbours = self.by_address.get(&address).filter(|neighbours| neighbours.len() >= self.per_address_max);
        if let Some(evicted) = neighbours.and_then(|neighbours| self.least_missed(neighbours)) {
            self.remove(evicted);
        }
        if self.entries.len() >= SESSIONS_MAX
            && let Some(evicted) = self.least_missed(&self.order)
        {
            self.remove(evicted);
        }
        let place = self.line_up(used, id, address);
        let sign_in = self.sign_in(now, id, expires);
        let session = Arc::new(PlayerSession::new(id, name, sign_in, self.calls_per_minute));
        self.adopted.take(id).into_iter().for_each(|(id, seat)| drop(session.holdings().hold(id, seat)));
        self.entries.insert(id, Entry { session: Arc::clone(&session), address, place });
        session
    }

    fn sign_in(&mut self, now: Instant, id: PlayerKey, expires: Option<Instant>) -> Arc<SignIn> {
        if expires.is_none() {
            return Arc::new(SignIn::until(now, None));
        }
        if let Some(sign_in) = self.sign_ins.get(&id).and_then(Weak::upgrade) {
            sign_in.extend(expires);
            return sign_in;
        }
        let sign_in = Arc::new(SignIn::until(now, expires));
        self.sign_ins.insert(id, Arc::downgrade(&sign_in));
        sign_in
    }

    fn find(&self, now: Instant, id: PlayerKey) -> Option<&Entry> {
        self.entries.get(&id).filter(|entry| !entry.is_idle(now) && !entry.session.sign_in.has_expired(now))
    }

    fn purge(&mut self, now: Instant) {
        while let Some((place, id)) = self.order.first_key_value()
            && place.0 + IDLE_MAX <= now
        {
            self.remove(*id);
        }
    }

    fn least_missed(&self, order: &ByLastUse) -> Option<PlayerKey> {
        let holds_none = |id: &&PlayerKey| self.entries.get(id).is_some_and(|entry| !entry.session.holdings().has_seat());
        let seatless = order.values().take(LOOKS_MAX).find(holds_none);
        seatless.or_else(|| order.values().next()).copied()
    }

    fn line_up(&mut self, now: Instant, id: PlayerKey, address: AddressKey) -> LastUse {
        let place = (now, self.next);
        self.next += 1;
        self.order.insert(place, id);
        self.by_address.entry(address).or_default().insert(place, id);
        place
    }

    fn leave(&mut self, place: LastUse, address: AddressKey) {
        self.order.remove(&place);
        if let Some(neighbours) = self.by_address.get_mut(&address) {
            neighbours.remove(&place);
            if neighbours.is_empty() {
                self.by_address.remove(&address);
            }
        }
    }

    fn remove(&mut self, id: PlayerKey) {
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

    fn sessions(per_address: usize) -> Arc<Sessions> {
        let mut config = Config::default();
        config.sessions.per_address = per_address;
        Sessions::new(&config)
    }

    fn known(number: u8) -> Known {
        Known { id: PlayerKey([number; 32]), name: Name::truncated("Ada"), expires: None }
    }

    #[test]
    fn a_session_lasts_while_it_is_used() {
        let start = Instant::now();
        let sessions = sessions(9);
        let opened = sessions.enter(start, known(1), HERE);
        let later = start + Duration::from_hours(23);
        assert!(Arc::ptr_eq(&opened, &sessions.enter(later, known(1), THERE)), "the same, wherever it calls from");
        assert!(sessions.find(later + Duration::from_hours(23), opened.id).is_some(), "its idle time began anew");
        assert!(sessions.find(start + IDLE_MAX * 4, opened.id).is_none());
        assert!(!Arc::ptr_eq(&opened, &sessions.enter(start + IDLE_MAX * 4, known(1), HERE)), "a new one");
        sessions.purge(start + IDLE_MAX * 8);
        let table = sessions.table();
        assert!(table.entries.is_empty() && table.order.is_empty() && table.by_address.is_empty());
    }

    #[test]
    fn a_session_is_over_when_what_it_was_opened_by_expires_unless_that_is_renewed() {
        let start = Instant::now();
        let sessions = sessions(9);
        let until = |minutes| Known { expires: Some(start + Duration::from_mins(minutes)), ..known(1) };
        let opened = sessions.enter(start, until(10), HERE);
        assert!(Arc::ptr_eq(&opened, &sessions.enter(start + Duration::from_mins(9), until(20), HERE)));
        assert!(sessions.find(start + Duration::from_mins(19), opened.id).is_some());
        assert!(sessions.find(start + Duration::from_mins(20), opened.id).is_none());
        let renewed = sessions.enter(start + Duration::from_mins(25), until(30), HERE);
        assert!(Arc::ptr_eq(&opened, &renewed), "with its seats");
        assert!(sessions.find(start + Duration::from_mins(29), opened.id).is_some());
        assert_eq!((sessions.len(), sessions.table().order.len()), (1, 1));
    }

    #[test]
    fn a_session_opened_anew_goes_by_what_the_players_seats_go_by() {
        let start = Instant::now();
        let sessions = sessions(9);
        let known = |minutes| Known { expires: Some(start + Duration::from_mins(minutes)), ..known(1) };
        let seat = Arc::clone(&sessions.enter(start, known(10), HERE).sign_in);
        sessions.purge(start + IDLE_MAX);
        let later = start + IDLE_MAX;
        let opened = sessions.enter(later, Known { expires: Some(later + Duration::from_mins(5)), ..known(1) }, HERE);
        assert!(Arc::ptr_eq(&seat, &opened.sign_in) && !seat.has_expired(later));
        drop((seat, opened));
        sessions.table().remove(PlayerKey([1; 32]));
        sessions.purge(later);
        assert!(sessions.table().sign_ins.is_empty(), "nobody goes by it");
    }

    #[test]
    fn a_crowd_at_one_address_evicts_its_own_who_were_idle_for_longest() {
        let start = Instant::now();
        let sessions = sessions(2);
        sessions.enter(start, known(0), THERE);
        for number in [1, 2, 1, 3] {
            sessions.enter(start, known(number), HERE);
        }
        let is_there = |number| sessions.find(start, known(number).id).is_some();
        assert!(!is_there(2), "idle for longest");
        assert!([0, 1, 3].into_iter().all(is_there));
    }

    #[test]
    fn who_has_a_seat_is_not_evicted_while_somebody_has_none() {
        let start = Instant::now();
        let sessions = sessions(2);
        let mark = SeatMark::pending();
        sessions.enter(start, known(1), HERE).holdings().hold(MatchId([1; 16]), mark.watch());
        sessions.enter(start, known(2), HERE);
        sessions.enter(start, known(3), HERE);
        let is_there = |number| sessions.find(start, known(number).id).is_some();
        assert!(is_there(1) && !is_there(2), "used after the other");
        drop(mark);
        sessions.enter(start, known(4), HERE);
        assert!(!is_there(1), "the seat was freed");
    }
}
