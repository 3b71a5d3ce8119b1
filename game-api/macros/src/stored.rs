//! `#[derive(Stored)]`: what a bot remembers, written to bytes and read back as it was.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Data, DeriveInput, Fields, Ident};

use crate::codec;

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    match &input.data {
        Data::Struct(data) => {
            let (names, pattern) = parts(&data.fields);
            let (writes, reads) = (write(&names), read(&names));
            Ok(codec::implement(ident, &quote!(let Self #pattern = self; #writes), &quote!(#reads Ok(Self #pattern))))
        }
        Data::Enum(data) => {
            let (mut encodes, mut decodes) = (Vec::new(), Vec::new());
            for (number, variant) in data.variants.iter().enumerate() {
                let (name, number) = (&variant.ident, number as u32);
                let (names, pattern) = parts(&variant.fields);
                let (writes, reads) = (write(&names), read(&names));
                encodes.push(quote!(Self::#name #pattern => {
                    ::tickwire_game::derive::Encode::encode(&#number, encoder)?;
                    #writes
                }));
                decodes.push(quote!(#number => { #reads Ok(Self::#name #pattern) }));
            }
            Ok(codec::implement(
                ident,
                &quote!(match self { #(#encodes)* }),
                &quote! {
                    match <u32 as ::tickwire_game::derive::Decode<Context>>::decode(decoder)? {
                        #(#decodes)*
                        _ => Err(::tickwire_game::derive::bincode::error::DecodeError::Other("no such variant")),
                    }
                },
            ))
        }
        Data::Union(_) => Err(syn::Error::new(ident.span(), "a stored type is a struct or an enum")),
    }
}

/// A variable for each field, and what takes them apart and puts them together.
fn parts(fields: &Fields) -> (Vec<Ident>, TokenStream) {
    match fields {
        Fields::Named(fields) => {
            let names: Vec<Ident> = fields.named.iter().filter_map(|field| field.ident.clone()).collect();
            (names.clone(), quote!({ #(#names),* }))
        }
        Fields::Unnamed(fields) => {
            let names: Vec<Ident> = (0..fields.unnamed.len()).map(|index| format_ident!("field_{index}")).collect();
            (names.clone(), quote!(( #(#names),* )))
        }
        Fields::Unit => (Vec::new(), TokenStream::new()),
    }
}

fn write(names: &[Ident]) -> TokenStream {
    quote!(#(::tickwire_game::derive::Encode::encode(#names, encoder)?;)*)
}

fn read(names: &[Ident]) -> TokenStream {
    quote!(#(let #names = ::tickwire_game::derive::Decode::<Context>::decode(decoder)?;)*)
}
