//! The way to clients, and from their files.

use domain::Millis;
use domain::message::{Action, Attachment, Delivery, Outbound, Receipt, Recipient, Sender, ToSend};
use serde_json::{Value, json};

use super::api::{Api, NO_CLOCK};
use super::errors::Failure;
use super::naming::{name, number_of, random_id, tag};
use super::normalize::PRESS;
use super::render::keyboard;
use super::{render, upload};
use crate::{FetchError, File, Host, SendError, Sign};

/// VK knows a message again by its `random_id` for an hour; this is well within.
const KNOWN: Millis = Millis::from_secs(45 * 60);
/// So many messages of a dialogue are looked through for one that may be there.
const LOOKED_BACK: u32 = 200;
const MESSAGES_SEND: &str = "messages.send";

pub(super) async fn send(
    api: &Api,
    outbound: &Outbound,
    host: &dyn Host,
) -> Result<Receipt, SendError> {
    let peer: i64 = outbound
        .recipient
        .thread_key
        .parse()
        .map_err(|_| rejected("the dialogue has no number"))?;
    let message_id = match &outbound.action {
        Action::Send(ToSend {
            text,
            attachments,
            reply_to,
            buttons,
            ..
        }) => {
            let mut number = sent_before(api, outbound, peer, host).await?;
            if number.is_none() {
                let files = upload::all(api, peer, attachments, host).await?;
                let reply_to = reply_to.as_deref().and_then(number_of);
                let mut fields = fields(outbound, peer, &text.plain, files, reply_to);
                if !buttons.is_empty() {
                    fields.push(("keyboard", keyboard(buttons).to_string()));
                }
                number = hand_over(api, &fields, host).await?;
            }
            // Where it is not told, the echo tells it.
            let number = number.filter(|number| *number > 0);
            number.map(|number| name(peer, number))
        }
        Action::Edit { target, text } => {
            edit(api, peer, named(target)?, &text.plain, host).await?;
            None
        }
        Action::Delete { target } => {
            delete(api, peer, named(target)?, host).await?;
            None
        }
        Action::React { target, emoji } => {
            react(api, peer, named(target)?, emoji, host).await?;
            None
        }
    };
    Ok(Receipt {
        delivery: Delivery::Sent,
        message_id,
        error_text: String::new(),
    })
}

/// The number of a message in its dialogue, when an earlier try sent it and VK may not
/// know it again by itself.
async fn sent_before(
    api: &Api,
    outbound: &Outbound,
    peer: i64,
    host: &dyn Host,
) -> Result<Option<i64>, SendError> {
    if host.now().since(outbound.sent_at) < KNOWN {
        return Ok(None);
    }
    let fields = [
        ("peer_id", peer.to_string()),
        ("count", LOOKED_BACK.to_string()),
    ];
    let told = api.call("messages.getHistory", &fields, host.now()).await;
    let told = told.map_err(Failure::outcome)?;
    let ours = random_id(outbound);
    let mut messages = told["items"].as_array().into_iter().flatten();
    let found = messages.find(|message| message["random_id"].as_i64() == Some(ours));
    Ok(found.map(|found| {
        found["conversation_message_id"]
            .as_i64()
            .unwrap_or_default()
    }))
}

fn fields(
    outbound: &Outbound,
    peer: i64,
    text: &str,
    files: String,
    reply_to: Option<i64>,
) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        // In the plural VK answers with the number in the dialogue, by which reactions,
        // readings and answers name a message.
        ("peer_ids", peer.to_string()),
        ("random_id", random_id(outbound).to_string()),
        ("payload", tag(outbound)),
    ];
    if !text.is_empty() {
        fields.push(("message", text.to_owned()));
    }
    if !files.is_empty() {
        fields.push(("attachment", files));
    }
    if let Some(number) = reply_to {
        let answered = json!({
            "peer_id": peer, "conversation_message_ids": [number], "is_reply": true,
        });
        fields.push(("forward", answered.to_string()));
    }
    fields
}

/// Sends; answers the number in the dialogue.
async fn hand_over(
    api: &Api,
    fields: &[(&str, String)],
    host: &dyn Host,
) -> Result<Option<i64>, SendError> {
    let told = api.call(MESSAGES_SEND, fields, host.now()).await;
    let told = told.map_err(Failure::outcome)?;
    let sent = &told[0];
    if sent["error"].is_object() {
        return Err(Failure::told(&sent["error"], "code", "description").outcome());
    }
    Ok(sent["conversation_message_id"].as_i64())
}

