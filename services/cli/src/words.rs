//! The words of the command line for the protos' enums: what is typed, what people read in Chinese, what is sent.

mod life;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use concord_proto::agreement::v1::{
    self as agreement, AgreementKind, ControlKind, MeetingKind, ObligationKind, Register, RegistrationState,
    Role, TechnologyContractType,
};
use concord_proto::audit::v1::{Dimension, ExportTable};
use concord_proto::fund::v1::{BackingState, FundPurpose, HoldKind, State, TrancheCondition, TrancheState};
use concord_proto::r#type::v1::{FundingMode, PartyKind};

pub use life::*;

/// One value: its word, its Chinese, and the proto's value.
#[derive(Debug)]
pub struct Word<T>(pub &'static str, pub &'static str, pub T);

/// Funding modes 资助方式.
pub const MODES: &[Word<FundingMode>] = &[
    Word("non_repayable", "无偿资助", FundingMode::NonRepayable),
    Word("repayable", "偿还性资助", FundingMode::Repayable),
    Word("risk_compensation", "风险补偿", FundingMode::RiskCompensation),
    Word("loan_interest_subsidy", "贷款贴息", FundingMode::LoanInterestSubsidy),
    Word("post_completion", "后补助", FundingMode::PostCompletion),
    Word("transfer_fee_subsidy", "技术转让费补助", FundingMode::TransferFeeSubsidy),
];

/// Why a grant is on hold 暂停原因.
pub const HOLD_KINDS: &[Word<HoldKind>] = &[
    Word("office", "管理人员决定", HoldKind::Office),
    Word("backing_lost", "依托协议失效", HoldKind::BackingLost),
];

/// How an agreement that backs grants stands 协议效力.
pub const BACKING_STATES: &[Word<BackingState>] = &[
    Word("unsigned", "未生效", BackingState::Unsigned),
    Word("not_yet_in_force", "尚未到生效日", BackingState::NotYetInForce),
    Word("in_force", "生效", BackingState::InForce),
    Word("suspended", "中止", BackingState::Suspended),
    Word("expired", "到期", BackingState::Expired),
    Word("completed", "履行完毕", BackingState::Completed),
    Word("terminated", "终止", BackingState::Terminated),
    Word("cancelled", "撤销草案", BackingState::Cancelled),
];

/// Kinds of party 主体类别.
pub const KINDS: &[Word<PartyKind>] = &[
    Word("enterprise", "企业", PartyKind::Enterprise),
    Word("university", "高校", PartyKind::University),
    Word("institute", "科研院所", PartyKind::Institute),
    Word("government", "政府部门", PartyKind::Government),
    Word("park_committee", "园区管委会", PartyKind::ParkCommittee),
    Word("financial_institution", "金融机构", PartyKind::FinancialInstitution),
    Word("intermediary", "科技中介", PartyKind::Intermediary),
    Word("association", "行业协会·商会", PartyKind::Association),
    Word("other", "其他", PartyKind::Other),
];

/// Purposes of a fund 用途.
pub const PURPOSES: &[Word<FundPurpose>] = &[
    Word("introduction", "引进", FundPurpose::Introduction),
    Word("transformation", "转化", FundPurpose::Transformation),
    Word("pilot_test", "中试", FundPurpose::PilotTest),
    Word("general", "不分用途", FundPurpose::General),
];

/// Where a grant stands.
pub const STATES: &[Word<State>] = &[
    Word("applied", "已申报", State::Applied),
    Word("recommended", "已推荐", State::Recommended),
    Word("admitted", "已受理", State::Admitted),
    Word("reviewed", "已评审", State::Reviewed),
    Word("on_notice", "公示中", State::OnNotice),
    Word("approved", "已立项", State::Approved),
    Word("contracted", "执行中", State::Contracted),
    Word("rejected", "不予立项", State::Rejected),
    Word("withdrawn", "已撤回", State::Withdrawn),
    Word("completion_reported", "已报完成", State::CompletionReported),
    Word("rectifying", "验收整改中", State::Rectifying),
    Word("finally_accepted", "已通过验收", State::FinallyAccepted),
    Word("acceptance_failed", "未通过验收", State::AcceptanceFailed),
    Word("closed", "已结题", State::Closed),
    Word("evaluated", "已绩效评价", State::Evaluated),
    Word("terminated", "已终止", State::Terminated),
    Word("cancelled", "已撤销", State::Cancelled),
];

