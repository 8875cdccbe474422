//! Instagram: the messages of a professional account, in the words of Messenger.

use domain::message::Medium;

use super::messenger::{CAPABILITIES, Files, Platform, REGION, build, normalize};
use crate::{Descriptor, Kind};

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build: |setup| build(setup, &PLATFORM),
    normalize: |raw| normalize(raw, &PLATFORM, REGION),
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "instagram",
    display_name: "Instagram",
    medium: Medium::Messenger,
    capabilities: CAPABILITIES,
    // It is cut into messages of 1,000 bytes.
    text_length_max: 8_000,
    attachment_bytes_max: 25 << 20,
    delivery_bytes_max: 4 << 20,
    idempotent_send: false,
};

static PLATFORM: Platform = Platform {
    descriptor: &DESCRIPTOR,
    object: "instagram",
    account_key: "account_id",
    account_words: "the digits that the app's dashboard shows beside the account",
    api: "https://graph.instagram.com/v23.0",
    text_max: 1_000,
    length: char::len_utf8,
    events: &[
        "messages",
        "message_edit",
        "message_reactions",
        "messaging_seen",
        "messaging_postbacks",
        "messaging_referral",
        "messaging_handover",
        "standby",
    ],
    account_fields: "user_id,username",
    client_fields: "name,username,profile_pic",
    rights: &[&[
        "instagram_business_manage_messages",
        "instagram_manage_messages",
    ]],
    gives_back: false,
    files: Files::Linked,
};
