//! Answers that are not a success, with `google.rpc` details.
//!
//! Details travel in a header, and clients refuse headers from about 8 KiB on. So messages, violations and metadata
//! are bounded here, and what does not fit is left out from the end.

use super::shortened;
use crate::position::NotReached;
use prost::Message;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, StatusExt};
use uuid::Uuid;

pub use tonic_types::PreconditionViolation;

/// Longest message, in bytes. One that is not ASCII takes up to three times as much on the wire.
const MESSAGE_BYTES_MAX: usize = 512;
/// Longest description of one violation, in bytes.
const DESCRIPTION_BYTES_MAX: usize = 512;
/// Most that all violations take together, in bytes.
const VIOLATIONS_BYTES_MAX: usize = 2048;
/// Most that the metadata of `ErrorInfo` takes, in bytes.
const METADATA_BYTES_MAX: usize = 1024;
/// When to try again what has no better estimate.
const RETRY_SOON: Duration = Duration::from_secs(1);

/// When to try again where somebody has to see to it first.
const RETRY_AFTER_RECOVERY: Duration = Duration::from_secs(60);

/// `INVALID_ARGUMENT`, reason `MALFORMED_REQUEST`. See [`super::Violations`]. The edge has neither metadata nor a Chinese
/// message to give; a decision has both.
pub(super) fn malformed(
    domain: &str,
    (message, message_zh): (String, Option<String>),
    metadata: HashMap<String, String>,
    violations: Vec<FieldViolation>,
) -> Status {
    let mut details = info("MALFORMED_REQUEST", domain, metadata);
    let shortened = violations.into_iter().map(|fault| {
        let description = shortened(&fault.description, DESCRIPTION_BYTES_MAX);
        FieldViolation::new(shortened(&fault.field, 200), description)
    });
    let sized = |fault: &FieldViolation| fault.field.len() + fault.description.len();
    details.set_bad_request(within_budget(shortened, sized));
    tell_in_chinese(&mut details, message_zh);
    answer(Code::InvalidArgument, &message, details)
}

/// A rule or the stage forbids it: `FAILED_PRECONDITION` with a `PreconditionFailure`.
///
/// `reason` is the stable code of the first broken rule, `metadata` the facts that were weighed, and each violation a
/// broken rule: its code, what it is about, and a sentence.
#[must_use]
pub fn refused(
    domain: &str,
    reason: &str,
    message: String,
    metadata: HashMap<String, String>,
    violations: Vec<PreconditionViolation>,
) -> Status {
    refused_as(Code::FailedPrecondition, domain, reason, (message, None), metadata, violations)
}

/// As [`refused`], with a code of its own: `NOT_FOUND`, `ALREADY_EXISTS` and `UNAVAILABLE` are refusals too where a decision
/// found them, and tell the same facts; the last says when to try again. The message may come in Chinese too: it travels as a `LocalizedMessage`.
#[must_use]
pub fn refused_as(
    code: Code,
    domain: &str,
    reason: &str,
    (message, message_zh): (String, Option<String>),
    metadata: HashMap<String, String>,
    violations: Vec<PreconditionViolation>,
) -> Status {
    let mut details = info(reason, domain, metadata);
    let shortened = violations.into_iter().map(|mut broken| {
        broken.description = shortened(&broken.description, DESCRIPTION_BYTES_MAX);
        broken
    });
    let sized = |broken: &PreconditionViolation| {
        broken.r#type.len() + broken.subject.len() + broken.description.len()
    };
    details.set_precondition_failure(within_budget(shortened, sized));
    if code == Code::Unavailable {
        details.set_retry_info(Some(RETRY_SOON));
    }
    tell_in_chinese(&mut details, message_zh);
    answer(code, &message, details)
}

