//! Clients' and operators' files, by their content: one file on the disk for each
//! content, written durably before anything refers to it.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use domain::message::Attachment;
use domain::text;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// The bytes by which a type is told.
const HEAD_BYTES: usize = 8_192;
/// So much of a file is read at a time.
const PIECE_BYTES: usize = 64 << 10;

/// Why a file was not stored.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Larger than allowed.
    #[error("the file is larger than {0} bytes")]
    TooLarge(u64),
    /// The sender stopped or the disk failed.
    #[error("the file could not be stored: {0}")]
    Io(#[from] io::Error),
}

/// The folder of files.
#[derive(Clone, Debug)]
pub struct Files {
    root: PathBuf,
}

impl Files {
    /// Opens the folder, making it if need be.
    pub fn open(root: &Path) -> io::Result<Self> {
        store::make_folder(&root.join("incoming"))?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Where a content is kept.
    pub fn path_of(&self, sha256: &str) -> Option<PathBuf> {
        let valid = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
        valid.then(|| self.root.join(&sha256[..2]).join(sha256))
    }

    /// Opens a content.
    pub(crate) async fn read(&self, sha256: &str) -> io::Result<channels::File> {
        let path = self.path_of(sha256);
        let path = path.ok_or_else(|| io::Error::other("the name of the file is no digest"))?;
        let file = File::open(path).await?;
        Ok(stream::try_unfold(file, next_piece).boxed())
    }

    /// Stores a file durably.
    pub async fn store(
        &self,
        ticket: &str,
        file_name: &str,
        bytes_max: u64,
        content: BoxStream<'static, io::Result<Bytes>>,
    ) -> Result<Attachment, FileError> {
        let incoming = self.root.join("incoming").join(ticket);
        let received = receive(&incoming, bytes_max, content).await;
        let attachment = match received {
            Ok((sha256, size_bytes, head)) => Attachment {
                file_name: text::file_name(file_name),
                media_type: media_type(&head, file_name).to_owned(),
                size_bytes,
                sha256,
                ..Attachment::default()
            },
            Err(error) => {
                // Best effort: what is left in `incoming` is swept at the next start.
                let _ = fs::remove_file(&incoming).await;
                return Err(error);
            }
        };
        let target = self
            .path_of(&attachment.sha256)
            .ok_or_else(|| io::Error::other("not a digest"))?;
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).await?;
            fs::rename(&incoming, &target).await?;
            sync_folder(folder).await?;
            // The folder's own name may be new.
            sync_folder(&self.root).await?;
        }
        Ok(attachment)
    }

    /// Removes what was left half received by a crash.
    pub(crate) fn sweep_incoming(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(self.root.join("incoming"))? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(())
    }
}

async fn next_piece(mut file: File) -> io::Result<Option<(Bytes, File)>> {
    let mut piece = BytesMut::with_capacity(PIECE_BYTES);
    let read = file.read_buf(&mut piece).await?;
    Ok((read > 0).then(|| (piece.freeze(), file)))
}

async fn receive(
    path: &Path,
    bytes_max: u64,
    mut content: BoxStream<'static, io::Result<Bytes>>,
) -> Result<(String, u64, Vec<u8>), FileError> {
    let mut file = File::create(path).await?;
    let mut digest = Sha256::new();
    let mut size_bytes = 0_u64;
    let mut head = Vec::new();
    while let Some(chunk) = content.next().await {
        let chunk = chunk?;
        size_bytes += chunk.len() as u64;
        if size_bytes > bytes_max {
            return Err(FileError::TooLarge(bytes_max));
        }
        let missing = HEAD_BYTES.saturating_sub(head.len()).min(chunk.len());
        head.extend_from_slice(&chunk[..missing]);
        digest.update(&chunk);
        file.write_all(&chunk).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    let mut sha256 = String::with_capacity(64);
    for byte in digest.finalize() {
        write!(sha256, "{byte:02x}").map_err(io::Error::other)?;
    }
    Ok((sha256, size_bytes, head))
}

async fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).await?.sync_all().await
}

/// The type by content; what cannot be told by content is told by the name only
/// among types that no browser runs.
fn media_type(head: &[u8], file_name: &str) -> &'static str {
    if let Some(kind) = infer::get(head) {
        let mime = kind.mime_type();
        // Markup is never shown as such.
        return if mime.contains("html") || mime.contains("xml") {
            "application/octet-stream"
        } else {
            mime
        };
    }
    let extension = file_name.rsplit_once('.').map_or("", |(_, ext)| ext);
    let by_name = match extension.to_ascii_lowercase().as_str() {
        "txt" | "log" => "text/plain",
        "csv" => "text/csv",
        "json" => "application/json",
        "eml" => "message/rfc822",
        "vcf" => "text/vcard",
        "ics" => "text/calendar",
        _ => "application/octet-stream",
    };
    // A text type for bytes that are no text would show rubbish.
    if by_name == "application/octet-stream" || std::str::from_utf8(trim_tail(head)).is_ok() {
        by_name
    } else {
        "application/octet-stream"
    }
}

/// Leaves out a character that the end of the head cut in two.
fn trim_tail(head: &[u8]) -> &[u8] {
    match std::str::from_utf8(head) {
        Err(error) if error.error_len().is_none() => &head[..error.valid_up_to()],
        Ok(_) | Err(_) => head,
    }
}
