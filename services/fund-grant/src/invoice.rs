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
//! An invoice is told by its normal form ([`concord_kernel::normal::Invoice`]): its spellings, and the ids that were once made of
//! each of them, all lead to this one state. What older items took of it under several spellings adds up here, also where that
//! is more than its total: then nothing more is taken of it. Where they say several totals, the lowest holds.
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
    /// Its id, which follows from its normal form.
    pub id: InvoiceId,
    /// Code of the issuer, or of the series, as the first item has it.
    pub issuer: String,
    /// Number, as the first item has it.
    pub number: String,
    /// The whole invoice, as the first item that took of it says.
    pub total: Amount,
    /// What its items take, in minor units of the total's currency; at most the total, but for items that were taken in under
    /// several spellings before they were told to be one invoice.
    pub allocated_minor: i64,
    /// What such items take of it in other currencies: only they can, and while they do, the invoice is taken in none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub elsewhere: Vec<Amount>,
}

impl Invoice {
    /// The invoice that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &FundEvent) -> Option<Self> {
        let FundEvent::SpendReported { currency, amount_minor, invoice: Some(part), .. } = event else {
            return None;
        };
        Some(Self {
            id: part.id(),
            issuer: part.issuer.clone(),
            number: part.number.clone(),
            total: Amount::new(part.total_minor, *currency),
            allocated_minor: *amount_minor,
            elsewhere: Vec::new(),
        })
    }

    /// Folds an event. The rules keep the sum within the total.
    pub(crate) fn apply(&mut self, event: &FundEvent) {
        match event {
            FundEvent::SpendReported { currency, amount_minor, invoice: Some(part), .. } => {
                let total = Amount::new(part.total_minor, *currency);
                if self.is_free() {
                    self.total = total;
                } else if self.total.currency == *currency {
                    self.total.minor = self.total.minor.min(total.minor);
                }
                self.take(*currency, *amount_minor);
            }
            FundEvent::SpendDisallowed { currency, amount_minor, .. } => {
                self.take(*currency, amount_minor.saturating_neg());
            }
            _ => {}
        }
    }

    fn take(&mut self, currency: Currency, minor: i64) {
        if currency == self.total.currency {
            self.allocated_minor = self.allocated_minor.saturating_add(minor);
            return;
        }
        match self.elsewhere.iter_mut().find(|taken| taken.currency == currency) {
            Some(taken) => taken.minor = taken.minor.saturating_add(minor),
            None => self.elsewhere.push(Amount::new(minor, currency)),
        }
        self.elsewhere.retain(|taken| taken.minor != 0);
    }

    /// Whether no item takes anything of it.
    fn is_free(&self) -> bool {
        self.allocated_minor == 0 && self.elsewhere.is_empty()
    }

    /// Whether another total, or another currency, contradicts it.
    #[must_use]
    pub fn contradicts(&self, total_minor: i64, currency: Currency) -> bool {
        !self.is_free() && self.total != Amount::new(total_minor, currency)
    }
}
