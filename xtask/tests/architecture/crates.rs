//! A crate's modules as its files declare them: what each defines, imports and mentions.

use std::collections::HashMap;

use syn::visit::Visit;
use syn::{Attribute, Item, ItemMod, UseTree, Visibility};

use crate::attributes::{is_test, path_attribute};
use crate::mentions::Mentions;

/// One crate: its modules, the root first. A module is known by its place in this list.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
}

/// A file's module, or one written inside of a file.
#[derive(Debug)]
pub(crate) struct Module {
    pub(crate) name: String,
    /// From the checkout's root. Shared by the modules that are written inside of the file.
    pub(crate) file: String,
    pub(crate) parent: Option<usize>,
    pub(crate) children: HashMap<String, usize>,
    /// What a name stands for here, modules aside.
    pub(crate) names: HashMap<String, Name>,
    /// Modules all of whose names are imported.
    pub(crate) globs: Vec<Vec<String>>,
    pub(crate) mentions: Vec<Mention>,
}

#[derive(Clone, Debug)]
pub(crate) enum Name {
    Defined,
    Imported(Vec<String>),
}

/// A path that stands in a file.
#[derive(Clone, Debug)]
pub(crate) struct Mention {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
    /// `pub use`, of any visibility.
    pub(crate) is_reexport: bool,
}

/// Gives the text of a file, if there is one.
pub(crate) type Read<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Crate {
    /// The crate whose root is the file at `root`, without its tests.
    pub(crate) fn read(root: &str, read: Read) -> Self {
        let mut found = Self { modules: Vec::new() };
        let folder = root.rsplit_once('/').map_or("", |(folder, _)| folder).to_string();
        found.add_file(root, "crate", &folder, None, read);
        found
    }

    /// `folder` is where the files of its children are.
    fn add_file(&mut self, file: &str, name: &str, folder: &str, parent: Option<usize>, read: Read) -> usize {
        let text = read(file).unwrap_or_else(|| panic!("{file} is declared and not there"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.add(file, name, folder, parent, &parsed.items, read)
    }

    fn add(&mut self, file: &str, name: &str, folder: &str, parent: Option<usize>, items: &[Item], read: Read) -> usize {
        let module = self.modules.len();
        self.modules.push(Module {
            name: name.to_string(),
            file: file.to_string(),
            parent,
            children: HashMap::new(),
            names: HashMap::new(),
            globs: Vec::new(),
            mentions: Vec::new(),
        });
        for item in items {
            match item {
                Item::Mod(child) if !is_test(&child.attrs) => self.add_child(module, child, file, folder, read),
                item if !is_test(attributes(item)) => self.modules[module].add(item),
                _ => {}
            }
        }
        module
    }

    fn add_child(&mut self, module: usize, child: &ItemMod, file: &str, folder: &str, read: Read) {
        let name = child.ident.to_string();
        let inside = format!("{folder}/{name}");
        let added = match (&child.content, path_attribute(&child.attrs)) {
            (Some((_, items)), _) => self.add(file, &name, &inside, Some(module), items, read),
            (None, Some(path)) => {
                let beside = file.rsplit_once('/').map_or("", |(beside, _)| beside);
                self.add_file(&format!("{beside}/{path}"), &name, &inside, Some(module), read)
            }
            (None, None) => {
                let candidates = [format!("{inside}.rs"), format!("{inside}/mod.rs")];
                let child_file = candidates.iter().find(|path| read(path).is_some()).unwrap_or(&candidates[0]);
                self.add_file(child_file, &name, &inside, Some(module), read)
            }
        };
        self.modules[module].children.insert(name, added);
    }
}

impl Module {
    fn add(&mut self, item: &Item) {
        if let Some(name) = defined(item) {
            self.names.insert(name, Name::Defined);
        }
        let mut mentions = Mentions::default();
        mentions.visit_item(item);
        for (tree, visibility) in mentions.uses {
            self.import(&mut Vec::new(), &tree, !matches!(visibility, Visibility::Inherited));
        }
        self.mentions.extend(mentions.paths.into_iter().map(|(path, line)| Mention { path, line, is_reexport: false }));
    }

    fn import(&mut self, path: &mut Vec<String>, tree: &UseTree, is_reexport: bool) {
        let (ident, bound_to) = match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.import(path, &step.tree, is_reexport);
                path.pop();
                return;
            }
            UseTree::Group(group) => return group.items.iter().for_each(|tree| self.import(path, tree, is_reexport)),
            UseTree::Glob(_) => return self.globs.push(path.clone()),
            UseTree::Name(leaf) => (&leaf.ident, leaf.ident.to_string()),
            UseTree::Rename(leaf) => (&leaf.ident, leaf.rename.to_string()),
        };
        let is_self = ident == "self";
        let bound_to = if is_self { path.last().cloned().unwrap_or_default() } else { bound_to };
        let mut path = path.clone();
        path.extend((!is_self).then(|| ident.to_string()));
        self.names.insert(bound_to, Name::Imported(path.clone()));
        self.mentions.push(Mention { path, line: ident.span().start().line, is_reexport });
    }
}

fn defined(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(ident.to_string())
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
