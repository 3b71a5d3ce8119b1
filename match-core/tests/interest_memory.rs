//! What a divided match allocates. A test binary of its own, because it counts what the calling
//! thread allocates.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

use allocation_counter::measure;
use bytes::Bytes;
use tickwire_game::bevy_ecs;
use tickwire_game::bevy_ecs::component::Component;
use tickwire_game::interest::{Look, Row, Tier};
use tickwire_game::{Interest, Replicate};
use tickwire_match::{Replication, View};
use tickwire_protocol::schema::{Columns, MatchState};
use tickwire_protocol::{NetId, PlayerId, Schema, Snapshot, Tick, columns};

columns! {
    /// Each is looked from by the player of its number.
    #[derive(Component)]
    struct Thing as "thing" {
        x: i32 = 0..=999,
        y: i32 = 0..=999,
    }
}

const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Thing::TABLE]);
const PLAYERS: u16 = 200;
const WARM_UP: u32 = 400;

const TIERS: &[Tier] = &[Tier { cells: 1, every: 1 }, Tier { cells: 2, every: 4 }];
const INTEREST: Interest = Interest::new([1000, 1000], [100, 100], TIERS, 300).of::<(Thing,)>();

impl Replicate for Thing {
    const PLACE: Option<[usize; 2]> = Some([0, 1]);
    const LOOKS: bool = true;

    fn look(row: Row<'_>) -> Option<Look> {
        Some(Look::of(PlayerId(row.id().0 as u16)))
    }
}

/// Everything goes round in circles, across the borders of cells, at the same pace for ever.
fn fill(tick: u32, snapshot: &mut Snapshot) {
    snapshot.clear();
    snapshot.table_mut(0).map(|table| table.push(NetId(0), &[2, 0]));
    for player in 0..i32::from(PLAYERS) {
        let turn = (tick as i32 * 5 + player * 7) % 400;
        let (dx, dy) = if turn < 200 { (turn, 0) } else { (400 - turn, 0) };
        let row = [player * 37 % 700 + dx, player * 61 % 900 + dy];
        snapshot.table_mut(1).map(|table| table.push(NetId(player as u32), &row));
    }
}

#[test]
fn in_steady_state_a_frame_allocates_nothing() {
    let mut replication = Replication::new(&SCHEMA, Some(INTEREST), 0);
    let mut views: Vec<View> = (0..PLAYERS).map(|player| View::new(Some(PlayerId(player)))).collect();
    let mut tick = |replication: &mut Replication, tick: u32| {
        replication.advance(Tick(tick), Bytes::new(), std::iter::empty(), |snapshot| fill(tick, snapshot));
        for view in &mut views {
            assert!(!replication.frame(view).is_empty());
        }
        replication.sweep();
    };
    (1..WARM_UP).for_each(|number| tick(&mut replication, number));
    let cost = measure(|| (WARM_UP..WARM_UP + 80).for_each(|number| tick(&mut replication, number)));
    // A few for each tick: the message of what everyone sees, and the buffer that frames are cut
    // from. None for each client.
    assert!(cost.count_total < 80 * 10, "{cost:?}");
}
