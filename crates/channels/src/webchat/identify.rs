//! Who a visitor is, said by the site and signed with the line's secret:
//! `base64url(JSON).base64url(HMAC-SHA256 of the part before the dot)`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{LineId, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::visitor::Token;

const TOKEN_BYTES_MAX: usize = 4_096;
const LIFETIME_SECS_MAX: i64 = 300;

/// Clocks of servers differ by this much without anybody noticing.
const CLOCK_SKEW_SECS: i64 = 5;

/// Tokens that can be used at the same time, at some 150 bytes each. When there
/// are more, further ones are refused rather than the memory of spent ones lost.
const SPENT_MAX: usize = 50_000;

/// What the site vouches for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[expect(clippy::struct_field_names, reason = "the claim is called so")]
pub(super) struct User {
    pub(super) user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
}

/// A token that is right in itself.
#[derive(Debug, PartialEq)]
pub(super) struct Signed {
    pub(super) user: User,
    pub(super) jti: String,
    pub(super) expires: Timestamp,
}

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub(super) enum NotIdentified {
    #[error("this line has no identity_secret")]
    NotConfigured,
    #[error("the token is not base64url(JSON).base64url(HMAC)")]
    Malformed,
    #[error("the signature is wrong")]
    Forged,
    #[error("the token has run out, or runs longer than five minutes")]
    Expired,
    #[error("the token is for another line or visitor")]
    NotForHere,
    #[error("the token was used before")]
    Replayed,
    #[error("too many tokens are in use")]
    Busy,
}

impl NotIdentified {
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::NotConfigured => "identity_not_configured",
            Self::Malformed => "identity_malformed",
            Self::Forged => "identity_forged",
            Self::Expired => "identity_expired",
            Self::NotForHere => "identity_not_for_here",
            Self::Replayed => "identity_replayed",
            Self::Busy => "busy",
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    aud: String,
    exp: i64,
    iat: i64,
    jti: String,
    visitor: Option<String>,
    #[serde(flatten)]
    user: User,
}

/// Checks a token, which may say for which visitor it is: by any name the site may
/// have heard in this browser. Whether the token was used before is [`Spent`]'s to say.
pub(super) fn verify(
    token: &str,
    secret: &str,
    line: &LineId,
    browser: &Token,
    now: Timestamp,
) -> Result<Signed, NotIdentified> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(NotIdentified::Malformed);
    }
    let (signed, signature) = token.split_once('.').ok_or(NotIdentified::Malformed)?;
    let decode = |part: &str| {
        URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| NotIdentified::Malformed)
    };
    let signature = decode(signature)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|_| NotIdentified::NotConfigured)?;
    mac.update(signed.as_bytes());
    // Compares in constant time, and refuses a shortened signature.
    mac.verify_slice(&signature)
        .map_err(|_| NotIdentified::Forged)?;
    let claims: Claims =
        serde_json::from_slice(&decode(signed)?).map_err(|_| NotIdentified::Malformed)?;
    check(claims, line, browser, now)
}

fn check(
    claims: Claims,
    line: &LineId,
    browser: &Token,
    now: Timestamp,
) -> Result<Signed, NotIdentified> {
    let ids = [(&claims.jti, 128), (&claims.user.user_id, 200)];
    if ids
        .iter()
        .any(|(id, max)| !crate::clean::is_key(id) || id.len() > *max)
    {
        return Err(NotIdentified::Malformed);
    }
    let is_for = |visitor: &String| browser.is_named(visitor, &claims.user.user_id);
    if claims.aud != line.as_str() || !claims.visitor.as_ref().is_none_or(is_for) {
        return Err(NotIdentified::NotForHere);
    }
    let now_secs = now.0.div_euclid(1_000);
    let alive = claims.exp > now_secs;
    let short = claims.exp.saturating_sub(claims.iat) <= LIFETIME_SECS_MAX
        && claims.exp <= now_secs + LIFETIME_SECS_MAX + CLOCK_SKEW_SECS;
    if !alive || !short {
        return Err(NotIdentified::Expired);
    }
    Ok(Signed {
        user: claims.user,
        jti: claims.jti,
        expires: Timestamp(claims.exp.saturating_mul(1_000)),
    })
}

/// Tokens that were used here and still run. The journal remembers them for all
/// nodes; this remembers for which browser, so that one visitor may come again with
/// the same token after a lost connection.
#[derive(Debug, Default)]
pub(super) struct Spent {
    by_jti: Mutex<BTreeMap<String, (Timestamp, String)>>,
}

impl Spent {
    /// Spends a token. True when this browser has spent it here before.
    pub(super) fn spend(
        &self,
        signed: &Signed,
        browser_id: &str,
        now: Timestamp,
    ) -> Result<bool, NotIdentified> {
        let mut by_jti = self.by_jti.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, browser)) = by_jti.get(&signed.jti) {
            return if browser == browser_id {
                Ok(true)
            } else {
                Err(NotIdentified::Replayed)
            };
        }
        if by_jti.len() >= SPENT_MAX {
            by_jti.retain(|_, (expires, _)| *expires > now);
            if by_jti.len() >= SPENT_MAX {
                return Err(NotIdentified::Busy);
            }
        }
        by_jti.insert(signed.jti.clone(), (signed.expires, browser_id.to_owned()));
        Ok(false)
    }

    /// Takes back what turned out not to be durable.
    pub(super) fn restore(&self, signed: &Signed) {
        let mut by_jti = self.by_jti.lock().unwrap_or_else(PoisonError::into_inner);
        by_jti.remove(&signed.jti);
    }
}

#[cfg(test)]
#[path = "identify_tests.rs"]
mod tests;
