//! Spending 支出, and what is done about a balance 结余.

use concord_kernel::{id::InvoiceId, normal};
use serde::{Deserialize, Serialize};

/// The part of an invoice 发票 that an item of spending takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePart {
    /// Id that followed from issuer and number when it was recorded. At first it was that of the spelling; what all spellings of
    /// an invoice have in common is [`InvoicePart::id`].
    pub invoice: InvoiceId,
    /// Code of the issuer 开票方, or of the series of invoices 发票代码, as it was given.
    pub issuer: String,
    /// Number 发票号码, as it was given.
    pub number: String,
    /// Code of the series 发票代码, as it was given; absent where the invoice has none, or the issuer stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The whole invoice, in minor units of the grant's currency. What its items take adds up to no more (A09).
    pub total_minor: i64,
}

impl InvoicePart {
    /// The invoice in its normal form.
    #[must_use]
    pub fn normal(&self) -> normal::Invoice {
        normal::Invoice::of(self.code.as_deref(), &self.issuer, &self.number)
    }

    /// The invoice's id, one for all spellings, whichever the event carries.
    #[must_use]
    pub fn id(&self) -> InvoiceId {
        InvoiceId::of(&self.normal())
    }
}

/// Where money of a grant lies with a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Holding {
    /// Not accounted for 未用.
    Unspent,
    /// Accepted as spent 已核定支出.
    Spent,
    /// Kept by rule 留用.
    Retained,
}
