//! Puts the parts together: three listeners, the gateway's thread, the operators' thread, and a
//! worker per core.
//!
//! Invariants: a server that starts has everything it was told to have, else it does not start and
//! says why in a line; several may run in one process; one that is dropped ends its matches and its
//! threads first.

mod cluster;
mod listener;
mod revive;
mod runtime;
mod start_error;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tickwire_game::{Game, Mode};
use tickwire_handover::Handover;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::config::{Config, TicketConfig};
use crate::drain;
use crate::gateway::{self, Accounts, GameFacts, Gateway, Signer, TicketKeys};
use crate::http::caps::Caps;
use crate::http::host::Hosts;
use crate::http::limiter::AddressLimiter;
use crate::http::listener::{Entrance, Tls};
use crate::http::pace::Deadlines;
use crate::http::proxies::Proxies;
use crate::http::{page, to_https};
use crate::journal::{Opening, Recovery, Upkeep};
use crate::matches::Directory;
use crate::matches::directory::Shared;
use crate::matches::worker::{self, WorkerHandle};
use crate::ops::auth::{Doorkeeper, Token};
use crate::ops::observer::Observer;
use crate::ops::{admin, descriptors, monitoring};
use crate::sockets::Sockets;
use crate::tls::Keeper;
use cluster::Others;
use listener::Listener;
use runtime::runtime;
pub use start_error::StartError;

pub use crate::gateway::{AccountsError, TicketKeysError};
pub use crate::ops::auth::{TokenError, read_text as read_admin_token};
pub use crate::ops::descriptors::{TooFew as TooFewDescriptors, provide as provide_descriptors};
pub use crate::tls::MaterialError;

/// A worker that has not ended after so long is left behind.
const WORKERS_PATIENCE: Duration = Duration::from_secs(5);

/// How long clients may take to hear that their match goes on in another process: all of them wait
/// for it.
const FAREWELLS_PATIENCE: Duration = Duration::from_millis(100);

/// The file of the keys that tickets are signed with, in the folder of the matches.
const TICKET_KEYS: &str = "ticket-keys";

/// The server, before it runs.
#[derive(Debug)]
pub struct Server;

/// Workers, and their threads.
type Workers = (Vec<WorkerHandle>, Vec<JoinHandle<()>>);

/// What a config needs before anything is started.
struct Prepared {
    token: Option<Token>,
    tls: Option<Arc<Keeper>>,
    accounts: Option<Arc<Accounts>>,
}

impl Server {
    /// Checks everything about a config that can be checked without listening.
    pub fn check(config: &Config) -> Result<(), StartError> {
        prepare(config).map(drop)
    }

    /// Starts a server that runs `G`.
    pub fn start<G: Game>(config: Config) -> Result<RunningServer, StartError> {
        Self::start_on::<G>(config, Sockets::default())
    }

