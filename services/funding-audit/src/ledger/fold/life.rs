//! The steps of a grant's life, its tranches and its holds.

use super::{At, Fold};
use crate::{
    ledger::rows::{BackingStepped, GrantStepped, Hold, Override, TrancheStep},
    numbers::{BackingStep, GrantStep, Step},
};
use concord_chassis::projection::ApplyError;
use concord_events::fund::{AcceptanceOutcome, Cleared, EvaluationGrade, FundEvent, HoldCause, MoneyFact};
use concord_kernel::{
    Date,
    id::GrantId,
    normal::{organisation, person},
};
use std::borrow::Cow;

/// A step of a grant's life, and what [`GrantStep`] says that the columns mean.
struct Took<'a> {
    grant: GrantId,
    step: GrantStep,
    amount_minor: Option<i64>,
    day: Option<Date>,
    number: Option<u32>,
    said: Option<Cow<'a, str>>,
}

impl<'a> Took<'a> {
    fn of(grant: GrantId, step: GrantStep) -> Self {
        Self { grant, step, amount_minor: None, day: None, number: None, said: None }
    }

    fn amount(self, minor: i64) -> Self {
        Self { amount_minor: Some(minor), ..self }
    }

    fn on(self, day: Date) -> Self {
        Self { day: Some(day), ..self }
    }

    fn number(self, number: u32) -> Self {
        Self { number: Some(number), ..self }
    }

    fn said(self, said: impl Into<Cow<'a, str>>) -> Self {
        Self { said: Some(said.into()), ..self }
    }
}

