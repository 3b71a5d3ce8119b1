//! Many people behind one address play, while a flood from that address is refused.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread::JoinHandle;
use std::time::Duration;

use harness::Harness;
use tag::Tag;
use tickwire_game::Game;
use tickwire_testkit::script::{enter, see};
use tickwire_testkit::{Api, Client};

/// A LAN party.
const PEOPLE: usize = 60;

/// A request that is sent again and again, each time over a connection of its own, until it is told
/// to stop.
struct Flood {
    what: &'static str,
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU32>,
    refused: Arc<AtomicU32>,
    thread: Option<JoinHandle<()>>,
}

impl Flood {
    fn start(what: &'static str, server: SocketAddr, request: String) -> Self {
        let [sent, refused] = [(); 2].map(|()| Arc::new(AtomicU32::default()));
        let stop = Arc::new(AtomicBool::default());
        let (counts, until) = ((Arc::clone(&sent), Arc::clone(&refused)), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !until.load(Relaxed) {
                counts.0.fetch_add(1, Relaxed);
                counts.1.fetch_add(u32::from(status(server, &request) == Some(429)), Relaxed);
            }
        });
        Self { what, stop, sent, refused, thread: Some(thread) }
    }

    fn is_refused_mostly(&self) -> bool {
        let (sent, refused) = (self.sent.load(Relaxed), self.refused.load(Relaxed));
        refused > sent / 2
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            eprintln!("the flood of {} had panicked", self.what);
        }
    }
}

/// The status of the answer, if there is one.
fn status(server: SocketAddr, request: &str) -> Option<u16> {
    let mut stream = TcpStream::connect(server).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = [0; 12];
    stream.read_exact(&mut head).ok()?;
    std::str::from_utf8(&head).ok()?.strip_prefix("HTTP/1.1 ")?.parse().ok()
}

fn handshakes(server: SocketAddr) -> Flood {
    let head = "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
    Flood::start("handshakes", server, format!("{head}Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
}

fn post(what: &'static str, server: SocketAddr, path: &str, headers: &str, body: &str) -> Flood {
    let length = body.len();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n");
    Flood::start(what, server, format!("{head}{body}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_people_behind_one_address_play_while_a_flood_from_it_is_refused() {
    let harness = Harness::start::<Tag>(|config| {
        // What a flood does within its budget is not what this test is about: with less of it the
        // test is shorter.
        config.rates.handshakes_per_minute = 60;
        config.rates.api_calls_per_minute = 60;
    });
    let server = harness.server.play_addr();
    let here = Ipv4Addr::LOCALHOST.into();
    let guess = "Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n";
    let mut floods =
        vec![handshakes(server), post("garbage", server, "/api/session", "", "{"), post("guesses", server, "/api/quick-play", guess, "{}")];
    harness::eventually("floods that are refused", || floods.iter().all(Flood::is_refused_mostly).then_some(())).await;

    let mut people = Vec::new();
    for number in 0..PEOPLE {
        let mut person = Api::new(server, here);
        person.open_session(&format!("person {number}")).await.expect("newcomers have a budget of their own");
        people.push(person);
    }
    floods.push(post("sessions", server, "/api/session", "", r#"{"name":"flood"}"#));
    harness::eventually("a flood of sessions that is refused", || floods.iter().all(Flood::is_refused_mostly).then_some(())).await;

    let mut playing = tokio::task::JoinSet::new();
    for person in people {
        playing.spawn(async move {
            let join = person.quick_play(Tag::MODES[0].id).await.expect("a seat");
            let mut client: Client<Tag> = enter(&person, &join).await.expect("Welcome");
            see(&mut client, |_| true).await.expect("a snapshot");
            client
        });
    }
    let clients = playing.join_all().await;
    assert_eq!(clients.len(), PEOPLE);
    for flood in &floods {
        assert!(flood.is_refused_mostly(), "{} of {} {} were refused", flood.refused.load(Relaxed), flood.sent.load(Relaxed), flood.what);
    }
}
