//! The rulebook 规则版本: the dated parameters that the opinion leaves open (domain.md section 6).
//!
//! Award terms follow the version at the contract's date, procedure the version at the decision's date, and each decision
//! event names both (section 1). A decision dated before the first version is refused: there is no rule to decide it by.
//! Where each default comes from stands beside it in `deploy/rulebook/`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::Date;
use crate::calendar::{Calendar, CalendarError};
use crate::money::Currency;
use crate::spending::SpendCategory;

static SHIPPED: LazyLock<Rulebooks> = LazyLock::new(|| {
    Rulebooks::from_toml_files(&[("2012-09.toml", include_str!("../../../deploy/rulebook/2012-09.toml"))])
        .expect("the shipped rulebook parses; a unit test holds it to that")
});

/// One version of the rules. All its parameters must be stated, and an unknown one is refused, so that a mistyped key
/// never leaves a default in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rulebook {
    /// The version's name, which events carry: `"2012-09"`.
    pub version: String,
    /// The first day on which decisions follow this version 生效日期.
    pub effective_from: Date,
    /// The currency of every `…_minor` in this version.
    pub currency: Currency,
    /// Matching funds 配套: the per cent of the pledged that must have arrived before tranche 1, 2, … is requested (A03).
    pub matching_ratio_percent: Vec<u32>,
    /// Days from approval 立项 within which the contract 任务书 is due.
    pub contract_within_days: u32,
    /// Days within which the lead passes a partner's share on (A06).
    pub onward_transfer_within_days: u32,
    /// Years after a grant during which the same project is not funded again (A04).
    pub cooling_years: u32,
    /// Months from which a cooperation is long-term 长期合作.
    pub long_term_months: u32,
    /// The most that public money may be of a project's total budget, in per cent (A15).
    pub public_share_max_percent: u32,
    /// From this similarity on, in thousandths, two live awards are reported as one project (A04).
    pub similarity_per_mille: u32,
    /// The most minutes since a fact of another log was verified for money to move on it; one second more is too old (A01).
    pub fact_max_age_minutes: u32,
    /// The public notice.
    pub notice: Notice,
    /// The tranches of a non-repayable grant.
    pub tranches: Tranches,
    /// Final acceptance.
    pub final_acceptance: FinalAcceptance,
    /// Idle money.
    pub idle: Idle,
    /// How far back a command may date its fact.
    pub back_dating: BackDating,
    /// Recovery.
    pub recovery: Recovery,
    /// Splitting under a threshold.
    pub split: Split,
    /// Unspent balances.
    pub unspent: Unspent,
    /// What money is spent on.
    pub spending: Spending,
    /// The loan-interest subsidy.
    pub interest_subsidy: InterestSubsidy,
    /// Risk compensation.
    pub risk_compensation: RiskCompensation,
    /// The transfer-fee subsidy.
    pub transfer_fee: TransferFee,
    /// The post-completion subsidy.
    pub post_completion: PostCompletion,
    /// The repayable grant.
    pub repayable: Repayable,
    /// Alliances.
    pub alliance: Alliance,
    /// Demonstration bases.
    pub base: Base,
    /// Agreements.
    pub agreement: Agreement,
    /// The agreement that backs a grant.
    pub backing: Backing,
    /// Incompatible duties.
    pub conflicts: Conflicts,
}

/// The public notice 公示 (A08).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// How many working days it lasts.
    pub working_days: u32,
    /// Which day is the first of them.
    pub first_counted_day: FirstCountedDay,
}

impl Notice {
    /// The last counted day of a notice published on a day; approval is possible from the day after (A08).
    ///
    /// # Errors
    ///
    /// [`CalendarError`] when the count runs into a year that the calendar does not cover.
    pub fn last_counted_day(&self, published_on: Date, calendar: &Calendar) -> Result<Date, CalendarError> {
        let same_day = self.first_counted_day == FirstCountedDay::SameDay;
        let already_counted = u32::from(same_day && calendar.is_working_day(published_on)?);
        calendar.add_working_days(published_on, self.working_days.saturating_sub(already_counted))
    }
}

/// Which day of a period is counted first 起算日.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstCountedDay {
    /// The day itself 当日, when it is a working day.
    SameDay,
    /// The day after 次日.
    NextDay,
}

/// The tranches 分期拨付 of a non-repayable grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tranches {
    /// The default share of each tranche in per cent; they make up 100.
    pub shares_percent: Vec<u32>,
    /// The most that the first may be, in per cent.
    pub first_max_percent: u32,
    /// Whether the last is paid only after final acceptance 验收.
    pub last_after_final_acceptance: bool,
}

