//! What `docs/ARCHITECTURE.md` says of the tree: which crates there are and what they may depend
//! on, and in which order the folders of the server are.

use std::collections::BTreeSet;

use crate::crates::Crate;

/// A row of the map's table: crates, and what they may depend on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) folders: Vec<String>,
    pub(crate) may_need: String,
}

/// A line of the order: modules that may need those of the lines above, and not each other.
pub(crate) type Line = Vec<String>;

/// A crate of the workspace, and the folders of ours that it needs.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) folder: String,
    pub(crate) needs: Vec<String>,
}

/// The rows of the table with the head `| folder |`.
pub(crate) fn rows(document: &str) -> Vec<Row> {
    table(document, "| folder |")
        .filter(|cells| cells.len() > 3)
        .map(|cells| Row {
            folders: code(cells[1]).map(|folder| folder.trim_end_matches('/').to_string()).collect(),
            may_need: cells[3].to_string(),
        })
        .collect()
}

/// The rows below the line that starts with `head`. A row's first cell is the empty text before its
/// first bar.
pub(crate) fn table<'a>(document: &'a str, head: &str) -> impl Iterator<Item = Vec<&'a str>> {
    let rows = document.lines().skip_while(move |line| !line.starts_with(head)).skip(2);
    rows.take_while(|line| line.starts_with('|')).map(|line| line.split('|').map(str::trim).collect())
}

/// What a cell has between backticks.
pub(crate) fn code(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The lines of the first code block after `heading`: names, at least two blanks, and what they
/// are.
pub(crate) fn order(document: &str, heading: &str) -> Vec<Line> {
    let block = document.lines().skip_while(|line| !line.contains(heading)).skip_while(|line| !line.starts_with("```")).skip(1);
    let lines = block.take_while(|line| !line.starts_with("```")).filter(|line| !line.is_empty() && !line.starts_with(' '));
    lines.map(|line| line.split("  ").next().unwrap_or_default().split(' ').map(str::to_string).collect()).collect()
}

/// Where the table is not what the workspace is.
pub(crate) fn check_packages(rows: &[Row], packages: &[Package], is_there: impl Fn(&str) -> bool) -> Vec<String> {
    let mut problems = Vec::new();
    for folder in rows.iter().flat_map(|row| &row.folders).filter(|folder| !is_there(folder)) {
        problems.push(format!("the map names {folder}/, which is not there"));
    }
    for package in packages {
        let Some(place) = place(rows, &package.folder) else {
            problems.push(format!("the map does not name {}/", package.folder));
            continue;
        };
        for need in &package.needs {
            if !may_need(rows, place, need) {
                let row = &rows[place];
                problems.push(format!("{}/ depends on {need}/, and may depend on: {}", package.folder, row.may_need));
            }
        }
    }
    problems
}

/// The row that names a folder, or the one it is in.
fn place(rows: &[Row], folder: &str) -> Option<usize> {
    let length = |row: &Row| row.folders.iter().filter(|named| is_in(folder, named)).map(String::len).max();
    (0..rows.len()).filter_map(|row| Some((length(&rows[row])?, row))).max().map(|(_, row)| row)
}

fn may_need(rows: &[Row], place: usize, need: &str) -> bool {
    let needed = self::place(rows, need);
    let is_above = rows[place].may_need.starts_with("all above") && needed.is_some_and(|needed| needed < place);
    let named = rows[place].may_need.split([',', ';']).map(str::trim);
    let is_named = named.into_iter().any(|name| is_in(need, name) || need.rsplit('/').next() == Some(name));
    needed == Some(place) || is_above || is_named
}

fn is_in(folder: &str, outer: &str) -> bool {
    folder.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where the order is not what the modules of a crate are, or what they import.
pub(crate) fn check_order(order: &[Line], of: &Crate) -> Vec<String> {
    let mut problems = Vec::new();
    let said: BTreeSet<&str> = order.iter().flatten().map(String::as_str).collect();
    let children = &of.modules[0].children;
    let is_folder = |child: &str| children.get(child).is_some_and(|module| !of.modules[*module].children.is_empty());
    let there: BTreeSet<String> = children.keys().map(|child| if is_folder(child) { format!("{child}/") } else { child.clone() }).collect();
    problems.extend(said.iter().filter(|name| !there.contains(**name)).map(|name| format!("the order names {name}, which is not there")));
    problems.extend(there.iter().filter(|name| !said.contains(name.as_str())).map(|name| format!("the order does not name {name}")));
    for ((from, to), line) in of.imports() {
        let (Some(needs), Some(needed)) = (top(of, &from), top(of, &to)) else { continue };
        let (Some(below), Some(above)) = (rank(order, needs), rank(order, needed)) else { continue };
        if needs != needed && above >= below {
            problems.push(format!("{from}:{line} -> {to}: {needs} may import what the order has above it, and {needed} is not"));
        }
    }
    problems
}

fn rank(order: &[Line], name: &str) -> Option<usize> {
    order.iter().position(|line| line.iter().any(|other| other.trim_end_matches('/') == name))
}

/// The module below the root that a file is, or is in. `None` for the root's own file.
fn top<'a>(of: &'a Crate, file: &str) -> Option<&'a str> {
    let mut module = of.modules.iter().position(|module| module.file == file)?;
    while let Some(parent) = of.modules[module].parent {
        if parent == 0 {
            return Some(&of.modules[module].name);
        }
        module = parent;
    }
    None
}
