//! The server of the Callback API that leads here: set up, and set up anew when it is gone
//! or VK has given it up.

use std::sync::PoisonError;
use std::time::Duration;

use domain::Timestamp;
use serde_json::Value;

use super::Connection;
use super::api::{Api, VERSION};
use super::errors::Failure;
use super::poll::{EVENTS, PAUSE, PAUSE_MAX};
use crate::{Host, RunError};

/// At most 14 letters.
const TITLE: &str = "Switchboard";
/// How often the server is looked after: whoever leads the community can remove it.
const WATCH: Duration = Duration::from_mins(5);

impl Connection {
    pub(super) async fn watch(
        &self,
        host: &dyn Host,
        url: &str,
        secret: &str,
    ) -> Result<(), RunError> {
        let mut pause = PAUSE;
        let mut is_set = false;
        loop {
            match self.look_after(host, url, secret, is_set).await {
                Ok(status) if status == "ok" => {
                    (is_set, pause) = (true, PAUSE);
                    self.trouble.set(None);
                    tokio::time::sleep(WATCH).await;
                }
                // It is tried just now, or was given up.
                Ok(status) => {
                    is_set = true;
                    let told = "VK has not confirmed the webhook";
                    self.trouble
                        .set(Some(format!("{told}: its state is {status:?}")));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
                Err(failure) => {
                    tracing::warn!(line.id = %self.line, %failure, "the webhook is not set");
                    self.trouble.set(Some(failure.to_string()));
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(PAUSE_MAX);
                }
            }
        }
    }

    /// Answers what VK thinks of our server.
    async fn look_after(
        &self,
        host: &dyn Host,
        url: &str,
        secret: &str,
        is_set: bool,
    ) -> Result<String, Failure> {
        let now = host.now();
        self.learn_confirmation(now).await?;
        let known = server(&self.api, url, now).await?;
        let status = |server: &Value| server["status"].as_str().unwrap_or_default().to_owned();
        let fields = vec![
            ("url", url.to_owned()),
            ("title", TITLE.to_owned()),
            ("secret_key", secret.to_owned()),
        ];
        let id = match &known {
            Some(known) if is_set && status(known) != "failed" => return Ok(status(known)),
            Some(known) => {
                let id = known["id"].to_string();
                let is_ours = known["secret_key"].as_str() == Some(secret);
                // A change is tried anew, which brings back a server that was given up.
                if !is_ours || status(known) != "ok" {
                    let mut fields = fields;
                    fields.push(("server_id", id.clone()));
                    let edit = self
                        .api
                        .call_group("groups.editCallbackServer", &fields, now);
                    edit.await?;
                }
                id
            }
            None => {
                let add = self
                    .api
                    .call_group("groups.addCallbackServer", &fields, now);
                add.await?["server_id"].to_string()
            }
        };
        // Each change makes another word of it.
        self.learn_confirmation(now).await?;
        let mut fields = vec![("server_id", id), ("api_version", VERSION.to_owned())];
        fields.extend(EVENTS.map(|event| (event, "1".to_owned())));
        self.api
            .call_group("groups.setCallbackSettings", &fields, now)
            .await?;
        let after = server(&self.api, url, now).await?;
        Ok(after.as_ref().map(status).unwrap_or_default())
    }

    async fn learn_confirmation(&self, now: Timestamp) -> Result<(), Failure> {
        let told = self
            .api
            .call_group("groups.getCallbackConfirmationCode", &[], now)
            .await?;
        let code = told["code"].as_str().map(str::to_owned);
        let known = self.confirmation.lock();
        *known.unwrap_or_else(PoisonError::into_inner) = code;
        Ok(())
    }
}

/// The server that leads to an address.
pub(super) async fn server(api: &Api, url: &str, now: Timestamp) -> Result<Option<Value>, Failure> {
    let told = api
        .call_group("groups.getCallbackServers", &[], now)
        .await?;
    let mut servers = told["items"].as_array().into_iter().flatten();
    Ok(servers
        .find(|server| server["url"].as_str() == Some(url))
        .cloned())
}
