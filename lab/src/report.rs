//! What a snapshot costs: bytes and time of the codec, bits of each column, and what an arithmetic coder that learns as it goes
//! would need for the same residuals.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use tickwire_protocol::delta::{Scratch, apply, encode};
use tickwire_protocol::model::{ColumnModel, Source, TableModel, Tokens};
use tickwire_protocol::{Schema, Snapshot};

use crate::observe::{Column, TableObservations, observe};

/// Ticks that are measured together.
const WARM_TICKS: usize = 32;
/// How often.
const ROUNDS: usize = 15;

/// Prints what matches cost. A match is a sequence of snapshots of `schema`.
pub fn report(name: &str, schema: &Schema, matches: &[Vec<Snapshot>]) {
    let pairs: Vec<(&Snapshot, &Snapshot)> = matches.iter().flat_map(|ticks| ticks.iter().zip(ticks.iter().skip(1))).collect();
    let mut observed = Vec::new();
    pairs.iter().for_each(|(base, next)| observe(schema, base, next, &mut observed));
    let (bytes, rows, changed) = measure_bytes(&pairs);
    let count = pairs.len() as f64;
    println!("## {name}: {} snapshots, {:.1} rows each, {:.1} of them changed", pairs.len(), rows / count, changed / count);
    println!("bytes per snapshot {:.2}", bytes as f64 / count);
    let (encoding, applying) = measure_time(schema, &pairs);
    println!(
        "encode {:.0} ns, apply {:.0} ns per snapshot; {:.1} and {:.1} ns per changed row",
        encoding,
        applying,
        encoding * count / changed,
        applying * count / changed
    );
    let (mut all, mut all_bound) = (0.0, 0.0);
    for (index, (table, observed)) in schema.tables().iter().zip(&observed).enumerate() {
        let model = schema.model().and_then(|model| model.tables.get(index)).unwrap_or(&TableModel::UNKNOWN);
        let mut line = |column: &str, bits: f64, bound: f64| {
            all += bits;
            all_bound += bound;
            if bits / count > 0.05 || bound / count > 0.05 {
                println!("  {:<8} {column:<18} {:>8.2} bits, learning coder {:>8.2}", table.name, bits / count, bound / count);
            }
        };
        let flags = flag_bits(observed.quiet, model.quiet);
        line("quiet or not", flags, learned_flags(observed.quiet));
        line("rows that go", column_bits(&observed.gone, &model.gone, table.fields.len()), learned_column(&observed.gone));
        let more: f64 = observed.no_more.iter().zip(model.no_more).map(|(counts, weight)| flag_bits(*counts, weight)).sum();
        line("rows that come", more, observed.no_more.iter().map(|counts| learned_flags(*counts)).sum());
        line("their ids", number_bits(observed.ids.iter().copied(), &model.ids, 0), learned(observed.ids.iter().map(|id| (0, *id))));
        let (come, come_bound) = spawned_bits(table, observed, model);
        line("their values", come, come_bound);
        for ((field, column), index) in table.fields.iter().zip(&observed.fields).zip(0..) {
            let model = model.fields.get(index).unwrap_or(&ColumnModel::UNKNOWN);
            line(field.name, column_bits(column, model, table.fields.len()), learned_column(column));
        }
    }
    println!("  sum {:.2} bits = {:.2} bytes; learning coder {:.2} bytes", all / count, all / count / 8.0, all_bound / count / 8.0);
}

fn measure_bytes(pairs: &[(&Snapshot, &Snapshot)]) -> (usize, f64, f64) {
    let mut scratch = Scratch::default();
    let (mut body, mut bytes, mut rows, mut changed) = (Vec::new(), 0, 0.0, 0.0);
    for (base, next) in pairs {
        body.clear();
        encode(base, next, &mut scratch, &mut body);
        bytes += body.len();
        for (before, after) in base.tables().iter().zip(next.tables()) {
            rows += after.len() as f64;
            changed += after.ids().iter().enumerate().filter(|(row, id)| is_changed(before, after, **id, *row)).count() as f64;
        }
    }
    (bytes, rows, changed)
}

fn is_changed(before: &tickwire_protocol::Table, after: &tickwire_protocol::Table, id: tickwire_protocol::NetId, row: usize) -> bool {
    let Some(from) = before.row_of(id) else { return true };
    (0..after.fields().len()).any(|column| before.column(column)[from] != after.column(column)[row])
}

/// Nanoseconds per snapshot to encode and to apply.
fn measure_time(schema: &Schema, pairs: &[(&Snapshot, &Snapshot)]) -> (f64, f64) {
    let mut scratch = Scratch::default();
    let bodies: Vec<Vec<u8>> = pairs
        .iter()
        .map(|(base, next)| {
            let mut body = Vec::new();
            encode(base, next, &mut scratch, &mut body);
            body
        })
        .collect();
    let (mut out, mut read) = (Vec::new(), Snapshot::empty(schema));
    let (mut encoding, mut applying) = (0.0, 0.0);
    // A few ticks at a time: a server's newest snapshots are in its cache, a whole match is not.
    for (pairs, bodies) in pairs.chunks(WARM_TICKS).zip(bodies.chunks(WARM_TICKS)) {
        let mut encode_all = || {
            for (base, next) in pairs {
                out.clear();
                encode(black_box(base), black_box(next), &mut scratch, &mut out);
                black_box(&out);
            }
        };
        encoding += least_time(&mut encode_all);
        let mut apply_all = || {
            for ((base, next), body) in pairs.iter().zip(bodies) {
                read.tick = next.tick;
                let applied = apply(black_box(base), black_box(body), &mut scratch, &mut read);
                assert!(applied.is_ok(), "it was just encoded");
                black_box(&read);
            }
        };
        applying += least_time(&mut apply_all);
    }
    for ((base, next), body) in pairs.iter().zip(&bodies) {
        read.tick = next.tick;
        assert!(apply(base, body, &mut scratch, &mut read).is_ok() && read == **next, "tick {:?} reads back", next.tick);
    }
    let count = pairs.len() as f64;
    (encoding / count, applying / count)
}

