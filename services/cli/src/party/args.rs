//! The arguments of `concord party`.

use clap::{Args, Subcommand};
use concord_proto::agreement::v1::{CodeCertificate, ControlKind, Register};
use concord_proto::r#type::v1::PartyKind;
use jiff::civil::Date;

use crate::header::HeaderArgs;
use crate::words::{self, CONTROLS, KINDS, REGISTERS};

/// What to do with a party. Every fact holds from --effective-on on.
#[derive(Debug, Subcommand)]
pub enum PartyCommand {
    /// Show all that is known of a party 查看
    Show {
        /// Its id, or any code it ever had 编号或代码
        party: String,
        /// Wait until the log has reached this position 等待至该位置
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        min_position: u64,
    },
    /// Find a party by any code it ever had, as it was on a day 按代码查询
    LookUp {
        /// The code 代码
        code: String,
        /// The day; default the log's today 日期
        #[arg(long, value_name = "DATE")]
        on: Option<Date>,
        /// Wait until the log has reached this position 等待至该位置
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        min_position: u64,
    },
    /// Record a legal person 登记
    Record(RecordArgs),
    /// Record a further code of it 增加代码
    Alias {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The code 代码
        #[arg(long)]
        code: String,
        /// What proves a code that fails its check.
        #[command(flatten)]
        certificate: CertificateArgs,
    },
    /// Record its new name 更名
    Rename {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The name 名称
        #[arg(long)]
        name: String,
    },
    /// Record that it became another kind of legal person 转制
    Reclassify {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The kind 类别
        #[arg(long, value_parser = words::parser(KINDS))]
        kind: PartyKind,
    },
    /// Record that it moved 迁址
    Relocate {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The region, GB/T 2260 or ISO 3166 行政区
        #[arg(long)]
        region: String,
    },
    /// Put it on a register 入库
    EnterRegister {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The register 名录
        #[arg(long, value_parser = words::parser(REGISTERS))]
        register: Register,
    },
    /// Take it off a register 出库
    LeaveRegister {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The register 名录
        #[arg(long, value_parser = words::parser(REGISTERS))]
        register: Register,
    },
    /// Record that another party controls it 控制关系
    Control {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The controlling party, by its id or a code 控制方
        #[arg(long, value_name = "PARTY")]
        by: String,
        /// How 方式
        #[arg(long, value_parser = words::parser(CONTROLS))]
        kind: ControlKind,
    },
    /// Record that the control ended 控制关系解除
    EndControl {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The party that controlled it, by its id or a code 控制方
        #[arg(long, value_name = "PARTY")]
        by: String,
        /// How 方式
        #[arg(long, value_parser = words::parser(CONTROLS))]
        kind: ControlKind,
    },
    /// Record that an organisation stands for it: who acts as person@organisation acts for it; --authority names the document 代表登记
    Represent {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The organisation, as after "@" in --actor 代表单位
        #[arg(long, value_name = "ORG")]
        by: String,
    },
    /// Record that the organisation no longer stands for it 代表终止
    EndRepresent {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The organisation 代表单位
        #[arg(long, value_name = "ORG")]
        by: String,
    },
    /// Record that it was merged into another party 合并
    Merge {
        /// The party.
        #[command(flatten)]
        target: Target,
        /// The other, by its id or a code 并入主体
        #[arg(long, value_name = "PARTY")]
        into: String,
    },
    /// Record that it was dissolved 注销
    Dissolve {
        /// The party.
        #[command(flatten)]
        target: Target,
    },
}

/// The party that a command is about.
#[derive(Debug, Args)]
pub struct Target {
    /// Its id, or any code it ever had 编号或代码
    pub party: String,
    /// What every command carries.
    #[command(flatten)]
    pub(super) header: HeaderArgs,
}

/// The certificate that has a code whose check character does not follow from the others.
#[derive(Debug, Args)]
pub struct CertificateArgs {
    /// Number of the certificate that has a code which fails its check 证照编号
    #[arg(long, value_name = "NUMBER", requires = "certificate_note")]
    certificate: Option<String>,
    /// Why that code is taken as it stands 说明
    #[arg(long, value_name = "TEXT", requires = "certificate")]
    certificate_note: Option<String>,
}

impl CertificateArgs {
    /// The certificate, where one is given.
    pub(super) fn into_wire(self) -> Option<CodeCertificate> {
        let (document_number, note) = self.certificate.zip(self.certificate_note)?;
        Some(CodeCertificate { document_number, note })
    }
}

/// A new party.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// The first code known of it, for example CN-USCC:91330100799655058B 代码
    #[arg(long)]
    pub code: String,
    /// Kind 类别
    #[arg(long, value_parser = words::parser(KINDS))]
    pub kind: PartyKind,
    /// Name of the organisation 名称
    #[arg(long)]
    pub name: String,
    /// Region, GB/T 2260 or ISO 3166 行政区
    #[arg(long, default_value = "", hide_default_value = true)]
    pub region: String,
    /// Industry, for example new_materials 产业
    #[arg(long, default_value = "", hide_default_value = true)]
    pub industry: String,
    /// What proves a code that fails its check.
    #[command(flatten)]
    pub(super) certificate: CertificateArgs,
    /// What every command carries.
    #[command(flatten)]
    pub(super) header: HeaderArgs,
}
