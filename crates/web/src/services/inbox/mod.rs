//! Everything an operator does. The contract's methods stand here; what they do,
//! by theme, in the files beside.

mod clients;
mod feed;
mod handling;
mod me;
mod mentions;
mod messages;
mod obligations;
mod rating;
mod reading;
mod served;

use std::pin::Pin;

use bytes::Bytes;
use engine::Engine;
use futures::Stream;
use proto::inbox::v1 as pb;
use proto::inbox::v1::inbox_server::Inbox;
use tonic::{Request, Response, Status};

pub(super) use me::line;
pub(super) use served::Served;

struct Service(Engine);

type Answer<T> = Result<Response<T>, Status>;
/// Answers to Subscribe, encoded.
type Feed = Pin<Box<dyn Stream<Item = Result<Bytes, Status>> + Send>>;

#[tonic::async_trait]
impl Inbox for Service {
    type SubscribeStream = futures::stream::Empty<Result<pb::SubscribeResponse, Status>>;

    async fn get_me(&self, request: Request<pb::GetMeRequest>) -> Answer<pb::GetMeResponse> {
        me::get_me(&self.0, request).await
    }

    async fn set_presence(&self, request: Request<pb::SetPresenceRequest>) -> Answer<pb::Operator> {
        me::set_presence(&self.0, request).await
    }

    async fn list_conversations(
        &self,
        request: Request<pb::ListConversationsRequest>,
    ) -> Answer<pb::ListConversationsResponse> {
        reading::list_conversations(&self.0, request).await
    }

    async fn get_conversation(
        &self,
        request: Request<pb::GetConversationRequest>,
    ) -> Answer<pb::GetConversationResponse> {
        reading::get_conversation(&self.0, request).await
    }

    async fn list_timeline(
        &self,
        request: Request<pb::ListTimelineRequest>,
    ) -> Answer<pb::ListTimelineResponse> {
        reading::list_timeline(&self.0, request).await
    }

    async fn accept_offer(
        &self,
        request: Request<pb::AcceptOfferRequest>,
    ) -> Answer<pb::Conversation> {
        handling::accept_offer(&self.0, request).await
    }

    async fn decline_offer(
        &self,
        request: Request<pb::DeclineOfferRequest>,
    ) -> Answer<pb::Conversation> {
        handling::decline_offer(&self.0, request).await
    }

    async fn take_conversation(
        &self,
        request: Request<pb::TakeConversationRequest>,
    ) -> Answer<pb::Conversation> {
        handling::take_conversation(&self.0, request).await
    }

    async fn list_templates(
        &self,
        request: Request<pb::ListTemplatesRequest>,
    ) -> Answer<pb::ListTemplatesResponse> {
        messages::list_templates(&self.0, request).await
    }

    async fn send_message(&self, request: Request<pb::SendMessageRequest>) -> Answer<pb::Message> {
        messages::send_message(&self.0, request).await
    }

    async fn edit_message(&self, request: Request<pb::EditMessageRequest>) -> Answer<pb::Message> {
        messages::edit_message(&self.0, request).await
    }

    async fn delete_message(
        &self,
        request: Request<pb::DeleteMessageRequest>,
    ) -> Answer<pb::Message> {
        messages::delete_message(&self.0, request).await
    }

    async fn react(&self, request: Request<pb::ReactRequest>) -> Answer<pb::Message> {
        messages::react(&self.0, request).await
    }

    async fn add_note(&self, request: Request<pb::AddNoteRequest>) -> Answer<pb::Message> {
        messages::add_note(&self.0, request).await
    }

    async fn mark_read(
        &self,
        request: Request<pb::MarkReadRequest>,
    ) -> Answer<pb::MarkReadResponse> {
        messages::mark_read(&self.0, request).await
    }

    async fn set_typing(
        &self,
        request: Request<pb::SetTypingRequest>,
    ) -> Answer<pb::SetTypingResponse> {
        messages::set_typing(&self.0, request).await
    }

    async fn transfer_conversation(
        &self,
        request: Request<pb::TransferConversationRequest>,
    ) -> Answer<pb::Conversation> {
        handling::transfer_conversation(&self.0, request).await
    }

