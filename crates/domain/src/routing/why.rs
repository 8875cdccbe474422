//! Why somebody still waits, and why somebody gets nothing: the rules of the pass, put
//! to one conversation or one operator and told instead of acted upon.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::outlook::{Outlook, outlook};
use super::row::{Entry, Member, Row, Standpoint, standpoint};
use super::settle::{Pass, Who, configured};
use super::{
    Candidate, CandidateKeys, Place, QueueRules, RoutingRules, Rule, Skills, Snapshot, Strategy,
    Waiting,
};
use crate::message::Medium;
use crate::operator::{CapacityRules, Load};
use crate::{ConversationId, OperatorId, QueueId, Timestamp};

/// Why a conversation still waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyWaiting {
    /// The queue.
    pub queue: QueueId,
    /// What it costs.
    pub medium: Medium,
    /// The order of the queue's operators.
    pub strategy: Strategy,
    /// Where it stands.
    pub place: Place,
    /// The band that counts now; age may have lifted it.
    pub band: i32,
    /// When age will lift it above its band.
    pub lifted_at: Option<Timestamp>,
    /// The round of asking, from 1.
    pub round: u32,
    /// What its client could be told.
    pub outlook: Outlook,
    /// How many of its own queue stand before it.
    pub ahead: u32,
    /// It is not offered before: a pause between rounds.
    pub paused_until: Option<Timestamp>,
    /// For whom it is held, and until when.
    pub held: Option<(OperatorId, Timestamp)>,
    /// What whoever answers it has to have now.
    pub skills: Skills,
    /// When less will do, and what then.
    pub relaxes: Option<(Timestamp, Skills)>,
    /// Everybody who works for the queue, by what keeps them out; nothing does of those
    /// under none.
    pub members: BTreeMap<Option<Rule>, Vec<OperatorId>>,
    /// Who is first in the order of those who could take it.
    pub next: Option<NextUp>,
}

/// Who would get a conversation next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextUp {
    /// Who, as they stand.
    pub keys: CandidateKeys,
    /// They could take it now.
    pub is_free: bool,
    /// How many conversations they would take before it.
    pub before: u32,
}

/// Why an operator gets nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyNot {
    /// The operator, as they stand.
    pub keys: CandidateKeys,
    /// What keeps them from everything.
    pub barred: Option<Rule>,
    /// Nothing comes before, after they declined.
    pub cool_down_until: Option<Timestamp>,
    /// Queue by queue, in the operator's own order.
    pub queues: Vec<QueueOutlook>,
}

/// How things look for an operator in one of their queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueOutlook {
    /// The queue.
    pub queue: QueueId,
    /// The operator's rank of it; lower is served first.
    pub rank: i32,
    /// The order of its operators.
    pub strategy: Strategy,
    /// How many wait in it.
    pub waiting: u32,
    /// Colleagues with room for something who stand before the operator in its order.
    pub before_me: u32,
    /// The first that waits; none when nothing does.
    pub head: Option<Head>,
}

/// The first of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which conversation.
    pub conversation: ConversationId,
    /// Its age counts from then.
    pub eligible_at: Timestamp,
    /// Why the operator does not have it.
    pub why: NotYours,
}

/// Why a conversation is not somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotYours {
    /// A rule keeps the operator out.
    KeptOut(Rule),
    /// It needs skills that the operator has not; fewer from then on, perhaps.
    MissingSkills {
        /// Those that are missing.
        missing: Skills,
        /// When the operator's will do.
        until: Option<Timestamp>,
    },
    /// It is held for the operator of before.
    Held {
        /// For whom.
        operator: OperatorId,
        /// Until when.
        until: Timestamp,
    },
    /// It is not offered to anybody before.
    Paused {
        /// The end of the pause.
        until: Timestamp,
    },
    /// Somebody else comes first in the order.
    OtherFirst {
        /// Who.
        operator: OperatorId,
    },
    /// Something of another queue, or before it, comes first.
    HasBetter {
        /// Where that waits.
        queue: QueueId,
    },
    /// Nobody is asked: operators take what they choose.
    TakeIt,
    /// Nothing: it is the operator's next.
    Yours,
}

