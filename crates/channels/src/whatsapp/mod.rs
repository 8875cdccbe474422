//! WhatsApp: a number of the Cloud API. Events come by the webhook of the app that the
//! number belongs to; answers go by `messages`.

mod api;
mod check;
mod config;
mod content;
mod normalize;
mod receive;
mod render;
mod send;
mod status;
mod template;
mod update;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::message::{
    Action, Attachment, Inbound, Medium, Outbound, Receipt, Recipient, Template,
};
use domain::{LineId, Millis};
use tokio_util::sync::CancellationToken;

use crate::intake::Trouble;
use crate::registry::Built;
use crate::{
    Capability, Channel, Check, Delivery, Descriptor, FetchError, File, HookError, Host, Kind,
    LineSetup, Malformed, Pace, Rate, Received, RunError, SendError, Sign,
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
    kind: "whatsapp",
    display_name: "WhatsApp",
    medium: Medium::Messenger,
    capabilities: &[
        Capability::Reply,
        Capability::React,
        Capability::Files,
        Capability::Buttons,
        Capability::Templates,
        Capability::Typing,
        Capability::ReadReceipts,
    ],
    // It is cut into messages of 4,096.
    text_length_max: 16_384,
    // Of documents; pictures and the like above their own limits go as documents.
    attachment_bytes_max: 100 << 20,
    delivery_bytes_max: 4 << 20,
    idempotent_send: false,
};

/// How long after the client's last message anything but a template is taken.
const REPLY_WINDOW: Millis = Millis::from_secs(24 * 60 * 60);
/// A large file, and the message with it.
const SEND_MAX: Duration = Duration::from_mins(4);

struct Connection {
    line: LineId,
    region: String,
    config: Config,
    api: Api,
    trouble: Trouble,
}

fn build(setup: &LineSetup) -> Built {
    let config = Config::read(setup)?;
    let api = Api::new(&config);
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

    fn hook(&self) -> Option<&str> {
        self.config.hub.hook.as_deref()
    }

    fn receive(&self, delivery: &Delivery) -> Result<Received, HookError> {
        receive::receive(&self.config, delivery)
    }

    async fn run(&self, _host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            never = self.watch() => never,
        }
    }

    fn pace(&self) -> Pace {
        Pace {
            line: Some(Rate::per_second(80)),
            // One in six seconds, of which so many may be borrowed.
            thread: Some(Rate {
                count: 45,
                per: Millis::from_secs(45 * 6),
            }),
        }
    }

    fn reply_window(&self) -> Option<Millis> {
        Some(REPLY_WINDOW)
    }

    fn parts(&self, action: Action) -> Vec<Action> {
        render::parts(action)
    }

    async fn send(&self, outbound: &Outbound, host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        send::send(&self.api, outbound, host.as_ref()).await
    }

    async fn templates(&self) -> Result<Vec<Template>, String> {
        let told = self.api.templates(self.config.account.as_deref()).await;
        told.map_err(|failure| failure.to_string())
    }

    fn send_time_max(&self) -> Duration {
        SEND_MAX
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
        check::check(&self.api, &self.config.hub.url).await
    }
}
