//! What each command does to a recovery, in every state.

use super::{Appeal, Outcome, Receipt, Recovery, RecoveryAct, RecoveryCommand, RecoveryState};
use crate::{
    State,
    grant::{Grant, tranche::Tranche},
    party,
    refusal::{self, Ruling, done_otherwise, happens, happens_under, refused, unchanged},
    rules::{self, Hand},
    view::{self, Case},
};
use concord_chassis::{
    deciding::at,
    log::{Decision, RefusalKind, Stop},
};
use concord_events::fund::FundEvent;
use concord_kernel::{
    Date,
    id::{GrantId, RecoveryId},
    normal::same_reference,
};
use jiff::ToSpan;

/// Repayments and offsets of one recovery: every state is kept in memory.
const RECEIPTS_MAX: usize = 1_000;

/// Decides every pair of recovery (absent or determined) and command.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    id: RecoveryId,
    command: &RecoveryCommand,
) -> Result<Decision<FundEvent>, Stop> {
    match (view::recovery_or_free(case, id)?, command) {
        (known, RecoveryCommand::Determine(determination)) => determination.decide(case, id, known),
        (None, RecoveryCommand::Act(_)) => {
            Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_recovery(id)]))
        }
        (Some(recovery), RecoveryCommand::Act(act)) => recovery.decide(case, act),
    }
}

impl Recovery {
    fn decide(&self, case: &Case<'_, '_>, act: &RecoveryAct) -> Result<Decision<FundEvent>, Stop> {
        let grant = view::grant(case, self.grant)?;
        if let RecoveryAct::Repay { amount, .. } | RecoveryAct::Offset { amount, .. } = act {
            case.well_formed([rules::same_currency("amount.currency", *amount, self.currency)])?;
        }
        let against = match act {
            RecoveryAct::Offset { against, tranche, .. } => {
                let none = || at("against_grant_id", refusal::no_grant(*against));
                let other = case.find(against.stream(), State::grant, none)?;
                Some((other, other.contract().and_then(|contract| contract.tranche(*tranche))))
            }
            _ => None,
        };
        let hand = match act {
            RecoveryAct::Appeal { .. } => Hand::Party,
            _ => Hand::Office(None),
        };
        let tranche_last = against.and_then(|(_, tranche)| tranche).map(|tranche| tranche.last_step_on);
        let last = tranche_last.map_or(self.last_step_on, |last| last.max(self.last_step_on));
        let same_lead = match against {
            Some((other, _)) => {
                let (one, other) = (grant.project.lead.party, other.project.lead.party);
                party::same_person(case, one, other, case.context.effective_on)?
            }
            None => true,
        };
        grant.conclude(case, hand, last, self.rule(case, grant, act, (against, same_lead)))
    }

