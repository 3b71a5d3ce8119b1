//! Each way to a compiler for the browser module, on machines made of fake programs.

use super::*;
use crate::console::Console;
use crate::machine::fake::FakeMachine;

const OLD: &str = "1.85.0+dfsg3-1~deb12u3";
const NEW: &str = "9999.0.0+dfsg1-1~deb12u2";
const INSTALL: &str = "apt-get install -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=300";
const WEB: &str = "rustc-web cargo-web rust-web-src lld";
const TARGET_ADDED: &str = "/bin/mkdir -p $M/active/lib/rustlib/wasm32-unknown-unknown/lib; \
                            echo > $M/active/lib/rustlib/wasm32-unknown-unknown/lib/libcore-1.rlib";

/// What came of it, and what the developer was told meanwhile.
fn install(fake: &FakeMachine) -> (Result<Compiler, String>, String) {
    let console = Console::kept(fake.path("logs"));
    let mut step = console.begin("Building").expect("a step");
    let result = find_or_install(&fake.machine(), &mut step).map_err(|error| format!("{error:#}"));
    (result, console.told())
}

#[test]
fn what_is_installed_is_used_and_nothing_is_run() {
    let fake = FakeMachine::new();
    fake.active_toolchain().active_target().root().debian(OLD, NEW).rustup(TARGET_ADDED);
    assert_eq!(install(&fake).0, Ok(Compiler::Active));
    assert_eq!(fake.calls(), [""; 0]);

    let fake = FakeMachine::new();
    fake.active_toolchain().root().debian(OLD, NEW).system_compiler("9999.0.0");
    assert_eq!(install(&fake).0, Ok(Compiler::System));
    assert_eq!(fake.calls(), [""; 0]);
}

#[test]
fn lists_are_refreshed_before_a_version_is_chosen() {
    let fake = FakeMachine::new();
    fake.active_toolchain().root().debian(OLD, NEW);
    let (compiler, told) = install(&fake);
    assert_eq!(compiler, Ok(Compiler::System));
    assert_eq!(fake.calls(), ["apt-get update".to_string(), format!("{INSTALL} {WEB}")]);
    let line = format!("installing rustc-web {NEW} with apt-get (200 MB): the active Rust cannot compile for {TARGET}");
    assert!(told.lines().any(|told| told.trim() == line), "{told}");
}

#[test]
fn lists_that_were_never_fetched_are_fetched() {
    let fake = FakeMachine::new();
    fake.active_toolchain().root().debian("", NEW);
    assert_eq!(install(&fake).0, Ok(Compiler::System));
}

#[test]
fn a_compiler_of_an_earlier_run_that_is_too_old_is_upgraded() {
    let fake = FakeMachine::new();
    fake.active_toolchain().root().debian(OLD, NEW).system_compiler("1.85.0");
    let (compiler, told) = install(&fake);
    assert_eq!(compiler, Ok(Compiler::System));
    assert_eq!(fake.calls(), ["apt-get update".to_string(), format!("{INSTALL} {WEB}")]);
    let line = format!("upgrading rustc-web from 1.85.0 to {NEW} with apt-get: Rust {OLDEST_RUSTC} is needed");
    assert!(told.lines().any(|told| told.trim() == line), "{told}");
}

#[test]
fn a_compiler_without_its_sources_is_completed() {
    let fake = FakeMachine::new();
    fake.active_toolchain().root().debian(NEW, NEW).system_compiler("9999.0.0");
    std::fs::remove_dir_all(fake.path("usr/rust/lib")).expect("its sources");
    assert_eq!(install(&fake).0, Ok(Compiler::System));
}

#[test]
fn sudo_without_a_password_installs_too_and_before_rustup() {
    let fake = FakeMachine::new();
    fake.active_toolchain().sudo().debian(OLD, NEW).rustup(TARGET_ADDED);
    assert_eq!(install(&fake).0, Ok(Compiler::System));
    assert_eq!(fake.calls(), ["sudo -n".to_string(), "apt-get update".to_string(), "sudo -n".to_string(), format!("{INSTALL} {WEB}")]);
}

