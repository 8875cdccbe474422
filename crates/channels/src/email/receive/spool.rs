//! Fetches a large letter piece by piece into a file.

use std::io;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream;
use tokio::sync::mpsc;

use super::intake::{Intake, sleep};
use super::reader::{Letter, SMALL_BYTES_MAX, whole_letter};
use super::session::{Session, Trouble};
use crate::Envelope;
use crate::host::Refused;
use crate::registry::email::journal::Found;

/// What is in memory of a letter at a time.
const PIECE_BYTES: usize = 1 << 20;
const FILE_NAME: &str = "letter.eml";

/// What came of a large letter.
pub(super) enum Spooled {
    /// It is here.
    Whole(Box<Envelope>),
    /// It has been deleted meanwhile.
    Gone,
    /// The server does not give it out.
    Withheld,
}

/// How the fetching ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fed {
    Whole,
    Gone,
    Withheld,
    /// Nobody takes more of it.
    Stopped,
}

type Pieces = mpsc::Sender<io::Result<Bytes>>;

/// Fetches a letter into a file, or the beginning of one that is too large.
pub(super) async fn fetch(
    session: &mut Session,
    intake: &Intake,
    letter: &Letter,
    mut found: Found,
) -> Result<Spooled, Trouble> {
    let bytes_max = intake.letter_bytes_max;
    let is_known = letter.bytes != u32::MAX;
    if is_known && u64::from(letter.bytes) > bytes_max {
        return beginning(session, letter, found).await;
    }
    loop {
        // Two pieces: one on its way to the disk, one from the server.
        let (pieces, content) = mpsc::channel(1);
        let content = stream::unfold(content, |mut content| async {
            content.recv().await.map(|piece| (piece, content))
        });
        let stored = intake
            .host
            .store_file(FILE_NAME, bytes_max, content.boxed());
        let (stored, fed) = tokio::join!(stored, feed(session, letter, pieces));
        match (fed?, stored) {
            (Fed::Gone, _) => return Ok(Spooled::Gone),
            (Fed::Withheld, _) => return Ok(Spooled::Withheld),
            (Fed::Whole, Ok(file)) => {
                found.digest = file.sha256.chars().take(16).collect();
                return Ok(Spooled::Whole(Box::new(Envelope {
                    event_key: found.event_key(),
                    raw: found.head().into(),
                    rest: Some(file),
                })));
            }
            (Fed::Whole | Fed::Stopped, Err(Refused::Busy { retry_after, .. })) => {
                sleep(retry_after).await;
            }
            (Fed::Stopped, Ok(_)) => {
                let reason = "a file was stored before its end".to_owned();
                return Err(Trouble::Refused(reason));
            }
            (Fed::Whole | Fed::Stopped, Err(Refused::Invalid(_))) => {
                return beginning(session, letter, found).await;
            }
        }
    }
}

async fn feed(session: &mut Session, letter: &Letter, pieces: Pieces) -> Result<Fed, Trouble> {
    let fed = feed_pieces(session, letter, &pieces).await;
    if fed != Ok(Fed::Whole) {
        // What ends without an error would be stored as if it were whole.
        let cut = io::Error::new(io::ErrorKind::UnexpectedEof, "the letter was cut short");
        let _ = pieces.send(Err(cut)).await;
    }
    fed
}

async fn feed_pieces(
    session: &mut Session,
    letter: &Letter,
    pieces: &Pieces,
) -> Result<Fed, Trouble> {
    let bytes = (letter.bytes != u32::MAX).then_some(letter.bytes as usize);
    let mut offset = 0;
    loop {
        let items = format!("UID BODY.PEEK[]<{offset}.{PIECE_BYTES}>");
        let piece = match piece(session, letter.uid, &items).await? {
            Piece::Here(from, piece) if from.is_none() && offset == 0 => {
                // A server without parts gave it whole.
                let is_taken = pieces.send(Ok(piece)).await.is_ok();
                return Ok(if is_taken { Fed::Whole } else { Fed::Stopped });
            }
            Piece::Here(from, piece) => {
                if from.map(|from| from as usize) != Some(offset) || piece.len() > PIECE_BYTES {
                    let reason = "gave out another part of a letter than was asked for";
                    return Err(Trouble::Garbled(reason.to_owned()));
                }
                piece
            }
            Piece::None if bytes.is_some_and(|bytes| offset >= bytes && offset > 0) => {
                return Ok(Fed::Whole);
            }
            Piece::None => return Ok(Fed::Gone),
            Piece::Refused => return Ok(Fed::Withheld),
        };
        let length = piece.len();
        offset += length;
        if length > 0 && pieces.send(Ok(piece)).await.is_err() {
            return Ok(Fed::Stopped);
        }
        // Servers reckon sizes wrongly: nothing more is the end, too little only where it
        // is as much as was said.
        let is_said = bytes.is_some_and(|bytes| offset >= bytes);
        if length == 0 || (length < PIECE_BYTES && is_said) {
            return Ok(Fed::Whole);
        }
    }
}

/// The beginning of a letter that is too large to be taken.
async fn beginning(
    session: &mut Session,
    letter: &Letter,
    mut found: Found,
) -> Result<Spooled, Trouble> {
    let items = format!("UID BODY.PEEK[]<0.{SMALL_BYTES_MAX}>");
    found.cut_from = Some(u64::from(letter.bytes));
    Ok(match piece(session, letter.uid, &items).await? {
        Piece::Here(_, piece) => {
            let beginning = &piece[..piece.len().min(SMALL_BYTES_MAX as usize)];
            Spooled::Whole(Box::new(whole_letter(found, beginning)))
        }
        Piece::None => Spooled::Gone,
        Piece::Refused => Spooled::Withheld,
    })
}

/// A part of a letter.
enum Piece {
    /// From where on it is, where the server tells.
    Here(Option<u32>, Bytes),
    None,
    Refused,
}

async fn piece(session: &mut Session, uid: u32, items: &str) -> Result<Piece, Trouble> {
    let mut piece = Piece::None;
    let answer = session
        .fetch(&uid.to_string(), items, |told| {
            if let (true, Some((from, bytes))) = (told.uid == Some(uid), told.content) {
                piece = Piece::Here(from, Bytes::copy_from_slice(bytes));
            }
        })
        .await?;
    Ok(if answer.is_ok { piece } else { Piece::Refused })
}
