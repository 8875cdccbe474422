//! Outgoing webhooks.

use domain::Timestamp;
use engine::Engine;
use engine::contacts::convert::timestamp;
use engine::webhooks::{ResumeFrom, WebhookStatus};
use proto::admin::v1 as pb;
use store::WebhookState;
use tonic::Response;

use super::super::{invalid, status, store_status};
use super::Answer;
use crate::access::Caller;

pub(super) async fn list(engine: &Engine) -> Answer<pb::ListWebhooksResponse> {
    let found = engine.webhooks().await.map_err(store_status)?;
    Ok(Response::new(pb::ListWebhooksResponse {
        webhooks: found.into_iter().map(webhook).collect(),
    }))
}

pub(super) async fn resume(
    engine: &Engine,
    caller: &Caller,
    request: &pb::ResumeWebhookRequest,
) -> Answer<pb::ResumeWebhookResponse> {
    let from = match pb::ResumeFrom::try_from(request.from) {
        Ok(pb::ResumeFrom::Unspecified) => ResumeFrom::Failed,
        Ok(pb::ResumeFrom::Next) => ResumeFrom::Next,
        Ok(pb::ResumeFrom::Now) => ResumeFrom::Now,
        Err(_) => return Err(invalid("from", "not one of the places to go on from")),
    };
    engine
        .resume_webhook(&caller.actor, &request.client_id, &request.webhook_id, from)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::ResumeWebhookResponse {}))
}

pub(super) async fn test(
    engine: &Engine,
    caller: &Caller,
    request: &pb::TestWebhookRequest,
) -> Answer<pb::TestWebhookResponse> {
    let tested = engine
        .test_webhook(&caller.actor, &request.webhook_id)
        .await
        .map_err(status)?;
    Ok(Response::new(pb::TestWebhookResponse {
        taken: tested.is_taken,
        http_status: tested.status.map_or(0, i32::from),
        text: tested.text,
        took_ms: tested.took.0,
    }))
}

fn webhook(found: WebhookStatus) -> pb::Webhook {
    let WebhookStatus {
        webhook,
        row,
        behind,
    } = found;
    let state = match (row.state, &webhook) {
        (_, None) => pb::WebhookState::WebhookUnconfigured,
        (WebhookState::Suspended, Some(_)) => pb::WebhookState::WebhookSuspended,
        (WebhookState::Gone, Some(_)) => pb::WebhookState::WebhookGone,
        (WebhookState::Delivers, Some(_)) if row.attempts > 0 => pb::WebhookState::WebhookRetrying,
        (WebhookState::Delivers, Some(_)) => pb::WebhookState::WebhookUp,
    };
    let next = (state == pb::WebhookState::WebhookRetrying).then_some(row.next_at);
    let at = |moment: Option<Timestamp>| moment.map(timestamp);
    let (mut events, mut queue_ids) = (Vec::new(), Vec::new());
    if let Some(webhook) = &webhook {
        events.extend(webhook.events.iter().map(ToString::to_string));
        queue_ids.extend(webhook.queues.iter().map(ToString::to_string));
    }
    pb::Webhook {
        id: row.id,
        url: row.doc.url,
        events,
        queue_ids,
        state: state.into(),
        behind_count: i64::try_from(behind).unwrap_or(i64::MAX),
        delivered_count: i64::try_from(row.doc.delivered).unwrap_or(i64::MAX),
        lost_count: i64::try_from(row.doc.lost).unwrap_or(i64::MAX),
        attempts: i32::try_from(row.attempts).unwrap_or(i32::MAX),
        failing_since: at(row.doc.failing_since),
        next_try_at: at(next),
        delivered_at: at(row.doc.delivered_at),
        error: row.doc.last_error,
    }
}
