//! Mail servers as they really are, each with a folder, ports and an authority of its
//! own, and the people who write letters to them. Dovecot, Exim and Node are used where
//! they are; a scenario that needs one that is not there is skipped by name.

mod authority;
mod client;
mod clients;
mod dovecot;
mod exim;
mod gateway;
mod hoodiecrow;
mod peer;
pub mod poison;
mod post;
mod process;
mod proxy;
mod tokens;

pub use authority::Authority;
pub use client::read;
pub use clients::Clients;
pub use dovecot::Dovecot;
pub use exim::Exim;
pub use gateway::{
    Kept, KeptMessage, SUPPORT, add_line, gateway, gateway_with, line, mailbox, never, section,
    section_of, settled,
};
pub use hoodiecrow::Hoodiecrow;
pub use peer::{Manner, Peer};
pub use post::{Post, Reply, lmtp, smtp};
pub use proxy::{Act, Proxy, Side};
pub use tokens::{TokenDesk, token};

/// What was started; a scenario that cannot be played here ends, and says why.
#[macro_export]
macro_rules! or_skip {
    ($start:expr) => {
        match $start {
            Ok(started) => started,
            Err(reason) => {
                fn here() {}
                let name = std::any::type_name_of_val(&here);
                let name = name.trim_end_matches("::here");
                let name = name.trim_end_matches("::{{closure}}");
                return println!("skipped: {name}: {reason}");
            }
        }
    };
}

/// Every mailbox's password.
pub const SECRET: &str = "secret";

/// A letter of a few lines, as the simplest program would write it.
pub fn letter(from: &str, to: &str, id: &str, subject: &str, text: &str) -> Vec<u8> {
    format!(
        "From: <{from}>\r\nTo: <{to}>\r\nMessage-ID: <{id}>\r\nSubject: {subject}\r\n\
         Date: Thu, 26 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    )
    .into_bytes()
}

/// The value of a letter's header, unfolded; empty where it has none.
pub fn header(letter: &[u8], name: &str) -> String {
    let text = String::from_utf8_lossy(letter);
    let head = text.split("\r\n\r\n").next().unwrap_or_default();
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let found = unfolded.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found
            .eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    });
    found.unwrap_or_default()
}

/// Whether some bytes stand in others.
pub fn contains(letter: &[u8], text: &str) -> bool {
    let text = text.as_bytes();
    letter.windows(text.len()).any(|window| window == text)
}
