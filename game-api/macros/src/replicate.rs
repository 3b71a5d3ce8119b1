//! `#[derive(Replicate)]`: a component whose values clients see.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Data, DeriveInput, Ident, LitStr};

use crate::field::{self, Field};
use crate::{codec, seen, snake_case};

pub(crate) fn derive(input: &DeriveInput) -> syn::Result<TokenStream> {
    match &input.data {
        Data::Enum(data) => of_enum(&input.ident, data),
        _ => of_struct(input),
    }
}

fn of_struct(input: &DeriveInput) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let fields = field::of_struct(input, "a replicated component")?;
    if fields.is_empty() {
        return Err(syn::Error::new(ident.span(), "a replicated component has at least one field"));
    }
    let table = table_name(input)?;
    let mut declared = Vec::new();
    for (index, field) in fields.iter().enumerate() {
        declared.push(declare(ident, field, fields.get(..index).unwrap_or_default(), &fields)?);
    }
    let values = fields.iter().flat_map(|Field { name, columns, .. }| {
        let value = |value: TokenStream| quote!(::tickwire_game::derive::FieldValue::to_column(#value));
        match columns {
            None => vec![value(quote!(self.#name))],
            Some(length) => (0..*length).map(|index| value(quote!(self.#name[#index]))).collect(),
        }
    });
    let reads = fields.iter().map(|Field { name, ty, columns, .. }| {
        let next = quote!(next::<#ty>(&mut row));
        if columns.is_some() { quote!(#name: ::core::array::from_fn(|_| #next)) } else { quote!(#name: #next) }
    });
    let seen = seen::derive(input, &fields)?;
    let owner = owner(&fields)?;
    Ok(quote! {
        impl ::tickwire_game::derive::Columns for #ident {
            const TABLE: ::tickwire_game::derive::TableSchema = ::tickwire_game::derive::TableSchema {
                name: #table,
                fields: &[#(#declared),*],
            };

            fn write(&self, row: &mut [i32]) {
                let values = [#(#values),*];
                for (place, value) in row.iter_mut().zip(values) {
                    *place = value;
                }
            }

            fn read(row: &[i32]) -> Self {
                fn next<T: ::tickwire_game::derive::FieldValue>(row: &mut ::core::slice::Iter<'_, i32>) -> T {
                    T::from_column(row.next().copied().unwrap_or(0))
                }
                let mut row = row.iter();
                Self { #(#reads),* }
            }

            #owner
        }

        #seen

        ::tickwire_game::component!(#ident);
    })
}

/// The component's columns of one field: constant expressions of type `Field`.
fn declare(component: &Ident, field: &Field, earlier: &[Field], all: &[Field]) -> syn::Result<TokenStream> {
    let (min, max) = field.bounds();
    let too_wide = format!(
        "`{}` of `{component}` has an empty range or one of 2^31 values or more: say a smaller one with #[range(min..=max)]",
        field.name
    );
    let mut how = TokenStream::new();
    if field.wrapping {
        how.extend(quote!(.wrapping()));
    }
    if field.moment {
        how.extend(quote!(.moment()));
    }
    if let Some(velocity) = &field.moved_by {
        let mut index = 0;
        let mut found = None;
        for other in earlier {
            if other.name == *velocity {
                found = Some(index);
            }
            index += other.columns.unwrap_or(1);
        }
        let Some(index) = found else { return Err(unknown_velocity(component, velocity, all)) };
        how.extend(quote!(.moved_by_column(#index)));
    }
    let names: Vec<String> = match field.columns {
        None => vec![field.name.to_string()],
        Some(length) => (0..length).map(|index| format!("{}_{index}", field.name)).collect(),
    };
    // A moment is the low bits of a tick, whatever the type could hold.
    let max = if field.moment && field.range.is_none() { quote!(::tickwire_game::derive::moment_max(#max)) } else { max };
    let columns = names.iter().map(|name| {
        quote_spanned! {field.span=>
            {
                const _: () = ::core::assert!(::tickwire_game::derive::are_bounds(#min, #max), #too_wide);
                ::tickwire_game::derive::Field::new(#name, #min as i32, #max as i32)#how
            }
        }
    });
    Ok(quote!(#(#columns),*))
}

fn unknown_velocity(component: &Ident, velocity: &Ident, all: &[Field]) -> syn::Error {
    let message = if all.iter().any(|field| field.name == *velocity) {
        format!("`{velocity}` must stand before the field that it moves")
    } else {
        format!("`{component}` has no field `{velocity}` that could move this one")
    };
    syn::Error::new(velocity.span(), message)
}

/// Who loses the component's entity on leaving.
fn owner(fields: &[Field]) -> syn::Result<Option<TokenStream>> {
    let mut owners = fields.iter().filter(|field| field.owner);
    let owner = owners.next();
    if let Some(second) = owners.next() {
        return Err(syn::Error::new(second.name.span(), "a component has one owner"));
    }
    Ok(owner.map(|Field { name, span, .. }| {
        quote_spanned! {*span=>
            fn owner(&self) -> Option<::tickwire_game::derive::PlayerId> {
                Some(::tickwire_game::derive::owner_of(self.#name))
            }
        }
    }))
}

/// `#[table("runner")]`, or the type's own name.
fn table_name(input: &DeriveInput) -> syn::Result<String> {
    let named = input.attrs.iter().find(|attribute| attribute.path().is_ident("table"));
    match named {
        Some(attribute) => attribute.parse_args::<LitStr>().map(|name| name.value()),
        None => Ok(snake_case(&input.ident.to_string())),
    }
}

/// An enum without fields is a value that a field can hold.
fn of_enum(ident: &Ident, data: &syn::DataEnum) -> syn::Result<TokenStream> {
    if let Some(variant) = data.variants.iter().find(|variant| !variant.fields.is_empty()) {
        return Err(syn::Error::new(variant.ident.span(), "a replicated enum has no fields: its variants are numbers"));
    }
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let Some(last) = variants.len().checked_sub(1) else {
        return Err(syn::Error::new(ident.span(), "a replicated enum has at least one variant"));
    };
    let numbers = 0..=last as i32;
    let from: Vec<_> = numbers.clone().collect();
    let to = from.clone();
    let wire = 0..variants.len() as u32;
    let last = last as i64;
    let otherwise = variants.last();
    let codec = codec::implement(
        ident,
        &quote!(::tickwire_game::derive::Encode::encode(&(::tickwire_game::derive::FieldValue::to_column(*self) as u32), encoder)?;),
        &quote! {
            match <u32 as ::tickwire_game::derive::Decode<Context>>::decode(decoder)? {
                #(#wire => Ok(Self::#variants),)*
                _ => Err(::tickwire_game::derive::bincode::error::DecodeError::Other("no such variant")),
            }
        },
    );
    Ok(quote! {
        #codec

        impl ::tickwire_game::derive::JsonValue for #ident {
            const TYPESCRIPT: &'static str = "number";

            fn write_json(&self, json: &mut ::std::string::String) {
                ::tickwire_game::derive::JsonValue::write_json(&::tickwire_game::derive::FieldValue::to_column(*self), json);
            }
        }

        impl ::tickwire_game::derive::FieldValue for #ident {
            const MIN: i64 = 0;
            const MAX: i64 = #last;

            fn to_column(self) -> i32 {
                match self { #(Self::#variants => #to),* }
            }

            fn from_column(number: i32) -> Self {
                match number {
                    #(#from => Self::#variants,)*
                    _ => Self::#otherwise,
                }
            }
        }
    })
}
