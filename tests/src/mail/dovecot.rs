use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

use super::process::{Log, Port, Process, User, program};
use super::tokens::KEY;
use super::{Authority, Reply, SECRET, lmtp};

/// A real IMAP server with some mailboxes, and with LMTP to deliver to them.
#[derive(Debug)]
pub struct Dovecot {
    folder: TempDir,
    user: User,
    program: PathBuf,
    doveadm: PathBuf,
    authority: Authority,
    ports: [Port; 3],
    log: Log,
    process: Option<Process>,
    /// How many letters were put into inboxes without asking it.
    stocked: AtomicUsize,
}

/// Whether the server can speak a protocol.
fn knows(protocol: &str) -> bool {
    let folders = ["/usr/lib/dovecot", "/usr/libexec/dovecot"];
    let files = folders.map(|folder| Path::new(folder).join(protocol));
    files.iter().any(|file| file.is_file())
}

impl Dovecot {
    /// Starts with these addresses as mailboxes, each with [`SECRET`] as its password, or
    /// tells what is missing on this machine.
    pub async fn start(accounts: &[&str]) -> Result<Self, String> {
        Self::start_with(accounts, "").await
    }

    /// As [`Self::start`], with more configuration.
    pub async fn start_with(accounts: &[&str], more: &str) -> Result<Self, String> {
        let folder = TempDir::new().unwrap();
        let mut this = Self {
            user: User::of(folder.path()),
            folder,
            program: program(&["dovecot"])?,
            doveadm: program(&["doveadm"])?,
            authority: Authority::new(),
            ports: [Port::claim(), Port::claim(), Port::claim()],
            log: Log::default(),
            process: None,
            stocked: AtomicUsize::new(0),
        };
        // LMTP comes in a package of its own.
        if !knows("lmtp") {
            return Err("dovecot-lmtpd is not on this machine".to_owned());
        }
        this.configure(accounts, more);
        this.begin().await;
        Ok(this)
    }

    fn configure(&self, accounts: &[&str], more: &str) {
        let folder = self.folder.path();
        for name in ["run", "state", "mail"] {
            std::fs::create_dir(folder.join(name)).unwrap();
        }
        self.authority.write(folder);
        let mut users = String::new();
        for account in accounts {
            users += account;
            users += ":{PLAIN}";
            users += SECRET;
            users += "::::::\n";
        }
        std::fs::write(folder.join("users"), users).unwrap();
        self.check_tokens();
        let config = self.config() + more;
        std::fs::write(folder.join("dovecot.conf"), config).unwrap();
        self.user.own(folder);
    }

    /// Short-lived tokens are checked by their signature alone.
    fn check_tokens(&self) {
        let folder = self.folder.path();
        let config = format!(
            "introspection_mode = local\nusername_attribute = sub\n\
             local_validation_key_dict = fs:posix:prefix={}/keys/\n",
            folder.display()
        );
        std::fs::write(folder.join("oauth2.conf"), config).unwrap();
        let keys = folder.join("keys/default/HS256");
        std::fs::create_dir_all(&keys).unwrap();
        std::fs::write(keys.join("default"), STANDARD.encode(KEY)).unwrap();
    }

    fn config(&self) -> String {
        let [imap, imaps, lmtp] = self.ports.each_ref().map(|port| port.number);
        include_str!("dovecot.conf")
            .replace("USER", &self.user.name)
            .replace("GROUP", &self.user.group)
            .replace("PORT_IMAPS", &imaps.to_string())
            .replace("PORT_IMAP", &imap.to_string())
            .replace("PORT_LMTP", &lmtp.to_string())
            .replace("FOLDER", &self.folder.path().display().to_string())
    }

    /// Starts it again after a stop, with everything it had.
    pub async fn begin(&mut self) {
        let mut command = self.user.command(&self.program, self.folder.path());
        command.arg("-F").arg("-c").arg(self.config_file());
        let seen = self.log.len();
        self.process = Some(Process::spawn(&mut command, &self.log));
        // It listens when it says so.
        let ready = self.log.until("Dovecot starts", |lines| {
            let said = &lines[seen..];
            let failed = said.iter().find(|line| line.contains("Fatal:"));
            assert!(failed.is_none(), "{failed:?}");
            said.iter()
                .any(|line| line.contains("starting up"))
                .then_some(())
        });
        ready.await;
    }

    /// Stops it; its clients are sent away.
    pub async fn stop(&mut self) {
        let process = self.process.take();
        spawn_blocking(|| drop(process)).await.unwrap();
    }

    fn config_file(&self) -> PathBuf {
        self.folder.path().join("dovecot.conf")
    }

    /// Where IMAP is spoken, plainly or after STARTTLS.
    pub fn imap(&self) -> u16 {
        self.ports[0].number
    }

    /// Where IMAP is spoken over TLS.
    pub fn imaps(&self) -> u16 {
        self.ports[1].number
    }

    /// Where letters are delivered.
    pub fn lmtp(&self) -> u16 {
        self.ports[2].number
    }

    /// Who signed its certificate.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Delivers a letter to a mailbox.
    pub async fn deliver(&self, account: &str, letter: &[u8]) {
        let replies = lmtp(self.lmtp(), "somebody@client.test", &[account], letter).await;
        assert!(replies.iter().all(Reply::is_ok), "{replies:?}");
    }