/// Why a conversation waits; none when it does not.
///
/// Costs about as much as one pass of `settle` over a few queues.
pub fn why_waiting(
    snapshot: &Snapshot,
    rules: &RoutingRules,
    now: Timestamp,
    conversation: ConversationId,
) -> Option<WhyWaiting> {
    let waiting = snapshot.get(conversation)?;
    let own = rules.of(&waiting.queue);
    let age = now.since(waiting.place.eligible_at);
    let stands = standpoint(waiting, &own, now);
    let lifted_at = waiting.place.eligible_at + own.ageing;
    let mut why = WhyWaiting {
        queue: waiting.queue.clone(),
        medium: waiting.medium,
        strategy: own.strategy,
        place: waiting.place,
        band: stands.0,
        lifted_at: (waiting.place.band > 0 && lifted_at > now).then_some(lifted_at),
        round: waiting.round,
        outlook: outlook(snapshot, rules, now, conversation)?,
        ahead: ahead(snapshot, &own, stands, now),
        paused_until: waiting.not_before.filter(|pause| *pause > now),
        held: None,
        skills: own.skills_at(&waiting.skills, age),
        relaxes: own
            .relaxations
            .iter()
            .find(|relaxation| relaxation.after > age && !waiting.skills.is_empty())
            .map(|relaxation| {
                let at = waiting.place.eligible_at + relaxation.after;
                (at, own.skills_at(&waiting.skills, relaxation.after))
            }),
        members: BTreeMap::new(),
        next: None,
    };
    let rules = as_if_asked(rules, &waiting.queue);
    let unknown = configured(snapshot, &rules);
    let mut pass = Pass::new(snapshot, &unknown, &rules, now, Who::Everybody);
    let scene = Scene::find(&pass, waiting, stands)?;
    let row = &pass.rows[scene.row];
    why.held = row
        .holder(waiting)
        .map(|holder| (holder, waiting.place.eligible_at + own.sticky_wait));
    for member in row.members.clone() {
        let operator = pass.workers[member.worker].candidate.operator;
        let rule = scene.rule_of(&mut pass, &member);
        why.members.entry(rule).or_default().push(operator);
    }
    why.next = next_up(snapshot, &rules, now, &pass, &scene);
    Some(why)
}

/// The rules as they would be if somebody were asked where operators choose for
/// themselves.
fn as_if_asked<'a>(rules: &'a RoutingRules, queue: &QueueId) -> Cow<'a, RoutingRules> {
    if rules.of(queue).strategy != Strategy::Manual {
        return Cow::Borrowed(rules);
    }
    let mut rules = rules.clone();
    if let Some(own) = rules.queues.get_mut(queue) {
        own.strategy = Strategy::LongestIdle;
    }
    Cow::Owned(rules)
}

fn ahead(snapshot: &Snapshot, rules: &QueueRules, stands: Standpoint, now: Timestamp) -> u32 {
    let before: usize = snapshot
        .rows_of(&rules.id)
        .map(|(_, row)| {
            row.values()
                .take_while(|other| standpoint(other, rules, now) < stands)
                .count()
        })
        .sum();
    count(before)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// One conversation in a pass.
struct Scene<'a> {
    row: usize,
    waiting: &'a Waiting,
    stands: Standpoint,
}

impl<'a> Scene<'a> {
    fn find(pass: &Pass<'_>, waiting: &'a Waiting, stands: Standpoint) -> Option<Self> {
        let row = pass.rows.iter().position(|row| {
            row.key.queue == waiting.queue
                && row.key.medium == waiting.medium
                && row.key.skills == waiting.skills
                && row.key.band == waiting.place.band
        })?;
        Some(Self {
            row,
            waiting,
            stands,
        })
    }

    /// What keeps a member out, if something does.
    fn rule_of(&self, pass: &mut Pass<'_>, member: &Member) -> Option<Rule> {
        let row = &pass.rows[self.row];
        if let Some(rule) = row.kept_out(member, &pass.workers, self.waiting) {
            return Some(rule);
        }
        let operator = pass.workers[member.worker].candidate.operator;
        let is_other = |it: usize| it == member.worker;
        if self.waiting.last_asked == Some(operator)
            && row
                .first_for(&pass.workers, self.waiting, is_other)
                .is_some()
        {
            return Some(Rule::LastAsked);
        }
        let rank = self.rank(pass, member.worker);
        let better = pass.best_for(member.worker)?;
        ((better.rank, better.entry.stands) < (rank, self.stands)).then_some(Rule::HasBetter)
    }

    fn rank(&self, pass: &Pass<'_>, worker: usize) -> i32 {
        let posts = pass.workers[worker].posts.iter();
        posts
            .filter(|post| post.row == self.row)
            .map(|post| post.rank)
            .min()
            .unwrap_or(0)
    }

    /// The first in the queue's order of those whom nothing keeps out in this pass.
    fn first(&self, pass: &Pass<'_>) -> Option<Member> {
        pass.rows[self.row].first_for(&pass.workers, self.waiting, |_| false)
    }

