//! From what is to be sent to a letter. Pure, and the same bytes whenever it is asked:
//! files stand in it by their place and are read while it goes out.

use bytes::Bytes;
use domain::message::{
    Action, Address as Told, Attachment, Letter, Outbound, Text, ToSend, answer_subject,
};
use lettre::message::header::ContentType;
use lettre::message::{MultiPart, SinglePart};

use super::super::config::Config;
use super::field::{Address, Head, Id, Line, Mailbox};
use super::name::name;
use super::words;
use crate::{SendError, clean};

/// A letter that goes to more is better sent by a program for that.
const RECIPIENTS_MAX: usize = 100;
const REFERENCES_MAX: usize = 20;
/// Bytes of a file in one line.
const FILE_LINE_BYTES: u64 = 57;

/// A letter, ready to go out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    /// Its name.
    pub(super) name: String,
    /// Who sends it.
    pub(super) sender: Address,
    /// Nobody is to be told when it does not arrive.
    pub(super) automatic: bool,
    /// Whom it goes to, each once.
    pub(super) recipients: Vec<Address>,
    /// What it is made of.
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// As it is.
    Ready(Bytes),
    /// A file, to be encoded as base64.
    File(Attachment),
}

impl Rendered {
    /// Its length in bytes.
    pub(super) fn size(&self) -> u64 {
        let size = |piece: &Piece| match piece {
            Piece::Ready(bytes) => bytes.len() as u64,
            Piece::File(file) => {
                let length = file.size_bytes.div_ceil(3).saturating_mul(4);
                length + 2 * file.size_bytes.div_ceil(FILE_LINE_BYTES)
            }
        };
        self.pieces.iter().map(size).sum()
    }

    /// Whether servers have to know addresses beyond ASCII.
    pub(super) fn is_international(&self) -> bool {
        self.sender.is_international() || self.recipients.iter().any(Address::is_international)
    }
}

/// Makes a letter of what is to be sent.
pub(super) fn render(config: &Config, outbound: &Outbound) -> Result<Rendered, SendError> {
    let (text, attachments, reply_to, letter) = match &outbound.action {
        Action::Send(ToSend {
            text,
            attachments,
            reply_to,
            letter,
            ..
        }) => (text, attachments, reply_to.as_deref(), letter.as_deref()),
        Action::Edit { .. } | Action::Delete { .. } | Action::React { .. } => {
            return Err(SendError::Unsupported);
        }
    };
    let sender = Address::read(&config.address)
        .ok_or_else(|| rejected(format!("{} is no address to write from", config.address)))?;
    let name =
        name(config, outbound).ok_or_else(|| rejected("the thread has no name of its own"))?;
    let (to, cc) = parties(outbound, letter)?;
    let mut recipients: Vec<Address> = Vec::new();
    for mailbox in to.iter().chain(&cc) {
        if !recipients.contains(&mailbox.address) {
            recipients.push(mailbox.address.clone());
        }
    }
    let mut head = Head::default();
    head.date(outbound.sent_at);
    head.mailboxes(
        "From",
        &[Mailbox::new(&config.display_name, sender.clone())],
    );
    if config.plus_addresses
        && let Some(tagged) = sender.tagged(&outbound.recipient.token)
    {
        head.mailboxes("Reply-To", &[Mailbox::new(&config.display_name, tagged)]);
    }
    head.mailboxes("To", &to);
    if !cc.is_empty() {
        head.mailboxes("Cc", &cc);
    }
    head.text("Subject", &subject(outbound, letter));
    head.ids(
        "Message-ID",
        &Id::read(&name).into_iter().collect::<Vec<_>>(),
    );
    answer(&mut head, outbound, reply_to);
    marks(&mut head, outbound);
    Ok(Rendered {
        pieces: pieces(head, config, text, attachments, &name)?,
        name,
        sender,
        automatic: outbound.automatic,
        recipients,
    })
}

/// Whom it is written to, and who gets a copy.
fn parties(
    outbound: &Outbound,
    letter: Option<&Letter>,
) -> Result<(Vec<Mailbox>, Vec<Mailbox>), SendError> {
    let read = |told: &Told| {
        let address = Address::read(&told.address);
        let address = address.ok_or_else(|| {
            let shown = Line::new(&told.address);
            rejected(format!("{:?} is no address", shown.as_str()))
        })?;
        Ok(Mailbox::new(&told.name, address))
    };
    let all = |told: &[Told]| told.iter().map(read).collect::<Result<Vec<_>, SendError>>();
    let mut to = all(letter.map_or(&[], |letter| &letter.to))?;
    let cc = all(letter.map_or(&[], |letter| &letter.cc))?;
    if to.is_empty() {
        let client = outbound.recipient.identity.as_ref();
        let client = client.ok_or_else(|| rejected("the client has no address"))?;
        to.push(read(&Told {
            name: String::new(),
            address: client.value.clone(),
        })?);
    }
    if to.len() + cc.len() > RECIPIENTS_MAX {
        return Err(rejected(format!(
            "a letter goes to {RECIPIENTS_MAX} people at most"
        )));
    }
    Ok((to, cc))
}

