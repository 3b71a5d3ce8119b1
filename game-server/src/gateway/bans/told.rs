//! Bans as servers tell each other, through the store that they share: who is banned on one is
//! banned on all within [`EVERY`].
//!
//! Invariant: only what says that it was lifted lifts a ban. A store that has lost its bans lifts
//! none: every server puts them there again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tickwire_cluster::{Store, StoreError};

use super::Bans;
use super::ban::{BANS_MAX, Ban, NewBan, Whom};
use super::kept::KeptBan;
use crate::clock;
use crate::secrets::to_hex;

/// How often servers tell each other.
pub(crate) const EVERY: Duration = Duration::from_secs(2);
/// Where the store has bans.
const SHELF: &str = "ban";
/// What is told of a ban that was lifted is kept for so long.
const LIFTED_FOR: Duration = Duration::from_hours(1);
/// A ban that lasts until it is lifted is kept for so long after somebody told it.
const LASTING: Duration = Duration::from_hours(24 * 365);

/// What is told of somebody.
#[derive(Serialize, Deserialize)]
enum Told {
    /// They are banned.
    Banned(KeptBan),
    /// They were until then, seconds since 1970.
    Lifted(u64),
}

impl Bans {
    /// Tells the store what was banned and lifted here, and bans and lifts what others have told
    /// it. Returns the bans that are new here.
    ///
    /// # Errors
    /// If the store does not answer: the next time does the rest.
    pub(crate) async fn share(&self, store: &dyn Store, now: Instant) -> Result<Vec<NewBan>, StoreError> {
        for (whom, at) in self.lifts() {
            put(store, &key(whom), &Told::Lifted(at), LIFTED_FOR).await?;
            self.lift_was_told(whom);
        }
        let told = store.all(SHELF, BANS_MAX).await?;
        let told: HashMap<_, _> = told.into_iter().filter_map(|(key, value)| Some((key, serde_json::from_slice(&value).ok()?))).collect();
        let mut here: HashMap<Bytes, Ban> = self.list(now).into_iter().map(|ban| (key(ban.what.whom), ban)).collect();
        let mut new = Vec::new();
        for (key, told) in &told {
            match (told, here.get(key)) {
                (Told::Banned(kept), None) => new.extend(kept.clone().ban(0, now).map(|ban| ban.what)),
                (Told::Lifted(at), Some(ban)) if clock::unix_seconds(ban.since) <= *at => {
                    self.lift_here(now, ban.id);
                    here.remove(key);
                }
                _ => {}
            }
        }
        for (key, ban) in here.iter().filter(|(key, _)| !matches!(told.get(*key), Some(Told::Banned(_)))) {
            let lasts = ban.left(now).unwrap_or(LASTING);
            put(store, key, &Told::Banned(KeptBan::of(ban, now)), lasts.max(Duration::from_secs(1))).await?;
        }
        new.retain(|ban| self.add(now, ban.clone()).is_some());
        Ok(new)
    }
}

async fn put(store: &dyn Store, key: &[u8], told: &Told, lasts: Duration) -> Result<(), StoreError> {
    // Texts and numbers are always JSON.
    let value = serde_json::to_vec(told).unwrap_or_default();
    store.put(SHELF, key, value.into(), lasts).await
}

fn key(whom: Whom) -> Bytes {
    match whom {
        Whom::Player(player) => to_hex(&player.0).into(),
        Whom::Network(network) => network.to_string().into(),
    }
}

#[cfg(test)]
mod tests {
    use tickwire_cluster::Embedded;

    use super::*;
    use crate::matches::PlayerKey;

    #[tokio::test]
    async fn a_ban_is_told_and_so_is_that_it_was_lifted() {
        let (store, now) = (Embedded::default(), Instant::now());
        let [one, other] = [(); 2].map(|()| Bans::default());
        let ada = Whom::Player(PlayerKey([7; 32]));
        let what = NewBan { whom: ada, name: "Ada".into(), reason: "shouting".into(), lasts: Some(Duration::from_hours(1)) };
        let ban = one.add(now, what).expect("room");
        assert_eq!(one.share(&store, now).await.expect("told").len(), 0);
        let new = other.share(&store, now).await.expect("told");
        assert_eq!(new.iter().map(|ban| ban.whom).collect::<Vec<_>>(), [ada], "it takes them out of its matches");
        assert_eq!(other.share(&store, now).await.expect("told").len(), 0, "once");
        store.wipe();
        other.share(&store, now).await.expect("told");
        one.share(&store, now).await.expect("told");
        assert_eq!((one.list(now).len(), other.list(now).len()), (1, 1), "a store that lost it lifts nothing");
        one.lift(now, ban.id).expect("there is one");
        one.share(&store, now).await.expect("told");
        other.share(&store, now).await.expect("told");
        one.share(&store, now).await.expect("told");
        assert_eq!((one.list(now).len(), other.list(now).len()), (0, 0));
    }
}