/// Nanoseconds of the fastest of several rounds, because other work disturbs in one direction only.
fn least_time(work: &mut dyn FnMut()) -> f64 {
    let round = |_| {
        let started = Instant::now();
        work();
        started.elapsed().as_nanos() as f64
    };
    (0..ROUNDS).map(round).fold(f64::MAX, f64::min)
}

fn bits_of(weight: u16) -> f64 {
    15.0 - f64::from(weight).log2()
}

fn flag_bits([zeros, ones]: [u64; 2], weight: u16) -> f64 {
    zeros as f64 * bits_of(weight) + ones as f64 * bits_of((1 << 15) - weight)
}

fn token_bits(number: u32, tokens: &Tokens, distribution: usize) -> f64 {
    let Some(sums) = tokens.distributions.get(distribution) else { return 32.0 };
    let (token, _, rest) = Tokens::split(tokens.direct, number);
    sums.get(token..).and_then(|sums| Some(bits_of(sums.get(1)? - sums.first()?))).unwrap_or(40.0) + f64::from(rest)
}

fn number_bits(numbers: impl Iterator<Item = u32>, tokens: &Tokens, distribution: usize) -> f64 {
    numbers.map(|number| token_bits(number, tokens, distribution)).sum()
}

/// Bits of a column if it is never plain.
fn column_bits(column: &Column, model: &ColumnModel, fields: usize) -> f64 {
    let form = |form: usize| bits_of(model.form[form + 1] - model.form[form]);
    let forms = column.quiet[0] as f64 * form(0) + column.quiet[1] as f64 * form(1);
    let residuals = column.residuals.iter().enumerate().map(|(index, residual)| {
        let classes = column.classes_of(index);
        let context = model.sources.iter().fold(0, |context, source| match source {
            Source::None => context,
            Source::Base(field) => context * tickwire_protocol::model::CLASS_COUNT + usize::from(classes[usize::from(*field)]),
            Source::Residual(field) => context * tickwire_protocol::model::CLASS_COUNT + usize::from(classes[fields + usize::from(*field)]),
        });
        let distribution = model.contexts.get(context).copied().unwrap_or(0);
        token_bits(*residual, &model.tokens, usize::from(distribution))
    });
    forms + residuals.sum::<f64>()
}

fn spawned_bits(table: &tickwire_protocol::TableSchema, observed: &TableObservations, model: &TableModel) -> (f64, f64) {
    let (mut bits, mut bound) = (0.0, 0.0);
    for ((field, values), index) in table.fields.iter().zip(&observed.spawned).zip(0..) {
        let usual = model.spawned.get(index);
        let residual = |spawned: &crate::observe::Spawned| {
            let usual = usual.map_or(field.min, |usual| usual.usual);
            spawned.residual.unwrap_or_else(|| tickwire_protocol::delta::residual::residual(field, usual, spawned.value, spawned.tick))
        };
        let expected = |spawned: &crate::observe::Spawned| usize::from(spawned.residual.is_some());
        bits += match usual {
            None => values.len() as f64 * f64::from(field.bits()),
            Some(usual) => values.iter().map(|value| token_bits(residual(value), &usual.tokens, expected(value))).sum(),
        };
        bound += learned(values.iter().map(|value| (expected(value), residual(value))));
    }
    (bits, bound)
}

/// Bits of an arithmetic coder that starts knowing nothing and counts what it has seen, per context: a number it has not seen costs
/// an escape and its bits.
fn learned(numbers: impl Iterator<Item = (usize, u32)>) -> f64 {
    let mut seen: BTreeMap<usize, (f64, BTreeMap<u32, f64>)> = BTreeMap::new();
    numbers
        .map(|(context, number)| {
            let (all, counts) = seen.entry(context).or_default();
            let kinds = counts.len() as f64;
            let count = counts.entry(number).or_default();
            let share = if *count > 0.0 { (*count - 0.5) / *all } else { 0.5 * (kinds + 1.0) / (*all + 1.0) };
            let escaped = if *count > 0.0 { 0.0 } else { 2.0 * (f64::from(number) + 1.0).log2() + 1.0 };
            *count += 1.0;
            *all += 1.0;
            escaped - share.clamp(1e-9, 1.0).log2()
        })
        .sum()
}

fn learned_flags([zeros, ones]: [u64; 2]) -> f64 {
    let all = (zeros + ones) as f64;
    [zeros, ones].into_iter().filter(|count| *count > 0).map(|count| count as f64 * (all / count as f64).log2()).sum::<f64>()
        + 0.5 * (all + 1.0).log2()
}

/// The bound without any context: whether the column is quiet, and the residuals of those that are not.
fn learned_column(column: &Column) -> f64 {
    learned_flags(column.quiet) + learned(column.residuals.iter().map(|residual| (0, *residual)))
}
