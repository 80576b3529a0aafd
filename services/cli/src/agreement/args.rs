//! The arguments of `concord agreement`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use concord_proto::agreement::v1::{
    ActionItem, AgreementKind, MeetingKind, Obligation, Role, TechnologyContractType,
};
use concord_proto::r#type::v1::Money;
use jiff::civil::Date;
use uuid::Uuid;

use crate::header::HeaderArgs;
use crate::output::parse_money;
use crate::words::{self, AGREEMENT_KINDS, MEETING_KINDS, OBLIGATION_KINDS, ROLES, TECHNOLOGIES};

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

/// A document: the file, whose SHA-256 is sent, and where it is archived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentArg {
    /// The file.
    pub file: PathBuf,
    /// Archive number; empty where there is none.
    pub archive_number: String,
}

fn parse_document(text: &str) -> Result<DocumentArg, String> {
    let (file, archive_number) = text.split_once('=').unwrap_or((text, ""));
    if file.is_empty() {
        return Err("write FILE or FILE=ARCHIVE_NUMBER 请写作 文件=档号".to_owned());
    }
    Ok(DocumentArg { file: file.into(), archive_number: archive_number.to_owned() })
}

fn parse_party(text: &str) -> Result<(String, Role), String> {
    let Some((code, role)) = text.split_once('=') else {
        return Ok((text.to_owned(), Role::Participant));
    };
    let role = words::value(ROLES, role)
        .ok_or_else(|| format!("{role:?} is no role; use one of {}", words::list(ROLES)))?;
    Ok((code.to_owned(), role))
}

fn parse_obligation(text: &str) -> Result<Obligation, String> {
    let [number, kind, party, due_on, what] = text.splitn(5, ',').collect::<Vec<_>>()[..] else {
        return Err(
            "write NUMBER,KIND,CODE,DUE,TEXT, for example 1,milestone,CN-USCC:91330100799655058B,2018-06-30,prototype"
                .to_owned(),
        );
    };
    let kind = words::value(OBLIGATION_KINDS, kind)
        .ok_or_else(|| format!("{kind:?} is no kind; use one of {}", words::list(OBLIGATION_KINDS)))?;
    Ok(Obligation {
        number: parse_number(number)?,
        kind: kind.into(),
        party: party.to_owned(),
        text: what.to_owned(),
        due_on: parse_day(due_on)?,
    })
}

fn parse_action_item(text: &str) -> Result<ActionItem, String> {
    let [number, party, due_on, what] = text.splitn(4, ',').collect::<Vec<_>>()[..] else {
        return Err(
            "write NUMBER,CODE,DUE,TEXT, for example 1,CN-USCC:91330100799655058B,2018-06-30,send the samples"
                .to_owned(),
        );
    };
    Ok(ActionItem {
        number: parse_number(number)?,
        party: party.to_owned(),
        text: what.to_owned(),
        due_on: parse_day(due_on)?,
    })
}

fn parse_number(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| format!("{text:?} is not a number from 1"))
}

fn parse_day(text: &str) -> Result<String, String> {
    let day: Date = text.parse().map_err(|_| format!("{text:?} is not a date like 2018-06-30"))?;
    Ok(day.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_in_one_word_is_taken_apart() {
        let owed = parse_obligation("2,milestone,CN-USCC:91330100799655058B,2018-06-30,a prototype, tested")
            .unwrap();
        assert_eq!((owed.number, owed.text.as_str()), (2, "a prototype, tested"));
        assert_eq!(
            parse_party("EU-PIC:998616262=buyer").unwrap(),
            ("EU-PIC:998616262".to_owned(), Role::Buyer)
        );
        assert_eq!(parse_party("EU-PIC:998616262").unwrap().1, Role::Participant);
        assert_eq!(parse_document("a.pdf=D-17").unwrap().archive_number, "D-17");
        for wrong in ["1,milestone,CODE,2018-06-30", "x,milestone,C,2018-06-30,t", "1,shoe,C,2018-06-30,t"] {
            assert!(parse_obligation(wrong).is_err(), "{wrong}");
        }
        assert!(parse_action_item("1,C,2018-02-30,t").unwrap_err().contains("date"));
        assert!(parse_party("C=owner").unwrap_err().contains("seller"));
        assert!(parse_document("=D-17").is_err());
    }
}
