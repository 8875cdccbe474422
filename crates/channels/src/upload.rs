//! Files that come in by HTTP.

use std::io;

use axum::extract::multipart::Field;
use bytes::Bytes;
use domain::message::Attachment;
use futures::StreamExt;
use tokio::sync::mpsc;

use crate::Host;
use crate::host::Refused;

/// Pieces that are read ahead of the disk. A piece is what one read of the socket
/// gives, some 8 to 64 KiB.
const PIECES_AHEAD_MAX: usize = 4;

/// Stores one part of a form while it arrives.
pub(crate) async fn store_field(
    host: &dyn Host,
    mut field: Field<'_>,
    bytes_max: u64,
) -> Result<Attachment, Refused> {
    let name = field.file_name().unwrap_or("file").to_owned();
    // The field borrows the request, which the store cannot hold on to.
    let (pieces, stream) = mpsc::channel::<io::Result<Bytes>>(PIECES_AHEAD_MAX);
    let stream = futures::stream::unfold(stream, async |mut stream| {
        let piece = stream.recv().await?;
        Some((piece, stream))
    });
    let pump = async move {
        loop {
            let piece = match field.chunk().await {
                Ok(Some(piece)) => Ok(piece),
                Ok(None) => return,
                Err(error) => Err(io::Error::other(error)),
            };
            let failed = piece.is_err();
            // The store has hung up: it has refused the file already.
            if pieces.send(piece).await.is_err() || failed {
                return;
            }
        }
    };
    let (stored, ()) = tokio::join!(host.store_file(&name, bytes_max, stream.boxed()), pump);
    stored
}
