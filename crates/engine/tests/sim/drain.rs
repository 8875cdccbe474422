//! The end: nothing fails any more, everybody works, and everybody has to be served.

use std::collections::BTreeMap;

use domain::conversation::{Conversation, State};
use domain::message::{Delivery, Direction, Message};
use domain::operator::{Link, Presence};
use domain::routing::Strategy;
use domain::{Millis, OperatorId};
use store::{StoreError, View};

use crate::acts::{self, Act, Letter};
use crate::life::Life;
use crate::office;
use crate::world::World;

/// By then everybody is served.
const LONGEST: Millis = Millis::from_secs(3_600);
/// How often everybody looks what there is to do.
const PACE: Millis = Millis::from_secs(7);

impl World {
    /// I7: serves everybody, and holds what is left against what was acknowledged.
    pub(crate) async fn drain(&mut self, life: &mut Life) {
        self.note(|_| "everything is well from now on".to_owned());
        self.provider.heal();
        for index in self.absent() {
            self.comes(life, index, true);
        }
        for number in 0..self.letters.len() {
            if !self.letters[number].taken {
                let again = acts::deliver(number, &self.letters[number]);
                self.perform(life, vec![again]).await;
            }
        }
        let end = life.engine.now() + LONGEST;
        while self.violations.is_empty() {
            life.rest().await;
            self.check(life).await;
            let waits_to_be_sent = life
                .engine
                .read::<_, StoreError>(|view| view.outbox_lines());
            let is_sent = waits_to_be_sent.await.is_ok_and(|heads| heads.is_empty());
            if self.known.open.is_empty() && is_sent {
                break;
            }
            if life.engine.now() > end {
                let left: Vec<_> = self.known.open.values().collect();
                let what = format!("I7: {} were never served: {left:#?}", left.len());
                self.violations.push(what);
            }
            self.everybody_works(life).await;
            let serving = self.serving();
            self.perform(life, serving).await;
            self.wait(life, PACE).await;
        }
        if self.violations.is_empty() {
            self.account(life).await;
        }
    }

    async fn everybody_works(&mut self, life: &mut Life) {
        for (number, whom) in self.people.clone().into_iter().enumerate() {
            life.open_feed(whom);
            let Some(it) = self.known.operators.get(&whom).cloned() else {
                continue;
            };
            if it.disabled {
                let mut change = office::change(&mut self.dice, number, whom);
                change.disabled = false;
                let id = self.fresh_id();
                self.perform(life, vec![acts::rehire_as(whom, change, id)])
                    .await;
            }
            let is_at_work = it.presence == Presence::Ready
                && it.next_presence.is_none()
                && !it.not_responding
                && it.link == Link::Up;
            if !is_at_work {
                let id = self.fresh_id();
                let ready = acts::choose(&it, Presence::Ready, false, id);
                self.perform(life, vec![ready]).await;
            }
        }
    }

    fn serving(&mut self) -> Vec<Act> {
        let open: Vec<_> = self.known.open.values().cloned().collect();
        open.iter().filter_map(|it| self.serve(it)).collect()
    }

    fn serve(&mut self, it: &Conversation) -> Option<Act> {
        let id = self.fresh_id();
        let by = |world: &Self, who: OperatorId| world.known.operators.get(&who).cloned();
        let by_hand = self.settings.rules.of(&it.queue).strategy == Strategy::Manual;
        match it.state {
            State::Offered {
                offer, operator, ..
            } => Some(acts::accept(&*by(self, operator)?, offer, id)),
            State::Active { operator, .. } | State::WrapUp { operator, .. } => {
                Some(acts::finish(&*by(self, operator)?, it.id, id))
            }
            State::Parked { operator, .. } => Some(acts::take(&*by(self, operator)?, it.id, id)),
            State::Queued if by_hand => Some(acts::take(&*self.the_boss()?, it.id, id)),
            State::Queued
            | State::Deferred { .. }
            | State::Abandoned { .. }
            | State::Closed { .. } => None,
        }
    }

    /// Nothing that was acknowledged is lost, and nothing is there twice.
    async fn account(&mut self, life: &Life) {
        let letters = self.letters.iter();
        let ids: Vec<_> = letters.map(|it| (it.line.clone(), it.id.clone())).collect();
        let answers: Vec<_> = self.answers.values().copied().collect();
        let read = life.engine.read::<_, StoreError>(move |view: &View<'_>| {
            let written = ids
                .iter()
                .map(|(line, id)| view.message_by_external_id(line, id, Direction::Inbound));
            let answered = answers.iter().map(|id| view.message(*id));
            Ok((
                written.collect::<Result<Vec<_>, _>>()?,
                answered.collect::<Result<Vec<_>, _>>()?,
                view.compare_metrics(None)?,
            ))
        });
        let (written, answered, metrics) = match read.await {
            Ok(read) => read,
            Err(error) => return self.violations.push(format!("the store: {error}")),
        };
        let mut found = Vec::new();
        let mut last = BTreeMap::new();
        for (letter, message) in self.letters.iter().zip(written) {
            let Letter { id, late, .. } = letter;
            let Some(message) = message else {
                found.push(format!("R1: {id} was taken and is lost"));
                continue;
            };
            let before = last.insert(message.thread, message.id);
            if *late {
                last.extend(before.map(|before| (message.thread, before)));
            } else if before > Some(message.id) {
                found.push(format!("{id} stands before what was written earlier"));
            }
        }
        if !metrics.different.is_empty() {
            found.push(format!("R19: the metrics differ: {:?}", metrics.different));
        }
        self.of_answers(answered, &mut found);
        self.violations.extend(found);
    }

    /// Every answer was handed over once, in order, or somebody was told.
    fn of_answers(&self, answered: Vec<Option<Message>>, found: &mut Vec<String>) {
        let handed = self.provider.handed();
        for (thread, messages) in &handed {
            if !messages.is_sorted() {
                found.push(format!(
                    "R6: {thread} was answered out of order: {messages:?}"
                ));
            }
        }
        for (id, message) in self.answers.values().zip(answered) {
            let Some(message) = message else {
                found.push(format!("R6: the answer {id} is lost"));
                continue;
            };
            let handed = handed.get(&message.thread).into_iter().flatten();
            let times = handed.filter(|it| *it == id).count();
            let may_repeat = self
                .settings
                .lines
                .iter()
                .any(|line| line.id == message.line && line.kind.descriptor.idempotent_send);
            let is_right = match message.delivery {
                Some(Delivery::Sent) => times == 1 || (may_repeat && times > 0),
                Some(Delivery::Failed) => times == 0 || may_repeat,
                Some(Delivery::Uncertain) => times <= 1 || may_repeat,
                Some(Delivery::Queued | Delivery::Delivered | Delivery::Read) | None => false,
            };
            if !is_right {
                let said = message.delivery;
                found.push(format!(
                    "R6: {id} was handed over {times} times, says {said:?}"
                ));
            }
        }
    }
}
