//! Facts of money beside the postings: matching, spending, balances kept, corrections, recoveries; and rectifications.

use super::{At, Fold};
use crate::{
    ledger::rows::{
        BankFact, Correction, MatchInstalment, MatchMoved, MatchSource, Recovery, RecoveryStepped,
        Rectification, RectificationStepped, Retained, Spend, SpendStepped,
    },
    numbers::{MatchMove, RecoveryStep, RectificationStep, SpendStep},
};
use concord_chassis::projection::ApplyError;
use concord_events::fund::{FindingSubject, FundEvent, MoneyFact, Taken};
use concord_kernel::{
    Date,
    id::{GrantId, RecoveryId, RectificationId, SpendId},
    money::Amount,
    normal::{self, organisation, person},
};

/// The grant that an event of a recovery is about; `None` for other events.
pub(super) fn grant_of(event: &FundEvent) -> Option<GrantId> {
    match event {
        FundEvent::RecoveryDetermined { grant, .. }
        | FundEvent::RecoveryDemanded { grant, .. }
        | FundEvent::RecoveryAppealed { grant, .. }
        | FundEvent::RecoveryUpheld { grant, .. }
        | FundEvent::RecoveryOverturned { grant, .. }
        | FundEvent::RecoveryRepaid { grant, .. }
        | FundEvent::RecoveryOffset { grant, .. }
        | FundEvent::RecoveryWrittenOff { grant, .. } => Some(*grant),
        _ => None,
    }
}

