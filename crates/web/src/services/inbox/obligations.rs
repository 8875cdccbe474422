//! Promises to clients.

use domain::obligation::Wish;
use domain::{ContactId, OperatorId, Timestamp};
use engine::act::{ForWhom, NewObligation, Resolution, Seen};
use engine::contacts::convert::timestamp_from;
use engine::{ActError, Engine};
use proto::inbox::v1 as pb;
use proto::inbox::v1::resolve_obligation_request::Resolution as Asked;
use proto::inbox::v1::schedule_callback_request::{Owner, Whom};
use store::{ObligationKey, Standing};
use tonic::{Request, Response, Status};

use super::super::{PAGE_DEFAULT, PAGE_MAX, caller, id, invalid, optional_id, page_size, status};
use super::Answer;
use crate::convert::{kind_from, obligation};

pub(super) async fn schedule_callback(
    engine: &Engine,
    request: Request<pb::ScheduleCallbackRequest>,
) -> Answer<pb::Obligation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let kind = kind_from(request.kind());
    let due_at = time(request.due_at.as_ref())?;
    let whom = match &request.whom {
        Some(Whom::ConversationId(conversation)) => {
            ForWhom::Conversation(id(conversation, "conversation")?)
        }
        Some(Whom::ContactId(contact)) if !contact.is_empty() => {
            let queue = (!request.queue_id.is_empty()).then(|| request.queue_id.as_str().into());
            ForWhom::Contact(ContactId::from(contact.as_str()), queue)
        }
        Some(Whom::ContactId(_)) | None => {
            return Err(invalid("whom", "give conversation_id or contact_id"));
        }
    };
    let owner = match &request.owner {
        Some(Owner::OperatorId(operator)) => Some(id::<OperatorId>(operator, "operator")?),
        Some(Owner::WholeQueue(true)) => None,
        Some(Owner::WholeQueue(false)) | None => caller.actor.operator,
    };
    let new = NewObligation {
        whom,
        kind,
        due_at,
        owner,
        note: request.note,
        reach: request.reach,
    };
    let made = engine
        .schedule(&caller.actor, &request.client_id, new)
        .await
        .map_err(status)?;
    Ok(Response::new(obligation(&made)))
}

pub(super) async fn list_obligations(
    engine: &Engine,
    request: Request<pb::ListObligationsRequest>,
) -> Answer<pb::ListObligationsResponse> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let limit = page_size(request.page_size, PAGE_DEFAULT, PAGE_MAX)?;
    let seen = match request.scope() {
        pb::ObligationScope::Unspecified | pb::ObligationScope::Mine => {
            if caller.actor.operator.is_none() {
                let problem = "a program of its own has no promises: ask for ALL";
                return Err(invalid("scope", problem));
            }
            Seen::Mine
        }
        pb::ObligationScope::Queues => Seen::MyQueues,
        pb::ObligationScope::All => Seen::All,
    };
    let standing = match request.filter() {
        pb::ObligationFilter::Unspecified | pb::ObligationFilter::Open => Standing::Open,
        pb::ObligationFilter::Overdue => Standing::Overdue,
        pb::ObligationFilter::Escalated => Standing::Escalated,
        pb::ObligationFilter::Done => Standing::Ended,
    };
    let contact =
        (!request.contact_id.is_empty()).then(|| ContactId::from(request.contact_id.as_str()));
    let after = page_key(&request.page_token)?;
    let page = engine
        .list_obligations(&caller.actor, seen, standing, contact, after, limit)
        .await
        .map_err(status)?;
    let counts = page.counts;
    let number = |count| i32::try_from(count).unwrap_or(i32::MAX);
    Ok(Response::new(pb::ListObligationsResponse {
        obligations: page.obligations.iter().map(obligation).collect(),
        next_page_token: page
            .next
            .map(|next| format!("{}.{}", next.at.0, next.id))
            .unwrap_or_default(),
        counts: Some(pb::ObligationCounts {
            mine: number(counts.mine),
            mine_overdue: number(counts.mine_overdue),
            seen: number(counts.seen),
            seen_overdue: number(counts.seen_overdue),
            escalated: number(counts.escalated),
        }),
        cursor: page.cursor.0.to_string(),
    }))
}

pub(super) async fn resolve_obligation(
    engine: &Engine,
    request: Request<pb::ResolveObligationRequest>,
) -> Answer<pb::Obligation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let promise = request
        .obligation_id
        .parse()
        .map_err(|_| status(ActError::NotFound("promise")))?;
    let resolution = match &request.resolution {
        Some(Asked::Kept(pb::ObligationKept {})) => Resolution::Kept,
        Some(Asked::Waived(waived)) => Resolution::Waived {
            reason: waived.reason.clone(),
        },
        Some(Asked::Moved(moved)) => Resolution::Moved {
            due_at: time(moved.due_at.as_ref())?,
            wish: match moved.wish() {
                pb::ObligationWish::Client => Wish::Client,
                pb::ObligationWish::Ours => Wish::Ours,
                pb::ObligationWish::Unspecified => {
                    return Err(invalid("wish", "say whose wish it is: CLIENT or OURS"));
                }
            },
            reason: moved.reason.clone(),
        },
        Some(Asked::Assigned(to)) => {
            Resolution::Assigned(optional_id(&to.operator_id, "operator")?)
        }
        None => {
            let problem = "say what becomes of it: kept, waived, moved or assigned";
            return Err(invalid("resolution", problem));
        }
    };
    let resolved = engine
        .resolve_obligation(&caller.actor, &request.client_id, promise, resolution)
        .await
        .map_err(status)?;
    Ok(Response::new(obligation(&resolved)))
}

fn time(asked: Option<&prost_types::Timestamp>) -> Result<Timestamp, Status> {
    asked
        .map(timestamp_from)
        .ok_or_else(|| invalid("due_at", "say by when"))
}

fn page_key(token: &str) -> Result<Option<ObligationKey>, Status> {
    if token.is_empty() {
        return Ok(None);
    }
    let wrong = || invalid("page_token", "not one of this list's");
    let (at, id) = token.split_once('.').ok_or_else(wrong)?;
    Ok(Some(ObligationKey {
        at: Timestamp(at.parse().map_err(|_| wrong())?),
        id: id.parse().map_err(|_| wrong())?,
    }))
}
