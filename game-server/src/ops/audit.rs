//! What operators did, in order: the newest [`ENTRIES_MAX`] here, and all of it in the log under
//! the target `audit`.
//!
//! Nothing here is ever changed or taken out; beyond the bound the oldest goes. Strangers cannot
//! push anything out: what is tried without the token is in the log only.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::http::address::ClientAddress;

/// What is kept, beside the log.
const ENTRIES_MAX: usize = 1_000;

/// What operators did.
#[derive(Debug, Default)]
pub(crate) struct Audit(Mutex<VecDeque<Entry>>);

/// What operators can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// Watch a match.
    Watch,
    /// Take somebody out of a match.
    Kick,
    /// Keep somebody out.
    Ban,
    /// No longer.
    Lift,
}

impl Action {
    const fn told(self) -> &'static str {
        match self {
            Self::Watch => "operator watches a match",
            Self::Kick => "operator kicks a player",
            Self::Ban => "operator bans somebody",
            Self::Lift => "operator lifts a ban",
        }
    }
}

/// Something an operator did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    /// Milliseconds since 1970.
    at_ms: u64,
    /// Where the operator called from.
    client: String,
    action: Action,
    /// To whom, or to which match.
    subject: String,
    /// Why, if the operator said so.
    reason: String,
}

impl Audit {
    /// An operator who calls from `client` did something.
    pub(super) fn note(&self, client: ClientAddress, action: Action, subject: String, reason: String) {
        tracing::info!(target: "audit", %client, subject, reason, "{}", action.told());
        let entry = Entry { at_ms: unix_ms(SystemTime::now()), client: client.to_string(), action, subject, reason };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// All that is kept, newest first.
    pub(super) fn list(&self) -> Vec<Entry> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

/// As pages count time.
pub(super) fn unix_ms(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).ok().and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn the_newest_are_kept_and_come_first() {
        let audit = Audit::default();
        let client = ClientAddress::new(IpAddr::V4(Ipv4Addr::LOCALHOST));
        for nth in 0..ENTRIES_MAX + 5 {
            audit.note(client, Action::Kick, nth.to_string(), String::new());
        }
        let list = audit.list();
        assert_eq!((list.len(), list[0].subject.as_str()), (ENTRIES_MAX, "1004"));
        assert_eq!((list[ENTRIES_MAX - 1].subject.as_str(), list[0].action, list[0].client.as_str()), ("5", Action::Kick, "127.0.0.1"));
    }
}
