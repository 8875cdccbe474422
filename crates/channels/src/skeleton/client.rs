//! The connection: the only file here with I/O.

use domain::message::Receipt;

use super::api::SendRequest;
use super::config::Config;
use crate::SendError;

pub(super) fn send(config: &Config, request: &SendRequest) -> Result<Receipt, SendError> {
    let _ = (&config.token, &request.chat, &request.text);
    Err(SendError::Unsupported)
}
