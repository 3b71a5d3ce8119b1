//! The connections over HTTP that there are, by the secret that their clients have.
//!
//! Bounded: so many in all and from one address, as there may be connections. An entry is there for
//! as long as the match's end of the connection is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tickwire_protocol::{CloseReason, Secret};

use crate::config::ConnectionConfig;
use crate::http::address::{AddressKey, ClientAddress};
use crate::http::caps::ConnectionPermit;
use crate::metrics::Reject;
use crate::secrets::{SecretHash, hash, random_bytes};
use crate::transport::http_stream::HttpEnd;
use crate::transport::{Permit, Socket};

/// HTTP connections of one client that are no stranger's: one that messages come down, one that
/// they go up, and one to be closed.
const KNOWN_MAX: usize = 3;

/// All connections over HTTP.
#[derive(Debug)]
pub(crate) struct Streams {
    total_max: usize,
    per_address_max: usize,
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_id: HashMap<SecretHash, Entry>,
    by_address: HashMap<AddressKey, usize>,
}

struct Entry {
    end: HttpEnd,
    known: Vec<Weak<ConnectionPermit>>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").finish_non_exhaustive()
    }
}

/// An entry's place. Dropped with the match's end of the connection.
struct StreamPermit {
    streams: Arc<Streams>,
    id: SecretHash,
    key: AddressKey,
    watcher: Box<dyn Fn(CloseReason) + Send>,
}

impl Permit for StreamPermit {
    fn closes(&self, reason: CloseReason) {
        (self.watcher)(reason);
    }
}

impl Streams {
    /// None yet.
    pub(crate) fn new(config: &ConnectionConfig) -> Arc<Self> {
        Arc::new(Self { total_max: config.total, per_address_max: config.per_address, entries: Mutex::default() })
    }

    /// A new connection of `client`: its secret, and the end that goes into a match. Its Hello had
    /// `bytes_read` bytes. `watcher` is told why it is closed.
    pub(crate) fn open(
        self: &Arc<Self>,
        client: ClientAddress,
        bytes_read: u64,
        watcher: impl Fn(CloseReason) + Send + 'static,
    ) -> Result<(Secret, Socket), Reject> {
        let (secret, key) = (Secret(random_bytes()), client.key());
        let id = hash(secret);
        let mut entries = self.entries();
        if entries.by_id.len() >= self.total_max {
            return Err(Reject::Total);
        }
        let count = entries.by_address.entry(key).or_default();
        if *count >= self.per_address_max {
            return Err(Reject::PerAddress);
        }
        *count += 1;
        let place = StreamPermit { streams: Arc::clone(self), id, key, watcher: Box::new(watcher) };
        let (end, socket) = Socket::over_http(bytes_read, client.ip(), place);
        entries.by_id.insert(id, Entry { end, known: Vec::new() });
        Ok((secret, socket))
    }

    /// The connection with this secret. The HTTP connection that shows it is no stranger's from now
    /// on, unless too many others of that client are there.
    pub(crate) fn find(&self, secret: Secret, permit: &Arc<ConnectionPermit>) -> Option<HttpEnd> {
        let mut entries = self.entries();
        let entry = entries.by_id.get_mut(&hash(secret))?;
        if !entry.known.iter().any(|known| known.as_ptr() == Arc::as_ptr(permit)) {
            entry.known.retain(|known| known.strong_count() > 0);
            if entry.known.len() < KNOWN_MAX {
                permit.authenticate();
                entry.known.push(Arc::downgrade(permit));
            }
        }
        Some(entry.end.clone())
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.entries().by_id.len()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut entries = self.streams.entries();
        // Dropped after the lock is released: its waiters wake up then.
        let entry = entries.by_id.remove(&self.id);
        if let Some(count) = entries.by_address.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                entries.by_address.remove(&self.key);
            }
        }
        drop(entries);
        drop(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::caps::Caps;
    use crate::http::remote::Remote;

    fn streams(total: usize, per_address: usize) -> Arc<Streams> {
        Streams::new(&ConnectionConfig { total, per_address, ..ConnectionConfig::default() })
    }

    fn client(last: u8) -> ClientAddress {
        ClientAddress::new([192, 0, 2, last].into())
    }

    #[test]
    fn there_are_so_many_in_all_and_from_one_address_and_each_gives_its_place_back() {
        let streams = streams(3, 2);
        let here: Vec<_> = (0..2).map(|_| streams.open(client(1), 0, |_| ()).expect("room")).collect();
        assert_eq!(streams.open(client(1), 0, |_| ()).err(), Some(Reject::PerAddress));
        let there = streams.open(client(2), 0, |_| ()).expect("room");
        assert_eq!(streams.open(client(3), 0, |_| ()).err(), Some(Reject::Total));
        drop(here);
        assert_eq!(streams.len(), 1);
        drop(there);
        assert!(streams.entries().by_address.is_empty());
    }

    #[test]
    fn a_connection_is_found_by_its_secret_alone_while_it_lasts() {
        let streams = streams(9, 9);
        let (secret, socket) = streams.open(client(1), 0, |_| ()).expect("room");
        let remote = Remote::made_up([192, 0, 2, 9].into());
        assert!(streams.find(Secret([0; 16]), &remote.permit).is_none());
        assert!(streams.find(secret, &remote.permit).is_some());
        drop(socket);
        assert!(streams.find(secret, &remote.permit).is_none());
    }

    #[test]
    fn a_secret_makes_a_few_http_connections_known_and_no_more() {
        let streams = streams(9, 9);
        let (secret, _socket) = streams.open(client(1), 0, |_| ()).expect("room");
        let caps = Caps::of(100, 100, 100);
        let peer = crate::http::address::PeerAddress::made_up([192, 0, 2, 1].into());
        let mut permits: Vec<_> = (0..10).map(|_| caps.admit(peer).expect("room")).collect();
        for permit in permits.iter().chain(&permits) {
            assert!(streams.find(secret, permit).is_some());
        }
        assert_eq!(caps.counts(), (10, 10 - KNOWN_MAX));
        permits.remove(0);
        assert!(permits.iter().all(|permit| streams.find(secret, permit).is_some()));
        assert_eq!(caps.counts(), (9, 9 - KNOWN_MAX), "one that is closed makes room");
    }
}