/// Where a tranche stands.
pub const TRANCHE_STATES: &[Word<TrancheState>] = &[
    Word("planned", "计划", TrancheState::Planned),
    Word("requested", "已申请", TrancheState::Requested),
    Word("authorised", "已审批", TrancheState::Authorised),
    Word("instructed", "支付中", TrancheState::Instructed),
    Word("settled", "已到账", TrancheState::Settled),
    Word("payment_returned", "已退汇", TrancheState::PaymentReturned),
];

/// What must hold before a tranche can be asked for 拨款条件.
pub const CONDITIONS: &[Word<TrancheCondition>] = &[
    Word("contract", "任务书已签订", TrancheCondition::Contract),
    Word("midterm", "中期检查", TrancheCondition::Midterm),
    Word("final_acceptance", "验收", TrancheCondition::FinalAcceptance),
    Word("verified_claim", "核验", TrancheCondition::VerifiedClaim),
];

/// Kinds of agreement 协议类别.
pub const AGREEMENT_KINDS: &[Word<AgreementKind>] = &[
    Word("framework", "省院校战略合作框架协议", AgreementKind::Framework),
    Word("city_or_county", "市县长期合作协议", AgreementKind::CityOrCounty),
    Word("long_term", "长期合作协议", AgreementKind::LongTerm),
    Word("co_built_facility", "共建研发机构", AgreementKind::CoBuiltFacility),
    Word("joint_research", "联合攻关", AgreementKind::JointResearch),
    Word("national_project", "联合承担国家项目", AgreementKind::NationalProject),
    Word("talent_training", "人才培养", AgreementKind::TalentTraining),
    Word("technology_contract", "技术合同", AgreementKind::TechnologyContract),
];

/// How an agreement stands.
pub const AGREEMENT_STATES: &[Word<agreement::State>] = &[
    Word("absent", "尚未起草", agreement::State::Absent),
    Word("drafted", "已起草", agreement::State::Drafted),
    Word("partially_signed", "部分签署", agreement::State::PartiallySigned),
    Word("not_begun", "未生效", agreement::State::NotBegun),
    Word("in_force", "有效", agreement::State::InForce),
    Word("suspended", "中止", agreement::State::Suspended),
    Word("completed", "已履行完毕", agreement::State::Completed),
    Word("expired", "已到期", agreement::State::Expired),
    Word("terminated", "已终止", agreement::State::Terminated),
    Word("draft_cancelled", "草案已撤销", agreement::State::DraftCancelled),
];

/// What a party is in an agreement 合同角色.
pub const ROLES: &[Word<Role>] = &[
    Word("participant", "合作方", Role::Participant),
    Word("seller", "卖方", Role::Seller),
    Word("buyer", "买方", Role::Buyer),
];

/// What a technology contract is about 技术合同类别.
pub const TECHNOLOGIES: &[Word<TechnologyContractType>] = &[
    Word("development", "技术开发", TechnologyContractType::Development),
    Word("transfer", "技术转让", TechnologyContractType::Transfer),
    Word("licence", "技术许可", TechnologyContractType::Licence),
    Word("consulting", "技术咨询", TechnologyContractType::Consulting),
    Word("service", "技术服务", TechnologyContractType::Service),
];

/// Whether something is owed, or to be reached.
pub const OBLIGATION_KINDS: &[Word<ObligationKind>] = &[
    Word("obligation", "义务", ObligationKind::Obligation),
    Word("milestone", "节点", ObligationKind::Milestone),
];

/// What brought parties together.
pub const MEETING_KINDS: &[Word<MeetingKind>] =
    &[Word("consultation", "会商", MeetingKind::Consultation), Word("visit", "互访", MeetingKind::Visit)];

/// Where a registration stands.
pub const REGISTRATION_STATES: &[Word<RegistrationState>] = &[
    Word("submitted", "已提交", RegistrationState::Submitted),
    Word("registered", "已登记", RegistrationState::Registered),
    Word("refused", "不予登记", RegistrationState::Refused),
    Word("revoked", "已撤销", RegistrationState::Revoked),
];

/// Registers of enterprises.
pub const REGISTERS: &[Word<Register>] = &[
    Word("key_enterprise", "重点企业", Register::KeyEnterprise),
    Word("innovative_enterprise", "创新型企业", Register::InnovativeEnterprise),
];

/// How one party controls another 控制关系.
pub const CONTROLS: &[Word<ControlKind>] = &[
    Word("equity", "股权控制", ControlKind::Equity),
    Word("contract", "协议控制", ControlKind::Contract),
    Word("management", "人员控制", ControlKind::Management),
];

