//! Files of a message: each is handed to a server of MAX's that says what to call it, and
//! then looked through for a while.

use domain::Millis;
use domain::message::Attachment;
use http::Method;
use serde_json::{Value, json};

use super::api::Api;
use super::failure::Failure;
use super::render::Way;
use crate::egress::{Body, Upload};
use crate::{Host, SendError};

/// Hands files over, one after the other; answers what a message calls them.
pub(super) async fn all(
    api: &Api,
    files: &[Attachment],
    host: &dyn Host,
) -> Result<Vec<Value>, SendError> {
    let mut named = Vec::new();
    for file in files {
        let way = Way::of(file);
        let upload = opened(file, host).await?;
        let payload = one(api, way, upload, host).await;
        let payload = payload.map_err(|failure| told(failure, file))?;
        named.push(json!({"type": way.name(), "payload": payload}));
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
        field: "data".to_owned(),
        name: file.file_name.clone(),
        content_type: file.media_type.clone(),
        length: file.size_bytes,
        content,
    })
}

/// Says of which file it is.
fn told(failure: Failure, file: &Attachment) -> SendError {
    let mut outcome = failure.before_sending();
    if let SendError::Rejected { operator_text } = &mut outcome {
        *operator_text = format!("{}: {operator_text}", file.file_name);
    }
    outcome
}

async fn one(api: &Api, way: Way, file: Upload, host: &dyn Host) -> Result<Value, Failure> {
    let query = [("type", way.name())];
    let place = api.call(Method::POST, "uploads", &query, Body::Empty, host.now());
    let place = place.await?;
    let url = place["url"].as_str();
    let url = url.ok_or_else(|| Failure::InDoubt("no address to hand a file to".to_owned()))?;
    let taken = api.upload(url, file, host.now()).await?;
    let name = name(way, &place, &taken);
    name.ok_or_else(|| Failure::unsuccessful(&json!({"message": "this file is not taken"})))
}

/// What a message calls a file. Of a video or a voice MAX says it before it has it.
fn name(way: Way, place: &Value, taken: &Value) -> Option<Value> {
    let told_by = |told: &Value| {
        told["token"]
            .is_string()
            .then(|| json!({"token": told["token"]}))
    };
    match way {
        Way::Image => {
            let photos = taken["photos"].as_object().filter(|all| !all.is_empty());
            photos.map(|photos| json!({ "photos": photos }))
        }
        Way::Video | Way::Audio => told_by(place).or_else(|| told_by(taken)),
        Way::File => told_by(taken).or_else(|| told_by(place)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_is_called_is_told_at_different_places() {
        let place = json!({"url": "https://u.example/", "token": "first"});
        let bare = json!({"url": "https://u.example/"});
        let photos = json!({"photos": {"a+b==": {"token": "t"}}});
        assert_eq!(name(Way::Image, &bare, &photos), Some(photos.clone()));
        assert_eq!(name(Way::Image, &bare, &json!({"photos": {}})), None);
        let (first, second) = (json!({"token": "first"}), json!({"token": "second"}));
        let taken = json!({"token": "second", "fileId": 9_007_199_254_740_993_i64});
        // The answer to a video is XML, and no JSON.
        for way in [Way::Video, Way::Audio] {
            assert_eq!(name(way, &place, &Value::Null), Some(first.clone()));
            assert_eq!(name(way, &bare, &taken), Some(second.clone()));
            assert_eq!(name(way, &bare, &Value::Null), None);
        }
        assert_eq!(name(Way::File, &bare, &taken), Some(second));
        assert_eq!(name(Way::File, &bare, &json!({"error_code": 1})), None);
    }
}
