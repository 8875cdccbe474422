//! Theirs to ours. Pure.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, MembershipChange, Sender, Text, Thread};
use serde_json::Value;

use super::update::{Message, News, Notice, Person, Said};
use super::{content, status};
use crate::{Malformed, clean};

/// Numbers on cards have their country code, mostly.
pub(super) const REGION: &str = "RU";

pub(super) fn normalize(raw: &[u8], region: &str) -> Result<Vec<Inbound>, Malformed> {
    let read = serde_json::from_slice(raw).map(clean::without_nulls);
    let read = read.and_then(serde_json::from_value::<Notice>);
    let notice = read.map_err(|error| Malformed(error.to_string()))?;
    let mut events = Vec::new();
    for entry in notice.entry {
        for change in entry.changes {
            for inbound in told(&entry.id, &change.value, region)? {
                events.push(clean::event(inbound, region)?);
            }
        }
    }
    Ok(events)
}

fn told(account: &str, news: &News, region: &str) -> Result<Vec<Inbound>, Malformed> {
    let mut events = Vec::new();
    for message in &news.messages {
        let client = Client::of(account, news, &message.from_user_id, &message.from);
        events.extend(self::message(message, &client, region)?);
    }
    for echo in &news.message_echoes {
        let client = Client::of(account, news, &echo.to_user_id, &echo.to);
        events.extend(self::echo(echo, &client, region)?);
    }
    for status in &news.statuses {
        let (user, number) = (&status.recipient_user_id, &status.recipient_id);
        let client = Client::of(account, news, user, number);
        events.extend(status::event(status, client));
    }
    Ok(events)
}

/// Whom an event is about.
pub(super) struct Client {
    account: String,
    person: Person,
}

impl Client {
    /// By the ids that the event itself tells, and what is told of people beside it.
    fn of(account: &str, news: &News, user_id: &str, number: &str) -> Self {
        let is_named = |person: &&Person| {
            (!user_id.is_empty() && person.user_id == user_id)
                || (!number.is_empty() && person.wa_id == number)
        };
        let alone = match news.contacts.as_slice() {
            [only] => Some(only),
            _ => None,
        };
        let known = news.contacts.iter().find(is_named).or(alone);
        let mut person = known.cloned().unwrap_or_default();
        if !user_id.is_empty() {
            user_id.clone_into(&mut person.user_id);
        }
        if !number.is_empty() {
            number.clone_into(&mut person.wa_id);
        }
        let account = account.to_owned();
        Self { account, person }
    }

    /// Their id at the business, or the number where an event has none; the thread is
    /// named by it.
    fn name(&self) -> Option<&str> {
        let names = [&self.person.user_id, &self.person.wa_id];
        let mut names = names.into_iter().map(String::as_str);
        names.find(|name| !name.is_empty())
    }

    /// The same in the thread that is known by this name.
    pub(super) fn in_thread(mut self, name: &str) -> Self {
        // Names of people have a point in them, numbers have not.
        if name.contains('.') {
            name.clone_into(&mut self.person.user_id);
        } else {
            self.person.user_id.clear();
            name.clone_into(&mut self.person.wa_id);
        }
        self
    }

    /// The number, by which answers go while it is known.
    fn number(&self) -> Option<&str> {
        let number = self.person.wa_id.as_str();
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(number)
    }

    fn sender(&self) -> Sender {
        let own = self.name().map(|name| Identity {
            kind: "whatsapp".to_owned(),
            issuer: self.account.clone(),
            value: name.to_owned(),
            trust: Trust::Proven,
        });
        // WhatsApp has seen to it that the number is theirs.
        let phone = self.number().map(|number| Identity {
            kind: "phone".to_owned(),
            issuer: String::new(),
            value: format!("+{number}"),
            trust: Trust::Proven,
        });
        let mut attributes = BTreeMap::new();
        if !self.person.profile.username.is_empty() {
            let username = self.person.profile.username.trim_start_matches('@');
            attributes.insert("username".to_owned(), format!("@{username}"));
        }
        Sender {
            identities: own.into_iter().chain(phone).collect(),
            display_name: self.person.profile.name.clone(),
            avatar_url: None,
            locale: None,
            attributes,
        }
    }

    /// What all events have; none of what nobody is named in.
    pub(super) fn event(&self, key: String, at: &Value, kind: InboundKind) -> Option<Inbound> {
        Some(Inbound {
            event_key: key,
            message_id: None,
            thread_key: self.name()?.to_owned(),
            sent_at: moment(at),
            sender: self.sender(),
            thread: Thread {
                external_chat_id: self.number().map(str::to_owned),
                ..Thread::default()
            },
            attachments: Vec::new(),
            letter: None,
            album: None,
            kind,
        })
    }
}

