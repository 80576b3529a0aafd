//! Partners 合作单位: each party's share, and what the lead passes on 转拨 (domain.md section 3, "Partners").
//!
//! ```text
//!                SignContract                 TransferShare
//!  (no shares) ───────────────▶ allocated ─────────────────▶ passed on, in one part or several
//!                                   ▲                             │ a transfer was corrected
//!                                   └─────────────────────────────┘
//! ```
//!
//! Who may hold money of a grant: its lead, and whoever has a share in its contract. A transfer is the bank's fact: it may be
//! recorded late, in any order and on hold. Once the grant has ended nothing more is passed on: what is unspent then goes the
//! way that the end gives it.

use super::{Grant, Stage, contract::Contract};
use crate::{
    refusal::{self, Ruling, done_otherwise, happens_under, refused, unchanged, wrong_stage},
    rules::{self, Hand},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Stop};
use concord_events::fund::{Allocation, FundEvent, MoneyFact, Party};
use concord_kernel::{money::Amount, party::PartyId};
use serde::{Deserialize, Serialize};

/// Transfers of one grant: every state is kept in memory.
const TRANSFERS_MAX: usize = 1_000;

/// A share to be passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareTransfer {
    /// To whom.
    pub to: PartyId,
    /// How much.
    pub amount: Amount,
    /// Bank's reference, the evidence.
    pub bank_reference: String,
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    transfer: &ShareTransfer,
) -> Result<Decision<FundEvent>, Stop> {
    let hand = Hand::Applicant(None);
    let Some(contract) = grant.contract() else {
        return grant.conclude(case, hand, grant.last_step_on, refused(without_contract(&grant.stage)));
    };
    case.well_formed([grant.other_currency("amount.currency", transfer.amount)])?;
    grant.conclude(case, hand, grant.first_paid_on(), rule(grant, contract, transfer))
}

fn without_contract(stage: &Stage) -> Broken {
    wrong_stage(stage, ("shares are passed on under a contract", "签订任务书之后方可转拨"))
}

/// Rules on a transfer: recorded before, or new.
fn rule(grant: &Grant, contract: &Contract, transfer: &ShareTransfer) -> Ruling {
    let ShareTransfer { to, amount, bank_reference } = transfer;
    match grant.facts.reported_as(bank_reference) {
        Some(MoneyFact::ShareTransfer { to: first, amount_minor })
            if (first, *amount_minor) == (to, amount.minor) =>
        {
            unchanged()
        }
        Some(MoneyFact::ShareTransfer { to: first, amount_minor }) => refused(done_otherwise(
            "SHARE_ALREADY_TRANSFERRED",
            ("the bank's reference was recorded as a share passed on", "该银行流水号已登记为转拨"),
            &[
                ("to_party_id", first),
                ("amount", &grant.amount(*amount_minor)),
                ("bank_reference", bank_reference),
            ],
        )),
        _ if contract.progress.has_ended() => refused(wrong_stage(
            &grant.stage,
            ("shares are passed on until the grant has ended", "项目终结之前方可转拨"),
        )),
        _ => happens_under(
            rules::share_may_pass(grant, contract, *to, *amount).into_iter().map(Some).chain([
                rules::a14_reference_free(grant, bank_reference),
                (grant.transfers().count() >= TRANSFERS_MAX)
                    .then(|| refusal::too_many(("transfers", "转拨记录"), TRANSFERS_MAX)),
            ]),
            FundEvent::ShareTransferred {
                grant: grant.id,
                programme: grant.programme,
                currency: grant.currency,
                to: *to,
                amount_minor: amount.minor,
                bank_reference: bank_reference.clone(),
            },
        ),
    }
}

/// The shares that a contract of this amount has: those given with it, else those of the application where they add up to it,
/// else all to a lead that applied alone. Empty: all is the lead's.
///
/// # Errors
/// The broken rule, where several applied and their shares do not add up to the contract.
pub(super) fn shares_of(
    grant: &Grant,
    given: &[Allocation],
    contracted: Amount,
) -> Result<Vec<Allocation>, Broken> {
    let applied = &grant.project.allocations;
    let shares = if given.is_empty() { &**applied } else { given };
    let lead = grant.project.lead.party;
    let sum: i128 = shares.iter().filter_map(|share| share.amount_minor).map(i128::from).sum();
    if shares.iter().all(|share| share.party.party == lead) {
        Ok(Vec::new())
    } else if sum == i128::from(contracted.minor) {
        Ok(shares.to_vec())
    } else {
        Err(refusal::shares_not_the_contract(sum, contracted))
    }
}

impl Grant {
    /// The parties that may hold its money: the lead, and whoever has a share in the contract.
    pub fn parties(&self) -> impl Iterator<Item = &Party> {
        let lead = &self.project.lead;
        let allocations = self.contract().map_or(&[] as &[Allocation], |contract| &contract.allocations);
        let partners = allocations.iter().map(|share| &share.party);
        std::iter::once(lead).chain(partners.filter(|party| party.party != lead.party))
    }

    /// Everybody whom it has ever named: the parties that it was applied for with, and those of its contract.
    pub(crate) fn named_parties(&self) -> Vec<&Party> {
        let applied = self.project.allocations.iter().map(|share| &share.party);
        self.parties().chain(applied).collect()
    }

    /// What its lead passed on: to whom, and how many minor units.
    pub fn transfers(&self) -> impl Iterator<Item = (PartyId, i64)> {
        self.facts.uncorrected().filter_map(|known| match known.fact {
            MoneyFact::ShareTransfer { to, amount_minor } => Some((to, amount_minor)),
            _ => None,
        })
    }

    /// Passed on to a party, in minor units.
    #[must_use]
    pub fn passed_on_minor(&self, to: PartyId) -> i64 {
        let own = self.transfers().filter(|(party, _)| *party == to);
        own.fold(0, |sum, (_, amount_minor)| sum.saturating_add(amount_minor))
    }

    /// Whether this party may hold its money.
    #[must_use]
    pub fn is_party(&self, party: PartyId) -> bool {
        self.parties().any(|own| own.party == party)
    }
}

impl Contract {
    /// A party's share, in minor units; `None` where the source of a migrated award does not say. Without shares all is the
    /// lead's.
    #[must_use]
    pub fn allocated_minor(&self, lead: PartyId, party: PartyId) -> Option<i64> {
        if self.allocations.is_empty() {
            return Some(if party == lead { self.amount_minor } else { 0 });
        }
        let own = self.allocations.iter().filter(|share| share.party.party == party);
        own.map(|share| share.amount_minor)
            .try_fold(0_i64, |sum, minor| minor.map(|minor| sum.saturating_add(minor)))
    }
}
