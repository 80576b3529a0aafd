//! Events of the `agreement` log: agreements 协议, and the directory of parties 主体 that they are between.
//!
//! Whatever changes whether an agreement is in force says the result itself ([`AgreementEvent`], `in_force` and
//! `out_of_force_from`), so that whoever follows the log needs to fold nothing. In force lasts from a first day to a
//! last one and ends with the calendar, without an event. Signatories are opaque ids; who acted, when it was recorded and
//! when it happened stand in the CloudEvents attributes beside the data.

use crate::{
    document::Document,
    party::{CodeCertificate, Party},
};
use concord_kernel::{
    Date,
    event::{LogEvent, StreamId},
    id::{AgreementId, OrganisationId, PersonId},
    industry::Industry,
    money::Currency,
    party::{PartyCode, PartyCodeId, PartyId, PartyKind},
    region::Region,
    rulebook::AgreementField,
};
use serde::{Deserialize, Serialize};

/// The eight kinds of agreement (domain.md section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementKind {
    /// 省院校战略合作框架协议.
    Framework,
    /// 市县长期合作协议.
    CityOrCounty,
    /// 长期合作协议.
    LongTerm,
    /// 共建研发机构.
    CoBuiltFacility,
    /// 联合攻关.
    JointResearch,
    /// 联合承担国家项目.
    NationalProject,
    /// 人才培养.
    TalentTraining,
    /// 技术合同.
    TechnologyContract,
}

impl AgreementKind {
    /// All kinds, in the order of domain.md section 3.
    pub const ALL: [Self; 8] = [
        Self::Framework,
        Self::CityOrCounty,
        Self::LongTerm,
        Self::CoBuiltFacility,
        Self::JointResearch,
        Self::NationalProject,
        Self::TalentTraining,
        Self::TechnologyContract,
    ];

    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Framework => "framework",
            Self::CityOrCounty => "city_or_county",
            Self::LongTerm => "long_term",
            Self::CoBuiltFacility => "co_built_facility",
            Self::JointResearch => "joint_research",
            Self::NationalProject => "national_project",
            Self::TalentTraining => "talent_training",
            Self::TechnologyContract => "technology_contract",
        }
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::Framework => "省院校战略合作框架协议",
            Self::CityOrCounty => "市县长期合作协议",
            Self::LongTerm => "长期合作协议",
            Self::CoBuiltFacility => "共建研发机构",
            Self::JointResearch => "联合攻关",
            Self::NationalProject => "联合承担国家项目",
            Self::TalentTraining => "人才培养",
            Self::TechnologyContract => "技术合同",
        }
    }
}

/// What a party is in an agreement 合同角色.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 合作方; in a technology contract somebody beside seller and buyer.
    Participant,
    /// 卖方 of a technology contract.
    Seller,
    /// 买方 of a technology contract.
    Buyer,
}

/// A party of an agreement, as the directory knew it on that day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Who.
    pub party: Party,
    /// As what.
    pub role: Role,
}

/// Days from a first to a last one, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// First day.
    pub from: Date,
    /// Last day.
    pub until: Date,
}

impl Term {
    /// Whether the day lies in it.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.from <= day && day <= self.until
    }
}

/// What a technology contract is about 技术合同类别.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TechnologyContractType {
    /// 技术开发.
    Development,
    /// 技术转让.
    Transfer,
    /// 技术许可.
    Licence,
    /// 技术咨询.
    Consulting,
    /// 技术服务.
    Service,
}

/// What an agreement is worth 成交额.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// Minor units (fen 分 for CNY).
    pub amount_minor: i64,
    /// What they are units of.
    pub currency: Currency,
}

/// Whether something is owed, or reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObligationKind {
    /// 义务.
    Obligation,
    /// 节点.
    Milestone,
}

/// Something that a party has to do 义务, or that is to be reached 节点, by a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Obligation {
    /// Number in the agreement, from 1; it keeps it through amendments.
    pub number: u32,
    /// Which of the two.
    pub kind: ObligationKind,
    /// The party that owes it, by the code under which the agreement names it.
    pub party: PartyCode,
    /// What.
    pub text: String,
    /// Last day for it.
    pub due_on: Date,
}

