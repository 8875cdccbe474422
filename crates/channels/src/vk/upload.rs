//! Files of ours: asked where to, handed over there, and saved.

use domain::Millis;
use domain::message::Attachment;
use serde_json::Value;

use super::api::Api;
use super::errors::Failure;
use crate::egress::Upload;
use crate::{Host, SendError};

/// A larger picture goes as a file.
const PHOTO_BYTES_MAX: u64 = 50 << 20;

/// Hands files over; answers how a message names them.
pub(super) async fn all(
    api: &Api,
    peer: i64,
    files: &[Attachment],
    host: &dyn Host,
) -> Result<String, SendError> {
    let mut attached = Vec::new();
    for file in files {
        let upload = opened(file, host).await?;
        let is_photo = matches!(file.media_type.as_str(), "image/jpeg" | "image/png");
        let named = if is_photo && file.size_bytes <= PHOTO_BYTES_MAX {
            photo(api, peer, upload, host).await
        } else {
            document(api, peer, upload, host).await
        };
        attached.push(named.map_err(|failure| told(failure, file))?);
    }
    Ok(attached.join(","))
}

async fn opened(file: &Attachment, host: &dyn Host) -> Result<Upload, SendError> {
    let content = host.open_file(file).await;
    let content = content.map_err(|error| SendError::RetryAfter {
        after: Millis::from_secs(5),
        reason: format!("the file cannot be read: {error}"),
    })?;
    Ok(Upload {
        field: String::new(),
        name: file.file_name.clone(),
        content_type: file.media_type.clone(),
        length: file.size_bytes,
        content,
    })
}

/// Says of which file it is.
fn told(failure: Failure, file: &Attachment) -> SendError {
    let mut outcome = failure.outcome();
    if let SendError::Rejected { operator_text } = &mut outcome {
        *operator_text = format!("{}: {operator_text}", file.file_name);
    }
    outcome
}

async fn photo(api: &Api, peer: i64, mut file: Upload, host: &dyn Host) -> Result<String, Failure> {
    let to = [("peer_id", peer.to_string())];
    let server = api
        .call("photos.getMessagesUploadServer", &to, host.now())
        .await?;
    "photo".clone_into(&mut file.field);
    let taken = api.upload(url(&server)?, file, host.now()).await?;
    if matches!(taken["photo"].as_str(), None | Some("" | "[]")) {
        return Err(Failure::upload("this picture is not taken"));
    }
    let fields = ["server", "photo", "hash"].map(|name| (name, text(&taken[name])));
    let saved = api
        .call("photos.saveMessagesPhoto", &fields, host.now())
        .await?;
    name("photo", &saved[0])
}

async fn document(
    api: &Api,
    peer: i64,
    mut file: Upload,
    host: &dyn Host,
) -> Result<String, Failure> {
    let to = [("type", "doc".to_owned()), ("peer_id", peer.to_string())];
    let server = api
        .call("docs.getMessagesUploadServer", &to, host.now())
        .await?;
    "file".clone_into(&mut file.field);
    let title = file.name.clone();
    let taken = api.upload(url(&server)?, file, host.now()).await?;
    let fields = [("file", text(&taken["file"])), ("title", title)];
    let saved = api.call("docs.save", &fields, host.now()).await?;
    name("doc", &saved["doc"])
}

fn url(server: &Value) -> Result<&str, Failure> {
    let url = server["upload_url"].as_str();
    url.ok_or_else(|| Failure::InDoubt("no address to hand a file to".to_owned()))
}

/// Some are numbers, some are texts.
fn text(value: &Value) -> String {
    let text = value.as_str().map(str::to_owned);
    text.unwrap_or_else(|| value.to_string())
}

/// How a message names something that VK has.
pub(super) fn name(kind: &str, what: &Value) -> Result<String, Failure> {
    let (Some(owner), Some(id)) = (what["owner_id"].as_i64(), what["id"].as_i64()) else {
        return Err(Failure::InDoubt("a file without a number".to_owned()));
    };
    let key = what["access_key"].as_str();
    let key = key.map_or_else(String::new, |key| format!("_{key}"));
    Ok(format!("{kind}{owner}_{id}{key}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_there_has_a_name() {
        let photo = json!({"owner_id": -7, "id": 9_007_199_254_740_993_i64, "access_key": "k"});
        assert_eq!(name("photo", &photo).unwrap(), "photo-7_9007199254740993_k");
        let doc = json!({"owner_id": 7, "id": 1});
        assert_eq!(name("doc", &doc).unwrap(), "doc7_1");
        assert!(name("doc", &json!({})).is_err());
    }
}
