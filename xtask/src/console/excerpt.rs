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

/// What of a failing program's output is worth a screen: without the lines that report success, and not without end.
fn excerpt(output: &str) -> String {
    let telling: Vec<&str> = output.lines().filter(|line| !reports_success(line)).collect();
    if telling.len() <= EXCERPT_HEAD_LINES + EXCERPT_TAIL_LINES {
        return telling.join("\n");
    }
    let left_out = telling.len() - EXCERPT_HEAD_LINES - EXCERPT_TAIL_LINES;
    let (head, tail) = (&telling[..EXCERPT_HEAD_LINES], &telling[telling.len() - EXCERPT_TAIL_LINES..]);
    format!("{}\n... {left_out} lines left out ...\n{}", head.join("\n"), tail.join("\n"))
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
    fn a_long_excerpt_keeps_both_ends() {
        let lines: Vec<String> = (0..1000).map(|n| format!("line {n}")).collect();
        let short = excerpt(&lines.join("\n"));
        assert!(short.starts_with("line 0\n") && short.ends_with("line 999"));
        assert!(short.contains("... 700 lines left out ..."));
    }
}
