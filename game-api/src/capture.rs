//! World to snapshot, and world to stored rows and back: which components are replicated or
//! persisted.
//!
//! Invariant: rows come out in order of [`NetId`], whatever order the ECS stores them in.

use std::collections::BTreeMap;

use bevy_ecs::component::Component;
use bevy_ecs::entity::Entity;
use bevy_ecs::query::{QueryState, With};
use bevy_ecs::world::World;
use tickwire_protocol::hash::Fnv;
use tickwire_protocol::limits::FIELDS_MAX;
use tickwire_protocol::schema::{Schema, TableSchema};
use tickwire_protocol::snapshot::{Snapshot, Table};
use tickwire_protocol::{NetId, PlayerId};

use crate::state::{Rows, TableRows, Unfit};
use crate::world::Networked;
use crate::{Components, Replicate};

/// The components of a match that leave the world: to clients, or only into the state hash and
/// checkpoints.
pub struct Registry {
    schema: Schema,
    replicated: Vec<(usize, Box<dyn Capture>)>,
    persisted: Vec<(TableSchema, Box<dyn Capture>)>,
    rows: InOrder,
}

/// What rows are put in order in: memory that all tables use in turn.
#[derive(Default)]
struct InOrder {
    /// Each row's id, above its place in `values`.
    order: Vec<u64>,
    /// Row after row, in the world's order.
    values: Vec<i32>,
}

impl Registry {
    /// The components `C` of a game whose replicated tables are `schema`.
    ///
    /// # Panics
    /// When the match is built, if the schema's tables are not those of the components: the game's
    /// mistake, found by the first test that builds a match.
    pub fn new<C: Components>(schema: Schema) -> Self {
        let mut registry = Self { schema, replicated: Vec::new(), persisted: Vec::new(), rows: InOrder::default() };
        C::register(&mut registry);
        let missing: Vec<_> = registry.unregistered().collect();
        assert!(missing.is_empty(), "no component fills the tables {missing:?}");
        registry
    }

    #[allow(clippy::panic)] // see `new`
    pub(crate) fn register<C: Replicate>(&mut self) {
        // What is stored is found by name.
        assert!(self.tables().all(|table| table.name != C::TABLE.name), "the game lists `{}` twice", C::TABLE.name);
        if C::IS_HIDDEN {
            self.persisted.push((C::TABLE, Box::new(CaptureOf::<C>::new())));
            return;
        }
        let Some(index) = self.schema.tables().iter().position(|table| *table == C::TABLE) else {
            panic!("table `{}` is not in the game's SCHEMA", C::TABLE.name)
        };
        self.replicated.push((index, Box::new(CaptureOf::<C>::new())));
    }

    /// Tables of the schema that no component fills, but for the match's own.
    fn unregistered(&self) -> impl Iterator<Item = &'static str> + '_ {
        let filled = |index: &usize| self.replicated.iter().any(|(other, _)| other == index);
        (1..self.schema.tables().len())
            .filter(move |index| !filled(index))
            .filter_map(|index| self.schema.tables().get(index))
            .map(|table| table.name)
    }

    /// Takes away every entity with a component that `player` owns.
    pub fn despawn_owned(&mut self, world: &mut World, player: PlayerId) {
        for capture in self.captures() {
            capture.despawn_owned(world, player);
        }
    }

    /// The rows of every replicated and every persisted table. Only [`Networked`] entities have
    /// any.
    pub fn state(&mut self, world: &mut World) -> Rows {
        Rows { tables: self.captures().map(|capture| capture.rows(world)).collect() }
    }

