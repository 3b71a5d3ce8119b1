//! Trusted proxies are believed, with what they say of their clients; nobody else is.

#![allow(clippy::expect_used)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use harness::Harness;
use http::{connect, connect_from, exchange, handshake_on, is_closed_within};
use tag::Tag;
use tickwire_server::Config;
use tickwire_server::config::{ForwardingHeader, ProxyProtocol};

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 9));
const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn trusting(config: &mut Config) {
    config.proxies.trusted = vec![format!("{PROXY}")];
}

/// Opens a guest session over a connection that is kept.
fn session(stream: &mut TcpStream, headers: &str) -> u16 {
    let body = r#"{"name":"Ada"}"#;
    let request = format!(
        "POST /api/session HTTP/1.1\r\nHost: tickwire\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
        body.len()
    );
    exchange(stream, request.as_bytes()).status
}

fn v2_of(address: Ipv4Addr, command: u8) -> Vec<u8> {
    [V2, &[command, 0x11, 0, 12], &address.octets(), &[127, 0, 0, 1, 1, 0, 0, 80]].concat()
}

#[test]
fn a_strangers_header_changes_nothing() {
    let harness = Harness::start::<Tag>(|config| {
        trusting(config);
        config.rates.sessions_per_minute = 1;
    });
    let mut stranger = connect(harness.server.play_addr());
    assert_eq!(session(&mut stranger, ""), 201);
    for header in ["X-Forwarded-For: 198.51.100.7", "Forwarded: for=198.51.100.7", "X-Real-IP: 198.51.100.7"] {
        assert_eq!(session(&mut stranger, &format!("{header}\r\n")), 429, "{header}");
    }
}

#[test]
fn a_proxys_clients_are_told_apart_on_one_connection() {
    let harness = Harness::start::<Tag>(|config| {
        trusting(config);
        config.rates.sessions_per_minute = 1;
    });
    let mut proxy = connect_from(PROXY, harness.server.play_addr());
    assert_eq!(session(&mut proxy, "X-Forwarded-For: 198.51.100.7\r\n"), 201);
    assert_eq!(session(&mut proxy, "X-Forwarded-For: 198.51.100.7\r\n"), 429);
    assert_eq!(session(&mut proxy, "X-Forwarded-For: 6.6.6.6, 198.51.100.7\r\n"), 429, "what a client made up counts for nothing");
    assert_eq!(session(&mut proxy, "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 198.51.100.7\r\n"), 429);
    assert_eq!(session(&mut proxy, "Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 198.51.100.7\r\n"), 429, "nor in another header");
    assert_eq!(session(&mut proxy, "X-Forwarded-For: 198.51.100.8\r\n"), 201);
    assert_eq!(session(&mut proxy, "X-Forwarded-For: [2001:db8::1]:4711\r\n"), 201);
    assert_eq!(session(&mut proxy, "X-Forwarded-For: 6.6.6.6, unknown\r\n"), 201, "counts for the proxy itself");
    assert_eq!(session(&mut proxy, "X-Forwarded-For: 6.6.6.7, garbage\r\n"), 429, "and so does this");
    assert_eq!(session(&mut connect(harness.server.play_addr()), ""), 201, "another one");
}

#[test]
fn a_client_behind_a_proxy_has_the_connections_of_one_address_and_the_proxy_has_more() {
    let harness = Harness::start::<Tag>(|config| {
        trusting(config);
        config.connections.per_address = 2;
    });
    let address = harness.server.play_addr();
    let mut sockets: Vec<TcpStream> = Vec::new();
    for client in 0..5 {
        let mut socket = connect_from(PROXY, address);
        let forwarded = format!("198.51.100.{client}");
        assert_eq!(handshake_on(&mut socket, address, "/ws", &[("X-Forwarded-For", &forwarded)]).status, 101);
        sockets.push(socket);
    }
    let again = |headers: &[(&str, &str)]| {
        let mut socket = connect_from(PROXY, address);
        let status = handshake_on(&mut socket, address, "/ws", headers).status;
        (socket, status)
    };
    let [second, third] = [(); 2].map(|()| again(&[("X-Forwarded-For", "198.51.100.0")]));
    assert_eq!((second.1, third.1), (101, 101));
    assert!(is_closed_within(&mut sockets[0], Duration::from_secs(10)), "the client's own first one makes room");
}

#[test]
fn guesses_at_the_operators_token_count_for_the_client_of_a_proxy() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    std::fs::write(&token, "0123456789abcdef").expect("written");
    let harness = Harness::start::<Tag>(|config| {
        trusting(config);
        // Operators connect beside the proxy that sends these.
        config.proxies.protocol = ProxyProtocol::Any;
        config.admin.enabled = true;
        config.admin.port = Some(0);
        config.admin.token_file = Some(token.clone());
    });
    let mut proxy = connect_from(PROXY, harness.server.admin_addr().expect("operators"));
    let mut present = |token: &str, client: &str| {
        let head = format!(
            "GET /admin/api/overview HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nX-Forwarded-For: {client}\r\n\r\n"
        );
        exchange(&mut proxy, head.as_bytes()).status
    };
    for _ in 0..10 {
        assert_eq!(present("wrong-wrong-wrong", "198.51.100.7"), 401);
    }
    assert_eq!(present("wrong-wrong-wrong", "198.51.100.7"), 429);
    assert_eq!(present("wrong-wrong-wrong", "6.6.6.6, 198.51.100.7"), 429, "whatever it makes up");
    assert_eq!(present("wrong-wrong-wrong", "198.51.100.8"), 401, "others are heard");
}

