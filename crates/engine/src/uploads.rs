//! Files on their way: uploads that wait to be used, and links that people fetch
//! them by.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use domain::message::Attachment;
use domain::{LineId, Millis, OperatorId, Timestamp};
use futures::stream::BoxStream;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use store::{StoreError, Upload};

use crate::files::FileError;
use crate::reason::Reason;
use crate::{ActError, Engine, people};

/// How long a link is good for a person.
const LINK_LIFE: Millis = Millis::from_secs(300);
/// How long a link is good for a provider.
const LASTING_LINK_LIFE: Millis = Millis::from_secs(24 * 60 * 60);

/// Whom a link is made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// The client of a thread.
    Client {
        /// The line.
        line: LineId,
        /// The thread's name on it.
        thread_key: String,
    },
    /// An operator: the link works in their own session only.
    Operator(OperatorId),
}

/// What a link must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLink {
    /// The content.
    pub sha256: String,
    /// The name to save it by.
    pub file_name: String,
    /// The type.
    pub media_type: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
    /// Whom it is for: "client" or an operator's id.
    pub viewer: String,
    /// Proves the rest.
    pub signature: String,
}

impl Engine {
    /// Stores an operator's file until a message uses it.
    pub async fn upload(
        &self,
        owner: OperatorId,
        file_name: &str,
        content: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<Upload, ActError> {
        let id = URL_SAFE_NO_PAD.encode(people::random_bytes());
        let bytes_max = self.settings().limits.attachment_bytes_max;
        let attachment = self
            .inner
            .files
            .store(&id, file_name, bytes_max, content)
            .await
            .map_err(|error| match error {
                FileError::TooLarge(bytes) => ActError::Invalid {
                    field: "file",
                    problem: Reason::FileTooLarge { bytes },
                },
                FileError::Io(_) => ActError::Store(StoreError::Unavailable(error.to_string())),
            })?;
        let upload = Upload {
            id,
            owner: owner.to_string(),
            attachment,
        };
        let kept = upload.clone();
        self.store()
            .write::<_, StoreError>(move |tx| tx.save_upload(&kept))
            .await?;
        Ok(upload)
    }

    /// A link by which one person can fetch a file for five minutes.
    pub fn sign_file_link(&self, viewer: &Viewer, attachment: &Attachment) -> String {
        let viewer = match viewer {
            Viewer::Client { .. } => "client".to_owned(),
            Viewer::Operator(id) => id.to_string(),
        };
        self.link(viewer, attachment, "", LINK_LIFE)
    }

    /// A link by which whoever has it can fetch a file for a day. Its path ends with the
    /// file's name.
    pub fn sign_lasting_file_link(&self, attachment: &Attachment) -> String {
        let name = format!("/{}", percent_encode(&attachment.file_name));
        self.link("client".to_owned(), attachment, &name, LASTING_LINK_LIFE)
    }

    fn link(&self, viewer: String, attachment: &Attachment, ending: &str, life: Millis) -> String {
        let link = FileLink {
            sha256: attachment.sha256.clone(),
            file_name: attachment.file_name.clone(),
            media_type: attachment.media_type.clone(),
            expires_at: self.now() + life,
            viewer,
            signature: String::new(),
        };
        let signature = URL_SAFE_NO_PAD.encode(self.link_mac(&link).finalize().into_bytes());
        format!(
            "/files/{}{ending}?name={}&type={}&expires={}&viewer={}&signature={signature}",
            link.sha256,
            percent_encode(&link.file_name),
            percent_encode(&link.media_type),
            link.expires_at,
            link.viewer,
        )
    }

    /// Whether a link was made here, for this viewer, and is still good.
    pub fn check_file_link(&self, link: &FileLink, viewer: Option<OperatorId>) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(&link.signature) else {
            return false;
        };
        let for_viewer =
            link.viewer == "client" || viewer.is_some_and(|id| id.to_string() == link.viewer);
        for_viewer
            && link.expires_at > self.now()
            && self.link_mac(link).verify_slice(&signature).is_ok()
    }

    fn link_mac(&self, link: &FileLink) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.inner.link_key)
            .expect("a key of any length will do");
        for part in [
            link.sha256.as_str(),
            &link.file_name,
            &link.media_type,
            &link.expires_at.to_string(),
            &link.viewer,
        ] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac
    }
}

/// Writes a text so that it can stand in an address or a header.
pub fn percent_encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}
