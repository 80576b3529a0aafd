//! The arguments of `concord agreement`.

use clap::{Args, Subcommand};
use concord_proto::agreement::v1::{
    ActionItem, AgreementKind, MeetingKind, Obligation, Role, TechnologyContractType,
};
use concord_proto::r#type::v1::Money;
use jiff::civil::Date;
use uuid::Uuid;

use super::typed::{DocumentArg, parse_action_item, parse_document, parse_obligation, parse_party};
use crate::header::HeaderArgs;
use crate::output::parse_money;
use crate::words::{self, AGREEMENT_KINDS, MEETING_KINDS, TECHNOLOGIES};

/// What to do with an agreement. Where a document must order it, --authority names that.
#[derive(Debug, Subcommand)]
pub enum AgreementCommand {
    /// Show an agreement as it stands on a day 查看
    Show {
        /// The agreement 协议
        agreement: Uuid,
        /// The day; default the log's today 日期
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        /// Wait until the log has reached this position 等待至该位置
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        min_position: u64,
    },
    /// Which version was in force on a day, signed by whom, under what authority 有效版本
    Version {
        /// The agreement 协议
        agreement: Uuid,
        /// The day 日期
        #[arg(long, value_name = "DATE")]
        on: Date,
        /// Wait until the log has reached this position 等待至该位置
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        min_position: u64,
    },
    /// Draft an agreement 起草
    Draft(Box<DraftArgs>),
    /// Sign it for one party 签署
    Sign {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// The party, by any of its codes 主体代码
        #[arg(long, value_name = "CODE")]
        party: String,
        /// Who signs, by opaque id 签署人
        #[arg(long, value_name = "PERSON")]
        signatory: String,
    },
    /// Call the draft off before all have signed 撤销草案
    CancelDraft {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Suspend it from the day of the act 中止
    Suspend {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        cause: String,
    },
    /// Resume it from the day of the act 恢复
    Resume {
        /// The agreement.
        #[command(flatten)]
        target: Target,
    },
    /// Renew it by a further term 续签
    Renew {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// First day of the new term 起始日
        #[arg(long, value_name = "DATE")]
        from: Date,
        /// Last day of the new term 截止日
        #[arg(long, value_name = "DATE")]
        until: Date,
        /// The renewal's text, FILE or FILE=ARCHIVE_NUMBER 续签文本
        #[arg(long = "document", value_name = "FILE", value_parser = parse_document)]
        documents: Vec<DocumentArg>,
    },
    /// Record that all was done; the day of the act is the last in force 履行完毕
    Complete {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// What proves it, FILE or FILE=ARCHIVE_NUMBER 证明材料
        #[arg(long = "document", value_name = "FILE", value_parser = parse_document)]
        documents: Vec<DocumentArg>,
    },
    /// Terminate it before its end 终止
    Terminate {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
        /// First day out of force 失效日期
        #[arg(long, value_name = "DATE")]
        out_of_force_from: Date,
    },
    /// Amendments: proposed, signed, abandoned 变更
    #[command(subcommand)]
    Amend(AmendCommand),
    /// Let a merged party's successor take its place 主体承继
    Succeed {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// The party that was merged, by any of its codes 被合并主体
        #[arg(long, value_name = "CODE")]
        party: String,
        /// The party that it was merged into, by any of its codes 承继主体
        #[arg(long, value_name = "CODE")]
        successor: String,
    },
    /// Record that an obligation was fulfilled or a milestone reached 义务履行
    Fulfil {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Its number in the agreement 序号
        #[arg(long)]
        obligation: u32,
        /// What proves it, FILE or FILE=ARCHIVE_NUMBER 证明材料
        #[arg(long, required = true, value_name = "FILE", value_parser = parse_document)]
        evidence: Vec<DocumentArg>,
    },
    /// Record a consultation or a visit 会商与互访
    Meet {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Which of the two 类别
        #[arg(long, value_parser = words::parser(MEETING_KINDS))]
        kind: MeetingKind,
        /// A party that took part, by the code under which the agreement names it 参加主体
        #[arg(long = "party", required = true, value_name = "CODE")]
        parties: Vec<String>,
        /// The minutes, FILE or FILE=ARCHIVE_NUMBER 纪要
        #[arg(long, value_name = "FILE", value_parser = parse_document)]
        minutes: DocumentArg,
        /// What is to be done, NUMBER,CODE,DUE,TEXT 待办事项
        #[arg(long = "action-item", value_name = "NUMBER,CODE,DUE,TEXT", value_parser = parse_action_item)]
        action_items: Vec<ActionItem>,
    },
    /// Record that an action item was done 待办完成
    CloseItem {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Number of the meeting 会议序号
        #[arg(long)]
        meeting: u32,
        /// Number of the item in its minutes 事项序号
        #[arg(long)]
        item: u32,
        /// What proves it, FILE or FILE=ARCHIVE_NUMBER 证明材料
        #[arg(long, required = true, value_name = "FILE", value_parser = parse_document)]
        evidence: Vec<DocumentArg>,
    },
    /// Registration of a technology contract 技术合同认定登记
    #[command(subcommand)]
    Registration(RegistrationCommand),
}

/// A step of an amendment.
#[derive(Debug, Subcommand)]
pub enum AmendCommand {
    /// Propose a change; in force at once where nothing material changes 提出变更
    Propose(Box<ProposeArgs>),
    /// Sign it for one party 签署变更
    Sign {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Number of the version 版本号
        #[arg(long = "number", value_name = "NUMBER")]
        number: u32,
        /// The party, by any of its codes 主体代码
        #[arg(long, value_name = "CODE")]
        party: String,
        /// Who signs, by opaque id 签署人
        #[arg(long, value_name = "PERSON")]
        signatory: String,
    },
    /// Give it up before all have signed 撤销变更
    Abandon {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Number of the version 版本号
        #[arg(long = "number", value_name = "NUMBER")]
        number: u32,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
}

/// What an amendment changes.
#[derive(Debug, Args)]
pub struct ProposeArgs {
    /// The agreement.
    #[command(flatten)]
    pub target: Target,
    /// The title from then on 名称
    #[arg(long, default_value = "", hide_default_value = true)]
    pub title: String,
    /// Last day of the running term 截止日
    #[arg(long, value_name = "DATE")]
    pub term_end: Option<Date>,
    /// The value from then on 成交额
    #[arg(long, value_parser = parse_money)]
    pub value: Option<Money>,
    /// All obligations from then on, NUMBER,KIND,CODE,DUE,TEXT 义务与节点
    #[arg(long = "obligation", value_name = "NUMBER,KIND,CODE,DUE,TEXT", value_parser = parse_obligation)]
    pub obligations: Vec<Obligation>,
    /// No obligations from then on 取消全部义务
    #[arg(long, conflicts_with = "obligations")]
    pub no_obligations: bool,
    /// Its text, FILE or FILE=ARCHIVE_NUMBER 变更文本
    #[arg(long = "document", value_name = "FILE", value_parser = parse_document)]
    pub documents: Vec<DocumentArg>,
}

/// A step of a registration.
#[derive(Debug, Subcommand)]
pub enum RegistrationCommand {
    /// Submit the contract 提交
    Submit {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Registration authority 登记机构
        #[arg(long)]
        registrar: String,
    },
    /// Record that it was registered 登记
    Register {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Number of the registration 登记编号
        #[arg(long)]
        number: String,
        /// Class 登记类别
        #[arg(long)]
        class: String,
        /// Verified technology income 核定技术性收入
        #[arg(long, value_parser = parse_money)]
        technology_income: Money,
    },
    /// Record that it was refused 不予登记
    Refuse {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Record that it was revoked 撤销登记
    Revoke {
        /// The agreement.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
}

/// The agreement that a command is about.
#[derive(Debug, Args)]
pub struct Target {
    /// The agreement 协议
    pub agreement: Uuid,
    /// What every command carries.
    #[command(flatten)]
    pub(super) header: HeaderArgs,
}

/// A new agreement.
#[derive(Debug, Args)]
pub struct DraftArgs {
    /// Id of the new agreement; made where it is left out 编号
    #[arg(long, value_name = "UUID")]
    pub agreement_id: Option<Uuid>,
    /// Kind 类别
    #[arg(long, value_parser = words::parser(AGREEMENT_KINDS))]
    pub kind: AgreementKind,
    /// Title 名称
    #[arg(long)]
    pub title: String,
    /// A party by any of its codes, of a technology contract with its role: CODE or CODE=seller 协议主体
    #[arg(long = "party", required = true, value_name = "CODE", value_parser = parse_party)]
    pub parties: Vec<(String, Role)>,
    /// First day of the term 起始日
    #[arg(long, value_name = "DATE")]
    pub from: Date,
    /// Last day of the term 截止日
    #[arg(long, value_name = "DATE")]
    pub until: Date,
    /// Framework or city agreement that it comes under 所属框架协议
    #[arg(long, value_name = "UUID")]
    pub parent: Option<Uuid>,
    /// Number of the outside project, of a national project 国家项目编号
    #[arg(long, default_value = "", hide_default_value = true)]
    pub project_number: String,
    /// Type of a technology contract 技术合同类别
    #[arg(long, value_parser = words::parser(TECHNOLOGIES))]
    pub technology: Option<TechnologyContractType>,
    /// What it is worth 成交额
    #[arg(long, value_parser = parse_money)]
    pub value: Option<Money>,
    /// An obligation or milestone, NUMBER,KIND,CODE,DUE,TEXT 义务与节点
    #[arg(long = "obligation", value_name = "NUMBER,KIND,CODE,DUE,TEXT", value_parser = parse_obligation)]
    pub obligations: Vec<Obligation>,
    /// The text, FILE or FILE=ARCHIVE_NUMBER 协议文本
    #[arg(long = "document", value_name = "FILE", value_parser = parse_document)]
    pub documents: Vec<DocumentArg>,
    /// Facts were made up for a demonstration 模拟数据
    #[arg(long)]
    pub synthetic: bool,
    /// What every command carries.
    #[command(flatten)]
    pub(super) header: HeaderArgs,
}
