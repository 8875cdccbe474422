use domain::message::{Attachment, Delivery};
use domain::rating::Score;
use domain::{ConversationId, LineId, Timestamp};
use serde::{Deserialize, Serialize};

use super::identify::User;
use super::protocol::Profile;

/// What the journal keeps of one thing a visitor did.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Entry {
    pub(super) line: LineId,
    pub(super) visitor_id: String,
    pub(super) at: Timestamp,
    pub(super) facts: Facts,
    pub(super) did: Did,
}

/// What is known of a visitor for as long as they are connected.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Facts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<User>,
    #[serde(default)]
    pub(super) profile: Profile,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) locale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) referrer: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Did {
    Write {
        client_id: String,
        text: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachments: Vec<Attachment>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<String>,
    },
    React {
        client_id: String,
        target: String,
        emoji: String,
    },
    /// Messages of ours got so far.
    See {
        cursor: i64,
        targets: Vec<String>,
        delivery: Delivery,
    },
    Rate {
        client_id: String,
        conversation: ConversationId,
        score: Score,
        comment: String,
    },
    /// A number was left.
    Callback {
        client_id: String,
        phone: String,
        comment: String,
    },
    /// A signed identity was spent: kept so that no node takes it again.
    Identify { jti: String },
}

impl Entry {
    /// Dedupe key within the line. A receipt's is that of the last message it is
    /// about: the same messages are seen and read once.
    pub(super) fn event_key(&self) -> String {
        let visitor_id = &self.visitor_id;
        match &self.did {
            Did::Write { client_id, .. } => format!("m:{visitor_id}:{client_id}"),
            Did::React { client_id, .. } => format!("x:{visitor_id}:{client_id}"),
            Did::See {
                cursor, delivery, ..
            } => {
                let verb = if *delivery == Delivery::Read {
                    "r"
                } else {
                    "d"
                };
                format!("{verb}:{visitor_id}:{cursor}")
            }
            Did::Rate { client_id, .. } => format!("s:{visitor_id}:{client_id}"),
            Did::Callback { client_id, .. } => format!("c:{visitor_id}:{client_id}"),
            Did::Identify { jti } => format!("i:{jti}"),
        }
    }
}
