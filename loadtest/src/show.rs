//! A report as people read it: on the terminal, and as a page.

pub mod console;
pub mod html;

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::compare::Comparison;
use crate::report::{Report, json};

/// Makes the folder for reports if need be, and sees to it that files can be written there.
pub fn prepare(dir: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(dir).with_context(|| format!("cannot create the report folder {}", dir.display()))?;
    let probe = dir.join(".writable");
    std::fs::write(&probe, "").with_context(|| format!("cannot write into the report folder {}", dir.display()))?;
    // If it stays, it is empty and in nobody's way.
    let _ = std::fs::remove_file(&probe);
    Ok(())
}

/// Writes `report.json` and `report.html` into `dir`, which is made if need be, and returns their
/// paths. The page shows an earlier run beside this one if there is one to compare it with.
pub fn write_all(report: &Report, against: Option<&Comparison>, dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    prepare(dir)?;
    let (json, page) = (dir.join("report.json"), dir.join("report.html"));
    json::write(report, &json)?;
    std::fs::write(&page, html::page(report, against)).with_context(|| format!("cannot write {}", page.display()))?;
    Ok(vec![json, page])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_report_is_written_into_a_new_folder_or_says_why_not() {
        let place = tempfile::tempdir().expect("a folder");
        let paths = write_all(&sample::full(), None, &place.path().join("a/b")).expect("written");
        assert!(paths.iter().all(|path| path.is_file()), "{paths:?}");
        assert_eq!(std::fs::read_dir(place.path().join("a/b")).expect("a folder").count(), 2, "nothing else is left there");
        let file = place.path().join("file");
        std::fs::write(&file, "").expect("written");
        let error = format!("{:#}", write_all(&sample::full(), None, &file.join("x")).expect_err("a file is no folder"));
        assert!(error.starts_with("cannot create the report folder") && error.lines().count() == 1, "{error}");
    }
}
