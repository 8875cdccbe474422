//! What channels carry, between the domain and the contract.

use channels::SendError;
use domain::message::{
    Action, Attachment, Content, Delivery, Inbound, InboundKind, Mark, MembershipChange, Outbound,
    Receipt, Sender, Text, Thread,
};
use domain::rating::Score;
use domain::{LineId, Millis, Timestamp};
use engine::contacts::convert::{identity, identity_from, timestamp, timestamp_from};
use proto::channels::v1 as pb;
use proto::channels::v1::inbound::Content as Kind;

use super::letter::{letter, letter_from};
use super::message::{attachment, delivery, text};

/// An event, as the contract has it.
pub fn inbound(line: &LineId, inbound: &Inbound) -> pb::Inbound {
    let sender = &inbound.sender;
    let thread = &inbound.thread;
    pb::Inbound {
        line_id: line.to_string(),
        event_key: inbound.event_key.clone(),
        message_id: inbound.message_id.clone().unwrap_or_default(),
        thread_key: inbound.thread_key.clone(),
        sent_at: (inbound.sent_at.0 > 0).then(|| timestamp(inbound.sent_at)),
        sender: Some(pb::Sender {
            identities: sender.identities.iter().map(identity).collect(),
            display_name: sender.display_name.clone(),
            avatar_url: sender.avatar_url.clone().unwrap_or_default(),
            locale: sender.locale.clone().unwrap_or_default(),
            attributes: sender.attributes.clone().into_iter().collect(),
        }),
        thread: Some(self::thread(thread)),
        attachments: inbound
            .attachments
            .iter()
            .map(|file| attachment(file, String::new()))
            .collect(),
        letter: inbound.letter.as_deref().map(letter),
        album: inbound.album.clone().unwrap_or_default(),
        echo: echo(&inbound.kind),
        aside: matches!(inbound.kind, InboundKind::Aside(_)),
        content: Some(kind(&inbound.kind)),
    }
}

fn thread(thread: &Thread) -> pb::Thread {
    pb::Thread {
        external_chat_id: thread.external_chat_id.clone().unwrap_or_default(),
        reply_to_external_id: thread.reply_to_external_id.clone().unwrap_or_default(),
        subject: thread.subject.clone().unwrap_or_default(),
        references: thread.references.clone(),
    }
}

fn kind(kind: &InboundKind) -> Kind {
    match kind {
        InboundKind::Message(content)
        | InboundKind::Aside(content)
        | InboundKind::Echo { content, .. } => message(content),
        InboundKind::Reached { until, delivery } => Kind::Reached(reached(until, *delivery)),
        InboundKind::Reaction { target, emoji } => Kind::Reaction(pb::Reaction {
            target_message_id: target.clone(),
            emoji: emoji.clone(),
        }),
        InboundKind::Edit { target, text: new } => Kind::Edit(pb::Edit {
            target_message_id: target.clone(),
            text: Some(text(new)),
        }),
        InboundKind::Delete { target } => Kind::Delete(pb::Delete {
            target_message_id: target.clone(),
        }),
        InboundKind::Receipt {
            target,
            delivery: reached,
            error_text,
        } => Kind::Receipt(pb::DeliveryReceipt {
            target_message_id: target.clone(),
            state: delivery(*reached).into(),
            error_text: error_text.clone(),
        }),
        InboundKind::Bounce {
            target,
            recipient,
            permanent,
            reason,
        } => Kind::Bounce(pb::Bounce {
            target_message_id: target.clone(),
            recipient: recipient.clone(),
            permanent: *permanent,
            reason: reason.clone(),
        }),
        InboundKind::Typing { active } => Kind::Typing(pb::Typing { active: *active }),
        InboundKind::Membership(change) => {
            use pb::membership::Change;
            Kind::Membership(pb::Membership {
                change: match change {
                    MembershipChange::Started => Change::Started,
                    MembershipChange::Stopped => Change::Stopped,
                    MembershipChange::Blocked => Change::Blocked,
                }
                .into(),
            })
        }
        InboundKind::Rating {
            score,
            comment,
            conversation,
        } => Kind::Rating(pb::Rating {
            score: score.get().into(),
            comment: comment.clone(),
            conversation_id: conversation.map(|id| id.to_string()).unwrap_or_default(),
        }),
        InboundKind::CallbackRequest { phone, comment } => {
            Kind::CallbackRequest(pb::CallbackRequest {
                phone: phone.clone(),
                comment: comment.clone(),
            })
        }
    }
}

