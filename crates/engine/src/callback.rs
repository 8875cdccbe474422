//! A client who waits left a number.

use domain::ConversationId;
use domain::conversation::Input;
use domain::identity::Identity;
use store::{StoreError, Tx};

use crate::change;

/// What a request to be called back changes beside the message that tells of it: the
/// conversation keeps its place, and its client need not stay.
pub(crate) fn requested(
    tx: &mut Tx<'_>,
    conversation: ConversationId,
    phone: &Identity,
) -> Result<(), StoreError> {
    let Some(found) = tx.conversation(conversation)? else {
        return Ok(());
    };
    let phone = phone.value.clone();
    change::conversation(tx, &found, Input::CallbackWanted { phone })?;
    Ok(())
}
