//! The audit log.

use domain::Timestamp;
use engine::Engine;
use engine::contacts::convert::timestamp;
use proto::admin::v1 as pb;
use store::{AuditEntry, AuditFilter};
use tonic::Response;

use super::super::{
    PAGE_DEFAULT, PAGE_MAX, invalid, optional_id, page_number, page_size, status, store_status,
};
use super::Answer;
use crate::access::Caller;

pub(super) async fn list_audit(
    engine: &Engine,
    caller: &Caller,
    request: &pb::ListAuditRequest,
) -> Answer<pb::ListAuditResponse> {
    let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
    let before = page_number(&request.page_token)?.unwrap_or(i64::MAX);
    let filter = AuditFilter {
        operator: optional_id(&request.operator_id, "operator")?,
        act: request.act.trim().to_owned(),
        since: request.since.map(moment),
        until: request.until.map(moment),
    };
    let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
    let mut found = engine
        .list_audit(&caller.actor, filter, before, more)
        .await
        .map_err(status)?;
    let next = (found.len() > limit)
        .then(|| found.get(limit - 1).map(|last| last.id.to_string()))
        .flatten();
    found.truncate(limit);
    Ok(Response::new(pb::ListAuditResponse {
        entries: found.into_iter().map(entry).collect(),
        next_page_token: next.unwrap_or_default(),
    }))
}

pub(super) async fn verify_audit(
    engine: &Engine,
    request: &pb::VerifyAuditRequest,
) -> Answer<pb::VerifyAuditResponse> {
    let kept = match request.kept_seal.trim() {
        "" => None,
        text => Some(
            text.parse()
                .map_err(|problem| invalid("kept_seal", problem))?,
        ),
    };
    let verdict = engine.verify_audit(kept).await.map_err(store_status)?;
    Ok(Response::new(pb::VerifyAuditResponse {
        whole: verdict.problem.is_none(),
        entry_count: i64::try_from(verdict.seal.count).unwrap_or(i64::MAX),
        seal: verdict.seal.to_string(),
        problem: verdict.problem.unwrap_or_default(),
    }))
}

fn entry(entry: AuditEntry) -> pb::AuditEntry {
    pb::AuditEntry {
        id: entry.id.to_string(),
        at: Some(timestamp(entry.at)),
        operator_id: entry
            .operator
            .map(|operator| operator.to_string())
            .unwrap_or_default(),
        token_id: entry
            .token
            .map(|token| token.to_string())
            .unwrap_or_default(),
        act: entry.act,
        subject: entry.subject,
        detail: entry.detail,
    }
}

fn moment(asked: prost_types::Timestamp) -> Timestamp {
    let millis = i64::from(asked.nanos.div_euclid(1_000_000));
    Timestamp(asked.seconds.saturating_mul(1_000).saturating_add(millis))
}
