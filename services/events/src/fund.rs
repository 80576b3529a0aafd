//! Events of the `fund-grant` log: programmes 年度计划 and grants 资助项目.
//!
//! Amounts are integers of the minor unit of `currency`. Every event that moves money names its programme and its
//! amount itself, so that its postings follow from it alone ([`crate::ledger`]). Who acted, when it was recorded and
//! when it happened stand in the CloudEvents attributes beside the data.

pub use crate::party::Party;

use crate::{agreement::Term, personal::PersonalRef};
use concord_kernel::{
    Date,
    event::LogEvent,
    id::{AgreementId, BackingId, GrantId, InstructionId, ProgrammeId},
    industry::Industry,
    money::Currency,
    party::{PartyCode, PartyId},
    region::Region,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// How the fund pays 资助方式 (the opinion, section 五（二）).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundingMode {
    /// 无偿资助.
    NonRepayable,
    /// 偿还性资助.
    Repayable,
    /// 风险补偿.
    RiskCompensation,
    /// 贷款贴息.
    LoanInterestSubsidy,
    /// 后补助.
    PostCompletion,
    /// 技术转让费补助.
    TransferFeeSubsidy,
}

impl FundingMode {
    /// All modes, in the order of domain.md section 4.
    pub const ALL: [Self; 6] = [
        Self::NonRepayable,
        Self::Repayable,
        Self::RiskCompensation,
        Self::LoanInterestSubsidy,
        Self::PostCompletion,
        Self::TransferFeeSubsidy,
    ];

    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NonRepayable => "non_repayable",
            Self::Repayable => "repayable",
            Self::RiskCompensation => "risk_compensation",
            Self::LoanInterestSubsidy => "loan_interest_subsidy",
            Self::PostCompletion => "post_completion",
            Self::TransferFeeSubsidy => "transfer_fee_subsidy",
        }
    }

    /// Chinese name, as the opinion has it.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::NonRepayable => "无偿资助",
            Self::Repayable => "偿还性资助",
            Self::RiskCompensation => "风险补偿",
            Self::LoanInterestSubsidy => "贷款贴息",
            Self::PostCompletion => "后补助",
            Self::TransferFeeSubsidy => "技术转让费补助",
        }
    }
}

/// What a fund is for 用途.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundPurpose {
    /// 引进.
    Introduction,
    /// 转化.
    Transformation,
    /// 中试.
    PilotTest,
    /// Not split by purpose.
    General,
}

/// A party's share of a grant 分配额度.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    /// Who it is for.
    pub party: Party,
    /// Minor units of the grant's currency; absent where the source does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<i64>,
}

/// What must hold before a tranche can be asked for 拨款条件.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrancheCondition {
    /// The contract is signed 任务书已签订.
    Contract,
    /// The midterm check was passed 中期检查.
    Midterm,
    /// The project was finally accepted 验收.
    FinalAcceptance,
    /// A claim was verified 核验.
    VerifiedClaim,
}

/// One line of a contract's payment plan 拨款计划.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTranche {
    /// Number in the contract, from 1.
    pub number: u32,
    /// Minor units, above zero.
    pub amount_minor: i64,
    /// What must hold before it can be asked for.
    pub condition: TrancheCondition,
    /// Day by which it is due.
    pub due_on: Date,
}

/// Where a migrated award came from 数据来源.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Credit of the data set.
    pub data_set: String,
    /// Key of the award in it.
    pub key: String,
    /// The source rows as they stood.
    pub row: String,
    /// True where facts were made up for a demonstration 模拟数据.
    #[serde(default)]
    pub synthetic: bool,
}

/// What a sub-limit 分项限额 limits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitOn {
    /// One funding mode.
    Mode(FundingMode),
    /// One region of the lead: a city or a country.
    Region(Region),
}

/// A place in the agreement log: the event that something was learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementPoint {
    /// Generation of the log in which it was taken in. What the log kept of earlier ones is taken in anew in each.
    pub generation: u32,
    /// Its position.
    pub position: u64,
    /// The event's own id.
    pub event: Uuid,
}

