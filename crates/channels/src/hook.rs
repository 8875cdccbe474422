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

/// Checks a header that has to be the HMAC-SHA256 of the body by a secret of ours, in hex
/// behind a prefix.
pub(crate) fn check_signature(
    headers: &HeaderMap,
    name: &str,
    prefix: &str,
    ours: &str,
    body: &[u8],
) -> Result<(), HookError> {
    let given = headers.get(name).and_then(|given| given.to_str().ok());
    let given = given.and_then(|given| given.strip_prefix(prefix));
    if given.is_some_and(|given| is_code(given, ours, body)) {
        Ok(())
    } else {
        Err(HookError::Forged)
    }
}

/// Whether something is the HMAC-SHA256 of a text by a secret of ours, in hex.
pub(crate) fn is_code(given: &str, ours: &str, text: &[u8]) -> bool {
    let given = given.to_ascii_lowercase();
    code(ours, text).is_some_and(|code| is_same(given.as_bytes(), code.as_bytes()))
}

/// The HMAC-SHA256 of a text by a secret of ours, in hex; none without a secret.
pub(crate) fn code(ours: &str, text: &[u8]) -> Option<String> {
    let mac = Hmac::<Sha256>::new_from_slice(ours.as_bytes()).ok();
    let mac = mac.filter(|_| !ours.is_empty())?;
    Some(hex(&mac.chain_update(text).finalize().into_bytes()))
}

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The key of a delivery that does not tell one: the same bytes are the same delivery.
pub(crate) fn unreadable(raw: &[u8]) -> String {
    format!("unreadable {}", hex(&Sha256::digest(raw)[..16]))
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

    #[test]
    fn only_the_body_itself_is_signed() {
        let check = |value: Option<&str>, ours: &str, body: &str| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert("x-signature", value.parse().unwrap());
            }
            check_signature(&headers, "x-signature", "sha256=", ours, body.as_bytes())
        };
        // RFC 4231, the second case.
        let body = "what do ya want for nothing?";
        let code = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let (good, upper) = (format!("sha256={code}"), code.to_uppercase());
        assert_eq!(check(Some(&good), "Jefe", body), Ok(()));
        assert_eq!(
            check(Some(&format!("sha256={upper}")), "Jefe", body),
            Ok(())
        );
        let forged = Err(HookError::Forged);
        assert_eq!(check(Some(&good), "jefe", body), forged);
        assert_eq!(check(Some(&good), "", body), forged);
        assert_eq!(
            check(Some(&good), "Jefe", "what do ya want for nothing"),
            forged
        );
        for value in ["", "sha256=", code, &good[..good.len() - 1], "sha1=00"] {
            assert_eq!(check(Some(value), "Jefe", body), forged, "{value}");
        }
        assert_eq!(check(None, "Jefe", body), forged);
    }
}
