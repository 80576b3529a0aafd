//! Corrections 更正: a fact of money that was recorded and was not so is reversed, and the right one is recorded anew
//! (domain.md section 1, "Corrections").
//!
//! ```text
//!                                    CorrectFact
//!  (recorded) Stands ───────────────────────────▶ Corrected
//!               │
//!               └── undone by another act: its payment came back, its spending was disallowed ──▶ Undone
//! ```
//!
//! Nothing is edited: the reversal counts from the day of the fact, and both stay in the log. A fact is known by the position
//! of its event. What a reversal means beside the books, each lifecycle says of its own facts.

use super::Grant;
use crate::{
    refusal::{self, Ruling, done_otherwise, happens_under, refused, unchanged},
    rules::{self, Hand},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Meta, RefusalKind, Stop};
use concord_events::fund::{FundEvent, MoneyFact};
use concord_kernel::Date;
use serde::{Deserialize, Serialize};

/// A fact of money that can be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFact {
    /// Position of its event.
    pub position: u64,
    /// When it happened.
    pub on: Date,
    /// What it said.
    pub fact: MoneyFact,
    /// Bank's reference, where a bank reported it.
    pub bank_reference: Option<String>,
    /// Whether it still holds.
    pub standing: FactStanding,
}

/// Whether a fact still holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactStanding {
    /// It does.
    Stands,
    /// An act of another kind has undone it, at this position: there is nothing left to reverse.
    Undone(u64),
    /// It was reversed.
    Corrected(Box<Correction>),
}

/// How a fact was corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// Position of the reversal.
    pub position: u64,
    /// When.
    pub on: Date,
    /// Why it was wrong.
    pub reason: String,
    /// By whose authority 文号.
    pub authority: String,
}

/// Reverse the fact at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correct {
    /// Position of its event.
    pub position: u64,
    /// Why it was wrong.
    pub reason: String,
    /// Document by whose authority it is reversed.
    pub authority: String,
}

/// Corrections of one grant: every state is kept in memory, and each leaves its fact there.
const CORRECTIONS_MAX: usize = 1_000;

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &Correct,
) -> Result<Decision<FundEvent>, Stop> {
    let ruling = match grant.facts.iter().find(|known| known.position == command.position) {
        Some(known) => rule(grant, known, command),
        None => match grant.facts.iter().find_map(|known| known.corrected_at(command.position)) {
            Some(fact) => refused(refusal::correction_of_correction(command.position, fact)),
            None => {
                let none = refusal::no_fact(command.position);
                return Err(case.refuse(RefusalKind::NotFound, vec![none]));
            }
        },
    };
    let happened_on = grant.facts.iter().find(|known| known.position == command.position);
    let last = happened_on.map_or(grant.last_step_on, |known| known.on);
    grant.conclude(case, Hand::Office(None), last, ruling)
}

/// Rules on every standing of a fact.
fn rule(grant: &Grant, known: &RecordedFact, command: &Correct) -> Ruling {
    match &known.standing {
        FactStanding::Stands => happens_under(
            [rules::correction_is_covered(grant, &known.fact), corrected_enough(grant)],
            FundEvent::FactCorrected {
                grant: grant.id,
                programme: grant.programme,
                currency: grant.currency,
                reverses: known.position,
                fact: known.fact,
                fact_on: known.on,
                reason: command.reason.clone(),
                authority: command.authority.clone(),
            },
        ),
        FactStanding::Undone(by) => refused(refusal::fact_undone(known, *by)),
        FactStanding::Corrected(first)
            if first.reason == command.reason && first.authority == command.authority =>
        {
            unchanged()
        }
        FactStanding::Corrected(first) => refused(done_otherwise(
            "CORRECTED_ALREADY",
            ("the fact was corrected", "该事项已更正"),
            &[("correction_position", &first.position), ("authority", &first.authority)],
        )),
    }
}

fn corrected_enough(grant: &Grant) -> Option<Broken> {
    let corrected = |known: &&RecordedFact| matches!(known.standing, FactStanding::Corrected(_));
    (grant.facts.iter().filter(corrected).count() >= CORRECTIONS_MAX)
        .then(|| refusal::too_many(("corrections", "更正记录"), CORRECTIONS_MAX))
}

impl RecordedFact {
    /// Whether it is a payment, and was not recorded wrongly.
    pub(super) fn is_payment(&self) -> bool {
        let is_it = matches!(self.fact, MoneyFact::Settlement { .. });
        is_it && !matches!(self.standing, FactStanding::Corrected(_))
    }

