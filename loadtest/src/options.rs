//! The command line of a load test.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tickwire_testkit::http_stream::Reading;
use tickwire_testkit::line::Trust;
use tickwire_testkit::link;
use tickwire_testkit::target::{Endpoint, Target};

use crate::scenario::ScenarioMix;

/// Plays on a Tickwire server with thousands of real, checking clients, and says what they felt.
///
/// Every player joins like a person's page does, plays with the game's own bot, decodes every snapshot and compares it with
/// the server's hashes. Start the server so that it sends them: `tickwire --hash-every 30`.
#[derive(Clone, Debug, Parser)]
#[command(name = "tickwire-loadtest", version, subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
#[command(after_help = AFTER_HELP)]
pub struct Cli {
    /// Instead of a load test.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The load test.
    #[command(flatten)]
    pub options: Options,
}

/// What else this program does.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Put the reports of processes that loaded a server together into one
    Merge {
        /// Their report.json files
        #[arg(required = true, num_args = 2..)]
        reports: Vec<PathBuf>,
        /// Folder for the merged report
        #[arg(long, default_value = "target/loadtest/merged", value_name = "DIR")]
        report_dir: PathBuf,
    },
}

/// What to load, with whom, and what to find out.
#[derive(Clone, Debug, clap::Args)]
#[allow(clippy::struct_excessive_bools)] // switches of a command line
pub struct Options {
    /// The server's player address: a name or an address, IPv6 in brackets, with or without http:// or https://
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    pub server: Target,
    /// The server's metrics, to plot its CPU and ticks; "off" for none [default: two ports after the server's]
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_ops)]
    pub ops: Option<Ops>,
    /// Players at once; with --find-capacity, the most to try
    #[arg(long, short, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub users: u32,
    /// How long all of them play
    #[arg(long, short = 't', default_value = "30s", value_name = "TIME", value_parser = parse_time)]
    pub run_time: Duration,
    /// How long they take to arrive [default: a second for every 200 users]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub increase_time: Option<Duration>,
    /// Scenarios and their weights: play, churn, reconnect, flaky, lurk, spectate, hot
    #[arg(long, default_value = "play:1", value_name = "NAME:WEIGHT,...")]
    pub mix: ScenarioMix,
    /// Network conditions and their weights: ideal, wifi, 4g, transatlantic, train, or delay=40ms,jitter=10ms,loss=1%
    #[arg(long, default_value = "ideal", value_name = "NAME:WEIGHT,...")]
    pub network: link::Mix,
    /// What carries the players' messages
    #[arg(long, value_enum, default_value = "websocket")]
    pub transport: Carrier,
    /// How long a player tries to come back to its seat after its connection broke
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = parse_time)]
    pub return_within: Duration,
    /// Mode to play [default: the game's first]
    #[arg(long)]
    pub mode: Option<String>,
    /// Of all random choices
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A person's recorded inputs, to play instead of the bot's
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// Where the operator's token is, for spectators
    #[arg(long, value_name = "FILE")]
    pub admin_token_file: Option<PathBuf>,
    /// The operator's address, for spectators [default: the port after the server's]
    #[arg(long, value_name = "HOST:PORT")]
    pub admin: Option<Target>,
    /// Look for the most players for whom the service level holds
    #[arg(long)]
    pub find_capacity: bool,
    /// With --find-capacity: players to begin with
    #[arg(long, default_value_t = 200, value_name = "N", requires = "find_capacity", value_parser = clap::value_parser!(u32).range(1..))]
    pub capacity_from: u32,
    /// With --find-capacity: how long the level must hold at each step
    #[arg(long, default_value = "8s", value_name = "TIME", requires = "find_capacity", value_parser = parse_time)]
    pub capacity_hold: Duration,
    /// Bounds that fail the run [default: the service level, see the manual on load testing]
    #[arg(long, value_name = "FILE")]
    pub thresholds: Option<PathBuf>,
    /// The report.json of an earlier run of the same game and mode, to show then and now side by
    /// side
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Folder for report.html, report.json and goose's own reports
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
    /// Others use this server too: do not look for leaked seats
    #[arg(long)]
    pub shared_server: bool,
    /// Players that share a source address, on IPv4 loopback only; 0 leaves the address to the
    /// system
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub users_per_address: u32,
    /// Number of this process among those that load the server together: it keeps their names and addresses apart
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub process: u32,
    /// No live line
    #[arg(long, short)]
    pub quiet: bool,
    /// Believe the certificates in this PEM file, and those they vouch for, instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub ca: Option<PathBuf>,
    /// Believe whatever certificate the server shows, such as one that it made itself
    #[arg(long)]
    pub insecure: bool,
    /// Further options for goose itself, after another --
    #[arg(last = true, value_name = "GOOSE OPTIONS")]
    pub goose: Vec<String>,
}

