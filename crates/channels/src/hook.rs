//! What webhooks of most providers have in common: a secret or a signature, compared in a
//! time that tells nothing, and a short answer.

use std::fmt::Write as _;

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{Ack, HookError};

/// Whether a secret that somebody gave is ours.
pub(crate) fn is_same(given: &[u8], ours: &[u8]) -> bool {
    // Hashed first, so that neither length nor content is told by the time.
    let key = b"compare";
    let code = |text: &[u8]| {
        let mac = Hmac::<Sha256>::new_from_slice(key).map(|mac| mac.chain_update(text));
        mac.map(|mac| mac.finalize().into_bytes()).ok()
    };
    match (code(given), code(ours)) {
        (Some(given), Some(ours)) => !ours.is_empty() && given.ct_eq(&ours).into(),
        _ => false,
    }
}

/// Checks a header that has to be a secret of ours.
pub(crate) fn check_secret(headers: &HeaderMap, name: &str, ours: &str) -> Result<(), HookError> {
    let given = headers.get(name).ok_or(HookError::Forged)?;
    if !ours.is_empty() && is_same(given.as_bytes(), ours.as_bytes()) {
        Ok(())
    } else {
        Err(HookError::Forged)
    }
}

/// The key of a delivery that does not tell one: the same bytes are the same delivery.
pub(crate) fn unreadable(raw: &[u8]) -> String {
    let digest = Sha256::digest(raw);
    let mut key = "unreadable ".to_owned();
    for byte in digest.iter().take(16) {
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// The answer to a delivery that was taken.
pub(crate) fn taken(content_type: &'static str, body: &'static str) -> Ack {
    Ack {
        status: StatusCode::OK,
        content_type,
        body: Bytes::from_static(body.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_itself_is_the_secret() {
        let headers = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-secret", value.parse().unwrap());
            headers
        };
        assert_eq!(check_secret(&headers("right"), "x-secret", "right"), Ok(()));
        for wrong in ["", "righ", "right ", "RIGHT", "rightright"] {
            let checked = check_secret(&headers(wrong), "x-secret", "right");
            assert_eq!(checked, Err(HookError::Forged), "{wrong}");
        }
        assert_eq!(
            check_secret(&HeaderMap::new(), "x-secret", "right"),
            Err(HookError::Forged)
        );
        assert_eq!(
            check_secret(&headers(""), "x-secret", ""),
            Err(HookError::Forged)
        );
    }
}
