//! When ticks start, and how soon an input is seen by others: `cargo run --release -p
//! tickwire-server --example tick_timing -- [lateness|reaction] [repeats] [seconds] [load]`.
//!
//! **lateness**: one worker with as many matches of sixteen as take `load` percent of a core, 80 if
//! not said, a client in each that sends an input per tick. Beside it, in the same seconds, a
//! thread that has the same deadlines and does nothing but sleep until them. The goal is a ratio of
//! 1.2 at p99.9.
//!
//! **reaction**: two clients of one match on loopback. One sends, at a random moment, an input
//! meant for the very next tick; counted is the time, in ticks, until the other has the snapshot
//! that shows it. The goal is 0.6 at p50 and 1.1 at p99.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use arena::{Arena, Input};
use hdrhistogram::Histogram;
use tickwire_game::{Game, Predict, Rng};
use tickwire_protocol::codec::encode;
use tickwire_protocol::text::Name;
use tickwire_protocol::{ClientMessage, InputSeq, Secret, Tick};
use tickwire_server::config::TransportKind;
use tickwire_server::config::{HeadroomConfig, MatchConfig, SessionConfig};
use tickwire_server::matches::stats::{MICROS_MAX, Timings};
use tickwire_server::matches::{Command, Directory, MatchHandle, MatchRequest, PlayerKey, Reservation, Settings, worker};
use tickwire_server::secrets::hash;
use tickwire_server::transport::Socket;
use tickwire_server::{Config, Server};
use tickwire_testkit::script::{enter, see};
use tickwire_testkit::{Api, Client, Heard};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};

/// How often the number of matches comes closer to the load that is asked for. A worker that others
/// crowd out never gets there.
const LOOKS: usize = 3;
/// How long each look at the load takes.
const LOOK: Duration = Duration::from_secs(2);
const INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / 30);
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let what = arguments.first().map_or("lateness", String::as_str);
    let number = |index: usize, default: u64| arguments.get(index).map_or(Ok(default), |text| text.parse());
    let (repeats, window) = (number(1, 5)?, Duration::from_secs(number(2, 10)?));
    match what {
        "lateness" => lateness(repeats, window, number(3, 80)? as f64 / 100.0),
        "reaction" => reaction(repeats, window),
        _ => bail!("lateness or reaction"),
    }
}

/// Microseconds, as exact as the server's own.
fn histogram() -> Result<Histogram<u64>> {
    Ok(Histogram::new_with_bounds(1, MICROS_MAX, 1)?)
}