/// Other words, and what else is in the message: what is not named again is taken out.
async fn edit(
    api: &Api,
    peer: i64,
    number: i64,
    text: &str,
    host: &dyn Host,
) -> Result<(), SendError> {
    let peer = ("peer_id", peer.to_string());
    let which = ("conversation_message_ids", number.to_string());
    let told = api
        .call(
            "messages.getByConversationMessageId",
            &[peer.clone(), which],
            host.now(),
        )
        .await;
    let told = told.map_err(Failure::outcome)?;
    let attached = told["items"][0]["attachments"].as_array();
    let attached = attached.into_iter().flatten().filter_map(|attached| {
        let kind = attached["type"].as_str()?;
        upload::name(kind, &attached[kind]).ok()
    });
    let fields = [
        peer,
        ("cmid", number.to_string()),
        ("message", text.to_owned()),
        ("attachment", attached.collect::<Vec<_>>().join(",")),
        ("keep_forward_messages", "1".to_owned()),
    ];
    done(api, "messages.edit", &fields, host).await
}

async fn delete(api: &Api, peer: i64, number: i64, host: &dyn Host) -> Result<(), SendError> {
    let fields = [
        ("peer_id", peer.to_string()),
        ("cmids", number.to_string()),
        ("delete_for_all", "1".to_owned()),
    ];
    done(api, "messages.delete", &fields, host).await
}

async fn react(
    api: &Api,
    peer: i64,
    number: i64,
    emoji: &str,
    host: &dyn Host,
) -> Result<(), SendError> {
    let mut fields = vec![("peer_id", peer.to_string()), ("cmid", number.to_string())];
    if emoji.is_empty() {
        return done(api, "messages.deleteReaction", &fields, host).await;
    }
    let reaction = render::reaction(emoji);
    let reaction = reaction.ok_or_else(|| rejected("VK has no such reaction"))?;
    fields.push(("reaction_id", reaction.to_string()));
    done(api, "messages.sendReaction", &fields, host).await
}

/// Calls what answers nothing of interest, but may refuse one by one.
async fn done(
    api: &Api,
    method: &str,
    fields: &[(&str, String)],
    host: &dyn Host,
) -> Result<(), SendError> {
    let told = api.call(method, fields, host.now()).await;
    let told = told.map_err(Failure::outcome)?;
    let error = &told[0]["error"];
    if error.is_object() {
        return Err(Failure::told(error, "code", "description").outcome());
    }
    Ok(())
}

fn named(target: &str) -> Result<i64, SendError> {
    number_of(target).ok_or_else(|| rejected("VK does not know this message"))
}

fn rejected(operator_text: &str) -> SendError {
    SendError::Rejected {
        operator_text: operator_text.to_owned(),
    }
}

pub(super) async fn show(api: &Api, sign: &Sign, recipient: &Recipient) {
    let peer = recipient.thread_key.clone();
    let (method, fields) = match sign {
        Sign::Typing => (
            "messages.setActivity",
            vec![("peer_id", peer), ("type", "typing".to_owned())],
        ),
        Sign::Read(id) => {
            let Some(number) = number_of(id) else { return };
            (
                "messages.markAsRead",
                vec![("peer_id", peer), ("up_to_cmid", number.to_string())],
            )
        }
        // Without it the button goes on turning. One that only writes does not turn.
        Sign::Pressed(id) => {
            let Some(press) = id.strip_prefix(PRESS) else {
                return;
            };
            (
                "messages.sendMessageEventAnswer",
                vec![
                    ("event_id", press.to_owned()),
                    ("user_id", peer.clone()),
                    ("peer_id", peer),
                ],
            )
        }
    };
    if let Err(failure) = api.call(method, &fields, NO_CLOCK).await {
        tracing::debug!(%failure, method, "a sign was not shown");
    }
}

/// Asks for somebody's name: events have none.
pub(super) async fn introduce(api: &Api, sender: &mut Sender) {
    let Some(identity) = sender.identities.first() else {
        return;
    };
    let fields = [
        ("user_ids", identity.value.clone()),
        ("fields", "screen_name,city,photo_200".to_owned()),
    ];
    let told = match api.call("users.get", &fields, NO_CLOCK).await {
        Ok(told) => told,
        Err(failure) => {
            tracing::debug!(%failure, "a name was not told");
            return;
        }
    };
    let user = &told[0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let name = format!("{} {}", text(&user["first_name"]), text(&user["last_name"]));
    name.trim().clone_into(&mut sender.display_name);
    sender.avatar_url = user["photo_200"].as_str().map(str::to_owned);
    let facts = [
        ("username", text(&user["screen_name"])),
        ("city", text(&user["city"]["title"])),
    ];
    let facts = facts.into_iter().filter(|(_, value)| !value.is_empty());
    let facts = facts.map(|(name, value)| (name.to_owned(), value));
    sender.attributes.extend(facts);
}

pub(super) async fn fetch(api: &Api, attachment: &Attachment) -> Result<File, FetchError> {
    let gone = || FetchError::Gone("the file has no address".to_owned());
    api.file(attachment.source.as_deref().ok_or_else(gone)?)
        .await
}
