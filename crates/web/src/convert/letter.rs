//! Letters, to the contract and back.

use domain::message::{Address, Automatic, Letter, Warning};
use proto::channels::v1 as pb;

pub(crate) fn letter(letter: &Letter) -> pb::Letter {
    let addresses = |list: &[Address]| list.iter().map(address).collect();
    pb::Letter {
        message_id: letter.message_id.clone(),
        subject: letter.subject.clone(),
        from: (!letter.from.is_empty()).then(|| address(&letter.from)),
        to: addresses(&letter.to),
        cc: addresses(&letter.cc),
        reply_to: addresses(&letter.reply_to),
        brief: letter.brief.clone().unwrap_or_default(),
        has_brief: letter.brief.is_some(),
        automatic: letter
            .automatic
            .map_or(pb::letter::Automatic::Unspecified, automatic)
            .into(),
        warnings: letter
            .warnings
            .iter()
            .map(|given| warning(*given).into())
            .collect(),
    }
}

fn address(of: &Address) -> pb::LetterAddress {
    pb::LetterAddress {
        name: of.name.clone(),
        address: of.address.clone(),
    }
}

const fn automatic(of: Automatic) -> pb::letter::Automatic {
    match of {
        Automatic::Reply => pb::letter::Automatic::Reply,
        Automatic::Notice => pb::letter::Automatic::Notice,
        Automatic::List => pb::letter::Automatic::List,
        Automatic::Report => pb::letter::Automatic::Report,
        Automatic::Complaint => pb::letter::Automatic::Complaint,
    }
}

const fn warning(of: Warning) -> pb::letter::Warning {
    match of {
        Warning::Unverified => pb::letter::Warning::Unverified,
        Warning::Forged => pb::letter::Warning::Forged,
        Warning::ReplyElsewhere => pb::letter::Warning::ReplyElsewhere,
        Warning::Stranger => pb::letter::Warning::Stranger,
        Warning::LookAlike => pb::letter::Warning::LookAlike,
        Warning::Invisible => pb::letter::Warning::Invisible,
        Warning::SeveralSenders => pb::letter::Warning::SeveralSenders,
        Warning::Broken => pb::letter::Warning::Broken,
        Warning::Cut => pb::letter::Warning::Cut,
        Warning::Enciphered => pb::letter::Warning::Enciphered,
    }
}

pub(crate) fn letter_from(letter: pb::Letter) -> Letter {
    let addresses = |list: Vec<pb::LetterAddress>| list.into_iter().map(address_from).collect();
    let automatic = automatic_from(letter.automatic());
    let warnings = letter.warnings().filter_map(warning_from).collect();
    Letter {
        message_id: letter.message_id,
        subject: letter.subject,
        from: letter.from.map(address_from).unwrap_or_default(),
        to: addresses(letter.to),
        cc: addresses(letter.cc),
        reply_to: addresses(letter.reply_to),
        brief: letter.has_brief.then_some(letter.brief),
        automatic,
        warnings,
    }
}

pub(crate) fn address_from(of: pb::LetterAddress) -> Address {
    Address {
        name: of.name,
        address: of.address,
    }
}

const fn automatic_from(of: pb::letter::Automatic) -> Option<Automatic> {
    match of {
        pb::letter::Automatic::Unspecified => None,
        pb::letter::Automatic::Reply => Some(Automatic::Reply),
        pb::letter::Automatic::Notice => Some(Automatic::Notice),
        pb::letter::Automatic::List => Some(Automatic::List),
        pb::letter::Automatic::Report => Some(Automatic::Report),
        pb::letter::Automatic::Complaint => Some(Automatic::Complaint),
    }
}

const fn warning_from(of: pb::letter::Warning) -> Option<Warning> {
    match of {
        pb::letter::Warning::Unspecified => None,
        pb::letter::Warning::Unverified => Some(Warning::Unverified),
        pb::letter::Warning::Forged => Some(Warning::Forged),
        pb::letter::Warning::ReplyElsewhere => Some(Warning::ReplyElsewhere),
        pb::letter::Warning::Stranger => Some(Warning::Stranger),
        pb::letter::Warning::LookAlike => Some(Warning::LookAlike),
        pb::letter::Warning::Invisible => Some(Warning::Invisible),
        pb::letter::Warning::SeveralSenders => Some(Warning::SeveralSenders),
        pb::letter::Warning::Broken => Some(Warning::Broken),
        pb::letter::Warning::Cut => Some(Warning::Cut),
        pb::letter::Warning::Enciphered => Some(Warning::Enciphered),
    }
}
