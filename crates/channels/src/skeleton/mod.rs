//! skeleton: say in a sentence what it is and which of its interfaces this speaks.

mod api;
mod client;
mod config;
mod normalize;
mod render;

use std::sync::Arc;

use async_trait::async_trait;
use domain::message::{Inbound, Medium, Outbound, Receipt};

use crate::registry::Built;
use crate::{Channel, Descriptor, Host, Kind, LineSetup, Malformed, SendError};
use config::Config;

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: normalize::normalize,
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "skeleton",
    display_name: "Skeleton",
    medium: Medium::Messenger,
    // Add `Reply` and the rest as `client` learns them.
    capabilities: &[],
    text_length_max: 4_096,
    attachment_bytes_max: 20 << 20,
    delivery_bytes_max: 1 << 20,
    idempotent_send: false,
};

struct Connection {
    config: Config,
}

fn build(setup: &LineSetup) -> Built {
    let config = Config::read(setup)?;
    Ok(Arc::new(Connection { config }))
}

#[async_trait]
impl Channel for Connection {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize::normalize(raw)
    }

    async fn send(&self, outbound: &Outbound, _host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        let request = render::render(outbound)?;
        client::send(&self.config, &request)
    }
}
