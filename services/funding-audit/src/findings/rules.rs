//! One statement a rule. Its columns: case, subject, position, grant, amount, since, evidence, two figures, a day, a word; then
//! the grant's own.
//!
//! | file | rules |
//! |---|---|
//! | `rules/funding.rs` | what others owe the project: A03, A06 |
//! | `rules/holding.rs` | what recipients spent and hold: A09, A10, A12, A16 |
//! | `rules/procedure.rs` | how it was decided and recorded: A07, A11, A17, A18 |

mod funding;
mod holding;
mod procedure;

pub(super) use procedure::{DATED_BY_SOMEBODY, retrospective};
pub(crate) use procedure::{acceptance_over, contracted};

use super::{Search, scope};
use crate::{
    numbers::RectificationStep,
    query::{QueryError, Sql},
};
use concord_kernel::rulebook::Rulebook;

/// State of a rectification that says the finding is none.
pub(super) const DISMISSED: &str = "dismissed";

/// A rule that raises findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    A03,
    A04,
    A06,
    A07,
    A09,
    A10,
    A11,
    A12,
    A16,
    A17,
    A18,
}

impl Rule {
    pub(crate) const ALL: [Self; 11] = [
        Self::A03,
        Self::A04,
        Self::A06,
        Self::A07,
        Self::A09,
        Self::A10,
        Self::A11,
        Self::A12,
        Self::A16,
        Self::A17,
        Self::A18,
    ];

    /// As domain.md section 5 numbers it.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::A03 => "A03",
            Self::A04 => "A04",
            Self::A06 => "A06",
            Self::A07 => "A07",
            Self::A09 => "A09",
            Self::A10 => "A10",
            Self::A11 => "A11",
            Self::A12 => "A12",
            Self::A16 => "A16",
            Self::A17 => "A17",
            Self::A18 => "A18",
        }
    }

    /// What it is about, for people.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::A03 => "matching funds never arrive 配套资金未到位",
            Self::A04 => "same project funded twice 重复资助",
            Self::A06 => "lead withholds partners' shares 未转拨合作单位资金",
            Self::A07 => "approved against the review 违背评审立项",
            Self::A09 => "ineligible spend 违规列支",
            Self::A10 => "unspent balance kept 结余未退",
            Self::A11 => "late final acceptance 逾期未验收",
            Self::A12 => "idle money 资金闲置",
            Self::A16 => "overdue recovery 追缴逾期",
            Self::A17 => "back-dated or corrected 倒签、更正",
            Self::A18 => "override used 特批",
        }
    }

    /// The cases that it has.
    pub(crate) fn cases(self) -> &'static [&'static str] {
        match self {
            Self::A03 | Self::A11 | Self::A16 => &["overdue"],
            Self::A04 => &["similar"],
            Self::A06 => &["withheld"],
            Self::A07 => &["above_ceiling", "work_finished"],
            Self::A09 => &["category", "period", "invoice"],
            Self::A10 => &["not_refunded", "kept_too_long"],
            Self::A12 => &["past_end", "no_activity"],
            Self::A17 => &["dated_back", "corrected"],
            Self::A18 => &["override", "charge", "acceptance", "dismissal", "amount"],
        }
    }

    /// The statements that find by it; A04 has none, it is found otherwise, and so are charges that match nothing (A18).
    pub(crate) fn statements(self, search: &Search, rulebook: &Rulebook) -> Vec<Sql> {
        match self {
            Self::A03 => vec![funding::a03(search)],
            Self::A04 => Vec::new(),
            Self::A06 => vec![funding::a06(search, rulebook)],
            Self::A07 => vec![procedure::a07(search)],
            Self::A09 => vec![holding::a09(search, rulebook), holding::a09_invoice(search)],
            Self::A10 => vec![holding::a10_not_refunded(search, rulebook), holding::a10_kept(search)],
            Self::A11 => vec![procedure::a11(search)],
            Self::A12 => vec![holding::a12(search, rulebook)],
            Self::A16 => vec![holding::a16(search)],
            Self::A17 => vec![procedure::a17(search), procedure::a17_corrected(search)],
            Self::A18 => vec![procedure::a18(search)],
        }
    }
}

/// What a rectification stands at after its newest step.
pub(super) fn rectification_state(step: Option<i16>) -> Result<&'static str, QueryError> {
    let Some(step) = step else { return Ok("assigned") };
    let states = [
        (RectificationStep::Explained, "explained"),
        (RectificationStep::Rectified, "rectified"),
        (RectificationStep::Accepted, "accepted"),
        (RectificationStep::Dismissed, DISMISSED),
    ];
    states
        .iter()
        .find(|(known, _)| known.number() == step)
        .map(|(_, state)| *state)
        .ok_or_else(|| QueryError::Corrupt(format!("a rectification stands at the unknown step {step}")))
}

fn with(search: &Search) -> Sql {
    let mut sql = Sql::new("WITH");
    scope(&mut sql, search);
    sql
}
