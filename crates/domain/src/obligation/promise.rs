use super::{Kind, Rule, Rules};
use crate::message::Medium;
use crate::{Millis, Timestamp};

/// What a rule looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occasion {
    /// What happened.
    pub rule: Rule,
    /// The medium it came by.
    pub medium: Medium,
    /// The client's phone, if one is known.
    pub phone: Option<String>,
    /// The client's address on the channel, if there is one.
    pub address: Option<String>,
}

/// What a rule promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// To call or to write.
    pub kind: Kind,
    /// By when.
    pub due_at: Timestamp,
    /// Where the client is reached, or empty.
    pub reach: String,
}

/// What a queue's rules promise to a client whom nobody answered; none when they
/// promise nothing, or when there is no way to reach the client.
///
/// `after` tells the moment at which so much time has passed: `|now, span| now + span`
/// if the clock goes round, and with opening hours what is left of them is skipped.
pub fn promise_for(
    occasion: &Occasion,
    rules: &Rules,
    now: Timestamp,
    after: impl FnOnce(Timestamp, Millis) -> Timestamp,
) -> Option<Promise> {
    let within = rules.callback_within?;
    let by_phone = match occasion.medium {
        Medium::Voice => true,
        // Who left a site cannot be written to there; who left a messenger can.
        Medium::Chat | Medium::Form => occasion.phone.is_some(),
        Medium::Messenger | Medium::Sms | Medium::Email => false,
    };
    let (kind, reach) = match occasion.rule {
        Rule::OnMissedCall => (Kind::Callback, occasion.phone.as_ref()),
        Rule::OnAbandoned | Rule::OnDiverted if by_phone => {
            (Kind::Callback, occasion.phone.as_ref())
        }
        Rule::OnAbandoned | Rule::OnDiverted => (Kind::Reply, occasion.address.as_ref()),
    };
    let reach = reach.or(occasion.address.as_ref())?.clone();
    Some(Promise {
        kind,
        due_at: after(now, within),
        reach,
    })
}