/// Final acceptance 验收 (A11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinalAcceptance {
    /// Months after the project's end within which it is due.
    pub due_months: u32,
    /// The most months that an extension 延期 may add.
    pub extension_max_months: u32,
    /// How many extensions there may be.
    pub extensions_max: u32,
    /// How often a project may be sent back to be put right before it passes or fails 整改.
    pub rectifications_max: u32,
}

/// Idle money 闲置资金 (A12).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Idle {
    /// Months past the project's end from which money still held is idle.
    pub months_past_end: u32,
    /// Months without money, spend or report from which it is.
    pub months_without_activity: u32,
}

/// How far back a command may date its fact 倒签 (A17).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackDating {
    /// Days, for facts that move no money.
    pub days: u32,
    /// Days, for facts that move money.
    pub money_days: u32,
    /// Days, for a notice 公示. At 0 it must be on record from the first day that it hangs.
    pub notice_days: u32,
}

/// Recovery 追缴 (A16).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// Days from the demand within which it is to be paid.
    pub pay_within_days: u32,
    /// Days from the demand after which it may be offset against another grant's tranche.
    pub offset_after_days: u32,
    /// Days from the demand within which it may be appealed against 申诉.
    pub appeal_within_days: u32,
}

/// Splitting under a threshold 拆分立项 (A05).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// The length of the rolling window in months.
    pub window_months: u32,
    /// The sum of awards under one control from which they are reported, in minor units.
    pub threshold_minor: i64,
}

/// Unspent balances 结余资金 (A10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unspent {
    /// Years for which a balance from before 2021 is kept before it is recalled.
    pub retain_years_before_2021: u32,
    /// What becomes of a balance from 2021 on.
    pub from_2021: UnspentDisposition,
    /// Days from closeout or termination within which a balance that is given back must have arrived 结余退回期限.
    pub refund_within_days: u32,
}

/// Spending 支出 (A09).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spending {
    /// Categories that grant money is never spent on: such an item is taken in and found.
    pub ineligible: Vec<SpendCategory>,
}

/// What becomes of an unspent balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnspentDisposition {
    /// The recipient keeps it for research 留用.
    Retain,
    /// It is called back 收回.
    Recall,
}

/// The loan-interest subsidy 贷款贴息.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterestSubsidy {
    /// The most of the base rate 基准利率 that is subsidised, in per cent of that rate.
    pub base_rate_max_percent: u32,
    /// The most in one year, in minor units.
    pub year_max_minor: i64,
    /// The most in all, in minor units.
    pub total_max_minor: i64,
}

/// Risk compensation 风险补偿.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskCompensation {
    /// The share of bad principal that a bank is compensated for, in per cent.
    pub bad_principal_percent: u32,
    /// The share that a guarantor is compensated for, in per cent.
    pub guarantor_percent: u32,
    /// Percentage points more for a first loan or one secured by intellectual property.
    pub first_or_ip_loan_extra_points: u32,
    /// The most that all public money may be of the loss borne, in per cent (A15).
    pub all_public_max_percent: u32,
}

/// The transfer-fee subsidy 技术转让费补助.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferFee {
    /// The share of the price paid, in per cent.
    pub price_paid_percent: u32,
    /// The most, in minor units.
    pub max_minor: i64,
}

/// The post-completion subsidy 后补助.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostCompletion {
    /// The share of audited cost, in per cent.
    pub audited_cost_percent: u32,
    /// The most, in minor units.
    pub max_minor: i64,
}

/// The repayable grant 偿还性资助.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Repayable {
    /// The least part of the project's budget that the performer raises itself 自筹.
    pub self_raised_min: Fraction,
}

/// An exact fraction, for a rule that says "a third".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fraction {
    /// The part.
    pub numerator: u32,
    /// The whole; never zero.
    pub denominator: u32,
}

/// Alliances 产业技术创新战略联盟.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alliance {
    /// Months for which an alliance is a pilot 试点.
    pub pilot_months: u32,
    /// Months for curing a breach 整改.
    pub cure_months: u32,
}

/// Demonstration bases 示范基地.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// Months between evaluations (A20).
    pub evaluation_months: u32,
    /// Months for curing a failed evaluation 整改.
    pub cure_months: u32,
}

/// The agreement that backs a grant 依托协议 (A01).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backing {
    /// Whether a grant is paid only once it names an agreement. One that names an agreement is paid only while that is in
    /// force, whatever stands here.
    pub required: bool,
}

