//! The way to clients and from their files.

use domain::message::{Attachment, Delivery, Outbound, Receipt, Recipient};
use domain::{Millis, Timestamp};
use serde_json::{Value, json};

use super::api::{Api, Failure};
use super::render::{Request, name, render};
use crate::egress::{Body, Limits, Upload};
use crate::{FetchError, File, Host, SendError, Sign};

/// What the Bot API gives out.
const FETCHED: Limits = Limits {
    bytes_max: 20 << 20,
    time_max: Millis::from_secs(120),
};
/// Where no clock is at hand, a wait that a server asks for by a date is none.
const NO_CLOCK: Timestamp = Timestamp(0);

pub(super) async fn send(
    api: &Api,
    outbound: &Outbound,
    host: &dyn Host,
) -> Result<Receipt, SendError> {
    let request = render(outbound)?;
    let body = body(&request, host).await?;
    let answer = match api.call(request.method, body, host.now()).await {
        Ok(answer) => answer,
        Err(failure) if is_done(&request, &failure) => Value::Null,
        Err(failure) => return Err(failure.outcome()),
    };
    let sent = answer["message_id"].as_i64().filter(|_| request.sends);
    let chat = request.fields["chat_id"].as_i64().unwrap_or_default();
    Ok(Receipt {
        delivery: Delivery::Sent,
        message_id: sent.map(|sent| name(chat, sent)),
        error_text: String::new(),
    })
}

/// Whether all is as it should be, though Telegram did nothing.
fn is_done(request: &Request, failure: &Failure) -> bool {
    let Failure::Refused { description, .. } = failure else {
        return false;
    };
    let description = description.to_lowercase();
    match request.method {
        "editMessageText" => description.contains("message is not modified"),
        "deleteMessage" => description.contains("message to delete not found"),
        _ => false,
    }
}

async fn body(request: &Request, host: &dyn Host) -> Result<Body, SendError> {
    let Some((field, file)) = &request.file else {
        return Ok(Body::Json(request.fields.clone()));
    };
    let content = host.open_file(file).await;
    let content = content.map_err(|error| SendError::RetryAfter {
        after: Millis::from_secs(5),
        reason: format!("the file cannot be read: {error}"),
    })?;
    let fields = request.fields.as_object().into_iter().flatten();
    let fields = fields.map(|(name, value)| {
        // In a form, what is no text is written as JSON.
        let text = value.as_str().map(str::to_owned);
        (name.clone(), text.unwrap_or_else(|| value.to_string()))
    });
    let upload = Upload {
        field: (*field).to_owned(),
        name: file.file_name.clone(),
        content_type: file.media_type.clone(),
        length: file.size_bytes,
        content,
    };
    Ok(Body::Multipart(fields.collect(), vec![upload]))
}

pub(super) async fn show(api: &Api, sign: &Sign, recipient: &Recipient) {
    let (method, fields) = match sign {
        Sign::Typing => (
            "sendChatAction",
            json!({"chat_id": recipient.thread_key, "action": "typing"}),
        ),
        // Without it the button goes on turning.
        Sign::Pressed(press) => ("answerCallbackQuery", json!({"callback_query_id": press})),
        // Bots cannot say that they have read something.
        Sign::Read(_) => return,
    };
    if let Err(failure) = api.call(method, Body::Json(fields), NO_CLOCK).await {
        tracing::debug!(%failure, method, "a sign was not shown");
    }
}

pub(super) async fn fetch(api: &Api, attachment: &Attachment) -> Result<File, FetchError> {
    let gone = || FetchError::Gone("the file has no id".to_owned());
    let id = attachment.source.as_deref().ok_or_else(gone)?;
    let fetched = api.file(id, FETCHED, NO_CLOCK).await?;
    Ok(fetched.content)
}
