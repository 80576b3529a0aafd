//! What each command does to a tranche, in every state.

use super::{
    Failed, Payment, Tranche, TrancheCommand, TrancheState,
    shortfall::{TakenBack, recovery_of_returned, taken_back},
};
use crate::{
    backing,
    grant::{Grant, Stage, contract::Contract},
    party,
    refusal::{
        self, Ruling, done_otherwise, happens, happens_under, refused, unchanged, wrong_stage,
        wrong_tranche_state,
    },
    rules::{self, Hand},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, RefusalKind, Stop};
use concord_events::fund::{FundEvent, InstructedUnder, Released};
use concord_kernel::{
    id::{InstructionId, RecoveryId},
    rulebook::Duty,
};

pub(in crate::grant) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    number: u32,
    command: &TrancheCommand,
) -> Result<Decision<FundEvent>, Stop> {
    let hand = match command {
        TrancheCommand::Request { .. } => Hand::Applicant(Some(Duty::Request)),
        TrancheCommand::Cancel { .. } => Hand::Applicant(None),
        TrancheCommand::Authorise => Hand::Office(Some(Duty::Authorise)),
        TrancheCommand::Reject { .. } => Hand::Office(None),
        TrancheCommand::Instruct { .. } => Hand::Office(Some(Duty::Instruct)),
        TrancheCommand::Settle { .. } | TrancheCommand::Return { .. } => Hand::Office(Some(Duty::Settle)),
    };
    let Some(contract) = grant.contract() else {
        return grant.conclude(
            case,
            hand,
            grant.last_step_on,
            refused(without_contract(&grant.stage, command)),
        );
    };
    if let TrancheCommand::Request { amount: Some(amount) } = command {
        case.well_formed([grant.other_currency("amount.currency", *amount)])?;
    }
    let Some(tranche) = contract.tranche(number) else {
        let none = refusal::no_tranche(number, contract.tranches.len());
        return Err(case.refuse(RefusalKind::NotFound, vec![none]));
    };
    let basis = Basis::of(case, grant, tranche, command)?;
    let ruling = tranche.rule(case, grant, contract, command, &basis);
    let answer = grant.conclude(case, hand, tranche.last_step_on, ruling)?;
    match basis.verified {
        // Last of all: trying again helps only where nothing else is in the way.
        Some(Err(unverified)) if !answer.events.is_empty() => {
            grant.under_terms(Err(case.refuse(RefusalKind::Unverified, vec![unverified])))
        }
        _ => Ok(answer),
    }
}

/// What lies beside the tranche: what A03 says of matching money to `Request` and `Authorise`, A01 of the agreement that backs
/// the grant to `Instruct`, and to a new `Return` what a settled payment takes back, and where money goes that comes back after
/// the end. Empty for other commands.
#[derive(Default)]
struct Basis {
    broken: Vec<Broken>,
    verified: Option<Result<InstructedUnder, Broken>>,
    taken: Option<TakenBack>,
    /// Id of the recovery of what a returned payment does not bring back.
    recovery: Option<RecoveryId>,
    released: Option<Released>,
}

