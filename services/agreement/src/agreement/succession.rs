//! A merged party's successor takes its place 承继.

use concord_kernel::{Date, party::PartyId};
use serde::{Deserialize, Serialize};

/// Who was succeeded by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Succession {
    /// Party until then.
    pub party: PartyId,
    /// Party since then.
    pub successor: PartyId,
    /// From when on.
    pub from: Date,
    /// Document 文号 of the succession.
    pub authority: String,
}
