//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use tickwire_game::Rng;

/// Kills a Tickwire server while bots play on it, and says what was lost.
///
/// Every bot checks every snapshot, comes back when its connection breaks, and writes down what it sees. When the last
/// kill is over a checker reads what all of them wrote.
#[derive(Debug, Parser)]
#[command(name = "tickwire-chaos", max_term_width = 100)]
#[command(
    after_help = "The exit code is 0 if nothing was lost. A control is a run in which something is left out or broken: it must fail."
)]
pub(crate) struct Options {
    /// How often the server is killed, or the other fault happens
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) kills: u32,
    /// Bots, each with an address of its own
    #[arg(long, default_value_t = 300, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) bots: u32,
    /// Of all random choices [default: another one each time]
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// What is done to the server, or to one of several, or to their store
    #[arg(long, value_enum, default_value_t = Fault::Kill)]
    pub(crate) fault: Fault,
    /// Servers; of several, each is a process of its own and all share a Redis
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=16))]
    pub(crate) nodes: u32,
    /// Frames wait until the store has their tick, so that no acknowledged tick may be lost
    #[arg(long)]
    pub(crate) consistent: bool,
    /// The Redis to start
    #[arg(long, default_value = "redis-server", value_name = "FILE")]
    pub(crate) redis: PathBuf,
    /// Leave something out, to see that the checker finds it
    #[arg(long, value_enum)]
    pub(crate) control: Option<Control>,
    /// The longest that is waited from when everyone plays to a kill
    #[arg(long, default_value = "2s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) pause: Duration,
    /// Of a hundred kills, how many come while the next server comes up
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(..=100))]
    pub(crate) again: u32,
    /// How long what stands still, is cut off or is away stays so [default: at random, 0.5 to 3 s; of several servers 2 to 4 s]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) away: Option<Duration>,
    /// How long a bot tries to come back
    #[arg(long, default_value = "30s", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub(crate) return_within: Duration,
    /// Folder for chaos.json, chaos.html, history.jsonl and the server's log
    #[arg(long, value_name = "DIR")]
    pub(crate) report_dir: Option<PathBuf>,
    /// Kill nothing: check the history that an earlier run wrote
    #[arg(long, value_name = "FILE", conflicts_with_all = ["control", "report_dir"])]
    pub(crate) check: Option<PathBuf>,
    /// The server's binary; default: `tickwire` beside this program
    #[arg(long, value_name = "FILE")]
    pub(crate) tickwire: Option<PathBuf>,
    /// A further flag for the server, such as --server-flag=--durability=tick; may be repeated
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    pub(crate) server_flag: Vec<String>,
}

impl Options {
    /// How long what is away stays so, this time: milliseconds within `usual`, unless it was said.
    pub(crate) fn away(&self, usual: &std::ops::Range<u32>, rng: &mut Rng) -> Duration {
        let random = Duration::from_millis(u64::from(usual.start + rng.below(usual.end - usual.start)));
        self.away.unwrap_or(random)
    }
}

/// What is done to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Fault {
    /// It is killed (SIGKILL)
    Kill,
    /// It is asked to leave its matches to the next process (SIGUSR2), as for a new build
    Freeze,
    /// Its process stands still for a while (SIGSTOP), of several for longer than a lease
    Stop,
    /// It is killed, and bytes of its newest file are changed
    Corrupt,
    /// Its disk is full for a while (needs the right to mount)
    FullDisk,
    /// Each of several makes way for its successor (SIGUSR2), one after the other
    Roll,
    /// One of several cannot reach the store for a while
    Partition,
    /// The store is killed, and comes back empty after a while
    StoreKill,
    /// The store forgets everything
    StoreWipe,
    /// The store stands still for a while (SIGSTOP)
    StorePause,
}

impl Fault {
    /// As it is written on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Freeze => "freeze",
            Self::Stop => "stop",
            Self::Corrupt => "corrupt",
            Self::FullDisk => "full-disk",
            Self::Roll => "roll",
            Self::Partition => "partition",
            Self::StoreKill => "store-kill",
            Self::StoreWipe => "store-wipe",
            Self::StorePause => "store-pause",
        }
    }

    /// Whether it is done to the store.
    pub(crate) const fn is_of_store(self) -> bool {
        matches!(self, Self::StoreKill | Self::StoreWipe | Self::StorePause)
    }

    /// Whether it takes several servers.
    pub(crate) const fn is_of_several(self) -> bool {
        self.is_of_store() || matches!(self, Self::Roll | Self::Partition)
    }
}

/// What is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Control {
    /// The server is not killed
    NoKill,
    /// What the server had kept is taken away at each kill
    NoRestore,
    /// The newest steps that it had kept are taken away at each kill
    LoseTicks,
}

impl Control {
    /// As it is written on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NoKill => "no-kill",
            Self::NoRestore => "no-restore",
            Self::LoseTicks => "lose-ticks",
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Options::command().debug_assert();
        let options = Options::parse_from(["x", "--control", "no-restore", "--server-flag=--workers=1"]);
        assert_eq!((options.control.map(Control::name), options.kills), (Some("no-restore"), 20));
        for fault in Fault::value_variants() {
            assert_eq!(fault.to_possible_value().expect("not hidden").get_name(), fault.name());
        }
    }
}
