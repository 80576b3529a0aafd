//! What a log needs to know of an event type.
//!
//! It stands here because the published language (the events) and the mechanism (the log) must not know each other.

use crate::Date;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt;
use uuid::Uuid;

/// Which aggregate: its kind and its id together. Ids of different kinds are different keys, so nobody who chooses an id stands
/// in the way of one that follows from something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId {
    /// Kind of aggregate, as it stands before the slash in a CloudEvents subject, for example `grant`.
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
}

impl StreamId {
    /// The stream of the log itself.
    pub const LOG: Self = Self::new("log", Uuid::nil());

    /// The aggregate of this kind with this id.
    #[must_use]
    pub const fn new(kind: &'static str, id: Uuid) -> Self {
        Self { kind, id }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.id)
    }
}

/// An event type. The enum itself is the stored and published JSON: adjacently tagged, `type` and `data`, so that it
/// reads straight from the CloudEvents document.
pub trait LogEvent: Serialize + DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + 'static {
    /// The aggregate whose stream the event is in; [`StreamId::LOG`] for the log's own.
    fn stream(&self) -> StreamId;
    /// Further states that the event is applied to.
    fn also(&self) -> Vec<StreamId>;
    /// Name of the event with its package, as in the document.
    fn type_name(&self) -> &'static str;
    /// The new today, where the event moves a played clock.
    fn advances_today(&self) -> Option<Date>;
    /// The event that moves a played clock.
    fn today_advanced(today: Date) -> Self;
    /// Reads the event of a CloudEvents document. A type that many crates read says this itself, so that its code is compiled
    /// once, where it is, and not in each of them.
    ///
    /// # Errors
    /// Where the document is none, or its type is not one of these.
    fn read(document: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(document)
    }
    /// Adds the event's own JSON object, as [`LogEvent::read`] reads it, and to the same end.
    ///
    /// # Errors
    /// Where a value cannot be written as JSON.
    fn write(&self, document: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(document, self)
    }
    /// How stored events of types that are no longer written become today's. What is stored stays as it is.
    fn upcasters() -> &'static [Upcaster] {
        &[]
    }
}

/// Turns a stored event of an older type into the next one, when it is read.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    /// Type as it is stored, for example `concord.fund.v1.GrantApproved`.
    pub from: &'static str,
    /// Type that it is read as, for example `concord.fund.v2.GrantApproved`.
    pub to: &'static str,
    /// Changes the event's `data`. It must succeed on every stored event of its type: golden files show that.
    pub change: fn(&mut serde_json::Value),
}
