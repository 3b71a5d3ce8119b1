//! Circles among files, and among folders.

use std::collections::{BTreeMap, BTreeSet};

use crate::crates::Crate;
use crate::imports::Imports;

/// Files, or modules with all that is in them, each of which needs the others.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Circle {
    pub(crate) members: BTreeSet<String>,
    /// `from:line -> to`, file by file.
    pub(crate) imports: Vec<String>,
    /// The files at both ends of these.
    pub(crate) files: BTreeSet<String>,
}

impl std::fmt::Display for Circle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let members: Vec<&str> = self.members.iter().map(String::as_str).collect();
        write!(f, "a circle of {}:", members.join(", "))?;
        self.imports.iter().try_for_each(|import| write!(f, "\n    {import}"))
    }
}

/// The circles of a crate: those of files first, then those of folders that are left without them.
pub(crate) fn find(of: &Crate) -> Vec<Circle> {
    let mut imports = of.imports();
    let mut circles = among(&imports, |file| Some(file.to_string()));
    let reported: Vec<BTreeSet<String>> = circles.iter().map(|circle| circle.members.clone()).collect();
    imports.retain(|(from, to), _| !reported.iter().any(|members| members.contains(from) && members.contains(to)));
    for (parent, _) in of.modules.iter().enumerate().filter(|(_, module)| !module.children.is_empty()) {
        let mut child_of = BTreeMap::new();
        for module in 0..of.modules.len() {
            if let Some(child) = of.child_towards(parent, module) {
                child_of.entry(of.modules[module].file.clone()).or_insert_with(|| of.path(child));
            }
        }
        child_of.remove(&of.modules[parent].file);
        circles.extend(among(&imports, |file| child_of.get(file).cloned()));
    }
    circles
}

impl Crate {
    /// The child of `parent` that `module` is, or is in.
    fn child_towards(&self, parent: usize, module: usize) -> Option<usize> {
        let up = std::iter::successors(Some(module), |module| self.modules[*module].parent);
        up.zip(std::iter::successors(self.modules[module].parent, |module| self.modules[*module].parent))
            .find(|(_, above)| *above == parent)
            .map(|(child, _)| child)
    }

    /// `crate::a::b`.
    fn path(&self, module: usize) -> String {
        let mut names: Vec<&str> = std::iter::successors(Some(module), |module| self.modules[*module].parent)
            .map(|module| self.modules[module].name.as_str())
            .collect();
        names.reverse();
        names.join("::")
    }
}

/// The circles of the groups that files belong to.
fn among(imports: &Imports, group: impl Fn(&str) -> Option<String>) -> Vec<Circle> {
    let grouped: Vec<(String, String, String)> = imports
        .iter()
        .filter_map(|((from, to), line)| Some((group(from)?, group(to)?, format!("{from}:{line} -> {to}"))))
        .filter(|(from, to, _)| from != to)
        .collect();
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (from, to, _) in &grouped {
        needs.entry(from).or_default().insert(to);
    }
    let reached: BTreeMap<&str, BTreeSet<&str>> = needs.keys().map(|from| (*from, reach(&needs, from))).collect();
    let is_round = |a: &str, b: &str| {
        reached.get(a).is_some_and(|reached| reached.contains(b)) && reached.get(b).is_some_and(|reached| reached.contains(a))
    };
    let mut circles: Vec<Circle> = Vec::new();
    for start in needs.keys() {
        if !is_round(start, start) || circles.iter().any(|circle| circle.members.contains(*start)) {
            continue;
        }
        let members: BTreeSet<String> = needs.keys().filter(|other| is_round(start, other)).map(|other| (*other).to_string()).collect();
        let inside = grouped.iter().filter(|(from, to, _)| members.contains(from) && members.contains(to));
        let imports: Vec<String> = inside.map(|(_, _, import)| import.clone()).collect();
        let ends = imports.iter().flat_map(|import| import.split(" -> ")).map(|end| end.split(':').next().unwrap_or_default().to_string());
        let files = ends.collect();
        circles.push(Circle { members, imports, files });
    }
    circles
}

fn reach<'a>(needs: &BTreeMap<&'a str, BTreeSet<&'a str>>, from: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<&str> = needs.get(from).into_iter().flatten().copied().collect();
    while let Some(group) = next.pop() {
        if reached.insert(group) {
            next.extend(needs.get(group).into_iter().flatten());
        }
    }
    reached
}
