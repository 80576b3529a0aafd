//! Spending 支出, and what is done about a balance 结余.

use concord_kernel::id::InvoiceId;
use serde::{Deserialize, Serialize};

/// The part of an invoice 发票 that an item of spending takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvoicePart {
    /// Id that follows from issuer and number.
    pub invoice: InvoiceId,
    /// Code of the issuer 开票方, or of the series of invoices 发票代码.
    pub issuer: String,
    /// Number 发票号码.
    pub number: String,
    /// The whole invoice, in minor units of the grant's currency. What its items take adds up to no more (A09).
    pub total_minor: i64,
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