    /// Starts a server that runs `G` on `sockets`, and binds those that are missing.
    pub fn start_on<G: Game>(config: Config, mut sockets: Sockets) -> Result<RunningServer, StartError> {
        let Prepared { token, tls, accounts } = prepare(&config)?;
        sockets.bind(&config)?;
        let play = Listener::take(&mut sockets, "play")?;
        let admin = token.map(|token| Listener::take(&mut sockets, "admin").map(|listener| (token, listener))).transpose()?;
        let ops = Listener::take(&mut sockets, "ops")?;
        let redirect = config.redirect_address().map(|_| Listener::take(&mut sockets, "redirect")).transpose()?;

        let recovery = Recovery::read(&config.journal)?;
        let opening = recovery.as_ref().map(|recovery| recovery.opening.clone());
        let joining = cluster::prepare(&config.cluster, play.address, tls.is_some())?;
        let others = joining.as_ref().map(|joining| Arc::clone(&joining.cluster));
        let signer = Signer::new(&ticket_keys(&config))?;

        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let count = if config.workers == 0 { cores } else { config.workers };
        let (handover, kept) = sockets.take_players().filter(|_| opening.is_some()).unzip();
        let (handles, workers) = spawn_workers::<G>(&config, count, opening.as_ref(), handover.as_ref())?;

        warn_of_clear_text(&config);
        let game = GameFacts::of::<G>();
        warn_of_another_game(&config.web_dir, game.name);
        let pulses = handles.iter().map(WorkerHandle::shared).collect();
        let shared = others.as_ref().map(|others| Shared::new(others.node().clone(), &config.cluster));
        let directory = Directory::new(modes::<G>(config.matches.tick_rate), handles, config.matches.matches_max, shared);
        let config = Arc::new(config);
        let gateway = Arc::new(Gateway::new(game, Arc::clone(&config), Arc::clone(&directory), accounts, signer, others));
        // Before anybody is heard: who comes back finds their match.
        let journal = recovery
            .map(|recovery| revive::revive(recovery, kept.unwrap_or_default(), &directory, &gateway))
            .transpose()
            .map_err(StartError::Thread)?;
        let observer = Observer::new(game, Arc::clone(&gateway), Arc::clone(&directory), pulses, tls.clone());
        let secured = |keeper: &Arc<Keeper>| {
            let handshakes = AddressLimiter::new(config.tls.handshakes_per_minute);
            Arc::new(Tls { keeper: Arc::clone(keeper), handshakes, plain: to_https::router(None) })
        };
        let entrance = |caps: Arc<Caps>, proxies: &Arc<Proxies>, tls: Option<Arc<Tls>>| Entrance {
            caps,
            proxies: Arc::clone(proxies),
            deadlines: Deadlines::new(&config.connections),
            tls,
        };
        let for_players = Arc::new(Proxies::new(&config.proxies));
        warn_of_trust_in_all(&for_players);
        let for_operators = Arc::new(Proxies::without_protocol(&config.proxies));
        tracing::info!(game = game.name, workers = count, transport = gateway.transport().name(), "server starts");

        let player_tls = tls.as_ref().map(secured);
        // The operator's token must not travel in the clear, and on loopback it does not travel.
        let admin_tls = tls.as_ref().filter(|_| !config.admin.bind.is_loopback()).map(secured);

        let mut server = RunningServer {
            play: play.address,
            redirect: redirect.as_ref().map(|listener| listener.address),
            fingerprint: tls.as_ref().and_then(|keeper| keeper.fingerprint()),
            is_secure: tls.is_some(),
            is_admin_secure: admin_tls.is_some(),
            admin: admin.as_ref().map(|(_, listener)| listener.address),
            ops: ops.address,
            directory: Some(Arc::clone(&directory)),
            pulse: Pulse(Arc::downgrade(&observer)),
            stop: watch::Sender::new(false),
            gateways: Vec::new(),
            workers,
            others: None,
            _journal: journal,
        };
        if let Some(joining) = joining {
            let (others, runtime, work) = joining.run(Arc::clone(&gateway), &directory);
            server.others = Some(others);
            server.spawn_on(runtime, "cluster", work)?;
        }
        let player_entrance = entrance(Arc::clone(gateway.caps()), &for_players, player_tls);
        let redirect_entrance = entrance(Arc::clone(gateway.caps()), &for_players, None);
        server.spawn("gateway", async move {
            let https = play.address.port();
            let redirect = async {
                if let Some(listener) = redirect {
                    listener.serve(to_https::router(Some(https)), redirect_entrance).await;
                }
            };
            let router = gateway::router(&gateway);
            tokio::join!(redirect, play.serve(router, player_entrance), gateway.keep_house());
        })?;
        // A thread of its own: a flood at the gate does not blind those who look after the server.
        let ops_caps = Caps::of(monitoring::CONNECTIONS_MAX, monitoring::CONNECTIONS_MAX, monitoring::CONNECTIONS_MAX);
        let ops_entrance = entrance(ops_caps, &for_operators, None);
        let admin_caps = Caps::of(admin::CONNECTIONS_MAX, admin::CONNECTIONS_MAX, admin::STRANGERS_MAX);
        let admin_entrance = entrance(admin_caps, &for_operators, admin_tls);
        server.spawn("operators", async move {
            let hosts = Hosts::told("ops.hosts", &config.ops.hosts, config.ops.bind);
            let ops = ops.serve(monitoring::router(&observer, hosts), ops_entrance);
            let admin = async {
                if let Some((token, listener)) = admin {
                    let hosts = Hosts::told("admin.hosts", &config.admin.hosts, config.admin.bind);
                    let router = admin::router(&observer, &Arc::new(Doorkeeper::new(token)), hosts, &config.web_dir);
                    listener.serve(router, admin_entrance).await;
                }
            };
            let watch = async {
                if let Some(keeper) = tls {
                    keeper.watch().await;
                }
            };
            tokio::join!(ops, admin, watch, observer.keep_looking());
        })?;
        Ok(server)
    }
}

