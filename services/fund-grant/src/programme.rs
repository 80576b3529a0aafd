//! A programme 年度计划: one year's money of a fund, in one currency.
//!
//! ```text
//!             AppropriateProgramme / ImportAward
//!  (absent) ─────────────────────────────────────▶ Open ⟲ SupplementProgramme, CutProgramme, SetSubLimit
//! ```
//!
//! A programme has no stages; what moves is its money (domain.md section 4), and every figure stays zero or more:
//!
//! ```text
//!  appropriate, supplement         approve              sign contract
//!  ──────────────────────▶ available ─────▶ reserved ──────────────────▶ contracted
//!  ◀────────────────────── available ◀───── reserved   (import comes in here, appropriated to match)
//!            cut                   reject, withdraw, contracted less
//! ```
//!
//! What a grant never draws (amended down, closed, terminated or cancelled), and what the bank sends back after its end, is
//! available again, or goes to the treasury where the programme's year is over.
//!
//! Appropriating or setting a limit anew in the same way changes nothing. A supplement or a cut has no such mark: two of
//! 100.00 are two, and only the request id, which the chassis keeps, tells a repeat.

use crate::{
    content_hash,
    refusal::{self, Ruling, happens, happens_under, unchanged},
    rules,
    view::{self, Case},
};
use concord_chassis::{
    deciding::not_before,
    log::{Broken, Decision, Meta, RefusalKind, Stop},
};
use concord_events::fund::{FundEvent, FundPurpose, FundingMode, LimitOn, Released};
use concord_kernel::money::Amount;
use concord_kernel::{Date, id::ProgrammeId, money::Currency, region::Region};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A programme as its events left it.
///
/// `appropriated = available + reserved + contracted` at every position, so no figure can outgrow the appropriation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programme {
    /// Its id.
    pub id: ProgrammeId,
    /// Short code of the fund.
    pub fund: String,
    /// What the money is for.
    pub purpose: FundPurpose,
    /// Budget year.
    pub year: i16,
    /// Its currency, for good.
    pub currency: Currency,
    /// Name shown to people.
    pub title: String,
    /// When it was opened.
    pub opened_on: Date,
    /// Hash of the event that opened it: the same appropriation again is a repeat.
    pub opened_as: String,
    /// Appropriated, supplemented and imported, less cuts.
    pub appropriated_minor: i64,
    /// The part of it that came with migrated awards.
    pub migrated_minor: i64,
    /// Free to be approved.
    pub available_minor: i64,
    /// Approved, not yet contracted.
    pub reserved_minor: i64,
    /// Contracted, paid or not.
    pub contracted_minor: i64,
    /// Limits of modes.
    pub mode_limits_minor: BTreeMap<FundingMode, i64>,
    /// Limits of leads' regions.
    pub region_limits_minor: BTreeMap<Region, i64>,
    /// Reserved and contracted, by mode.
    pub taken_by_mode_minor: BTreeMap<FundingMode, i64>,
    /// Reserved and contracted, by the lead's region as it stood.
    pub taken_by_region_minor: BTreeMap<Region, i64>,
}

/// What is asked of a programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProgrammeCommand {
    /// Open it with its first appropriation 拨款.
    Appropriate(Appropriation),
    /// Add money 追加.
    Supplement {
        /// Added.
        amount: Amount,
    },
    /// Take available money back 核减.
    Cut {
        /// Taken back.
        amount: Amount,
    },
    /// Set, change or lift a limit 分项限额.
    SetSubLimit {
        /// What it limits.
        on: LimitOn,
        /// The limit; `None` lifts it.
        limit: Option<Amount>,
    },
}

/// The first appropriation of a programme.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appropriation {
    /// Short code of the fund.
    pub fund: String,
    /// What the money is for.
    pub purpose: FundPurpose,
    /// Budget year.
    pub year: i16,
    /// Appropriated; its currency is the programme's for good.
    pub amount: Amount,
    /// Name shown to people.
    pub title: String,
}

