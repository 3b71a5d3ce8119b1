//! What of a failing program's output is worth a screen.

use std::path::Path;

/// Prints it, and where the rest is.
pub(super) fn print(output: &str, log: &Path) {
    let shown = excerpt(output);
    println!("{shown}");
    if shown.len() < output.trim_end().len() {
        println!("(all of it: {})", log.display());
    }
}

/// What of a failing program's output is worth a screen: without the lines that report success, and
/// not without end.
fn excerpt(output: &str) -> String {
    let telling: Vec<&str> = binaries(output)
        .into_iter()
        .filter(|lines| !lines.iter().any(|line| line.starts_with("test result: ok.")))
        .flatten()
        .filter(|line| !reports_success(line))
        .collect();
    if telling.len() <= EXCERPT_HEAD_LINES + EXCERPT_TAIL_LINES {
        return telling.join("\n");
    }
    let left_out = telling.len() - EXCERPT_HEAD_LINES - EXCERPT_TAIL_LINES;
    let (head, tail) = (&telling[..EXCERPT_HEAD_LINES], &telling[telling.len() - EXCERPT_TAIL_LINES..]);
    format!("{}\n... {left_out} lines left out ...\n{}", head.join("\n"), tail.join("\n"))
}

/// The output, cut where `cargo test` says which test binary runs, and what came of it.
fn binaries(output: &str) -> Vec<Vec<&str>> {
    let mut binaries = vec![Vec::new()];
    for line in output.lines() {
        if line.starts_with("     Running ") || line.starts_with("   Doc-tests ") {
            binaries.push(Vec::new());
        }
        if let Some(lines) = binaries.last_mut() {
            lines.push(line);
        }
        if line.starts_with("test result: ") {
            binaries.push(Vec::new());
        }
    }
    binaries
}

fn reports_success(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    (line.starts_with("test ") && line.ends_with("... ok"))
        || (line.starts_with(' ') && matches!(word, "Compiling" | "Checking" | "Downloaded" | "Downloading" | "Locking" | "Documenting"))
}

const EXCERPT_HEAD_LINES: usize = 60;
const EXCERPT_TAIL_LINES: usize = 240;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_drops_what_went_well() {
        let output = "   Compiling arena v0.1.0\ntest a ... ok\ntest b ... FAILED\n\nfailures: b";
        assert_eq!(excerpt(output), "test b ... FAILED\n\nfailures: b");
    }

    #[test]
    fn an_excerpt_drops_test_binaries_that_passed() {
        let passed = |name| format!("     Running tests/{name}.rs\n\nrunning 9 tests\n\ntest result: ok. 9 passed; 0 failed\n\n");
        let failed = "     Running tests/b.rs\n\nrunning 1 test\nb panicked\ntest result: FAILED. 0 passed; 1 failed\n";
        let output = format!("{}{failed}{}error: 1 target failed", passed("a"), passed("c"));
        assert_eq!(excerpt(&output).trim_start_matches('\n'), format!("{failed}\nerror: 1 target failed"));
    }

    #[test]
    fn a_long_excerpt_keeps_both_ends() {
        let lines: Vec<String> = (0..1000).map(|n| format!("line {n}")).collect();
        let short = excerpt(&lines.join("\n"));
        assert!(short.starts_with("line 0\n") && short.ends_with("line 999"));
        assert!(short.contains("... 700 lines left out ..."));
    }
}
