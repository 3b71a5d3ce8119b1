//! The command line: flags for what is set most, and `--set KEY=VALUE` for everything else.

use std::net::IpAddr;
use std::path::PathBuf;

use figment::value::Value;

use super::LogFormat;
use super::journal::Durability;
use super::transport::TransportChoice;
use super::value::parse_value;

/// Flags of a Tickwire binary. Each overrides a key of the config; see `docs/OPERATING.md`.
#[derive(Clone, Debug, Default, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // each is a flag without a value
pub struct Flags {
    /// Read settings from this TOML file
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Port for players; admin and ops take the next two, 0 takes any free ones
    #[arg(long)]
    pub port: Option<u16>,
    /// Address for players
    #[arg(long, value_name = "ADDR")]
    pub bind: Option<IpAddr>,
    /// The built page (a folder with index.html)
    #[arg(long, value_name = "DIR")]
    pub web_dir: Option<PathBuf>,
    /// File with the operator's token
    #[arg(long, value_name = "FILE", conflicts_with = "no_admin")]
    pub admin_token_file: Option<PathBuf>,
    /// Run without the operator's listener
    #[arg(long)]
    pub no_admin: bool,
    /// Threads that run matches; 0 for one per core
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// What carries players' connections: raw sockets (Linux), tokio-tungstenite, or the faster
    #[arg(long, value_enum)]
    pub transport: Option<TransportChoice>,
    /// File with the certificate for https and wss, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,
    /// File with its private key, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,
    /// Make a certificate for https that nobody vouches for, and print its fingerprint
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub tls_self_signed: bool,
    /// How log lines look
    #[arg(long, value_enum)]
    pub log: Option<LogFormat>,
    /// Folder for what matches need to outlive this process; one is chosen if none is given
    #[arg(long, value_name = "DIR", conflicts_with = "no_journal")]
    pub state_dir: Option<PathBuf>,
    /// Keep nothing of matches on disk: they end with this process
    #[arg(long)]
    pub no_journal: bool,
    /// What survives a loss of power: what the system has written, all but a second, every tick
    #[arg(long, value_enum)]
    pub durability: Option<Durability>,
    /// The Redis that the servers of a cluster share, a URL
    #[arg(long, value_name = "URL", requires = "node_id")]
    pub store: Option<String>,
    /// This server's name in the cluster
    #[arg(long, value_name = "NAME")]
    pub node_id: Option<String>,
    /// Where players reach this server of the cluster, if not at the address it listens on
    #[arg(long, value_name = "URL")]
    pub advertise: Option<String>,
    /// Seconds that matches may go on after a signal to stop
    #[arg(long, value_name = "N")]
    pub drain_seconds: Option<u64>,
    /// Seconds a match is live; 0 for the game's own
    #[arg(long, value_name = "N")]
    pub match_seconds: Option<u32>,
    /// Ticks per second of every match; 0 for the game's own
    #[arg(long, value_name = "HZ")]
    pub tick_rate: Option<u8>,
    /// Send the state's hash with every Nth snapshot, for checking clients; 0 for never
    #[arg(long, value_name = "N")]
    pub hash_every: Option<u32>,
    /// Set any key of the config, such as connections.total=500; may be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = parse_setting)]
    pub set: Vec<(String, String)>,
    /// Check the settings and the files they name, then exit
    #[arg(long)]
    pub check_config: bool,
    /// Print the settings in force as TOML, then exit
    #[arg(long)]
    pub print_config: bool,
}

impl Flags {
    /// The keys that were given and their values.
    pub(super) fn settings(&self) -> Vec<(String, Value)> {
        let mut settings: Vec<(String, Value)> = self.set.iter().map(|(key, value)| (key.clone(), parse_value(value))).collect();
        let text = |path: &PathBuf| Value::from(path.to_string_lossy().into_owned());
        let named = [
            ("port", self.port.map(Value::from)),
            ("bind", self.bind.map(|bind| Value::from(bind.to_string()))),
            ("web_dir", self.web_dir.as_ref().map(text)),
            ("admin.token_file", self.admin_token_file.as_ref().map(text)),
            ("admin.enabled", self.no_admin.then(|| Value::from(false))),
            ("workers", self.workers.map(Value::from)),
            ("transport", self.transport.map(|choice| Value::from(choice.name()))),
            ("tls.cert", self.tls_cert.as_ref().map(text)),
            ("tls.key", self.tls_key.as_ref().map(text)),
            ("tls.self_signed", self.tls_self_signed.then(|| Value::from(true))),
            ("log", self.log.map(|log| Value::from(if log == LogFormat::Json { "json" } else { "text" }))),
            ("journal.enabled", self.no_journal.then(|| Value::from(false))),
            ("journal.dir", self.state_dir.as_ref().map(text)),
            ("journal.durability", self.durability.map(|durability| Value::from(durability.name()))),
            ("cluster.store", self.store.clone().map(Value::from)),
            ("cluster.node_id", self.node_id.clone().map(Value::from)),
            ("cluster.advertise", self.advertise.clone().map(Value::from)),
            ("drain_seconds", self.drain_seconds.map(Value::from)),
            ("matches.live_seconds", self.match_seconds.map(Value::from)),
            ("matches.tick_rate", self.tick_rate.map(Value::from)),
            ("matches.hash_every", self.hash_every.map(Value::from)),
        ];
        settings.extend(named.into_iter().filter_map(|(key, value)| value.map(|value| (key.to_owned(), value))));
        settings
    }
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}
