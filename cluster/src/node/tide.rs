//! Whether the store has forgotten something: a number that this node raises there with every beat
//! must be there at the next one.
//!
//! Two keys take turns, so a store that is rolled back between being asked and being told is found
//! out at the beat after.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;

use super::contact::Contact;
use super::lock::lock;
use super::options::Options;
use crate::store::{Store, StoreError};

/// The shelf of the store.
const SHELF: &str = "tide";
/// A node that does not beat for so long leaves nothing there.
const TTL: Duration = Duration::from_mins(1);

/// See the module.
#[derive(Debug)]
pub(super) struct Tide {
    keys: [Vec<u8>; 2],
    incarnation: u64,
    /// The last number told, and what is known to be there.
    state: Mutex<(u64, [Option<u64>; 2])>,
}

impl Tide {
    pub(super) fn new(options: &Options) -> Self {
        let key = |half: u8| [options.id.as_str().as_bytes(), &[b'/', half]].concat();
        Self { keys: [key(b'0'), key(b'1')], incarnation: options.incarnation, state: Mutex::default() }
    }

    /// Whether what this node told the store is still there.
    pub(super) async fn is_kept(&self, store: &dyn Store, contact: &Contact) -> Result<bool, StoreError> {
        let known = lock(&self.state).1;
        for (key, number) in self.keys.iter().zip(known) {
            let Some(number) = number else { continue };
            let there = contact.ask(store.get(SHELF, key, None)).await?;
            if there.and_then(|value| self.read(&value)).is_none_or(|there| there < number) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Raises the number.
    pub(super) async fn rise(&self, store: &dyn Store, contact: &Contact) -> Result<(), StoreError> {
        let number = {
            let mut state = lock(&self.state);
            state.0 += 1;
            state.0
        };
        let half = usize::from(!number.is_multiple_of(2));
        let Some(key) = self.keys.get(half) else { return Ok(()) };
        let value = [self.incarnation.to_le_bytes(), number.to_le_bytes()].concat();
        contact.ask(store.put(SHELF, key, Bytes::from(value), TTL)).await?;
        if let Some(known) = lock(&self.state).1.get_mut(half) {
            *known = Some(number);
        }
        Ok(())
    }

    /// Begins anew, as the store has.
    pub(super) fn forget(&self) {
        lock(&self.state).1 = [None; 2];
    }

    fn read(&self, value: &[u8]) -> Option<u64> {
        let (incarnation, number) = value.split_first_chunk::<8>()?;
        let number = u64::from_le_bytes(number.try_into().ok()?);
        (u64::from_le_bytes(*incarnation) == self.incarnation).then_some(number)
    }
}