    /// How many conversations somebody would take before this one.
    fn before(&self, pass: &mut Pass<'_>, worker: usize) -> u32 {
        let rank = self.rank(pass, worker);
        let posts = pass.workers[worker].posts.clone();
        let mut before = 0;
        for post in posts.iter().filter(|post| post.rank <= rank) {
            let mut from = 0;
            while let Some((at, entry)) = pass.rows[post.row].first_from(from) {
                from = at + 1;
                if (post.rank, entry.stands) >= (rank, self.stands) {
                    break;
                }
                if may_get(pass, &pass.rows[post.row], worker, &entry) {
                    before += 1;
                }
            }
        }
        before
    }
}

fn may_get(pass: &Pass<'_>, row: &Row<'_>, worker: usize, entry: &Entry<'_>) -> bool {
    let is_paused = pass.exhausted.contains(&entry.waiting.conversation) || row.pauses(entry);
    !is_paused
        && row
            .member(worker)
            .is_some_and(|member| row.kept_out(member, &pass.workers, entry.waiting).is_none())
}

/// Who is first of those who could take it: of those who are free, else of those who
/// would be with their hands empty, else of those who also rest a moment.
fn next_up(
    snapshot: &Snapshot,
    rules: &RoutingRules,
    now: Timestamp,
    pass: &Pass<'_>,
    scene: &Scene<'_>,
) -> Option<NextUp> {
    let keys = |worker: usize| {
        let row = &pass.rows[scene.row];
        row.member(worker)
            .map(|member| Row::keys(member, &pass.workers))
    };
    for rest in [Rest::None, Rest::HandsEmpty, Rest::Rested] {
        let rested = rest.applied(snapshot);
        let unknown = configured(&rested, rules);
        let mut other = Pass::new(&rested, &unknown, rules, now, Who::Everybody);
        let scene = Scene::find(&other, scene.waiting, scene.stands)?;
        let Some(first) = scene.first_by(&other, rest, keys) else {
            continue;
        };
        return Some(NextUp {
            keys: keys(first)?,
            is_free: rest == Rest::None,
            before: scene.before(&mut other, first),
        });
    }
    None
}

impl Scene<'_> {
    fn first_by(
        &self,
        pass: &Pass<'_>,
        rest: Rest,
        keys: impl Fn(usize) -> Option<CandidateKeys>,
    ) -> Option<usize> {
        if rest == Rest::None {
            return self.first(pass).map(|member| member.worker);
        }
        let row = &pass.rows[self.row];
        let able = row
            .members
            .iter()
            .filter(|member| row.kept_out(member, &pass.workers, self.waiting).is_none());
        able.filter_map(|member| Some((keys(member.worker)?, member.worker)))
            .min_by(|(one, _), (other, _)| one.compare(other, row.rules.strategy))
            .map(|(_, worker)| worker)
    }
}

/// How operators are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// As they are.
    None,
    /// As if they carried nothing.
    HandsEmpty,
    /// And neither finished up nor had just declined.
    Rested,
}

impl Rest {
    fn applied(self, snapshot: &Snapshot) -> Cow<'_, Snapshot> {
        if self == Self::None {
            return Cow::Borrowed(snapshot);
        }
        let operators: Vec<Candidate> = snapshot.operators().cloned().collect();
        let mut rested = snapshot.clone();
        for mut operator in operators {
            operator.load = Load::default();
            if self == Self::Rested {
                operator.cool_down_until = None;
                operator.barred = operator.barred.filter(|rule| *rule != Rule::WrapUp);
            }
            rested.put_operator(operator);
        }
        Cow::Owned(rested)
    }
}

/// Why an operator gets nothing; none when there is no such operator.
pub fn why_not(
    snapshot: &Snapshot,
    rules: &RoutingRules,
    now: Timestamp,
    operator: OperatorId,
) -> Option<WhyNot> {
    let candidate = snapshot.operator(operator)?;
    let unknown = configured(snapshot, rules);
    let mut pass = Pass::new(snapshot, &unknown, rules, now, Who::Everybody);
    let mut queues: BTreeMap<(i32, &QueueId), QueueOutlook> = BTreeMap::new();
    for membership in &candidate.memberships {
        let own = rules.of(&membership.queue);
        // Somebody may be named twice for a queue: the least rank counts.
        let rank = candidate
            .membership(&membership.queue)
            .map_or(membership.rank, |first| first.rank);
        queues.insert(
            (rank, &membership.queue),
            QueueOutlook {
                queue: membership.queue.clone(),
                rank,
                strategy: own.strategy,
                waiting: count(snapshot.waiting_in(&membership.queue)),
                before_me: before_me(snapshot, rules, &own, candidate, now),
                head: head(snapshot, &own, &mut pass, candidate),
            },
        );
    }
    Some(WhyNot {
        keys: candidate.keys(&rules.capacity),
        barred: candidate.barred(now),
        cool_down_until: candidate.cool_down_until.filter(|until| *until > now),
        queues: queues.into_values().collect(),
    })
}