fn message(content: &Content) -> Kind {
    match content {
        Content::Text(words) => Kind::Text(text(words)),
        Content::Location {
            latitude,
            longitude,
            title,
        } => Kind::Location(pb::Location {
            latitude: *latitude,
            longitude: *longitude,
            title: title.clone(),
        }),
        Content::ContactCard {
            display_name,
            identities,
        } => Kind::ContactCard(pb::ContactCard {
            display_name: display_name.clone(),
            identities: identities.iter().map(identity).collect(),
        }),
        Content::Sticker { emoji, sticker_id } => Kind::Sticker(pb::Sticker {
            emoji: emoji.clone(),
            sticker_id: sticker_id.clone(),
        }),
        Content::Postback { payload, title } => Kind::Postback(pb::Postback {
            payload: payload.clone(),
            title: title.clone(),
        }),
        Content::Unsupported { kind } => Kind::Unsupported(pb::Unsupported { kind: kind.clone() }),
    }
}

fn reached(until: &Mark, state: Delivery) -> pb::Reached {
    pb::Reached {
        state: delivery(state).into(),
        until: Some(match until {
            Mark::Time(at) => pb::reached::Until::Time(timestamp(*at)),
            Mark::Message(id) => pb::reached::Until::MessageId(id.clone()),
        }),
    }
}

fn reached_from(reached: pb::Reached) -> Result<InboundKind, String> {
    let delivery = delivery_from(reached.state())
        .ok_or_else(|| "reached.state: say what became of the messages".to_owned())?;
    let until = match reached.until {
        Some(pb::reached::Until::Time(at)) => Mark::Time(timestamp_from(&at)),
        Some(pb::reached::Until::MessageId(id)) => Mark::Message(id),
        None => return Err("reached.until: say how far".to_owned()),
    };
    Ok(InboundKind::Reached { until, delivery })
}

/// Whether the message is one of ours.
fn echo(kind: &InboundKind) -> Option<pb::Echo> {
    let InboundKind::Echo { ours, .. } = kind else {
        return None;
    };
    Some(pb::Echo {
        sent_id: ours.clone().unwrap_or_default(),
    })
}

/// A message, by whose it is and who answers it.
fn whose(echo: Option<pb::Echo>, aside: bool, kind: InboundKind) -> Result<InboundKind, String> {
    match (echo, aside, kind) {
        (None, false, kind) => Ok(kind),
        (Some(echo), false, InboundKind::Message(content)) => Ok(InboundKind::Echo {
            content,
            ours: filled(echo.sent_id),
        }),
        (None, true, InboundKind::Message(content)) => Ok(InboundKind::Aside(content)),
        (None, true, _) => Err("aside: only messages are".to_owned()),
        (Some(_), _, _) => Err("echo: only messages have one, and none that are aside".to_owned()),
    }
}

/// An event from the contract, or what is wrong with it.
pub(crate) fn inbound_from(inbound: pb::Inbound) -> Result<Inbound, String> {
    let sender = inbound.sender.unwrap_or_default();
    let thread = inbound.thread.unwrap_or_default();
    for (name, value) in [
        ("event_key", &inbound.event_key),
        ("thread_key", &inbound.thread_key),
    ] {
        if value.is_empty() || value.len() > 256 {
            return Err(format!("{name}: give 1 to 256 bytes"));
        }
    }
    let content = inbound
        .content
        .ok_or_else(|| "content: say what happened".to_owned())?;
    Ok(Inbound {
        event_key: inbound.event_key,
        message_id: filled(inbound.message_id),
        thread_key: inbound.thread_key,
        sent_at: inbound
            .sent_at
            .map_or(Timestamp(0), |at| timestamp_from(&at)),
        sender: Sender {
            identities: sender.identities.iter().map(identity_from).collect(),
            display_name: sender.display_name,
            avatar_url: filled(sender.avatar_url),
            locale: filled(sender.locale),
            attributes: sender.attributes.into_iter().collect(),
        },
        thread: Thread {
            external_chat_id: filled(thread.external_chat_id),
            reply_to_external_id: filled(thread.reply_to_external_id),
            subject: filled(thread.subject),
            references: thread.references,
            token: None,
        },
        attachments: inbound
            .attachments
            .into_iter()
            .map(attachment_from)
            .collect(),
        letter: inbound.letter.map(letter_from).map(Box::new),
        album: filled(inbound.album),
        kind: whose(inbound.echo, inbound.aside, kind_from(content)?)?,
    })
}

