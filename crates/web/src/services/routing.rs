//! Queues and decisions.

use std::pin::Pin;
use std::time::Duration;

use domain::QueueId;
use engine::act::Target;
use engine::{ActError, Actor, Engine};
use futures::Stream;
use proto::inbox::v1 as pb_inbox;
use proto::routing::v1 as pb;
use proto::routing::v1::routing_server::Routing;
use store::StoreError;
use tonic::{Request, Response, Status};

use super::board::{Board, works_for};
use super::{caller, id, invalid, lens, status, store_status};
use crate::access::Caller;
use crate::convert::{conversation, explanation, operator, presence_from, why};

/// The pace at which changed numbers are told.
const WATCH_PACE: Duration = Duration::from_secs(1);
/// When nothing happens they are looked at all the same.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// Conversations at a queue's head.
const HEAD_MAX: usize = 50;

pub(super) struct Service(pub(super) Engine);

impl Service {
    async fn queues(&self, actor: &Actor, time_zone: &str) -> Result<Vec<pb::Queue>, Status> {
        let mut board = Board::of(time_zone).map_err(status)?;
        let now = board.read(&self.0, actor).await.map_err(store_status)?;
        Ok(now.queues)
    }
}

fn target(target: Option<pb::reassign_request::Target>) -> Result<Target, Status> {
    match target {
        Some(pb::reassign_request::Target::OperatorId(operator)) => {
            id(&operator, "operator").map(Target::Operator)
        }
        Some(pb::reassign_request::Target::QueueId(queue)) => {
            Ok(Target::Queue(queue.as_str().into()))
        }
        None => Err(invalid("target", "give an operator or a queue")),
    }
}

#[tonic::async_trait]
impl Routing for Service {
    type WatchQueuesStream =
        Pin<Box<dyn Stream<Item = Result<pb::WatchQueuesResponse, Status>> + Send>>;

    async fn list_queues(
        &self,
        request: Request<pb::ListQueuesRequest>,
    ) -> Result<Response<pb::ListQueuesResponse>, Status> {
        let caller = caller(&request)?;
        let time_zone = request.into_inner().time_zone;
        let queues = self.queues(&caller.actor, &time_zone).await?;
        Ok(Response::new(pb::ListQueuesResponse { queues }))
    }

    async fn get_queue(
        &self,
        request: Request<pb::GetQueueRequest>,
    ) -> Result<Response<pb::GetQueueResponse>, Status> {
        let caller = caller(&request)?;
        let pb::GetQueueRequest {
            queue_id,
            time_zone,
        } = request.into_inner();
        let queue = self
            .queues(&caller.actor, &time_zone)
            .await?
            .into_iter()
            .find(|queue| queue.id == queue_id)
            .ok_or_else(|| status(ActError::NotFound("queue")))?;
        let wanted = QueueId::from(queue_id.as_str());
        let page = self
            .0
            .list_conversations(
                &caller.actor,
                store::Folder::Waiting,
                Some(wanted.clone()),
                None,
                HEAD_MAX,
            )
            .await
            .map_err(status)?;
        let operators = self
            .0
            .read::<_, StoreError>(|view| view.all_operators())
            .await
            .map_err(store_status)?;
        let lens = lens(&self.0, &caller);
        Ok(Response::new(pb::GetQueueResponse {
            queue: Some(queue),
            waiting: page.conversations.iter().map(conversation).collect(),
            operators: operators
                .iter()
                .filter(|known| works_for(known, &wanted))
                .map(|known| operator(&lens, known))
                .collect(),
        }))
    }

    async fn watch_queues(
        &self,
        request: Request<pb::WatchQueuesRequest>,
    ) -> Result<Response<Self::WatchQueuesStream>, Status> {
        let Caller { principal, .. } = caller(&request)?;
        let board = Board::of(&request.into_inner().time_zone).map_err(status)?;
        let engine = self.0.clone();
        let watching = (engine.read_feed(None), board, None);
        let changes = futures::stream::try_unfold(watching, move |(mut feed, mut board, told)| {
            let (engine, principal) = (engine.clone(), principal.clone());
            async move {
                loop {
                    // Rights are looked at anew each time.
                    let actor = engine.actor(&principal).await.map_err(store_status)?;
                    let now = board.read(&engine, &actor).await.map_err(store_status)?;
                    if told.as_ref() != Some(&now) {
                        let answer = now.clone();
                        return Ok::<_, Status>(Some((answer, (feed, board, Some(now)))));
                    }
                    tokio::time::sleep(WATCH_PACE).await;
                    // Midnight is no event.
                    let news = tokio::time::timeout(LOOK_AGAIN, feed.next()).await;
                    if let Ok(news) = news {
                        news.map_err(store_status)?;
                    }
                }
            }
        });
        Ok(Response::new(Box::pin(changes)))
    }

