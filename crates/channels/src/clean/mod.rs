//! Caps and checks that more than one channel makes on what strangers write.

mod event;

use std::collections::BTreeMap;

use domain::identity::{self, Identity};
use domain::text;
use serde_json::Value;

pub(crate) use event::event;

/// The longest text of a message, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 64 << 10;

const KEY_BYTES_MAX: usize = 256;
const ATTRIBUTES_MAX: usize = 50;

/// What is said to be nothing is as if it were not said.
pub(crate) fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let said = fields.into_iter().filter(|(_, value)| !value.is_null());
            said.map(|(name, value)| (name, without_nulls(value)))
                .collect()
        }
        Value::Array(items) => items.into_iter().map(without_nulls).collect(),
        plain @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => plain,
    }
}

/// A message's words, cut to what is kept.
pub(crate) fn body(raw: &str) -> String {
    clip(text::body(clip_str(raw, TEXT_BYTES_MAX), TEXT_BYTES_MAX))
}

/// Whether a foreign id can be kept as it is.
pub(crate) fn is_key(id: &str) -> bool {
    !id.is_empty() && id.len() <= KEY_BYTES_MAX && !id.chars().any(char::is_control)
}

/// A foreign id that names nothing of ours when it cannot be one.
pub(crate) fn key(id: &str) -> String {
    if is_key(id) {
        id.to_owned()
    } else {
        String::new()
    }
}

/// Whether something is an address in the web, ready for the egress client to
/// look at.
pub(crate) fn is_web_url(url: &str) -> bool {
    let web = url.starts_with("https://") || url.starts_with("http://");
    web && url.len() <= 2_048 && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// Whether something looks like a BCP 47 tag.
pub(crate) fn is_locale(tag: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (2..=35).contains(&tag.len()) && tag.bytes().all(allowed)
}

/// A media type, or the one for bytes of which nothing is known.
pub(crate) fn media_type(claimed: &str) -> String {
    let token = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !part.is_empty() && part.len() <= 100 && part.bytes().all(allowed)
    };
    match claimed.split_once('/') {
        Some((kind, subtype)) if token(kind) && token(subtype) => claimed.to_ascii_lowercase(),
        Some(_) | None => "application/octet-stream".to_owned(),
    }
}

/// Free facts, bounded.
pub(crate) fn attributes(raw: BTreeMap<String, String>) -> BTreeMap<String, String> {
    raw.into_iter()
        .filter(|(name, _)| !name.trim().is_empty())
        .take(ATTRIBUTES_MAX)
        .map(|(name, value)| (text::line(&name, 64), text::line(&value, 1_000)))
        .collect()
}

/// Identities in their normal form. Those that are none come back apart, as kind
/// and text for people.
pub(crate) fn identities(
    raw: Vec<Identity>,
    max: usize,
    region: &str,
) -> (Vec<Identity>, Vec<(String, String)>) {
    let mut good: Vec<Identity> = Vec::new();
    let mut unread = Vec::new();
    for identity in raw.into_iter().take(max) {
        match identity::normalize(&identity, region) {
            Ok(normal) if good.contains(&normal) => {}
            Ok(normal) => good.push(normal),
            Err(_) => unread.push((
                text::line(&identity.kind, 32),
                text::line(&identity.value, 320),
            )),
        }
    }
    (good, unread)
}

/// Decodes `%D0%AF`; what is not a proper escape stays as it is. None when the
/// result is not UTF-8.
pub(crate) fn percent_decode(encoded: &[u8], plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, behind @ ..])
                if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() =>
            {
                bytes.push(hex_digit(*high) << 4 | hex_digit(*low));
                rest = behind;
            }
            (b'+', _) if plus_is_space => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    }
}

/// The beginning of a text that fits into so many bytes.
pub(crate) fn clip_str(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    &text[..text.floor_char_boundary(bytes_max)]
}

fn clip(mut text: String) -> String {
    let end = clip_str(&text, TEXT_BYTES_MAX).len();
    text.truncate(end);
    text
}
