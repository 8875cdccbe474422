//! A client who waits left a number.

use domain::ConversationId;
use domain::identity::Identity;
use store::{StoreError, Tx};

/// What a request to be called back changes beside the message that tells of it: the
/// conversation, which is open, and its place. Called in the transaction that writes
/// the message, once for each request.
#[expect(
    clippy::unnecessary_wraps,
    reason = "what it changes is written to the store"
)]
pub(crate) fn requested(
    _tx: &mut Tx<'_>,
    _conversation: ConversationId,
    _phone: &Identity,
) -> Result<(), StoreError> {
    Ok(())
}
