//! `#[derive(Event)]`: something that happened, told to clients once, and as JSON to the page.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput};

use crate::field::{self, Field};
use crate::{codec, snake_case};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    match &input.data {
        Data::Struct(_) => of_struct(input),
        Data::Enum(data) => {
            let mut kinds = Vec::new();
            let (mut encodes, mut decodes, mut jsons) = (Vec::new(), Vec::new(), Vec::new());
            for (number, variant) in data.variants.iter().enumerate() {
                let name = &variant.ident;
                let fields = field::named(&variant.fields, name, "an event")?;
                let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
                let (reads, writes) = (codec::read_fields(&fields), codec::write_fields(&fields));
                let (kind, number) = (snake_case(&name.to_string()), number as u32);
                let json = write_json(&kind, &fields);
                encodes.push(quote! {
                    Self::#name { #(#names),* } => {
                        ::tickwire_game::derive::Encode::encode(&#number, encoder)?;
                        #writes
                    }
                });
                decodes.push(quote!(#number => { #reads Ok(Self::#name { #(#names),* }) }));
                jsons.push(quote!(Self::#name { #(#names),* } => { #json }));
                kinds.push(typescript(&kind, &fields));
            }
            let codec = codec::implement(
                ident,
                &quote!(match self { #(#encodes)* }),
                &quote! {
                    match <u32 as ::tickwire_game::derive::Decode<Context>>::decode(decoder)? {
                        #(#decodes)*
                        _ => Err(::tickwire_game::derive::bincode::error::DecodeError::Other("no such event")),
                    }
                },
            );
            Ok(quote! {
                #codec
                impl ::tickwire_game::Event for #ident {
                    const TYPESCRIPT: &'static [&'static [&'static str]] = &[#(#kinds),*];
                    fn write_json(&self, json: &mut ::std::string::String) {
                        match self { #(#jsons)* }
                    }
                }
            })
        }
        Data::Union(_) => Err(syn::Error::new(ident.span(), "an event is a struct or an enum")),
    }
}

fn of_struct(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let fields = field::of_struct(input, "an event")?;
    let names: Vec<_> = fields.iter().map(|field| &field.name).collect();
    let (reads, writes) = (codec::read_fields(&fields), codec::write_fields(&fields));
    let kind = snake_case(&ident.to_string());
    let (json, typescript) = (write_json(&kind, &fields), typescript(&kind, &fields));
    let codec = codec::implement(ident, &quote!(let Self { #(#names),* } = self; #writes), &quote!(#reads Ok(Self { #(#names),* })));
    Ok(quote! {
        #codec
        impl ::tickwire_game::Event for #ident {
            const TYPESCRIPT: &'static [&'static [&'static str]] = &[#typescript];
            fn write_json(&self, json: &mut ::std::string::String) {
                let Self { #(#names),* } = self;
                #json
            }
        }
    })
}

/// `{"kind":"kill","killer":3}` into the string `json`. Fields are variables that hold references.
fn write_json(kind: &str, fields: &[Field]) -> TokenStream {
    let head = format!("{{\"kind\":\"{kind}\"");
    let members = fields.iter().map(|Field { name, .. }| {
        let key = format!(",\"{name}\":");
        quote! {
            json.push_str(#key);
            ::tickwire_game::derive::JsonValue::write_json(#name, json);
        }
    });
    quote! {
        json.push_str(#head);
        #(#members)*
        json.push('}');
    }
}

/// `{ readonly kind: 'kill'; readonly killer: number }` in parts: a constant expression of type
/// `&[&str]`.
fn typescript(kind: &str, fields: &[Field]) -> TokenStream {
    let parts = fields.iter().map(|Field { name, ty, columns, .. }| {
        let head = format!("; readonly {name}: ");
        let tail = if columns.is_some() { "[]" } else { "" };
        quote!(#head, <#ty as ::tickwire_game::derive::JsonValue>::TYPESCRIPT, #tail)
    });
    let head = format!("{{ readonly kind: '{kind}'");
    quote!(&[#head, #(#parts,)* " }"])
}
