//! WebSocket frames that no client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::seats::sit;
use crate::attack::{Attack, Field};
use crate::wire::{ending, frame, header};

/// How long a close frame is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the kernels at both ends keep of a connection that nobody reads, at most. More was read.
const KERNEL_BYTES: usize = 12 << 20;
/// Players that attack at once.
const PLAYERS: usize = 24;

/// These.
pub(super) const ATTACKS: &[Attack] = &[
    Attack { name: "oversize", what: "frames that declare 4 KiB, 16 MiB and 2^63 bytes", run: |field| Box::pin(oversize(field)) },
    Attack { name: "empty-fragments", what: "continuation frames of no bytes, without end", run: |field| Box::pin(fragments(field, &[])) },
    Attack { name: "tiny-fragments", what: "continuation frames of one byte, without end", run: |field| Box::pin(fragments(field, b"a")) },
    Attack { name: "violations", what: "unmasked frames, reserved bits, text, wrong opcodes", run: |field| Box::pin(violations(field)) },
    Attack { name: "pings", what: "pings as fast as the socket takes them", run: |field| Box::pin(flood(field, 0x89, b"ping")) },
    Attack {
        name: "inputs",
        what: "inputs as fast as the socket takes them, closed, resumed, again",
        run: |field| Box::pin(flood(field, 0x82, &[1, 1, 1, 0, 0, 0, 0, 0])),
    },
    Attack { name: "malformed", what: "messages that are none, closed, resumed, again", run: |field| Box::pin(malformed(field)) },
    Attack { name: "non-readers", what: "200 players that read nothing", run: |field| Box::pin(non_readers(field)) },
];

async fn oversize(field: Field) {
    field
        .repeat(PLAYERS, |field, nth| async move {
            for length in [4097, 16 << 20, 1 << 63] {
                let Some(mut player) = sit(&field, nth, "ffa").await else { return };
                let bytes = header(0x82, length);
                field.tally.sent(bytes.len());
                let _ = player.stream.write_all(&bytes).await;
                field.tally.ended(ending(&mut player.stream, PATIENCE).await);
            }
        })
        .await;
}

async fn fragments(field: Field, payload: &'static [u8]) {
    field
        .repeat(PLAYERS, move |field, nth| async move {
            let Some(mut player) = sit(&field, nth, "ffa").await else { return };
            let mut bytes = frame(0x02, payload);
            for _ in 0..1_000 {
                bytes.extend(frame(0x00, payload));
            }
            let mut taken = 0;
            while player.stream.write_all(&bytes).await.is_ok() {
                field.tally.sent(bytes.len());
                taken += bytes.len();
                if taken > KERNEL_BYTES {
                    field.tally.breach("more fragments of one player were taken than kernels keep");
                    break;
                }
                tokio::task::yield_now().await;
            }
            field.tally.ended(ending(&mut player.stream, PATIENCE).await);
        })
        .await;
}

async fn violations(field: Field) {
    let kinds: [&[u8]; 6] =
        [b"\x82\x01a", b"\xc2\x81\0\0\0\0a", b"\x81\x81\0\0\0\0a", b"\x83\x81\0\0\0\0a", b"\x80\x81\0\0\0\0a", b"\x89\xfe\x00\x7e\0\0\0\0"];
    field
        .repeat(PLAYERS, move |field, nth| async move {
            for bytes in kinds {
                let Some(mut player) = sit(&field, nth, "ffa").await else { return };
                field.tally.sent(bytes.len());
                let _ = player.stream.write_all(bytes).await;
                let how = ending(&mut player.stream, PATIENCE).await;
                if how == "still open" {
                    field.tally.breach(format!("{bytes:x?} is taken"));
                }
                field.tally.ended(how);
            }
        })
        .await;
}

/// Sends one frame over and over, reading nothing but the end.
async fn flood(field: Field, head: u8, payload: &'static [u8]) {
    field
        .repeat(PLAYERS, move |field, nth| async move {
            let Some(mut player) = sit(&field, nth, "ffa").await else {
                return tokio::time::sleep(Duration::from_millis(200)).await;
            };
            let bytes = frame(head, payload).repeat(500);
            let (mut reader, mut writer) = tokio::io::split(&mut player.stream);
            let mut swallowed = vec![0; 64 * 1024];
            loop {
                tokio::select! {
                    sent = writer.write_all(&bytes) => match sent {
                        Ok(()) => field.tally.sent(bytes.len()),
                        Err(_) => break,
                    },
                    read = reader.read(&mut swallowed) => if !read.is_ok_and(|count| count > 0) { break },
                }
            }
            field.tally.ended("closed");
        })
        .await;
}

async fn malformed(field: Field) {
    field
        .repeat(PLAYERS, |field, nth| async move {
            for message in [&[0xff; 20][..], &[1], &[], &[0; 257]] {
                let Some(mut player) = sit(&field, nth, "ffa").await else {
                    return tokio::time::sleep(Duration::from_millis(200)).await;
                };
                let bytes = frame(0x82, message);
                field.tally.sent(bytes.len());
                let _ = player.stream.write_all(&bytes).await;
                field.tally.ended(ending(&mut player.stream, PATIENCE).await);
            }
        })
        .await;
}

async fn non_readers(field: Field) {
    field
        .repeat(200, |field, nth| async move {
            let Some(_player) = sit(&field, nth, "ffa").await else { return };
            field.tally.ended("seated");
            tokio::time::sleep(field.left()).await;
        })
        .await;
}
