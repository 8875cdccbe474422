use domain::identity::{Identity, Trust};
use domain::message::{Content, Delivery, Inbound, InboundKind, Sender, Text, Thread};
use domain::rating::COMMENT_LENGTH_MAX;
use domain::{LineId, Timestamp, text};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::DESCRIPTOR;
use super::journal::{Did, Entry, Facts};
use super::protocol::{BadFrame, ClientFrame, is_client_id, message_id};
use crate::{Malformed, clean};

pub(super) fn normalize(raw: &[u8], line: &str, region: &str) -> Result<Vec<Inbound>, Malformed> {
    if raw.len() > DESCRIPTOR.delivery_bytes_max {
        return Err(Malformed("the event is larger than 256 KiB".to_owned()));
    }
    if let Ok(entry) = serde_json::from_slice::<Entry>(raw) {
        return convert(&entry, region);
    }
    let text = std::str::from_utf8(raw).map_err(|_| Malformed("it is not UTF-8".to_owned()))?;
    match read_frame(text, line) {
        Ok(Some(Frame::Typing(active))) => {
            let kind = InboundKind::Typing { active };
            Ok(vec![apart(kind, "t", text, line)])
        }
        Ok(Some(Frame::Done(entry))) => convert(&entry, region),
        Ok(None) => Ok(Vec::new()),
        Err(BadFrame::UnknownType(kind)) => {
            let kind = InboundKind::Message(Content::Unsupported { kind });
            Ok(vec![apart(kind, "u", text, line)])
        }
        Err(BadFrame::Malformed(why)) => Err(Malformed(why)),
    }
}

/// A frame as it came, with the visitor's id and the time beside it if known.
#[derive(Deserialize)]
struct Beside {
    visitor_id: Option<String>,
    sent_at: Option<i64>,
}

fn beside(text: &str) -> (String, Timestamp) {
    let beside: Option<Beside> = serde_json::from_str(text).ok();
    let (visitor_id, sent_at) =
        beside.map_or((None, None), |known| (known.visitor_id, known.sent_at));
    let visitor_id = visitor_id.filter(|id| clean::is_key(id));
    (
        visitor_id.unwrap_or_else(|| "visitor".to_owned()),
        Timestamp(sent_at.unwrap_or_default()),
    )
}

enum Frame {
    Done(Box<Entry>),
    Typing(bool),
}

fn read_frame(text: &str, line: &str) -> Result<Option<Frame>, BadFrame> {
    let did = match ClientFrame::parse(text)? {
        ClientFrame::Message(written) => Did::Write {
            client_id: written.client_id,
            text: written.text,
            attachments: Vec::new(),
            reply_to: written.reply_to,
        },
        ClientFrame::React {
            client_id,
            message_id,
            emoji,
        } => Did::React {
            client_id,
            target: message_id,
            emoji,
        },
        ClientFrame::Rating(rated) => {
            let Some((conversation, score)) = rated.read() else {
                return Err(BadFrame::Malformed("it rates nothing".to_owned()));
            };
            Did::Rate {
                client_id: rated.client_id,
                conversation,
                score,
                comment: rated.comment,
            }
        }
        ClientFrame::Callback {
            client_id,
            phone,
            comment,
        } => Did::Callback {
            client_id,
            phone,
            comment,
        },
        ClientFrame::Typing { active } => return Ok(Some(Frame::Typing(active))),
        // These mean something only within a connection.
        ClientFrame::Hello(_)
        | ClientFrame::Delivered { .. }
        | ClientFrame::Read { .. }
        | ClientFrame::Identify { .. }
        | ClientFrame::Profile(_)
        | ClientFrame::Ping {} => return Ok(None),
    };
    let (visitor_id, at) = beside(text);
    Ok(Some(Frame::Done(Box::new(Entry {
        line: LineId::from(line),
        visitor_id,
        at,
        facts: Facts::default(),
        did,
    }))))
}

/// An event that no page of ours has put into the journal.
fn apart(kind: InboundKind, verb: &str, text: &str, line: &str) -> Inbound {
    let (visitor_id, at) = beside(text);
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(text.as_bytes()).into();
    let digest = u32::from_be_bytes([a, b, c, d]);
    let key = format!("{verb}:{visitor_id}:{digest:08x}");
    let entry = Entry {
        line: LineId::from(line),
        visitor_id,
        at,
        facts: Facts::default(),
        did: Did::Identify { jti: String::new() },
    };
    event(&entry, "", key, kind)
}

