use std::path::PathBuf;

use tempfile::TempDir;

use super::process::{Log, Port, Process, User, program};
use super::{Authority, Dovecot, Reply, SECRET, smtp};
use crate::soon;

/// A real SMTP server in front of a [`Dovecot`]. It knows some addresses of its own, at
/// any domain: `nosuch@` is taken and bounces, `later@` waits, `refused@`, `full@` and
/// `greylisted@` are not taken.
///
/// What comes in gets an `Authentication-Results` of `mx.shop.test`: DMARC passes for
/// whoever is authenticated under the letter's own domain.
#[derive(Debug)]
pub struct Exim {
    folder: TempDir,
    user: User,
    program: PathBuf,
    ports: [Port; 3],
    log: Log,
    process: Option<Process>,
}

impl Exim {
    /// Starts, or tells what is missing on this machine.
    pub async fn start(dovecot: &Dovecot) -> Result<Self, String> {
        let folder = TempDir::new().unwrap();
        let mut this = Self {
            user: User::of(folder.path()),
            folder,
            program: program(&["exim4", "exim"])?,
            ports: [Port::claim(), Port::claim(), Port::claim()],
            log: Log::default(),
            process: None,
        };
        this.configure(dovecot.authority(), dovecot.lmtp());
        this.begin().await;
        Ok(this)
    }

    fn configure(&self, authority: &Authority, lmtp: u16) {
        let folder = self.folder.path();
        for name in ["spool", "log"] {
            std::fs::create_dir(folder.join(name)).unwrap();
        }
        authority.write(folder);
        let [mx, submission, submissions] = self.ports.each_ref().map(|port| port.number);
        let config = include_str!("exim.conf")
            .replace("USER", &self.user.name)
            .replace("GROUP", &self.user.group)
            .replace("SECRET", SECRET)
            .replace("PORT_MX", &mx.to_string())
            .replace("PORT_SUBMISSIONS", &submissions.to_string())
            .replace("PORT_SUBMISSION", &submission.to_string())
            .replace("PORT_LMTP", &lmtp.to_string())
            .replace("FOLDER", &folder.display().to_string());
        std::fs::write(folder.join("exim.conf"), config).unwrap();
        self.user.own(folder);
    }

    /// Starts it again after a stop, with everything it had.
    pub async fn begin(&mut self) {
        let mut command = self.user.command(&self.program, self.folder.path());
        command.arg("-C").arg(self.folder.path().join("exim.conf"));
        command.args(["-bdf", "-q1s"]);
        self.process = Some(Process::spawn(&mut command, &self.log));
        soon("Exim starts", self.answers()).await;
    }

    /// It says nothing when it is ready.
    async fn answers(&self) {
        while tokio::net::TcpStream::connect(("127.0.0.1", self.mx()))
            .await
            .is_err()
        {
            assert!(!self.has_failed(), "{}", self.log());
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }

    fn has_failed(&self) -> bool {
        let lines = self.log.lines();
        lines.iter().any(|line| line.contains("error"))
    }

    /// Stops it.
    pub async fn stop(&mut self) {
        let process = self.process.take();
        tokio::task::spawn_blocking(|| drop(process)).await.unwrap();
    }

    /// Where other servers hand letters over, unasked who they are.
    pub fn mx(&self) -> u16 {
        self.ports[0].number
    }

    /// Where people hand letters over, after STARTTLS and with their password.
    pub fn submission(&self) -> u16 {
        self.ports[1].number
    }

    /// The same over TLS from the first byte.
    pub fn submissions(&self) -> u16 {
        self.ports[2].number
    }

    /// Hands a letter over as another server would.
    pub async fn submit(&self, from: &str, to: &str, letter: &[u8]) {
        let replies = smtp(self.mx(), from, &[to], letter).await;
        assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
    }

    /// What it wrote down so far.
    pub fn log(&self) -> String {
        let folder = self.folder.path().join("log");
        let written = ["mainlog", "rejectlog", "paniclog"]
            .map(|name| std::fs::read_to_string(folder.join(name)).unwrap_or_default());
        self.log.lines().join("\n") + &written.concat()
    }
}
