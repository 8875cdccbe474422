//! What people and programs do.

use std::sync::Arc;

use channels::Envelope;
use channels::host::{Accepted, Host, Refused};
use domain::conversation::{Conversation, State};
use domain::identity::{Identity, Trust};
use domain::message::{Content, Inbound, InboundKind, Message, Sender, Text, Thread};
use domain::operator::{Operator, Presence, Role};
use domain::{ConversationId, LineId, OfferId, OperatorId, QueueId, Timestamp};
use engine::act::{NewMessage, Target};
use engine::{ActError, Actor, Engine, Scope};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::dice::Dice;
use crate::life::Life;
use crate::office::{self, QUEUES};
use crate::world::World;

/// Something that may be done, and done again with the same ids.
#[derive(Clone)]
pub(crate) struct Act {
    pub(crate) name: String,
    pub(crate) run: Arc<dyn Fn(Engine) -> BoxFuture<'static, Outcome>>,
}

/// What came of it.
pub(crate) enum Outcome {
    /// Of a letter, by its number.
    Letter(usize, Result<Accepted, Refused>),
    /// Of an answer, by its client id.
    Answer(String, Result<Box<Message>, ActError>),
    /// Of anything else.
    Done(Result<(), ActError>),
}

impl Act {
    fn new<F>(name: String, run: impl Fn(Engine) -> F + 'static) -> Self
    where
        F: Future<Output = Outcome> + Send + 'static,
    {
        Self {
            name,
            run: Arc::new(move |engine| run(engine).boxed()),
        }
    }
}

/// Somebody who writes.
pub(crate) struct Client {
    pub(crate) line: LineId,
    pub(crate) key: String,
    pub(crate) present: bool,
    /// Since when they are there, or not.
    pub(crate) since: Timestamp,
    /// What waited when they went.
    pub(crate) left_waiting: Option<ConversationId>,
    pub(crate) letters: Vec<usize>,
}

/// Something that a client wrote.
pub(crate) struct Letter {
    pub(crate) line: LineId,
    pub(crate) envelope: Envelope,
    pub(crate) id: String,
    /// It was taken.
    pub(crate) taken: bool,
    /// It may come after those that were written later.
    pub(crate) late: bool,
}

pub(crate) fn actor(operator: &Operator) -> Actor {
    let scope = if operator.role >= Role::Supervisor {
        Scope::All
    } else {
        let queues = operator.memberships.iter();
        Scope::Queues(Arc::new(queues.map(|it| it.queue.clone()).collect()))
    };
    Actor {
        operator: Some(operator.id),
        token: None,
        role: operator.role,
        scope,
    }
}

/// Writes a letter that is not on its way yet.
pub(crate) fn letter(client: &Client, number: usize, kind: InboundKind, at: Timestamp) -> Letter {
    let id = format!("{}-{number}", client.key);
    let inbound = Inbound {
        event_key: id.clone(),
        message_id: Some(id.clone()),
        thread_key: client.key.clone(),
        sent_at: at,
        sender: Sender {
            identities: vec![Identity {
                kind: "visitor".to_owned(),
                issuer: client.line.to_string(),
                value: client.key.clone(),
                trust: Trust::Asserted,
            }],
            display_name: client.key.clone(),
            ..Sender::default()
        },
        thread: Thread::default(),
        attachments: Vec::new(),
        letter: None,
        album: None,
        kind,
    };
    let raw = serde_json::to_vec(&inbound).expect("it can be written");
    Letter {
        line: client.line.clone(),
        envelope: Envelope {
            event_key: id.clone(),
            raw: raw.into(),
            rest: None,
        },
        id,
        taken: false,
        late: false,
    }
}

pub(crate) fn words(number: usize) -> InboundKind {
    InboundKind::Message(Content::Text(Text::plain(format!("words {number}"))))
}

pub(crate) fn deliver(number: usize, letter: &Letter) -> Act {
    let (line, envelope) = (letter.line.clone(), letter.envelope.clone());
    Act::new(format!("deliver {}", letter.id), move |engine| {
        let (line, envelope) = (line.clone(), envelope.clone());
        async move { Outcome::Letter(number, engine.accept(&line, envelope).await) }
    })
}

pub(crate) fn choose(operator: &Operator, presence: Presence, when_idle: bool, id: String) -> Act {
    let who = actor(operator);
    let name = format!("{} is {presence:?}, {when_idle}", operator.id);
    Act::new(name, move |engine| {
        let (who, id, presence) = (who.clone(), id.clone(), presence.clone());
        async move {
            let set = engine.set_presence(&who, &id, presence, when_idle).await;
            Outcome::Done(set.map(drop))
        }
    })
}

pub(crate) fn accept(operator: &Operator, offer: OfferId, id: String) -> Act {
    let who = actor(operator);
    Act::new(format!("{} accepts {offer}", operator.id), move |engine| {
        let (who, id) = (who.clone(), id.clone());
        async move { Outcome::Done(engine.accept_offer(&who, &id, offer).await.map(drop)) }
    })
}

fn decline(operator: &Operator, offer: OfferId, id: String) -> Act {
    let who = actor(operator);
    Act::new(format!("{} declines {offer}", operator.id), move |engine| {
        let (who, id) = (who.clone(), id.clone());
        async move {
            let declined = engine.decline_offer(&who, &id, offer, "busy").await;
            Outcome::Done(declined.map(drop))
        }
    })
}

pub(crate) fn finish(operator: &Operator, what: ConversationId, id: String) -> Act {
    let who = actor(operator);
    Act::new(format!("{} finishes {what}", operator.id), move |engine| {
        let (who, id) = (who.clone(), id.clone());
        async move {
            let finished = engine.finish_conversation(&who, &id, what, "", false).await;
            Outcome::Done(finished.map(drop))
        }
    })
}

pub(crate) fn take(operator: &Operator, what: ConversationId, id: String) -> Act {
    let who = actor(operator);
    Act::new(format!("{} takes {what}", operator.id), move |engine| {
        let (who, id) = (who.clone(), id.clone());
        async move { Outcome::Done(engine.take_conversation(&who, &id, what).await.map(drop)) }
    })
}

fn give(
    operator: &Operator,
    what: ConversationId,
    target: Target,
    (reset_age, by_force): (bool, bool),
    id: String,
) -> Act {
    let who = actor(operator);
    let name = format!("{} gives {what} to {target:?}", operator.id);
    Act::new(name, move |engine| {
        let (who, id, target) = (who.clone(), id.clone(), target.clone());
        async move {
            let given = if by_force {
                engine.reassign(&who, &id, what, target, "so").await
            } else {
                let given = engine.transfer_conversation(&who, &id, what, target, reset_age, "");
                given.await
            };
            Outcome::Done(given.map(drop))
        }
    })
}

fn snooze(operator: &Operator, what: ConversationId, until: Option<Timestamp>, id: String) -> Act {
    let who = actor(operator);
    let name = format!("{} puts {what} away until {until:?}", operator.id);
    Act::new(name, move |engine| {
        let (who, id) = (who.clone(), id.clone());
        async move {
            let put = engine.snooze_conversation(&who, &id, what, until).await;
            Outcome::Done(put.map(drop))
        }
    })
}

fn answer(operator: &Operator, what: ConversationId, id: String) -> Act {
    let who = actor(operator);
    Act::new(format!("{} answers {what}", operator.id), move |engine| {
        let (who, id) = (who.clone(), id.clone());
        async move {
            let new = NewMessage {
                conversation: what,
                text: format!("answer {id}"),
                upload_ids: Vec::new(),
                reply_to: None,
                client_id: id.clone(),
                canned_replies: Vec::new(),
                letter: None,
                buttons: Vec::new(),
                template: None,
            };
            Outcome::Answer(id, engine.send_message(&who, new).await.map(Box::new))
        }
    })
}

fn to_front(operator: &Operator, what: ConversationId, id: String) -> Act {
    let who = actor(operator);
    let name = format!("{} moves {what} to the front", operator.id);
    Act::new(name, move |engine| {
        let (who, id) = (who.clone(), id.clone());
        async move { Outcome::Done(engine.move_to_front(&who, &id, what, "so").await.map(drop)) }
    })
}

fn reopen(operator: &Operator, what: ConversationId, id: String) -> Act {
    let who = actor(operator);
    Act::new(format!("{} reopens {what}", operator.id), move |engine| {
        let (who, id) = (who.clone(), id.clone());
        async move { Outcome::Done(engine.reopen_conversation(&who, &id, what).await.map(drop)) }
    })
}

fn force(boss: &Operator, whom: OperatorId, presence: Presence, id: String) -> Act {
    let who = actor(boss);
    Act::new(format!("{whom} is made {presence:?}"), move |engine| {
        let (who, id, presence) = (who.clone(), id.clone(), presence.clone());
        async move {
            let forced = engine.force_presence(&who, &id, whom, presence, "so").await;
            Outcome::Done(forced.map(drop))
        }
    })
}

pub(crate) fn rehire(dice: &mut Dice, number: usize, whom: OperatorId, id: String) -> Act {
    let change = office::change(dice, number, whom);
    rehire_as(whom, change, id)
}

pub(crate) fn rehire_as(
    whom: OperatorId,
    change: engine::people::OperatorChange,
    id: String,
) -> Act {
    let name = format!(
        "{whom} works for {:?} and is disabled: {}",
        change.memberships, change.disabled
    );
    Act::new(name, move |engine| {
        let (change, id) = (change.clone(), id.clone());
        async move {
            let changed = engine.change_operator(None, &id, whom, change).await;
            Outcome::Done(changed.map(drop))
        }
    })
}

impl World {
    /// One thing that somebody does now; none when there is nobody to do it.
    pub(crate) fn next_act(&mut self, life: &mut Life) -> Option<Act> {
        match self.dice.below(100) {
            0..=24 => Some(self.client_writes(life)),
            25..=28 => self.deliver_late(),
            29..=30 => self.deliver_again(),
            31..=33 => self.client_comes_or_goes(life),
            34..=38 => self.somebody_chooses(),
            39..=42 => {
                self.page_opens_or_closes(life);
                None
            }
            43..=62 => self.somebody_accepts(),
            63..=65 => self.somebody_declines(),
            66..=78 => self.owner(is_with_somebody, |_, who, it, id| finish(who, it.id, id)),
            79..=84 => self.owner(is_active, |_, who, it, id| answer(who, it.id, id)),
            85..=86 => self.owner(is_active, |world, who, it, id| {
                let soon = life.engine.now() + world.dice.between(1, 60_000);
                let until = world.dice.one_in(2).then_some(soon);
                snooze(who, it.id, until, id)
            }),
            87..=89 => self.owner(Conversation::is_open, |world, who, it, id| {
                world.gives(who, it.id, false, id)
            }),
            90 => self.boss(Conversation::is_open, |world, who, it, id| {
                world.gives(who, it.id, true, id)
            }),
            91 => self.boss(Conversation::waits, |world, who, it, id| {
                world.known.moved.insert(it.id);
                to_front(who, it.id, id)
            }),
            92..=93 => self.somebody(Conversation::is_open, |_, who, it, id| take(who, it.id, id)),
            94 => self.somebody_reopens(),
            95 => self.somebody_is_forced(),
            96 => {
                let number = self.dice.index(self.people.len());
                let id = self.fresh_id();
                Some(rehire(&mut self.dice, number, self.people[number], id))
            }
            _ => self.dice.pick(&self.before),
        }
    }

