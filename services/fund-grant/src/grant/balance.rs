//! What becomes of a balance 结余: it is refunded, retained by rule, or goes on in another project.
//!
//! ```text
//!                        RefundBalance
//!  RecipientUnspent ──────────────────────────▶ Refunded
//!      │   │   RetainBalance                       ▲
//!      │   └──────────────────▶ RetainedByRule ────┘ RefundBalance
//!      └── TransferBalance ──▶ RecipientUnspent of another grant
//! ```
//!
//! A refund is a fact: it is taken in at any time, also after the end, and each under a bank's reference of its own. To retain
//! and to transfer is decided by minutes, once the project was accepted.

use super::{Grant, Stage, closing::Progress, contract::Contract};
use crate::{
    refusal::{self, Ruling, done_otherwise, happens_under, refused, unchanged, wrong_stage},
    rules::{self, Hand},
    view::{self, Case},
};
use concord_chassis::log::{Broken, Decision, Meta, Stop};
use concord_events::fund::{AcceptanceOutcome, FundEvent, Holding, MoneyFact};
use concord_kernel::{Date, id::GrantId, money::Amount, party::PartyId};
use serde::{Deserialize, Serialize};

/// What was decided on a grant's balances, and what came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balances {
    /// Refunds on record; one that was corrected is not.
    pub refunds: Vec<Refund>,
    /// Balances retained by rule.
    pub retained: Vec<Retained>,
    /// Balances that went on in other projects.
    pub transfers: Vec<Transfer>,
}

/// A balance that was given back 结余退回.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Position of the event, by which it may be corrected.
    pub position: u64,
    /// By whom.
    pub party: PartyId,
    /// Where it lay.
    pub from: Holding,
    /// Minor units.
    pub amount_minor: i64,
    /// Bank's reference.
    pub bank_reference: String,
}

/// A balance that is kept by rule 结余留用.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// By whom.
    pub party: PartyId,
    /// Minor units.
    pub amount_minor: i64,
    /// Last day on which it may be kept; `None` where there is none.
    pub until: Option<Date>,
    /// Document or minutes.
    pub minutes: String,
}

/// A balance that went on in another project 结余结转.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// That project's grant.
    pub to: GrantId,
    /// Minor units.
    pub amount_minor: i64,
    /// Minutes of the meeting.
    pub minutes: String,
}

/// About a balance; the office's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceCommand {
    /// Record that it was given back.
    Refund {
        /// By whom; `None` for the lead.
        party: Option<PartyId>,
        /// How much.
        amount: Amount,
        /// Where it lay: unspent or retained.
        from: Holding,
        /// Bank's reference 银行流水号.
        bank_reference: String,
    },
    /// Let it be kept by rule.
    Retain {
        /// By whom; `None` for the lead.
        party: Option<PartyId>,
        /// How much.
        amount: Amount,
        /// Document or minutes.
        minutes: String,
    },
    /// Let the lead go on with it in another project.
    Transfer {
        /// That project's grant.
        to: GrantId,
        /// How much.
        amount: Amount,
        /// Minutes of the meeting.
        minutes: String,
    },
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &BalanceCommand,
) -> Result<Decision<FundEvent>, Stop> {
    let (BalanceCommand::Refund { amount, .. }
    | BalanceCommand::Retain { amount, .. }
    | BalanceCommand::Transfer { amount, .. }) = command;
    case.well_formed([grant.other_currency("amount.currency", *amount)])?;
    let taker = match command {
        BalanceCommand::Transfer { to, .. } if *to != grant.id => Some(taker_of(case, *to)?),
        _ => None,
    };
    let last_step_on = match command {
        // A fact, learned when it is learned; it lies after the first payment all the same.
        BalanceCommand::Refund { .. } => grant.first_paid_on(),
        BalanceCommand::Retain { .. } => grant.last_step_on,
        BalanceCommand::Transfer { .. } => {
            taker.map_or(grant.last_step_on, |taker| taker.last_step_on.max(grant.last_step_on))
        }
    };
    grant.conclude(case, Hand::Office(None), last_step_on, rule(case, grant, taker, command))
}

/// The grant that takes it; where there is none, that is told at its own field.
fn taker_of<'v>(case: &Case<'_, 'v>, to: GrantId) -> Result<&'v Grant, Stop> {
    view::grant(case, to).map_err(|stop| match stop {
        Stop::Refused(mut refusal) => {
            refusal.broken.iter_mut().for_each(|broken| broken.field = "to_grant_id".to_owned());
            Stop::Refused(refusal)
        }
        need @ Stop::Need(_) => need,
    })
}

