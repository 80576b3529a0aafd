//! The arguments of `concord grant`.

use clap::{Args, Subcommand};
use concord_proto::r#type::v1::{FundingMode, Money, PartyKind};
use jiff::civil::Date;
use uuid::Uuid;

use super::closing::ClosingCommand;
use super::exceptional::ExceptionalCommand;
use super::matching::MatchingCommand;
use super::spending::SpendingCommand;
use super::typed::{Share, TrancheLine, parse_award, parse_score, parse_share, parse_tranche};
use crate::header::HeaderArgs;
use crate::output::parse_money;
use crate::words::{self, KINDS, MODES};

/// What to do with a grant.
#[derive(Debug, Subcommand)]
pub enum GrantCommand {
    /// Show a grant 查看
    Show {
        /// The grant 项目
        grant: Uuid,
        /// Wait until the log has reached this position 等待至该位置
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        min_position: u64,
    },
    /// File an application 申报
    Apply(Box<ApplyArgs>),
    /// Recommend an application 推荐
    Recommend {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// The recommending body 推荐单位
        #[arg(long)]
        by: String,
    },
    /// Take an application in 受理
    Admit {
        /// The grant.
        #[command(flatten)]
        target: Target,
    },
    /// Record the experts' review 评审
    Review {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Points out of 100, at most two decimals 评分
        #[arg(long, value_parser = parse_score)]
        score: u32,
        /// The most that the experts would award 建议上限
        #[arg(long, value_parser = parse_money)]
        ceiling: Money,
    },
    /// Publish the intended award for notice 公示
    Publish {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// The award as published 公示金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
    },
    /// Approve one or many grants in one decision 立项
    Approve {
        /// Awards of the meeting, each GRANT=AMOUNT, for example "0190…=800000.00 CNY" 立项项目及金额
        #[arg(required = true, value_name = "GRANT=AMOUNT", value_parser = parse_award)]
        awards: Vec<(Uuid, Money)>,
        /// The meeting's minutes 会议纪要
        #[arg(long)]
        minutes: String,
        /// What every command carries.
        #[command(flatten)]
        header: HeaderArgs,
    },
    /// Reject an application 不予立项
    Reject {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Withdraw an application 撤回
    Withdraw {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Sign the task contract with its plan of tranches 签订任务书
    Contract {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Number of the contract 合同编号
        #[arg(long)]
        number: String,
        /// Contracted 合同金额
        #[arg(long, value_parser = parse_money)]
        amount: Money,
        /// First day 开始日期
        #[arg(long, value_name = "DATE")]
        starts_on: Date,
        /// Last day 结束日期
        #[arg(long, value_name = "DATE")]
        ends_on: Date,
        /// A tranche AMOUNT:CONDITION:DUE, in order, for example 400000.00:contract:2024-05-01 拨款计划
        #[arg(long = "tranche", required = true, value_name = "AMOUNT:CONDITION:DUE", value_parser = parse_tranche)]
        tranches: Vec<TrancheLine>,
        /// A party's share CODE,KIND,REGION,AMOUNT, the lead's included; none: those applied for 分配额度
        #[arg(long = "share", value_name = "CODE,KIND,REGION,AMOUNT", value_parser = parse_share)]
        shares: Vec<Share>,
    },
    /// Amend the task contract 任务书变更
    Amend(Box<AmendArgs>),
    /// Record that the payee's account was checked 核验收款账户
    VerifyPayee {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Opaque id of the record 档案号
        #[arg(long)]
        person_id: String,
        /// File with the account's number, bank and holder, "-" for standard input 账户信息文件
        #[arg(long, value_name = "FILE")]
        account_file: std::path::PathBuf,
    },
    /// Name the agreement that backs it 指明依托协议
    NameAgreement {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// The agreement 协议
        #[arg(long, value_name = "UUID")]
        agreement: Uuid,
        /// Position in the agreement log at which it was seen 协议日志位置
        #[arg(long, value_name = "POSITION")]
        agreement_position: Option<u64>,
    },
    /// Put it on hold: no tranche is requested, authorised or instructed 暂停
    Hold {
        /// The grant.
        #[command(flatten)]
        target: Target,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Resume it 恢复
    Resume {
        /// The grant.
        #[command(flatten)]
        target: Target,
    },
    /// Show what is known here of an agreement that backs grants 查看依托协议
    Backing {
        /// The agreement 协议
        agreement: Uuid,
        /// Wait until the agreement log has been taken in up to this position 等待至协议日志该位置
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        min_agreement_position: u64,
    },
    /// Steps of one tranche 拨款
    #[command(subcommand)]
    Tranche(TrancheCommand),
    /// Matching money.
    #[command(flatten)]
    Matching(MatchingCommand),
    /// Shares and spending.
    #[command(flatten)]
    Spending(SpendingCommand),
    /// The later life.
    #[command(flatten)]
    Closing(ClosingCommand),
    /// Objections, overrides and corrections.
    #[command(flatten)]
    Exceptional(ExceptionalCommand),
}

/// A step of a tranche.
#[derive(Debug, Subcommand)]
pub enum TrancheCommand {
    /// Ask for it 申请拨款
    Request {
        /// The tranche.
        #[command(flatten)]
        tranche: TrancheTarget,
        /// Less than planned 申请金额
        #[arg(long, value_parser = parse_money)]
        amount: Option<Money>,
    },
    /// Authorise what was asked for 审批
    Authorise {
        /// The tranche.
        #[command(flatten)]
        tranche: TrancheTarget,
    },
    /// Turn the request down 驳回
    Reject {
        /// The tranche.
        #[command(flatten)]
        tranche: TrancheTarget,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Call it off before it is instructed 取消
    Cancel {
        /// The tranche.
        #[command(flatten)]
        tranche: TrancheTarget,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
    /// Instruct the bank, or instruct it again after a return 支付指令
    Instruct {
        /// The tranche.
        #[command(flatten)]
        tranche: TrancheTarget,
        /// Payment instruction; default the tranche's own after a return, else a new one 支付指令号
        #[arg(long, value_name = "UUID")]
        instruction_id: Option<Uuid>,
    },
    /// Record that the bank has paid 到账
    Settle {
        /// The tranche.
        #[command(flatten)]
        tranche: TrancheTarget,
        /// The bank's reference 银行流水号
        #[arg(long)]
        bank_reference: String,
    },
    /// Record that the bank sent it back 退汇
    Return {
        /// The tranche.
        #[command(flatten)]
        tranche: TrancheTarget,
        /// The bank's reference of the return 银行流水号
        #[arg(long)]
        bank_reference: String,
        /// Why 原因
        #[arg(long)]
        reason: String,
    },
}

/// The grant that a command is about.
#[derive(Debug, Args)]
pub struct Target {
    /// The grant 项目
    pub grant: Uuid,
    /// What every command carries.
    #[command(flatten)]
    pub(super) header: HeaderArgs,
}

/// The tranche that a command is about.
#[derive(Debug, Args)]
pub struct TrancheTarget {
    /// The grant 项目
    pub grant: Uuid,
    /// Number in the contract 期次
    pub number: u32,
    /// What every command carries.
    #[command(flatten)]
    pub(super) header: HeaderArgs,
}

/// A new application.
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// Id of the new grant; made where it is left out 编号
    #[arg(long, value_name = "UUID")]
    pub grant_id: Option<Uuid>,
    /// Programme that it asks money of 年度计划
    #[arg(long, value_name = "UUID")]
    pub programme: Uuid,
    /// Funding mode 资助方式
    #[arg(long, value_parser = words::parser(MODES))]
    pub mode: FundingMode,
    /// Title of the project 项目名称
    #[arg(long)]
    pub title: String,
    /// Lead's code, for example CN-USCC:91330100799655058B 牵头单位代码
    #[arg(long, value_name = "CODE")]
    pub lead: String,
    /// Lead's kind 牵头单位类别
    #[arg(long, value_parser = words::parser(KINDS))]
    pub lead_kind: PartyKind,
    /// Lead's region 牵头单位地区
    #[arg(long, value_name = "REGION")]
    pub lead_region: String,
    /// Lead's name 牵头单位名称
    #[arg(long, default_value = "", hide_default_value = true)]
    pub lead_name: String,
    /// Industry 产业
    #[arg(long, default_value = "", hide_default_value = true)]
    pub industry: String,
    /// Money asked for 申请金额
    #[arg(long, value_parser = parse_money)]
    pub requested: Money,
    /// Total project budget 项目总预算
    #[arg(long, value_parser = parse_money)]
    pub total_budget: Money,
    /// A party's share CODE,KIND,REGION,AMOUNT, the lead's included; none: all to the lead 分配额度
    #[arg(long = "share", value_name = "CODE,KIND,REGION,AMOUNT", value_parser = parse_share)]
    pub shares: Vec<Share>,
    /// Planned first day 开始日期
    #[arg(long, value_name = "DATE")]
    pub starts_on: Date,
    /// Planned last day 结束日期
    #[arg(long, value_name = "DATE")]
    pub ends_on: Date,
    /// What every command carries.
    #[command(flatten)]
    pub(super) header: HeaderArgs,
}

/// An amendment of the task contract.
#[derive(Debug, Args)]
pub struct AmendArgs {
    /// The grant.
    #[command(flatten)]
    pub target: Target,
    /// Contracted from now on; none: the amount stays 变更后合同金额
    #[arg(long, value_parser = parse_money)]
    pub amount: Option<Money>,
    /// A tranche AMOUNT:CONDITION:DUE of the whole plan from now on, in order 变更后拨款计划
    #[arg(long = "tranche", required = true, value_name = "AMOUNT:CONDITION:DUE", value_parser = parse_tranche)]
    pub tranches: Vec<TrancheLine>,
    /// A party's share CODE,KIND,REGION,AMOUNT from now on, the lead's included; none: they stay 变更后分配额度
    #[arg(long = "share", value_name = "CODE,KIND,REGION,AMOUNT", value_parser = parse_share)]
    pub shares: Vec<Share>,
    /// The meeting's minutes 会议纪要
    #[arg(long)]
    pub minutes: String,
}
