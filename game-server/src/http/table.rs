//! A map that forgets: every entry expires, and there is room for so many and no more.
//!
//! What happens to a newcomer when it is full is the owner's to say: [`ExpiringTable::insert`]
//! refuses, [`ExpiringTable::insert_evicting`] drops the entry that would expire first.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Instant;

/// A bounded map whose entries expire.
#[derive(Debug)]
pub(crate) struct ExpiringTable<K, V> {
    entries: HashMap<K, Entry<V>>,
    /// In the order in which they expire; the number tells entries of the same instant apart.
    order: BTreeMap<(Instant, u64), K>,
    next: u64,
    entries_max: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    place: (Instant, u64),
}

impl<K: Clone + Eq + Hash, V> ExpiringTable<K, V> {
    /// An empty table with room for `entries_max`.
    pub(crate) fn new(entries_max: usize) -> Self {
        Self { entries: HashMap::new(), order: BTreeMap::new(), next: 0, entries_max }
    }

    /// Adds or replaces an entry. Gives the value back if the table is full of entries that have
    /// not expired.
    pub(crate) fn insert(&mut self, now: Instant, key: K, value: V, expires: Instant) -> Result<(), V> {
        self.purge(now);
        self.take(&key);
        if self.entries.len() >= self.entries_max {
            return Err(value);
        }
        self.put(key, value, expires);
        Ok(())
    }

    /// Adds or replaces an entry. In a full table it takes the place of the one that would expire
    /// first.
    pub(crate) fn insert_evicting(&mut self, now: Instant, key: K, value: V, expires: Instant) {
        self.purge(now);
        self.take(&key);
        if self.entries.len() >= self.entries_max
            && let Some((_, first)) = self.order.pop_first()
        {
            self.entries.remove(&first);
        }
        self.put(key, value, expires);
    }

    /// The value, unless it has expired.
    pub(crate) fn get_mut(&mut self, now: Instant, key: &K) -> Option<&mut V> {
        self.entries.get_mut(key).filter(|entry| entry.place.0 > now).map(|entry| &mut entry.value)
    }

    /// Takes an entry out, unless it has expired.
    pub(crate) fn remove(&mut self, now: Instant, key: &K) -> Option<V> {
        self.take(key).filter(|entry| entry.place.0 > now).map(|entry| entry.value)
    }

    /// Drops what has expired.
    pub(crate) fn purge(&mut self, now: Instant) {
        while let Some(first) = self.order.first_entry()
            && first.key().0 <= now
        {
            self.entries.remove(&first.remove());
        }
    }

    /// Number of entries, expired ones included until they are purged.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    fn take(&mut self, key: &K) -> Option<Entry<V>> {
        let entry = self.entries.remove(key)?;
        self.order.remove(&entry.place);
        Some(entry)
    }

    fn put(&mut self, key: K, value: V, expires: Instant) {
        let place = (expires, self.next);
        self.next += 1;
        self.order.insert(place, key.clone());
        self.entries.insert(key, Entry { value, place });
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn after(start: Instant, seconds: u64) -> Instant {
        start + Duration::from_secs(seconds)
    }

    #[test]
    fn entries_expire() {
        let start = Instant::now();
        let mut table = ExpiringTable::new(9);
        table.insert(start, "a", 1, after(start, 19)).expect("room");
        table.insert(start, "b", 2, after(start, 10)).expect("room");
        assert_eq!(table.get_mut(after(start, 10), &"b"), None, "expired on the second");
        assert_eq!(table.remove(after(start, 10), &"b"), None, "what has expired stays so");
        assert_eq!(table.remove(after(start, 10), &"a"), Some(1));
        assert_eq!(table.remove(after(start, 10), &"a"), None, "only once");
        table.purge(after(start, 10));
        assert!(table.entries.is_empty() && table.order.is_empty());
    }

    #[test]
    fn a_full_table_refuses_or_evicts_the_oldest() {
        let start = Instant::now();
        let mut table = ExpiringTable::new(2);
        table.insert(start, "a", 1, after(start, 20)).expect("room");
        table.insert(start, "b", 2, after(start, 10)).expect("room");
        assert_eq!(table.insert(start, "c", 3, after(start, 30)), Err(3));
        table.insert(start, "b", 4, after(start, 40)).expect("replacing needs no room");
        table.insert_evicting(start, "c", 3, after(start, 30));
        assert_eq!((table.len(), table.get_mut(start, &"a")), (2, None));
        assert_eq!(table.get_mut(start, &"b"), Some(&mut 4));
        table.insert(after(start, 30), "d", 5, after(start, 50)).expect("the expired make room");
        assert_eq!(table.entries.len(), table.order.len());
    }
}
