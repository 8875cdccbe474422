//! A channel that lives in another program and talks to us over gRPC
//! (`switchboard.channels.v1.ChannelBridge`).
//!
//! The web server turns its `Inbound` into ours; what comes in here is that as
//! JSON. The program is configured and holds a token, but what it passes on was
//! written by strangers.

mod normalize;

use std::sync::Arc;

use async_trait::async_trait;
use domain::LineId;
use domain::message::{Inbound, Medium, Outbound, Receipt};

use crate::options::Options;
use crate::registry::Built;
use crate::{Capability, Channel, Descriptor, Host, Kind, LineSetup, Malformed, SendError, Uplink};

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: |raw| normalize::normalize(raw, "bridge", normalize::REGION),
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "bridge",
    display_name: "Bridge",
    medium: Medium::Messenger,
    capabilities: &[
        Capability::Reply,
        Capability::Edit,
        Capability::Delete,
        Capability::React,
        Capability::Files,
        Capability::Buttons,
        Capability::ReadReceipts,
    ],
    text_length_max: 16_384,
    attachment_bytes_max: 50 << 20,
    delivery_bytes_max: 1 << 20,
    idempotent_send: true,
};

struct Bridge {
    line: LineId,
    region: String,
    uplink: Uplink,
}

fn build(setup: &LineSetup) -> Built {
    Options::of(setup).finish(())?;
    Ok(Arc::new(Bridge {
        line: setup.id.clone(),
        region: setup.default_region.clone(),
        uplink: Uplink::default(),
    }))
}

#[async_trait]
impl Channel for Bridge {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize::normalize(raw, self.line.as_str(), &self.region)
    }

    async fn send(&self, outbound: &Outbound, _host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        self.uplink.send(outbound).await
    }

    fn trouble(&self) -> Option<String> {
        let is_served = self.uplink.is_attached();
        (!is_served).then(|| "no program serves this line: start the bridge".to_owned())
    }

    fn uplink(&self) -> Option<&Uplink> {
        Some(&self.uplink)
    }
}
