//! Odnoklassniki: messages to a group. Events come by webhook or are asked for; answers go
//! by `me/messages` of the Graph API.

mod api;
mod check;
mod config;
mod content;
mod doubt;
mod event;
mod failure;
mod normalize;
mod poll;
mod receive;
mod render;
mod send;
mod upload;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::LineId;
use domain::message::{Action, Attachment, Inbound, Medium, Outbound, Receipt, Recipient};
use tokio_util::sync::CancellationToken;

use crate::intake::Trouble;
use crate::sent::Sent;
use crate::{
    Capability, Channel, Check, ConfigProblem, Delivery, Descriptor, FetchError, File, HookError,
    Host, Kind, LineSetup, Malformed, Pace, Rate, Received, RunError, SendError, Sign,
};
use api::Api;
use config::{Config, Intake};

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    normalize: |raw| normalize::normalize(raw, normalize::REGION),
    build: |setup| Ok(Arc::new(Connection::new(setup)?)),
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "ok",
    display_name: "Odnoklassniki",
    medium: Medium::Messenger,
    capabilities: &[
        Capability::Reply,
        Capability::Files,
        Capability::Buttons,
        Capability::Typing,
        // Of what clients write.
        Capability::ReadReceipts,
    ],
    // It is cut into messages of 4,000.
    text_length_max: 16_000,
    attachment_bytes_max: 250 << 20,
    delivery_bytes_max: 1 << 20,
    idempotent_send: false,
};

struct Connection {
    line: LineId,
    region: String,
    config: Config,
    api: Api,
    sent: Sent,
    trouble: Trouble,
}

impl Connection {
    fn new(setup: &LineSetup) -> Result<Self, Vec<ConfigProblem>> {
        let config = Config::read(setup)?;
        Ok(Self {
            line: setup.id.clone(),
            region: setup.default_region.clone(),
            api: Api::new(config.client.clone(), config.token.clone()),
            config,
            sent: Sent::default(),
            trouble: Trouble::default(),
        })
    }
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
        let work = async {
            match &self.config.intake {
                Intake::Poll => self.poll(host.as_ref()).await,
                Intake::Webhook(hook) => self.watch(host.as_ref(), &hook.url).await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            ended = work => ended,
        }
    }

    fn pace(&self) -> Pace {
        Pace {
            line: Some(Rate::per_second(20)),
            thread: Some(Rate::per_second(2)),
        }
    }

    fn parts(&self, action: Action) -> Vec<Action> {
        render::parts(action)
    }

    async fn send(&self, outbound: &Outbound, host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        send::send(&self.api, &self.sent, outbound, host.as_ref()).await
    }

    fn send_time_max(&self) -> Duration {
        // Five files, one after the other, and the time that they take to be ready.
        Duration::from_mins(15)
    }

    async fn show(&self, sign: &Sign, recipient: &Recipient) {
        send::show(&self.api, sign, recipient).await;
    }

    async fn fetch(&self, _raw: &Bytes, attachment: &Attachment) -> Result<File, FetchError> {
        self.api.file(attachment).await
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.told()
    }

    async fn check(&self) -> Vec<Check> {
        check::check(&self.api, &self.line, &self.config.intake).await
    }
}
