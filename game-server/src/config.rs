//! The operator's settings: one typed struct, defaults < file < environment < flags. Unknown keys
//! are fatal.
//!
//! [`load`] reads them, [`flags`] is the command line. `docs/OPERATING.md` lists every key.

pub(crate) mod accounts;
mod check;
mod cluster;
mod error;
pub mod flags;
mod headroom;
mod journal;
pub mod load;
mod memory;
pub(crate) mod origin;
mod proxies;
mod queue;
pub mod state_dir;
mod supervise;
mod tickets;
mod tls;
mod transport;
mod value;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use accounts::{AccountsConfig, JwtAlgorithm, JwtConfig};
pub use cluster::ClusterConfig;
pub use error::ConfigError;
pub use headroom::HeadroomConfig;
pub use journal::{Durability, JournalConfig};
pub use memory::MemoryConfig;
pub(crate) use proxies::networks;
pub use proxies::{ForwardingHeader, ProxyConfig, ProxyProtocol};
pub use queue::QueueConfig;
pub use supervise::SuperviseConfig;
pub use tickets::TicketConfig;
pub use tls::TlsConfig;
pub use transport::{TransportChoice, TransportKind};

/// Everything an operator can set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which game to run, for a binary that knows several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub game: Option<String>,
    /// Address players connect to.
    pub bind: IpAddr,
    /// Port players connect to; 0 for any free one.
    pub port: u16,
    /// The built page, a folder with `index.html`; empty to serve none.
    pub web_dir: PathBuf,
    /// Where clients find the WebSocket, if not at `ws` beside the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_ws_url: Option<String>,
    /// Origins, besides the server's own, whose pages may open WebSockets, call the API and show
    /// the page in a frame.
    pub allowed_origins: Vec<String>,
    /// Threads that run matches; 0 for one per core.
    pub workers: usize,
    /// What carries players' connections.
    pub transport: TransportChoice,
    /// How log lines look.
    pub log: LogFormat,
    /// Which log lines are written, as `tracing` filter directives.
    pub log_filter: String,
    /// Seconds that matches may go on after a signal to stop, while people play in them.
    pub drain_seconds: u64,
    /// TLS on the players' listener.
    pub tls: TlsConfig,
    /// Who may play: guests, and people with an account.
    pub accounts: AccountsConfig,
    /// What tickets are signed with.
    pub tickets: TicketConfig,
    /// The operator's listener.
    pub admin: AdminConfig,
    /// The monitoring system's listener.
    pub ops: OpsConfig,
    /// Which proxies are believed, and what.
    pub proxies: ProxyConfig,
    /// How many connections, and how long strangers may take.
    pub connections: ConnectionConfig,
    /// How often one address, or one guest session, may ask for something.
    pub rates: RateConfig,
    /// What guest sessions may hold.
    pub sessions: GuestConfig,
    /// What a client may do.
    pub session: SessionConfig,
    /// What matches there are.
    pub matches: MatchConfig,
    /// How those who wait for others are put into matches.
    pub queue: QueueConfig,
    /// When workers have enough to do.
    pub headroom: HeadroomConfig,
    /// When memory runs short.
    pub memory: MemoryConfig,
    /// What a supervisor does when the server dies.
    pub supervise: SuperviseConfig,
    /// What is kept of matches on disk.
    pub journal: JournalConfig,
    /// Several servers that are one.
    pub cluster: ClusterConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            game: None,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 8080,
            web_dir: PathBuf::new(),
            public_ws_url: None,
            allowed_origins: Vec::new(),
            workers: 0,
            transport: TransportChoice::Auto,
            log: LogFormat::Text,
            log_filter: "info".to_owned(),
            drain_seconds: 5,
            tls: TlsConfig::default(),
            accounts: AccountsConfig::default(),
            tickets: TicketConfig::default(),
            admin: AdminConfig::default(),
            ops: OpsConfig::default(),
            proxies: ProxyConfig::default(),
            connections: ConnectionConfig::default(),
            rates: RateConfig::default(),
            sessions: GuestConfig::default(),
            session: SessionConfig::default(),
            matches: MatchConfig::default(),
            queue: QueueConfig::default(),
            headroom: HeadroomConfig::default(),
            memory: MemoryConfig::default(),
            supervise: SuperviseConfig::default(),
            journal: JournalConfig::default(),
            cluster: ClusterConfig::default(),
        }
    }
}

