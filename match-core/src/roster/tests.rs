//! Who gets a seat, who gets it back, and what others see of them.

use tickwire_protocol::messages::Presence;

use super::*;

const NOW: Age = Age(1_000);
const SECOND: u32 = 30;

fn name(text: &str) -> Name {
    Name::truncated(text)
}

/// The ticket that [`ask`] gives guest `number`.
fn ticket(number: u8) -> SecretHash {
    [number; 32]
}

/// The resume token that `session` is given.
fn token(session: SessionId) -> SecretHash {
    [100 + session as u8; 32]
}

/// Guest `number` asks for a seat, kept for half a minute.
fn ask(number: u8) -> Reserve {
    Reserve { owner: OwnerId([number; 32]), name: name("Ada"), ticket: ticket(number), patience: 30 * SECOND, own_only: false }
}

/// Guest `number` comes with `session`.
fn come(roster: &mut Roster, number: u8, session: SessionId) -> Taken {
    let (player, _) = roster.reserve(&ask(number), NOW).expect("room");
    roster.attach(player, ticket(number), session, token(session), NOW).expect("the ticket is good")
}

fn presence(roster: &Roster, player: PlayerId) -> Presence {
    roster.entry(player).expect("a seat").presence
}

#[test]
fn people_never_hold_more_seats_than_there_are_and_bots_give_way() {
    let mut roster = Roster::new(2, false);
    assert!(roster.add_bot(&name("b0")).is_some() && roster.add_bot(&name("b1")).is_some());
    assert_eq!(roster.add_bot(&name("b2")), None);
    let (first, freed) = roster.reserve(&ask(1), NOW).expect("a bot gives way");
    assert_eq!(freed, Some(Freed { player: PlayerId(1), joined: true }));
    assert_eq!(first, PlayerId(1));
    assert!(roster.reserve(&ask(2), NOW).is_ok());
    assert_eq!(roster.reserve(&ask(3), NOW).err(), Some(ReserveError::Full));
    assert_eq!((roster.counts().held, roster.counts().reserved, roster.bots()), (2, 2, 0));
}

#[test]
fn whoever_asks_again_gets_the_same_seat_whatever_its_state() {
    let mut roster = Roster::new(1, false);
    let again = |roster: &mut Roster| roster.reserve(&ask(1), NOW).expect("one's own seat").0;
    let first = again(&mut roster);
    assert_eq!(again(&mut roster), first, "reserved");
    roster.attach(first, ticket(1), 5, token(5), NOW).expect("the ticket is good");
    assert_eq!(again(&mut roster), first, "connected");
    let elsewhere = roster.attach(first, ticket(1), 6, token(6), NOW).expect("the new ticket");
    assert_eq!((elsewhere.replaced, elsewhere.first), (Some(5), false), "the older tab makes way");
    assert!(roster.disconnect(first, 6, NOW.plus(SECOND)));
    assert_eq!(again(&mut roster), first, "away");
    assert_eq!(roster.next_expired(NOW.plus(2 * SECOND)), None, "kept for whoever has a ticket");
    assert_eq!(roster.reserve(&ask(2), NOW).err(), Some(ReserveError::Full));
    assert_eq!(roster.counts().held, 1);
}

#[test]
fn who_only_wants_their_own_seat_gets_no_new_one() {
    let mut roster = Roster::new(2, false);
    let own = |number| Reserve { own_only: true, ..ask(number) };
    assert_eq!(roster.reserve(&own(1), NOW).err(), Some(ReserveError::NoSeat));
    roster.reserve(&ask(1), NOW).expect("room");
    assert!(roster.reserve(&own(1), NOW).is_ok());
}

#[test]
fn only_a_seat_nobody_came_to_is_released() {
    let mut roster = Roster::new(2, false);
    let (player, _) = roster.reserve(&ask(1), NOW).expect("room");
    assert_eq!(roster.release(OwnerId([9; 32])), None);
    assert_eq!(roster.release(OwnerId([1; 32])), Some(Freed { player, joined: false }));
    let player = come(&mut roster, 2, 0).player;
    assert_eq!(roster.release(OwnerId([2; 32])), None);
    roster.disconnect(player, 0, NOW.plus(SECOND));
    assert_eq!(roster.release(OwnerId([2; 32])), None, "away is not gone");
}

#[test]
fn a_bad_ticket_or_token_changes_nothing() {
    let mut roster = Roster::new(3, false);
    let bot = roster.add_bot(&name("b")).expect("room");
    let taken = come(&mut roster, 1, 7);
    let (other, _) = roster.reserve(&ask(2), NOW).expect("room");
    roster.disconnect(taken.player, 7, NOW.plus(SECOND));
    for player in [bot, taken.player, other, PlayerId(9)] {
        assert!(roster.attach(player, [3; 32], 8, token(8), NOW).is_none());
    }
    assert!(roster.attach(taken.player, ticket(2), 8, token(8), NOW).is_none(), "a ticket for another seat");
    assert!(roster.resume([3; 32], 8, token(8), NOW).is_none());
    assert_eq!(roster.session_of(taken.player), None, "still away");
    let back = roster.resume(token(7), 9, token(9), NOW).expect("the right token");
    assert_eq!((back.player, back.first, back.replaced, back.changed), (taken.player, false, None, true));
}

