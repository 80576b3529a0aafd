//! Versions 版本 of an agreement, and the amendments 变更 that make them.
//!
//! ```text
//!             Propose (material)           Sign (the last)
//!  (none) ───────────────────────▶ Pending ───────────────▶ InForce
//!     │                               │ Abandon                ▲
//!     │                               └─────────▶ Abandoned    │
//!     └────────────────────────────────────────────────────────┘
//!             Propose (nothing material)
//! ```

use super::{Signature, Signing};
use concord_events::{
    agreement::{Changes, Obligation, Value},
    document::Document,
};
use concord_kernel::{Date, rulebook::AgreementField};
use serde::{Deserialize, Serialize};

/// A version of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Its number; the draft is 1.
    pub number: u32,
    /// First day on which it holds. The draft's: the later of the last signature and the term's first day, absent while
    /// signatures are missing.
    pub from: Option<Date>,
    /// Title.
    pub title: String,
    /// Last day of the term that ran, as this version has it.
    pub term_end: Date,
    /// Value.
    pub value: Option<Value>,
    /// Obligations and milestones.
    pub obligations: Vec<Obligation>,
    /// Who signed it; nobody, where nothing material was changed.
    pub signatures: Vec<Signature>,
    /// Document 文号 of an amendment without signatures.
    pub authority: Option<String>,
    /// Its text, by reference.
    pub documents: Vec<Document>,
}

/// An amendment that is being signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// Number of the version that it will be.
    pub number: u32,
    /// What it changes.
    pub changes: Changes,
    /// The material fields among them.
    pub material: Vec<AgreementField>,
    /// Its text, by reference.
    pub documents: Vec<Document>,
    /// When it was proposed.
    pub proposed_on: Date,
    /// Who has signed.
    pub signatures: Vec<Signature>,
}

/// An amendment that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abandoned {
    /// Number of the version that it would have been.
    pub number: u32,
    /// Why.
    pub reason: String,
}

/// What is asked of an agreement's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendmentCommand {
    /// Propose a change; in force at once where it touches nothing material.
    Propose {
        /// What it changes.
        changes: Changes,
        /// Document 文号 of the amendment; it stands for signatures where none are needed.
        authority: String,
        /// Its text, by reference.
        documents: Vec<Document>,
    },
    /// Sign it.
    Sign {
        /// The version to be signed.
        version: u32,
        /// The signature.
        signing: Signing,
    },
    /// Give it up before all have signed.
    Abandon {
        /// The version that it would have been.
        version: u32,
        /// Why.
        reason: String,
    },
}
