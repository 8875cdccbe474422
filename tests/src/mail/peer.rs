use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{Post, header, lmtp};
use crate::soon;

/// How somebody meets a letter: with letters of their own, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Keeps it.
    Silent,
    /// Answers that nobody is there, as RFC 3834 wants it.
    Vacation,
    /// Answers that nobody is there, and does not say that a machine wrote it.
    RudeVacation,
    /// Tells the sender that it cannot be delivered.
    Bounce,
    /// Passes it on to whom it is for.
    Relay,
    /// As [`Manner::Relay`], and takes out everything that says that a machine wrote it.
    RudeRelay,
}

/// What says that a machine wrote a letter, or which.
const MARKS: [&str; 4] = [
    "auto-submitted",
    "precedence",
    "x-auto-response-suppress",
    "switchboard-loop",
];

/// The world outside: an SMTP server that takes every letter, and what it answers is
/// delivered by LMTP.
#[derive(Debug)]
pub struct Peer {
    port: u16,
    posts: watch::Receiver<Vec<Post>>,
    server: JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Peer {
    /// Listens; answers go to this port.
    pub async fn start(manner: Manner, answers_to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, posts) = watch::channel(Vec::new());
        let posted = Arc::new(sender);
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, manner, answers_to, Arc::clone(&posted)));
            }
        });
        Self {
            port,
            posts,
            server,
        }
    }

    /// Where letters are handed over.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Everything that came.
    pub fn posts(&self) -> Vec<Post> {
        self.posts.borrow().clone()
    }

    /// Waits until so many letters came.
    pub async fn came(&self, count: usize) -> Vec<Post> {
        let mut posts = self.posts.clone();
        let wait = posts.wait_for(|posts| posts.len() >= count);
        let came = soon("a letter outside", wait).await.unwrap();
        came.clone()
    }
}

async fn serve(
    stream: TcpStream,
    manner: Manner,
    answers_to: u16,
    posted: Arc<watch::Sender<Vec<Post>>>,
) {
    let mut stream = BufStream::new(stream);
    if say(&mut stream, "220 outside.test ESMTP").await.is_err() {
        return;
    }
    // Whoever goes away in the middle has sent nothing.
    while let Ok(Some(post)) = take(&mut stream).await {
        if let Some(answer) = answer(manner, &post) {
            for recipient in &answer.recipients {
                let to = [recipient.as_str()];
                // Whom nobody knows here gets nothing.
                lmtp(answers_to, &answer.sender, &to, &answer.letter).await;
            }
        }
        posted.send_modify(|posts| posts.push(post));
        if say(&mut stream, "250 2.0.0 taken").await.is_err() {
            return;
        }
    }
}

/// Talks until a letter is there; none at the end. It waits for the last answer.
async fn take(stream: &mut BufStream<TcpStream>) -> std::io::Result<Option<Post>> {
    let mut post = Post {
        sender: String::new(),
        recipients: Vec::new(),
        letter: Vec::new(),
    };
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => say(stream, "250-outside.test\r\n250-8BITMIME\r\n250 SMTPUTF8").await?,
            "MAIL" => {
                post.sender = address(&line);
                post.recipients.clear();
                say(stream, "250 2.1.0 ok").await?;
            }
            "RCPT" => {
                post.recipients.push(address(&line));
                say(stream, "250 2.1.5 ok").await?;
            }
            "DATA" => {
                say(stream, "354 go on").await?;
                post.letter = letter(stream).await?;
                return Ok(Some(post));
            }
            "QUIT" => {
                say(stream, "221 2.0.0 bye").await?;
                return Ok(None);
            }
            "RSET" | "NOOP" => say(stream, "250 2.0.0 ok").await?,
            _ => say(stream, "502 5.5.1 not known here").await?,
        }
    }
}

/// What comes back, if anything: to whoever is told what becomes of the letter, and by
/// those who do not care for that also to whoever wrote it.
fn answer(manner: Manner, post: &Post) -> Option<Post> {
    match manner {
        Manner::Relay => return Some(post.clone()),
        Manner::RudeRelay => return Some(unmarked(post)),
        Manner::Silent | Manner::Vacation | Manner::RudeVacation | Manner::Bounce => {}
    }
    let us = post.recipients.first()?.clone();
    let writer = address(&header(&post.letter, "From"));
    let (to, marks) = match manner {
        Manner::Silent | Manner::Relay | Manner::RudeRelay => return None,
        Manner::RudeVacation => (writer, ""),
        Manner::Vacation => (post.sender.clone(), "Auto-Submitted: auto-replied\r\n"),
        Manner::Bounce => (post.sender.clone(), ""),
    };
    if to.is_empty() {
        return None;
    }
    let id = header(&post.letter, "Message-ID");
    let subject = header(&post.letter, "Subject");
    let (sender, letter) = if manner == Manner::Bounce {
        (String::new(), bounce(&us, &to, post))
    } else {
        let number = id.trim_matches(['<', '>']).replace('@', ".");
        let letter = format!(
            "From: <{us}>\r\nTo: <{to}>\r\nMessage-ID: <away.{number}@outside.test>\r\n\
             In-Reply-To: {id}\r\nReferences: {id}\r\n\
             Subject: Re: {subject}\r\n{marks}\r\nI am on the sea until Monday.\r\n"
        );
        (us, letter.into_bytes())
    };
    Some(Post {
        sender,
        recipients: vec![to],
        letter,
    })
}

/// The letter as if a person had written it.
fn unmarked(post: &Post) -> Post {
    let text = String::from_utf8_lossy(&post.letter);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let is_mark = |line: &&str| {
        let name = line.split(':').next().unwrap_or_default();
        MARKS.contains(&name.to_ascii_lowercase().as_str())
    };
    let kept: Vec<_> = head.split("\r\n").filter(|line| !is_mark(line)).collect();
    Post {
        sender: address(&header(&post.letter, "From")),
        recipients: post.recipients.clone(),
        letter: format!("{}\r\n\r\n{body}", kept.join("\r\n")).into_bytes(),
    }
}

/// A report as RFC 3464 has it, with the letter's head.
fn bounce(recipient: &str, to: &str, post: &Post) -> Vec<u8> {
    let text = String::from_utf8_lossy(&post.letter);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    format!(
        "From: Mail Delivery System <mailer-daemon@outside.test>\r\nTo: <{to}>\r\n\
         Subject: Undelivered Mail Returned to Sender\r\nAuto-Submitted: auto-replied\r\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n\
         --b\r\n\r\nIt could not be delivered.\r\n\
         --b\r\nContent-Type: message/delivery-status\r\n\r\n\
         Reporting-MTA: dns; outside.test\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\n\
         Action: failed\r\nStatus: 5.1.1\r\n\
         Diagnostic-Code: smtp; 550 5.1.1 No such user\r\n\r\n\
         --b\r\nContent-Type: text/rfc822-headers\r\n\r\n{head}\r\n\r\n--b--\r\n"
    )
    .into_bytes()
}

async fn say(stream: &mut BufStream<TcpStream>, line: &str) -> std::io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}

/// What stands in angle brackets.
fn address(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner
        .map(|(address, _)| address.to_owned())
        .unwrap_or_default()
}

/// Reads to the lonely dot.
async fn letter(stream: &mut BufStream<TcpStream>) -> std::io::Result<Vec<u8>> {
    let mut letter = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(letter);
        }
        letter.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
