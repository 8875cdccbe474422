//! Promises to clients: made, done, waived, moved, given.

use std::collections::BTreeSet;

use domain::conversation::{Client, Conversation};
use domain::event::Cursor;
use domain::obligation::{Input, Kind, Maker, Obligation, Stage, State, Wish};
use domain::{ContactId, ConversationId, ObligationId, OperatorId, QueueId, Timestamp, text};
use proto::contacts::v1::Contact;
use store::{ObligationCounts, ObligationKey, Standing, Tx, View, Whose};

use super::{ActError, Actor, seen};
use crate::obligations::change;
use crate::reason::Reason;
use crate::{Engine, routing};

/// How far ahead something can be promised.
const AHEAD_MAX_MS: i64 = 366 * 86_400_000;
const NOTE_CHARS_MAX: usize = 2_000;
const REACH_CHARS_MAX: usize = 200;
const REASON_CHARS_MAX: usize = 200;
/// Promises to one contact that are to be done: nobody keeps more.
const OPEN_MAX: usize = 20;

/// To whom something is promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ForWhom {
    /// The client of a conversation.
    Conversation(ConversationId),
    /// A contact, by the people of a queue; none is the queue of their last conversation.
    Contact(ContactId, Option<QueueId>),
}

/// A promise to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewObligation {
    /// To whom.
    pub whom: ForWhom,
    /// What.
    pub kind: Kind,
    /// By when.
    pub due_at: Timestamp,
    /// Who is to do it; none is everybody of the queue.
    pub owner: Option<OperatorId>,
    /// What was said, for colleagues.
    pub note: String,
    /// The phone or address to use; empty for what is known of the contact.
    pub reach: String,
}

/// What becomes of a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It was done.
    Kept,
    /// There is no need to do it any more.
    Waived {
        /// Why.
        reason: String,
    },
    /// It gets another time.
    Moved {
        /// The new time.
        due_at: Timestamp,
        /// Who wants it.
        wish: Wish,
        /// Why, or empty.
        reason: String,
    },
    /// It gets another owner; none is everybody of the queue.
    Assigned(Option<OperatorId>),
}

/// Whose promises are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The actor's own.
    Mine,
    /// Those of the actor's queues, and the actor's own.
    MyQueues,
    /// All there are.
    All,
}

/// A page of promises.
#[derive(Clone, Debug)]
pub struct ObligationPage {
    /// The promises.
    pub obligations: Vec<Obligation>,
    /// Where the next page begins.
    pub next: Option<ObligationKey>,
    /// How many open ones the actor sees.
    pub counts: ObligationCounts,
    /// The cursor of this picture.
    pub cursor: Cursor,
}

