//! Transfer encodings, undone piece by piece.

use bytes::Bytes;
use memchr::{memchr, memchr_iter};

/// How a part's bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As they are.
    #[default]
    Identity,
    Base64,
    Quoted,
    Uu,
}

impl Encoding {
    /// By its name in `Content-Transfer-Encoding`; unknown ones are taken as none.
    pub(super) fn named(name: &str) -> Self {
        let name = name.split([';', ' ', '(']).next().unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "base64" => Self::Base64,
            "quoted-printable" => Self::Quoted,
            "x-uuencode" | "x-uue" | "uuencode" => Self::Uu,
            _ => Self::Identity,
        }
    }

    /// About how many bytes come out.
    pub(super) fn decoded_length(self, encoded: &[u8]) -> usize {
        match self {
            Self::Identity => encoded.len(),
            Self::Base64 => {
                let line_ends = memchr_iter(b'\n', encoded).count();
                let crs = memchr_iter(b'\r', encoded).count();
                let tail = encoded.trim_ascii_end();
                let pads = tail.iter().rev().take_while(|b| **b == b'=').count().min(2);
                ((encoded.len() - line_ends - crs) * 3 / 4).saturating_sub(pads)
            }
            Self::Quoted => {
                let escapes = memchr_iter(b'=', encoded).count();
                encoded.len().saturating_sub(2 * escapes)
            }
            Self::Uu => encoded.len() * 45 / 62,
        }
    }
}

/// Decodes everything.
pub(super) fn all(encoded: &[u8], encoding: Encoding) -> Vec<u8> {
    start(encoded, encoding, usize::MAX).0
}

/// Decodes as much as fits into so many bytes; true when there was more.
pub(super) fn start(encoded: &[u8], encoding: Encoding, bytes_max: usize) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut decoder = Decoder::new(encoding);
    // One more tells that there is more.
    decoder.decode(encoded, &mut out, bytes_max.saturating_add(1));
    let is_cut = out.len() > bytes_max;
    out.truncate(bytes_max);
    (out, is_cut)
}

/// Goes through an encoded part.
#[derive(Clone, Debug)]
struct Decoder {
    encoding: Encoding,
    at: usize,
    /// Of Base64: the bits that do not make a byte yet, and their number.
    bits: u32,
    bit_count: u32,
    /// Of UU: within the lines that count.
    has_begun: bool,
}

