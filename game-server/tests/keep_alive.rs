//! Connections between requests: kept for longer than a proxy keeps them, given up for whoever
//! comes next, and no hiding place.

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use harness::Harness;
use http::{connect, exchange, get, is_closed_within, read_answer};
use tag::Tag;
use tickwire_server::Config;

const PATIENCE: Duration = Duration::from_secs(20);

fn ask(stream: &mut TcpStream, address: SocketAddr) -> u16 {
    exchange(stream, format!("GET /api/info HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).status
}

#[test]
fn proxies_keep_connections_for_a_minute_and_the_server_for_longer() {
    assert!(Config::default().connections.idle_ms >= 75_000);
}

#[test]
fn a_connection_outlives_the_deadline_of_a_head_between_requests() {
    let harness = Harness::start::<Tag>(|config| config.connections.header_ms = 100);
    let address = harness.server.play_addr();
    let mut stream = connect(address);
    for _ in 0..3 {
        assert_eq!(ask(&mut stream, address), 200);
        std::thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(ask(&mut stream, address), 200);
}

#[test]
fn a_connection_opened_in_advance_is_kept_too() {
    let harness = Harness::start::<Tag>(|config| config.connections.header_ms = 100);
    let mut stream = connect(harness.server.play_addr());
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(ask(&mut stream, harness.server.play_addr()), 200);
}

#[test]
fn an_idle_connection_is_closed_at_last() {
    let harness = Harness::start::<Tag>(|config| {
        config.connections.idle_ms = 200;
        config.connections.header_ms = 100;
    });
    let address = harness.server.play_addr();
    let (mut used, mut unused) = (connect(address), connect(address));
    assert_eq!(ask(&mut used, address), 200);
    assert!(is_closed_within(&mut used, PATIENCE) && is_closed_within(&mut unused, PATIENCE));
}

#[test]
fn a_head_that_is_never_whole_is_cut_off_on_a_kept_connection_as_on_a_new_one() {
    let harness = Harness::start::<Tag>(|config| config.connections.header_ms = 200);
    let address = harness.server.play_addr();
    let mut kept = connect(address);
    assert_eq!(ask(&mut kept, address), 200);
    for mut stream in [kept, connect(address)] {
        let trickled = (0..1_000).position(|_| {
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(b"G").is_err()
        });
        assert!(trickled.is_some(), "the server closed");
    }
}

#[test]
fn a_request_sent_in_advance_is_answered_in_turn() {
    let harness = Harness::start::<Tag>(|_| ());
    let address = harness.server.play_addr();
    let mut stream = connect(address);
    let request = format!("GET /api/info HTTP/1.1\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.repeat(3).as_bytes()).expect("sent");
    assert!((0..3).all(|_| read_answer(&mut stream).status == 200));
}

#[test]
fn sixty_browsers_behind_one_address_get_in_and_their_idle_connections_make_room() {
    let harness = Harness::start::<Tag>(|config| {
        config.connections.per_address = 100;
        config.rates.reads_per_minute = 0;
    });
    let address = harness.server.play_addr();
    let mut browsers: Vec<Vec<TcpStream>> = Vec::new();
    for _ in 0..60 {
        // Six connections each, as browsers open for one page, all kept.
        let mut connections: Vec<TcpStream> = (0..6).map(|_| connect(address)).collect();
        assert!(connections.iter_mut().all(|connection| ask(connection, address) == 200));
        browsers.push(connections);
    }
    let closed = browsers.iter_mut().flatten().map(|stream| is_closed_within(stream, Duration::from_millis(1)));
    let kept = closed.filter(|is_closed| !is_closed).count();
    assert_eq!(kept, 100, "no more than the cap, and the newest");
    assert_eq!(get(address, "/api/info").status, 200);
}
