//! Every limit in the code is in SECURITY.md's table, which is written from the code.

use super::source::{Problem, SourceFile};

const BEGIN: &str = "<!-- limits: what follows is written by `cargo xtask limits`, up to the end mark -->";
const END: &str = "<!-- limits: end -->";
/// The page with the table.
pub(crate) const PAGE: &str = "SECURITY.md";
/// Where limits are.
const PLACES: [&str; 5] = ["cluster/src/", "game-server/src/", "journal/src/limits.rs", "match-core/src/", "protocol/src/wire/limits.rs"];

pub(super) fn check(files: &[SourceFile]) -> Vec<Problem> {
    let Some(page) = files.iter().find(|file| file.path == PAGE) else { return Vec::new() };
    let is_current = renewed(&page.text, files).is_some_and(|renewed| renewed == page.text);
    if is_current { Vec::new() } else { vec![page.problem(0, "its table of limits is not the code's: `cargo xtask limits` writes it")] }
}

/// `page` with the table as the code has it; `None` without marks.
pub(super) fn renewed(page: &str, files: &[SourceFile]) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n\n{}\n{END}{after}", table(files)))
}

fn table(files: &[SourceFile]) -> String {
    let is_place = |file: &&SourceFile| PLACES.iter().any(|place| file.path.starts_with(place)) && !file.path.ends_with("tests.rs");
    let rows = files.iter().filter(is_place).flat_map(|file| {
        let limits = limits(&file.text).into_iter();
        limits.map(|limit| format!("| `{}` | {} | {} | `{}` |\n", limit.name, limit.value, limit.meaning, file.path))
    });
    rows.fold("| limit | value | what it bounds | where |\n|---|---|---|---|\n".to_owned(), |table, row| table + &row)
}

#[derive(Debug, PartialEq, Eq)]
struct Limit {
    name: String,
    value: String,
    /// The first sentence of its documentation.
    meaning: String,
}

/// The constants at the top level of a file that are called something with `MAX`.
fn limits(source: &str) -> Vec<Limit> {
    let mut limits = Vec::new();
    let mut comment = String::new();
    for line in source.lines() {
        if let Some(text) = line.strip_prefix("///") {
            comment += text;
            continue;
        }
        let constant = line.split_once("const ").filter(|(visibility, _)| visibility.is_empty() || visibility.starts_with("pub"));
        if let Some((name, rest)) = constant.and_then(|(_, rest)| rest.split_once(": "))
            && name.split('_').any(|word| word == "MAX")
            && let Some((_, value)) = rest.split_once(" = ")
        {
            let value = value.trim_end_matches(';').replace("Duration::from_", "");
            limits.push(Limit { name: name.to_owned(), value: plain(&value), meaning: first_sentence(&comment) });
        }
        comment.clear();
    }
    limits
}

/// A value as people write it: `mins(1)` is 1 min, what is computed stands as it is.
fn plain(value: &str) -> String {
    let units = [("millis", "ms"), ("secs", "s"), ("mins", "min"), ("hours", "h")];
    let time = units.iter().find_map(|(call, unit)| {
        let number = value.strip_prefix(call)?.strip_prefix('(')?.strip_suffix(')')?;
        Some(format!("{number} {unit}"))
    });
    time.unwrap_or_else(|| format!("`{value}`"))
}

fn first_sentence(comment: &str) -> String {
    let comment = comment.trim();
    let sentence = comment.split_once(". ").map_or(comment, |(sentence, _)| sentence);
    let sentence = sentence.trim_end_matches('.');
    // Links of a doc comment lead nowhere in a document.
    sentence.replace("[`", "`").replace("`]", "`").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::super::source::file;
    use super::*;

    const CODE: &str = "\
/// Most seats of a [`Match`]. Beyond, nobody sits.
pub(crate) const SEATS_MAX: usize = 4 * 1024;
/// A session is over after so long.
const IDLE_MAX: Duration = Duration::from_hours(24);
/// No limit.
const BACKLOG: i32 = 7;
    const INNER_MAX: u8 = 1;
";

    #[test]
    fn limits_are_found_with_what_they_bound() {
        let found: Vec<_> = limits(CODE).into_iter().map(|limit| [limit.name, limit.value, limit.meaning].join(": ")).collect();
        assert_eq!(found, ["SEATS_MAX: `4 * 1024`: Most seats of a `Match`", "IDLE_MAX: 24 h: A session is over after so long"]);
    }

    #[test]
    fn a_page_that_lags_behind_is_found_and_renewed() {
        let page = file(PAGE, &format!("a\n{BEGIN}\n{END}\nb"));
        let code = || file("game-server/src/x.rs", CODE);
        let renewed = renewed(&page.text, &[code()]).expect("marks");
        assert_eq!(check(&[page, code()]).len(), 1);
        assert!(renewed.contains("| `SEATS_MAX` | `4 * 1024` | Most seats of a `Match` | `game-server/src/x.rs` |"));
        assert_eq!(check(&[file(PAGE, &renewed), code()]), []);
    }
}
