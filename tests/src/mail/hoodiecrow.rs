use std::io::Write as _;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::process::{Log, Process, program};

/// An old IMAP server: no IDLE, no MOVE, no UIDPLUS, nothing. One mailbox, whose user is
/// [`Hoodiecrow::USER`].
#[derive(Debug)]
pub struct Hoodiecrow {
    process: Process,
    port: u16,
}

impl Hoodiecrow {
    /// Its only user.
    pub const USER: &str = "testuser";
    /// Their password.
    pub const SECRET: &str = "testpass";

    /// Starts, or tells what is missing on this machine. Node looks for the package where
    /// `NODE_PATH` says.
    pub async fn start() -> Result<Self, String> {
        let mut command = Command::new(program(&["node"])?);
        command.arg("-e").arg(include_str!("hoodiecrow.js"));
        let log = Log::default();
        let process = Process::spawn(command.stdin(Stdio::piped()), &log);
        let find = |lines: &[String]| {
            let port = lines.iter().find_map(|line| line.strip_prefix("port "));
            let missing = || lines.iter().any(|line| line.contains("MODULE_NOT_FOUND"));
            match port {
                Some(port) => Some(Ok(port.parse().unwrap())),
                None => missing().then(|| Err("hoodiecrow-imap is not installed".to_owned())),
            }
        };
        let port = log.until("hoodiecrow starts", find).await?;
        Ok(Self { process, port })
    }

    /// Where IMAP is spoken, plainly.
    pub fn imap(&self) -> u16 {
        self.port
    }

    /// Puts a letter into the inbox.
    pub async fn deliver(&mut self, letter: &[u8]) {
        self.ask(&STANDARD.encode(letter), "appended").await;
    }

    /// What lies in the inbox.
    pub async fn letters(&mut self) -> Vec<Vec<u8>> {
        let told = self.ask("?", "letters").await;
        told.split_whitespace()
            .skip(1)
            .map(|letter| STANDARD.decode(letter).unwrap())
            .collect()
    }

    async fn ask(&mut self, line: &str, answer: &str) -> String {
        let seen = self.process.log.len();
        writeln!(self.process.stdin(), "{line}").unwrap();
        let find = |lines: &[String]| {
            let mut said = lines[seen..].iter();
            said.find(|line| line.starts_with(answer)).cloned()
        };
        self.process.log.until(answer, find).await
    }
}