impl Basis {
    fn of(
        case: &Case<'_, '_>,
        grant: &Grant,
        tranche: &Tranche,
        command: &TrancheCommand,
    ) -> Result<Self, Stop> {
        let (rulebook, context) = (case.rulebook, case.context);
        match command {
            TrancheCommand::Request { .. } | TrancheCommand::Authorise => {
                let broken = rules::a03_matching(rulebook, grant, tranche.plan.number, context.effective_on);
                return Ok(Self { broken, ..Self::default() });
            }
            TrancheCommand::Return { bank_reference, .. } if tranche.return_as(bank_reference).is_none() => {
                let taken = taken_back(grant, tranche);
                let recovery = match &taken {
                    Some(taken) if taken.leaves_a_recovery() => {
                        Some(recovery_of_returned(case, grant, bank_reference)?)
                    }
                    _ => None,
                };
                let paid_minor = tranche.payment().map_or(0, |payment| payment.amount_minor);
                let released = if grant.stage.has_ended() {
                    Some(Released {
                        mode: grant.mode,
                        lead_region: grant.project.lead.region.clone(),
                        to_treasury: grant.returns_to_treasury(case, paid_minor)?,
                    })
                } else {
                    None
                };
                return Ok(Self { taken, recovery, released, ..Self::default() });
            }
            TrancheCommand::Instruct { .. } => {}
            _ => return Ok(Self::default()),
        }
        let backing = match grant.backing {
            Some(agreement) => match backing::find(case, agreement)? {
                Some(backing) => Some(backing),
                // Once named it is known for good. Were its record lost all the same, that is no reason to pay.
                None => {
                    let broken = vec![refusal::backing_unknown(agreement)];
                    return Ok(Self { broken, ..Self::default() });
                }
            },
            None => None,
        };
        let left = match backing {
            Some(backing) => {
                let lead = &grant.project.lead;
                let is_a_party = party::is_between(case, backing, lead, context.effective_on)?;
                rules::a01_lead_is_a_party(backing, lead, is_a_party)
            }
            None => None,
        };
        let broken = [rules::a01_backing_in_force(rulebook, backing, context), left];
        Ok(Self {
            broken: broken.into_iter().flatten().collect(),
            verified: backing.map(|backing| rules::a01_backing_verified(rulebook, backing, context)),
            ..Self::default()
        })
    }
}

/// Before the contract nothing can be asked for, and paying is A01.
fn without_contract(stage: &Stage, command: &TrancheCommand) -> Broken {
    match command {
        TrancheCommand::Instruct { .. } => refusal::no_contract(stage),
        _ => wrong_stage(stage, ("tranches are paid under a contract", "签订任务书之后方可拨款")),
    }
}