/// Rules on every pair of command and stage.
fn rule(case: &Case<'_, '_>, grant: &Grant, taker: Option<&Grant>, command: &BalanceCommand) -> Ruling {
    use BalanceCommand::{Refund, Retain, Transfer};
    match (command, &grant.stage) {
        (Refund { party, amount, from, bank_reference }, Stage::Running(contract)) => {
            let party = party.unwrap_or(grant.project.lead.party);
            match contract.balances.refunded_as(bank_reference) {
                Some(first)
                    if (first.party, first.from, first.amount_minor) == (party, *from, amount.minor) =>
                {
                    unchanged()
                }
                Some(first) => refused(refunded_already(grant, first)),
                None => refund(grant, contract, party, *amount, *from, bank_reference),
            }
        }
        (Refund { .. }, stage) => refused(wrong_stage(
            stage,
            ("a balance is given back once a contract was paid", "任务书签订并拨款之后方可退回结余"),
        )),

        (Retain { party, amount, minutes }, Stage::Running(contract)) => {
            let party = party.unwrap_or(grant.project.lead.party);
            match contract.balances.retained_by(party, minutes) {
                Some(first) if first.amount_minor == amount.minor => unchanged(),
                Some(first) => refused(retained_already(grant, first)),
                None if contract.has_passed() => retain(case, grant, party, *amount, minutes),
                None => refused(not_accepted(&grant.stage)),
            }
        }
        (Retain { .. }, stage) => refused(not_accepted(stage)),

        (Transfer { to, amount, minutes }, Stage::Running(contract)) => {
            match contract.balances.transferred_by(*to, minutes) {
                Some(first) if first.amount_minor == amount.minor => unchanged(),
                Some(first) => refused(transferred_already(grant, first)),
                None if contract.has_passed() || contract.is_terminated() => {
                    transfer(grant, taker, *to, *amount, minutes)
                }
                None => refused(not_over(&grant.stage)),
            }
        }
        (Transfer { .. }, stage) => refused(not_over(stage)),
    }
}

fn refund(
    grant: &Grant,
    contract: &Contract,
    party: PartyId,
    amount: Amount,
    from: Holding,
    bank_reference: &str,
) -> Ruling {
    happens_under(
        [
            rules::party_of_grant(grant, contract, party),
            rules::refund_within_balance(grant, party, from, amount),
            rules::a14_reference_unused(contract, 0, bank_reference),
        ],
        FundEvent::BalanceRefunded {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            party,
            from,
            amount_minor: amount.minor,
            bank_reference: bank_reference.to_owned(),
        },
    )
}

fn retain(case: &Case<'_, '_>, grant: &Grant, party: PartyId, amount: Amount, minutes: &str) -> Ruling {
    let (until, recalled) = match rules::retained_until(case.rulebook, case.context.effective_on) {
        Ok(until) => (until, None),
        Err(recalled) => (None, Some(recalled)),
    };
    let contract = grant.contract();
    happens_under(
        [
            contract.and_then(|contract| rules::party_of_grant(grant, contract, party)),
            recalled,
            rules::unspent_covers(grant, party, amount),
        ],
        FundEvent::BalanceRetained {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            party,
            amount_minor: amount.minor,
            until,
            minutes: minutes.to_owned(),
        },
    )
}

fn transfer(grant: &Grant, taker: Option<&Grant>, to: GrantId, amount: Amount, minutes: &str) -> Ruling {
    let Some(taker) = taker else {
        return refused(refusal::transfer_to_itself());
    };
    let lead = grant.project.lead.party;
    let weighed = rules::transfer_between(grant, taker)
        .into_iter()
        .chain(rules::unspent_covers(grant, lead, amount))
        .map(Some);
    happens_under(
        weighed,
        FundEvent::BalanceTransferred {
            grant: grant.id,
            to,
            programme: grant.programme,
            currency: grant.currency,
            party: lead,
            amount_minor: amount.minor,
            minutes: minutes.to_owned(),
        },
    )
}

impl Contract {
    /// Whether the project passed final acceptance, and the grant was not cancelled since.
    fn has_passed(&self) -> bool {
        let accepted = matches!(
            self.progress,
            Progress::FinallyAccepted(_) | Progress::Closed(_) | Progress::Evaluated { .. }
        );
        accepted && self.acceptance.as_ref().is_some_and(|last| last.outcome == AcceptanceOutcome::Passed)
    }

    fn is_terminated(&self) -> bool {
        matches!(self.progress, Progress::Terminated { .. })
    }
}

impl Grant {
    /// The code by which a party of this grant is known to people; its id where none is on record.
    pub(crate) fn code_of(&self, party: PartyId) -> String {
        let contracted = self.contract().into_iter().flat_map(|contract| &contract.allocations);
        let shares = contracted.chain(&self.project.allocations).map(|share| &share.party);
        let known = std::iter::once(&self.project.lead).chain(shares).find(|known| known.party == party);
        known.map_or_else(|| party.to_string(), |known| known.code.to_string())
    }