/// What an amendment changes; what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// The title from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The last day of the running term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub term_end: Option<Date>,
    /// The value from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// All obligations and milestones as they stand from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obligations: Option<Vec<Obligation>>,
}

/// What brought the parties together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MeetingKind {
    /// 会商.
    Consultation,
    /// 互访.
    Visit,
}

/// What a meeting left to be done 待办事项. Open until it is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionItem {
    /// Number in the minutes, from 1.
    pub number: u32,
    /// The party that is to do it, by the code under which the agreement names it.
    pub party: PartyCode,
    /// What.
    pub text: String,
    /// Last day for it.
    pub due_on: Date,
}

/// A register that enterprises are on (domain.md section 1, party).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Register {
    /// 重点企业.
    KeyEnterprise,
    /// 创新型企业.
    InnovativeEnterprise,
}

impl Register {
    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::KeyEnterprise => "key_enterprise",
            Self::InnovativeEnterprise => "innovative_enterprise",
        }
    }

    /// Chinese name.
    #[must_use]
    pub fn label_zh(self) -> &'static str {
        match self {
            Self::KeyEnterprise => "重点企业",
            Self::InnovativeEnterprise => "创新型企业",
        }
    }
}

/// How one party controls another (rules A05 and A19).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// By its shares 股权控制.
    Equity,
    /// By a contract 协议控制.
    Contract,
    /// By the people who run both 人员控制.
    Management,
}

impl ControlKind {
    /// Stable code, as in the stored JSON.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Equity => "equity",
            Self::Contract => "contract",
            Self::Management => "management",
        }
    }
}

