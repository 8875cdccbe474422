mod email;
mod phone;

use super::{Identity, IdentityKey};

const KIND_CHARS_MAX: usize = 32;
const ISSUER_CHARS_MAX: usize = 128;
const VALUE_CHARS_MAX: usize = 320;

/// Why a value cannot be an identity, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// The kind is not a name.
    #[error(
        "the kind of an identity is 1 to {KIND_CHARS_MAX} lower-case letters, digits, \"-\" or \"_\": correct it"
    )]
    Kind,
    /// The issuer is too long or not printable.
    #[error(
        "the issuer of an identity is at most {ISSUER_CHARS_MAX} printable characters: correct it"
    )]
    Issuer,
    /// There is no value.
    #[error("the identity has no value: give 1 to {VALUE_CHARS_MAX} characters")]
    Empty,
    /// The value is too long.
    #[error("the identity is too long: give at most {VALUE_CHARS_MAX} characters")]
    TooLong,
    /// The value holds control characters or line breaks.
    #[error("the identity holds control characters or line breaks: remove them")]
    Control,
    /// Not a telephone number of any country.
    #[error("this is not a telephone number: write it with \"+\" and the country code")]
    Phone,
    /// Not an e-mail address.
    #[error(
        "this is not an e-mail address: write it as name@example.com, without a display name or spaces"
    )]
    Email,
    /// The domain of an e-mail address cannot exist.
    #[error("the domain of the e-mail address cannot exist: check what is after the \"@\"")]
    Domain,
}

/// Brings an identity to its normal form: a phone to E.164, an e-mail to an ASCII
/// lower-case domain, everything else as it is. A normal form is its own.
///
/// `default_region` is the ISO 3166 region of numbers without a country code;
/// when it is empty or unknown, such numbers are refused.
pub fn normalize(identity: &Identity, default_region: &str) -> Result<Identity, InvalidIdentity> {
    check_kind(&identity.kind)?;
    check_issuer(&identity.issuer)?;
    check_value(&identity.value)?;
    let (issuer, value) = match identity.kind.as_str() {
        "phone" => (
            String::new(),
            phone::normal(&identity.value, default_region)?,
        ),
        "email" => (String::new(), email::normal(&identity.value)?),
        _ => (identity.issuer.clone(), identity.value.clone()),
    };
    Ok(Identity {
        kind: identity.kind.clone(),
        issuer,
        value,
        trust: identity.trust,
    })
}

/// Reads the phone tables, so that not the first caller has to wait for it: a fifth
/// of a second.
pub fn warm_up() {
    // The answer does not matter: any number makes them be read.
    let _ = phone::normal("8 916 123-45-67", "RU");
}

impl Identity {
    /// What a normalised identity is compared by.
    pub fn key(&self) -> IdentityKey {
        let matched = match self.kind.as_str() {
            "email" => email::matched(&self.value),
            _ => self.value.clone(),
        };
        IdentityKey {
            kind: self.kind.clone(),
            issuer: self.issuer.clone(),
            matched,
        }
    }
}

fn check_kind(kind: &str) -> Result<(), InvalidIdentity> {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if (1..=KIND_CHARS_MAX).contains(&kind.len()) && kind.bytes().all(allowed) {
        Ok(())
    } else {
        Err(InvalidIdentity::Kind)
    }
}

fn check_issuer(issuer: &str) -> Result<(), InvalidIdentity> {
    if issuer.chars().nth(ISSUER_CHARS_MAX).is_some() || issuer.chars().any(breaks_a_line) {
        return Err(InvalidIdentity::Issuer);
    }
    Ok(())
}

fn check_value(value: &str) -> Result<(), InvalidIdentity> {
    if value.is_empty() {
        return Err(InvalidIdentity::Empty);
    }
    if value.chars().nth(VALUE_CHARS_MAX).is_some() {
        return Err(InvalidIdentity::TooLong);
    }
    if value.chars().any(breaks_a_line) {
        return Err(InvalidIdentity::Control);
    }
    Ok(())
}

/// Values travel in headers, logs and CSV, where such a character would begin
/// something new.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
