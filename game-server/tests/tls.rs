//! The players' listener over TLS: a match is played with every snapshot checked, certificates are
//! renewed while somebody plays, and whoever does not shake hands properly costs little.

#![allow(clippy::expect_used, clippy::panic)] // helpers of tests: failing by panicking is their work

#[path = "common/harness.rs"]
mod harness;
#[path = "common/http.rs"]
mod http;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use harness::{Harness, eventually};
use http::{connect, connect_from, exchange, is_closed_within};
use rcgen::{CertificateParams, KeyPair};
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};
use sha2::{Digest, Sha256};
use tag::Tag;
use tickwire_game::Game;
use tickwire_protocol::{ClientMessage, Credential};
use tickwire_server::Config;
use tickwire_server::config::TransportChoice;
use tickwire_testkit::http_stream::Reading;
use tickwire_testkit::line::{Line, Trust};
use tickwire_testkit::target::Endpoint;
use tickwire_testkit::{Api, Client, Heard, Join, script};
use tokio::io::AsyncWriteExt;

const PATIENCE: Duration = Duration::from_secs(20);
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

fn secure(adjust: impl FnOnce(&mut Config)) -> Harness {
    Harness::start::<Tag>(|config| {
        config.tls.self_signed = true;
        adjust(config);
    })
}

/// A client that believes anybody.
fn anyone() -> Arc<ClientConfig> {
    Arc::clone(Trust::anyone().expect("a client").config())
}

/// A connection on which nothing was said yet.
fn connection(server: SocketAddr, config: &Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
    let name = ServerName::try_from("localhost").expect("a name");
    StreamOwned::new(ClientConnection::new(Arc::clone(config), name).expect("a client"), connect(server))
}

/// After a handshake, with what TLS 1.3 says after it.
fn shaken(server: SocketAddr, config: &Arc<ClientConfig>) -> std::io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let mut stream = connection(server, config);
    write!(stream, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut answer = [0; 4096];
    let read = stream.read(&mut answer)?;
    assert!(answer[..read].starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer[..read]));
    Ok(stream)
}

/// A guest who comes over TLS.
async fn guest(harness: &Harness, index: usize, trust: &Trust) -> Api {
    let place = Endpoint::at(harness.server.play_addr()).secured(Some(trust.clone()));
    let mut api = Api::to(place, Api::loopback_source(index));
    api.open_session(&format!("player {index}")).await.expect("a guest session");
    api
}

/// Two players in a match of their own.
async fn pair(harness: &Harness, trust: &Trust) -> (Client<Tag>, Client<Tag>, Join) {
    let (ada, bob) = (guest(harness, 0, trust).await, guest(harness, 1, trust).await);
    let first = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let second = bob.join(&first.code).await.expect("a seat");
    let ada = script::enter(&ada, &first).await.expect("Welcome");
    let bob = script::enter(&bob, &second).await.expect("Welcome");
    (ada, bob, first)
}

