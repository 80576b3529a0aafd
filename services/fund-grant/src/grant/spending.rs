//! Spending 支出: items that the recipients report, and that the office accepts or disallows (domain.md section 3, "Partners";
//! section 4; A09).
//!
//! ```text
//!           ReportSpend            AcceptSpend
//!  (absent) ──────────▶ Reported ─────────────▶ Accepted
//!                          │  ▲ the acceptance     │
//!                          │  └── was corrected ───┤
//!                          │ DisallowSpend         │ DisallowSpend: the money is unspent again,
//!                          └─────▶ Disallowed ◀────┘   and is recovered where it is gone
//! ```
//!
//! Reporting moves no money: it says what the party will have to show for what it holds. All goes on while the grant is on
//! hold, and after its end, as final accounts do. What is spent on a category that is not eligible, or outside the project, is
//! taken in: that is a finding.

mod ruling;

pub(super) use ruling::decide;

use concord_chassis::log::Meta;
use concord_events::fund::{FundEvent, InvoicePart, MoneyFact};
use concord_kernel::{Date, id::SpendId, money::Amount, party::PartyId, spending::SpendCategory};
use serde::{Deserialize, Serialize};

/// The items of one grant, in the order in which they were reported.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spending {
    /// The items.
    pub items: Vec<Item>,
}

/// An item of spending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The id that the recipient's own system gave it.
    pub spend: SpendId,
    /// Who spent it.
    pub party: PartyId,
    /// On what.
    pub category: SpendCategory,
    /// When it was spent.
    pub spent_on: Date,
    /// Minor units.
    pub amount_minor: i64,
    /// The part of an invoice that it takes, where there is one.
    pub invoice: Option<InvoicePart>,
    /// What it was for.
    pub purpose: String,
    /// When it was reported.
    pub reported_on: Date,
    /// Where it stands.
    pub state: ItemState,
    /// When its last step happened; none lies before it.
    pub last_step_on: Date,
}

/// Where an item stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// 已申报.
    Reported,
    /// 已核定.
    Accepted,
    /// 已审减, and why.
    Disallowed(String),
}

/// About the item with an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendingCommand {
    /// Report it 申报.
    Report(Box<SpendReport>),
    /// Accept it 核定.
    Accept,
    /// Disallow it 审减.
    Disallow {
        /// Why.
        reason: String,
    },
}

/// What is reported of an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpendReport {
    /// Who spent it.
    pub party: PartyId,
    /// On what.
    pub category: SpendCategory,
    /// When.
    pub spent_on: Date,
    /// How much.
    pub amount: Amount,
    /// The invoice, where there is one.
    pub invoice: Option<NamedInvoice>,
    /// What it was for.
    pub purpose: String,
}

/// An invoice as a report names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedInvoice {
    /// Code of the issuer, or of the series, as it was given.
    pub issuer: String,
    /// Number, as it was given.
    pub number: String,
    /// Code of the series 发票代码, as it was given, where it is told apart from the issuer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The whole invoice.
    pub total: Amount,
}

impl Spending {
    /// The item with this id.
    #[must_use]
    pub fn item(&self, spend: SpendId) -> Option<&Item> {
        self.items.iter().find(|item| item.spend == spend)
    }

    /// What a party has reported that is neither accepted nor disallowed, in minor units.
    #[must_use]
    pub fn reported_minor(&self, party: PartyId) -> i64 {
        let open = self.items.iter().filter(|item| item.party == party && item.state == ItemState::Reported);
        open.fold(0, |sum, next| sum.saturating_add(next.amount_minor))
    }

    /// Bytes that it takes beside the grant, for the cache's bound.
    pub(crate) fn weight(&self) -> usize {
        let of = |item: &Item| {
            let reason = match &item.state {
                ItemState::Disallowed(reason) => reason.len(),
                ItemState::Reported | ItemState::Accepted => 0,
            };
            let invoice = item.invoice.as_ref().map_or(0, |part| part.issuer.len() + part.number.len());
            256 + item.purpose.len() + reason + invoice
        };
        self.items.iter().map(of).sum()
    }

    /// Folds an event.
    pub(super) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        let (spend, state) = match event {
            FundEvent::SpendReported {
                spend,
                party,
                category,
                spent_on,
                amount_minor,
                invoice,
                purpose,
                ..
            } => {
                self.items.push(Item {
                    spend: *spend,
                    party: *party,
                    category: *category,
                    spent_on: *spent_on,
                    amount_minor: *amount_minor,
                    invoice: invoice.clone(),
                    purpose: purpose.clone(),
                    reported_on: meta.effective_on,
                    state: ItemState::Reported,
                    last_step_on: meta.effective_on,
                });
                return;
            }
            FundEvent::SpendAccepted { spend, .. } => (*spend, ItemState::Accepted),
            FundEvent::SpendDisallowed { spend, reason, .. } => {
                (*spend, ItemState::Disallowed(reason.clone()))
            }
            FundEvent::FactCorrected { fact: MoneyFact::SpendAcceptance { spend, .. }, .. } => {
                (*spend, ItemState::Reported)
            }
            _ => return,
        };
        let Some(item) = self.items.iter_mut().find(|item| item.spend == spend) else { return };
        // Accepted wrongly, it may be accepted rightly from the day of its report on. What was disallowed stays so.
        let undone = state == ItemState::Reported;
        if undone && item.state != ItemState::Accepted {
            return;
        }
        item.last_step_on = if undone { item.reported_on } else { meta.effective_on };
        item.state = state;
    }
}

impl ItemState {
    /// Stable name, and the Chinese one.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::Reported => ("reported", "已申报"),
            Self::Accepted => ("accepted", "已核定"),
            Self::Disallowed(_) => ("disallowed", "已审减"),
        }
    }
}
