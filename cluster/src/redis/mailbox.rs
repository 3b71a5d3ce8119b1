//! A node's mailbox: one subscription, for its own letters and for those to all. When it breaks, it
//! is made anew.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use redis::{Client, RedisResult};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{interval, sleep, timeout};

use super::link::Link;
use crate::store::{Letter, MESSAGE_BYTES_MAX, NODE_ID_CHARS_MAX, NodeId};

/// How often a subscription shows that it lives.
const PING_EVERY: Duration = Duration::from_secs(1);
/// How long a node counts as listening after it last said so. Only a cluster asks.
const SIGN_TTL: Duration = Duration::from_secs(5);
/// After a subscription broke.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// The channels and keys of a mailbox.
pub(super) struct Names {
    pub(super) own: String,
    pub(super) to_all: String,
    /// A key that says that the node listens.
    pub(super) sign: String,
}

/// A letter as it is sent: the sender's name, a line feed, the body.
pub(super) fn seal(from: &NodeId, body: &Bytes) -> Vec<u8> {
    [from.as_str().as_bytes(), b"\n", body].concat()
}

fn unseal(sealed: Vec<u8>) -> Option<Letter> {
    if sealed.len() > NODE_ID_CHARS_MAX + 1 + MESSAGE_BYTES_MAX {
        return None;
    }
    let sealed = Bytes::from(sealed);
    let end = sealed.iter().position(|byte| *byte == b'\n')?;
    let from = NodeId::new(std::str::from_utf8(&sealed[..end]).ok()?).ok()?;
    Some(Letter { from, body: sealed.slice(end + 1..) })
}

/// Puts letters into the mailbox until its owner drops it. Says once when it first listens.
pub(super) async fn run(link: Arc<Link>, names: Names, mailbox: mpsc::Sender<Letter>, listens: oneshot::Sender<()>) {
    let mut listens = Some(listens);
    for attempt in 0.. {
        tokio::select! {
            () = mailbox.closed() => return,
            _ = serve(&link, &names, &mailbox, &mut listens, attempt) => (),
        }
        tokio::select! {
            () = mailbox.closed() => return,
            () = sleep(RETRY_AFTER) => (),
        }
    }
}

async fn serve(
    link: &Link,
    names: &Names,
    mailbox: &mpsc::Sender<Letter>,
    listens: &mut Option<oneshot::Sender<()>>,
    attempt: usize,
) -> Option<()> {
    let deadline = link.deadline;
    let (mut sink, mut letters) = timeout(deadline, async {
        let server: Client = link.place.server(attempt).await?;
        let mut subscription = server.get_async_pubsub().await?;
        subscription.subscribe(&[&names.own, &names.to_all]).await?;
        RedisResult::Ok(subscription.split())
    })
    .await
    .ok()?
    .ok()?;
    let mut pings = interval(PING_EVERY);
    loop {
        tokio::select! {
            letter = letters.next() => {
                // A full mailbox loses the letter: whoever sent it asks again.
                if let Some(letter) = unseal(letter?.get_payload().ok()?) {
                    mailbox.try_send(letter).ok();
                }
            }
            _ = pings.tick() => {
                timeout(deadline, sink.ping::<redis::Value>()).await.ok()?.ok()?;
                if link.place.is_cluster() {
                    link.ask(redis::cmd("SET").arg(&names.sign).arg(1).arg("PX").arg(SIGN_TTL.as_millis() as u64)).await.ok();
                }
                if let Some(listens) = listens.take() {
                    listens.send(()).ok();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_reads_back_and_nothing_else_does() {
        let letter = Letter { from: NodeId::new("a").unwrap(), body: "one\ntwo".into() };
        assert_eq!(unseal(seal(&letter.from, &letter.body)), Some(letter));
        assert_eq!(unseal(b"no name".to_vec()), None);
        assert_eq!(unseal(b"NO\nname".to_vec()), None);
        assert_eq!(unseal([b"a\n".to_vec(), vec![0; MESSAGE_BYTES_MAX + NODE_ID_CHARS_MAX + 1]].concat()), None);
    }
}