impl Engine {
    /// Promises something to a client.
    pub async fn schedule(
        &self,
        actor: &Actor,
        client_id: &str,
        new: NewObligation,
    ) -> Result<Obligation, ActError> {
        let new = NewObligation {
            note: text::body(&new.note, NOTE_CHARS_MAX),
            reach: text::line(&new.reach, REACH_CHARS_MAX),
            ..new
        };
        let fingerprint = format!("schedule {new:?}").into_bytes();
        let about = self.about(actor, &new.whom).await?;
        let (engine, who) = (self.clone(), actor.clone());
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            engine.promise(tx, &who, &new, about.as_ref())
        })
        .await
    }

    /// What the directory knows of whom something is promised to, read beforehand: it
    /// may be somebody else's program.
    async fn about(&self, actor: &Actor, whom: &ForWhom) -> Result<Option<Contact>, ActError> {
        let contact = match whom {
            ForWhom::Conversation(id) => {
                let (who, id) = (actor.clone(), *id);
                let found = self.read(move |view| seen(view, &who, id)).await?;
                found.client.contact
            }
            ForWhom::Contact(contact, _) => contact.clone(),
        };
        Ok(self.contact(&contact).await)
    }

    fn promise(
        &self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        new: &NewObligation,
        about: Option<&Contact>,
    ) -> Result<Obligation, ActError> {
        let now = tx.now();
        check_time(now, new.due_at)?;
        if let Some(owner) = new.owner {
            at_work(tx, owner)?;
        }
        let (client, queue, conversation) = match &new.whom {
            ForWhom::Conversation(id) => {
                let found = seen(tx, actor, *id)?;
                (found.client.clone(), found.queue.clone(), Some(found))
            }
            ForWhom::Contact(contact, queue) => {
                let (client, queue) = self.client_of(tx, actor, contact, queue.as_ref(), about)?;
                (client, queue, None)
            }
        };
        if tx.open_obligations_to(&client.contact)?.len() >= OPEN_MAX {
            return Err(ActError::Refused(Reason::TooManyPromises { max: OPEN_MAX }));
        }
        let reach = if new.reach.is_empty() {
            known_reach(new.kind, &client, about)
        } else {
            new.reach.clone()
        };
        let promise = Obligation {
            id: ObligationId::new(tx.fresh_id()),
            kind: new.kind,
            origin: client.contact.clone(),
            client,
            conversation: conversation.as_ref().map(|found| found.id),
            thread: conversation.as_ref().map(|found| found.thread),
            line: conversation.map(|found| found.line),
            terms: self.serving().promises_of(&queue).terms,
            queue,
            owner: new.owner,
            note: new.note.clone(),
            reach,
            created_at: now,
            created_by: actor.operator.map_or(Maker::Program, Maker::Operator),
            promised_for: new.due_at,
            due_at: new.due_at,
            set_at: now,
            state: State::Open {
                stage: Stage::Promised,
                escalated: None,
            },
            moves: Vec::new(),
            version: 1,
        };
        tx.add_obligation(&promise)?;
        Ok(promise)
    }

    /// A contact as lists show it, and whose people it is promised by.
    fn client_of(
        &self,
        view: &View<'_>,
        actor: &Actor,
        contact: &ContactId,
        queue: Option<&QueueId>,
        about: Option<&Contact>,
    ) -> Result<(Client, QueueId), ActError> {
        let contact = view.target_of(contact)?;
        let last = last_seen(view, actor, &contact)?;
        let queue = match (queue, &last) {
            (Some(queue), _) => {
                let may = actor.queues().is_none_or(|queues| queues.contains(queue));
                if !may || !self.serving().has_queue(queue) {
                    return Err(ActError::NotFound("queue"));
                }
                queue.clone()
            }
            (None, Some(last)) => last.queue.clone(),
            (None, None) => {
                return Err(ActError::Invalid {
                    field: "queue_id",
                    problem: Reason::PromiseWithoutQueue,
                });
            }
        };
        let client = match (last, about) {
            (Some(last), _) => last.client,
            (None, Some(known)) => {
                let profile = known.profile.clone().unwrap_or_default();
                Client {
                    contact: ContactId::from(known.id.as_str()),
                    display_name: profile.display_name,
                    avatar_url: (!profile.avatar_url.is_empty()).then_some(profile.avatar_url),
                    address: known
                        .identities
                        .first()
                        .map(|identity| identity.value.clone())
                        .unwrap_or_default(),
                    provisional: known.provisional,
                    known: false,
                }
            }
            (None, None) => return Err(ActError::NotFound("contact")),
        };
        Ok((client, queue))
    }

    /// Says what becomes of a promise.
    pub async fn resolve_obligation(
        &self,
        actor: &Actor,
        client_id: &str,
        id: ObligationId,
        resolution: Resolution,
    ) -> Result<Obligation, ActError> {
        let fingerprint = format!("resolve {id:?} {resolution:?}").into_bytes();
        let who = actor.clone();
        self.once(Some(actor), client_id, fingerprint, move |tx| {
            resolve(tx, &who, id, resolution)
        })
        .await
    }

    /// A page of promises, open ones by their time, ended ones the last first.
    pub async fn list_obligations(
        &self,
        actor: &Actor,
        seen: Seen,
        standing: Standing,
        contact: Option<ContactId>,
        after: Option<ObligationKey>,
        limit: usize,
    ) -> Result<ObligationPage, ActError> {
        let (who, now) = (actor.clone(), self.now());
        self.read(move |view| {
            let queues = match seen {
                Seen::Mine => Some(BTreeSet::new()),
                Seen::MyQueues => Some(own_queues(view, &who)?),
                Seen::All if who.supervises() => None,
                Seen::All => {
                    return Err(ActError::Denied(Reason::OnlySupervisorsSeeAll));
                }
            };
            let whose = Whose {
                queues,
                owner: who.operator,
                contact: contact
                    .map(|contact| view.target_of(&contact))
                    .transpose()?,
            };
            let more = i64::try_from(limit + 1).unwrap_or(i64::MAX);
            let mut obligations = view.list_obligations(standing, &whose, now, after, more)?;
            let next = (obligations.len() > limit)
                .then(|| obligations.get(limit - 1).map(|last| key(standing, last)))
                .flatten();
            obligations.truncate(limit);
            Ok(ObligationPage {
                obligations,
                next,
                counts: view.obligation_counts(who.queues(), who.operator, now)?,
                cursor: view.last_cursor()?,
            })
        })
        .await
    }
}

