//! Runs this server's part in a cluster: its node, what other servers ask, and matches that come
//! and go.

use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use bytes::Bytes;
use tickwire_cluster::{
    Consistency, Epoch, Event, Kept, Letter, Load, Node, NodeId, Options, Owner, Redis, RedisSettings, Store, StoreError,
};
use tickwire_protocol::{CloseReason, MatchId, WsUrl};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::runtime::runtime;
use super::start_error::StartError;
use crate::cluster::Cluster;
use crate::cluster::letter::Message;
use crate::config::ClusterConfig;
use crate::gateway::Gateway;
use crate::gateway::bans::TOLD_EVERY;
use crate::journal::{Loss, Revival, record};
use crate::matches::{Directory, Halt};
use crate::secrets::{random_bytes, to_hex};
use crate::{drain, metrics};

/// What has happened in matches is written to the store after so long: it is lost with this server
/// until then.
const FLUSH: Duration = Duration::from_millis(50);
/// How often it is looked who and what there is.
const LOOK: Duration = Duration::from_millis(500);
/// How often codes of matches are held anew, and what they are held for.
const HOLD: Duration = Duration::from_secs(20);
const HELD_FOR: Duration = Duration::from_mins(1);
/// Keys for tickets stay for as long as a cluster does that is in use.
const KEYS_KEPT: Duration = Duration::from_hours(24 * 365);
/// Where they are.
const KEYS: &str = "keys";
const TICKETS: &[u8] = b"tickets";
/// The store must have heard of the matches that ended after so long.
const SETTLING_MAX: Duration = Duration::from_secs(1);
/// Where a mailbox could not be opened, it is tried again after so long.
const AGAIN: Duration = Duration::from_millis(500);

/// This server among the others, before it runs.
pub(super) struct Joining {
    pub(super) cluster: Arc<Cluster>,
    directory: Arc<OnceLock<Weak<Directory>>>,
    events: mpsc::Receiver<Event>,
    driver: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    runtime: Runtime,
}

/// Prepares what `config` asks for, for a server that listens on `play`. `None` for a server alone.
pub(super) fn prepare(config: &ClusterConfig, play: SocketAddr, is_secure: bool) -> Result<Option<Joining>, StartError> {
    let (Some(url), Some(id)) = (&config.store, config.node_id.as_deref()) else { return Ok(None) };
    let address = config.address(play, is_secure);
    let runtime = runtime()?;
    let store = {
        // What it connects with lives there.
        let _context = runtime.enter();
        Redis::new(&RedisSettings::new(url)).map_err(|error| StartError::Store(error.to_string()))?
    };
    let store: Arc<dyn Store> = Arc::new(store);
    let id = NodeId::new(id).map_err(|error| StartError::Store(error.to_string()))?;
    let directory = Arc::<OnceLock<Weak<Directory>>>::default();
    let options = Options {
        id,
        incarnation: u64::from_le_bytes(random_bytes()),
        address: address.clone(),
        lease: Duration::from_millis(config.lease_ms),
        flush: FLUSH,
        seed: u64::from_le_bytes(random_bytes()),
    };
    let of = Arc::clone(&directory);
    let (node, events, driver) = tickwire_cluster::start(store, options, move || load(of.get().and_then(Weak::upgrade).as_deref()));
    let cluster = Arc::new(Cluster::new(node, &address, Arc::default()));
    Ok(Some(Joining { cluster, directory, events, driver: Box::pin(driver), runtime }))
}

/// What this server tells the others of itself.
fn load(directory: Option<&Directory>) -> Load {
    let Some(directory) = directory else { return Load { permille: 0, matches: 0, is_draining: true, has_room: false } };
    let is_draining = directory.is_draining();
    Load {
        permille: directory.used_permille(),
        matches: u32::try_from(directory.len()).unwrap_or(u32::MAX),
        is_draining,
        has_room: !is_draining && directory.has_place(),
    }
}

/// The other servers, for this one's way out.
pub(super) struct Others(mpsc::Sender<(Last, SyncSender<()>)>);

/// What is asked of the cluster's thread last.
#[derive(Clone, Copy, Debug)]
enum Last {
    /// Every match goes to another server.
    HandOver,
    /// The store is told which matches have ended, and that this server is gone.
    Farewell,
}

impl Others {
    /// Blocks until every match has gone to another server, or none takes it.
    pub(super) fn hand_all_over(&self) {
        self.ask(Last::HandOver);
    }

    /// Blocks until the store knows that this server is gone, or does not answer.
    pub(super) fn say_farewell(&self) {
        self.ask(Last::Farewell);
    }

    fn ask(&self, what: Last) {
        let (done, waiting) = sync_channel(1);
        if self.0.blocking_send((what, done)).is_ok() {
            // The thread has ended: so has the cluster, for this server.
            let _ = waiting.recv();
        }
    }
}

