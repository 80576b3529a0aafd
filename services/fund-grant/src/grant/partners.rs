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
use concord_chassis::log::{Broken, Decision, Meta, Stop};
use concord_events::fund::{Allocation, FundEvent, MoneyFact, Party};
use concord_kernel::{Date, money::Amount, party::PartyId};
use serde::{Deserialize, Serialize};

/// Transfers of one grant: every state is kept in memory.
const TRANSFERS_MAX: usize = 1_000;

/// What the lead of one grant passed on, in the order in which it was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shares {
    /// The transfers.
    pub transfers: Vec<Transfer>,
}

/// A share, or a part of one, that was passed on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// To whom.
    pub to: PartyId,
    /// Minor units.
    pub amount_minor: i64,
    /// Bank's reference.
    pub bank_reference: String,
    /// When.
    pub on: Date,
    /// Position of the event: a correction names it.
    pub position: u64,
}

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
    match grant.shares.reported_as(bank_reference) {
        Some(first) if (first.to, first.amount_minor) == (*to, amount.minor) => unchanged(),
        Some(first) => refused(done_otherwise(
            "SHARE_ALREADY_TRANSFERRED",
            ("the bank's reference was recorded as a share passed on", "该银行流水号已登记为转拨"),
            &[
                ("to_party_id", &first.to),
                ("amount", &grant.amount(first.amount_minor)),
                ("bank_reference", &first.bank_reference),
            ],
        )),
        None if contract.progress.has_ended() => refused(wrong_stage(
            &grant.stage,
            ("shares are passed on until the grant has ended", "项目终结之前方可转拨"),
        )),
        None => happens_under(
            rules::share_may_pass(grant, contract, *to, *amount).into_iter().map(Some).chain([
                rules::a14_reference_free(grant, bank_reference),
                (grant.shares.transfers.len() >= TRANSFERS_MAX)
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

impl Shares {
    /// Passed on to a party, in minor units.
    #[must_use]
    pub fn passed_on_minor(&self, to: PartyId) -> i64 {
        let own = self.transfers.iter().filter(|transfer| transfer.to == to);
        own.fold(0, |sum, next| sum.saturating_add(next.amount_minor))
    }

    /// The transfer that the bank reported under this reference.
    pub(crate) fn reported_as(&self, reference: &str) -> Option<&Transfer> {
        self.transfers.iter().find(|transfer| transfer.bank_reference == reference)
    }

    /// Bytes that they take beside the grant, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        160 * self.transfers.len()
    }

    /// Folds an event.
    pub(super) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        match event {
            FundEvent::ShareTransferred { to, amount_minor, bank_reference, .. } => {
                self.transfers.push(Transfer {
                    to: *to,
                    amount_minor: *amount_minor,
                    bank_reference: bank_reference.clone(),
                    on: meta.effective_on,
                    position: meta.position,
                });
            }
            FundEvent::FactCorrected {
                reverses,
                fact: MoneyFact::ShareTransfer { to, amount_minor },
                ..
            } => {
                let is_it = |transfer: &Transfer| {
                    (transfer.position, transfer.to, transfer.amount_minor) == (*reverses, *to, *amount_minor)
                };
                if let Some(index) = self.transfers.iter().position(is_it) {
                    // Its reference is free again: the right fact may come under the same one.
                    self.transfers.remove(index);
                }
            }
            _ => {}
        }
    }
}
