//! What each condition does, alone.

use std::time::Duration;

use allocation_counter::measure;
use tickwire_testkit::link::{Conditions, Link};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};

use super::{ms, pair, pattern};

#[tokio::test(start_paused = true)]
async fn a_delay_is_exact_in_both_directions() {
    let (mut server, mut client) = pair("delay=40ms", 1);
    let began = Instant::now();
    server.write_all(b"down").await.unwrap();
    client.write_all(b"up").await.unwrap();
    client.flush().await.unwrap();
    assert_eq!(began.elapsed(), Duration::ZERO, "a flush waits for no delivery");
    let mut read = [0; 4];
    client.read_exact(&mut read).await.unwrap();
    assert_eq!((&read, began.elapsed()), (b"down", ms(40)));
    let mut read = [0; 2];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!((&read, began.elapsed()), (b"up", ms(40)));
}

/// A server that sends a numbered message every 10 ms: the ones that came and their ages.
async fn ages(conditions: &str, seed: u64, messages: u32) -> Vec<Duration> {
    let (mut server, mut client) = pair(conditions, seed);
    let began = Instant::now();
    let sending = async {
        for number in 0..messages {
            server.write_u32(number).await.unwrap();
            sleep(ms(10)).await;
        }
    };
    let receiving = async {
        let mut ages = Vec::new();
        for number in 0..messages {
            assert_eq!(client.read_u32().await.unwrap(), number, "in order");
            ages.push((began + ms(10) * number).elapsed());
        }
        ages
    };
    tokio::join!(sending, receiving).1
}

#[tokio::test(start_paused = true)]
async fn jitter_spreads_and_never_reorders() {
    let ages = ages("delay=20ms,jitter=50ms", 1, 500).await;
    assert!(ages.iter().all(|age| (ms(20)..=ms(71)).contains(age)), "a timer may be a millisecond late");
    assert!(ages.iter().any(|age| *age < ms(35)) && ages.iter().any(|age| *age > ms(65)), "all of the range comes up");
}

#[tokio::test(start_paused = true)]
async fn the_seed_decides_everything() {
    let conditions = "delay=20ms,jitter=50ms,loss=5%,burst=2,stall=200ms/2s,down=1Mbit";
    let first = ages(conditions, 1, 300).await;
    assert_eq!(ages(conditions, 1, 300).await, first);
    assert_ne!(ages(conditions, 2, 300).await, first);
}

#[tokio::test(start_paused = true)]
async fn a_bandwidth_is_kept_over_a_second_in_each_direction() {
    async fn bytes_in_a_second(stream: &mut (impl AsyncReadExt + Unpin)) -> usize {
        let mut total = 0;
        let mut piece = [0; 256];
        let _ = timeout(ms(1000), async {
            loop {
                total += stream.read(&mut piece).await.unwrap();
            }
        })
        .await;
        total
    }
    let (mut server, mut client) = pair("down=200kbit,up=80kbit", 1);
    server.write_all(&pattern(60_000)).await.unwrap();
    client.write_all(&pattern(60_000)).await.unwrap();
    let (down, up) = tokio::join!(bytes_in_a_second(&mut client), bytes_in_a_second(&mut server));
    assert!((25_000 - 1_400..=25_000).contains(&down), "{down} bytes of 25,000, within a segment");
    assert!((10_000 - 1_400..=10_000).contains(&up), "{up} bytes of 10,000, within a segment");
}

#[tokio::test(start_paused = true)]
async fn a_stall_freezes_both_directions_and_then_all_goes_on() {
    async fn gaps(stream: &mut (impl AsyncReadExt + Unpin), count: usize) -> Vec<(Instant, Duration)> {
        let mut gaps = Vec::new();
        let mut last = Instant::now();
        for _ in 0..count {
            stream.read_u8().await.unwrap();
            if last.elapsed() > ms(100) {
                gaps.push((last, last.elapsed()));
            }
            last = Instant::now();
        }
        gaps
    }
    async fn send(stream: &mut (impl AsyncWriteExt + Unpin), count: usize) {
        for _ in 0..count {
            stream.write_u8(1).await.unwrap();
            sleep(ms(10)).await;
        }
    }
    let (server, client) = pair("delay=10ms,stall=700ms/3s", 4);
    let (mut server_read, mut server_write) = tokio::io::split(server);
    let (mut client_read, mut client_write) = tokio::io::split(client);
    let count = 1000;
    let (down, up, (), ()) = tokio::join!(
        gaps(&mut client_read, count),
        gaps(&mut server_read, count),
        send(&mut server_write, count),
        send(&mut client_write, count),
    );
    assert_eq!(down, up, "the same moments");
    assert!((1..=8).contains(&down.len()), "about every 3 s of 10: {}", down.len());
    assert!(down.iter().all(|(_, gap)| (ms(700)..=ms(711)).contains(gap)), "{down:?}");
}

#[tokio::test(start_paused = true)]
async fn a_loss_holds_up_what_comes_after_it_for_about_a_round_trip() {
    let ages = ages("delay=40ms,loss=2%", 1, 3000).await;
    let on_time = ages.iter().filter(|age| **age <= ms(41)).count();
    // Noticed by the message 10 ms later, a round trip of 80 ms and a quarter after that; there another 40 ms later. Lost again: the timer.
    let worst = ages.iter().max().unwrap();
    assert!(ages.contains(&ms(10 + 100 + 40)), "the usual loss");
    assert!((ms(150)..=ms(150 + 2 * 280 + 4 * 280)).contains(worst), "{worst:?}");
    let late = ages.len() - on_time;
    assert!((400..1200).contains(&late), "each of about 60 losses is in the way of 11 messages: {late}");
}

#[tokio::test(start_paused = true)]
async fn a_loss_that_nothing_follows_waits_for_the_timer() {
    let (mut server, mut client) = pair("delay=40ms,loss=10%", 1);
    let mut ages = Vec::new();
    for number in 0..300 {
        let sent = Instant::now();
        server.write_u32(number).await.unwrap();
        assert_eq!(client.read_u32().await.unwrap(), number);
        ages.push(sent.elapsed());
    }
    let count = |age| ages.iter().filter(|other| **other == age).count();
    let (on_time, once, twice) = (count(ms(40)), count(ms(40 + 280)), count(ms(40 + 280 + 560)));
    assert!((250..290).contains(&on_time) && (10..50).contains(&once) && twice > 0, "{on_time}, {once}, {twice}");
}

#[tokio::test(start_paused = true)]
async fn ideal_conditions_leave_no_trace() {
    fn through(stream: DuplexStream) -> Link<DuplexStream> {
        Link::new(stream, &Conditions::ideal(), 1)
    }
    let (mut server, client) = tokio::io::duplex(1024);
    let mut slot = Some(client);
    let mut link = None;
    assert_eq!(measure(|| link = slot.take().map(through)).count_total, 0, "no allocation");
    let mut link = link.unwrap();
    let began = Instant::now();
    server.write_all(b"abc").await.unwrap();
    let mut read = [0; 3];
    link.read_exact(&mut read).await.unwrap();
    link.write_all(b"defgh").await.unwrap();
    assert_eq!((&read, link.bytes_in(), link.bytes_out()), (b"abc", 3, 5));
    let mut read = [0; 5];
    server.read_exact(&mut read).await.unwrap();
    assert_eq!((&read, began.elapsed()), (b"defgh", Duration::ZERO));
}
