//! Reads the YAML that `deploy/` is written in: mappings and lists by indentation, lists in
//! brackets and texts in double quotes as JSON has them, comments, several documents. What it does
//! not know it refuses, so that nothing is read otherwise than an engine does.

use serde_json::{Map, Value};

/// The documents of a file.
pub(crate) fn read(text: &str) -> Vec<Value> {
    text.split("\n---\n").map(document).filter(|document| !document.is_null()).collect()
}

/// A line that says something: how far it is indented, and what it says.
type Line<'a> = (usize, &'a str);

fn document(text: &str) -> Value {
    assert!(!text.contains('\t'), "no tabs");
    let lines: Vec<Line<'_>> = text
        .lines()
        .map(|line| (line.len() - line.trim_start().len(), line.trim()))
        .filter(|(_, said)| !said.is_empty() && !said.starts_with('#'))
        .collect();
    let mut rest = lines.as_slice();
    let value = rest.first().map_or(Value::Null, |(indent, _)| block(&mut rest, *indent));
    assert!(rest.is_empty(), "{:?} belongs to nothing", rest.first());
    value
}

fn block(rest: &mut &[Line<'_>], indent: usize) -> Value {
    if rest.first().is_some_and(|(_, said)| said.starts_with("- ")) { list(rest, indent) } else { mapping(rest, indent) }
}

fn mapping(rest: &mut &[Line<'_>], indent: usize) -> Value {
    let mut map = Map::new();
    while let Some((at, said)) = rest.first().copied().filter(|(at, _)| *at >= indent) {
        assert_eq!(at, indent, "`{said}` is indented otherwise than its neighbours");
        if said.starts_with("- ") {
            break;
        }
        *rest = &rest[1..];
        let (key, value) = entry(said, rest, indent);
        assert!(map.insert(key.clone(), value).is_none(), "`{key}` stands twice");
    }
    Value::Object(map)
}

/// `key: value`, or `key:` and what is indented below it.
fn entry(said: &str, rest: &mut &[Line<'_>], indent: usize) -> (String, Value) {
    let (key, value) =
        said.split_once(": ").or_else(|| Some((said.strip_suffix(':')?, ""))).unwrap_or_else(|| panic!("`{said}` has no key"));
    if !value.is_empty() {
        return (key.to_owned(), scalar(value.trim()));
    }
    match rest.first() {
        Some((below, _)) if *below > indent => (key.to_owned(), block(rest, *below)),
        _ => panic!("`{key}` has nothing"),
    }
}

fn list(rest: &mut &[Line<'_>], indent: usize) -> Value {
    let mut items = Vec::new();
    while let Some((at, said)) = rest.first().copied().filter(|(at, _)| *at == indent) {
        let Some(item) = said.strip_prefix("- ") else { break };
        *rest = &rest[1..];
        let is_entry = !item.starts_with(['"', '[']) && (item.contains(": ") || item.ends_with(':'));
        if !is_entry {
            items.push(scalar(item));
            continue;
        }
        let (key, value) = entry(item, rest, at + 2);
        let mut map = Map::from_iter([(key, value)]);
        if rest.first().is_some_and(|(below, said)| *below == at + 2 && !said.starts_with("- ")) {
            let Value::Object(more) = mapping(rest, at + 2) else { panic!("a mapping is one") };
            map.extend(more);
        }
        items.push(Value::Object(map));
    }
    Value::Array(items)
}

fn scalar(text: &str) -> Value {
    if text.starts_with(['"', '[', '{']) {
        return serde_json::from_str(text).unwrap_or_else(|error| panic!("`{text}`: {error}"));
    }
    assert!(!text.starts_with(['\'', '&', '*', '|', '>', '!', '%', '@', '`']) && !text.contains(" #"), "`{text}` is not read here");
    match text {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        // What YAML of old takes for something else.
        "yes" | "no" | "on" | "off" | "null" | "~" => panic!("put `{text}` in quotes"),
        _ => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
    }
}
