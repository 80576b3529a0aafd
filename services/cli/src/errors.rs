//! What can go wrong on the command line, and how it is told: what is wrong, the facts, and what to do.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt};

/// Why a command of the command line did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The arguments or a configuration file cannot be right. Exit code 64.
    #[error("{0}")]
    Usage(String),
    /// A service refused, or could not answer.
    #[error("{}", explain(.0))]
    Service(Box<Status>),
    /// No service answers at the address.
    #[error(
        "{service} cannot be reached at {address}. Start it with `concord up`, or set {variable}.\n\
         无法连接 {service}（{address}）。请先运行 `concord up`，或设置 {variable}。"
    )]
    Unreachable {
        /// Name of the service, for example "fund-grant".
        service: &'static str,
        /// Where it was looked for.
        address: String,
        /// Environment variable that names another address.
        variable: &'static str,
        /// What the transport said.
        #[source]
        source: tonic::transport::Error,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    File {
        /// What was tried, as a verb.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
    /// Anything else that failed, in a sentence.
    #[error("{0}")]
    Failed(String),
    /// Rows of an import were rejected, and `--strict` asked for that to be a failure. Exit code 2.
    #[error("{0} row(s) were rejected (--strict) 有 {0} 行被拒绝")]
    RowsRejected(usize),
    /// The log is not written until an operator has chosen a way to go on. Exit code 3.
    #[error(
        "the log is not written until it is recovered: choose one of the ways above and say why, with --reason\n\
         日志须先恢复才能写入：请选择上列方式之一，并用 --reason 说明理由"
    )]
    RecoveryNeeded,
    /// The chosen way to recover the log cannot be gone. Exit code 4.
    #[error("{0}")]
    RecoveryRefused(String),
    /// A service still writes the log that is to be recovered. Exit code 5.
    #[error("{0}\n日志正在使用，请先停止上列程序再恢复")]
    LogInUse(String),
    /// A check found that the log, its stream or its projection is not as it must be.
    #[error(
        "{count} fault(s) found: {rules}. Stop writing, keep the data as it is, and compare with receipts kept outside.\n\
         发现 {count} 处问题。请停止写入，保留现场，并与外部留存的回执核对。"
    )]
    Faults {
        /// How many.
        count: u64,
        /// Codes of the broken rules.
        rules: String,
    },
    /// A check found no fault but did not compare everything. Exit code 6.
    #[error(
        "no fault was found, but not everything was compared: {0}. Name what is missing, or accept it with --without {0}.\n\
         未发现问题，但并非全部核对：{0}。"
    )]
    Unproved(String),
}

impl CliError {
    /// The process's exit code: 64 for usage, 2 for rejected rows under `--strict`, 3 to 5 for a log to be recovered,
    /// 6 for a check that did not compare everything, else 1.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::RowsRejected(_) => 2,
            Self::RecoveryNeeded => 3,
            Self::RecoveryRefused(_) => 4,
            Self::LogInUse(_) => 5,
            Self::Unproved(_) => 6,
            Self::Service(_)
            | Self::Unreachable { .. }
            | Self::File { .. }
            | Self::Failed(_)
            | Self::Faults { .. } => 1,
        }
    }

    /// A usage error in a sentence.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// A failure in a sentence.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// Turns an I/O error about a file into one that names it.
    pub(crate) fn file(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::File { doing, path, source }
    }
}

impl From<Status> for CliError {
    fn from(status: Status) -> Self {
        Self::Service(Box::new(status))
    }
}

/// The error and its causes, each once.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let line = inner.to_string();
        if !text.contains(&line) {
            let _ = write!(text, "\n  because: {line}");
        }
        cause = inner.source();
    }
    text
}