/// Plays on for so many snapshots, each of them checked.
async fn play_on(client: &mut Client<Tag>, snapshots: usize) {
    let before = client.traffic();
    for _ in 0..snapshots {
        script::hear(client, |heard| matches!(heard, Heard::Snapshot(_)).then_some(())).await.expect("it goes on");
    }
    let after = client.traffic();
    assert_eq!(after.checked - before.checked, after.snapshots - before.snapshots, "each is the server's");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_websockets_are_blocked_a_match_is_played_over_http_inside_tls() {
    let harness = secure(|_| {});
    let trust = Trust::anyone().expect("a client");
    let ada = guest(&harness, 0, &trust).await;
    let join = ada.create(Tag::MODES[0].id, true).await.expect("a match");
    let mut credential = Credential::Ticket(join.ticket);
    for reading in [Reading::Stream, Reading::Poll] {
        let mut client = Client::<Tag>::connect_over_http(&ada, &join.ws_url, reading).await.expect("connected");
        client.hello(credential).await.expect("sent");
        script::hear(&mut client, |heard| matches!(heard, Heard::Welcome(_)).then_some(())).await.expect("Welcome");
        client.send(ClientMessage::Ping { client_time_ms: 1 }).await.expect("sent");
        script::hear(&mut client, |heard| matches!(heard, Heard::Pong(_)).then_some(())).await.expect("an answer");
        let tick = script::see(&mut client, |_| true).await.expect("a snapshot");
        script::see(&mut client, |view| view.tick.since(tick) > 30).await.expect("it goes on");
        let traffic = client.traffic();
        assert_eq!(traffic.checked, traffic.snapshots, "{reading:?}");
        credential = client.resume_credential().expect("a token");
    }
    let mut client: Client<Tag> = script::resume(&ada, &join.ws_url, credential).await.expect("and over a WebSocket");
    script::see(&mut client, |_| true).await.expect("a snapshot");
}

#[tokio::test]
async fn a_match_is_played_over_both_versions_and_every_transport() {
    for transport in [TransportChoice::Auto, TransportChoice::Portable] {
        for version in [&TLS13, &TLS12] {
            let harness = secure(|config| config.transport = transport);
            let trust = Trust::anyone_over(&[version]).expect("a client");
            let (mut ada, mut bob, _) = pair(&harness, &trust).await;
            play_on(&mut ada, 20).await;
            play_on(&mut bob, 20).await;
            let Line::Secure(stream) = ada.stream() else { panic!("it goes over TLS") };
            assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        }
    }
}

#[tokio::test]
async fn a_lost_line_comes_back_to_its_seat() {
    let harness = secure(|_| ());
    let trust = Trust::anyone().expect("a client");
    let (mut ada, mut bob, join) = pair(&harness, &trust).await;
    play_on(&mut ada, 3).await;
    let credential = ada.resume_credential().expect("a way back");
    drop(ada);
    let api = guest(&harness, 0, &trust).await;
    let mut ada = script::resume(&api, &join.ws_url, credential).await.expect("the same seat");
    play_on(&mut ada, 3).await;
    play_on(&mut bob, 3).await;
}

/// A certificate for localhost that nobody vouches for, and its key, in PEM.
fn certificate() -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("names");
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

/// Replaces both files, so that nobody reads half of one.
fn replace(folder: &Path, (cert, key): &(String, String)) {
    for (name, text) in [("cert.pem", cert), ("key.pem", key)] {
        let new = folder.join("new");
        std::fs::write(&new, text).expect("written");
        std::fs::rename(new, folder.join(name)).expect("renamed");
    }
}

#[tokio::test]
async fn a_new_certificate_takes_over_while_somebody_plays() {
    let folder = tempfile::tempdir().expect("a folder");
    let (old, new) = (certificate(), certificate());
    replace(folder.path(), &old);
    let harness = Harness::start::<Tag>(|config| {
        config.tls.cert = Some(folder.path().join("cert.pem"));
        config.tls.key = Some(folder.path().join("key.pem"));
    });
    // Whoever shows the new one is not believed yet, and that of the old one later.
    let trust = |name: &str| Trust::file(&folder.path().join(name)).expect("a client");
    let old = trust("cert.pem");
    let (mut ada, mut bob, join) = pair(&harness, &old).await;
    play_on(&mut ada, 3).await;
    replace(folder.path(), &new);
    let new = trust("cert.pem");
    let server = harness.server.play_addr();
    eventually("the new certificate", || shaken(server, new.config()).ok()).await;
    assert!(shaken(server, &unresumed(&old)).is_err(), "the old one is gone");
    play_on(&mut ada, 10).await;
    play_on(&mut bob, 10).await;
    let credential = ada.resume_credential().expect("a way back");
    drop(ada);
    let mut ada: Client<Tag> = script::resume(&guest(&harness, 0, &new).await, &join.ws_url, credential).await.expect("a way back");
    play_on(&mut ada, 3).await;
}

/// A client that trusts `trust`, and remembers no TLS session.
fn unresumed(trust: &Trust) -> Arc<ClientConfig> {
    let mut config = ClientConfig::clone(trust.config());
    config.resumption = Resumption::disabled();
    Arc::new(config)
}

#[test]
fn whoever_comes_back_shakes_hands_in_short() {
    let harness = secure(|_| ());
    for version in [&TLS13, &TLS12] {
        let trust = Trust::anyone_over(&[version]).expect("a client");
        let first = shaken(harness.server.play_addr(), trust.config()).expect("a handshake");
        assert_eq!(first.conn.handshake_kind(), Some(HandshakeKind::Full));
        let second = shaken(harness.server.play_addr(), trust.config()).expect("a handshake");
        assert_eq!(second.conn.handshake_kind(), Some(HandshakeKind::Resumed), "{version:?}");
        assert!(!second.conn.is_early_data_accepted());
    }
}

#[test]
fn the_fingerprint_is_that_of_the_certificate_that_is_shown() {
    let harness = secure(|_| ());
    let stream = shaken(harness.server.play_addr(), &anyone()).expect("a handshake");
    let shown = &stream.conn.peer_certificates().expect("a certificate")[0];
    let digits = Sha256::digest(shown).iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":");
    assert_eq!(harness.server.fingerprint(), Some(digits.as_str()));
    assert!(harness.server.play_url().starts_with("https://"));
}