fn prepare(config: &Config) -> Result<Prepared, StartError> {
    config.check()?;
    check_page(&config.web_dir)?;
    let token = config.admin.enabled.then(|| Token::read(config.admin.token_file.as_deref())).transpose()?;
    let tls = Keeper::new(&config.tls, config.bind)?.map(Arc::new);
    descriptors::provide(config.connections.total)?;
    let accounts = Accounts::new(&config.accounts)?;
    TicketKeys::check(&config.tickets)?;
    Ok(Prepared { token, tls, accounts })
}

fn spawn_workers<G: Game>(
    config: &Config,
    count: usize,
    journal: Option<&Opening>,
    handover: Option<&Handover>,
) -> Result<Workers, StartError> {
    let spawn = |index| {
        let (session, matches, headroom) = (config.session.clone(), config.matches.clone(), config.headroom.clone());
        worker::spawn::<G>(index, session, matches, headroom, journal.cloned(), handover.cloned()).map_err(StartError::Thread)
    };
    let spawned: Vec<_> = (0..count).map(spawn).collect::<Result<_, _>>()?;
    Ok(spawned.into_iter().unzip())
}

/// Tickets outlive the process where the matches do that they are for.
fn ticket_keys(config: &Config) -> TicketConfig {
    let kept = config.journal.is_on().then(|| config.journal.dir.join(TICKET_KEYS));
    TicketConfig { key_file: config.tickets.key_file.clone().or(kept) }
}

/// The game's modes at the operator's tick rate; 0 for the game's own.
fn modes<G: Game>(tick_rate: u8) -> Box<[Mode]> {
    let rate_of = |mode: &Mode| if tick_rate == 0 { mode.tick_rate } else { tick_rate };
    G::MODES.iter().map(|mode| Mode { tick_rate: rate_of(mode), ..*mode }).collect()
}

fn check_page(web_dir: &Path) -> Result<(), StartError> {
    if web_dir.as_os_str().is_empty() || web_dir.join("index.html").is_file() {
        Ok(())
    } else {
        Err(StartError::NoPage { web_dir: web_dir.to_owned() })
    }
}

/// Whoever is between the players and this machine reads and changes what they say.
fn warn_of_clear_text(config: &Config) {
    if !config.bind.is_loopback() && !config.tls.is_on() && config.proxies.trusted.is_empty() {
        let bind = config.bind;
        tracing::warn!(%bind, "players' connections are not encrypted: set tls.cert and tls.key, or proxies.trusted if a proxy in front ends TLS");
    }
}

/// Whoever connects chooses the address that limits go by.
fn warn_of_trust_in_all(proxies: &Proxies) {
    if proxies.trusts_everybody() {
        tracing::warn!("proxies.trusted holds every address: whoever connects chooses the address that limits go by; name the proxies");
    }
}

/// Players get a page that cannot play this game; the API's clients can.
fn warn_of_another_game(web_dir: &Path, game: &str) {
    if let Some(other) = page::game(web_dir).filter(|other| other != game) {
        let web_dir = web_dir.display();
        tracing::warn!(%web_dir, "the page is of the game `{other}`, and this server runs `{game}`: nobody can play it with this page");
    }
}

const fn scheme(is_secure: bool) -> &'static str {
    if is_secure { "https" } else { "http" }
}

/// A server that runs. Dropping it shuts it down.
pub struct RunningServer {
    play: SocketAddr,
    redirect: Option<SocketAddr>,
    fingerprint: Option<String>,
    is_secure: bool,
    is_admin_secure: bool,
    admin: Option<SocketAddr>,
    ops: SocketAddr,
    /// `None` once it has shut down.
    directory: Option<Arc<Directory>>,
    pulse: Pulse,
    stop: watch::Sender<bool>,
    /// The threads that serve HTTP.
    gateways: Vec<JoinHandle<()>>,
    workers: Vec<JoinHandle<()>>,
    /// The other servers of a cluster.
    others: Option<Others>,
    /// Held until the workers have written what they had to.
    _journal: Option<Upkeep>,
}

