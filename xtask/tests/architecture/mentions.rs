//! The paths that stand in an item: in its code, in what its macros are given, and in the imports
//! inside of it.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{ImplItemFn, ItemFn, ItemMod, ItemUse, Macro, Path, UseTree, Visibility};

use crate::attributes::is_test;

#[derive(Default)]
pub(crate) struct Mentions {
    /// With their line.
    pub(crate) paths: Vec<(Vec<String>, usize)>,
    pub(crate) uses: Vec<(UseTree, Visibility)>,
}

impl<'a> Visit<'a> for Mentions {
    fn visit_path(&mut self, path: &'a Path) {
        // `::name` is another crate's.
        if path.leading_colon.is_none() {
            let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let line = path.segments.first().map_or(0, |first| first.ident.span().start().line);
            self.paths.push((segments, line));
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'a Macro) {
        self.scan(called.tokens.clone());
        visit::visit_macro(self, called);
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        if item.leading_colon.is_none() {
            self.uses.push((item.tree.clone(), item.vis.clone()));
        }
    }

    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_impl_item_fn(self, item);
        }
    }

    /// A module has mentions of its own.
    fn visit_item_mod(&mut self, _: &'a ItemMod) {}
}

impl Mentions {
    /// What a macro is given is tokens: every `a::b` among them is a path.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut line = 0;
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Ident(ident) => {
                    self.end(&mut path, line);
                    // After a path such as `::name` or `<T>::name`, this is not where one begins.
                    if colons == 0 {
                        path.push(ident.to_string());
                    }
                    (line, colons) = (ident.span().start().line, 0);
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut path, line);
                    colons = 0;
                    self.scan(group.stream());
                }
                _ => {
                    self.end(&mut path, line);
                    colons = 0;
                }
            }
        }
        self.end(&mut path, line);
    }

    fn end(&mut self, path: &mut Vec<String>, line: usize) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.paths.push((path, line));
        }
    }
}
