//! The laws of a divided match: what is hidden changes no byte, everyone comes to see what is in
//! sight, nobody starves, and the budget holds.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use tickwire_game::bevy_ecs;
use tickwire_game::bevy_ecs::component::Component;
use tickwire_game::interest::{Group, Look, Place, Row, Tier};
use tickwire_game::{Interest, Replicate, Rng, Scene};
use tickwire_match::{Replication, View};
use tickwire_protocol::messages::chunks::News;
use tickwire_protocol::schema::{Columns, MatchState};
use tickwire_protocol::{NetId, PlayerId, Replica, Schema, ServerMessage, Snapshot, Tick, columns};

columns! {
    /// Something on the map.
    #[derive(Component, Clone, Copy, Debug, PartialEq, Eq)]
    struct Thing as "thing" {
        /// The player that looks from it, plus one; 0 for none.
        owner: u16 = 0..=1000,
        /// Who may see it; 0 for everyone.
        team: u16 = 0..=3,
        value: u16 = 0..=255,
        vx: i32 = -9..=9,
        x: i32 = 0..=999; moved_by vx,
        y: i32 = 0..=999,
    }
}

/// Something only one player may know.
#[derive(Replicate, Clone)]
#[private]
struct Note {
    #[owner]
    #[range(0..=1000)]
    player: u16,
    #[range(0..=255)]
    value: u16,
}

const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Thing::TABLE, Note::TABLE]);
const CELL: i32 = 100;
const REACH: i32 = 4;
const TIERS: &[Tier] = &[Tier { cells: 1, every: 1 }, Tier { cells: 2, every: 2 }, Tier { cells: REACH as u8, every: 4 }];

fn interest(bytes_per_tick: usize) -> Interest {
    Interest::new([1000, 1000], [CELL, CELL], TIERS, bytes_per_tick).of::<(Thing, Note)>()
}

impl Replicate for Thing {
    const LOOKS: bool = true;

    fn place(row: Row<'_>) -> Place {
        let thing = row.read::<Self>().expect("a row of things");
        let group = if thing.team == 0 { Group::Everyone } else { Group::Team(thing.team) };
        Place::at([thing.x, thing.y]).only_for(group)
    }

    /// A player is in the team of the number that its own, of four, is.
    fn look(row: Row<'_>) -> Option<Look> {
        let player = row.read::<Self>()?.owner.checked_sub(1)?;
        Some(Look::of(PlayerId(player)).in_teams(&[player % 4]))
    }
}

/// What is so, as the test knows it.
#[derive(Clone, Default)]
struct Truth {
    things: BTreeMap<u32, Thing>,
    notes: BTreeMap<u32, Note>,
}

impl Truth {
    /// The first of `things` are looked from, by as many players.
    fn random(rng: &mut Rng, players: u16, things: u32) -> Self {
        let mut truth = Self::default();
        for id in 0..things {
            let owner = if id < u32::from(players) { id as u16 + 1 } else { 0 };
            let team = if id % 5 == 4 { rng.below(4) as u16 } else { 0 };
            let (x, y) = (rng.between(0, 999), rng.between(0, 999));
            truth.things.insert(id + 1, Thing { owner, team, value: 0, vx: 0, x, y });
        }
        for player in 0..players {
            truth.notes.insert(u32::from(player) + 1, Note { player, value: 0 });
        }
        truth
    }

    /// Some things move, change, go or come.
    fn stir(&mut self, rng: &mut Rng, next_id: &mut u32) {
        self.things.retain(|_, thing| thing.owner > 0 || rng.below(100) > 0);
        for thing in self.things.values_mut() {
            match rng.below(8) {
                0 => thing.value = rng.below(256) as u16,
                1 => (thing.x, thing.y) = (rng.between(0, 999), rng.between(0, 999)),
                2 | 3 => thing.vx = rng.between(-9, 9),
                _ => {}
            }
            let x = (thing.x + thing.vx).clamp(0, 999);
            (thing.vx, thing.x) = (x - thing.x, x);
        }
        if rng.below(2) == 0 {
            *next_id += 1;
            let team = rng.below(4) as u16;
            self.things.insert(*next_id, Thing { owner: 0, team, value: 1, vx: 0, x: rng.between(0, 999), y: rng.between(0, 999) });
        }
        for note in self.notes.values_mut() {
            note.value = if rng.below(9) == 0 { rng.below(256) as u16 } else { note.value };
        }
    }

    fn rest(&mut self) {
        self.things.values_mut().for_each(|thing| thing.vx = 0);
    }