impl Tranche {
    /// Rules on every pair of command and state.
    fn rule(
        &self,
        case: &Case<'_, '_>,
        grant: &Grant,
        contract: &Contract,
        command: &TrancheCommand,
        basis: &Basis,
    ) -> Ruling {
        use TrancheCommand::{Authorise, Cancel, Instruct, Reject, Request, Return, Settle};
        use TrancheState::{Authorised, Instructed, PaymentReturned, Planned, Requested, Settled};
        let (id, tranche) = (grant.id, self.plan.number);
        match (command, &self.state) {
            (Request { amount }, Planned(_)) => {
                self.request(grant, contract, amount.map(|amount| amount.minor), basis)
            }
            (Request { amount }, _) => {
                let asked_minor = amount.map_or(self.plan.amount_minor, |amount| amount.minor);
                let first = self.amount_minor().filter(|first| *first != asked_minor);
                first.map_or_else(unchanged, |first| {
                    self.done(
                        "TRANCHE_ALREADY_REQUESTED",
                        ("was requested", "已申请"),
                        &[("amount", &grant.amount(first))],
                    )
                })
            }

            (Authorise, Requested(amount_minor)) => happens_under(
                [rules::pays(grant), rules::not_on_hold(grant)]
                    .into_iter()
                    .chain(basis.broken.iter().cloned().map(Some)),
                FundEvent::TrancheAuthorised {
                    grant: id,
                    currency: grant.currency,
                    tranche,
                    amount_minor: *amount_minor,
                },
            ),
            (Authorise, Planned(_)) => self.wrong(("request it first", "请先申请拨款")),
            (Authorise, _) => unchanged(),

            (Reject { reason }, Planned(Some(Failed::Rejected(first)))) if reason == first => unchanged(),
            (Reject { reason }, Requested(_)) => {
                happens(FundEvent::TrancheRejected { grant: id, tranche, reason: reason.clone() })
            }
            (Reject { .. }, Planned(_)) => self.wrong(("there is no request to reject", "没有待审批的申请")),
            (Reject { .. }, Authorised(_)) => self.wrong(("cancel it instead", "请改为取消")),
            (Reject { .. }, _) => {
                self.wrong(("it went to the bank, so it cannot be rejected", "已下达支付指令，不能驳回"))
            }

            (Cancel { reason }, Planned(Some(Failed::Cancelled(first)))) if reason == first => unchanged(),
            (Cancel { .. }, Authorised(_)) if self.offset_minor > 0 => {
                refused(refusal::tranche_offset(tranche, grant.amount(self.offset_minor)))
            }
            (Cancel { reason }, Requested(_) | Authorised(_)) => {
                happens(FundEvent::TrancheCancelled { grant: id, tranche, reason: reason.clone() })
            }
            (Cancel { .. }, Planned(_)) => self.wrong(("there is no request to cancel", "没有可取消的申请")),
            (Cancel { .. }, _) => {
                self.wrong(("it went to the bank, so it cannot be cancelled", "已下达支付指令，不能取消"))
            }

            (Instruct { instruction }, _) => self.instruct(grant, contract, *instruction, basis),

            (Settle { bank_reference }, _) if self.was_settled_as(bank_reference) => unchanged(),
            (Settle { bank_reference }, Instructed(payment)) => happens_under(
                [rules::a14_reference_free(grant, bank_reference)],
                self.settled(grant, *payment, bank_reference.clone()),
            ),
            (Settle { .. }, Settled { bank_reference: first, .. }) => {
                self.done("TRANCHE_ALREADY_SETTLED", ("was settled", "已到账"), &[("bank_reference", first)])
            }
            (Settle { .. }, Planned(_) | Requested(_) | Authorised(_)) => {
                self.wrong(("instruct it first", "请先下达支付指令"))
            }
            (Settle { .. }, PaymentReturned(_)) => {
                self.wrong(("instruct it again first", "请先重新下达支付指令"))
            }

            (Return { bank_reference, reason }, state) => match (self.return_as(bank_reference), state) {
                (Some(first), _) if first.reason == *reason => unchanged(),
                (Some(first), _) => self.done(
                    "PAYMENT_ALREADY_RETURNED",
                    ("was returned", "已退汇"),
                    &[("reason", &first.reason)],
                ),
                (None, Instructed(payment) | Settled { payment, .. }) => {
                    let minutes = case.context.authority.unwrap_or(bank_reference);
                    let returned = self.sent_back(grant, *payment, basis, (bank_reference, reason));
                    happens_under([rules::a14_reference_free(grant, bank_reference)], returned).map(
                        |mut decision| {
                            let rest = basis.taken.as_ref().zip(basis.recovery);
                            decision
                                .events
                                .extend(rest.map(|(taken, id)| taken.recovery(grant, id, minutes, reason)));
                            decision
                        },
                    )
                }
                (None, PaymentReturned(_)) => self.returned_already(),
                (None, Planned(_) | Requested(_) | Authorised(_)) => {
                    self.wrong(("nothing was paid that could come back", "尚未支付，无可退汇"))
                }
            },
        }
    }

    /// `Instruct` in every state: A01 each time money leaves, and A14.
    fn instruct(
        &self,
        grant: &Grant,
        contract: &Contract,
        instruction: InstructionId,
        basis: &Basis,
    ) -> Ruling {
        match &self.state {
            TrancheState::Planned(_) | TrancheState::Requested(_) => {
                self.wrong(("have it authorised first", "请先审批"))
            }
            TrancheState::Authorised(amount_minor) => {
                let first = Payment { amount_minor: *amount_minor, instruction, attempt: 1 };
                self.pay(grant, contract, first, basis)
            }
            TrancheState::Instructed(payment)
            | TrancheState::Settled { payment, .. }
            | TrancheState::PaymentReturned(payment)
                if payment.instruction != instruction =>
            {
                refused(refusal::another_instruction(self.plan.number, payment.instruction))
            }
            TrancheState::Instructed(payment) | TrancheState::Settled { payment, .. } => {
                Ok(Decision::unchanged().answering("attempt", payment.attempt))
            }
            TrancheState::PaymentReturned(payment) if payment.amount_minor == 0 => {
                refused(refusal::nothing_to_instruct(self.plan.number))
            }
            TrancheState::PaymentReturned(payment) => {
                let next = Payment { attempt: payment.attempt.saturating_add(1), ..*payment };
                self.pay(grant, contract, next, basis)
            }
        }
    }