/// The aggregate has moved on since the caller read it: `ABORTED`, reason `STALE_VERSION`. `subject` names the
/// aggregate, for example "grant/0190b1f0-…".
#[must_use]
pub fn stale_version(domain: &str, subject: &str, expected: u64, actual: u64) -> Status {
    let metadata = facts([
        ("subject", subject.to_owned()),
        ("expected_version", expected.to_string()),
        ("actual_version", actual.to_string()),
    ]);
    let message = format!(
        "{subject} is at version {actual}, and the request expects {expected}; read it again, and decide on what it \
         says now"
    );
    answer(Code::Aborted, &message, info("STALE_VERSION", domain, metadata))
}

/// The request id belongs to another command: `ALREADY_EXISTS`, reason `REQUEST_ID_REUSED`.
#[must_use]
pub fn request_id_reused(domain: &str, request_id: Uuid) -> Status {
    let metadata = facts([("request_id", request_id.to_string())]);
    let message = format!(
        "request_id {request_id} was accepted with another content; repeat that very command, or choose a new id"
    );
    answer(Code::AlreadyExists, &message, info("REQUEST_ID_REUSED", domain, metadata))
}

/// There is no such thing: `NOT_FOUND`, reason `NOT_FOUND`, with a `ResourceInfo`. `resource_type` is its kind, for
/// example "grant", `name` its id as the caller gave it.
#[must_use]
pub fn not_found(domain: &str, resource_type: &str, name: &str) -> Status {
    let name = shortened(name, 200);
    let message = format!("there is no {resource_type} {name}; check the id");
    let mut details = info("NOT_FOUND", domain, HashMap::new());
    details.set_resource_info(resource_type, name, "", message.as_str());
    answer(Code::NotFound, &message, details)
}

/// It cannot be answered now: `UNAVAILABLE`, to be tried again after `retry_delay`.
#[must_use]
pub fn unavailable(domain: &str, reason: &str, message: String, retry_delay: Duration) -> Status {
    let mut details = info(reason, domain, HashMap::new());
    details.set_retry_info(Some(retry_delay));
    answer(Code::Unavailable, &message, details)
}

/// The log must not be written until an operator has decided what holds: `UNAVAILABLE`, with a reason that begins with
/// `LOG_`. Nothing was done. `message` is in English and in Chinese.
#[must_use]
pub fn not_written(
    domain: &str,
    reason: &str,
    (message, message_zh): (String, String),
    metadata: HashMap<String, String>,
) -> Status {
    let mut details = info(reason, domain, metadata);
    details.set_retry_info(Some(RETRY_AFTER_RECOVERY));
    tell_in_chinese(&mut details, Some(message_zh));
    answer(Code::Unavailable, &message, details)
}

/// A position was not reached in time: `UNAVAILABLE`, reason `POSITION_NOT_REACHED`; the metadata says how far it is.
#[must_use]
pub fn not_reached(domain: &str, fault: NotReached) -> Status {
    let metadata = facts([("wanted", fault.wanted.to_string()), ("reached", fault.reached.to_string())]);
    let mut details = info("POSITION_NOT_REACHED", domain, metadata);
    details.set_retry_info(Some(RETRY_SOON));
    answer(Code::Unavailable, &fault.to_string(), details)
}

/// Whether the command was accepted cannot be said: `UNAVAILABLE`, reason `OUTCOME_UNKNOWN`.
#[must_use]
pub fn outcome_unknown(domain: &str, request_id: Uuid) -> Status {
    let metadata = facts([("request_id", request_id.to_string())]);
    let mut details = info("OUTCOME_UNKNOWN", domain, metadata);
    details.set_retry_info(Some(RETRY_SOON));
    let message = format!(
        "whether the command was accepted is not known yet; retry with the same request_id, {request_id}, and you \
         will get its answer"
    );
    answer(Code::Unavailable, &message, details)
}

/// The service ended while the call was in flight: as [`outcome_unknown`], where the request is not at hand.
pub(super) fn cut_short() -> Status {
    let mut details = info("OUTCOME_UNKNOWN", super::DOMAIN, HashMap::new());
    details.set_retry_info(Some(RETRY_SOON));
    let message = "the service stopped before it had answered; retry, a command with the same request_id";
    answer(Code::Unavailable, message, details)
}

