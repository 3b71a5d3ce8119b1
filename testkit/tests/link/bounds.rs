//! What is under way is bounded, and who sends more than that feels it.

use tickwire_testkit::link::{Conditions, Link};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::{Instant, sleep, timeout};

use super::{ms, pair, pattern, read_all};

const QUEUE_BYTES_MAX: usize = 64 * 1024;
/// What the streams inside hold themselves.
const INNER_BYTES: usize = 4 * 1024;

fn narrow_pair(conditions: &str) -> (tokio::io::DuplexStream, Link<tokio::io::DuplexStream>) {
    let conditions: Conditions = conditions.parse().unwrap();
    let (server, client) = duplex(INNER_BYTES);
    (server, Link::new(client, &conditions, 1))
}

/// Bytes written before the writer had to wait.
async fn write_until_it_waits(stream: &mut (impl AsyncWriteExt + Unpin)) -> usize {
    let mut written = 0;
    while let Ok(result) = timeout(ms(60_000), stream.write(&pattern(1000))).await {
        written += result.unwrap();
    }
    written
}

#[tokio::test(start_paused = true)]
async fn a_server_is_held_up_when_its_client_does_not_take_what_comes() {
    let (mut server, mut client) = narrow_pair("delay=50ms");
    // Only writing is waited for, which moves both directions as well.
    let (written, ()) = tokio::join!(write_until_it_waits(&mut server), async {
        for _ in 0..100 {
            client.write_all(b"x").await.unwrap();
            sleep(ms(1000)).await;
        }
    });
    assert_eq!(written, QUEUE_BYTES_MAX + INNER_BYTES);
    assert_eq!(client.bytes_in(), QUEUE_BYTES_MAX as u64);
}

#[tokio::test(start_paused = true)]
async fn a_client_is_held_up_when_the_server_does_not_read() {
    let (mut server, mut client) = narrow_pair("delay=50ms");
    assert_eq!(write_until_it_waits(&mut client).await, QUEUE_BYTES_MAX + INNER_BYTES);
    assert_eq!(client.bytes_out(), INNER_BYTES as u64);
    let mut bytes = vec![0; QUEUE_BYTES_MAX];
    let (result, ()) = tokio::join!(server.read_exact(&mut bytes), async {
        client.write_all(&pattern(1000)).await.unwrap();
        let _ = timeout(ms(1000), client.read_u8()).await;
    });
    result.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_waits_is_woken_by_a_reader_that_moves_the_bytes() {
    let (mut server, client) = narrow_pair("delay=50ms");
    let (mut client_read, mut client_write) = tokio::io::split(client);
    let sent = pattern(5 * QUEUE_BYTES_MAX);
    let copy = sent.clone();
    let writing = tokio::spawn(async move {
        client_write.write_all(&copy).await.unwrap();
    });
    let reading = tokio::spawn(async move { client_read.read_u8().await });
    let mut read = vec![0; sent.len()];
    server.read_exact(&mut read).await.unwrap();
    assert!(read == sent);
    writing.await.unwrap();
    server.write_u8(9).await.unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), 9);
}

#[tokio::test(start_paused = true)]
async fn the_end_comes_after_what_was_sent_before_it() {
    let (mut server, mut client) = pair("delay=30ms,down=8kbit", 1);
    let began = Instant::now();
    server.write_all(&pattern(1000)).await.unwrap();
    drop(server);
    let (bytes, times) = read_all(&mut client, began).await;
    assert_eq!(bytes, pattern(1000));
    assert_eq!(times.first(), Some(&ms(1030)), "a second of serialisation, then the delay");
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0, "the end stays");
}

#[tokio::test(start_paused = true)]
async fn shutting_down_waits_for_delivery() {
    let (mut server, mut client) = pair("delay=30ms", 1);
    let began = Instant::now();
    client.write_all(b"last words").await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(began.elapsed(), ms(30));
    assert_eq!(read_all(&mut server, began).await.0, b"last words");
    assert!(client.write_all(b"more").await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_gone_is_an_error_once_bytes_reach_it() {
    let (server, mut client) = pair("delay=30ms", 1);
    drop(server);
    client.write_all(b"hello?").await.unwrap();
    assert_eq!(client.read(&mut [0; 8]).await.unwrap(), 0);
    let error = client.write_all(b"hello?").await.expect_err("nobody is there");
    assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    assert!(client.shutdown().await.is_err());
}
