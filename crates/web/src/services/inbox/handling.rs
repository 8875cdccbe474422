//! What becomes of a conversation: offers answered, taken, given, put away, ended.

use domain::conversation::Conversation;
use engine::act::{NewThread, Target};
use engine::contacts::convert::timestamp_from;
use engine::{ActError, Engine};
use proto::inbox::v1 as pb;
use tonic::{Request, Response};

use super::super::{caller, id, invalid, status};
use super::Answer;
use crate::convert::conversation;

pub(super) async fn accept_offer(
    engine: &Engine,
    request: Request<pb::AcceptOfferRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let offer = id(&request.offer_id, "offer")?;
    changed(
        engine
            .accept_offer(&caller.actor, &request.client_id, offer)
            .await,
    )
}

pub(super) async fn decline_offer(
    engine: &Engine,
    request: Request<pb::DeclineOfferRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let offer = id(&request.offer_id, "offer")?;
    changed(
        engine
            .decline_offer(&caller.actor, &request.client_id, offer, &request.reason)
            .await,
    )
}

pub(super) async fn take_conversation(
    engine: &Engine,
    request: Request<pb::TakeConversationRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    changed(
        engine
            .take_conversation(&caller.actor, &request.client_id, wanted)
            .await,
    )
}

pub(super) async fn transfer_conversation(
    engine: &Engine,
    request: Request<pb::TransferConversationRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    let target = match request.target {
        Some(pb::transfer_conversation_request::Target::OperatorId(operator)) => {
            Target::Operator(id(&operator, "operator")?)
        }
        Some(pb::transfer_conversation_request::Target::QueueId(queue)) => {
            Target::Queue(queue.as_str().into())
        }
        None => return Err(invalid("target", "give an operator or a queue")),
    };
    changed(
        engine
            .transfer_conversation(
                &caller.actor,
                &request.client_id,
                wanted,
                target,
                request.reset_age,
                &request.note,
            )
            .await,
    )
}

pub(super) async fn snooze_conversation(
    engine: &Engine,
    request: Request<pb::SnoozeConversationRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    let until = request.until.as_ref().map(timestamp_from);
    changed(
        engine
            .snooze_conversation(&caller.actor, &request.client_id, wanted, until)
            .await,
    )
}

pub(super) async fn finish_conversation(
    engine: &Engine,
    request: Request<pb::FinishConversationRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    changed(
        engine
            .finish_conversation(
                &caller.actor,
                &request.client_id,
                wanted,
                &request.disposition,
                request.spam,
            )
            .await,
    )
}

pub(super) async fn reopen_conversation(
    engine: &Engine,
    request: Request<pb::ReopenConversationRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    changed(
        engine
            .reopen_conversation(&caller.actor, &request.client_id, wanted)
            .await,
    )
}

pub(super) async fn start_conversation(
    engine: &Engine,
    request: Request<pb::StartConversationRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    if request.thread_id.is_empty() && !request.line_id.is_empty() {
        let new = NewThread {
            line: request.line_id.as_str().into(),
            address: request.address,
            subject: request.subject,
        };
        return changed(
            engine
                .write_first(&caller.actor, &request.client_id, new)
                .await,
        );
    }
    let thread = id(&request.thread_id, "thread")?;
    changed(
        engine
            .start_conversation(&caller.actor, &request.client_id, thread)
            .await,
    )
}

pub(super) async fn join_conversation(
    engine: &Engine,
    request: Request<pb::JoinConversationRequest>,
) -> Answer<pb::Conversation> {
    let caller = caller(&request)?;
    let request = request.into_inner();
    let wanted = id(&request.conversation_id, "conversation")?;
    changed(
        engine
            .join_conversation(&caller.actor, &request.client_id, wanted, request.leave)
            .await,
    )
}

fn changed(changed: Result<Conversation, ActError>) -> Answer<pb::Conversation> {
    changed
        .map(|changed| Response::new(conversation(&changed)))
        .map_err(status)
}
