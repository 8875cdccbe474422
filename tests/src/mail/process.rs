use std::io::{BufRead as _, BufReader, Read};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::sync::watch;

use crate::soon;

/// A program on this machine, also where only an administrator's shell looks for it.
#[expect(
    clippy::disallowed_methods,
    reason = "programs are found as a shell finds them"
)]
pub(super) fn program(names: &[&str]) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let also = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(also)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file())
        .ok_or_else(|| format!("{} is not on this machine", names[0]))
}

/// Who servers run as: the one who runs the tests, or nobody in place of root, so that
/// both are the same to them.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) name: String,
    pub(super) group: String,
    /// Its numbers, where it is not us.
    other: Option<(u32, u32)>,
}

impl User {
    /// Whoever may own a folder of ours.
    pub(super) fn of(folder: &Path) -> Self {
        let is_root = std::fs::metadata(folder).unwrap().uid() == 0;
        let ask = |what: &str| {
            let mut id = Command::new("id");
            id.arg(what).args(is_root.then_some("nobody"));
            let output = id.output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let number = |what: &str| ask(what).parse().unwrap();
        Self {
            name: ask("-un"),
            group: ask("-gn"),
            other: is_root.then(|| (number("-u"), number("-g"))),
        }
    }

    /// Gives a file or folder, and everything in it, to them. What a server takes away
    /// meanwhile was its own.
    pub(super) fn own(&self, path: &Path) {
        if let Err(error) = self.try_own(path) {
            assert_eq!(
                error.kind(),
                std::io::ErrorKind::NotFound,
                "{}",
                path.display()
            );
        }
    }

    fn try_own(&self, path: &Path) -> std::io::Result<()> {
        let Some((uid, gid)) = self.other else {
            return Ok(());
        };
        chown(path, Some(uid), Some(gid))?;
        if path.is_dir() {
            for entry in std::fs::read_dir(path)? {
                self.own(&entry?.path());
            }
        }
        Ok(())
    }

    /// A command of theirs.
    pub(super) fn command(&self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder).stdin(Stdio::null());
        if let Some((uid, gid)) = self.other {
            command.uid(uid).gid(gid);
        }
        command
    }
}

/// A port of this machine that no other scenario is given while this lives, also while
/// nobody listens on it.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) number: u16,
    _claim: UnixListener,
}

impl Port {
    pub(super) fn claim() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        // Below those that the system gives out by itself.
        const FIRST: u16 = 31_000;
        const COUNT: u16 = 1_700;
        let ours = u16::try_from(std::process::id() % u32::from(COUNT)).unwrap_or(0);
        loop {
            let step = NEXT.fetch_add(1, Ordering::SeqCst);
            let number = FIRST + ours.wrapping_add(step) % COUNT;
            let name = format!("switchboard-test-port-{number}");
            let address = SocketAddr::from_abstract_name(name).unwrap();
            if let Ok(claim) = UnixListener::bind_addr(&address)
                && TcpListener::bind(("127.0.0.1", number)).is_ok()
            {
                return Self {
                    number,
                    _claim: claim,
                };
            }
        }
    }
}

/// A server's process, stopped when it is dropped so that no failed test leaves one.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    pub(super) log: Log,
}

impl Process {
    /// Starts it, and listens to what it says.
    pub(super) fn spawn(command: &mut Command, log: &Log) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        log.listen(child.stdout.take().unwrap());
        log.listen(child.stderr.take().unwrap());
        let log = log.clone();
        Self { child, log }
    }

    fn ask_to_end(processes: &[u32]) {
        let mut kill = Command::new("kill");
        kill.arg("-TERM").args(processes.iter().map(u32::to_string));
        // One that has ended by itself is all right, and not to be told.
        let _ = kill.stderr(Stdio::null()).status();
    }

    fn children(&self) -> Vec<u32> {
        let id = self.child.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        let children = children.unwrap_or_default();
        children
            .split_whitespace()
            .filter_map(|child| child.parse().ok())
            .collect()
    }

    pub(super) fn stdin(&mut self) -> &mut std::process::ChildStdin {
        self.child.stdin.as_mut().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // First itself, so that it makes no new ones; then whoever still talks.
        Self::ask_to_end(&[self.child.id()]);
        let children = self.children();
        if !children.is_empty() {
            Self::ask_to_end(&children);
        }
        let _ = self.child.wait();
    }
}

/// What a server said, over all its lives.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    lines: watch::Sender<Vec<String>>,
}

impl Log {
    fn listen(&self, output: impl Read + Send + 'static) {
        let lines = self.lines.clone();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output
                .read_until(b'\n', &mut line)
                .is_ok_and(|length| length > 0)
            {
                let text = String::from_utf8_lossy(&line).trim_end().to_owned();
                lines.send_modify(|lines| lines.push(text));
                line.clear();
            }
        });
    }

    /// Waits until something is found, looking again whenever something is said.
    pub(super) async fn until<T>(
        &self,
        what: &str,
        mut find: impl FnMut(&[String]) -> Option<T>,
    ) -> T {
        let mut news = self.lines.subscribe();
        let wait = async {
            loop {
                let found = find(&news.borrow_and_update());
                if let Some(found) = found {
                    return found;
                }
                news.changed().await.unwrap();
            }
        };
        soon(what, wait).await
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    pub(super) fn len(&self) -> usize {
        self.lines.borrow().len()
    }
}
