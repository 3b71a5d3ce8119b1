//! One field of a declaration, and what its attributes say.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Data, DeriveInput, Expr, ExprRange, Fields, Ident, Lit, RangeLimits, Token, Type};

/// A named field.
pub(crate) struct Field {
    pub(crate) name: Ident,
    /// Of one column: an array's item.
    pub(crate) ty: Type,
    /// How many columns an array makes; `None` for a field that is no array.
    pub(crate) columns: Option<usize>,
    /// Least and greatest value, where the declaration says them.
    pub(crate) range: Option<(Expr, Expr)>,
    pub(crate) moved_by: Option<Ident>,
    pub(crate) wrapping: bool,
    pub(crate) moment: bool,
    pub(crate) owner: bool,
    /// Names of its bits, from the lowest.
    pub(crate) buttons: Vec<Ident>,
    /// What a message about the field points at.
    pub(crate) span: Span,
}

impl Field {
    fn read(field: &syn::Field, name: Ident) -> syn::Result<Self> {
        let (ty, columns) = columns_of(&field.ty)?;
        let mut read = Self {
            span: field.ty.span(),
            name,
            ty,
            columns,
            range: None,
            moved_by: None,
            wrapping: false,
            moment: false,
            owner: false,
            buttons: Vec::new(),
        };
        for attribute in &field.attrs {
            read.take(attribute)?;
        }
        Ok(read)
    }

    fn take(&mut self, attribute: &Attribute) -> syn::Result<()> {
        let path = attribute.path();
        if path.is_ident("range") {
            self.range = Some(bounds(attribute)?);
        } else if path.is_ident("moved_by") {
            self.moved_by = Some(attribute.parse_args()?);
        } else if path.is_ident("wrapping") {
            attribute.meta.require_path_only()?;
            self.wrapping = true;
        } else if path.is_ident("moment") {
            attribute.meta.require_path_only()?;
            self.moment = true;
        } else if path.is_ident("owner") {
            attribute.meta.require_path_only()?;
            self.owner = true;
        } else if path.is_ident("buttons") {
            let names = attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
            self.buttons = names.into_iter().collect();
        }
        Ok(())
    }

    /// The field's least and greatest value, as constant expressions of type `i64`.
    pub(crate) fn bounds(&self) -> (TokenStream, TokenStream) {
        let ty = &self.ty;
        if let Some((min, max)) = &self.range {
            return (quote!((#min) as i64), quote!((#max) as i64));
        }
        let value = quote_spanned!(self.span=> <#ty as ::tickwire_game::derive::FieldValue>);
        (quote!(#value::MIN), quote!(#value::MAX))
    }
}

/// The named fields of a struct.
pub(crate) fn of_struct(input: &DeriveInput, what: &str) -> syn::Result<Vec<Field>> {
    match &input.data {
        Data::Struct(data) => named(&data.fields, &input.ident, what),
        _ => Err(syn::Error::new(input.ident.span(), format!("{what} is a struct with named fields"))),
    }
}

/// The named fields of a struct or of an enum's variant.
pub(crate) fn named(fields: &Fields, owner: &Ident, what: &str) -> syn::Result<Vec<Field>> {
    let named = match fields {
        Fields::Named(fields) => &fields.named,
        Fields::Unit => return Ok(Vec::new()),
        Fields::Unnamed(_) => {
            return Err(syn::Error::new(owner.span(), format!("{what} names its fields: `{owner} {{ .. }}`")));
        }
    };
    named.iter().filter_map(|field| Some(Field::read(field, field.ident.clone()?))).collect()
}

/// An array's item and length; anything else is one column of its own type.
fn columns_of(ty: &Type) -> syn::Result<(Type, Option<usize>)> {
    let Type::Array(array) = ty else { return Ok((ty.clone(), None)) };
    match &array.len {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(length) => Ok(((*array.elem).clone(), Some(length.base10_parse()?))),
            other => Err(syn::Error::new(other.span(), "an array's length is a whole number")),
        },
        other => Err(syn::Error::new(other.span(), "write the array's length as a number: its columns are named by it")),
    }
}

/// `#[range(min..=max)]`.
fn bounds(attribute: &Attribute) -> syn::Result<(Expr, Expr)> {
    let range: ExprRange = attribute.parse_args()?;
    match (range.start, range.limits, range.end) {
        (Some(start), RangeLimits::Closed(_), Some(end)) => Ok((*start, *end)),
        _ => Err(syn::Error::new(attribute.span(), "say both ends, as in `#[range(0..=100)]`")),
    }
}
