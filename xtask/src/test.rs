//! `cargo xtask test`

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::report::{Kind, Report, Runner};
use crate::tools::{answers, cargo, chromium, mail_servers, node, node_modules};

const TYPES: &str = "types of the front end";
const UNITS: &str = "tests of the front end";
const BROWSER: &str = "tests in a browser";
const MAIL: &str = "tests with mail servers";
const OLD_MAIL: &str = "tests with an old mail server";
const PEERS: &str = "tests with programs that others wrote for messengers";

/// Runs every test; what cannot be run here is skipped by name.
pub(crate) fn run(root: &Path, report: &mut Report) -> anyhow::Result<()> {
    // One build for the tests and the program, so that nothing is compiled twice.
    let mut build = cargo(root);
    build.args(["build", "--workspace", "--bins", "--tests"]);
    let is_built = report.run("build", Kind::Preparation, &mut build)?;
    if is_built {
        rust(root, report)?;
    } else {
        report.skip("tests in Rust", "the build failed");
    }
    types(root, report)?;
    units(root, report)?;
    if is_built {
        browser(root, report)
    } else {
        report.skip(BROWSER, "the build failed");
        Ok(())
    }
}

fn rust(root: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut tests = cargo(root);
    let runner = if answers(cargo(root).arg("nextest")) {
        tests.args(["nextest", "run", "--workspace", "--no-fail-fast"]);
        Runner::Nextest
    } else {
        tests.args(["test", "--workspace", "--bins", "--tests", "--no-fail-fast"]);
        Runner::Cargo
    };
    // The tests look for what they need, and do nothing where it is missing.
    if let Err(reason) = mail_servers(report) {
        report.skip(MAIL, reason);
    }
    match node_modules(root, report)? {
        Ok(modules) => {
            tests.env("NODE_PATH", modules);
        }
        Err(reason) => {
            report.skip(OLD_MAIL, &reason);
            report.skip(PEERS, reason);
        }
    }
    report.run("tests in Rust", Kind::Tests(runner), &mut tests)?;
    Ok(())
}

fn types(root: &Path, report: &mut Report) -> anyhow::Result<()> {
    let project = root.join("crates/web/assets/jsconfig.json");
    if !project.is_file() {
        return Ok(());
    }
    match node_modules(root, report)? {
        Err(reason) => report.skip(TYPES, reason),
        Ok(modules) => {
            let mut check = Command::new(modules.join(".bin/tsc"));
            check.arg("--noEmit").arg("--project").arg(project);
            report.run(TYPES, Kind::Check, &mut check)?;
        }
    }
    Ok(())
}

fn units(root: &Path, report: &mut Report) -> anyhow::Result<()> {
    let files = scripts(&root.join("crates/web/assets/tests"), &["js", "mjs"])?;
    if files.is_empty() {
        return Ok(());
    }
    if let Err(reason) = node() {
        report.skip(UNITS, reason);
        return Ok(());
    }
    let mut tests = node_test();
    tests.args(files).current_dir(root);
    report.run(UNITS, Kind::Tests(Runner::Tap), &mut tests)?;
    Ok(())
}

fn browser(root: &Path, report: &mut Report) -> anyhow::Result<()> {
    let files = scripts(&root.join("tests/browser"), &["mjs"])?;
    if files.is_empty() {
        return Ok(());
    }
    let modules = match node_modules(root, report)? {
        Ok(modules) => modules,
        Err(reason) => {
            report.skip(BROWSER, reason);
            return Ok(());
        }
    };
    let chromium = match chromium(report) {
        Ok(chromium) => chromium,
        Err(reason) => {
            report.skip(BROWSER, reason);
            return Ok(());
        }
    };
    let (program, messengers) = (built("switchboard")?, built("messengers")?);
    // One after another: two browsers at once are slower than one on small machines.
    for file in files {
        let name = file.file_name().unwrap_or_default().display().to_string();
        let mut test = node_test();
        test.arg(&file)
            .current_dir(root)
            .env("SWITCHBOARD_BIN", &program)
            .env("MESSENGERS_BIN", &messengers)
            .env("CHROMIUM_BIN", &chromium)
            .env("NODE_PATH", &modules);
        report.run(
            &format!("{BROWSER}: {name}"),
            Kind::Tests(Runner::Tap),
            &mut test,
        )?;
    }
    Ok(())
}

fn node_test() -> Command {
    let mut command = Command::new("node");
    command.args(["--test", "--test-reporter=tap"]);
    command
}

/// The scripts in a folder, not below it, in order; none if there is no folder.
fn scripts(folder: &Path, extensions: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(files);
    };
    for entry in entries {
        let path = entry
            .with_context(|| format!("reading {}", folder.display()))?
            .path();
        let extension = path.extension().unwrap_or_default();
        if path.is_file() && extensions.iter().any(|wanted| extension == *wanted) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A program of the workspace, built where we were built.
fn built(name: &str) -> anyhow::Result<PathBuf> {
    let ours = std::env::current_exe().context("finding our own program")?;
    Ok(ours.with_file_name(name))
}
