//! Telegram: a bot of the Bot API. Updates are asked for by `getUpdates` or come by
//! webhook; answers go by `send…`.

mod api;
mod check;
mod config;
mod content;
mod entities;
mod normalize;
mod receive;
mod render;
mod send;
mod update;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::LineId;
use domain::message::{Action, Attachment, Inbound, Medium, Outbound, Receipt, Recipient};
use tokio_util::sync::CancellationToken;

use crate::intake::Trouble;
use crate::registry::Built;
use crate::{
    Capability, Channel, Check, Delivery, Descriptor, FetchError, File, HookError, Host, Kind,
    LineSetup, Malformed, Pace, Rate, Received, RunError, SendError, Sign,
};
use api::Api;
use config::Config;
use render::name;

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: |raw| normalize::normalize(raw, normalize::REGION),
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "telegram",
    display_name: "Telegram",
    medium: Medium::Messenger,
    capabilities: &[
        Capability::Reply,
        Capability::Edit,
        Capability::Delete,
        Capability::React,
        Capability::Files,
        Capability::Buttons,
        Capability::Typing,
    ],
    // It is cut into messages of 4,096.
    text_length_max: 16_384,
    // What bots may send; what they are sent, they may fetch up to 20 MB.
    attachment_bytes_max: 50 << 20,
    delivery_bytes_max: 1 << 20,
    idempotent_send: false,
};

struct Connection {
    line: LineId,
    region: String,
    config: Config,
    api: Api,
    trouble: Trouble,
}

fn build(setup: &LineSetup) -> Built {
    let config = Config::read(setup)?;
    let api = Api::new(config.client.clone(), config.token.clone());
    Ok(Arc::new(Connection {
        line: setup.id.clone(),
        region: setup.default_region.clone(),
        config,
        api,
        trouble: Trouble::default(),
    }))
}

#[async_trait]
impl Channel for Connection {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize::normalize(raw, &self.region)
    }

    fn receive(&self, delivery: &Delivery) -> Result<Received, HookError> {
        receive::receive(&self.config.intake, delivery)
    }

    async fn run(&self, host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        self.stay(host, stop).await
    }

    fn pace(&self) -> Pace {
        Pace {
            line: Some(Rate::per_second(30)),
            thread: Some(Rate::per_second(1)),
        }
    }

    fn parts(&self, action: Action) -> Vec<Action> {
        render::parts(action)
    }

    async fn send(&self, outbound: &Outbound, host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        send::send(&self.api, outbound, host.as_ref()).await
    }

    async fn show(&self, sign: &Sign, recipient: &Recipient) {
        send::show(&self.api, sign, recipient).await;
    }

    async fn fetch(&self, _raw: &Bytes, attachment: &Attachment) -> Result<File, FetchError> {
        send::fetch(&self.api, attachment).await
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.told()
    }

    async fn check(&self) -> Vec<Check> {
        check::check(&self.api, &self.config.intake).await
    }
}
