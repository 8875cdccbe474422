//! An operator's program: the gRPC contract, with the feed open all the time.

use domain::OperatorId;
use proto::inbox::v1 as pb;
use proto::inbox::v1::event::Kind;
use proto::inbox::v1::inbox_client::InboxClient;
use proto::inbox::v1::subscribe_response::Step;
use tonic::metadata::MetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

use crate::soon;

/// Sends a token with every call.
#[derive(Clone)]
pub struct Bearer(pub String);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let value = MetadataValue::try_from(format!("Bearer {}", self.0)).unwrap();
        request.metadata_mut().insert("authorization", value);
        Ok(request)
    }
}

/// A connection with a token.
pub type Signed = InterceptedService<Channel, Bearer>;

/// An operator who is signed in.
pub struct OperatorClient {
    /// Who.
    pub id: OperatorId,
    /// The session's token.
    pub token: String,
    /// The contract.
    pub inbox: InboxClient<Signed>,
    channel: Channel,
    feed: Streaming<pb::SubscribeResponse>,
    /// The cursor of the last event read.
    pub cursor: String,
}

impl OperatorClient {
    /// Connects and opens the feed.
    pub async fn connect(url: &str, id: OperatorId, token: &str) -> Self {
        let channel = Endpoint::from_shared(url.to_owned())
            .unwrap()
            .connect()
            .await
            .unwrap();
        let mut inbox = InboxClient::with_interceptor(channel.clone(), Bearer(token.to_owned()));
        let feed = inbox
            .subscribe(pb::SubscribeRequest::default())
            .await
            .unwrap()
            .into_inner();
        let mut this = Self {
            id,
            token: token.to_owned(),
            inbox,
            channel,
            feed,
            cursor: String::new(),
        };
        // The first step says that nothing after it will be missed.
        this.step().await;
        this
    }

    /// A client of another service, with the same token.
    pub fn signed(&self) -> Signed {
        InterceptedService::new(self.channel.clone(), Bearer(self.token.clone()))
    }

    async fn step(&mut self) -> Option<Step> {
        let step = soon("a step of the feed", self.feed.message())
            .await
            .unwrap()
            .unwrap();
        if !step.cursor.is_empty() {
            self.cursor = step.cursor;
        }
        step.step
    }

    /// Reads the feed until something is found in it.
    pub async fn wait_for<T>(&mut self, what: &str, find: impl Fn(Kind) -> Option<T>) -> T {
        let read = async {
            loop {
                if let Some(Step::Event(event)) = self.step().await
                    && let Some(found) = event.kind.and_then(&find)
                {
                    return found;
                }
            }
        };
        soon(what, read).await
    }

    /// Reads the feed as long as it goes on, for whoever wants nothing of it.
    pub async fn listens(&mut self) {
        while let Ok(Some(_)) = self.feed.message().await {}
    }

    /// Says Ready.
    pub async fn ready(&mut self) {
        self.set_presence(pb::Presence::Ready).await;
    }

    /// Sets the presence.
    pub async fn set_presence(&mut self, presence: pb::Presence) {
        let request = pb::SetPresenceRequest {
            presence: presence.into(),
            ..Default::default()
        };
        self.inbox.set_presence(request).await.unwrap();
    }

    /// Waits for an offer to this operator.
    pub async fn offered(&mut self) -> (pb::Offer, pb::Conversation) {
        let me = self.id.to_string();
        self.wait_for("an offer", |kind| match kind {
            Kind::OfferMade(made) => {
                let offer = made.offer.unwrap();
                (offer.operator_id == me).then(|| (offer, made.conversation.unwrap()))
            }
            _ => None,
        })
        .await
    }

    /// Waits for an offer and accepts it.
    pub async fn accept(&mut self) -> pb::Conversation {
        let (offer, _) = self.offered().await;
        self.accept_offer(&offer.id).await.unwrap()
    }

    /// Accepts an offer.
    pub async fn accept_offer(&mut self, offer_id: &str) -> Result<pb::Conversation, Status> {
        let request = pb::AcceptOfferRequest {
            offer_id: offer_id.to_owned(),
            client_id: String::new(),
        };
        Ok(self.inbox.accept_offer(request).await?.into_inner())
    }

    /// Writes to the client.
    pub async fn say(
        &mut self,
        conversation_id: &str,
        client_id: &str,
        text: &str,
    ) -> Result<pb::Message, Status> {
        let request = pb::SendMessageRequest {
            conversation_id: conversation_id.to_owned(),
            client_id: client_id.to_owned(),
            text: text.to_owned(),
            ..Default::default()
        };
        Ok(self.inbox.send_message(request).await?.into_inner())
    }

    /// Waits for a message of the client.
    pub async fn hears(&mut self, text: &str) -> pb::Message {
        self.wait_for(&format!("hearing {text:?}"), |kind| match kind {
            Kind::MessageAdded(message) => (text_of(&message) == text).then_some(message),
            _ => None,
        })
        .await
    }

    /// Ends a conversation.
    pub async fn finish(&mut self, conversation_id: &str) -> Result<pb::Conversation, Status> {
        let request = pb::FinishConversationRequest {
            conversation_id: conversation_id.to_owned(),
            ..Default::default()
        };
        Ok(self.inbox.finish_conversation(request).await?.into_inner())
    }

    /// A page of a folder.
    pub async fn list(&mut self, folder: pb::Folder) -> pb::ListConversationsResponse {
        let request = pb::ListConversationsRequest {
            folder: folder.into(),
            page_size: 200,
            ..Default::default()
        };
        self.inbox
            .list_conversations(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// Every message of a conversation, as far as one page goes.
    pub async fn messages(&mut self, conversation_id: &str) -> Vec<pb::Message> {
        let request = pb::ListTimelineRequest {
            conversation_id: conversation_id.to_owned(),
            page_size: 200,
            ..Default::default()
        };
        self.inbox
            .list_timeline(request)
            .await
            .unwrap()
            .into_inner()
            .messages
    }
}

/// The words of a message.
pub fn text_of(message: &pb::Message) -> &str {
    match &message.content {
        Some(pb::message::Content::Text(text)) => &text.plain,
        _ => "",
    }
}
