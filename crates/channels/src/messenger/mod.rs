//! Facebook Messenger: a page. Events come by the webhook of its app; answers go by
//! `messages`. Instagram speaks the same but for what [`Platform`] tells.

mod api;
mod check;
mod config;
mod content;
mod event;
mod failure;
mod normalize;
mod platform;
mod receive;
mod render;
mod send;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::message::{
    Action, Attachment, Inbound, Medium, Outbound, Receipt, Recipient, Sender, Thread,
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
pub(super) use normalize::{REGION, normalize};
pub(super) use platform::{Files, Platform};

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build: |setup| build(setup, &PLATFORM),
    normalize: |raw| normalize(raw, &PLATFORM, REGION),
    example: include_str!("example.toml"),
};

/// What can be done on both.
pub(super) const CAPABILITIES: &[Capability] = &[
    Capability::Reply,
    Capability::Files,
    Capability::Buttons,
    Capability::Typing,
    Capability::ReadReceipts,
];

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "messenger",
    display_name: "Messenger",
    medium: Medium::Messenger,
    capabilities: CAPABILITIES,
    // It is cut into messages of 2,000.
    text_length_max: 16_000,
    attachment_bytes_max: 25 << 20,
    delivery_bytes_max: 4 << 20,
    idempotent_send: false,
};

static PLATFORM: Platform = Platform {
    descriptor: &DESCRIPTOR,
    object: "page",
    account_key: "page_id",
    account_words: "the digits that the page's own settings show",
    api: "https://graph.facebook.com/v23.0",
    text_max: 2_000,
    length: char::len_utf16,
    events: &[
        "messages",
        "message_echoes",
        "message_edits",
        "message_reactions",
        "message_deliveries",
        "message_reads",
        "messaging_postbacks",
        "messaging_optins",
        "messaging_referrals",
        "messaging_handovers",
        "standby",
    ],
    account_fields: "id,name",
    client_fields: "first_name,last_name,profile_pic",
    rights: &[&["pages_messaging"], &["pages_manage_metadata"]],
    gives_back: true,
    files: Files::Uploaded,
};

/// How long after the client's last message an answer is taken, and how long where a
/// person writes it.
const REPLY_WINDOW: Millis = Millis::from_secs(24 * 60 * 60);
const HUMAN_WINDOW: Millis = Millis::from_secs(7 * 24 * 60 * 60);
/// A large file, and the message with it.
const SEND_MAX: Duration = Duration::from_mins(4);

struct Connection {
    line: LineId,
    region: String,
    platform: &'static Platform,
    config: Config,
    api: Api,
    trouble: Trouble,
}

/// Connects a line of one of the two.
pub(super) fn build(setup: &LineSetup, platform: &'static Platform) -> Built {
    let config = Config::read(setup, platform)?;
    let api = Api::new(&config);
    Ok(Arc::new(Connection {
        line: setup.id.clone(),
        region: setup.default_region.clone(),
        platform,
        config,
        api,
        trouble: Trouble::default(),
    }))
}

#[async_trait]
impl Channel for Connection {
    fn descriptor(&self) -> &'static Descriptor {
        self.platform.descriptor
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize(raw, self.platform, &self.region)
    }

    fn hook(&self) -> Option<&str> {
        self.config.hub.hook.as_deref()
    }

    fn receive(&self, delivery: &Delivery) -> Result<Received, HookError> {
        receive::receive(&self.config, self.platform, delivery)
    }

    async fn run(&self, _host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            never = self.watch() => never,
        }
    }

    fn pace(&self) -> Pace {
        // What is faster closes the account's own inbox.
        Pace {
            line: Some(Rate::per_second(40)),
            thread: None,
        }
    }

    fn reply_window(&self) -> Option<Millis> {
        Some(if self.config.human_agent {
            HUMAN_WINDOW
        } else {
            REPLY_WINDOW
        })
    }

    fn parts(&self, action: Action) -> Vec<Action> {
        render::parts(action, self.config.text_max, self.platform.length)
    }

    async fn send(&self, outbound: &Outbound, host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        self.hand_over(outbound, host.as_ref()).await
    }

    fn send_time_max(&self) -> Duration {
        SEND_MAX
    }

    async fn show(&self, sign: &Sign, recipient: &Recipient) {
        send::show(&self.api, sign, recipient).await;
    }

    async fn introduce(&self, sender: &mut Sender, _thread: &mut Thread) {
        send::introduce(&self.api, self.platform, sender).await;
    }

    async fn fetch(&self, _raw: &Bytes, attachment: &Attachment) -> Result<File, FetchError> {
        send::fetch(&self.api, attachment).await
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.told()
    }

    async fn check(&self) -> Vec<Check> {
        check::check(&self.api, &self.config, self.platform).await
    }
}
