//! Questions that have no answer, as gRPC has them: a stable reason, and what to do, in English and Chinese.

use crate::query::QueryError;
use concord_chassis::{grpc, position::NotReached};
use concord_kernel::party::PartyCode;
use concord_proto::audit::v1::Standing;
use jiff::Timestamp;
use std::{collections::HashMap, time::Duration};
use tonic::{Code, Status};
use uuid::Uuid;

/// Domain of the reasons in `ErrorInfo`.
pub(crate) const DOMAIN: &str = "audit.concord";

/// When to try again where PostgreSQL is away.
const RETRY_SOON: Duration = Duration::from_secs(1);

/// Lines of a statement, at most.
pub(crate) const STATEMENT_LINES_MAX: usize = 10_000;

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "position {wanted} is not applied yet; the projection is at {applied}: pass min_position to wait for it"
    )]
    NotApplied { wanted: u64, applied: u64 },
    #[error(transparent)]
    NotReached(#[from] NotReached),
    #[error(
        "position {wanted} will not be reached: the projection stopped at {reached} ({why}); ask without min_position for what is \
         there, and have whoever operates the service look at \"concord audit status\""
    )]
    Stopped { wanted: u64, reached: u64, why: String },
    #[error(
        "position {wanted} lies inside the decision of positions {first} to {last}, which is answered as a whole: ask as of {last}, or \
         as of {} before it", .first - 1
    )]
    InsideDecision { wanted: u64, first: u64, last: u64 },
    #[error("{refusal}; {}", .standing.message)]
    NotUpToDate { refusal: Box<Refusal>, standing: Box<Standing> },
    #[error(
        "what was known at {asked} is not settled: the newest applied event was recorded at {newest}, and more may \
         follow; ask about an earlier instant, or by position"
    )]
    Unsettled { asked: Timestamp, newest: Timestamp },
    #[error(
        "nothing was known at {asked}: the first event was recorded at {first}; ask about that instant or later"
    )]
    NothingKnown { asked: Timestamp, first: Timestamp },
    #[error("nothing is applied yet; ask without recorded_at, or pass min_position to wait")]
    NothingApplied,
    #[error(
        "at position {position} no party of a grant had the code {code}; check the code, or give the party's UUID"
    )]
    UnknownParty { code: PartyCode, position: i64 },
    #[error("at {as_of} there is no grant {grant}; check the id, or ask as of a later position or date")]
    UnknownGrant { grant: Uuid, as_of: String },
    #[error(
        "grant {grant} has more than {STATEMENT_LINES_MAX} lines; list its postings page by page with \
         filter.grant_id instead"
    )]
    StatementTooLong { grant: Uuid },
    #[error(transparent)]
    Query(#[from] QueryError),
}

impl Refusal {
    /// Whether tables that are up to date might answer.
    pub(crate) fn may_rest_on_what_is_not_here(&self) -> bool {
        matches!(
            self,
            Self::NotApplied { .. }
                | Self::Unsettled { .. }
                | Self::NothingApplied
                | Self::UnknownParty { .. }
                | Self::UnknownGrant { .. }
        )
    }

