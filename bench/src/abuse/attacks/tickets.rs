//! Tickets that nobody was given: altered, forged, cut short, shown again, shown too late.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tickwire_protocol::codec::encode;
use tickwire_protocol::{ClientMessage, TICKET_BYTES, Ticket};
use tokio::io::AsyncWriteExt;

use super::seats::{hello_with, ticket};
use crate::attack::{Attack, Field};
use crate::wire::{Stream, ending, frame};

/// How long the end of a refused connection is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// A ticket is good for half a minute, and a few seconds in which clocks may differ.
const TOO_LATE: Duration = Duration::from_secs(36);
/// Most tickets that are kept until they are too late.
const KEPT_MAX: usize = 64;

/// These.
pub(super) const ATTACKS: &[Attack] =
    &[Attack { name: "tickets", what: "tickets altered, forged, cut, used twice or too late", run: |field| Box::pin(tickets(field)) }];

/// Where each part of a ticket is, and what becomes of it.
const ALTERED: [(&str, usize, u8); 6] =
    [("match", 0, 1), ("seat", 16, 1), ("owner", 18, 128), ("expiry", 36, 1), ("nonce", 40, 1), ("signature", TICKET_BYTES - 1, 1)];

/// Tickets that were never used, and where.
type Kept = Arc<Mutex<VecDeque<(Instant, Ticket, String)>>>;

async fn tickets(field: Field) {
    let kept = Kept::default();
    let work = move |field, nth| round(field, nth, Arc::clone(&kept));
    field.repeat(8, work).await;
}

/// One ticket, and all that can be made of it.
async fn round(field: Field, nth: usize, kept: Kept) {
    let Some((good, ws_url)) = ticket(&field, nth, "ffa").await else {
        field.tally.ended("no ticket");
        return tokio::time::sleep(Duration::from_millis(500)).await;
    };
    for (part, place, bits) in ALTERED {
        let mut bad = good;
        if let Some(byte) = bad.0.get_mut(place) {
            *byte ^= bits;
        }
        show(&field, nth, &ws_url, &hello_with(bad), part).await;
    }
    let mut by_another_key = good;
    by_another_key.0.iter_mut().skip(54).for_each(|byte| *byte = byte.wrapping_mul(31).wrapping_add(7));
    show(&field, nth, &ws_url, &hello_with(by_another_key), "another key").await;
    let hello = hello_with(good);
    let cut = hello.get(..hello.len() - 1).unwrap_or_default();
    show(&field, nth, &ws_url, cut, "length").await;

    let too_late = {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = kept.front().is_some_and(|(given, ..)| given.elapsed() > TOO_LATE);
        is_old.then(|| kept.pop_front()).flatten()
    };
    if let Some((_, old, old_url)) = too_late {
        show(&field, nth, &old_url, &hello_with(old), "age").await;
    }
    // Every other ticket is used, twice; the rest are kept until they are too late.
    if field.tally.total().0.is_multiple_of(2) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX {
            kept.push_back((Instant::now(), good, ws_url));
        }
        return;
    }
    let Some(mut player) = say(&field, nth, &ws_url, &hello).await else { return };
    let ping = encode(&ClientMessage::<arena::input::Input>::Ping { client_time_ms: 1 });
    let _ = player.write_all(&frame(0x82, &ping)).await;
    // Its session has spoken once the server was heard after that: the ticket is spent.
    tokio::time::sleep(Duration::from_millis(500)).await;
    show(&field, nth, &ws_url, &hello, "second use").await;
}

/// Shows what must be refused.
async fn show(field: &Field, nth: usize, ws_url: &str, hello: &[u8], what: &str) {
    let Some(mut stream) = say(field, nth, ws_url, hello).await else { return };
    let how = ending(&mut stream, PATIENCE).await;
    if how == "still open" {
        field.tally.breach(format!("a ticket has opened a session in spite of its {what}"));
    }
    field.tally.ended(how);
}

async fn say(field: &Field, nth: usize, ws_url: &str, hello: &[u8]) -> Option<Stream> {
    field.tally.sent(hello.len());
    let (status, mut stream) = field.play.upgrade(field.source(nth), &format!("/{ws_url}"), None).await.ok()?;
    if status != 101 {
        field.tally.ended(status.to_string());
        tokio::time::sleep(Duration::from_millis(100)).await;
        return None;
    }
    stream.write_all(&frame(0x82, hello)).await.ok()?;
    Some(stream)
}
