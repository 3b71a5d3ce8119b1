//! `#[derive(Input)]`: what a player holds down.

use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

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
    Ok(quote! {
        #codec

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

/// A field's name and range, for the page.
fn described(field: &Field) -> TokenStream {
    let (min, max) = field.bounds();
    let name = field.name.to_string();
    let one = quote!(::tickwire_game::derive::InputField { name: #name, min: #min as i32, max: #max as i32 });
    let columns = field.columns.unwrap_or(1);
    let all = std::iter::repeat_n(one, columns);
    quote!(#(#all),*)
}
