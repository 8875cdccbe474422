//! Where a client asks answers to go.

use domain::identity::{Identity, Trust, normalize};
use domain::message::{Address, Message, Warning};
use domain::text;
use store::{StoreError, ThreadRow, View};

/// An address as letters are sent to it, if it is one.
pub(crate) fn readable(told: &Address) -> Option<Address> {
    let read = email(&told.address)?;
    Some(Address {
        name: text::display_name(&told.name),
        address: read.value,
    })
}

/// Where the client of a thread asks answers to go, when not to themselves. Anybody can
/// ask that in a client's name: where nobody vouches for the letter, what was said before
/// in the thread goes only to whom it went already.
pub(crate) fn elsewhere(view: &View<'_>, thread: &ThreadRow) -> Result<Vec<Address>, StoreError> {
    let Some(last) = view.last_inbound_of(thread.id)? else {
        return Ok(Vec::new());
    };
    let began = last.external_id.as_ref() == Some(&thread.thread_key);
    let asked = asked(&last, thread);
    let is_sure = asked.is_sure || began;
    let known = |it: &Address| thread.participants.contains_key(&it.address);
    let to = asked.to;
    Ok(if is_sure || to.iter().all(known) {
        to
    } else {
        Vec::new()
    })
}

#[derive(Default)]
struct Asked {
    to: Vec<Address>,
    is_sure: bool,
}

fn asked(last: &Message, thread: &ThreadRow) -> Asked {
    let Some(letter) = last.letter.as_deref() else {
        return Asked::default();
    };
    let has = |warning| letter.warnings.contains(&warning);
    let from = email(&letter.from.address).map(|from| from.key());
    let is_client = thread
        .address()
        .is_some_and(|client| Some(client.key()) == from);
    if !is_client || has(Warning::Stranger) || has(Warning::Forged) {
        return Asked::default();
    }
    Asked {
        to: letter.reply_to.iter().filter_map(readable).collect(),
        is_sure: !has(Warning::Unverified),
    }
}

fn email(address: &str) -> Option<Identity> {
    let told = Identity {
        kind: "email".to_owned(),
        issuer: String::new(),
        value: address.trim().to_owned(),
        trust: Trust::Claimed,
    };
    // Of an address there is no region.
    normalize(&told, "").ok()
}
