//! From what was observed to a model: which contexts tell most about a column, and how likely each token is in them.

use std::collections::BTreeMap;

use tickwire_protocol::delta::residual::residual;
use tickwire_protocol::model::WHOLE;
use tickwire_protocol::model::{CLASS_COUNT, ColumnModel, Source, SpawnModel, TableModel, Tokens};
use tickwire_protocol::schema::{Field, TableSchema};

use crate::observe::{Column, Spawned, TableObservations};

/// Most distributions of one column, besides the one for contexts that were never seen.
const DISTRIBUTIONS_MAX: usize = 12;
/// A second source of context must save this many bits for each distribution that it may cost.
const WORTH_BITS: f64 = 3_000.0;
/// Merging two distributions is free up to this many bits of all that was observed.
const MERGE_BITS: f64 = 1_000.0;
/// Candidates for the numbers that have a token each.
const DIRECT: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];
/// A distribution is thought of as having seen this many tokens of its column besides its own.
const BACKGROUND: f64 = 8.0;

/// A model as values, before it is source code.
pub struct TrainedTable {
    /// See the fields of [`tickwire_protocol::model::TableModel`].
    pub quiet: u16,
    /// Likewise.
    pub gone: TrainedColumn,
    /// Likewise.
    pub no_more: [u16; 2],
    /// Likewise.
    pub ids: TrainedTokens,
    /// Likewise.
    pub fields: Vec<TrainedColumn>,
    /// Likewise: the usual value, and the tokens.
    pub spawned: Vec<(i32, TrainedTokens)>,
}

/// A column's model as values.
pub struct TrainedColumn {
    /// Form.
    pub form: Vec<u16>,
    /// Sources of context.
    pub sources: [Source; 2],
    /// Distribution for each context.
    pub contexts: Vec<u8>,
    /// Distributions.
    pub tokens: TrainedTokens,
}

/// Distributions as values.
pub struct TrainedTokens {
    /// Numbers with a token each.
    pub direct: u32,
    /// Sums of weights.
    pub distributions: Vec<Vec<u16>>,
}

impl TrainedTable {
    /// The model as a constant, to be used in this very program. What it takes is never given back.
    pub fn leak(self) -> TableModel {
        let fields: Vec<ColumnModel> = self.fields.into_iter().map(TrainedColumn::leak).collect();
        let spawned = self.spawned.into_iter().map(|(usual, tokens)| SpawnModel { usual, tokens: tokens.leak() });
        TableModel {
            quiet: self.quiet,
            gone: self.gone.leak(),
            no_more: self.no_more,
            ids: self.ids.leak(),
            fields: fields.leak(),
            spawned: spawned.collect::<Vec<_>>().leak(),
        }
    }
}

impl TrainedColumn {
    fn leak(self) -> ColumnModel {
        ColumnModel { form: self.form.leak(), sources: self.sources, contexts: self.contexts.leak(), tokens: self.tokens.leak() }
    }
}

impl TrainedTokens {
    fn leak(self) -> Tokens {
        let distributions: Vec<&'static [u16]> = self.distributions.into_iter().map(|sums| &*sums.leak()).collect();
        Tokens { direct: self.direct, distributions: distributions.leak() }
    }
}

/// Learns a table's model.
pub fn train_table(table: &TableSchema, observed: &TableObservations) -> TrainedTable {
    let gone_sources: Vec<Source> = (0..table.fields.len()).map(|field| Source::Base(field as u8)).collect();
    let fields = table.fields.iter().zip(&observed.fields).enumerate().map(|(index, (field, column))| {
        let mut sources = gone_sources.clone();
        sources.extend((0..index).map(|earlier| Source::Residual(earlier as u8)));
        train_column(column, &sources, token_limit(field))
    });
    TrainedTable {
        quiet: weight_of_first(observed.quiet),
        gone: train_column(&observed.gone, &gone_sources, 1),
        no_more: observed.no_more.map(weight_of_first),
        ids: train_tokens(&[counted(observed.ids.iter().copied())], u32::MAX),
        fields: fields.collect(),
        spawned: table.fields.iter().zip(&observed.spawned).map(|(field, values)| train_spawned(field, values)).collect(),
    }
}

/// The greatest residual that `field` can have.
fn token_limit(field: &Field) -> u32 {
    (2 * u64::from(field.span()) + 4).min(u64::from(u32::MAX)) as u32
}

/// How often each number occurred.
type Counts = BTreeMap<u32, f64>;

fn counted(numbers: impl Iterator<Item = u32>) -> Counts {
    let mut counts = Counts::new();
    numbers.for_each(|number| *counts.entry(number).or_default() += 1.0);
    counts
}

fn total(counts: &Counts) -> f64 {
    counts.values().sum()
}

