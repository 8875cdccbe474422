//! From events to a recording: what people did is told by how things stood before and
//! after.

mod derive;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::derive::{Turned, Why, deeds, turned};
use super::Draws;
use super::recording::{
    Act, Answer, Arrival, Chosen, Deed, LeftOut, Moment, Recording, Reply, Script, Spell, Turn,
};
use crate::conversation::{Conversation, Offer, OfferOutcome, OfferState, State};
use crate::event::{Event, EventKind};
use crate::metrics::Replay;
use crate::operator::{Load, Operator, Presence};
use crate::routing::Cause;
use crate::{ConversationId, Millis, OfferId, OperatorId, Timestamp};

/// Reads events in order, from the first that is kept to the end of a period.
#[derive(Debug)]
pub struct Recorder {
    from: Timestamp,
    to: Timestamp,
    has_begun: bool,
    tracks: BTreeMap<ConversationId, Track>,
    operators: BTreeMap<OperatorId, Arc<Operator>>,
    pending: BTreeMap<OfferId, (ConversationId, usize)>,
    /// The offers that were pending when the period began.
    asked: BTreeMap<OfferId, Arc<Offer>>,
    counting: Replay,
    recording: Recording,
    greatest_id: i64,
}

#[derive(Debug)]
struct Track {
    it: Arc<Conversation>,
    spell: usize,
    since: Timestamp,
    /// Where it was changed last.
    changed: Moment,
    /// It was met in the middle, and is left out.
    is_out: bool,
}

impl Recorder {
    /// For the period from one moment up to another one.
    pub fn new(from: Timestamp, to: Timestamp) -> Self {
        Self {
            from,
            to,
            has_begun: false,
            tracks: BTreeMap::new(),
            operators: BTreeMap::new(),
            pending: BTreeMap::new(),
            asked: BTreeMap::new(),
            counting: Replay::of_all(),
            recording: Recording {
                from,
                to,
                open: Vec::new(),
                asked: Vec::new(),
                people: Vec::new(),
                before: Replay::of_all(),
                counted: Replay::of_all(),
                arrivals: Vec::new(),
                scripts: BTreeMap::new(),
                turns: Vec::new(),
                late: BTreeMap::new(),
                decided: Vec::new(),
                draws: Draws::default(),
                left_out: LeftOut::default(),
                next_id: 0,
                is_made_up: false,
            },
            greatest_id: 0,
        }
    }

    /// Reads one event more. False when it is behind the period, and so are all that
    /// follow.
    pub fn read(&mut self, event: &Event) -> bool {
        if event.at > self.to {
            return false;
        }
        if event.at >= self.from {
            self.begin();
        }
        let moment = Moment {
            at: event.at,
            order: event.cursor.0,
        };
        match &event.kind {
            EventKind::ConversationOpened(opened) => self.opened(opened, moment),
            EventKind::ConversationChanged(changed) => self.changed(changed, moment),
            EventKind::OfferMade { offer, .. } => self.offered(offer),
            EventKind::OfferEnded(offer) => self.offer_ended(offer, moment),
            EventKind::PresenceChanged(operator) => self.operator(operator, moment),
            EventKind::ConversationLeft { .. }
            | EventKind::MessageAdded { .. }
            | EventKind::MessageChanged { .. }
            | EventKind::ContactChanged { .. }
            | EventKind::ContactsMerged { .. }
            | EventKind::Rated { .. }
            | EventKind::Reviewed(_)
            | EventKind::CannedRepliesChanged { .. }
            | EventKind::QueueChanged { .. }
            | EventKind::MentionsChanged { .. }
            | EventKind::ObligationChanged { .. }
            | EventKind::ObligationDue { .. } => return true,
        }
        if !self.is_left_out(&event.kind) {
            self.counting.read(event);
        }
        true
    }

