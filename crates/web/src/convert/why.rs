//! The router's explanations and its proof, as the contract has them.

use domain::OperatorId;
use domain::conversation::State;
use domain::proof::{Finding, Law};
use domain::routing::{Head, NotYours, QueueOutlook, Rule, Skills};
use engine::Proof;
use engine::act::{NotMe, StillWaiting};
use engine::contacts::convert::timestamp;
use proto::routing::v1 as pb;

use super::candidate;

pub(crate) fn still_waiting(answer: &StillWaiting) -> pb::WhyStillWaitingResponse {
    let conversation = &answer.conversation;
    let mut response = pb::WhyStillWaitingResponse {
        at: Some(timestamp(answer.at)),
        conversation_id: conversation.id.to_string(),
        queue_id: conversation.queue.to_string(),
        band: conversation.place.band,
        band_now: conversation.place.band,
        eligible_at: Some(timestamp(conversation.place.eligible_at)),
        round: count(conversation.round),
        skills: names(&conversation.skills),
        leads_on_at: conversation.overflow_at.map(timestamp),
        partial: answer.is_partial,
        ..pb::WhyStillWaitingResponse::default()
    };
    if let State::Offered { offer, .. } = &conversation.state {
        response.offer_id = offer.to_string();
    }
    let Some(why) = &answer.why else {
        return response;
    };
    why.strategy.name().clone_into(&mut response.strategy);
    response.band_now = why.band;
    response.lifted_at = why.lifted_at.map(timestamp);
    response.position = count(why.outlook.position);
    response.ahead = count(why.ahead);
    response.staffed = count(why.outlook.staffed);
    response.paused_until = why.paused_until.map(timestamp);
    response.held = why.held.map(|(operator, until)| pb::Hold {
        operator_id: operator.to_string(),
        until: Some(timestamp(until)),
    });
    response.skills = names(&why.skills);
    if let Some((at, then)) = &why.relaxes {
        response.relaxes_at = Some(timestamp(*at));
        response.skills_then = names(then);
    }
    response.members = why
        .members
        .iter()
        .map(|(rule, operators)| pb::Exclusion {
            rule: rule.map_or("", Rule::name).to_owned(),
            operator_ids: operators.iter().map(OperatorId::to_string).collect(),
        })
        .collect();
    response.next = why.next.as_ref().map(|next| pb::NextUp {
        operator: Some(candidate(&next.keys)),
        free: next.is_free,
        before: count(next.before),
    });
    response
}

pub(crate) fn not_me(answer: &NotMe) -> pb::WhyNotMeResponse {
    let why = &answer.why;
    pb::WhyNotMeResponse {
        at: Some(timestamp(answer.at)),
        operator: Some(candidate(&why.keys)),
        barred: why.barred.map_or("", Rule::name).to_owned(),
        cool_down_until: why.cool_down_until.map(timestamp),
        queues: why.queues.iter().map(queue_outlook).collect(),
        partial: answer.is_partial,
    }
}

fn queue_outlook(outlook: &QueueOutlook) -> pb::QueueOutlook {
    pb::QueueOutlook {
        queue_id: outlook.queue.to_string(),
        rank: outlook.rank,
        strategy: outlook.strategy.name().to_owned(),
        waiting: count(outlook.waiting),
        before_me: count(outlook.before_me),
        head: outlook.head.as_ref().map(head),
    }
}

fn head(head: &Head) -> pb::QueueHead {
    let mut found = pb::QueueHead {
        conversation_id: head.conversation.to_string(),
        eligible_at: Some(timestamp(head.eligible_at)),
        ..pb::QueueHead::default()
    };
    let why = match &head.why {
        NotYours::KeptOut(rule) => rule.name(),
        NotYours::MissingSkills { missing, until } => {
            found.missing_skills = names(missing);
            found.until = until.map(timestamp);
            Rule::MissingSkill.name()
        }
        NotYours::Held { operator, until } => {
            found.operator_id = operator.to_string();
            found.until = Some(timestamp(*until));
            Rule::HeldForOther.name()
        }
        NotYours::Paused { until } => {
            found.until = Some(timestamp(*until));
            "paused"
        }
        NotYours::OtherFirst { operator } => {
            found.operator_id = operator.to_string();
            "other_first"
        }
        NotYours::HasBetter { queue } => {
            found.queue_id = queue.to_string();
            Rule::HasBetter.name()
        }
        NotYours::TakeIt => "take_it",
        NotYours::Yours => "yours",
    };
    why.clone_into(&mut found.why);
    found
}

pub(crate) fn proof(proof: &Proof) -> pb::GetProofResponse {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    pb::GetProofResponse {
        since: Some(timestamp(proof.since)),
        looked_at: Some(timestamp(proof.looked_at)),
        offers: number(proof.offers),
        offers_not_judged: number(proof.not_judged),
        offers_in_part: number(proof.in_part),
        rows: number(proof.rows),
        laws: Law::ALL
            .into_iter()
            .map(|law| pb::Law {
                name: law.name().to_owned(),
                violations: number(proof.broken.get(&law).copied().unwrap_or(0)),
            })
            .collect(),
        violations: proof.found.iter().map(violation).collect(),
    }
}

fn violation(finding: &Finding) -> pb::Violation {
    pb::Violation {
        law: finding.law.name().to_owned(),
        at: Some(timestamp(finding.at)),
        conversation_id: finding
            .conversation
            .map(|id| id.to_string())
            .unwrap_or_default(),
        operator_id: finding
            .operator
            .map(|id| id.to_string())
            .unwrap_or_default(),
        detail: finding.detail.clone(),
    }
}

fn names(skills: &Skills) -> Vec<String> {
    skills.iter().map(ToOwned::to_owned).collect()
}

fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