    /// What a program reads beside the sentences.
    fn facts(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::InsideDecision { first, last, .. } => {
                vec![("decision_first", first.to_string()), ("decision_last", last.to_string())]
            }
            Self::NotUpToDate { refusal, standing } => {
                let mut facts = refusal.facts();
                facts.extend([
                    ("standing", standing.state.clone()),
                    ("standing_position", standing.position.to_string()),
                    ("standing_since", standing.since.clone()),
                ]);
                facts
            }
            _ => Vec::new(),
        }
    }

    fn code_and_reason(&self) -> (Code, &'static str) {
        match self {
            Self::NotApplied { .. } => (Code::OutOfRange, "POSITION_NOT_APPLIED"),
            Self::NotReached(_) => (Code::Unavailable, "POSITION_NOT_REACHED"),
            Self::Stopped { .. } => (Code::FailedPrecondition, "PROJECTION_STOPPED"),
            Self::InsideDecision { .. } => (Code::OutOfRange, "POSITION_INSIDE_DECISION"),
            Self::NotUpToDate { refusal, .. } => refusal.code_and_reason(),
            Self::Unsettled { .. } => (Code::OutOfRange, "INSTANT_NOT_SETTLED"),
            Self::NothingKnown { .. } | Self::NothingApplied => (Code::OutOfRange, "NOTHING_KNOWN"),
            Self::UnknownParty { .. } => (Code::NotFound, "UNKNOWN_PARTY"),
            Self::UnknownGrant { .. } => (Code::NotFound, "UNKNOWN_GRANT"),
            Self::StatementTooLong { .. } => (Code::FailedPrecondition, "STATEMENT_TOO_LONG"),
            Self::Query(QueryError::TooLarge) => (Code::OutOfRange, "SUM_TOO_LARGE"),
            Self::Query(QueryError::TooSlow) => (Code::DeadlineExceeded, "TOO_SLOW"),
            Self::Query(error) if error.is_passing() => (Code::Unavailable, "UNAVAILABLE"),
            Self::Query(_) => (Code::Internal, "INTERNAL"),
        }
    }

    fn message_zh(&self) -> String {
        match self {
            Self::NotApplied { wanted, applied } => {
                format!("序号 {wanted} 尚未入账，目前到 {applied}；如需等待请填写 min_position")
            }
            Self::NotReached(NotReached { wanted, reached }) => {
                format!("在时限内未到序号 {wanted}，目前到 {reached}；请稍后再试，或不填 min_position")
            }
            Self::Stopped { wanted, reached, .. } => {
                format!(
                    "账簿已停在序号 {reached}，不会到 {wanted}；如需已入账的内容请不填 min_position，并请运行人员查看“concord audit status”"
                )
            }
            Self::InsideDecision { wanted, first, last } => {
                format!(
                    "序号 {wanted} 在一项决定（序号 {first} 至 {last}）之中，该决定须整体反映；请按序号 {last} 或此前的 {} 询问",
                    first - 1
                )
            }
            Self::NotUpToDate { refusal, standing } => {
                format!("{}；{}", refusal.message_zh(), standing.message_zh)
            }
            Self::Unsettled { asked, newest } => {
                format!(
                    "{asked} 时已知的内容尚未确定：最新事件记录于 {newest}；请询问更早的时刻，或按序号询问"
                )
            }
            Self::NothingKnown { asked, first } => {
                format!("{asked} 时尚无记录，首个事件记录于 {first}；请询问该时刻或更晚的时刻")
            }
            Self::NothingApplied => "尚无入账事件；请不填 recorded_at，或填写 min_position 等待".to_owned(),
            Self::UnknownParty { code, position } => {
                format!("到序号 {position} 没有代码为 {code} 的项目单位；请核对代码，或填写单位的 UUID")
            }
            Self::UnknownGrant { grant, as_of } => {
                format!("{as_of} 没有资助项目 {grant}；请核对标识，或询问更晚的序号或日期")
            }
            Self::StatementTooLong { grant } => {
                format!(
                    "资助项目 {grant} 的分录超过 {STATEMENT_LINES_MAX} 条；请用 filter.grant_id 分页列出分录"
                )
            }
            Self::Query(QueryError::TooLarge) => "单个项目的金额超出 64 位整数；请联系运行人员".to_owned(),
            Self::Query(QueryError::TooSlow) => "在时限内未能算出；请缩小筛选范围，或放宽时限".to_owned(),
            Self::Query(_) => "未能应答；请稍后再试".to_owned(),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let (code, reason) = refusal.code_and_reason();
        let message = refusal.to_string();
        match refusal {
            Refusal::NotReached(fault) => grpc::not_reached(DOMAIN, fault),
            _ if code == Code::Internal => grpc::internal(DOMAIN, &refusal),
            _ if code == Code::Unavailable => grpc::unavailable(DOMAIN, reason, message, RETRY_SOON),
            _ => {
                let mut facts: HashMap<String, String> =
                    refusal.facts().into_iter().map(|(name, fact)| (name.to_owned(), fact)).collect();
                facts.insert("message_zh".to_owned(), refusal.message_zh());
                grpc::refused_as(code, DOMAIN, reason, (message, None), facts, Vec::new())
            }
        }
    }
}

impl From<QueryError> for Status {
    fn from(error: QueryError) -> Self {
        Refusal::Query(error).into()
    }
}