#[test]
fn nothing_but_http_1_1_is_spoken_over_it() {
    let harness = secure(|_| ());
    let mut config = ClientConfig::clone(&anyone());
    config.alpn_protocols = vec![b"h2".to_vec()];
    let refused = shaken(harness.server.play_addr(), &Arc::new(config)).expect_err("no h2");
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
    let mut config = ClientConfig::clone(&anyone());
    config.alpn_protocols = Vec::new();
    shaken(harness.server.play_addr(), &Arc::new(config)).expect("whoever says nothing means HTTP/1.1");
}

/// What a client says first.
fn client_hello(config: &Arc<ClientConfig>) -> Vec<u8> {
    let name = ServerName::try_from("localhost").expect("a name");
    let mut client = ClientConnection::new(Arc::clone(config), name).expect("a client");
    let mut hello = Vec::new();
    client.write_tls(&mut hello).expect("written");
    hello
}

#[test]
fn a_handshake_that_does_not_end_is_cut_off_wherever_it_stops() {
    let harness = secure(|config| config.connections.header_ms = 300);
    let server = harness.server.play_addr();
    let hello = client_hello(&anyone());
    for sent in [1, 5, hello.len() / 2, hello.len()] {
        let mut stream = connect(server);
        stream.write_all(&hello[..sent]).expect("sent");
        assert!(is_closed_within(&mut stream, PATIENCE), "after {sent} of {} bytes", hello.len());
    }
    let mut trickle = connect(server);
    let ended = hello.iter().any(|byte| {
        std::thread::sleep(Duration::from_millis(20));
        trickle.write_all(&[*byte]).is_err()
    });
    assert!(ended || is_closed_within(&mut trickle, PATIENCE), "the deadline is that of the whole");
    shaken(server, &anyone()).expect("honest ones go on");
}

#[test]
fn garbage_is_dropped_and_costs_nobody_else_anything() {
    let harness = secure(|_| ());
    let server = harness.server.play_addr();
    let oversized = [&[22, 3, 1, 0xff, 0xff][..], &[0; 4096]].concat();
    let unknown = [0x7f; 512];
    let endless_hello = [&[22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff][..], &[0; 16_380]].concat();
    let alert_first = [21, 3, 3, 0, 2, 2, 40];
    for garbage in [&oversized[..], &unknown, &endless_hello, &alert_first] {
        let mut stream = connect(server);
        // It may be closed before all is sent.
        let _ = stream.write_all(garbage);
        let _ = stream.write_all(garbage);
        stream.shutdown(std::net::Shutdown::Write).ok();
        assert!(is_closed_within(&mut stream, PATIENCE), "{:02x?}", &garbage[..6]);
    }
    shaken(server, &anyone()).expect("honest ones go on");
}

