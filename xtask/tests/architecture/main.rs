//! The workspace is built as `docs/ARCHITECTURE.md` says: no circle of files or folders, no import
//! against the order, and what decides is where the document says.

#![allow(clippy::expect_used, clippy::panic)] // a test fails by panicking

mod allowed;
mod attributes;
mod circles;
mod crates;
mod decided;
mod imports;
mod made_up;
mod map;
mod mentions;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use circles::Circle;
use crates::Crate;
use map::Package;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

/// Every file that is the root of a crate, tests and examples included.
fn crate_roots() -> Vec<String> {
    let mut files = Vec::new();
    collect(&root(), &root(), ".rs", &mut files);
    files.retain(|file| {
        let mut parts = file.rsplit('/');
        let (name, folder) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        matches!(name, "lib.rs" | "main.rs") || matches!(folder, "tests" | "examples" | "benches" | "fuzz_targets")
    });
    files
}

/// Files whose names end with `end`.
fn collect(root: &Path, folder: &Path, end: &str, files: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() && !name.starts_with('.') && !["target", "node_modules", "dist"].contains(&name.as_str()) {
            collect(root, &path, end, files);
        } else if name.ends_with(end) {
            files.push(path.strip_prefix(root).expect("inside").to_string_lossy().replace('\\', "/"));
        }
    }
}

fn read(root: &str) -> Crate {
    Crate::read(root, &|file| std::fs::read_to_string(self::root().join(file)).ok())
}

fn text(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The members of the workspace, and what they are built of. What only their tests need does not
/// count.
fn packages() -> Vec<Package> {
    let parse = |file: &str| text(file).parse::<toml::Table>().unwrap_or_else(|error| panic!("{file}: {error}"));
    let workspace = parse("Cargo.toml");
    let ours: HashMap<String, String> = workspace["workspace"]["dependencies"]
        .as_table()
        .into_iter()
        .flatten()
        .filter_map(|(name, from)| Some((name.clone(), from.get("path")?.as_str()?.to_string())))
        .collect();
    let members = workspace["workspace"]["members"].as_array().into_iter().flatten().filter_map(toml::Value::as_str);
    let folders = members.flat_map(|member| match member.strip_suffix("/*") {
        Some(parent) => folders(parent),
        None => vec![member.to_string()],
    });
    let needs = |folder: &str| {
        let manifest = parse(&format!("{folder}/Cargo.toml"));
        let named = manifest.get("dependencies").and_then(toml::Value::as_table).into_iter().flatten().map(|(name, _)| name.clone());
        named.filter_map(|name| ours.get(&name).cloned()).collect()
    };
    folders.map(|folder| Package { needs: needs(&folder), folder }).collect()
}

fn folders(parent: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(parent)).expect("a folder").flatten();
    let names = entries.filter(|entry| entry.path().join("Cargo.toml").is_file()).map(|entry| entry.file_name());
    names.map(|name| format!("{parent}/{}", name.to_string_lossy())).collect()
}

#[test]
fn no_circle_of_files_or_folders() {
    let circles: Vec<Circle> = crate_roots().iter().flat_map(|root| circles::find(&read(root))).collect();
    let problems = allowed::judge(&circles, allowed::ALLOWED);
    assert!(problems.is_empty(), "{} problem(s)\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn the_map_is_the_workspace() {
    let rows = map::rows(&text(MAP));
    assert!(rows.len() > 4, "no table was found: {rows:?}");
    let problems = map::check_packages(&rows, &packages(), |folder| root().join(folder).is_dir());
    assert!(problems.is_empty(), "{MAP}:\n{}", problems.join("\n"));
}

#[test]
fn the_orders_are_those_of_the_wire_and_of_the_server() {
    let document = text(MAP);
    for folder in ["protocol/src", "game-server/src"] {
        let order = map::order(&document, &format!("Inside `{folder}`:"));
        assert!(order.len() > 3, "no order of {folder} was found: {order:?}");
        let problems = map::check_order(&order, &read(&format!("{folder}/lib.rs")));
        assert!(problems.is_empty(), "{MAP}, {folder}:\n{}", problems.join("\n"));
    }
}

/// Decision 1: replacing `bincode` is a change to one file.
#[test]
fn one_file_reaches_for_bincode() {
    let mut files = Vec::new();
    for end in ["Cargo.toml", ".rs"] {
        collect(&root(), &root(), end, &mut files);
    }
    let depends = |file: &&String| {
        file.ends_with("Cargo.toml") && *file != "Cargo.toml" && text(file).lines().any(|line| line.starts_with("bincode"))
    };
    let packages: Vec<&String> = files.iter().filter(depends).collect();
    assert_eq!(packages, ["protocol/Cargo.toml"], "others use `tickwire_protocol::codec`");
    let reaches = |file: &&String| file.starts_with("protocol/src/") && reaches_for_bincode(&text(file));
    let sources: Vec<&String> = files.iter().filter(reaches).collect();
    assert_eq!(sources, ["protocol/src/wire/codec.rs"], "others use `crate::wire::codec::bincode`");
}

/// Whether a source names the crate itself, not what `codec` shows of it.
fn reaches_for_bincode(source: &str) -> bool {
    let is_shown = source.lines().any(|line| line.starts_with("use crate::wire::codec::") && line.contains("bincode"));
    let is_named = |line: &str| {
        let mut before = line.match_indices("bincode::").map(|(start, _)| &line[..start]);
        before.any(|before| !before.ends_with("::") && !before.contains("//"))
    };
    !is_shown && source.lines().any(is_named)
}

#[test]
fn what_decides_is_where_it_is_said_to_be() {
    let rows = decided::rows(&text(MAP));
    assert!(rows.len() > 9, "no table was found: {rows:?}");
    let problems = decided::check(&rows, |file| std::fs::read_to_string(root().join(file)).ok());
    assert!(problems.is_empty(), "{MAP}:\n{}", problems.join("\n"));
}

const MAP: &str = "docs/ARCHITECTURE.md";
