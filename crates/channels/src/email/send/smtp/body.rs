//! A letter while it goes out: files are read and encoded piece by piece, so that no
//! letter is ever held whole.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use domain::message::Attachment;
use futures::StreamExt as _;

use super::super::render::{Piece, Rendered};
use crate::{File, Host};

/// Bytes of a file in one line.
const FILE_LINE_BYTES: usize = 57;

/// A letter that is being read.
pub(in super::super) struct Pouring<'a> {
    pieces: std::slice::Iter<'a, Piece>,
    host: &'a Arc<dyn Host>,
    open: Option<Encoding>,
}

/// A file that is being read.
struct Encoding {
    file: File,
    name: String,
    /// What is still to come, by what was told of the file.
    left: u64,
    /// What makes no whole line yet.
    rest: Vec<u8>,
}

impl<'a> Pouring<'a> {
    pub(in super::super) fn new(letter: &'a Rendered, host: &'a Arc<dyn Host>) -> Self {
        Self {
            pieces: letter.pieces.iter(),
            host,
            open: None,
        }
    }

    /// The next bytes of it; none at its end.
    pub(in super::super) async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            if let Some(encoding) = &mut self.open {
                match encoding.next().await? {
                    Some(lines) => return Ok(Some(lines)),
                    None => self.open = None,
                }
            }
            match self.pieces.next() {
                Some(Piece::Ready(bytes)) => return Ok(Some(bytes.clone())),
                Some(Piece::File(file)) => self.open = Some(Encoding::of(file, self.host).await?),
                None => return Ok(None),
            }
        }
    }
}

impl Encoding {
    async fn of(file: &Attachment, host: &Arc<dyn Host>) -> io::Result<Self> {
        let name = file.file_name.clone();
        let opened = host.open_file(file).await;
        Ok(Self {
            file: opened.map_err(|error| named(&name, &error))?,
            name,
            left: file.size_bytes,
            rest: Vec::new(),
        })
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while let Some(piece) = self.file.next().await {
            let piece = piece.map_err(|error| named(&self.name, &error))?;
            let length = piece.len() as u64;
            self.left = self
                .left
                .checked_sub(length)
                .ok_or_else(|| self.changed())?;
            self.rest.extend_from_slice(&piece);
            let whole = self.rest.len() / FILE_LINE_BYTES * FILE_LINE_BYTES;
            if whole > 0 {
                let lines = lines(&self.rest[..whole]);
                self.rest.drain(..whole);
                return Ok(Some(lines));
            }
        }
        if self.left > 0 {
            return Err(self.changed());
        }
        let rest = std::mem::take(&mut self.rest);
        Ok((!rest.is_empty()).then(|| lines(&rest)))
    }

    fn changed(&self) -> io::Error {
        let problem = format!("the file {:?} is not as long as it was", self.name);
        io::Error::new(io::ErrorKind::InvalidData, problem)
    }
}

fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("the file {name:?} cannot be read: {error}"),
    )
}

fn lines(bytes: &[u8]) -> Bytes {
    let mut out = String::with_capacity(bytes.len() / 3 * 4 + bytes.len() / 28 + 8);
    for line in bytes.chunks(FILE_LINE_BYTES) {
        STANDARD.encode_string(line, &mut out);
        out.push_str("\r\n");
    }
    out.into()
}

/// Doubles the dots that begin lines, so that none is taken for the end of the letter.
pub(super) struct Stuffing {
    at_line_start: bool,
}

impl Stuffing {
    pub(super) const fn new() -> Self {
        Self {
            at_line_start: true,
        }
    }

    pub(super) fn stuff(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        for byte in bytes {
            if self.at_line_start && *byte == b'.' {
                out.push(b'.');
            }
            out.push(*byte);
            self.at_line_start = *byte == b'\n';
        }
        out
    }

    /// What ends the letter.
    pub(super) const fn end(&self) -> &'static [u8] {
        if self.at_line_start {
            b".\r\n"
        } else {
            b"\r\n.\r\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_doubled_wherever_pieces_end() {
        let letter = b".a\r\n..\r\nb.c\r\n.\r\n";
        for cut in 0..=letter.len() {
            let mut stuffing = Stuffing::new();
            let mut out = stuffing.stuff(&letter[..cut]);
            out.extend(stuffing.stuff(&letter[cut..]));
            assert_eq!(out, b"..a\r\n...\r\nb.c\r\n..\r\n", "{cut}");
            assert_eq!(stuffing.end(), b".\r\n");
        }
        let mut stuffing = Stuffing::new();
        stuffing.stuff(b"a");
        assert_eq!(stuffing.end(), b"\r\n.\r\n");
    }
}
