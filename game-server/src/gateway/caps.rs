//! How many connections there may be: in all, from one address, and of strangers who have not said a valid Hello.
//!
//! Invariant: what is counted is given back exactly once, when the permit is dropped, wherever the socket went by then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::address::AddressKey;
use crate::config::ConnectionConfig;
use crate::metrics::Reject;

/// The caps of one listener and what is taken of them.
#[derive(Debug)]
pub struct Caps {
    total_max: usize,
    per_address_max: usize,
    unauthenticated_max: usize,
    taken: Mutex<Taken>,
}

/// Connections there are.
#[derive(Debug, Default)]
struct Taken {
    total: usize,
    unauthenticated: usize,
    /// Addresses with at least one connection: never more than `total`.
    by_address: HashMap<AddressKey, usize>,
}

impl Caps {
    /// As the operator set them.
    pub fn new(config: &ConnectionConfig) -> Arc<Self> {
        Self::of(config.total, config.per_address, config.unauthenticated)
    }

    /// So many in all, from one address, and unauthenticated.
    pub fn of(total_max: usize, per_address_max: usize, unauthenticated_max: usize) -> Arc<Self> {
        Arc::new(Self { total_max, per_address_max, unauthenticated_max, taken: Mutex::default() })
    }

    /// Counts a new connection, unauthenticated for now.
    pub fn admit(self: &Arc<Self>, key: AddressKey) -> Result<Arc<ConnectionPermit>, Reject> {
        let mut taken = self.taken();
        if taken.total >= self.total_max {
            return Err(Reject::Total);
        }
        if taken.unauthenticated >= self.unauthenticated_max {
            return Err(Reject::Unauthenticated);
        }
        let of_address = taken.by_address.entry(key).or_default();
        if *of_address >= self.per_address_max {
            return Err(Reject::PerAddress);
        }
        *of_address += 1;
        taken.total += 1;
        taken.unauthenticated += 1;
        Ok(Arc::new(ConnectionPermit { caps: Arc::clone(self), key, authenticated: AtomicBool::new(false) }))
    }

    /// Connections in all, and those of them that are unauthenticated.
    pub fn counts(&self) -> (usize, usize) {
        let taken = self.taken();
        (taken.total, taken.unauthenticated)
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One connection's place under the caps.
#[derive(Debug)]
pub struct ConnectionPermit {
    caps: Arc<Caps>,
    key: AddressKey,
    authenticated: AtomicBool,
}

impl ConnectionPermit {
    /// The connection is no stranger's any more.
    pub fn authenticate(&self) {
        if !self.authenticated.swap(true, Relaxed) {
            self.caps.taken().unauthenticated -= 1;
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = self.caps.taken();
        taken.total -= 1;
        if !*self.authenticated.get_mut() {
            taken.unauthenticated -= 1;
        }
        if let Some(count) = taken.by_address.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                taken.by_address.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: AddressKey = AddressKey::V4([192, 0, 2, 1]);
    const B: AddressKey = AddressKey::V4([192, 0, 2, 2]);
    const C: AddressKey = AddressKey::V4([192, 0, 2, 3]);

    #[test]
    fn every_cap_holds_and_says_which_it_was() {
        let caps = Caps::of(4, 2, 3);
        let mut permits: Vec<_> = [A, A, B].into_iter().map(|key| caps.admit(key).expect("room")).collect();
        assert_eq!(caps.admit(C).err(), Some(Reject::Unauthenticated));
        permits.iter().for_each(|permit| permit.authenticate());
        assert_eq!(caps.admit(A).err(), Some(Reject::PerAddress));
        permits.push(caps.admit(C).expect("room"));
        assert_eq!(caps.admit(B).err(), Some(Reject::Total));
        assert_eq!(caps.counts(), (4, 1));
    }

    #[test]
    fn permits_give_back_what_they_took_once() {
        let caps = Caps::of(9, 9, 9);
        let (first, second) = (caps.admit(A).expect("room"), caps.admit(A).expect("room"));
        first.authenticate();
        first.authenticate();
        let elsewhere = Arc::clone(&first);
        drop(first);
        assert_eq!(caps.counts(), (2, 1), "the socket still holds it");
        drop((elsewhere, second));
        assert_eq!(caps.counts(), (0, 0));
        assert!(caps.taken().by_address.is_empty());
    }
}
