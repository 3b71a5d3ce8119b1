//! The Lua scripts: each changes the keys of one slot in one atomic step.

use std::sync::LazyLock;

use bytes::Bytes;
use redis::{Cmd, Value};

use super::link::Link;
use crate::store::StoreError;

pub(super) struct Script {
    source: &'static str,
    hash: String,
}

macro_rules! scripts {
    ($($name:ident = $file:literal;)*) => {
        $(pub(super) static $name: LazyLock<Script> = LazyLock::new(|| {
            Script::new(concat!(include_str!("scripts/prelude.lua"), include_str!(concat!("scripts/", $file))))
        });)*

        #[cfg(test)]
        fn all() -> Vec<&'static Script> {
            vec![$(&$name),*]
        }
    };
}

scripts! {
    WRITE = "write.lua";
    CLAIM = "claim.lua";
    GIVE_UP = "give_up.lua";
    END = "end.lua";
    FIND = "find.lua";
    INDEX = "index.lua";
    DUE = "due.lua";
    PUT = "put.lua";
    EXCHANGE = "exchange.lua";
    GET = "get.lua";
    REMOVE = "remove.lua";
    ALL = "all.lua";
}

/// A script with its keys and arguments.
pub(super) struct Call {
    script: &'static Script,
    keys: Vec<String>,
    arguments: Vec<Bytes>,
}

impl Script {
    fn new(source: &'static str) -> Self {
        Self { source, hash: redis::Script::new(source).get_hash().to_owned() }
    }

    pub(super) fn call<const N: usize>(&'static self, keys: [String; N]) -> Call {
        Call { script: self, keys: keys.into(), arguments: Vec::new() }
    }
}

impl Call {
    pub(super) fn bytes(mut self, argument: impl Into<Bytes>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) fn text(self, argument: &(impl ToString + ?Sized)) -> Self {
        self.bytes(argument.to_string())
    }

    /// Runs it by its hash; a server that does not know it yet is sent its text.
    pub(super) async fn run(&self, link: &Link) -> Result<Value, StoreError> {
        match link.ask(&self.command("EVALSHA", &self.script.hash)).await {
            Err(failure) if failure.is_no_script() => Ok(link.ask(&self.command("EVAL", self.script.source)).await?),
            result => Ok(result?),
        }
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len()).arg(&self.keys);
        for argument in &self.arguments {
            command.arg(&argument[..]);
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_told_apart_by_their_hashes() {
        let hashes: std::collections::BTreeSet<_> = all().iter().map(|script| &script.hash).collect();
        assert_eq!(hashes.len(), all().len());
    }
}
