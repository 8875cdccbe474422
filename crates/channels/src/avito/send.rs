//! The way to clients.

use domain::Millis;
use domain::message::{Action, Attachment, Delivery, Outbound, Receipt, Recipient, ToSend};
use serde_json::{Value, json};

use super::api::{Api, NO_CLOCK};
use super::failure::Failure;
use super::render::{chat, check};
use crate::egress::Upload;
use crate::{Host, SendError, Sign};

pub(super) async fn send(
    api: &Api,
    outbound: &Outbound,
    host: &dyn Host,
) -> Result<Receipt, SendError> {
    let id = chat(&outbound.recipient.thread_key);
    let id = id.ok_or_else(|| rejected("the chat has no name that can be called"))?;
    let message_id = match &outbound.action {
        Action::Send(ToSend {
            text, attachments, ..
        }) => {
            let (path, fields) = match attachments.first() {
                Some(file) => {
                    let picture = upload(api, file, host).await?;
                    ("messages/image", json!({ "image_id": picture }))
                }
                None => (
                    "messages",
                    json!({"type": "text", "message": {"text": text.plain}}),
                ),
            };
            let path = format!("v1/~/chats/{id}/{path}");
            let told = api.post(&path, &fields, host.now()).await;
            let told = told.map_err(Failure::in_chat)?;
            told["id"].as_str().map(str::to_owned)
        }
        Action::Delete { target } => {
            delete(api, id, target, host).await?;
            None
        }
        Action::Edit { .. } | Action::React { .. } => return Err(SendError::Unsupported),
    };
    Ok(Receipt {
        delivery: Delivery::Sent,
        message_id,
        error_text: String::new(),
    })
}

/// Takes a message back. What is not there is taken back already.
async fn delete(api: &Api, id: &str, target: &str, host: &dyn Host) -> Result<(), SendError> {
    let target = chat(target).ok_or_else(|| rejected("the message has no name"))?;
    let path = format!("v1/~/chats/{id}/messages/{target}");
    match api.post(&path, &Value::Null, host.now()).await {
        Err(failure) if !failure.is_not_there() => Err(failure.outcome()),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Hands a picture over; answers what a message calls it.
async fn upload(api: &Api, file: &Attachment, host: &dyn Host) -> Result<String, SendError> {
    check(file)?;
    let content = host.open_file(file).await;
    let content = content.map_err(|error| SendError::RetryAfter {
        after: Millis::from_secs(5),
        reason: format!("the file cannot be read: {error}"),
    })?;
    let picture = Upload {
        field: "uploadfile[]".to_owned(),
        name: file.file_name.clone(),
        content_type: file.media_type.clone(),
        length: file.size_bytes,
        content,
    };
    let told = api.upload(picture, host.now()).await;
    let told = told.map_err(|failure| {
        let mut outcome = failure.before_sending();
        if let SendError::Rejected { operator_text } = &mut outcome {
            *operator_text = format!("{}: {operator_text}", file.file_name);
        }
        outcome
    })?;
    let name = told.as_object().and_then(|told| told.keys().next());
    name.cloned().ok_or_else(|| {
        let told = format!("{}: Avito does not take this picture", file.file_name);
        rejected(&told)
    })
}

fn rejected(operator_text: &str) -> SendError {
    SendError::Rejected {
        operator_text: operator_text.to_owned(),
    }
}

pub(super) async fn show(api: &Api, sign: &Sign, recipient: &Recipient) {
    let id = chat(&recipient.thread_key).filter(|_| matches!(sign, Sign::Read(_)));
    let Some(id) = id else { return };
    let path = format!("v1/~/chats/{id}/read");
    let shown: Result<Value, Failure> = api.post(&path, &Value::Null, NO_CLOCK).await;
    if let Err(failure) = shown {
        tracing::debug!(%failure, "a chat was not marked read");
    }
}
