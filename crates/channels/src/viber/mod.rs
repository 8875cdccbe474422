//! Viber: a bot. Events come by webhook, signed; answers go by `send_message`, files as
//! links that Viber fetches them by.

mod api;
mod check;
mod config;
mod content;
mod errors;
mod event;
mod normalize;
mod receive;
mod render;
mod send;
mod watch;

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use domain::LineId;
use domain::message::{Action, Attachment, Inbound, Medium, Outbound, Receipt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::intake::Trouble;
use crate::registry::Built;
use crate::{
    Capability, Channel, Check, Delivery, Descriptor, FetchError, File, HookError, Host, Kind,
    LineSetup, Malformed, Pace, Rate, Received, RunError, SendError,
};
use api::Api;
use config::Config;

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: |raw| normalize::normalize(raw, normalize::REGION),
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "viber",
    display_name: "Viber",
    medium: Medium::Messenger,
    capabilities: &[Capability::Reply, Capability::Files],
    // It is cut into messages of 7,000.
    text_length_max: 21_000,
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
    /// Somebody noticed that there is no webhook.
    is_unset: Notify,
}

fn build(setup: &LineSetup) -> Built {
    let config = Config::read(setup)?;
    let api = Api::new(config.client.clone(), config.header.clone());
    Ok(Arc::new(Connection {
        line: setup.id.clone(),
        region: setup.default_region.clone(),
        config,
        api,
        trouble: Trouble::default(),
        is_unset: Notify::new(),
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
        receive::receive(&self.config, delivery)
    }

    async fn run(&self, host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            never = self.watch(host.as_ref()) => never,
        }
    }

    fn pace(&self) -> Pace {
        Pace {
            line: Some(Rate::per_second(20)),
            thread: None,
        }
    }

    fn parts(&self, action: Action) -> Vec<Action> {
        render::parts(action)
    }

    async fn send(&self, outbound: &Outbound, host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        let sent = send::send(&self.api, &self.config, outbound, host.as_ref()).await;
        self.note(&sent);
        sent.map_err(send::outcome)
    }

    async fn fetch(&self, _raw: &Bytes, attachment: &Attachment) -> Result<File, FetchError> {
        send::fetch(&self.api, attachment).await
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.told()
    }

    async fn check(&self) -> Vec<Check> {
        check::check(&self.api, &self.config.webhook).await
    }
}
