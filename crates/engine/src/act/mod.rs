//! What operators and supervisors do. Each act is one transaction, done once for a
//! client's own id however often it is asked for.

pub(crate) mod audit;
mod conversations;
mod mentions;
mod messages;
mod metrics;
mod obligations;
mod offers;
mod rating;
mod reach;
mod reads;
mod replies;
mod starting;
mod why;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::conversation::{Conversation, Refusal};
use domain::event::Audience;
use domain::operator::Role;
use domain::{ConversationId, OperatorId, QueueId};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{PastAct, StoreError, Tx, View};

pub use conversations::Target;
pub use mentions::MentionPage;
pub use messages::{NewLetter, NewMessage};
pub(crate) use messages::{delivered, last_message, must_be_able, named};
pub use metrics::{Grouping, MetricsAnswer, MetricsQuery, MetricsRow, Today};
pub use obligations::{ForWhom, NewObligation, ObligationPage, Resolution, Seen};
pub use rating::Opinions;
pub use reads::{ConversationPage, Opened, TimelinePage};
pub use replies::{NewCannedReply, WantedReplies};
pub use starting::NewThread;
pub use why::{NotMe, StillWaiting};

use crate::Engine;
use crate::change::ChangeError;
use crate::people::Principal;
use crate::reason::{Reason, malformed};

/// The longest client id.
const CLIENT_ID_BYTES_MAX: usize = 64;

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who; none for a program of its own.
    pub operator: Option<OperatorId>,
    /// The token it came by, if it is one.
    pub token: Option<i64>,
    /// Rights.
    pub role: Role,
    /// What they may see.
    pub scope: Scope,
}

/// What somebody may see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    All,
    /// These queues, and what they own or take part in.
    Queues(Arc<BTreeSet<QueueId>>),
}

/// Why an act was not done. Nothing has changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ActError {
    /// There is no such thing, or the actor may not see it.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The actor may see it, but may not do this.
    #[error(transparent)]
    Denied(Reason),
    /// Not now: it has moved on.
    #[error(transparent)]
    Refused(Reason),
    /// It is there already, or the client's id was used for something else.
    #[error(transparent)]
    Exists(Reason),
    /// It changed since it was read.
    #[error(transparent)]
    Stale(Reason),
    /// What was asked makes no sense.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field of the request.
        field: &'static str,
        /// What is wrong and what to do.
        problem: Reason,
    },
    /// The line's channel cannot do it.
    #[error(transparent)]
    Unsupported(Reason),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for ActError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<domain::obligation::Refusal> for ActError {
    fn from(refusal: domain::obligation::Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<ChangeError> for ActError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Refused(refusal) => refusal.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl Actor {
    /// The operator behind it, for what only a person can do.
    pub fn person(&self) -> Result<OperatorId, ActError> {
        self.operator.ok_or(ActError::Denied(Reason::OnlyOperators))
    }

    /// Whether they see everything.
    pub fn supervises(&self) -> bool {
        self.role >= Role::Supervisor
    }

    /// Whether they may see a conversation.
    pub fn may_see(&self, conversation: &Conversation) -> bool {
        let works_there = match &self.scope {
            Scope::All => true,
            Scope::Queues(queues) => queues.contains(&conversation.queue),
        };
        works_there || self.is_among(&conversation.audience())
    }

    /// Whether they may see what belongs to a conversation.
    pub fn is_among(&self, audience: &Audience) -> bool {
        match &self.scope {
            Scope::All => true,
            Scope::Queues(queues) => {
                queues.contains(&audience.queue)
                    || self
                        .operator
                        .is_some_and(|me| audience.operators.contains(&me))
            }
        }
    }

    /// The queues that bound what they see; none is no bound.
    pub fn queues(&self) -> Option<&BTreeSet<QueueId>> {
        match &self.scope {
            Scope::All => None,
            Scope::Queues(queues) => Some(queues),
        }
    }
}

/// Within what a client's own ids are one: what an operator does by a session or a
/// token is theirs, each program has its own, and so has the command line.
pub fn scope_of(actor: Option<&Actor>) -> String {
    match actor.map(|actor| (actor.operator, actor.token)) {
        Some((Some(operator), _)) => format!("operator:{operator}"),
        Some((None, Some(token))) => format!("token:{token}"),
        Some((None, None)) => "program".to_owned(),
        None => "command line".to_owned(),
    }
}

/// A conversation that the actor may see.
fn seen(view: &View<'_>, actor: &Actor, id: ConversationId) -> Result<Conversation, ActError> {
    view.conversation(id)?
        .filter(|conversation| actor.may_see(conversation))
        .ok_or(ActError::NotFound("conversation"))
}

/// A conversation that the actor owns or takes part in, or supervises.
fn held(view: &View<'_>, actor: &Actor, id: ConversationId) -> Result<Conversation, ActError> {
    let conversation = seen(view, actor, id)?;
    if !conversation.is_open() {
        return Err(Refusal::Closed.into());
    }
    let holds = actor.supervises()
        || actor.operator.is_some_and(|me| {
            conversation.owner() == Some(me) || conversation.participants.contains(&me)
        });
    if holds {
        Ok(conversation)
    } else {
        Err(ActError::Denied(Reason::NotYours))
    }
}

impl Engine {
    /// What a principal may do.
    pub async fn actor(&self, principal: &Principal) -> Result<Actor, StoreError> {
        let id = principal.operator;
        let scope = if principal.role >= Role::Supervisor {
            Scope::All
        } else {
            Scope::Queues(self.queues_of(id).await?)
        };
        Ok(Actor {
            operator: id,
            token: principal.token,
            role: principal.role,
            scope,
        })
    }

    async fn queues_of(
        &self,
        operator: Option<OperatorId>,
    ) -> Result<Arc<BTreeSet<QueueId>>, StoreError> {
        let Some(id) = operator else {
            return Ok(Arc::default());
        };
        if let Some(known) = self.inner.rights.of(id) {
            return Ok(known);
        }
        let read = self
            .store()
            .read_rows::<_, StoreError>(|view| view.operator_row(id));
        let operator = read.await?;
        Ok(operator.map_or_else(Arc::default, |it| self.inner.rights.learn(&it)))
    }

    /// Does an act in one transaction, once for each client id.
    pub(crate) async fn once<T>(
        &self,
        actor: Option<&Actor>,
        client_id: &str,
        fingerprint: Vec<u8>,
        act: impl FnOnce(&mut Tx<'_>) -> Result<T, ActError> + Send + 'static,
    ) -> Result<T, ActError>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        if client_id.len() > CLIENT_ID_BYTES_MAX {
            return Err(ActError::Invalid {
                field: "client_id",
                problem: malformed(format!("give at most {CLIENT_ID_BYTES_MAX} bytes")),
            });
        }
        let scope = scope_of(actor);
        let client_id = client_id.to_owned();
        self.store()
            .write(move |tx| {
                if client_id.is_empty() {
                    return act(tx);
                }
                match tx.past_act(&scope, &client_id, &fingerprint)? {
                    PastAct::Same(answer) => {
                        return serde_json::from_slice(&answer)
                            .map_err(|error| StoreError::from(error).into());
                    }
                    PastAct::Different => {
                        return Err(ActError::Exists(Reason::ClientIdUsed));
                    }
                    PastAct::None => {}
                }
                let done = act(tx)?;
                let answer = serde_json::to_vec(&done).map_err(StoreError::from)?;
                tx.keep_act(&scope, &client_id, &fingerprint, &answer)?;
                Ok(done)
            })
            .await
    }
}
