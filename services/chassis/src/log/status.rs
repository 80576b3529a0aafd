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
            log: receipt.log.to_owned(),
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
            Self::NotWritten(why) => {
                let told = (message, why.message_zh());
                grpc::not_written(domain, why.reason(), told, why.facts().into_iter().collect())
            }
            Self::OutcomeUnknown(request_id) => grpc::outcome_unknown(domain, request_id),
            Self::Exhausted(_) => {
                grpc::resource_exhausted(domain, "TOO_MUCH_WAITING", message, Duration::from_millis(500))
            }
            Self::Internal(_) => grpc::internal(domain, &self),
        }
    }
}

/// Every broken rule as a violation; the first is the reason, or, where the request is malformed, the metadata `code`:
/// the reason is `MALFORMED_REQUEST` then, whether the edge or a decision found the fault.
fn refused(refusal: Refusal, domain: &'static str) -> Status {
    let Refusal { kind, broken, rulebook, terms_rulebook } = refusal;
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
    let code = match kind {
        RefusalKind::NotFound => Code::NotFound,
        RefusalKind::Taken => Code::AlreadyExists,
        RefusalKind::Rule => Code::FailedPrecondition,
        RefusalKind::Unverified => Code::Unavailable,
        RefusalKind::Malformed => {
            facts.insert("code".to_owned(), reason);
            let mut faults = grpc::Violations::new(domain);
            for broken in &broken {
                faults.add(&broken.field, &broken.message);
            }
            return faults.into_status(facts, message_zh);
        }
    };
    let message = in_one(broken.iter().map(|broken| broken.message.as_str()), "; ");
    let violations = broken
        .iter()
        .map(|broken| {
            let facts: Vec<String> =
                broken.facts.iter().map(|(name, value)| format!("{name}={value}")).collect();
            PreconditionViolation::new(&broken.code, facts.join(" "), &broken.message)
        })
        .collect();
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::super::domain::Broken;
    use super::*;
    use std::collections::BTreeMap;
    use tonic_types::StatusExt;

    fn broken(code: &str, field: &str) -> Broken {
        Broken {
            code: code.to_owned(),
            field: field.to_owned(),
            message: format!("is wrong by {code}"),
            message_zh: format!("{code}有误"),
            facts: BTreeMap::from([("limit_minor".to_owned(), code.len().to_string())]),
        }
    }

    #[test]
    fn a_malformed_command_tells_as_much_as_a_refused_one() {
        let refusal = Refusal {
            kind: RefusalKind::Malformed,
            broken: vec![broken("PLAN_SUM", "tranches"), broken("CURRENCY", "amount.currency")],
            rulebook: "2012-09".to_owned(),
            terms_rulebook: Some("2012-01".to_owned()),
        };
        let status = CommandError::Refused(Box::new(refusal)).into_status("concord.test");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(
            status.message(),
            "2 faults in the request: tranches is wrong by PLAN_SUM; amount.currency is wrong by CURRENCY"
        );
        let info = status.get_details_error_info().unwrap();
        assert_eq!(info.reason, "MALFORMED_REQUEST");
        let expected = [
            ("code", "PLAN_SUM"),
            ("limit_minor", "8"),
            ("rulebook", "2012-09"),
            ("terms_rulebook", "2012-01"),
        ];
        let told: BTreeMap<&str, &str> =
            info.metadata.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(told, BTreeMap::from(expected));
        let fields = status.get_details_bad_request().unwrap().field_violations;
        assert!(fields.iter().map(|fault| fault.field.as_str()).eq(["tranches", "amount.currency"]));
        let chinese = status.get_details_localized_message().unwrap();
        assert_eq!(
            (chinese.locale.as_str(), chinese.message.as_str()),
            ("zh-CN", "PLAN_SUM有误；CURRENCY有误")
        );
        assert!(status.get_details_precondition_failure().is_none());
    }
}
