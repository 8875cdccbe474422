//! The way to clients and from their files.

use std::io;

use domain::message::{Action, Attachment, Delivery, Outbound, Receipt, Recipient};
use domain::{Millis, Timestamp};
use futures::StreamExt as _;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::api::{Api, Failure};
use super::render::{Request, render};
use crate::egress::{Body, Limits, Upload};
use crate::{FetchError, File, Host, SendError, Sign, hook};

/// What clients may send.
const FETCHED: Limits = Limits {
    bytes_max: 100 << 20,
    time_max: Millis::from_secs(180),
};
/// Where no clock is at hand, a wait that a server asks for by a date is none.
const NO_CLOCK: Timestamp = Timestamp(0);
const RETRY: Millis = Millis::from_secs(5);

pub(super) async fn send(
    api: &Api,
    outbound: &Outbound,
    host: &dyn Host,
) -> Result<Receipt, SendError> {
    let mut request = render(outbound)?;
    if let Some((place, file)) = &request.file {
        let id = upload(api, file, host).await?;
        if let Some(place) = request.fields.pointer_mut(place) {
            *place = json!(id);
        }
    }
    let Request { fields, .. } = request;
    let answer = api.messages(fields, host.now()).await;
    let answer = answer.map_err(Failure::outcome)?;
    let sent = answer["messages"][0]["id"].as_str();
    let sent = sent.filter(|_| matches!(outbound.action, Action::Send(_)));
    Ok(Receipt {
        delivery: Delivery::Sent,
        message_id: sent.map(str::to_owned),
        error_text: String::new(),
    })
}

/// Hands a file over. Nobody sees it before the message: to do so again is harmless.
async fn upload(api: &Api, file: &Attachment, host: &dyn Host) -> Result<String, SendError> {
    let later = |reason: String| SendError::RetryAfter {
        after: RETRY,
        reason,
    };
    let content = host.open_file(file).await;
    let content = content.map_err(|error| later(format!("the file cannot be read: {error}")))?;
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let fields = vec![
        text("messaging_product", "whatsapp"),
        text("type", &file.media_type),
    ];
    let upload = Upload {
        field: "file".to_owned(),
        name: file.file_name.clone(),
        content_type: file.media_type.clone(),
        length: file.size_bytes,
        content,
    };
    let body = Body::Multipart(fields, vec![upload]);
    let taken = api.upload(body, host.now()).await;
    taken.map_err(|failure| match failure {
        Failure::InDoubt(reason) => later(reason),
        Failure::NotSent(_) | Failure::Refused { .. } => failure.outcome(),
    })
}

pub(super) async fn show(api: &Api, sign: &Sign, recipient: &Recipient) {
    let mut fields = json!({"messaging_product": "whatsapp", "status": "read"});
    match sign {
        Sign::Read(message) => fields["message_id"] = json!(message),
        // It is shown below a message, which is read thereby.
        Sign::Typing => {
            let Some(last) = recipient.context.references.last() else {
                return;
            };
            fields["message_id"] = json!(last);
            fields["typing_indicator"] = json!({"type": "text"});
        }
        // Buttons do not wait for anything.
        Sign::Pressed(_) => return,
    }
    if let Err(failure) = api.messages(fields, NO_CLOCK).await {
        tracing::debug!(%failure, "a sign was not shown");
    }
}

pub(super) async fn fetch(api: &Api, attachment: &Attachment) -> Result<File, FetchError> {
    let id = attachment.source.as_deref().unwrap_or_default();
    let (fetched, digest) = api.file(id, FETCHED, NO_CLOCK).await?;
    Ok(match digest {
        Some(digest) => checked(fetched.content, digest),
        None => fetched.content,
    })
}

/// A file that is what WhatsApp says it is, or ends with an error.
fn checked(content: File, digest: String) -> File {
    let start = (content, Sha256::new(), digest);
    let read = async |(mut content, mut hasher, digest): (File, Sha256, String)| {
        let Some(piece) = content.next().await else {
            let is_same = hook::hex(&hasher.finalize()).eq_ignore_ascii_case(&digest);
            let broken = || io::Error::other("the file is not what it was said to be");
            return is_same.then_some(None).ok_or_else(broken);
        };
        let piece = piece?;
        hasher.update(&piece);
        Ok(Some((piece, (content, hasher, digest))))
    };
    futures::stream::try_unfold(start, read).boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[tokio::test]
    async fn a_file_is_what_it_was_said_to_be() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let read = async |pieces: &[&'static str]| {
            let pieces: Vec<_> = pieces
                .iter()
                .map(|it| Ok(Bytes::from_static(it.as_bytes())))
                .collect();
            let content = checked(futures::stream::iter(pieces).boxed(), digest.to_owned());
            let read: Vec<io::Result<Bytes>> = content.collect().await;
            read.into_iter().collect::<io::Result<Vec<Bytes>>>()
        };
        assert_eq!(read(&["ab", "c"]).await.unwrap().concat(), b"abc");
        assert!(read(&["ab"]).await.is_err());
        assert!(read(&[]).await.is_err());
    }
}
