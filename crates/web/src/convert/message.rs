use domain::message::{
    Attachment, Author, Content, Delivery, Direction, FilledTemplate, Message, Text,
};
use engine::contacts::convert::{identity, timestamp};
use proto::channels::v1 as pb_channels;
use proto::inbox::v1 as pb;

use super::Lens;
use super::letter::letter;

/// A message, with links to its files for whoever looks.
pub(crate) fn message(lens: &Lens, message: &Message) -> pb::Message {
    let deleted = message.deleted_at.is_some();
    let viewer = lens.viewer();
    let attachments = message.attachments.iter().map(|attachment| {
        let url = viewer
            .as_ref()
            .filter(|_| !attachment.sha256.is_empty())
            .map(|viewer| lens.engine.sign_file_link(viewer, attachment))
            .unwrap_or_default();
        self::attachment(attachment, url)
    });
    pb::Message {
        id: message.id.to_string(),
        conversation_id: message.conversation.to_string(),
        line_id: message.line.to_string(),
        direction: direction(message.direction).into(),
        operator_id: operator_id(message.author),
        written_elsewhere: message.author == Author::Elsewhere,
        sent_at: Some(timestamp(message.sent_at)),
        stored_at: Some(timestamp(message.stored_at)),
        attachments: attachments.collect(),
        content: (!deleted).then(|| content(&message.content)),
        reply_to_message_id: message
            .reply_to
            .map(|id| id.to_string())
            .unwrap_or_default(),
        reactions: message
            .reactions
            .iter()
            .map(|reaction| pb::MessageReaction {
                emoji: reaction.emoji.clone(),
                operator_id: operator_id(reaction.author),
            })
            .collect(),
        delivery: message
            .delivery
            .map_or(pb_channels::DeliveryState::Unspecified, delivery)
            .into(),
        delivery_error: message.delivery_error.clone(),
        edited_at: message.edited_at.map(timestamp),
        deleted_at: message.deleted_at.map(timestamp),
        revisions: message
            .revisions
            .iter()
            .map(|revision| pb::Revision {
                text: revision.text.clone(),
                replaced_at: Some(timestamp(revision.replaced_at)),
            })
            .collect(),
        client_id: message.client_id.clone().unwrap_or_default(),
        letter: message.letter.as_deref().map(letter),
        buttons: message.buttons.clone(),
        template: message.template.as_deref().map(template),
        mentions: message.mentions.iter().map(ToString::to_string).collect(),
    }
}

fn template(template: &FilledTemplate) -> pb::TemplateToSend {
    pb::TemplateToSend {
        name: template.name.clone(),
        language: template.language.clone(),
        values: template.values.clone(),
    }
}

fn operator_id(author: Author) -> String {
    match author {
        Author::Client | Author::Gateway | Author::Elsewhere => String::new(),
        Author::Operator(id) => id.to_string(),
    }
}

fn direction(direction: Direction) -> pb::Direction {
    match direction {
        Direction::Inbound => pb::Direction::Inbound,
        Direction::Outbound => pb::Direction::Outbound,
        Direction::Note => pb::Direction::Note,
    }
}

pub(super) fn delivery(delivery: Delivery) -> pb_channels::DeliveryState {
    match delivery {
        Delivery::Queued => pb_channels::DeliveryState::Queued,
        Delivery::Sent => pb_channels::DeliveryState::Sent,
        Delivery::Delivered => pb_channels::DeliveryState::Delivered,
        Delivery::Read => pb_channels::DeliveryState::Read,
        Delivery::Failed => pb_channels::DeliveryState::Failed,
        Delivery::Uncertain => pb_channels::DeliveryState::Uncertain,
    }
}

pub(super) fn text(text: &Text) -> pb_channels::Text {
    pb_channels::Text {
        plain: text.plain.clone(),
        html: text.html.clone().unwrap_or_default(),
    }
}

pub(super) fn attachment(attachment: &Attachment, url: String) -> pb_channels::Attachment {
    pb_channels::Attachment {
        file_name: attachment.file_name.clone(),
        media_type: attachment.media_type.clone(),
        size_bytes: i64::try_from(attachment.size_bytes).unwrap_or(i64::MAX),
        sha256: attachment.sha256.clone(),
        inline: attachment.inline,
        content_id: attachment.content_id.clone().unwrap_or_default(),
        source: attachment.source.clone().unwrap_or_default(),
        url,
        problem: attachment.problem.clone(),
    }
}

fn content(content: &Content) -> pb::message::Content {
    match content {
        Content::Text(words) => pb::message::Content::Text(text(words)),
        Content::Location {
            latitude,
            longitude,
            title,
        } => pb::message::Content::Location(pb_channels::Location {
            latitude: *latitude,
            longitude: *longitude,
            title: title.clone(),
        }),
        Content::ContactCard {
            display_name,
            identities,
        } => pb::message::Content::ContactCard(pb_channels::ContactCard {
            display_name: display_name.clone(),
            identities: identities.iter().map(identity).collect(),
        }),
        Content::Sticker { emoji, sticker_id } => {
            pb::message::Content::Sticker(pb_channels::Sticker {
                emoji: emoji.clone(),
                sticker_id: sticker_id.clone(),
            })
        }
        Content::Postback { payload, title } => {
            pb::message::Content::Postback(pb_channels::Postback {
                payload: payload.clone(),
                title: title.clone(),
            })
        }
        Content::Unsupported { kind } => {
            pb::message::Content::Unsupported(pb_channels::Unsupported { kind: kind.clone() })
        }
    }
}
