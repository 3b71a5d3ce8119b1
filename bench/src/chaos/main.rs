//! `tickwire-chaos`: kills a supervised server under bots that check everything, again and again, or
//! one of several and what they share, and then lets a checker read what the bots wrote down. `docs/SURVIVAL.md` says what it proves.

#[cfg(unix)]
mod check;
#[cfg(unix)]
mod cluster;
#[cfg(unix)]
mod crowd;
#[cfg(unix)]
mod history;
#[cfg(unix)]
mod options;
#[cfg(unix)]
mod page;
#[cfg(unix)]
mod patience;
#[cfg(unix)]
mod report;
#[cfg(unix)]
mod run;
#[cfg(unix)]
mod server;
#[cfg(unix)]
mod store;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    run::main()
}

/// Nobody can be killed here as it is done there.
#[cfg(not(unix))]
fn main() -> std::process::ExitCode {
    eprintln!("tickwire-chaos: this runs on Linux and macOS only: it ends processes by signals");
    std::process::ExitCode::FAILURE
}