#[test]
fn packages_that_are_too_old_are_not_installed_and_rustup_adds_the_target() {
    let fake = FakeMachine::new();
    fake.active_toolchain().root().debian(OLD, OLD).rustup(TARGET_ADDED);
    let (compiler, told) = install(&fake);
    assert_eq!(compiler, Ok(Compiler::Active));
    assert_eq!(fake.calls(), ["apt-get update", "rustup target add wasm32-unknown-unknown"]);
    let line = format!("running `{RUSTUP_COMMAND}`: this system's rustc-web is {OLD}, and Rust {OLDEST_RUSTC} is needed");
    assert!(told.lines().any(|told| told.trim() == line), "{told}");
}

#[test]
fn packages_that_cannot_be_installed_leave_it_to_rustup() {
    let fake = FakeMachine::new();
    fake.active_toolchain().root().debian(NEW, NEW).rustup(TARGET_ADDED);
    fake.program("apt-get", "told \"$@\"; echo E: no space left; exit 100");
    let (compiler, told) = install(&fake);
    assert_eq!(compiler, Ok(Compiler::Active), "{told}");
    assert!(told.contains("going by the package lists of last time"), "{told}");
    assert_eq!(fake.calls().last().map(String::as_str), Some("rustup target add wasm32-unknown-unknown"));
}

#[test]
fn without_the_right_to_install_packages_rustup_adds_the_target() {
    let fake = FakeMachine::new();
    fake.active_toolchain().program("id", "echo 1000").debian(OLD, NEW).rustup(TARGET_ADDED);
    let (compiler, told) = install(&fake);
    assert_eq!(compiler, Ok(Compiler::Active), "{told}");
    assert_eq!(fake.calls(), ["rustup target add wasm32-unknown-unknown"]);
}

#[test]
fn on_another_system_rustup_adds_the_target() {
    let fake = FakeMachine::new();
    fake.active_toolchain().rustup(TARGET_ADDED);
    let (compiler, told) = install(&fake);
    assert_eq!(compiler, Ok(Compiler::Active));
    assert_eq!(fake.calls(), ["rustup target add wasm32-unknown-unknown"]);
    let line = format!("running `{RUSTUP_COMMAND}`: the active Rust cannot compile for {TARGET}");
    assert!(told.lines().any(|told| told.trim() == line), "{told}");
}

#[test]
fn a_rustup_that_fails_or_adds_nothing_is_told_of() {
    let fake = FakeMachine::new();
    fake.active_toolchain().rustup("echo error: could not download; exit 1");
    let error = install(&fake).0.expect_err("rustup failed");
    assert!(error.contains("`rustup target add wasm32-unknown-unknown` failed (exit status: 1)"), "{error}");

    let fake = FakeMachine::new();
    fake.active_toolchain().rustup("true");
    let error = install(&fake).0.expect_err("nothing was added");
    assert!(error.contains("still lacks that target"), "{error}");
}

#[test]
fn a_rustup_beside_another_toolchain_is_left_alone() {
    let fake = FakeMachine::new();
    fake.active_toolchain();
    fake.program("rustup", "case $1 in which) echo /elsewhere/bin/rustc;; *) told \"$@\";; esac");
    let error = install(&fake).0.expect_err("nothing can be installed");
    assert_eq!(fake.calls(), [""; 0]);
    assert!(error.contains("install Rust by https://rustup.rs and run `rustup target add wasm32-unknown-unknown`"), "{error}");
}

#[test]
fn where_nothing_can_be_installed_one_line_says_what_to_run() {
    let fake = FakeMachine::new();
    fake.active_toolchain().program("id", "echo 1000").debian(NEW, NEW);
    let error = install(&fake).0.expect_err("nothing may be installed");
    assert_eq!(
        error,
        format!(
            "no compiler for the browser module: run `sudo apt-get update && sudo apt-get install --no-install-recommends {WEB}`: \
             you are not root and sudo wants a password"
        )
    );
    assert_eq!(fake.calls(), [""; 0]);
}

#[test]
fn a_debian_whose_own_rust_is_the_newest_gets_that() {
    let fake = FakeMachine::new();
    fake.active_toolchain().root().debian("", "");
    std::fs::write(fake.path("lists/rustc"), format!("{NEW}\n")).expect("a list");
    let (_, told) = install(&fake);
    assert!(told.contains(&format!("installing rustc {NEW} with apt-get")), "{told}");
    assert_eq!(fake.calls(), ["apt-get update".to_string(), format!("{INSTALL} rustc cargo rust-src lld")]);
}