fn subject(outbound: &Outbound, letter: Option<&Letter>) -> Line {
    let own = letter.map_or("", |letter| letter.subject.as_str());
    if !own.is_empty() {
        return Line::new(own);
    }
    let thread = outbound.recipient.context.subject.as_deref();
    Line::new(&answer_subject(thread.unwrap_or_default()))
}

/// What it answers, and what went before.
fn answer(head: &mut Head, outbound: &Outbound, reply_to: Option<&str>) {
    let told = &outbound.recipient.context.references;
    let mut references: Vec<Id> = Vec::with_capacity(told.len() + 1);
    for id in told.iter().filter_map(|id| Id::read(id)) {
        if !references.contains(&id) {
            references.push(id);
        }
    }
    if let Some(answered) = reply_to.and_then(Id::read) {
        references.retain(|id| *id != answered);
        references.push(answered);
    }
    let Some(answered) = references.last().cloned() else {
        return;
    };
    // The first names the thread, the last ones what is answered.
    let surplus = references.len().saturating_sub(REFERENCES_MAX);
    references.drain(1..=surplus);
    head.ids("In-Reply-To", &[answered]);
    head.ids("References", &references);
}

/// What programs are to know: who must not answer, and that it is ours.
fn marks(head: &mut Head, outbound: &Outbound) {
    if outbound.automatic {
        head.fixed("Auto-Submitted", "auto-replied");
        head.fixed("X-Auto-Response-Suppress", "All");
        head.fixed("Precedence", "bulk");
    }
    head.text("Switchboard-Loop", &Line::new(outbound.line.as_str()));
    head.fixed("MIME-Version", "1.0");
}

fn pieces(
    head: Head,
    config: &Config,
    text: &Text,
    attachments: &[Attachment],
    name: &str,
) -> Result<Vec<Piece>, SendError> {
    // Nobody can have known it when they wrote what stands between.
    let boundary = name.split('@').next().unwrap_or_default();
    let words = MultiPart::alternative()
        .boundary(format!("words-{boundary}"))
        .singlepart(part(
            ContentType::TEXT_PLAIN,
            words::plain(text, &config.signature),
        ))
        .singlepart(part(
            ContentType::TEXT_HTML,
            words::html(text, &config.signature),
        ));
    let mut ready = head.into_string().into_bytes();
    if attachments.is_empty() {
        ready.extend(words.formatted());
        return Ok(vec![Piece::Ready(ready.into())]);
    }
    let outer = format!("files-{boundary}");
    ready
        .extend(format!("Content-Type: multipart/mixed;\r\n boundary=\"{outer}\"\r\n\r\n").bytes());
    ready.extend(format!("--{outer}\r\n").bytes());
    ready.extend(words.formatted());
    let mut pieces = Vec::with_capacity(2 * attachments.len() + 1);
    for file in attachments {
        if file.sha256.is_empty() {
            return Err(rejected(format!(
                "the file {:?} is missing",
                file.file_name
            )));
        }
        ready.extend(format!("--{outer}\r\n{}\r\n", head_of(file)).bytes());
        pieces.push(Piece::Ready(std::mem::take(&mut ready).into()));
        pieces.push(Piece::File(file.clone()));
    }
    pieces.push(Piece::Ready(format!("--{outer}--\r\n").into()));
    Ok(pieces)
}

fn part(content_type: ContentType, words: String) -> SinglePart {
    SinglePart::builder().header(content_type).body(words)
}

fn head_of(file: &Attachment) -> String {
    let mut head = Head::default();
    let media_type = clean::media_type(&file.media_type);
    // These must not be encoded.
    let bare = media_type.starts_with("message/") || media_type.starts_with("multipart/");
    let media_type = if bare {
        "application/octet-stream"
    } else {
        &media_type
    };
    head.text("Content-Type", &Line::new(media_type));
    head.fixed("Content-Transfer-Encoding", "base64");
    head.file_name(&file.file_name);
    head.into_string()
}

fn rejected(operator_text: impl Into<String>) -> SendError {
    SendError::Rejected {
        operator_text: operator_text.into(),
    }
}
