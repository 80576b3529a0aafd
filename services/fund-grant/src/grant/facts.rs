//! Facts of a grant's money 资金事项 that were recorded and can be corrected 更正: payments settled, matching money that arrived,
//! shares passed on, spending accepted, balances given back, recoveries repaid.
//!
//! This is the one place that remembers them: what has arrived, was passed on or was given back is added up from here. So a
//! correction is folded once, and takes effect in all of it.

use concord_chassis::log::Meta;
use concord_events::fund::{FundEvent, MoneyFact};
use concord_kernel::{Date, normal::same_reference};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The facts of one grant, in the order in which they were recorded. Few commands add one, so copies of a state share them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(Arc<Vec<RecordedFact>>);

/// A fact of money that can be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedFact {
    /// Position of its event: a correction names it.
    pub position: u64,
    /// When it happened.
    pub on: Date,
    /// What it said.
    pub fact: MoneyFact,
    /// Bank's reference, where a bank reported it. That of a payment its tranche has.
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

impl Facts {
    /// All of them, those that were corrected included.
    #[must_use]
    pub fn recorded(&self) -> &[RecordedFact] {
        &self.0
    }

    /// Those that were not recorded wrongly, whatever has become of them since.
    pub fn uncorrected(&self) -> impl Iterator<Item = &RecordedFact> {
        self.0.iter().filter(|known| !known.is_corrected())
    }

    /// The one at a position.
    pub(super) fn at(&self, position: u64) -> Option<&RecordedFact> {
        self.0.iter().find(|known| known.position == position)
    }

    /// The position of the fact whose correction is at this one.
    pub(super) fn corrected_at(&self, position: u64) -> Option<u64> {
        let is_it = |known: &&RecordedFact| matches!(&known.standing, FactStanding::Corrected(correction) if correction.position == position);
        self.0.iter().find(is_it).map(|known| known.position)
    }

    /// What the bank reported under this reference, however it is spelled. A correction frees that for the right fact.
    pub(crate) fn reported_as(&self, reference: &str) -> Option<&MoneyFact> {
        let is_it = |known: &&RecordedFact| {
            known.bank_reference.as_deref().is_some_and(|first| same_reference(first, reference))
        };
        self.uncorrected().find(is_it).map(|known| &known.fact)
    }

    /// Bytes that they take beside the grant, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        192 * self.0.len()
    }

    /// Folds an event.
    pub(super) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        if let Some((fact, bank_reference)) = recorded(event) {
            let (position, on) = (meta.position, meta.effective_on);
            let bank_reference = bank_reference.map(str::to_owned);
            let standing = FactStanding::Stands;
            return self.facts_mut().push(RecordedFact { position, on, fact, bank_reference, standing });
        }
        let (is_it, standing): (&dyn Fn(&RecordedFact) -> bool, _) = match event {
            FundEvent::FactCorrected { reverses, reason, authority, .. } => {
                let correction = Correction {
                    position: meta.position,
                    on: meta.effective_on,
                    reason: reason.clone(),
                    authority: authority.clone(),
                };
                (&|known| known.position == *reverses, FactStanding::Corrected(Box::new(correction)))
            }
            FundEvent::PaymentReturned { .. } | FundEvent::SpendDisallowed { .. } => (
                &|known| known.standing == FactStanding::Stands && undoes(event, &known.fact),
                FactStanding::Undone(meta.position),
            ),
            _ => return,
        };
        if let Some(index) = self.0.iter().position(is_it) {
            self.facts_mut()[index].standing = standing;
        }
    }

    fn facts_mut(&mut self) -> &mut Vec<RecordedFact> {
        Arc::make_mut(&mut self.0)
    }
}

impl RecordedFact {
    /// Whether it was recorded wrongly, and reversed.
    #[must_use]
    pub fn is_corrected(&self) -> bool {
        matches!(self.standing, FactStanding::Corrected(_))
    }
}

/// The fact that an event records, if it is one that can be corrected, and the bank's reference under which it does.
fn recorded(event: &FundEvent) -> Option<(MoneyFact, Option<&str>)> {
    Some(match event {
        FundEvent::TrancheSettled { tranche, amount_minor, .. } => {
            (MoneyFact::Settlement { tranche: *tranche, amount_minor: *amount_minor }, None)
        }
        FundEvent::SpendAccepted { spend, party, amount_minor, .. } => {
            let (spend, party, amount_minor) = (*spend, *party, *amount_minor);
            (MoneyFact::SpendAcceptance { spend, party, amount_minor }, None)
        }
        FundEvent::MatchingArrived { source, instalment, amount_minor, bank_reference, .. } => {
            let (source, instalment, amount_minor) = (*source, *instalment, *amount_minor);
            (MoneyFact::MatchingArrival { source, instalment, amount_minor }, Some(bank_reference))
        }
        FundEvent::ShareTransferred { to, amount_minor, bank_reference, .. } => {
            (MoneyFact::ShareTransfer { to: *to, amount_minor: *amount_minor }, Some(bank_reference))
        }
        FundEvent::BalanceRefunded { party, from, amount_minor, bank_reference, .. } => {
            let (party, from, amount_minor) = (*party, *from, *amount_minor);
            (MoneyFact::BalanceRefund { party, from, amount_minor }, Some(bank_reference))
        }
        FundEvent::RecoveryRepaid { recovery, amount_minor, bank_reference, .. } => {
            let (recovery, amount_minor) = (*recovery, *amount_minor);
            (MoneyFact::RecoveryRepayment { recovery, amount_minor }, Some(bank_reference))
        }
        _ => return None,
    })
}

/// Whether an act of another kind undoes a fact: its payment came back, or its spending was disallowed.
fn undoes(event: &FundEvent, fact: &MoneyFact) -> bool {
    match (event, fact) {
        (
            FundEvent::PaymentReturned { tranche, after_settlement: true, .. },
            MoneyFact::Settlement { tranche: settled, .. },
        ) => tranche == settled,
        (
            FundEvent::SpendDisallowed { spend, was_accepted: true, .. },
            MoneyFact::SpendAcceptance { spend: accepted, .. },
        ) => spend == accepted,
        _ => false,
    }
}
