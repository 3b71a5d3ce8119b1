//! The results as they are stored: medians and spreads of the repeats, ratios between arms, and what they were measured on.

mod machine;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::arm::Arm;
use crate::statistics::{median, rounded, spread};
use crate::trial::Sample;
use crate::watch::Means;
use crate::workload::MATCH_SEATS;
pub(crate) use machine::Machine;

/// IP and TCP headers, with timestamps, of the segment that an update travels in.
pub(crate) const TCP_IP_HEADER_BYTES: f64 = 52.0;
/// A generator that used more of a core or was later had a part in what was measured, or the machine was busy with something else.
const GENERATOR_CPU_SHARE_MAX: f64 = 0.9;
const GENERATOR_LATE_MS_MAX: f64 = 10.0;
/// A machine with more to do than this, in cores, was not there for the benchmark.
const OTHERS_CPU_SHARE_MAX: f64 = 0.2;

/// A whole run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Report {
    pub(crate) arms: BTreeMap<String, ArmReport>,
    pub(crate) ratios: BTreeMap<String, f64>,
    pub(crate) commit: String,
    pub(crate) machine: Machine,
    /// Per arm: what an update carried.
    pub(crate) workload: BTreeMap<String, Means>,
    pub(crate) settings: Settings,
    /// What a reader must know: runs that failed, or in which the generator was the bottleneck.
    pub(crate) notes: Vec<String>,
}

/// How it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) command: String,
    pub(crate) repeats: usize,
    pub(crate) window_seconds: f64,
    /// Capacity is known to this share of itself.
    pub(crate) capacity_step: f64,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ArmReport {
    pub(crate) players: BTreeMap<usize, Figures>,
    pub(crate) capacity_players: Option<usize>,
}

/// Medians of the repeats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) cpu_us_per_update: f64,
    /// Less the floor's; none when the floor was not run.
    pub(crate) cpu_us_above_floor: Option<f64>,
    pub(crate) user_us_per_update: f64,
    pub(crate) system_us_per_update: f64,
    pub(crate) payload_bytes_per_update: f64,
    pub(crate) payload_bytes_per_player_update: f64,
    pub(crate) wire_bytes_per_update: f64,
    pub(crate) wire_bytes_with_tcp_ip_per_update: f64,
    pub(crate) rss_bytes_per_player: f64,
    pub(crate) gap_ms_p99: f64,
    pub(crate) delivered_hz: f64,
    /// Least and most of each.
    pub(crate) spread: BTreeMap<String, [f64; 2]>,
    pub(crate) generator: GeneratorFigures,
}

/// How the load generator did, medians too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct GeneratorFigures {
    /// Of a core.
    pub(crate) cpu_share: f64,
    pub(crate) late_ms_p99: f64,
    /// What everything but server and generator used of the machine, in cores.
    pub(crate) others_cpu_share: f64,
    /// It, or the rest of the machine, was too busy for this line to be the server's alone.
    pub(crate) was_bottleneck: bool,
}

/// Everything measured: per arm, the samples of each repeat, in rising order of players.
pub(crate) type Samples = BTreeMap<Arm, Vec<Vec<Sample>>>;

/// The part of a report that follows from the samples.
pub(crate) fn arms(samples: &Samples, capacities: &BTreeMap<Arm, usize>) -> BTreeMap<String, ArmReport> {
    let mut reports: BTreeMap<String, ArmReport> = BTreeMap::new();
    for (arm, repeats) in samples {
        let mut counts: Vec<usize> = repeats.iter().flatten().map(|sample| sample.players).collect();
        counts.sort_unstable();
        counts.dedup();
        let report = reports.entry(arm.name().to_owned()).or_default();
        for count in counts {
            report.players.insert(count, figures(repeats, count));
        }
    }
    for (arm, capacity) in capacities {
        reports.entry(arm.name().to_owned()).or_default().capacity_players = Some(*capacity);
    }
    subtract_floor(&mut reports);
    reports
}

fn figures(repeats: &[Vec<Sample>], players: usize) -> Figures {
    let samples: Vec<&Sample> = repeats.iter().flatten().filter(|sample| sample.players == players).collect();
    let mut spreads = BTreeMap::new();
    let mut of = |name: &str, values: Vec<f64>| {
        if let Some([least, most]) = spread(&values) {
            spreads.insert(name.to_owned(), [rounded(least), rounded(most)]);
        }
        rounded(median(&values).unwrap_or_default())
    };
    let each = |figure: fn(&Sample) -> f64| -> Vec<f64> { samples.iter().map(|sample| figure(sample)).collect() };
    let seats = MATCH_SEATS as f64;
    let per_player = each(|sample| sample.payload_bytes_per_update).into_iter().map(|bytes| bytes / seats).collect();
    let typical = |figure: fn(&Sample) -> f64| rounded(median(&each(figure)).unwrap_or_default());
    let generator = GeneratorFigures {
        cpu_share: typical(|sample| sample.generator.cpu_share),
        late_ms_p99: typical(|sample| sample.generator.late_ms_p99),
        others_cpu_share: typical(|sample| sample.generator.others_cpu_share),
        was_bottleneck: false,
    };
    let was_bottleneck = generator.cpu_share > GENERATOR_CPU_SHARE_MAX
        || generator.late_ms_p99 > GENERATOR_LATE_MS_MAX
        || generator.others_cpu_share > OTHERS_CPU_SHARE_MAX;
    let mut figures = Figures {
        cpu_us_per_update: of("cpu_us_per_update", each(Sample::cpu_us_per_update)),
        cpu_us_above_floor: None,
        user_us_per_update: of("user_us_per_update", each(|sample| sample.user_us_per_update)),
        system_us_per_update: of("system_us_per_update", each(|sample| sample.system_us_per_update)),
        payload_bytes_per_update: of("payload_bytes_per_update", each(|sample| sample.payload_bytes_per_update)),
        payload_bytes_per_player_update: of("payload_bytes_per_player_update", per_player),
        wire_bytes_per_update: of("wire_bytes_per_update", each(|sample| sample.wire_bytes_per_update)),
        wire_bytes_with_tcp_ip_per_update: 0.0,
        rss_bytes_per_player: of("rss_bytes_per_player", repeats.iter().filter_map(|repeat| bytes_per_player(repeat)).collect()),
        gap_ms_p99: of("gap_ms_p99", each(|sample| sample.gap_ms_p99)),
        delivered_hz: of("delivered_hz", each(|sample| sample.delivered_hz)),
        spread: BTreeMap::new(),
        generator: GeneratorFigures { was_bottleneck, ..generator },
    };
    figures.wire_bytes_with_tcp_ip_per_update = rounded(figures.wire_bytes_per_update + TCP_IP_HEADER_BYTES);
    figures.spread = spreads;
    figures
}

