//! What a visitor has been shown and has read.

use domain::event::Cursor;
use domain::message::Delivery;
use domain::{MessageId, Millis};

use super::journal::Did;
use super::protocol::ServerFrame;
use super::visit::{Reply, Visit};
use crate::host::{Accepted, ClientMessage, Refused};

/// A message of ours that the visitor may not have read.
pub(super) struct Unread {
    pub(super) cursor: Cursor,
    pub(super) message: MessageId,
    pub(super) delivery: Delivery,
}

impl Visit {
    pub(super) async fn see(&mut self, cursor: i64, delivery: Delivery) -> Reply {
        let seen = match self.newly_seen(Cursor(cursor), delivery).await {
            Ok(seen) => seen,
            Err(after) => return Some(ServerFrame::try_later(None, "busy", after)),
        };
        let last = seen.iter().map(|unread| unread.cursor).max()?;
        let did = Did::See {
            cursor: last.0,
            targets: seen
                .iter()
                .map(|unread| unread.message.to_string())
                .collect(),
            delivery,
        };
        match self.accept(did).await {
            Ok(Accepted::New | Accepted::Duplicate) => {
                if delivery == Delivery::Read {
                    self.unread.retain(|unread| unread.cursor.0 > cursor);
                } else {
                    for unread in &mut self.unread {
                        if unread.cursor.0 <= cursor {
                            unread.delivery = delivery;
                        }
                    }
                }
                None
            }
            Err(Refused::Busy { retry_after, .. }) => {
                Some(ServerFrame::try_later(None, "busy", retry_after))
            }
            Err(Refused::Invalid(why)) => Some(ServerFrame::refused(None, "refused", &why)),
        }
    }

    /// Messages of ours up to a cursor that have not got as far as this. A page
    /// that came back tells of what it was sent before, which only the log knows.
    async fn newly_seen(&self, until: Cursor, delivery: Delivery) -> Result<Vec<Unread>, Millis> {
        let known = self.unread.iter().filter(|unread| unread.cursor <= until);
        let mut seen: Vec<Unread> = known
            .filter(|unread| unread.delivery.advances_to(delivery))
            .map(Unread::copy)
            .collect();
        if seen.is_empty() && until.0 > 0 && until <= self.cursor {
            let page = self.read_log(Cursor(until.0 - 1), 1).await;
            let found = page.map_err(|_| Millis::from_secs(1))?;
            let at = found.iter().filter(|message| message.cursor == until);
            seen.extend(
                at.filter_map(Unread::of)
                    .filter(|unread| unread.delivery.advances_to(delivery)),
            );
        }
        Ok(seen)
    }
}

impl Unread {
    /// None when the message is the visitor's own or was read.
    pub(super) fn of(message: &ClientMessage) -> Option<Self> {
        message.operator_name.as_ref()?;
        let delivery = message.delivery.unwrap_or(Delivery::Sent);
        (delivery != Delivery::Read).then_some(Self {
            cursor: message.cursor,
            message: message.id,
            delivery,
        })
    }

    fn copy(&self) -> Self {
        Self {
            cursor: self.cursor,
            message: self.message,
            delivery: self.delivery,
        }
    }
}
