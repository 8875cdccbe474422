//! VK: messages of a community. Events are asked for by Bots Long Poll or come by the
//! Callback API; answers go by `messages.send`.

mod api;
mod check;
mod config;
mod content;
mod errors;
mod event;
mod missed;
mod naming;
mod normalize;
mod poll;
mod receive;
mod render;
mod send;
mod upload;
mod watch;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::LineId;
use domain::message::{
    Action, Attachment, Inbound, Medium, Outbound, Receipt, Recipient, Sender, Thread,
};
use tokio_util::sync::CancellationToken;

use crate::intake::Trouble;
use crate::registry::Built;
use crate::{
    Capability, Channel, Check, Delivery, Descriptor, FetchError, File, HookError, Host, Kind,
    LineSetup, Malformed, Pace, Rate, Received, RunError, SendError, Sign,
};
use api::Api;
use config::{Config, Intake};

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: normalize::normalize,
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "vk",
    display_name: "VK",
    medium: Medium::Messenger,
    capabilities: &[
        Capability::Reply,
        Capability::Edit,
        Capability::Delete,
        Capability::React,
        Capability::Files,
        Capability::Buttons,
        Capability::Typing,
        Capability::ReadReceipts,
    ],
    // It is cut into messages of 4,096.
    text_length_max: 16_384,
    attachment_bytes_max: 200 << 20,
    delivery_bytes_max: 1 << 20,
    // By `random_id`, and by a look at the history where that is too old.
    idempotent_send: true,
};

struct Connection {
    line: LineId,
    config: Config,
    api: Api,
    /// What VK wants to hear before it calls us, once it is known.
    confirmation: Mutex<Option<String>>,
    trouble: Trouble,
}

fn build(setup: &LineSetup) -> Built {
    let config = Config::read(setup)?;
    let api = Api::new(config.client.clone(), config.token.clone(), config.group);
    let known = match &config.intake {
        Intake::Poll => None,
        Intake::Webhook { confirmation, .. } => confirmation.clone(),
    };
    Ok(Arc::new(Connection {
        line: setup.id.clone(),
        config,
        api,
        confirmation: Mutex::new(known),
        trouble: Trouble::default(),
    }))
}

#[async_trait]
impl Channel for Connection {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize::normalize(raw)
    }

    fn receive(&self, delivery: &Delivery) -> Result<Received, HookError> {
        self.take(delivery)
    }

    async fn run(&self, host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = self.stay(host.as_ref()) => ended,
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
        send::send(&self.api, outbound, host.as_ref()).await
    }

    fn send_time_max(&self) -> Duration {
        // Ten files, one after the other.
        Duration::from_mins(15)
    }

    async fn show(&self, sign: &Sign, recipient: &Recipient) {
        send::show(&self.api, sign, recipient).await;
    }

    async fn introduce(&self, sender: &mut Sender, _thread: &mut Thread) {
        send::introduce(&self.api, sender).await;
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
