//! The way to clients, and from their files.

use domain::message::{Attachment, Delivery, Outbound, Part, Receipt};

use super::Connection;
use super::api::Api;
use super::config::Config;
use super::errors::Failure;
use super::render::render;
use crate::{FetchError, File, Host, SendError};

/// Why nothing was sent.
pub(super) enum Stopped {
    /// By us.
    Here(SendError),
    /// By Viber, or on the way there.
    There(Failure),
}

pub(super) fn outcome(stopped: Stopped) -> SendError {
    match stopped {
        Stopped::Here(error) => error,
        Stopped::There(failure) => failure.outcome(),
    }
}

pub(super) async fn send(
    api: &Api,
    config: &Config,
    outbound: &Outbound,
    host: &dyn Host,
) -> Result<Receipt, Stopped> {
    let link = |file: &Attachment| {
        let thread_key = &outbound.recipient.thread_key;
        let link = host.lasting_file_link(&outbound.line, thread_key, file);
        format!("{}{link}", config.public_url)
    };
    let fields = render(outbound, &config.sender, link).map_err(Stopped::Here)?;
    let told = api.call("send_message", fields, host.now()).await;
    let told = told.map_err(Stopped::There)?;
    let token = told["message_token"].as_u64().filter(|token| *token > 0);
    Ok(Receipt {
        delivery: Delivery::Sent,
        // That a part arrived does not tell that the message did: the last one does.
        message_id: token
            .filter(|_| outbound.part.is_none_or(Part::is_last))
            .map(|token| token.to_string()),
        error_text: String::new(),
    })
}

impl Connection {
    /// Has a webhook set that is missing.
    pub(super) fn note(&self, sent: &Result<Receipt, Stopped>) {
        if let Err(Stopped::There(failure)) = sent
            && failure.is_of_webhook()
        {
            self.is_unset.notify_one();
        }
    }
}

pub(super) async fn fetch(api: &Api, attachment: &Attachment) -> Result<File, FetchError> {
    let gone = || FetchError::Gone("the file has no address".to_owned());
    api.file(attachment.source.as_deref().ok_or_else(gone)?)
        .await
}
