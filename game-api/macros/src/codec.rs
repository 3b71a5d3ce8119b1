//! How derived inputs and events are written to the wire and read from it.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::Ident;

use crate::field::Field;

/// Reads each field in order into a variable of its name and refuses values out of range.
pub(crate) fn read_fields(fields: &[Field]) -> TokenStream {
    let reads = fields.iter().map(|field| {
        let Field { name, ty, columns, .. } = field;
        let full = columns.map_or_else(|| quote!(#ty), |length| quote!([#ty; #length]));
        let check = field.range.as_ref().map(|_| {
            let (min, max) = field.bounds();
            let values = if columns.is_some() { quote!(#name) } else { quote!([#name]) };
            quote! {
                if #values.iter().any(|value| !(#min..=#max).contains(&i64::from(::tickwire_game::derive::FieldValue::to_column(*value)))) {
                    return Err(::tickwire_game::derive::bincode::error::DecodeError::Other(
                        concat!("`", stringify!(#name), "` is out of its range"),
                    ));
                }
            }
        });
        quote_spanned! {field.span=>
            let #name = <#full as ::tickwire_game::derive::Decode<Context>>::decode(decoder)?;
            #check
        }
    });
    quote!(#(#reads)*)
}

/// Writes the fields in order; each is a variable that holds a reference.
pub(crate) fn write_fields(fields: &[Field]) -> TokenStream {
    let writes = fields.iter().map(|Field { name, .. }| quote!(::tickwire_game::derive::Encode::encode(#name, encoder)?;));
    quote!(#(#writes)*)
}

/// `Encode`, `Decode` and `BorrowDecode` of `ident` around their bodies.
pub(crate) fn implement(ident: &Ident, encode: &TokenStream, decode: &TokenStream) -> TokenStream {
    quote! {
        impl ::tickwire_game::derive::Encode for #ident {
            fn encode<E: ::tickwire_game::derive::bincode::enc::Encoder>(
                &self,
                encoder: &mut E,
            ) -> Result<(), ::tickwire_game::derive::bincode::error::EncodeError> {
                #encode
                Ok(())
            }
        }

        impl<Context> ::tickwire_game::derive::Decode<Context> for #ident {
            fn decode<D: ::tickwire_game::derive::bincode::de::Decoder<Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, ::tickwire_game::derive::bincode::error::DecodeError> {
                #decode
            }
        }

        impl<'de, Context> ::tickwire_game::derive::bincode::de::BorrowDecode<'de, Context> for #ident {
            fn borrow_decode<D: ::tickwire_game::derive::bincode::de::BorrowDecoder<'de, Context = Context>>(
                decoder: &mut D,
            ) -> Result<Self, ::tickwire_game::derive::bincode::error::DecodeError> {
                <Self as ::tickwire_game::derive::Decode<Context>>::decode(decoder)
            }
        }
    }
}
