//! What is drafted, and what each kind of agreement needs.

use concord_events::{
    agreement::{AgreementKind, Obligation, Role, TechnologyContractType, Term, Value},
    document::Document,
};
use concord_kernel::{id::AgreementId, party::PartyCode};
use serde::{Deserialize, Serialize};

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Kind of agreement.
    pub kind: AgreementKind,
    /// Title.
    pub title: String,
    /// The parties, at least two.
    pub parties: Vec<DraftParty>,
    /// The term as agreed.
    pub term: Term,
    /// Framework or city agreement that it comes under.
    pub parent: Option<AgreementId>,
    /// Number of the outside project, of a national project.
    pub project_number: Option<String>,
    /// What a technology contract is about.
    pub technology: Option<TechnologyContractType>,
    /// What it is worth; a technology contract always says.
    pub value: Option<Value>,
    /// Obligations and milestones; each names its party by the code in `parties`.
    pub obligations: Vec<Obligation>,
    /// The text, by reference.
    pub documents: Vec<Document>,
    /// Whether facts were made up for a demonstration.
    pub synthetic: bool,
}

/// A party of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftParty {
    /// The party, by any of its codes.
    pub code: PartyCode,
    /// As what.
    pub role: Role,
}