/// A bound of the service is reached: `RESOURCE_EXHAUSTED`, to be tried again after `retry_delay`. Nothing was done.
#[must_use]
pub fn resource_exhausted(domain: &str, reason: &str, message: String, retry_delay: Duration) -> Status {
    let mut details = info(reason, domain, HashMap::new());
    details.set_retry_info(Some(retry_delay));
    answer(Code::ResourceExhausted, &message, details)
}

/// The service failed: `INTERNAL`, reason `INTERNAL`. The error and its causes are logged here, under an incident
/// number that the caller is told in their stead.
#[must_use]
pub fn internal(domain: &str, error: &(dyn std::error::Error + 'static)) -> Status {
    let incident = Uuid::now_v7();
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        told = format!("{told}: {error}");
        cause = error.source();
    }
    tracing::error!(%incident, domain, error = told, "a call failed");
    let message = format!(
        "the service failed; retry once, a command with the same request_id, and else report incident {incident}"
    );
    let metadata = facts([("incident", incident.to_string())]);
    answer(Code::Internal, &message, info("INTERNAL", domain, metadata))
}

/// The stable reason of a status, as its `ErrorInfo` has it; empty where there is none.
#[must_use]
pub fn reason(status: &Status) -> String {
    status.get_details_error_info().map(|info| info.reason).unwrap_or_default()
}

/// The status as a serialized `google.rpc.Status`: what a call has in `grpc-status-details-bin`, for a bulk reply.
#[must_use]
pub fn status_bytes(status: &Status) -> Vec<u8> {
    if !status.details().is_empty() {
        return status.details().to_vec();
    }
    let bare = tonic_types::Status {
        code: status.code().into(),
        message: status.message().to_owned(),
        details: Vec::new(),
    };
    bare.encode_to_vec()
}

fn answer(code: Code, message: &str, details: ErrorDetails) -> Status {
    Status::with_error_details(code, shortened(message, MESSAGE_BYTES_MAX), details)
}

fn tell_in_chinese(details: &mut ErrorDetails, message_zh: Option<String>) {
    if let Some(message_zh) = message_zh {
        details.set_localized_message("zh-CN", shortened(&message_zh, MESSAGE_BYTES_MAX));
    }
}

fn info(reason: &str, domain: &str, metadata: HashMap<String, String>) -> ErrorDetails {
    // Sorted, so that what is left out does not depend on chance; the code and the rulebooks first, because programs go
    // by them.
    let first = |name: &str| name == "code" || name.contains("rulebook");
    let sorted: BTreeMap<(bool, String), String> =
        metadata.into_iter().map(|(name, value)| ((!first(&name), name), value)).collect();
    let sorted = sorted.into_iter().map(|((_, name), value)| (name, value));
    let fitting = within(METADATA_BYTES_MAX, sorted, |(name, value)| name.len() + value.len());
    ErrorDetails::with_error_info(reason, domain, fitting.into_iter().collect::<HashMap<_, _>>())
}

fn within_budget<T>(items: impl IntoIterator<Item = T>, sized: impl Fn(&T) -> usize) -> Vec<T> {
    within(VIOLATIONS_BYTES_MAX, items, sized)
}

/// The first items that take at most so many bytes together.
fn within<T>(bytes_max: usize, items: impl IntoIterator<Item = T>, sized: impl Fn(&T) -> usize) -> Vec<T> {
    let mut bytes = 0;
    items
        .into_iter()
        .take_while(|item| {
            bytes += sized(item);
            bytes <= bytes_max
        })
        .collect()
}