    fn fill(&self, snapshot: &mut Snapshot) {
        snapshot.clear();
        snapshot.table_mut(0).map(|table| table.push(NetId(0), &[2, 0]));
        let mut row = [0; 6];
        for (id, thing) in &self.things {
            thing.write(&mut row);
            snapshot.table_mut(1).map(|table| table.push(NetId(*id), &row));
        }
        for (id, note) in &self.notes {
            note.write(&mut row[..2]);
            snapshot.table_mut(2).map(|table| table.push(NetId(*id), &row[..2]));
        }
    }
}

/// A client and what the server thinks it has.
struct Viewer {
    player: PlayerId,
    view: View,
    replica: Replica,
}

impl Viewer {
    fn new(player: u16) -> Self {
        let player = PlayerId(player);
        Self { player, view: View::new(Some(player)), replica: Replica::new(&SCHEMA) }
    }

    /// Reads a frame; every hash in it must be right. Returns the sizes of its parts.
    fn hear(&mut self, mut bytes: &[u8]) -> Vec<usize> {
        let mut sizes = Vec::new();
        while let Some(message) = ServerMessage::decode_next(&mut bytes) {
            let message = message.expect("well formed");
            self.replica.apply(&message).expect("applies");
            match message {
                ServerMessage::ChunksCheck { hash } => {
                    assert_eq!(hash, self.replica.chunks_hash(), "the client has what the server thinks");
                }
                ServerMessage::Chunks { parts, .. } => sizes.extend(parts.as_slice().iter().map(|part| match &part.news {
                    News::Keyframe(body) | News::Delta { body, .. } => 4 + body.as_slice().len(),
                    News::Gone | News::Reset => 2,
                })),
                _ => {}
            }
        }
        sizes
    }

    fn sees(&self) -> &Snapshot {
        self.replica.snapshot().expect("a keyframe came")
    }
}

fn advance(replication: &mut Replication, tick: u32, truth: &Truth) {
    let told = [(&[7; 9][..], Scene { place: [tick as i32 * 37 % 1000, 500], concerns: [None; 2] })];
    replication.advance(Tick(tick), Bytes::new(), told.into_iter(), |snapshot| truth.fill(snapshot));
}

/// Whether `client` has all that is in sight, as it is, and nothing that it may not see.
fn has_all_in_sight(client: &Viewer, truth: &Truth) -> bool {
    let seen = client.sees();
    let own = truth.things.values().find(|thing| thing.owner == client.player.0 + 1).expect("looks from somewhere");
    let rows: BTreeMap<NetId, Thing> = seen.rows::<Thing>().collect();
    let notes: Vec<Note> = seen.rows::<Note>().map(|(_, note)| note).collect();
    assert!(notes.iter().all(|note| note.player == client.player.0), "only the own note");
    let is_true = |id: &NetId, thing: &Thing| truth.things.get(&id.0) == Some(thing);
    let is_complete = truth.things.iter().all(|(id, thing)| {
        let is_seen = rows.contains_key(&NetId(*id));
        let far = (thing.x - own.x).abs().max((thing.y - own.y).abs());
        // A border is crossed an eighth of a cell late, by either of the two.
        assert!(!is_seen || may_see(client, thing), "{thing:?} seen from {own:?}");
        let is_near = far <= REACH * CELL - CELL / 4;
        let is_far = far > (REACH + 1) * CELL + CELL / 4;
        if is_seen { !is_far } else { !is_near || !may_see(client, thing) }
    });
    let note = truth.notes.values().find(|note| note.player == client.player.0).map(|note| note.value);
    is_complete && rows.iter().all(|(id, thing)| is_true(id, thing)) && notes.first().map(|note| note.value) == note
}

fn may_see(client: &Viewer, thing: &Thing) -> bool {
    thing.team == 0 || thing.team == client.player.0 % 4
}

/// A bot in the seat of `client` sees the cells around it, by where everything is now.
fn check_bot(replication: &mut Replication, client: &Viewer, truth: &Truth) {
    let mut seen = Snapshot::empty(&SCHEMA);
    assert!(replication.see(client.player, &mut seen));
    let own = truth.things.values().find(|thing| thing.owner == client.player.0 + 1).expect("looks from somewhere");
    let cells = |thing: &Thing| (thing.x / CELL - own.x / CELL).abs().max((thing.y / CELL - own.y / CELL).abs());
    let in_sight = truth.things.iter().filter(|(_, thing)| may_see(client, thing) && cells(thing) <= REACH);
    let expected: Vec<(NetId, Thing)> = in_sight.map(|(id, thing)| (NetId(*id), *thing)).collect();
    assert_eq!(seen.rows::<Thing>().collect::<Vec<_>>(), expected);
    assert_eq!(seen.rows::<Note>().map(|(_, note)| note.player).collect::<Vec<_>>(), [client.player.0]);
}

