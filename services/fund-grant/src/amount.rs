//! An amount of money as commands carry it.

use concord_kernel::money::{Currency, format_minor};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Minor units of a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Minor units (fen 分 for CNY).
    pub minor: i64,
    /// What they are units of.
    pub currency: Currency,
}

impl Amount {
    /// So many minor units of a currency.
    #[must_use]
    pub fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

impl fmt::Display for Amount {
    /// As people read it: `30.00 CNY`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", format_minor(self.minor, self.currency), self.currency)
    }
}
