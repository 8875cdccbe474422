//! Mail: letters are read from mailboxes by IMAP and written by SMTP.

mod config;
mod journal;
mod letter;
mod normalize;
mod oauth;
mod receive;
mod send;
mod tls;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use domain::message::{Attachment, Inbound, Medium, Outbound, Receipt};
use futures::StreamExt as _;
use futures::stream;
use tokio_util::sync::CancellationToken;

use crate::registry::Built;
use crate::{
    Capability, Channel, Check, ConfigProblem, Descriptor, FetchError, File, Host, Kind, LineSetup,
    Malformed, RunError, SendError,
};
use config::{Config, LETTER_BYTES_MAX};
use oauth::Tokens;
use receive::Status;
use send::Sender;

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: normalize::normalize_letter,
    example: include_str!("example.toml"),
};

#[expect(
    clippy::cast_possible_truncation,
    reason = "a hundred MiB are few enough for any machine"
)]
static DESCRIPTOR: Descriptor = Descriptor {
    kind: "email",
    display_name: "E-mail",
    medium: Medium::Email,
    capabilities: &[Capability::Reply, Capability::Files, Capability::WriteFirst],
    text_length_max: 100_000,
    attachment_bytes_max: LETTER_BYTES_MAX,
    // A line of ours stands before the letter.
    delivery_bytes_max: (LETTER_BYTES_MAX + 4_096) as usize,
    idempotent_send: false,
};

struct Email {
    config: Arc<Config>,
    tokens: Arc<Tokens>,
    sender: Sender,
    status: Arc<Status>,
}

fn build(setup: &LineSetup) -> Built {
    let config = Arc::new(Config::read(setup)?);
    let tokens = Arc::new(Tokens::default());
    let sender = Sender::new(&config, &tokens).map_err(|problem| {
        let key = "smtp".to_owned();
        vec![ConfigProblem { key, problem }]
    })?;
    Ok(Arc::new(Email {
        config,
        tokens,
        sender,
        status: Arc::default(),
    }))
}

#[async_trait]
impl Channel for Email {
    fn descriptor(&self) -> &'static Descriptor {
        &DESCRIPTOR
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize::normalize(raw, &self.config)
    }

    async fn send(&self, outbound: &Outbound, host: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        self.sender.send(outbound, host).await
    }

    fn send_time_max(&self) -> Duration {
        send::SEND_TIME_MAX
    }

    async fn fetch(&self, raw: &Bytes, attachment: &Attachment) -> Result<File, FetchError> {
        let source = attachment.source.as_deref().unwrap_or_default();
        let pieces = normalize::open(raw, source);
        let gone = || FetchError::Gone("the letter has no such part".to_owned());
        Ok(stream::iter(pieces.ok_or_else(gone)?.map(Ok)).boxed())
    }

    fn name(&self, outbound: &Outbound) -> Option<String> {
        send::name(&self.config, outbound)
    }

    fn addresses(&self) -> Vec<String> {
        let own = std::iter::once(&self.config.address);
        own.chain(&self.config.aliases).cloned().collect()
    }

    async fn run(&self, host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        receive::run(&self.config, &self.tokens, &self.status, host, stop).await
    }

    fn trouble(&self) -> Option<String> {
        self.status.trouble()
    }

    async fn check(&self) -> Vec<Check> {
        let mut checks = receive::check(&self.config).await;
        checks.push(match self.sender.check().await {
            Some(Ok(detail)) => Check::good("smtp", detail),
            Some(Err(problem)) => Check::bad("smtp", problem),
            None => Check::doubtful("smtp", "is not configured: nobody can answer"),
        });
        checks
    }
}
