//! What the dashboard shows: the server, and every match on it.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::observer::Observer;
use crate::cluster::Listed;
use crate::matches::handle::MatchInfo;

/// Most matches of other servers that are shown.
const ELSEWHERE_MAX: usize = 1_000;

/// The server and its matches.
#[derive(Serialize)]
pub(super) struct Dashboard {
    server: ServerFigures,
    matches: Vec<MatchFigures>,
    /// Those of other servers.
    elsewhere: Vec<MatchElsewhere>,
}

#[derive(Serialize)]
struct ServerFigures {
    uptime_s: u64,
    connections: usize,
    matches: usize,
    workers: usize,
    draining: bool,
}

/// A match of another server, as that one told the others.
#[derive(Serialize)]
struct MatchElsewhere {
    id: String,
    server: String,
    mode: String,
    phase: String,
    /// Seats that people hold.
    players: u32,
    bots: u32,
    max_players: u16,
}

#[derive(Serialize)]
struct MatchFigures {
    id: String,
    code: String,
    mode: &'static str,
    private: bool,
    phase: &'static str,
    tick: u32,
    tick_rate: u8,
    /// Connected.
    players: u32,
    /// Seats that people hold: connected, away or reserved.
    held: u32,
    bots: u32,
    spectators: u32,
    max_players: u16,
    tick_us_p50: u64,
    tick_us_p99: u64,
    overruns: u64,
    late_p99_us: u64,
    bytes_per_s: u64,
    age_s: u64,
}

pub(super) async fn matches(State(observer): State<Arc<Observer>>) -> Json<Dashboard> {
    let handles = observer.directory.all();
    let watch = observer.look();
    let mut matches: Vec<_> = handles.iter().map(|handle| figures(&handle.info, watch.bytes_per_s(handle.info.id))).collect();
    drop(watch);
    // The oldest first, so that rows stay where they are.
    matches.sort_by(|a, b| b.age_s.cmp(&a.age_s).then_with(|| a.id.cmp(&b.id)));
    let server = ServerFigures {
        uptime_s: observer.started.elapsed().as_secs(),
        connections: observer.gateway.caps().counts().0,
        matches: matches.len(),
        workers: observer.directory.worker_count(),
        draining: observer.directory.is_draining(),
    };
    Json(Dashboard { server, matches, elsewhere: elsewhere(&observer) })
}

/// By server, so that rows stay where they are.
fn elsewhere(observer: &Observer) -> Vec<MatchElsewhere> {
    let Some(cluster) = observer.gateway.cluster() else { return Vec::new() };
    let listed = cluster.listed();
    let others = listed.iter().filter(|listed| listed.node != *cluster.node().id() && observer.directory.find(listed.id).is_none());
    let mut elsewhere: Vec<_> = others
        .map(|Listed { id, node, card }| MatchElsewhere {
            id: id.to_string(),
            server: node.to_string(),
            mode: card.mode.clone(),
            phase: card.phase.clone(),
            players: card.players,
            bots: card.bots,
            max_players: card.max_players,
        })
        .collect();
    elsewhere.sort_by(|a, b| (&a.server, &a.id).cmp(&(&b.server, &b.id)));
    elsewhere.truncate(ELSEWHERE_MAX);
    elsewhere
}

fn figures(info: &MatchInfo, bytes_per_s: f64) -> MatchFigures {
    let stats = &info.stats;
    let timings = stats.timings();
    MatchFigures {
        id: info.id.to_string(),
        code: info.code.clone(),
        mode: info.mode.id,
        private: info.settings.private,
        phase: stats.phase().name(),
        tick: stats.tick.load(Relaxed),
        tick_rate: info.mode.tick_rate,
        players: stats.connected.load(Relaxed),
        held: stats.held.load(Relaxed),
        bots: stats.bots.load(Relaxed),
        spectators: stats.spectators.load(Relaxed),
        max_players: info.mode.max_players,
        tick_us_p50: timings.tick.value_at_quantile(0.5),
        tick_us_p99: timings.tick.value_at_quantile(0.99),
        overruns: stats.overruns.load(Relaxed),
        late_p99_us: timings.lateness.value_at_quantile(0.99),
        bytes_per_s: bytes_per_s.round() as u64,
        age_s: info.created.elapsed().as_secs(),
    }
}
