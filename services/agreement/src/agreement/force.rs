//! Into force and out of it.

use super::Signing;
use concord_events::{agreement::Term, document::Document};
use concord_kernel::Date;
use serde::{Deserialize, Serialize};

/// A term: as it was agreed, and when it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// As agreed; an amendment may move its last day.
    pub term: Term,
    /// First day in force by the calendar: the later of the term's first day and the last signature or the renewal.
    /// Absent while signatures are missing.
    pub in_force_from: Option<Date>,
    /// Document 文号 of the renewal; the first period has none.
    pub authority: Option<String>,
}

/// A time out of force 中止.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Why.
    pub cause: String,
    /// Document 文号 that ordered it.
    pub authority: String,
    /// First day out of force.
    pub from: Date,
    /// The resumption, once there was one.
    pub resumed: Option<Resumption>,
}

/// The end of a suspension 恢复.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// First day in force again.
    pub from: Date,
    /// Document 文号 that ordered it.
    pub authority: String,
}

/// What brings an agreement into force, or out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForceCommand {
    /// Sign it 签署.
    Sign(Signing),
    /// Call the draft off before all have signed.
    CancelDraft {
        /// Why.
        reason: String,
    },
    /// Suspend it 中止, from the day of the act.
    Suspend {
        /// Why.
        cause: String,
        /// Document 文号 that orders it.
        authority: String,
    },
    /// Resume it 恢复, from the day of the act.
    Resume {
        /// Document 文号 that orders it.
        authority: String,
    },
    /// Renew it 续签 by a further term.
    Renew {
        /// The term, after the last one.
        term: Term,
        /// Document 文号 of the renewal.
        authority: String,
        /// The renewal's text, by reference.
        documents: Vec<Document>,
    },
    /// Record that all was done 履行完毕; the day of the act is the last in force.
    Complete {
        /// What proves it, by reference.
        documents: Vec<Document>,
    },
    /// Terminate it 终止 before its end.
    Terminate {
        /// Why.
        reason: String,
        /// Document 文号 of the termination.
        authority: String,
        /// First day out of force, not before the day of the act.
        out_of_force_from: Date,
    },
}