    fn client_writes(&mut self, life: &Life) -> Act {
        let new = self.clients.is_empty() || self.dice.one_in(3);
        let index = if new {
            self.new_client(life.engine.now())
        } else {
            self.dice.index(self.clients.len())
        };
        self.comes(life, index, true);
        let number = self.letters.len();
        let wants_call = self.clients[index].letters.len() == 1 && self.dice.one_in(5);
        let kind = if wants_call {
            InboundKind::CallbackRequest {
                phone: format!("+7 495 123-45-{:02}", number % 100),
                comment: String::new(),
            }
        } else {
            words(number)
        };
        let mut letter = letter(&self.clients[index], number, kind, life.engine.now());
        let act = deliver(number, &letter);
        // Some letters are on their way for long.
        letter.late = self.dice.one_in(12);
        let late = letter.late;
        self.letters.push(letter);
        self.known.figures.letters += 1;
        self.clients[index].letters.push(number);
        let first = self.clients[index].letters.iter();
        let mut waiting = first.filter(|it| !self.letters[**it].taken && !self.letters[**it].late);
        match waiting.next() {
            // What was not taken is sent again before anything else of the same client's.
            Some(first) if !late => deliver(*first, &self.letters[*first]),
            Some(_) | None => act,
        }
    }

    fn new_client(&mut self, now: Timestamp) -> usize {
        let index = self.clients.len();
        let line = self
            .dice
            .pick(&self.settings.lines)
            .expect("there are lines");
        self.clients.push(Client {
            line: line.id,
            key: format!("c{index}"),
            present: false,
            since: now,
            left_waiting: None,
            letters: Vec::new(),
        });
        index
    }