/// The slope of resident memory over players within one process; with one count only, from the empty server on.
fn bytes_per_player(repeat: &[Sample]) -> Option<f64> {
    let (first, last) = (repeat.first()?, repeat.last()?);
    Some(if last.players > first.players {
        (last.resident_bytes - first.resident_bytes) / (last.players - first.players) as f64
    } else {
        (last.resident_bytes - last.idle_bytes) / last.players as f64
    })
}

fn subtract_floor(reports: &mut BTreeMap<String, ArmReport>) {
    let floors: BTreeMap<usize, f64> = reports
        .get(Arm::Floor.name())
        .map(|floor| floor.players.iter().map(|(players, figures)| (*players, figures.cpu_us_per_update)).collect())
        .unwrap_or_default();
    for report in reports.values_mut() {
        for (players, figures) in &mut report.players {
            let Some(floor) = floors.get(players) else { continue };
            figures.cpu_us_above_floor = Some(rounded(figures.cpu_us_per_update - floor));
            if let Some([least, most]) = figures.spread.get("cpu_us_per_update").copied() {
                figures.spread.insert("cpu_us_above_floor".to_owned(), [rounded(least - floor), rounded(most - floor)]);
            }
        }
    }
}

/// What claims rest on: medians over medians of the same players. A ratio whose divisor is not above zero is left out.
pub(crate) fn ratios(arms: &BTreeMap<String, ArmReport>) -> BTreeMap<String, f64> {
    let mut ratios = BTreeMap::new();
    let mut add = |name: String, dividend: f64, divisor: f64| {
        if divisor > 0.0 {
            ratios.insert(name, rounded(dividend / divisor));
        }
    };
    let Some(ours) = arms.get(Arm::Tickwire.name()) else { return ratios };
    for (name, theirs) in arms.iter().filter(|(name, _)| *name != Arm::Tickwire.name()) {
        let name = name.replace('-', "_");
        for (players, our) in &ours.players {
            let Some(their) = theirs.players.get(players) else { continue };
            if name == Arm::Floor.name() {
                add(format!("tickwire_cpu_over_floor_{players}"), our.cpu_us_per_update, their.cpu_us_per_update);
                continue;
            }
            add(format!("{name}_cpu_over_tickwire_{players}"), their.cpu_us_per_update, our.cpu_us_per_update);
            if let (Some(their), Some(our)) = (their.cpu_us_above_floor, our.cpu_us_above_floor) {
                add(format!("{name}_cpu_above_floor_over_tickwire_{players}"), their, our);
            }
        }
        let common = ours.players.iter().rev().find_map(|(players, our)| theirs.players.get(players).map(|their| (our, their)));
        if let Some((our, their)) = common.filter(|_| name != Arm::Floor.name()) {
            add(format!("{name}_payload_over_tickwire"), their.payload_bytes_per_update, our.payload_bytes_per_update);
            add(format!("{name}_rss_over_tickwire"), their.rss_bytes_per_player, our.rss_bytes_per_player);
        }
        if let (Some(their), Some(our)) = (theirs.capacity_players, ours.capacity_players) {
            add(format!("tickwire_capacity_over_{name}"), our as f64, their as f64);
        }
    }
    ratios
}

/// Lines that the generator had a part in.
pub(crate) fn bottlenecks(arms: &BTreeMap<String, ArmReport>) -> Vec<String> {
    let lines =
        arms.iter().flat_map(|(name, report)| report.players.iter().map(move |(players, figures)| (name, players, figures.generator)));
    let busy = lines.filter(|(_, _, generator)| generator.was_bottleneck);
    busy.map(|(name, players, generator)| {
        format!(
            "{name} at {players} players is not the server's alone: the generator used {:.0} % of a core and was {:.1} ms late at p99, other \
             programs used {:.0} % of a core",
            generator.cpu_share * 100.0,
            generator.late_ms_p99,
            generator.others_cpu_share * 100.0
        )
    })
    .collect()
}

#[cfg(test)]
mod tests;