impl Decoder {
    fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            at: 0,
            bits: 0,
            bit_count: 0,
            has_begun: false,
        }
    }

    /// Appends to `out` until it holds `length_max` bytes, or a few more.
    fn decode(&mut self, encoded: &[u8], out: &mut Vec<u8>, length_max: usize) {
        match self.encoding {
            Encoding::Identity => {
                let rest = &encoded[self.at..];
                let room = length_max.saturating_sub(out.len());
                let taken = rest.len().min(room);
                out.extend_from_slice(&rest[..taken]);
                self.at += taken;
            }
            Encoding::Base64 => self.base64(encoded, out, length_max),
            Encoding::Quoted => self.quoted(encoded, out, length_max),
            Encoding::Uu => self.uu(encoded, out, length_max),
        }
    }

    fn base64(&mut self, encoded: &[u8], out: &mut Vec<u8>, length_max: usize) {
        while out.len() < length_max
            && let [byte, ..] = encoded[self.at..]
        {
            // Nearly all of it comes in whole groups.
            if self.bit_count == 0
                && let Some(three) = encoded[self.at..]
                    .first_chunk()
                    .copied()
                    .and_then(base64_group)
            {
                out.extend_from_slice(&three);
                self.at += 4;
                continue;
            }
            self.at += 1;
            let six = BASE64[usize::from(byte)];
            if six < 64 {
                self.bits = self.bits << 6 | u32::from(six);
                self.bit_count += 6;
            } else if byte == b'=' {
                // What follows begins anew: some programs put several together.
                self.bits = 0;
                self.bit_count = 0;
            }
            if self.bit_count >= 8 {
                self.bit_count -= 8;
                out.push(low_byte(self.bits >> self.bit_count));
                self.bits &= (1 << self.bit_count) - 1;
            }
        }
    }

    fn quoted(&mut self, encoded: &[u8], out: &mut Vec<u8>, length_max: usize) {
        while let Some(byte) = encoded.get(self.at) {
            if out.len() >= length_max {
                return;
            }
            let rest = &encoded[self.at..];
            match byte {
                b'=' => self.at += escape(rest, out),
                b' ' | b'\t' => {
                    let length = blanks(rest);
                    let room = length_max - out.len();
                    if ends_line(&rest[length..]) {
                        self.at += length;
                    } else {
                        // A long run is taken in pieces.
                        let taken = length.min(room);
                        out.extend_from_slice(&rest[..taken]);
                        self.at += taken;
                    }
                }
                _ => {
                    let end = rest.iter().position(|b| matches!(b, b'=' | b' ' | b'\t'));
                    let taken = end.unwrap_or(rest.len()).min(length_max - out.len());
                    out.extend_from_slice(&rest[..taken]);
                    self.at += taken;
                }
            }
        }
    }

    fn uu(&mut self, encoded: &[u8], out: &mut Vec<u8>, length_max: usize) {
        while self.at < encoded.len() && out.len() < length_max {
            let rest = &encoded[self.at..];
            let length = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            self.at += length;
            let line = rest[..length].trim_ascii_end();
            if !self.has_begun {
                self.has_begun = line.starts_with(b"begin ");
            } else if line == b"end" {
                self.at = encoded.len();
            } else {
                uu_line(line, out);
            }
        }
    }
}

fn low_byte(bits: u32) -> u8 {
    bits.to_le_bytes()[0]
}

/// What each byte stands for in Base64 and its variant for addresses; more than 63 for
/// nothing.
const BASE64: [u8; 256] = {
    let mut values = [u8::MAX; 256];
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        values[letters[value as usize] as usize] = value;
        value += 1;
    }
    values[b'-' as usize] = 62;
    values[b'_' as usize] = 63;
    values
};

/// The three bytes of four letters, where all of them stand for something.
fn base64_group(four: [u8; 4]) -> Option<[u8; 3]> {
    let [a, b, c, d] = four.map(|byte| BASE64[usize::from(byte)]);
    let three = [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d];
    (a | b | c | d < 64).then_some(three)
}