    fn deliver_late(&mut self) -> Option<Act> {
        let waiting = (0..self.letters.len()).filter(|it| !self.letters[*it].taken);
        let number = self.dice.pick(&waiting.collect::<Vec<_>>())?;
        // One that is not late only goes before others of its client's if it is the first.
        if !self.letters[number].late {
            let mut clients = self.clients.iter();
            let sender = clients.find(|client| client.letters.contains(&number))?;
            let mut before = sender.letters.iter().take_while(|it| **it < number);
            if before.any(|it| !self.letters[*it].taken && !self.letters[*it].late) {
                return None;
            }
        }
        Some(deliver(number, &self.letters[number]))
    }

    fn deliver_again(&mut self) -> Option<Act> {
        let taken = (0..self.letters.len()).filter(|it| self.letters[*it].taken);
        let number = self.dice.pick(&taken.collect::<Vec<_>>())?;
        Some(deliver(number, &self.letters[number]))
    }

    fn client_comes_or_goes(&mut self, life: &Life) -> Option<Act> {
        if !self.clients.is_empty() {
            let index = self.dice.index(self.clients.len());
            let present = !self.clients[index].present;
            self.comes(life, index, present);
        }
        None
    }

    /// A client's page is opened or closed.
    pub(crate) fn comes(&mut self, life: &Life, index: usize, present: bool) {
        let client = &mut self.clients[index];
        if client.present == present {
            return;
        }
        client.present = present;
        client.since = life.engine.now();
        life.engine
            .client_present(&client.line, &client.key, present);
        client.left_waiting = self.known.waits(&client.key).filter(|_| !present);
        self.note(|world| format!("{} is there: {present}", world.clients[index].key));
    }

