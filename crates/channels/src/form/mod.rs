//! A form on somebody's site: one submission, one conversation.
//!
//! What is typed into a form proves nothing, so its e-mail and phone are claims:
//! they suggest a contact and never join one.

mod config;
mod error;
mod fields;
mod normalize;
mod submission;
mod submit;

use std::sync::Arc;

use async_trait::async_trait;
use domain::message::{Inbound, Medium, Outbound, Receipt};
use tokio_util::sync::CancellationToken;

use crate::registry::Built;
use crate::{Channel, Descriptor, Host, Kind, LineSetup, Malformed, SendError};
use config::Config;

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: |raw| normalize::normalize(raw, "form", "RU"),
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "form",
    display_name: "Site form",
    medium: Medium::Form,
    capabilities: &[],
    text_length_max: 16_384,
    attachment_bytes_max: 20 << 20,
    delivery_bytes_max: 1 << 20,
    idempotent_send: true,
};

struct Form {
    config: Config,
}

fn build(setup: &LineSetup) -> Built {
    let config = Config::read(setup)?;
    Ok(Arc::new(Form { config }))
}

#[async_trait]
impl Channel for Form {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize::normalize(raw, self.config.line.as_str(), &self.config.region)
    }

    async fn send(
        &self,
        _outbound: &Outbound,
        _host: &Arc<dyn Host>,
    ) -> Result<Receipt, SendError> {
        Err(SendError::Unsupported)
    }

    fn routes(
        self: Arc<Self>,
        host: Arc<dyn Host>,
        _stop: CancellationToken,
    ) -> Option<axum::Router> {
        Some(submit::router(self, host))
    }
}