impl Joining {
    /// The others, and this server's part among them, which runs for ever on its runtime.
    pub(super) fn run(
        self,
        gateway: Arc<Gateway>,
        directory: &Arc<Directory>,
    ) -> (Others, Runtime, impl Future<Output = ()> + Send + 'static) {
        let Self { cluster, directory: of, events, driver, runtime } = self;
        // Set once: there is one directory.
        let _ = of.set(Arc::downgrade(directory));
        let (sender, requests) = mpsc::channel(1);
        let member = Member { cluster, gateway, directory: Arc::downgrade(directory) };
        let work = async move {
            tokio::join!(driver, member.follow(events), member.read_letters(), member.keep_house(), member.part(requests));
        };
        (Others(sender), runtime, work)
    }
}

/// This server among the others.
struct Member {
    cluster: Arc<Cluster>,
    gateway: Arc<Gateway>,
    /// Weak: the workers end with their directory.
    directory: Weak<Directory>,
}

impl Member {
    fn node(&self) -> &Node {
        self.cluster.node()
    }

    /// Matches come and go.
    async fn follow(&self, mut events: mpsc::Receiver<Event>) {
        while let Some(event) = events.recv().await {
            let Some(directory) = self.directory.upgrade() else { return };
            match event {
                Event::Granted { id, epoch, kept } => {
                    let (cluster, gateway) = (Arc::clone(&self.cluster), Arc::clone(&self.gateway));
                    tokio::spawn(async move { take_over(&cluster, &gateway, &directory, id, epoch, kept).await });
                }
                Event::Fenced { id, owner } => self.give_way(&directory, id, owner),
            }
        }
        // The node has ended: nothing comes any more.
        std::future::pending::<()>().await;
    }

    /// Somebody else runs this match, or it has ended: ours does not go on.
    fn give_way(&self, directory: &Directory, id: MatchId, owner: Option<Owner>) {
        let Some(handle) = directory.find(id) else { return };
        let node = owner.map(|owner| owner.node);
        tracing::warn!(match_id = %id, owner = ?node.as_ref().map(NodeId::as_str), "another server has the match: it does not go on here");
        let ws_url = node.and_then(|node| self.cluster.ws_url_of(&node)).and_then(|url| WsUrl::new(&url));
        // A match that is too busy to listen takes no step either: it asks before each.
        let _ = handle.send(ws_url.map_or(Halt::End(CloseReason::Restarting), Halt::Move));
    }

