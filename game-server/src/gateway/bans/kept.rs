//! Bans in a file, so that they outlive the process. Operators may read it; it is written whole at
//! every change, and replaced at once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::ban::{BANS_MAX, Ban, NewBan, TEXT_CHARS_MAX, Whom};
use crate::clock::unix_seconds;
use crate::matches::PlayerKey;
use crate::secrets::{from_hex, to_hex};

/// What it is called.
pub(super) const NAME: &str = "bans.json";

/// The file in the server's folder.
#[derive(Debug)]
pub(super) struct BanFile(PathBuf);

#[derive(Serialize, Deserialize)]
struct Kept {
    bans: Vec<KeptBan>,
}

/// A ban as it is written. Times are seconds since 1970.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct KeptBan {
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
    pub(super) fn of(ban: &Ban, now: Instant) -> Self {
        let (session, network) = match ban.what.whom {
            Whom::Player(player) => (Some(to_hex(&player.0)), None),
            Whom::Network(network) => (None, Some(network.to_string())),
        };
        let until = ban.left(now).map(|left| unix_seconds(SystemTime::now() + left));
        Self { session, network, name: ban.what.name.clone(), reason: ban.what.reason.clone(), since: unix_seconds(ban.since), until }
    }

    /// `None` if it is over, or for nobody.
    pub(super) fn ban(self, id: u64, now: Instant) -> Option<Ban> {
        let Self { session, network, name, reason, since, until } = self;
        let whom = match (session, network) {
            (Some(session), None) => Whom::Player(PlayerKey(from_hex(&session)?)),
            (None, Some(network)) => Whom::network(&network)?,
            _ => return None,
        };
        let short = |text: String| text.chars().take(TEXT_CHARS_MAX).collect();
        let lasts = until.map(|until| Duration::from_secs(until.saturating_sub(unix_seconds(SystemTime::now()))));
        let is_over = lasts.is_some_and(|lasts| lasts.is_zero());
        let until = lasts.and_then(|lasts| now.checked_add(lasts));
        let what = NewBan { whom, name: short(name), reason: short(reason), lasts };
        (!is_over).then(|| Ban { id, what, since: UNIX_EPOCH + Duration::from_secs(since), until })
    }
}