    fn somebody_chooses(&mut self) -> Option<Act> {
        let who = self.anybody()?;
        let presence = match self.dice.below(8) {
            0 | 1 => Presence::Away {
                reason: "tea".to_owned(),
            },
            2 => Presence::Offline,
            _ => Presence::Ready,
        };
        let when_idle = self.dice.one_in(4);
        let id = self.fresh_id();
        Some(choose(&who, presence, when_idle, id))
    }

    fn page_opens_or_closes(&mut self, life: &mut Life) {
        if let Some(who) = self.dice.pick(&self.people) {
            let closes = life.feeds.contains_key(&who);
            if closes {
                life.close_feed(who);
            } else {
                life.open_feed(who);
            }
            self.note(|_| format!("{who} closes the page: {closes}"));
        }
    }

    fn somebody_accepts(&mut self) -> Option<Act> {
        let offers: Vec<_> = self.known.offers.values().cloned().collect();
        let offer = self.dice.pick(&offers)?;
        let who = self.known.operators.get(&offer.operator)?.clone();
        Some(accept(&who, offer.id, self.fresh_id()))
    }

    fn somebody_declines(&mut self) -> Option<Act> {
        let offers: Vec<_> = self.known.offers.values().cloned().collect();
        let offer = self.dice.pick(&offers)?;
        let who = self.known.operators.get(&offer.operator)?.clone();
        Some(decline(&who, offer.id, self.fresh_id()))
    }

