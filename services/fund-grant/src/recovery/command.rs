//! What is asked of a recovery.

use concord_events::fund::{Holding, RecoveryCause};
use concord_kernel::{id::GrantId, money::Amount, party::PartyId};
use serde::{Deserialize, Serialize};

/// What is asked of a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryCommand {
    /// Determine it 作出追缴决定.
    Determine(Determination),
    /// Act on it.
    Act(RecoveryAct),
}

/// A decision to recover money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Determination {
    /// The grant that the money was paid for.
    pub grant: GrantId,
    /// Why.
    pub cause: RecoveryCause,
    /// Where it is taken from: each party and holding once, at least one.
    pub takes: Vec<Take>,
    /// Minutes or decision.
    pub minutes: String,
    /// Why, in words.
    pub reason: String,
}

/// Money that a decision takes from where it lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Take {
    /// Who has it.
    pub party: PartyId,
    /// Where it lies.
    pub from: Holding,
    /// How much.
    pub amount: Amount,
}

/// An act on a recovery that was determined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecoveryAct {
    /// Demand it 发出追缴通知.
    Demand {
        /// Number of the demand.
        demand: String,
    },
    /// Appeal against it 申诉; the recipient's.
    Appeal {
        /// On what grounds.
        grounds: String,
    },
    /// Turn the appeal down 维持.
    Uphold {
        /// Why.
        reason: String,
    },
    /// Allow the appeal 撤销追缴.
    Overturn {
        /// Why.
        reason: String,
    },
    /// Record that money came in 缴回.
    Repay {
        /// Came in.
        amount: Amount,
        /// Bank's reference.
        bank_reference: String,
    },
    /// Offset it against a tranche of another grant 抵扣.
    Offset {
        /// How much.
        amount: Amount,
        /// The other grant.
        against: GrantId,
        /// Number of its tranche.
        tranche: u32,
    },
    /// Give up all that is outstanding 核销.
    WriteOff {
        /// Minutes of the meeting.
        minutes: String,
        /// Why.
        reason: String,
    },
}