impl<'a> Fold<'_, 'a> {
    /// Adds what the event says of money beside its postings.
    pub(super) fn money(&mut self, at: At<'a>, event: &'a FundEvent) -> Result<(), ApplyError> {
        if let Some(grant) = grant_of(event) {
            self.grant(at, grant)?;
        }
        self.matching(at, event)?;
        self.spending(at, event)?;
        self.recovery(at, event)?;
        self.rectification(at, event);
        if let Some((grant, reference)) = event.bank_reference() {
            self.grant(at, grant)?;
            self.rows.bank_facts.push(BankFact {
                position: at.position,
                grant_id: grant.0,
                reference: normal::reference(reference),
                effective_on: at.effective_on,
            });
        }
        match event {
            FundEvent::BalanceRetained { grant, party, amount_minor, until, .. } => {
                self.rows.retained.push(Retained {
                    position: at.position,
                    grant_id: grant.0,
                    party: party.0,
                    effective_on: at.effective_on,
                    amount_minor: *amount_minor,
                    until: *until,
                });
                Ok(())
            }
            FundEvent::FactCorrected { grant, reverses, fact, fact_on, reason, authority, .. } => {
                self.grant(at, *grant)?;
                self.rows.corrections.push(Correction {
                    position: at.position,
                    grant_id: grant.0,
                    reverses: i64::try_from(*reverses)
                        .map_err(|_| at.broken(&format!("reverses position {reverses}")))?,
                    effective_on: at.effective_on,
                    kind: fact.code(),
                    amount_minor: fact.amount_minor(),
                    fact_on: *fact_on,
                    authority,
                    reason,
                });
                self.reversed(at, *grant, fact, *fact_on)
            }
            _ => Ok(()),
        }
    }

    /// What a correction takes back counts as taken back on the day of the fact.
    fn reversed(
        &mut self,
        at: At<'a>,
        grant: GrantId,
        fact: &MoneyFact,
        fact_on: Date,
    ) -> Result<(), ApplyError> {
        let at = At { effective_on: fact_on, ..at };
        match *fact {
            MoneyFact::MatchingArrival { source, instalment, amount_minor } => {
                let step = MatchMove::ArrivalReversed;
                self.match_move(at, grant, (source, Some(instalment)), step, amount_minor)
            }
            MoneyFact::SpendAcceptance { spend, amount_minor, .. } => {
                self.spend_step(at, grant, spend, SpendStep::AcceptanceReversed, amount_minor);
                Ok(())
            }
            MoneyFact::RecoveryRepayment { recovery, amount_minor } => {
                let step = recovery_step(at, recovery, grant, RecoveryStep::RepaymentReversed);
                self.rows.recovery_steps.push(RecoveryStepped { amount_minor: Some(amount_minor), ..step });
                Ok(())
            }
            // A tranche has steps of its own; the others are postings alone.
            MoneyFact::Settlement { .. }
            | MoneyFact::ShareTransfer { .. }
            | MoneyFact::BalanceRefund { .. } => Ok(()),
        }
    }

    fn matching(&mut self, at: At<'a>, event: &'a FundEvent) -> Result<(), ApplyError> {
        match event {
            FundEvent::MatchingPledged {
                grant,
                source,
                kind,
                level,
                is_public,
                payer,
                amount_minor,
                instalments,
                ..
            } => {
                let source = at.number(*source, "a matching source")?;
                if let Some(payer) = payer {
                    self.name(at, payer);
                }
                self.rows.match_sources.push(MatchSource {
                    position: at.position,
                    grant_id: grant.0,
                    source,
                    effective_on: at.effective_on,
                    kind: kind.code(),
                    level: level.map(concord_events::fund::GovernmentLevel::code),
                    is_public: *is_public,
                    payer: payer.as_ref().map(|payer| payer.party.0),
                    amount_minor: *amount_minor,
                });
                for instalment in instalments {
                    self.rows.match_instalments.push(MatchInstalment {
                        position: at.position,
                        grant_id: grant.0,
                        source,
                        number: at.number(instalment.number, "an instalment")?,
                        effective_on: at.effective_on,
                        amount_minor: instalment.amount_minor,
                        due_on: instalment.due_on,
                    });
                }
                Ok(())
            }
            FundEvent::MatchingArrived { grant, source, instalment, amount_minor, .. } => {
                let which = (*source, Some(*instalment));
                self.match_move(at, *grant, which, MatchMove::Arrived, *amount_minor)
            }
            FundEvent::MatchingReleased { grant, source, amount_minor, .. } => {
                self.match_move(at, *grant, (*source, None), MatchMove::Released, *amount_minor)
            }
            _ => Ok(()),
        }
    }

    fn match_move(
        &mut self,
        at: At<'a>,
        grant: GrantId,
        (source, instalment): (u32, Option<u32>),
        step: MatchMove,
        amount_minor: i64,
    ) -> Result<(), ApplyError> {
        self.rows.match_moves.push(MatchMoved {
            position: at.position,
            grant_id: grant.0,
            source: at.number(source, "a matching source")?,
            instalment: instalment.map(|number| at.number(number, "an instalment")).transpose()?,
            step: step.number(),
            effective_on: at.effective_on,
            amount_minor,
        });
        Ok(())
    }

    fn spending(&mut self, at: At<'a>, event: &'a FundEvent) -> Result<(), ApplyError> {
        match event {
            FundEvent::SpendReported {
                grant,
                spend,
                party,
                category,
                spent_on,
                amount_minor,
                invoice,
                ..
            } => {
                self.grant(at, *grant)?;
                self.rows.spends.push(Spend {
                    position: at.position,
                    spend: spend.0,
                    grant_id: grant.0,
                    party: party.0,
                    effective_on: at.effective_on,
                    category: category.code(),
                    spent_on: *spent_on,
                    amount_minor: *amount_minor,
                    invoice: invoice.as_ref().map(|part| part.id().0),
                    issuer: invoice.as_ref().map(|part| part.issuer.as_str()),
                    number: invoice.as_ref().map(|part| part.number.as_str()),
                    total_minor: invoice.as_ref().map(|part| part.total_minor),
                });
            }
            FundEvent::SpendAccepted { grant, spend, amount_minor, .. } => {
                self.spend_step(at, *grant, *spend, SpendStep::Accepted, *amount_minor);
            }
            FundEvent::SpendDisallowed { grant, spend, amount_minor, was_accepted, .. } => {
                self.grant(at, *grant)?;
                let step =
                    if *was_accepted { SpendStep::DisallowedAfterAcceptance } else { SpendStep::Disallowed };
                self.spend_step(at, *grant, *spend, step, *amount_minor);
            }
            _ => {}
        }
        Ok(())
    }

    fn spend_step(&mut self, at: At<'a>, grant: GrantId, spend: SpendId, step: SpendStep, amount_minor: i64) {
        self.rows.spend_steps.push(SpendStepped {
            position: at.position,
            spend: spend.0,
            grant_id: grant.0,
            step: step.number(),
            effective_on: at.effective_on,
            amount_minor,
            actor: person(at.actor),
            actor_org: organisation(at.actor_org),
        });
    }

    fn recovery(&mut self, at: At<'a>, event: &'a FundEvent) -> Result<(), ApplyError> {
        let step = |recovery: &RecoveryId, grant: &GrantId, step| recovery_step(at, *recovery, *grant, step);
        let row = match event {
            FundEvent::RecoveryDetermined { recovery, grant, cause, amount_minor, .. } => {
                self.rows.recoveries.push(Recovery {
                    recovery: recovery.0,
                    grant_id: grant.0,
                    position: at.position,
                    effective_on: at.effective_on,
                    cause: cause.code(),
                    amount_minor: *amount_minor,
                });
                return Ok(());
            }
            FundEvent::RecoveryDemanded { recovery, grant, due_on, .. } => {
                RecoveryStepped { due_on: Some(*due_on), ..step(recovery, grant, RecoveryStep::Demanded) }
            }
            FundEvent::RecoveryAppealed { recovery, grant, .. } => {
                step(recovery, grant, RecoveryStep::Appealed)
            }
            FundEvent::RecoveryUpheld { recovery, grant, .. } => step(recovery, grant, RecoveryStep::Upheld),
            FundEvent::RecoveryOverturned { recovery, grant, gives_back, .. } => {
                let given = gives_back.iter().map(|&Taken { amount_minor, .. }| i128::from(amount_minor));
                let given = i64::try_from(given.sum::<i128>())
                    .map_err(|_| at.broken("gives back more than 63 bits hold"))?;
                RecoveryStepped {
                    amount_minor: Some(given),
                    ..step(recovery, grant, RecoveryStep::Overturned)
                }
            }
            FundEvent::RecoveryRepaid { recovery, grant, amount_minor, .. } => RecoveryStepped {
                amount_minor: Some(*amount_minor),
                ..step(recovery, grant, RecoveryStep::Repaid)
            },
            FundEvent::RecoveryOffset { recovery, grant, amount_minor, against, tranche, .. } => {
                RecoveryStepped {
                    amount_minor: Some(*amount_minor),
                    against: Some(against.0),
                    tranche: Some(at.number(*tranche, "a tranche")?),
                    ..step(recovery, grant, RecoveryStep::Offset)
                }
            }
            FundEvent::RecoveryWrittenOff { recovery, grant, amount_minor, .. } => RecoveryStepped {
                amount_minor: Some(*amount_minor),
                ..step(recovery, grant, RecoveryStep::WrittenOff)
            },
            _ => return Ok(()),
        };
        self.rows.recovery_steps.push(row);
        Ok(())
    }

    fn rectification(&mut self, at: At<'a>, event: &'a FundEvent) {
        let step = |rectification: &RectificationId,
                    step: RectificationStep,
                    said: &'a str,
                    seen: Option<Amount>| RectificationStepped {
            position: at.position,
            rectification: rectification.0,
            step: step.number(),
            effective_on: at.effective_on,
            said,
            seen_minor: seen.map(|seen| seen.minor),
            seen_currency: seen.map(|seen| seen.currency.to_string()),
        };
        let row = match event {
            FundEvent::RectificationAssigned { rectification, finding, grant, owner, deadline, task } => {
                let (of_grant, of_recovery) = match finding.about() {
                    Some(FindingSubject::Grant(GrantId(id)) | FindingSubject::Pair(GrantId(id), _)) => {
                        (Some(id), None)
                    }
                    Some(FindingSubject::GrantOrProgramme(id)) => (Some(id), None),
                    Some(FindingSubject::Recovery(id)) => (None, Some(id.0)),
                    Some(FindingSubject::Rectification(_)) | None => (None, None),
                };
                self.rows.rectifications.push(Rectification {
                    rectification: rectification.0,
                    position: at.position,
                    effective_on: at.effective_on,
                    rule: &finding.rule,
                    subject: &finding.subject,
                    // A position that no log reaches is no position of an event, and no finding's.
                    finding_position: i64::try_from(finding.position).unwrap_or(i64::MAX),
                    of_grant,
                    of_recovery,
                    named: grant.map(|grant| grant.0),
                    owner,
                    deadline: *deadline,
                    task,
                });
                return;
            }
            FundEvent::RectificationExplained { rectification, explanation } => {
                step(rectification, RectificationStep::Explained, explanation, None)
            }
            FundEvent::FindingRectified { rectification, evidence } => {
                step(rectification, RectificationStep::Rectified, evidence, None)
            }
            FundEvent::FindingAccepted { rectification, reason, seen, .. } => {
                step(rectification, RectificationStep::Accepted, reason, *seen)
            }
            FundEvent::FindingDismissed { rectification, reason, seen, .. } => {
                step(rectification, RectificationStep::Dismissed, reason, *seen)
            }
            _ => return,
        };
        self.rows.rectification_steps.push(row);
    }
}

fn recovery_step(at: At<'_>, recovery: RecoveryId, grant: GrantId, step: RecoveryStep) -> RecoveryStepped {
    RecoveryStepped {
        position: at.position,
        recovery: recovery.0,
        grant_id: grant.0,
        step: step.number(),
        effective_on: at.effective_on,
        amount_minor: None,
        due_on: None,
        against: None,
        tranche: None,
    }
}
