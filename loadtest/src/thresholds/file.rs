//! A thresholds file: TOML, a line a bound.

use std::path::{Path, PathBuf};

use thiserror::Error;
use toml::de::{DeTable, DeValue};

use super::figure;
use super::threshold::Threshold;
use crate::report::{Operator, Report, Unit};

/// Why a thresholds file cannot be used. Each is one line that names the file, and the line in it.
#[derive(Debug, Error)]
pub enum ThresholdError {
    /// The file system refused.
    #[error("cannot read {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not what a thresholds file says.
    #[error("{path}:{line}: {why}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
}

pub(super) fn read(path: &Path) -> Result<Vec<Threshold>, ThresholdError> {
    let text = std::fs::read_to_string(path).map_err(|source| ThresholdError::Io { path: path.to_owned(), source })?;
    parse(&text).map_err(|(offset, why)| {
        let line = 1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count();
        ThresholdError::Malformed { path: path.to_owned(), line, why }
    })
}

/// The thresholds in `text`, or the offset and reason of the first mistake.
pub(super) fn parse(text: &str) -> Result<Vec<Threshold>, (usize, String)> {
    let table = DeTable::parse(text)
        .map_err(|error| (error.span().map_or(0, |span| span.start), error.message().lines().collect::<Vec<_>>().join(" ")))?;
    let mut thresholds = Vec::new();
    collect(table.get_ref(), "", &mut thresholds)?;
    if thresholds.is_empty() {
        return Err((0, "there is no threshold in this file; a line is, for example, \"gap.p99_ms\" = \"< 50\"".to_owned()));
    }
    Ok(thresholds)
}

/// Adds the thresholds of `table`. A name's dots may be quoted, bare or a table's: they mean the
/// same.
fn collect(table: &DeTable, prefix: &str, into: &mut Vec<Threshold>) -> Result<(), (usize, String)> {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        match value.get_ref() {
            DeValue::Table(inner) => collect(inner, &format!("{name}."), into)?,
            DeValue::String(bound) => into.push(threshold(&name, bound).map_err(|why| (key.span().start, why))?),
            _ => return Err((key.span().start, format!("{name}: write the bound as text, for example {name:?} = \"< 50\""))),
        }
    }
    Ok(())
}

fn threshold(name: &str, bound: &str) -> Result<Threshold, String> {
    let Some(figure) = figure::look_up(name, &Report::default()) else {
        let hint = figure::nearest(name).map(|known| format!("; did you mean {known:?}?")).unwrap_or_default();
        return Err(format!("there is no figure called {name:?}{hint}"));
    };
    let signs = bound.trim().find(|c: char| !"<>=!~".contains(c)).unwrap_or(bound.trim().len());
    let (sign, number) = bound.trim().split_at(signs);
    let operator = Operator::ALL.into_iter().find(|operator| operator.sign() == sign);
    let operator = operator.ok_or_else(|| format!("{name}: {bound:?} must begin with one of < <= > >= ="))?;
    let (number, divisor) = match (number.strip_suffix('%'), number.strip_suffix("ms"), figure.unit) {
        (Some(percent), _, Unit::Share) => (percent, 100.0),
        (_, Some(milliseconds), Unit::Milliseconds) => (milliseconds, 1.0),
        (Some(_), _, _) => return Err(format!("{name}: {bound:?} is in percent, and the figure is not a share")),
        (_, Some(_), _) => return Err(format!("{name}: {bound:?} is in milliseconds, and the figure is not a time")),
        _ => (number, 1.0),
    };
    let parsed: Option<f64> = number.trim().parse().ok().filter(|number: &f64| number.is_finite());
    let value = parsed.ok_or_else(|| format!("{name}: {:?} in {bound:?} is not a number", number.trim()))?;
    Ok(Threshold { name: name.to_owned(), operator, limit: value / divisor, unit: figure.unit, only_if_measured: false })
}