    fn somebody_reopens(&mut self) -> Option<Act> {
        let ended = self.dice.pick(&self.known.ended)?;
        let who = self.anybody()?;
        Some(reopen(&who, ended, self.fresh_id()))
    }

    fn somebody_is_forced(&mut self) -> Option<Act> {
        let (boss, whom) = (self.the_boss()?, self.dice.pick(&self.people)?);
        let presence = if self.dice.one_in(2) {
            Presence::Offline
        } else {
            Presence::Ready
        };
        Some(force(&boss, whom, presence, self.fresh_id()))
    }

    fn gives(&mut self, who: &Operator, what: ConversationId, by_force: bool, id: String) -> Act {
        let target = if self.dice.one_in(2) {
            let queue = self.dice.pick(&QUEUES).expect("there are queues");
            Target::Queue(QueueId::from(queue))
        } else {
            Target::Operator(self.dice.pick(&self.people).expect("there are people"))
        };
        let reset_age = self.dice.one_in(2);
        if reset_age {
            self.known.moved.insert(what);
        }
        give(who, what, target, (reset_age, by_force), id)
    }

    /// Whoever has something does something with it.
    fn owner(
        &mut self,
        which: impl Fn(&Conversation) -> bool,
        what: impl FnOnce(&mut Self, &Operator, &Conversation, String) -> Act,
    ) -> Option<Act> {
        let matching = self.known.open.values();
        let matching: Vec<_> = matching.filter(|it| which(it)).cloned().collect();
        let found = self.dice.pick(&matching)?;
        let who = match found.owner() {
            Some(owner) => self.known.operators.get(&owner).cloned(),
            None => self.the_boss(),
        };
        let id = self.fresh_id();
        who.map(|who| what(self, &who, &found, id))
    }

    /// A supervisor does something with anything.
    fn boss(
        &mut self,
        which: impl Fn(&Conversation) -> bool,
        what: impl FnOnce(&mut Self, &Operator, &Conversation, String) -> Act,
    ) -> Option<Act> {
        let matching = self.known.open.values();
        let matching: Vec<_> = matching.filter(|it| which(it)).cloned().collect();
        let (found, who) = (self.dice.pick(&matching)?, self.the_boss()?);
        let id = self.fresh_id();
        Some(what(self, &who, &found, id))
    }

    /// Anybody does something with anything.
    fn somebody(
        &mut self,
        which: impl Fn(&Conversation) -> bool,
        what: impl FnOnce(&mut Self, &Operator, &Conversation, String) -> Act,
    ) -> Option<Act> {
        let matching = self.known.open.values();
        let matching: Vec<_> = matching.filter(|it| which(it)).cloned().collect();
        let (found, who) = (self.dice.pick(&matching)?, self.anybody()?);
        let id = self.fresh_id();
        Some(what(self, &who, &found, id))
    }

    fn anybody(&mut self) -> Option<Arc<Operator>> {
        let who = self.dice.pick(&self.people)?;
        self.known.operators.get(&who).cloned()
    }

    /// The first of them supervises.
    pub(crate) fn the_boss(&self) -> Option<Arc<Operator>> {
        self.known.operators.get(self.people.first()?).cloned()
    }

    pub(crate) fn fresh_id(&mut self) -> String {
        self.ids += 1;
        format!("a{}", self.ids)
    }
}

fn is_active(conversation: &Conversation) -> bool {
    matches!(conversation.state, State::Active { .. })
}

fn is_with_somebody(conversation: &Conversation) -> bool {
    matches!(
        conversation.state,
        State::Active { .. } | State::WrapUp { .. }
    )
}
