//! A client leaves a number to be called back.

use domain::identity::{Identity, Trust, normalize};
use domain::message::{Content, Direction, Inbound, Text};
use domain::routing::RoutingRules;
use domain::{Timestamp, text};
use store::{StoreError, Tx};

use super::apply;
use super::entry::Who;
use crate::{Line, callback};

/// The longest comment, in characters.
const COMMENT_LENGTH_MAX: usize = 1_000;

/// Puts the request into the thread as messages of the client's, what it is about and
/// the number on a card, so that it waits like everything they write. A number that
/// cannot be dialled is shown as it came, and nothing else follows from it.
#[expect(clippy::too_many_arguments, reason = "what a message is made of")]
pub(super) fn request(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    line: &Line,
    received_at: Timestamp,
    inbound: Inbound,
    who: Who,
    phone: &str,
    comment: &str,
) -> Result<(), StoreError> {
    let known = |tx: &Tx<'_>| match &inbound.message_id {
        Some(id) => tx.message_by_external_id(&line.id, id, Direction::Inbound),
        None => Ok(None),
    };
    if known(tx)?.is_some() {
        return Ok(());
    }
    let comment = text::body(comment, COMMENT_LENGTH_MAX);
    if !comment.trim().is_empty() {
        let mut about = inbound.clone();
        about.message_id = about.message_id.map(|id| id + ".about");
        let words = Content::Text(Text::plain(comment));
        apply::message(tx, rules, line, received_at, about, words, who.clone())?;
    }
    let dialled = Identity {
        kind: "phone".to_owned(),
        issuer: String::new(),
        value: phone.trim().to_owned(),
        trust: Trust::Claimed,
    };
    let dialled = normalize(&dialled, &line.default_region).ok();
    let shown = dialled.as_ref().map_or(phone, |phone| phone.value.as_str());
    let card = Content::ContactCard {
        display_name: text::line(shown, 64),
        identities: dialled.clone().into_iter().collect(),
    };
    let thread_key = inbound.thread_key.clone();
    apply::message(tx, rules, line, received_at, inbound, card, who)?;
    let Some(dialled) = dialled else {
        return Ok(());
    };
    let Some(thread) = tx.thread_by_key(&line.id, &thread_key)? else {
        return Ok(());
    };
    match tx.open_conversation_of(thread.id)? {
        Some(conversation) => callback::requested(tx, conversation.id, &dialled),
        None => Ok(()),
    }
}
