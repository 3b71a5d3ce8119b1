//! The attributes that say whether a module counts, and where its file is.

use syn::{Attribute, Expr, Lit, Meta};

/// `#[cfg(test)]`, `#[cfg(all(test, unix))]` and the like.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Meta::List(list) = &attribute.meta else { return false };
        let text = list.tokens.to_string();
        list.path.is_ident("cfg") && !text.contains("not") && text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
    })
}

/// The file of `#[path = "file"]`.
pub(crate) fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}