/// A status as people read it: the reason's code, every broken rule with its sentence, the facts, the fields.
#[must_use]
pub fn explain(status: &Status) -> String {
    let details = status.get_error_details_vec();
    let mut lines = vec![headline(status, &details)];
    for detail in &details {
        match detail {
            ErrorDetail::PreconditionFailure(failure) => {
                for violation in &failure.violations {
                    // The first broken rules make up the status's own message: say each once.
                    if !status.message().contains(&violation.description) {
                        push_text(&mut lines, &format!("{}: {}", violation.r#type, violation.description));
                    }
                }
            }
            ErrorDetail::BadRequest(request) => {
                for violation in &request.field_violations {
                    push_text(&mut lines, &format!("{}: {}", violation.field, violation.description));
                }
            }
            ErrorDetail::LocalizedMessage(message) if message.message != status.message() => {
                push_text(&mut lines, &message.message);
            }
            ErrorDetail::ErrorInfo(info) if !info.metadata.is_empty() => {
                let mut facts: Vec<_> =
                    info.metadata.iter().map(|(name, value)| format!("{name} = {value}")).collect();
                facts.sort();
                push_text(&mut lines, &format!("facts 事实: {}", facts.join(", ")));
            }
            ErrorDetail::Help(help) => {
                for link in &help.links {
                    push_text(&mut lines, &format!("{} {}", link.description, link.url));
                }
            }
            ErrorDetail::RetryInfo(retry) => {
                if let Some(delay) = retry.retry_delay {
                    push_text(&mut lines, &format!("try again in {} s", delay.as_secs().max(1)));
                }
            }
            _ => {}
        }
    }
    lines.join("\n")
}

/// The stable code of a refusal, for example `A02_ABOVE_APPROVED`; empty where the status has none.
#[must_use]
pub fn reason(status: &Status) -> String {
    let details = status.get_error_details_vec();
    details
        .into_iter()
        .find_map(|detail| if let ErrorDetail::ErrorInfo(info) = detail { Some(info.reason) } else { None })
        .unwrap_or_default()
}

fn headline(status: &Status, details: &[ErrorDetail]) -> String {
    let reason = details.iter().find_map(|detail| match detail {
        ErrorDetail::ErrorInfo(info) => Some(info.reason.as_str()),
        _ => None,
    });
    let kind = match status.code() {
        Code::InvalidArgument => "invalid 请求有误",
        Code::NotFound => "not found 不存在",
        Code::AlreadyExists => "already exists 已存在",
        Code::FailedPrecondition => "refused 拒绝",
        Code::PermissionDenied | Code::Unauthenticated => "not allowed 无权限",
        Code::Aborted => "conflict 版本冲突",
        Code::OutOfRange => "out of range 超出范围",
        Code::Unimplemented => "not offered 未提供",
        Code::Unavailable => "unavailable 服务不可用",
        Code::DeadlineExceeded => "too slow 超时",
        Code::ResourceExhausted => "busy 繁忙",
        _ => "failed 失败",
    };
    match reason {
        Some(reason) => format!("{kind} [{reason}] {}", status.message()),
        None => format!("{kind}: {}", status.message()),
    }
}

fn push_text(lines: &mut Vec<String>, text: &str) {
    for line in text.lines().filter(|line| !line.trim().is_empty()).map(|line| format!("  {line}")) {
        // Of several grants in one decision each may break the same rule.
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    #[test]
    fn a_refusal_shows_code_rules_facts_and_chinese() {
        let mut details = ErrorDetails::new();
        details.set_error_info(
            "A02_ABOVE_APPROVED",
            "concord",
            [("approved_minor".to_owned(), "100".to_owned())],
        );
        details.add_precondition_failure_violation(
            "A08_NOTICE",
            "grant/1",
            "The notice hangs until 2023-02-10.",
        );
        details.set_localized_message("zh-CN", "超过立项金额。");
        let status = Status::with_error_details(
            Code::FailedPrecondition,
            "1.00 was approved; ask for it or less.",
            details,
        );
        let text = explain(&status);
        assert!(text.starts_with("refused 拒绝 [A02_ABOVE_APPROVED] 1.00 was approved"), "{text}");
        assert!(text.contains("  A08_NOTICE: The notice hangs until 2023-02-10."), "{text}");
        assert!(text.contains("facts 事实: approved_minor = 100"), "{text}");
        assert!(text.contains("超过立项金额"), "{text}");
        assert_eq!(reason(&status), "A02_ABOVE_APPROVED");
    }

    #[test]
    fn field_violations_stand_one_on_a_line() {
        let mut details = ErrorDetails::new();
        details
            .add_bad_request_violation("amount.currency", "is missing")
            .add_bad_request_violation("title", "is empty");
        let text = explain(&Status::with_error_details(Code::InvalidArgument, "2 fields are wrong", details));
        assert!(text.contains("\n  amount.currency: is missing\n  title: is empty"), "{text}");
    }
}
