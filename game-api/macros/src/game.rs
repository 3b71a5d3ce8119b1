//! `#[game]`: one block states a game. Its items go to the traits that they belong to, and what the
//! block leaves out is filled in.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, ImplItem, ImplItemFn, ItemImpl, ReturnType, Type, parse_quote};

use crate::snake_case;

/// What belongs to `Game` itself.
const GAME: &[&str] = &[
    "NAME",
    "MODES",
    "Input",
    "Event",
    "Components",
    "SCHEMA",
    "CONSTANTS",
    "QUESTIONS",
    "join",
    "systems",
    "leave",
    "interest",
    "is_decided",
];

/// A part that a game may leave out: a trait of its own.
struct Part {
    name: &'static str,
    items: &'static [&'static str],
    /// The functions without which its other items mean nothing, and what each of them says.
    needs: &'static [(&'static str, &'static str)],
}

const PARTS: [Part; 4] = [
    Part {
        name: "Predict",
        items: &["Body", "body", "step"],
        needs: &[("step", "how a body moves on: `fn step(body: &mut .., now: &MatchClock, input: &.., mode: &Mode)`")],
    },
    Part {
        name: "Bots",
        items: &["Brain", "brain", "contender", "think"],
        needs: &[
            ("think", "what a bot does: `fn think(brain: &mut .., view: &Snapshot, me: PlayerId) -> ..`"),
            ("brain", "what a new bot remembers: `fn brain(seed: u64) -> ..`"),
        ],
    },
    Part { name: "Ranking", items: &["ranking"], needs: &[] },
    Part { name: "Sight", items: &["sight"], needs: &[] },
];

pub(crate) fn expand(mut block: ItemImpl) -> syn::Result<TokenStream> {
    let is_game = block.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).is_some_and(|last| last.ident == "Game");
    if !is_game {
        return Err(syn::Error::new(block.self_ty.span(), "`#[game]` stands above `impl Game for ..`"));
    }
    let game = (*block.self_ty).clone();
    fill_in(&mut block, &game)?;

    let mut parts = TokenStream::new();
    for Part { name, items, needs } in PARTS {
        let own = take(&mut block.items, |name| items.contains(&name));
        let part = format_ident!("{name}");
        let Some(first) = own.first() else {
            parts.extend(quote_spanned!(game.span()=> ::tickwire_game::without!(#game: #part);));
            continue;
        };
        if let Some((_, what)) = needs.iter().find(|(need, _)| function(&own, need).is_none()) {
            return Err(syn::Error::new(span_of(first), format!("say {what}")));
        }
        let attributes = &block.attrs;
        parts.extend(quote_spanned!(game.span()=> #(#attributes)* impl ::tickwire_game::#part for #game { #(#own)* }));
    }
    if let Some(stranger) = block.items.iter().find(|item| name_of(item).is_none_or(|name| !GAME.contains(&name.to_string().as_str()))) {
        let message = format!("this is no part of a game: put it into a block of its own, `impl {} {{ .. }}`", game.to_token_stream());
        return Err(syn::Error::new(span_of(stranger), message));
    }
    Ok(quote_spanned!(game.span()=> #block #parts))
}

/// Adds what the block leaves out and the rest of it tells.
fn fill_in(block: &mut ItemImpl, game: &Type) -> syn::Result<()> {
    let items = &mut block.items;
    let has = |items: &[ImplItem], name: &str| items.iter().filter_map(name_of).any(|found| found == name);
    let (step, think) = (function(items, "step"), function(items, "think"));
    let body = step.and_then(|step| argument(step, 0));
    let input = step.and_then(|step| argument(step, 2)).or_else(|| think.and_then(answer));
    let brain = think.and_then(|think| argument(think, 0));
    for (name, ty) in [("Body", body), ("Input", input), ("Brain", brain)] {
        if let Some(ty) = ty.filter(|_| !has(items, name)) {
            let name = Ident::new(name, ty.span());
            items.push(parse_quote!(type #name = #ty;));
        }
    }
    if !has(items, "Input") {
        return Err(syn::Error::new(game.span(), "say what a player holds down: `type Input = ..;`"));
    }
    if !has(items, "Components") {
        let Some(ImplItem::Type(body)) = items.iter().find(|item| name_of(item).is_some_and(|name| name == "Body")) else {
            return Err(syn::Error::new(game.span(), "say what the match's state is made of: `type Components = (.., ..);`"));
        };
        let body = &body.ty;
        items.push(parse_quote!(type Components = (#body,);));
    }
    if !has(items, "Event") {
        items.push(parse_quote!(
            type Event = ();
        ));
    }
    if !has(items, "NAME") {
        let Some(name) = last_name(game) else {
            return Err(syn::Error::new(game.span(), "say its name: `const NAME: &'static str = ..;`"));
        };
        items.push(parse_quote!(const NAME: &'static str = #name;));
    }
    Ok(())
}

/// Takes the items of these names out of `items`.
fn take(items: &mut Vec<ImplItem>, is_taken: impl Fn(&str) -> bool) -> Vec<ImplItem> {
    let (taken, left) = items.drain(..).partition(|item| name_of(item).is_some_and(|name| is_taken(&name.to_string())));
    *items = left;
    taken
}

fn function<'a>(items: &'a [ImplItem], name: &str) -> Option<&'a ImplItemFn> {
    items.iter().find_map(|item| match item {
        ImplItem::Fn(function) if function.sig.ident == name => Some(function),
        _ => None,
    })
}

/// The type that argument `index` refers to; `None` if only the game's own types say it.
fn argument(function: &ImplItemFn, index: usize) -> Option<Type> {
    match function.sig.inputs.iter().nth(index)? {
        FnArg::Typed(argument) => match &*argument.ty {
            Type::Reference(reference) => stated(&reference.elem),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    }
}

/// The type of what a function answers.
fn answer(function: &ImplItemFn) -> Option<Type> {
    match &function.sig.output {
        ReturnType::Type(_, ty) => stated(ty),
        ReturnType::Default => None,
    }
}

/// A type that is not `Self::Input` or the like.
fn stated(ty: &Type) -> Option<Type> {
    match ty {
        Type::Path(path) if path.qself.is_some() || path.path.segments.first().is_some_and(|first| first.ident == "Self") => None,
        other => Some(other.clone()),
    }
}

/// The game's type's name in snake case.
fn last_name(game: &Type) -> Option<String> {
    match game {
        Type::Path(path) => path.path.segments.last().map(|last| snake_case(&last.ident.to_string())),
        _ => None,
    }
}

fn name_of(item: &ImplItem) -> Option<&Ident> {
    match item {
        ImplItem::Const(item) => Some(&item.ident),
        ImplItem::Fn(item) => Some(&item.sig.ident),
        ImplItem::Type(item) => Some(&item.ident),
        _ => None,
    }
}

fn span_of(item: &ImplItem) -> Span {
    name_of(item).map_or_else(|| item.span(), Ident::span)
}