fn kind_from(content: Kind) -> Result<InboundKind, String> {
    let unsupported = |kind: &str| {
        InboundKind::Message(Content::Unsupported {
            kind: kind.to_owned(),
        })
    };
    Ok(match content {
        Kind::Text(words) => InboundKind::Message(Content::Text(text_from(words))),
        Kind::Location(place) => InboundKind::Message(Content::Location {
            latitude: place.latitude,
            longitude: place.longitude,
            title: place.title,
        }),
        Kind::ContactCard(card) => InboundKind::Message(Content::ContactCard {
            display_name: card.display_name,
            identities: card.identities.iter().map(identity_from).collect(),
        }),
        Kind::Sticker(sticker) => InboundKind::Message(Content::Sticker {
            emoji: sticker.emoji,
            sticker_id: sticker.sticker_id,
        }),
        Kind::Postback(postback) => InboundKind::Message(Content::Postback {
            payload: postback.payload,
            title: postback.title,
        }),
        Kind::Unsupported(kind) => InboundKind::Message(Content::Unsupported { kind: kind.kind }),
        Kind::Reached(reached) => reached_from(reached)?,
        Kind::Reaction(reaction) => InboundKind::Reaction {
            target: reaction.target_message_id,
            emoji: reaction.emoji,
        },
        Kind::Edit(edit) => InboundKind::Edit {
            target: edit.target_message_id,
            text: text_from(edit.text.unwrap_or_default()),
        },
        Kind::Delete(delete) => InboundKind::Delete {
            target: delete.target_message_id,
        },
        Kind::Receipt(receipt) => InboundKind::Receipt {
            delivery: delivery_from(receipt.state())
                .ok_or_else(|| "receipt.state: say what became of the message".to_owned())?,
            target: receipt.target_message_id,
            error_text: receipt.error_text,
        },
        Kind::Typing(typing) => InboundKind::Typing {
            active: typing.active,
        },
        Kind::Membership(membership) => InboundKind::Membership(
            membership_from(membership.change())
                .ok_or_else(|| "membership.change: say what the client did".to_owned())?,
        ),
        Kind::Rating(rating) => rating_from(rating)?,
        Kind::CallbackRequest(request) if request.phone.trim().is_empty() => {
            return Err("callback_request.phone: give the number".to_owned());
        }
        Kind::CallbackRequest(request) => InboundKind::CallbackRequest {
            phone: request.phone,
            comment: request.comment,
        },
        Kind::Bounce(bounce) => InboundKind::Bounce {
            target: bounce.target_message_id,
            recipient: bounce.recipient,
            permanent: bounce.permanent,
            reason: bounce.reason,
        },
        // Calls come with telephony; what a bridge says of them until then is shown as
        // what it is.
        Kind::Call(_) => unsupported("call"),
    })
}

const fn membership_from(change: pb::membership::Change) -> Option<MembershipChange> {
    use pb::membership::Change;
    match change {
        Change::Started => Some(MembershipChange::Started),
        Change::Stopped => Some(MembershipChange::Stopped),
        Change::Blocked => Some(MembershipChange::Blocked),
        Change::Unspecified => None,
    }
}

