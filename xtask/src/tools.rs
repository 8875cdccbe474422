//! What is on this machine, and what can be put there.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::report::Report;

/// npm packages, exactly.
const PACKAGES: [&str; 9] = [
    "@maxhub/max-bot-api@0.3.1",
    "axe-core@4.14.1",
    "grammy@1.46.0",
    "hoodiecrow-imap@2.1.0",
    "playwright-core@1.65.1",
    "typescript@7.0.2",
    "viber-bot@1.0.18",
    "vk-io@4.10.1",
    "whatsapp-api-js@6.3.0",
];

/// Debian packages of the mail servers, and a program that comes with all of them.
const MAIL: [(&str, &str); 3] = [
    ("dovecot-imapd", "/usr/lib/dovecot/imap"),
    ("dovecot-lmtpd", "/usr/lib/dovecot/lmtp"),
    ("exim4-daemon-light", "/usr/sbin/exim4"),
];

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
    apt(report, "chromium")?;
    find().ok_or_else(|| "apt-get could not install Chromium".to_owned())
}

/// The mail servers, installed if need be, or why there are none.
pub(crate) fn mail_servers(report: &mut Report) -> Result<(), String> {
    let missing = || {
        let missing = MAIL.iter().filter(|(_, file)| !Path::new(file).is_file());
        missing.map(|(package, _)| *package).collect::<Vec<_>>()
    };
    if missing().is_empty() {
        return Ok(());
    }
    {
        let _quiet = NoServices::begin();
        // One by one: a machine with another mail server keeps that, and gets the rest.
        for package in missing() {
            apt(report, package)?;
        }
    }
    if Path::new("/run/systemd/system").is_dir() {
        let mut disable = Command::new("systemctl");
        disable.args(["disable", "dovecot.service", "exim4.service"]);
        succeeds(report, &mut disable);
    }
    match missing() {
        still if still.is_empty() => Ok(()),
        still => Err(format!("apt-get could not install {}", still.join(" "))),
    }
}

/// While this lives, packages that are installed do not start their services.
struct NoServices {
    policy: Option<&'static Path>,
}

impl NoServices {
    fn begin() -> Self {
        let policy = Path::new("/usr/sbin/policy-rc.d");
        // Whoever has a policy knows why.
        let file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o755)
            .open(policy);
        let written = file.and_then(|mut file| file.write_all(b"#!/bin/sh\nexit 101\n"));
        Self {
            policy: written.is_ok().then_some(policy),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(policy) = self.policy {
            let _ = std::fs::remove_file(policy);
        }
    }
}

/// Installs a Debian package, as far as may be, and removes none for it.
fn apt(report: &mut Report, package: &str) -> Result<(), String> {
    let is_root = printed(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    if !is_root || which("apt-get").is_none() {
        return Err(format!(
            "{package} is not on this machine, and only root on Debian may install it"
        ));
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
    let options = [
        "install",
        "--yes",
        "--quiet",
        "--no-install-recommends",
        "--no-remove",
        package,
    ];
    if succeeds(report, &mut apt(&options)) {
        report.installed(format!("Debian package {package}"));
    }
    Ok(())
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
