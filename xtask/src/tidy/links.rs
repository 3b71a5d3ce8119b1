//! Every relative link in the documentation leads to a file of this checkout, and its `#anchor` to
//! a heading there.

use super::source::{Problem, SourceFile};
use std::collections::HashSet;
use std::path::{Component, Path};

pub(super) fn check(files: &[SourceFile]) -> Vec<Problem> {
    let documents = files.iter().filter(|file| file.has_extension(&["md"]));
    documents
        .flat_map(|document| links(&document.text).filter_map(|(line, target)| broken(files, document, line, &target)).collect::<Vec<_>>())
        .collect()
}

fn broken(files: &[SourceFile], document: &SourceFile, line: usize, target: &str) -> Option<Problem> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let Some(path) = (if path.is_empty() { Some(document.path.clone()) } else { resolve(&document.path, path) }) else {
        return Some(document.problem(line, format!("the link `{target}` leaves the repository")));
    };
    let as_folder = format!("{path}/");
    let Some(linked) = files.iter().find(|file| file.path == path) else {
        let is_folder = path.is_empty() || files.iter().any(|file| file.path.starts_with(&as_folder));
        return (!is_folder && !is_binary(&path)).then(|| document.problem(line, format!("the link `{target}` leads nowhere")));
    };
    let is_missing = !anchor.is_empty() && linked.has_extension(&["md"]) && !anchors(&linked.text).contains(anchor);
    is_missing.then(|| document.problem(line, format!("no heading of {path} makes the anchor `#{anchor}`")))
}

/// Pictures are not among the text files; that they exist is seen on disk.
fn is_binary(path: &str) -> bool {
    crate::workspace::root().join(path).is_file()
}

/// `target` as seen from the document, from the root; `None` if it climbs out.
fn resolve(document: &str, target: &str) -> Option<String> {
    let folder = Path::new(document).parent().unwrap_or(Path::new(""));
    let mut parts: Vec<&str> = Vec::new();
    let joined = folder.join(target);
    for component in joined.components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => drop(parts.pop()?),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

/// Link targets with their line: `[text](target)`, and `[label]: target` definitions. Code is not
/// prose.
fn links(text: &str) -> impl Iterator<Item = (usize, String)> {
    prose_lines(text).flat_map(|(number, line)| {
        let inline = line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()).map(str::to_string).collect::<Vec<_>>();
        let definition = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).and_then(|(_, target)| target.split(' ').next());
        inline
            .into_iter()
            .chain(definition.map(str::to_string))
            .filter(|target| !target.is_empty())
            .map(move |target| (number, target))
            .collect::<Vec<_>>()
    })
}

/// The lines outside code blocks, from 1, without their `code spans`.
fn prose_lines(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut in_code = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
            return None;
        }
        let without_spans: String = line.split('`').step_by(2).collect();
        (!in_code).then_some((index + 1, without_spans))
    })
}

/// The anchors GitHub makes of a document's headings.
fn anchors(text: &str) -> HashSet<String> {
    let mut in_code = false;
    let mut anchors = HashSet::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code || !line.starts_with('#') {
            continue;
        }
        let slug: String = line.trim_start_matches('#').trim().to_lowercase().chars().filter_map(anchor_char).collect();
        let mut unique = slug.clone();
        let mut repeats = 0;
        while !anchors.insert(unique.clone()) {
            repeats += 1;
            unique = format!("{slug}-{repeats}");
        }
    }
    anchors
}

fn anchor_char(c: char) -> Option<char> {
    match c {
        ' ' => Some('-'),
        '-' | '_' => Some(c),
        _ if c.is_alphanumeric() => Some(c),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::source::file;
    use super::*;

    fn problems(readme: &str) -> Vec<String> {
        let files = [
            file("README.md", readme),
            file("docs/PROTOCOL.md", "# The wire\n\n## Frames & bytes\n\n## Frames & bytes\n\nBack to [the start](../README.md).\n"),
            file("src/lib.rs", ""),
        ];
        check(&files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn links_that_lead_somewhere_are_fine() {
        assert_eq!(problems("[a](docs/PROTOCOL.md) [b](docs/) [c](src/lib.rs) [d](https://example.org/x) [e](#top)\n# Top\n"), [""; 0]);
        assert_eq!(problems("[a](docs/PROTOCOL.md#frames--bytes) [b](docs/PROTOCOL.md#frames--bytes-1)"), [""; 0]);
    }

    #[test]
    fn a_link_to_a_missing_file_is_found_with_its_line() {
        assert_eq!(problems("\n\nSee [this](docs/NONE.md)."), ["README.md:3: the link `docs/NONE.md` leads nowhere"]);
        assert_eq!(problems("[this]: docs/NONE.md"), ["README.md:1: the link `docs/NONE.md` leads nowhere"]);
        assert_eq!(problems("[out](../other)"), ["README.md:1: the link `../other` leaves the repository"]);
    }

    #[test]
    fn a_missing_anchor_is_found() {
        assert_eq!(problems("[a](docs/PROTOCOL.md#nothing)"), ["README.md:1: no heading of docs/PROTOCOL.md makes the anchor `#nothing`"]);
    }

    #[test]
    fn code_is_not_a_link() {
        assert_eq!(problems("`[a](b)`\n```\n[a](b)\n```\n"), [""; 0]);
    }
}
