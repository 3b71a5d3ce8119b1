//! What every transport does alike: messages come whole and in order, a burst over several ticks,
//! and the moment of an arrival is told where it is known.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Duration;

use tickwire_protocol::{CloseReason, PlayerId, Tick};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::task::LocalSet;
use tokio::time::Instant;

use super::seam::{MESSAGES_MAX, READ_BYTES_MAX};
use super::session::{Deadlines, Session};
use super::{Arrival, Ended, Socket, portable};
use crate::clock::Moment;
use crate::config::{SessionConfig, TransportKind as Kind};

mod tls;

/// Of this system.
const KINDS: &[Kind] = if matches!(Kind::BEST, Kind::Portable) { &[Kind::BEST] } else { &[Kind::BEST, Kind::Portable] };

/// A client's kernel socket and the connection it has.
async fn connected(kind: Kind) -> (TcpStream, Socket) {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
    client.set_nodelay(true).expect("no delay");
    let (stream, _) = listener.accept().await.expect("accepted");
    let socket = Socket::over_tcp(kind, stream, Vec::new(), IpAddr::V4(Ipv4Addr::LOCALHOST), ());
    (client, socket.await)
}

fn session(socket: Socket, config: &SessionConfig) -> Session {
    Session::new(socket, Some(PlayerId(0)), config, &Moment::now(Tick(0))).expect("a session")
}

/// What a tick hears.
fn hear(session: &mut Session) -> Result<Vec<(Vec<u8>, Arrival)>, Ended> {
    hear_at(session, Tick(0))
}

fn hear_at(session: &mut Session, tick: Tick) -> Result<Vec<(Vec<u8>, Arrival)>, Ended> {
    let moment = Moment::now(tick);
    let mut heard = Vec::new();
    while let Some(arrival) = session.advance(&moment)? {
        heard.push((session.message().to_vec(), arrival));
    }
    session.end_reading(&moment, &Deadlines::new(&SessionConfig::default(), 30))?;
    Ok(heard)
}

