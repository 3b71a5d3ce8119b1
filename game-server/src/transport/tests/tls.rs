//! What is special about TLS beneath a session: records are not messages, and TLS has things to say
//! of its own.

use std::io::Read;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tickwire_protocol::codec::encode;
use tickwire_protocol::messages::ServerMessage;
use tokio_rustls::TlsConnector;

use super::*;
use crate::config::TlsConfig;
use crate::tls::{Keeper, Stream};

/// A client that reads and writes when a test tells it to.
type Client = StreamOwned<ClientConnection, TcpStream>;

/// A client and the connection it has, after a handshake.
async fn secured(kind: Kind) -> (Client, Socket) {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let client = tokio::net::TcpStream::connect(listener.local_addr().expect("an address")).await.expect("connected");
    client.set_nodelay(true).expect("no delay");
    let (stream, _) = listener.accept().await.expect("accepted");
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let config = TlsConfig { self_signed: true, ..TlsConfig::default() };
    let keeper = Keeper::new(&config, peer).expect("a certificate").expect("TLS");
    let mut roots = RootCertStore::empty();
    roots.add(keeper.certificate()).expect("a root");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().expect("a verifier");
    let client_config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let client_config = client_config.with_webpki_verifier(verifier).with_no_client_auth();
    let name = ServerName::try_from("localhost").expect("a name");
    let connecting = TlsConnector::from(Arc::new(client_config)).connect(name, client);
    let (client, encrypted) = tokio::join!(connecting, keeper.accept(stream));
    let (client, connection) = client.expect("a handshake").into_inner();
    let client = client.into_std().expect("a socket");
    client.set_nonblocking(false).expect("it waits");
    let stream = Stream::Encrypted(Box::new(encrypted.expect("a handshake")));
    let socket = Socket::over_stream(kind, stream, Vec::new(), peer, ()).await.expect("a connection");
    (StreamOwned::new(connection, client), socket)
}

/// What a client would send, not sent yet.
fn sealed(client: &mut Client, plaintext: &[u8]) -> Vec<u8> {
    client.conn.writer().write_all(plaintext).expect("taken");
    let mut records = Vec::new();
    while client.conn.wants_write() {
        client.conn.write_tls(&mut records).expect("written");
    }
    records
}

