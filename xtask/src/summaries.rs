//! Reads how many tests passed and failed from what each runner says about itself. A runner that
//! failed, or ran nothing, is never taken for a success, whatever its summary says: see `judge`.

use crate::process::Finished;
use anyhow::{Context, Result, bail};
use serde_json::Value;

/// How many tests passed, failed and were left out, and what is odd about that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
    /// Why a failure was counted that no test reported.
    pub(crate) remark: String,
}

impl Tally {
    /// The tally of a check that is one thing: it held.
    pub(crate) fn one() -> Self {
        Self { passed: 1, ..Self::default() }
    }

    /// The tally of a check that could not be done on this machine and is no failure for it.
    pub(crate) fn none() -> Self {
        Self { skipped: 1, ..Self::default() }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        if self.remark.is_empty() { Ok(()) } else { write!(f, "; {}", self.remark) }
    }
}

/// The verdict on a runner: its summary, unless how it ended says otherwise.
pub(crate) fn judge(summary: Result<Tally>, finished: &Finished) -> Tally {
    let (mut tally, unreadable) = match summary {
        Ok(tally) => (tally, String::new()),
        Err(error) => (Tally::default(), format!("{error:#}")),
    };
    if tally.failed > 0 {
        return tally;
    }
    let remark = if !unreadable.is_empty() {
        format!("{unreadable} ({})", finished.ending)
    } else if !finished.success {
        format!("the runner failed ({}) though no test did", finished.ending)
    } else if tally.passed == 0 {
        "the runner ran no tests".to_string()
    } else {
        return tally;
    };
    tally.failed = 1;
    tally.remark = remark;
    tally
}

/// `cargo test`: one `test result:` line for each test binary and each crate's documentation tests.
pub(crate) fn cargo_test(output: &str) -> Result<Tally> {
    let mut tally = Tally::default();
    let (mut started, mut reported) = (0, 0);
    for line in output.lines() {
        let indented = line.trim_start();
        if line.starts_with("     Running ") || (indented.starts_with("Doc-tests ") && line.starts_with(' ')) {
            started += 1;
        }
        let Some(counts) = line.strip_prefix("test result: ") else { continue };
        reported += 1;
        tally.passed += count_before(counts, " passed").context("a `test result:` line without a count")?;
        tally.failed += count_before(counts, " failed").context("a `test result:` line without a count")?;
        tally.skipped += count_before(counts, " ignored").unwrap_or(0);
    }
    // A test that ends its process takes the other tests' results with it.
    if tally.failed == 0 && reported < started {
        bail!("{started} test binaries started but {reported} reported a result");
    }
    Ok(tally)
}

/// `node --test --test-reporter=tap`: totals in comments at the end.
pub(crate) fn node_tap(output: &str) -> Result<Tally> {
    let total = |name: &str| -> Result<u64> {
        let prefix = format!("# {name} ");
        let line =
            output.lines().rev().find_map(|line| line.strip_prefix(&prefix)).with_context(|| format!("node printed no `{prefix}` line"))?;
        line.trim().parse().with_context(|| format!("node printed `{prefix}{line}`"))
    };
    Ok(Tally {
        passed: total("pass")?,
        failed: total("fail")? + total("cancelled")?,
        skipped: total("skipped")? + total("todo")?,
        remark: String::new(),
    })
}

/// Python's unittest: `Ran 12 tests in 0.01s`, then `OK` or `FAILED (failures=1, errors=2)`.
pub(crate) fn python_unittest(output: &str) -> Result<Tally> {
    let ran = output.lines().rev().find_map(|line| line.strip_prefix("Ran ")).context("unittest printed no `Ran` line")?;
    let ran = ran.split(' ').next().unwrap_or_default().parse::<u64>().with_context(|| format!("unittest printed `Ran {ran}`"))?;
    let verdict =
        output.lines().rev().find(|line| line.starts_with("OK") || line.starts_with("FAILED")).context("unittest printed no verdict")?;
    let count =
        |name: &str| verdict.split(['(', ',', ')']).find_map(|part| part.trim().strip_prefix(name)?.parse::<u64>().ok()).unwrap_or(0);
    let failed = count("failures=") + count("errors=") + count("unexpected successes=");
    let skipped = count("skipped=");
    Ok(Tally { passed: ran.saturating_sub(failed + skipped), failed, skipped, remark: String::new() })
}

/// Vitest's JSON report. A file that could not be loaded is a suite that failed without a test.
pub(crate) fn vitest(report: &str) -> Result<Tally> {
    let report: Value = serde_json::from_str(report).context("Vitest's report is not JSON")?;
    let files = report["testResults"].as_array().context("Vitest's report has no `testResults`")?;
    let has_failed_test =
        |file: &&Value| file["assertionResults"].as_array().is_some_and(|tests| tests.iter().any(|test| test["status"] == "failed"));
    let broken_files = files.iter().filter(|file| file["status"] == "failed" && !has_failed_test(file)).count();
    Ok(Tally {
        passed: number(&report, "numPassedTests")?,
        failed: number(&report, "numFailedTests")? + broken_files as u64,
        skipped: number(&report, "numPendingTests")? + number(&report, "numTodoTests").unwrap_or(0),
        remark: String::new(),
    })
}