fn facts<const N: usize>(facts: [(&str, String); N]) -> HashMap<String, String> {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    const DOMAIN: &str = "concord.test";

    #[test]
    fn every_answer_has_a_code_a_reason_and_something_to_do() {
        let id = Uuid::from_u128(7);
        let soon = Duration::from_millis(250);
        let lost: Box<dyn std::error::Error> = "the disk is full at /secret".into();
        let late = NotReached { wanted: 9, reached: 5 };
        let table = [
            (stale_version(DOMAIN, "grant/1", 5, 7), Code::Aborted, "STALE_VERSION", "read it again"),
            (request_id_reused(DOMAIN, id), Code::AlreadyExists, "REQUEST_ID_REUSED", "new id"),
            (not_found(DOMAIN, "grant", "x"), Code::NotFound, "NOT_FOUND", "check the id"),
            (
                unavailable(DOMAIN, "FACTS_STALE", "facts are old; retry".to_owned(), soon),
                Code::Unavailable,
                "FACTS_STALE",
                "retry",
            ),
            (
                not_written(DOMAIN, "LOG_BEHIND_STREAM", ("recover it".into(), "请恢复".into()), facts([])),
                Code::Unavailable,
                "LOG_BEHIND_STREAM",
                "recover",
            ),
            (not_reached(DOMAIN, late), Code::Unavailable, "POSITION_NOT_REACHED", "ask again later"),
            (outcome_unknown(DOMAIN, id), Code::Unavailable, "OUTCOME_UNKNOWN", "same request_id"),
            (cut_short(), Code::Unavailable, "OUTCOME_UNKNOWN", "same request_id"),
            (
                resource_exhausted(DOMAIN, "QUEUE_FULL", "full; retry".to_owned(), soon),
                Code::ResourceExhausted,
                "QUEUE_FULL",
                "retry",
            ),
            (internal(DOMAIN, &*lost), Code::Internal, "INTERNAL", "report incident"),
        ];
        for (status, code, expected, says) in table {
            assert_eq!(status.code(), code, "{status}");
            assert_eq!(reason(&status), expected);
            assert!(status.message().contains(says), "{status}");
            assert!(!format!("{status:?}").contains("secret"));
            let temporary = matches!(code, Code::Unavailable | Code::ResourceExhausted);
            assert_eq!(status.get_details_retry_info().is_some(), temporary, "{status}");
        }
    }

    #[test]
    fn a_refusal_tells_every_broken_rule() {
        let status = refused(
            DOMAIN,
            "A02_ABOVE_APPROVED",
            "30.00 is left to instruct; ask for 30.00 or less (A02)".to_owned(),
            facts([("left_minor", "3000".to_owned())]),
            vec![
                PreconditionViolation::new("A02_ABOVE_APPROVED", "amount", "30.00 is left"),
                PreconditionViolation::new("A01_UNVERIFIED", "payee", "check the account first"),
            ],
        );
        assert_eq!(status.code(), Code::FailedPrecondition);
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.metadata["left_minor"], "3000");
        let broken = status.get_details_precondition_failure().unwrap().violations;
        assert_eq!(broken.len(), 2);
        assert_eq!(broken[1].r#type, "A01_UNVERIFIED");
    }

    #[test]
    fn an_answer_stays_small_enough_for_a_header() {
        let many = (0..500)
            .map(|n| PreconditionViolation::new(format!("RULE_{n}"), "x".repeat(50), "规则".repeat(900)));
        let facts = (0..500).map(|n| (format!("fact_{n}"), "值".repeat(50))).collect();
        let status = refused(DOMAIN, "RULE_0", "消息".repeat(900), facts, many.collect());
        assert!(status.details().len() < 5_000, "{}", status.details().len());
        assert!(status.message().len() <= 512 && status.message().ends_with('…'));
        assert!(!status.get_details_precondition_failure().unwrap().violations.is_empty());
    }

    #[test]
    fn a_bulk_reply_has_the_same_bytes_as_a_call() {
        for status in [not_found(DOMAIN, "grant", "x"), Status::unimplemented("no such method")] {
            let bytes = status_bytes(&status);
            let decoded = tonic_types::Status::decode(bytes.as_slice()).unwrap();
            assert_eq!(decoded.code, i32::from(status.code()));
            assert_eq!(decoded.message, status.message());
        }
    }
}
