//! Who gets a seat, who gets it back, and what others see of them.

use std::time::Duration;

use tickwire_protocol::messages::Presence;

use super::*;
use crate::matches::handle::SeatState;

const SECOND: Duration = Duration::from_secs(1);

fn name(text: &str) -> Name {
    Name::truncated(text)
}

/// The ticket that [`ask`] gives guest `number`.
fn ticket(number: u8) -> Secret {
    Secret([number; 16])
}

/// Guest `number` asks for a seat, kept for half a minute from `now`.
fn ask(number: u8, now: Instant) -> Reservation {
    let until = (now + 30 * SECOND).into_std();
    Reservation { owner: GuestId([number; 32]), name: name("Ada"), ticket: hash(ticket(number)), until, own_only: false }
}

/// Seats guest `number` in `slot`.
fn come(roster: &mut Roster, number: u8, slot: usize, now: Instant) -> Taken {
    let (reserved, _) = roster.reserve(&ask(number, now), now).expect("room");
    roster.attach(reserved.player, ticket(number), slot, now).expect("the ticket is good")
}

fn presence(roster: &Roster, player: PlayerId) -> Presence {
    roster.entry(player).expect("a seat").presence
}

#[test]
fn people_never_hold_more_seats_than_there_are_and_bots_give_way() {
    let (mut roster, now) = (Roster::new(2, false), Instant::now());
    assert!(roster.add_bot(&name("b0")).is_some() && roster.add_bot(&name("b1")).is_some());
    assert_eq!(roster.add_bot(&name("b2")), None);
    let (first, freed) = roster.reserve(&ask(1, now), now).expect("a bot gives way");
    assert_eq!(freed, Some(Freed { player: PlayerId(1), joined: true }));
    assert_eq!(first.player, PlayerId(1));
    assert!(roster.reserve(&ask(2, now), now).is_ok());
    assert_eq!(roster.reserve(&ask(3, now), now).err(), Some(ReserveError::Full));
    assert_eq!((roster.counts().held, roster.counts().reserved, roster.bots()), (2, 2, 0));
}

#[test]
fn whoever_asks_again_gets_the_same_seat_whatever_its_state() {
    let (mut roster, now) = (Roster::new(1, false), Instant::now());
    let again = |roster: &mut Roster| roster.reserve(&ask(1, now), now).expect("one's own seat").0;
    let first = again(&mut roster);
    assert_eq!(again(&mut roster).player, first.player, "reserved");
    assert_eq!(first.seat.state(), SeatState::Pending);
    roster.attach(first.player, ticket(1), 5, now).expect("the ticket is good");
    assert_eq!(again(&mut roster).player, first.player, "connected");
    let elsewhere = roster.attach(first.player, ticket(1), 6, now).expect("the new ticket");
    assert_eq!((elsewhere.replaced, elsewhere.first), (Some(5), false), "the older tab makes way");
    assert!(roster.disconnect(first.player, 6, now + SECOND));
    assert_eq!(again(&mut roster).player, first.player, "away");
    assert_eq!(roster.next_expired(now + 2 * SECOND), None, "kept for whoever has a ticket");
    assert_eq!(roster.reserve(&ask(2, now), now).err(), Some(ReserveError::Full));
    assert_eq!(roster.counts().held, 1);
    assert_eq!(first.seat.state(), SeatState::Taken);
    roster.free(first.player);
    assert_eq!(first.seat.state(), SeatState::Freed);
}

#[test]
fn who_only_wants_their_own_seat_gets_no_new_one() {
    let (mut roster, now) = (Roster::new(2, false), Instant::now());
    let own = |number| Reservation { own_only: true, ..ask(number, now) };
    assert_eq!(roster.reserve(&own(1), now).err(), Some(ReserveError::NoSeat));
    roster.reserve(&ask(1, now), now).expect("room");
    assert!(roster.reserve(&own(1), now).is_ok());
}

#[test]
fn only_a_seat_nobody_came_to_is_released() {
    let (mut roster, now) = (Roster::new(2, false), Instant::now());
    let (reserved, _) = roster.reserve(&ask(1, now), now).expect("room");
    assert_eq!(roster.release(GuestId([9; 32])), None);
    assert_eq!(roster.release(GuestId([1; 32])), Some(Freed { player: reserved.player, joined: false }));
    let player = come(&mut roster, 2, 0, now).player;
    assert_eq!(roster.release(GuestId([2; 32])), None);
    roster.disconnect(player, 0, now + SECOND);
    assert_eq!(roster.release(GuestId([2; 32])), None, "away is not gone");
}

#[test]
fn a_bad_ticket_or_token_changes_nothing() {
    let (mut roster, now) = (Roster::new(3, false), Instant::now());
    let bot = roster.add_bot(&name("b")).expect("room");
    let taken = come(&mut roster, 1, 7, now);
    let (other, _) = roster.reserve(&ask(2, now), now).expect("room");
    roster.disconnect(taken.player, 7, now + SECOND);
    for player in [bot, taken.player, other.player, PlayerId(9)] {
        assert!(roster.attach(player, Secret([3; 16]), 8, now).is_none());
    }
    assert!(roster.attach(taken.player, ticket(2), 8, now).is_none(), "a ticket for another seat");
    assert!(roster.resume(Secret([3; 16]), 8, now).is_none());
    assert_eq!(roster.slot_of(taken.player), None, "still away");
    let back = roster.resume(taken.resume, 9, now).expect("the right token");
    assert_eq!((back.player, back.first, back.replaced, back.changed), (taken.player, false, None, true));
}