/// An event of the `agreement` log. Past tense, and sufficient by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum AgreementEvent {
    /// The played clock's today moved forward (architecture, "Two clocks"). In the stream of the log itself.
    #[serde(rename = "concord.agreement.v1.TodayAdvanced")]
    TodayAdvanced {
        /// The new today.
        today: Date,
    },

    /// An agreement was drafted 起草.
    #[serde(rename = "concord.agreement.v1.AgreementDrafted")]
    AgreementDrafted {
        /// The new agreement.
        agreement: AgreementId,
        /// Its kind, for good.
        kind: AgreementKind,
        /// Title.
        title: String,
        /// All parties, in the order of the draft.
        parties: Vec<Participant>,
        /// The term as agreed. It is in force only once all have signed, too.
        term: Term,
        /// Framework or city agreement that it comes under.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<AgreementId>,
        /// Number of the outside project 国家项目编号, of a national project.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        project_number: Option<String>,
        /// What a technology contract is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        technology: Option<TechnologyContractType>,
        /// What it is worth; always there in a technology contract.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Value>,
        /// Obligations and milestones.
        obligations: Vec<Obligation>,
        /// The text, by reference.
        documents: Vec<Document>,
        /// True where facts were made up for a demonstration 模拟数据.
        #[serde(default)]
        synthetic: bool,
    },
    /// The draft was called off before all had signed.
    #[serde(rename = "concord.agreement.v1.DraftCancelled")]
    DraftCancelled {
        /// The agreement.
        agreement: AgreementId,
        /// Why.
        reason: String,
    },
    /// A party signed 签署.
    #[serde(rename = "concord.agreement.v1.AgreementSigned")]
    AgreementSigned {
        /// The agreement.
        agreement: AgreementId,
        /// Who signed.
        party: PartyId,
        /// The person who signed for it, by opaque id.
        signatory: PersonId,
        /// Number of the document 文号 that authorises the signatory.
        authority: String,
        /// When.
        signed_on: Date,
        /// First and last day in force, where this was the last signature missing; the first may lie ahead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_force: Option<Term>,
    },
    /// It was suspended 中止: out of force until it is resumed.
    #[serde(rename = "concord.agreement.v1.AgreementSuspended")]
    AgreementSuspended {
        /// The agreement.
        agreement: AgreementId,
        /// Why.
        cause: String,
        /// Document 文号 that orders it.
        authority: String,
        /// First day out of force.
        out_of_force_from: Date,
    },
    /// It was resumed 恢复.
    #[serde(rename = "concord.agreement.v1.AgreementResumed")]
    AgreementResumed {
        /// The agreement.
        agreement: AgreementId,
        /// Document 文号 that orders it.
        authority: String,
        /// First and last day in force again.
        in_force: Term,
    },
    /// It was renewed 续签: a further term.
    #[serde(rename = "concord.agreement.v1.AgreementRenewed")]
    AgreementRenewed {
        /// The agreement.
        agreement: AgreementId,
        /// The term added, as agreed. It follows the last one, at once or after a gap.
        term: Term,
        /// Document 文号 of the renewal.
        authority: String,
        /// The renewal's text, by reference.
        documents: Vec<Document>,
        /// First and last day in force from now on. Renewed before its end it goes on as it was; renewed afterwards it
        /// is in force from the later of the renewal and the new term's first day. Absent while it is suspended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_force: Option<Term>,
    },
    /// It was completed 履行完毕.
    #[serde(rename = "concord.agreement.v1.AgreementCompleted")]
    AgreementCompleted {
        /// The agreement.
        agreement: AgreementId,
        /// The day after the completion.
        out_of_force_from: Date,
        /// What proves it, by reference.
        documents: Vec<Document>,
    },
    /// It was terminated 终止 before its end. While that lies ahead, another of these may follow, from an earlier day.
    #[serde(rename = "concord.agreement.v1.AgreementTerminated")]
    AgreementTerminated {
        /// The agreement.
        agreement: AgreementId,
        /// Why.
        reason: String,
        /// Document 文号 of the termination.
        authority: String,
        /// First day out of force; it may lie ahead.
        out_of_force_from: Date,
    },

    /// An amendment 变更 was proposed that needs every signature again.
    #[serde(rename = "concord.agreement.v1.AmendmentProposed")]
    AmendmentProposed {
        /// The agreement.
        agreement: AgreementId,
        /// Number of the version that it would be; a number is never given twice.
        version: u32,
        /// What it changes.
        changes: Changes,
        /// The material fields among them, by the rulebook of the day.
        material: Vec<AgreementField>,
        /// Its text, by reference.
        documents: Vec<Document>,
    },
    /// A party signed an amendment.
    #[serde(rename = "concord.agreement.v1.AmendmentSigned")]
    AmendmentSigned {
        /// The agreement.
        agreement: AgreementId,
        /// The version signed.
        version: u32,
        /// Who signed.
        party: PartyId,
        /// The person who signed for it, by opaque id.
        signatory: PersonId,
        /// Number of the document 文号 that authorises the signatory.
        authority: String,
        /// When.
        signed_on: Date,
    },
    /// An amendment was given up 撤销变更 before all had signed.
    #[serde(rename = "concord.agreement.v1.AmendmentAbandoned")]
    AmendmentAbandoned {
        /// The agreement.
        agreement: AgreementId,
        /// The version that it would have been.
        version: u32,
        /// Why.
        reason: String,
    },
    /// There is a further version: at once where nothing material changed, else with the last signature.
    #[serde(rename = "concord.agreement.v1.AgreementAmended")]
    AgreementAmended {
        /// The agreement.
        agreement: AgreementId,
        /// The version.
        version: u32,
        /// First day on which it holds: the latest of its signatures, or the day of an amendment without signatures.
        from: Date,
        /// What it changed.
        changes: Changes,
        /// Document 文号 of an amendment without signatures; a signed one has its authority with each signature.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        authority: Option<String>,
        /// Its text, by reference.
        documents: Vec<Document>,
        /// First and last day in force as it is now; absent while it is suspended.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        in_force: Option<Term>,
    },

    /// A party that was merged is succeeded 承继: its successor stands for it from now on.
    #[serde(rename = "concord.agreement.v1.PartySucceeded")]
    PartySucceeded {
        /// The agreement.
        agreement: AgreementId,
        /// Party until now.
        party: PartyId,
        /// Party from now on.
        successor: Party,
        /// Whether the successor was a party before, so that there is one party less.
        merged_in: bool,
        /// Document 文号 of the succession.
        authority: String,
    },

    /// An obligation was fulfilled, or a milestone reached.
    #[serde(rename = "concord.agreement.v1.ObligationFulfilled")]
    ObligationFulfilled {
        /// The agreement.
        agreement: AgreementId,
        /// Its number in the agreement.
        obligation: u32,
        /// What proves it, by reference.
        evidence: Vec<Document>,
    },
    /// A consultation 会商 or visit 互访 was minuted.
    #[serde(rename = "concord.agreement.v1.MeetingMinuted")]
    MeetingMinuted {
        /// The agreement.
        agreement: AgreementId,
        /// Number of the meeting, from 1.
        meeting: u32,
        /// Which of the two.
        kind: MeetingKind,
        /// Parties that took part.
        parties: Vec<PartyCode>,
        /// The minutes, by reference.
        minutes: Document,
        /// What is to be done.
        action_items: Vec<ActionItem>,
    },
    /// An action item was done.
    #[serde(rename = "concord.agreement.v1.ActionItemClosed")]
    ActionItemClosed {
        /// The agreement.
        agreement: AgreementId,
        /// Number of the meeting.
        meeting: u32,
        /// Number of the item in its minutes.
        item: u32,
        /// What proves it, by reference.
        evidence: Vec<Document>,
    },

    /// A technology contract was submitted for registration 提交认定登记.
    #[serde(rename = "concord.agreement.v1.RegistrationSubmitted")]
    RegistrationSubmitted {
        /// The agreement.
        agreement: AgreementId,
        /// Registration authority 登记机构.
        registrar: String,
    },
    /// It was registered 认定登记.
    #[serde(rename = "concord.agreement.v1.ContractRegistered")]
    ContractRegistered {
        /// The agreement.
        agreement: AgreementId,
        /// Registration authority.
        registrar: String,
        /// Number of the registration 登记编号.
        number: String,
        /// Class 登记类别, as the measures of that day have it.
        class: String,
        /// Verified technology income 核定技术性收入, at most the value.
        technology_income: Value,
    },
    /// Its registration was refused 不予登记. It may be submitted again.
    #[serde(rename = "concord.agreement.v1.RegistrationRefused")]
    RegistrationRefused {
        /// The agreement.
        agreement: AgreementId,
        /// Registration authority.
        registrar: String,
        /// Why.
        reason: String,
    },
    /// Its registration was revoked 撤销登记, for good.
    #[serde(rename = "concord.agreement.v1.RegistrationRevoked")]
    RegistrationRevoked {
        /// The agreement.
        agreement: AgreementId,
        /// Registration authority.
        registrar: String,
        /// Number of the registration that was revoked.
        number: String,
        /// Why.
        reason: String,
        /// Document 文号 of the revocation.
        authority: String,
    },

    /// A legal person was recorded in the directory 主体登记.
    #[serde(rename = "concord.agreement.v1.PartyRecorded")]
    PartyRecorded {
        /// The new party.
        party: PartyId,
        /// First code known of it.
        code: PartyCode,
        /// Kind of party.
        kind: PartyKind,
        /// Name of the organisation, from that day.
        name: String,
        /// Region, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<Region>,
        /// Industry, where one applies.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        industry: Option<Industry>,
        /// The certificate that has the code, where it fails its check.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<CodeCertificate>,
    },
    /// A further code of it became known 增加代码.
    #[serde(rename = "concord.agreement.v1.PartyCodeAdded")]
    PartyCodeAdded {
        /// The party.
        party: PartyId,
        /// The code; it names the party for good.
        code: PartyCode,
        /// First day on which it was the party's.
        from: Date,
        /// The certificate that has the code, where it fails its check.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        certificate: Option<CodeCertificate>,
    },
    /// It has another name 更名.
    #[serde(rename = "concord.agreement.v1.PartyRenamed")]
    PartyRenamed {
        /// The party.
        party: PartyId,
        /// The name.
        name: String,
        /// First day of the name.
        from: Date,
    },
    /// It became another kind of legal person 转制.
    #[serde(rename = "concord.agreement.v1.PartyReclassified")]
    PartyReclassified {
        /// The party.
        party: PartyId,
        /// The kind.
        kind: PartyKind,
        /// First day of the kind.
        from: Date,
    },
    /// It moved 迁址.
    #[serde(rename = "concord.agreement.v1.PartyRelocated")]
    PartyRelocated {
        /// The party.
        party: PartyId,
        /// The region.
        region: Region,
        /// First day there.
        from: Date,
    },
    /// An enterprise came on a register 入库.
    #[serde(rename = "concord.agreement.v1.RegisterEntered")]
    RegisterEntered {
        /// The party.
        party: PartyId,
        /// The register.
        register: Register,
        /// First day on it.
        from: Date,
    },
    /// An enterprise left a register 出库.
    #[serde(rename = "concord.agreement.v1.RegisterLeft")]
    RegisterLeft {
        /// The party.
        party: PartyId,
        /// The register.
        register: Register,
        /// First day no longer on it.
        from: Date,
    },
    /// Another party controls it 控制关系.
    #[serde(rename = "concord.agreement.v1.ControlLinkRecorded")]
    ControlLinkRecorded {
        /// The controlled party.
        party: PartyId,
        /// The controlling party.
        controller: PartyId,
        /// How.
        kind: ControlKind,
        /// First day of the control.
        from: Date,
    },
    /// The control ended.
    #[serde(rename = "concord.agreement.v1.ControlLinkEnded")]
    ControlLinkEnded {
        /// The party that was controlled.
        party: PartyId,
        /// The party that controlled it.
        controller: PartyId,
        /// How.
        kind: ControlKind,
        /// First day without it.
        from: Date,
    },
    /// An organisation stands for it 代表登记: who acts in that organisation's name acts for this party.
    #[serde(rename = "concord.agreement.v1.RepresentationRecorded")]
    RepresentationRecorded {
        /// The party.
        party: PartyId,
        /// The organisation, as the identity system names it.
        organisation: OrganisationId,
        /// Document 文号 that authorises it.
        authority: String,
        /// First day.
        from: Date,
    },
    /// The organisation no longer stands for it 代表终止.
    #[serde(rename = "concord.agreement.v1.RepresentationEnded")]
    RepresentationEnded {
        /// The party.
        party: PartyId,
        /// The organisation.
        organisation: OrganisationId,
        /// First day on which it no longer did.
        from: Date,
    },
    /// It was merged into another party 合并. It is counted no more; its agreements are succeeded one by one.
    #[serde(rename = "concord.agreement.v1.PartyMerged")]
    PartyMerged {
        /// The party that is no more.
        party: PartyId,
        /// The party that it was merged into.
        into: PartyId,
        /// First day of the merger.
        from: Date,
    },
    /// It was dissolved 注销.
    #[serde(rename = "concord.agreement.v1.PartyDissolved")]
    PartyDissolved {
        /// The party.
        party: PartyId,
        /// First day on which it was no more.
        from: Date,
    },
}

