//! How letters go out.

mod field;
mod name;
mod render;
mod sent;
mod smtp;
mod words;

#[cfg(test)]
mod render_tests;

use std::sync::Arc;
use std::time::Duration;

use domain::Millis;
use domain::message::{Delivery, Outbound, Receipt};

use super::config::Config;
use super::oauth::Tokens;
use crate::{Host, SendError};
use sent::Copies;
use smtp::Post;

pub(super) use name::name;
#[cfg(test)]
pub(super) use smtp::peer::Desk;

/// The most that [`Sender::send`] takes.
pub(super) const SEND_TIME_MAX: Duration = smtp::SEND_TIME_MAX;
/// So long a letter waits for those of its recipients whom the server does not take it
/// for yet; then it goes to the others.
const PATIENCE: Millis = Millis::from_secs(3_600);

/// A letter that was not taken for so long is not sent any more.
const TRIES_TIME: Millis = Millis::from_secs(2 * 86_400);

/// A line's way out.
pub(super) struct Sender {
    config: Arc<Config>,
    post: Option<Post>,
    copies: Option<Copies>,
}

impl Sender {
    /// Makes ready; nothing is connected yet.
    pub(super) fn new(config: &Arc<Config>, tokens: &Arc<Tokens>) -> Result<Self, String> {
        let smtp = config.smtp.as_ref();
        let post = smtp.map(|smtp| Post::new(config, smtp, Arc::clone(tokens)));
        Ok(Self {
            config: Arc::clone(config),
            post: post.transpose()?,
            copies: Copies::new(config, tokens),
        })
    }

    /// Sends a letter.
    pub(super) async fn send(
        &self,
        outbound: &Outbound,
        host: &Arc<dyn Host>,
    ) -> Result<Receipt, SendError> {
        let post = self.post.as_ref().ok_or(SendError::Unsupported)?;
        let letter = render::render(&self.config, outbound)?;
        let age = host.now().since(outbound.sent_at);
        let handed_over = post.hand_over(&letter, host, age < PATIENCE).await;
        let error_text = handed_over.map_err(|error| given_up(error, age))?;
        if let Some(copies) = &self.copies {
            copies.keep(outbound, host);
        }
        Ok(Receipt {
            delivery: Delivery::Sent,
            message_id: Some(letter.name),
            error_text,
        })
    }

    /// Tries whether the server lets us in; nothing to try where nobody can answer.
    pub(super) async fn check(&self) -> Option<Result<String, String>> {
        let post = self.post.as_ref()?;
        Some(post.check().await)
    }
}

/// After two days somebody has to know.
fn given_up(error: SendError, age: Millis) -> SendError {
    if let SendError::RetryAfter { reason, .. } = &error
        && age >= TRIES_TIME
    {
        return SendError::Rejected {
            operator_text: format!("it could not be sent for two days: {reason}"),
        };
    }
    error
}