/// A scene, and a way through it that its seed decides. Another process, which does not know what
/// clients have, goes on with it before tick `taken_over`. Returns every byte sent.
fn play(seed: u64, budget: usize, players: u16, things: u32, ticks: u32, taken_over: Option<u32>) -> Vec<u8> {
    let mut rng = Rng::new(seed);
    let mut truth = Truth::random(&mut rng, players, things);
    let mut next_id = 10_000;
    let mut replication = Replication::new(&SCHEMA, Some(interest(budget)), 1);
    let mut clients: Vec<Viewer> = (0..players).map(Viewer::new).collect();
    let mut sent = Vec::new();
    let mut rests_since = 0;
    for tick in 1..=ticks + 600 {
        if tick <= ticks {
            truth.stir(&mut rng, &mut next_id);
        } else if tick == ticks + 1 {
            truth.rest();
            rests_since = tick;
        }
        if taken_over == Some(tick) {
            replication = Replication::new(&SCHEMA, Some(interest(budget)), 1);
            clients.iter_mut().for_each(|client| client.view = View::unknown(Some(client.player)));
        }
        advance(&mut replication, tick, &truth);
        for client in &mut clients {
            // Some miss a few ticks, and one of them very many.
            let misses = tick <= ticks && (rng.below(4) == 0 || client.player.0 == 1 && tick % 100 > 5);
            if misses {
                replication.skip(&client.view);
                continue;
            }
            let bytes = replication.frame(&mut client.view);
            let mut sizes = client.hear(&bytes);
            sizes.sort_unstable();
            let least: usize = sizes.iter().rev().take(3).sum();
            // The check is for the test. The own chunk, the own note and one other may go over the
            // budget.
            assert!(bytes.len() - 10 <= budget.max(least + 40), "{} bytes, {sizes:?}", bytes.len());
            sent.extend_from_slice(&bytes);
        }
        replication.sweep();
        clients.iter().filter(|_| tick % 16 == 0).for_each(|client| check_bot(&mut replication, client, &truth));
        if rests_since > 0 && clients.iter().all(|client| has_all_in_sight(client, &truth)) {
            return sent;
        }
    }
    panic!("after 600 ticks of rest somebody sees something else than is in sight");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn everyone_comes_to_see_what_is_in_sight(seed in any::<u64>(), budget in 30usize..900, players in 2u16..9, things in 9u32..500) {
        play(seed, budget, players, things, 120, None);
    }

    #[test]
    fn and_so_they_do_when_another_process_goes_on(
        seed in any::<u64>(), budget in 30usize..900, players in 2u16..9, things in 9u32..500, taken_over in 2u32..120,
    ) {
        play(seed, budget, players, things, 120, Some(taken_over));
    }

    #[test]
    fn what_is_hidden_changes_no_byte(seed in any::<u64>(), budget in 30usize..600, secrets in 0u32..200) {
        let run = |hidden: u64| {
            let mut rng = Rng::new(seed);
            let mut secret = Rng::new(seed ^ hidden);
            let mut truth = Truth::random(&mut rng, 4, 120);
            truth.things.retain(|_, thing| thing.team != 2);
            let mut next_id = 10_000;
            let mut replication = Replication::new(&SCHEMA, Some(interest(budget)), 1);
            let mut client = Viewer::new(1);
            let mut frames = Vec::new();
            for tick in 1..150 {
                truth.stir(&mut rng, &mut next_id);
                truth.things.retain(|_, thing| thing.team != 2);
                let mut all = truth.clone();
                // What team 2 has, and what another player has noted, differs from run to run.
                for id in 0..if hidden == 0 { 0 } else { secret.below(secrets + 1) } {
                    let (x, y) = (secret.between(0, 999), secret.between(0, 999));
                    all.things.insert(5_000 + id, Thing { owner: 0, team: 2, value: tick as u16, vx: 0, x, y });
                }
                all.notes.insert(3, Note { player: 2, value: secret.below(256) as u16 });
                advance(&mut replication, tick, &all);
                let bytes = replication.frame(&mut client.view);
                client.hear(&bytes);
                frames.push(bytes);
                replication.sweep();
            }
            frames
        };
        let first = run(0);
        prop_assert!(first == run(1) && first == run(2));
    }
}

#[test]
fn the_same_scene_is_the_same_bytes() {
    assert!(play(7, 300, 6, 300, 200, None) == play(7, 300, 6, 300, 200, None));
}