impl Config {
    /// Where players connect to.
    pub fn play_address(&self) -> SocketAddr {
        SocketAddr::new(self.bind, self.port)
    }

    /// Where operators connect to.
    pub fn admin_address(&self) -> SocketAddr {
        SocketAddr::new(self.admin.bind, self.admin.port.unwrap_or_else(|| self.port_after(1)))
    }

    /// Where the monitoring system connects to.
    pub fn ops_address(&self) -> SocketAddr {
        SocketAddr::new(self.ops.bind, self.ops.port.unwrap_or_else(|| self.port_after(2)))
    }

    /// Where plain HTTP is sent to HTTPS, if anywhere.
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.tls.redirect_port.map(|port| SocketAddr::new(self.bind, port))
    }

    /// The `count`th port after the players'; any free one if theirs is, or if there is none.
    fn port_after(&self, count: u16) -> u16 {
        if self.port == 0 { 0 } else { self.port.checked_add(count).unwrap_or(0) }
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// An object per line, for log collectors.
    Json,
}

/// The operator's listener: the dashboard, and watching any match.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdminConfig {
    /// Whether there is one. If so it needs a token.
    pub enabled: bool,
    /// Its address. Not the players': it stays on this machine unless told otherwise.
    pub bind: IpAddr,
    /// Its port; absent for the one after the players'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The names it answers to, as in `Host`, without ports; none listed for loopback and its own
    /// address.
    pub hosts: Vec<String>,
    /// File that holds the bearer token, at least 16 characters. There is no default token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Whether the link printed at the start carries the token. Turn it off where standard output
    /// is collected.
    pub print_token: bool,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { enabled: true, bind: IpAddr::V4(Ipv4Addr::LOCALHOST), port: None, hosts: Vec::new(), token_file: None, print_token: true }
    }
}

/// The monitoring system's listener: metrics and health.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OpsConfig {
    /// Its address. It has no password: keep it off public networks.
    pub bind: IpAddr,
    /// Its port; absent for the second one after the players'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The names it answers to, as in `Host`, without ports; none listed for loopback and its own
    /// address.
    pub hosts: Vec<String>,
}

impl Default for OpsConfig {
    fn default() -> Self {
        Self { bind: IpAddr::V4(Ipv4Addr::LOCALHOST), port: None, hosts: Vec::new() }
    }
}

/// Connections to the players' listener: how many, and how long strangers may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectionConfig {
    /// Most connections.
    pub total: usize,
    /// Most connections from one address (IPv4 address, IPv6 /64).
    pub per_address: usize,
    /// Most connections that have not said a valid Hello: requests for the page and the API, and
    /// handshakes. One more takes the place of the one that has been idle for longest.
    pub unauthenticated: usize,
    /// A request's head must be complete so long after its first byte, milliseconds.
    pub header_ms: u64,
    /// A connection is kept for another request for so long, milliseconds: longer than a proxy
    /// keeps it.
    pub idle_ms: u64,
    /// A request must be read and answered after so long, milliseconds.
    pub request_ms: u64,
    /// Hello must have come so long after the WebSocket's upgrade, milliseconds.
    pub hello_ms: u64,
}

impl Default for ConnectionConfig {
    fn default() -> Self {
        Self {
            total: 10_000,
            per_address: 512,
            unauthenticated: 1_000,
            header_ms: 5_000,
            idle_ms: 120_000,
            request_ms: 10_000,
            hello_ms: 5_000,
        }
    }
}

/// Requests per minute. The whole minute's worth may come at once; 0 for no limit.
///
/// What strangers do is counted by their address, what a guest session does by session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RateConfig {
    /// By address: guest sessions opened. Many people behind one address come at once: a class, a
    /// LAN party.
    pub sessions_per_minute: u32,
    /// By address: WebSocket handshakes, but for those of a guest session that the server knows.
    pub handshakes_per_minute: u32,
    /// By address: calls of the HTTP API that open no session, come from none, and read nothing:
    /// mistakes and guesses.
    pub api_calls_per_minute: u32,
    /// By address: what only reads, `GET /api/info` and `GET /api/matches`.
    pub reads_per_minute: u32,
    /// By address: matches created by asking for one.
    pub matches_per_minute: u32,
    /// By guest session: calls of the HTTP API, and as many WebSocket handshakes.
    pub calls_per_minute: u32,
}

