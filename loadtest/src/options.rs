//! The command line of a load test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::link;
use crate::scenario::ScenarioMix;

/// Plays on a Tickwire server with thousands of real, checking clients, and says what they felt.
///
/// Every player joins like a person's page does, plays with the game's own bot, decodes every snapshot and compares it with
/// the server's hashes. Start the server so that it sends them: `tickwire --hash-every 30`.
#[derive(Clone, Debug, Parser)]
#[command(name = "tickwire-loadtest", version, subcommand_negates_reqs = true, args_conflicts_with_subcommands = true)]
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
    /// The server's player address
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "HOST:PORT")]
    pub server: SocketAddr,
    /// The server's metrics, to plot its CPU and ticks; "off" for none [default: two ports after the server's]
    #[arg(long, value_name = "HOST:PORT", value_parser = parse_ops)]
    pub ops: Option<Ops>,
    /// Players at once; with --find-capacity, the most to try
    #[arg(long, short, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub users: u32,
    /// How long all of them play
    #[arg(long, short = 't', default_value = "30s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub run_time: Duration,
    /// How long they take to arrive [default: 10s, more for more than 2,000 users]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub increase_time: Option<Duration>,
    /// Scenarios and their weights: play, churn, reconnect, lurk, spectate, hot
    #[arg(long, default_value = "play:1", value_name = "NAME:WEIGHT,...")]
    pub mix: ScenarioMix,
    /// Network conditions and their weights: ideal, wifi, 4g, transatlantic, train, or delay=40ms,jitter=10ms,loss=1%
    #[arg(long, default_value = "ideal", value_name = "NAME:WEIGHT,...")]
    pub network: link::Mix,
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
    pub admin: Option<SocketAddr>,
    /// Look for the most players for whom the service level holds
    #[arg(long)]
    pub find_capacity: bool,
    /// With --find-capacity: players to begin with
    #[arg(long, default_value_t = 200, value_name = "N", requires = "find_capacity", value_parser = clap::value_parser!(u32).range(1..))]
    pub capacity_from: u32,
    /// With --find-capacity: how long the level must hold at each step
    #[arg(long, default_value = "8s", value_name = "TIME", requires = "find_capacity", value_parser = humantime::parse_duration)]
    pub capacity_hold: Duration,
    /// Bounds that fail the run [default: the service level, see docs/BENCHMARKS.md]
    #[arg(long, value_name = "FILE")]
    pub thresholds: Option<PathBuf>,
    /// Folder for report.html, report.json and goose's own reports
    #[arg(long, value_name = "DIR")]
    pub report_dir: Option<PathBuf>,
    /// Others use this server too: do not look for leaked seats
    #[arg(long)]
    pub shared_server: bool,
    /// Players that share a source address, on loopback only; 0 leaves the address to the system
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub users_per_address: u32,
    /// Number of this process among those that load the server together: it keeps their names and addresses apart
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub process: u32,
    /// No live line
    #[arg(long, short)]
    pub quiet: bool,
    /// Further options for goose itself, after another --
    #[arg(last = true, value_name = "GOOSE OPTIONS")]
    pub goose: Vec<String>,
}

/// Where the server's metrics are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ops {
    /// There.
    At(SocketAddr),
    /// They are not to be read.
    Off,
}

fn parse_ops(text: &str) -> Result<Ops, String> {
    if text == "off" {
        return Ok(Ops::Off);
    }
    text.parse().map(Ops::At).map_err(|_| "expected HOST:PORT or \"off\"".to_owned())
}

/// Players that arrive per second unless told otherwise, once there are many.
const ARRIVALS_PER_SECOND: u32 = 200;

impl Options {
    /// How long the players take to arrive.
    pub fn arrival_time(&self) -> Duration {
        let default = Duration::from_secs(u64::from(self.users.div_ceil(ARRIVALS_PER_SECOND)).max(1));
        self.increase_time.unwrap_or(default)
    }

    /// Where the server's metrics are; `None` if they are not to be read.
    pub fn ops_address(&self) -> Option<SocketAddr> {
        match self.ops {
            Some(Ops::At(address)) => Some(address),
            Some(Ops::Off) => None,
            None => self.port_after(2),
        }
    }

    /// Where operators connect to.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.or_else(|| self.port_after(1))
    }

    fn port_after(&self, count: u16) -> Option<SocketAddr> {
        Some(SocketAddr::new(self.server.ip(), self.server.port().checked_add(count)?))
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn listeners_are_looked_for_beside_the_players() {
        let options = Cli::parse_from(["loadtest", "--server", "127.0.0.1:9000"]).options;
        let address = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        assert_eq!((options.admin_address(), options.ops_address()), (address(9001), address(9002)));
        let off = Cli::parse_from(["loadtest", "--ops", "off"]).options;
        assert_eq!(off.ops_address(), None);
    }
}
