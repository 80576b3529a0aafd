//! An event as it is stored and published: one CloudEvents 1.0 JSON document, made once, at commit.
//!
//! Those bytes are what PostgreSQL stores, what NATS carries, what a Merkle leaf hashes and what an auditor exports.
//! Extension attributes of CloudEvents are lower-case and 32-bit at most when they are numbers, so positions and
//! versions are decimal strings.

use bytes::Bytes;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use uuid::Uuid;

/// An event of a log: its position and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Position in the log, from 1.
    pub position: u64,
    /// The CloudEvents document.
    pub bytes: Bytes,
}

impl Recorded {
    /// Reads everything but the event's own data.
    pub fn envelope(&self) -> Result<Envelope<'_>, serde_json::Error> {
        serde_json::from_slice(&self.bytes)
    }

    /// RFC 6962 leaf hash of the stored bytes: SHA-256 over a zero byte and the document.
    #[must_use]
    pub fn leaf_hash(&self) -> [u8; 32] {
        leaf_hash(&self.bytes)
    }

    /// Subject that the event is published on: `<prefix>.<aggregate>.<event>`.
    pub fn nats_subject(&self, prefix: &str) -> Result<String, serde_json::Error> {
        #[derive(Deserialize)]
        struct Names<'a> {
            #[serde(rename = "type", borrow)]
            event_type: Cow<'a, str>,
            #[serde(borrow)]
            subject: Cow<'a, str>,
        }
        let names: Names<'_> = serde_json::from_slice(&self.bytes)?;
        let aggregate = names.subject.split('/').next().unwrap_or_default();
        let event = names.event_type.rsplit('.').next().unwrap_or_default();
        Ok(format!("{prefix}.{aggregate}.{event}"))
    }
}

/// RFC 6962 leaf hash of an event's bytes.
#[must_use]
pub fn leaf_hash(bytes: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(bytes);
    hasher.finalize().into()
}

/// The attributes of an event beside its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope<'a> {
    /// Always "1.0".
    #[serde(borrow)]
    pub specversion: Cow<'a, str>,
    /// The event's own UUID, time-ordered.
    pub id: Uuid,
    /// Log that it belongs to: `/concord/<cell>/<log>/<generation>`.
    #[serde(borrow)]
    pub source: Cow<'a, str>,
    /// Event type with its package, for example `concord.fund.v1.GrantApproved`.
    /// Written with the event itself, so not from here.
    #[serde(rename = "type", borrow, skip_serializing)]
    pub event_type: Cow<'a, str>,
    /// Aggregate whose stream it is in: `<kind>/<uuid>`.
    #[serde(borrow)]
    pub subject: Cow<'a, str>,
    /// When the log learned it (`recorded_at`), RFC 3339 in UTC, microseconds.
    pub time: jiff::Timestamp,
    /// Always "application/json".
    #[serde(borrow)]
    pub datacontenttype: Cow<'a, str>,
    /// Position in the log.
    #[serde(with = "decimal")]
    pub position: u64,
    /// Version of the aggregate's stream, from 1.
    #[serde(with = "decimal")]
    pub version: u64,
    /// Position of the previous event of this type, 0 for the first: who follows one type only can still see a gap.
    #[serde(with = "decimal")]
    pub previousoftype: u64,
    /// Calendar date on which it happened, in Asia/Shanghai.
    pub effectiveon: Date,
    /// Version of the rulebook that the procedure followed.
    #[serde(borrow)]
    pub rulebook: Cow<'a, str>,
    /// Version of the rulebook that the award's terms follow, once there is a contract.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub termsrulebook: Option<Cow<'a, str>>,
    /// Opaque id of the acting person.
    #[serde(borrow)]
    pub actor: Cow<'a, str>,
    /// Organisation that the person acts for.
    #[serde(borrow)]
    pub actororg: Cow<'a, str>,
    /// How sure we are of the actor: `asserted`, later `authenticated`.
    #[serde(borrow)]
    pub assurance: Cow<'a, str>,
    /// Request id of the command.
    pub requestid: Uuid,
    /// SHA-256 of the command's body, in hexadecimal.
    #[serde(borrow)]
    pub bodyhash: Cow<'a, str>,
    /// Number of the authority document 文号.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<Cow<'a, str>>,
    /// Archive number 档号.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub archivenumber: Option<Cow<'a, str>>,
    /// SHA-256 of the attachments, in hexadecimal, separated by spaces.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Cow<'a, str>>,
    /// Event that caused the command.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub causationid: Option<Cow<'a, str>>,
    /// What ties the commands of one affair together.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<Cow<'a, str>>,
    /// W3C trace context of the command.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<Cow<'a, str>>,
}

/// Writes the document: the envelope's attributes, then the event's own `type` and `data`. The one serialization.
///
/// # Errors
/// Where a value cannot be written as JSON.
pub fn write<E: Serialize>(envelope: &Envelope<'_>, event: &E) -> Result<Bytes, serde_json::Error> {
    let mut document = Vec::with_capacity(1024);
    serde_json::to_writer(&mut document, envelope)?;
    // Two objects become one: the closing brace of the first goes, the opening one of the second becomes a comma.
    document.pop();
    let joint = document.len();
    serde_json::to_writer(&mut document, event)?;
    if let Some(brace) = document.get_mut(joint) {
        *brace = b',';
    }
    Ok(Bytes::from(document))
}

/// An event type as the chassis needs to know it. The enum itself is the stored and published JSON: adjacently
/// tagged, `type` and `data`, so that it reads straight from the CloudEvents document.
pub trait LogEvent:
    Serialize + serde::de::DeserializeOwned + Clone + std::fmt::Debug + Send + Sync + 'static
{
    /// The aggregate whose stream the event is in, as kind and id.
    fn stream(&self) -> (&'static str, Uuid);
    /// Further states that the event is applied to.
    fn also(&self) -> Vec<Uuid>;
    /// Name of the event with its package, as in the document.
    fn type_name(&self) -> &'static str;
    /// The new today, where the event moves a played clock.
    fn advances_today(&self) -> Option<Date>;
    /// The event that moves a played clock.
    fn today_advanced(today: Date) -> Self;
}

/// A `u64` as a decimal string.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::borrow::Cow;

    pub(super) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}
