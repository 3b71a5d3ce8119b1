//! Whatever the network does, both ends see the bytes that were sent, and nobody waits for ever.

use futures_util::{SinkExt, StreamExt};
use proptest::prelude::*;
use tickwire_testkit::link::{Conditions, Link, PRESETS};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_tungstenite::tungstenite::Message;

use super::{ms, pair, pattern, read_all};

fn any_conditions() -> impl Strategy<Value = Conditions> {
    let part = |texts: &'static [&'static str]| prop::sample::select(texts);
    (
        part(&["", "delay=1ms", "delay=40ms", "delay=900us"]),
        part(&["", "jitter=30ms", "jitter=1us"]),
        part(&["", "down=100kbit", "down=2Mbit"]),
        part(&["", "up=60kbit", "up=1Gbit"]),
        part(&["", "loss=1%", "loss=50%,burst=8", "loss=20%"]),
        part(&["", "stall=300ms/500ms", "stall=1ms/1ms"]),
    )
        .prop_map(|(delay, jitter, down, up, loss, stall)| {
            let settings: Vec<&str> = [delay, jitter, down, up, loss, stall].into_iter().filter(|setting| !setting.is_empty()).collect();
            if settings.is_empty() { Conditions::ideal() } else { settings.join(",").parse().unwrap() }
        })
}

/// Sizes of writes, and the milliseconds before each.
fn any_writes() -> impl Strategy<Value = Vec<(usize, u64)>> {
    prop::collection::vec((prop_oneof![4 => 1usize..200, 1 => 1usize..20_000], prop_oneof![Just(0), 0u64..50]), 0..24)
}

async fn send(stream: &mut (impl AsyncWriteExt + Unpin), writes: &[(usize, u64)]) {
    let all = pattern(writes.iter().map(|(len, _)| len).sum());
    let mut rest = all.as_slice();
    for (len, pause) in writes {
        sleep(ms(*pause)).await;
        let (piece, after) = rest.split_at(*len);
        stream.write_all(piece).await.unwrap();
        rest = after;
    }
    stream.shutdown().await.unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn both_streams_are_byte_identical(
        conditions in any_conditions(), down in any_writes(), up in any_writes(), inner in 1usize..6000, seed in any::<u64>(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (server, client) = duplex(inner);
            let (mut server_read, mut server_write) = split(server);
            let (mut client_read, mut client_write) = split(Link::new(client, &conditions, seed));
            let began = Instant::now();
            let ((), (), got_down, got_up) = tokio::join!(
                send(&mut server_write, &down),
                send(&mut client_write, &up),
                read_all(&mut client_read, began),
                read_all(&mut server_read, began),
            );
            assert!(got_down.0 == pattern(down.iter().map(|(len, _)| len).sum()), "down");
            assert!(got_up.0 == pattern(up.iter().map(|(len, _)| len).sum()), "up");
            let link = client_read.unsplit(client_write);
            assert_eq!((link.bytes_in(), link.bytes_out()), (got_down.0.len() as u64, got_up.0.len() as u64));
        });
    }
}

#[tokio::test(start_paused = true)]
async fn a_websocket_plays_through_every_preset() {
    for (name, conditions) in PRESETS {
        let (server, client) = duplex(4096);
        let serving = tokio::spawn(async move {
            let mut server = tokio_tungstenite::accept_async(server).await.unwrap();
            while let Some(Ok(message)) = server.next().await {
                if message.is_binary() {
                    server.send(message).await.unwrap();
                }
            }
        });
        let link = Link::new(client, &conditions, 1);
        let (mut client, _) = tokio_tungstenite::client_async("ws://server/ws", link).await.unwrap();
        for number in 0..100u8 {
            client.send(Message::Binary(vec![number; 40].into())).await.unwrap();
            let echo = client.next().await.unwrap().unwrap();
            assert_eq!(echo.into_data(), vec![number; 40], "{name}");
        }
        client.close(None).await.unwrap();
        while client.next().await.is_some_and(|message| message.is_ok()) {}
        serving.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_only_waits_to_read_still_has_its_words_delivered() {
    let (mut server, mut client) = pair("delay=25ms", 1);
    client.write_all(b"ping").await.unwrap();
    let answering = async {
        let mut read = [0; 4];
        server.read_exact(&mut read).await.unwrap();
        server.write_all(&read).await.unwrap();
    };
    let began = Instant::now();
    let mut read = [0; 4];
    let (result, ()) = tokio::join!(client.read_exact(&mut read), answering);
    result.unwrap();
    assert_eq!((&read, began.elapsed()), (b"ping", ms(50)));
}

/// Where arrivals fall between two readings of the clock, no wake-up may be lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_waits_for_ever_on_real_sockets_in_real_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let conditions: Conditions = "delay=300us,jitter=900us,loss=1%,down=40Mbit,stall=1ms/20ms".parse().unwrap();
    let mut clients = JoinSet::new();
    for seed in 0..16 {
        clients.spawn(async move {
            let stream = TcpStream::connect(address).await.unwrap();
            let (mut read, mut write) = split(Link::new(stream, &conditions, seed));
            let writing = tokio::spawn(async move {
                for number in 0..300u32 {
                    write.write_u32(number).await.unwrap();
                    if number % 7 == 0 {
                        sleep(ms(1)).await;
                    }
                }
                write.shutdown().await.unwrap();
            });
            for number in 0..300u32 {
                assert_eq!(read.read_u32().await.unwrap(), number);
            }
            writing.await.unwrap();
        });
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            let (mut read, mut write) = stream.into_split();
            tokio::io::copy(&mut read, &mut write).await
        });
    }
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}