/// Agreements 协议 (domain.md section 3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agreement {
    /// The fields of which an amendment needs every signature again 实质性变更. Any other is in force at once.
    pub material_fields: Vec<AgreementField>,
    /// Days after a term's end within which the agreement can still be renewed 续签宽限期.
    pub renewal_grace_days: u32,
    /// Whether every obligation must be fulfilled before the agreement can be completed 履行完毕.
    pub completion_needs_fulfilment: bool,
}

/// A field of an agreement that an amendment can change 变更事项. Written in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementField {
    /// The title 名称.
    Title,
    /// The last day of the term 期限.
    TermEnd,
    /// The value 成交额.
    Value,
    /// Obligations and milestones 义务与节点.
    Obligations,
}

impl AgreementField {
    /// The field as the rulebook writes it.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::TermEnd => "term_end",
            Self::Value => "value",
            Self::Obligations => "obligations",
        }
    }

    /// The field in Chinese.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::Title => "名称",
            Self::TermEnd => "期限",
            Self::Value => "成交额",
            Self::Obligations => "义务与节点",
        }
    }
}

/// Incompatible duties 不相容职务 (A13): no person does both duties of a pair on the same grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conflicts {
    /// The pairs, in either order.
    pub pairs: Vec<(Duty, Duty)>,
    /// Whether people of the applicant's organisation are kept from every office job.
    pub applicant_organisation_excluded: bool,
}

/// A job somebody does on a grant 职务. Written in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Duty {
    /// Recommends an application 推荐.
    Recommend,
    /// Takes an application in 受理.
    Admit,
    /// Reviews it 评审.
    Review,
    /// Publishes the notice and closes objections 公示.
    Publish,
    /// Approves the grant 立项.
    Approve,
    /// Signs the contract for the office 签订任务书.
    Contract,
    /// Verifies the payee's account 收款账户核验.
    VerifyPayee,
    /// Requests a tranche 用款申请.
    Request,
    /// Authorises it 拨款审批.
    Authorise,
    /// Instructs the bank 下达支付指令.
    Instruct,
    /// Records that the bank has paid 支付确认.
    Settle,
    /// Matches bank lines with instructions 对账.
    Reconcile,
    /// Imports migrated awards 数据迁移.
    Import,
}

impl Rulebook {
    /// Whether one person may not do both duties on the same grant (A13). The order of the two does not matter.
    #[must_use]
    pub fn conflicts(&self, a: Duty, b: Duty) -> bool {
        self.conflicts.pairs.iter().any(|&pair| pair == (a, b) || pair == (b, a))
    }

    /// What in this version contradicts itself: the key, and what is wrong with it.
    fn contradiction(&self) -> Option<(&'static str, String)> {
        let shares = &self.tranches.shares_percent;
        let sum: u64 = shares.iter().copied().map(u64::from).sum();
        if self.version.trim().is_empty() {
            return Some(("version", "is blank; name the version, such as 2012-09".to_owned()));
        }
        if sum != 100 {
            return Some(("tranches.shares_percent", format!("adds up to {sum}; make it 100")));
        }
        if shares[0] > self.tranches.first_max_percent {
            let problem = format!("is below the first share, {}; raise it or lower the share", shares[0]);
            return Some(("tranches.first_max_percent", problem));
        }
        if self.matching_ratio_percent.len() != shares.len() {
            let problem =
                format!("has {} ratios for {} tranches", self.matching_ratio_percent.len(), shares.len());
            return Some(("matching_ratio_percent", format!("{problem}; give one to each")));
        }
        if !self.matching_ratio_percent.is_sorted() {
            return Some((
                "matching_ratio_percent",
                "falls from one tranche to the next; let it rise".to_owned(),
            ));
        }
        let fraction = self.repayable.self_raised_min;
        if fraction.denominator == 0 || fraction.numerator > fraction.denominator {
            return Some(("repayable.self_raised_min", "is not a part of a whole; write 0 to 1".to_owned()));
        }
        if let Some((duty, _)) = self.conflicts.pairs.iter().find(|(a, b)| a == b) {
            return Some(("conflicts.pairs", format!("sets {duty:?} against itself; name two duties")));
        }
        self.out_of_range()
    }

