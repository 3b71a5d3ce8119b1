//! What `/metrics` answers. One function per metric; names carry their unit.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use hdrhistogram::Histogram;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tickwire_protocol::PROTOCOL_VERSION;
use tickwire_protocol::schema::Phase;

use super::match_watch::Totals;
use super::observer::Observer;
use super::{descriptors, process};
use crate::metrics;

/// Upper bounds of the time histograms, microseconds: around the tick intervals of 60 and 30 Hz,
/// and what is far from them.
const BOUNDS_US: [u64; 14] = [50, 100, 250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 33_000, 66_000, 100_000, 250_000, 1_000_000];

impl Observer {
    /// All metrics in the `OpenMetrics` text format.
    pub(crate) fn scrape(self: &Arc<Self>) -> Result<String, fmt::Error> {
        let mut registry = Registry::with_prefix("tickwire");
        metrics::register(&mut registry);
        registry.register_collector(Box::new(Server(Arc::clone(self))));
        let mut answer = String::new();
        text::encode_registry(&mut answer, &registry)?;
        let mut registry = Registry::with_prefix("process");
        registry.register_collector(Box::new(Process));
        text::encode_registry(&mut answer, &registry)?;
        text::encode_eof(&mut answer)?;
        Ok(answer)
    }
}

/// A server's own figures.
struct Server(Arc<Observer>);

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

/// How many matches are in a phase, and who is in them.
#[derive(Default)]
struct Census {
    phases: [i64; 4],
    /// Connected, away, reserved.
    players: [i64; 3],
    bots: i64,
    spectators: i64,
}

const PHASES: [Phase; 4] = [Phase::Waiting, Phase::Countdown, Phase::Live, Phase::Finished];

impl Collector for Server {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        let observer = &self.0;
        let totals = observer.look().totals();
        let census = census(observer);
        build_info(encoder, observer)?;
        uptime(encoder, observer)?;
        workers(encoder, observer)?;
        draining(encoder, observer)?;
        cluster(encoder, observer)?;
        worker_load(encoder, observer)?;
        worker_full(encoder, observer)?;
        memory_pressure(encoder, observer)?;
        memory_used(encoder, observer)?;
        matches(encoder, &census)?;
        players(encoder, &census)?;
        bots(encoder, &census)?;
        spectators(encoder, &census)?;
        connections(encoder, observer)?;
        certificate(encoder, observer)?;
        guests(encoder, observer)?;
        waiting(encoder, observer)?;
        tick_duration(encoder, &totals)?;
        tick_lateness(encoder, &totals)?;
        tick_overruns(encoder, &totals)?;
        late_ticks(encoder, &totals)?;
        sent_bytes(encoder, &totals)?;
        sent_frames(encoder, &totals)?;
        late_inputs(encoder, &totals)
    }
}

fn census(observer: &Observer) -> Census {
    let mut census = Census::default();
    for handle in observer.directory.all() {
        let stats = &handle.info.stats;
        let phase = stats.phase();
        if let Some((_, count)) = PHASES.iter().zip(&mut census.phases).find(|(other, _)| **other == phase) {
            *count += 1;
        }
        let [held, connected, reserved] = [&stats.held, &stats.connected, &stats.reserved].map(|seats| i64::from(seats.load(Relaxed)));
        let away = (held - connected - reserved).max(0);
        census.players.iter_mut().zip([connected, away, reserved]).for_each(|(sum, seats)| *sum += seats);
        census.bots += i64::from(stats.bots.load(Relaxed));
        census.spectators += i64::from(stats.spectators.load(Relaxed));
    }
    census
}

fn cluster(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let Some(cluster) = observer.gateway.cluster() else { return Ok(()) };
    let servers = cluster.node().nodes().len() as i64;
    let help = "Servers of the cluster, this one included, as it last heard";
    ConstGauge::new(servers).encode(encoder.encode_descriptor("cluster_servers", help, None, MetricType::Gauge)?)?;
    let is_away = i64::from(cluster.node().is_store_away());
    let help = "1 while the store of the cluster does not answer";
    ConstGauge::new(is_away).encode(encoder.encode_descriptor("cluster_store_away", help, None, MetricType::Gauge)?)
}

fn waiting(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let help = "People who wait in a queue, whose requests come to this server";
    let waiting = observer.gateway.waiting() as i64;
    ConstGauge::new(waiting).encode(encoder.encode_descriptor("queue_waiting", help, None, MetricType::Gauge)?)
}

