//! Answers as gRPC has them.

use super::domain::{Refusal, RefusalKind};
use super::handle::{CommandError, Receipt};
use crate::grpc;
use concord_proto::r#type::v1::CommandReceipt;
use std::collections::HashMap;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::PreconditionViolation;

impl From<Receipt> for CommandReceipt {
    fn from(receipt: Receipt) -> Self {
        Self {
            log: receipt.log,
            first_position: receipt.first_position,
            last_position: receipt.last_position,
            version: receipt.version,
            leaf_hashes: receipt.leaf_hashes.iter().map(|hash| hash.to_vec()).collect(),
            rulebook: receipt.rulebook,
        }
    }
}

impl CommandError {
    /// The status with its details: a stable reason, the facts, and what to do. `domain` as in `ErrorInfo`.
    #[must_use]
    pub fn into_status(self, domain: &'static str) -> Status {
        let message = self.to_string();
        match self {
            Self::Refused(refusal) => refused(*refusal, domain),
            Self::StaleVersion { aggregate, expected, actual } => {
                grpc::stale_version(domain, &aggregate.to_string(), expected, actual)
            }
            Self::RequestIdReused(request_id) => grpc::request_id_reused(domain, request_id),
            Self::Unavailable(_) => grpc::unavailable(domain, "UNAVAILABLE", message, Duration::from_secs(1)),
            Self::OutcomeUnknown(request_id) => grpc::outcome_unknown(domain, request_id),
            Self::Exhausted(_) => {
                grpc::resource_exhausted(domain, "TOO_MUCH_WAITING", message, Duration::from_millis(500))
            }
            Self::Internal(_) => grpc::internal(domain, &self),
        }
    }
}

/// Every broken rule as a violation; the first is the reason.
fn refused(refusal: Refusal, domain: &'static str) -> Status {
    let Refusal { kind, broken, rulebook, terms_rulebook } = refusal;
    let message = in_one(broken.iter().map(|broken| broken.message.as_str()), "; ");
    if kind == RefusalKind::Malformed {
        let mut faults = grpc::Violations::new(domain);
        for broken in &broken {
            faults.add(&broken.field, &broken.message);
        }
        if let Err(status) = faults.finish(None::<()>) {
            return status;
        }
    }
    let first = broken.first();
    let reason = first.map_or("REFUSED", |broken| broken.code.as_str()).to_owned();
    let mut facts: HashMap<String, String> =
        first.map(|broken| broken.facts.clone().into_iter().collect()).unwrap_or_default();
    // The log's own refusals, of its clock, follow no rulebook.
    if !rulebook.is_empty() {
        facts.insert("rulebook".to_owned(), rulebook);
    }
    if let Some(terms) = terms_rulebook {
        facts.insert("terms_rulebook".to_owned(), terms);
    }
    let message_zh = in_one(broken.iter().map(|broken| broken.message_zh.as_str()), "；");
    let message_zh = (!message_zh.is_empty()).then_some(message_zh);
    let violations = broken
        .iter()
        .map(|broken| {
            let facts: Vec<String> =
                broken.facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
            PreconditionViolation::new(&broken.code, facts.join(" "), &broken.message)
        })
        .collect();
    let code = match kind {
        RefusalKind::NotFound => Code::NotFound,
        RefusalKind::Taken => Code::AlreadyExists,
        RefusalKind::Malformed => Code::InvalidArgument,
        RefusalKind::Rule => Code::FailedPrecondition,
    };
    grpc::refused_as(code, domain, &reason, (message, message_zh), facts, violations)
}

/// Sentences joined, each once: many grants of one meeting may break the same rule in the same words.
fn in_one<'a>(sentences: impl Iterator<Item = &'a str>, between: &str) -> String {
    let mut told: Vec<&str> = Vec::new();
    for sentence in sentences {
        if !told.contains(&sentence) {
            told.push(sentence);
        }
    }
    told.join(between)
}
