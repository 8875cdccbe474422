//! What a letter of ours is called: always the same for one message, and not to be
//! guessed by whoever does not know its thread.

use std::fmt::Write as _;

use domain::message::Outbound;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::super::config::Config;
use super::field::Address;

/// 128 bits.
const BYTES: usize = 16;

/// The name without angle brackets; none while the thread has no token.
pub(in super::super) fn name(config: &Config, outbound: &Outbound) -> Option<String> {
    let token = outbound.recipient.token.as_bytes();
    if token.is_empty() {
        return None;
    }
    let address = Address::read(&config.address)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(token).ok()?;
    mac.update(b"message-id:");
    mac.update(outbound.message.to_string().as_bytes());
    let digest = mac.finalize().into_bytes();
    let mut name = String::with_capacity(2 * BYTES + 1 + address.domain().len());
    for byte in digest.iter().take(BYTES) {
        let _ = write!(name, "{byte:02x}");
    }
    name.push('@');
    name.push_str(address.domain());
    Some(name)
}