/// Decodes what an `=` begins and tells its length; one that begins nothing stays.
fn escape(text: &[u8], out: &mut Vec<u8>) -> usize {
    if let [_, high, low, ..] = text
        && let (Some(high), Some(low)) = (hex(*high), hex(*low))
    {
        out.push(high << 4 | low);
        return 3;
    }
    let blanks = blanks(&text[1..]);
    match text.get(1 + blanks..) {
        Some([b'\r', b'\n', ..]) => 3 + blanks,
        Some([b'\r' | b'\n', ..]) => 2 + blanks,
        Some([]) => 1 + blanks,
        Some(_) | None => {
            out.push(b'=');
            1
        }
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

/// More blanks than any line has are not looked through again and again.
const BLANKS_MAX: usize = 1_000;

fn blanks(text: &[u8]) -> usize {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    text.iter().take(BLANKS_MAX).take_while(blank).count()
}

fn ends_line(text: &[u8]) -> bool {
    text.first()
        .is_none_or(|byte| matches!(byte, b'\r' | b'\n'))
}

fn uu_line(line: &[u8], out: &mut Vec<u8>) {
    let value = |byte: Option<&u8>| u32::from(byte.map_or(0, |byte| byte.wrapping_sub(32) & 63));
    let Some((_, encoded)) = line.split_first() else {
        return;
    };
    let length = value(line.first()) as usize;
    let end = out.len() + length;
    for four in encoded.chunks(4) {
        let bits = (0..4).fold(0, |bits, at| bits << 6 | value(four.get(at)));
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    // Spaces at a line's end are lost on the way.
    out.resize(end, 0);
}

/// A part's content, a piece at a time.
#[derive(Clone, Debug)]
pub(in crate::registry::email) struct Pieces {
    encoded: Bytes,
    decoder: Decoder,
}

const PIECE_BYTES: usize = 64 << 10;

impl Pieces {
    pub(super) fn new(encoded: Bytes, encoding: Encoding) -> Self {
        Self {
            encoded,
            decoder: Decoder::new(encoding),
        }
    }
}

impl Iterator for Pieces {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.decoder.encoding == Encoding::Identity {
            let length = self.encoded.len().min(PIECE_BYTES);
            return (length > 0).then(|| self.encoded.split_to(length));
        }
        let mut piece = Vec::with_capacity(PIECE_BYTES);
        // A line of UU adds up to 63 bytes past the mark.
        self.decoder
            .decode(&self.encoded, &mut piece, PIECE_BYTES - 64);
        (!piece.is_empty()).then(|| piece.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(encoding: Encoding, encoded: &str, expect: &str) {
        let decoded = all(encoded.as_bytes(), encoding);
        assert_eq!(String::from_utf8_lossy(&decoded), expect, "{encoded:?}");
    }

    #[test]
    fn each_encoding_is_undone() {
        for (encoded, expect) in [
            ("aGVsbG8=", "hello"),
            ("aGVs\r\nbG8=\r\n", "hello"),
            ("aGVsbG8", "hello"),
            ("a!G*V s~bG8=", "hello"),
            ("aGVsbG8=aGVsbG8=", "hellohello"),
            ("e35-fg==", "{~~~"),
            ("e35+fg==", "{~~~"),
            ("====", ""),
            ("a", ""),
        ] {
            check(Encoding::Base64, encoded, expect);
        }
        for (encoded, expect) in [
            ("a=20b=3D", "a b="),
            ("soft=\r\nbreak", "softbreak"),
            ("soft= \t\nbreak=", "softbreak"),
            ("lost  \r\nblanks\t\n  kept", "lost\r\nblanks\n  kept"),
            ("=d0=9f", "П"),
            ("a=b =zz =", "a=b =zz "),
        ] {
            check(Encoding::Quoted, encoded, expect);
        }
        check(
            Encoding::Uu,
            "begin 644 a\n%:&5L;&\\\n`\nend\nmore",
            "hello",
        );
        check(Encoding::Uu, "nothing begins", "");
        check(Encoding::named("8bit"), "a=20", "a=20");
        assert_eq!(Encoding::named("BASE64 ; x"), Encoding::Base64);
    }

    #[test]
    fn the_beginning_is_no_longer_than_asked() {
        assert_eq!(
            start(b"aGVsbG8=", Encoding::Base64, 4),
            (b"hell".to_vec(), true)
        );
        assert_eq!(
            start(b"aGVsbG8=", Encoding::Base64, 5),
            (b"hello".to_vec(), false)
        );
        let blanks = " ".repeat(1_000_000) + "x";
        let (decoded, is_cut) = start(blanks.as_bytes(), Encoding::Quoted, 2_000_000);
        assert_eq!((decoded.len(), is_cut), (1_000_001, false));
    }

    #[test]
    fn pieces_are_small_and_make_the_whole() {
        let content: Vec<u8> = (0..300_000_u32)
            .map(|n| low_byte(n * 7 + n / 256))
            .collect();
        let encoded = {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.encode(&content)
        };
        let pieces: Vec<Bytes> = Pieces::new(encoded.into(), Encoding::Base64).collect();
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE_BYTES));
        assert_eq!(pieces.concat(), content);
        let pieces: Vec<Bytes> = Pieces::new(content.clone().into(), Encoding::Identity).collect();
        assert_eq!(pieces.concat(), content);
    }
}
