//! Where stores live: in memory, in a Redis that a test starts, in a cluster of three.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use tickwire_cluster::embedded::Snapshot;
use tickwire_cluster::{Embedded, NodeId, Store};

#[cfg(unix)]
pub(crate) use self::with_redis::{InCluster, InRedis};

/// A lease or a ttl that does not end within a test.
pub(crate) const LONG: Duration = Duration::from_mins(10);
/// One whose end a test waits for.
pub(crate) const SHORT: Duration = Duration::from_millis(50);

pub(crate) trait House {
    /// A store as another process has it.
    fn store(&self) -> Arc<dyn Store>;
    /// Time passes.
    async fn pass(&self);
    /// The store loses all.
    async fn wipe(&self);
    /// The store is saved.
    async fn keep(&self);
    /// The store breaks, and comes back as it was saved.
    async fn roll_back(&self);

    /// Waits for something. A test that waits in vain fails by its runner's limit, or by this one.
    async fn until(&self, mut is_so: impl AsyncFnMut() -> bool) {
        for _ in 0..10_000 {
            if is_so().await {
                return;
            }
            self.pass().await;
        }
        panic!("what was waited for did not come");
    }
}

pub(crate) fn node(name: &str) -> NodeId {
    NodeId::new(name).unwrap()
}

pub(crate) struct InMemory {
    store: Embedded,
    kept: Mutex<Option<Snapshot>>,
}

impl InMemory {
    pub(crate) fn new() -> Self {
        Self { store: Embedded::new(), kept: Mutex::default() }
    }
}

impl House for InMemory {
    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.store.clone())
    }

    async fn pass(&self) {
        tokio::time::advance(SHORT / 10).await;
    }

    async fn wipe(&self) {
        self.store.wipe();
    }

    async fn keep(&self) {
        *self.kept.lock().unwrap() = Some(self.store.snapshot());
    }

    async fn roll_back(&self) {
        self.store.roll_back(self.kept.lock().unwrap().as_ref().expect("it was kept"));
    }
}

#[cfg(unix)]
mod with_redis {
    use super::{Arc, Duration, House, Mutex, Store};
    use crate::servers::{Cluster, Server};
    use tickwire_cluster::{Redis, RedisSettings};

    /// Patience enough for a machine that does ten other things.
    const DEADLINE: Duration = Duration::from_secs(10);

    pub(crate) struct InRedis {
        server: Mutex<Server>,
        url: String,
    }

    impl InRedis {
        pub(crate) fn new() -> Self {
            let server = Server::start();
            Self { url: server.url(), server: Mutex::new(server) }
        }
    }

    pub(crate) struct InCluster {
        cluster: Cluster,
        /// Each law has keys of its own.
        prefix: u32,
    }

    impl InCluster {
        pub(crate) fn new() -> Self {
            Self { cluster: Cluster::start(), prefix: 0 }
        }

        pub(crate) fn move_out(&mut self) {
            self.prefix += 1;
        }
    }

    fn store(url: &str, prefix: u32) -> Arc<dyn Store> {
        let settings = RedisSettings { prefix: format!("law-{prefix}"), deadline: DEADLINE, ..RedisSettings::new(url) };
        Arc::new(Redis::new(&settings).unwrap())
    }

    async fn pass() {
        tokio::time::sleep(super::SHORT / 10).await;
    }

    impl House for InRedis {
        fn store(&self) -> Arc<dyn Store> {
            store(&self.url, 0)
        }

        async fn pass(&self) {
            pass().await;
        }

        async fn wipe(&self) {
            self.server.lock().unwrap().ask(&["FLUSHALL"]);
        }

        async fn keep(&self) {
            self.server.lock().unwrap().ask(&["SAVE"]);
        }

        async fn roll_back(&self) {
            self.server.lock().unwrap().restart();
        }
    }

    impl House for InCluster {
        fn store(&self) -> Arc<dyn Store> {
            store(&self.cluster.url(), self.prefix)
        }

        async fn pass(&self) {
            pass().await;
        }

        async fn wipe(&self) {
            self.cluster.servers.iter().for_each(|server| {
                server.ask(&["FLUSHALL"]);
            });
        }

        async fn keep(&self) {
            unimplemented!("three servers are not saved in one moment");
        }

        async fn roll_back(&self) {
            unimplemented!("three servers do not come back to one moment");
        }
    }
}
