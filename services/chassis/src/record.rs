//! An event as it is stored and published: one CloudEvents 1.0 JSON document, made once, at commit.
//!
//! Those bytes are what PostgreSQL stores, what NATS carries, what a Merkle leaf hashes and what an auditor exports.
//! Extension attributes of CloudEvents are lower-case and 32-bit at most when they are numbers, so positions and
//! versions are decimal strings.

use bytes::Bytes;
pub use concord_kernel::event::{LogEvent, StreamId, Upcaster};
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
    #[serde(serialize_with = "six_digits")]
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
    /// Position of the command's last event, where it has several: who holds some of them can tell whether they are all.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub commandlast: Option<Cow<'a, str>>,
    /// What the reply said beside the positions, as a JSON object: on the command's last event, where there is anything.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Cow<'a, str>>,
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

impl Envelope<'_> {
    /// Position of the last event of its command: its own, where the command has no other.
    ///
    /// # Errors
    /// Where the attribute is no position.
    pub fn decision_last(&self) -> Result<u64, std::num::ParseIntError> {
        self.commandlast.as_deref().map_or(Ok(self.position), str::parse)
    }
}

/// Writes the document: the envelope's attributes, then the event's own `type` and `data`. The one serialization.
///
/// # Errors
/// Where a value cannot be written as JSON.
pub fn write<E: LogEvent>(envelope: &Envelope<'_>, event: &E) -> Result<Bytes, serde_json::Error> {
    joined(envelope, |document| event.write(document))
}

/// The envelope's attributes and those that `add` writes as an object behind them, as one object.
fn joined(
    envelope: &Envelope<'_>,
    add: impl FnOnce(&mut Vec<u8>) -> Result<(), serde_json::Error>,
) -> Result<Bytes, serde_json::Error> {
    let mut document = Vec::with_capacity(1024);
    serde_json::to_writer(&mut document, envelope)?;
    // Two objects become one: the closing brace of the first goes, the opening one of the second becomes a comma.
    document.pop();
    let joint = document.len();
    add(&mut document)?;
    if let Some(brace) = document.get_mut(joint) {
        *brace = b',';
    }
    Ok(Bytes::from(document))
}

/// Reads a stored event, as it was written or through the upcasters of its type.
///
/// # Errors
/// Where the document is none, or no type of `E` is its type.
pub fn read<E: LogEvent>(recorded: &Recorded) -> Result<(Envelope<'_>, E), serde_json::Error> {
    let envelope = recorded.envelope()?;
    let event = match E::upcasters().iter().find(|upcaster| upcaster.from == envelope.event_type) {
        None => E::read(&recorded.bytes)?,
        Some(first) => upcast(*first, &recorded.bytes)?,
    };
    Ok((envelope, event))
}

/// Takes an event through its upcasters, one after another, to the type that is read today.
fn upcast<E: LogEvent>(first: Upcaster, bytes: &[u8]) -> Result<E, serde_json::Error> {
    let mut document: serde_json::Value = serde_json::from_slice(bytes)?;
    let mut data = document["data"].take();
    let mut next = Some(&first);
    let mut now = first.from;
    // Each step at most once: a table that leads in a circle ends at a type that does not read.
    for _ in 0..=E::upcasters().len() {
        let Some(upcaster) = next else { break };
        (upcaster.change)(&mut data);
        now = upcaster.to;
        next = E::upcasters().iter().find(|upcaster| upcaster.from == now);
    }
    serde_json::from_value(serde_json::json!({ "type": now, "data": data }))
}

/// An instant with all six digits, so that texts order as instants do.
fn six_digits<S: serde::Serializer>(time: &jiff::Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(&format_args!("{time:.6}"))
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    /// An event type that was renamed once and then given its amount in minor units.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "type", content = "data")]
    enum Paid {
        #[serde(rename = "test.v3.Paid")]
        Paid { amount_minor: i64 },
    }

    impl LogEvent for Paid {
        fn stream(&self) -> StreamId {
            StreamId::new("payment", Uuid::max())
        }
        fn also(&self) -> Vec<StreamId> {
            Vec::new()
        }
        fn type_name(&self) -> &'static str {
            "test.v3.Paid"
        }
        fn advances_today(&self) -> Option<Date> {
            None
        }
        fn today_advanced(_: Date) -> Self {
            Self::Paid { amount_minor: 0 }
        }
        fn upcasters() -> &'static [Upcaster] {
            &[
                Upcaster { from: "test.v1.Payed", to: "test.v2.Paid", change: |_| {} },
                Upcaster {
                    from: "test.v2.Paid",
                    to: "test.v3.Paid",
                    change: |data| {
                        let amount = data["amount"].as_i64().unwrap_or_default();
                        *data = serde_json::json!({ "amount_minor": amount * 100 });
                    },
                },
            ]
        }
    }

    fn stored(event_type: &str, data: &str) -> Recorded {
        let envelope = Envelope {
            specversion: "1.0".into(),
            id: Uuid::max(),
            source: "/concord/test/payments/1".into(),
            event_type: event_type.into(),
            subject: "payment/1".into(),
            time: jiff::Timestamp::UNIX_EPOCH,
            datacontenttype: "application/json".into(),
            position: 7,
            version: 1,
            previousoftype: 0,
            effectiveon: jiff::civil::date(2012, 9, 15),
            rulebook: "2012-09".into(),
            termsrulebook: None,
            actor: "p1".into(),
            actororg: "o1".into(),
            assurance: "asserted".into(),
            requestid: Uuid::max(),
            bodyhash: "00".into(),
            commandlast: None,
            answer: None,
            authority: None,
            archivenumber: None,
            attachments: None,
            causationid: None,
            correlationid: None,
            traceparent: None,
        };
        let event: serde_json::Value =
            serde_json::from_str(&format!(r#"{{"type":"{event_type}","data":{data}}}"#)).unwrap();
        let bytes = joined(&envelope, |document| serde_json::to_writer(document, &event));
        Recorded { position: 7, bytes: bytes.unwrap() }
    }

    #[test]
    fn an_event_reads_as_it_was_written() {
        let recorded = stored("test.v3.Paid", r#"{"amount_minor":4200}"#);
        let (envelope, event) = read::<Paid>(&recorded).unwrap();
        assert_eq!(event, Paid::Paid { amount_minor: 4200 });
        assert_eq!((envelope.position, &*envelope.event_type), (7, "test.v3.Paid"));
    }

    #[test]
    fn an_old_type_goes_through_every_upcaster_and_the_stored_bytes_stay() {
        let recorded = stored("test.v1.Payed", r#"{"amount":42}"#);
        let before = recorded.bytes.clone();
        let (envelope, event) = read::<Paid>(&recorded).unwrap();
        assert_eq!(event, Paid::Paid { amount_minor: 4200 });
        assert_eq!(envelope.event_type, "test.v1.Payed");
        assert_eq!(recorded.bytes, before);
    }

    #[test]
    fn an_unknown_type_does_not_read() {
        assert!(read::<Paid>(&stored("test.v9.Paid", "{}")).is_err());
    }
}