    fn pay(&self, grant: &Grant, contract: &Contract, payment: Payment, basis: &Basis) -> Ruling {
        let (payee, no_payee) = match rules::a01_payee(grant) {
            Ok(payee) => (Some(payee), None),
            Err(unverified) => (None, Some(unverified)),
        };
        let used = rules::a14_instruction_unused(contract, self.plan.number, payment.instruction);
        let basis_broken = basis.broken.iter().cloned().map(Some);
        let weighed: Vec<_> = [rules::pays(grant), rules::not_on_hold(grant), no_payee]
            .into_iter()
            .chain(basis_broken)
            .chain([used])
            .collect();
        let Some(payee) = payee else {
            return Err(weighed.into_iter().flatten().collect());
        };
        let instructed = FundEvent::TrancheInstructed {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            tranche: self.plan.number,
            amount_minor: payment.amount_minor,
            instruction: payment.instruction,
            attempt: payment.attempt,
            payee: payee.clone(),
            backing: basis.verified.as_ref().and_then(|verified| verified.as_ref().ok()).copied(),
            offset_minor: self.offset_minor,
        };
        happens_under(weighed, instructed).map(|decision| decision.answering("attempt", payment.attempt))
    }

    fn request(&self, grant: &Grant, contract: &Contract, asked_minor: Option<i64>, basis: &Basis) -> Ruling {
        let asked = grant.amount(asked_minor.unwrap_or(self.plan.amount_minor));
        happens_under(
            [
                rules::pays(grant),
                rules::not_on_hold(grant),
                rules::condition_met(&self.plan, contract),
                rules::a02_request(asked, &self.plan),
            ]
            .into_iter()
            .chain(basis.broken.iter().cloned().map(Some)),
            FundEvent::TrancheRequested {
                grant: grant.id,
                currency: grant.currency,
                tranche: self.plan.number,
                amount_minor: asked.minor,
            },
        )
    }

    fn settled(&self, grant: &Grant, payment: Payment, bank_reference: String) -> FundEvent {
        FundEvent::TrancheSettled {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            tranche: self.plan.number,
            amount_minor: payment.amount_minor,
            instruction: payment.instruction,
            attempt: payment.attempt,
            bank_reference,
        }
    }

    fn sent_back(
        &self,
        grant: &Grant,
        payment: Payment,
        basis: &Basis,
        (reference, reason): (&str, &str),
    ) -> FundEvent {
        let after_settlement = basis.taken.as_ref();
        let amount_minor = after_settlement.map_or(self.cash_minor(payment), |taken| taken.returned_minor);
        FundEvent::PaymentReturned {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            tranche: self.plan.number,
            amount_minor,
            shortfall_minor: after_settlement.map_or(0, |taken| taken.shortfall_minor),
            offset_minor: if after_settlement.is_some() { 0 } else { self.offset_minor },
            released: basis.released.clone().filter(|_| amount_minor > 0),
            instruction: payment.instruction,
            attempt: payment.attempt,
            after_settlement: after_settlement.is_some(),
            bank_reference: reference.to_owned(),
            reason: reason.to_owned(),
        }
    }

    fn returned_already(&self) -> Ruling {
        let reference = self.returned.last().map_or("", |attempt| attempt.returned_as.as_str());
        self.done("PAYMENT_ALREADY_RETURNED", ("was returned", "已退汇"), &[("bank_reference", &reference)])
    }

    fn done(&self, code: &str, what: (&str, &str), first: &[(&str, &dyn std::fmt::Display)]) -> Ruling {
        let number = self.plan.number;
        let (what, what_zh) = (format!("tranche {number} {}", what.0), format!("第{number}笔拨款{}", what.1));
        refused(done_otherwise(code, (&what, &what_zh), first))
    }

    fn wrong(&self, rule: (&str, &str)) -> Ruling {
        refused(wrong_tranche_state(self.plan.number, self.state.words(), rule))
    }
}
