//! A machine made of shell scripts in a temporary folder. Each script answers as the real program
//! does, writes the words it was called with into one list, and may change what is "installed".

use super::Machine;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A machine on which nothing is installed until a test says so.
pub(crate) struct FakeMachine {
    dir: TempDir,
}

impl FakeMachine {
    pub(crate) fn new() -> Self {
        let fake = Self { dir: tempfile::tempdir().expect("a temporary folder") };
        for folder in ["bin", "usr/bin", "active", "usr/rust", "lists"] {
            fs::create_dir_all(fake.path(folder)).expect("a folder");
        }
        fake
    }

    /// What the commands are told of this machine.
    pub(crate) fn machine(&self) -> Machine {
        Machine { path: self.path("bin").into_os_string(), system: self.path("usr/bin"), rustc: "rustc".into() }
    }

    /// A file of this machine; the scripts know its folder as `$M`.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The calls of programs that are worth telling, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        let told = fs::read_to_string(self.path("calls")).unwrap_or_default();
        told.lines().map(str::to_string).collect()
    }

    /// A program on `PATH`. Its script tells of its call with `told`.
    pub(crate) fn program(&self, name: &str, script: &str) -> &Self {
        self.write_script(&self.path("bin").join(name), name, script);
        self
    }

    /// The active toolchain: a `rustc` that cannot compile for wasm32.
    pub(crate) fn active_toolchain(&self) -> &Self {
        self.write("active/bin/rustc");
        self.program("rustc", &rustc("1.95.0", "active"))
    }

    /// The active toolchain's standard library for wasm32.
    pub(crate) fn active_target(&self) -> &Self {
        self.write("active/lib/rustlib/wasm32-unknown-unknown/lib/libcore-0123.rlib");
        self
    }

    /// A rustup that owns the active toolchain; `add` is what adding a target does.
    pub(crate) fn rustup(&self, add: &str) -> &Self {
        self.program("rustup", &format!("case $1 in which) echo $M/active/bin/rustc;; *) told \"$@\"; {add};; esac"))
    }

    /// `id` says that the developer is root.
    pub(crate) fn root(&self) -> &Self {
        self.program("id", "echo 0")
    }

    /// `id` says that the developer is not root, and sudo asks no password.
    pub(crate) fn sudo(&self) -> &Self {
        self.program("id", "echo 1000");
        self.program("sudo", "[ \"$2\" = true ] && exit 0; told \"$1\"; shift; while [ \"$1\" != apt-get ]; do shift; done; exec \"$@\"")
    }

    /// A Debian whose lists have `listed` as the newest version of rustc-web, and `refreshed` once
    /// they are refreshed; a version may be empty. What it installs is what its lists have.
    pub(crate) fn debian(&self, listed: &str, refreshed: &str) -> &Self {
        fs::write(self.path("lists/rustc-web"), listed).expect("a list");
        self.program(
            "apt-cache",
            "read -r v < $M/lists/$3 2>/dev/null; [ -n \"$v\" ] || exit 100; echo \"Package: $3\"; echo \"Version: $v\"",
        );
        // What is installed is written to a file that the fake compiler reads its version from.
        let install = "read -r v < $M/lists/rustc-web; printf %s \"${v%%+*}\" > $M/usr/rust/version; \
                       /bin/mkdir -p $M/usr/rust/lib/rustlib/src/rust/library/std; /bin/cp $M/usr/new/* $M/usr/bin/; \
                       echo 'exit 0' > $M/bin/wasm-ld";
        self.program(
            "apt-get",
            &format!("told \"$@\"; case $1 in update) printf '%s\\n' '{refreshed}' > $M/lists/rustc-web;; install) {install};; esac"),
        );
        fs::create_dir_all(self.path("usr/new")).expect("a folder");
        self.write_script(&self.path("usr/new/rustc"), "rustc", &rustc("$(/bin/cat $M/usr/rust/version)", "usr/rust"));
        self.write_script(&self.path("usr/new/cargo"), "cargo", "exit 0");
        self
    }

    /// Debian's compiler, as an earlier run installed it.
    pub(crate) fn system_compiler(&self, version: &str) -> &Self {
        self.write_script(&self.path("usr/bin/rustc"), "rustc", &rustc(version, "usr/rust"));
        self.write_script(&self.path("usr/bin/cargo"), "cargo", "exit 0");
        self.write("usr/rust/lib/rustlib/src/rust/library/std/lib.rs");
        self.program("wasm-ld", "exit 0")
    }

    /// An empty file with its folders.
    pub(crate) fn write(&self, name: &str) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap_or(Path::new("."))).expect("a folder");
        fs::write(file, "").expect("a file");
    }

    fn write_script(&self, file: &Path, name: &str, script: &str) {
        let dir = self.dir.path().display();
        let text = format!("#!/bin/sh\nM={dir}\ntold() {{ echo \"{name} $*\" >> $M/calls; }}\n{script}\n");
        // Another process writes it: a thread that starts a program at this moment would hand a
        // file that is open here on to it, and nothing can run a file that is open for writing.
        let draft = self.path("draft");
        fs::write(&draft, text).expect("a script");
        let installed = Command::new("install").args(["-m", "755"]).args([&draft, file]).status();
        assert!(installed.expect("`install` is there").success(), "{name} is not written");
    }
}

fn rustc(version: &str, sysroot: &str) -> String {
    format!(
        "case \"$*\" in *target-libdir*) echo $M/{sysroot}/lib/rustlib/wasm32-unknown-unknown/lib;; \
         *sysroot*) echo $M/{sysroot};; *--version*) echo \"rustc {version} (0123 2026-01-01)\";; esac"
    )
}
