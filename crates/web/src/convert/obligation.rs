use domain::obligation::{Kind, Maker, Notice, Obligation, Rule, Stage, State, Wish};
use engine::contacts::convert::timestamp;
use proto::inbox::v1 as pb;

use super::{client, id};

pub(crate) fn obligation(obligation: &Obligation) -> pb::Obligation {
    let (by, rule) = match obligation.created_by {
        Maker::Operator(operator) => (Some(operator), ""),
        Maker::Program => (None, ""),
        Maker::Rule(rule) => (None, rule_name(rule)),
    };
    let (ended_by, waive_reason) = match &obligation.state {
        State::Open { .. } | State::Broken { .. } => (None, ""),
        State::Kept { by, .. } | State::Late { by, .. } => (*by, ""),
        State::Waived { by, reason, .. } => (*by, reason.as_str()),
    };
    pb::Obligation {
        kind: kind(obligation.kind).into(),
        contact: Some(client(&obligation.client)),
        conversation_id: text(obligation.conversation.as_ref()),
        line_id: text(obligation.line.as_ref()),
        note: obligation.note.clone(),
        reach: obligation.reach.clone(),
        created_at: Some(timestamp(obligation.created_at)),
        created_by_operator_id: id(by),
        created_by_rule: rule.to_owned(),
        promised_for: Some(timestamp(obligation.promised_for)),
        due_at: Some(timestamp(obligation.due_at)),
        ended_at: obligation.ended_at().map(timestamp),
        ended_by_operator_id: id(ended_by),
        waive_reason: waive_reason.to_owned(),
        moves: obligation
            .moves
            .iter()
            .map(|moved| pb::ObligationMove {
                at: Some(timestamp(moved.at)),
                operator_id: id(moved.by),
                from: Some(timestamp(moved.from)),
                to: Some(timestamp(moved.to)),
                wish: wish(moved.wish).into(),
                reason: moved.reason.clone(),
            })
            .collect(),
        ..bare(obligation)
    }
}

/// A promise without what was said and who it was made to.
pub(super) fn bare(obligation: &Obligation) -> pb::Obligation {
    let mut stage = pb::ObligationStage::Unspecified;
    let standing = match obligation.state {
        State::Open { stage: open, .. } => {
            stage = match open {
                Stage::Promised => pb::ObligationStage::Promised,
                Stage::Reminded => pb::ObligationStage::Reminded,
                Stage::Due => pb::ObligationStage::Due,
            };
            pb::ObligationState::Open
        }
        State::Kept { .. } => pb::ObligationState::Kept,
        State::Late { .. } => pb::ObligationState::Late,
        State::Broken { .. } => pb::ObligationState::Broken,
        State::Waived { .. } => pb::ObligationState::Waived,
    };
    pb::Obligation {
        id: obligation.id.to_string(),
        queue_id: obligation.queue.to_string(),
        operator_id: id(obligation.owner),
        state: standing.into(),
        stage: stage.into(),
        escalated: obligation.escalated().is_some(),
        version: obligation.version,
        ..pb::Obligation::default()
    }
}

pub(super) fn due(promise: &Obligation, notice: Notice) -> pb::ObligationDue {
    let notice = match notice {
        Notice::Soon => pb::ObligationNotice::Soon,
        Notice::Due => pb::ObligationNotice::Due,
        Notice::Escalated => pb::ObligationNotice::Escalated,
        Notice::Broken => pb::ObligationNotice::Broken,
    };
    pb::ObligationDue {
        obligation: Some(obligation(promise)),
        notice: notice.into(),
    }
}

/// What is promised, if nothing else is said: a call.
pub(crate) fn kind_from(kind: pb::ObligationKind) -> Kind {
    match kind {
        pb::ObligationKind::Unspecified | pb::ObligationKind::Callback => Kind::Callback,
        pb::ObligationKind::Reply => Kind::Reply,
        pb::ObligationKind::Other => Kind::Other,
    }
}

fn kind(kind: Kind) -> pb::ObligationKind {
    match kind {
        Kind::Callback => pb::ObligationKind::Callback,
        Kind::Reply => pb::ObligationKind::Reply,
        Kind::Other => pb::ObligationKind::Other,
    }
}

fn wish(wish: Wish) -> pb::ObligationWish {
    match wish {
        Wish::Client => pb::ObligationWish::Client,
        Wish::Ours => pb::ObligationWish::Ours,
    }
}

const fn rule_name(rule: Rule) -> &'static str {
    match rule {
        Rule::OnAbandoned => "on_abandoned",
        Rule::OnMissedCall => "on_missed_call",
        Rule::OnDiverted => "on_diverted",
    }
}

fn text(id: Option<&impl ToString>) -> String {
    id.map(ToString::to_string).unwrap_or_default()
}