    /// The recording.
    pub fn finish(mut self) -> Recording {
        self.begin();
        let to = self.to;
        let never = Moment {
            at: to + Millis(1),
            order: 0,
        };
        for (id, track) in &self.tracks {
            if !track.is_out {
                let script = self.recording.scripts.entry(*id).or_default();
                let spell = spell_of(script, track.spell);
                spell.lasted = to.since(track.since);
                if let Some(due) = track.it.next_deadline().filter(|due| *due <= to) {
                    script.late.stood(due, never);
                }
            }
        }
        for (id, operator) in &self.operators {
            if let Some(due) = operator.next_deadline().filter(|due| *due <= to) {
                self.recording
                    .late
                    .entry(*id)
                    .or_default()
                    .stood(due, never);
            }
        }
        for script in self.recording.scripts.values_mut() {
            script.acts.sort_by_key(|act| act.spell);
        }
        self.recording.counted = self.counting;
        self.recording.draws.finish();
        self.recording.next_id = self.greatest_id + 1;
        self.recording
    }

    fn begin(&mut self) {
        if self.has_begun {
            return;
        }
        self.has_begun = true;
        let from = self.from;
        for track in self.tracks.values_mut() {
            track.since = from;
            track.spell = 0;
            if !track.is_out {
                self.recording.open.push(Arc::clone(&track.it));
            }
        }
        self.recording.people = self.operators.values().cloned().collect();
        let asked = self.asked.values().map(|offer| (Arc::clone(offer), None));
        self.recording.asked = asked.collect();
        self.counting.begin_anew();
        self.recording.before = self.counting.clone();
    }