/// A party of an agreement, as the agreement log named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackingParty {
    /// Id for good.
    pub party: PartyId,
    /// Code under which the agreement names it.
    pub code: PartyCode,
}

/// Whether an agreement is in force 协议效力, as far as its events say. That a term ends with its last day is no event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Force {
    /// Not everybody has signed 未生效.
    Unsigned,
    /// Signed: in force in this term 生效.
    InForce {
        /// First and last day in force.
        term: Term,
    },
    /// Suspended 中止.
    Suspended {
        /// First and last day in force before.
        term: Term,
        /// Last day of the term that was agreed: once it has passed the agreement has expired, suspended or not. Absent in
        /// events recorded before this was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        agreed_until: Option<Date>,
    },
    /// Over for good 已结束.
    Ended {
        /// How.
        how: Ending,
        /// First and last day in force; absent where it never was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        term: Option<Term>,
    },
}

/// How an agreement ended, the calendar aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The draft was called off 撤销草案.
    Cancelled,
    /// 履行完毕.
    Completed,
    /// 终止.
    Terminated,
}

/// Why an agreement is no longer in force 失效原因.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// Suspended 中止.
    Suspended,
    /// The last day of its term has passed 到期.
    Expired,
    /// The draft was called off 撤销草案.
    Cancelled,
    /// 履行完毕.
    Completed,
    /// 终止.
    Terminated,
}

impl Loss {
    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Suspended => "suspended",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Completed => "completed",
            Self::Terminated => "terminated",
        }
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::Suspended => "中止",
            Self::Expired => "到期",
            Self::Cancelled => "撤销草案",
            Self::Completed => "履行完毕",
            Self::Terminated => "终止",
        }
    }
}

/// Why a grant is on hold 暂停原因.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HoldCause {
    /// An officer ordered it.
    Office {
        /// Why.
        reason: String,
    },
    /// The agreement that backs it left force.
    BackingLost {
        /// The agreement.
        agreement: AgreementId,
        /// How.
        how: Loss,
        /// Position in the agreement log of what was last learned of it.
        agreement_position: u64,
    },
}

/// Why a cause of a hold is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cleared {
    /// The agreement is in force again.
    InForceAgain,
    /// The grant rests on another agreement now.
    AnotherNamed,
}

/// The agreement under which the bank was instructed (A01), as it was known then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstructedUnder {
    /// The agreement.
    pub agreement: AgreementId,
    /// Position in the agreement log of what was last learned of it.
    pub position: u64,
    /// Position up to which the agreement log had been taken in, as its owner stated.
    pub verified_position: u64,
    /// When the owner stated that.
    pub verified_at: jiff::Timestamp,
}

