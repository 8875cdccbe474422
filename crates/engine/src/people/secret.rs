//! Secrets: how they are made, and what is kept of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use store::{Store, StoreError};

const LINK_KEY: &str = "link_key";

/// So many random bytes, good enough for secrets.
pub fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// A secret that nobody can guess.
pub(crate) fn fresh_secret() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes())
}

pub(super) fn hash_secret(secret: &str) -> Vec<u8> {
    Sha256::digest(secret.as_bytes()).to_vec()
}

/// The key by which links to files are signed, made at the first start.
pub(crate) async fn link_key(store: &Store) -> Result<[u8; 32], StoreError> {
    store
        .write(|tx| {
            let known = tx
                .meta(LINK_KEY)?
                .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
                .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            if let Some(key) = known {
                return Ok(key);
            }
            let key = random_bytes();
            tx.set_meta(LINK_KEY, &URL_SAFE_NO_PAD.encode(key))?;
            Ok(key)
        })
        .await
}
