//! The slower path: requests that never end, second streams, secrets that are somebody else's.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::seats::{hello_with, ticket};
use crate::attack::{Attack, Field};

/// Players that attack at once.
const PLAYERS: usize = 24;
/// How long a response is listened to.
const PATIENCE: Duration = Duration::from_secs(2);

/// These.
pub(super) const ATTACKS: &[Attack] = &[
    Attack {
        name: "stream-unfinished",
        what: "POSTs over the slower path whose bodies never end",
        run: |field| Box::pin(unfinished(field)),
    },
    Attack {
        name: "stream-second",
        what: "second streams, polls beside streams, batches out of order",
        run: |field| Box::pin(second(field)),
    },
    Attack { name: "stream-guess", what: "secrets of other people's streams at random", run: |field| Box::pin(guess(field)) },
    Attack { name: "stream-batches", what: "batches of 64 messages as fast as they are answered", run: |field| Box::pin(batches(field)) },
];

/// The status of a request with a body of bytes; more of the body may be announced than is sent.
async fn post(field: &Field, nth: usize, path: &str, secret: Option<&str>, body: &[u8], announced: usize) -> Option<u16> {
    field.tally.sent(body.len());
    let mut stream = field.play.connect(field.source(nth)).await.ok()?;
    let secret = secret.map(|secret| format!("Authorization: Bearer {secret}\r\n")).unwrap_or_default();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\n{secret}Content-Type: application/octet-stream\r\nContent-Length: {announced}\r\n\r\n",
        field.play.authority()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
    let mut answer = [0; 12];
    tokio::time::timeout(field.left(), stream.read_exact(&mut answer)).await.ok()?.ok()?;
    let status = std::str::from_utf8(answer.get(9..)?).ok()?.parse().ok()?;
    if status >= 500 && status != 503 {
        field.tally.breach(format!("{status} for {path}"));
    }
    Some(status)
}

fn told(field: &Field, status: Option<u16>) {
    field.tally.ended(status.map_or_else(|| "closed".to_owned(), |status| status.to_string()));
}

/// A record: a message behind its length.
fn record(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u32).to_le_bytes(), message].concat()
}

/// Opens a stream: its secret.
async fn open(field: &Field, nth: usize) -> Option<String> {
    let (ticket, ws_url) = ticket(field, nth, "ffa").await?;
    let query = ws_url.split_once('?').map_or("", |(_, query)| query);
    let body = record(&hello_with(ticket));
    let mut stream = field.play.connect(field.source(nth)).await.ok()?;
    let head = format!(
        "POST /stream?{query} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        field.play.authority(),
        body.len()
    );
    stream.write_all(&[head.as_bytes(), &body].concat()).await.ok()?;
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.ok()?.ok()?;
    let text = String::from_utf8_lossy(&answer);
    text.split_once("\"stream\":\"")?.1.split('"').next().map(str::to_owned)
}

async fn unfinished(field: Field) {
    field
        .repeat(PLAYERS, |field, nth| async move {
            let Some(secret) = open(&field, nth).await else { return tokio::time::sleep(Duration::from_millis(200)).await };
            for _ in 0..8 {
                told(&field, post(&field, nth, "/stream/up", Some(&secret), &[0; 8], 4_096).await);
            }
        })
        .await;
}

async fn second(field: Field) {
    field
        .repeat(PLAYERS, |field, nth| async move {
            let Some(secret) = open(&field, nth).await else { return tokio::time::sleep(Duration::from_millis(200)).await };
            let down = tokio::spawn({
                let (field, secret) = (field.clone(), secret.clone());
                async move { post(&field, nth, "/stream/down", Some(&secret), &[], 0).await }
            });
            for number in [7_u32, 9, 2] {
                told(&field, post(&field, nth, "/stream/down", Some(&secret), &[], 0).await);
                told(&field, post(&field, nth, "/stream/poll", Some(&secret), &number.to_le_bytes(), 4).await);
                told(&field, post(&field, nth, "/stream/up", Some(&secret), &number.to_le_bytes(), 4).await);
            }
            down.abort();
        })
        .await;
}

async fn guess(field: Field) {
    field
        .repeat(32, |field, nth| async move {
            let secret = format!("{:032x}", u128::from(field.tally.total().0) << 64 | nth as u128);
            for path in ["/stream/down", "/stream/poll", "/stream/up"] {
                let status = post(&field, nth % 8, path, Some(&secret), &[0; 4], 4).await;
                if matches!(status, Some(200..=299)) {
                    field.tally.breach(format!("a guess has reached {path}"));
                }
                told(&field, status);
            }
        })
        .await;
}

async fn batches(field: Field) {
    let ping = record(&[2, 0]);
    let batch = Bytes::from(ping.repeat(64));
    field
        .repeat(PLAYERS, move |field, nth| {
            let batch = batch.clone();
            async move {
                let Some(secret) = open(&field, nth).await else { return tokio::time::sleep(Duration::from_millis(200)).await };
                let reader = tokio::spawn({
                    let (field, secret) = (field.clone(), secret.clone());
                    async move { post(&field, nth, "/stream/down", Some(&secret), &[], 0).await }
                });
                for number in 0_u32.. {
                    let body = [&number.to_le_bytes(), batch.as_ref()].concat();
                    let status = post(&field, nth, "/stream/up", Some(&secret), &body, body.len()).await;
                    told(&field, status);
                    if status != Some(204) {
                        break;
                    }
                }
                reader.abort();
            }
        })
        .await;
}