    /// Runs `doveadm`, with something to read for it, and gives back what it printed.
    pub fn doveadm(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = self.user.command(&self.doveadm, self.folder.path());
        let mut child = command
            .arg("-c")
            .arg(self.config_file())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Drops the connections of a mailbox.
    pub fn kick(&self, account: &str) {
        self.doveadm(&["kick", account], b"");
    }

    /// Puts a letter into a folder.
    pub fn append(&self, account: &str, folder: &str, letter: &[u8]) {
        self.doveadm(&["save", "-u", account, "-m", folder], letter);
    }

    /// Deletes letters by a search, such as `uid 1` or `all`.
    pub fn expunge(&self, account: &str, folder: &str, search: &str) {
        let mut arguments = vec!["expunge", "-u", account, "mailbox", folder];
        arguments.extend(search.split(' '));
        self.doveadm(&arguments, b"");
    }

    /// Begins another life of a folder: what was known of its numbers is void.
    pub fn set_validity(&self, account: &str, folder: &str, validity: u32) {
        let validity = validity.to_string();
        let update = ["mailbox", "update", "-u", account, "--uid-validity"];
        self.doveadm(&[&update[..], &[&validity, folder]].concat(), b"");
    }

    /// A folder's letters, oldest first, as they lie on the disk.
    pub fn letters(&self, account: &str, folder: &str) -> Vec<Vec<u8>> {
        let files = self.files(account, folder).into_iter();
        files
            .filter_map(|(_, file)| std::fs::read(file).ok())
            .collect()
    }

    /// A folder's letters as another IMAP client reads them, oldest first; as they lie on
    /// the disk where there is no Python to be that client.
    pub async fn read(&self, account: &str, folder: &str) -> Vec<Vec<u8>> {
        match super::read(self.imap(), account, SECRET, folder).await {
            Ok(letters) => letters,
            Err(reason) => {
                eprintln!("skipped: reading by another IMAP client: {reason}");
                self.letters(account, folder)
            }
        }
    }

    /// The flags of a folder's letters, oldest first, as they stand in the names of files.
    pub fn flags(&self, account: &str, folder: &str) -> Vec<String> {
        let files = self.files(account, folder).into_iter();
        let flags = files.map(|(_, file)| {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            let flags = name.split_once(":2,").map(|(_, flags)| flags.to_owned());
            flags.unwrap_or_default()
        });
        flags.collect()
    }

    fn files(&self, account: &str, folder: &str) -> Vec<((u64, u64), PathBuf)> {
        let mut top = self.maildir(account);
        if folder != "INBOX" {
            top.push(format!(".{folder}"));
        }
        let mut files: Vec<_> = ["new", "cur"]
            .into_iter()
            .filter_map(|name| std::fs::read_dir(top.join(name)).ok())
            .flat_map(|entries| entries.map(|entry| entry.unwrap().path()))
            .map(|file| (delivered_at(&file), file))
            .collect();
        files.sort();
        files
    }

    fn maildir(&self, account: &str) -> PathBuf {
        self.folder
            .path()
            .join("mail")
            .join(account)
            .join("Maildir")
    }

    /// Puts many letters into an inbox at once, without asking the server.
    pub fn stock(&self, account: &str, letters: impl IntoIterator<Item = Vec<u8>>) {
        // The server makes the mailbox.
        self.doveadm(
            &["mailbox", "status", "-u", account, "messages", "INBOX"],
            b"",
        );
        for letter in letters {
            self.drop(account, &letter);
        }
    }

    /// Puts a letter into an inbox that is there, behind those put there before.
    pub fn drop(&self, account: &str, letter: &[u8]) {
        let number = self.stocked.fetch_add(1, Ordering::SeqCst);
        let name = format!("1700000000.M{number}P1.stock");
        let top = self.maildir(account);
        let file = top.join("tmp").join(&name);
        std::fs::write(&file, letter).unwrap();
        // As if they had come a second one after the other.
        let came = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + number as u64);
        File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(came)
            .unwrap();
        self.user.own(&file);
        // Whole, or not there.
        std::fs::rename(&file, top.join("new").join(&name)).unwrap();
    }

    /// Waits until so many letters lie in a folder, and gives them back.
    pub async fn arrived(&self, account: &str, folder: &str, count: usize) -> Vec<Vec<u8>> {
        let what = format!("{count} letters in {folder} of {account}");
        // Deliveries are told in the log.
        self.log
            .until(&what, |_| {
                let letters = self.letters(account, folder);
                (letters.len() >= count).then_some(letters)
            })
            .await
    }

    /// Waits until something holds, looking again whenever it says something: it tells of
    /// deliveries and of what clients change.
    pub async fn until(&self, what: &str, holds: impl Fn() -> bool) {
        self.log.until(what, |_| holds().then_some(())).await;
    }

    /// Waits until a line of its log has all of these words.
    pub async fn told(&self, words: &[&str]) -> String {
        let find = |lines: &[String]| {
            let told = |line: &&String| words.iter().all(|word| line.contains(word));
            lines.iter().find(told).cloned()
        };
        self.log.until(&format!("{words:?}"), find).await
    }

    /// What it said so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lines()
    }
}

/// When a file of a maildir was delivered: `seconds.Mmicroseconds…`.
fn delivered_at(file: &Path) -> (u64, u64) {
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let (seconds, rest) = name.split_once(".M").unwrap_or((&name, ""));
    let digits = rest.split(|letter: char| !letter.is_ascii_digit()).next();
    let number = |text: &str| text.parse().unwrap_or(0);
    (number(seconds), number(digits.unwrap_or("")))
}
