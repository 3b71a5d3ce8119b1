//! The rules no compiler knows: links that lead somewhere, commands in the documentation that
//! exist, files of a readable length, and nothing of one developer's machine in what everybody
//! gets.
//!
//! Every rule is a function from the files to the problems it found, so that each is tested on
//! files made up for it.

mod commands;
mod hygiene;
mod limits;
mod links;
mod source;

use crate::console::Step;
use crate::process::ask;
use crate::summaries::Tally;
use crate::workspace;
use anyhow::{Context, Result};
use source::{Problem, SourceFile};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Applies every rule to every file of the checkout. `commands` are those that this program has.
pub(crate) fn check(step: &mut Step, commands: &clap::Command) -> Result<Tally> {
    let files = read_files(&workspace::root())?;
    let rules = [
        links::check,
        hygiene::check_lengths,
        hygiene::check_module_files,
        hygiene::check_machine_names,
        hygiene::check_sources,
        limits::check,
    ];
    let mut problems: Vec<Problem> = rules.iter().flat_map(|rule| rule(&files)).collect();
    problems.extend(commands::check(&files, commands));
    if problems.is_empty() {
        step.note(&format!("{} files", files.len()));
        return Ok(Tally::one());
    }
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    Err(step.failure(format!("tidy found {} problem(s)", problems.len()), lines.join("\n")).into())
}

/// Writes the table of limits into SECURITY.md.
pub(crate) fn write_limits() -> Result<()> {
    let root = workspace::root();
    let files = read_files(&root)?;
    let page = root.join(limits::PAGE);
    let text = fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let text = limits::renewed(&text, &files).with_context(|| format!("{} has no marks for the table", page.display()))?;
    fs::write(&page, text).with_context(|| format!("cannot write {}", page.display()))
}

/// What git tracks or would track. Without git (an unpacked archive), everything but what the build
/// leaves behind.
fn read_files(root: &Path) -> Result<Vec<SourceFile>> {
    let listed = ask(Command::new("git").current_dir(root).args(["ls-files", "--cached", "--others", "--exclude-standard"]));
    let mut paths: Vec<String> = if let Some(list) = listed {
        list.lines().map(str::to_string).collect()
    } else {
        let mut files = Vec::new();
        workspace::collect_files(root, NOT_SOURCES, &mut files)?;
        files.iter().filter_map(|file| file.strip_prefix(root).ok()?.to_str().map(|path| path.replace('\\', "/"))).collect()
    };
    paths.sort();
    paths.dedup();
    // Binary files have no lines to check, and a file deleted but not yet committed has none
    // either.
    Ok(paths.into_iter().filter_map(|path| fs::read_to_string(root.join(&path)).ok().map(|text| SourceFile { path, text })).collect())
}

const NOT_SOURCES: &[&str] = &[".git", "target", "node_modules", "dist", "generated", "test-results", "playwright-report", "__pycache__"];
