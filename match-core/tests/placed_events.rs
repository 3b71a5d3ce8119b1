//! Events that happened somewhere: those are told who see the place, and those whom they concern,
//! wherever they look.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

use bytes::Bytes;
use tickwire_game::interest::Tier;
use tickwire_game::{Interest, Replicate, Scene};
use tickwire_match::{Replication, View};
use tickwire_protocol::schema::{Columns, MatchState};
use tickwire_protocol::{Event, NetId, PlayerId, Schema, ServerMessage, Tick};

/// Who stands where.
#[derive(Replicate)]
#[place(x, y)]
#[eyes]
struct Stand {
    #[owner]
    #[range(0..=9)]
    player: u16,
    #[range(0..=999)]
    x: i32,
    #[range(0..=0)]
    y: i32,
}

const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Stand::TABLE]);
/// Where the players 0, 1 and 2 stand. A cell is 100 wide, and they see the next one.
const PLACES: [i32; 3] = [50, 60, 950];
const HERE: i32 = PLACES[0];
/// A fourth of it is for events with a place.
const BUDGET: usize = 200;

/// An event of one byte, and where it happened.
type Happening = (u8, Scene);

fn told(what: u8, x: i32, concerns: [Option<PlayerId>; 2]) -> Happening {
    (what, Scene { place: [x, 0], concerns })
}

/// What each of the players is told of `events`.
fn heard(events: &[Happening]) -> [Vec<u8>; 3] {
    let tiers = &[Tier { cells: 1, every: 1 }];
    let interest = Interest::new([1000, 100], [100, 100], tiers, BUDGET).of::<(Stand,)>();
    let mut replication = Replication::new(&SCHEMA, Some(interest), 0);
    replication.advance(Tick(1), Bytes::new(), events.iter().map(|(what, at)| (std::slice::from_ref(what), *at)), |snapshot| {
        for (x, player) in PLACES.into_iter().zip(0..) {
            snapshot.table_mut(1).expect("it has stands").push(NetId(player as u32 + 1), &[player, x, 0]);
        }
    });
    [0, 1, 2].map(|player| {
        let frame = replication.frame(&mut View::new(Some(PlayerId(player))));
        let mut rest = &frame[..];
        let messages = std::iter::from_fn(|| ServerMessage::decode_next(&mut rest));
        let events = messages.filter_map(|message| match message.expect("well formed") {
            ServerMessage::Event(Event::Game(bytes)) => bytes.as_slice().first().copied(),
            _ => None,
        });
        events.collect()
    })
}

#[test]
fn those_who_see_the_place_are_told_and_nobody_else() {
    assert_eq!(heard(&[told(7, HERE, [None; 2])]), [vec![7], vec![7], vec![]]);
}

#[test]
fn whom_it_concerns_is_told_once_wherever_they_look() {
    let [near, far] = [PlayerId(0), PlayerId(2)].map(Some);
    assert_eq!(heard(&[told(7, HERE, [near, far])]), [vec![7], vec![7], vec![7]]);
    assert_eq!(heard(&[told(7, HERE, [near, near]), told(8, HERE, [None; 2])]), [vec![7, 8], vec![7, 8], vec![]]);
}

#[test]
fn in_a_crowd_of_events_what_concerns_a_player_comes_first() {
    let mut events: Vec<Happening> = (0..100).map(|what| told(what, HERE, [None; 2])).collect();
    events.push(told(200, HERE, [Some(PlayerId(0)), Some(PlayerId(2))]));
    let [concerned, bystander, far] = heard(&events);
    assert_eq!(concerned.first(), Some(&200));
    assert_eq!(concerned.len(), bystander.len(), "the rest of the room is for what is in sight");
    assert!(bystander.len() < events.len() && !bystander.contains(&200), "there is no room for all");
    assert_eq!(far, [200]);
}