    /// What other servers ask and answer.
    async fn read_letters(&self) {
        loop {
            let letters = self.node().store().listen(self.node().id()).await;
            if let Ok(mut letters) = letters {
                while let Some(letter) = letters.recv().await {
                    self.read(letter);
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn read(&self, Letter { from, body }: Letter) {
        match Message::read(&body) {
            Some(Message::Ask(number, ask)) => {
                let (cluster, gateway) = (Arc::clone(&self.cluster), Arc::clone(&self.gateway));
                tokio::spawn(async move {
                    let answer = gateway.answer(*ask).await;
                    cluster.tell(&from, &Message::Answer(number, answer)).await;
                });
            }
            Some(Message::Open(number, opening)) => {
                let (cluster, gateway) = (Arc::clone(&self.cluster), Arc::clone(&self.gateway));
                tokio::spawn(async move {
                    let answer = gateway.answer_opening(*opening).await;
                    cluster.tell(&from, &Message::Answer(number, answer)).await;
                });
            }
            Some(Message::Watch(number, watching)) => {
                let (cluster, gateway) = (Arc::clone(&self.cluster), Arc::clone(&self.gateway));
                tokio::spawn(async move {
                    let answer = gateway.answer_watching(&watching).await;
                    cluster.tell(&from, &Message::Answer(number, answer)).await;
                });
            }
            Some(Message::Unwatch(stream)) => self.gateway.end_watching(stream),
            Some(Message::Answer(number, answer)) => self.cluster.answered(number, answer),
            Some(Message::Take(ids)) => ids.into_iter().for_each(|id| self.node().claim(id)),
            None => tracing::warn!(%from, "a letter of another server is not understood: is that another version?"),
        }
    }

    /// What is looked at again and again.
    async fn keep_house(&self) {
        let mut look = tokio::time::interval(LOOK);
        let mut hold = tokio::time::interval(HOLD);
        let mut bans = tokio::time::interval(TOLD_EVERY);
        let mut losses = self.node().losses();
        // Those that are in force here: a store that lost them is given them again.
        let mut keys = Bytes::from(to_hex(&random_bytes::<32>()));
        let mut has_keys = false;
        loop {
            tokio::select! {
                _ = look.tick() => {
                    let Some(most) = self.directory.upgrade().map(|directory| directory.matches_max()) else { return };
                    self.cluster.look(most).await;
                    if has_keys {
                        continue;
                    }
                }
                _ = hold.tick() => self.hold_codes().await,
                _ = bans.tick() => {
                    self.gateway.share_bans(self.node().store().as_ref()).await;
                    continue;
                }
                Ok(()) = losses.changed() => self.hold_codes().await,
            }
            has_keys = self.take_keys(&mut keys).await.is_ok();
        }
    }

    /// All servers sign tickets with the same keys: those of the first.
    async fn take_keys(&self, keys: &mut Bytes) -> Result<(), StoreError> {
        *keys = self.node().store().put_first(KEYS, TICKETS, keys.clone(), KEYS_KEPT).await?;
        self.gateway.take_ticket_keys(keys);
        Ok(())
    }

    async fn hold_codes(&self) {
        let matches = self.directory.upgrade().map(|directory| directory.all()).unwrap_or_default();
        for handle in matches {
            if self.node().store().hold_code(&handle.info.code, handle.info.id, HELD_FOR).await.is_err() {
                return;
            }
        }
    }

    /// Does what is asked last.
    async fn part(&self, mut requests: mpsc::Receiver<(Last, SyncSender<()>)>) {
        while let Some((what, done)) = requests.recv().await {
            match (what, self.directory.upgrade()) {
                (Last::HandOver, Some(directory)) => drain::hand_over(&self.cluster, &directory).await,
                (Last::HandOver, None) => {}
                (Last::Farewell, _) => {
                    self.node().settle(SETTLING_MAX).await;
                    self.node().leave().await;
                }
            }
            let _ = done.try_send(());
        }
        std::future::pending::<()>().await;
    }
}

/// Runs a match on whose server is gone.
async fn take_over(cluster: &Cluster, gateway: &Gateway, directory: &Arc<Directory>, id: MatchId, epoch: Epoch, kept: Kept) {
    let began = std::time::Instant::now();
    let Ok(attempt) = attempts::begin(cluster.node().store().as_ref(), id).await else {
        tracing::error!(match_id = %id, "servers in a row have ended while they brought the match back: nobody tries again. Please report it");
        metrics::count_revivals(0, 1);
        directory.lost().note(began, id, "", Loss::Failed);
        // A lane that is dropped says that the match is over.
        drop(cluster.node().open(id, epoch, Consistency::Available));
        return;
    };
    match revive(directory, id, epoch, kept, attempt).await {
        Ok(seats) => {
            gateway.adopt(id, seats);
            metrics::count_revivals(1, 0);
            attempts::end(cluster.node().store().as_ref(), id).await;
            tracing::info!(match_id = %id, epoch = epoch.0, took_ms = began.elapsed().as_millis() as u64, "the match of another server goes on here");
        }
        Err(error) => {
            tracing::error!(match_id = %id, error, "the match of another server cannot go on here");
            cluster.node().refuse(id, epoch);
        }
    }
}

async fn revive(
    directory: &Arc<Directory>,
    id: MatchId,
    epoch: Epoch,
    kept: Kept,
    attempt: u8,
) -> Result<Vec<crate::matches::RevivedSeat>, String> {
    let (identity, core) = record::read_checkpoint(&kept.checkpoint).map_err(|error| error.to_string())?;
    let records = kept.records.iter().map(|record| record.to_vec()).collect();
    let revival = Revival { id, identity, core: kept.checkpoint.slice_ref(core), records, attempt };
    let (sender, receiver) = std::sync::mpsc::channel();
    directory.revive(revival, epoch, None, sender, Vec::new()).map_err(|error| error.to_string())?;
    let revived = tokio::task::spawn_blocking(move || receiver.recv()).await;
    match revived {
        Ok(Ok(Ok((_, seats)))) => Ok(seats),
        Ok(Ok(Err((_, error)))) => Err(error.to_string()),
        Ok(Err(_)) | Err(_) => Err("its worker has failed".to_owned()),
    }
}

/// How often servers in a row have ended while they brought a match back.
mod attempts {
    use std::time::Duration;

    use bytes::Bytes;
    use tickwire_cluster::Store;
    use tickwire_protocol::MatchId;

    /// So many servers may end.
    const MAX: u8 = 3;
    /// An attempt counts for so long.
    const COUNTS_FOR: Duration = Duration::from_mins(2);
    const SHELF: &str = "attempt";

    /// Nobody tries again.
    pub(super) struct TooMany;

    /// One more begins: which it is.
    pub(super) async fn begin(store: &dyn Store, id: MatchId) -> Result<u8, TooMany> {
        let before = store.get(SHELF, &id.0, None).await.ok().flatten();
        let attempt = before.and_then(|count| count.first().copied()).unwrap_or_default().saturating_add(1);
        if attempt > MAX {
            return Err(TooMany);
        }
        // A store that is away keeps no count, and no match is taken over then.
        let _ = store.put(SHELF, &id.0, Bytes::from(vec![attempt]), COUNTS_FOR).await;
        Ok(attempt)
    }

    /// It went well.
    pub(super) async fn end(store: &dyn Store, id: MatchId) {
        let _ = store.remove(SHELF, &id.0).await;
    }
}