    async fn snooze_conversation(
        &self,
        request: Request<pb::SnoozeConversationRequest>,
    ) -> Answer<pb::Conversation> {
        handling::snooze_conversation(&self.0, request).await
    }

    async fn finish_conversation(
        &self,
        request: Request<pb::FinishConversationRequest>,
    ) -> Answer<pb::Conversation> {
        handling::finish_conversation(&self.0, request).await
    }

    async fn reopen_conversation(
        &self,
        request: Request<pb::ReopenConversationRequest>,
    ) -> Answer<pb::Conversation> {
        handling::reopen_conversation(&self.0, request).await
    }

    async fn start_conversation(
        &self,
        request: Request<pb::StartConversationRequest>,
    ) -> Answer<pb::Conversation> {
        handling::start_conversation(&self.0, request).await
    }

    async fn join_conversation(
        &self,
        request: Request<pb::JoinConversationRequest>,
    ) -> Answer<pb::Conversation> {
        handling::join_conversation(&self.0, request).await
    }

    async fn search_messages(
        &self,
        request: Request<pb::SearchMessagesRequest>,
    ) -> Answer<pb::SearchMessagesResponse> {
        reading::search_messages(&self.0, request).await
    }

    async fn save_draft(
        &self,
        request: Request<pb::SaveDraftRequest>,
    ) -> Answer<pb::SaveDraftResponse> {
        messages::save_draft(&self.0, request).await
    }

    async fn block_identity(
        &self,
        request: Request<pb::BlockIdentityRequest>,
    ) -> Answer<pb::Block> {
        clients::block_identity(&self.0, request).await
    }

    async fn unblock_identity(
        &self,
        request: Request<pb::UnblockIdentityRequest>,
    ) -> Answer<pb::UnblockIdentityResponse> {
        clients::unblock_identity(&self.0, request).await
    }

    async fn list_blocks(
        &self,
        request: Request<pb::ListBlocksRequest>,
    ) -> Answer<pb::ListBlocksResponse> {
        clients::list_blocks(&self.0, request).await
    }

    async fn list_mentions(
        &self,
        request: Request<pb::ListMentionsRequest>,
    ) -> Answer<pb::ListMentionsResponse> {
        mentions::list_mentions(&self.0, request).await
    }

    async fn mark_mentions_read(
        &self,
        request: Request<pb::MarkMentionsReadRequest>,
    ) -> Answer<pb::MarkMentionsReadResponse> {
        mentions::mark_mentions_read(&self.0, request).await
    }

    async fn dismiss_suggestion(
        &self,
        request: Request<pb::DismissSuggestionRequest>,
    ) -> Answer<pb::DismissSuggestionResponse> {
        clients::dismiss_suggestion(&self.0, request).await
    }

    async fn schedule_callback(
        &self,
        request: Request<pb::ScheduleCallbackRequest>,
    ) -> Answer<pb::Obligation> {
        obligations::schedule_callback(&self.0, request).await
    }

    async fn list_obligations(
        &self,
        request: Request<pb::ListObligationsRequest>,
    ) -> Answer<pb::ListObligationsResponse> {
        obligations::list_obligations(&self.0, request).await
    }

    async fn resolve_obligation(
        &self,
        request: Request<pb::ResolveObligationRequest>,
    ) -> Answer<pb::Obligation> {
        obligations::resolve_obligation(&self.0, request).await
    }

    /// Never called: [`Served`] does it.
    async fn subscribe(&self, _: Request<pb::SubscribeRequest>) -> Answer<Self::SubscribeStream> {
        Err(Status::internal("the feed is served by itself"))
    }

    async fn score_conversation(
        &self,
        request: Request<pb::ScoreConversationRequest>,
    ) -> Answer<pb::ConversationScore> {
        rating::score_conversation(&self.0, request).await
    }

    async fn list_ratings(
        &self,
        request: Request<pb::ListRatingsRequest>,
    ) -> Answer<pb::ListRatingsResponse> {
        rating::list_ratings(&self.0, request).await
    }
}