/// Colleagues of a queue who have room for something and stand before somebody.
fn before_me(
    snapshot: &Snapshot,
    rules: &RoutingRules,
    own: &QueueRules,
    me: &Candidate,
    now: Timestamp,
) -> u32 {
    if matches!(own.strategy, Strategy::RingAll | Strategy::Manual) {
        return 0;
    }
    let keys = |candidate: &Candidate| CandidateKeys {
        position: candidate
            .membership(&own.id)
            .map_or(0, |membership| membership.position),
        ..candidate.keys(&rules.capacity)
    };
    let mine = keys(me);
    let before = snapshot.members_of(&own.id).filter(|other| {
        other.operator != me.operator
            && has_room(&rules.capacity, other, now)
            && keys(other).compare(&mine, own.strategy).is_lt()
    });
    count(before.count())
}

fn has_room(rules: &CapacityRules, candidate: &Candidate, now: Timestamp) -> bool {
    Medium::ALL
        .into_iter()
        .any(|medium| candidate.stopped(rules, medium, now).is_none())
}

/// The first that waits in a queue, and why it is not somebody's.
fn head(
    snapshot: &Snapshot,
    own: &QueueRules,
    pass: &mut Pass<'_>,
    me: &Candidate,
) -> Option<Head> {
    let now = pass.now;
    let rows = snapshot.rows_of(&own.id);
    let first = rows
        .filter_map(|(_, row)| row.values().next())
        .min_by_key(|waiting| standpoint(waiting, own, now))?;
    let why = if own.strategy == Strategy::Manual {
        me.stopped(&pass.rules.capacity, first.medium, now)
            .map_or(NotYours::TakeIt, NotYours::KeptOut)
    } else {
        not_yours(own, pass, me, first)
    };
    Some(Head {
        conversation: first.conversation,
        eligible_at: first.place.eligible_at,
        why,
    })
}

fn not_yours(own: &QueueRules, pass: &mut Pass<'_>, me: &Candidate, waiting: &Waiting) -> NotYours {
    let now = pass.now;
    let scene = Scene::find(pass, waiting, standpoint(waiting, own, now));
    let worker = super::worker::position(&pass.workers, me.operator);
    let (Some(scene), Some(worker)) = (scene, worker) else {
        return NotYours::KeptOut(Rule::NotMember);
    };
    let row = &pass.rows[scene.row];
    let Some(member) = row.member(worker).copied() else {
        return NotYours::KeptOut(Rule::NotMember);
    };
    match row.kept_out(&member, &pass.workers, waiting) {
        Some(Rule::MissingSkill) => {
            let age = now.since(waiting.place.eligible_at);
            return NotYours::MissingSkills {
                missing: own.skills_at(&waiting.skills, age).without(&me.skills),
                until: member
                    .age_needed
                    .map(|needed| waiting.place.eligible_at + needed),
            };
        }
        Some(Rule::HeldForOther) => {
            let holder = row.holder(waiting);
            return holder.map_or(NotYours::KeptOut(Rule::HeldForOther), |operator| {
                NotYours::Held {
                    operator,
                    until: waiting.place.eligible_at + own.sticky_wait,
                }
            });
        }
        Some(rule) => return NotYours::KeptOut(rule),
        None => {}
    }
    if let Some(until) = waiting.not_before.filter(|pause| *pause > now) {
        return NotYours::Paused { until };
    }
    if pass.exhausted.contains(&waiting.conversation) {
        return NotYours::Paused {
            until: now + own.round_pause,
        };
    }
    if let Some(rule) = scene.rule_of(pass, &member)
        && rule != Rule::HasBetter
    {
        return NotYours::KeptOut(rule);
    }
    let best = pass.best_for(worker).map(|found| found.entry.waiting);
    if let Some(best) = best.filter(|best| best.conversation != waiting.conversation) {
        return NotYours::HasBetter {
            queue: best.queue.clone(),
        };
    }
    let first = scene.first(pass).filter(|first| first.worker != worker);
    match first {
        Some(first) if own.strategy != Strategy::RingAll => NotYours::OtherFirst {
            operator: pass.workers[first.worker].candidate.operator,
        },
        Some(_) | None => NotYours::Yours,
    }
}
