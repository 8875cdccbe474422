//! Letters as large as letters may be, in a gateway that is a process of its own: they
//! come whole, and its memory stays bounded.

use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use e2e::mail::{Dovecot, Kept, SECRET, SUPPORT, letter};
use e2e::or_skip;
use e2e::real::{Life, Random, Server};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

const ANNA: &str = "anna@client.test";
const FILE_BYTES: usize = 35 << 18;
const FILES: usize = 4;
const COUNT: usize = 2;
/// Two at once, each held and read: copies of them would be four.
const MEMORY_MIB_MAX: u64 = 160;
/// A debug build is not quick with them.
const PATIENCE: Duration = Duration::from_mins(4);

/// A letter with some files, of about 48 MiB as it is carried.
fn large(number: usize, file: &[u8]) -> Vec<u8> {
    let mut letter = format!(
        "From: <client{number}@client.test>\r\nTo: <{SUPPORT}>\r\n\
         Message-ID: <large{number}@client.test>\r\nSubject: large\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nlarge {number}\r\n"
    )
    .into_bytes();
    let encoded = STANDARD.encode(file);
    for part in 0..FILES {
        let head = format!(
            "--b\r\nContent-Type: application/octet-stream\r\n\
             Content-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=file{part}.bin\r\n\r\n"
        );
        letter.extend_from_slice(head.as_bytes());
        for line in encoded.as_bytes().chunks(76) {
            letter.extend_from_slice(line);
            letter.extend_from_slice(b"\r\n");
        }
    }
    letter.extend_from_slice(b"--b--\r\n");
    letter
}

async fn until_kept(server: &Server, text: &str) -> Kept {
    let wait = async {
        loop {
            let kept = Kept::open(&server.store);
            if kept.counts().contains_key(text) {
                return kept;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let kept = tokio::time::timeout(PATIENCE, wait).await;
    kept.unwrap_or_else(|_| panic!("{text} did not come:\n{}", server.said()))
}

#[tokio::test(flavor = "multi_thread")]
async fn large_letters_do_not_fill_the_memory() {
    let dovecot = or_skip!(Dovecot::start(&[SUPPORT]).await);
    let folder = TempDir::new().unwrap();
    let mut server = Server::new(folder.path(), &folder.path().join("data"), "0B");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let line = format!(
        "[[line]]\nid = \"mail\"\nchannel = \"email\"\nqueue = \"main\"\naddress = {SUPPORT:?}\n\
         letter_mib_max = 60\n\
         [[line.mailbox]]\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\n\
         password_file = {:?}\nhistory = \"all\"\nafter = \"move:Processed\"\n",
        dovecot.imap(),
        secret,
    );
    let config = std::fs::read_to_string(&server.config).unwrap() + &line;
    std::fs::write(&server.config, config).unwrap();
    let Life::Ready(..) = server.start(&[]).await else {
        panic!("it does not start:\n{}", server.said());
    };
    dovecot
        .deliver(
            SUPPORT,
            &letter(ANNA, SUPPORT, "small@client.test", "x", "small"),
        )
        .await;
    until_kept(&server, "small").await;
    let before = server.memory_peak_kib();
    let mut random = Random::new(7);
    let mut word = || random.below(u64::MAX).to_le_bytes();
    let file: Vec<u8> = (0..FILE_BYTES / 8).flat_map(|_| word()).collect();
    dovecot.stock(SUPPORT, (0..COUNT).map(|number| large(number, &file)));
    // Small ones behind it are not forgotten.
    dovecot
        .deliver(
            SUPPORT,
            &letter(ANNA, SUPPORT, "end@client.test", "x", "the end"),
        )
        .await;
    for number in 0..COUNT {
        until_kept(&server, &format!("large {number}")).await;
    }
    until_kept(&server, "the end").await;
    let more = (server.memory_peak_kib() - before) / 1_024;
    println!(
        "{}",
        json!({"test": "mail_large", "letters": COUNT, "mib_each": 48, "peak_mib_more": more})
    );
    assert!(more < MEMORY_MIB_MAX, "{more} MiB more for letters of 48");
    let mut name = String::new();
    for byte in Sha256::digest(&file) {
        let _ = write!(name, "{byte:02x}");
    }
    let found = find(folder.path(), &name);
    assert!(found, "the file is stored as it was sent");
    server.stop().await;
}

/// Whether a file of this name lies anywhere below.
fn find(folder: &std::path::Path, name: &str) -> bool {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths = entries.map(|entry| entry.unwrap().path());
    paths.any(|path| {
        path.is_dir() && find(&path, name)
            || path
                .file_name()
                .is_some_and(|found| found.to_string_lossy().contains(name))
    })
}
