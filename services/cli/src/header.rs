//! What every command of the command line may carry beside its own arguments.

use std::path::PathBuf;

use clap::Args;
use concord_proto::r#type::v1::CommandHeader;

use crate::errors::CliError;
use crate::ids;

/// Options of every command that changes something.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Command 操作")]
pub struct HeaderArgs {
    /// Request id; the same one again gets the first answer 请求号
    #[arg(long, value_name = "UUID")]
    request_id: Option<uuid::Uuid>,
    /// Date on which it happened; default the log's today 发生日期
    #[arg(long, value_name = "DATE")]
    effective_on: Option<jiff::civil::Date>,
    /// Authority document 文号
    #[arg(long, default_value = "", hide_default_value = true)]
    authority: String,
    /// Archive number 档号
    #[arg(long, default_value = "", hide_default_value = true)]
    archive_number: String,
    /// Attached document; only its SHA-256 is sent 附件（只发送摘要）
    #[arg(long = "attachment", value_name = "FILE")]
    attachments: Vec<PathBuf>,
    /// Version that was seen; refused where it has moved on 版本
    #[arg(long, value_name = "VERSION")]
    expected_version: Option<u64>,
    /// Ties the commands of one affair together 关联号
    #[arg(long, default_value = "", hide_default_value = true)]
    correlation_id: String,
}

impl HeaderArgs {
    /// The authority document, for commands that must have one.
    ///
    /// # Errors
    /// [`CliError::Usage`] where none was named.
    pub fn required_authority(&self) -> Result<String, CliError> {
        if self.authority.is_empty() {
            return Err(CliError::usage(
                "name the document that orders it, with --authority 请用 --authority 填写文号",
            ));
        }
        Ok(self.authority.clone())
    }

    /// The header to send; a request id is made where none was given.
    ///
    /// # Errors
    /// An attachment that cannot be read.
    pub fn to_wire(&self) -> Result<CommandHeader, CliError> {
        let digest = |path: &PathBuf| {
            std::fs::read(path).map(|bytes| ids::sha256_hex(&bytes)).map_err(CliError::file("read", path))
        };
        Ok(CommandHeader {
            request_id: self.request_id.map_or_else(ids::fresh, |id| id.to_string()),
            expected_version: self.expected_version,
            effective_on: self.effective_on.map(|date| date.to_string()).unwrap_or_default(),
            authority: self.authority.clone(),
            archive_number: self.archive_number.clone(),
            attachment_sha256: self.attachments.iter().map(digest).collect::<Result<_, _>>()?,
            causation_id: String::new(),
            correlation_id: self.correlation_id.clone(),
        })
    }
}