/// An event of the `fund-grant` log. Past tense, and sufficient by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum FundEvent {
    /// The played clock's today moved forward (architecture, "Two clocks"). In the stream of the log itself.
    #[serde(rename = "concord.fund.v1.TodayAdvanced")]
    TodayAdvanced {
        /// The new today.
        today: Date,
    },

    /// A programme was opened with its first appropriation 拨款.
    #[serde(rename = "concord.fund.v1.ProgrammeAppropriated")]
    ProgrammeAppropriated {
        /// The new programme.
        programme: ProgrammeId,
        /// Short code of the fund.
        fund: String,
        /// What the money is for.
        purpose: FundPurpose,
        /// Budget year.
        year: i16,
        /// Currency of the programme, for good.
        currency: Currency,
        /// Appropriated.
        amount_minor: i64,
        /// Name shown to people.
        title: String,
    },
    /// Money was added 追加.
    #[serde(rename = "concord.fund.v1.ProgrammeSupplemented")]
    ProgrammeSupplemented {
        /// The programme.
        programme: ProgrammeId,
        /// Its currency.
        currency: Currency,
        /// Added.
        amount_minor: i64,
    },
    /// Available money went back to the treasury 核减.
    #[serde(rename = "concord.fund.v1.ProgrammeCut")]
    ProgrammeCut {
        /// The programme.
        programme: ProgrammeId,
        /// Its currency.
        currency: Currency,
        /// Taken back.
        amount_minor: i64,
    },
    /// A sub-limit 分项限额 was set, changed or lifted.
    #[serde(rename = "concord.fund.v1.SubLimitSet")]
    SubLimitSet {
        /// The programme.
        programme: ProgrammeId,
        /// Its currency.
        currency: Currency,
        /// What it limits.
        on: LimitOn,
        /// The limit in minor units; absent when lifted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        limit_minor: Option<i64>,
    },

    /// An application was filed 申报.
    #[serde(rename = "concord.fund.v1.GrantApplied")]
    GrantApplied {
        /// The new grant.
        grant: GrantId,
        /// Programme that it asks money of.
        programme: ProgrammeId,
        /// Currency of the programme.
        currency: Currency,
        /// How it would be paid.
        mode: FundingMode,
        /// Title of the project.
        title: String,
        /// Leading party 牵头单位.
        lead: Party,
        /// Industry 产业.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        industry: Option<Industry>,
        /// Asked for.
        requested_minor: i64,
        /// Total project budget 项目总预算.
        total_budget_minor: i64,
        /// Shares of all parties, the lead included.
        allocations: Vec<Allocation>,
        /// Planned first day.
        starts_on: Date,
        /// Planned last day.
        ends_on: Date,
    },
    /// The city or department recommended it 推荐.
    #[serde(rename = "concord.fund.v1.GrantRecommended")]
    GrantRecommended {
        /// The grant.
        grant: GrantId,
        /// Recommending body 推荐单位.
        recommender: String,
    },
    /// It was taken in 受理.
    #[serde(rename = "concord.fund.v1.GrantAdmitted")]
    GrantAdmitted {
        /// The grant.
        grant: GrantId,
    },
    /// Experts reviewed it 评审.
    #[serde(rename = "concord.fund.v1.GrantReviewed")]
    GrantReviewed {
        /// The grant.
        grant: GrantId,
        /// The programme's currency.
        currency: Currency,
        /// Hundredths of a point, 0 to 10,000.
        score_hundredths: u32,
        /// The most that they would award.
        ceiling_minor: i64,
    },
    /// The intended award was published 公示. Published anew with another amount, the count starts again (A08).
    #[serde(rename = "concord.fund.v1.NoticePublished")]
    NoticePublished {
        /// The grant.
        grant: GrantId,
        /// The programme's currency.
        currency: Currency,
        /// The award as published.
        amount_minor: i64,
        /// Working days that it must hang.
        working_days: u32,
        /// Last counted working day.
        last_day: Date,
        /// First day on which it may be approved.
        approvable_from: Date,
    },
    /// It was approved 立项: the money is reserved.
    #[serde(rename = "concord.fund.v1.GrantApproved")]
    GrantApproved {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Funding mode, for the programme's sub-limits.
        mode: FundingMode,
        /// Lead's region, for the programme's sub-limits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead_region: Option<Region>,
        /// Awarded.
        amount_minor: i64,
        /// Minutes of the meeting 会议纪要.
        minutes: String,
    },
    /// It was turned down 不予立项. What was reserved is available again.
    #[serde(rename = "concord.fund.v1.GrantRejected")]
    GrantRejected {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Funding mode, for the programme's sub-limits.
        mode: FundingMode,
        /// Lead's region, for the programme's sub-limits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead_region: Option<Region>,
        /// Was reserved; 0 before approval.
        released_minor: i64,
        /// Why.
        reason: String,
        /// The agreement that backed it; the grant no longer rests on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backing: Option<AgreementId>,
    },
    /// The applicant withdrew 撤回. What was reserved is available again.
    #[serde(rename = "concord.fund.v1.GrantWithdrawn")]
    GrantWithdrawn {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Funding mode, for the programme's sub-limits.
        mode: FundingMode,
        /// Lead's region, for the programme's sub-limits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead_region: Option<Region>,
        /// Was reserved; 0 before approval.
        released_minor: i64,
        /// Why.
        reason: String,
        /// The agreement that backed it; the grant no longer rests on it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backing: Option<AgreementId>,
    },
    /// The task contract 任务书 was signed: the money is committed, the rest of the reservation available again.
    #[serde(rename = "concord.fund.v1.ContractSigned")]
    ContractSigned {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Funding mode, for the programme's sub-limits.
        mode: FundingMode,
        /// Lead's region, for the programme's sub-limits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead_region: Option<Region>,
        /// Contract number 合同编号.
        contract_number: String,
        /// Contracted.
        amount_minor: i64,
        /// Approved, and reserved until now.
        approved_minor: i64,
        /// First day of the project.
        starts_on: Date,
        /// Last day of the project.
        ends_on: Date,
        /// Payment plan; adds up to what is contracted.
        tranches: Vec<PlannedTranche>,
        /// Rulebook that the award's terms follow from now on.
        terms_rulebook: String,
    },
    /// The payee's account 收款账户 was checked (A01).
    #[serde(rename = "concord.fund.v1.PayeeVerified")]
    PayeeVerified {
        /// The grant.
        grant: GrantId,
        /// The account, by reference.
        account: PersonalRef,
    },
    /// A tranche was asked for 申请拨款.
    #[serde(rename = "concord.fund.v1.TrancheRequested")]
    TrancheRequested {
        /// The grant.
        grant: GrantId,
        /// The programme's currency.
        currency: Currency,
        /// Number in the contract.
        tranche: u32,
        /// Asked for.
        amount_minor: i64,
    },
    /// It was authorised 审批.
    #[serde(rename = "concord.fund.v1.TrancheAuthorised")]
    TrancheAuthorised {
        /// The grant.
        grant: GrantId,
        /// The programme's currency.
        currency: Currency,
        /// Number in the contract.
        tranche: u32,
        /// Authorised.
        amount_minor: i64,
    },
    /// The request was turned down; it may be made again.
    #[serde(rename = "concord.fund.v1.TrancheRejected")]
    TrancheRejected {
        /// The grant.
        grant: GrantId,
        /// Number in the contract.
        tranche: u32,
        /// Why.
        reason: String,
    },
    /// It was called off before it was instructed; it may be asked for again.
    #[serde(rename = "concord.fund.v1.TrancheCancelled")]
    TrancheCancelled {
        /// The grant.
        grant: GrantId,
        /// Number in the contract.
        tranche: u32,
        /// Why.
        reason: String,
    },
    /// The bank was instructed to pay 支付指令.
    #[serde(rename = "concord.fund.v1.TrancheInstructed")]
    TrancheInstructed {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Number in the contract.
        tranche: u32,
        /// To be paid.
        amount_minor: i64,
        /// The instruction 支付指令号; one for all attempts (A14).
        instruction: InstructionId,
        /// Attempt, from 1.
        attempt: u32,
        /// The account as it was verified.
        payee: PersonalRef,
        /// The agreement that backs the grant; absent where it names none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        backing: Option<InstructedUnder>,
    },
    /// The bank has paid 到账.
    #[serde(rename = "concord.fund.v1.TrancheSettled")]
    TrancheSettled {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Number in the contract.
        tranche: u32,
        /// Paid.
        amount_minor: i64,
        /// The instruction.
        instruction: InstructionId,
        /// Attempt that got through.
        attempt: u32,
        /// Bank's reference 银行流水号.
        bank_reference: String,
    },
    /// The bank sent the payment back 退汇. The tranche may be instructed again.
    #[serde(rename = "concord.fund.v1.PaymentReturned")]
    PaymentReturned {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Number in the contract.
        tranche: u32,
        /// Came back.
        amount_minor: i64,
        /// The instruction.
        instruction: InstructionId,
        /// Attempt that failed.
        attempt: u32,
        /// Whether it had been settled before.
        after_settlement: bool,
        /// Bank's reference of the return.
        bank_reference: String,
        /// Why.
        reason: String,
    },
    /// Something was learned of an agreement 依托协议: the whole of what is known of it since. The first one opens the record.
    #[serde(rename = "concord.fund.v1.BackingChanged")]
    BackingChanged {
        /// The agreement.
        agreement: AgreementId,
        /// Its parties.
        parties: Vec<BackingParty>,
        /// Whether it is in force.
        force: Force,
        /// The event of the agreement log that said so.
        at: AgreementPoint,
        /// When that happened.
        happened_on: Date,
    },
    /// A grant named the agreement that backs it. In the grant's stream; the agreement lists the grant from now on.
    #[serde(rename = "concord.fund.v1.BackingNamed")]
    BackingNamed {
        /// The grant.
        grant: GrantId,
        /// The agreement.
        agreement: AgreementId,
        /// The one named before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        former: Option<AgreementId>,
    },
    /// A grant was put on hold 暂停, or is so for one more cause: nothing is requested, authorised or instructed.
    #[serde(rename = "concord.fund.v1.GrantHeld")]
    GrantHeld {
        /// The grant.
        grant: GrantId,
        /// Why.
        cause: HoldCause,
        /// Since when the cause is there.
        cause_on: Date,
    },
    /// That an agreement was lost is no cause any more. The hold stays until an officer resumes the grant.
    #[serde(rename = "concord.fund.v1.HoldCauseCleared")]
    HoldCauseCleared {
        /// The grant.
        grant: GrantId,
        /// The agreement.
        agreement: AgreementId,
        /// Why.
        cleared: Cleared,
        /// Position in the agreement log of what was last learned of it.
        agreement_position: u64,
    },
    /// An officer resumed the grant 恢复.
    #[serde(rename = "concord.fund.v1.GrantResumed")]
    GrantResumed {
        /// The grant.
        grant: GrantId,
    },
    /// An award made elsewhere was taken in, contracted as it stood 历史项目导入. Its programme is opened where it
    /// was not, and appropriated to match; steps that it never took here are migrated, not skipped.
    #[serde(rename = "concord.fund.v1.AwardImported")]
    AwardImported {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Fund of the programme.
        fund: String,
        /// Budget year of the programme.
        year: i16,
        /// Currency of both.
        currency: Currency,
        /// Funding mode.
        mode: FundingMode,
        /// Title of the project.
        title: String,
        /// Leading party.
        lead: Party,
        /// Industry, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        industry: Option<Industry>,
        /// Awarded and contracted.
        amount_minor: i64,
        /// Total project budget, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total_budget_minor: Option<i64>,
        /// Shares as the source has them.
        allocations: Vec<Allocation>,
        /// First day, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        starts_on: Option<Date>,
        /// Last day, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_on: Option<Date>,
        /// Payment plan; adds up to the award, or empty.
        tranches: Vec<PlannedTranche>,
        /// Where it came from.
        source: Source,
        /// What did not add up in the source.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        discrepancies: Vec<String>,
        /// Rulebook that the award's terms follow.
        terms_rulebook: String,
    },
}

