//! Files of a readable length, modules in one form, and nothing of one developer's machine or
//! network in the repository.

use super::source::{Problem, SourceFile};
use crate::workspace;

/// Files that may be longer than the limit: path, and why splitting them would not help a reader.
const LONG_FILES: &[(&str, &str)] = &[("games/arena/src/tables/trained.rs", "a table that a program writes")];
const LONGEST_FILE_LINES: usize = 500;

/// No source file is longer than a reader can hold, or it says why; and no exception outlives its
/// reason.
pub(super) fn check_lengths(files: &[SourceFile]) -> Vec<Problem> {
    lengths(files, LONG_FILES)
}

fn lengths(files: &[SourceFile], exceptions: &[(&str, &str)]) -> Vec<Problem> {
    let is_long = |file: &SourceFile| file.text.lines().count() > LONGEST_FILE_LINES;
    let is_excepted = |file: &SourceFile| exceptions.iter().any(|(path, _)| *path == file.path);
    let sources = files.iter().filter(|file| file.has_extension(&["rs", "ts", "mjs", "py"]));
    let too_long = sources.filter(|file| is_long(file) && !is_excepted(file)).map(|file| {
        file.problem(
            0,
            format!(
                "{} lines, more than {LONGEST_FILE_LINES}: split it, or give a reason in xtask/src/tidy/hygiene.rs",
                file.text.lines().count()
            ),
        )
    });
    let stale = exceptions.iter().filter(|(path, _)| !files.iter().any(|file| file.path == *path && is_long(file)));
    let stale = stale.map(|(path, _)| Problem {
        path: (*path).to_string(),
        line: 0,
        text: "needs no exception for its length any more".to_string(),
    });
    too_long.chain(stale).collect()
}

/// A module with parts is `name.rs` beside `name/`.
pub(super) fn check_module_files(files: &[SourceFile]) -> Vec<Problem> {
    let misnamed = files.iter().filter(|file| file.path.ends_with("/mod.rs"));
    misnamed.map(|file| file.problem(0, "call it after its module, beside the module's folder")).collect()
}

/// No path of somebody's home, nor of this checkout.
pub(super) fn check_machine_names(files: &[SourceFile]) -> Vec<Problem> {
    let checkout = workspace::root().display().to_string();
    machine_names(files, &checkout)
}

fn machine_names(files: &[SourceFile], checkout: &str) -> Vec<Problem> {
    // Written in two halves, or this file would break its own rule.
    let mut names = vec![concat!("/ho", "me/").to_string(), concat!("/Use", "rs/").to_string(), concat!("/ro", "ot/").to_string()];
    // A checkout at `/src` or the like would match everywhere.
    if checkout.matches('/').count() > 1 {
        names.push(checkout.to_string());
    }
    each_line(files, |line| {
        let name = names.iter().find(|name| starts_a_path(line, name))?;
        Some(format!("`{name}` is a path of one machine"))
    })
}

/// Whether `prefix` occurs in `line` where an absolute path could start, not amid a longer path or
/// an address.
fn starts_a_path(line: &str, prefix: &str) -> bool {
    line.match_indices(prefix)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/' | '}')))
}

/// Where packages are downloaded from is the developer's setting: no lock file or configuration
/// here decides it.
pub(super) fn check_sources(files: &[SourceFile]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in files {
        let name = file.path.rsplit('/').next().unwrap_or_default();
        for (index, line) in file.text.lines().enumerate() {
            let line = line.trim_start();
            let is_bound = match name {
                "package-lock.json" => line.starts_with("\"resolved\": \"http"),
                "Cargo.lock" => line.starts_with("source = ") && !line.starts_with("source = \"registry+https://github.com/rust-lang/"),
                ".npmrc" => line.contains("registry="),
                "config.toml" => line.starts_with("[source") || line.starts_with("[registr"),
                _ => false,
            };
            if is_bound {
                problems.push(file.problem(index + 1, "names the host packages come from"));
            }
        }
    }
    problems
}

fn each_line(files: &[SourceFile], rule: impl Fn(&str) -> Option<String>) -> Vec<Problem> {
    let lines = files.iter().flat_map(|file| file.text.lines().enumerate().map(move |(index, line)| (file, index + 1, line)));
    lines.filter_map(|(file, number, line)| rule(line).map(|text| file.problem(number, text))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::source::file;
    use super::*;

    fn long(path: &str) -> SourceFile {
        file(path, &"line\n".repeat(LONGEST_FILE_LINES + 1))
    }

    #[test]
    fn a_long_file_needs_a_reason() {
        assert!(lengths(&[file("a.rs", &"line\n".repeat(LONGEST_FILE_LINES))], &[]).is_empty());
        assert_eq!(lengths(&[long("a.rs"), long("b.ts")], &[]).len(), 2);
        assert!(lengths(&[long("a.rs")], &[("a.rs", "a table")]).is_empty());
        assert!(lengths(&[long("data.json")], &[]).is_empty());
    }

    #[test]
    fn an_exception_that_is_not_needed_is_found() {
        assert_eq!(lengths(&[file("a.rs", "")], &[("a.rs", "a table")]).len(), 1);
        assert_eq!(lengths(&[], &[("gone.rs", "a table")]).len(), 1);
    }

    #[test]
    fn mod_rs_is_found() {
        assert_eq!(check_module_files(&[file("a/mod.rs", ""), file("a.rs", "")]).len(), 1);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let home = concat!("/ho", "me/ada/x");
        let lines = format!("fine\nsee {home}\nhttps://example.org{home}\n");
        let found = machine_names(&[file("a.md", &lines)], "/srv/checkouts/tickwire");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].line, 2);
        assert_eq!(machine_names(&[file("a.md", "in /srv/checkouts/tickwire/docs")], "/srv/checkouts/tickwire").len(), 1);
        assert!(machine_names(&[file("a.md", "in /src/docs")], "/src").is_empty());
    }

    #[test]
    fn a_lock_file_that_names_its_host_is_found() {
        assert_eq!(check_sources(&[file("web-client/package-lock.json", "  \"resolved\": \"https://packages.example/a.tgz\",")]).len(), 1);
        assert_eq!(check_sources(&[file("Cargo.lock", "source = \"registry+https://packages.example/index\"")]).len(), 1);
        assert!(check_sources(&[file("Cargo.lock", "source = \"registry+https://github.com/rust-lang/the-index\"")]).is_empty());
        assert_eq!(check_sources(&[file(".cargo/config.toml", "[source.mirror]")]).len(), 1);
    }
}