fn at(times: &Histogram<u64>) -> [f64; 4] {
    QUANTILES.map(|quantile| times.value_at_quantile(quantile) as f64)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn lateness(repeats: u64, window: Duration, wanted: f64) -> Result<()> {
    let clients = tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_name("clients").enable_all().build()?;
    let matches = MatchConfig { bots_fill: Some(16), countdown_seconds: 0, live_seconds: 1_000_000, ..MatchConfig::default() };
    let (handle, _thread) = worker::spawn::<Arena>(0, SessionConfig::default(), matches, HeadroomConfig::NONE, None, None)?;
    let directory = Directory::new(Arena::MODES.into(), vec![handle], 10_000, None);
    let mut all = Vec::new();
    let mut count = 40;
    for _ in 0..LOOKS {
        while all.len() < count {
            all.push(clients.block_on(add_match(&directory))?);
        }
        std::thread::sleep(LOOK / 2);
        let load = load_of("worker-0", LOOK)?;
        eprintln!("{count} matches: {:.0} % of a core", 100.0 * load);
        count = (all.len() as f64 * wanted / load) as usize;
    }
    println!("{} matches of sixteen on one worker; {repeats} times {} s; µs after the deadline", all.len(), window.as_secs());
    println!("{:>12} {:>9} {:>9} {:>9} {:>9}   load", "", "p50", "p90", "p99", "p99.9");
    let mut ratios = Vec::new();
    for _ in 0..repeats {
        let before: Vec<Timings> = all.iter().map(|handle| handle.info.stats.timings()).collect();
        let sleeper = std::thread::spawn({
            let count = all.len();
            move || sleep_only(count, window)
        });
        let load = load_of("worker-0", window)?;
        let bare = sleeper.join().map_err(|_| anyhow::anyhow!("the sleeper panicked"))??;
        let mut ticks = histogram()?;
        for (handle, before) in all.iter().zip(before) {
            let mut since = handle.info.stats.timings().lateness;
            since.subtract(before.lateness)?;
            since.iter_recorded().for_each(|step| ticks.saturating_record_n(step.value_iterated_to(), step.count_at_value().into()));
        }
        let (ours, bare) = (at(&ticks), at(&bare));
        let ratio = std::array::from_fn(|index| ours[index] / bare[index]);
        for (name, values) in [("ticks", ours), ("bare sleep", bare)] {
            println!("{name:>12} {:>9.0} {:>9.0} {:>9.0} {:>9.0}   {:.0} %", values[0], values[1], values[2], values[3], 100.0 * load);
        }
        ratios.push(ratio);
    }
    let [p50, p90, p99, p999] = std::array::from_fn(|index| median(ratios.iter().map(|ratio: &[f64; 4]| ratio[index]).collect()));
    println!("{:>12} {p50:>9.2} {p90:>9.2} {p99:>9.2} {p999:>9.2}   medians of {repeats}", "ratio");
    // The runtime's threads and the worker end with the process.
    std::process::exit(0)
}

/// A match with fifteen bots and a client that sends an input per tick and reads and discards what
/// comes.
async fn add_match(directory: &Arc<Directory>) -> Result<MatchHandle> {
    let handle = directory.create(MatchRequest::new("ffa", Settings::PRIVATE))?;
    let (owner, ticket, until) = (PlayerKey([1; 32]), Secret([1; 16]), Instant::now() + Duration::from_mins(1));
    let reservation = Reservation { owner, name: Name::truncated("player"), ticket: hash(ticket), until, own_only: false, sign_in: None };
    let player = handle.reserve(reservation).await?.player;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let (mut client, accepted) = (TcpStream::connect(listener.local_addr()?).await?, listener.accept().await?.0);
    client.set_nodelay(true)?;
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let socket = Box::new(Socket::over_tcp(TransportKind::BEST, accepted, Vec::new(), peer, ()).await);
    if handle.send(Command::Attach { player, ticket: hash(ticket), socket }).is_err() {
        bail!("the match takes no commands");
    }
    let info = Arc::clone(&handle.info);
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(INTERVAL);
        let mut ignored = [0; 4096];
        for seq in 1.. {
            interval.tick().await;
            let tick = Tick(info.stats.tick.load(Relaxed)).plus(2);
            let input = Input { move_x: 100, aim: (seq as u16) << 8, buttons: Input::FIRE, ..Input::default() };
            let payload = encode(&ClientMessage::Input { seq: InputSeq(seq), tick, input });
            // A binary frame, masked with zeroes.
            let header = [0x82, 0x80 | payload.len() as u8, 0, 0, 0, 0];
            if client.write_all(&[&header[..], &payload].concat()).await.is_err() {
                return;
            }
            while client.try_read(&mut ignored).is_ok_and(|count| count > 0) {}
        }
    });
    Ok(handle)
}

/// How much of a core the thread `name` of this process uses over the next `window`.
fn load_of(name: &str, window: Duration) -> Result<f64> {
    let tasks = fs::read_dir("/proc/self/task")?.filter_map(Result::ok).map(|entry| entry.path());
    let mut named = tasks.filter(|path| fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name));
    let path = named.next().context("no such thread")?.join("schedstat");
    let used = || -> Result<u64> {
        let text = fs::read_to_string(&path)?;
        Ok(text.split(' ').next().context("no CPU time")?.parse()?)
    };
    let (before, began) = (used()?, Instant::now());
    std::thread::sleep(window);
    Ok((used()? - before) as f64 / began.elapsed().as_nanos() as f64)
}

