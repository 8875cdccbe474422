//! Who wrote a letter to whom, and how far that can be believed.

use std::collections::BTreeSet;

use domain::identity::{self, Identity, Trust};
use domain::message::{Address, Warning};
use domain::text;

use super::address::{self, List, Mailbox};
use super::authentication::{self, Verdict};
use super::header::Header;
use super::{Own, look};

const ADDRESS_CHARS_MAX: usize = 320;

/// The people of a letter.
#[derive(Debug, Default)]
pub(super) struct People {
    pub(super) from: Address,
    pub(super) to: Vec<Address>,
    pub(super) cc: Vec<Address>,
    pub(super) reply_to: Vec<Address>,
    /// The sender's address in its normal form, if it is one.
    pub(super) sender: Option<Identity>,
    pub(super) warnings: BTreeSet<Warning>,
}

/// Reads the people of a letter. Only `From` says who wrote it, and only a server of
/// ours that vouches for it makes that more than a claim.
pub(super) fn read(header: &Header<'_>, own: &Own) -> People {
    let mut people = People::default();
    let from = lists(header, "From");
    for name in ["To", "Cc", "Reply-To"] {
        let list = lists(header, name);
        if list.is_cut {
            people.warnings.insert(Warning::Cut);
        }
        let shown = list.mailboxes.iter().filter_map(shown).collect();
        match name {
            "To" => people.to = shown,
            "Cc" => people.cc = shown,
            _ => people.reply_to = shown,
        }
    }
    people.sender = sender(header, &from, own, &mut people.warnings);
    if let Some(first) = from.mailboxes.first() {
        look_at(first, people.sender.as_ref(), &mut people.warnings);
        people.from = shown(first).unwrap_or_default();
    }
    if people.from.is_empty()
        && let Some(sender) = &people.sender
    {
        people.from.address = shown_address(&sender.value);
    }
    people
        .reply_to
        .retain(|it| it.address != people.from.address);
    if !people.reply_to.is_empty() {
        people.warnings.insert(Warning::ReplyElsewhere);
    }
    people
}

/// All that the fields of a name say together; a field that must not stand twice has
/// several readings when it does.
fn lists(header: &Header<'_>, name: &str) -> List {
    let mut all = List::default();
    for (index, value) in header.values(name).take(10).enumerate() {
        let list = address::read(&value);
        all.is_odd |= list.is_odd || index > 0;
        all.is_cut |= list.is_cut;
        all.has_group |= list.has_group;
        all.mailboxes.extend(list.mailboxes);
    }
    all
}

fn sender(
    header: &Header<'_>,
    from: &List,
    own: &Own,
    warnings: &mut BTreeSet<Warning>,
) -> Option<Identity> {
    let first = from.mailboxes.first();
    let value = first.and_then(|first| normal(&first.address));
    if from.mailboxes.len() > 1 || from.has_group {
        warnings.insert(Warning::SeveralSenders);
    }
    let Some(value) = value else {
        warnings.extend([Warning::Broken, Warning::Unverified]);
        let instead = ["Sender", "Return-Path", "Reply-To"]
            .iter()
            .find_map(|name| {
                let list = address::read(&header.value(name));
                list.mailboxes.first().and_then(|it| normal(&it.address))
            });
        return instead.map(|value| email(value, Trust::Claimed));
    };
    let domain = value.rsplit('@').next().unwrap_or_default();
    let verdict = authentication::verdict(header, &own.trusted_servers, domain);
    let is_plain = from.mailboxes.len() == 1 && !from.has_group && !from.is_odd;
    let trust = match verdict {
        Verdict::Vouched if is_plain => Trust::Asserted,
        Verdict::Vouched | Verdict::Unknown => {
            warnings.insert(Warning::Unverified);
            Trust::Claimed
        }
        Verdict::Forged => {
            warnings.insert(Warning::Forged);
            Trust::Claimed
        }
    };
    Some(email(value, trust))
}

fn email(value: String, trust: Trust) -> Identity {
    Identity {
        kind: "email".to_owned(),
        issuer: String::new(),
        value,
        trust,
    }
}

/// Looks for what is to deceive the reader's eye.
fn look_at(from: &Mailbox, sender: Option<&Identity>, warnings: &mut BTreeSet<Warning>) {
    let Mailbox { name, address } = from;
    if look::has_invisible(name) || address.chars().any(text::is_unsafe) {
        warnings.insert(Warning::Invisible);
    }
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    let ascii = sender.map_or(domain, |it| it.value.rsplit('@').next().unwrap_or_default());
    if look::has_mixed_word(name)
        || look::has_mixed_word(local)
        || look::domain_is_like_another(ascii)
        || look::shows_other_address(name, address)
    {
        warnings.insert(Warning::LookAlike);
    }
}

/// An address in its normal form, if it is one.
pub(super) fn normal(address: &str) -> Option<String> {
    let claim = email(address.to_owned(), Trust::Claimed);
    identity::normalize(&claim, "")
        .ok()
        .map(|normal| normal.value)
}

/// Somebody as they are shown; none without an address.
fn shown(mailbox: &Mailbox) -> Option<Address> {
    let address = match normal(&mailbox.address) {
        Some(normal) => shown_address(&normal),
        None => text::line(&mailbox.address, ADDRESS_CHARS_MAX),
    };
    (!address.is_empty()).then(|| Address {
        name: text::display_name(&mailbox.name),
        address,
    })
}

fn shown_address(normal: &str) -> String {
    match normal.rsplit_once('@') {
        Some((local, domain)) => format!("{local}@{}", look::shown_domain(domain)),
        None => normal.to_owned(),
    }
}