    /// A percentage above 100, a similarity above 1000, or an amount below zero.
    fn out_of_range(&self) -> Option<(&'static str, String)> {
        let risk = &self.risk_compensation;
        let ratio_max = self.matching_ratio_percent.iter().copied().max().unwrap_or(0);
        let parts = [
            ("matching_ratio_percent", ratio_max, 100),
            ("public_share_max_percent", self.public_share_max_percent, 100),
            ("similarity_per_mille", self.similarity_per_mille, 1000),
            ("tranches.first_max_percent", self.tranches.first_max_percent, 100),
            ("interest_subsidy.base_rate_max_percent", self.interest_subsidy.base_rate_max_percent, 100),
            ("risk_compensation.bad_principal_percent", risk.bad_principal_percent, 100),
            ("risk_compensation.guarantor_percent", risk.guarantor_percent, 100),
            ("risk_compensation.first_or_ip_loan_extra_points", risk.first_or_ip_loan_extra_points, 100),
            ("risk_compensation.all_public_max_percent", risk.all_public_max_percent, 100),
            ("transfer_fee.price_paid_percent", self.transfer_fee.price_paid_percent, 100),
            ("post_completion.audited_cost_percent", self.post_completion.audited_cost_percent, 100),
        ];
        if let Some((key, value, max)) = parts.into_iter().find(|(_, value, max)| value > max) {
            return Some((key, format!("is {value}; it can be {max} at most")));
        }
        let amounts = [
            ("split.threshold_minor", self.split.threshold_minor),
            ("interest_subsidy.year_max_minor", self.interest_subsidy.year_max_minor),
            ("interest_subsidy.total_max_minor", self.interest_subsidy.total_max_minor),
            ("transfer_fee.max_minor", self.transfer_fee.max_minor),
            ("post_completion.max_minor", self.post_completion.max_minor),
        ];
        let (key, amount) = amounts.into_iter().find(|(_, amount)| *amount < 0)?;
        Some((key, format!("is {amount}; it cannot be below zero")))
    }
}

/// Why a rulebook was refused, or none applies.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulebookError {
    /// The file is not a rulebook: a key is unknown or missing, or a value has the wrong type.
    #[error("{file}: {problem}")]
    Unreadable {
        /// The file's name as given.
        file: String,
        /// The place, the key and what is wrong with it.
        problem: String,
    },
    /// The file contradicts itself.
    #[error("{file}: {key} {problem}")]
    Contradiction {
        /// The file's name as given.
        file: String,
        /// The key, with its table.
        key: &'static str,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// Two files state the same version.
    #[error("{file}: version {version} is stated in another file too; give each version its own name")]
    DuplicateVersion {
        /// The second file's name.
        file: String,
        /// The version stated twice.
        version: String,
    },
    /// Two files take effect on the same day.
    #[error("{file}: effective_from {date} is that of another version too; give each version its own day")]
    DuplicateDate {
        /// The second file's name.
        file: String,
        /// The date stated twice.
        date: Date,
    },
    /// There is no file.
    #[error("there is no rulebook; give at least one file")]
    Empty,
    /// The date lies before the first version.
    #[error(
        "no rulebook is in force on {on}; the first takes effect on {first}, and older awards come in by import"
    )]
    BeforeFirst {
        /// The date asked for.
        on: Date,
        /// The day the first version takes effect.
        first: Date,
    },
    /// No version has that name.
    #[error("there is no rulebook version {version:?}; load its file, because events were decided under it")]
    UnknownVersion {
        /// The version asked for.
        version: String,
    },
}

/// All versions of the rules, each from its day until the next one's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rulebooks {
    /// Never empty, in order of their first day.
    versions: Vec<Rulebook>,
}