/// Bits that these tokens take when coded by their own frequencies, without what tells numbers of one token apart.
fn entropy(counts: &Counts) -> f64 {
    let all = total(counts);
    counts.values().map(|count| count * (all / count).log2()).sum()
}

/// The same, and what it costs to learn the frequencies.
fn learned(counts: &Counts) -> f64 {
    entropy(counts) + counts.len() as f64 * 0.5 * (total(counts) + 1.0).log2()
}

fn tokens_of(counts: &Counts, direct: u32) -> Counts {
    let mut tokens = Counts::new();
    counts.iter().for_each(|(number, count)| *tokens.entry(Tokens::split(direct, *number).0 as u32).or_default() += count);
    tokens
}

fn add(into: &mut Counts, other: &Counts) {
    other.iter().for_each(|(number, count)| *into.entry(*number).or_default() += count);
}

fn train_column(column: &Column, candidates: &[Source], limit: u32) -> TrainedColumn {
    let form = form_of(column.quiet, !column.residuals.is_empty());
    let all = counted(column.residuals.iter().copied());
    if column.residuals.is_empty() {
        let tokens = TrainedTokens { direct: 0, distributions: Vec::new() };
        return TrainedColumn { form, sources: [Source::None; 2], contexts: Vec::new(), tokens };
    }
    let direct = best_direct(&[&all], limit);
    let tokens: Vec<u32> = column.residuals.iter().map(|residual| Tokens::split(direct, *residual).0 as u32).collect();
    let fields = column.width - candidates.iter().filter(|source| matches!(source, Source::Residual(_))).count();
    let mut sources = [Source::None; 2];
    let mut best = learned(&tokens_of(&all, direct));
    for place in 0..2 {
        let cost = |candidate: &Source| {
            let mut tried = sources;
            tried[place] = *candidate;
            let by_context = split_by_context(column, &tokens, tried, fields);
            (by_context.values().map(learned).sum::<f64>(), *candidate)
        };
        let found = candidates.iter().filter(|candidate| !sources.contains(candidate)).map(cost).min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((cost, source)) = found else { break };
        if cost + WORTH_BITS > best {
            break;
        }
        (best, sources[place]) = (cost, source);
    }
    let (contexts, groups) = cluster(split_by_context(column, &tokens, sources, fields), sources);
    let everything = tokens_of(&all, direct);
    let weigh = |counts: &Counts| weights(counts, &everything, direct, limit);
    let distributions = groups.iter().chain([&everything].into_iter().filter(|_| sources[0] != Source::None)).map(weigh).collect();
    TrainedColumn { form, sources, contexts, tokens: TrainedTokens { direct, distributions } }
}

/// Where in a residual's classes that of `source` is.
fn class_index(source: Source, fields: usize) -> Option<usize> {
    match source {
        Source::None => None,
        Source::Base(field) => Some(usize::from(field)),
        Source::Residual(field) => Some(fields + usize::from(field)),
    }
}

fn split_by_context(column: &Column, tokens: &[u32], sources: [Source; 2], fields: usize) -> BTreeMap<usize, Counts> {
    let mut by_context: BTreeMap<usize, Counts> = BTreeMap::new();
    for (index, token) in tokens.iter().enumerate() {
        let classes = column.classes_of(index);
        let context = sources
            .iter()
            .filter_map(|source| class_index(*source, fields))
            .fold(0, |context, class| context * CLASS_COUNT + usize::from(classes.get(class).copied().unwrap_or(0)));
        *by_context.entry(context).or_default().entry(*token).or_default() += 1.0;
    }
    by_context
}

/// Merges contexts whose tokens are alike. Gives the group of each context, and the groups' tokens; contexts that never occurred
/// are in a group past the last.
fn cluster(by_context: BTreeMap<usize, Counts>, sources: [Source; 2]) -> (Vec<u8>, Vec<Counts>) {
    let mut groups: Vec<(Vec<usize>, Counts)> = by_context.into_iter().map(|(context, counts)| (vec![context], counts)).collect();
    let loss = |a: &Counts, b: &Counts| {
        let mut both = a.clone();
        add(&mut both, b);
        entropy(&both) - entropy(a) - entropy(b)
    };
    // Losses of all pairs, kept as groups are merged.
    let mut losses: Vec<Vec<f64>> = groups.iter().map(|(_, a)| groups.iter().map(|(_, b)| loss(a, b)).collect()).collect();
    while groups.len() > 1 {
        let pairs = (0..groups.len()).flat_map(|a| (0..a).map(move |b| (b, a)));
        let Some((a, b)) = pairs.min_by(|x, y| losses[x.0][x.1].total_cmp(&losses[y.0][y.1])) else { break };
        if groups.len() <= DISTRIBUTIONS_MAX && losses[a][b] > MERGE_BITS {
            break;
        }
        let (contexts, counts) = groups.swap_remove(b);
        losses.swap_remove(b);
        losses.iter_mut().for_each(|row| {
            row.swap_remove(b);
        });
        groups[a].0.extend(contexts);
        add(&mut groups[a].1, &counts);
        for other in 0..groups.len() {
            let changed = loss(&groups[a].1, &groups[other].1);
            (losses[a][other], losses[other][a]) = (changed, changed);
        }
    }
    let used = sources.iter().filter(|source| **source != Source::None).count() as u32;
    let mut contexts = if used == 0 { Vec::new() } else { vec![groups.len() as u8; CLASS_COUNT.pow(used)] };
    for (group, (members, _)) in groups.iter().enumerate() {
        members.iter().for_each(|context| {
            if let Some(place) = contexts.get_mut(*context) {
                *place = group as u8;
            }
        });
    }
    (contexts, groups.into_iter().map(|(_, counts)| counts).collect())
}

