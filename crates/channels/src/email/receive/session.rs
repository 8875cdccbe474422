//! A logged-in connection. Commands are run to their tagged answer, which tells whether
//! they were done: an end of the answers alone does not.

use std::collections::BTreeSet;
use std::io;
use std::time::Duration;

use async_imap::imap_proto::{
    AttributeValue, Capability, MailboxDatum, RequestId, Response, ResponseCode, Status,
};
use bytes::Bytes;
use domain::{Timestamp, text};
use futures::{Stream, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::time::{Instant, timeout, timeout_at};

use super::guard::{Excess, Guarded};
use super::wire;

/// How long a server may be silent within a command; a search through a large folder
/// takes its time.
const SILENCE_MAX: Duration = Duration::from_mins(2);
/// How long the beginning and the end of waiting may take.
const IDLE_TURN_MAX: Duration = Duration::from_secs(30);
/// Of what a server says so much is shown.
const TEXT_CHARS_MAX: usize = 200;

/// What bytes go over.
pub(in crate::registry::email) trait Duplex:
    AsyncRead + AsyncWrite + Send + Unpin
{
}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection of whatever kind, watched.
pub(super) type Wire = Guarded<Box<dyn Duplex>>;

/// Why something could not be done, by what comes next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::registry::email) enum Trouble {
    /// The connection is gone or cannot be made: another one may do it.
    #[error("{0}")]
    Lost(String),
    /// The server sent what cannot be understood: the connection must not be used on.
    #[error("it {0}")]
    Garbled(String),
    /// The server does not let us in.
    #[error("it does not let us in: {0}")]
    Credentials(String),
    /// The server does not do what it was asked for; the connection is good.
    #[error("{0}")]
    Refused(String),
}

/// What a server answered to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registry::email) struct Answer {
    pub(in crate::registry::email) is_ok: bool,
    /// The folder is not there and could be made.
    pub(in crate::registry::email) try_create: bool,
    /// In the server's words.
    pub(in crate::registry::email) text: String,
}

/// An open folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selected {
    pub(super) uid_validity: u32,
    pub(super) uid_next: Option<u32>,
    pub(super) exists: u32,
    /// Letters can be given this keyword; none when any.
    permanent_flags: Option<Vec<String>>,
    pub(super) is_read_only: bool,
}

/// What a server tells of a letter.
#[derive(Debug, Default)]
pub(super) struct Told<'a> {
    pub(super) uid: Option<u32>,
    pub(super) bytes: Option<u32>,
    pub(super) received_at: Option<Timestamp>,
    pub(super) flags: Option<Vec<&'a str>>,
    /// From where on, when only a part was asked for, and the bytes.
    pub(super) content: Option<(Option<u32>, &'a [u8])>,
}

/// A folder in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registry::email) struct Listed {
    /// As people read it.
    pub(in crate::registry::email) name: String,
    /// Marked as the folder of sent mail.
    pub(in crate::registry::email) is_sent: bool,
}

/// How waiting for news ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// There may be something, or it is time to look.
    Look,
    /// The server does not do it.
    Refused,
}

/// A logged-in connection.
pub(in crate::registry::email) struct Session {
    inner: async_imap::Session<Wire>,
    abilities: BTreeSet<String>,
    /// The server told of a letter since this was last cleared.
    pub(super) has_news: bool,
}

impl Session {
    /// Takes over a connection that has just been let in.
    pub(super) async fn begin(inner: async_imap::Session<Wire>) -> Result<Self, Trouble> {
        let mut session = Self {
            inner,
            abilities: BTreeSet::new(),
            has_news: false,
        };
        let mut abilities = BTreeSet::new();
        let answer = session
            .run("CAPABILITY", |response| {
                if let Response::Capabilities(told) = response {
                    abilities.extend(told.iter().map(name_of));
                }
            })
            .await?;
        answer.done("CAPABILITY")?;
        session.abilities = abilities;
        Ok(session)
    }

