//! The webhook's own JSON: only what is used. Whatever else it has stays in the journal.

#![expect(
    clippy::struct_field_names,
    reason = "the fields are named as they are sent"
)]

use serde::Deserialize;
use serde_json::Value;

/// What one call of the webhook brings.
#[derive(Debug, Deserialize)]
pub(super) struct Notice {
    pub(super) entry: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    /// The business account.
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) changes: Vec<Change>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    pub(super) value: News,
}

#[derive(Debug, Deserialize)]
pub(super) struct News {
    #[serde(default)]
    pub(super) contacts: Vec<Person>,
    #[serde(default)]
    pub(super) messages: Vec<Message>,
    /// What was written in the app on the business's own phone.
    #[serde(default)]
    pub(super) message_echoes: Vec<Message>,
    #[serde(default)]
    pub(super) statuses: Vec<Status>,
}

/// A client. One with a username has no number; an old event has no user id.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Person {
    #[serde(default)]
    pub(super) wa_id: String,
    #[serde(default)]
    pub(super) user_id: String,
    #[serde(default)]
    pub(super) profile: Profile,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Profile {
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) username: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    pub(super) id: String,
    #[serde(default)]
    pub(super) from: String,
    #[serde(default)]
    pub(super) from_user_id: String,
    /// Of echoes.
    #[serde(default)]
    pub(super) to: String,
    #[serde(default)]
    pub(super) to_user_id: String,
    #[serde(default)]
    pub(super) timestamp: Value,
    pub(super) group_id: Option<String>,
    #[serde(default)]
    pub(super) context: Context,
    pub(super) referral: Option<Referral>,
    #[serde(flatten)]
    pub(super) said: Said,
}

/// What a message says.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Said {
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    pub(super) text: Option<Body>,
    pub(super) image: Option<Media>,
    pub(super) video: Option<Media>,
    pub(super) audio: Option<Media>,
    pub(super) document: Option<Media>,
    pub(super) sticker: Option<Media>,
    pub(super) location: Option<Location>,
    #[serde(default)]
    pub(super) contacts: Vec<Card>,
    pub(super) interactive: Option<Interactive>,
    pub(super) button: Option<Button>,
    pub(super) order: Option<Order>,
    pub(super) reaction: Option<Reaction>,
    pub(super) edit: Option<Edit>,
    pub(super) revoke: Option<Revoke>,
    pub(super) system: Option<System>,
    pub(super) unsupported: Option<Unsupported>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Context {
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) forwarded: bool,
    #[serde(default)]
    pub(super) frequently_forwarded: bool,
    pub(super) referred_product: Option<Product>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Product {
    #[serde(default)]
    pub(super) product_retailer_id: String,
}

/// The advertisement that led here.
#[derive(Debug, Deserialize)]
pub(super) struct Referral {
    #[serde(default)]
    pub(super) headline: String,
    #[serde(default)]
    pub(super) source_url: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Body {
    #[serde(default)]
    pub(super) body: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Media {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) mime_type: String,
    #[serde(default)]
    pub(super) caption: String,
    #[serde(default)]
    pub(super) filename: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Location {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) address: String,
}

/// An address card.
#[derive(Debug, Deserialize)]
pub(super) struct Card {
    #[serde(default)]
    pub(super) name: CardName,
    #[serde(default)]
    pub(super) phones: Vec<CardPhone>,
    #[serde(default)]
    pub(super) emails: Vec<CardEmail>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct CardName {
    #[serde(default)]
    pub(super) formatted_name: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CardPhone {
    #[serde(default)]
    pub(super) phone: String,
    #[serde(default)]
    pub(super) wa_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CardEmail {
    #[serde(default)]
    pub(super) email: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Interactive {
    pub(super) button_reply: Option<Choice>,
    pub(super) list_reply: Option<Choice>,
    pub(super) nfm_reply: Option<Form>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Choice {
    #[serde(default)]
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: String,
}

/// A form that was filled in.
#[derive(Debug, Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    pub(super) response_json: String,
    #[serde(default)]
    pub(super) body: String,
}

/// A button of a template.
#[derive(Debug, Deserialize)]
pub(super) struct Button {
    #[serde(default)]
    pub(super) payload: String,
    #[serde(default)]
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Order {
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    pub(super) product_items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Item {
    #[serde(default)]
    pub(super) product_retailer_id: String,
    #[serde(default)]
    pub(super) quantity: Value,
    #[serde(default)]
    pub(super) item_price: Value,
    #[serde(default)]
    pub(super) currency: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Reaction {
    pub(super) message_id: String,
    /// Empty or missing when it is taken back.
    #[serde(default)]
    pub(super) emoji: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Edit {
    pub(super) original_message_id: String,
    pub(super) message: Box<Said>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Revoke {
    pub(super) original_message_id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct System {
    #[serde(default)]
    pub(super) body: String,
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) previous_user_id: String,
    /// The new number.
    pub(super) wa_id: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Unsupported {
    #[serde(default, rename = "type")]
    pub(super) kind: String,
}

/// What became of a message of ours.
#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) id: String,
    #[serde(default)]
    pub(super) status: String,
    #[serde(default)]
    pub(super) timestamp: Value,
    #[serde(default)]
    pub(super) recipient_id: String,
    #[serde(default)]
    pub(super) recipient_user_id: String,
    #[serde(default)]
    pub(super) recipient_type: String,
    /// What the message was sent along with.
    #[serde(default)]
    pub(super) biz_opaque_callback_data: String,
    #[serde(default)]
    pub(super) errors: Vec<Problem>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Problem {
    #[serde(default)]
    pub(super) code: i64,
    #[serde(default)]
    pub(super) error_subcode: i64,
    #[serde(default)]
    pub(super) title: String,
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    pub(super) error_data: Value,
}

impl Problem {
    /// What WhatsApp says of it, the most telling first.
    pub(super) fn words(&self) -> &str {
        let details = self.error_data["details"].as_str().unwrap_or_default();
        let mut words = [details, &self.message, &self.title].into_iter();
        words
            .find(|words| !words.is_empty())
            .unwrap_or("no reason given")
    }
}