fn convert(entry: &Entry, region: &str) -> Result<Vec<Inbound>, Malformed> {
    if !clean::is_key(&entry.visitor_id) {
        return Err(Malformed("visitor_id is not an id".to_owned()));
    }
    if let Did::Write { client_id, .. }
    | Did::React { client_id, .. }
    | Did::Rate { client_id, .. }
    | Did::Callback { client_id, .. } = &entry.did
        && !is_client_id(client_id)
    {
        return Err(Malformed("client_id is not an id".to_owned()));
    }
    let key = entry.event_key();
    Ok(match &entry.did {
        Did::Write {
            client_id,
            text,
            attachments,
            reply_to,
        } => {
            let words = Content::Text(Text::plain(clean::body(text)));
            let mut inbound = event(entry, region, key, InboundKind::Message(words));
            inbound.message_id = Some(message_id(&entry.visitor_id, client_id));
            inbound.attachments.clone_from(attachments);
            inbound.thread.reply_to_external_id = reply_to.clone().filter(|id| clean::is_key(id));
            vec![inbound]
        }
        Did::React { target, emoji, .. } => {
            let kind = InboundKind::Reaction {
                target: clean::key(target),
                emoji: text::line(emoji, 64),
            };
            vec![event(entry, region, key, kind)]
        }
        Did::See {
            targets, delivery, ..
        } => seen(entry, region, &key, targets, *delivery),
        Did::Rate {
            conversation,
            score,
            comment,
            ..
        } => {
            let kind = InboundKind::Rating {
                score: *score,
                comment: text::body(comment, COMMENT_LENGTH_MAX),
                conversation: Some(*conversation),
            };
            vec![event(entry, region, key, kind)]
        }
        Did::Callback {
            client_id,
            phone,
            comment,
        } => vec![callback(entry, region, key, client_id, phone, comment)],
        Did::Identify { .. } => Vec::new(),
    })
}

fn callback(
    entry: &Entry,
    region: &str,
    key: String,
    client_id: &str,
    phone: &str,
    comment: &str,
) -> Inbound {
    let kind = InboundKind::CallbackRequest {
        phone: text::line(phone, 64),
        comment: text::body(comment, COMMENT_LENGTH_MAX),
    };
    let mut inbound = event(entry, region, key, kind);
    inbound.message_id = Some(message_id(&entry.visitor_id, client_id));
    inbound
}

fn seen(entry: &Entry, region: &str, key: &str, targets: &[String], far: Delivery) -> Vec<Inbound> {
    let receipt = |target: &String| {
        let kind = InboundKind::Receipt {
            target: target.clone(),
            delivery: far,
            error_text: String::new(),
        };
        event(entry, region, format!("{key}:{target}"), kind)
    };
    targets.iter().map(receipt).collect()
}

fn event(entry: &Entry, region: &str, event_key: String, kind: InboundKind) -> Inbound {
    Inbound {
        event_key,
        message_id: None,
        thread_key: entry.visitor_id.clone(),
        sent_at: entry.at,
        sender: sender(entry, region),
        thread: Thread::default(),
        attachments: Vec::new(),
        letter: None,
        album: None,
        kind,
    }
}

fn sender(entry: &Entry, region: &str) -> Sender {
    let facts = &entry.facts;
    let of_line = |kind: &str, value: &str| Identity {
        kind: kind.to_owned(),
        issuer: entry.line.as_str().to_owned(),
        value: value.to_owned(),
        trust: Trust::Proven,
    };
    let mut raw = vec![of_line("visitor", &entry.visitor_id)];
    let mut name = facts.profile.name.as_deref();
    if let Some(user) = &facts.user {
        raw.push(of_line("user", &user.user_id));
        push(&mut raw, "email", user.email.as_deref(), Trust::Proven);
        push(&mut raw, "phone", user.phone.as_deref(), Trust::Proven);
        name = user.name.as_deref().or(name);
    }
    push(
        &mut raw,
        "email",
        facts.profile.email.as_deref(),
        Trust::Claimed,
    );
    push(
        &mut raw,
        "phone",
        facts.profile.phone.as_deref(),
        Trust::Claimed,
    );
    let (identities, unread) = clean::identities(raw, 8, region);
    let mut sender = Sender {
        identities,
        display_name: text::display_name(name.unwrap_or_default()),
        avatar_url: None,
        locale: facts
            .locale
            .clone()
            .filter(|locale| clean::is_locale(locale)),
        attributes: unread
            .into_iter()
            .map(|(kind, value)| (format!("unrecognised {kind}"), value))
            .collect(),
    };
    // The page's own facts do not stand for those that follow.
    let claimed = facts.profile.attributes.iter();
    let claimed = claimed.map(|(name, value)| (name.clone(), value.to_string()));
    sender
        .attributes
        .extend(clean::attributes(claimed.collect()));
    for (name, value) in [("page", &facts.page), ("referrer", &facts.referrer)] {
        if let Some(value) = value {
            sender
                .attributes
                .insert(name.to_owned(), text::line(value, 1_000));
        }
    }
    sender.attributes.remove("consent");
    if facts.profile.consent == Some(true) {
        sender
            .attributes
            .insert("consent".to_owned(), "true".to_owned());
    }
    sender
}

fn push(identities: &mut Vec<Identity>, kind: &str, value: Option<&str>, trust: Trust) {
    // What is signed is not claimed once more.
    let again = identities
        .iter()
        .any(|known| known.kind == kind && Some(known.value.as_str()) == value);
    if let Some(value) = value.filter(|value| !value.trim().is_empty() && !again) {
        identities.push(Identity {
            kind: kind.to_owned(),
            issuer: String::new(),
            value: value.to_owned(),
            trust,
        });
    }
}
