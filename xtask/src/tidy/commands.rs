//! Every `cargo xtask ...` in the documentation is a command this program accepts.

use super::source::{Problem, SourceFile};
use clap::Command;
use clap::error::ErrorKind;

pub(super) fn check(files: &[SourceFile], known: &Command) -> Vec<Problem> {
    let documents = files.iter().filter(|file| file.has_extension(&["md"]) && !HISTORY.contains(&file.path.as_str()));
    let mut problems = Vec::new();
    for document in documents {
        for (line, command) in commands(&document.text) {
            if let Some(reason) = refusal(known, &command) {
                problems.push(document.problem(line, format!("`cargo xtask {command}`: {reason}")));
            }
        }
    }
    problems
}

/// Why clap does not take these words, if it does not.
fn refusal(known: &Command, command: &str) -> Option<String> {
    let words = command.split_whitespace().map(|word| word.trim_matches(['"', '\'']));
    let error = known.clone().try_get_matches_from(std::iter::once("cargo xtask").chain(words)).err()?;
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return None;
    }
    let message = error.to_string();
    Some(message.lines().next().unwrap_or_default().trim_start_matches("error: ").to_string())
}

/// The words after `cargo xtask`, to the end of the code span or of the shell command, with their
/// line.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut in_block = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        // Prose names commands in code spans, which are every second part; a code block is nothing
        // but code.
        let codes: Vec<&str> = if in_block { vec![line] } else { line.split('`').skip(1).step_by(2).collect() };
        for code in codes {
            for rest in code.split("cargo xtask ").skip(1) {
                let end =
                    [" #", "&&", "||", " |", ";", " >", " 2>", ")"].iter().filter_map(|stop| rest.find(stop)).min().unwrap_or(rest.len());
                let command = rest[..end].trim();
                // `cargo xtask <command>` and `cargo xtask ...` speak of any command.
                if !command.is_empty() && !command.starts_with(['<', '.', '…', '#']) {
                    found.push((index + 1, command.trim_end_matches(" &").to_string()));
                }
            }
        }
    }
    found
}

/// What was true of an earlier version may stay in its history.
const HISTORY: &[&str] = &["CHANGELOG.md"];

#[cfg(test)]
mod tests {
    use super::super::source::file;
    use super::*;
    use crate::Cli;
    use clap::CommandFactory;

    fn problems(text: &str) -> Vec<String> {
        check(&[file("README.md", text)], &Cli::command()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn commands_that_exist_are_fine() {
        let text = "Run `cargo xtask play --port 9000 -- --bots 3`, or:\n```sh\ncargo xtask test --fast   # quick\ncargo xtask wasm && echo done\n```\n\
                    `cargo xtask` has help: `cargo xtask <command> --help`, `cargo xtask play --help`.";
        assert_eq!(problems(text), [""; 0]);
        assert_eq!(commands(text).len(), 4);
    }

    #[test]
    fn a_command_that_does_not_exist_is_found() {
        let found = problems("text\n\nRun `cargo xtask fly`.");
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("README.md:3: `cargo xtask fly`: unrecognized subcommand"), "{}", found[0]);
    }

    #[test]
    fn a_flag_that_does_not_exist_is_found() {
        assert_eq!(problems("```\ncargo xtask test --quickly\n```").len(), 1);
        assert_eq!(problems("`cargo xtask play --port eighty`").len(), 1);
    }

    #[test]
    fn history_may_name_what_is_gone() {
        assert!(check(&[file("CHANGELOG.md", "Removed `cargo xtask fly`.")], &Cli::command()).is_empty());
    }
}
