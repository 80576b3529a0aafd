//! Matching money 配套资金: what others pledge beside a grant, and what of it arrives (domain.md section 3, "Matching").
//!
//! ```text
//!           PledgeMatching             ReleaseMatching
//!  (absent) ─────────────▶ Pledged ──────────────────────▶ Released
//!                            ⟲ RecordMatchingArrival          │ an arrival was corrected: so much is missing again
//!                              (an instalment, or a part)     └──▶ Pledged
//! ```
//!
//! Each source is pledged in instalments. What arrives is a fact of the bank's: it may be recorded late and in any order, on
//! hold and after closeout, but not before the pledge. What a source is released from is no longer pledged.

mod ruling;

pub(super) use ruling::decide;

use super::facts::Facts;
use concord_chassis::log::Meta;
use concord_events::fund::{FundEvent, GovernmentLevel, MatchingInstalment, MatchingKind, MoneyFact, Party};
use concord_kernel::{Date, money::Amount};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The sources of one grant, in the order of their numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Matching {
    /// The sources; the first has number 1.
    pub sources: Vec<Source>,
}

/// A source of matching money 配套来源.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Number within the grant, from 1.
    pub number: u32,
    /// Kind: the class by which A03 weighs.
    pub kind: MatchingKind,
    /// Level, of a government's budget.
    pub level: Option<GovernmentLevel>,
    /// Whether it is public money.
    pub is_public: bool,
    /// Who pays, where that is settled.
    pub payer: Option<Party>,
    /// When it was pledged; nothing of it arrives before.
    pub pledged_on: Date,
    /// What is due when.
    pub instalments: Vec<Instalment>,
    /// How it was last released.
    pub released: Option<Release>,
}

/// An instalment of a source 配套分期.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instalment {
    /// As it was pledged.
    pub plan: MatchingInstalment,
    /// What of it the source was released from, in minor units.
    pub released_minor: i64,
}

/// Matching money that arrived 到位, by source and instalment: added up from the facts of its grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived(BTreeMap<(u32, u32), i64>);

/// How a source was released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// Why.
    pub reason: String,
    /// Minutes of the meeting.
    pub minutes: String,
    /// When.
    pub on: Date,
}

/// About the source with a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchingCommand {
    /// Pledge it 配套承诺.
    Pledge(Box<Pledge>),
    /// Record that an instalment or a part of it arrived 到位.
    RecordArrival {
        /// Number of the instalment.
        instalment: u32,
        /// Arrived.
        amount: Amount,
        /// Bank's reference.
        bank_reference: String,
    },
    /// Release it from all that has not arrived 核减.
    Release {
        /// Why.
        reason: String,
        /// Minutes of the meeting.
        minutes: String,
    },
}

/// What is pledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pledge {
    /// Kind of source.
    pub kind: MatchingKind,
    /// Level, of a government's budget only.
    pub level: Option<GovernmentLevel>,
    /// Whether it is public money.
    pub is_public: bool,
    /// Who pays, where that is settled.
    pub payer: Option<Party>,
    /// Pledged.
    pub amount: Amount,
    /// Numbered from 1 without gaps; they add up to the amount.
    pub instalments: Vec<MatchingInstalment>,
}

impl Matching {
    /// The source with this number.
    #[must_use]
    pub fn source(&self, number: u32) -> Option<&Source> {
        self.sources.iter().find(|source| source.number == number)
    }

    /// Pledged and not released, in minor units.
    #[must_use]
    pub fn pledged_minor(&self) -> i64 {
        self.sources.iter().map(Source::pledged_minor).fold(0, i64::saturating_add)
    }

    /// Bytes that it takes beside the grant, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        let of = |source: &Source| {
            let texts = source.released.as_ref().map_or(0, |it| it.reason.len() + it.minutes.len());
            512 + 48 * source.instalments.len() + texts
        };
        self.sources.iter().map(of).sum()
    }

    /// Folds an event; `facts` are those of the grant.
    pub(super) fn apply(&mut self, facts: &Facts, event: &FundEvent, meta: &Meta<'_>) {
        match event {
            FundEvent::MatchingPledged { source, kind, level, is_public, payer, instalments, .. } => {
                self.sources.push(Source {
                    number: *source,
                    kind: *kind,
                    level: *level,
                    is_public: *is_public,
                    payer: payer.clone(),
                    pledged_on: meta.effective_on,
                    instalments: instalments
                        .iter()
                        .map(|plan| Instalment { plan: *plan, released_minor: 0 })
                        .collect(),
                    released: None,
                });
            }
            FundEvent::MatchingReleased { source, reason, minutes, .. } => {
                let Some(source) = self.source_mut(*source) else { return };
                source.release(
                    &Arrived::of(facts, None),
                    Release { reason: reason.clone(), minutes: minutes.clone(), on: meta.effective_on },
                );
            }
            _ => {}
        }
    }

    fn source_mut(&mut self, number: u32) -> Option<&mut Source> {
        self.sources.iter_mut().find(|source| source.number == number)
    }
}

