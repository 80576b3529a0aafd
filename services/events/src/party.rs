//! How an event names a legal person.

use concord_kernel::{
    party::{PartyCode, PartyId, PartyKind},
    region::Region,
};
use serde::{Deserialize, Serialize};

/// What proves a code whose check character does not follow from the others 证照.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeCertificate {
    /// Number of the document.
    pub document_number: String,
    /// Why it is taken as it stands.
    pub note: String,
}

/// A legal person as an event names it: its id, and how it was known on that day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Id for good; codes are aliases of it.
    pub party: PartyId,
    /// Code under which the request named it.
    pub code: PartyCode,
    /// Kind of party 主体类别.
    pub kind: PartyKind,
    /// Region 行政区 on the date of the fact; absent where a migrated source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Organisation's name, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}