#[tokio::test]
async fn a_record_may_hold_many_messages_and_a_message_may_come_in_many_records() {
    let config = SessionConfig { message_burst: 1_000, ..SessionConfig::default() };
    for kind in KINDS {
        let heard = async {
            let (mut client, socket) = secured(*kind).await;
            let mut session = session(socket, &config);
            let sent: Vec<u8> = (0..250).collect();
            let frames: Vec<u8> = sent.iter().flat_map(|number| frame(*number)).collect();
            let (in_one, in_many) = frames.split_at(frames.len() / 2);
            let records = sealed(&mut client, in_one);
            client.sock.write_all(&records).expect("sent");
            for byte in in_many {
                let record = sealed(&mut client, &[*byte]);
                client.sock.write_all(&record).expect("sent");
            }
            let mut heard = Vec::new();
            while heard.len() < sent.len() {
                let messages = hear_at_last(&mut session).await;
                assert!(messages.len() <= MESSAGES_MAX, "{kind:?}: {} in a tick", messages.len());
                heard.extend(messages.into_iter().flat_map(|(message, _)| message));
            }
            assert_eq!(heard, sent, "{kind:?}");
        };
        LocalSet::new().run_until(heard).await;
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn a_stamp_belongs_to_the_message_that_ends_with_the_last_byte_read() {
    let heard = async {
        let (mut client, socket) = secured(Kind::Raw).await;
        let mut session = session(socket, &SessionConfig::default());
        let first = sealed(&mut client, &frame(1));
        let second = sealed(&mut client, &frame(2));
        let (half, rest) = second.split_at(second.len() / 2);
        client.sock.write_all(&[&first, half].concat()).expect("sent");
        let heard = hear_at_last(&mut session).await;
        assert!(matches!(&heard[..], [(message, arrival)] if message[..] == [1] && !arrival.is_exact), "{heard:?}");
        client.sock.write_all(rest).expect("sent");
        let heard = hear_at_last(&mut session).await;
        assert!(matches!(&heard[..], [(message, arrival)] if message[..] == [2] && arrival.is_exact), "{heard:?}");
    };
    LocalSet::new().run_until(heard).await;
}

/// What a session hears until it ends, and how that is.
async fn end_of(session: &mut Session) -> (Vec<u8>, Ended) {
    let mut heard = Vec::new();
    loop {
        let moment = Moment::now(Tick(0));
        let ended = loop {
            match session.advance(&moment) {
                Ok(Some(_)) => heard.extend(session.message()),
                Ok(None) => break None,
                Err(ended) => break Some(ended),
            }
        };
        if let Some(ended) = ended {
            return (heard, ended);
        }
        let _ = session.end_reading(&moment, &Deadlines::new(&SessionConfig::default(), 30));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_peer_that_says_goodbye_to_tls_or_none_at_all_has_gone() {
    for kind in KINDS {
        for says_goodbye in [true, false] {
            let gone = async {
                let (mut client, socket) = secured(*kind).await;
                let mut session = session(socket, &SessionConfig::default());
                let mut last = sealed(&mut client, &frame(1));
                if says_goodbye {
                    client.conn.send_close_notify();
                    last.extend(sealed(&mut client, &[]));
                }
                client.sock.write_all(&last).expect("sent");
                if !says_goodbye {
                    client.sock.shutdown(std::net::Shutdown::Write).expect("shut down");
                }
                let end = end_of(&mut session).await;
                assert_eq!(end, (vec![1], Ended::Disconnected), "{kind:?}, goodbye: {says_goodbye}");
            };
            LocalSet::new().run_until(gone).await;
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn whoever_breaks_a_record_or_changes_keys_without_end_breaks_the_protocol() {
    let broken = async {
        let (mut client, socket) = secured(Kind::Raw).await;
        let mut session = session(socket, &SessionConfig::default());
        let mut record = sealed(&mut client, &frame(1));
        *record.last_mut().expect("a record") ^= 1;
        client.sock.write_all(&record).expect("sent");
        assert_eq!(end_of(&mut session).await.1, Ended::Closed(CloseReason::Malformed));
    };
    LocalSet::new().run_until(broken).await;
    let flood = async {
        let (mut client, socket) = secured(Kind::Raw).await;
        let mut session = session(socket, &SessionConfig::default());
        for _ in 0..64 {
            client.conn.refresh_traffic_keys().expect("TLS 1.3");
            let record = sealed(&mut client, &[]);
            // It may be over by now.
            let _ = client.sock.write_all(&record);
        }
        assert_eq!(end_of(&mut session).await.1, Ended::Closed(CloseReason::Malformed));
    };
    LocalSet::new().run_until(flood).await;
}

#[tokio::test]
async fn new_keys_now_and_then_are_fine() {
    for kind in KINDS {
        let renewed = async {
            let (mut client, socket) = secured(*kind).await;
            let mut session = session(socket, &SessionConfig::default());
            for number in 0..5 {
                client.conn.refresh_traffic_keys().expect("TLS 1.3");
                let records = sealed(&mut client, &frame(number));
                client.sock.write_all(&records).expect("sent");
                assert_eq!(hear_at_last(&mut session).await[0].0, [number], "{kind:?}");
            }
        };
        LocalSet::new().run_until(renewed).await;
    }
}

#[tokio::test]
async fn whoever_is_refused_hears_why_and_that_nothing_was_cut_off() {
    for kind in KINDS {
        let (mut client, socket) = secured(*kind).await;
        let refusing = socket.refuse(CloseReason::HelloTimeout);
        let reading = tokio::task::spawn_blocking(move || {
            let mut heard = Vec::new();
            client.read_to_end(&mut heard).map(|_| heard)
        });
        let (heard, ()) = tokio::join!(reading, refusing);
        // An end without TLS's own goodbye would be an error here.
        let heard = heard.expect("no panic").expect("a clean end");
        let reason = encode(&ServerMessage::Closing(CloseReason::HelloTimeout));
        assert!(heard.windows(reason.len()).any(|part| part == reason), "{kind:?}: {heard:?}");
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn what_the_kernel_does_not_take_leaves_later_and_whole() {
    use crate::transport::{Taken, Transport};
    let (mut client, socket) = secured(Kind::Raw).await;
    let mut link = socket.into_link(4_096).expect("a link");
    let message = bytes::Bytes::from((0..200_000_u32).map(|number| number as u8).collect::<Vec<_>>());
    let mut sent = 0;
    loop {
        let taken = link.send(&message).expect("it goes on");
        if taken == Taken::Nothing {
            break;
        }
        sent += 1;
        assert_eq!(taken == Taken::Whole, link.is_clear());
        assert_eq!(link.is_clear(), link.unsent_bytes() == 0, "what the kernel did not take is counted");
    }
    let total = sent * (message.len() + 10);
    let reading = tokio::task::spawn_blocking(move || {
        let mut heard = vec![0; total];
        client.read_exact(&mut heard).map(|()| heard)
    });
    while !link.flush().expect("it goes on") {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let heard = reading.await.expect("no panic").expect("all of it");
    for frame in heard.chunks(message.len() + 10) {
        assert_eq!(frame.get(10..), Some(&message[..]));
    }
    assert!(link.bytes_written() > total as u64, "what TLS adds is written too");
}
