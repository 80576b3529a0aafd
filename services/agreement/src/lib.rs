//! Agreements 协议 between industry, universities and research, and the directory of the parties 主体 to them.
//!
//! Read in this order:
//!
//! | file | what it holds |
//! |---|---|
//! | [`agreement`] | the life of an agreement, with its diagram; its folder has one file for each part |
//! | [`party`] | the directory: one legal person, the codes it ever had, its registers, mergers and control links |
//! | [`rules`] | the rules that stop a command, one function each |
//! | `refusal` | what a refusal says, in English and in Chinese |
//! | `view` | what a decision sees |
//!
//! [`Agreements`] ties them to the chassis: it decides on the states, and it folds an event into each state that it is
//! applied to. Both are pure; what the law leaves open comes from the rulebook in force on the day of the act.

pub mod agreement;
pub mod party;

use agreement::{Agreement, AgreementCommand};
use concord_kernel::{id::AgreementId, party::PartyId, rulebook::Rulebooks};
use party::{Code, Party, PartyCommand};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The domain, with the tables that it decides by.
#[derive(Debug, Clone)]
pub struct Agreements {
    rulebooks: Arc<Rulebooks>,
}

/// The state of one aggregate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// An agreement.
    Agreement(Box<Agreement>),
    /// A legal person.
    Party(Box<Party>),
    /// Whose a code is, under [`PartyCodeId`](concord_kernel::party::PartyCodeId).
    Code(Code),
}

/// What is asked of the service. Its JSON is stored with the answer, so its names are permanent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Of one agreement.
    Agreement(AgreementId, AgreementCommand),
    /// Of one party. To record it, [`PartyId::of`] its code.
    Party(PartyId, PartyCommand),
}

impl Agreements {
    /// The domain under these rules.
    #[must_use]
    pub fn new(rulebooks: Arc<Rulebooks>) -> Self {
        Self { rulebooks }
    }

    /// The domain under the rules that are shipped.
    #[must_use]
    pub fn shipped() -> Self {
        Self::new(Arc::new(Rulebooks::shipped().clone()))
    }
}