    fn is_left_out(&self, kind: &EventKind) -> bool {
        let is_out = |id: &ConversationId| self.tracks.get(id).is_some_and(|track| track.is_out);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "nothing else is counted here"
        )]
        match kind {
            EventKind::ConversationChanged(conversation)
            | EventKind::OfferMade { conversation, .. } => is_out(&conversation.id),
            EventKind::OfferEnded(offer) => is_out(&offer.conversation),
            _ => false,
        }
    }

    fn opened(&mut self, opened: &Arc<Conversation>, moment: Moment) {
        let id = opened.id;
        self.greatest_id = self.greatest_id.max(id.get()).max(opened.place.seq);
        let track = Track {
            it: Arc::clone(opened),
            spell: 0,
            since: moment.at,
            changed: moment,
            is_out: false,
        };
        self.tracks.insert(id, track);
        if self.has_begun {
            let conversation = Arc::clone(opened);
            self.recording.arrivals.push(Arrival {
                moment,
                conversation,
            });
        }
    }

    fn changed(&mut self, after: &Arc<Conversation>, moment: Moment) {
        let id = after.id;
        let Some(track) = self.tracks.get_mut(&id) else {
            self.met(after, moment);
            return;
        };
        let before = std::mem::replace(&mut track.it, Arc::clone(after));
        let (spell, since) = (track.spell, track.since);
        track.changed = moment;
        let is_taken_up = matches!(after.state, State::Active { .. })
            && (!matches!(before.state, State::Active { .. }) || before.owner() != after.owner());
        if is_taken_up {
            track.spell += 1;
            track.since = moment.at;
        }
        let is_out = track.is_out;
        if !after.is_open() {
            self.tracks.remove(&id);
        }
        if !self.has_begun || is_out {
            return;
        }
        let recording = &mut self.recording;
        let script = recording.scripts.entry(id).or_default();
        let lasted = moment.at.since(since);
        let why = deeds(&before, after, moment.at);
        if let Some(due) = before.next_deadline()
            && due <= moment.at
        {
            script.late.stood(due, stood_until(&why, moment));
        }
        match why {
            Why::Nothing | Why::Time => {}
            Why::Unexplained => recording.left_out.unexplained += 1,
            Why::Router => recording.decided.push(moment),
            Why::Deeds(deeds) => {
                for deed in deeds {
                    if ends(&deed) {
                        spell_of(script, spell).ended = true;
                    }
                    if matches!(deed, Deed::Left { .. }) {
                        recording.draws.waited(&before.queue, lasted, true);
                    }
                    script.acts.push(Act {
                        spell,
                        after: lasted,
                        order: moment.order,
                        deed,
                    });
                }
            }
        }
        if let State::Active { since, .. } = before.state
            && !matches!(after.state, State::Active { .. })
        {
            recording
                .draws
                .handled(&before.queue, moment.at.since(since));
        }
        if is_taken_up || !after.is_open() {
            spell_of(script, spell).lasted = lasted;
        }
        if is_taken_up && before.waits() && spell == 0 {
            recording.draws.waited(&before.queue, lasted, false);
        }
    }

    /// One of which nothing was heard before.
    fn met(&mut self, conversation: &Arc<Conversation>, moment: Moment) {
        if self.has_begun {
            self.recording.left_out.begun_before += 1;
        }
        if conversation.is_open() {
            let track = Track {
                it: Arc::clone(conversation),
                spell: 0,
                since: moment.at,
                changed: moment,
                // Before the period it is enough to know how it stands.
                is_out: self.has_begun,
            };
            self.tracks.insert(conversation.id, track);
        }
    }

    fn offered(&mut self, offer: &Arc<Offer>) {
        self.greatest_id = self.greatest_id.max(offer.id.get());
        if !self.has_begun {
            self.asked.insert(offer.id, Arc::clone(offer));
            return;
        }
        let Some(track) = self.tracks.get(&offer.conversation) else {
            return;
        };
        if track.is_out {
            return;
        }
        let script = self
            .recording
            .scripts
            .entry(offer.conversation)
            .or_default();
        if offer.explanation.cause == Cause::Transfer {
            let (spell, lasted) = (track.spell, offer.made_at.since(track.since));
            spell_of(script, spell).ended = true;
            script.acts.push(Act {
                spell,
                after: lasted,
                order: track.changed.order,
                deed: Deed::ToOperator {
                    operator: offer.operator,
                    for_up_to: offer.expires_at.since(offer.made_at),
                },
            });
        } else {
            self.recording.decided.push(track.changed);
        }
        let number = script.replies.len();
        self.pending.insert(offer.id, (offer.conversation, number));
        script.replies.push(Reply {
            operator: offer.operator,
            made_at: offer.made_at,
            answer: Answer::Unknown,
            after: self.to.since(offer.made_at),
            order: 0,
        });
    }

    fn offer_ended(&mut self, offer: &Offer, moment: Moment) {
        self.greatest_id = self.greatest_id.max(offer.id.get());
        let OfferState::Ended { outcome, .. } = &offer.state else {
            return;
        };
        let after = moment.at.since(offer.made_at);
        let due = offer.expires_at;
        if *outcome != OfferOutcome::TimedOut
            && (offer.made_at + Millis(1)..=moment.at).contains(&due)
        {
            // It was answered in time after all.
            let script = self
                .recording
                .scripts
                .entry(offer.conversation)
                .or_default();
            script.late.stood(due, moment.behind());
        }
        if self.asked.remove(&offer.id).is_some() {
            let mut asked = self.recording.asked.iter_mut();
            if let Some(known) = asked.find(|(known, _)| known.id == offer.id) {
                known.1 = Some((answer_of(outcome), moment));
            }
        } else if let Some((id, number)) = self.pending.remove(&offer.id) {
            let answer = answer_of(outcome);
            if answer != Answer::Unknown {
                let draws = &mut self.recording.draws;
                draws.answered(offer.operator, answer, after);
            }
            let script = self.recording.scripts.get_mut(&id);
            if let Some(reply) = script.and_then(|script| script.replies.get_mut(number)) {
                reply.answer = answer;
                reply.after = after;
                reply.order = moment.order;
            }
        } else if offer.made_at == offer.expires_at && *outcome == OfferOutcome::Accepted {
            self.assigned(offer);
        }
    }

    /// What looked as if somebody had taken it was given to them by the router.
    fn assigned(&mut self, offer: &Offer) {
        let Some(track) = self.tracks.get(&offer.conversation) else {
            return;
        };
        if !self.has_begun || track.is_out {
            return;
        }
        self.recording.decided.push(track.changed);
        let script = self
            .recording
            .scripts
            .entry(offer.conversation)
            .or_default();
        if let Some(last) = script.acts.last()
            && matches!(last.deed, Deed::Take { .. })
            && last.order == track.changed.order
        {
            script.acts.pop();
            if let Some(spell) = track.spell.checked_sub(1) {
                spell_of(script, spell).ended = false;
            }
        }
        script.replies.push(Reply {
            operator: offer.operator,
            made_at: offer.made_at,
            answer: Answer::Accepts,
            after: Millis(0),
            order: track.changed.order,
        });
    }

    fn operator(&mut self, after: &Arc<Operator>, moment: Moment) {
        let id = after.id;
        self.greatest_id = self.greatest_id.max(id.get()).max(after.turn);
        let before = self.operators.insert(id, Arc::clone(after));
        if !self.has_begun {
            return;
        }
        let mut push = |what: Chosen| {
            self.recording.turns.push(Turn {
                moment,
                operator: id,
                what,
            });
        };
        let Some(before) = before else {
            // Who has work in hand was there before the log tells of them.
            if after.load.is_empty() || after.presence == Presence::Offline {
                push(Chosen::Become(Arc::clone(after)));
            } else {
                let mut there = (**after).clone();
                there.load = Load::default();
                there.wrapping_up = 0;
                self.recording.people.push(Arc::new(there));
            }
            return;
        };
        let turned = turned(&before, after, moment.at);
        if let Some(due) = before.next_deadline()
            && due <= moment.at
        {
            let until = match turned {
                Turned::Time => moment,
                Turned::Nothing | Turned::Became | Turned::Did(_) => moment.behind(),
            };
            let late = self.recording.late.entry(id).or_default();
            late.stood(due, until);
        }
        match turned {
            Turned::Nothing | Turned::Time => {}
            Turned::Became => push(Chosen::Become(Arc::clone(after))),
            Turned::Did(inputs) => {
                for input in inputs {
                    push(Chosen::Input(input));
                }
            }
        }
    }
}