    /// Makes the world's [`Networked`] entities those of `rows`, as far as the game has their
    /// components: the ones that were there go, and for every id there is an entity with that id
    /// and its components. Says what the game has no place for.
    ///
    /// # Errors
    /// If a value does not fit: see [`Rows`]. The world is then as it was.
    pub fn restore(&mut self, world: &mut World, rows: &Rows) -> Result<Vec<String>, Unfit> {
        let mut left_out = Vec::new();
        let is_gone = |stored: &&TableRows| self.tables().all(|table| table.name != stored.name);
        left_out.extend(rows.tables.iter().filter(is_gone).map(|stored| format!("component `{}`", stored.name)));
        let mut fitting = Vec::new();
        for table in self.tables() {
            let stored = rows.tables.iter().find(|stored| stored.name == table.name);
            fitting.push(stored.map(|stored| Ok((&stored.ids, stored.fit(table, &mut left_out)?))).transpose()?);
        }
        let there: Vec<Entity> = world.query_filtered::<Entity, With<Networked>>().iter(world).collect();
        for entity in there {
            world.despawn(entity);
        }
        // In order of ids, whatever tables they are in: two restored worlds are alike.
        let ids = fitting.iter().flatten().flat_map(|(ids, _)| ids.iter());
        let mut entities: BTreeMap<NetId, Entity> = ids.map(|id| (*id, Entity::PLACEHOLDER)).collect();
        for (id, entity) in &mut entities {
            *entity = world.spawn(Networked(*id)).id();
        }
        for (capture, (ids, values)) in self.captures().zip(fitting).filter_map(|(capture, fitting)| Some((capture, fitting?))) {
            let values = values.chunks_exact(capture.columns());
            for (entity, row) in ids.iter().filter_map(|id| entities.get(id)).zip(values) {
                capture.insert(world, *entity, row);
            }
        }
        Ok(left_out)
    }

    /// Replicated tables, and then persisted ones, in the order they were registered.
    fn captures(&mut self) -> impl Iterator<Item = &mut Box<dyn Capture>> {
        let replicated = self.replicated.iter_mut().map(|(_, capture)| capture);
        replicated.chain(self.persisted.iter_mut().map(|(_, capture)| capture))
    }

    /// The tables of [`Registry::captures`].
    pub(crate) fn tables(&self) -> impl Iterator<Item = &TableSchema> {
        let replicated = self.replicated.iter().filter_map(|(index, _)| self.schema.tables().get(*index));
        replicated.chain(self.persisted.iter().map(|(table, _)| table))
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
    fn capture(&mut self, world: &mut World, rows: &mut InOrder, table: &mut Table);
    /// Numbers in a row.
    fn columns(&self) -> usize;
    fn rows(&mut self, world: &mut World) -> TableRows;
    /// Gives `entity` the component of `row`.
    fn insert(&self, world: &mut World, entity: Entity, row: &[i32]);
}

struct CaptureOf<C: Component> {
    query: Option<QueryState<(&'static Networked, &'static C)>>,
}

impl<C: Replicate> CaptureOf<C> {
    fn new() -> Self {
        Self { query: None }
    }
}

impl<C: Replicate> Capture for CaptureOf<C> {
    fn despawn_owned(&mut self, world: &mut World, player: PlayerId) {
        let mut query = world.query::<(Entity, &C)>();
        let owned = query.iter(world).filter(|(_, component)| component.owner() == Some(player));
        let owned: Vec<Entity> = owned.map(|(entity, _)| entity).collect();
        for entity in owned {
            world.despawn(entity);
        }
    }

    fn capture(&mut self, world: &mut World, rows: &mut InOrder, table: &mut Table) {
        let InOrder { order, values } = rows;
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

    fn columns(&self) -> usize {
        C::TABLE.fields.len()
    }

    fn rows(&mut self, world: &mut World) -> TableRows {
        let query = self.query.get_or_insert_with(|| world.query());
        let mut found: Vec<(NetId, &C)> = query.iter(world).map(|(networked, component)| (networked.0, component)).collect();
        found.sort_unstable_by_key(|(id, _)| *id);
        let mut rows = TableRows::none_of(&C::TABLE);
        for (id, component) in found {
            let start = rows.values.len();
            rows.ids.push(id);
            rows.values.resize(start + self.columns(), 0);
            component.write(rows.values.get_mut(start..).unwrap_or_default());
        }
        rows
    }

    fn insert(&self, world: &mut World, entity: Entity, row: &[i32]) {
        world.entity_mut(entity).insert(C::read(row));
    }
}