    async fn explain_offer(
        &self,
        request: Request<pb::ExplainOfferRequest>,
    ) -> Result<Response<pb::ExplainOfferResponse>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let offer = if request.offer_id.is_empty() && !request.conversation_id.is_empty() {
            let conversation = id(&request.conversation_id, "conversation")?;
            let asked = self.0.explain_conversation(&caller.actor, conversation);
            asked.await
        } else {
            let offer = id(&request.offer_id, "offer")?;
            self.0.explain_offer(&caller.actor, offer).await
        };
        let offer = offer.map_err(status)?;
        Ok(Response::new(explanation(&offer)))
    }

    async fn reassign(
        &self,
        request: Request<pb::ReassignRequest>,
    ) -> Result<Response<pb_inbox::Conversation>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let changed = self
            .0
            .reassign(
                &caller.actor,
                &request.client_id,
                id(&request.conversation_id, "conversation")?,
                target(request.target)?,
                &request.reason,
            )
            .await
            .map_err(status)?;
        Ok(Response::new(conversation(&changed)))
    }

    async fn move_to_front(
        &self,
        request: Request<pb::MoveToFrontRequest>,
    ) -> Result<Response<pb_inbox::Conversation>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let changed = self
            .0
            .move_to_front(
                &caller.actor,
                &request.client_id,
                id(&request.conversation_id, "conversation")?,
                &request.reason,
            )
            .await
            .map_err(status)?;
        Ok(Response::new(conversation(&changed)))
    }

    async fn force_presence(
        &self,
        request: Request<pb::ForcePresenceRequest>,
    ) -> Result<Response<pb_inbox::Operator>, Status> {
        let caller = caller(&request)?;
        let request = request.into_inner();
        let presence = presence_from(request.presence(), request.reason.clone())
            .ok_or_else(|| invalid("presence", "give a presence"))?;
        let changed = self
            .0
            .force_presence(
                &caller.actor,
                &request.client_id,
                id(&request.operator_id, "operator")?,
                presence,
                &request.reason,
            )
            .await
            .map_err(status)?;
        Ok(Response::new(operator(&lens(&self.0, &caller), &changed)))
    }

    async fn get_metrics(
        &self,
        request: Request<pb::GetMetricsRequest>,
    ) -> Result<Response<pb::GetMetricsResponse>, Status> {
        let caller = caller(&request)?;
        let answer = super::metrics::read(&self.0, &caller.actor, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn why_still_waiting(
        &self,
        request: Request<pb::WhyStillWaitingRequest>,
    ) -> Result<Response<pb::WhyStillWaitingResponse>, Status> {
        let caller = caller(&request)?;
        let conversation = id(&request.into_inner().conversation_id, "conversation")?;
        let asked = self.0.why_still_waiting(&caller.actor, conversation);
        Ok(Response::new(why::still_waiting(
            &asked.await.map_err(status)?,
        )))
    }

    async fn why_not_me(
        &self,
        request: Request<pb::WhyNotMeRequest>,
    ) -> Result<Response<pb::WhyNotMeResponse>, Status> {
        let caller = caller(&request)?;
        let operator = request.into_inner().operator_id;
        let operator = match operator.as_str() {
            "" => None,
            other => Some(id(other, "operator")?),
        };
        let asked = self.0.why_not_me(&caller.actor, operator);
        Ok(Response::new(why::not_me(&asked.await.map_err(status)?)))
    }

    async fn get_proof(
        &self,
        _request: Request<pb::GetProofRequest>,
    ) -> Result<Response<pb::GetProofResponse>, Status> {
        let proof = self.0.prove().await.map_err(store_status)?;
        Ok(Response::new(why::proof(&proof)))
    }
}
