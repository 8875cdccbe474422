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
use tokio_util::sync::CancellationToken;

use crate::registry::Built;
use crate::{
    Capability, Channel, ConfigProblem, Descriptor, FetchError, File, Host, Kind, LineSetup,
    Malformed, RunError, SendError,
};
use config::Config;

/// This kind of channel.
pub(crate) const KIND: Kind = Kind {
    descriptor: &DESCRIPTOR,
    build,
    normalize: normalize::normalize_letter,
    example: include_str!("example.toml"),
};

static DESCRIPTOR: Descriptor = Descriptor {
    kind: "email",
    display_name: "E-mail",
    medium: Medium::Email,
    capabilities: &[Capability::Reply, Capability::Files, Capability::WriteFirst],
    text_length_max: 100_000,
    attachment_bytes_max: 50 << 20,
    delivery_bytes_max: ((config::LETTER_MIB_MAX as usize) << 20) + journal::HEAD_BYTES_MAX,
    idempotent_send: false,
};

struct Email {
    config: Arc<Config>,
    sender: send::Sender,
    tokens: Arc<oauth::Tokens>,
    status: Arc<receive::Status>,
}

fn build(setup: &LineSetup) -> Built {
    let config = Arc::new(Config::read(setup)?);
    let tokens = Arc::new(oauth::Tokens::default());
    let sender = send::Sender::new(&config, &tokens).map_err(|problem| {
        vec![ConfigProblem {
            key: "smtp".to_owned(),
            problem,
        }]
    })?;
    Ok(Arc::new(Email {
        config,
        sender,
        tokens,
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

    async fn fetch(&self, raw: &Bytes, attachment: &Attachment) -> Result<File, FetchError> {
        let source = attachment.source.as_deref().unwrap_or_default();
        let pieces = normalize::open(raw, source)
            .ok_or_else(|| FetchError::Gone("the letter has no such part".to_owned()))?;
        Ok(futures::stream::iter(pieces.map(Ok)).boxed())
    }

    fn name(&self, outbound: &Outbound) -> Option<String> {
        send::name(&self.config, outbound)
    }

    fn send_time_max(&self) -> Duration {
        send::SEND_TIME_MAX
    }

    fn addresses(&self) -> Vec<String> {
        let own = std::iter::once(&self.config.address);
        own.chain(&self.config.aliases).cloned().collect()
    }

    async fn run(&self, host: Arc<dyn Host>, stop: CancellationToken) -> Result<(), RunError> {
        let tokens = self.tokens_for_mailboxes(&host);
        receive::run(&self.config, tokens, &self.status, host, stop).await
    }
}

impl Email {
    /// Short-lived tokens for mailboxes: another one when a server refused the last.
    fn tokens_for_mailboxes(&self, host: &Arc<dyn Host>) -> receive::Tokens {
        let (tokens, host) = (Arc::clone(&self.tokens), Arc::clone(host));
        let line = self.config.line.clone();
        Arc::new(move |oauth, refused| {
            let (tokens, host, line) = (Arc::clone(&tokens), Arc::clone(&host), line.clone());
            Box::pin(async move {
                if let Some(value) = refused {
                    let refused = oauth::Token {
                        value,
                        is_fresh: false,
                    };
                    tokens.forget(&oauth, &refused).await;
                }
                let token = tokens.token(&line, &oauth, &host).await;
                token.map(|token| token.value).map_err(|error| match error {
                    oauth::TokenError::Refused(reason) => receive::Trouble::Credentials(reason),
                    oauth::TokenError::Later(reason) => receive::Trouble::Lost(reason),
                })
            })
        })
    }
}