/// 600 things in one cell, all of which change in every tick, and a budget for a tenth of them.
#[test]
fn in_a_crowd_the_own_chunk_is_always_new_and_none_is_forgotten() {
    const CROWD: u32 = 600;
    let mut truth = Truth::default();
    let mut rng = Rng::new(3);
    for id in 0..CROWD {
        let (x, y) = (rng.between(500, 599), rng.between(500, 599));
        truth.things.insert(id, Thing { owner: u16::from(id < 3) * (id as u16 + 1), team: 0, value: 0, vx: 0, x, y });
    }
    let mut replication = Replication::new(&SCHEMA, Some(interest(200)), 1);
    let mut clients: Vec<Viewer> = (0..3).map(Viewer::new).collect();
    let (mut oldest, mut most) = (0, 0);
    for tick in 1..1200 {
        truth.things.values_mut().for_each(|thing| thing.value = (tick % 256) as u16);
        advance(&mut replication, tick, &truth);
        for client in &mut clients {
            let bytes = replication.frame(&mut client.view);
            client.hear(&bytes);
            let own = client.sees().rows::<Thing>().find(|(_, thing)| thing.owner == client.player.0 + 1).expect("itself");
            assert_eq!(own.1.value, (tick % 256) as u16, "the own chunk is in every frame");
            if tick > 300 {
                assert_eq!(client.sees().rows::<Thing>().count(), CROWD as usize, "all are there");
                let ages = client.sees().rows::<Thing>().map(|(_, thing)| (tick as u16).wrapping_sub(thing.value) & 255);
                oldest = oldest.max(ages.max().unwrap_or(0));
                most = most.max(bytes.len());
            }
        }
        replication.sweep();
    }
    println!("the oldest row was {oldest} ticks old, the longest frame {most} bytes");
    assert!(oldest < 100, "{oldest} ticks");
}

/// In a crowd: whoever is next to a viewer is new in every tick, in the viewer's own chunk or
/// beyond its border.
#[test]
fn in_a_crowd_the_nearest_are_new_in_every_tick() {
    const NEAR: i32 = 6;
    let mut truth = Truth::default();
    let mut rng = Rng::new(5);
    for id in 0..600 {
        let (x, y) = (rng.between(400, 499), rng.between(400, 499));
        truth.things.insert(id, Thing { owner: u16::from(id < 20) * (id as u16 + 1), team: 0, value: 0, vx: 0, x, y });
    }
    let mut replication = Replication::new(&SCHEMA, Some(interest(200)), 1);
    let mut clients: Vec<Viewer> = (0..20).map(Viewer::new).collect();
    let (mut near, mut beyond) = (0, 0);
    for tick in 1..600 {
        truth.things.values_mut().for_each(|thing| thing.value = (tick % 256) as u16);
        advance(&mut replication, tick, &truth);
        for client in &mut clients {
            let bytes = replication.frame(&mut client.view);
            client.hear(&bytes);
            if tick <= 300 {
                continue;
            }
            let own = truth.things[&u32::from(client.player.0)];
            for (id, thing) in client.sees().rows::<Thing>() {
                if (thing.x - own.x).abs().max((thing.y - own.y).abs()) <= NEAR {
                    assert_eq!(thing.value, (tick % 256) as u16, "{id:?} is next to {:?} and old in tick {tick}", client.player);
                    near += 1;
                } else {
                    beyond += i32::from(thing.value != (tick % 256) as u16);
                }
            }
        }
        replication.sweep();
    }
    assert!(near > 20 * 299 * 5, "{near} rows are near");
    assert!(beyond > near, "there is no room for all, or this says nothing");
}

#[test]
fn all_in_one_place_are_divided_by_id() {
    let mut truth = Truth::default();
    for id in 0..1000 {
        truth.things.insert(id, Thing { owner: u16::from(id == 0), team: 0, value: 0, vx: 0, x: 555, y: 555 });
    }
    let mut replication = Replication::new(&SCHEMA, Some(interest(300)), 1);
    let mut client = Viewer::new(0);
    for tick in 1..400 {
        advance(&mut replication, tick, &truth);
        let bytes = replication.frame(&mut client.view);
        let largest = client.hear(&bytes).into_iter().max().unwrap_or(0);
        assert!(bytes.len() <= 300 + 10 && largest < 300, "{} bytes, the largest part {largest}", bytes.len());
        replication.sweep();
    }
    assert_eq!(client.sees().rows::<Thing>().count(), 1000);
    // And together again when they have gone.
    truth.things.retain(|id, _| *id < 5);
    for tick in 400..500 {
        advance(&mut replication, tick, &truth);
        let bytes = replication.frame(&mut client.view);
        client.hear(&bytes);
        replication.sweep();
    }
    assert_eq!(client.sees().rows::<Thing>().count(), 5);
    assert!(client.sees().rows::<Thing>().all(|(id, thing)| truth.things[&id.0] == thing));
}
