//! Values that are kept for a time: of no more than [`SHELF_MAX`], the next to go makes room.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tokio::time::Instant;

use crate::store::SHELF_MAX;

#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    values: BTreeMap<Bytes, (Bytes, Instant)>,
    /// The keys of `values`, ordered by when each value expires.
    ends: BTreeSet<(Instant, Bytes)>,
}

impl Shelf {
    /// Forgets what is over.
    pub(super) fn forget(&mut self, now: Instant) {
        while self.ends.first().is_some_and(|(end, _)| *end <= now) {
            self.forget_first();
        }
    }

    pub(super) fn put(&mut self, key: &[u8], value: Bytes, end: Instant) {
        self.remove(key);
        if self.values.len() == SHELF_MAX {
            self.forget_first();
        }
        let key = Bytes::copy_from_slice(key);
        self.ends.insert((end, key.clone()));
        self.values.insert(key, (value, end));
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Bytes> {
        self.values.get(key).map(|(value, _)| value)
    }

    pub(super) fn remove(&mut self, key: &[u8]) {
        if let Some((key, (_, end))) = self.values.remove_entry(key) {
            self.ends.remove(&(end, key));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Bytes, Bytes)> {
        self.values.iter().map(|(key, (value, _))| (key.clone(), value.clone()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    fn forget_first(&mut self) {
        if let Some((_, key)) = self.ends.pop_first() {
            self.values.remove(&key);
        }
    }
}