impl LogEvent for AgreementEvent {
    fn stream(&self) -> StreamId {
        match self {
            Self::TodayAdvanced { .. } => StreamId::LOG,
            Self::AgreementDrafted { agreement, .. }
            | Self::DraftCancelled { agreement, .. }
            | Self::AgreementSigned { agreement, .. }
            | Self::AgreementSuspended { agreement, .. }
            | Self::AgreementResumed { agreement, .. }
            | Self::AgreementRenewed { agreement, .. }
            | Self::AgreementCompleted { agreement, .. }
            | Self::AgreementTerminated { agreement, .. }
            | Self::AmendmentProposed { agreement, .. }
            | Self::AmendmentSigned { agreement, .. }
            | Self::AmendmentAbandoned { agreement, .. }
            | Self::AgreementAmended { agreement, .. }
            | Self::PartySucceeded { agreement, .. }
            | Self::ObligationFulfilled { agreement, .. }
            | Self::MeetingMinuted { agreement, .. }
            | Self::ActionItemClosed { agreement, .. }
            | Self::RegistrationSubmitted { agreement, .. }
            | Self::ContractRegistered { agreement, .. }
            | Self::RegistrationRefused { agreement, .. }
            | Self::RegistrationRevoked { agreement, .. } => agreement.stream(),
            Self::PartyRecorded { party, .. }
            | Self::PartyCodeAdded { party, .. }
            | Self::PartyRenamed { party, .. }
            | Self::PartyReclassified { party, .. }
            | Self::PartyRelocated { party, .. }
            | Self::RegisterEntered { party, .. }
            | Self::RegisterLeft { party, .. }
            | Self::ControlLinkRecorded { party, .. }
            | Self::ControlLinkEnded { party, .. }
            | Self::RepresentationRecorded { party, .. }
            | Self::RepresentationEnded { party, .. }
            | Self::PartyMerged { party, .. }
            | Self::PartyDissolved { party, .. } => party.stream(),
        }
    }

