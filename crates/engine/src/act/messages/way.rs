//! By which line and thread an answer goes, and in whose name.

use std::sync::Arc;

use channels::Capability;
use domain::MessageId;
use domain::conversation::Conversation;
use domain::message::{Action, Outbound};
use store::{ThreadRow, Tx};

use super::super::{ActError, Actor};
use crate::reason::Reason;
use crate::{Engine, Line};

impl Engine {
    /// The line and thread by which an answer goes, if there is a way.
    pub(super) fn way_out(
        &self,
        tx: &Tx<'_>,
        conversation: &Conversation,
    ) -> Result<(Arc<Line>, ThreadRow), ActError> {
        let line = self.line(&conversation.line).ok_or_else(|| {
            ActError::Unsupported(Reason::LineGone {
                line: conversation.line.clone(),
            })
        })?;
        must_be_able(&line, Capability::Reply, "answer")?;
        let thread = tx
            .thread(conversation.thread)?
            .ok_or(ActError::NotFound("thread"))?;
        if let Some(reason) = &thread.unreachable {
            return Err(ActError::Refused(Reason::ClientUnreachable {
                cause: reason.clone(),
            }));
        }
        Ok((line, thread))
    }
}

/// Refuses what the line's channel cannot do.
pub(in crate::act) fn must_be_able(
    line: &Line,
    capability: Capability,
    what: &str,
) -> Result<(), ActError> {
    let descriptor = line.kind.descriptor;
    if descriptor.can(capability) {
        Ok(())
    } else {
        Err(ActError::Unsupported(Reason::ChannelCannot {
            channel: descriptor.display_name.to_owned(),
            what: what.to_owned(),
        }))
    }
}

pub(super) fn outbound(
    tx: &Tx<'_>,
    actor: &Actor,
    conversation: &Conversation,
    thread: &ThreadRow,
    message: MessageId,
    action: Action,
) -> Outbound {
    Outbound {
        message,
        line: conversation.line.clone(),
        recipient: thread.recipient(),
        sent_at: tx.now(),
        author_name: author_name(tx, actor),
        automatic: false,
        action,
    }
}

pub(super) fn author_name(tx: &Tx<'_>, actor: &Actor) -> String {
    actor
        .operator
        .and_then(|me| tx.operator(me))
        .map_or_else(String::new, |operator| operator.display_name.clone())
}
