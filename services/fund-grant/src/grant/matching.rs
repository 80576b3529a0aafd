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

use concord_chassis::log::Meta;
use concord_events::fund::{FundEvent, GovernmentLevel, MatchingInstalment, MatchingKind, MoneyFact, Party};
use concord_kernel::{Date, money::Amount};
use serde::{Deserialize, Serialize};

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
    /// What arrived, in the order in which it was recorded.
    pub arrivals: Vec<Arrival>,
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

/// Matching money that arrived 到位.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival {
    /// Number of the instalment.
    pub instalment: u32,
    /// Minor units.
    pub amount_minor: i64,
    /// Bank's reference.
    pub bank_reference: String,
    /// When it arrived.
    pub on: Date,
    /// Position of the event: a correction names it.
    pub position: u64,
}

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

    /// What had arrived by the end of a day, in minor units.
    #[must_use]
    pub fn arrived_minor(&self, by: Date) -> i64 {
        let arrivals = self.sources.iter().flat_map(|source| &source.arrivals);
        arrivals.filter(|arrival| arrival.on <= by).fold(0, |sum, next| sum.saturating_add(next.amount_minor))
    }

    /// The arrival that the bank reported under this reference, and its source.
    pub(crate) fn reported_as(&self, reference: &str) -> Option<(&Source, &Arrival)> {
        let of = |source: &Source| source.arrivals.iter().position(|it| it.bank_reference == reference);
        self.sources.iter().find_map(|source| of(source).map(|index| (source, &source.arrivals[index])))
    }

    /// Bytes that it takes beside the grant, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        let of = |source: &Source| {
            let texts = source.released.as_ref().map_or(0, |it| it.reason.len() + it.minutes.len());
            512 + 48 * source.instalments.len() + 160 * source.arrivals.len() + texts
        };
        self.sources.iter().map(of).sum()
    }

    /// Folds an event.
    pub(super) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
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
                    arrivals: Vec::new(),
                    released: None,
                });
            }
            FundEvent::MatchingArrived { source, instalment, amount_minor, bank_reference, .. } => {
                let Some(source) = self.source_mut(*source) else { return };
                source.arrivals.push(Arrival {
                    instalment: *instalment,
                    amount_minor: *amount_minor,
                    bank_reference: bank_reference.clone(),
                    on: meta.effective_on,
                    position: meta.position,
                });
            }
            FundEvent::MatchingReleased { source, reason, minutes, .. } => {
                let Some(source) = self.source_mut(*source) else { return };
                source.release(Release {
                    reason: reason.clone(),
                    minutes: minutes.clone(),
                    on: meta.effective_on,
                });
            }
            FundEvent::FactCorrected {
                reverses,
                fact: MoneyFact::MatchingArrival { source, instalment, amount_minor },
                ..
            } => {
                let Some(source) = self.source_mut(*source) else { return };
                let is_it = |arrival: &Arrival| {
                    (arrival.position, arrival.instalment, arrival.amount_minor)
                        == (*reverses, *instalment, *amount_minor)
                };
                if let Some(index) = source.arrivals.iter().position(is_it) {
                    // Its reference is free again: the right fact may come under the same one.
                    source.arrivals.remove(index);
                }
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

    /// What arrived of it, in minor units.
    #[must_use]
    pub fn arrived_minor(&self) -> i64 {
        self.arrivals.iter().fold(0, |sum, next| sum.saturating_add(next.amount_minor))
    }

    /// The instalment with this number.
    #[must_use]
    pub fn instalment(&self, number: u32) -> Option<&Instalment> {
        self.instalments.iter().find(|instalment| instalment.plan.number == number)
    }

    /// What had arrived of an instalment by the end of a day, in minor units; on whatever day, where that is `None`.
    #[must_use]
    pub fn arrived_of_minor(&self, instalment: u32, by: Option<Date>) -> i64 {
        let arrivals = self.arrivals.iter().filter(|arrival| arrival.instalment == instalment);
        let counted = arrivals.filter(|arrival| by.is_none_or(|by| arrival.on <= by));
        counted.fold(0, |sum, next| sum.saturating_add(next.amount_minor))
    }

    /// What of an instalment has neither arrived nor been released, in minor units.
    #[must_use]
    pub fn missing_of_minor(&self, instalment: &Instalment) -> i64 {
        instalment.pledged_minor().saturating_sub(self.arrived_of_minor(instalment.plan.number, None))
    }

    /// What has neither arrived nor been released, in minor units.
    #[must_use]
    pub fn missing_minor(&self) -> i64 {
        let missing = self.instalments.iter().map(|instalment| self.missing_of_minor(instalment));
        missing.fold(0, i64::saturating_add)
    }

    fn is_pledged_as(&self, pledge: &Pledge) -> bool {
        let own = (self.kind, self.level, self.is_public, &self.payer);
        own == (pledge.kind, pledge.level, pledge.is_public, &pledge.payer)
            && self.instalments.iter().map(|instalment| &instalment.plan).eq(&pledge.instalments)
    }

    /// When it was last pledged, arrived or released.
    fn last_step_on(&self) -> Date {
        let steps = self.arrivals.iter().map(|arrival| arrival.on);
        steps.chain(self.released.iter().map(|release| release.on)).fold(self.pledged_on, Date::max)
    }

    fn release(&mut self, how: Release) {
        let missing: Vec<i64> =
            self.instalments.iter().map(|instalment| self.missing_of_minor(instalment)).collect();
        for (instalment, missing_minor) in self.instalments.iter_mut().zip(missing) {
            instalment.released_minor = instalment.released_minor.saturating_add(missing_minor);
        }
        self.released = Some(how);
    }
}

impl Instalment {
    /// Pledged and not released, in minor units.
    #[must_use]
    pub fn pledged_minor(&self) -> i64 {
        self.plan.amount_minor.saturating_sub(self.released_minor)
    }
}
