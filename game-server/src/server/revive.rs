//! Brings back the matches of a former process, before anybody is heard.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, mpsc};
use std::time::Instant;

use tickwire_cluster::Epoch;
use tickwire_handover::Kept;
use tickwire_protocol::MatchId;

use crate::gateway::{Gateway, Remembered};
use crate::journal::{Loss, Notes, Recovery, Upkeep};
use crate::matches::directory::Charge;
use crate::matches::{CreateError, Directory};
use crate::metrics;

/// Brings back what a former process ran, before anybody can ask for it.
pub(super) fn revive(recovery: Recovery, kept: Vec<Kept>, directory: &Arc<Directory>, gateway: &Arc<Gateway>) -> io::Result<Upkeep> {
    let began = Instant::now();
    let (sender, revived) = mpsc::channel();
    let Recovery { opening, matches, notes, lost: hopeless, remains, mut upkeep } = recovery;
    let remembered = Remembered::read(&notes);
    // Those that no worker was given, and so nobody else ends.
    let mut unborn: Vec<MatchId> = hopeless.iter().map(|(id, _)| *id).collect();
    let mut lost = hopeless.len();
    let lose = |id, code: &str, loss| directory.lost().note(Instant::now(), id, code, loss);
    hopeless.into_iter().for_each(|(id, loss)| lose(id, "", loss));
    let mut waiting = HashMap::new();
    let mut connections = gateway.count_again(kept);
    let taken = connections.values().map(Vec::len).sum::<usize>();
    for revival in matches {
        let (id, code) = (revival.id, revival.identity.code.clone());
        let charge = gateway.charge_again(&remembered, id).map(|creation| Box::new(creation) as Charge);
        if let Err(error) = directory.revive(revival, Epoch::default(), charge, sender.clone(), connections.remove(&id).unwrap_or_default())
        {
            tracing::error!(match_id = %id, %error, "a match cannot go on");
            let loss = if error == CreateError::NoSuchMode { Loss::Changed } else { Loss::Failed };
            lose(id, &code, loss);
            lost += 1;
            unborn.push(id);
        } else {
            waiting.insert(id, code);
        }
    }
    drop(sender);
    let mut back = Vec::new();
    for revived in revived {
        match revived {
            Ok((id, seats)) => {
                waiting.remove(&id);
                back.push((id, seats));
            }
            Err((id, error)) => {
                let code = waiting.remove(&id).unwrap_or_default();
                let Some(loss) = error.loss() else {
                    tracing::info!(match_id = %id, %error, "a match is not brought back");
                    continue;
                };
                tracing::error!(match_id = %id, %error, "a match cannot go on");
                lose(id, &code, loss);
                lost += 1;
            }
        }
    }
    // Their workers said nothing: they have panicked.
    for (id, code) in waiting {
        tracing::error!(match_id = %id, "a match cannot go on: bringing it back panicked");
        lose(id, &code, Loss::Failed);
        lost += 1;
    }
    let went_on = back.len();
    gateway.recall(remembered, back);
    let all = Arc::downgrade(gateway);
    let (notes, keeper) = Notes::begin(&opening, unborn, move || Gateway::all_notes(&all))?;
    upkeep.keep(keeper);
    gateway.take_notes(notes);
    // The workers' lanes, and that of the notes.
    upkeep.begin(directory.worker_count() + 1)?;
    remains.retire(&mut upkeep);
    metrics::count_revivals(went_on, lost);
    if went_on + lost > 0 {
        let took_ms = began.elapsed().as_millis() as u64;
        tracing::info!(matches = went_on, lost, connections = taken, took_ms, "matches of the former process go on");
    }
    Ok(upkeep)
}
