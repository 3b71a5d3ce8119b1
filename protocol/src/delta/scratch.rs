//! Working memory of the encoder and the decoder.

use super::column::{ColumnScratch, Run};
use crate::wire::ids::NetId;

/// Working memory of the encoder and decoder, kept between calls so that neither allocates in steady state.
#[derive(Debug, Default)]
pub struct Scratch {
    /// Rows that stay.
    pub(super) runs: Vec<Run>,
    /// How many rows stay.
    pub(super) kept: usize,
    /// Rows of the next snapshot that come.
    pub(super) spawned: Vec<u32>,
    pub(super) spawned_ids: Vec<NetId>,
    /// Values of rows that come, row after row.
    pub(super) spawned_values: Vec<i32>,
    /// Whether each row of the baseline goes, as 0 or 1.
    pub(super) gone: Vec<u32>,
    /// Residuals of all columns of one table, column after column.
    pub(super) residuals: Vec<u32>,
    pub(super) column: ColumnScratch,
}
