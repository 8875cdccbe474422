//! Signatures by the rules of Standard Webhooks: HMAC-SHA256 over the id, the time and
//! the body, so that a receiver knows who wrote, and when.

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;
/// Some tools print secrets without the padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &ALPHABET,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a webhook is signed with. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads `whsec_` and base64 of 24 to 64 bytes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let key = text
            .strip_prefix(PREFIX)
            .and_then(|rest| LENIENT.decode(rest).ok());
        match key {
            Some(key) if (BYTES_MIN..=BYTES_MAX).contains(&key.len()) => Ok(Self(key)),
            Some(key) => Err(format!(
                "has {} bytes; give {BYTES_MIN} to {BYTES_MAX}, such as \
                 \"whsec_$(openssl rand -base64 32)\" prints",
                key.len()
            )),
            None => Err(format!(
                "must be {PREFIX} and base64, such as \"whsec_$(openssl rand -base64 32)\" prints"
            )),
        }
    }

    fn sign(&self, id: &str, at_seconds: i64, body: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of any length will do");
        mac.update(id.as_bytes());
        mac.update(b".");
        mac.update(at_seconds.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// The header of signatures: one for each secret.
pub(super) fn signatures(secrets: &[Secret], id: &str, at_seconds: i64, body: &[u8]) -> String {
    let each: Vec<String> = secrets
        .iter()
        .map(|secret| secret.sign(id, at_seconds, body))
        .collect();
    each.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the Standard Webhooks reference libraries.
    #[test]
    fn signs_as_the_specification_does() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let body = br#"{"test": 2432232314}"#;
        assert_eq!(
            signatures(&[secret], id, 1_614_265_330, body),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn while_rotating_each_secret_signs() {
        let old = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let new = Secret::parse(&format!("whsec_{}", STANDARD.encode([7; 32]))).unwrap();
        let one = |secret: &Secret| signatures(std::slice::from_ref(secret), "id", 1, b"{}");
        let both = signatures(&[new.clone(), old.clone()], "id", 1, b"{}");
        assert_eq!(both, format!("{} {}", one(&new), one(&old)));
    }

    #[test]
    fn any_other_id_time_or_body_is_signed_otherwise() {
        let secret = [Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()];
        let right = signatures(&secret, "a", 1, b"{}");
        for (id, at, body) in [
            ("b", 1, "{}"),
            ("a", 2, "{}"),
            ("a", 1, "{ }"),
            ("a.1", 1, ""),
        ] {
            assert_ne!(signatures(&secret, id, at, body.as_bytes()), right);
        }
    }

    #[test]
    fn what_is_no_secret_is_said_so() {
        let short = format!("whsec_{}", STANDARD.encode([1; 23]));
        let long = format!("whsec_{}", STANDARD.encode([1; 65]));
        for text in [
            "",
            "whsec_",
            "whsec_?",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            &short,
            &long,
        ] {
            assert!(Secret::parse(text).is_err(), "{text}");
        }
        let unpadded = STANDARD.encode([1; 32]);
        assert!(Secret::parse(&format!("whsec_{}", unpadded.trim_end_matches('='))).is_ok());
    }
}
