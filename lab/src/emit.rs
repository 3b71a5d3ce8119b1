//! A model as Rust source.

use tickwire_protocol::model::Source;

use crate::train::{TrainedColumn, TrainedTable, TrainedTokens};

const WIDTH: usize = 136;

/// The file `trained.rs` of a game.
pub fn source(head: &str, tables: &[(&str, TrainedTable)]) -> String {
    let mut text = format!(
        "//! What the delta codec expects of this game. Written by `cargo xtask train-codec`: do not edit.\n//!\n//! {head}\n\n\
         #![cfg_attr(rustfmt, rustfmt_skip)]\n#![allow(clippy::unreadable_literal)]\n\n\
         use tickwire_protocol::model::{{ColumnModel, Model, Source, SpawnModel, TableModel, Tokens}};\n\n\
         /// The model of the schema's tables.\npub static MODEL: Model = Model {{\n    tables: &[\n"
    );
    tables.iter().for_each(|(name, table)| write_table(&mut text, name, table));
    text.push_str("    ],\n};\n");
    text
}

fn write_table(text: &mut String, name: &str, table: &TrainedTable) {
    line(text, &format!("// {name}\nTableModel {{ quiet: {}, no_more: {:?}, ids: {},", table.quiet, table.no_more, tokens(&table.ids)));
    line(text, &format!("gone: {},", column(&table.gone)));
    line(text, "fields: &[");
    table.fields.iter().for_each(|field| line(text, &format!("{},", column(field))));
    line(text, "], spawned: &[");
    table.spawned.iter().for_each(|(usual, kinds)| line(text, &format!("SpawnModel {{ usual: {usual}, tokens: {} }},", tokens(kinds))));
    line(text, "] },");
}

fn column(column: &TrainedColumn) -> String {
    let sources = column.sources.map(|source| match source {
        Source::None => "Source::None".to_string(),
        Source::Base(field) => format!("Source::Base({field})"),
        Source::Residual(field) => format!("Source::Residual({field})"),
    });
    let tokens = tokens(&column.tokens);
    format!(
        "ColumnModel {{ form: &{:?}, sources: [{}], tokens: {tokens},\ncontexts: &{:?} }}",
        column.form,
        sources.join(", "),
        column.contexts
    )
}

fn tokens(tokens: &TrainedTokens) -> String {
    let distributions: Vec<String> = tokens.distributions.iter().map(|distribution| format!("\n&{distribution:?},")).collect();
    format!("Tokens {{ direct: {}, distributions: &[{}] }}", tokens.direct, distributions.concat())
}

/// Adds lines, wrapped at spaces.
fn line(text: &mut String, content: &str) {
    for part in content.lines() {
        let mut width = 0;
        for word in part.split(' ') {
            if width > 0 && width + word.len() >= WIDTH {
                text.push('\n');
                width = 0;
            }
            text.push_str(if width == 0 { "" } else { " " });
            text.push_str(word);
            width += word.len() + 1;
        }
        text.push('\n');
    }
}
