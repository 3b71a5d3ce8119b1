//! What a column's residuals are likely to be: distributions that were counted in recorded matches, and which of them holds where.
//!
//! A model is a constant of the game, made by `cargo xtask train-codec`, and part of its schema's hash. Without one everything can be
//! told as well, only longer. A number is written as a *token*: small numbers are tokens themselves, larger ones share a token
//! with others as long in bits and are told apart by bits of their own.
//!
//! Invariant: a model decides how many bytes a snapshot takes, never what can be said in it.

use super::fields::{Field, TableSchema};
use super::hash::Fnv;

/// A whole distribution weighs this many bits' worth.
pub const WEIGHT_BITS: u32 = 15;
/// What the weights of a distribution sum up to.
pub const WHOLE: u16 = 1 << WEIGHT_BITS;

/// How likely each symbol is: sums of weights, from 0 in strictly rising steps to [`WHOLE`]. Symbol `s` weighs what lies between
/// places `s` and `s + 1`.
pub type Distribution = [u16];

/// Classes that a context's value falls into.
pub const CLASS_COUNT: usize = 32;

/// What is known of all tables of a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// One for each table, in the schema's order.
    pub tables: &'static [TableModel],
}

/// What is known of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableModel {
    /// Weight of "nothing in this table is otherwise than expected".
    pub quiet: u16,
    /// Whether a row goes: 0 stays, 1 goes.
    pub gone: ColumnModel,
    /// Weight of "no other row comes", where none is expected and where one is.
    pub no_more: [u16; 2],
    /// How far the id of a row that comes is from the next free one.
    pub ids: Tokens,
    /// Residuals of rows that stay, for each field.
    pub fields: &'static [ColumnModel],
    /// Rows that come, for each field.
    pub spawned: &'static [SpawnModel],
}

/// What is known of a column's residuals in rows that stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnModel {
    /// The column's form: 0 quiet, 1 by this model, 2 plain.
    pub form: &'static Distribution,
    /// What the context is made of.
    pub sources: [Source; 2],
    /// For each context the distribution that holds in it, as an index into those of `tokens`. A context is the class of the
    /// first source times [`CLASS_COUNT`] and the class of the second, without such a factor if there is one source only.
    pub contexts: &'static [u8],
    /// The distributions.
    pub tokens: Tokens,
}

/// What is known of a field in rows that come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpawnModel {
    /// What it is if nothing else is expected.
    pub usual: i32,
    /// Residuals where the game expected nothing (0) and where it did (1).
    pub tokens: Tokens,
}

/// Something both ends know of a row before they know the residual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Nothing.
    None,
    /// The value of a field in the baseline.
    Base(u8),
    /// The residual of an earlier field in this row.
    Residual(u8),
}

/// Distributions over the tokens of one kind of number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Numbers less than this have a token each.
    pub direct: u32,
    /// The distributions. Every token that the kind can need has a weight in each.
    pub distributions: &'static [&'static Distribution],
}

/// Forms of a column of which nothing is known: quiet or plain.
const UNKNOWN_FORM: &Distribution = &[0, WHOLE / 2, WHOLE / 2 + 1, WHOLE];

impl Model {
    /// Whether the model can tell all there is of `tables`. It says so when the schema's constant is built.
    pub(crate) const fn is_of(&self, tables: &[TableSchema]) -> bool {
        if self.tables.len() != tables.len() {
            return false;
        }
        let mut index = 0;
        while index < tables.len() {
            if !self.tables[index].is_of(tables[index].fields) {
                return false;
            }
            index += 1;
        }
        true
    }
}

impl TableModel {
    /// Of a table of which nothing is known.
    pub const UNKNOWN: Self =
        Self { quiet: WHOLE / 2, gone: ColumnModel::UNKNOWN, no_more: [WHOLE / 2; 2], ids: Tokens::UNKNOWN, fields: &[], spawned: &[] };

    const fn is_of(&self, fields: &[Field]) -> bool {
        let is_known = !self.fields.is_empty() || !self.spawned.is_empty();
        if is_known && (self.fields.len() != fields.len() || self.spawned.len() != fields.len()) {
            return false;
        }
        let mut index = 0;
        while is_known && index < fields.len() {
            let spawned = &self.spawned[index];
            let tells_all = spawned.tokens.is_valid(fields[index].residual_max()) && spawned.tokens.distributions.len() == 2;
            if !self.fields[index].is_valid() || !tells_all || !fields[index].contains(spawned.usual as i64) {
                return false;
            }
            index += 1;
        }
        let ids = self.ids.distributions.is_empty() || self.ids.is_valid(u32::MAX);
        ids && is_weight(self.quiet) && is_weight(self.no_more[0]) && is_weight(self.no_more[1]) && self.gone.is_valid()
    }

