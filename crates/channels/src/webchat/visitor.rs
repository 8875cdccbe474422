//! A visitor's secret and what is known of it here.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const SECRET_BYTES: usize = 32;

/// A visitor's token. Only their page keeps it.
pub(super) struct Token([u8; SECRET_BYTES]);

impl Token {
    pub(super) fn new(random: [u8; SECRET_BYTES]) -> Self {
        Self(random)
    }

    /// None when it is not a token.
    pub(super) fn read(text: &str) -> Option<Self> {
        // 32 bytes are 43 characters; a longer text is not even looked at.
        if text.len() != 43 {
            return None;
        }
        let secret = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(secret.try_into().ok()?))
    }

    /// As the page keeps it.
    pub(super) fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// The name of the browser that holds the token, and of its first thread. It
    /// tells nothing of the token, so it may stand in logs and storage.
    pub(super) fn browser_id(&self) -> String {
        id(&Sha256::digest(self.0))
    }

    /// The thread of whoever is not signed in at a browser whose first thread is
    /// somebody's.
    pub(super) fn thread_of_guest(&self) -> String {
        self.apart(b"guest", "")
    }

    /// The thread of a signed user at a browser whose first thread is somebody
    /// else's.
    pub(super) fn thread_of_user(&self, user_id: &str) -> String {
        self.apart(b"user\0", user_id)
    }

    /// Whether it is one of the names that this browser has while a user signs in.
    pub(super) fn is_named(&self, visitor_id: &str, user_id: &str) -> bool {
        self.browser_id() == visitor_id
            || self.thread_of_guest() == visitor_id
            || self.thread_of_user(user_id) == visitor_id
    }

    /// Names another thread of this browser. Only who has the token can: the names
    /// of two threads do not tell that they are of one browser.
    fn apart(&self, kind: &[u8], of: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length will do");
        mac.update(b"switchboard webchat thread\0");
        mac.update(kind);
        mac.update(of.as_bytes());
        id(&mac.finalize().into_bytes())
    }
}

fn id(digest: &[u8]) -> String {
    let mut id = String::with_capacity(32);
    for byte in &digest[..16] {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(byte: u8) -> Token {
        Token::new([byte; SECRET_BYTES])
    }

    #[test]
    fn a_token_names_one_visitor() {
        let text = token(7).text();
        assert_eq!(text.len(), 43);
        let id = Token::read(&text).expect("our own token").browser_id();
        assert_eq!(id.len(), 32);
        assert_ne!(token(8).browser_id(), id);
        for wrong in ["", "x", &text[..42], &format!("{text}="), &"!".repeat(43)] {
            assert!(Token::read(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn every_thread_of_a_browser_has_a_name_of_its_own() {
        let mut names = vec![];
        for token in [token(7), token(8)] {
            names.extend([
                token.browser_id(),
                token.thread_of_guest(),
                token.thread_of_user(""),
            ]);
            names.extend(["guest", "u-1", "u-2"].map(|user| token.thread_of_user(user)));
        }
        assert!(names.iter().all(|name| name.len() == 32));
        assert_eq!(
            token(7).thread_of_user("u-1"),
            names[4],
            "the same tomorrow"
        );
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), 12);
    }
}
