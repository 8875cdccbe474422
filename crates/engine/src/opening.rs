//! How a conversation begins.

use std::collections::BTreeSet;

use domain::conversation::{Client, Conversation, State};
use domain::identity::Profile;
use domain::metrics::Counted;
use domain::routing::{Place, RoutingRules};
use domain::{ContactId, ConversationId, LineId, Millis};
use store::{StoreError, ThreadRow, Tx};

use crate::Line;

/// What is known of a contact when a conversation begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownContact {
    pub(crate) id: ContactId,
    pub(crate) profile: Profile,
    pub(crate) provisional: bool,
}

/// What the ids of provisional contacts begin with.
pub(crate) const PROVISIONAL: &str = "provisional-";

/// Whether an id is our own, until the directory can be asked.
pub(crate) fn is_provisional(contact: &ContactId) -> bool {
    contact.as_str().starts_with(PROVISIONAL)
}

/// For so long after a conversation its thread's next one is held for its operator.
const REMEMBERED: Millis = Millis::from_secs(30 * 86_400);

/// A new place: now, but for what the line brings along.
pub(crate) fn place(tx: &mut Tx<'_>, rules: &RoutingRules, line: &LineId) -> Place {
    let (band, credit) = rules
        .lines
        .get(line)
        .map_or((0, Millis(0)), |line| (line.band, line.age_credit));
    Place {
        band,
        eligible_at: tx.now() - credit,
        seq: tx.fresh_id(),
    }
}

/// A new conversation of a thread, waiting.
pub(crate) fn conversation(
    tx: &mut Tx<'_>,
    rules: &RoutingRules,
    line: &Line,
    thread: &ThreadRow,
    contact: &KnownContact,
) -> Result<Conversation, StoreError> {
    let last = tx.last_conversation_of(thread.id)?;
    let known = last.is_some() || !tx.conversations_of(&contact.id, i64::MAX, 1)?.is_empty();
    let place = place(tx, rules, &line.id);
    let now = tx.now();
    let preferred = last
        .as_ref()
        .filter(|last| matches!(last.state, State::Closed { at, .. } if at + REMEMBERED > now));
    let descriptor = line.kind.descriptor;
    Ok(Conversation {
        id: ConversationId::new(tx.fresh_id()),
        thread: thread.id,
        line: line.id.clone(),
        channel: descriptor.kind.to_owned(),
        medium: descriptor.medium,
        queue: line.queue.clone(),
        client: client(thread, contact, known),
        state: State::Queued,
        place,
        skills: rules.skills(&line.id, &line.queue),
        tried: BTreeSet::new(),
        last_asked: None,
        round: 1,
        asked_at: None,
        not_before: None,
        preferred: preferred.and_then(|last| last.last_owner),
        last_owner: None,
        returned: false,
        over_capacity: false,
        overflows_taken: 0,
        overflow_home: None,
        overflow_at: None,
        overflow: None,
        callback: None,
        away: None,
        park_at: None,
        unread_count: 0,
        subject: thread.context.subject.clone(),
        participants: BTreeSet::new(),
        mentioned: BTreeSet::new(),
        created_at: now,
        answered_at: None,
        disposition: String::new(),
        counted: Counted::beginning(last.as_ref(), place.eligible_at),
        last_message: None,
        version: 0,
    })
}

/// What lists show of the contact.
pub(crate) fn client(thread: &ThreadRow, contact: &KnownContact, known: bool) -> Client {
    let sender = &thread.sender;
    let profile = &contact.profile;
    Client {
        contact: contact.id.clone(),
        display_name: if profile.display_name.is_empty() {
            sender.display_name.clone()
        } else {
            profile.display_name.clone()
        },
        avatar_url: profile
            .avatar_url
            .clone()
            .or_else(|| sender.avatar_url.clone()),
        address: shown_address(thread),
        provisional: contact.provisional,
        known,
    }
}

/// An address that says something to a person: a phone or an e-mail before an
/// opaque id.
fn shown_address(thread: &ThreadRow) -> String {
    let identities = &thread.sender.identities;
    identities
        .iter()
        .find(|identity| matches!(identity.kind.as_str(), "phone" | "email"))
        .or_else(|| identities.first())
        .map_or_else(
            || thread.thread_key.clone(),
            |identity| identity.value.clone(),
        )
}
