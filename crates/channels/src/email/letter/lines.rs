//! The lines of a letter, as ranges of its bytes.

use memchr::memchr;

/// How the lines of a letter end: with LF and perhaps a CR before it, or with CR where
/// there is no LF in the whole letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    Lf,
    Cr,
}

impl LineEnd {
    /// How the lines of these bytes end.
    pub(super) fn of(raw: &[u8]) -> Self {
        if memchr(b'\n', raw).is_none() && memchr(b'\r', raw).is_some() {
            Self::Cr
        } else {
            Self::Lf
        }
    }

    /// The line that begins at `start`; none at the end.
    pub(super) fn line(self, raw: &[u8], start: usize) -> Option<Line> {
        let rest = raw.get(start..).filter(|rest| !rest.is_empty())?;
        #[cfg(test)]
        READ.with(|read| read.set(read.get() + memchr(b'\n', rest).unwrap_or(rest.len())));
        let byte = match self {
            Self::Lf => b'\n',
            Self::Cr => b'\r',
        };
        let Some(length) = memchr(byte, rest) else {
            return Some(Line {
                start,
                end: raw.len(),
                next: raw.len(),
            });
        };
        let has_cr = self == Self::Lf && rest[..length].ends_with(b"\r");
        Some(Line {
            start,
            end: start + length - usize::from(has_cr),
            next: start + length + 1,
        })
    }
}

#[cfg(test)]
thread_local! {
    /// How many bytes were gone through to find lines.
    pub(super) static READ: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// A line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) start: usize,
    /// Before what ends it.
    pub(super) end: usize,
    /// Where the next one begins.
    pub(super) next: usize,
}

impl Line {
    /// Its bytes, without what ends it.
    pub(super) fn of(self, raw: &[u8]) -> &[u8] {
        &raw[self.start..self.end]
    }
}
