//! Bans in a file, so that they outlive the process. Operators may read it; it is written whole at
//! every change, and replaced at once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::{BANS_MAX, Ban, NewBan, TEXT_CHARS_MAX, Whom};
use crate::matches::PlayerKey;
use crate::secrets::{from_hex, to_hex};

const NAME: &str = "bans.json";

/// The file in the server's folder.
#[derive(Debug)]
pub(super) struct BanFile(PathBuf);

#[derive(Serialize, Deserialize)]
struct Kept {
    bans: Vec<KeptBan>,
}

/// A ban as it is written. Times are seconds since 1970.
#[derive(Serialize, Deserialize)]
struct KeptBan {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<String>,
    name: String,
    reason: String,
    since: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<u64>,
}

impl BanFile {
    /// In `dir`.
    pub(super) fn of(dir: &Path) -> Self {
        Self(dir.join(NAME))
    }

    /// What is in it, with ids as given here. Nothing if there is no file.
    ///
    /// # Errors
    /// If it cannot be read, or is no list of bans.
    pub(super) fn read(&self, now: Instant) -> io::Result<Vec<Ban>> {
        let text = match fs::read(&self.0) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let kept: Kept = serde_json::from_slice(&text)?;
        let bans = (1..).zip(kept.bans.into_iter().take(BANS_MAX));
        Ok(bans.filter_map(|(id, kept)| kept.ban(id, now)).collect())
    }

    /// Takes a file out of the way that is of no use. Says where it is.
    pub(super) fn put_aside(&self) -> PathBuf {
        let aside = self.0.with_extension("json.unreadable");
        // Where even that fails the next change overwrites it.
        let _ = fs::rename(&self.0, &aside);
        aside
    }

    /// Replaces what is in it.
    ///
    /// # Errors
    /// If it cannot be written: what was in it still is.
    pub(super) fn write(&self, bans: &[Ban], now: Instant) -> io::Result<()> {
        let kept = Kept { bans: bans.iter().map(|ban| KeptBan::of(ban, now)).collect() };
        let new = self.0.with_extension("json.new");
        let mut file = File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&kept)?)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)
    }
}

impl KeptBan {
    fn of(ban: &Ban, now: Instant) -> Self {
        let (session, network) = match ban.what.whom {
            Whom::Player(player) => (Some(to_hex(player.0)), None),
            Whom::Network(network) => (None, Some(network.to_string())),
        };
        let until = ban.left(now).map(|left| unix(SystemTime::now() + left));
        Self { session, network, name: ban.what.name.clone(), reason: ban.what.reason.clone(), since: unix(ban.since), until }
    }

    /// `None` if it is over, or for nobody.
    fn ban(self, id: u64, now: Instant) -> Option<Ban> {
        let Self { session, network, name, reason, since, until } = self;
        let whom = match (session, network) {
            (Some(session), None) => Whom::Player(PlayerKey(from_hex(&session)?)),
            (None, Some(network)) => Whom::network(&network)?,
            _ => return None,
        };
        let short = |text: String| text.chars().take(TEXT_CHARS_MAX).collect();
        let lasts = until.map(|until| Duration::from_secs(until.saturating_sub(unix(SystemTime::now()))));
        let is_over = lasts.is_some_and(|lasts| lasts.is_zero());
        let until = lasts.and_then(|lasts| now.checked_add(lasts));
        let what = NewBan { whom, name: short(name), reason: short(reason), lasts };
        (!is_over).then(|| Ban { id, what, since: UNIX_EPOCH + Duration::from_secs(since), until })
    }
}

fn unix(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::super::Bans;
    use super::*;

    #[test]
    fn bans_outlive_the_process_until_they_are_over() {
        let dir = tempfile::tempdir().expect("a folder");
        let now = Instant::now();
        let bans = Bans::kept_in(dir.path(), now);
        let ban = |whom, lasts| NewBan { whom, name: "Ada".to_owned(), reason: "shouting".to_owned(), lasts };
        let (ada, bob) = (Whom::Player(PlayerKey([7; 32])), Whom::Player(PlayerKey([8; 32])));
        let network = Whom::network("192.0.2.0/24").expect("a network");
        bans.add(now, ban(ada, Some(Duration::from_hours(1)))).expect("room");
        bans.add(now, ban(network, None)).expect("room");
        let lifted = bans.add(now, ban(bob, None)).expect("room");
        bans.lift(now, lifted.id).expect("there is one");

        let again = Bans::kept_in(dir.path(), now);
        let whom: Vec<_> = again.list(now).iter().rev().map(|ban| ban.what.whom).collect();
        assert_eq!(whom, [ada, network]);
        assert!(again.find(now, "192.0.2.9".parse().expect("an address"), None).is_some());
        assert_eq!(again.list(now + Duration::from_hours(1)).len(), 1);
        let next = again.add(now, ban(bob, None)).expect("room");
        assert!(again.list(now).iter().filter(|ban| ban.id == next.id).count() == 1, "ids go on");
    }

    #[test]
    fn a_file_that_is_none_bans_nobody_and_is_kept_aside() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join(NAME), "{").expect("written");
        let bans = Bans::kept_in(dir.path(), Instant::now());
        assert!(bans.list(Instant::now()).is_empty());
        let aside = fs::read_to_string(dir.path().join("bans.json.unreadable")).expect("kept");
        assert_eq!(aside, "{");
    }
}