/// Sleeps until each of the deadlines that `count` matches have: spread over the interval as the
/// worker spreads them.
fn sleep_only(count: usize, window: Duration) -> Result<Histogram<u64>> {
    let mut offsets: Vec<Duration> =
        (0..count as u32).map(|nth| INTERVAL.mul_f64(f64::from(nth.wrapping_mul(0x9e37_79b9)) / 4_294_967_296.0)).collect();
    offsets.sort_unstable();
    let mut late = histogram()?;
    let began = Instant::now();
    for round in 0.. {
        for offset in &offsets {
            let deadline = began + INTERVAL * round + *offset;
            std::thread::sleep(deadline.saturating_duration_since(Instant::now()));
            late.saturating_record((deadline.elapsed().as_micros() as u64).max(1));
        }
        if began.elapsed() >= window {
            break;
        }
    }
    Ok(late)
}

fn reaction(repeats: u64, window: Duration) -> Result<()> {
    let mut config = Config { port: 0, workers: 1, ..Config::default() };
    config.admin.enabled = false;
    config.matches.bots_fill = Some(16);
    config.matches.countdown_seconds = 0;
    let server = Server::start::<Arena>(config)?;
    let clients = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!("an input that comes at a random moment and is meant for the next tick, until another client has it; ticks");
    println!("{:>12} {:>9} {:>9} {:>9} {:>9}   inputs   in a later tick", "", "p50", "p90", "p99", "p99.9");
    clients.block_on(async {
        for _ in 0..repeats {
            let mut ada = Api::new(server.play_addr(), Api::loopback_source(0));
            ada.open_session("Ada").await?;
            let mut bob = Api::new(server.play_addr(), Api::loopback_source(1));
            bob.open_session("Bob").await?;
            let first = ada.create("ffa", true).await?;
            let second = bob.join(&first.code).await?;
            let (ada, bob) = (enter::<Arena>(&ada, &first).await?, enter::<Arena>(&bob, &second).await?);
            let (times, later) = react(ada, bob, window).await?;
            let [p50, p90, p99, p999] = at(&times).map(|micros| micros / INTERVAL.as_micros() as f64);
            println!("{:>12} {p50:>9.2} {p90:>9.2} {p99:>9.2} {p999:>9.2}   {:>6}   {later}", "reaction", times.len());
        }
        Ok(())
    })
}

/// Ada turns to another direction again and again, and Bob waits until he sees it. Also says how
/// often it was not in the tick it was meant for.
async fn react(mut ada: Client<Arena>, mut bob: Client<Arena>, window: Duration) -> Result<(Histogram<u64>, u64)> {
    let me = ada.player().context("a seat")?;
    let (mut times, mut later) = (Histogram::new_with_bounds(1, MICROS_MAX, 3)?, 0);
    let mut random = Rng::new(1);
    let until = Instant::now() + window;
    see(&mut bob, |view| Arena::body(view, me).is_some()).await?;
    let stop = AtomicBool::new(false);
    let mut aim = 0u16;
    while Instant::now() < until && !stop.load(Relaxed) {
        // A random moment, some ticks on; meanwhile both read what comes.
        let moment = tokio::time::Instant::now() + INTERVAL.mul_f64(1.0 + 2.0 * random.below(1 << 20) as f64 / f64::from(1 << 20));
        let newest = loop {
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(moment) => break ada.view().context("a view")?.tick,
                heard = ada.next() => drop(heard?),
                heard = bob.next() => drop(heard?),
            }
        };
        aim = (aim + 97) % 1024;
        let sent = Instant::now();
        ada.input(newest.next(), Input { aim: aim << 6, ..Input::default() }).await?;
        let shown = loop {
            let heard = tokio::select! {
                biased;
                heard = bob.next() => heard?,
                heard = ada.next() => {
                    heard?;
                    continue;
                }
            };
            let Heard::Snapshot(tick) = heard else { continue };
            match bob.view().and_then(|view| Arena::body(view, me)) {
                Some(body) if body.aim == aim => break Some(tick),
                Some(_) if tick.since(newest) < 30 => {}
                // Dead: nothing can be seen.
                _ => break None,
            }
        };
        if let Some(tick) = shown {
            times.saturating_record(sent.elapsed().as_micros() as u64);
            later += u64::from(tick != newest.next());
        } else {
            see(&mut bob, |view| Arena::body(view, me).is_some()).await?;
        }
    }
    Ok((times, later))
}
