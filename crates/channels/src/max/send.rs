//! The way to clients.

use std::time::Duration;

use domain::message::{Action, Attachment, Delivery, Outbound, Receipt, Recipient, Text, ToSend};
use http::Method;
use serde_json::{Value, json};

use super::api::{Api, NO_CLOCK};
use super::doubt::{self, chat};
use super::failure::Failure;
use super::normalize::press_id;
use super::render::{Words, keyboard, message};
use super::upload;
use crate::egress::Body;
use crate::sent::Sent;
use crate::{Host, SendError, Sign};

/// How long a file is waited for, in growing steps. What is not ready then is handed over
/// anew.
const STEPS: [Duration; 7] = [
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
    Duration::from_secs(30),
];
/// What a client sees when their press has come; without words, a press is not answered.
const PRESSED: &str = "✓";

pub(super) async fn send(
    api: &Api,
    sent: &Sent,
    outbound: &Outbound,
    host: &dyn Host,
) -> Result<Receipt, SendError> {
    let message_id = match &outbound.action {
        Action::Send(ToSend {
            text,
            attachments,
            reply_to,
            buttons,
            ..
        }) => {
            let reply_to = reply_to.as_deref();
            let what = New {
                text,
                files: attachments,
                buttons,
                reply_to,
            };
            let name = what.send(api, sent, outbound, host).await?;
            if let Some(name) = &name {
                sent.note(name);
            }
            name
        }
        Action::Edit { target, text } => {
            // Without a word about them, its files stay.
            let body = message(&text.plain, Vec::new(), None);
            change(api, Method::PUT, target, Body::Json(body), host).await?;
            None
        }
        Action::Delete { target } => {
            delete(api, target, host).await?;
            None
        }
        Action::React { .. } => return Err(SendError::Unsupported),
    };
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
    /// Sends it; answers what MAX calls it.
    async fn send(
        &self,
        api: &Api,
        sent: &Sent,
        outbound: &Outbound,
        host: &dyn Host,
    ) -> Result<Option<String>, SendError> {
        let client: i64 = outbound
            .recipient
            .thread_key
            .parse()
            .map_err(|_| rejected("the client has no number"))?;
        let mut attachments = upload::all(api, self.files, host).await?;
        if !self.buttons.is_empty() {
            attachments.push(keyboard(self.buttons));
        }
        let body = message(&self.text.plain, attachments, self.reply_to);
        match hand_over(api, client, &body, host).await {
            Ok(told) => Ok(told["message"]["body"]["mid"].as_str().map(str::to_owned)),
            Err(failure @ Failure::InDoubt(_)) => {
                let words = Words::of(self.text, self.files);
                let found = doubt::look(api, sent, outbound, &words, host).await;
                found.map(Some).ok_or_else(|| failure.outcome())
            }
            Err(failure @ (Failure::NotSent(_) | Failure::Refused { .. })) => {
                Err(failure.outcome())
            }
        }
    }
}

/// Hands a message over, as soon as its files are ready.
async fn hand_over(
    api: &Api,
    client: i64,
    body: &Value,
    host: &dyn Host,
) -> Result<Value, Failure> {
    let client = client.to_string();
    let query = [("user_id", client.as_str())];
    let mut steps = STEPS.into_iter();
    loop {
        let body = Body::Json(body.clone());
        let told = api.call(Method::POST, "messages", &query, body, host.now());
        match told.await {
            Err(failure) if failure.is_not_ready() => match steps.next() {
                Some(step) => tokio::time::sleep(step).await,
                None => return Err(failure),
            },
            told => return told,
        }
    }
}

async fn change(
    api: &Api,
    method: Method,
    target: &str,
    body: Body,
    host: &dyn Host,
) -> Result<(), SendError> {
    let query = [("message_id", target)];
    let told = api.call(method, "messages", &query, body, host.now()).await;
    told.map(drop).map_err(Failure::outcome)
}

/// Takes a message back. What is not there is taken back already.
async fn delete(api: &Api, target: &str, host: &dyn Host) -> Result<(), SendError> {
    let query = [("message_id", target)];
    let told = api.call(Method::DELETE, "messages", &query, Body::Empty, host.now());
    match told.await {
        Err(failure) if !failure.is_not_there() => Err(failure.outcome()),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn rejected(operator_text: &str) -> SendError {
    SendError::Rejected {
        operator_text: operator_text.to_owned(),
    }
}

pub(super) async fn show(api: &Api, sign: &Sign, recipient: &Recipient) {
    let act = async |action: &str| {
        let Some(chat) = chat(recipient) else {
            return Ok(Value::Null);
        };
        let (path, body) = (format!("chats/{chat}/actions"), json!({ "action": action }));
        api.call(Method::POST, &path, &[], Body::Json(body), NO_CLOCK)
            .await
    };
    let shown = match sign {
        Sign::Typing => act("typing_on").await,
        Sign::Read(_) => act("mark_seen").await,
        Sign::Pressed(name) => {
            let Some(press) = press_id(name) else { return };
            let (query, body) = ([("callback_id", press)], json!({"notification": PRESSED}));
            api.call(Method::POST, "answers", &query, Body::Json(body), NO_CLOCK)
                .await
        }
    };
    if let Err(failure) = shown {
        tracing::debug!(%failure, "a sign was not shown");
    }
}