fn speaking(protocol: ProxyProtocol) -> Harness {
    Harness::start::<Tag>(|config| {
        trusting(config);
        config.proxies.protocol = protocol;
        config.connections.header_ms = 1_000;
        config.rates.sessions_per_minute = 1;
    })
}

/// Through a proxy that sends `header` and then passes its client's bytes on.
fn through(server: SocketAddr, header: &[u8]) -> TcpStream {
    let mut stream = connect_from(PROXY, server);
    // What it did not take is what the test is about.
    let _ = stream.write_all(header);
    stream
}

#[test]
fn a_proxy_header_names_the_client_in_either_version() {
    let harness = speaking(ProxyProtocol::Any);
    let address = harness.server.play_addr();
    let text = b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 80\r\n";
    assert_eq!(session(&mut through(address, text), ""), 201);
    assert_eq!(session(&mut through(address, text), ""), 429);
    assert_eq!(session(&mut through(address, &v2_of(Ipv4Addr::new(198, 51, 100, 7), 0x21)), ""), 429, "the same client");
    assert_eq!(session(&mut through(address, &v2_of(Ipv4Addr::new(198, 51, 100, 8), 0x21)), ""), 201);
    assert_eq!(session(&mut through(address, &v2_of(Ipv4Addr::new(198, 51, 100, 8), 0x21)), "X-Forwarded-For: 6.6.6.6\r\n"), 429);
    let long = [V2, &[0x21, 0x11, 4, 0, 198, 51, 100, 9, 127, 0, 0, 1, 1, 0, 0, 80], &[0; 1_012]].concat();
    assert_eq!(session(&mut through(address, &long), ""), 201, "with much else in it");
}

#[test]
fn not_a_byte_of_what_follows_is_lost_however_the_header_comes() {
    let harness = speaking(ProxyProtocol::Any);
    let address = harness.server.play_addr();
    let headers = [b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 80\r\n".to_vec(), v2_of(Ipv4Addr::new(198, 51, 100, 7), 0x21)];
    for header in headers {
        let whole = [&header[..], b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"].concat();
        assert_eq!(exchange(&mut connect_from(PROXY, address), &whole).status, 200);
        let mut slow = connect_from(PROXY, address);
        slow.set_nodelay(true).expect("at once");
        for byte in &whole {
            slow.write_all(&[*byte]).expect("sent");
        }
        assert_eq!(http::read_answer(&mut slow).status, 200);
    }
}

#[test]
fn a_proxy_that_speaks_for_itself_is_answered() {
    let harness = speaking(ProxyProtocol::Any);
    let address = harness.server.play_addr();
    for header in [v2_of(Ipv4Addr::new(6, 6, 6, 6), 0x20), [V2, &[0x20, 0, 0, 0]].concat(), b"PROXY UNKNOWN\r\n".to_vec()] {
        let mut check = through(address, &header);
        assert_eq!(exchange(&mut check, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status, 200);
    }
}

#[test]
fn a_header_that_is_missing_late_or_a_strangers_ends_the_connection() {
    let v2 = v2_of(Ipv4Addr::new(198, 51, 100, 7), 0x21);
    let v1 = b"PROXY TCP4 198.51.100.7 127.0.0.1 4711 80\r\n".to_vec();
    let closed = |mut stream: TcpStream, bytes: &[u8]| {
        stream.write_all(bytes).expect("sent");
        is_closed_within(&mut stream, Duration::from_secs(10))
    };
    let plain = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    let harness = speaking(ProxyProtocol::V2);
    let address = harness.server.play_addr();
    assert!(closed(connect_from(PROXY, address), plain), "missing");
    assert!(closed(connect_from(PROXY, address), &v1), "of the other version");
    assert!(closed(connect_from(PROXY, address), &v2[..20]), "late");
    assert!(closed(connect_from(PROXY, address), b""), "nothing at all");
    assert!(closed(connect(address), &[&v2[..], plain].concat()), "a stranger's");
    assert!(closed(connect(address), &v1), "a stranger's");
    assert_eq!(exchange(&mut connect(address), plain).status, 200, "without one a stranger is served");
    let rejects = http::get(harness.server.ops_addr(), "/metrics").text();
    assert!(rejects.contains(r#"tickwire_connection_rejects_total{cause="proxy_header"}"#), "{rejects}");

    let off = speaking(ProxyProtocol::Off);
    assert!(closed(connect_from(PROXY, off.server.play_addr()), &v2), "nobody is told to send one");
}

#[test]
fn whom_a_proxy_connects_for_has_the_connections_of_one_address() {
    let harness = Harness::start::<Tag>(|config| {
        trusting(config);
        config.proxies.protocol = ProxyProtocol::V2;
        config.proxies.header = ForwardingHeader::None;
        config.connections.per_address = 1;
    });
    let address = harness.server.play_addr();
    let healthz = |stream: &mut TcpStream| exchange(stream, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").status;
    let [mut first, mut other] = [7, 8].map(|last| through(address, &v2_of(Ipv4Addr::new(198, 51, 100, last), 0x21)));
    assert_eq!((healthz(&mut first), healthz(&mut other)), (200, 200));
    let mut second = through(address, &v2_of(Ipv4Addr::new(198, 51, 100, 7), 0x21));
    assert_eq!(healthz(&mut second), 200);
    assert!(is_closed_within(&mut first, Duration::from_secs(10)), "it made room");
    assert_eq!(healthz(&mut other), 200, "others did not");
}