/// What the first tick hears that hears anything.
async fn hear_at_last(session: &mut Session) -> Vec<(Vec<u8>, Arrival)> {
    loop {
        let heard = hear(session).expect("it goes on");
        if !heard.is_empty() {
            return heard;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A binary message of one byte, masked with zeros.
fn frame(byte: u8) -> [u8; 7] {
    [0x82, 0x81, 0, 0, 0, 0, byte]
}

/// Time for the kernel, and for the tasks of this thread.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(30)).await;
}

#[tokio::test]
async fn a_burst_is_heard_over_several_ticks_and_whole() {
    let config = SessionConfig { message_burst: 1_000, ..SessionConfig::default() };
    for kind in KINDS {
        let tick_by_tick = async {
            let (mut client, socket) = connected(*kind).await;
            let mut session = session(socket, &config);
            let sent: Vec<u8> = (0..250).collect();
            let frames: Vec<u8> = sent.iter().flat_map(|number| frame(*number)).collect();
            client.write_all(&frames).expect("sent");
            let mut heard = Vec::new();
            while heard.len() < sent.len() {
                let messages = hear_at_last(&mut session).await;
                assert!(messages.len() <= MESSAGES_MAX, "{} at once", messages.len());
                heard.extend(messages.into_iter().flat_map(|(message, _)| message));
            }
            assert_eq!(heard, sent, "{kind:?}");
        };
        LocalSet::new().run_until(tick_by_tick).await;
    }
}

#[tokio::test]
async fn only_of_the_last_message_of_a_read_is_known_when_it_came() {
    for kind in KINDS {
        let exact = async |bytes: &[u8]| {
            let (mut client, socket) = connected(*kind).await;
            let mut session = session(socket, &SessionConfig::default());
            client.write_all(bytes).expect("sent");
            pause().await;
            let heard = hear_at_last(&mut session).await;
            heard.iter().map(|(_, arrival)| arrival.is_exact).collect::<Vec<_>>()
        };
        let all_cases = async {
            assert_eq!(exact(&frame(1)).await, [true], "{kind:?}");
            let three = [frame(1), frame(2), frame(3)].concat();
            assert_eq!(exact(&three).await, [false, false, true], "{kind:?}");
        };
        LocalSet::new().run_until(all_cases).await;
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[tokio::test]
async fn the_kernels_stamp_is_that_of_a_message_that_is_not_whole_yet() {
    let (mut client, socket) = connected(Kind::Raw).await;
    let mut session = session(socket, &SessionConfig::default());
    let bytes = [frame(1), frame(2)].concat();
    let (now, later) = bytes.split_at(bytes.len() - 1);
    client.write_all(now).expect("sent");
    pause().await;
    let heard = hear_at_last(&mut session).await;
    assert!(matches!(heard.as_slice(), [(_, Arrival { is_exact: false, .. })]), "{heard:?}");
    client.write_all(later).expect("sent");
    let heard = hear_at_last(&mut session).await;
    assert!(matches!(heard.as_slice(), [(message, Arrival { is_exact: true, .. })] if *message == [2]), "{heard:?}");
}

impl portable::Carrier for DuplexStream {
    fn enter(self: Box<Self>, _: u32) -> io::Result<Box<dyn portable::Carrier>> {
        Ok(self)
    }

    fn leave(&self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_portable_one_goes_over_any_stream_from_hello_to_the_close_frame() {
    let life = async {
        let (mut client, ours) = tokio::io::duplex(1024);
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut socket = Socket::over(Box::new(ours), frame(1).to_vec(), peer, ()).await;
        // The second comes with the first, and waits for the match.
        client.write_all(&[frame(2), frame(3)].concat()).await.expect("sent");
        assert_eq!(socket.first_message(1_000).await, Ok(vec![1]));
        let mut session = session(socket, &SessionConfig::default());
        let mut heard = Vec::new();
        while heard.len() < 2 {
            heard.extend(hear_at_last(&mut session).await.into_iter().flat_map(|(message, _)| message));
        }
        assert_eq!(heard, [2, 3]);
        let closing = session.into_socket().expect("a socket").refuse(CloseReason::Draining);
        let reading = async {
            let mut bytes = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut client, &mut bytes).await.expect("read");
            drop(client);
            bytes
        };
        let (bytes, ()) = tokio::join!(reading, closing);
        assert!(bytes.ends_with(CloseReason::Draining.name().as_bytes()), "{bytes:x?}");
    };
    LocalSet::new().run_until(life).await;
}

#[tokio::test]
async fn a_stranger_that_sends_too_much_before_its_first_message_is_told() {
    for kind in KINDS {
        let (mut client, mut socket) = connected(*kind).await;
        let pieces = [&[0x02, 0x80, 0, 0, 0, 0][..], &[0x00, 0x80, 0, 0, 0, 0].repeat(100)].concat();
        client.write_all(&pieces).expect("sent");
        let refused = socket.first_message(500).await;
        assert_eq!(refused, Err(Ended::Closed(CloseReason::RateLimited)), "{kind:?}");
    }
}

#[tokio::test]
async fn whoever_floods_without_a_message_is_read_so_far_and_then_closed() {
    let config = SessionConfig { drops_before_close: 0, bytes_per_second: 1_000, silence_ms: 0, ..SessionConfig::default() };
    for kind in KINDS {
        let flood = async {
            let (mut client, socket) = connected(*kind).await;
            let mut session = session(socket, &config);
            let pieces = [&[0x02, 0x80, 0, 0, 0, 0][..], &[0x00, 0x80, 0, 0, 0, 0].repeat(30_000)].concat();
            let writer = std::thread::spawn(move || client.write_all(&pieces));
            pause().await;
            let ended = loop {
                match hear(&mut session) {
                    Ok(heard) => assert!(heard.is_empty()),
                    Err(ended) => break ended,
                }
                pause().await;
            };
            assert_eq!(ended, Ended::Closed(CloseReason::RateLimited), "{kind:?}");
            assert!(session.bytes_read() <= 2 * READ_BYTES_MAX as u64, "{kind:?}: {}", session.bytes_read());
            drop(session);
            let _ = writer.join();
        };
        LocalSet::new().run_until(flood).await;
    }
}

#[tokio::test]
async fn an_unfinished_message_takes_no_more_than_twice_its_bytes_on_the_wire() {
    // What tungstenite reads into.
    let read_buffer = 2 * 1024;
    for kind in KINDS {
        let unfinished = async {
            let (mut client, socket) = connected(*kind).await;
            let mut session = session(socket, &SessionConfig::default());
            let pieces = [&[0x02, 0x81, 0, 0, 0, 0, 7][..], &[0x00, 0x81, 0, 0, 0, 0, 7].repeat(250)].concat();
            assert_eq!(hear(&mut session), Ok(Vec::new()));
            client.write_all(&pieces).expect("sent");
            let mut kept = 0;
            while session.bytes_read() < pieces.len() as u64 {
                kept += allocation_counter::measure(|| assert_eq!(hear(&mut session), Ok(Vec::new()))).bytes_current;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert!(kept <= 2 * pieces.len() as i64 + read_buffer, "{kind:?} keeps {kept} bytes");
        };
        LocalSet::new().run_until(unfinished).await;
    }
}

#[tokio::test]
async fn a_message_that_was_begun_must_be_complete_in_time_whatever_comes_in_between() {
    let (begin, end) = ([0x02, 0x81, 0, 0, 0, 0, 7], [0x80, 0x80, 0, 0, 0, 0]);
    let ping = [0x89, 0x80, 0, 0, 0, 0];
    let deadline = 10 * 30;
    for kind in KINDS {
        let slow = async {
            let (mut client, socket) = connected(*kind).await;
            let mut session = session(socket, &SessionConfig::default());
            // In time, and once more from the beginning.
            client.write_all(&begin).expect("sent");
            pause().await;
            assert_eq!(hear_at(&mut session, Tick(0)), Ok(Vec::new()));
            client.write_all(&[&end[..], &begin].concat()).expect("sent");
            pause().await;
            assert_eq!(hear_at(&mut session, Tick(deadline)).map(|heard| heard.len()), Ok(1), "{kind:?}");
            let mut ended = Ok(());
            for tick in deadline..=2 * deadline + 1 {
                if tick % 100 == 0 {
                    client.write_all(&ping).expect("sent");
                    pause().await;
                }
                assert_eq!(ended, Ok(()), "{kind:?} at {tick}");
                ended = hear_at(&mut session, Tick(tick)).map(drop);
            }
            assert_eq!(ended, Err(Ended::Closed(CloseReason::Silent)), "{kind:?}");
        };
        LocalSet::new().run_until(slow).await;
    }
}

#[tokio::test]
async fn a_session_takes_in_what_a_peer_in_memory_says_and_notices_when_it_has_gone() {
    let (peer, socket) = Socket::in_memory();
    let mut session = session(socket, &SessionConfig::default());
    let arrival = Arrival { by: Instant::now(), is_exact: false };
    peer.send_at("first", arrival);
    peer.show_life();
    peer.send("second");
    let heard = hear(&mut session).expect("it goes on");
    assert_eq!(heard.first(), Some(&(b"first".to_vec(), arrival)));
    assert_eq!(heard.len(), 2);
    drop(peer);
    assert_eq!(hear(&mut session), Err(Ended::Disconnected));
}
