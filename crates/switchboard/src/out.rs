//! Everything that is printed.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Prints a line on standard output.
pub(crate) fn line(text: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}

/// Prints a text or a page on standard output as it is.
pub(crate) fn raw(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(bytes)?;
    out.flush()
}

/// Prints a line on standard error. There is nobody left to tell if that fails.
pub(crate) fn problem(text: impl Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
