//! A report as a JSON file, which scripts read and `merge` adds up.
//!
//! Invariant: what is read back is whole: this format's version, and every histogram legible.

use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use super::{FORMAT, Report};

/// Why a report could not be written or read. Each is one line that names the file.
#[derive(Debug, Error)]
pub enum FileError {
    /// The file system refused.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// "read" or "write".
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not JSON, or not a report's.
    #[error("{path} is not a report: {why}")]
    NotAReport {
        /// The file.
        path: PathBuf,
        /// Where and why.
        why: String,
    },
    /// Another version's.
    #[error(
        "{path} has report format {found}; this program reads format {FORMAT}: it is of another version, run the test again with this one"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// A measure without its values.
    #[error("{path}: the histogram of {measure:?} is missing or damaged ({why})")]
    Histogram {
        /// The file.
        path: PathBuf,
        /// The measure.
        measure: String,
        /// What is wrong with it.
        why: String,
    },
}

/// Writes `report` for people and machines: indented JSON.
pub fn write(report: &Report, path: &Path) -> Result<(), FileError> {
    let failed = |source| FileError::Io { doing: "write", path: path.to_owned(), source };
    let mut text = serde_json::to_vec_pretty(report).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    std::fs::write(path, text).map_err(failed)
}

/// Reads what [`write()`] wrote.
pub fn read(path: &Path) -> Result<Report, FileError> {
    let not_a_report = |error: serde_json::Error| FileError::NotAReport { path: path.to_owned(), why: error.to_string() };
    let text = std::fs::read(path).map_err(|source| FileError::Io { doing: "read", path: path.to_owned(), source })?;
    let value: Value = serde_json::from_slice(&text).map_err(not_a_report)?;
    // The version comes first: another version's fields would only confuse.
    match value.get("format").and_then(Value::as_u64) {
        Some(found) if found != u64::from(FORMAT) => return Err(FileError::Format { path: path.to_owned(), found }),
        Some(_) => {}
        None => return Err(FileError::NotAReport { path: path.to_owned(), why: "it has no \"format\"".to_owned() }),
    }
    for (measure, facts) in value.get("measures").and_then(Value::as_object).into_iter().flatten() {
        if facts.get("histogram").is_none() {
            return Err(FileError::Histogram { path: path.to_owned(), measure: measure.clone(), why: "there is none".to_owned() });
        }
    }
    // From the text again, so that an error names its line.
    let report: Report = serde_json::from_slice(&text).map_err(not_a_report)?;
    for (measure, facts) in &report.measures {
        let damaged = |why| FileError::Histogram { path: path.to_owned(), measure: measure.clone(), why };
        facts.decoded().map_err(damaged)?;
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn read_text(text: &str) -> Result<Report, FileError> {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("a.json");
        std::fs::write(&path, text).expect("written");
        read(&path)
    }

    #[test]
    fn a_report_comes_back_whole() {
        let place = tempfile::tempdir().expect("a folder");
        let path = place.path().join("report.json");
        for report in [sample::full(), sample::empty()] {
            write(&report, &path).expect("written");
            let back = read(&path).expect("read");
            // Fractions come back to within their last bit.
            assert!(format!("{back:.9?}") == format!("{report:.9?}"), "{back:.9?}");
        }
    }

    type Damage = fn(&mut Value);

    #[test]
    fn what_is_wrong_with_a_file_is_one_line() {
        let mut other = serde_json::to_value(sample::full()).expect("JSON");
        let cases: [(&str, Damage); 4] = [
            ("has report format 7; this program reads format 2", |json| json["format"] = 7.into()),
            ("the histogram of \"gap\" is missing", |json| {
                json["measures"]["gap"].as_object_mut().expect("an object").remove("histogram");
            }),
            ("the histogram of \"gap\" is missing or damaged", |json| json["measures"]["gap"]["histogram"] = "AAAA".into()),
            ("missing field `users`", |json| {
                json["run"].as_object_mut().expect("an object").remove("users");
            }),
        ];
        let whole = other.clone();
        for (expected, damage) in cases {
            damage(&mut other);
            let error = read_text(&other.to_string()).expect_err(expected).to_string();
            assert!(error.contains(expected) && error.lines().count() == 1, "{error}");
            other = whole.clone();
        }
        for (text, expected) in [("users: 3", "is not a report: expected value at line 1 column 1"), ("{}", "it has no \"format\"")] {
            let error = read_text(text).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(read(Path::new("/nowhere/a.json")).expect_err("no file").to_string().starts_with("cannot read /nowhere/a.json: "));
    }
}