/// Playwright's JSON report. A test that passed only when repeated did not pass.
pub(crate) fn playwright(report: &str) -> Result<Tally> {
    let report: Value = serde_json::from_str(report).context("Playwright's report is not JSON")?;
    let stats = &report["stats"];
    let errors = report["errors"].as_array().map_or(0, Vec::len) as u64;
    Ok(Tally {
        passed: number(stats, "expected")?,
        failed: number(stats, "unexpected")? + number(stats, "flaky")? + errors,
        skipped: number(stats, "skipped")?,
        remark: String::new(),
    })
}

fn number(object: &Value, name: &str) -> Result<u64> {
    object[name].as_u64().with_context(|| format!("the report has no number `{name}`"))
}

/// The number just before `word`: `12` of `ok. 12 passed; 0 failed`.
fn count_before(text: &str, word: &str) -> Option<u64> {
    let before = &text[..text.find(word)?];
    before.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Tally {
        Tally { passed, failed, skipped, remark: String::new() }
    }

    fn ended(success: bool) -> Finished {
        Finished { success, ending: "exit status: 101".to_string(), output: String::new() }
    }

    const CARGO: &str = "\
     Running unittests src/lib.rs (target/debug/deps/arena-0123)\n\
\n\
running 2 tests\n\
test a ... ok\n\
test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
     Running tests/play.rs (target/debug/deps/play-0123)\n\
test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
   Doc-tests arena\n\
test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n";

    #[test]
    fn cargo_results_are_summed_over_binaries() {
        assert_eq!(cargo_test(CARGO).expect("readable"), tally(16, 2, 1));
    }

    #[test]
    fn a_test_binary_without_a_result_is_not_a_success() {
        let silent = "     Running unittests src/lib.rs (target/debug/deps/a-0)\n     Running tests/b.rs (target/debug/deps/b-0)\n\
                      test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        assert!(cargo_test(silent).is_err());
        assert_eq!(judge(cargo_test(silent), &ended(true)).failed, 1);
    }

    #[test]
    fn what_a_test_prints_is_not_a_result() {
        let quoted = "test result: ok. 1 passed; 0 failed; 0 ignored\n  test result: FAILED. 0 passed; 9 failed; 0 ignored\n";
        assert_eq!(cargo_test(quoted).expect("readable"), tally(1, 0, 0));
    }

    #[test]
    fn node_totals_are_read_from_tap() {
        let output =
            "TAP version 13\nok 1 - hashes\n1..1\n# tests 4\n# suites 0\n# pass 2\n# fail 1\n# cancelled 1\n# skipped 0\n# todo 0\n";
        assert_eq!(node_tap(output).expect("readable"), tally(2, 2, 0));
        assert!(node_tap("TAP version 13\n").is_err());
    }

    #[test]
    fn unittest_verdicts_are_read() {
        assert_eq!(python_unittest("....\nRan 4 tests in 0.001s\n\nOK\n").expect("readable"), tally(4, 0, 0));
        assert_eq!(python_unittest("Ran 1 test in 0.001s\n\nOK (skipped=1)\n").expect("readable"), tally(0, 0, 1));
        let failed = python_unittest("Ran 5 tests in 0.001s\n\nFAILED (failures=1, errors=2, skipped=1)\n");
        assert_eq!(failed.expect("readable"), tally(1, 3, 1));
        assert!(python_unittest("Traceback (most recent call last):\n").is_err());
    }

    #[test]
    fn a_vitest_file_that_does_not_load_is_a_failure() {
        let report = r#"{"numPassedTests":2,"numFailedTests":1,"numPendingTests":0,"numTodoTests":1,"testResults":[
            {"status":"passed","assertionResults":[{"status":"passed"}]},
            {"status":"failed","assertionResults":[{"status":"failed"},{"status":"passed"}]},
            {"status":"failed","assertionResults":[]}]}"#;
        assert_eq!(vitest(report).expect("readable"), tally(2, 2, 1));
        assert!(vitest("{}").is_err());
    }

    #[test]
    fn a_flaky_playwright_test_is_a_failure() {
        let report = r#"{"errors":[],"stats":{"expected":3,"unexpected":1,"flaky":1,"skipped":2}}"#;
        assert_eq!(playwright(report).expect("readable"), tally(3, 2, 2));
        let broken = r#"{"errors":[{"message":"no tests found"}],"stats":{"expected":0,"unexpected":0,"flaky":0,"skipped":0}}"#;
        assert_eq!(playwright(broken).expect("readable"), tally(0, 1, 0));
        assert!(playwright("{}").is_err());
    }

    #[test]
    fn a_runner_that_failed_or_ran_nothing_is_a_failure() {
        assert_eq!(judge(Ok(tally(3, 0, 0)), &ended(true)), tally(3, 0, 0));
        assert_eq!(judge(Ok(tally(3, 2, 0)), &ended(false)), tally(3, 2, 0));
        let crashed = judge(Ok(tally(3, 0, 0)), &ended(false));
        assert_eq!((crashed.passed, crashed.failed), (3, 1));
        assert!(crashed.remark.contains("exit status: 101"));
        assert_eq!(judge(Ok(tally(0, 0, 5)), &ended(true)).failed, 1);
        assert_eq!(judge(Err(anyhow::anyhow!("no report")), &ended(true)).remark, "no report (exit status: 101)");
    }
}
