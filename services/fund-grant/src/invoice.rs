//! An invoice 发票: what its items take of it, over all grants (A09; domain.md section 3, "Partners").
//!
//! ```text
//!             ReportSpend (the first item that names it)
//!  (unknown) ────────────────────────────────────────────▶ shared out ⟲ further items; items disallowed
//! ```
//!
//! Nobody asks anything of an invoice: it is folded from the items of all grants, and their decisions look at it. So two
//! grants that share one are serialized by the one writer, and together never take more than its total.
//!
//! While nothing of it is taken, because every item was disallowed, the next item says its total anew: a total that was
//! mistyped is put right so.

use concord_events::fund::FundEvent;
use concord_kernel::{
    id::InvoiceId,
    money::{Amount, Currency},
};
use serde::{Deserialize, Serialize};

/// An invoice as the items of all grants left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// Its id, which follows from issuer and number.
    pub id: InvoiceId,
    /// Code of the issuer, or of the series.
    pub issuer: String,
    /// Number.
    pub number: String,
    /// The whole invoice, as the first item that took of it says.
    pub total: Amount,
    /// What its items take, in minor units of the total's currency; at most the total.
    pub allocated_minor: i64,
}

impl Invoice {
    /// The invoice that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &FundEvent) -> Option<Self> {
        let FundEvent::SpendReported { currency, amount_minor, invoice: Some(part), .. } = event else {
            return None;
        };
        Some(Self {
            id: part.invoice,
            issuer: part.issuer.clone(),
            number: part.number.clone(),
            total: Amount::new(part.total_minor, *currency),
            allocated_minor: *amount_minor,
        })
    }

    /// Folds an event. The rules keep the sum within the total.
    pub(crate) fn apply(&mut self, event: &FundEvent) {
        match event {
            FundEvent::SpendReported { currency, amount_minor, invoice: Some(part), .. } => {
                self.total = Amount::new(part.total_minor, *currency);
                self.allocated_minor = self.allocated_minor.saturating_add(*amount_minor);
            }
            FundEvent::SpendDisallowed { amount_minor, .. } => {
                self.allocated_minor = self.allocated_minor.saturating_sub(*amount_minor);
            }
            _ => {}
        }
    }

    /// Whether another total, or another currency, contradicts it.
    #[must_use]
    pub fn contradicts(&self, total_minor: i64, currency: Currency) -> bool {
        self.allocated_minor != 0 && self.total != Amount::new(total_minor, currency)
    }
}
