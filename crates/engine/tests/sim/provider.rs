//! What is on the other side of the lines: it brings what clients write, and takes what
//! they are answered, more or less well.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use channels::{Capability, Channel, Descriptor, Host, Kind, Malformed, SendError};
use domain::message::{Delivery, Inbound, Medium, Outbound, Receipt};
use domain::{MessageId, Millis, ThreadId};

use crate::dice::Dice;

/// The kinds of channel: calls, chats at a page, messages, letters.
pub(crate) static KINDS: [Kind; 4] = [kind(&CALLS), kind(&CHATS), kind(&MESSAGES), kind(&LETTERS)];

static CALLS: Descriptor = descriptor("sim-calls", Medium::Voice, &[], false);
static CHATS: Descriptor = descriptor(
    "sim-chats",
    Medium::Chat,
    &[
        Capability::Reply,
        Capability::QueueNotices,
        Capability::Callback,
        Capability::Rating,
    ],
    true,
);
static MESSAGES: Descriptor = descriptor(
    "sim-messages",
    Medium::Messenger,
    &[Capability::Reply],
    false,
);
static LETTERS: Descriptor = descriptor("sim-letters", Medium::Email, &[Capability::Reply], false);

const fn descriptor(
    kind: &'static str,
    medium: Medium,
    capabilities: &'static [Capability],
    idempotent_send: bool,
) -> Descriptor {
    Descriptor {
        kind,
        display_name: kind,
        medium,
        capabilities,
        text_length_max: 4_096,
        attachment_bytes_max: 1 << 20,
        delivery_bytes_max: 1 << 20,
        idempotent_send,
    }
}

const fn kind(descriptor: &'static Descriptor) -> Kind {
    Kind {
        descriptor,
        build: |_| Err(Vec::new()),
        normalize,
        example: "",
    }
}

fn normalize(raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
    let read: Inbound =
        serde_json::from_slice(raw).map_err(|error| Malformed(error.to_string()))?;
    Ok(vec![read])
}

/// What was handed over, whatever becomes of the gateway.
pub(crate) struct Provider {
    dice: Mutex<Dice>,
    fails: AtomicBool,
    handed: Mutex<BTreeMap<ThreadId, Vec<MessageId>>>,
}

impl Provider {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Mutex::new(Dice::new(seed)),
            fails: AtomicBool::new(true),
            handed: Mutex::default(),
        }
    }

    /// From now on everything is taken.
    pub(crate) fn heal(&self) {
        self.fails.store(false, Ordering::Relaxed);
    }

    /// What was taken, in order, by thread.
    pub(crate) fn handed(&self) -> BTreeMap<ThreadId, Vec<MessageId>> {
        let handed = self.handed.lock();
        handed.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn roll(&self) -> (Duration, u64) {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        let fails = self.fails.load(Ordering::Relaxed);
        (
            Duration::from_millis(dice.below(300)),
            if fails { dice.below(12) } else { 11 },
        )
    }

    fn take(&self, outbound: &Outbound) {
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = handed.entry(outbound.recipient.thread).or_default();
        taken.push(outbound.message);
    }
}

/// A line of the provider's.
pub(crate) struct Connection {
    pub(crate) kind: &'static Kind,
    pub(crate) provider: Arc<Provider>,
}

#[async_trait]
impl Channel for Connection {
    fn descriptor(&self) -> &'static Descriptor {
        self.kind.descriptor
    }

    fn normalize(&self, raw: &[u8]) -> Result<Vec<Inbound>, Malformed> {
        normalize(raw)
    }

    async fn send(&self, outbound: &Outbound, _: &Arc<dyn Host>) -> Result<Receipt, SendError> {
        let (pause, outcome) = self.provider.roll();
        tokio::time::sleep(pause).await;
        let reason = String::from("so say the dice");
        match outcome {
            0 => Err(SendError::RetryAfter {
                after: Millis(1_500),
                reason,
            }),
            1 => Err(SendError::Rejected {
                operator_text: reason,
            }),
            2 => Err(SendError::Uncertain(reason)),
            3 => {
                self.provider.take(outbound);
                Err(SendError::Uncertain(reason))
            }
            _ => {
                self.provider.take(outbound);
                tokio::time::sleep(pause).await;
                Ok(Receipt {
                    delivery: Delivery::Sent,
                    message_id: Some(format!("p{}", outbound.message)),
                    error_text: String::new(),
                })
            }
        }
    }
}
