use futures::FutureExt as _;
use proto::inbox::v1 as pb;
use proto::inbox::v1::inbox_client::InboxClient;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};

use super::gate::{Client, Gate, Lost};
use super::ledger::{Ledger, Reply};
use super::random::Random;
use crate::operator::{Bearer, Signed};

/// How often a conversation is finished instead of answered.
const FINISH_ONCE_IN: u64 = 8;

/// An operator who takes whatever is offered, answers and finishes. What was not
/// answered is asked again with the same id.
pub(super) struct Operator {
    pub(super) url: String,
    pub(super) name: String,
    pub(super) token: String,
    pub(super) gate: Gate,
    pub(super) ledger: Ledger,
    pub(super) random: Random,
    pub(super) acts: u64,
    pub(super) unanswered: Option<Act>,
    pub(super) cursor: String,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    Accept { id: String, offer: String },
    Say { id: String, conversation: String },
    Finish { id: String, conversation: String },
}

impl Client for Operator {
    async fn connection(&mut self) -> Result<bool, Lost> {
        let mut inbox = InboxClient::new(signed(&self.url, &self.token).await?);
        if let Some(act) = self.unanswered.clone() {
            self.act(&mut inbox, act).await?;
        }
        let ready = pb::SetPresenceRequest {
            presence: pb::Presence::Ready.into(),
            ..Default::default()
        };
        inbox
            .set_presence(ready)
            .await
            .map_err(|status| lost(&status))?;
        let subscribe = pb::SubscribeRequest {
            cursor: self.cursor.clone(),
        };
        let mut feed = inbox
            .subscribe(subscribe)
            .await
            .map_err(|status| lost(&status))?
            .into_inner();
        let gate = self.gate.clone();
        loop {
            if self.gate.is_draining() {
                return Ok(true);
            }
            self.work(&mut inbox).await?;
            // Something has to happen before there is something to do; whatever
            // else has happened by then is seen with it.
            let mut next = tokio::select! {
                step = feed.message() => Some(step),
                () = gate.drained() => None,
            };
            while let Some(step) = next {
                let step = step.map_err(|status| lost(&status))?.ok_or(Lost)?;
                if !step.cursor.is_empty() {
                    self.cursor = step.cursor;
                }
                next = feed.message().now_or_never();
            }
        }
    }
}

impl Operator {
    async fn work(&mut self, inbox: &mut InboxClient<Signed>) -> Result<(), Lost> {
        let list = pb::ListConversationsRequest {
            folder: pb::Folder::Mine.into(),
            page_size: 100,
            ..Default::default()
        };
        let mine = inbox
            .list_conversations(list)
            .await
            .map_err(|status| lost(&status))?
            .into_inner();
        for offer in mine.offers {
            let id = self.fresh_id();
            let offer = offer.id;
            self.act(inbox, Act::Accept { id, offer }).await?;
        }
        for conversation in mine.conversations {
            let cannot_be_answered = conversation.line_id == "form";
            let id = self.fresh_id();
            let finish = cannot_be_answered || self.random.once_in(FINISH_ONCE_IN);
            let answer = conversation.last_message_inbound;
            let conversation = conversation.id;
            if finish {
                self.act(inbox, Act::Finish { id, conversation }).await?;
            } else if answer {
                self.act(inbox, Act::Say { id, conversation }).await?;
            }
        }
        Ok(())
    }

    fn fresh_id(&mut self) -> String {
        self.acts += 1;
        format!("{}-{}", self.name, self.acts)
    }

    /// Does something; it is answered when this answers, one way or the other.
    async fn act(&mut self, inbox: &mut InboxClient<Signed>, act: Act) -> Result<(), Lost> {
        self.unanswered = Some(act.clone());
        match act {
            Act::Accept { id, offer } => {
                let request = pb::AcceptOfferRequest {
                    offer_id: offer,
                    client_id: id,
                };
                answered(inbox.accept_offer(request).await)?;
            }
            Act::Say { id, conversation } => {
                self.ledger.replied(&id, Reply::Open);
                let request = pb::SendMessageRequest {
                    conversation_id: conversation,
                    text: id.clone(),
                    client_id: id.clone(),
                    ..Default::default()
                };
                let reply = if answered(inbox.send_message(request).await)? {
                    Reply::Acked
                } else {
                    Reply::Refused
                };
                self.ledger.replied(&id, reply);
            }
            Act::Finish { id, conversation } => {
                let request = pb::FinishConversationRequest {
                    conversation_id: conversation,
                    client_id: id,
                    ..Default::default()
                };
                answered(inbox.finish_conversation(request).await)?;
            }
        }
        self.unanswered = None;
        Ok(())
    }
}

/// True when it was done, false when it was refused for good.
fn answered<T>(answer: Result<T, Status>) -> Result<bool, Lost> {
    match answer {
        Ok(_) => Ok(true),
        Err(status) => match status.code() {
            Code::FailedPrecondition | Code::NotFound | Code::Aborted | Code::PermissionDenied => {
                Ok(false)
            }
            _ => Err(lost(&status)),
        },
    }
}

/// What the wire does to an answer when the other side dies.
fn lost(status: &Status) -> Lost {
    assert!(
        !matches!(
            status.code(),
            Code::InvalidArgument | Code::Unauthenticated | Code::Unimplemented
        ),
        "{status}"
    );
    Lost
}

/// A connection of its own.
pub(super) async fn channel(url: &str) -> Result<Channel, Lost> {
    let endpoint = Endpoint::from_shared(url.to_owned()).unwrap();
    endpoint.connect().await.map_err(|_| Lost)
}

/// A connection of its own with a token.
pub(super) async fn signed(url: &str, token: &str) -> Result<Signed, Lost> {
    let bearer = Bearer(token.to_owned());
    Ok(InterceptedService::new(channel(url).await?, bearer))
}
