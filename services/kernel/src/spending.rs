//! What grant money may be spent on 支出科目.

use serde::{Deserialize, Serialize};

/// A category of spending. The first ten are those of the direct and indirect costs of a science project (财教〔2006〕160号,
/// section 二; the later rules of 2011 and 2021 merge some of them); the last four are what those rules never allow. Which
/// of them are ineligible, the rulebook says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendCategory {
    /// 设备费.
    Equipment,
    /// 材料费.
    Materials,
    /// 测试化验加工费.
    Testing,
    /// 燃料动力费.
    Energy,
    /// 差旅、会议、国际合作与交流费.
    Travel,
    /// 出版、文献、信息传播、知识产权事务费.
    Publication,
    /// 劳务费.
    Labour,
    /// 专家咨询费.
    Consulting,
    /// 间接费用、管理费.
    Overhead,
    /// 其他支出.
    Other,
    /// 罚款、滞纳金.
    Fine,
    /// 捐款、赞助.
    Donation,
    /// 对外投资.
    Investment,
    /// 偿还债务.
    DebtRepayment,
}

impl SpendCategory {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::Equipment,
        Self::Materials,
        Self::Testing,
        Self::Energy,
        Self::Travel,
        Self::Publication,
        Self::Labour,
        Self::Consulting,
        Self::Overhead,
        Self::Other,
        Self::Fine,
        Self::Donation,
        Self::Investment,
        Self::DebtRepayment,
    ];

    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Equipment => "equipment",
            Self::Materials => "materials",
            Self::Testing => "testing",
            Self::Energy => "energy",
            Self::Travel => "travel",
            Self::Publication => "publication",
            Self::Labour => "labour",
            Self::Consulting => "consulting",
            Self::Overhead => "overhead",
            Self::Other => "other",
            Self::Fine => "fine",
            Self::Donation => "donation",
            Self::Investment => "investment",
            Self::DebtRepayment => "debt_repayment",
        }
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::Equipment => "设备费",
            Self::Materials => "材料费",
            Self::Testing => "测试化验加工费",
            Self::Energy => "燃料动力费",
            Self::Travel => "差旅、会议、国际合作与交流费",
            Self::Publication => "出版、文献、信息传播、知识产权事务费",
            Self::Labour => "劳务费",
            Self::Consulting => "专家咨询费",
            Self::Overhead => "间接费用",
            Self::Other => "其他支出",
            Self::Fine => "罚款、滞纳金",
            Self::Donation => "捐款、赞助",
            Self::Investment => "对外投资",
            Self::DebtRepayment => "偿还债务",
        }
    }
}