    /// Whether the server has an extension, by its name in capitals.
    pub(in crate::registry::email) fn can(&self, ability: &str) -> bool {
        self.abilities.contains(ability)
    }

    /// Runs a command to its end and shows what comes before it.
    pub(super) async fn run(
        &mut self,
        command: &str,
        mut each: impl FnMut(&Response<'_>) + Send,
    ) -> Result<Answer, Trouble> {
        let id = self.write(command).await?;
        loop {
            let answer = self.read(|response| {
                let answer = answer_to(&id, response);
                if answer.is_none() {
                    each(response);
                }
                answer
            });
            if let Some(answer) = answer.await? {
                return Ok(answer);
            }
        }
    }

    /// Opens a folder.
    pub(super) async fn select(
        &mut self,
        folder: &str,
        read_only: bool,
    ) -> Result<Selected, Trouble> {
        let verb = if read_only { "EXAMINE" } else { "SELECT" };
        let command = format!("{verb} {}", wire::folder_name(folder));
        let mut selected = Selected {
            is_read_only: read_only,
            ..Selected::default()
        };
        let id = self.write(&command).await?;
        let answer = loop {
            let answer = self.read(|response| {
                note(&mut selected, response);
                answer_to(&id, response)
            });
            if let Some(answer) = answer.await? {
                break answer;
            }
        };
        answer.done(&format!("the folder {folder} cannot be opened"))?;
        self.has_news = false;
        Ok(selected)
    }

    /// Asks for something of letters, by their numbers in the folder's present life.
    pub(super) async fn fetch(
        &mut self,
        uids: &str,
        items: &str,
        mut each: impl FnMut(&Told<'_>) + Send,
    ) -> Result<Answer, Trouble> {
        self.run(&format!("UID FETCH {uids} ({items})"), |response| {
            if let Response::Fetch(_, attributes) = response {
                each(&told(attributes));
            }
        })
        .await
    }

    /// The folders there are.
    pub(in crate::registry::email) async fn folders(&mut self) -> Result<Vec<Listed>, Trouble> {
        use async_imap::imap_proto::NameAttribute;

        let mut folders = Vec::new();
        let answer = self
            .run("LIST \"\" \"*\"", |response| {
                if let Response::MailboxData(MailboxDatum::List(folder)) = response {
                    folders.push(Listed {
                        name: wire::folder_read(&folder.name),
                        is_sent: folder.name_attributes.contains(&NameAttribute::Sent),
                    });
                }
            })
            .await?;
        answer.done("the folders cannot be listed")?;
        Ok(folders)
    }

    /// Puts a letter of so many bytes into a folder, as one that was read. After a
    /// trouble the connection must not be used on.
    pub(in crate::registry::email) async fn append(
        &mut self,
        folder: &str,
        size: u64,
        mut letter: impl Stream<Item = io::Result<Bytes>> + Send + Unpin,
    ) -> Result<Answer, Trouble> {
        let folder = wire::folder_name(folder);
        let command = format!("APPEND {folder} (\\Seen) {{{size}}}");
        let id = self.write(&command).await?;
        loop {
            let told = self.read(|response| {
                let go_on = matches!(response, Response::Continue(_));
                (go_on, answer_to(&id, response))
            });
            match told.await? {
                (true, _) => break,
                (false, Some(refused)) => return Ok(refused),
                (false, None) => {}
            }
        }
        while let Some(piece) = letter.next().await {
            let piece = piece.map_err(|error| Trouble::Lost(error.to_string()))?;
            self.put(&piece).await?;
        }
        self.put(b"\r\n").await?;
        loop {
            if let Some(answer) = self.read(|response| answer_to(&id, response)).await? {
                return Ok(answer);
            }
        }
    }

    /// Makes a folder.
    pub(in crate::registry::email) async fn create(&mut self, folder: &str) -> Result<(), Trouble> {
        let command = format!("CREATE {}", wire::folder_name(folder));
        let answer = self.run(&command, |_| {}).await?;
        answer.done(&format!("the folder {folder} cannot be made"))
    }

    /// Waits for news, at most so long. The session can be used on afterwards.
    pub(super) async fn idle(&mut self, at_most: Duration) -> Result<Waited, Trouble> {
        let id = self.write("IDLE").await?;
        let turn = Instant::now() + IDLE_TURN_MAX;
        loop {
            let (is_begun, is_over) = self
                .read_until(turn, |response| {
                    let is_begun = matches!(response, Response::Continue(_));
                    (is_begun, answer_to(&id, response).is_some())
                })
                .await?
                .ok_or_else(silent)?;
            if is_begun {
                break;
            }
            // A no, or an end before the beginning.
            if is_over {
                return Ok(Waited::Refused);
            }
        }
        // What came in the meantime was noted, and keepalives do not make it longer.
        let end = Instant::now() + at_most;
        let is_over = |response: &Response<'_>| answer_to(&id, response).is_some();
        while !self.has_news {
            match self.read_until(end, is_over).await? {
                Some(true) => return Ok(Waited::Look),
                Some(false) => {}
                None => break,
            }
        }
        let told = self.inner.run_command_untagged("DONE");
        timeout(IDLE_TURN_MAX, told)
            .await
            .map_err(|_| silent())?
            .map_err(|error| trouble(&error))?;
        let turn = Instant::now() + IDLE_TURN_MAX;
        while !self.read_until(turn, is_over).await?.ok_or_else(silent)? {}
        Ok(Waited::Look)
    }

    async fn write(&mut self, command: &str) -> Result<RequestId, Trouble> {
        let written = self.inner.run_command(command);
        timeout(SILENCE_MAX, written)
            .await
            .map_err(|_| silent())?
            .map_err(|error| trouble(&error))
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let stream = self.inner.get_mut();
        let written = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        let in_time = timeout(SILENCE_MAX, written).await;
        in_time
            .map_err(|_| silent())?
            .map_err(|error| broken(&error))
    }

    async fn read<R>(&mut self, view: impl FnOnce(&Response<'_>) -> R) -> Result<R, Trouble> {
        let end = Instant::now() + SILENCE_MAX;
        self.read_until(end, view).await?.ok_or_else(silent)
    }

    /// Looks at the next response; none when there was none in time.
    async fn read_until<R>(
        &mut self,
        end: Instant,
        view: impl FnOnce(&Response<'_>) -> R,
    ) -> Result<Option<R>, Trouble> {
        let Ok(read) = timeout_at(end, self.inner.read_response()).await else {
            return Ok(None);
        };
        let data = read.map_err(|error| broken(&error))?;
        let data = data.ok_or_else(|| Trouble::Lost("it closed the connection".to_owned()))?;
        let response = data.parsed();
        if let Response::MailboxData(MailboxDatum::Exists(_)) = response {
            self.has_news = true;
        }
        if let Response::Data {
            status: Status::Bye,
            outcome,
        } = response
        {
            let words = shown(outcome.information.as_deref());
            return Err(Trouble::Lost(format!("it said goodbye: {words}")));
        }
        Ok(Some(view(response)))
    }
}

impl Answer {
    /// An answer of no as a trouble.
    pub(super) fn done(&self, what: &str) -> Result<(), Trouble> {
        if self.is_ok {
            Ok(())
        } else {
            Err(Trouble::Refused(format!("{what}: {}", self.text)))
        }
    }
}

impl Selected {
    /// Whether letters can be marked so for good.
    pub(super) fn keeps(&self, keyword: &str) -> bool {
        let Some(flags) = &self.permanent_flags else {
            return true;
        };
        flags
            .iter()
            .any(|flag| flag == "\\*" || flag.eq_ignore_ascii_case(keyword))
    }
}

/// The answer to a command, if it is that.
fn answer_to(id: &RequestId, response: &Response<'_>) -> Option<Answer> {
    let Response::Done {
        tag,
        status,
        outcome,
    } = response
    else {
        return None;
    };
    (tag == id).then(|| Answer {
        is_ok: *status == Status::Ok,
        try_create: outcome.code == Some(ResponseCode::TryCreate),
        text: shown(outcome.information.as_deref()),
    })
}

fn note(selected: &mut Selected, response: &Response<'_>) {
    if let Response::MailboxData(MailboxDatum::Exists(exists)) = response {
        selected.exists = *exists;
    }
    let (Response::Data { outcome, .. } | Response::Done { outcome, .. }) = response else {
        return;
    };
    match &outcome.code {
        Some(ResponseCode::UidValidity(validity)) => selected.uid_validity = *validity,
        Some(ResponseCode::UidNext(next)) => selected.uid_next = Some(*next),
        Some(ResponseCode::ReadOnly) => selected.is_read_only = true,
        Some(ResponseCode::PermanentFlags(flags)) => {
            let flags = flags.iter().map(|flag| flag.clone().into_owned());
            selected.permanent_flags = Some(flags.collect());
        }
        _ => {}
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's own, of which a few matter"
)]
fn told<'a>(attributes: &'a [AttributeValue<'_>]) -> Told<'a> {
    let mut told = Told::default();
    for attribute in attributes {
        match attribute {
            AttributeValue::Uid(uid) => told.uid = Some(*uid),
            AttributeValue::Rfc822Size(bytes) => told.bytes = Some(*bytes),
            AttributeValue::InternalDate(text) => told.received_at = wire::date_time(text),
            AttributeValue::Flags(flags) => {
                told.flags = Some(flags.iter().map(AsRef::as_ref).collect());
            }
            AttributeValue::BodySection { index, data, .. } => {
                told.content = Some((*index, data.as_deref().unwrap_or_default()));
            }
            _ => {}
        }
    }
    told
}

fn name_of(capability: &Capability<'_>) -> String {
    match capability {
        Capability::Imap4rev1 => "IMAP4REV1".to_owned(),
        Capability::Auth(way) => format!("AUTH={}", way.to_ascii_uppercase()),
        Capability::Atom(name) => name.to_ascii_uppercase(),
    }
}

/// What a server says, as a line for people.
pub(super) fn shown(text: Option<&str>) -> String {
    text::line(text.unwrap_or("no reason is given"), TEXT_CHARS_MAX)
}

fn silent() -> Trouble {
    Trouble::Lost("it does not answer".to_owned())
}

/// An error without what the library quotes: that is letters.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the library's own, of which a few matter"
)]
pub(super) fn trouble(error: &async_imap::error::Error) -> Trouble {
    use async_imap::error::Error;

    match error {
        Error::Io(error) => broken(error),
        Error::Bad(text) | Error::No(text) => Trouble::Refused(said(text)),
        Error::ConnectionLost => Trouble::Lost("it closed the connection".to_owned()),
        _ => Trouble::Garbled("sent what cannot be understood".to_owned()),
    }
}

fn broken(error: &io::Error) -> Trouble {
    if let Some(inner) = error.get_ref()
        && let Some(excess) = inner.downcast_ref::<Excess>()
    {
        return Trouble::Garbled(excess.to_string());
    }
    if error.kind() == io::ErrorKind::Other {
        return Trouble::Garbled("sent what cannot be understood".to_owned());
    }
    Trouble::Lost(format!("the connection broke off: {}", error.kind()))
}

/// The server's words out of what the library makes of them.
fn said(text: &str) -> String {
    let words = text.split_once("info: Some(\"").map(|(_, words)| words);
    let words = words.and_then(|words| words.strip_suffix("\")"));
    shown(words)
}
