//! Builds the browser module: web-client/wasm compiled for wasm32 into
//! web-client/src/generated/tickwire.wasm.

mod compiler;
mod install;

pub(crate) use compiler::{Compiler, SystemCompiler, system_cargo};
use install::find_or_install;
pub(crate) use install::{DEBIAN_PACKAGES, by_hand};

use crate::console::{Console, Step};
use crate::machine::Machine;
use crate::workspace;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// `cargo xtask wasm`.
pub(crate) fn run(console: &Console) -> Result<ExitCode> {
    console.step("Building the browser module", build_and_say)?;
    Ok(ExitCode::SUCCESS)
}

/// Where the page finds the module.
pub(crate) fn output_path() -> PathBuf {
    workspace::root().join("web-client/src/generated/tickwire.wasm")
}

/// Builds the module; cargo decides whether there is anything to do.
pub(crate) fn build(step: &mut Step) -> Result<Size> {
    let machine = Machine::this();
    let compiler = find_or_install(&machine, step)?;
    step.must("building the browser module", &mut compiler.build_command(&machine))?;
    let built = compiler::target_dir().join("wasm32-unknown-unknown/wasm/tickwire_web.wasm");
    let module = optimised(step, fs::read(&built).with_context(|| format!("cannot read {}", built.display()))?)?;

    let output = output_path();
    if let Some(dir) = output.parent() {
        fs::create_dir_all(dir).with_context(|| format!("cannot create {}", dir.display()))?;
    }
    // Left alone if it is the same, so that nothing downstream is rebuilt.
    if fs::read(&output).ok().as_ref() != Some(&module) {
        fs::write(&output, &module).with_context(|| format!("cannot write {}", output.display()))?;
    }
    Ok(Size { raw: module.len() as u64, gzipped: gzipped_size(step)? })
}

/// Builds the module as a step of its own, which says what came of it.
pub(crate) fn build_and_say(step: &mut Step) -> Result<Size> {
    let size = build(step)?;
    step.note(&size.to_string());
    Ok(size)
}

/// What the module weighs, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) raw: u64,
    pub(crate) gzipped: u64,
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} kB, {:.1} kB gzipped", self.raw as f64 / 1000.0, self.gzipped as f64 / 1000.0)
    }
}

/// Binaryen's optimiser takes off another tenth where it is installed; the module is right without
/// it.
fn optimised(step: &mut Step, module: Vec<u8>) -> Result<Vec<u8>> {
    let Some(wasm_opt) = Machine::this().program("wasm-opt") else { return Ok(module) };
    let (input, output) = (workspace::state_dir()?.join("unoptimised.wasm"), workspace::state_dir()?.join("optimised.wasm"));
    fs::write(&input, &module).with_context(|| format!("cannot write {}", input.display()))?;
    let mut command = Command::new(wasm_opt);
    command.arg("-Os").args(WASM_FEATURES.iter().map(|feature| format!("--enable-{feature}"))).arg("-o").args([&output, &input]);
    // An old Binaryen may not know what a new compiler emits.
    if !step.run(&mut command)?.success {
        return Ok(module);
    }
    fs::read(&output).with_context(|| format!("cannot read {}", output.display()))
}

fn gzipped_size(step: &mut Step) -> Result<u64> {
    let script = "process.stdout.write(String(require('zlib').gzipSync(require('fs').readFileSync(process.argv[1]), { level: 9 }).length))";
    let printed = step.must("measuring the browser module", Command::new("node").arg("-e").arg(script).arg(output_path()))?;
    match printed.trim().parse() {
        Ok(size) => Ok(size),
        Err(_) => bail!("node printed {printed:?} for a size"),
    }
}

/// What rustc emits for wasm32-unknown-unknown by default, by Binaryen's names.
const WASM_FEATURES: &[&str] = &["bulk-memory", "sign-ext", "mutable-globals", "nontrapping-float-to-int", "multivalue", "reference-types"];