fn rating_from(rating: pb::Rating) -> Result<InboundKind, String> {
    let score = u8::try_from(rating.score).ok();
    let score = score.and_then(|score| Score::try_from(score).ok());
    let conversation = match rating.conversation_id.as_str() {
        "" => None,
        id => Some(
            id.parse()
                .map_err(|_| "rating.conversation_id: there is no such conversation".to_owned())?,
        ),
    };
    Ok(InboundKind::Rating {
        score: score.ok_or_else(|| "rating.score: give 1 to 5".to_owned())?,
        comment: rating.comment,
        conversation,
    })
}

fn delivery_from(state: pb::DeliveryState) -> Option<Delivery> {
    match state {
        pb::DeliveryState::Unspecified | pb::DeliveryState::Queued => None,
        pb::DeliveryState::Sent => Some(Delivery::Sent),
        pb::DeliveryState::Delivered => Some(Delivery::Delivered),
        pb::DeliveryState::Read => Some(Delivery::Read),
        pb::DeliveryState::Failed => Some(Delivery::Failed),
        pb::DeliveryState::Uncertain => Some(Delivery::Uncertain),
    }
}

fn text_from(text: pb::Text) -> Text {
    Text {
        plain: text.plain,
        html: filled(text.html),
    }
}

fn attachment_from(file: pb::Attachment) -> Attachment {
    Attachment {
        file_name: domain::text::file_name(&file.file_name),
        media_type: file.media_type,
        size_bytes: u64::try_from(file.size_bytes).unwrap_or(0),
        // A content is only ever known by what is stored here.
        sha256: String::new(),
        inline: file.inline,
        content_id: filled(file.content_id),
        source: filled(file.source),
        problem: String::new(),
    }
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// What a bridge is to send; `link` makes a file's address.
pub(crate) fn outbound(outbound: &Outbound, link: impl Fn(&Attachment) -> String) -> pb::Outbound {
    use pb::outbound::Action as Do;
    let recipient = &outbound.recipient;
    let mut context = thread(&recipient.context);
    context.reply_to_external_id = String::new();
    let (mut attachments, mut buttons) = (Vec::new(), Vec::new());
    let action = match &outbound.action {
        Action::Send(sent) => {
            let files = sent.attachments.iter();
            attachments = files.map(|file| attachment(file, link(file))).collect();
            buttons.clone_from(&sent.buttons);
            context.reply_to_external_id = sent.reply_to.clone().unwrap_or_default();
            Do::Text(text(&sent.text))
        }
        Action::Edit { target, text: new } => Do::Edit(pb::Edit {
            target_message_id: target.clone(),
            text: Some(text(new)),
        }),
        Action::Delete { target } => Do::Delete(pb::Delete {
            target_message_id: target.clone(),
        }),
        Action::React { target, emoji } => Do::Reaction(pb::Reaction {
            target_message_id: target.clone(),
            emoji: emoji.clone(),
        }),
    };
    pb::Outbound {
        id: channels::uplink::outbound_id(outbound),
        line_id: outbound.line.to_string(),
        thread_key: recipient.thread_key.clone(),
        recipient: recipient.identity.as_ref().map(identity),
        thread: Some(context),
        action: Some(action),
        attachments,
        buttons,
    }
}

/// A bridge's answer.
pub(crate) fn receipt_from(receipt: pb::Receipt) -> Result<Receipt, SendError> {
    let error = if receipt.error_text.is_empty() {
        "the bridge did not say why".to_owned()
    } else {
        domain::text::line(&receipt.error_text, 500)
    };
    match receipt.state() {
        pb::DeliveryState::Sent | pb::DeliveryState::Delivered | pb::DeliveryState::Read => {
            Ok(Receipt {
                delivery: Delivery::Sent,
                message_id: filled(receipt.message_id),
                error_text: String::new(),
            })
        }
        pb::DeliveryState::Failed => Err(SendError::Rejected {
            operator_text: error,
        }),
        pb::DeliveryState::Uncertain => Err(SendError::Uncertain(error)),
        pb::DeliveryState::Unspecified | pb::DeliveryState::Queued => Err(SendError::RetryAfter {
            after: Millis(receipt.retry_after_ms.clamp(100, 3_600_000)),
            reason: error,
        }),
    }
}
