//! What many read at once is written as JSON once: the same bytes are the same JSON.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

use super::codec;
use super::error::Failure;
use super::table::Method;

/// Answers that are remembered: some moments of a busy feed.
const REMEMBERED: usize = 512;
/// Longer ones are written for each reader, so that memory stays bounded.
const BYTES_MAX: usize = 4 * 1024;

/// An answer as JSON.
#[derive(Clone)]
pub(super) struct Written {
    pub(super) json: Bytes,
    /// Says from where to resume after it.
    pub(super) cursor: Option<String>,
}

/// The last answers of all streams, each method's apart from others'.
#[derive(Clone, Default)]
pub(super) struct Recent(Arc<Answers>);

#[derive(Default)]
struct Answers {
    hasher: RandomState,
    /// Each answer has one place, which it takes from another.
    places: Mutex<Vec<Option<Answer>>>,
}

#[derive(Clone)]
struct Answer {
    path: Arc<str>,
    message: Bytes,
    written: Written,
}

impl Recent {
    /// An answer as JSON; the message need not be read when it was a moment ago.
    pub(super) fn write(&self, method: &Method, message: Bytes) -> Result<Written, Failure> {
        if message.len() > BYTES_MAX {
            return write(method, message);
        }
        let hash = self.0.hasher.hash_one((&*method.path, &*message));
        let at = usize::try_from(hash % (REMEMBERED as u64)).unwrap_or_default();
        if let Some(known) = self.find(at, method, &message) {
            return Ok(known);
        }
        // Not a part of the buffer it came in, which is larger.
        let copy = Bytes::copy_from_slice(&message);
        let written = write(method, message)?;
        let answer = Answer {
            path: Arc::clone(&method.path),
            message: copy,
            written: written.clone(),
        };
        let mut places = self.places();
        places.resize(REMEMBERED, None);
        places[at] = Some(answer);
        Ok(written)
    }

    fn find(&self, at: usize, method: &Method, message: &Bytes) -> Option<Written> {
        let places = self.places();
        let known = places.get(at)?.as_ref()?;
        (known.path == method.path && known.message == *message).then(|| known.written.clone())
    }

    fn places(&self) -> std::sync::MutexGuard<'_, Vec<Option<Answer>>> {
        self.0.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(method: &Method, message: Bytes) -> Result<Written, Failure> {
    let message = codec::from_proto(&method.output, message)?;
    let cursor = method
        .response_cursor
        .as_ref()
        .and_then(|field| message.get_field(field).as_str().map(ToOwned::to_owned));
    Ok(Written {
        json: codec::to_json(&message)?.into(),
        cursor,
    })
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use prost_reflect::DescriptorPool;
    use proto::inbox::v1 as pb;

    use super::super::table::Table;
    use super::*;

    fn answer(cursor: &str, reason: &str) -> Bytes {
        let reset = pb::Reset {
            reason: reason.to_owned(),
        };
        let answer = pb::SubscribeResponse {
            cursor: cursor.to_owned(),
            step: Some(pb::subscribe_response::Step::Reset(reset)),
        };
        answer.encode_to_vec().into()
    }

    #[test]
    fn the_same_answer_is_written_once() {
        let contract = DescriptorPool::decode(proto::DESCRIPTORS).unwrap();
        let table = Table::new(&contract);
        let method = table.find("/switchboard.inbox.v1.Inbox/Subscribe").unwrap();
        let recent = Recent::default();
        let write = |message: Bytes| recent.write(&method, message).unwrap();

        let first = write(answer("7", "old"));
        assert_eq!(first.json, r#"{"cursor":"7","reset":{"reason":"old"}}"#);
        assert_eq!(first.cursor.as_deref(), Some("7"));
        let again = write(answer("7", "old"));
        assert_eq!(again.json.as_ptr(), first.json.as_ptr());
        for other in 0..2 * REMEMBERED {
            let written = write(answer(&other.to_string(), "old"));
            assert_eq!(written.cursor, Some(other.to_string()));
        }

        let long = answer("8", &"x".repeat(BYTES_MAX));
        let first = write(long.clone());
        assert_ne!(write(long).json.as_ptr(), first.json.as_ptr());
    }
}
