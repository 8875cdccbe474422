//! What outgoing webhooks say: the events of the feed, as somebody sees them who sees
//! everything.

use std::sync::Arc;

use domain::event::Event;
use domain::operator::Role;
use engine::webhooks::{Dice, Render, name_of};
use engine::{Actor, Engine, Scope};
use prost::Message as _;
use prost_reflect::{DescriptorError, DescriptorPool, DynamicMessage, MessageDescriptor};
use serde::Serialize;

use crate::convert::{self, Lens};

const EVENT: &str = "switchboard.inbox.v1.Event";

/// A webhook's body, as Standard Webhooks recommends it.
#[derive(Serialize)]
struct Body<'a> {
    /// The kind of event.
    r#type: &'static str,
    /// When it happened.
    timestamp: &'a serde_json::Value,
    /// Its number in the feed.
    cursor: String,
    /// The event, in canonical proto3 JSON.
    data: &'a DynamicMessage,
}

/// Begins to deliver what happens to the webhooks of an engine, now and after every
/// reload. To be called once. `dice` lets pauses between tries differ.
pub fn deliver(engine: &Engine, dice: Dice) -> Result<(), DescriptorError> {
    let contract = DescriptorPool::decode(proto::DESCRIPTORS)?;
    let descriptor = contract.get_message_by_name(EVENT);
    let render: Render = Arc::new(move |engine, event| {
        let body = descriptor
            .as_ref()
            .and_then(|descriptor| body(descriptor, engine, event));
        if body.is_none() {
            let cursor = event.cursor.0;
            tracing::error!(event.cursor = cursor, "an event cannot be told to webhooks");
        }
        body
    });
    engine.deliver_webhooks(render, dice);
    Ok(())
}

fn body(descriptor: &MessageDescriptor, engine: &Engine, event: &Event) -> Option<Vec<u8>> {
    let everything = Actor {
        operator: None,
        token: None,
        role: Role::Admin,
        scope: Scope::All,
    };
    let shown = convert::event(&Lens::new(engine, &everything), event)?;
    let data = DynamicMessage::decode(descriptor.clone(), shown.encode_to_vec().as_slice());
    let data = data.ok()?;
    let at = data.get_field_by_name("at")?;
    let timestamp = serde_json::to_value(at.as_message()?).ok()?;
    serde_json::to_vec(&Body {
        r#type: name_of(&event.kind)?,
        timestamp: &timestamp,
        cursor: event.cursor.0.to_string(),
        data: &data,
    })
    .ok()
}