impl LogEvent for FundEvent {
    fn stream(&self) -> (&'static str, Uuid) {
        match self {
            Self::TodayAdvanced { .. } => ("log", Uuid::nil()),
            Self::ProgrammeAppropriated { programme, .. }
            | Self::ProgrammeSupplemented { programme, .. }
            | Self::ProgrammeCut { programme, .. }
            | Self::SubLimitSet { programme, .. } => ("programme", programme.0),
            Self::GrantApplied { grant, .. }
            | Self::GrantRecommended { grant, .. }
            | Self::GrantAdmitted { grant, .. }
            | Self::GrantReviewed { grant, .. }
            | Self::NoticePublished { grant, .. }
            | Self::GrantApproved { grant, .. }
            | Self::GrantRejected { grant, .. }
            | Self::GrantWithdrawn { grant, .. }
            | Self::ContractSigned { grant, .. }
            | Self::PayeeVerified { grant, .. }
            | Self::TrancheRequested { grant, .. }
            | Self::TrancheAuthorised { grant, .. }
            | Self::TrancheRejected { grant, .. }
            | Self::TrancheCancelled { grant, .. }
            | Self::TrancheInstructed { grant, .. }
            | Self::TrancheSettled { grant, .. }
            | Self::PaymentReturned { grant, .. }
            | Self::BackingNamed { grant, .. }
            | Self::GrantHeld { grant, .. }
            | Self::HoldCauseCleared { grant, .. }
            | Self::GrantResumed { grant }
            | Self::AwardImported { grant, .. } => ("grant", grant.0),
            Self::BackingChanged { agreement, .. } => ("backing", BackingId::of(*agreement).0),
        }
    }