impl Rulebooks {
    /// The shipped versions (`deploy/rulebook/`): one, from 2012-09-15.
    #[must_use]
    pub fn shipped() -> &'static Self {
        &SHIPPED
    }

    /// Reads files given as (name, text), in any order.
    ///
    /// # Errors
    ///
    /// [`RulebookError`] naming the file and the key; also when two state the same version or day, or none is given.
    pub fn from_toml_files<N: AsRef<str>, T: AsRef<str>>(files: &[(N, T)]) -> Result<Self, RulebookError> {
        let mut versions: Vec<Rulebook> = Vec::with_capacity(files.len());
        for (file, text) in files {
            let rulebook = read_file(file.as_ref(), text.as_ref())?;
            let file = file.as_ref().to_owned();
            if versions.iter().any(|other| other.version == rulebook.version) {
                return Err(RulebookError::DuplicateVersion { file, version: rulebook.version });
            }
            if versions.iter().any(|other| other.effective_from == rulebook.effective_from) {
                return Err(RulebookError::DuplicateDate { file, date: rulebook.effective_from });
            }
            versions.push(rulebook);
        }
        if versions.is_empty() {
            return Err(RulebookError::Empty);
        }
        versions.sort_by_key(|rulebook| rulebook.effective_from);
        Ok(Self { versions })
    }

    /// The version in force on a date.
    ///
    /// # Errors
    ///
    /// [`RulebookError::BeforeFirst`] when the date lies before the first version.
    pub fn at(&self, on: Date) -> Result<&Rulebook, RulebookError> {
        self.versions
            .iter()
            .rfind(|rulebook| rulebook.effective_from <= on)
            .ok_or_else(|| RulebookError::BeforeFirst { on, first: self.versions[0].effective_from })
    }

    /// The version in force on a date; before the first one began, the first. For reports, which look at what was recorded: no
    /// decision is made by it.
    #[must_use]
    pub fn at_or_first(&self, on: Date) -> &Rulebook {
        self.at(on).unwrap_or(&self.versions[0])
    }

    /// The version of that name, for an event that names the version it was decided under.
    ///
    /// # Errors
    ///
    /// [`RulebookError::UnknownVersion`] when none has that name.
    pub fn version(&self, version: &str) -> Result<&Rulebook, RulebookError> {
        self.versions
            .iter()
            .find(|rulebook| rulebook.version == version)
            .ok_or_else(|| RulebookError::UnknownVersion { version: version.to_owned() })
    }

    /// All versions, the earliest first.
    pub fn iter(&self) -> impl Iterator<Item = &Rulebook> {
        self.versions.iter()
    }
}