    pub(crate) fn field(&self, index: usize) -> &ColumnModel {
        self.fields.get(index).unwrap_or(&ColumnModel::UNKNOWN)
    }

    pub(crate) fn spawned_field(&self, index: usize) -> Option<&SpawnModel> {
        self.spawned.get(index)
    }

    /// Adds the model to a schema's hash.
    pub(crate) fn hash_into(&self, hash: &mut Fnv) {
        hash.word(u32::from(self.quiet));
        self.no_more.iter().for_each(|weight| hash.word(u32::from(*weight)));
        self.gone.hash_into(hash);
        self.ids.hash_into(hash);
        self.fields.iter().for_each(|field| field.hash_into(hash));
        for field in self.spawned {
            hash.word(field.usual as u32);
            field.tokens.hash_into(hash);
        }
    }
}

impl ColumnModel {
    /// Of a column of which nothing is known.
    pub const UNKNOWN: Self = Self { form: UNKNOWN_FORM, sources: [Source::None; 2], contexts: &[], tokens: Tokens::UNKNOWN };

    /// A residual that it cannot tell makes a column plain, so its distributions may be short.
    const fn is_valid(&self) -> bool {
        let mut context = 0;
        while context < self.contexts.len() {
            if self.contexts[context] as usize >= self.tokens.distributions.len() {
                return false;
            }
            context += 1;
        }
        self.form.len() == 4 && is_distribution(self.form) && self.tokens.is_valid(0)
    }

    /// Whether there is anything to write a column by.
    pub(crate) const fn is_trained(&self) -> bool {
        !self.tokens.distributions.is_empty()
    }

    /// The distribution of a context.
    #[inline]
    pub(crate) fn distribution(&self, context: u16) -> &'static Distribution {
        let index = self.contexts.get(usize::from(context)).copied().unwrap_or(0);
        self.tokens.distribution(usize::from(index))
    }

    fn hash_into(&self, hash: &mut Fnv) {
        self.form.iter().for_each(|sum| hash.word(u32::from(*sum)));
        for source in self.sources {
            hash.word(match source {
                Source::None => 0,
                Source::Base(field) => 0x100 | u32::from(field),
                Source::Residual(field) => 0x200 | u32::from(field),
            });
        }
        self.contexts.iter().for_each(|index| hash.word(u32::from(*index)));
        self.tokens.hash_into(hash);
    }
}

impl Tokens {
    /// Of numbers of which nothing is known.
    pub const UNKNOWN: Self = Self { direct: 0, distributions: &[] };

    /// Whether all are distributions and have a token for every number up to `max`.
    const fn is_valid(&self, max: u32) -> bool {
        let token_count = Self::split(self.direct, max).0 + 1;
        let mut index = 0;
        while index < self.distributions.len() {
            if self.distributions[index].len() <= token_count || !is_distribution(self.distributions[index]) {
                return false;
            }
            index += 1;
        }
        true
    }

    /// The token of `number`, and the bits that tell it from others of that token: their value and count.
    #[inline]
    pub const fn split(direct: u32, number: u32) -> (usize, u32, u32) {
        if number < direct {
            return (number as usize, 0, 0);
        }
        let beyond = number as u64 - direct as u64 + 1;
        let count = beyond.ilog2();
        ((direct + count) as usize, (beyond ^ 1 << count) as u32, count)
    }

    pub(crate) fn distribution(&self, index: usize) -> &'static Distribution {
        self.distributions.get(index).copied().unwrap_or(&[])
    }

    fn hash_into(&self, hash: &mut Fnv) {
        hash.word(self.direct);
        for distribution in self.distributions {
            distribution.iter().for_each(|sum| hash.word(u32::from(*sum)));
        }
    }
}

/// Whether neither side of a flag is impossible.
const fn is_weight(weight: u16) -> bool {
    0 < weight && weight < WHOLE
}

const fn is_distribution(sums: &Distribution) -> bool {
    let mut index = 1;
    while index < sums.len() {
        if sums[index] <= sums[index - 1] {
            return false;
        }
        index += 1;
    }
    sums.len() > 1 && sums[0] == 0 && sums[sums.len() - 1] == WHOLE
}