    /// The programme, where its money moves between available, reserved and contracted; the record of an agreement that a
    /// grant names or no longer names.
    fn also(&self) -> Vec<Uuid> {
        match self {
            Self::GrantApproved { programme, .. }
            | Self::ContractSigned { programme, .. }
            | Self::AwardImported { programme, .. } => vec![programme.0],
            Self::GrantRejected { programme, released_minor, backing, .. }
            | Self::GrantWithdrawn { programme, released_minor, backing, .. } => {
                let programme = (*released_minor > 0).then_some(programme.0);
                let backing = backing.map(|agreement| BackingId::of(agreement).0);
                programme.into_iter().chain(backing).collect()
            }
            Self::BackingNamed { agreement, former, .. } => std::iter::once(agreement)
                .chain(former)
                .map(|agreement| BackingId::of(*agreement).0)
                .collect(),
            _ => Vec::new(),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::TodayAdvanced { .. } => "concord.fund.v1.TodayAdvanced",
            Self::ProgrammeAppropriated { .. } => "concord.fund.v1.ProgrammeAppropriated",
            Self::ProgrammeSupplemented { .. } => "concord.fund.v1.ProgrammeSupplemented",
            Self::ProgrammeCut { .. } => "concord.fund.v1.ProgrammeCut",
            Self::SubLimitSet { .. } => "concord.fund.v1.SubLimitSet",
            Self::GrantApplied { .. } => "concord.fund.v1.GrantApplied",
            Self::GrantRecommended { .. } => "concord.fund.v1.GrantRecommended",
            Self::GrantAdmitted { .. } => "concord.fund.v1.GrantAdmitted",
            Self::GrantReviewed { .. } => "concord.fund.v1.GrantReviewed",
            Self::NoticePublished { .. } => "concord.fund.v1.NoticePublished",
            Self::GrantApproved { .. } => "concord.fund.v1.GrantApproved",
            Self::GrantRejected { .. } => "concord.fund.v1.GrantRejected",
            Self::GrantWithdrawn { .. } => "concord.fund.v1.GrantWithdrawn",
            Self::ContractSigned { .. } => "concord.fund.v1.ContractSigned",
            Self::PayeeVerified { .. } => "concord.fund.v1.PayeeVerified",
            Self::TrancheRequested { .. } => "concord.fund.v1.TrancheRequested",
            Self::TrancheAuthorised { .. } => "concord.fund.v1.TrancheAuthorised",
            Self::TrancheRejected { .. } => "concord.fund.v1.TrancheRejected",
            Self::TrancheCancelled { .. } => "concord.fund.v1.TrancheCancelled",
            Self::TrancheInstructed { .. } => "concord.fund.v1.TrancheInstructed",
            Self::TrancheSettled { .. } => "concord.fund.v1.TrancheSettled",
            Self::PaymentReturned { .. } => "concord.fund.v1.PaymentReturned",
            Self::BackingChanged { .. } => "concord.fund.v1.BackingChanged",
            Self::BackingNamed { .. } => "concord.fund.v1.BackingNamed",
            Self::GrantHeld { .. } => "concord.fund.v1.GrantHeld",
            Self::HoldCauseCleared { .. } => "concord.fund.v1.HoldCauseCleared",
            Self::GrantResumed { .. } => "concord.fund.v1.GrantResumed",
            Self::AwardImported { .. } => "concord.fund.v1.AwardImported",
        }
    }

    fn advances_today(&self) -> Option<Date> {
        match *self {
            Self::TodayAdvanced { today } => Some(today),
            _ => None,
        }
    }

    fn today_advanced(today: Date) -> Self {
        Self::TodayAdvanced { today }
    }
}