impl Default for RateConfig {
    fn default() -> Self {
        Self {
            sessions_per_minute: 240,
            handshakes_per_minute: 600,
            api_calls_per_minute: 300,
            reads_per_minute: 6_000,
            matches_per_minute: 30,
            calls_per_minute: 120,
        }
    }
}

/// Guest sessions: how many, and what each may hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuestConfig {
    /// Most guest sessions from one address that are remembered. One more takes the place of the
    /// one idle for longest.
    pub per_address: usize,
    /// Most seats of one session, each in another match.
    pub seats_max: usize,
    /// Most seats that were asked for from one address, whoever has them. One more takes the place
    /// of one whose owner is away.
    pub seats_per_address: usize,
    /// Most matches alive that one session created.
    pub matches_max: usize,
    /// Most matches alive that were created from one address.
    pub matches_per_address: usize,
}

impl Default for GuestConfig {
    fn default() -> Self {
        Self { per_address: 1_000, seats_max: 4, seats_per_address: 512, matches_max: 4, matches_per_address: 16 }
    }
}

/// Sessions: what one socket may do, and how long it may be silent, slow or away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionConfig {
    /// Messages per second a client may send on average; an input per tick at 60 Hz, pings, and
    /// room to catch up.
    pub messages_per_second: u32,
    /// Messages a client may send at once, beside those that a silence of up to `silence_ms` before
    /// has earned.
    pub message_burst: u32,
    /// Bytes per second a client may send on average, framing included.
    pub bytes_per_second: u32,
    /// Messages dropped for their rate before the session is closed. So many are forgiven in a
    /// minute.
    pub drops_before_close: u32,
    /// The server pings a client it has not heard for so long, milliseconds. This and the next two
    /// are counted in the match's ticks.
    pub ping_after_ms: u64,
    /// A client not heard for so long is gone, milliseconds.
    pub silence_ms: u64,
    /// A client whose socket takes nothing for so long is closed, milliseconds.
    pub slow_ms: u64,
    /// Reliable bytes that may wait for a client before it is closed.
    pub reliable_bytes_max: usize,
    /// A lost connection may be resumed for so long, milliseconds.
    pub grace_ms: u64,
    /// A player whose input has not changed for so long is idle, milliseconds, counted in the
    /// match's ticks; 0 for never.
    pub idle_ms: u64,
    /// Kernel send buffer per socket, bytes: small, so that stale snapshots do not queue there.
    pub send_buffer_bytes: u32,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            messages_per_second: 80,
            message_burst: 160,
            bytes_per_second: 16 * 1024,
            drops_before_close: 200,
            ping_after_ms: 3_000,
            silence_ms: 10_000,
            slow_ms: 10_000,
            reliable_bytes_max: 32 * 1024,
            grace_ms: 300_000,
            idle_ms: 60_000,
            send_buffer_bytes: 32 * 1024,
        }
    }
}

/// Matches: how many, how long, and who fills them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MatchConfig {
    /// Most matches on this server.
    pub matches_max: usize,
    /// Most spectators of a match.
    pub spectators_max: usize,
    /// Ticks per second of every match; 0 for the game's own. Speeds are per tick: a slower game,
    /// for load tests and old machines.
    pub tick_rate: u8,
    /// Seconds a match is live; 0 for the game's own.
    pub live_seconds: u32,
    /// Seconds of countdown before a match is live.
    pub countdown_seconds: u32,
    /// Seconds the results are shown and votes for a rematch are taken.
    pub results_seconds: u32,
    /// A match without players and reservations ends after so long, milliseconds.
    pub empty_ms: u64,
    /// Seats that bots fill; absent for the game's own number.
    pub bots_fill: Option<u16>,
    /// Adds the state hash to every Nth snapshot as an event for checking clients; 0 for never.
    pub hash_every: u32,
}

impl Default for MatchConfig {
    fn default() -> Self {
        Self {
            matches_max: 2_000,
            spectators_max: 64,
            tick_rate: 0,
            live_seconds: 0,
            countdown_seconds: 3,
            results_seconds: 20,
            empty_ms: 10_000,
            bots_fill: None,
            hash_every: 0,
        }
    }
}

/// Milliseconds of a setting.
pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
