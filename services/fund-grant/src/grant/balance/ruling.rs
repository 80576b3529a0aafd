//! What each command does to a balance, at every stage.

use super::{BalanceCommand, Retained, Transfer};
use crate::{
    grant::{Grant, Stage, closing::Progress, contract::Contract, facts::RecordedFact},
    refusal::{self, Ruling, done_otherwise, happens_under, refused, unchanged, wrong_stage},
    rules::{self, Hand},
    view::{self, Case},
};
use concord_chassis::log::{Broken, Decision, Stop};
use concord_events::fund::{AcceptanceOutcome, FundEvent, Holding, MoneyFact};
use concord_kernel::{Date, id::GrantId, money::Amount, party::PartyId};

/// Refunds, retentions and transfers of one grant: every state is kept in memory.
const ENTRIES_MAX: usize = 1_000;

fn is_full(grant: &Grant) -> Option<Broken> {
    let is_refund = |known: &&RecordedFact| matches!(known.fact, MoneyFact::BalanceRefund { .. });
    let refunds = grant.facts.uncorrected().filter(is_refund).count();
    let entries = refunds + grant.contract().map_or(0, |contract| contract.balances.entries());
    (entries >= ENTRIES_MAX).then(|| {
        refusal::too_many(("refunds and dispositions of balances", "结余退回与处置记录"), ENTRIES_MAX)
    })
}

pub(in crate::grant) fn decide(
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
        BalanceCommand::Retain { .. } => grant.money_last_moved_on(),
        BalanceCommand::Transfer { .. } => {
            let last = grant.money_last_moved_on();
            taker.map_or(last, |taker| taker.last_step_on.max(last))
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
        (Refund { party, amount, from, bank_reference }, Stage::Running(_)) => {
            let party = party.unwrap_or(grant.project.lead.party);
            let asked = MoneyFact::BalanceRefund { party, from: *from, amount_minor: amount.minor };
            match grant.facts.reported_as(bank_reference) {
                Some(first) if *first == asked => unchanged(),
                Some(MoneyFact::BalanceRefund { party, amount_minor, .. }) => {
                    refused(refunded_already(grant, *party, *amount_minor, bank_reference))
                }
                _ => refund(grant, party, *amount, *from, bank_reference),
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

fn refund(grant: &Grant, party: PartyId, amount: Amount, from: Holding, bank_reference: &str) -> Ruling {
    happens_under(
        [
            rules::party_of_grant(grant, party),
            rules::refund_within_balance(grant, party, from, amount),
            rules::a14_reference_free(grant, bank_reference),
            is_full(grant),
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
    happens_under(
        [
            rules::party_of_grant(grant, party),
            recalled,
            rules::unspent_covers(grant, party, amount),
            is_full(grant),
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
        .chain(is_full(grant))
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
        let contracted = self.contract().into_iter().flat_map(|contract| contract.allocations.iter());
        let shares = contracted.chain(self.project.allocations.iter()).map(|share| &share.party);
        let known = std::iter::once(&self.project.lead).chain(shares).find(|known| known.party == party);
        known.map_or_else(|| party.to_string(), |known| known.code.to_string())
    }

    /// When its first payment was settled, whatever became of that; before one, when its last step happened. Nothing moves
    /// what recipients hold before they hold anything.
    pub(crate) fn first_paid_on(&self) -> Date {
        let is_payment = |known: &&RecordedFact| matches!(known.fact, MoneyFact::Settlement { .. });
        let paid = self.facts.uncorrected().filter(is_payment);
        paid.map(|known| known.on).min().unwrap_or(self.last_step_on)
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

fn refunded_already(grant: &Grant, party: PartyId, amount_minor: i64, bank_reference: &str) -> Broken {
    done_otherwise(
        "REFUND_ALREADY_RECORDED",
        ("a refund under that bank's reference was recorded", "该银行流水号的结余退回已登记"),
        &[
            ("bank_reference", &bank_reference),
            ("party", &grant.code_of(party)),
            ("amount", &grant.amount(amount_minor)),
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
