//! A visitor's secret and what is known of it here.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const SECRET_BYTES: usize = 32;

/// Makes a visitor's token. Only their page keeps it.
pub(super) fn new_token(random: [u8; SECRET_BYTES]) -> String {
    URL_SAFE_NO_PAD.encode(random)
}

/// The name of the visitor who holds a token; none when it is not a token. The
/// name tells nothing of the token, so it may stand in logs and storage.
pub(super) fn visitor_id(token: &str) -> Option<String> {
    // 32 bytes are 43 characters; a longer text is not even looked at.
    if token.len() != 43 {
        return None;
    }
    let secret = URL_SAFE_NO_PAD.decode(token).ok()?;
    let digest = Sha256::digest(&secret);
    let mut id = String::with_capacity(32);
    for byte in &digest[..16] {
        let _ = write!(id, "{byte:02x}");
    }
    Some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_names_one_visitor() {
        let token = new_token([7; 32]);
        assert_eq!(token.len(), 43);
        let id = visitor_id(&token).expect("our own token");
        assert_eq!(id.len(), 32);
        assert_ne!(visitor_id(&new_token([8; 32])), Some(id));
        for wrong in ["", "x", &token[..42], &format!("{token}="), &"!".repeat(43)] {
            assert_eq!(visitor_id(wrong), None, "{wrong}");
        }
    }
}