impl<'a> Fold<'_, 'a> {
    /// Adds the step that the event is, of a grant or of a tranche, and what it does to a hold.
    pub(super) fn life(&mut self, at: At<'a>, event: &'a FundEvent) -> Result<(), ApplyError> {
        if let Some(took) = took(event) {
            self.grant(at, took.grant)?;
            self.rows.grant_steps.push(GrantStepped {
                position: at.position,
                grant_id: took.grant.0,
                step: took.step.number(),
                effective_on: at.effective_on,
                amount_minor: took.amount_minor,
                day: took.day,
                number: took.number.map(|number| at.number(number, "a step")).transpose()?,
                said: took.said,
                actor: person(at.actor),
                actor_org: organisation(at.actor_org),
            });
        }
        self.tranche(at, event)?;
        self.backing(at, event)?;
        match event {
            FundEvent::GrantHeld { grant, cause, cause_on } => {
                let cause = match cause {
                    HoldCause::Office { .. } => "office",
                    HoldCause::BackingLost { how, .. } => how.code(),
                };
                self.hold(at, *grant, Some((cause, *cause_on)))
            }
            FundEvent::GrantResumed { grant } => self.hold(at, *grant, None),
            FundEvent::OverrideRecorded { grant, rule, minutes, reason } => {
                self.rows.overrides.push(Override {
                    position: at.position,
                    grant_id: grant.0,
                    effective_on: at.effective_on,
                    rule: rule.code(),
                    minutes,
                    reason,
                    actor: at.actor,
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn hold(&mut self, at: At<'a>, grant: GrantId, cause: Option<(&'a str, Date)>) -> Result<(), ApplyError> {
        self.grant(at, grant)?;
        self.rows.holds.push(Hold {
            position: at.position,
            grant_id: grant.0,
            effective_on: at.effective_on,
            cause: cause.map(|(cause, _)| cause),
            cause_on: cause.map(|(_, on)| on),
        });
        Ok(())
    }

    fn backing(&mut self, at: At<'a>, event: &'a FundEvent) -> Result<(), ApplyError> {
        let (grant, agreement, step, effective_on) = match event {
            FundEvent::TrancheInstructed { grant, backing: Some(under), .. } => {
                (grant, under.agreement, BackingStep::Instructed, at.effective_on)
            }
            FundEvent::GrantHeld { grant, cause: HoldCause::BackingLost { agreement, .. }, cause_on } => {
                (grant, *agreement, BackingStep::Lost, *cause_on)
            }
            FundEvent::HoldCauseCleared { grant, agreement, cleared: Cleared::InForceAgain, .. } => {
                (grant, *agreement, BackingStep::InForceAgain, at.effective_on)
            }
            _ => return Ok(()),
        };
        self.grant(at, *grant)?;
        self.rows.backing_steps.push(BackingStepped {
            position: at.position,
            grant_id: grant.0,
            agreement: agreement.0,
            step: step.number(),
            effective_on,
        });
        Ok(())
    }

    fn tranche(&mut self, at: At<'a>, event: &'a FundEvent) -> Result<(), ApplyError> {
        let step = |grant: &GrantId, number: &u32, step: Step, amount_minor: Option<i64>| {
            Ok::<_, ApplyError>(TrancheStep {
                position: at.position,
                grant_id: grant.0,
                number: at.number(*number, "a tranche")?,
                step: step.number(),
                effective_on: at.effective_on,
                amount_minor,
                short_minor: 0,
                instruction: None,
                attempt: None,
                bank_reference: None,
                actor: person(at.actor),
                actor_org: organisation(at.actor_org),
            })
        };
        let (grant, row) = match event {
            FundEvent::TrancheRequested { grant, tranche, amount_minor, .. } => {
                (grant, step(grant, tranche, Step::Requested, Some(*amount_minor))?)
            }
            FundEvent::TrancheAuthorised { grant, tranche, amount_minor, .. } => {
                (grant, step(grant, tranche, Step::Authorised, Some(*amount_minor))?)
            }
            FundEvent::TrancheRejected { grant, tranche, .. } => {
                (grant, step(grant, tranche, Step::Rejected, None)?)
            }
            FundEvent::TrancheCancelled { grant, tranche, .. } => {
                (grant, step(grant, tranche, Step::Cancelled, None)?)
            }
            FundEvent::TrancheInstructed {
                grant,
                tranche,
                amount_minor,
                instruction,
                attempt,
                offset_minor,
                ..
            } => {
                let row = TrancheStep {
                    short_minor: *offset_minor,
                    instruction: Some(instruction.0),
                    attempt: Some(at.number(*attempt, "an attempt")?),
                    ..step(grant, tranche, Step::Instructed, Some(*amount_minor))?
                };
                (grant, row)
            }
            FundEvent::TrancheSettled {
                grant,
                tranche,
                amount_minor,
                instruction,
                attempt,
                bank_reference,
                ..
            } => {
                let row = TrancheStep {
                    instruction: Some(instruction.0),
                    attempt: Some(at.number(*attempt, "an attempt")?),
                    bank_reference: Some(bank_reference),
                    ..step(grant, tranche, Step::Settled, Some(*amount_minor))?
                };
                (grant, row)
            }
            FundEvent::PaymentReturned {
                grant,
                tranche,
                amount_minor,
                shortfall_minor,
                instruction,
                attempt,
                bank_reference,
                ..
            } => {
                let row = TrancheStep {
                    short_minor: *shortfall_minor,
                    instruction: Some(instruction.0),
                    attempt: Some(at.number(*attempt, "an attempt")?),
                    bank_reference: Some(bank_reference),
                    ..step(grant, tranche, Step::Returned, Some(*amount_minor))?
                };
                (grant, row)
            }
            FundEvent::FactCorrected {
                grant,
                fact: MoneyFact::Settlement { tranche, amount_minor },
                fact_on,
                ..
            } => {
                let row = TrancheStep {
                    effective_on: *fact_on,
                    ..step(grant, tranche, Step::SettlementReversed, Some(*amount_minor))?
                };
                (grant, row)
            }
            _ => return Ok(()),
        };
        self.grant(at, *grant)?;
        self.rows.tranche_steps.push(row);
        Ok(())
    }
}

/// The step of a grant's life that an event is; `None` where it is none.
#[allow(clippy::too_many_lines, reason = "one table: an arm for each step")]
fn took(event: &FundEvent) -> Option<Took<'_>> {
    use GrantStep as Is;
    let of = |grant: &GrantId, step| Took::of(*grant, step);
    Some(match event {
        FundEvent::GrantApplied { grant, requested_minor, ends_on, .. } => {
            of(grant, Is::Applied).amount(*requested_minor).on(*ends_on)
        }
        FundEvent::GrantRecommended { grant, recommender } => {
            of(grant, Is::Recommended).said(recommender.as_str())
        }
        FundEvent::GrantAdmitted { grant, filed } => {
            let said = filed.as_ref().map(|filed| filed.fingerprint.0.to_string().into());
            Took { said, ..of(grant, Is::Admitted) }
        }
        FundEvent::GrantReviewed { grant, score_hundredths, ceiling_minor, .. } => {
            of(grant, Is::Reviewed).amount(*ceiling_minor).number(*score_hundredths)
        }
        FundEvent::NoticePublished { grant, amount_minor, working_days, approvable_from, .. } => {
            of(grant, Is::NoticePublished).amount(*amount_minor).on(*approvable_from).number(*working_days)
        }
        FundEvent::ObjectionRaised { grant, objection, .. } => {
            of(grant, Is::ObjectionRaised).number(*objection)
        }
        FundEvent::ObjectionRejected { grant, objection, .. } => {
            of(grant, Is::ObjectionRejected).number(*objection)
        }
        FundEvent::ObjectionUpheld { grant, objection, .. } => {
            of(grant, Is::ObjectionUpheld).number(*objection)
        }
        FundEvent::OverrideRecorded { grant, rule, .. } => of(grant, Is::OverrideRecorded).said(rule.code()),
        FundEvent::GrantApproved { grant, amount_minor, minutes, .. } => {
            of(grant, Is::Approved).amount(*amount_minor).said(minutes.as_str())
        }
        FundEvent::GrantRejected { grant, released_minor, reason, .. } => {
            of(grant, Is::Rejected).amount(*released_minor).said(reason.as_str())
        }
        FundEvent::GrantWithdrawn { grant, released_minor, reason, .. } => {
            of(grant, Is::Withdrawn).amount(*released_minor).said(reason.as_str())
        }
        FundEvent::ContractSigned { grant, amount_minor, ends_on, contract_number, .. } => {
            of(grant, Is::Contracted).amount(*amount_minor).on(*ends_on).said(contract_number.as_str())
        }
        FundEvent::ContractAmended { grant, amount_minor, amendment, minutes, .. } => {
            of(grant, Is::Amended).amount(*amount_minor).number(*amendment).said(minutes.as_str())
        }
        FundEvent::ProjectExtended { grant, ends_on, minutes, .. } => {
            of(grant, Is::Extended).on(*ends_on).said(minutes.as_str())
        }
        FundEvent::PayeeVerified { grant, .. } => of(grant, Is::PayeeVerified),
        FundEvent::MidtermChecked { grant, passed, report } => {
            of(grant, if *passed { Is::MidtermPassed } else { Is::MidtermFailed }).said(report.as_str())
        }
        FundEvent::CompletionReported { grant, report } => {
            of(grant, Is::CompletionReported).said(report.as_str())
        }
        FundEvent::FinalAcceptanceConcluded { grant, outcome, minutes, .. } => match outcome {
            AcceptanceOutcome::Passed => of(grant, Is::AcceptancePassed).said(minutes.as_str()),
            AcceptanceOutcome::Rectify { by } => {
                of(grant, Is::AcceptanceRectify).on(*by).said(minutes.as_str())
            }
            AcceptanceOutcome::Failed { cause } => of(grant, Is::AcceptanceFailed).said(cause.code()),
        },
        FundEvent::GrantClosed { grant, end, refund_by, minutes } => {
            let closed = of(grant, Is::Closed).amount(end.undrawn_minor).said(minutes.as_str());
            Took { day: *refund_by, ..closed }
        }
        FundEvent::GrantEvaluated { grant, grade, score_hundredths, .. } => {
            of(grant, Is::Evaluated).number(*score_hundredths).said(grade_code(*grade))
        }
        FundEvent::GrantTerminated { grant, end, refund_by, minutes, .. } => {
            of(grant, Is::Terminated).amount(end.undrawn_minor).on(*refund_by).said(minutes.as_str())
        }
        FundEvent::GrantCancelled { grant, end, minutes, .. } => {
            of(grant, Is::Cancelled).amount(end.undrawn_minor).said(minutes.as_str())
        }
        FundEvent::AwardImported { grant, amount_minor, ends_on, .. } => {
            Took { day: *ends_on, ..of(grant, Is::Imported).amount(*amount_minor) }
        }
        _ => return None,
    })
}

/// Code of a grade, as in the stored JSON.
fn grade_code(grade: EvaluationGrade) -> &'static str {
    match grade {
        EvaluationGrade::Excellent => "excellent",
        EvaluationGrade::Good => "good",
        EvaluationGrade::Pass => "pass",
        EvaluationGrade::Fail => "fail",
    }
}