fn read_file(file: &str, text: &str) -> Result<Rulebook, RulebookError> {
    let rulebook: Rulebook = toml::from_str(text).map_err(|error| RulebookError::Unreadable {
        file: file.to_owned(),
        problem: error.to_string().trim_end().to_owned(),
    })?;
    match rulebook.contradiction() {
        Some((key, problem)) => Err(RulebookError::Contradiction { file: file.to_owned(), key, problem }),
        None => Ok(rulebook),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TEXT: &str = include_str!("../../../deploy/rulebook/2012-09.toml");

    fn shipped() -> &'static Rulebook {
        Rulebooks::shipped().at(date(2012, 9, 15)).unwrap()
    }

    fn refusal(text: &str) -> String {
        Rulebooks::from_toml_files(&[("test.toml", text)]).unwrap_err().to_string()
    }

    #[test]
    fn the_shipped_version_holds_the_defaults_of_the_domain() {
        let rulebook = shipped();
        assert_eq!(rulebook.version, "2012-09");
        assert_eq!(rulebook.notice, Notice { working_days: 7, first_counted_day: FirstCountedDay::NextDay });
        assert_eq!(rulebook.tranches.shares_percent, [50, 30, 20]);
        assert_eq!(rulebook.matching_ratio_percent, [0, 60, 100]);
        assert_eq!(rulebook.split.threshold_minor, 500_000_000);
        assert_eq!(rulebook.agreement.renewal_grace_days, 90);
        assert!(!rulebook.backing.required);
        assert!(!rulebook.agreement.material_fields.contains(&AgreementField::Title));
        assert_eq!(rulebook.repayable.self_raised_min, Fraction { numerator: 1, denominator: 3 });
    }

    #[test]
    fn duties_conflict_in_either_order_and_only_as_listed() {
        let rulebook = shipped();
        for (a, b) in [
            (Duty::Review, Duty::Approve),
            (Duty::Approve, Duty::Authorise),
            (Duty::Authorise, Duty::Instruct),
            (Duty::Instruct, Duty::Settle),
            (Duty::Instruct, Duty::Reconcile),
        ] {
            assert!(rulebook.conflicts(a, b) && rulebook.conflicts(b, a), "{a:?} × {b:?}");
        }
        assert!(!rulebook.conflicts(Duty::Review, Duty::Instruct));
        assert!(!rulebook.conflicts(Duty::Instruct, Duty::Instruct));
    }

    #[test]
    fn a_notice_ends_by_its_first_counted_day() {
        let calendar = Calendar::shipped();
        let next_day = shipped().notice.clone();
        let same_day = Notice { first_counted_day: FirstCountedDay::SameDay, ..next_day.clone() };
        let monday = date(2012, 9, 24);
        assert_eq!(next_day.last_counted_day(monday, calendar), Ok(date(2012, 10, 9)));
        assert_eq!(same_day.last_counted_day(monday, calendar), Ok(date(2012, 10, 8)));
        let sunday = date(2012, 9, 23);
        assert_eq!(same_day.last_counted_day(sunday, calendar), next_day.last_counted_day(sunday, calendar));
    }

    #[test]
    fn the_version_in_force_follows_the_date() {
        let later = TEXT
            .replace("version = \"2012-09\"", "version = \"2021-01\"")
            .replace("2012-09-15", "2021-01-01");
        let rulebooks =
            Rulebooks::from_toml_files(&[("later.toml", later.as_str()), ("first.toml", TEXT)]).unwrap();
        let version_at = |on| rulebooks.at(on).map(|rulebook| rulebook.version.as_str());
        assert_eq!(version_at(date(2012, 9, 15)), Ok("2012-09"));
        assert_eq!(version_at(date(2020, 12, 31)), Ok("2012-09"));
        assert_eq!(version_at(date(2021, 1, 1)), Ok("2021-01"));
        let before = RulebookError::BeforeFirst { on: date(2012, 9, 14), first: date(2012, 9, 15) };
        assert_eq!(version_at(date(2012, 9, 14)), Err(before));
        assert_eq!(rulebooks.version("2021-01").unwrap().effective_from, date(2021, 1, 1));
        assert!(rulebooks.version("2030").is_err());
        assert_eq!(rulebooks.iter().count(), 2);
    }

    #[test]
    fn a_rulebook_that_is_wrong_is_refused_with_its_file_and_key() {
        for (from, to, words) in [
            ("cooling_years = 3", "cooling_years = 3\ncoolingyears = 4", "unknown field `coolingyears`"),
            ("money_days = 5", "money_day = 5", "unknown field `money_day`"),
            ("cooling_years = 3", "", "missing field `cooling_years`"),
            ("cooling_years = 3", "cooling_years = 3.5", "cooling_years = 3.5"),
            ("cooling_years = 3", "cooling_years = -3", "cooling_years = -3"),
            ("[\"review\", \"approve\"]", "[\"review\", \"applaud\"]", "unknown variant `applaud`"),
            (
                "[\"review\", \"approve\"]",
                "[\"review\", \"review\"]",
                "conflicts.pairs sets Review against itself",
            ),
            ("[50, 30, 20]", "[50, 30]", "tranches.shares_percent adds up to 80; make it 100"),
            ("[50, 30, 20]", "[]", "tranches.shares_percent adds up to 0"),
            ("[50, 30, 20]", "[70, 20, 10]", "tranches.first_max_percent is below the first share, 70"),
            ("[0, 60, 100]", "[0, 100]", "matching_ratio_percent has 2 ratios for 3 tranches"),
            ("[0, 60, 100]", "[0, 60, 50]", "matching_ratio_percent falls"),
            ("[0, 60, 100]", "[0, 60, 101]", "matching_ratio_percent is 101"),
            ("denominator = 3", "denominator = 0", "repayable.self_raised_min is not a part of a whole"),
            (
                "similarity_per_mille = 850",
                "similarity_per_mille = 1001",
                "similarity_per_mille is 1001; it can be 1000",
            ),
            ("threshold_minor = 500_000_000", "threshold_minor = -1", "split.threshold_minor is -1"),
            ("\"2012-09-15\"", "\"2012-09-31\"", "effective_from"),
            ("\"CNY\"", "\"RMB\"", "ISO 4217"),
            ("version = \"2012-09\"", "version = \" \"", "version is blank"),
            ("\"term_end\"", "\"term\"", "unknown variant `term`"),
            ("renewal_grace_days = 90", "", "missing field `renewal_grace_days`"),
        ] {
            assert!(TEXT.contains(from), "the fixture lacks {from}");
            let refusal = refusal(&TEXT.replacen(from, to, 1));
            assert!(refusal.starts_with("test.toml: ") && refusal.contains(words), "{to}: {refusal}");
        }
    }

    #[test]
    fn versions_that_collide_are_refused() {
        let same_day = TEXT.replacen("version = \"2012-09\"", "version = \"other\"", 1);
        let files = |second| {
            Rulebooks::from_toml_files(&[("a.toml", TEXT), ("b.toml", second)]).unwrap_err().to_string()
        };
        assert!(files(TEXT).starts_with("b.toml: version 2012-09 is stated in another file"));
        assert!(files(&same_day).starts_with("b.toml: effective_from 2012-09-15"));
        let none: [(&str, &str); 0] = [];
        assert_eq!(Rulebooks::from_toml_files(&none), Err(RulebookError::Empty));
    }
}