/// What was done while something was due goes before it: the timers had not looked yet.
fn stood_until(why: &Why, moment: Moment) -> Moment {
    match why {
        Why::Time | Why::Router => moment,
        Why::Nothing | Why::Deeds(_) | Why::Unexplained => moment.behind(),
    }
}

/// After it the operator has it no more, or waits no more for it.
fn ends(deed: &Deed) -> bool {
    match deed {
        Deed::Take { .. }
        | Deed::ToQueue { .. }
        | Deed::ToOperator { .. }
        | Deed::Snooze { .. }
        | Deed::Finish { .. } => true,
        Deed::Left { .. }
        | Deed::Away { .. }
        | Deed::Back
        | Deed::CallbackWanted { .. }
        | Deed::Wrote { .. }
        | Deed::Answered { .. }
        | Deed::FirstReply
        | Deed::Move { .. } => false,
    }
}

fn answer_of(outcome: &OfferOutcome) -> Answer {
    match outcome {
        OfferOutcome::Accepted => Answer::Accepts,
        OfferOutcome::Declined { .. } => Answer::Declines,
        OfferOutcome::TimedOut => Answer::Ignores,
        OfferOutcome::Rescinded { .. } | OfferOutcome::Revoked { .. } => Answer::Unknown,
    }
}

fn spell_of(script: &mut Script, number: usize) -> &mut Spell {
    if script.spells.len() <= number {
        script.spells.resize(number + 1, Spell::default());
    }
    &mut script.spells[number]
}