/// Decides every pair of programme (absent or open) and command.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    id: ProgrammeId,
    command: &ProgrammeCommand,
) -> Result<Decision<FundEvent>, Stop> {
    use ProgrammeCommand::{Appropriate, Cut, SetSubLimit, Supplement};
    let programme = view::programme_or_free(case, id)?;
    let ruling = match (programme, command) {
        (None, Appropriate(opening)) => happens(opening.event(id)),
        (Some(programme), Appropriate(opening))
            if programme.opened_as == content_hash(&opening.event(id)) =>
        {
            unchanged()
        }
        (Some(_), Appropriate(_)) => {
            return Err(case.refuse(RefusalKind::Taken, vec![refusal::taken("programme_id", id.stream())]));
        }
        (None, Supplement { .. } | Cut { .. } | SetSubLimit { .. }) => {
            return Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_programme(id)]));
        }
        (Some(programme), Supplement { amount }) => {
            case.well_formed([programme.other_currency("amount.currency", *amount)])?;
            programme.supplement(*amount)
        }
        (Some(programme), Cut { amount }) => {
            case.well_formed([programme.other_currency("amount.currency", *amount)])?;
            programme.cut(*amount)
        }
        (Some(programme), SetSubLimit { on, limit }) => {
            case.well_formed([limit.and_then(|limit| programme.other_currency("limit.currency", limit))])?;
            programme.limit(on, *limit)
        }
    };
    let opened_on = programme.map(|programme| programme.opened_on);
    let in_time = not_before(opened_on, case.context.effective_on);
    case.conclude(Vec::new(), ruling, in_time)
}

impl Appropriation {
    fn event(&self, programme: ProgrammeId) -> FundEvent {
        FundEvent::ProgrammeAppropriated {
            programme,
            fund: self.fund.clone(),
            purpose: self.purpose,
            year: self.year,
            currency: self.amount.currency,
            amount_minor: self.amount.minor,
            title: self.title.clone(),
        }
    }
}

impl Programme {
    /// So many minor units of its currency.
    #[must_use]
    pub fn amount(&self, minor: i64) -> Amount {
        Amount::new(minor, self.currency)
    }

    /// The limit of a mode or a region, where there is one.
    #[must_use]
    pub fn limit_minor(&self, on: &LimitOn) -> Option<i64> {
        match on {
            LimitOn::Mode(mode) => self.mode_limits_minor.get(mode).copied(),
            LimitOn::Region(region) => self.region_limits_minor.get(region).copied(),
        }
    }

    /// What is reserved and contracted under a mode, or for leads in a region: a city's districts count for the city.
    #[must_use]
    pub fn taken_minor(&self, on: &LimitOn) -> i64 {
        match on {
            LimitOn::Mode(mode) => self.taken_by_mode_minor.get(mode).copied().unwrap_or_default(),
            LimitOn::Region(region) => self
                .taken_by_region_minor
                .iter()
                .filter(|(lead, _)| rules::lies_in(lead, region))
                .fold(0, |sum: i64, (_, minor)| sum.saturating_add(*minor)),
        }
    }

    /// All limits: modes first, then regions.
    pub fn limits(&self) -> impl Iterator<Item = LimitOn> {
        let modes = self.mode_limits_minor.keys().map(|mode| LimitOn::Mode(*mode));
        modes.chain(self.region_limits_minor.keys().map(|region| LimitOn::Region(region.clone())))
    }

    pub(crate) fn other_currency(&self, field: &str, given: Amount) -> Option<Broken> {
        rules::same_currency(field, given, self.currency)
    }

    fn supplement(&self, amount: Amount) -> Ruling {
        happens_under(
            [rules::a02_ledger_holds(self, amount)],
            FundEvent::ProgrammeSupplemented {
                programme: self.id,
                currency: self.currency,
                amount_minor: amount.minor,
            },
        )
    }

    fn cut(&self, amount: Amount) -> Ruling {
        happens_under(
            [rules::a02_available(self, amount)],
            FundEvent::ProgrammeCut {
                programme: self.id,
                currency: self.currency,
                amount_minor: amount.minor,
            },
        )
    }

    fn limit(&self, on: &LimitOn, limit: Option<Amount>) -> Ruling {
        let limit_minor = limit.map(|limit| limit.minor);
        if self.limit_minor(on) == limit_minor {
            return unchanged();
        }
        happens_under(
            [limit.and_then(|limit| rules::a02_limit_covers_taken(self, on, limit))],
            FundEvent::SubLimitSet {
                programme: self.id,
                currency: self.currency,
                on: on.clone(),
                limit_minor,
            },
        )
    }

