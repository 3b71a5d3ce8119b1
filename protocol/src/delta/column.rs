//! One column of a delta: what each value is away from what was expected, in the cheapest of three forms.
//!
//! Forms: quiet, nothing differs; by the model, each residual by the distribution of its context; plain, for what the model does not
//! know or got wrong: how many differ and how far is told first. No state outlives a message.

use super::classes::{class_of_residual, class_of_value};
use super::range::{RangeDecoder, RangeEncoder};
use super::residual::from_tick;
use super::tokens::cost;
use crate::state::model::{CLASS_COUNT, ColumnModel, Source, Tokens, WHOLE};
use crate::state::snapshot::Table;
use crate::wire::codec::DecodeError;
use crate::wire::ids::Tick;
use crate::wire::limits::FIELD_BITS_MAX;

const QUIET: usize = 0;
const MODELLED: usize = 1;
const PLAIN: usize = 2;

/// Bits of a plain column's share of residuals that are not 0.
const SHARE_BITS: u32 = 3;
/// Bits of a plain column's scale.
const SCALE_BITS: u32 = 4;
const SCALE_MAX: u32 = (1 << SCALE_BITS) - 1;
/// A plain residual's length in bits is told in at most as many steps.
const LENGTH_MAX: u32 = 32;
/// A model is left only for a form that is better by this much, in sixteenths of a bit.
const LEAVING_COST: u32 = 16 * 8;

/// Rows that stay and lie side by side in both snapshots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// The first one's row in the baseline.
    pub(super) from: u32,
    /// Its row in the next snapshot.
    pub(super) to: u32,
    /// How many they are.
    pub(super) count: u32,
}

impl Run {
    /// The run's part of one of the baseline's columns.
    #[inline]
    pub(super) fn of_base<'a>(&self, column: &'a [i32]) -> &'a [i32] {
        column.get(self.from as usize..(self.from + self.count) as usize).unwrap_or(&[])
    }

    /// The run's part of one of the next snapshot's columns.
    #[inline]
    pub(super) fn of_next<'a>(&self, column: &'a [i32]) -> &'a [i32] {
        column.get(self.to as usize..(self.to + self.count) as usize).unwrap_or(&[])
    }
}

/// What the contexts of a column's residuals are made of.
pub(super) struct Surroundings<'a> {
    /// The baseline's rows.
    pub(super) base: &'a Table,
    /// Those that have a residual.
    pub(super) runs: &'a [Run],
    /// Residuals of the fields before, column after column.
    pub(super) done: &'a [u32],
    /// The tick that is told.
    pub(super) tick: Tick,
}

impl Surroundings<'_> {
    /// Fills `out` with a context for each of `count` residuals.
    fn contexts(&self, count: usize, model: &ColumnModel, out: &mut Vec<u16>) {
        out.clear();
        out.resize(count, 0);
        for source in model.sources {
            let add = |context: &mut u16, class: u16| *context = *context * CLASS_COUNT as u16 + class;
            match source {
                Source::None => {}
                Source::Base(index) => {
                    let (column, field) = (self.base.column(usize::from(index)), self.base.fields().get(usize::from(index)));
                    let mut contexts = out.iter_mut();
                    for run in self.runs {
                        let rows = run.of_base(column).iter().zip(&mut contexts);
                        match field.filter(|field| field.moment) {
                            Some(field) => rows.for_each(|(value, context)| {
                                add(context, class_of_value(from_tick(field, *value, self.tick)));
                            }),
                            None => rows.for_each(|(value, context)| add(context, class_of_value(*value))),
                        }
                    }
                }
                Source::Residual(field) => {
                    let column = self.done.get(usize::from(field) * count..).unwrap_or(&[]);
                    out.iter_mut().zip(column).for_each(|(context, residual)| add(context, class_of_residual(*residual)));
                }
            }
        }
    }
}

/// Working memory for one column.
#[derive(Debug, Default)]
pub(super) struct ColumnScratch {
    contexts: Vec<u16>,
    symbols: Vec<Symbol>,
}

/// Writes a column of residuals.
pub(super) fn write_column(
    residuals: &[u32],
    model: &ColumnModel,
    around: &Surroundings<'_>,
    scratch: &mut ColumnScratch,
    encoder: &mut RangeEncoder<'_>,
) {
    let (mut changed, mut sum) = (0u64, 0u64);
    for residual in residuals {
        changed += u64::from(*residual != 0);
        sum += u64::from(*residual);
    }
    if changed == 0 {
        return write_quiet(model, encoder);
    }
    let plain = Plain::of(residuals.len() as u64, changed, sum);
    if model.is_trained() {
        around.contexts(residuals.len(), model, &mut scratch.contexts);
        let cost = model_symbols(residuals, model, scratch);
        if cost <= plain.cost(residuals.len() as u32, changed as u32) + LEAVING_COST {
            encoder.symbol(MODELLED, model.form);
            scratch.symbols.iter().for_each(|symbol| symbol.write(encoder));
            return;
        }
    }
    encoder.symbol(PLAIN, model.form);
    plain.write(encoder);
    for residual in residuals {
        plain.write_residual(*residual, encoder);
    }
}

/// Writes a column in which nothing differs.
#[inline]
pub(super) fn write_quiet(model: &ColumnModel, encoder: &mut RangeEncoder<'_>) {
    encoder.symbol(QUIET, model.form);
}

