//! What the fund takes in of the directory of parties, which the agreement log keeps.

use concord_kernel::{
    Date,
    event::StreamId,
    id::{ActingOrganisationId, OrganisationId, PartyRecordId},
    party::{PartyCode, PartyId},
};
use serde::{Deserialize, Serialize};

/// What changes with an event of the directory 主体变动. Each fact holds from its own day on, whenever it was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum PartyChange {
    /// It was recorded 登记.
    Recorded {
        /// First code known of it.
        code: PartyCode,
        /// Name of the organisation.
        name: String,
    },
    /// A further code of it became known 增加代码.
    CodeAdded {
        /// The code.
        code: PartyCode,
        /// First day on which it was the party's.
        from: Date,
    },
    /// It has another name 更名.
    Renamed {
        /// The name.
        name: String,
        /// First day of the name.
        from: Date,
    },
    /// It was merged into another party 合并.
    Merged {
        /// The other.
        into: PartyId,
        /// First day of the merger.
        from: Date,
    },
    /// It was dissolved 注销.
    Dissolved {
        /// First day on which it was no more.
        from: Date,
    },
    /// An organisation stands for it 代表登记.
    Represented {
        /// The organisation.
        organisation: OrganisationId,
        /// Document 文号 that authorises it.
        authority: String,
        /// First day.
        from: Date,
    },
    /// The organisation no longer stands for it 代表终止.
    RepresentationEnded {
        /// The organisation.
        organisation: OrganisationId,
        /// First day on which it no longer did.
        from: Date,
    },
}

impl PartyChange {
    /// Records beside the party's own that it is applied to: of the party that the code would name by itself, of the party that
    /// goes on, and of the organisation.
    pub(super) fn also(&self, party: PartyId) -> Option<StreamId> {
        match self {
            Self::CodeAdded { code, .. } => {
                let namesake = PartyId::of(code);
                (namesake != party).then(|| PartyRecordId::of(namesake).stream())
            }
            Self::Merged { into, .. } => Some(PartyRecordId::of(*into).stream()),
            Self::Represented { organisation, .. } => {
                Some(ActingOrganisationId::of(organisation.as_str()).stream())
            }
            // Under an id that its code no longer gives.
            Self::Recorded { code, .. } => {
                let namesake = PartyId::of(code);
                (namesake != party).then(|| PartyRecordId::of(namesake).stream())
            }
            Self::Renamed { .. } | Self::Dissolved { .. } | Self::RepresentationEnded { .. } => None,
        }
    }
}

/// How far the directory of parties had been taken in when something was decided: what it said later was not weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectoryPoint {
    /// Generation of the agreement log, which keeps it.
    pub generation: u32,
    /// Position in that log up to which everything had been taken in.
    pub position: u64,
}