#[test]
fn a_token_is_spent_when_its_successor_has_been_heard_from() {
    let mut roster = Roster::new(1, false);
    let taken = come(&mut roster, 1, 0);
    roster.confirm(taken.player);
    assert!(roster.attach(taken.player, ticket(1), 1, token(1), NOW).is_none(), "the ticket is spent");
    roster.resume(token(0), 1, token(1), NOW).expect("the first token");
    roster.resume(token(0), 2, token(2), NOW).expect("the first token again: nobody has spoken");
    roster.confirm(taken.player);
    assert!(roster.resume(token(0), 3, token(3), NOW).is_none(), "spent");
    assert!(roster.resume(token(1), 3, token(3), NOW).is_some(), "never presented, and newer");
    assert!(roster.resume(token(2), 4, token(4), NOW).is_some());
}

#[test]
fn expired_seats_are_found_one_by_one() {
    let mut roster = Roster::new(2, false);
    let (player, _) = roster.reserve(&ask(1), NOW).expect("room");
    assert_eq!(roster.next_expiry(), Some(NOW.plus(30 * SECOND)));
    assert_eq!(roster.next_expired(NOW.plus(29 * SECOND)), None);
    assert_eq!(roster.next_expired(NOW.plus(30 * SECOND)), Some(player));
    assert_eq!(roster.free(player), Some(Freed { player, joined: false }));
}

#[test]
fn names_are_told_apart_and_a_new_name_is_taken_over() {
    let mut roster = Roster::new(3, false);
    roster.add_bot(&name("Ada")).expect("room");
    let [first, second] = [1, 2].map(|number| come(&mut roster, number, SessionId::from(number)).player);
    let called = |roster: &Roster, player| roster.entry(player).expect("a seat").name;
    assert_eq!([first, second].map(|player| called(&roster, player)), [name("Ada (2)"), name("Ada (3)")]);
    assert!(!roster.rename(first, &name("Ada")), "as she asked before");
    assert!(roster.rename(first, &name("Bob")) && roster.rename(second, &name("Bob")));
    assert_eq!([first, second].map(|player| called(&roster, player)), [name("Bob"), name("Bob (2)")]);
}

#[test]
fn the_server_plays_for_those_who_are_away_or_idle_if_the_mode_wants_that() {
    for stand_in in [true, false] {
        let mut roster = Roster::new(3, stand_in);
        let bot = roster.add_bot(&name("b")).expect("room");
        let ada = come(&mut roster, 1, 0);
        let played_for = |roster: &Roster| roster.joined().filter(|(_, is)| *is).map(|(player, _)| player).collect::<Vec<_>>();
        assert_eq!(played_for(&roster), [bot]);
        assert!(roster.set_idle(ada.player, true) && !roster.set_idle(ada.player, true));
        assert_eq!(presence(&roster, ada.player), Presence::Idle);
        assert_eq!(played_for(&roster).len(), 1 + usize::from(stand_in));
        roster.disconnect(ada.player, 0, NOW.plus(SECOND));
        assert_eq!(presence(&roster, ada.player), Presence::Away);
        assert_eq!(roster.needs_stand_in(ada.player), stand_in);
        assert!(roster.resume(token(0), 1, token(1), NOW).expect("the token").changed);
        assert_eq!(presence(&roster, ada.player), Presence::Here);
        assert_eq!(played_for(&roster), [bot]);
    }
}

#[test]
fn the_host_is_who_has_been_here_for_longest() {
    let mut roster = Roster::new(3, false);
    roster.add_bot(&name("b")).expect("room");
    roster.reserve(&ask(1), NOW).expect("room");
    assert_eq!(roster.host(), None, "nobody has come");
    let second = come(&mut roster, 2, 0).player;
    let first = come(&mut roster, 1, 1).player;
    assert_eq!(roster.host(), Some(second));
    roster.disconnect(second, 0, NOW.plus(SECOND));
    assert_eq!(roster.host(), Some(second), "a host who is away is the host");
    roster.free(second);
    assert_eq!(roster.host(), Some(first));
}

#[test]
fn who_is_ready_and_who_votes_is_counted_among_the_connected() {
    let mut roster = Roster::new(4, false);
    let [ada, bob] = [1, 2].map(|number| come(&mut roster, number, SessionId::from(number)).player);
    for _ in 0..2 {
        roster.set_ready(ada, true);
        roster.vote_rematch(ada);
    }
    roster.set_ready(bob, true);
    roster.set_ready(bob, false);
    let counts = roster.counts();
    assert_eq!((counts.connected, counts.ready, counts.votes, counts.coming), (2, 1, 1, 0));
    assert_eq!(roster.ready().collect::<Vec<_>>(), [ada]);
    let (coming, _) = roster.reserve(&ask(3), NOW).expect("room");
    roster.vote_rematch(coming);
    roster.disconnect(ada, 1, NOW.plus(SECOND));
    let counts = roster.counts();
    assert_eq!((counts.connected, counts.ready, counts.votes, counts.coming), (1, 0, 0, 1));
    assert_eq!(roster.take_abstainers(), [bob], "Ada is away, the third on the way in");
    assert_eq!(roster.counts().coming, 0, "votes are forgotten");
}