fn key(standing: Standing, last: &Obligation) -> ObligationKey {
    let at = match standing {
        Standing::Open | Standing::Overdue | Standing::Escalated => last.due_at,
        Standing::Ended => last.ended_at().unwrap_or(last.due_at),
    };
    ObligationKey {
        at,
        id: last.id.get(),
    }
}

/// The queues that the actor works for, whatever else they may see.
fn own_queues(view: &View<'_>, actor: &Actor) -> Result<BTreeSet<QueueId>, ActError> {
    if let Some(queues) = actor.queues() {
        return Ok(queues.clone());
    }
    let operator = match actor.operator {
        Some(me) => view.operator_row(me)?,
        None => None,
    };
    Ok(operator
        .map(|known| routing::queues_of(&known))
        .unwrap_or_default())
}

/// The newest conversation of a contact that the actor may see.
fn last_seen(
    view: &View<'_>,
    actor: &Actor,
    contact: &ContactId,
) -> Result<Option<Conversation>, ActError> {
    let found = view.conversations_of(contact, i64::MAX, 200)?;
    Ok(found.into_iter().find(|found| actor.may_see(found)))
}

fn check_time(now: Timestamp, due_at: Timestamp) -> Result<(), ActError> {
    let problem = if due_at <= now {
        Reason::TimeHasPassed
    } else if due_at.since(now).0 > AHEAD_MAX_MS {
        Reason::TimeTooFar
    } else {
        return Ok(());
    };
    Err(ActError::Invalid {
        field: "due_at",
        problem,
    })
}

/// Refuses to promise for somebody who does not work here any more.
fn at_work(tx: &Tx<'_>, id: OperatorId) -> Result<(), ActError> {
    match tx.operator(id) {
        Some(operator) if !operator.disabled => Ok(()),
        Some(_) | None => Err(ActError::NotFound("operator")),
    }
}

/// Where a client is reached when nobody said: by phone for a call, if one is known, and
/// else at the address they wrote from.
fn known_reach(kind: Kind, client: &Client, about: Option<&Contact>) -> String {
    let phone = about.and_then(|contact| {
        let identities = contact.identities.iter();
        identities
            .filter(|identity| identity.kind == "phone")
            .map(|identity| identity.value.clone())
            .next()
    });
    let reach = match kind {
        Kind::Callback => phone.unwrap_or_default(),
        Kind::Reply | Kind::Other => client.address.clone(),
    };
    text::line(&reach, REACH_CHARS_MAX)
}

fn resolve(
    tx: &mut Tx<'_>,
    actor: &Actor,
    id: ObligationId,
    resolution: Resolution,
) -> Result<Obligation, ActError> {
    let found = tx
        .obligation(id)?
        .filter(|found| actor.is_among(&found.audience()))
        .ok_or(ActError::NotFound("promise"))?;
    let by = actor.operator;
    let takes_it = matches!(&resolution, Resolution::Assigned(to) if to.is_some() && *to == by);
    let is_ours = actor.supervises() || found.owner.is_none() || found.owner == by;
    if found.is_open() && !is_ours && !takes_it {
        return Err(ActError::Denied(Reason::PromiseOfColleague));
    }
    let input = match resolution {
        Resolution::Kept => Input::Keep { by },
        Resolution::Waived { reason } => {
            let reason = text::line(&reason, REASON_CHARS_MAX);
            if reason.is_empty() {
                return Err(ActError::Invalid {
                    field: "reason",
                    problem: Reason::WaiveReason,
                });
            }
            if found.is_open() {
                tx.audit(by, "obligation.waive", &id.to_string(), &reason)?;
            }
            Input::Waive { by, reason }
        }
        Resolution::Moved {
            due_at,
            wish,
            reason,
        } => {
            check_time(tx.now(), due_at)?;
            Input::Move {
                by,
                due_at,
                wish,
                reason: text::line(&reason, REASON_CHARS_MAX),
            }
        }
        Resolution::Assigned(owner) => {
            if let Some(owner) = owner {
                at_work(tx, owner)?;
            }
            Input::Assign { owner }
        }
    };
    Ok(change(tx, &found, input)?)
}