/// Reads residuals that [`write_column`] wrote into all of `out`. Says whether nothing differs.
pub(super) fn read_column(
    out: &mut [u32],
    model: &ColumnModel,
    around: &Surroundings<'_>,
    scratch: &mut ColumnScratch,
    decoder: &mut RangeDecoder<'_>,
) -> Result<bool, DecodeError> {
    match decoder.symbol(model.form)? {
        QUIET => {
            out.fill(0);
            return Ok(true);
        }
        MODELLED => {
            around.contexts(out.len(), model, &mut scratch.contexts);
            for (residual, context) in out.iter_mut().zip(&scratch.contexts) {
                *residual = model.tokens.read(model.distribution(*context), decoder)?;
            }
        }
        _ => {
            let plain = Plain::read(decoder)?;
            for residual in out {
                *residual = plain.read_residual(decoder)?;
            }
        }
    }
    Ok(false)
}

/// A residual as the model tells it.
#[derive(Clone, Copy, Debug)]
struct Symbol {
    from: u16,
    weight: u16,
    rest_bits: u32,
    rest: u32,
}

impl Symbol {
    #[inline]
    fn write(self, encoder: &mut RangeEncoder<'_>) {
        encoder.weighed(self.from, self.weight);
        if self.rest_bits > 0 {
            encoder.raw(self.rest, self.rest_bits);
        }
    }
}

/// Looks up what the model tells of each residual, and says about how many sixteenths of a bit that takes; the most there is if the
/// model lacks one.
fn model_symbols(residuals: &[u32], model: &ColumnModel, scratch: &mut ColumnScratch) -> u32 {
    let ColumnScratch { contexts, symbols } = scratch;
    let (direct, mut sum, mut lacks_one) = (model.tokens.direct, 0u32, false);
    symbols.clear();
    symbols.extend(residuals.iter().zip(&*contexts).map(|(residual, context)| {
        let (token, rest, rest_bits) = Tokens::split(direct, *residual);
        let place = model.distribution(*context).get(token..token + 2);
        lacks_one |= place.is_none();
        let [from, to] = place.and_then(|place| <[u16; 2]>::try_from(place).ok()).unwrap_or([0, WHOLE]);
        sum += cost(to - from) + 16 * rest_bits;
        Symbol { from, weight: to - from, rest_bits, rest }
    }));
    if lacks_one { u32::MAX } else { sum }
}

/// How a plain column is written.
#[derive(Clone, Copy)]
struct Plain {
    /// 0: nearly all residuals differ from 0; else one in 2^share.
    share: u32,
    /// Residuals are around 2^scale.
    scale: u32,
}

impl Plain {
    fn of(count: u64, changed: u64, sum: u64) -> Self {
        let share = if 4 * changed > 3 * count { 0 } else { (count / changed).ilog2().clamp(1, (1 << SHARE_BITS) - 1) };
        // A residual that is not 0 is written less one.
        let scale = ((sum - changed) / changed).checked_ilog2().unwrap_or(0).min(SCALE_MAX);
        Self { share, scale }
    }

    const fn weight_of_zero(self) -> u16 {
        if self.share == 0 { WHOLE >> 4 } else { WHOLE - (WHOLE >> self.share) }
    }

    fn cost(self, count: u32, changed: u32) -> u32 {
        let (same, differs) = (cost(self.weight_of_zero()), cost(WHOLE - self.weight_of_zero()));
        let length = 16 * (self.scale + 2);
        (count - changed).saturating_mul(same).saturating_add(changed.saturating_mul(differs + length))
    }

    fn write(self, encoder: &mut RangeEncoder<'_>) {
        encoder.raw(self.share, SHARE_BITS);
        encoder.raw(self.scale, SCALE_BITS);
    }

    fn read(decoder: &mut RangeDecoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { share: decoder.raw(SHARE_BITS)?, scale: decoder.raw(SCALE_BITS)? })
    }

    fn write_residual(self, residual: u32, encoder: &mut RangeEncoder<'_>) {
        encoder.flag(residual != 0, self.weight_of_zero());
        if let Some(less_one) = residual.checked_sub(1) {
            write_number(less_one, self.scale, encoder);
        }
    }

    fn read_residual(self, decoder: &mut RangeDecoder<'_>) -> Result<u32, DecodeError> {
        if !decoder.flag(self.weight_of_zero())? {
            return Ok(0);
        }
        read_number(self.scale, decoder)?.checked_add(1).ok_or(DecodeError::Malformed)
    }
}

/// A number around `2^scale`, or of any size: an exponential Golomb code.
pub(super) fn write_number(number: u32, scale: u32, encoder: &mut RangeEncoder<'_>) {
    let high = (u64::from(number) >> scale) + 1;
    let length = high.ilog2();
    (0..length).for_each(|_| encoder.raw(1, 1));
    encoder.raw(0, 1);
    encoder.raw((high ^ 1 << length) as u32, length);
    encoder.raw(number & ((1 << scale) - 1), scale);
}

/// Reads what [`write_number`] wrote.
pub(super) fn read_number(scale: u32, decoder: &mut RangeDecoder<'_>) -> Result<u32, DecodeError> {
    let mut length = 0;
    while decoder.raw(1)? == 1 {
        length += 1;
        if length > LENGTH_MAX {
            return Err(DecodeError::Malformed);
        }
    }
    let high = 1u64 << length | u64::from(decoder.raw(length)?);
    let number = (high - 1) << scale | u64::from(decoder.raw(scale)?);
    u32::try_from(number).map_err(|_| DecodeError::Malformed)
}

const _: () = assert!(SCALE_MAX <= FIELD_BITS_MAX);
