//! Names of things. A number is made by the store's writer and rises with time; a
//! name comes from the configuration or from a foreign program.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Things that have ids.
pub mod of {
    /// See [`super::ConversationId`].
    #[derive(Debug)]
    pub enum Conversation {}
    /// See [`super::ThreadId`].
    #[derive(Debug)]
    pub enum Thread {}
    /// See [`super::MessageId`].
    #[derive(Debug)]
    pub enum Message {}
    /// See [`super::OfferId`].
    #[derive(Debug)]
    pub enum Offer {}
    /// See [`super::OperatorId`].
    #[derive(Debug)]
    pub enum Operator {}
    /// See [`super::LineId`].
    #[derive(Debug)]
    pub enum Line {}
    /// See [`super::QueueId`].
    #[derive(Debug)]
    pub enum Queue {}
    /// See [`super::ContactId`].
    #[derive(Debug)]
    pub enum Contact {}
    /// See [`super::ObligationId`].
    #[derive(Debug)]
    pub enum Obligation {}
}

/// One handling cycle of one contact on one line; unique in the store.
pub type ConversationId = Number<of::Conversation>;
/// A (line, thread key) pair; unique in the store.
pub type ThreadId = Number<of::Thread>;
/// A message or note; unique in the store, rises in the order of storing.
pub type MessageId = Number<of::Message>;
/// An offer; unique in the store.
pub type OfferId = Number<of::Offer>;
/// An operator; unique in the store.
pub type OperatorId = Number<of::Operator>;
/// A promise to a client; unique in the store.
pub type ObligationId = Number<of::Obligation>;
/// A line, as the configuration names it.
pub type LineId = Name<of::Line>;
/// A queue, as the configuration names it.
pub type QueueId = Name<of::Queue>;
/// A contact, as its directory names it; opaque.
pub type ContactId = Name<of::Contact>;

/// An id that the store's writer makes.
pub struct Number<Of>(i64, PhantomData<fn() -> Of>);

/// An id that somebody else makes.
pub struct Name<Of>(Arc<str>, PhantomData<fn() -> Of>);

/// The text is not an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id: ids are positive numbers")]
pub struct NotAnId;

impl<Of> Number<Of> {
    /// Takes a number that the store made.
    pub const fn new(raw: i64) -> Self {
        Self(raw, PhantomData)
    }

    /// The number, for the store.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl<Of> Name<Of> {
    /// Takes a name as it is.
    pub fn new(raw: impl Into<Arc<str>>) -> Self {
        Self(raw.into(), PhantomData)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<Of> Clone for Number<Of> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Of> Copy for Number<Of> {}

impl<Of> PartialEq for Number<Of> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<Of> Eq for Number<Of> {}

impl<Of> PartialOrd for Number<Of> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<Of> Ord for Number<Of> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<Of> Hash for Number<Of> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<Of> fmt::Debug for Number<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl<Of> fmt::Display for Number<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<Of> FromStr for Number<Of> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        match text.parse::<i64>() {
            Ok(raw) if raw > 0 => Ok(Self::new(raw)),
            Ok(_) | Err(_) => Err(NotAnId),
        }
    }
}

impl<Of> Serialize for Number<Of> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, Of> Deserialize<'de> for Number<Of> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::new)
    }
}

impl<Of> Clone for Name<Of> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0), PhantomData)
    }
}

impl<Of> PartialEq for Name<Of> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<Of> Eq for Name<Of> {}

impl<Of> PartialOrd for Name<Of> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<Of> Ord for Name<Of> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<Of> Hash for Name<Of> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<Of> fmt::Debug for Name<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<Of> fmt::Display for Name<Of> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<Of> From<&str> for Name<Of> {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl<Of> Serialize for Name<Of> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de, Of> Deserialize<'de> for Name<Of> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}
