//! A mail server that says what a script says, byte by byte, and wants to hear what the
//! script wants.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};

use super::host::FakeHost;

/// What a client has to say, without its tag, and what it is told.
pub(super) struct Turn {
    says: String,
    untagged: Vec<u8>,
    tagged: String,
}

/// Says `untagged` and then the end of the command; nothing for an end that does not
/// come.
pub(super) fn on(says: &str, untagged: impl AsRef<[u8]>, tagged: &str) -> Turn {
    Turn {
        says: says.to_owned(),
        untagged: untagged.as_ref().to_vec(),
        tagged: tagged.to_owned(),
    }
}

/// How a login goes.
pub(super) fn login(abilities: &str) -> Vec<Turn> {
    let told = format!("* CAPABILITY IMAP4rev1 {abilities}\r\n");
    vec![
        on("LOGIN \"a@example.com\" \"sesame\"", "", "OK in"),
        on("CAPABILITY", told, "OK"),
    ]
}

/// How a folder is opened.
pub(super) fn open(verb: &str, validity: u32, next: u32, exists: u32) -> Turn {
    let told = format!(
        "* FLAGS (\\Seen)\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted)] Limited\r\n\
         * {exists} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY {validity}] UIDs valid\r\n\
         * OK [UIDNEXT {next}] Predicted\r\n"
    );
    on(&format!("{verb} \"INBOX\""), told, "OK [READ-WRITE] open")
}

/// A letter in a list.
pub(super) fn listed(uid: u32, bytes: usize) -> String {
    format!(
        "* {uid} FETCH (UID {uid} RFC822.SIZE {bytes} INTERNALDATE \"15-Nov-2026 12:00:{uid:02} +0000\")\r\n"
    )
}

/// A letter's text.
pub(super) fn given(uid: u32, from: usize, letter: &[u8]) -> Vec<u8> {
    let mut told = format!(
        "* {uid} FETCH (UID {uid} BODY[]<{from}> {{{}}}\r\n",
        letter.len()
    )
    .into_bytes();
    told.extend_from_slice(letter);
    told.extend_from_slice(b")\r\n");
    told
}

/// Plays a script to its end, then closes the connection.
pub(super) async fn play(stream: DuplexStream, host: Arc<FakeHost>, script: Vec<Turn>) {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"* OK ready\r\n").await.expect("greeted");
    let mut tag = String::new();
    for turn in script {
        let mut line = String::new();
        stream.read_line(&mut line).await.expect("a line");
        let line = line.trim_end_matches("\r\n");
        // The end of waiting has no tag of its own.
        let said = match line.split_once(' ') {
            Some((next, said)) => {
                next.clone_into(&mut tag);
                said
            }
            None => line,
        };
        assert_eq!(said, turn.says);
        let verb = said.split(' ').take(2).collect::<Vec<_>>().join(" ");
        host.note(verb);
        stream.write_all(&turn.untagged).await.expect("told");
        if !turn.tagged.is_empty() {
            let end = format!("{tag} {}\r\n", turn.tagged);
            stream.write_all(end.as_bytes()).await.expect("told");
        }
    }
}
