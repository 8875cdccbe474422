//! A child process, which ends with its owner at the latest.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::oneshot;

/// In a child: done when its standard input ends, as it does with the parent.
pub(crate) async fn let_go() {
    let (told, ended) = oneshot::channel();
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        // The one who waited may have gone.
        let _ = told.send(());
    });
    let _ = ended.await;
}

/// Longer than any start takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);
/// Lines that may wait to be read: a child says few.
const LINES_MAX: usize = 1_024;

pub(crate) struct Child {
    process: std::process::Child,
    lines: Receiver<String>,
}

impl Child {
    /// Starts a program. Its standard input stays open as long as it is owned.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        let stdout = process.stdout.take().context("taking standard output")?;
        let (told, lines) = sync_channel(LINES_MAX);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody reads on, but the pipe must not fill up.
                let _ = told.try_send(line);
            }
        });
        Ok(Self { process, lines })
    }

    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for a line that begins so, and answers the rest of it.
    pub(crate) fn says(&self, beginning: &str) -> anyhow::Result<String> {
        tokio::task::block_in_place(|| {
            loop {
                let line = self
                    .lines
                    .recv_timeout(PATIENCE)
                    .with_context(|| format!("waiting for {beginning:?} of a child process"))?;
                if let Some(rest) = line.strip_prefix(beginning) {
                    return Ok(rest.trim().to_owned());
                }
            }
        })
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(Some(_)) | Err(_))
    }

    /// Ends its standard input, which it may be waiting for.
    pub(crate) fn end_input(&mut self) {
        self.process.stdin = None;
    }

    /// Ends it as a power cut would, for the process.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.process.kill().context("killing a child process")?;
        self.process.wait().context("waiting for a child process")?;
        Ok(())
    }

    /// Ends it as a service manager would.
    pub(crate) fn stop(&mut self) -> anyhow::Result<()> {
        kill_process(Pid::from_child(&self.process), Signal::TERM)
            .context("stopping a child process")?;
        tokio::task::block_in_place(|| self.process.wait())
            .context("waiting for a child process")?;
        Ok(())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
