//! What the page and the gateway say to each other: JSON, one object a frame.

use std::collections::BTreeMap;
use std::fmt;

use domain::event::Cursor;
use domain::message::{Attachment, Delivery};
use domain::rating::Score;
use domain::{LineId, MessageId, Millis, Timestamp};
use serde::{Deserialize, Serialize};

use super::config::Limits;
use crate::host::{ClientMessage, RatingAsk, Standing};

/// The longest frame from a page.
pub(super) const FRAME_BYTES_MAX: usize = 64 << 10;

/// Files in one message.
pub(super) const UPLOADS_MAX: usize = 10;

/// From the page.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ClientFrame {
    /// The first one: who it is and what it has seen.
    Hello(Hello),
    /// A message.
    Message(Written),
    /// A reaction to a message; an empty emoji takes it back.
    React {
        client_id: String,
        message_id: String,
        emoji: String,
    },
    /// The visitor is typing or stopped.
    Typing { active: bool },
    /// Everything up to here was shown.
    Delivered { cursor: i64 },
    /// Everything up to here was read.
    Read { cursor: i64 },
    /// Who the visitor is, signed by the site.
    Identify { token: String },
    /// Who the visitor says they are.
    Profile(Profile),
    /// What the visitor thinks of a conversation that has ended.
    Rating(Rated),
    /// The number to be called back at.
    Callback {
        client_id: String,
        phone: String,
        #[serde(default)]
        comment: String,
    },
    /// Whether somebody is there.
    Ping {},
}

#[derive(Debug, Default, Deserialize, PartialEq)]
pub(super) struct Hello {
    pub(super) token: Option<String>,
    #[serde(default)]
    pub(super) cursor: i64,
    /// Whose log the cursor is of.
    pub(super) visitor_id: Option<String>,
    /// The last `identified`'s.
    pub(super) session: Option<String>,
    pub(super) locale: Option<String>,
    pub(super) page: Option<String>,
    pub(super) referrer: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Written {
    pub(super) client_id: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) upload_ids: Vec<String>,
    pub(super) reply_to: Option<String>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Rated {
    pub(super) client_id: String,
    pub(super) conversation_id: String,
    pub(super) score: i64,
    #[serde(default)]
    pub(super) comment: String,
}

/// What a visitor typed about themselves. Claims, all of it.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(super) struct Profile {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) consent: Option<bool>,
    /// Free facts that the page knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) attributes: BTreeMap<String, Scalar>,
}

/// A fact's value.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Text(String),
    Flag(bool),
    Number(serde_json::Number),
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => flag.fmt(f),
            Self::Number(number) => number.fmt(f),
        }
    }
}

/// A frame that means nothing.
#[derive(Debug, PartialEq)]
pub(super) enum BadFrame {
    /// Not JSON, or a field is missing or of the wrong kind.
    Malformed(String),
    /// A newer page says what an older gateway does not know.
    UnknownType(String),
}

