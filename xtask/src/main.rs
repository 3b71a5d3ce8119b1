//! `cargo xtask`: the developer's commands. One file per command (`play`, `test`, `wasm`, `e2e`,
//! `loadtest`, `bench`, `abuse`, `chaos`, `fuzz`, `instructions`, `train-codec`, `bindings`,
//! `doctor`), and beneath them what they share: `console` (a line per step), `process` (running a
//! program), `machine` (which programs there are), `tools` and `apt` (what must be installed),
//! `plan` (what is said before the work), `page`, `server`.
//!
//! Invariants: every failure ends in one line that says what failed and what to do, and a non-zero
//! exit; nothing is installed that is already there and new enough; of rustup nothing is asked but
//! a target for the toolchain that is active.

mod abuse;
mod apt;
mod bench;
mod bindings;
mod chaos;
mod console;
mod doctor;
mod e2e;
mod fuzz;
mod instructions;
mod loadtest;
mod machine;
mod page;
mod plan;
mod play;
mod process;
mod server;
mod summaries;
mod supply_chain;
mod test;
mod tidy;
mod tools;
mod train_codec;
mod wasm;
mod workspace;

use clap::{CommandFactory, Parser, Subcommand};
use console::Console;
use std::process::ExitCode;

/// The developer's commands for Tickwire.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// Show what each step's programs print, not only when they fail
    #[arg(long, short, global = true)]
    verbose: bool,
    #[command(subcommand)]
    command: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build everything and start the server on this machine, page and all
    Play(play::Args),
    /// Check everything: style, types, every test, and the game in a real browser
    Test(test::Args),
    /// Build the browser module (web-client/src/generated/tickwire.wasm) and print its size
    Wasm,
    /// Run the browser tests only, against a server and page built from this checkout
    E2e(e2e::Args),
    /// Play on a server with thousands of real, checking clients, and report what they felt
    Loadtest(loadtest::Args),
    /// Attack the decoders with random bytes (needs cargo-fuzz)
    Fuzz(fuzz::Args),
    /// Count the instructions of the hot paths: encode, apply, capture, tick, decode (needs
    /// valgrind)
    Instructions,
    /// Learn from recorded matches what the delta codec should expect
    /// (games/arena/src/tables/trained.rs)
    TrainCodec,
    /// Write what the page knows of its game: constants, tables, input, questions, events
    Bindings(bindings::Args),
    /// Measure the server beside others, on this machine
    Bench(bench::Args),
    /// Attack a server while people play on it, in every way there is, and report what they felt
    Abuse(abuse::Args),
    /// Kill a server again and again while bots play on it, and report what was lost
    Chaos(chaos::Args),
    /// Write the table of limits in SECURITY.md from the code
    Limits,
    /// Check licences, sources and known weaknesses of crates and packages, or list them all (needs
    /// cargo-deny)
    SupplyChain(supply_chain::Args),
    /// Say what is installed, what is missing, and what installs it
    Doctor,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(cli.verbose);
    let result = process::watch_signals().and_then(|()| match cli.command {
        Task::Play(args) => play::run(&console, &args),
        Task::Test(args) => test::run(&console, &args, &Cli::command()),
        Task::Wasm => wasm::run(&console),
        Task::E2e(args) => e2e::run(&console, &args),
        Task::Loadtest(args) => loadtest::run(&console, &args),
        Task::Fuzz(args) => fuzz::run(&console, &args),
        Task::Instructions => instructions::run(&console),
        Task::TrainCodec => train_codec::run(&console),
        Task::Bindings(args) => bindings::run(&console, &args),
        Task::Bench(args) => bench::run(&console, &args),
        Task::Abuse(args) => abuse::run(&console, &args),
        Task::Chaos(args) => chaos::run(&console, &args),
        Task::Limits => tidy::write_limits().map(|()| ExitCode::SUCCESS),
        Task::SupplyChain(args) => supply_chain::run(&console, &args),
        Task::Doctor => Ok(doctor::run()),
    });
    match result {
        Ok(code) => code,
        Err(error) => {
            console.print_failure(&error);
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