fn certificate(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    // None without TLS: a gauge that is not there cannot be mistaken for a certificate that is
    // over.
    let Some(left) = observer.tls.as_ref().and_then(|keeper| keeper.expires_in()) else { return Ok(()) };
    let help = "Until the certificate expires; negative since it has";
    ConstGauge::new(left).encode(encoder.encode_descriptor("tls_certificate_expires_in", help, Some(&Unit::Seconds), MetricType::Gauge)?)
}

fn build_info(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let info = Info::new([
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("game", observer.game.name.to_owned()),
        ("protocol", PROTOCOL_VERSION.to_string()),
        ("schema", format!("{:016x}", observer.game.schema_hash)),
        ("transport", observer.gateway.transport().name().to_owned()),
    ]);
    info.encode(encoder.encode_descriptor("build", "What is running", None, MetricType::Info)?)
}

fn uptime(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let gauge = ConstGauge::new(observer.started.elapsed().as_secs_f64());
    gauge.encode(encoder.encode_descriptor("uptime", "Since the server started", Some(&Unit::Seconds), MetricType::Gauge)?)
}

fn workers(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let stuck = observer.stuck_workers() as i64;
    let all = observer.directory.worker_count() as i64;
    let states = [("running", all - stuck), ("stuck", stuck)];
    labelled(encoder, "workers", "Threads that run matches, by state", "state", &states)
}

fn draining(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    gauge(encoder, "draining", "1 while the server is shutting down", i64::from(observer.directory.is_draining()))
}

fn worker_load(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let help = "The part of its time that a worker uses, what it has just taken in included, over two seconds";
    let mut metric = encoder.encode_descriptor("worker_load_ratio", help, None, MetricType::Gauge)?;
    for (index, load) in observer.directory.loads().enumerate() {
        ConstGauge::new(f64::from(load.expected()) / 1e6).encode(metric.encode_family(&[("worker", index as u64)])?)?;
    }
    Ok(())
}

fn worker_full(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let full = observer.directory.full_workers();
    gauge(encoder, "workers_full", "Workers that have no time for another match", full as i64)
}

fn memory_pressure(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let pressure = observer.gateway.brake().pressure() as i64;
    gauge(encoder, "memory_pressure", "0 while there is enough, 1 while nobody new is let in, 2 while the largest is shed", pressure)
}

fn memory_used(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let Some(used) = observer.gateway.brake().used() else { return Ok(()) };
    let help = "The part in use of the memory that this process may have, of the tightest limit";
    ConstGauge::new(used).encode(encoder.encode_descriptor("memory_used_ratio", help, None, MetricType::Gauge)?)
}

fn matches(encoder: &mut DescriptorEncoder<'_>, census: &Census) -> fmt::Result {
    let phases: Vec<_> = PHASES.iter().map(|phase| phase.name()).zip(census.phases).collect();
    labelled(encoder, "matches", "Matches, by phase", "phase", &phases)
}

fn players(encoder: &mut DescriptorEncoder<'_>, census: &Census) -> fmt::Result {
    let states: Vec<_> = ["connected", "away", "reserved"].into_iter().zip(census.players).collect();
    labelled(encoder, "players", "Seats held by people, by state", "state", &states)
}

fn bots(encoder: &mut DescriptorEncoder<'_>, census: &Census) -> fmt::Result {
    gauge(encoder, "bots", "Seats played by the server", census.bots)
}

fn spectators(encoder: &mut DescriptorEncoder<'_>, census: &Census) -> fmt::Result {
    gauge(encoder, "spectators", "Operators watching a match", census.spectators)
}

fn connections(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    let (total, unauthenticated) = observer.gateway.caps().counts();
    let states = [("authenticated", (total - unauthenticated) as i64), ("unauthenticated", unauthenticated as i64)];
    labelled(encoder, "connections", "Connections to the players' listener, by whether they have said a valid Hello", "state", &states)
}

fn guests(encoder: &mut DescriptorEncoder<'_>, observer: &Observer) -> fmt::Result {
    gauge(encoder, "guest_sessions", "Guest sessions of the HTTP API", observer.gateway.sessions() as i64)
}

fn tick_duration(encoder: &mut DescriptorEncoder<'_>, totals: &Totals) -> fmt::Result {
    seconds_histogram(encoder, "tick_duration", "Time a tick took: simulate, capture, encode, send", &totals.tick)
}

