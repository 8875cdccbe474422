//! By which line and thread an answer goes, and in whose name.

use std::sync::Arc;

use channels::Capability;
use domain::MessageId;
use domain::conversation::Conversation;
use domain::message::{Action, Outbound, Part};
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
pub(crate) fn must_be_able(
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

/// Refuses to write to a client whom the provider lets nobody write to any more.
pub(super) fn must_be_in_time(
    tx: &Tx<'_>,
    line: &Line,
    thread: &ThreadRow,
) -> Result<(), ActError> {
    let Some(window) = line.channel.reply_window() else {
        return Ok(());
    };
    let last = tx.last_inbound_of(thread.id)?;
    let is_open = last.is_some_and(|last| tx.now() < last.sent_at + window);
    if is_open {
        return Ok(());
    }
    Err(ActError::Refused(Reason::ReplyWindowClosed {
        channel: line.kind.descriptor.display_name.to_owned(),
        hours: window.0 / 3_600_000,
    }))
}

/// What the provider takes one after the other.
pub(super) fn in_parts(line: &Line, whole: Outbound) -> Vec<Outbound> {
    let actions = line.channel.parts(whole.action.clone());
    let of = u32::try_from(actions.len()).unwrap_or(u32::MAX);
    if of < 2 {
        return vec![whole];
    }
    let part = |(number, action)| Outbound {
        part: Some(Part { number, of }),
        action,
        ..whole.clone()
    };
    (1..).zip(actions).map(part).collect()
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
        part: None,
        action,
    }
}

fn author_name(tx: &Tx<'_>, actor: &Actor) -> String {
    actor
        .operator
        .and_then(|me| tx.operator(me))
        .map_or_else(String::new, |operator| operator.display_name.clone())
}
