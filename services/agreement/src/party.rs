//! The directory of parties 主体: one legal person, the codes it ever had, and what was true of it when.
//!
//! ```text
//!              Record                       Merge
//!  (absent) ────────────▶ Recorded ⟲ ──────────────▶ Merged
//!                             │       Dissolve
//!                             └────────────────────▶ Dissolved
//! ```
//!
//! ⟲ stands for all that is recorded of a party as it lives: further codes, names, kinds, regions, registers, control
//! links. Each fact holds from the day of the act on. A code never belongs to two parties: it has a small state of its
//! own, [`Code`], which the events that give a code to a party are applied to as well. So a party is found by any code it
//! ever had, and the same one is never counted twice.

use concord_events::agreement::{ControlKind, Register};
use concord_kernel::{
    Date,
    industry::Industry,
    party::{PartyCode, PartyId, PartyKind},
    region::Region,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Whose a code is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The code.
    pub code: PartyCode,
    /// The party, for good.
    pub party: PartyId,
    /// First day on which it was the party's.
    pub from: Date,
}

/// A legal person as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Its id.
    pub id: PartyId,
    /// Its codes, the first known one first.
    pub codes: Vec<Dated<PartyCode>>,
    /// Its names, in order of their days.
    pub names: Vec<Dated<String>>,
    /// Its kinds, in order of their days.
    pub kinds: Vec<Dated<PartyKind>>,
    /// Its regions, in order of their days.
    pub regions: Vec<Dated<Region>>,
    /// Industry, where one applies.
    pub industry: Option<Industry>,
    /// Hash of the event that opened it: the same again is a repeat.
    pub opened_as: String,
    /// When it was on which register, in order.
    pub registers: BTreeMap<Register, Vec<Spell>>,
    /// Who controls it, and since when.
    pub control_links: Vec<ControlLink>,
    /// Parties that were merged into it.
    pub absorbed: Vec<Dated<PartyId>>,
    /// How it ended, once it did.
    pub end: Option<End>,
}

/// Something that holds from a day on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dated<T> {
    /// First day.
    pub from: Date,
    /// What holds.
    pub value: T,
}

/// A time on a register or under a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spell {
    /// First day.
    pub from: Date,
    /// First day after it, once it ended.
    pub ended: Option<Date>,
}

/// A control link 控制关系.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlLink {
    /// The controlling party.
    pub controller: PartyId,
    /// How.
    pub kind: ControlKind,
    /// When.
    pub spell: Spell,
}

/// How a party ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Merged 合并 into another.
    Merged {
        /// The other.
        into: PartyId,
        /// First day of the merger.
        from: Date,
    },
    /// Dissolved 注销.
    Dissolved {
        /// First day on which it was no more.
        from: Date,
    },
}

/// What is asked of one party. Every fact holds from the day of the act on, however long ago that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyCommand {
    /// Record it 登记.
    Record(Recording),
    /// Add a further code 增加代码.
    AddCode {
        /// The code.
        code: PartyCode,
    },
    /// Record its new name 更名.
    Rename {
        /// The name.
        name: String,
    },
    /// Record that it became another kind of legal person 转制.
    Reclassify {
        /// The kind.
        kind: PartyKind,
    },
    /// Record that it moved 迁址.
    Relocate {
        /// The region.
        region: Region,
    },
    /// Put it on a register 入库.
    EnterRegister {
        /// The register.
        register: Register,
    },
    /// Take it off a register 出库.
    LeaveRegister {
        /// The register.
        register: Register,
    },
    /// Record who controls it 控制关系.
    RecordControlLink {
        /// The controlling party.
        controller: PartyId,
        /// How.
        kind: ControlKind,
    },
    /// Record that the control ended.
    EndControlLink {
        /// The party that controlled it.
        controller: PartyId,
        /// How.
        kind: ControlKind,
    },
    /// Record that it was merged 合并 into another.
    Merge {
        /// The other.
        into: PartyId,
    },
    /// Record that it was dissolved 注销.
    Dissolve,
}

/// A party as it is recorded first. Its id is [`PartyId::of`] the code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recording {
    /// The first code known of it.
    pub code: PartyCode,
    /// Kind of party.
    pub kind: PartyKind,
    /// Name of the organisation.
    pub name: String,
    /// Region, where known.
    pub region: Option<Region>,
    /// Industry, where one applies.
    pub industry: Option<Industry>,
}
