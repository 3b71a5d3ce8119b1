//! What a replicated component says of who sees it: `#[place(x, y)]`, `#[private]`, `#[eyes]`,
//! `#[hidden]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::punctuated::Punctuated;
use syn::{Attribute, DeriveInput, Ident, Token};

use crate::field::Field;

/// The component's `Replicate`.
pub(crate) fn derive(input: &DeriveInput, fields: &[Field]) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let attribute = |name: &str| input.attrs.iter().find(|attribute| attribute.path().is_ident(name));
    let owner = fields.iter().find(|field| field.owner).map(|field| column(field, fields));
    let constant = owner.as_ref().map(|column| quote!(const OWNER: Option<usize> = Some(#column);));
    let owner_for = |attribute: &Attribute| {
        attribute.meta.require_path_only()?;
        let missing = || syn::Error::new_spanned(attribute, format!("say whose `{ident}` is: mark a field of it with #[owner]"));
        owner.as_ref().ok_or_else(missing)
    };
    let hidden = attribute("hidden").map(|attribute| {
        attribute.meta.require_path_only()?;
        Ok::<_, syn::Error>(quote!(
            const IS_HIDDEN: bool = true;
        ))
    });
    let at = attribute("place").map(|attribute| place(attribute, ident, fields)).transpose()?;
    let private = attribute("private").map(owner_for).transpose()?;
    let at = at.map(|[x, y]| quote!(const PLACE: Option<[usize; 2]> = Some([#x, #y]);));
    let private = private.map(|owner| {
        quote! {
            fn place(row: ::tickwire_game::interest::Row<'_>) -> ::tickwire_game::interest::Place {
                let at = Self::PLACE.map(|columns| columns.map(|column| row.value(column)));
                let owner = ::tickwire_game::PlayerId(row.value(#owner) as u16);
                ::tickwire_game::interest::Place { at, group: ::tickwire_game::interest::Group::Player(owner) }
            }
        }
    });
    let look = attribute("eyes").map(owner_for).transpose()?.map(|owner| {
        quote! {
            const LOOKS: bool = true;
            fn look(row: ::tickwire_game::interest::Row<'_>) -> Option<::tickwire_game::interest::Look> {
                Some(::tickwire_game::interest::Look::of(::tickwire_game::PlayerId(row.value(#owner) as u16)))
            }
        }
    });
    let hidden = hidden.transpose()?;
    Ok(quote! {
        impl ::tickwire_game::Replicate for #ident {
            #constant
            #hidden
            #at
            #private
            #look
        }
    })
}

/// The two fields that `#[place(x, y)]` names.
fn place(attribute: &Attribute, component: &Ident, fields: &[Field]) -> syn::Result<[usize; 2]> {
    let names = attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
    let column_of = |name: &Ident| match fields.iter().find(|field| field.name == *name) {
        Some(field) => Ok(column(field, fields)),
        None => Err(syn::Error::new(name.span(), format!("`{component}` has no field `{name}` that could be its place"))),
    };
    match names.iter().collect::<Vec<_>>().as_slice() {
        [x, y] => Ok([column_of(x)?, column_of(y)?]),
        _ => Err(syn::Error::new_spanned(attribute, "say both fields, as in `#[place(x, y)]`")),
    }
}

/// The column of a field.
fn column(field: &Field, fields: &[Field]) -> usize {
    let before = fields.iter().take_while(|other| other.name != field.name);
    before.map(|field| field.columns.unwrap_or(1)).sum()
}
