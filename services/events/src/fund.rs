//! Events of the `fund-grant` log: programmes 年度计划 and grants 资助项目.
//!
//! Amounts are integers of the minor unit of `currency`. Every event that moves money names its programme and its
//! amount itself, so that its postings follow from it alone ([`crate::ledger`]). Who acted, when it was recorded and
//! when it happened stand in the CloudEvents attributes beside the data.

mod closing;
mod finding;
mod matching;
mod party;
mod recovery;
mod spending;

pub use crate::party::Party;
pub use closing::{AcceptanceFailure, AcceptanceOutcome, EvaluationGrade, OverriddenRule};
pub use finding::{FindingKey, FindingSubject};
pub use matching::{GovernmentLevel, MatchingInstalment, MatchingKind, matching_source_zh};
pub use party::{DirectoryPoint, PartyChange};
pub use recovery::{MoneyFact, RecoveryCause, Taken};
pub use spending::{Holding, InvoicePart};

use crate::{agreement::Term, personal::PersonalRef};
use concord_kernel::{
    Date,
    event::{LogEvent, StreamId},
    fingerprint::Fingerprint,
    id::{
        AgreementId, BackingId, GrantId, InstructionId, PartyFileId, PartyRecordId, ProgrammeId, RecoveryId,
        RectificationId, SpendId,
    },
    industry::Industry,
    money::{Amount, Currency},
    party::{PartyCode, PartyId},
    region::Region,
    spending::SpendCategory,
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
        /// How its lead's file has it (A04, A11); absent in events recorded before there were files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        filed: Option<Filed>,
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
        /// How far the directory of parties had been taken in, by which the lead's other grants were found (A11); absent where
        /// none was followed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directory: Option<DirectoryPoint>,
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
        /// Its lead, whose file has it; absent where it was never filed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead: Option<PartyId>,
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
        /// Its lead, whose file has it; absent where it was never filed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead: Option<PartyId>,
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
        /// Its lead, whose file has it (A11); absent in events recorded before there were files.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lead: Option<PartyId>,
        /// Shares of all parties, the lead included; add up to what is contracted. Empty: all is the lead's.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        allocations: Vec<Allocation>,
        /// Day by which final acceptance is due 验收期限 (A11).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        acceptance_due_on: Option<Date>,
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
        /// The part that is kept back for recoveries of other grants 抵扣: the bank pays the rest.
        #[serde(default, skip_serializing_if = "is_zero")]
        offset_minor: i64,
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
    /// The bank sent the payment back 退汇. The tranche may be instructed again, unless the grant has ended.
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
        /// Came back; of a payment that had been settled, no more than the lead still held.
        amount_minor: i64,
        /// The rest of a settled payment, which the lead did not hold any more; it is recovered.
        #[serde(default, skip_serializing_if = "is_zero")]
        shortfall_minor: i64,
        /// The part of an unsettled payment that was kept back for recoveries of other grants 抵扣: those count as paid, so it
        /// is with the lead.
        #[serde(default, skip_serializing_if = "is_zero")]
        offset_minor: i64,
        /// That it goes on from there at once, because the grant has ended; absent where the tranche may be instructed again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        released: Option<Released>,
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
    /// Something was learned of a party 主体 from the directory. The first one opens its record.
    #[serde(rename = "concord.fund.v1.PartyChanged")]
    PartyChanged {
        /// The party.
        party: PartyId,
        /// What.
        change: PartyChange,
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
    /// Somebody objected to a published award 公示异议.
    #[serde(rename = "concord.fund.v1.ObjectionRaised")]
    ObjectionRaised {
        /// The grant.
        grant: GrantId,
        /// Number of the objection, from 1.
        objection: u32,
        /// On what grounds.
        grounds: String,
    },
    /// An objection was turned down 异议不成立.
    #[serde(rename = "concord.fund.v1.ObjectionRejected")]
    ObjectionRejected {
        /// The grant.
        grant: GrantId,
        /// Number of the objection.
        objection: u32,
        /// Why.
        reason: String,
    },
    /// An objection was upheld 异议成立: the grant goes back to review.
    #[serde(rename = "concord.fund.v1.ObjectionUpheld")]
    ObjectionUpheld {
        /// The grant.
        grant: GrantId,
        /// Number of the objection.
        objection: u32,
        /// Why.
        reason: String,
    },
    /// A meeting set a rule aside for this grant 特批 (A18).
    #[serde(rename = "concord.fund.v1.OverrideRecorded")]
    OverrideRecorded {
        /// The grant.
        grant: GrantId,
        /// The rule.
        rule: OverriddenRule,
        /// Minutes of the meeting.
        minutes: String,
        /// Why.
        reason: String,
    },

    /// The task contract was amended 任务书变更: another plan, other shares, or less money; what is contracted less goes back.
    #[serde(rename = "concord.fund.v1.ContractAmended")]
    ContractAmended {
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
        /// Number of the amendment, from 1.
        amendment: u32,
        /// Contracted from now on.
        amount_minor: i64,
        /// Contracted less than before; 0 where only the plan or the shares changed.
        released_minor: i64,
        /// Whether that goes to the treasury, because the programme's year is over; else it is available again.
        to_treasury: bool,
        /// The whole plan from now on.
        tranches: Vec<PlannedTranche>,
        /// All shares from now on.
        allocations: Vec<Allocation>,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// The project was given more time 延期.
    #[serde(rename = "concord.fund.v1.ProjectExtended")]
    ProjectExtended {
        /// The grant.
        grant: GrantId,
        /// Its lead.
        lead: PartyId,
        /// Last day before.
        former_ends_on: Date,
        /// Last day from now on.
        ends_on: Date,
        /// Day by which final acceptance is due from now on.
        acceptance_due_on: Date,
        /// Minutes of the meeting.
        minutes: String,
    },

    /// Matching money was pledged 配套承诺.
    #[serde(rename = "concord.fund.v1.MatchingPledged")]
    MatchingPledged {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Number of the source, from 1.
        source: u32,
        /// Kind of source.
        kind: MatchingKind,
        /// Level of the government that matches; of a government's budget only.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        level: Option<GovernmentLevel>,
        /// Whether it is public money (A15).
        is_public: bool,
        /// Who pays; absent where it is not settled, as of a loan.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payer: Option<Party>,
        /// Pledged: what the instalments add up to.
        amount_minor: i64,
        /// When it is due.
        instalments: Vec<MatchingInstalment>,
    },
    /// Matching money arrived 配套到位.
    #[serde(rename = "concord.fund.v1.MatchingArrived")]
    MatchingArrived {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Number of the source.
        source: u32,
        /// Number of the instalment.
        instalment: u32,
        /// Arrived, the whole instalment or a part.
        amount_minor: i64,
        /// Bank's reference.
        bank_reference: String,
    },
    /// A source was released from what had not arrived 配套核减.
    #[serde(rename = "concord.fund.v1.MatchingReleased")]
    MatchingReleased {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Number of the source.
        source: u32,
        /// All that had not arrived.
        amount_minor: i64,
        /// Why.
        reason: String,
        /// Minutes of the meeting.
        minutes: String,
    },

    /// The lead passed a partner's share on 转拨.
    #[serde(rename = "concord.fund.v1.ShareTransferred")]
    ShareTransferred {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// The partner.
        to: PartyId,
        /// Passed on.
        amount_minor: i64,
        /// Bank's reference, the evidence.
        bank_reference: String,
    },
    /// An item of spending was reported 支出申报. No money moves.
    #[serde(rename = "concord.fund.v1.SpendReported")]
    SpendReported {
        /// The grant.
        grant: GrantId,
        /// The programme's currency.
        currency: Currency,
        /// The item.
        spend: SpendId,
        /// Who spent it.
        party: PartyId,
        /// On what.
        category: SpendCategory,
        /// When.
        spent_on: Date,
        /// How much.
        amount_minor: i64,
        /// The invoice, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<InvoicePart>,
        /// What it was for.
        purpose: String,
    },
    /// An item of spending was accepted 支出核定.
    #[serde(rename = "concord.fund.v1.SpendAccepted")]
    SpendAccepted {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// The item.
        spend: SpendId,
        /// Who spent it.
        party: PartyId,
        /// How much: all of it.
        amount_minor: i64,
    },
    /// An item of spending was disallowed 支出审减: what had been accepted is unspent again.
    #[serde(rename = "concord.fund.v1.SpendDisallowed")]
    SpendDisallowed {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// The item.
        spend: SpendId,
        /// Who spent it.
        party: PartyId,
        /// The item's amount.
        amount_minor: i64,
        /// Whether it had been accepted; only then money moves.
        was_accepted: bool,
        /// Its invoice, which has that much to share out again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        invoice: Option<InvoicePart>,
        /// Why.
        reason: String,
    },

    /// The project was checked at midterm 中期检查.
    #[serde(rename = "concord.fund.v1.MidtermChecked")]
    MidtermChecked {
        /// The grant.
        grant: GrantId,
        /// Whether it passed; one that did not may be checked anew.
        passed: bool,
        /// Report or minutes.
        report: String,
    },
    /// The recipient reported the project complete 完成报告.
    #[serde(rename = "concord.fund.v1.CompletionReported")]
    CompletionReported {
        /// The grant.
        grant: GrantId,
        /// The report.
        report: String,
    },
    /// Final acceptance was concluded 验收.
    #[serde(rename = "concord.fund.v1.FinalAcceptanceConcluded")]
    FinalAcceptanceConcluded {
        /// The grant.
        grant: GrantId,
        /// Its lead.
        lead: PartyId,
        /// What it came to.
        #[serde(flatten)]
        outcome: AcceptanceOutcome,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// A recipient gave a balance back 结余退回.
    #[serde(rename = "concord.fund.v1.BalanceRefunded")]
    BalanceRefunded {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Who.
        party: PartyId,
        /// Where it lay: unspent or retained.
        from: Holding,
        /// Given back.
        amount_minor: i64,
        /// Bank's reference.
        bank_reference: String,
    },
    /// A recipient keeps a balance by rule 结余留用.
    #[serde(rename = "concord.fund.v1.BalanceRetained")]
    BalanceRetained {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Who.
        party: PartyId,
        /// Kept.
        amount_minor: i64,
        /// Last day on which it may be kept; absent where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Date>,
        /// Document or minutes.
        minutes: String,
    },
    /// A balance goes on in another project of the same lead and programme 结余结转.
    #[serde(rename = "concord.fund.v1.BalanceTransferred")]
    BalanceTransferred {
        /// The grant that gives it.
        grant: GrantId,
        /// The grant that takes it.
        to: GrantId,
        /// The programme of both.
        programme: ProgrammeId,
        /// Its currency.
        currency: Currency,
        /// The lead of both, who holds it.
        party: PartyId,
        /// How much.
        amount_minor: i64,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// The grant was closed 结题. What was never drawn goes back.
    #[serde(rename = "concord.fund.v1.GrantClosed")]
    GrantClosed {
        /// The grant.
        grant: GrantId,
        /// What ends with it.
        #[serde(flatten)]
        end: End,
        /// Day by which what is still unspent must be given back; absent where nothing is (A10).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund_by: Option<Date>,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// The closed grant was evaluated 绩效评价.
    #[serde(rename = "concord.fund.v1.GrantEvaluated")]
    GrantEvaluated {
        /// The grant.
        grant: GrantId,
        /// Grade.
        grade: EvaluationGrade,
        /// Hundredths of a point, 0 to 10,000.
        score_hundredths: u32,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// The grant was terminated 终止: nothing more is paid, what was never drawn goes back, and what is unspent is to be refunded.
    #[serde(rename = "concord.fund.v1.GrantTerminated")]
    GrantTerminated {
        /// The grant.
        grant: GrantId,
        /// What ends with it.
        #[serde(flatten)]
        end: End,
        /// Day by which what is still unspent must be given back.
        refund_by: Date,
        /// Why.
        reason: String,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// The grant was cancelled 撤销: what was never drawn goes back, and all that was settled is recovered.
    #[serde(rename = "concord.fund.v1.GrantCancelled")]
    GrantCancelled {
        /// The grant.
        grant: GrantId,
        /// What ends with it.
        #[serde(flatten)]
        end: End,
        /// Why.
        reason: String,
        /// Minutes of the meeting.
        minutes: String,
    },
    /// A fact of money was wrong and is reversed 更正冲销. The right fact follows as an event of its own.
    #[serde(rename = "concord.fund.v1.FactCorrected")]
    FactCorrected {
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Position of the event that is reversed.
        reverses: u64,
        /// What it said.
        fact: MoneyFact,
        /// When that had happened: its reversal counts from the same day.
        fact_on: Date,
        /// Why it was wrong.
        reason: String,
        /// Document by whose authority it is reversed 文号.
        authority: String,
    },

    /// It was determined that money is to be recovered 追缴决定.
    #[serde(rename = "concord.fund.v1.RecoveryDetermined")]
    RecoveryDetermined {
        /// The new recovery.
        recovery: RecoveryId,
        /// The grant that the money was paid for.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Why.
        cause: RecoveryCause,
        /// In all: what is taken adds up to it.
        amount_minor: i64,
        /// Where it is taken from.
        takes: Vec<Taken>,
        /// Minutes or decision.
        minutes: String,
        /// Why, in words.
        reason: String,
    },
    /// It was demanded 追缴通知.
    #[serde(rename = "concord.fund.v1.RecoveryDemanded")]
    RecoveryDemanded {
        /// The recovery.
        recovery: RecoveryId,
        /// The grant.
        grant: GrantId,
        /// Day by which it is due.
        due_on: Date,
        /// Number of the demand 文号.
        demand: String,
    },
    /// It was appealed against 申诉.
    #[serde(rename = "concord.fund.v1.RecoveryAppealed")]
    RecoveryAppealed {
        /// The recovery.
        recovery: RecoveryId,
        /// The grant.
        grant: GrantId,
        /// On what grounds.
        grounds: String,
    },
    /// The appeal was turned down: the recovery stands 维持.
    #[serde(rename = "concord.fund.v1.RecoveryUpheld")]
    RecoveryUpheld {
        /// The recovery.
        recovery: RecoveryId,
        /// The grant.
        grant: GrantId,
        /// Why.
        reason: String,
    },
    /// The appeal was allowed: the recovery is reversed 撤销追缴.
    #[serde(rename = "concord.fund.v1.RecoveryOverturned")]
    RecoveryOverturned {
        /// The recovery.
        recovery: RecoveryId,
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// What goes back to where it was taken from.
        gives_back: Vec<Taken>,
        /// Why.
        reason: String,
    },
    /// Money came in for it 追缴到账.
    #[serde(rename = "concord.fund.v1.RecoveryRepaid")]
    RecoveryRepaid {
        /// The recovery.
        recovery: RecoveryId,
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Came in.
        amount_minor: i64,
        /// Bank's reference.
        bank_reference: String,
    },
    /// It was offset against a tranche of another grant 抵扣.
    #[serde(rename = "concord.fund.v1.RecoveryOffset")]
    RecoveryOffset {
        /// The recovery.
        recovery: RecoveryId,
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Offset.
        amount_minor: i64,
        /// The grant whose tranche pays that much less in cash.
        against: GrantId,
        /// Number of the tranche.
        tranche: u32,
    },
    /// It was given up 核销.
    #[serde(rename = "concord.fund.v1.RecoveryWrittenOff")]
    RecoveryWrittenOff {
        /// The recovery.
        recovery: RecoveryId,
        /// The grant.
        grant: GrantId,
        /// Its programme.
        programme: ProgrammeId,
        /// Their currency.
        currency: Currency,
        /// Given up: all that was left.
        amount_minor: i64,
        /// Minutes of the meeting.
        minutes: String,
        /// Why.
        reason: String,
    },

    /// Somebody was charged with a finding 整改交办.
    #[serde(rename = "concord.fund.v1.RectificationAssigned")]
    RectificationAssigned {
        /// The new rectification.
        rectification: RectificationId,
        /// The finding.
        finding: FindingKey,
        /// The grant that it is about, where it is about one. Events of before may lack it, or name another than the finding's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<GrantId>,
        /// Who is charged with it: opaque id of a person or an organisation.
        owner: String,
        /// Day by which it is to be put right.
        deadline: Date,
        /// What is asked.
        task: String,
    },
    /// The owner explained it 说明.
    #[serde(rename = "concord.fund.v1.RectificationExplained")]
    RectificationExplained {
        /// The rectification.
        rectification: RectificationId,
        /// What they say.
        explanation: String,
    },
    /// It was put right 已整改.
    #[serde(rename = "concord.fund.v1.FindingRectified")]
    FindingRectified {
        /// The rectification.
        rectification: RectificationId,
        /// What proves it.
        evidence: String,
    },
    /// The explanation was accepted 说明成立.
    #[serde(rename = "concord.fund.v1.FindingAccepted")]
    FindingAccepted {
        /// The rectification.
        rectification: RectificationId,
        /// Minutes or decision.
        minutes: String,
        /// Why.
        reason: String,
        /// What the finding amounted to, as those who decided saw it; `None` where they did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Amount>,
    },
    /// The finding was dismissed: it is none 不成立.
    #[serde(rename = "concord.fund.v1.FindingDismissed")]
    FindingDismissed {
        /// The rectification.
        rectification: RectificationId,
        /// Minutes or decision.
        minutes: String,
        /// Why.
        reason: String,
        /// What the finding amounted to, as those who decided saw it; `None` where they did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Amount>,
    },
}

/// How a lead's file has a project 档案 (A04, A11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filed {
    /// The lead.
    pub lead: PartyId,
    /// The project's fingerprint.
    pub fingerprint: Fingerprint,
    /// Fund of its programme: the family within which the cooling years count.
    pub fund: String,
    /// How far the directory of parties had been taken in, by which the lead's other grants were found; absent where none was
    /// followed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<DirectoryPoint>,
}

/// What ends with a grant: closed, terminated or cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Its programme.
    pub programme: ProgrammeId,
    /// Their currency.
    pub currency: Currency,
    /// Funding mode, for the programme's sub-limits.
    pub mode: FundingMode,
    /// Lead's region, for the programme's sub-limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_region: Option<Region>,
    /// Its lead, whose file has it.
    pub lead: PartyId,
    /// Contracted and never drawn: it goes back.
    pub undrawn_minor: i64,
    /// Whether that goes to the treasury, because the programme's year is over; else it is available again.
    pub to_treasury: bool,
    /// The agreement that backed it; the grant no longer rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backing: Option<AgreementId>,
}

/// Where money goes that comes back after its grant has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// Funding mode, for the programme's sub-limits.
    pub mode: FundingMode,
    /// Lead's region, for the programme's sub-limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lead_region: Option<Region>,
    /// To the treasury, because the programme's year is over; else it is available again.
    pub to_treasury: bool,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(minor: &i64) -> bool {
    *minor == 0
}

impl FundEvent {
    /// The bank's reference 银行流水号 under which a movement of a grant's money was reported, as it was given.
    #[must_use]
    pub fn bank_reference(&self) -> Option<(GrantId, &str)> {
        match self {
            Self::TrancheSettled { grant, bank_reference, .. }
            | Self::PaymentReturned { grant, bank_reference, .. }
            | Self::MatchingArrived { grant, bank_reference, .. }
            | Self::ShareTransferred { grant, bank_reference, .. }
            | Self::BalanceRefunded { grant, bank_reference, .. }
            | Self::RecoveryRepaid { grant, bank_reference, .. } => Some((*grant, bank_reference)),
            _ => None,
        }
    }
}

impl LogEvent for FundEvent {
    fn stream(&self) -> StreamId {
        match self {
            Self::TodayAdvanced { .. } => StreamId::LOG,
            Self::ProgrammeAppropriated { programme, .. }
            | Self::ProgrammeSupplemented { programme, .. }
            | Self::ProgrammeCut { programme, .. }
            | Self::SubLimitSet { programme, .. } => programme.stream(),
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
            | Self::AwardImported { grant, .. }
            | Self::ObjectionRaised { grant, .. }
            | Self::ObjectionRejected { grant, .. }
            | Self::ObjectionUpheld { grant, .. }
            | Self::OverrideRecorded { grant, .. }
            | Self::ContractAmended { grant, .. }
            | Self::ProjectExtended { grant, .. }
            | Self::MatchingPledged { grant, .. }
            | Self::MatchingArrived { grant, .. }
            | Self::MatchingReleased { grant, .. }
            | Self::ShareTransferred { grant, .. }
            | Self::SpendReported { grant, .. }
            | Self::SpendAccepted { grant, .. }
            | Self::SpendDisallowed { grant, .. }
            | Self::MidtermChecked { grant, .. }
            | Self::CompletionReported { grant, .. }
            | Self::FinalAcceptanceConcluded { grant, .. }
            | Self::BalanceRefunded { grant, .. }
            | Self::BalanceRetained { grant, .. }
            | Self::BalanceTransferred { grant, .. }
            | Self::GrantClosed { grant, .. }
            | Self::GrantEvaluated { grant, .. }
            | Self::GrantTerminated { grant, .. }
            | Self::GrantCancelled { grant, .. }
            | Self::FactCorrected { grant, .. } => grant.stream(),
            Self::BackingChanged { agreement, .. } => BackingId::of(*agreement).stream(),
            Self::PartyChanged { party, .. } => PartyRecordId::of(*party).stream(),
            Self::RecoveryDetermined { recovery, .. }
            | Self::RecoveryDemanded { recovery, .. }
            | Self::RecoveryAppealed { recovery, .. }
            | Self::RecoveryUpheld { recovery, .. }
            | Self::RecoveryOverturned { recovery, .. }
            | Self::RecoveryRepaid { recovery, .. }
            | Self::RecoveryOffset { recovery, .. }
            | Self::RecoveryWrittenOff { recovery, .. } => recovery.stream(),
            Self::RectificationAssigned { rectification, .. }
            | Self::RectificationExplained { rectification, .. }
            | Self::FindingRectified { rectification, .. }
            | Self::FindingAccepted { rectification, .. }
            | Self::FindingDismissed { rectification, .. } => rectification.stream(),
        }
    }

    /// The programme, where its money moves between available, reserved and contracted; the record of an agreement that a
    /// grant names or no longer names; the lead's file; the grants that a recovery and a balance move money of; the parties and
    /// the organisation that a change of the directory is about beside its own.
    fn also(&self) -> Vec<StreamId> {
        let file = |lead: &PartyId| PartyFileId::of(*lead).stream();
        let record = |agreement: &AgreementId| BackingId::of(*agreement).stream();
        match self {
            Self::GrantApproved { programme, .. } => vec![programme.stream()],
            Self::PaymentReturned { programme, released: Some(_), .. } => vec![programme.stream()],
            Self::ContractAmended { programme, released_minor, .. } => {
                (*released_minor > 0).then_some(programme.stream()).into_iter().collect()
            }
            Self::AwardImported { programme, lead, .. } => vec![programme.stream(), file(&lead.party)],
            Self::ContractSigned { programme, lead, .. } => {
                std::iter::once(programme.stream()).chain(lead.as_ref().map(file)).collect()
            }
            Self::GrantAdmitted { filed, .. } => filed.iter().map(|filed| file(&filed.lead)).collect(),
            Self::ProjectExtended { lead, .. } | Self::FinalAcceptanceConcluded { lead, .. } => {
                vec![file(lead)]
            }
            Self::GrantRejected { programme, released_minor, backing, lead, .. }
            | Self::GrantWithdrawn { programme, released_minor, backing, lead, .. } => {
                let programme = (*released_minor > 0).then_some(programme.stream());
                let others = backing.as_ref().map(record).into_iter().chain(lead.as_ref().map(file));
                programme.into_iter().chain(others).collect()
            }
            Self::GrantClosed { end, .. }
            | Self::GrantTerminated { end, .. }
            | Self::GrantCancelled { end, .. } => {
                let programme = (end.undrawn_minor > 0).then_some(end.programme.stream());
                let others = end.backing.as_ref().map(record).into_iter().chain([file(&end.lead)]);
                programme.into_iter().chain(others).collect()
            }
            Self::PartyChanged { party, change, .. } => change.also(*party).into_iter().collect(),
            Self::BackingNamed { agreement, former, .. } => {
                std::iter::once(agreement).chain(former).map(record).collect()
            }
            Self::SpendReported { invoice, .. } | Self::SpendDisallowed { invoice, .. } => {
                invoice.iter().map(|part| part.id().stream()).collect()
            }
            Self::BalanceTransferred { to, .. } => vec![to.stream()],
            Self::FactCorrected { fact: MoneyFact::RecoveryRepayment { recovery, .. }, .. } => {
                vec![recovery.stream()]
            }
            Self::RecoveryDetermined { grant, .. }
            | Self::RecoveryOverturned { grant, .. }
            | Self::RecoveryRepaid { grant, .. }
            | Self::RecoveryWrittenOff { grant, .. } => vec![grant.stream()],
            Self::RecoveryOffset { grant, against, .. } => vec![grant.stream(), against.stream()],
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
            Self::PartyChanged { .. } => "concord.fund.v1.PartyChanged",
            Self::BackingNamed { .. } => "concord.fund.v1.BackingNamed",
            Self::GrantHeld { .. } => "concord.fund.v1.GrantHeld",
            Self::HoldCauseCleared { .. } => "concord.fund.v1.HoldCauseCleared",
            Self::GrantResumed { .. } => "concord.fund.v1.GrantResumed",
            Self::AwardImported { .. } => "concord.fund.v1.AwardImported",
            Self::ObjectionRaised { .. } => "concord.fund.v1.ObjectionRaised",
            Self::ObjectionRejected { .. } => "concord.fund.v1.ObjectionRejected",
            Self::ObjectionUpheld { .. } => "concord.fund.v1.ObjectionUpheld",
            Self::OverrideRecorded { .. } => "concord.fund.v1.OverrideRecorded",
            Self::ContractAmended { .. } => "concord.fund.v1.ContractAmended",
            Self::ProjectExtended { .. } => "concord.fund.v1.ProjectExtended",
            Self::MatchingPledged { .. } => "concord.fund.v1.MatchingPledged",
            Self::MatchingArrived { .. } => "concord.fund.v1.MatchingArrived",
            Self::MatchingReleased { .. } => "concord.fund.v1.MatchingReleased",
            Self::ShareTransferred { .. } => "concord.fund.v1.ShareTransferred",
            Self::SpendReported { .. } => "concord.fund.v1.SpendReported",
            Self::SpendAccepted { .. } => "concord.fund.v1.SpendAccepted",
            Self::SpendDisallowed { .. } => "concord.fund.v1.SpendDisallowed",
            Self::MidtermChecked { .. } => "concord.fund.v1.MidtermChecked",
            Self::CompletionReported { .. } => "concord.fund.v1.CompletionReported",
            Self::FinalAcceptanceConcluded { .. } => "concord.fund.v1.FinalAcceptanceConcluded",
            Self::BalanceRefunded { .. } => "concord.fund.v1.BalanceRefunded",
            Self::BalanceRetained { .. } => "concord.fund.v1.BalanceRetained",
            Self::BalanceTransferred { .. } => "concord.fund.v1.BalanceTransferred",
            Self::GrantClosed { .. } => "concord.fund.v1.GrantClosed",
            Self::GrantEvaluated { .. } => "concord.fund.v1.GrantEvaluated",
            Self::GrantTerminated { .. } => "concord.fund.v1.GrantTerminated",
            Self::GrantCancelled { .. } => "concord.fund.v1.GrantCancelled",
            Self::FactCorrected { .. } => "concord.fund.v1.FactCorrected",
            Self::RecoveryDetermined { .. } => "concord.fund.v1.RecoveryDetermined",
            Self::RecoveryDemanded { .. } => "concord.fund.v1.RecoveryDemanded",
            Self::RecoveryAppealed { .. } => "concord.fund.v1.RecoveryAppealed",
            Self::RecoveryUpheld { .. } => "concord.fund.v1.RecoveryUpheld",
            Self::RecoveryOverturned { .. } => "concord.fund.v1.RecoveryOverturned",
            Self::RecoveryRepaid { .. } => "concord.fund.v1.RecoveryRepaid",
            Self::RecoveryOffset { .. } => "concord.fund.v1.RecoveryOffset",
            Self::RecoveryWrittenOff { .. } => "concord.fund.v1.RecoveryWrittenOff",
            Self::RectificationAssigned { .. } => "concord.fund.v1.RectificationAssigned",
            Self::RectificationExplained { .. } => "concord.fund.v1.RectificationExplained",
            Self::FindingRectified { .. } => "concord.fund.v1.FindingRectified",
            Self::FindingAccepted { .. } => "concord.fund.v1.FindingAccepted",
            Self::FindingDismissed { .. } => "concord.fund.v1.FindingDismissed",
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

    fn read(document: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(document)
    }

    fn write(&self, document: &mut Vec<u8>) -> serde_json::Result<()> {
        serde_json::to_writer(document, self)
    }
}
