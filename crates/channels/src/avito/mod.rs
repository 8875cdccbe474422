//! Avito: messages about an account's advertisements. Events come by webhook, and are asked
//! for where it missed some; answers go by `POST …/messages`.

mod api;
mod check;
mod config;
mod content;
mod failure;
mod introduce;
mod missed;
mod normalize;
mod receive;
mod render;
mod send;
mod update;
mod watch;

use std::sync::Arc;
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
    LineSetup, Malformed, Received, RunError, SendError, Sign,
};
use api::Api;
use config::Config;

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: normalize::normalize,
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "avito",
    display_name: "Avito",
    medium: Medium::Messenger,
    capabilities: &[
        Capability::Reply,
        Capability::Delete,
        Capability::Files,
        Capability::ReadReceipts,
    ],
    // It is cut into messages of 1,000.
    text_length_max: 8_000,
    attachment_bytes_max: render::PICTURE_BYTES_MAX,
    delivery_bytes_max: 1 << 20,
    idempotent_send: false,
};

struct Connection {
    line: LineId,
    config: Config,
    api: Api,
    trouble: Trouble,
}

fn build(setup: &LineSetup) -> Built {
    let config = Config::read(setup)?;
    Ok(Arc::new(Connection {
        line: setup.id.clone(),
        api: Api::new(&config),
        config,
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
        receive::receive(&self.config, delivery)
    }

    async fn run(&self, host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = self.watch(host.as_ref()) => ended,
        }
    }

    fn parts(&self, action: Action) -> Vec<Action> {
        render::parts(action)
    }

    async fn send(&self, outbound: &Outbound, host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        send::send(&self.api, outbound, host.as_ref()).await
    }

    fn send_time_max(&self) -> Duration {
        // A large picture, the message with it, and a token for both.
        Duration::from_mins(4)
    }

    async fn show(&self, sign: &Sign, recipient: &Recipient) {
        send::show(&self.api, sign, recipient).await;
    }

    async fn introduce(&self, sender: &mut Sender, thread: &mut Thread) {
        introduce::introduce(&self.api, sender, thread).await;
    }

    async fn fetch(&self, _raw: &Bytes, attachment: &Attachment) -> Result<File, FetchError> {
        self.api.file(attachment).await
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.told()
    }

    async fn check(&self) -> Vec<Check> {
        check::check(&self.api, &self.config.webhook()).await
    }
}
