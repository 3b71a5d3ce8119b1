//! 901 cubes: one that a player rolls through the 900 others, sent 60 times a second against a baseline six frames old.
//!
//! The scene is simulated here, quantised as in the public data set, and encoded with the delta codec, with no model and with one
//! learned from two other runs. See README.md for what this can and cannot be compared with.

use codec_lab::observe::{TableObservations, observe};
use codec_lab::report::report;
use codec_lab::train::train_table;
use rapier3d::prelude::*;
use tickwire_protocol::model::Model;
use tickwire_protocol::schema::{Columns, MatchState};
use tickwire_protocol::{NetId, Schema, Snapshot, Tick, columns};

/// Cubes along each side of the field.
const SIDE: i32 = 30;
/// Frames a second.
const RATE: f32 = 60.0;
/// Until the piles have come to rest.
const WARM_UP_FRAMES: u32 = 120;
/// Frames of a run.
const FRAMES: u32 = 1_200;
/// How old a baseline is, as in the public problem: a round trip of 100 ms.
const BASELINE_FRAMES: usize = 6;
/// How far the player draws cubes.
const ATTRACTION_METRES: f32 = 2.5;
/// How strongly, metres per second and second.
const ATTRACTION: f32 = 18.0;
/// Steps to a metre.
const STEPS: f32 = 512.0;
/// The greatest component of an orientation that is not the largest.
const COMPONENT_MAX: f32 = std::f32::consts::FRAC_1_SQRT_2;

columns! {
    /// A cube, as the public data set has it: 512 steps to a metre; the three smaller components of its orientation in 512 steps, and
    /// which one is missing.
    struct Cube as "cube" {
        interacting: u8 = 0..=1,
        x: i32 = -131_072..=131_071,
        y: i32 = -131_072..=131_071,
        z: i32 = 0..=16_383,
        largest: u8 = 0..=3,
        a: i32 = -256..=255,
        b: i32 = -256..=255,
        c: i32 = -256..=255,
    }
}

const SCHEMA: Schema = Schema::new(&[MatchState::TABLE, Cube::TABLE]);

fn main() {
    let runs: Vec<Vec<Snapshot>> = (1..=3).map(|seed| run(seed, &SCHEMA)).collect();
    let [learned @ .., measured] = runs.as_slice() else { return };
    let mut observed: Vec<TableObservations> = Vec::new();
    learned.iter().flat_map(|frames| pairs(frames)).for_each(|(base, next)| observe(&SCHEMA, base, next, &mut observed));
    let tables = SCHEMA.tables().iter().zip(&observed).map(|(table, observed)| train_table(table, observed).leak()).collect::<Vec<_>>();
    let trained = SCHEMA.trained(Box::leak(Box::new(Model { tables: tables.leak() })));
    let differing: usize = pairs(measured).map(|(base, next)| differing(base, next)).sum();
    println!("{:.1} of 901 cubes differ from their baseline", differing as f64 / pairs(measured).count() as f64);
    let both = |schema: &Schema| {
        pairs(measured).map(|(base, next)| [base, next].map(|frame| with_schema(frame, schema)).to_vec()).collect::<Vec<_>>()
    };
    report("901 cubes without a model", &SCHEMA, &both(&SCHEMA));
    report("901 cubes with one learned from other runs", &trained, &both(&trained));
}

fn pairs(frames: &[Snapshot]) -> impl Iterator<Item = (&Snapshot, &Snapshot)> {
    frames.iter().zip(frames.iter().skip(BASELINE_FRAMES))
}

fn differing(base: &Snapshot, next: &Snapshot) -> usize {
    let rows = |snapshot: &Snapshot| snapshot.rows::<Row>().map(|(_, row)| row.0).collect::<Vec<_>>();
    rows(base).iter().zip(rows(next)).filter(|(before, after)| **before != *after).count()
}

/// A cube's numbers as they are.
struct Row([i32; 8]);

impl Columns for Row {
    const TABLE: tickwire_protocol::TableSchema = Cube::TABLE;
    fn write(&self, row: &mut [i32]) {
        row.copy_from_slice(&self.0);
    }
    fn read(row: &[i32]) -> Self {
        Self(std::array::from_fn(|index| row.get(index).copied().unwrap_or(0)))
    }
}

fn with_schema(snapshot: &Snapshot, schema: &Schema) -> Snapshot {
    let mut copy = Snapshot::empty(schema);
    copy.copy_from(snapshot);
    copy
}

/// Simulates a run; the seed decides where the player goes.
fn run(seed: u32, schema: &Schema) -> Vec<Snapshot> {
    let mut world = World::new();
    let mut random = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut direction = vector![1.0, 0.0, 0.0];
    let mut frames = Vec::new();
    for frame in 0..WARM_UP_FRAMES + FRAMES {
        if frame % 45 == 0 {
            direction = world.next_direction(&mut random);
        }
        world.step(direction);
        if frame >= WARM_UP_FRAMES {
            frames.push(world.snapshot(frame, schema));
        }
    }
    frames
}

