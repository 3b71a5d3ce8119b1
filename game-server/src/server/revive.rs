//! Brings back the matches of a former process, before anybody is heard.

use std::io;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use tickwire_cluster::Epoch;

use crate::gateway::Gateway;
use crate::journal::{Lane, Recovery, Upkeep};
use crate::matches::Directory;
use crate::metrics;

/// The lane of what belongs to no worker.
const GATEWAY_LANE: u16 = u16::MAX;

/// Brings back what a former process ran, before anybody can ask for it.
pub(super) fn revive(recovery: Recovery, directory: &Arc<Directory>, gateway: &Gateway) -> io::Result<Upkeep> {
    let began = Instant::now();
    let (sender, revived) = mpsc::channel();
    let Recovery { opening, matches, mut lost, remains, mut upkeep } = recovery;
    upkeep.begin(directory.worker_count())?;
    let mut back = 0;
    for revival in matches {
        let id = revival.id;
        if let Err(error) = directory.revive(revival, Epoch::default(), sender.clone()) {
            tracing::error!(match_id = %id, %error, "a match cannot go on");
            lost.push(id);
        }
    }
    drop(sender);
    for revived in revived {
        match revived {
            Ok((id, seats)) => {
                gateway.adopt(id, seats);
                back += 1;
            }
            Err((id, error)) => {
                tracing::error!(match_id = %id, %error, "a match cannot go on");
                lost.push(id);
            }
        }
    }
    if !lost.is_empty() {
        Lane::open(&opening, GATEWAY_LANE).end_all(&lost);
    }
    remains.retire();
    metrics::count_revivals(back, lost.len());
    if back + lost.len() > 0 {
        tracing::info!(
            matches = back,
            lost = lost.len(),
            took_ms = began.elapsed().as_millis() as u64,
            "matches of the former process go on"
        );
    }
    Ok(upkeep)
}