/// Tells whether a server lives, and does not keep it alive.
#[derive(Clone)]
pub struct Pulse(Weak<Observer>);

impl Pulse {
    /// Whether every worker's loop advances. One that is told to end does until it has ended.
    pub fn is_advancing(&self) -> bool {
        self.0.upgrade().is_none_or(|observer| observer.stuck_workers() == 0)
    }
}

impl RunningServer {
    /// Whether it lives, for whoever looks after it.
    pub fn pulse(&self) -> Pulse {
        self.pulse.clone()
    }

    /// Where players connect to.
    pub fn play_addr(&self) -> SocketAddr {
        self.play
    }

    /// Where the page is.
    pub fn play_url(&self) -> String {
        format!("{}://{}/", scheme(self.is_secure), self.play)
    }

    /// Where the operator's page is, if there is one.
    pub fn admin_url(&self) -> Option<String> {
        self.admin.map(|address| format!("{}://{address}/admin/", scheme(self.is_admin_secure)))
    }

    /// Where plain HTTP is sent to HTTPS, if anywhere.
    pub fn redirect_addr(&self) -> Option<SocketAddr> {
        self.redirect
    }

    /// The SHA-256 of a certificate that was made at the start.
    pub fn fingerprint(&self) -> Option<&str> {
        self.fingerprint.as_deref()
    }

    /// Where operators connect to, if they can.
    pub fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Where the monitoring system connects to.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops
    }

    /// Admits nobody new from now on.
    pub fn start_draining(&self) {
        if let Some(directory) = &self.directory {
            directory.start_draining();
        }
    }

    /// Lets matches go on for `grace` while people play in them, then ends them, telling everyone,
    /// and stops.
    pub fn drain(mut self, grace: Duration) {
        self.hand_all_over();
        self.finish(grace);
    }

    /// Writes all matches as they stand, tells their clients to come back, and stops: they go on in
    /// a process that keeps its matches in the same folder. Whoever comes meanwhile is not heard.
    pub fn freeze(mut self) {
        self.hand_all_over();
        let Some(directory) = self.directory.take() else { return };
        directory.start_draining();
        self.others.iter().for_each(Others::say_farewell);
        self.stop_gateways();
        drain::freeze(&directory);
        drop(directory);
        self.join_workers(FAREWELLS_PATIENCE);
    }

    /// Ends all matches now, telling everyone, and stops.
    pub fn shutdown(mut self) {
        self.finish(Duration::ZERO);
    }

    /// Runs `work` until the server stops, on a thread and a runtime of its own.
    fn spawn(&mut self, name: &'static str, work: impl Future<Output = ()> + Send + 'static) -> Result<(), StartError> {
        self.spawn_on(runtime()?, name, work)
    }

    /// Runs `work` until the server stops, on a thread of its own and on this runtime.
    fn spawn_on(
        &mut self,
        runtime: Runtime,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), StartError> {
        let mut stop = self.stop.subscribe();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = work => {}
                    // An error means that the server was dropped: the same to us.
                    _ = stop.wait_for(|stop| *stop) => {}
                }
            });
        });
        self.gateways.push(thread.map_err(StartError::Thread)?);
        Ok(())
    }

    /// In a cluster, matches go on on other servers.
    fn hand_all_over(&self) {
        self.others.iter().for_each(Others::hand_all_over);
    }

    fn finish(&mut self, grace: Duration) {
        let Some(directory) = self.directory.take() else { return };
        drain::drain(&directory, grace);
        self.others.iter().for_each(Others::say_farewell);
        self.stop_gateways();
        // The last handle to the workers: they end when they have told everyone.
        drop(directory);
        self.join_workers(WORKERS_PATIENCE);
    }

    fn stop_gateways(&mut self) {
        self.stop.send_replace(true);
        for thread in self.gateways.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a gateway thread had panicked");
            }
        }
    }

    fn join_workers(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline && self.workers.iter().any(|thread| !thread.is_finished()) {
            std::thread::sleep(Duration::from_millis(5));
        }
        for thread in self.workers.drain(..) {
            match thread.is_finished().then(|| thread.join()) {
                Some(Ok(())) => {}
                Some(Err(_)) => tracing::error!("a worker had panicked"),
                None => tracing::error!("a worker did not end in time and is left behind"),
            }
        }
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.finish(Duration::ZERO);
    }
}
