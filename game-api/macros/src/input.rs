//! `#[derive(Input)]`: what a player holds down.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Ident};

use crate::codec;
use crate::field::{self, Field};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let fields = field::of_struct(input, "an input")?;
    let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
    let (reads, writes) = (codec::read_fields(&fields), codec::write_fields(&fields));
    let codec = codec::implement(ident, &quote!(let Self { #(#names),* } = self; #writes), &quote!(#reads Ok(Self { #(#names),* })));
    let columns: Vec<_> = fields.iter().map(described).collect();
    let from = fields.iter().map(|Field { name, ty, columns, .. }| {
        let next = quote!(next::<#ty>(&mut numbers));
        if columns.is_some() { quote!(#name: ::core::array::from_fn(|_| #next)) } else { quote!(#name: #next) }
    });
    let buttons = fields.iter().map(|field| buttons(ident, field));
    Ok(quote! {
        #codec
        #(#buttons)*

        impl ::tickwire_game::derive::FromNumbers for #ident {
            const FIELDS: &'static [::tickwire_game::derive::InputField] = &[#(#columns),*];

            fn from_numbers(numbers: &[i32]) -> Self {
                let mut numbers = numbers.iter().copied().zip(Self::FIELDS);
                fn next<T: ::tickwire_game::derive::FieldValue>(
                    numbers: &mut dyn Iterator<Item = (i32, &'static ::tickwire_game::derive::InputField)>,
                ) -> T {
                    let number = numbers.next().map_or(0, |(number, field)| field.nearest(number));
                    T::from_column(number)
                }
                Self { #(#from),* }
            }
        }
    })
}

/// A field's name, range and buttons, for the page.
fn described(field: &Field) -> TokenStream {
    let (min, max) = field.bounds();
    let Field { name, ty, .. } = field;
    let name = name.to_string();
    let buttons = field.buttons.iter().map(|button| button.to_string().to_lowercase());
    let buttons = if field.buttons.is_empty() {
        // A `bool` is a button of the field's name.
        quote!(if <#ty as ::tickwire_game::derive::FieldValue>::IS_FLAG { &[#name] } else { &[] })
    } else {
        quote!(&[#(#buttons),*])
    };
    let one = quote!(::tickwire_game::derive::InputField { name: #name, min: #min as i32, max: #max as i32, buttons: #buttons });
    let columns = field.columns.unwrap_or(1);
    let all = std::iter::repeat_n(one, columns);
    quote!(#(#all),*)
}

/// A constant of the input for each button of a field.
fn buttons(input: &Ident, field: &Field) -> TokenStream {
    if field.buttons.is_empty() {
        return TokenStream::new();
    }
    let Field { ty, buttons, name, .. } = field;
    let (_, max) = field.bounds();
    let too_many = format!("`{name}` of `{input}` has more buttons than bits: give it a wider type");
    let count = buttons.len();
    let constants = buttons.iter().enumerate().map(|(bit, button)| {
        let doc = format!("A bit of [`{input}::{name}`].");
        quote!(#[doc = #doc] pub const #button: #ty = 1 << #bit;)
    });
    quote_spanned! {field.span=>
        const _: () = ::core::assert!((1_i64 << #count) - 1 <= #max, #too_many);

        impl #input {
            #(#constants)*
        }
    }
}
