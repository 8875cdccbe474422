//! Ours to theirs. Pure.

use domain::message::{Action, Outbound, ToSend};

use super::api::SendRequest;
use crate::SendError;

pub(super) fn render(outbound: &Outbound) -> Result<SendRequest, SendError> {
    match &outbound.action {
        Action::Send(ToSend { text, .. }) => Ok(SendRequest {
            chat: outbound.recipient.thread_key.clone(),
            text: text.plain.clone(),
        }),
        Action::Edit { .. } | Action::Delete { .. } | Action::React { .. } => {
            Err(SendError::Unsupported)
        }
    }
}
