//! Matching money 配套资金: what others put beside a grant.

use concord_kernel::Date;
use serde::{Deserialize, Serialize};

/// Kind of a matching source 配套来源. It is the class by which A03 weighs, so that an enterprise's money never hides an
/// absent city.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MatchingKind {
    /// Another government's budget 财政配套.
    GovernmentBudget,
    /// The recipients' own money 自筹.
    OwnMoney,
    /// A loan 贷款.
    Loan,
    /// Equity 股权投资.
    Equity,
}

impl MatchingKind {
    /// All kinds, in order.
    pub const ALL: [Self; 4] = [Self::GovernmentBudget, Self::OwnMoney, Self::Loan, Self::Equity];

    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::GovernmentBudget => "government_budget",
            Self::OwnMoney => "own_money",
            Self::Loan => "loan",
            Self::Equity => "equity",
        }
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::GovernmentBudget => "财政配套",
            Self::OwnMoney => "自筹",
            Self::Loan => "贷款",
            Self::Equity => "股权投资",
        }
    }
}

/// Level of a government that matches 配套层级.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GovernmentLevel {
    /// 国家.
    National,
    /// 省.
    Provincial,
    /// 市.
    City,
    /// 县（区）.
    County,
}

impl GovernmentLevel {
    /// All levels, from the highest.
    pub const ALL: [Self; 4] = [Self::National, Self::Provincial, Self::City, Self::County];

    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::National => "national",
            Self::Provincial => "provincial",
            Self::City => "city",
            Self::County => "county",
        }
    }
}

/// Chinese name of a source of matching money, by the codes of its kind and its level, which is empty where there is none;
/// `None` where the kind is not known.
#[must_use]
pub fn matching_source_zh(kind: &str, level: &str) -> Option<&'static str> {
    let kind = MatchingKind::ALL.into_iter().find(|known| known.code() == kind)?;
    let level = GovernmentLevel::ALL.into_iter().find(|known| known.code() == level);
    Some(match (kind, level) {
        (MatchingKind::GovernmentBudget, Some(GovernmentLevel::National)) => "国家财政",
        (MatchingKind::GovernmentBudget, Some(GovernmentLevel::Provincial)) => "省财政",
        (MatchingKind::GovernmentBudget, Some(GovernmentLevel::City)) => "市财政",
        (MatchingKind::GovernmentBudget, Some(GovernmentLevel::County)) => "县（区）财政",
        (kind, _) => kind.label_zh(),
    })
}

/// One instalment of a matching source 配套分期.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchingInstalment {
    /// Number within the source, from 1.
    pub number: u32,
    /// Minor units of the grant's currency, above zero.
    pub amount_minor: i64,
    /// Day by which it is due.
    pub due_on: Date,
}
