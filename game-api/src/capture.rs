//! World to snapshot: which components are replicated or persisted, and their values row by row.
//!
//! Invariant: rows come out in order of [`NetId`], whatever order the ECS stores them in.

use bevy_ecs::component::Component;
use bevy_ecs::entity::Entity;
use bevy_ecs::query::QueryState;
use bevy_ecs::world::World;
use tickwire_protocol::limits::FIELDS_MAX;
use tickwire_protocol::schema::{Columns, Fnv, Schema, Table as TableSchema};
use tickwire_protocol::snapshot::{Snapshot, Table};
use tickwire_protocol::{NetId, PlayerId};

use crate::game::Networked;

/// The components of a match that leave the world: to clients, or only into the state hash and checkpoints.
pub struct Registry {
    schema: Schema,
    replicated: Vec<(usize, Box<dyn Capture>)>,
    persisted: Vec<(TableSchema, Box<dyn Capture>)>,
    rows: Rows,
}

/// What rows are put in order in: memory that all tables use in turn.
#[derive(Default)]
struct Rows {
    /// Each row's id, above its place in `values`.
    order: Vec<u64>,
    /// Row after row, in the world's order.
    values: Vec<i32>,
}

impl Registry {
    /// For a game whose replicated tables are `schema`.
    pub fn new(schema: Schema) -> Self {
        Self { schema, replicated: Vec::new(), persisted: Vec::new(), rows: Rows::default() }
    }

    /// Clients see `C` of every [`Networked`] entity that has it.
    ///
    /// # Panics
    /// When the match is built, if `C`'s table is not in the game's schema or was registered before.
    #[allow(clippy::panic)] // a game's mistake, found by the first test that builds a match
    pub fn replicate<C: Component + Columns>(&mut self) {
        let Some(index) = self.schema.tables().iter().position(|table| *table == C::TABLE) else {
            panic!("table `{}` is not in the game's SCHEMA", C::TABLE.name)
        };
        assert!(self.replicated.iter().all(|(other, _)| *other != index), "table `{}` is registered twice", C::TABLE.name);
        self.replicated.push((index, Box::new(CaptureOf::<C>::new())));
    }

    /// `C` of every [`Networked`] entity is part of the match's state, but clients never see it.
    pub fn persist<C: Component + Columns>(&mut self) {
        self.persisted.push((C::TABLE, Box::new(CaptureOf::<C>::new())));
    }

    /// Tables of the schema that no component fills, but for the match's own.
    pub fn unregistered(&self) -> impl Iterator<Item = &'static str> + '_ {
        let filled = |index: &usize| self.replicated.iter().any(|(other, _)| other == index);
        (1..self.schema.tables().len())
            .filter(move |index| !filled(index))
            .filter_map(|index| self.schema.tables().get(index))
            .map(|table| table.name)
    }

    /// Takes away every entity with a component that `player` owns.
    pub fn despawn_owned(&mut self, world: &mut World, player: PlayerId) {
        for capture in self.replicated.iter_mut().map(|(_, capture)| capture).chain(self.persisted.iter_mut().map(|(_, capture)| capture)) {
            capture.despawn_owned(world, player);
        }
    }

    /// Replaces the rows of all replicated tables in `snapshot` but the match's own.
    pub fn capture(&mut self, world: &mut World, snapshot: &mut Snapshot) {
        for (index, capture) in &mut self.replicated {
            if let Some(table) = snapshot.table_mut(*index) {
                capture.capture(world, &mut self.rows, table);
            }
        }
    }

    /// Adds what clients do not see to a hash of the match's state.
    pub fn hash_persisted(&mut self, world: &mut World, hash: &mut Fnv) {
        for (schema, capture) in &mut self.persisted {
            let mut table = Table::empty(schema);
            capture.capture(world, &mut self.rows, &mut table);
            table.hash_into(hash);
        }
    }
}

trait Capture: Send + Sync {
    fn despawn_owned(&mut self, world: &mut World, player: PlayerId);
    fn capture(&mut self, world: &mut World, rows: &mut Rows, table: &mut Table);
}

struct CaptureOf<C: Component> {
    query: Option<QueryState<(&'static Networked, &'static C)>>,
}

impl<C: Component + Columns> CaptureOf<C> {
    fn new() -> Self {
        Self { query: None }
    }
}

impl<C: Component + Columns> Capture for CaptureOf<C> {
    fn despawn_owned(&mut self, world: &mut World, player: PlayerId) {
        let mut query = world.query::<(Entity, &C)>();
        let owned = query.iter(world).filter(|(_, component)| component.owner() == Some(player));
        let owned: Vec<Entity> = owned.map(|(entity, _)| entity).collect();
        for entity in owned {
            world.despawn(entity);
        }
    }

    fn capture(&mut self, world: &mut World, rows: &mut Rows, table: &mut Table) {
        let Rows { order, values } = rows;
        order.clear();
        values.clear();
        for (networked, component) in self.query.get_or_insert_with(|| world.query()).iter(world) {
            order.push(u64::from(networked.0.0) << 32 | order.len() as u64);
            let mut row = [0; FIELDS_MAX];
            component.write(&mut row);
            values.extend_from_slice(row.get(..C::TABLE.fields.len()).unwrap_or(&row));
        }
        if !order.is_sorted() {
            order.sort_unstable();
        }
        let order = order.iter().map(|key| (NetId((*key >> 32) as u32), *key as u32 as usize));
        if table.fill(&order, values) {
            return;
        }
        // Two entities of one id, or too many: the first of them are seen.
        for (id, place) in order {
            if let Some(row) = values.get(place * C::TABLE.fields.len()..).and_then(|rows| rows.get(..C::TABLE.fields.len())) {
                table.push(id, row);
            }
        }
    }
}
