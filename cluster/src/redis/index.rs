//! The list of matches by the ends of their leases: a hint of what to look at. The match's own keys
//! decide. Whoever runs a match tells the index of it again with every write, so it heals too.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tickwire_protocol::MatchId;

use super::link::Link;
use super::scripts::INDEX;
use crate::store::ORPHAN_KEPT;

/// How long the index outlives the last change of it.
const KEPT: Duration = Duration::from_hours(2);
const _: () = assert!(KEPT.as_secs() > ORPHAN_KEPT.as_secs());

/// The leases that this process has, and when the store said that they end.
#[derive(Default)]
pub(super) struct Ends(Mutex<BTreeMap<MatchId, u64>>);

impl Ends {
    /// Of these matches, what is known. The next write tells the index: it may lag by a write,
    /// never lead.
    pub(super) fn of(&self, matches: impl Iterator<Item = MatchId>) -> Vec<(MatchId, u64)> {
        let ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        matches.filter_map(|id| ends.get(&id).map(|end| (id, *end))).collect()
    }

    /// Notes a lease, or that this process has none. Says whether the index has not heard of it.
    pub(super) fn note(&self, id: MatchId, end: Option<u64>) -> bool {
        let mut ends = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(end) = end {
            return ends.insert(id, end).is_none();
        }
        ends.remove(&id);
        false
    }
}

/// Puts matches into the index, or moves them. What comes of it does not matter: it is a hint.
pub(super) async fn tell(link: &Link, index: &str, ends: &[(MatchId, u64)]) {
    if ends.is_empty() {
        return;
    }
    let call = INDEX.call([index.to_owned()]).text(&KEPT.as_millis());
    let call = ends.iter().fold(call, |call, (id, end)| call.text(end).text(id));
    call.run(link).await.ok();
}

/// Takes a match out.
pub(super) async fn drop_from(link: &Link, index: &str, id: MatchId) {
    link.ask(redis::cmd("ZREM").arg(index).arg(id.to_string())).await.ok();
}
