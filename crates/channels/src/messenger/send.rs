//! The way to clients, from their files, and to their names.

use domain::Millis;
use domain::message::{Action, Attachment, Delivery, Outbound, Receipt, Recipient, Sender};
use serde_json::{Value, json};

use super::api::{Api, NO_CLOCK};
use super::failure::Failure;
use super::platform::{Files, Platform};
use super::{Connection, render};
use crate::egress::{Body, Upload};
use crate::{FetchError, File, Host, SendError, Sign};

const RETRY: Millis = Millis::from_secs(5);

impl Connection {
    pub(super) async fn hand_over(
        &self,
        outbound: &Outbound,
        host: &dyn Host,
    ) -> Result<Receipt, SendError> {
        let mut fields = render::render(outbound, self.platform)?;
        if let Some(file) = file(outbound) {
            fields["message"]["attachment"] = self.attachment(outbound, file, host).await?;
        }
        let may_take_longer = self.config.human_agent && !outbound.automatic;
        let mut sent = self.api.messages(fields.clone(), host.now()).await;
        // Within a day a person's answer is like any other.
        if may_take_longer && sent.as_ref().is_err_and(Failure::is_of_window) {
            render::by_a_person(&mut fields);
            sent = self.api.messages(fields, host.now()).await;
        }
        let age = host.now().since(outbound.sent_at);
        let told = sent.map_err(|failure| failure.outcome(age))?;
        Ok(Receipt {
            delivery: Delivery::Sent,
            message_id: told["message_id"].as_str().map(str::to_owned),
            error_text: String::new(),
        })
    }

    async fn attachment(
        &self,
        outbound: &Outbound,
        file: &Attachment,
        host: &dyn Host,
    ) -> Result<Value, SendError> {
        let kind = render::kind(file, self.platform.files)?;
        let payload = match self.platform.files {
            Files::Uploaded => {
                json!({"attachment_id": upload(&self.api, kind, file, host).await?})
            }
            Files::Linked => {
                let thread_key = &outbound.recipient.thread_key;
                let link = host.lasting_file_link(&outbound.line, thread_key, file);
                json!({"url": format!("{}{link}", self.config.public_url)})
            }
        };
        Ok(json!({"type": kind, "payload": payload}))
    }
}

fn file(outbound: &Outbound) -> Option<&Attachment> {
    match &outbound.action {
        Action::Send(sent) => sent.attachments.first(),
        Action::Edit { .. } | Action::Delete { .. } | Action::React { .. } => None,
    }
}

/// Hands a file over. Nobody sees it before the message: to do so again is harmless.
async fn upload(
    api: &Api,
    kind: &str,
    file: &Attachment,
    host: &dyn Host,
) -> Result<String, SendError> {
    let later = |reason: String| SendError::RetryAfter {
        after: RETRY,
        reason,
    };
    let content = host.open_file(file).await;
    let content = content.map_err(|error| later(format!("the file cannot be read: {error}")))?;
    let message = json!({"attachment": {"type": kind, "payload": {"is_reusable": true}}});
    let upload = Upload {
        field: "filedata".to_owned(),
        name: file.file_name.clone(),
        content_type: file.media_type.clone(),
        length: file.size_bytes,
        content,
    };
    let fields = vec![("message".to_owned(), message.to_string())];
    let taken = api
        .upload(Body::Multipart(fields, vec![upload]), host.now())
        .await;
    taken.map_err(|failure| match failure {
        Failure::InDoubt(reason) => later(reason),
        Failure::NotSent(_) | Failure::Refused { .. } => failure.outcome(Millis(0)),
    })
}

pub(super) async fn show(api: &Api, sign: &Sign, recipient: &Recipient) {
    let action = match sign {
        Sign::Typing => "typing_on",
        Sign::Read(_) => "mark_seen",
        // Buttons do not wait for anything.
        Sign::Pressed(_) => return,
    };
    let fields = json!({"recipient": {"id": recipient.thread_key}, "sender_action": action});
    if let Err(failure) = api.messages(fields, NO_CLOCK).await {
        tracing::debug!(%failure, "a sign was not shown");
    }
}

/// Asks for somebody's name: events have none.
pub(super) async fn introduce(api: &Api, platform: &Platform, sender: &mut Sender) {
    let Some(identity) = sender.identities.first() else {
        return;
    };
    if !identity.value.bytes().all(|byte| byte.is_ascii_digit()) {
        return;
    }
    let fields = [("fields", platform.client_fields)];
    let told = match api.get(&identity.value, &fields).await {
        Ok(told) => told,
        Err(failure) => {
            tracing::debug!(%failure, "a name was not told");
            return;
        }
    };
    let text = |name: &str| told[name].as_str().unwrap_or_default();
    let username = text("username");
    let whole = format!("{} {}", text("first_name"), text("last_name"));
    let names = [text("name"), whole.trim(), username].into_iter();
    let name = names.into_iter().find(|name| !name.is_empty());
    name.unwrap_or_default()
        .clone_into(&mut sender.display_name);
    sender.avatar_url = told["profile_pic"].as_str().map(str::to_owned);
    if !username.is_empty() {
        let username = format!("@{username}");
        sender.attributes.insert("username".to_owned(), username);
    }
}

pub(super) async fn fetch(api: &Api, attachment: &Attachment) -> Result<File, FetchError> {
    let gone = || FetchError::Gone("the file has no address".to_owned());
    api.file(attachment.source.as_deref().ok_or_else(gone)?)
        .await
}
