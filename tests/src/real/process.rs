use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::Instant;
use toml::Table;

use crate::soon;

/// A gateway's folder, port and configuration, and its process while it lives.
#[derive(Debug)]
pub struct Server {
    /// Its configuration.
    pub config: PathBuf,
    log: PathBuf,
    /// Where the store is.
    pub store: PathBuf,
    /// Where it is reached.
    pub url: String,
    process: Option<Process>,
}

/// Killed when it is dropped, so that no failed test leaves one behind.
#[derive(Debug)]
struct Process {
    child: Child,
    /// Kept open: who prints to nobody is told so by an error.
    output: Option<BufReader<ChildStdout>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a start went.
#[derive(Debug)]
pub enum Life {
    /// It is ready after this time; the token to set it up, if it was never set up.
    Ready(Duration, Option<String>),
    /// It died before it was ready.
    Died,
}

impl Server {
    /// Writes the configuration; `data` is where the store is to be.
    pub fn new(folder: &Path, data: &Path, disk_free_min: &str) -> Self {
        let port = free_port();
        let config = folder.join("switchboard.toml");
        let store = data.join("switchboard.db");
        let text = format!(
            "[server]\nlisten = \"127.0.0.1:{port}\"\n\
             [store]\nurl = \"sqlite:{}\"\n\
             [limits]\nacts_per_minute_max = 1000000\n\
             disk_free_bytes_min = \"{disk_free_min}\"\n\
             [log]\nlevel = \"warn\"\n\
             [[queue]]\nid = \"main\"\n\
             [[line]]\nid = \"site\"\nchannel = \"webchat\"\nqueue = \"main\"\n\
             [[line]]\nid = \"form\"\nchannel = \"form\"\nqueue = \"main\"\nallow_no_origin = true\n\
             [[line]]\nid = \"bridge\"\nchannel = \"bridge\"\nqueue = \"main\"\n",
            store.display()
        );
        std::fs::write(&config, text).unwrap();
        Self {
            config,
            log: folder.join("log"),
            store,
            url: format!("http://127.0.0.1:{port}"),
            process: None,
        }
    }

    /// Starts it, and waits until it is ready or dead.
    pub async fn start(&mut self, environment: &[(&str, &str)]) -> Life {
        let begun = Instant::now();
        self.spawn(environment);
        let process = self.process.as_mut().unwrap();
        let mut output = process.output.take().unwrap();
        let read = spawn_blocking(move || {
            let told = until_ready(&mut output);
            (output, told)
        });
        let (output, told) = soon("the gateway is ready or dead", read).await.unwrap();
        process.output = Some(output);
        if let Some(Told { set_up }) = told {
            Life::Ready(begun.elapsed(), set_up)
        } else {
            self.ended().await;
            Life::Died
        }
    }

    /// Starts it, as it has to be ready.
    pub async fn begin(&mut self) {
        let Life::Ready(..) = self.start(&[]).await else {
            panic!("it does not start:\n{}", self.said());
        };
    }

    /// Starts it without waiting.
    pub fn spawn(&mut self, environment: &[(&str, &str)]) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .unwrap();
        let mut child = Command::new(program())
            .arg("serve")
            .arg("--config")
            .arg(&self.config)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let output = child.stdout.take().map(BufReader::new);
        self.process = Some(Process { child, output });
    }

    /// Kills it, as `kill -9` does.
    pub async fn kill(&mut self) {
        let process = self.process.take();
        spawn_blocking(|| drop(process)).await.unwrap();
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) {
        let output = self
            .process
            .as_mut()
            .and_then(|process| process.output.take());
        if let Some(mut output) = output {
            // A process that is no more prints no more.
            let ended = spawn_blocking(move || std::io::copy(&mut output, &mut std::io::sink()));
            ended.await.unwrap().unwrap();
        }
        self.kill().await;
    }

    /// Stops it, as a service manager does.
    pub async fn stop(&mut self) {
        self.signal("-TERM");
        soon("the gateway stops", self.ended()).await;
    }

    /// Has it read another configuration.
    pub fn reload(&self, config: &str) {
        std::fs::write(&self.config, config).unwrap();
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap();
        let mut kill = Command::new("kill");
        kill.arg(signal).arg(process.child.id().to_string());
        assert!(kill.status().unwrap().success());
    }

    /// Adds sections to its configuration.
    pub fn add(&self, sections: &str) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        std::fs::write(&self.config, text + sections).unwrap();
    }

    /// Adds a line of a kind, which is also its id.
    pub fn add_line(&self, kind: &str, queue: &str, options: &Table) {
        let own = format!("[[line]]\nid = {kind:?}\nchannel = {kind:?}\nqueue = {queue:?}\n");
        self.add(&(own + &toml::to_string(options).unwrap()));
    }

    /// The processor time that it used so far.
    pub fn processor(&self) -> Duration {
        let id = self.process.as_ref().unwrap().child.id();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        // The name, in parentheses, may hold anything.
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let times = fields.split_whitespace().skip(11).take(2);
        // In hundredths of a second, whatever the machine.
        let ticks: u64 = times.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Duration::from_millis(10 * ticks)
    }

    /// The most memory that it held at once so far.
    pub fn memory_peak_kib(&self) -> u64 {
        let id = self.process.as_ref().unwrap().child.id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = peak.unwrap().trim().trim_end_matches(" kB");
        number.parse().unwrap()
    }

    /// What it said so far, for whoever reads of a failure.
    pub fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

/// What it printed before it was ready.
struct Told {
    set_up: Option<String>,
}

/// Reads what it prints until it is ready; none when it ends before.
fn until_ready(output: &mut BufReader<ChildStdout>) -> Option<Told> {
    let mut set_up = None;
    let mut line = String::new();
    while output.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some((_, token)) = line.trim_end().split_once("#setup=") {
            set_up = Some(token.to_owned());
        }
        if line.starts_with("Ready.") {
            return Some(Told { set_up });
        }
        line.clear();
    }
    None
}

/// The gateway's program: the one that was given, or the one built beside us.
/// The program under test.
#[expect(
    clippy::disallowed_methods,
    reason = "the program under test is told by the environment alone"
)]
pub fn program() -> PathBuf {
    if let Some(given) = std::env::var_os("SWITCHBOARD_BIN") {
        return given.into();
    }
    let ours = std::env::current_exe().unwrap();
    let built = ours.ancestors().nth(2).unwrap().join("switchboard");
    assert!(
        built.is_file(),
        "{} is not there: build it with `cargo build`",
        built.display()
    );
    built
}

/// A port below those that the system gives out by itself, so that nobody is given
/// it between two lives of a gateway.
fn free_port() -> u16 {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let ours = u16::try_from(std::process::id() % 1_000).unwrap_or(0);
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    loop {
        let port = 11_000 + ours * 20 + TAKEN.fetch_add(1, Ordering::SeqCst);
        if free(&port) {
            return port;
        }
    }
}