#[test]
fn a_token_is_spent_when_its_successor_has_been_heard_from() {
    let (mut roster, now) = (Roster::new(1, false), Instant::now());
    let taken = come(&mut roster, 1, 0, now);
    roster.confirm(taken.player);
    assert!(roster.attach(taken.player, ticket(1), 1, now).is_none(), "the ticket is spent");
    let second = roster.resume(taken.resume, 1, now).expect("the first token");
    let third = roster.resume(taken.resume, 2, now).expect("the first token again: nobody has spoken");
    roster.confirm(taken.player);
    assert!(roster.resume(taken.resume, 3, now).is_none(), "spent");
    assert!(roster.resume(second.resume, 3, now).is_some(), "never presented, and newer");
    assert!(roster.resume(third.resume, 4, now).is_some());
}

#[test]
fn expired_seats_are_found_one_by_one() {
    let (mut roster, now) = (Roster::new(2, false), Instant::now());
    let (reserved, _) = roster.reserve(&ask(1, now), now).expect("room");
    assert_eq!(roster.next_expiry(), Some(now + 30 * SECOND));
    assert_eq!(roster.next_expired(now + 29 * SECOND), None);
    assert_eq!(roster.next_expired(now + 30 * SECOND), Some(reserved.player));
    assert_eq!(roster.free(reserved.player), Some(Freed { player: reserved.player, joined: false }));
}

#[test]
fn names_are_told_apart_and_a_new_name_is_taken_over() {
    let (mut roster, now) = (Roster::new(3, false), Instant::now());
    roster.add_bot(&name("Ada")).expect("room");
    let [first, second] = [1, 2].map(|number| come(&mut roster, number, usize::from(number), now).player);
    let called = |roster: &Roster, player| roster.entry(player).expect("a seat").name;
    assert_eq!([first, second].map(|player| called(&roster, player)), [name("Ada (2)"), name("Ada (3)")]);
    assert!(!roster.rename(first, &name("Ada")), "as she asked before");
    assert!(roster.rename(first, &name("Bob")) && roster.rename(second, &name("Bob")));
    assert_eq!([first, second].map(|player| called(&roster, player)), [name("Bob"), name("Bob (2)")]);
}

#[test]
fn the_server_plays_for_those_who_are_away_or_idle_if_the_mode_wants_that() {
    for stand_in in [true, false] {
        let (mut roster, now) = (Roster::new(3, stand_in), Instant::now());
        let bot = roster.add_bot(&name("b")).expect("room");
        let ada = come(&mut roster, 1, 0, now);
        let played_for = |roster: &Roster| roster.joined().filter(|(_, is)| *is).map(|(player, _)| player).collect::<Vec<_>>();
        assert_eq!(played_for(&roster), [bot]);
        assert!(roster.set_idle(ada.player, true) && !roster.set_idle(ada.player, true));
        assert_eq!(presence(&roster, ada.player), Presence::Idle);
        assert_eq!(played_for(&roster).len(), 1 + usize::from(stand_in));
        roster.disconnect(ada.player, 0, now + SECOND);
        assert_eq!(presence(&roster, ada.player), Presence::Away);
        assert_eq!(roster.needs_stand_in(ada.player), stand_in);
        assert!(roster.resume(ada.resume, 1, now).expect("the token").changed);
        assert_eq!(presence(&roster, ada.player), Presence::Here);
        assert_eq!(played_for(&roster), [bot]);
    }
}

#[test]
fn the_host_is_who_has_been_here_for_longest() {
    let (mut roster, now) = (Roster::new(3, false), Instant::now());
    roster.add_bot(&name("b")).expect("room");
    roster.reserve(&ask(1, now), now).expect("room");
    assert_eq!(roster.host(), None, "nobody has come");
    let second = come(&mut roster, 2, 0, now).player;
    let first = come(&mut roster, 1, 1, now).player;
    assert_eq!(roster.host(), Some(second));
    roster.disconnect(second, 0, now + SECOND);
    assert_eq!(roster.host(), Some(second), "a host who is away is the host");
    roster.free(second);
    assert_eq!(roster.host(), Some(first));
}

#[test]
fn who_is_ready_and_who_votes_is_counted_among_the_connected() {
    let (mut roster, now) = (Roster::new(4, false), Instant::now());
    let [ada, bob] = [1, 2].map(|number| come(&mut roster, number, usize::from(number), now).player);
    for _ in 0..2 {
        roster.set_ready(ada, true);
        roster.vote_rematch(ada);
    }
    roster.set_ready(bob, true);
    roster.set_ready(bob, false);
    let counts = roster.counts();
    assert_eq!((counts.connected, counts.ready, counts.votes, counts.coming), (2, 1, 1, 0));
    assert_eq!(roster.ready().collect::<Vec<_>>(), [ada]);
    let (coming, _) = roster.reserve(&ask(3, now), now).expect("room");
    roster.vote_rematch(coming.player);
    roster.disconnect(ada, 1, now + SECOND);
    let counts = roster.counts();
    assert_eq!((counts.connected, counts.ready, counts.votes, counts.coming), (1, 0, 0, 1));
    assert_eq!(roster.take_abstainers(), [bob], "Ada is away, the third on the way in");
    assert_eq!(roster.counts().coming, 0, "votes are forgotten");
}
