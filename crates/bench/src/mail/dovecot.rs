//! A real mail server of the workload's own: a folder, a port of this machine, and
//! mailboxes that are full from the beginning.

use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;
use tokio::time::Instant;

use super::drain;
use super::letters::letter;
use crate::Setting;
use crate::child::Child;
use crate::gateway::folder;

/// The password of every mailbox.
pub(super) const SECRET: &str = "secret";

const MISSING: &str = "this needs Dovecot 2.3 on this machine, with its IMAP server: in Debian \
                       `apt install dovecot-imapd`";
/// Where it stands when it is not where a shell looks.
const ELSEWHERE: [&str; 2] = ["/usr/sbin/dovecot", "/usr/local/sbin/dovecot"];
const START_MAX: Duration = Duration::from_mins(1);

/// A running server. Its folder goes with it.
pub(super) struct Dovecot {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

/// Who a server runs as that must not be the administrator.
struct User {
    name: String,
    group: String,
    ids: (u32, u32),
}

impl Dovecot {
    /// Starts one with a mailbox for each of these, with so many letters in its inbox.
    pub(super) async fn start(
        setting: &Setting,
        mailboxes: &[(&str, usize)],
    ) -> anyhow::Result<Self> {
        let program = program()?;
        let folder = folder(setting)?;
        let path = folder.path();
        let user = User::of(path)?;
        let mut users = String::new();
        for (name, count) in mailboxes {
            writeln!(users, "{name}:{{PLAIN}}{SECRET}::::::")?;
            fill(&path.join("mail").join(name).join("Maildir"), *count)?;
        }
        fs::write(path.join("users"), users)?;
        fs::create_dir(path.join("run"))?;
        fs::create_dir(path.join("state"))?;
        // It says nothing of a port that it has chosen itself.
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let config = config(path, &user, port);
        fs::write(path.join("dovecot.conf"), config)?;
        user.own(path)?;
        let mut command = Command::new(program);
        command
            .args(["-F", "-c"])
            .arg(path.join("dovecot.conf"))
            .uid(user.ids.0)
            .gid(user.ids.1);
        let mut this = Self {
            child: Child::start(&mut command)?,
            folder,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
        };
        this.greet().await?;
        Ok(this)
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it lets people in.
    async fn greet(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while let Err(error) = drain::greet(self.address).await {
            if begun.elapsed() > START_MAX || self.child.has_ended() {
                let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
                bail!("Dovecot does not start: {error:#}: {}", log.trim());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

impl Drop for Dovecot {
    fn drop(&mut self) {
        // Its own children end with it when it is asked, and not when it is killed.
        let _ = self.child.stop();
    }
}

fn program() -> anyhow::Result<PathBuf> {
    let usual = PathBuf::from("dovecot");
    let known = ELSEWHERE.map(PathBuf::from);
    for program in std::iter::once(usual).chain(known) {
        match Command::new(&program).arg("--version").output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            asked => {
                let version = asked.context("asking Dovecot for its version")?.stdout;
                let version = String::from_utf8_lossy(&version).into_owned();
                ensure!(
                    version.starts_with("2.3"),
                    "this needs Dovecot 2.3, whose configuration it writes, and not {}",
                    version.trim()
                );
                return Ok(program);
            }
        }
    }
    bail!(MISSING)
}

impl User {
    /// Whoever owns the folder, or nobody in place of the administrator.
    fn of(folder: &Path) -> anyhow::Result<Self> {
        let is_root = fs::metadata(folder)?.uid() == 0;
        let ask = |what: &str| {
            let mut id = Command::new("id");
            id.arg(what).args(is_root.then_some("nobody"));
            let output = id.output().context("asking who we are")?;
            anyhow::Ok(String::from_utf8(output.stdout)?.trim().to_owned())
        };
        Ok(Self {
            name: ask("-un")?,
            group: ask("-gn")?,
            ids: (ask("-u")?.parse()?, ask("-g")?.parse()?),
        })
    }

    /// Gives a folder and everything in it to them.
    fn own(&self, path: &Path) -> anyhow::Result<()> {
        chown(path, Some(self.ids.0), Some(self.ids.1))?;
        if path.is_dir() {
            for entry in fs::read_dir(path)? {
                self.own(&entry?.path())?;
            }
        }
        Ok(())
    }
}

/// Puts letters into an inbox as the server itself would, with their sizes in their names.
fn fill(maildir: &Path, count: usize) -> anyhow::Result<()> {
    for name in ["cur", "new", "tmp"] {
        fs::create_dir_all(maildir.join(name))?;
    }
    for number in 0..count as u64 {
        let letter = letter(number);
        let (second, size) = (1_700_000_000 + number, letter.len());
        let name = format!("{second}.M0P{number}.bench,S={size},W={size}:2,");
        fs::write(maildir.join("cur").join(name), letter).context("writing a letter")?;
    }
    Ok(())
}

fn config(folder: &Path, user: &User, port: u16) -> String {
    include_str!("dovecot.conf")
        .replace("USER", &user.name)
        .replace("GROUP", &user.group)
        .replace("PORT", &port.to_string())
        .replace("FOLDER", &folder.display().to_string())
}
