//! Runs many checking players against a server and says what they saw.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use arena::Arena;
use clap::Parser;
use tickwire_loadtest::player::{Ended, Played, new_histogram, play};
use tickwire_loadtest::{Api, Client};
use tickwire_protocol::Credential;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Plays many matches at once on a server and checks every snapshot.
///
/// Start the server with state hashes on: `tickwire --hash-every 1`.
#[derive(Clone, Debug, Parser)]
struct Options {
    /// The server's player address.
    #[arg(long, default_value = "127.0.0.1:8080")]
    server: SocketAddr,
    /// Players in all.
    #[arg(long, default_value_t = 500)]
    clients: usize,
    /// Matches they are spread over.
    #[arg(long, default_value_t = 32)]
    matches: usize,
    /// How long they play after all have joined.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Of the bots' choices.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("tickwire-loadtest: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> anyhow::Result<bool> {
    if options.matches == 0 || options.clients < options.matches {
        bail!("every match needs a client: {} clients over {} matches", options.clients, options.matches);
    }
    let began = Instant::now();
    let mut codes: Vec<String> = Vec::new();
    let mut players = JoinSet::new();
    let until = began + Duration::from_secs(options.seconds) + Duration::from_millis(10 * options.clients as u64);
    for index in 0..options.clients {
        let mut api = Api::new(options.server, Api::loopback_source(index));
        api.open_session(&format!("bot {index}")).await.with_context(|| format!("client {index} got no session"))?;
        let join = match codes.get(index % options.matches) {
            Some(code) => api.join(code).await,
            None => api.create("ffa", true).await,
        };
        let join = join.with_context(|| format!("client {index} got no seat"))?;
        if codes.len() < options.matches {
            codes.push(join.code.clone());
        }
        let seed = options.seed.wrapping_mul(1 << 20).wrapping_add(index as u64);
        players.spawn(async move {
            let mut client = Client::<Arena>::connect(&api, &join.ws_url).await?;
            client.hello(Credential::Ticket(join.ticket)).await?;
            anyhow::Ok(play(&mut client, seed, until).await)
        });
    }
    println!("{} clients joined {} matches in {:.1} s", options.clients, options.matches, began.elapsed().as_secs_f64());
    let mut report = Report::default();
    while let Some(played) = players.join_next().await {
        report.add(played??);
    }
    report.print();
    Ok(report.is_clean())
}

#[derive(Default)]
struct Report {
    played: Vec<Played>,
}

impl Report {
    fn add(&mut self, played: Played) {
        if let Some(Ended::Failed(error)) = &played.ended {
            eprintln!("a client failed: {error}");
        }
        self.played.push(played);
    }

    fn is_clean(&self) -> bool {
        self.played.iter().all(|played| played.ended.is_none() && played.checked == played.snapshots && played.checked > 0)
    }

    fn print(&self) {
        let sum = |figure: fn(&Played) -> u64| self.played.iter().map(figure).sum::<u64>();
        let (snapshots, checked, bytes) = (sum(|p| p.snapshots), sum(|p| p.checked), sum(|p| p.bytes));
        let mut gaps = new_histogram();
        for played in &self.played {
            if gaps.add(&played.gaps).is_err() {
                eprintln!("a client's histogram could not be added");
            }
        }
        let ms = |quantile: f64| gaps.value_at_quantile(quantile) as f64 / 1000.0;
        println!("snapshots {snapshots}, hash compared {checked}, {:.1} payload bytes each", bytes as f64 / snapshots.max(1) as f64);
        println!(
            "gap between snapshots, ms: p50 {:.1}, p99 {:.1}, p99.9 {:.1}, max {:.1}",
            ms(0.5),
            ms(0.99),
            ms(0.999),
            gaps.max() as f64 / 1000.0
        );
        let early = self.played.iter().filter_map(|played| played.ended.as_ref()).count();
        println!("clients that ended early: {early}");
        println!("{}", if self.is_clean() { "every snapshot of every client equals the server's" } else { "FAILED: see above" });
    }
}
