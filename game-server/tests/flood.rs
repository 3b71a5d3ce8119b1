//! A flood of connections pushes out itself: newcomers from elsewhere keep their places, and there
//! are never more descriptors than the caps allow.

#![cfg(target_os = "linux")] // looks into /proc, and floods from several loopback addresses
#![allow(clippy::expect_used)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use http::{connect_from, exchange, handshake_on};
use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};

const STRANGERS: usize = 100;
/// What a server has open beside its players: listeners, runtimes, standard streams, page.
const OWN: usize = 48;
/// As `http::caps` says, and one that is just being accepted.
const LEAVING: usize = 32 + 1;

/// A server in a process of its own, so that its descriptors are its own.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start() -> Self {
        let settings = ["connections.unauthenticated=100", "connections.per_address=60", "admin.enabled=false", "ops.port=0", "workers=1"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickwire"));
        command.args(["--port", "0"]).args(settings.iter().flat_map(|setting| ["--set", setting]));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a server");
        let mut said = BufReader::new(child.stdout.take().expect("standard output")).lines();
        let line = said.next().expect("a line").expect("UTF-8");
        let address = line.rsplit_once("http://").expect("an address").1.trim_end_matches('/').parse().expect("an address");
        assert!(said.next().is_some_and(|ops| ops.is_ok()), "the last line");
        Self { child, address }
    }

    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("a process").count()
    }

    fn limit_descriptors(&self, count: u64) {
        let pid = Pid::from_raw(self.child.id().cast_signed());
        // The highest one stays as it is, as here.
        let maximum = getrlimit(Resource::Nofile).maximum;
        prlimit(pid, Resource::Nofile, Rlimit { current: Some(count), maximum }).expect("a limit");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connections from eight addresses that say nothing, as many as go, until dropped.
struct Flood {
    stop: Arc<AtomicBool>,
    opened: Arc<AtomicUsize>,
    threads: Vec<JoinHandle<()>>,
}

impl Flood {
    fn of(server: SocketAddr) -> Self {
        let (stop, opened) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let flood = |host: u8| {
            let (stop, opened) = (Arc::clone(&stop), Arc::clone(&opened));
            std::thread::spawn(move || {
                let mut held = VecDeque::new();
                while !stop.load(Relaxed) {
                    held.push_back(connect_from(IpAddr::V4(Ipv4Addr::new(127, 0, 0, host)), server));
                    opened.fetch_add(1, Relaxed);
                    if held.len() > 50 {
                        held.pop_front();
                    }
                }
            })
        };
        Self { threads: (101..109).map(flood).collect(), stop, opened }
    }

    /// Waits until so many more were opened.
    fn goes_on(&self, count: usize) {
        let goal = self.opened.load(Relaxed) + count;
        while self.opened.load(Relaxed) < goal {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        self.threads.drain(..).for_each(|thread| thread.join().expect("a flood"));
    }
}

/// Says one thing after the other, with a few hundred connections of the flood in between.
fn newcomer(server: SocketAddr, host: u8, flood: &Flood) {
    let mut stream: TcpStream = connect_from(IpAddr::V4(Ipv4Addr::new(127, 0, 1, host)), server);
    flood.goes_on(3 * STRANGERS);
    stream.write_all(b"GET /api/info HTTP/1.1\r\nHost: ").expect("not pushed out");
    flood.goes_on(3 * STRANGERS);
    assert_eq!(exchange(&mut stream, format!("{server}\r\n\r\n").as_bytes()).status, 200);
    flood.goes_on(3 * STRANGERS);
    assert_eq!(handshake_on(&mut stream, server, "/ws", &[]).status, 101);
    flood.goes_on(3 * STRANGERS);
    let hello = [&[0x82, 0x80 | 2, 1, 2, 3, 4][..], &[1, 2]].concat();
    stream.write_all(&hello).expect("sent");
    let mut heard = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut heard).expect("an answer, and an end");
    assert!(String::from_utf8_lossy(&heard).contains("wrong_protocol"), "heard to the end: {heard:?}");
}

#[test]
fn newcomers_keep_their_places_and_descriptors_are_bounded() {
    let server = Server::start();
    assert!(server.descriptors() < OWN, "{} when idle", server.descriptors());
    let flood = Flood::of(server.address);
    let newcomers: Vec<_> = (1..=5u8)
        .map(|host| {
            let (address, flood) = (server.address, &flood);
            (host, address, flood)
        })
        .collect();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let most = scope.spawn(|| {
            let mut most = 0;
            while !is_over.load(Relaxed) {
                most = most.max(server.descriptors());
            }
            most
        });
        let all: Vec<_> = newcomers.into_iter().map(|(host, address, flood)| scope.spawn(move || newcomer(address, host, flood))).collect();
        let outcomes: Vec<_> = all.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Relaxed);
        let most = most.join().expect("a count");
        assert!(outcomes.iter().all(Result::is_ok), "every newcomer gets in");
        assert!(most <= STRANGERS + LEAVING + OWN, "{most} descriptors");
        assert!(most > STRANGERS, "{most}: there was a flood");
    });
}

#[test]
fn a_process_without_descriptors_still_takes_newcomers() {
    let server = Server::start();
    let flood = Flood::of(server.address);
    // The flood has taken its places, and now there are fewer than that: accepting fails.
    flood.goes_on(3 * STRANGERS);
    server.limit_descriptors(80);
    for host in 1..=5 {
        newcomer(server.address, host, &flood);
    }
}
