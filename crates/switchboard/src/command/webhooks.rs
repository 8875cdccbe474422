//! `switchboard webhooks …`

use std::process::ExitCode;

use proto::admin::v1 as pb;
use proto::admin::v1::admin_client::AdminClient;

use super::admin::{told, with_local};
use crate::cli::WebhooksCommand;
use crate::config::Config;
use crate::out;

pub(super) fn run(config: Config, command: WebhooksCommand) -> anyhow::Result<ExitCode> {
    with_local(config, async |local| {
        let mut admin = AdminClient::new(local.signed());
        match command {
            WebhooksCommand::List => {
                let answer = admin.list_webhooks(pb::ListWebhooksRequest {}).await;
                for webhook in answer.map_err(told)?.into_inner().webhooks {
                    let how = verdict(&webhook).unwrap_or_else(|problem| problem);
                    out::line(format_args!("{}\t{}\t{how}", webhook.id, webhook.url))?;
                }
            }
            WebhooksCommand::Test { id } => {
                let request = pb::TestWebhookRequest { webhook_id: id };
                let answer = admin
                    .test_webhook(request)
                    .await
                    .map_err(told)?
                    .into_inner();
                out::line(format_args!("{} ({} ms)", answer.text, answer.took_ms))?;
                if !answer.taken {
                    return Ok(ExitCode::FAILURE);
                }
            }
            WebhooksCommand::Resume { id, skip, from_now } => {
                let from = match (skip, from_now) {
                    (_, true) => pb::ResumeFrom::Now,
                    (true, false) => pb::ResumeFrom::Next,
                    (false, false) => pb::ResumeFrom::Unspecified,
                };
                let request = pb::ResumeWebhookRequest {
                    webhook_id: id.clone(),
                    from: from.into(),
                    client_id: String::new(),
                };
                admin.resume_webhook(request).await.map_err(told)?;
                out::line(format_args!("{id} is delivered to again."))?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// How a webhook does; an error when somebody has to do something.
pub(super) fn verdict(webhook: &pb::Webhook) -> Result<String, String> {
    let pb::Webhook {
        id,
        error,
        attempts,
        ..
    } = webhook;
    let resume = format!("set it right, then `switchboard webhooks resume {id}`");
    let lost = match webhook.lost_count {
        0 => String::new(),
        lost => format!("; {lost} events were forgotten before it could be told"),
    };
    match webhook.state() {
        pb::WebhookState::WebhookUp | pb::WebhookState::Unspecified => {
            Ok(format!("up, {} events behind{lost}", webhook.behind_count))
        }
        pb::WebhookState::WebhookRetrying => Err(format!(
            "{attempts} tries failed, the last because {error}{lost}"
        )),
        pb::WebhookState::WebhookSuspended => Err(format!(
            "given up after days, because {error}: {resume}{lost}"
        )),
        pb::WebhookState::WebhookGone => {
            Err(format!("it answered that it is gone: {resume}{lost}"))
        }
        pb::WebhookState::WebhookUnconfigured => {
            Ok("not configured any more; its place is kept".to_owned())
        }
    }
}