    /// The code, where it becomes a party's; and the party that another is merged into.
    fn also(&self) -> Vec<StreamId> {
        match self {
            Self::PartyRecorded { code, .. } | Self::PartyCodeAdded { code, .. } => {
                vec![PartyCodeId::of(code).stream()]
            }
            Self::PartyMerged { into, .. } => vec![into.stream()],
            _ => Vec::new(),
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::TodayAdvanced { .. } => "concord.agreement.v1.TodayAdvanced",
            Self::AgreementDrafted { .. } => "concord.agreement.v1.AgreementDrafted",
            Self::DraftCancelled { .. } => "concord.agreement.v1.DraftCancelled",
            Self::AgreementSigned { .. } => "concord.agreement.v1.AgreementSigned",
            Self::AgreementSuspended { .. } => "concord.agreement.v1.AgreementSuspended",
            Self::AgreementResumed { .. } => "concord.agreement.v1.AgreementResumed",
            Self::AgreementRenewed { .. } => "concord.agreement.v1.AgreementRenewed",
            Self::AgreementCompleted { .. } => "concord.agreement.v1.AgreementCompleted",
            Self::AgreementTerminated { .. } => "concord.agreement.v1.AgreementTerminated",
            Self::AmendmentProposed { .. } => "concord.agreement.v1.AmendmentProposed",
            Self::AmendmentSigned { .. } => "concord.agreement.v1.AmendmentSigned",
            Self::AmendmentAbandoned { .. } => "concord.agreement.v1.AmendmentAbandoned",
            Self::AgreementAmended { .. } => "concord.agreement.v1.AgreementAmended",
            Self::PartySucceeded { .. } => "concord.agreement.v1.PartySucceeded",
            Self::ObligationFulfilled { .. } => "concord.agreement.v1.ObligationFulfilled",
            Self::MeetingMinuted { .. } => "concord.agreement.v1.MeetingMinuted",
            Self::ActionItemClosed { .. } => "concord.agreement.v1.ActionItemClosed",
            Self::RegistrationSubmitted { .. } => "concord.agreement.v1.RegistrationSubmitted",
            Self::ContractRegistered { .. } => "concord.agreement.v1.ContractRegistered",
            Self::RegistrationRefused { .. } => "concord.agreement.v1.RegistrationRefused",
            Self::RegistrationRevoked { .. } => "concord.agreement.v1.RegistrationRevoked",
            Self::PartyRecorded { .. } => "concord.agreement.v1.PartyRecorded",
            Self::PartyCodeAdded { .. } => "concord.agreement.v1.PartyCodeAdded",
            Self::PartyRenamed { .. } => "concord.agreement.v1.PartyRenamed",
            Self::PartyReclassified { .. } => "concord.agreement.v1.PartyReclassified",
            Self::PartyRelocated { .. } => "concord.agreement.v1.PartyRelocated",
            Self::RegisterEntered { .. } => "concord.agreement.v1.RegisterEntered",
            Self::RegisterLeft { .. } => "concord.agreement.v1.RegisterLeft",
            Self::ControlLinkRecorded { .. } => "concord.agreement.v1.ControlLinkRecorded",
            Self::ControlLinkEnded { .. } => "concord.agreement.v1.ControlLinkEnded",
            Self::RepresentationRecorded { .. } => "concord.agreement.v1.RepresentationRecorded",
            Self::RepresentationEnded { .. } => "concord.agreement.v1.RepresentationEnded",
            Self::PartyMerged { .. } => "concord.agreement.v1.PartyMerged",
            Self::PartyDissolved { .. } => "concord.agreement.v1.PartyDissolved",
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
