//! `tickwire-abuse`: every attack of SECURITY.md against a fresh server with people playing on it.
//!
//! Each attack is a trial of its own: a server starts, honest players join, peace is measured, then
//! the attack, then what is left of it. `SECURITY.md` says what the figures mean.

mod attack;
mod attacks;
mod honest;
mod report;
mod server;
mod trial;
mod wire;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use tickwire_bench::checkout;
use tickwire_bench::stop::Stopped;

use attack::Attack;
use report::Report;
use trial::Plan;

/// Attacks a Tickwire server while people play on it, and says what they felt.
#[derive(Parser)]
#[command(name = "tickwire-abuse", max_term_width = 100)]
struct Options {
    /// Only these attacks, separated by commas; `a+b` are two at once [default: all, then three at once]
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    attacks: Vec<String>,
    /// List the attacks and what they do
    #[arg(long)]
    list: bool,
    /// Honest players, each with an address of its own
    #[arg(long, default_value_t = 240, value_name = "N")]
    players: usize,
    /// How long each attack goes on, and how long peace is measured before it
    #[arg(long, default_value_t = 8.0, value_name = "S")]
    seconds: f64,
    /// Serve and attack over TLS
    #[arg(long)]
    tls: bool,
    /// Go on with random attacks, three at once, for so many minutes
    #[arg(long, value_name = "MINUTES")]
    soak: Option<f64>,
    /// Write the findings here
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Write the table into the marked part of this page
    #[arg(long, value_name = "PATH")]
    docs: Option<PathBuf>,
    /// The server's binary; default: `tickwire` beside this program
    #[arg(long, value_name = "FILE")]
    tickwire: Option<PathBuf>,
    /// A further flag for the server, such as --server-flag=--transport=portable; may be repeated
    #[arg(long, value_name = "FLAG", allow_hyphen_values = true)]
    server_flag: Vec<String>,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("tickwire-abuse: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<ExitCode> {
    if options.list {
        for attack in attacks::all(options.tls) {
            println!("{:16} {}", attack.name, attack.what);
        }
        return Ok(ExitCode::SUCCESS);
    }
    tickwire_testkit::descriptors::provide(DESCRIPTORS_WANTED);
    let trials = trials(options)?;
    let scratch = tempfile::tempdir().context("no temporary folder")?;
    let binary = checkout::tickwire(options.tickwire.clone())?;
    let mut flags = options.server_flag.clone();
    if options.tls {
        flags.push("--tls-self-signed".to_owned());
    }
    let window = Duration::from_secs_f64(options.seconds);
    let plan = Plan { binary, scratch: scratch.path().to_owned(), flags, players: options.players, window };
    let mut report = Report::new(options.players, options.seconds, options.tls);
    for (nth, attacks) in trials.iter().enumerate() {
        let names: Vec<_> = attacks.iter().map(|attack| attack.name).collect();
        eprint!("{:3} of {}: {:40}", nth + 1, trials.len(), names.join("+"));
        match trial::run(&plan, attacks) {
            Ok(finding) => {
                eprintln!("{}", report::line(&finding));
                report.findings.push(finding);
            }
            Err(error) if error.is::<Stopped>() => {
                eprintln!();
                return Err(error);
            }
            Err(error) => {
                eprintln!("FAILED: {error:#}");
                report.failures.push(format!("{}: {error:#}", names.join("+")));
            }
        }
    }
    if let Some(path) = &options.json {
        fs::write(path, serde_json::to_string_pretty(&report)? + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some(path) = &options.docs {
        report.write_into(path)?;
    }
    println!("\n{}", report.summary());
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is done to the server, trial by trial.
fn trials(options: &Options) -> Result<Vec<Vec<Attack>>> {
    let all = attacks::all(options.tls);
    let named = |name: &str| {
        all.iter().find(|attack| attack.name == name).copied().with_context(|| format!("no attack is called `{name}`: see --list"))
    };
    if let Some(minutes) = options.soak {
        // Each with its quiet time, its attack and its recovery.
        let count = (minutes * 60.0 / (2.0 * options.seconds + 8.0)).ceil() as usize;
        return Ok((0..count.max(1)).map(|nth| three(&all, nth)).collect());
    }
    if !options.attacks.is_empty() {
        return options.attacks.iter().map(|names| names.split('+').map(named).collect()).collect();
    }
    let alone = all.iter().map(|attack| vec![*attack]);
    let together = (0..=all.len() / 3).map(|nth| three(&all, nth));
    Ok(alone.chain(together).collect())
}

/// Three attacks from different parts of the list. In the first `all.len() / 3 + 1` every attack
/// takes part; from then on others meet.
fn three(all: &[Attack], nth: usize) -> Vec<Attack> {
    let count = all.len();
    let in_round = count / 3 + 1;
    let strides: Vec<usize> = (count / 3..count).filter(|stride| greatest_divisor(*stride, count) == 1).collect();
    let stride = strides.get(nth / in_round % strides.len().max(1)).copied().unwrap_or(1);
    (0..3).filter_map(|part| all.get((nth % in_round * 3 + part) * stride % count).copied()).collect()
}

/// One for each player and newcomer, and for each connection of the attackers.
const DESCRIPTORS_WANTED: u64 = 16_384;

/// The greatest number that divides both.
fn greatest_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_at_once_are_three_and_every_attack_takes_part() {
        for all in [attacks::all(false), attacks::all(true)] {
            let mut seen = std::collections::BTreeSet::new();
            for nth in 0..=all.len() / 3 {
                let names: std::collections::BTreeSet<_> = three(&all, nth).iter().map(|attack| attack.name).collect();
                assert_eq!(names.len(), 3, "{names:?}");
                seen.extend(names);
            }
            assert_eq!(seen.len(), all.len());
        }
    }

    #[test]
    fn what_is_asked_for_is_tried() {
        let options = Options::parse_from(["x", "--attacks", "silent,pings+royale"]);
        let names: Vec<Vec<_>> =
            trials(&options).expect("known").iter().map(|trial| trial.iter().map(|attack| attack.name).collect()).collect();
        assert_eq!(names, [vec!["silent"], vec!["pings", "royale"]]);
        assert!(trials(&Options::parse_from(["x", "--attacks", "none"])).is_err());
    }
}