fn tick_lateness(encoder: &mut DescriptorEncoder<'_>, totals: &Totals) -> fmt::Result {
    seconds_histogram(encoder, "tick_lateness", "How long after its deadline a tick started", &totals.lateness)
}

fn tick_overruns(encoder: &mut DescriptorEncoder<'_>, totals: &Totals) -> fmt::Result {
    counter(encoder, "tick_overruns", "Ticks that took longer than the interval", totals.overruns)
}

fn late_ticks(encoder: &mut DescriptorEncoder<'_>, totals: &Totals) -> fmt::Result {
    counter(encoder, "late_ticks", "Ticks that started more than an interval late", totals.late_ticks)
}

fn sent_bytes(encoder: &mut DescriptorEncoder<'_>, totals: &Totals) -> fmt::Result {
    let help = "Payload sent to players and spectators";
    let metric = encoder.encode_descriptor("sent", help, Some(&Unit::Bytes), MetricType::Counter)?;
    ConstCounter::new(totals.bytes_sent).encode(metric)
}

fn sent_frames(encoder: &mut DescriptorEncoder<'_>, totals: &Totals) -> fmt::Result {
    counter(encoder, "sent_frames", "Snapshot frames sent to players and spectators", totals.frames_sent)
}

fn late_inputs(encoder: &mut DescriptorEncoder<'_>, totals: &Totals) -> fmt::Result {
    counter(encoder, "late_inputs", "Inputs that came too late for their tick", totals.inputs_late)
}

/// What the operating system says of this process, under the names that dashboards know.
#[derive(Debug)]
struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(bytes) = process::resident_bytes() {
            resident_memory(&mut encoder, bytes)?;
        }
        if let Some(seconds) = process::cpu_seconds() {
            let metric = encoder.encode_descriptor("cpu", "CPU time used", Some(&Unit::Seconds), MetricType::Counter)?;
            ConstCounter::new(seconds).encode(metric)?;
        }
        if let Some(count) = process::open_descriptors() {
            gauge(&mut encoder, "open_fds", "Open file descriptors", count as i64)?;
        }
        if let Some(count) = descriptors::limit() {
            gauge(&mut encoder, "max_fds", "File descriptors there may be", count.min(i64::MAX as u64) as i64)?;
        }
        Ok(())
    }
}

fn resident_memory(encoder: &mut DescriptorEncoder<'_>, bytes: u64) -> fmt::Result {
    let metric = encoder.encode_descriptor("resident_memory", "Resident memory", Some(&Unit::Bytes), MetricType::Gauge)?;
    ConstGauge::new(bytes as i64).encode(metric)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: i64) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn counter(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}

/// A gauge for each value of a label.
fn labelled(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &'static str,
    values: &[(&'static str, i64)],
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (value, count) in values {
        ConstGauge::new(*count).encode(metric.encode_family(&[(label, *value)])?)?;
    }
    Ok(())
}

fn seconds_histogram(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, micros: &Histogram<u64>) -> fmt::Result {
    let mut metric: MetricEncoder<'_> = encoder.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
    let (sum, buckets) = bucketed(micros);
    metric.encode_histogram::<NoLabelSet>(sum, micros.len(), &buckets, None)
}

/// The sum in seconds, and how many values are in each bucket, the last one without an upper bound.
fn bucketed(micros: &Histogram<u64>) -> (f64, Vec<(f64, u64)>) {
    let mut counts = [0; BOUNDS_US.len() + 1];
    let mut sum_us = 0.0;
    for step in micros.iter_recorded() {
        let value = step.value_iterated_to();
        let bucket = BOUNDS_US.iter().position(|bound| value <= *bound).unwrap_or(BOUNDS_US.len());
        if let Some(count) = counts.get_mut(bucket) {
            *count += step.count_at_value();
        }
        sum_us += value as f64 * step.count_at_value() as f64;
    }
    let bounds = BOUNDS_US.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
    (sum_us / 1e6, bounds.zip(counts).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_fall_into_their_buckets() {
        let mut micros = Histogram::<u64>::new_with_bounds(1, 10_000_000, 2).expect("bounds");
        for value in [10, 90, 90, 5_000_000] {
            micros.record(value).expect("in bounds");
        }
        let (sum, buckets) = bucketed(&micros);
        assert!((sum - 5.00019).abs() < 0.05, "{sum}");
        let filled: Vec<_> = buckets.iter().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [&(0.00005, 1), &(0.0001, 2), &(f64::INFINITY, 1)]);
    }
}