/// Dimensions to group by 分组.
pub const DIMENSIONS: &[Word<Dimension>] = &[
    Word("programme", "年度计划", Dimension::Programme),
    Word("mode", "资助方式", Dimension::Mode),
    Word("lead_region", "牵头单位地区", Dimension::LeadRegion),
    Word("party_region", "分配单位地区", Dimension::PartyRegion),
    Word("industry", "产业", Dimension::Industry),
    Word("year", "年度", Dimension::Year),
    Word("period", "会计期间", Dimension::Period),
    Word("grant", "项目", Dimension::Grant),
    Word("party", "单位", Dimension::Party),
];

/// Tables that can be exported 导出.
pub const TABLES: &[Word<ExportTable>] = &[
    Word("postings", "分录", ExportTable::Postings),
    Word("balances", "余额", ExportTable::Balances),
    Word("undrawn", "未拨付", ExportTable::Undrawn),
    Word("overdue", "逾期", ExportTable::Overdue),
    Word("matching", "配套", ExportTable::Matching),
    Word("shares", "分配额度", ExportTable::Shares),
    Word("receivables", "追缴", ExportTable::Receivables),
];

/// Finds the value of a word.
#[must_use]
pub fn value<T: Copy>(words: &[Word<T>], word: &str) -> Option<T> {
    words.iter().find(|candidate| candidate.0 == word).map(|found| found.2)
}

/// The words that may be used, for an error message.
#[must_use]
pub fn list<T>(words: &[Word<T>]) -> String {
    words.iter().map(|word| word.0).collect::<Vec<_>>().join(", ")
}

/// The word for a value as it came over the wire; "unspecified" for one that this version does not know.
#[must_use]
pub fn word<T: Copy + Into<i32>>(words: &[Word<T>], wire: i32) -> &'static str {
    words.iter().find(|candidate| candidate.2.into() == wire).map_or("unspecified", |found| found.0)
}

/// Word and Chinese together, for a table.
#[must_use]
pub fn both<T: Copy + Into<i32>>(words: &[Word<T>], wire: i32) -> String {
    words
        .iter()
        .find(|candidate| candidate.2.into() == wire)
        .map_or_else(String::new, |found| format!("{} {}", found.0, found.1))
}

/// A parser for clap that lists the words in the help text.
pub fn parser<T>(words: &'static [Word<T>]) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    let possible = words.iter().map(|word| PossibleValue::new(word.0).help(word.1));
    PossibleValuesParser::new(possible).try_map(|typed: String| value(words, &typed).ok_or("unknown word"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Every value of an enum, the unspecified one aside, has a word of its own, and Chinese beside it.
    fn complete<T: Copy + Into<i32> + TryFrom<i32>>(words: &[Word<T>]) {
        let spoken: BTreeSet<i32> = words.iter().map(|word| word.2.into()).collect();
        let known: BTreeSet<i32> = (1..100).filter(|wire| T::try_from(*wire).is_ok()).collect();
        assert_eq!(spoken, known, "of {}", std::any::type_name::<T>());
        let said: BTreeSet<&str> = words.iter().map(|word| word.0).collect();
        assert_eq!(said.len(), words.len(), "two have one word, of {}", std::any::type_name::<T>());
        assert!(words.iter().all(|word| !word.1.is_ascii()), "of {}", std::any::type_name::<T>());
    }

    #[test]
    fn every_value_has_a_word() {
        complete(STATES);
        complete(TRANCHE_STATES);
        complete(MATCHING_KINDS);
        complete(LEVELS);
        complete(SPEND_CATEGORIES);
        complete(SPEND_STATES);
        complete(OUTCOMES);
        complete(FAILURES);
        complete(GRADES);
        complete(BALANCE_SOURCES);
        complete(CANCELLATIONS);
        complete(RECOVERY_CAUSES);
        complete(TAKEN_FROM);
        complete(RECOVERY_STATES);
        complete(RECTIFICATION_STATES);
        complete(OBJECTION_STATES);
        complete(OVERRIDDEN_RULES);
        complete(MONEY_FACTS);
        complete(FINDING_DIMENSIONS);
    }

    #[test]
    fn a_word_and_its_wire_value_lead_to_each_other() {
        for mode in MODES {
            assert_eq!(value(MODES, mode.0), Some(mode.2));
            assert_eq!(word(MODES, mode.2.into()), mode.0);
        }
        assert_eq!(word(STATES, 99), "unspecified");
    }
}
