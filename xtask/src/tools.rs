//! What is on this machine, and what can be put there.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::report::Report;

/// npm packages, exactly.
const PACKAGES: [&str; 2] = ["playwright-core@1.65.1", "typescript@7.0.2"];

/// The oldest Node that runs our front-end tests.
const NODE_MAJOR_MIN: u32 = 20;

/// Cargo, the one that runs us.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(variable("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// Whether a cargo subcommand or a program answers to `--version`.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Node, or why it cannot be used.
pub(crate) fn node() -> Result<(), String> {
    let wanted = format!("Node {NODE_MAJOR_MIN} or newer is not on this machine");
    let Some(version) = printed(Command::new("node").arg("--version")) else {
        return Err(wanted);
    };
    let major = version.trim_start_matches('v').split('.').next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(()),
        Some(_) | None => Err(format!("{wanted} (it has {})", version.trim())),
    }
}

/// The folder of npm packages, installed if need be, or why there is none.
pub(crate) fn node_modules(
    root: &Path,
    report: &mut Report,
) -> anyhow::Result<Result<PathBuf, String>> {
    if let Err(reason) = node() {
        return Ok(Err(reason));
    }
    let folder = root.join("target/xtask/node");
    let modules = folder.join("node_modules");
    let stamp = folder.join("installed");
    let wanted = PACKAGES.join(" ");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(Ok(modules));
    }
    if !answers(&mut Command::new("npm")) {
        return Ok(Err("npm is not on this machine".to_owned()));
    }
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), "{\"private\": true}\n")?;
    let mut install = Command::new("npm");
    install
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--ignore-scripts",
            "--save-exact",
        ])
        .args(PACKAGES)
        .current_dir(&folder);
    if !succeeds(report, &mut install) {
        return Ok(Err(format!("npm could not install {wanted}")));
    }
    std::fs::write(&stamp, &wanted)?;
    report.installed(format!("npm packages {wanted} in target/xtask/node"));
    Ok(Ok(modules))
}

/// A Chromium, installed if need be, or why there is none.
pub(crate) fn chromium(report: &mut Report) -> Result<PathBuf, String> {
    let find = || {
        ["chromium", "chromium-browser", "google-chrome"]
            .iter()
            .find_map(which)
    };
    if let Some(path) = find() {
        return Ok(path);
    }
    let is_root = printed(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !is_root || which("apt-get").is_none() {
        return Err(
            "Chromium is not on this machine, and only root on Debian may install it".to_owned(),
        );
    }
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    // A stale list of packages is no reason to fail: the next command tells.
    succeeds(report, &mut apt(&["update", "--quiet"]));
    let mut install = apt(&[
        "install",
        "--yes",
        "--quiet",
        "--no-install-recommends",
        "chromium",
    ]);
    succeeds(report, &mut install);
    match find() {
        Some(path) => {
            report.installed("Debian package chromium");
            Ok(path)
        }
        None => Err("apt-get could not install Chromium".to_owned()),
    }
}

/// Runs an installation, which is no failure of the project's if it fails.
fn succeeds(report: &mut Report, command: &mut Command) -> bool {
    let name = command.get_program().display().to_string();
    report.attempt(&format!("installation by {name}"), command)
}

pub(crate) fn which(program: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = variable("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program.as_ref()))
        .find(|file| file.is_file())
}

fn printed(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a chore is configured by its environment alone"
)]
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}