    /// Rules on every pair of act and state.
    fn rule(
        &self,
        case: &Case<'_, '_>,
        grant: &Grant,
        act: &RecoveryAct,
        (against, same_lead): (Option<(&Grant, Option<&Tranche>)>, bool),
    ) -> Ruling {
        use RecoveryAct::{
            Appeal as AppealIt, Demand as DemandIt, Offset, Overturn, Repay, Uphold, WriteOff,
        };
        use RecoveryState::{Appealed, Demanded, Determined, Upheld};
        let (recovery, id, programme, currency) = (self.id, self.grant, self.programme, self.currency);
        let on = case.context.effective_on;
        match (act, self.state(), &self.demand) {
            (DemandIt { demand }, Determined, None) => {
                let due_on = days_after(on, case.rulebook.recovery.pay_within_days);
                let demand = demand.clone();
                happens(FundEvent::RecoveryDemanded { recovery, grant: id, due_on, demand })
                    .map(|decision| decision.answering("due_on", due_on))
            }
            (DemandIt { demand }, _, Some(first)) if same_reference(&first.number, demand) => {
                Ok(Decision::unchanged().answering("due_on", first.due_on))
            }
            (DemandIt { .. }, _, Some(first)) => refused(done_otherwise(
                "ALREADY_DEMANDED",
                ("the recovery was demanded", "已发出追缴通知"),
                &[("demand", &first.number), ("due_on", &first.due_on)],
            )),
            (_, _, None) => self.wrong(("demand it first", "请先发出追缴通知")),

            (AppealIt { grounds }, Demanded, Some(demand)) => happens_under(
                rules::appeal_in_time(case.rulebook, self, demand, on),
                FundEvent::RecoveryAppealed { recovery, grant: id, grounds: grounds.clone() },
            ),
            (AppealIt { grounds }, ..) => match &self.appeal {
                Some(first) if first.grounds == *grounds => unchanged(),
                Some(first) => refused(done_otherwise(
                    "ALREADY_APPEALED",
                    ("the recovery was appealed against", "已提出申诉"),
                    &[("grounds", &first.grounds)],
                )),
                None => self.wrong((
                    "nothing is outstanding that could be appealed against",
                    "已无未缴金额，不再受理申诉",
                )),
            },

            (Uphold { reason }, Appealed, _) => {
                happens(FundEvent::RecoveryUpheld { recovery, grant: id, reason: reason.clone() })
            }
            (Overturn { reason }, Appealed, _) => happens(FundEvent::RecoveryOverturned {
                recovery,
                grant: id,
                programme,
                currency,
                gives_back: self.takes.clone(),
                reason: reason.clone(),
            }),
            (Uphold { reason } | Overturn { reason }, ..) => match &self.appeal {
                Some(Appeal { outcome: Some(outcome), .. }) if outcome.is(act, reason) => unchanged(),
                Some(Appeal {
                    outcome: Some(Outcome::Upheld(first) | Outcome::Overturned(first)), ..
                }) => refused(done_otherwise(
                    "APPEAL_ALREADY_DECIDED",
                    ("the appeal was decided", "申诉已作出决定"),
                    &[("state", &self.state().words().0), ("reason", first)],
                )),
                _ => self.wrong(("there is no appeal to decide", "没有待决定的申诉")),
            },

            (Repay { amount, bank_reference }, state, _) => match self.repaid_as(bank_reference) {
                Some(first_minor) if first_minor == amount.minor => unchanged(),
                Some(first_minor) => refused(done_otherwise(
                    "ALREADY_REPAID",
                    ("a repayment was recorded under this bank's reference", "该银行流水号已登记缴款"),
                    &[("bank_reference", bank_reference), ("amount", &self.amount(first_minor))],
                )),
                None if state == Appealed => self.wrong((
                    "decide the appeal first, then record the money",
                    "请先对申诉作出决定，再登记缴款",
                )),
                None if state == RecoveryState::Overturned => self
                    .wrong(("nothing is owed any more; give the money back", "已无应缴款项；请将款项退还")),
                None => happens_under(
                    [
                        rules::repayment_within_outstanding(self, *amount),
                        rules::a14_reference_free(grant, bank_reference),
                        (self.receipts.len() >= RECEIPTS_MAX).then(|| {
                            refusal::too_many(
                                ("repayments and offsets of one recovery", "一项追缴的缴款与抵扣记录"),
                                RECEIPTS_MAX,
                            )
                        }),
                    ],
                    FundEvent::RecoveryRepaid {
                        recovery,
                        grant: id,
                        programme,
                        currency,
                        amount_minor: amount.minor,
                        bank_reference: bank_reference.clone(),
                    },
                ),
            },

            (Offset { amount, against: other, tranche }, state, Some(demand)) => {
                match (self.offset_against(*other, *tranche), state, against) {
                    (Some(first_minor), ..) if first_minor == amount.minor => unchanged(),
                    (Some(first_minor), ..) => refused(done_otherwise(
                        "ALREADY_OFFSET",
                        ("the recovery was offset against this tranche", "已抵扣该笔拨款"),
                        &[("tranche", tranche), ("amount", &self.amount(first_minor))],
                    )),
                    (None, Demanded | Upheld, Some(against)) => happens_under(
                        rules::offset_allowed(
                            case.rulebook,
                            (self, demand),
                            grant,
                            (against.0, against.1, same_lead),
                            (*amount, *tranche),
                            on,
                        ),
                        FundEvent::RecoveryOffset {
                            recovery,
                            grant: id,
                            programme,
                            currency,
                            amount_minor: amount.minor,
                            against: *other,
                            tranche: *tranche,
                        },
                    ),
                    (None, Appealed, _) => self.wrong(("decide the appeal first", "请先对申诉作出决定")),
                    (None, ..) => self.nothing_outstanding(),
                }
            }

            (WriteOff { minutes, reason }, Demanded | Upheld, _) => happens(FundEvent::RecoveryWrittenOff {
                recovery,
                grant: id,
                programme,
                currency,
                amount_minor: self.outstanding_minor(),
                minutes: minutes.clone(),
                reason: reason.clone(),
            }),
            (WriteOff { .. }, Appealed, _) => self.wrong(("decide the appeal first", "请先对申诉作出决定")),
            (WriteOff { minutes, reason }, ..) => match &self.write_off {
                Some(first) if same_reference(&first.minutes, minutes) && first.reason == *reason => {
                    unchanged()
                }
                Some(first) => refused(done_otherwise(
                    "ALREADY_WRITTEN_OFF",
                    ("the recovery was written off", "已核销"),
                    &[("amount", &self.amount(first.amount_minor)), ("minutes", &first.minutes)],
                )),
                None => self.nothing_outstanding(),
            },
        }
    }

    fn repaid_as(&self, reference: &str) -> Option<i64> {
        self.receipts.iter().find_map(|receipt| match receipt {
            Receipt::Repaid { amount_minor, bank_reference, .. }
                if same_reference(bank_reference, reference) =>
            {
                Some(*amount_minor)
            }
            _ => None,
        })
    }

    fn offset_against(&self, grant: GrantId, number: u32) -> Option<i64> {
        self.receipts.iter().find_map(|receipt| match receipt {
            Receipt::Offset { against, tranche, amount_minor } if (*against, *tranche) == (grant, number) => {
                Some(*amount_minor)
            }
            _ => None,
        })
    }

    fn nothing_outstanding(&self) -> Ruling {
        self.wrong(("nothing is outstanding", "已无未缴金额"))
    }

    fn wrong(&self, rule: (&str, &str)) -> Ruling {
        refused(refusal::wrong_recovery_state(self, rule))
    }
}

impl Outcome {
    /// Whether it is what this act says, for this reason.
    fn is(&self, act: &RecoveryAct, reason: &str) -> bool {
        match self {
            Self::Upheld(first) => matches!(act, RecoveryAct::Uphold { .. }) && first == reason,
            Self::Overturned(first) => matches!(act, RecoveryAct::Overturn { .. }) && first == reason,
        }
    }
}

/// So many calendar days after a day.
pub(crate) fn days_after(day: Date, days: u32) -> Date {
    day.saturating_add(i64::from(days).days())
}
