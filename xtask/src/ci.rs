//! `cargo xtask ci`: what comes before the tests.

use std::path::Path;

use anyhow::Context as _;

use crate::report::{Counts, Kind, Report, now, say};
use crate::tools::{answers, cargo};

/// Libraries that must not be linked: rustls with ring is the one TLS.
const BANNED: [&str; 3] = ["aws-lc-rs", "native-tls", "openssl-sys"];

/// Programs that are used where they are installed, and their arguments.
const OPTIONAL: [(&str, &[&str]); 2] = [("deny", &["check"]), ("machete", &[])];

/// Runs every check; a failed one does not keep the others from being told.
pub(crate) fn run(root: &Path, report: &mut Report) -> anyhow::Result<()> {
    let mut format = cargo(root);
    format.args(["fmt", "--all", "--check"]);
    report.run("format", Kind::Check, &mut format)?;
    let mut lints = cargo(root);
    lints.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]);
    report.run("lints", Kind::Check, &mut lints)?;
    for banned in BANNED {
        absent(root, report, banned)?;
    }
    for (name, arguments) in OPTIONAL {
        if answers(cargo(root).arg(name)) {
            let mut check = cargo(root);
            check.arg(name).args(arguments);
            report.run(&format!("cargo {name}"), Kind::Check, &mut check)?;
        } else {
            report.skip(
                &format!("cargo {name}"),
                format_args!("cargo-{name} is not installed"),
            );
        }
    }
    let mut typos = std::process::Command::new("typos");
    if answers(&mut std::process::Command::new("typos")) {
        report.run("typos", Kind::Check, typos.current_dir(root))?;
    } else {
        report.skip("typos", "typos is not installed");
    }
    Ok(())
}

/// Whether nothing that we build uses a library.
fn absent(root: &Path, report: &mut Report, banned: &str) -> anyhow::Result<()> {
    let name = format!("no {banned}");
    let start = now();
    let output = cargo(root)
        .args([
            "tree",
            "--workspace",
            "--edges",
            "normal,build",
            "--invert",
            banned,
        ])
        .output()
        .with_context(|| format!("looking for {banned}"))?;
    let users = String::from_utf8_lossy(&output.stdout);
    let complaint = String::from_utf8_lossy(&output.stderr);
    let is_unknown = complaint.contains("did not match any packages");
    let is_absent = is_unknown || (output.status.success() && users.trim().is_empty());
    if !is_absent {
        say(format_args!("\n=== {name}\n{users}{complaint}"));
    }
    report.done(
        &name,
        Kind::Check,
        is_absent,
        Counts::default(),
        start.elapsed(),
    );
    Ok(())
}