    /// Whether it is money that a recipient passed on or gave back, and was not recorded wrongly.
    pub(super) fn takes_from_recipient(&self) -> bool {
        let is_it = matches!(self.fact, MoneyFact::ShareTransfer { .. } | MoneyFact::BalanceRefund { .. });
        is_it && !matches!(self.standing, FactStanding::Corrected(_))
    }

    /// Whether the bank reported it under this reference. A correction frees that for the right fact.
    pub(crate) fn was_reported_as(&self, reference: &str) -> bool {
        let is_it = self.bank_reference.as_deref() == Some(reference);
        is_it && !matches!(self.standing, FactStanding::Corrected(_))
    }

    /// Its own position, where this is that of its correction.
    fn corrected_at(&self, position: u64) -> Option<u64> {
        match &self.standing {
            FactStanding::Corrected(correction) if correction.position == position => Some(self.position),
            _ => None,
        }
    }
}

/// The fact that an event records, if it is one that can be corrected.
fn recorded(event: &FundEvent) -> Option<MoneyFact> {
    Some(match *event {
        FundEvent::TrancheSettled { tranche, amount_minor, .. } => {
            MoneyFact::Settlement { tranche, amount_minor }
        }
        FundEvent::MatchingArrived { source, instalment, amount_minor, .. } => {
            MoneyFact::MatchingArrival { source, instalment, amount_minor }
        }
        FundEvent::ShareTransferred { to, amount_minor, .. } => MoneyFact::ShareTransfer { to, amount_minor },
        FundEvent::SpendAccepted { spend, party, amount_minor, .. } => {
            MoneyFact::SpendAcceptance { spend, party, amount_minor }
        }
        FundEvent::BalanceRefunded { party, from, amount_minor, .. } => {
            MoneyFact::BalanceRefund { party, from, amount_minor }
        }
        FundEvent::RecoveryRepaid { recovery, amount_minor, .. } => {
            MoneyFact::RecoveryRepayment { recovery, amount_minor }
        }
        _ => return None,
    })
}

/// The bank's reference under which an event reports a fact.
fn reference(event: &FundEvent) -> Option<&str> {
    match event {
        FundEvent::TrancheSettled { bank_reference, .. }
        | FundEvent::MatchingArrived { bank_reference, .. }
        | FundEvent::ShareTransferred { bank_reference, .. }
        | FundEvent::BalanceRefunded { bank_reference, .. }
        | FundEvent::RecoveryRepaid { bank_reference, .. } => Some(bank_reference),
        _ => None,
    }
}

/// Folds an event into the facts of its grant.
pub(super) fn apply(facts: &mut Vec<RecordedFact>, event: &FundEvent, meta: &Meta<'_>) {
    if let Some(fact) = recorded(event) {
        let (position, on) = (meta.position, meta.effective_on);
        let bank_reference = reference(event).map(str::to_owned);
        return facts.push(RecordedFact {
            position,
            on,
            fact,
            bank_reference,
            standing: FactStanding::Stands,
        });
    }
    let undoes = |fact: &MoneyFact| match (event, fact) {
        (
            FundEvent::PaymentReturned { tranche, after_settlement: true, .. },
            MoneyFact::Settlement { tranche: settled, .. },
        ) => tranche == settled,
        (
            FundEvent::SpendDisallowed { spend, was_accepted: true, .. },
            MoneyFact::SpendAcceptance { spend: accepted, .. },
        ) => spend == accepted,
        _ => false,
    };
    match event {
        FundEvent::FactCorrected { reverses, reason, authority, .. } => {
            let correction = Correction {
                position: meta.position,
                on: meta.effective_on,
                reason: reason.clone(),
                authority: authority.clone(),
            };
            if let Some(known) = facts.iter_mut().find(|known| known.position == *reverses) {
                known.standing = FactStanding::Corrected(Box::new(correction));
            }
        }
        FundEvent::PaymentReturned { .. } | FundEvent::SpendDisallowed { .. } => {
            let stands = |known: &&mut RecordedFact| known.standing == FactStanding::Stands;
            if let Some(known) = facts.iter_mut().filter(stands).find(|known| undoes(&known.fact)) {
                known.standing = FactStanding::Undone(meta.position);
            }
        }
        _ => {}
    }
}
