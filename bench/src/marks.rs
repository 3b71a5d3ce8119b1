//! The part of a page that a program writes, between two marks in it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

/// Where the part begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// The line before it.
    pub begin: &'static str,
    /// The line after it.
    pub end: &'static str,
}

impl Marks {
    /// The page at `path` with `part` between the marks.
    ///
    /// # Errors
    /// If the page cannot be read or has no marks.
    pub fn read_with(&self, path: &Path, part: &str) -> Result<String> {
        let page = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        self.replaced(&page, part).with_context(|| format!("{} has no line {}", path.display(), self.begin))
    }

    /// Puts `part` between the marks of the page at `path`.
    ///
    /// # Errors
    /// If the page cannot be read or written, or has no marks.
    pub fn write(&self, path: &Path, part: &str) -> Result<()> {
        fs::write(path, self.read_with(path, part)?).with_context(|| format!("cannot write {}", path.display()))
    }

    fn replaced(&self, page: &str, part: &str) -> Option<String> {
        let (before, rest) = page.split_once(self.begin)?;
        let (_, after) = rest.split_once(self.end)?;
        Some(format!("{before}{}\n\n{}\n\n{}{after}", self.begin, part.trim(), self.end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let marks = Marks { begin: "<!-- begin -->", end: "<!-- end -->" };
        let once = marks.replaced("before\n<!-- begin -->\nold\n<!-- end -->\nafter\n", "new\n").expect("marks");
        assert_eq!(once, "before\n<!-- begin -->\n\nnew\n\n<!-- end -->\nafter\n");
        assert_eq!(marks.replaced(&once, "new").as_ref(), Some(&once));
        assert_eq!(marks.replaced("no marks", "new"), None);
    }
}