impl Source {
    /// Pledged and not released, in minor units.
    #[must_use]
    pub fn pledged_minor(&self) -> i64 {
        self.instalments.iter().map(Instalment::pledged_minor).fold(0, i64::saturating_add)
    }

    /// The instalment with this number.
    #[must_use]
    pub fn instalment(&self, number: u32) -> Option<&Instalment> {
        self.instalments.iter().find(|instalment| instalment.plan.number == number)
    }

    /// What of an instalment has neither arrived nor been released, in minor units.
    #[must_use]
    pub fn missing_of_minor(&self, instalment: &Instalment, arrived: &Arrived) -> i64 {
        instalment.pledged_minor().saturating_sub(arrived.of_minor(self.number, instalment.plan.number))
    }

    /// What has neither arrived nor been released, in minor units.
    #[must_use]
    pub fn missing_minor(&self, arrived: &Arrived) -> i64 {
        let missing = self.instalments.iter().map(|instalment| self.missing_of_minor(instalment, arrived));
        missing.fold(0, i64::saturating_add)
    }

    fn is_pledged_as(&self, pledge: &Pledge) -> bool {
        let own = (self.kind, self.level, self.is_public, &self.payer);
        own == (pledge.kind, pledge.level, pledge.is_public, &pledge.payer)
            && self.instalments.iter().map(|instalment| &instalment.plan).eq(&pledge.instalments)
    }

    /// When it was last pledged, arrived or released.
    fn last_step_on(&self, facts: &Facts) -> Date {
        let steps = facts.uncorrected().filter(|known| is_of_source(self.number, &known.fact));
        let steps = steps.map(|arrival| arrival.on);
        steps.chain(self.released.iter().map(|release| release.on)).fold(self.pledged_on, Date::max)
    }

    fn release(&mut self, arrived: &Arrived, how: Release) {
        let missing: Vec<i64> =
            self.instalments.iter().map(|instalment| self.missing_of_minor(instalment, arrived)).collect();
        for (instalment, missing_minor) in self.instalments.iter_mut().zip(missing) {
            instalment.released_minor = instalment.released_minor.saturating_add(missing_minor);
        }
        self.released = Some(how);
    }
}

impl Arrived {
    /// What had arrived by the end of a day; on whatever day, where that is `None`.
    #[must_use]
    pub fn of(facts: &Facts, by: Option<Date>) -> Self {
        let mut arrived = BTreeMap::<_, i64>::new();
        for known in facts.uncorrected().filter(|known| by.is_none_or(|by| known.on <= by)) {
            if let MoneyFact::MatchingArrival { source, instalment, amount_minor } = known.fact {
                let sum = arrived.entry((source, instalment)).or_default();
                *sum = sum.saturating_add(amount_minor);
            }
        }
        Self(arrived)
    }

    /// Of all sources, in minor units.
    #[must_use]
    pub fn total_minor(&self) -> i64 {
        self.0.values().fold(0, |sum, next| sum.saturating_add(*next))
    }

    /// Of a source, in minor units.
    #[must_use]
    pub fn of_source_minor(&self, source: u32) -> i64 {
        let own = self.0.range((source, 0)..=(source, u32::MAX));
        own.fold(0, |sum, (_, next)| sum.saturating_add(*next))
    }

    /// Of an instalment of a source, in minor units.
    #[must_use]
    pub fn of_minor(&self, source: u32, instalment: u32) -> i64 {
        self.0.get(&(source, instalment)).copied().unwrap_or_default()
    }
}

fn is_of_source(number: u32, fact: &MoneyFact) -> bool {
    matches!(fact, MoneyFact::MatchingArrival { source, .. } if *source == number)
}

impl Instalment {
    /// Pledged and not released, in minor units.
    #[must_use]
    pub fn pledged_minor(&self) -> i64 {
        self.plan.amount_minor.saturating_sub(self.released_minor)
    }
}
