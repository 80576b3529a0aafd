//! What each command does to a source, pledged or not.

use super::{Arrived, Matching, MatchingCommand, Pledge, Source, is_of_source};
use crate::{
    grant::{Grant, Stage, contract::Contract},
    refusal::{self, Ruling, done_otherwise, happens, happens_under, refused, unchanged, wrong_stage},
    rules::{self, Hand},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, RefusalKind, Stop};
use concord_events::fund::{FundEvent, MoneyFact};
use concord_kernel::{money::Amount, normal::same_reference};
use std::fmt::Display;

/// Sources of one grant: every state is kept in memory.
const SOURCES_MAX: usize = 100;
/// Arrivals of one source, for the same reason.
const ARRIVALS_MAX: usize = 1_000;

pub(in crate::grant) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    number: u32,
    command: &MatchingCommand,
) -> Result<Decision<FundEvent>, Stop> {
    use MatchingCommand::{Pledge, RecordArrival, Release};
    let hand = Hand::Office(None);
    let Some(contract) = grant.contract() else {
        return grant.conclude(case, hand, grant.last_step_on, refused(without_contract(&grant.stage)));
    };
    let amount = match command {
        Pledge(pledge) => Some(pledge.amount),
        RecordArrival { amount, .. } => Some(*amount),
        Release { .. } => None,
    };
    case.well_formed([amount.and_then(|amount| grant.other_currency("amount.currency", amount))])?;
    let source = grant.matching.source(number);
    let none = match (command, source) {
        (Pledge(_), None) => None,
        (_, None) => Some(refusal::no_source(number, grant.matching.sources.len())),
        (RecordArrival { instalment, .. }, Some(source)) if source.instalment(*instalment).is_none() => {
            Some(refusal::no_instalment(number, *instalment, source.instalments.len()))
        }
        (_, Some(_)) => None,
    };
    if let Some(none) = none {
        return Err(case.refuse(RefusalKind::NotFound, vec![none]));
    }
    // What the bank says may be learned in any order; the office's own steps follow one another.
    let last = match (command, source) {
        (RecordArrival { .. }, Some(source)) => source.pledged_on,
        (Release { .. }, Some(source)) => source.last_step_on(&grant.facts),
        _ => contract.signed_on,
    };
    grant.conclude(case, hand, last, rule(grant, contract, number, command))
}

fn without_contract(stage: &Stage) -> Broken {
    wrong_stage(stage, ("matching money is pledged under a contract", "签订任务书之后方可登记配套资金"))
}

/// Rules on every pair of command and source.
fn rule(grant: &Grant, contract: &Contract, number: u32, command: &MatchingCommand) -> Ruling {
    use MatchingCommand::{Pledge, RecordArrival, Release};
    let source = grant.matching.source(number);
    match (command, source) {
        (Pledge(pledge), Some(first)) if first.is_pledged_as(pledge) => unchanged(),
        (Pledge(_), Some(first)) => refused(pledged_already(grant, first)),
        (Pledge(_), None) if contract.progress.has_ended() => refused(wrong_stage(
            &grant.stage,
            ("matching money is pledged until the grant has ended", "项目终结之前方可登记配套承诺"),
        )),
        (Pledge(pledge), None) => grant.pledge(number, pledge),

        (RecordArrival { instalment, amount, bank_reference }, Some(source)) => {
            grant.record_arrival(source, *instalment, *amount, bank_reference)
        }

        (Release { reason, minutes }, Some(source)) => {
            let arrived = Arrived::of(&grant.facts, None);
            match (source.missing_minor(&arrived), &source.released) {
                (0, Some(first)) if first.reason == *reason && same_reference(&first.minutes, minutes) => {
                    unchanged()
                }
                (0, Some(first)) => refused(done_otherwise(
                    "MATCHING_ALREADY_RELEASED",
                    (&format!("source {number} was released"), &format!("第{number}项配套来源已核减")),
                    &[("minutes", &first.minutes), ("reason", &first.reason)],
                )),
                (0, None) => {
                    let all = grant.amount(arrived.of_source_minor(number));
                    refused(refusal::all_has_arrived(number, all))
                }
                (missing_minor, _) => happens(FundEvent::MatchingReleased {
                    grant: grant.id,
                    programme: grant.programme,
                    currency: grant.currency,
                    source: number,
                    amount_minor: missing_minor,
                    reason: reason.clone(),
                    minutes: minutes.clone(),
                }),
            }
        }

        (RecordArrival { .. } | Release { .. }, None) => {
            refused(refusal::no_source(number, grant.matching.sources.len()))
        }
    }
}

fn pledged_already(grant: &Grant, first: &Source) -> Broken {
    let number = first.number;
    let pledged_minor =
        first.instalments.iter().fold(0_i64, |sum, next| sum.saturating_add(next.plan.amount_minor));
    done_otherwise(
        "MATCHING_ALREADY_PLEDGED",
        (&format!("source {number} was pledged"), &format!("第{number}项配套来源已登记")),
        &[
            ("kind", &first.kind.code()),
            ("amount", &grant.amount(pledged_minor)),
            ("instalments", &first.instalments.len()),
        ],
    )
}

impl Grant {
    fn pledge(&self, number: u32, pledge: &Pledge) -> Ruling {
        let Matching { sources } = &self.matching;
        // Fewer than a hundred.
        let next = u32::try_from(sources.len()).unwrap_or(u32::MAX).saturating_add(1);
        happens_under(
            [
                (number != next).then(|| refusal::source_not_next(number, next)),
                (sources.len() >= SOURCES_MAX)
                    .then(|| refusal::too_many(("sources of matching money", "配套来源"), SOURCES_MAX)),
            ],
            FundEvent::MatchingPledged {
                grant: self.id,
                programme: self.programme,
                currency: self.currency,
                source: number,
                kind: pledge.kind,
                level: pledge.level,
                is_public: pledge.is_public,
                payer: pledge.payer.clone(),
                amount_minor: pledge.amount.minor,
                instalments: pledge.instalments.clone(),
            },
        )
    }

    fn record_arrival(&self, source: &Source, number: u32, amount: Amount, reference: &str) -> Ruling {
        let asked = MoneyFact::MatchingArrival {
            source: source.number,
            instalment: number,
            amount_minor: amount.minor,
        };
        match self.facts.reported_as(reference) {
            Some(first) if *first == asked => return unchanged(),
            Some(&MoneyFact::MatchingArrival { source, instalment, amount_minor }) => {
                let first = [
                    ("source", &source as &dyn Display),
                    ("instalment", &instalment),
                    ("amount", &self.amount(amount_minor)),
                    ("bank_reference", &reference),
                ];
                return refused(done_otherwise(
                    "MATCHING_ALREADY_ARRIVED",
                    ("the bank's reference was recorded as matching money", "该银行流水号已登记为配套到位"),
                    &first,
                ));
            }
            _ => {}
        }
        let arrivals = self.facts.uncorrected().filter(|known| is_of_source(source.number, &known.fact));
        happens_under(
            [
                rules::matching_missing(self, source, number, amount),
                rules::a14_reference_free(self, reference),
                (arrivals.count() >= ARRIVALS_MAX).then(|| {
                    refusal::too_many(("arrivals of one source", "一项来源的到位记录"), ARRIVALS_MAX)
                }),
            ],
            FundEvent::MatchingArrived {
                grant: self.id,
                programme: self.programme,
                currency: self.currency,
                source: source.number,
                instalment: number,
                amount_minor: amount.minor,
                bank_reference: reference.to_owned(),
            },
        )
    }
}
