//! Chat on somebody's site: our own protocol over a WebSocket.
//!
//! The thread's log is the transport. A visitor's page holds a cursor and reads
//! on from it, so nothing is sent to a page that could be lost on the way: a
//! message is sent as soon as it stands in the log.

mod config;
mod files;
mod identify;
mod introduction;
mod journal;
mod normalize;
mod ownership;
mod presence;
mod protocol;
mod rating;
mod routes;
mod seeing;
mod socket;
mod standing;
mod ticket;
mod visit;
mod visitor;
mod writing;

use std::sync::Arc;

use async_trait::async_trait;
use domain::message::{Delivery, Inbound, Medium, Outbound, Receipt};
use tokio_util::sync::CancellationToken;

use crate::registry::Built;
use crate::{Capability, Channel, Descriptor, Host, Kind, LineSetup, Malformed, SendError};
use config::Config;
use identify::Spent;
use presence::Present;

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: |raw| normalize::normalize(raw, "webchat", "RU"),
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "webchat",
    display_name: "Site chat",
    medium: Medium::Chat,
    capabilities: &[
        Capability::Reply,
        Capability::Edit,
        Capability::Delete,
        Capability::React,
        Capability::Files,
        Capability::Typing,
        Capability::ReadReceipts,
        Capability::WriteFirst,
        Capability::QueueNotices,
        Capability::Callback,
        Capability::Rating,
    ],
    text_length_max: 10_000,
    attachment_bytes_max: 20 << 20,
    delivery_bytes_max: 256 << 10,
    idempotent_send: true,
};

struct WebChat {
    config: Config,
    spent: Spent,
    present: Present,
}

fn build(setup: &LineSetup) -> Built {
    Ok(Arc::new(WebChat {
        config: Config::read(setup)?,
        spent: Spent::default(),
        present: Present::default(),
    }))
}

#[async_trait]
impl Channel for WebChat {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize::normalize(raw, self.config.line.as_str(), &self.config.region)
    }

    async fn send(&self, outbound: &Outbound, _host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        // It stands in the thread's log already.
        Ok(Receipt {
            delivery: Delivery::Sent,
            message_id: Some(outbound.message.to_string()),
            error_text: String::new(),
        })
    }

    fn routes(
        self: Arc<Self>,
        host: Arc<dyn Host>,
        stop: CancellationToken,
    ) -> Option<axum::Router> {
        Some(routes::router(self, host, stop))
    }
}
