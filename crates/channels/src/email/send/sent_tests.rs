use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::super::super::config::{After, History, Login, Secret, Security, Server, Smtp};
use super::super::Sender;
use super::super::render_tests::{attach, config, outbound, whole};
use super::super::smtp::peer::{Desk, Peer, Script};
use super::*;

/// What a mailbox's server is like.
#[derive(Clone, Copy, Default)]
struct Manner {
    /// What it says to LIST.
    folders: &'static str,
    /// There is no folder until it is made.
    is_bare: bool,
    /// It sends the first connection away; then the clock runs by itself until the next.
    is_away_first: bool,
}

/// What was done to a mailbox.
#[derive(Clone, Debug, Default)]
struct Done {
    connections: usize,
    commands: Vec<String>,
    letters: Vec<String>,
}

struct Box {
    port: u16,
    done: watch::Receiver<Done>,
}

impl Box {
    async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, done) = watch::channel(Done::default());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tell.send_modify(|done| done.connections += 1);
                let connections = tell.borrow().connections;
                if manner.is_away_first && connections == 1 {
                    tokio::time::pause();
                    continue;
                }
                if manner.is_away_first && connections == 2 {
                    tokio::time::resume();
                }
                let _ = serve(BufStream::new(stream), manner, &tell).await;
            }
        });
        Self { port, done }
    }

    async fn until(&mut self, ready: impl FnMut(&Done) -> bool) -> Done {
        self.done.wait_for(ready).await.unwrap().clone()
    }
}

async fn serve(
    mut stream: BufStream<TcpStream>,
    manner: Manner,
    tell: &watch::Sender<Done>,
) -> io::Result<()> {
    stream.write_all(b"* OK hello\r\n").await?;
    let mut is_bare = manner.is_bare;
    loop {
        stream.flush().await?;
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let (tag, command) = line.trim_end().split_once(' ').unwrap();
        tell.send_modify(|done| done.commands.push(command.to_owned()));
        let verb = command.split(' ').next().unwrap();
        let answer = match verb {
            "CAPABILITY" => format!("* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"),
            "LIST" => format!("{}{tag} OK done\r\n", manner.folders),
            "APPEND" if is_bare => format!("{tag} NO [TRYCREATE] no such folder\r\n"),
            "APPEND" => {
                stream.write_all(b"+ go on\r\n").await?;
                stream.flush().await?;
                let size = command.rsplit(['{', '}']).nth(1).unwrap();
                let mut letter = vec![0; size.parse().unwrap()];
                stream.read_exact(&mut letter).await?;
                let mut end = [0; 2];
                stream.read_exact(&mut end).await?;
                assert_eq!(&end, b"\r\n");
                let letter = String::from_utf8(letter).unwrap();
                tell.send_modify(|done| done.letters.push(letter));
                format!("{tag} OK [APPENDUID 1 1] done\r\n")
            }
            "CREATE" => {
                is_bare = false;
                format!("{tag} OK done\r\n")
            }
            _ => format!("{tag} OK done\r\n"),
        };
        stream.write_all(answer.as_bytes()).await?;
    }
}

fn sender(peer: &Peer, port: u16, sent: Sent) -> Sender {
    let mut config = config();
    config.smtp = Some(Smtp {
        server: peer.server(),
        login: None,
        sent,
    });
    config.mailboxes = vec![Mailbox {
        name: "support".to_owned(),
        server: Server {
            host: "127.0.0.1".to_owned(),
            port,
            security: Security::Plain,
            authorities: None,
        },
        login: Login {
            user: "support".to_owned(),
            secret: Secret::Password("s3cret".to_owned()),
        },
        folders: vec!["INBOX".to_owned()],
        history: History::New,
        after: After::Leave,
        poll_secs: 60,
    }];
    Sender::new(&Arc::new(config), &Arc::default()).unwrap()
}

fn host() -> Arc<dyn Host> {
    Arc::new(Desk::default())
}

