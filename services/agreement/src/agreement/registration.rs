//! Registration of a technology contract 技术合同认定登记.
//!
//! ```text
//!          Submit                Register               Revoke
//!  (none) ───────▶ Submitted ─────────────▶ Registered ───────▶ Revoked
//!                   ▲     │ Refuse
//!            Submit │     ▼
//!                   └─ Refused
//! ```

use concord_events::agreement::Value;
use concord_kernel::Date;
use serde::{Deserialize, Serialize};

/// A registration as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// Registration authority 登记机构.
    pub registrar: String,
    /// Where it stands.
    pub stage: RegistrationStage,
    /// When its last step happened; none lies before it.
    pub last_step_on: Date,
}

/// Where a registration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationStage {
    /// 已提交.
    Submitted,
    /// 已登记.
    Registered(Entry),
    /// 不予登记, and why.
    Refused(String),
    /// 已撤销.
    Revoked {
        /// What was registered.
        entry: Entry,
        /// Why it is no more.
        reason: String,
        /// Document 文号 of the revocation.
        authority: String,
    },
}

/// An entry in the register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Number of the registration 登记编号.
    pub number: String,
    /// Class 登记类别, as the measures of that day have it.
    pub class: String,
    /// Verified technology income 核定技术性收入.
    pub technology_income: Value,
    /// When it was registered.
    pub registered_on: Date,
}

/// What is asked of a registration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationCommand {
    /// Submit the contract; after a refusal, again.
    Submit {
        /// Registration authority.
        registrar: String,
    },
    /// Record that it was registered.
    Register {
        /// Number of the registration.
        number: String,
        /// Class.
        class: String,
        /// Verified technology income, at most the contract's value.
        technology_income: Value,
    },
    /// Record that it was refused.
    Refuse {
        /// Why.
        reason: String,
    },
    /// Record that the registration was revoked.
    Revoke {
        /// Why.
        reason: String,
        /// Document 文号 of the revocation.
        authority: String,
    },
}
