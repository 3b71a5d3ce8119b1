//! Which file needs which: every path that a file mentions, followed to the file that defines what
//! it names.

use std::collections::{BTreeMap, HashSet};

use crate::crates::{Crate, Mention, Name};

/// From file to file, with the line of the first mention.
pub(crate) type Imports = BTreeMap<(String, String), usize>;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Module(usize),
    /// Something that this module defines.
    Item(usize),
}

impl Crate {
    pub(crate) fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (module, Mention { path, line, is_reexport }) in
            self.modules.iter().enumerate().flat_map(|(module, about)| about.mentions.iter().map(move |mention| (module, mention)))
        {
            let Some(Place::Item(defines)) = self.follow(module, path, &mut HashSet::new()) else { continue };
            // A parent that shows what a child of it defines needs nothing of that child.
            if *is_reexport && self.is_within(defines, module) {
                continue;
            }
            let (from, to) = (&self.modules[module].file, &self.modules[defines].file);
            if from != to {
                imports.entry((from.clone(), to.clone())).or_insert(*line);
            }
        }
        imports
    }

    fn is_within(&self, module: usize, ancestor: usize) -> bool {
        std::iter::successors(Some(module), |module| self.modules[*module].parent).any(|module| module == ancestor)
    }

    /// Where `path` leads, as seen from `module`. `None` if to another crate. `seen` ends imports
    /// that go round.
    fn follow(&self, module: usize, path: &[String], seen: &mut HashSet<(usize, String)>) -> Option<Place> {
        let (first, rest) = path.split_first()?;
        let place = match first.as_str() {
            "crate" => Place::Module(0),
            "self" => Place::Module(module),
            "super" => Place::Module(self.modules[module].parent?),
            name => self.find(module, name, seen)?,
        };
        let mut place = place;
        for name in rest {
            let Place::Module(inside) = place else { break };
            place = match name.as_str() {
                "super" => Place::Module(self.modules[inside].parent?),
                // A macro may have written what cannot be found.
                name => self.find(inside, name, seen).unwrap_or(Place::Item(inside)),
            };
        }
        Some(place)
    }

    fn find(&self, module: usize, name: &str, seen: &mut HashSet<(usize, String)>) -> Option<Place> {
        let about = &self.modules[module];
        if let Some(child) = about.children.get(name) {
            return Some(Place::Module(*child));
        }
        if !seen.insert((module, name.to_string())) {
            return None;
        }
        match about.names.get(name) {
            Some(Name::Defined) => Some(Place::Item(module)),
            // `use http::header` in `crate::http` is about the crate `http`, not about itself.
            Some(Name::Imported(path)) => self.follow(module, path, seen),
            None => about.globs.iter().find_map(|glob| match self.follow(module, glob, seen)? {
                Place::Module(shown) => self.find(shown, name, seen),
                Place::Item(_) => None,
            }),
        }
    }
}
