//! The list of public matches, made at most once a second however many look at it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tickwire_protocol::MatchId;
use tickwire_protocol::schema::Phase;

use crate::cluster::Cluster;
use crate::matches::{Directory, MatchCard, MatchHandle, MatchInfo};

/// Most matches in a list.
const LIST_MAX: usize = 100;
/// A list is no older than this.
const FRESH: Duration = Duration::from_secs(1);

/// A match in a list.
#[derive(Debug, Serialize)]
pub(crate) struct MatchSummary {
    id: String,
    mode: Cow<'static, str>,
    phase: Cow<'static, str>,
    players: u32,
    bots: u32,
    max_players: u16,
}

impl MatchSummary {
    /// As it is now.
    pub(crate) fn of(info: &MatchInfo) -> Self {
        Self {
            id: info.id.to_string(),
            mode: info.mode.id.into(),
            phase: info.stats.phase().name().into(),
            players: info.stats.held.load(Relaxed),
            bots: info.stats.bots.load(Relaxed),
            max_players: info.mode.max_players,
        }
    }
}

impl MatchSummary {
    fn elsewhere(id: MatchId, card: MatchCard) -> Self {
        let MatchCard { mode, phase, players, bots, max_players, is_listed: _ } = card;
        Self { id: id.to_string(), mode: mode.into(), phase: phase.into(), players, bots, max_players }
    }
}

#[derive(Serialize)]
struct Listed {
    matches: Vec<MatchSummary>,
}

/// The list as it was made last.
#[derive(Debug, Default)]
pub(crate) struct MatchList(Mutex<Option<Made>>);

#[derive(Clone, Debug)]
struct Made {
    at: Instant,
    body: Bytes,
    /// Of the body: the same list has the same tag, also after a restart.
    tag: HeaderValue,
}

impl MatchList {
    /// The answer to a request with these headers: the list, or that it has not changed.
    pub(crate) fn answer(&self, now: Instant, directory: &Directory, cluster: Option<&Cluster>, headers: &HeaderMap) -> Response {
        let Made { body, tag, .. } = self.fresh(now, || listed(directory, cluster));
        let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|tags| names(tags, &tag));
        let mut response = if is_known { StatusCode::NOT_MODIFIED.into_response() } else { Body::from(body).into_response() };
        let headers = response.headers_mut();
        headers.insert(ETAG, tag);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if !is_known {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        response
    }

    fn fresh(&self, now: Instant, list: impl FnOnce() -> Vec<u8>) -> Made {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(made) = made.as_ref().filter(|made| now < made.at + FRESH) {
            return made.clone();
        }
        let body = list();
        let tag = tag_of(&body);
        made.insert(Made { at: now, body: body.into(), tag }).clone()
    }
}

/// Public matches that are not over and in which somebody has a seat, or watches: those with free
/// seats first, of these the fullest first.
fn listed(directory: &Directory, cluster: Option<&Cluster>) -> Vec<u8> {
    let mut matches: Vec<_> =
        directory.all().iter().filter(|handle| is_listed(handle)).map(|handle| MatchSummary::of(&handle.info)).collect();
    if let Some(cluster) = cluster {
        let elsewhere = cluster.listed();
        let elsewhere = elsewhere.iter().filter(|listed| listed.card.is_listed && directory.find(listed.id).is_none());
        matches.extend(elsewhere.map(|listed| MatchSummary::elsewhere(listed.id, listed.card.clone())));
    }
    matches.sort_by_cached_key(|summary| {
        let is_full = summary.players >= u32::from(summary.max_players);
        (is_full, Reverse(summary.players), summary.id.clone())
    });
    matches.truncate(LIST_MAX);
    // Texts and numbers are always JSON.
    serde_json::to_vec(&Listed { matches }).unwrap_or_default()
}

fn is_listed(handle: &MatchHandle) -> bool {
    let info = &handle.info;
    let has_somebody = info.stats.held.load(Relaxed) > 0 || info.stats.spectators.load(Relaxed) > 0;
    !info.settings.private && has_somebody && !handle.is_gone() && info.stats.phase() != Phase::Finished
}

fn tag_of(body: &[u8]) -> HeaderValue {
    let hash = Sha256::digest(body).first_chunk().copied().map_or(0, u64::from_be_bytes);
    HeaderValue::try_from(format!("\"{hash:016x}\"")).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether a list of entity tags has `tag`. Compared as RFC 9110 says for `If-None-Match`: a proxy
/// that compresses makes tags weak.
fn names(tags: &HeaderValue, tag: &HeaderValue) -> bool {
    let (Ok(tags), Ok(tag)) = (tags.to_str(), tag.to_str()) else { return false };
    tags.split(',').map(str::trim).any(|other| other == "*" || other.strip_prefix("W/").unwrap_or(other) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_made_once_a_second() {
        let list = MatchList::default();
        let start = Instant::now();
        let first = list.fresh(start, || b"1".to_vec());
        let same = list.fresh(start + FRESH / 2, || unreachable!("the list is fresh"));
        assert_eq!((&same.body, &same.tag), (&first.body, &first.tag));
        let next = list.fresh(start + FRESH, || b"2".to_vec());
        assert_ne!((&next.body, &next.tag), (&first.body, &first.tag));
        assert_eq!(list.fresh(start + FRESH * 2, || b"1".to_vec()).tag, first.tag);
    }

    #[test]
    fn tags_are_compared_as_the_rfc_says() {
        let is_named = |tags| names(&HeaderValue::from_static(tags), &HeaderValue::from_static("\"ab\""));
        assert!([r#""ab""#, r#"W/"ab""#, r#""x", W/"ab""#, "*"].into_iter().all(is_named));
        assert!(![r#""a""#, "ab", "", r#""abc""#].into_iter().any(is_named));
    }
}
