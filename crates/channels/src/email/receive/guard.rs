//! Keeps a server's answers within bounds. The library holds an answer in memory as a
//! whole, and makes room for what is announced before it comes.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Letters are fetched in smaller pieces.
const LITERAL_BYTES_MAX: u64 = 2 << 20;
/// What is no literal is read again from its beginning whenever more of it comes.
const LINE_BYTES_MAX: usize = 256 << 10;
/// Literals and lines of one answer.
const ANSWER_BYTES_MAX: u64 = 4 << 20;
/// So much of an answer's beginning tells of which kind it is.
const HEAD_BYTES: usize = 10;
/// So much of a line's end tells what follows: `{4294967295}` and the line break.
const TAIL_BYTES: usize = 14;

/// A connection that ends with an error when the server goes too far.
pub(in crate::registry::email) struct Guarded<S> {
    inner: S,
    scan: Scan,
}

/// The server announced or sent too much.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Excess(&'static str);

/// Where in an answer we are. Sees the literals that the library sees.
#[derive(Default)]
struct Scan {
    /// Of a literal so much is to come.
    literal_bytes: u64,
    line_bytes: usize,
    answer_bytes: u64,
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl<S> Guarded<S> {
    pub(super) fn new(inner: S) -> Self {
        Self {
            inner,
            scan: Scan::default(),
        }
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }
}

impl<S> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded")
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(cx, buf))?;
        let read = buf.filled().get(before..).unwrap_or_default();
        let scanned = self.scan.take(read);
        Poll::Ready(scanned.map_err(|excess| io::Error::new(io::ErrorKind::InvalidData, excess)))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl Scan {
    fn take(&mut self, mut bytes: &[u8]) -> Result<(), Excess> {
        while !bytes.is_empty() {
            let here = if self.literal_bytes > 0 {
                let left = usize::try_from(self.literal_bytes).unwrap_or(usize::MAX);
                let here = left.min(bytes.len());
                self.literal_bytes -= here as u64;
                here
            } else {
                let end = bytes.iter().position(|byte| *byte == b'\n');
                let here = end.map_or(bytes.len(), |end| end + 1);
                self.line(&bytes[..here])?;
                here
            };
            bytes = &bytes[here..];
        }
        Ok(())
    }

    /// Takes a line or the part of it that has come.
    fn line(&mut self, part: &[u8]) -> Result<(), Excess> {
        self.line_bytes += part.len();
        if self.line_bytes > LINE_BYTES_MAX {
            return Err(Excess("sent a line that does not end"));
        }
        let room = HEAD_BYTES - self.head.len();
        self.head.extend(part.iter().take(room));
        let last = &part[part.len().saturating_sub(TAIL_BYTES)..];
        self.tail.extend(last);
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
        if part.ends_with(b"\n") {
            self.end_line()?;
        }
        Ok(())
    }

    fn end_line(&mut self) -> Result<(), Excess> {
        let announced = announced(&self.tail)?;
        match announced {
            Some(_) if self.is_text() => {
                return Err(Excess("announced bytes where there are none"));
            }
            Some(bytes) => {
                self.answer_bytes += bytes + self.line_bytes as u64;
                if bytes > LITERAL_BYTES_MAX || self.answer_bytes > ANSWER_BYTES_MAX {
                    return Err(Excess("announced more than was asked for"));
                }
                self.literal_bytes = bytes;
            }
            None => {
                self.answer_bytes = 0;
                self.head.clear();
            }
        }
        self.line_bytes = 0;
        self.tail.clear();
        Ok(())
    }

    /// Whether the answer is a status with a text for people.
    fn is_text(&self) -> bool {
        const STATUSES: [&[u8]; 5] = [b"OK", b"NO", b"BAD", b"BYE", b"PREAUTH"];
        let Some(data) = self.head.strip_prefix(b"* ") else {
            return true;
        };
        STATUSES.iter().any(|status| {
            let beginning = data.get(..status.len());
            beginning.is_some_and(|beginning| beginning.eq_ignore_ascii_case(status))
        })
    }
}

/// The length of the literal that a line ends with.
fn announced(tail: &[u8]) -> Result<Option<u64>, Excess> {
    let Some(before) = tail.strip_suffix(b"}\r\n") else {
        return Ok(None);
    };
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let digits = before
        .iter()
        .rev()
        .take_while(|byte| is_digit(byte))
        .count();
    let (before, digits) = before.split_at(before.len() - digits);
    if before.is_empty() {
        return Err(Excess("announced a number that is too long"));
    }
    if digits.is_empty() || !before.ends_with(b"{") {
        return Ok(None);
    }
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Ok(Some(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads it whole and in small parts: what is seen must not depend on it.
    fn scan(answers: &[u8]) -> Result<(), Excess> {
        let whole = Scan::default().take(answers);
        let mut scan = Scan::default();
        let bytewise = answers.chunks(7).try_for_each(|byte| scan.take(byte));
        assert_eq!(whole, bytewise);
        whole
    }

    fn letter(bytes: usize) -> Vec<u8> {
        let mut answer = format!("* 1 FETCH (UID 1 BODY[] {{{bytes}}}\r\n").into_bytes();
        answer.extend(std::iter::repeat_n(b'x', bytes));
        answer.extend_from_slice(b")\r\n");
        answer
    }

    #[test]
    fn what_servers_say_passes() {
        let answers = [
            b"* OK ready\r\n".to_vec(),
            letter(0),
            letter(1 << 20),
            letter(7),
            b"* LIST () \"/\" {5}\r\nINBOX\r\n".to_vec(),
            b"A1 OK {done}\r\n+ idling\r\n".to_vec(),
        ]
        .concat();
        assert_eq!(scan(&answers), Ok(()));
        // What a letter says is not an announcement.
        let body = b"{99999999999}\r\n* 1 FETCH (BODY[] {99999999}\r\n";
        let mut answer = format!("* 1 FETCH (BODY[] {{{}}}\r\n", body.len()).into_bytes();
        answer.extend_from_slice(body);
        answer.extend_from_slice(b")\r\n");
        assert_eq!(scan(&answer), Ok(()));
    }

    #[test]
    fn excess_is_refused() {
        let long_line = [b"* 1 FETCH (".to_vec(), vec![b'x'; LINE_BYTES_MAX]].concat();
        let many: Vec<u8> = std::iter::repeat_n(&b"{2000000}\r\n"[..], 3)
            .flat_map(|announced| [announced, &vec![b'x'; 2_000_000]].concat())
            .collect();
        let cases: Vec<Vec<u8>> = vec![
            b"* 1 FETCH (BODY[] {2097153}\r\n".to_vec(),
            b"* 1 FETCH (BODY[] {4294967295}\r\n".to_vec(),
            b"* 1 FETCH (BODY[] {00000000000000000500000000}\r\n".to_vec(),
            b"* NO [BADCHARSET ({400000000}\r\n".to_vec(),
            b"* ok {5}\r\n".to_vec(),
            b"A1 OK {5}\r\n".to_vec(),
            b"+ {5}\r\n".to_vec(),
            long_line,
            [b"* 1 FETCH (BODY[] ".to_vec(), many].concat(),
        ];
        for answer in cases {
            let shown = String::from_utf8_lossy(&answer[..answer.len().min(60)]).into_owned();
            assert!(scan(&answer).is_err(), "{shown}");
        }
    }
}
