//! What a page keeps for the gateway, which remembers nothing of it: it is signed,
//! so that it comes back as it was given.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

/// Longer than any of ours; a longer text is not even looked at.
const TICKET_BYTES_MAX: usize = 8_192;

pub(super) fn sign(content: &impl Serialize, key: &[u8; 32]) -> String {
    let json = serde_json::to_vec(content).expect("a ticket is plain data");
    let signed = URL_SAFE_NO_PAD.encode(json);
    let signature = URL_SAFE_NO_PAD.encode(mac(&signed, key).finalize().into_bytes());
    format!("{signed}.{signature}")
}

/// What a ticket says; none when it was not signed with this key.
pub(super) fn read<T: DeserializeOwned>(ticket: &str, key: &[u8; 32]) -> Option<T> {
    if ticket.len() > TICKET_BYTES_MAX {
        return None;
    }
    let (signed, signature) = ticket.split_once('.')?;
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    mac(signed, key).verify_slice(&signature).ok()?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed).ok()?).ok()
}

fn mac(signed: &str, key: &[u8; 32]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(signed.as_bytes());
    mac
}
