//! Whether the log may be written, and if not why.
//!
//! A log that went back, or that holds another history than its stream, is not written until an operator has decided
//! what holds (`concord log recover`): going on would give positions that were answered for to other events.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A PostgreSQL cluster and the history of its writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// System identifier, made by `initdb`.
    pub system_id: String,
    /// Timeline: each promotion, and each recovery to a point in time, begins a new one.
    pub timeline: i32,
}

impl std::fmt::Display for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.system_id, self.timeline)
    }
}

/// Why a log is not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Standstill {
    /// The database was restored or promoted: it may have lost its newest events.
    #[error(
        "the log was last written on PostgreSQL {stored} (system/timeline), and this is {found}: a standby was promoted or a \
         backup restored, and the newest events may be lost. Run `concord log recover`"
    )]
    ClusterChanged {
        /// Where the log was last written.
        stored: Cluster,
        /// Where it is now.
        found: Cluster,
    },
    /// The stream has events of this log that PostgreSQL does not.
    #[error(
        "the log ends at {head}, and its stream has events up to {stream_last}: PostgreSQL went back. Run `concord log recover`"
    )]
    BehindStream {
        /// Position of the last event in PostgreSQL.
        head: u64,
        /// Last sequence of the stream.
        stream_last: u64,
    },
    /// PostgreSQL and the stream have different events at one position.
    #[error(
        "PostgreSQL and the stream have different events at position {position}. Run `concord log recover`"
    )]
    OtherHistory {
        /// First position at which they differ.
        position: u64,
    },
    /// What was committed is no longer there, or something else is.
    #[error(
        "the event at position {position} was committed, and PostgreSQL no longer has it. Run `concord log recover`"
    )]
    LostEvent {
        /// Position of the newest event that was committed.
        position: u64,
    },
    /// The database holds another log, or another generation of this one.
    #[error(
        "the database now holds log {found_id} generation {found_generation}, and this service was started for {log_id} \
         generation {generation}. Start the service again"
    )]
    OtherLog {
        /// Log that the service was started for.
        log_id: Uuid,
        /// Its generation then.
        generation: u32,
        /// Log that is there now.
        found_id: Uuid,
        /// Its generation.
        found_generation: u32,
    },
}

impl Standstill {
    /// Stable code, for programs.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::ClusterChanged { .. } => "LOG_CLUSTER_CHANGED",
            Self::BehindStream { .. } => "LOG_BEHIND_STREAM",
            Self::OtherHistory { .. } => "LOG_OTHER_HISTORY",
            Self::LostEvent { .. } => "LOG_LOST_EVENT",
            Self::OtherLog { .. } => "LOG_REPLACED",
        }
    }

    /// What was found, by name.
    #[must_use]
    pub fn facts(&self) -> BTreeMap<String, String> {
        let facts: Vec<(&str, String)> = match self {
            Self::ClusterChanged { stored, found } => vec![
                ("stored_system_id", stored.system_id.clone()),
                ("stored_timeline", stored.timeline.to_string()),
                ("found_system_id", found.system_id.clone()),
                ("found_timeline", found.timeline.to_string()),
            ],
            Self::BehindStream { head, stream_last } => {
                vec![("head", head.to_string()), ("stream_last", stream_last.to_string())]
            }
            Self::OtherHistory { position } | Self::LostEvent { position } => {
                vec![("position", position.to_string())]
            }
            Self::OtherLog { log_id, generation, found_id, found_generation } => vec![
                ("log_id", log_id.to_string()),
                ("generation", generation.to_string()),
                ("found_log_id", found_id.to_string()),
                ("found_generation", found_generation.to_string()),
            ],
        };
        facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The sentence in Chinese.
    #[must_use]
    pub fn message_zh(&self) -> String {
        match self {
            Self::ClusterChanged { stored, found } => format!(
                "日志上次写入的 PostgreSQL 为 {stored}（系统号/时间线），现为 {found}：备库已提升或数据已恢复，最新事件可能丢失。\
                 请运行 concord log recover"
            ),
            Self::BehindStream { head, stream_last } => format!(
                "日志止于 {head}，而消息流已有至 {stream_last} 的事件：PostgreSQL 发生回退。请运行 concord log recover"
            ),
            Self::OtherHistory { position } => {
                format!("PostgreSQL 与消息流在位置 {position} 的事件不同。请运行 concord log recover")
            }
            Self::LostEvent { position } => {
                format!("位置 {position} 的事件已提交，但 PostgreSQL 中已不存在。请运行 concord log recover")
            }
            Self::OtherLog { found_id, found_generation, .. } => {
                format!("数据库现为日志 {found_id} 第 {found_generation} 代。请重新启动服务")
            }
        }
    }
}

/// Open until it is closed, and then for good: a service that met a reason not to write writes again only after it was
/// started anew, because what it has in memory may not be the log any more.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    closed: CancellationToken,
    why: Arc<OnceLock<Standstill>>,
}

impl Gate {
    /// Lets nothing be written any more. The first reason stays.
    pub fn close(&self, why: Standstill) {
        if self.why.set(why.clone()).is_ok() {
            tracing::error!(reason = why.reason(), %why, "the log is not written");
            metrics::gauge!("concord_log_writable").set(0.0);
            self.closed.cancel();
        }
    }

    /// Why nothing is written; `None` while the log is.
    #[must_use]
    pub fn why(&self) -> Option<&Standstill> {
        self.why.get()
    }

    /// Waits until it is closed.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Cancelled when it is closed.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.closed.clone()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]
    use super::*;

    #[test]
    fn every_reason_has_a_code_facts_and_something_to_do_in_both_languages() {
        let cluster = |timeline| Cluster { system_id: "7".to_owned(), timeline };
        let log_id = Uuid::from_u128(1);
        let all = [
            Standstill::ClusterChanged { stored: cluster(1), found: cluster(2) },
            Standstill::BehindStream { head: 4, stream_last: 12 },
            Standstill::OtherHistory { position: 5 },
            Standstill::LostEvent { position: 4 },
            Standstill::OtherLog { log_id, generation: 1, found_id: log_id, found_generation: 2 },
        ];
        for why in all {
            assert!(why.reason().starts_with("LOG_"), "{why:?}");
            assert!(!why.facts().is_empty(), "{why:?}");
            let (english, chinese) = (why.to_string(), why.message_zh());
            assert!(english.contains("Run `concord log recover`") || english.contains("Start the service"));
            assert!(chinese.contains("请运行 concord log recover") || chinese.contains("请重新启动服务"));
        }
    }

    #[tokio::test]
    async fn a_gate_stays_closed_for_its_first_reason() {
        let gate = Gate::default();
        assert_eq!(gate.why(), None);
        gate.close(Standstill::LostEvent { position: 4 });
        gate.close(Standstill::OtherHistory { position: 5 });
        gate.clone().closed().await;
        assert_eq!(gate.why(), Some(&Standstill::LostEvent { position: 4 }));
    }
}