fn message(message: &Message, client: &Client, region: &str) -> Result<Vec<Inbound>, Malformed> {
    // In groups the number is a guest.
    if message.group_id.is_some() {
        return Ok(Vec::new());
    }
    if message.said.kind == "system" {
        return Ok(moved(message, client).into_iter().collect());
    }
    let event = |kind| client.event(message.id.clone(), &message.timestamp, kind);
    let nobody = || Malformed("a message of nobody".to_owned());
    if let Some(change) = change(&message.said) {
        return Ok(vec![event(change).ok_or_else(nobody)?]);
    }
    let mut events = Vec::new();
    let told = content::of(&message.said, &message.context, region);
    for (number, (content, attachments)) in told.into_iter().enumerate() {
        let mut inbound = event(InboundKind::Message(content)).ok_or_else(nobody)?;
        inbound.attachments = attachments;
        inbound.message_id = Some(name(&message.id, number));
        inbound
            .thread
            .reply_to_external_id
            .clone_from(&message.context.id);
        // By it we tell that it was read, and that an answer is being typed.
        inbound.thread.references = vec![message.id.clone()];
        about(message, &mut inbound.sender);
        events.push(inbound);
    }
    Ok(events)
}

/// Several cards of one message are one message each.
fn name(id: &str, number: usize) -> String {
    match number {
        0 => id.to_owned(),
        number => format!("{id} {}", number + 1),
    }
}

/// What brought the client here.
fn about(message: &Message, sender: &mut Sender) {
    let mut tell = |name: &str, value: &str| {
        if !value.is_empty() {
            sender.attributes.insert(name.to_owned(), value.to_owned());
        }
    };
    if let Some(referral) = &message.referral {
        tell("advertisement", &referral.headline);
        tell("advertisement address", &referral.source_url);
    }
    if let Some(product) = &message.context.referred_product {
        tell("product", &product.product_retailer_id);
    }
}

/// What changes something that is there already.
fn change(said: &Said) -> Option<InboundKind> {
    if let Some(reaction) = &said.reaction {
        return Some(InboundKind::Reaction {
            target: reaction.message_id.clone(),
            emoji: reaction.emoji.clone(),
        });
    }
    if let Some(revoke) = &said.revoke {
        return Some(InboundKind::Delete {
            target: revoke.original_message_id.clone(),
        });
    }
    if said.kind == "request_welcome" {
        return Some(InboundKind::Membership(MembershipChange::Started));
    }
    let edit = said.edit.as_ref()?;
    Some(InboundKind::Edit {
        target: edit.original_message_id.clone(),
        text: Text::plain(content::words(&edit.message)?),
    })
}

/// The client has another number or id from now on: WhatsApp's words stand where they
/// were known, and answers go to the new number. What else it tells of itself is for
/// nobody.
fn moved(message: &Message, client: &Client) -> Option<Inbound> {
    let system = message.said.system.as_ref()?;
    let before = match system.kind.as_str() {
        "user_changed_number" | "customer_changed_number" => client.person.clone(),
        "user_changed_user_id" => Person {
            user_id: system.previous_user_id.clone(),
            ..client.person.clone()
        },
        _ => return None,
    };
    let client = Client {
        account: client.account.clone(),
        person: before,
    };
    let words = Content::Text(Text::plain(&system.body));
    let kind = InboundKind::Message(words);
    let mut inbound = client.event(message.id.clone(), &message.timestamp, kind)?;
    inbound.message_id = Some(message.id.clone());
    let number = system.wa_id.clone();
    inbound.thread.external_chat_id = number.or(inbound.thread.external_chat_id);
    Some(inbound)
}

/// What somebody wrote in the app on the business's own phone.
fn echo(echo: &Message, client: &Client, region: &str) -> Result<Vec<Inbound>, Malformed> {
    // There is nothing that shows a reaction of the business's own phone.
    if echo.group_id.is_some() || echo.said.reaction.is_some() {
        return Ok(Vec::new());
    }
    // Other words for a message of that phone come as words of their own.
    let said = match &echo.said.edit {
        Some(edit) => &edit.message,
        None => &echo.said,
    };
    let mut events = Vec::new();
    let told = content::of(said, &echo.context, region);
    for (number, (content, attachments)) in told.into_iter().enumerate() {
        let kind = InboundKind::Echo {
            content,
            ours: None,
        };
        let key = format!("echo {}", echo.id);
        let inbound = client.event(key, &echo.timestamp, kind);
        let mut inbound = inbound.ok_or_else(|| Malformed("an echo to nobody".to_owned()))?;
        inbound.attachments = attachments;
        inbound.message_id = Some(name(&echo.id, number));
        inbound
            .thread
            .reply_to_external_id
            .clone_from(&echo.context.id);
        events.push(inbound);
    }
    Ok(events)
}

/// Seconds, written as a text.
fn moment(at: &Value) -> Timestamp {
    let seconds = at.as_i64().or_else(|| at.as_str()?.parse().ok());
    Timestamp(seconds.unwrap_or(0).saturating_mul(1_000))
}
