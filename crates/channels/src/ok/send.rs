//! The way to clients.

use std::time::Duration;

use domain::Millis;
use domain::message::{Action, Attachment, Delivery, Outbound, Receipt, Recipient, Text, ToSend};
use serde_json::{Value, json};

use super::api::{Api, NO_CLOCK};
use super::doubt;
use super::failure::Failure;
use super::render::{Words, keyboard, message, recipient};
use super::upload;
use crate::sent::Sent;
use crate::{Host, SendError, Sign};

/// How long a file is waited for, in growing steps. What is not ready then is handed over
/// anew.
const STEPS: [Duration; 5] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
];

pub(super) async fn send(
    api: &Api,
    sent: &Sent,
    outbound: &Outbound,
    host: &dyn Host,
) -> Result<Receipt, SendError> {
    let Action::Send(ToSend {
        text,
        attachments,
        reply_to,
        buttons,
        ..
    }) = &outbound.action
    else {
        return Err(SendError::Unsupported);
    };
    let what = New {
        text,
        files: attachments,
        buttons,
        reply_to: reply_to.as_deref(),
    };
    let message_id = what.send(api, sent, outbound, host).await?;
    if let Some(name) = &message_id {
        sent.note(name);
    }
    Ok(Receipt {
        delivery: Delivery::Sent,
        message_id,
        error_text: String::new(),
    })
}

/// A message that is not there yet.
struct New<'a> {
    text: &'a Text,
    files: &'a [Attachment],
    buttons: &'a [String],
    reply_to: Option<&'a str>,
}

impl New<'_> {
    /// Sends it; answers what OK calls it.
    async fn send(
        &self,
        api: &Api,
        sent: &Sent,
        outbound: &Outbound,
        host: &dyn Host,
    ) -> Result<Option<String>, SendError> {
        let age = Millis(host.now().0 - outbound.sent_at.0);
        let place = &outbound.recipient.thread_key;
        let recipient = recipient(place).ok_or_else(|| SendError::Rejected {
            operator_text: "the client has no chat".to_owned(),
        })?;
        let mut attachments = upload::all(api, self.files, age, host).await?;
        if !self.buttons.is_empty() {
            attachments.push(keyboard(self.buttons));
        }
        let message = message(&self.text.plain, &attachments, self.reply_to);
        let body = json!({"recipient": recipient, "message": message});
        match hand_over(api, place, &body, host).await {
            Ok(told) => taken(&told),
            Err(failure @ Failure::InDoubt(_)) => {
                let words = Words::of(self.text, self.files);
                let found = doubt::look(api, sent, outbound, &words, host).await;
                found.map(Some).ok_or_else(|| failure.outcome(age))
            }
            Err(failure @ (Failure::NotSent(_) | Failure::Refused { .. })) => {
                Err(failure.outcome(age))
            }
        }
    }
}

/// Where a chat's messages go.
fn path(place: &str) -> String {
    if place.starts_with("chat:") {
        format!("me/messages/{place}")
    } else {
        "me/messages".to_owned()
    }
}

/// Hands a message over, as soon as its files are ready.
async fn hand_over(
    api: &Api,
    place: &str,
    body: &Value,
    host: &dyn Host,
) -> Result<Value, Failure> {
    let mut steps = STEPS.into_iter();
    loop {
        match api.post(&path(place), body, host.now()).await {
            Err(failure) if failure.is_not_ready() => match steps.next() {
                Some(step) => tokio::time::sleep(step).await,
                None => return Err(failure),
            },
            told => return told,
        }
    }
}

/// What OK calls a message that it took. To a person it may say that they took it not.
fn taken(told: &Value) -> Result<Option<String>, SendError> {
    let success = &told["success"];
    if *success == false || success[0] == false {
        return Err(SendError::ContactUnreachable {
            operator_text: "OK says: the client takes no messages of the group".to_owned(),
        });
    }
    let names = [
        &told["message_id"],
        &told["mid"],
        &told["message"]["mid"],
        &told["message_ids"][0],
    ];
    let mut names = names.into_iter().filter_map(Value::as_str);
    Ok(names.next().map(str::to_owned))
}

/// A press is not answered: OK knows no answer but a message.
pub(super) async fn show(api: &Api, sign: &Sign, to: &Recipient) {
    let action = match sign {
        Sign::Typing => "typing_on",
        Sign::Read(_) => "mark_seen",
        Sign::Pressed(_) => return,
    };
    let Some(recipient) = recipient(&to.thread_key) else {
        return;
    };
    let body = json!({"recipient": recipient, "sender_action": action});
    if let Err(failure) = api.post(&path(&to.thread_key), &body, NO_CLOCK).await {
        tracing::debug!(%failure, "a sign was not shown");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_named_in_one_way_or_another() {
        let name = Some("mid:C1.2".to_owned());
        for told in [
            json!({"message_id": "mid:C1.2"}),
            json!({"mid": "mid:C1.2"}),
            json!({"message": {"mid": "mid:C1.2"}}),
            json!({"success": [true], "message_ids": ["mid:C1.2"]}),
        ] {
            assert_eq!(taken(&told), Ok(name.clone()), "{told}");
        }
        assert_eq!(taken(&json!({"success": true})), Ok(None));
        for told in [
            json!({"success": [false], "chat_ids": [null]}),
            json!({"success": false}),
        ] {
            let refused = taken(&told);
            assert!(
                matches!(refused, Err(SendError::ContactUnreachable { .. })),
                "{told}"
            );
        }
    }
}