#[test]
fn plain_http_is_sent_to_https_and_never_served() {
    let harness = secure(|config| config.tls.redirect_port = Some(0));
    let (server, redirect) = (harness.server.play_addr(), harness.server.redirect_addr().expect("a second port"));
    for address in [server, redirect] {
        let answer = http::get(address, "/api/info?x=1");
        assert_eq!((answer.status, answer.header("location")), (307, Some(format!("https://{server}/api/info?x=1").as_str())));
        let answer = http::post(address, "/api/session", None, r#"{"name":"Ada"}"#);
        assert_eq!((answer.status, answer.problem().as_str()), (400, "bad_request"));
        let odd = exchange(
            &mut connect(address),
            b"GET / HTTP/1.1
Host: evil.example/@

",
        );
        assert_eq!((odd.status, odd.header("location")), (400, None), "{odd:?}");
    }
    assert_eq!(http::get(harness.server.ops_addr(), "/healthz").status, 200, "health is asked for in the clear");
}

#[test]
fn strangers_that_shake_hands_for_ever_do_not_keep_others_out() {
    let harness = secure(|config| config.connections.unauthenticated = 4);
    let server = harness.server.play_addr();
    let hello = client_hello(&anyone());
    let mut stuck: Vec<TcpStream> = (0..4).map(|_| connect(server)).collect();
    for stream in &mut stuck {
        stream.write_all(&hello).expect("sent");
        let mut first = [0];
        stream.read_exact(&mut first).expect("its answer");
    }
    shaken(server, &anyone()).expect("a newcomer has its place");
    assert!(is_closed_within(&mut stuck[0], PATIENCE), "that of the oldest");
}

#[test]
fn one_address_shakes_hands_only_so_often() {
    let harness = secure(|config| config.tls.handshakes_per_minute = 2);
    let server = harness.server.play_addr();
    for _ in 0..2 {
        shaken(server, &anyone()).expect("a handshake");
    }
    assert!(shaken(server, &anyone()).is_err());
    let mut other = connect_from(OTHER, server);
    other.write_all(&client_hello(&anyone())).expect("sent");
    let mut first = [0];
    other.read_exact(&mut first).expect("others are answered");
    let metrics = http::get(harness.server.ops_addr(), "/metrics").text();
    assert!(metrics.contains(r#"tickwire_tls_failures_total{cause="rate"} "#), "{metrics}");
}

#[tokio::test]
async fn whoever_ends_tls_has_gone_and_may_come_back() {
    let harness = secure(|_| ());
    let trust = Trust::anyone().expect("a client");
    let (mut ada, mut bob, join) = pair(&harness, &trust).await;
    play_on(&mut bob, 1).await;
    let credential = ada.resume_credential().expect("a way back");
    // TLS's goodbye, and no close frame.
    ada.stream_mut().shutdown().await.expect("said");
    let mut ada: Client<Tag> = script::resume(&guest(&harness, 0, &trust).await, &join.ws_url, credential).await.expect("the same seat");
    play_on(&mut ada, 3).await;
}

#[tokio::test]
async fn the_operator_has_tls_where_the_token_travels() {
    let folder = tempfile::tempdir().expect("a folder");
    let token_file = folder.path().join("token");
    std::fs::write(&token_file, "a-token-of-16-characters-and-more").expect("written");
    let url_at = |bind: Ipv4Addr| {
        let harness = secure(|config| {
            config.admin.enabled = true;
            config.admin.bind = bind.into();
            config.admin.token_file = Some(token_file.clone());
        });
        harness.server.admin_url().expect("an admin page")
    };
    assert!(url_at(Ipv4Addr::LOCALHOST).starts_with("http://127.0.0.1:"));
    assert!(url_at(Ipv4Addr::UNSPECIFIED).starts_with("https://0.0.0.0:"));
}
