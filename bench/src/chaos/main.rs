//! `tickwire-chaos`: kills a supervised server under bots that check everything, again and again,
//! or one of several and what they share, and then lets a checker read what the bots wrote down.
//! `docs/SURVIVAL.md` says what it proves.

mod check;
mod cluster;
mod crowd;
mod history;
mod options;
mod page;
mod patience;
mod report;
mod run;
mod server;
mod store;

fn main() -> std::process::ExitCode {
    run::main()
}
