//! What a commit costs: prints the nanoseconds of appending 200 bytes and committing them, in each
//! mode, on the disk of a directory.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tickwire_journal::{Background, Disk, Durability, Journal, Options, StreamKey, lock, recover};

const HELP: &str = "\
What appending 200 bytes and committing them costs in each mode, in nanoseconds.

usage: cost [--dir DIR] [--commits N]

  --dir DIR     where to write; its disk is what is measured. Default: a new one among temporary files
  --commits N   commits for each mode; the mode that waits for the disk does a hundredth. Default: 100000

A commit of one record is what a worker with one match does in a tick; a worker with more puts them
into the same commit. Run it with `cargo run --release -p tickwire-journal --example cost`.
";

fn main() -> std::io::Result<()> {
    let mut dir = std::env::temp_dir().join(format!("tickwire-journal-cost-{}", std::process::id()));
    let mut commits = 100_000_usize;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match (argument.as_str(), arguments.next()) {
            ("--dir", Some(value)) => dir = PathBuf::from(value),
            ("--commits", Some(value)) if value.parse::<usize>().is_ok_and(|number| number >= 100) => {
                commits = value.parse().unwrap_or(commits);
            }
            ("--help" | "-h", _) => return std::io::stdout().write_all(HELP.as_bytes()),
            _ => {
                eprint!("{HELP}");
                std::process::exit(2);
            }
        }
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:10} {:>10} {:>10} {:>10} {:>10}", "mode", "mean ns", "p50", "p99", "p99.9")?;
    for (durability, commits) in [(Durability::Process, commits), (Durability::Second, commits), (Durability::Tick, commits / 100)] {
        let dir = dir.join(format!("{durability:?}").to_lowercase());
        let mut times = measure(&dir, durability, commits)?;
        times.sort_unstable();
        let mean = times.iter().sum::<Duration>().as_nanos() / times.len().max(1) as u128;
        let at = |share: f64| times.get((times.len() as f64 * share) as usize).map_or(0, Duration::as_nanos);
        writeln!(out, "{:10} {mean:>10} {:>10} {:>10} {:>10}", format!("{durability:?}"), at(0.5), at(0.99), at(0.999))?;
        std::fs::remove_dir_all(&dir)?;
    }
    Ok(())
}

fn measure(dir: &Path, durability: Durability, commits: usize) -> std::io::Result<Vec<Duration>> {
    let _lock = lock(dir).map_err(std::io::Error::other)?;
    let options = Options { dir: dir.to_path_buf(), durability, segment_bytes: 64 << 20, build: 0 };
    let mut journal = Journal::open(Disk, options, recover(&Disk, dir)?.epoch, 0);
    let _background = Background::start(vec![journal.syncer()], Duration::from_secs(1))?;
    let key = StreamKey([1; 16]);
    journal.checkpoint(key, &[0; 4096]);
    journal.commit();
    let step = [7; 200];
    let mut times = Vec::with_capacity(commits);
    for number in 0..commits {
        let start = Instant::now();
        journal.append(key, &step);
        journal.commit();
        times.push(start.elapsed());
        if number % 64 == 0 {
            journal.tidy(8);
        }
    }
    Ok(times)
}