    /// The programme that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &FundEvent, meta: &Meta<'_>) -> Option<Self> {
        let (id, fund, purpose, year, currency, title) = match event {
            FundEvent::ProgrammeAppropriated { programme, fund, purpose, year, currency, title, .. } => {
                (*programme, fund, *purpose, *year, *currency, title.clone())
            }
            FundEvent::AwardImported { programme, fund, year, currency, .. } => {
                (*programme, fund, FundPurpose::General, *year, *currency, format!("{fund} {year}"))
            }
            _ => return None,
        };
        let mut programme = Self {
            id,
            fund: fund.clone(),
            purpose,
            year,
            currency,
            title,
            opened_on: meta.effective_on,
            opened_as: content_hash(event),
            appropriated_minor: 0,
            migrated_minor: 0,
            available_minor: 0,
            reserved_minor: 0,
            contracted_minor: 0,
            mode_limits_minor: BTreeMap::new(),
            region_limits_minor: BTreeMap::new(),
            taken_by_mode_minor: BTreeMap::new(),
            taken_by_region_minor: BTreeMap::new(),
        };
        programme.apply(event);
        Some(programme)
    }

    /// Folds an event. Sums saturate only to be total: the rules keep all of them within the appropriation, and that
    /// within an `i64`.
    pub(crate) fn apply(&mut self, event: &FundEvent) {
        match event {
            FundEvent::ProgrammeAppropriated { amount_minor, .. }
            | FundEvent::ProgrammeSupplemented { amount_minor, .. } => {
                self.appropriate(*amount_minor);
            }
            FundEvent::ProgrammeCut { amount_minor, .. } => self.appropriate(amount_minor.saturating_neg()),
            FundEvent::SubLimitSet { on, limit_minor, .. } => self.set_limit(on, *limit_minor),
            FundEvent::GrantApproved { mode, lead_region, amount_minor, .. } => {
                move_minor(&mut self.available_minor, &mut self.reserved_minor, *amount_minor);
                self.take(*mode, lead_region.as_ref(), *amount_minor);
            }
            FundEvent::GrantRejected { mode, lead_region, released_minor, .. }
            | FundEvent::GrantWithdrawn { mode, lead_region, released_minor, .. } => {
                move_minor(&mut self.reserved_minor, &mut self.available_minor, *released_minor);
                self.take(*mode, lead_region.as_ref(), released_minor.saturating_neg());
            }
            FundEvent::ContractSigned { mode, lead_region, amount_minor, approved_minor, .. } => {
                let released_minor = approved_minor.saturating_sub(*amount_minor);
                move_minor(&mut self.reserved_minor, &mut self.contracted_minor, *amount_minor);
                move_minor(&mut self.reserved_minor, &mut self.available_minor, released_minor);
                self.take(*mode, lead_region.as_ref(), released_minor.saturating_neg());
            }
            FundEvent::AwardImported { mode, lead, amount_minor, .. } => {
                self.appropriate(*amount_minor);
                self.migrated_minor = self.migrated_minor.saturating_add(*amount_minor);
                move_minor(&mut self.available_minor, &mut self.contracted_minor, *amount_minor);
                self.take(*mode, lead.region.as_ref(), *amount_minor);
            }
            FundEvent::ContractAmended { mode, lead_region, released_minor, to_treasury, .. } => {
                self.give_back(*mode, lead_region.as_ref(), *released_minor, *to_treasury);
            }
            FundEvent::PaymentReturned { released: Some(released), amount_minor, .. } => {
                let Released { mode, lead_region, to_treasury } = released;
                self.give_back(*mode, lead_region.as_ref(), *amount_minor, *to_treasury);
            }
            FundEvent::GrantClosed { end, .. }
            | FundEvent::GrantTerminated { end, .. }
            | FundEvent::GrantCancelled { end, .. } => {
                self.give_back(end.mode, end.lead_region.as_ref(), end.undrawn_minor, end.to_treasury);
            }
            _ => {}
        }
    }

    fn give_back(&mut self, mode: FundingMode, lead_region: Option<&Region>, minor: i64, to_treasury: bool) {
        move_minor(&mut self.contracted_minor, &mut self.available_minor, minor);
        self.take(mode, lead_region, minor.saturating_neg());
        if to_treasury {
            self.appropriate(minor.saturating_neg());
        }
    }

    fn appropriate(&mut self, minor: i64) {
        self.appropriated_minor = self.appropriated_minor.saturating_add(minor);
        self.available_minor = self.available_minor.saturating_add(minor);
    }

    fn take(&mut self, mode: FundingMode, lead_region: Option<&Region>, minor: i64) {
        let taken = self.taken_by_mode_minor.entry(mode).or_default();
        *taken = taken.saturating_add(minor);
        if let Some(region) = lead_region {
            let taken = self.taken_by_region_minor.entry(region.clone()).or_default();
            *taken = taken.saturating_add(minor);
        }
    }

    fn set_limit(&mut self, on: &LimitOn, limit_minor: Option<i64>) {
        match (on, limit_minor) {
            (LimitOn::Mode(mode), Some(minor)) => self.mode_limits_minor.insert(*mode, minor),
            (LimitOn::Mode(mode), None) => self.mode_limits_minor.remove(mode),
            (LimitOn::Region(region), Some(minor)) => self.region_limits_minor.insert(region.clone(), minor),
            (LimitOn::Region(region), None) => self.region_limits_minor.remove(region),
        };
    }
}

fn move_minor(from: &mut i64, to: &mut i64, minor: i64) {
    *from = from.saturating_sub(minor);
    *to = to.saturating_add(minor);
}