/// Where the server's metrics are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ops {
    /// There.
    At(Target),
    /// They are not to be read.
    Off,
}

/// What carries a player's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Carrier {
    /// A WebSocket.
    Websocket,
    /// A long HTTP response, and requests: what is left where no WebSocket gets through.
    HttpStream,
    /// A request for every message: what is left where such a response is held back.
    HttpPoll,
}

impl Carrier {
    /// How messages are read over HTTP; `None` for a WebSocket.
    pub const fn reading(self) -> Option<Reading> {
        match self {
            Self::Websocket => None,
            Self::HttpStream => Some(Reading::Stream),
            Self::HttpPoll => Some(Reading::Poll),
        }
    }
}

fn parse_ops(text: &str) -> Result<Ops, String> {
    if text == "off" { Ok(Ops::Off) } else { text.parse().map(Ops::At).map_err(|why| format!("{why}; or \"off\"")) }
}

/// Goose counts whole seconds.
fn parse_time(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if time < Duration::from_secs(1) || time.subsec_nanos() > 0 {
        return Err("must be whole seconds and at least one, such as 30s or 2m".to_owned());
    }
    Ok(time)
}

/// Players that arrive per second unless told otherwise, once there are many.
const ARRIVALS_PER_SECOND: u32 = 200;

impl Options {
    /// Finds a server, and says whom to believe to be it.
    pub async fn find(&self, target: &Target) -> io::Result<Endpoint> {
        let tls = match &self.ca {
            _ if !target.is_secure() => None,
            _ if self.insecure => Some(Trust::anyone()?),
            Some(file) => Some(Trust::file(file)?),
            None => Some(Trust::system()?),
        };
        Ok(target.find().await?.secured(tls))
    }

    /// How long the players take to arrive.
    pub fn arrival_time(&self) -> Duration {
        let default = Duration::from_secs(u64::from(self.users.div_ceil(ARRIVALS_PER_SECOND)).max(1));
        self.increase_time.unwrap_or(default)
    }

    /// Where the server's metrics are; `None` if they are not to be read.
    pub fn ops_target(&self) -> Option<Target> {
        match &self.ops {
            Some(Ops::At(target)) => Some(target.clone()),
            Some(Ops::Off) => None,
            None => self.server.port_after(2),
        }
    }

    /// Where operators connect to.
    pub fn admin_target(&self) -> Option<Target> {
        self.admin.clone().or_else(|| self.server.port_after(1))
    }
}

const AFTER_HELP: &str = "\
Examples:
  tickwire-loadtest --users 500 --run-time 60s --report-dir report
  tickwire-loadtest --server game.example:8080 --mix play:8,reconnect:1,flaky:1 --network wifi:60,4g:30,train:10
  tickwire-loadtest --find-capacity --users 5000
  tickwire-loadtest --users 500 --against report/report.json --report-dir later

The exit code is 0 if the run passed, 1 if it broke a bound, 2 if it could not be run, 3 if the generator was too slow to tell.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn options(arguments: &[&str]) -> Options {
        Cli::parse_from([&["loadtest"], arguments].concat()).options
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn listeners_are_looked_for_beside_the_players() {
        let told = |target: Option<Target>| target.map(|target| target.to_string()).unwrap_or_default();
        let beside = options(&["--server", "[::1]:9000"]);
        assert_eq!([told(beside.admin_target()), told(beside.ops_target())], ["[::1]:9001", "[::1]:9002"]);
        assert_eq!(options(&["--ops", "off"]).ops_target(), None);
        assert_eq!(told(options(&["--ops", "metrics.example:9"]).ops_target()), "metrics.example:9");
    }

    #[test]
    fn a_time_is_whole_seconds() {
        assert_eq!(parse_time("2m"), Ok(Duration::from_mins(2)));
        assert!(["0s", "500ms", "1500ms"].iter().all(|text| parse_time(text).is_err_and(|why| why.contains("whole seconds"))));
        assert!(parse_time("soon").is_err());
    }
}
