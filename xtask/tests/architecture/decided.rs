//! The table "Where is it decided?" of `docs/ARCHITECTURE.md`: each file is there, and has what is
//! said to decide.

use syn::{Ident, ImplItem, Item, Type};

use crate::map;

/// A row: a file, and the functions and types in it that are named.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) file: String,
    /// `Type::function`, or the name of a type or a free function.
    pub(crate) names: Vec<String>,
}

/// The rows of the table with the head `| question |`.
pub(crate) fn rows(document: &str) -> Vec<Row> {
    let code = |cell: &str| map::code(cell).map(str::to_string).collect::<Vec<_>>();
    let rows = map::table(document, "| question |").filter(|cells| cells.len() > 4);
    rows.map(|cells| Row { file: code(cells[2]).join(" "), names: code(cells[3]) }).collect()
}

/// What the rows name and `read` does not have.
pub(crate) fn check(rows: &[Row], read: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut problems = Vec::new();
    for row in rows {
        let Some(text) = read(&row.file) else {
            problems.push(format!("{} is not there", row.file));
            continue;
        };
        let defined = syn::parse_file(&text).map(|file| defined(&file.items)).unwrap_or_default();
        if row.names.is_empty() {
            problems.push(format!("{}: no function is named", row.file));
        }
        problems.extend(row.names.iter().filter(|name| !defined.contains(name)).map(|name| format!("{} has no {name}", row.file)));
    }
    problems
}

/// Types, functions, and methods as `Type::method`.
fn defined(items: &[Item]) -> Vec<String> {
    let mut names = Vec::new();
    for item in items {
        match item {
            Item::Fn(function) => names.push(function.sig.ident.to_string()),
            Item::Struct(item) => names.push(item.ident.to_string()),
            Item::Enum(item) => names.push(item.ident.to_string()),
            Item::Trait(item) => names.push(item.ident.to_string()),
            Item::Impl(block) => {
                let Some(name) = name(&block.self_ty) else { continue };
                names.extend(block.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(method) => Some(format!("{name}::{}", method.sig.ident)),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    names
}

fn name(of: &Type) -> Option<&Ident> {
    match of {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

#[test]
fn a_file_or_function_that_is_gone_is_found() {
    let table =
        "| question | file | function |\n|---|---|---|\n| When? | `src/a.rs` | `A::start`; then `free` |\n| What? | `src/b.rs` | `B` |\n";
    let rows = rows(table);
    assert_eq!(rows[0], Row { file: "src/a.rs".to_string(), names: vec!["A::start".to_string(), "free".to_string()] });
    let check = |a: &str, b: Option<&str>| {
        check(&rows, |file| match file {
            "src/a.rs" => Some(a.to_string()),
            _ => b.map(str::to_string),
        })
    };
    let whole = "struct A<T>(T); impl<T> A<T> { fn start() {} } fn free() {}";
    assert_eq!(check(whole, Some("enum B {}")), [""; 0]);
    assert_eq!(check(whole, None), ["src/b.rs is not there"]);
    assert_eq!(check("struct A; impl A { fn stop() {} } fn free() {}", Some("enum B {}")), ["src/a.rs has no A::start"]);
    assert_eq!(check("fn start() {} fn free() {}", Some("enum C {}")), ["src/a.rs has no A::start", "src/b.rs has no B"]);
}
