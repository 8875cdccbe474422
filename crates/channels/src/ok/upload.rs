//! Files of a message: each is handed to a server of OK's that says what to call it, and
//! then looked through for a while.

use std::time::Duration;

use domain::Millis;
use domain::message::Attachment;
use serde_json::{Value, json};

use super::api::Api;
use super::failure::Failure;
use super::render::Way;
use crate::egress::Upload;
use crate::{Host, SendError};

/// OK asks to leave it some seconds between a file and its message.
const LOOKED_THROUGH: Duration = Duration::from_secs(2);

/// Hands files over, one after the other; answers what a message of that age calls them.
pub(super) async fn all(
    api: &Api,
    files: &[Attachment],
    age: Millis,
    host: &dyn Host,
) -> Result<Vec<Value>, SendError> {
    let mut named = Vec::new();
    for file in files {
        let way = Way::of(file);
        let upload = opened(file, host).await?;
        let payload = one(api, way, upload, host).await;
        let payload = payload.map_err(|failure| told(failure, age, file))?;
        named.push(json!({"type": way.name(), "payload": payload}));
    }
    // Of a picture it says so when it has looked it through.
    if files.iter().any(|file| Way::of(file) != Way::Image) {
        tokio::time::sleep(LOOKED_THROUGH).await;
    }
    Ok(named)
}

async fn opened(file: &Attachment, host: &dyn Host) -> Result<Upload, SendError> {
    let content = host.open_file(file).await;
    let content = content.map_err(|error| SendError::RetryAfter {
        after: Millis::from_secs(5),
        reason: format!("the file cannot be read: {error}"),
    })?;
    Ok(Upload {
        field: "file".to_owned(),
        name: file.file_name.clone(),
        content_type: file.media_type.clone(),
        length: file.size_bytes,
        content,
    })
}

/// Says of which file it is.
fn told(failure: Failure, age: Millis, file: &Attachment) -> SendError {
    let mut outcome = failure.before_sending(age);
    if let SendError::Rejected { operator_text } = &mut outcome {
        *operator_text = format!("{}: {operator_text}", file.file_name);
    }
    outcome
}

async fn one(api: &Api, way: Way, file: Upload, host: &dyn Host) -> Result<Value, Failure> {
    let query = [("type", way.name())];
    let place = api.get("me/fileUploadUrl", &query, host.now()).await?;
    let url = place["url"].as_str();
    let url = url.ok_or_else(|| Failure::InDoubt("no address to hand a file to".to_owned()))?;
    let after = api.upload(url, file, host.now()).await?;
    let name = name(way, &place, &after);
    name.ok_or_else(|| Failure::unsuccessful("this file is not taken"))
}

/// What a message calls a file. Of a picture OK says it when it has it, of any other file
/// before.
fn name(way: Way, place: &Value, after: &Value) -> Option<Value> {
    let token = |told: &Value| {
        let token = told["token"].as_str().filter(|token| !token.is_empty());
        token.map(|token| json!({ "token": token }))
    };
    match way {
        Way::Image => {
            let photos = after["photos"].as_object();
            let photo = photos.and_then(|photos| token(photos.values().next()?));
            photo.or_else(|| token(after))
        }
        Way::Video | Way::Audio | Way::File => {
            let former = place["file_id"].as_str();
            let former = former.map(|file| json!({ "ref": file }));
            token(place).or_else(|| token(after)).or(former)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_called_is_told_at_different_places() {
        let place = json!({"url": "https://u.example/", "token": "first", "file_id": "15"});
        let photos = json!({"photos": {"a+b==": {"token": "t"}}});
        assert_eq!(
            name(Way::Image, &place, &photos),
            Some(json!({"token": "t"}))
        );
        assert_eq!(name(Way::Image, &place, &json!({"photos": {}})), None);
        let second = json!({"token": "second"});
        assert_eq!(name(Way::Image, &place, &second), Some(second.clone()));
        let first = Some(json!({"token": "first"}));
        for way in [Way::Video, Way::Audio, Way::File] {
            assert_eq!(name(way, &place, &Value::Null), first);
        }
        let former = json!({"url": "https://u.example/", "file_id": "1519bf4"});
        assert_eq!(
            name(Way::File, &former, &Value::Null),
            Some(json!({"ref": "1519bf4"}))
        );
        assert_eq!(name(Way::File, &former, &second), Some(second));
        assert_eq!(name(Way::File, &json!({}), &Value::Null), None);
    }
}
