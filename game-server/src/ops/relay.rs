//! A match of another server, for a page of this one's operator: asks that server for one message
//! after the other, and passes on what the page says.
//!
//! One question is on its way at a time, so a page that is slow is sent fewer frames and not older
//! ones. Bounded: [`SAID_MAX`] messages of the page wait; a further one is dropped.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use hyper::upgrade::OnUpgrade;
use tickwire_cluster::NodeId;
use tickwire_protocol::codec::encode;
use tickwire_protocol::limits::SERVER_MESSAGE_BYTES_MAX;
use tickwire_protocol::{CloseReason, MatchId, ServerMessage};

use super::observer::Observer;
use crate::cluster::letter::{Answer, Message, SAID_MAX, Watching};
use crate::cluster::{Cluster, Unanswered};
use crate::gateway::upgrade;
use crate::http::address::to_bytes;
use crate::http::remote::Remote;
use crate::metrics;
use crate::secrets::random_bytes;
use crate::transport::page::PageSocket;

/// So many questions in a row without an answer, and the other server is taken for lost: the page
/// connects again, and finds the match where it is then.
const SILENT_MAX: u32 = 3;
/// How long a page may take to take a message.
const SLOW: Duration = Duration::from_secs(10);
/// How long a page may take to take a farewell.
const FAREWELL: Duration = Duration::from_secs(2);

/// Shows match `id` of `node`, until the page, the match or that server is gone.
pub(super) async fn watch(observer: Arc<Observer>, node: NodeId, id: MatchId, upgrading: OnUpgrade, remote: Remote) {
    let Some(cluster) = observer.gateway.cluster() else { return };
    let Some(mut page) = upgrade::page(upgrading).await else { return };
    let stream = u64::from_le_bytes(random_bytes());
    let watching = Watching { stream, id, number: 0, offset: 0, said: Vec::new(), client: to_bytes(remote.client.ip()) };
    let is_there = follow(cluster, &node, watching, &mut page).await;
    cluster.tell(&node, &Message::Unwatch(stream)).await;
    if is_there {
        page.close(FAREWELL).await;
    }
}

/// Says whether the page is still there.
async fn follow(cluster: &Cluster, node: &NodeId, mut watching: Watching, page: &mut PageSocket) -> bool {
    let mut message = Vec::new();
    let mut silent = 0;
    while silent < SILENT_MAX {
        let Some(answer) = ask(cluster, node, &mut watching, page).await else { return false };
        let Ok(Answer { status, body, .. }) = answer else {
            silent += 1;
            continue;
        };
        silent = 0;
        if status == StatusCode::NO_CONTENT.as_u16() {
            continue;
        }
        if status == StatusCode::SERVICE_UNAVAILABLE.as_u16() {
            metrics::count_close(CloseReason::Full);
            return page.tell(encode(&ServerMessage::Closing(CloseReason::Full)).into(), FAREWELL).await.is_ok();
        }
        let Some((length, part)) = body.split_first_chunk().filter(|_| status == StatusCode::OK.as_u16()) else { return true };
        let length = u32::from_le_bytes(*length) as usize;
        message.extend_from_slice(part);
        if message.len() < length && !part.is_empty() && length <= SERVER_MESSAGE_BYTES_MAX {
            watching.offset = message.len() as u32;
            continue;
        }
        (watching.number, watching.offset) = (watching.number.wrapping_add(1), 0);
        // An empty one asks for a sign of life: the next question is one.
        let message = std::mem::take(&mut message);
        if !message.is_empty() && page.tell(message.into(), SLOW).await.is_err() {
            return false;
        }
    }
    true
}

/// The answer to the next question. `None` if the page is gone meanwhile.
async fn ask(cluster: &Cluster, node: &NodeId, watching: &mut Watching, page: &mut PageSocket) -> Option<Result<Answer, Unanswered>> {
    let asked = cluster.watch(node, watching.clone());
    watching.said.clear();
    tokio::pin!(asked);
    loop {
        tokio::select! {
            answer = &mut asked => return Some(answer),
            heard = page.hear() => {
                let heard = heard?;
                if watching.said.len() < SAID_MAX {
                    watching.said.push(heard.to_vec());
                }
            }
        }
    }
}
