use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::task::spawn_blocking;

use super::process::program;
use crate::soon;

/// Another IMAP client, one that nobody here wrote.
const SCRIPT: &str = r#"
import base64, imaplib, sys

port, user, secret, folder = sys.argv[1:]
client = imaplib.IMAP4("127.0.0.1", int(port))
client.login(user, secret)
client.select('"%s"' % folder, readonly=True)
_, found = client.uid("search", None, "ALL")
for uid in found[0].split():
    _, parts = client.uid("fetch", uid, "(BODY.PEEK[])")
    print(base64.b64encode(parts[0][1]).decode())
client.logout()
"#;

/// A folder's letters as Python's IMAP client reads them, oldest first, or why there is
/// no such client.
pub async fn read(
    port: u16,
    user: &str,
    secret: &str,
    folder: &str,
) -> Result<Vec<Vec<u8>>, String> {
    let mut command = Command::new(program(&["python3"])?);
    command
        .args(["-c", SCRIPT, &port.to_string(), user, secret, folder])
        .stdin(Stdio::null());
    let run = spawn_blocking(move || command.output());
    let output = soon("another client", run).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("ModuleNotFoundError") {
        return Err("Python has no imaplib".to_owned());
    }
    assert!(output.status.success(), "{said}");
    let printed = String::from_utf8(output.stdout).unwrap();
    Ok(printed
        .lines()
        .map(|line| STANDARD.decode(line).unwrap())
        .collect())
}