    /// When the first of its payments that were settled was; before one, when its last step happened.
    fn first_paid_on(&self) -> Date {
        let tranches = self.contract().into_iter().flat_map(|contract| &contract.tranches);
        let paid = tranches.filter(|tranche| tranche.is_settled()).map(|tranche| tranche.last_step_on);
        paid.min().unwrap_or(self.last_step_on)
    }
}

impl Balances {
    fn refunded_as(&self, bank_reference: &str) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.bank_reference == bank_reference)
    }

    fn retained_by(&self, party: PartyId, minutes: &str) -> Option<&Retained> {
        self.retained.iter().find(|retained| retained.party == party && retained.minutes == minutes)
    }

    fn transferred_by(&self, to: GrantId, minutes: &str) -> Option<&Transfer> {
        self.transfers.iter().find(|transfer| transfer.to == to && transfer.minutes == minutes)
    }

    /// How many entries there are, for the cache's bound.
    pub(crate) fn entries(&self) -> usize {
        self.refunds.len() + self.retained.len() + self.transfers.len()
    }
}

fn not_accepted(stage: &Stage) -> Broken {
    wrong_stage(
        stage,
        (
            "a balance is retained once the project passed final acceptance; else have it refunded",
            "项目通过验收后方可留用结余；否则请办理退回",
        ),
    )
}

fn not_over(stage: &Stage) -> Broken {
    wrong_stage(
        stage,
        (
            "a balance goes on in another project once this one passed final acceptance or was terminated; else have it refunded",
            "项目通过验收或终止后方可结转结余；否则请办理退回",
        ),
    )
}

fn refunded_already(grant: &Grant, first: &Refund) -> Broken {
    done_otherwise(
        "REFUND_ALREADY_RECORDED",
        ("a refund under that bank's reference was recorded", "该银行流水号的结余退回已登记"),
        &[
            ("bank_reference", &first.bank_reference),
            ("party", &grant.code_of(first.party)),
            ("amount", &grant.amount(first.amount_minor)),
        ],
    )
}

fn retained_already(grant: &Grant, first: &Retained) -> Broken {
    done_otherwise(
        "ALREADY_RETAINED",
        ("a balance was retained by those minutes", "该会议纪要已办理结余留用"),
        &[
            ("minutes", &first.minutes),
            ("party", &grant.code_of(first.party)),
            ("amount", &grant.amount(first.amount_minor)),
        ],
    )
}

fn transferred_already(grant: &Grant, first: &Transfer) -> Broken {
    done_otherwise(
        "ALREADY_TRANSFERRED",
        ("a balance went on in that grant by those minutes", "该会议纪要已办理向该项目结转结余"),
        &[
            ("minutes", &first.minutes),
            ("to_grant_id", &first.to),
            ("amount", &grant.amount(first.amount_minor)),
        ],
    )
}

/// Folds an event about a balance of this grant. What another one transferred to it is in its books alone.
pub(super) fn apply(grant: GrantId, contract: &mut Contract, event: &FundEvent, meta: &Meta<'_>) {
    let balances = &mut contract.balances;
    match event {
        FundEvent::BalanceRefunded { party, from, amount_minor, bank_reference, .. } => {
            balances.refunds.push(Refund {
                position: meta.position,
                party: *party,
                from: *from,
                amount_minor: *amount_minor,
                bank_reference: bank_reference.clone(),
            });
        }
        FundEvent::BalanceRetained { party, amount_minor, until, minutes, .. } => {
            let (party, amount_minor, until) = (*party, *amount_minor, *until);
            balances.retained.push(Retained { party, amount_minor, until, minutes: minutes.clone() });
        }
        FundEvent::BalanceTransferred { grant: giver, to, amount_minor, minutes, .. } if *giver == grant => {
            let (to, amount_minor) = (*to, *amount_minor);
            balances.transfers.push(Transfer { to, amount_minor, minutes: minutes.clone() });
        }
        // It never came; the bank's reference is free for the right fact.
        FundEvent::FactCorrected {
            reverses,
            fact: MoneyFact::BalanceRefund { party, from, amount_minor },
            ..
        } => {
            let wrong = |refund: &Refund| {
                (refund.position, refund.party, refund.from, refund.amount_minor)
                    == (*reverses, *party, *from, *amount_minor)
            };
            if let Some(index) = balances.refunds.iter().position(wrong) {
                balances.refunds.remove(index);
            }
        }
        _ => {}
    }
}
