//! Connections that say nothing, too little, or nothing that is HTTP.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::attack::{Attack, Field};

/// Addresses that floods come from.
const ADDRESSES: usize = 8;

/// These.
pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "silent",
        what: "8 addresses open connections that say nothing, as fast as they can",
        run: |field| Box::pin(silent(field)),
    },
    Attack { name: "handshakes", what: "WebSocket handshakes without a Hello, from 8 addresses", run: |field| Box::pin(handshakes(field)) },
    Attack {
        name: "slow-head",
        what: "2,000 connections that send a byte of their head a second",
        run: |field| Box::pin(slow_head(field)),
    },
    Attack { name: "slow-body", what: "500 bodies that never end", run: |field| Box::pin(slow_body(field)) },
    Attack { name: "long-header", what: "heads of 20 MB", run: |field| Box::pin(long_header(field)) },
    Attack { name: "garbage", what: "bytes that are no HTTP: TLS hellos, PROXY lines, noise", run: |field| Box::pin(garbage(field)) },
];

/// Where TLS is spoken.
pub(super) const OVER_TLS: &[Attack] = &[
    Attack {
        name: "tls-handshakes",
        what: "TLS handshakes, from 8 addresses, and nothing after them",
        run: |field| Box::pin(tls_handshakes(field)),
    },
    Attack { name: "tls-hellos", what: "TLS handshakes that end after the first message", run: |field| Box::pin(tls_hellos(field)) },
];

async fn tls_handshakes(field: Field) {
    field
        .repeat(64, |field, nth| async move {
            field.tally.sent(300);
            let how = if field.play.connect(field.source(nth % ADDRESSES)).await.is_ok() { "shaken" } else { "refused" };
            field.tally.ended(how);
        })
        .await;
}

async fn tls_hellos(field: Field) {
    // A record of 512 bytes is announced, and never comes.
    const HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    field
        .repeat(400, |field, nth| async move {
            let Ok(mut stream) = field.play.tcp(field.source(nth % ADDRESSES)).await else { return };
            field.tally.sent(HELLO.len());
            let _ = stream.write_all(HELLO).await;
            let mut answer = [0; 8];
            let read = stream.read(&mut answer).await;
            field.tally.ended(if read.is_ok_and(|count| count > 0) { "answered" } else { "closed" });
        })
        .await;
}

async fn silent(field: Field) {
    // 32 tasks, each with up to 250 connections at a time, the oldest given up.
    field
        .repeat(32, |field, nth| async move {
            let mut kept = std::collections::VecDeque::new();
            while field.goes_on() {
                match field.play.tcp(field.source(nth % ADDRESSES)).await {
                    Ok(stream) => {
                        field.tally.sent(0);
                        kept.push_back(stream);
                    }
                    Err(error) => {
                        field.tally.ended(error.kind().to_string());
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                }
                if kept.len() > 250
                    && let Some(oldest) = kept.pop_front()
                {
                    field.tally.ended(if is_open(&oldest) { "still open" } else { "closed" });
                }
            }
        })
        .await;
}

fn is_open(stream: &tokio::net::TcpStream) -> bool {
    let mut byte = [0];
    stream.try_read(&mut byte).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
}

async fn handshakes(field: Field) {
    field
        .repeat(64, |field, nth| async move {
            field.tally.sent(200);
            let upgraded = field.play.upgrade(field.source(nth % ADDRESSES), "/ws", None).await;
            field.tally.answered(upgraded.map(|(status, _)| status));
        })
        .await;
}

async fn slow_head(field: Field) {
    field
        .repeat(2_000, |field, nth| async move {
            let Ok(mut stream) = field.play.connect(field.source(nth % 64)).await else { return };
            let head = b"GET /api/info HTTP/1.1\r\nHost: a\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
            for byte in head {
                field.tally.sent(1);
                if stream.write_all(&[*byte]).await.is_err() {
                    return field.tally.ended("closed");
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
        .await;
}

async fn slow_body(field: Field) {
    field
        .repeat(500, |field, nth| async move {
            let Ok(mut stream) = field.play.connect(field.source(nth % 64)).await else { return };
            let head = "POST /api/session HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 200\r\n\r\n{";
            field.tally.sent(head.len());
            if stream.write_all(head.as_bytes()).await.is_err() {
                return field.tally.ended("closed");
            }
            let mut answer = [0; 64];
            let read = stream.read(&mut answer).await;
            field.tally.ended(if read.is_ok_and(|count| count > 0) { "answered" } else { "closed" });
        })
        .await;
}

async fn long_header(field: Field) {
    field
        .repeat(8, |field, nth| async move {
            let Ok(mut stream) = field.play.connect(field.source(nth)).await else { return };
            let piece = vec![b'a'; 64 * 1024];
            let mut sent = stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: ").await;
            for _ in 0..320 {
                if sent.is_err() {
                    break;
                }
                field.tally.sent(piece.len());
                sent = stream.write_all(&piece).await;
            }
            field.tally.ended(if sent.is_err() { "closed" } else { "taken" });
            if sent.is_ok() {
                field.tally.breach("a head of 20 MB was read");
            }
        })
        .await;
}

async fn garbage(field: Field) {
    const KINDS: [&[u8]; 5] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PROXY TCP4 203.0.113.7 203.0.113.8 1 2\r\nGET /api/info HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\r\n\r\n\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a\x21\x11\x00\x0c",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\0\xff\0\xff\0\xff\r\n\r\n",
    ];
    field
        .repeat(32, |field, nth| async move {
            for bytes in KINDS {
                let Ok(mut stream) = field.play.tcp(field.source(nth)).await else { continue };
                field.tally.sent(bytes.len());
                let _ = stream.write_all(bytes).await;
                let mut answer = [0; 12];
                let read = stream.read(&mut answer).await;
                let status = answer.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
                field.tally.ended(match (read, status) {
                    (Ok(12), Some(status)) => status.to_owned(),
                    _ => "closed".to_owned(),
                });
                if answer.starts_with(b"HTTP/1.1 200") {
                    field.tally.breach(format!("{} was answered with 200", String::from_utf8_lossy(bytes).escape_debug()));
                }
            }
        })
        .await;
}