struct World {
    pipeline: PhysicsPipeline,
    islands: IslandManager,
    broad_phase: DefaultBroadPhase,
    narrow_phase: NarrowPhase,
    bodies: RigidBodySet,
    colliders: ColliderSet,
    impulse_joints: ImpulseJointSet,
    multibody_joints: MultibodyJointSet,
    ccd: CCDSolver,
    /// The player's first.
    cubes: Vec<RigidBodyHandle>,
}

impl World {
    fn new() -> Self {
        let (mut bodies, mut colliders) = (RigidBodySet::new(), ColliderSet::new());
        colliders.insert(ColliderBuilder::cuboid(200.0, 1.0, 200.0).translation(vector![0.0, -1.0, 0.0]));
        let mut cubes = Vec::new();
        let mut add = |place: Vector<Real>, half: f32| {
            let handle = bodies.insert(RigidBodyBuilder::dynamic().translation(place));
            colliders.insert_with_parent(ColliderBuilder::cuboid(half, half, half).friction(0.6), handle, &mut bodies);
            cubes.push(handle);
        };
        add(vector![0.0, 3.0, 0.0], 0.75);
        for row in 0..SIDE {
            for column in 0..SIDE {
                // Piles of three stand between single cubes.
                let height = if (row + column) % 4 == 0 { 1.0 } else { 0.2 };
                let place = |index: i32| (index - SIDE / 2) as f32 + 0.5;
                add(vector![place(row), height, place(column)], 0.2);
            }
        }
        Self {
            pipeline: PhysicsPipeline::new(),
            islands: IslandManager::new(),
            broad_phase: DefaultBroadPhase::new(),
            narrow_phase: NarrowPhase::new(),
            bodies,
            colliders,
            impulse_joints: ImpulseJointSet::new(),
            multibody_joints: MultibodyJointSet::new(),
            ccd: CCDSolver::new(),
            cubes,
        }
    }

    /// Somewhere else, back towards the middle from the edge.
    fn next_direction(&self, random: &mut u32) -> Vector<Real> {
        *random ^= *random << 13;
        *random ^= *random >> 17;
        *random ^= *random << 5;
        let place = self.cubes.first().and_then(|cube| self.bodies.get(*cube)).map_or(vector![0.0, 0.0, 0.0], |body| *body.translation());
        let away = place.xz().norm() > 14.0;
        let angle = (*random % 1024) as f32 / 1024.0 * std::f32::consts::TAU;
        if away { vector![-place.x, 0.0, -place.z].normalize() } else { vector![angle.cos(), 0.0, angle.sin()] }
    }

    fn step(&mut self, direction: Vector<Real>) {
        if let Some(body) = self.cubes.first().and_then(|player| self.bodies.get_mut(*player)) {
            body.reset_forces(true);
            let wanted = direction * 6.0 - *body.linvel();
            body.add_force(vector![wanted.x, 0.0, wanted.z] * body.mass() * 6.0, true);
        }
        self.attract();
        let parameters = IntegrationParameters { dt: 1.0 / RATE, ..IntegrationParameters::default() };
        self.pipeline.step(
            &vector![0.0, -9.81, 0.0],
            &parameters,
            &mut self.islands,
            &mut self.broad_phase,
            &mut self.narrow_phase,
            &mut self.bodies,
            &mut self.colliders,
            &mut self.impulse_joints,
            &mut self.multibody_joints,
            &mut self.ccd,
            &(),
            &(),
        );
    }

    /// What is near the player is drawn to it, as in the public scene, so that it drags a heap along.
    fn attract(&mut self) {
        let [player, others @ ..] = self.cubes.as_slice() else { return };
        let Some(center) = self.bodies.get(*player).map(|body| *body.translation()) else { return };
        for cube in others {
            let Some(body) = self.bodies.get_mut(*cube) else { continue };
            let way = center - body.translation();
            let is_near = way.norm() < ATTRACTION_METRES;
            body.reset_forces(is_near);
            if is_near {
                body.add_force(way.normalize() * body.mass() * ATTRACTION, true);
            }
        }
    }

    fn snapshot(&self, frame: u32, schema: &Schema) -> Snapshot {
        let mut snapshot = Snapshot::empty(schema);
        snapshot.tick = Tick(frame);
        for (id, cube) in (0..).zip(&self.cubes) {
            let (Some(body), Some(table)) = (self.bodies.get(*cube), snapshot.table_mut(1)) else { continue };
            let mut row = [0; 8];
            quantised(body).write(&mut row);
            table.push(NetId(id), &row);
        }
        snapshot
    }
}

fn quantised(body: &RigidBody) -> Cube {
    let place = body.translation();
    let step = |metres: f32| (metres * STEPS).round() as i32;
    let rotation = body.rotation().coords;
    let largest = rotation.iamax();
    // A quaternion and its negative are one orientation: the largest component is positive.
    let sign = rotation[largest].signum();
    let rest: Vec<i32> =
        (0..4).filter(|index| *index != largest).map(|index| (rotation[index] * sign / COMPONENT_MAX * 255.0).round() as i32).collect();
    let [a, b, c] = [0, 1, 2].map(|index| rest.get(index).copied().unwrap_or(0));
    Cube {
        interacting: u8::from(!body.is_sleeping()),
        x: step(place.x),
        y: step(place.z),
        z: step(place.y),
        largest: largest as u8,
        a,
        b,
        c,
    }
}