/// How many numbers are worth a token of their own.
fn best_direct(kinds: &[&Counts], limit: u32) -> u32 {
    let cost = |direct: u32| -> f64 {
        kinds
            .iter()
            .map(|counts| {
                let rest: f64 = counts.iter().map(|(number, count)| count * f64::from(Tokens::split(direct, *number).2)).sum();
                learned(&tokens_of(counts, direct)) + rest + 16.0 * f64::from(direct)
            })
            .sum()
    };
    let fitting = DIRECT.iter().copied().filter(|direct| *direct <= limit.saturating_add(1));
    fitting.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(1)
}

fn train_tokens(kinds: &[Counts], limit: u32) -> TrainedTokens {
    let direct = best_direct(&kinds.iter().collect::<Vec<_>>(), limit);
    let mut everything = Counts::new();
    kinds.iter().for_each(|kind| add(&mut everything, &tokens_of(kind, direct)));
    let distributions = kinds.iter().map(|kind| weights(&tokens_of(kind, direct), &everything, direct, limit)).collect();
    TrainedTokens { direct, distributions }
}

fn train_spawned(field: &Field, values: &[Spawned]) -> (i32, TrainedTokens) {
    let mut occurred: BTreeMap<i32, usize> = BTreeMap::new();
    values.iter().filter(|spawned| spawned.residual.is_none()).for_each(|spawned| *occurred.entry(spawned.value).or_default() += 1);
    let usual = occurred.into_iter().max_by_key(|(_, count)| *count).map_or(field.min, |(value, _)| value);
    let from_usual =
        values.iter().filter(|spawned| spawned.residual.is_none()).map(|spawned| residual(field, usual, spawned.value, spawned.tick));
    let from_expected = values.iter().filter_map(|spawned| spawned.residual);
    (usual, train_tokens(&[counted(from_usual), counted(from_expected)], token_limit(field)))
}

/// The weight of the first of two.
fn weight_of_first([first, second]: [u64; 2]) -> u16 {
    let share = (first as f64 + 0.5) / ((first + second) as f64 + 1.0);
    ((share * f64::from(WHOLE)).round() as u16).clamp(1, WHOLE - 1)
}

/// Quiet, by the model, plain. Without a model the second never comes.
fn form_of(quiet: [u64; 2], is_trained: bool) -> Vec<u16> {
    let plain = 24.min(WHOLE / 8);
    let quiet = (u32::from(weight_of_first(quiet)) * u32::from(WHOLE - plain - 1) / u32::from(WHOLE)).max(1) as u16;
    if is_trained { vec![0, quiet, WHOLE - plain, WHOLE] } else { vec![0, WHOLE - plain - 1, WHOLE - plain, WHOLE] }
}

/// Sums of weights of every token that a number up to `limit` can have.
fn weights(counts: &Counts, everything: &Counts, direct: u32, limit: u32) -> Vec<u16> {
    let token_count = Tokens::split(direct, limit).0 + 1;
    let background = total(everything).max(1.0);
    let share = |token: u32| {
        let usual = everything.get(&token).copied().unwrap_or(0.0) / background;
        counts.get(&token).copied().unwrap_or(0.0) + BACKGROUND * usual
    };
    let all: f64 = (0..token_count as u32).map(share).sum::<f64>().max(1e-9);
    let spare = f64::from(WHOLE) - token_count as f64;
    // Every token weighs at least 1; what rounding leaves over goes to the heaviest.
    let mut weights: Vec<u32> = (0..token_count as u32).map(|token| 1 + (share(token) / all * spare).floor() as u32).collect();
    let left = u32::from(WHOLE) - weights.iter().sum::<u32>();
    if let Some(heaviest) = weights.iter_mut().max() {
        *heaviest += left;
    }
    let mut sum = 0;
    [0].into_iter()
        .chain(weights.iter().map(|weight| {
            sum += weight;
            sum as u16
        }))
        .collect()
}