impl ClientFrame {
    /// Whether it reads or writes the visitor's thread.
    pub(super) fn touches_thread(&self) -> bool {
        match self {
            Self::Message(_)
            | Self::React { .. }
            | Self::Typing { .. }
            | Self::Delivered { .. }
            | Self::Read { .. }
            | Self::Rating(_)
            | Self::Callback { .. } => true,
            Self::Hello(_) | Self::Identify { .. } | Self::Profile(_) | Self::Ping {} => false,
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, BadFrame> {
        #[derive(Deserialize)]
        struct Type {
            r#type: String,
        }
        const KNOWN: [&str; 11] = [
            "callback",
            "delivered",
            "hello",
            "identify",
            "message",
            "ping",
            "profile",
            "rating",
            "react",
            "read",
            "typing",
        ];
        let malformed = |error: serde_json::Error| BadFrame::Malformed(error.to_string());
        let Type { r#type } = serde_json::from_str(text).map_err(malformed)?;
        if !KNOWN.contains(&r#type.as_str()) {
            return Err(BadFrame::UnknownType(domain::text::line(&r#type, 64)));
        }
        serde_json::from_str(text).map_err(malformed)
    }
}

/// To the page.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerFrame<'a> {
    Welcome {
        line: &'a LineId,
        /// Only when it is new: the page keeps it, the gateway does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        visitor_token: Option<&'a str>,
        visitor_id: &'a str,
        cursor: i64,
        limits: &'a Limits,
        server_time: Timestamp,
    },
    Message(Box<Shown>),
    /// The page has seen all there is.
    Synced {
        cursor: i64,
    },
    /// It is durable.
    Ack {
        client_id: String,
    },
    /// The signed identity was taken. When the visitor is another one now, the log
    /// begins anew, up to `Synced`.
    Identified {
        user_id: String,
        visitor_id: String,
        cursor: i64,
        /// Goes into the next hello.
        session: String,
    },
    /// It is not done; the page may try again after `retry_after_ms`, if given.
    Refused {
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<String>,
        code: &'static str,
        text: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<i64>,
    },
    Typing {
        active: bool,
        name: String,
    },
    /// Where the visitor stands in the queue.
    Standing(Place),
    /// A conversation that has ended can be rated.
    Rate(Rate),
    Error {
        code: &'static str,
        text: String,
    },
    /// The gateway is about to close.
    Bye {
        reason: &'static str,
        resume_after_ms: i64,
    },
    Pong {},
}

/// Where a visitor stands, as the page is told. What is not known is left out.
#[derive(Debug, Default, Serialize)]
pub(super) struct Place {
    position: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    low_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    high_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_until: Option<Timestamp>,
    callback: bool,
    callback_left: bool,
}

impl Place {
    /// None is the place of who waits no more.
    pub(super) fn of(standing: Option<Standing>) -> Self {
        standing.map_or_else(Self::default, |standing| Self {
            position: standing.position,
            expected_ms: standing.expected,
            low_ms: standing.low,
            high_ms: standing.high,
            closed_until: standing.closed_until,
            callback: standing.callback,
            callback_left: standing.callback_left,
        })
    }
}

/// What can be rated, and how it was so far.
#[derive(Debug, Serialize)]
pub(super) struct Rate {
    conversation_id: String,
    operator_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<Score>,
    comment: String,
    until: Timestamp,
}

impl From<RatingAsk> for Rate {
    fn from(ask: RatingAsk) -> Self {
        Self {
            conversation_id: ask.conversation.to_string(),
            operator_name: ask.operator_name,
            score: ask.score,
            comment: ask.comment,
            until: ask.until,
        }
    }
}

/// A message as the page shows it.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    id: String,
    cursor: i64,
    author: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_name: Option<String>,
    sent_at: Timestamp,
    text: String,
    attachments: Vec<ShownFile>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    reactions: Vec<ShownReaction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<Timestamp>,
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<Delivery>,
}

#[derive(Debug, Serialize)]
struct ShownFile {
    file_name: String,
    media_type: String,
    size_bytes: u64,
    url: String,
}

#[derive(Debug, Serialize)]
struct ShownReaction {
    emoji: String,
    own: bool,
}

impl Shown {
    pub(super) fn new(
        message: ClientMessage,
        visitor_id: &str,
        link: impl Fn(&Attachment) -> String,
    ) -> Self {
        let Cursor(cursor) = message.cursor;
        let file = |attachment: &Attachment| ShownFile {
            file_name: attachment.file_name.clone(),
            media_type: attachment.media_type.clone(),
            size_bytes: attachment.size_bytes,
            url: link(attachment),
        };
        Self {
            id: message.id.to_string(),
            cursor,
            author: if message.operator_name.is_some() {
                "operator"
            } else {
                "client"
            },
            operator_name: message.operator_name,
            sent_at: message.sent_at,
            text: message
                .content
                .as_ref()
                .map_or("", |content| content.words())
                .to_owned(),
            attachments: message.attachments.iter().map(file).collect(),
            client_id: message
                .client_id
                .map(|id| own_client_id(&id, visitor_id).to_owned()),
            reply_to: message.reply_to.as_ref().map(MessageId::to_string),
            reactions: message
                .reactions
                .into_iter()
                .map(|(emoji, own)| ShownReaction { emoji, own })
                .collect(),
            edited_at: message.edited_at,
            deleted: message.content.is_none(),
            delivery: message.delivery,
        }
    }
}

/// Outside a visitor's own thread a client id is known with the visitor's name
/// before it, so that two visitors cannot use the same one.
pub(super) fn message_id(visitor_id: &str, client_id: &str) -> String {
    format!("{visitor_id}:{client_id}")
}

/// Whether a page may call a message so: what a UUID or a counter is made of.
pub(super) fn is_client_id(id: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(allowed)
}

fn own_client_id<'a>(message_id: &'a str, visitor_id: &str) -> &'a str {
    message_id
        .strip_prefix(visitor_id)
        .and_then(|rest| rest.strip_prefix(':'))
        .unwrap_or(message_id)
}

impl ServerFrame<'_> {
    pub(super) fn refused(client_id: Option<String>, code: &'static str, text: &str) -> Self {
        ServerFrame::Refused {
            client_id,
            code,
            text: text.to_owned(),
            retry_after_ms: None,
        }
    }

    pub(super) fn try_later(client_id: Option<String>, code: &'static str, after: Millis) -> Self {
        ServerFrame::Refused {
            client_id,
            code,
            text: "try again later".to_owned(),
            retry_after_ms: Some(after.0.max(0)),
        }
    }
}

#[cfg(test)]
#[path = "protocol_tests.rs"]
mod tests;