#[tokio::test]
async fn a_copy_is_what_was_sent_byte_for_byte() {
    let peer = Peer::start(Script::default()).await;
    let folders = "* LIST () \"/\" INBOX\r\n* LIST (\\Sent) \"/\" \"&BCcEOQ-\"\r\n";
    let mut mailbox = Box::start(Manner {
        folders,
        ..Manner::default()
    })
    .await;
    let sender = sender(&peer, mailbox.port, Sent::Marked);
    let mut letter = outbound("Hi\n.\n");
    attach(&mut letter, "a.txt", "text/plain", b"content");
    sender.send(&letter, &host()).await.unwrap();
    let done = mailbox.until(|done| !done.letters.is_empty()).await;
    let rendered = render(&sender.config, &letter).unwrap();
    assert_eq!(done.letters[0].as_bytes(), whole(&rendered));
    assert_eq!(done.letters, peer.seen().letters);
    let size = rendered.size();
    let append = format!("APPEND \"&BCcEOQ-\" (\\Seen) {{{size}}}");
    assert!(done.commands.contains(&append), "{:?}", done.commands);
}

#[tokio::test]
async fn copies_go_by_one_connection() {
    let peer = Peer::start(Script::default()).await;
    let folders = "* LIST () \"/\" \"Sent Items\"\r\n";
    let mut mailbox = Box::start(Manner {
        folders,
        ..Manner::default()
    })
    .await;
    let sender = sender(&peer, mailbox.port, Sent::Marked);
    let copies = sender.copies.as_ref().unwrap();
    for text in ["1", "2", "3", "4"] {
        copies.keep(&outbound(text), &host());
    }
    let done = mailbox.until(|done| done.letters.len() == 4).await;
    assert_eq!(done.connections, 1);
    let texts = done
        .letters
        .iter()
        .map(|letter| letter.split("\r\n\r\n").nth(2).unwrap());
    assert_eq!(texts.map(|text| &text[..1]).collect::<String>(), "1234");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_made() {
    let peer = Peer::start(Script::default()).await;
    let is_bare = true;
    let mut mailbox = Box::start(Manner {
        is_bare,
        ..Manner::default()
    })
    .await;
    let sender = sender(&peer, mailbox.port, Sent::Folder("Archive/Sent".to_owned()));
    sender.send(&outbound("Hi"), &host()).await.unwrap();
    let done = mailbox.until(|done| !done.letters.is_empty()).await;
    assert!(
        done.commands
            .contains(&"CREATE \"Archive/Sent\"".to_owned()),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_mailbox_that_is_away_gets_its_copies_later() {
    let peer = Peer::start(Script::default()).await;
    let is_away_first = true;
    let folders = "* LIST (\\Sent) \"/\" Sent\r\n";
    let mut mailbox = Box::start(Manner {
        folders,
        is_away_first,
        ..Manner::default()
    })
    .await;
    let sender = sender(&peer, mailbox.port, Sent::Marked);
    // It went out all the same.
    sender.send(&outbound("Hi"), &host()).await.unwrap();
    let done = mailbox.until(|done| !done.letters.is_empty()).await;
    assert_eq!((done.connections, done.letters.len()), (2, 1));
}

#[tokio::test]
async fn what_is_not_sent_has_no_copy() {
    use super::super::smtp::peer::Act;
    let on = vec![("DATA", Act::Say("554 no"))];
    let peer = Peer::start(Script {
        on,
        ..Script::default()
    })
    .await;
    let folders = "* LIST (\\Sent) \"/\" Sent\r\n";
    let mailbox = Box::start(Manner {
        folders,
        ..Manner::default()
    })
    .await;
    let there = sender(&peer, mailbox.port, Sent::Marked);
    assert!(there.send(&outbound("Hi"), &host()).await.is_err());
    assert!(there.copies.as_ref().unwrap().waiting.get().is_none());
    assert!(sender(&peer, mailbox.port, Sent::Provider).copies.is_none());
}

#[tokio::test]
async fn so_many_wait_and_no_more() {
    let peer = Peer::start(Script::default()).await;
    // Nobody is there.
    let sender = sender(&peer, 1, Sent::Marked);
    let copies = sender.copies.as_ref().unwrap();
    for _ in 0..2 * WAITING_MAX {
        copies.keep(&outbound("Hi"), &host());
    }
    assert_eq!(copies.waiting.get().unwrap().capacity(), 0);
}
