//! How the tables stand when they are asked: what an answer says beside its point, where more may have happened than it shows.

use super::{Audit, LOG, point::shown};
use crate::query::Point;
use concord_chassis::projection::{Runner, Stopped, Verified};
use concord_proto::audit::v1::{Reflects, Standing};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// How long ago the tables may have been known to be up to date before an answer says so. The log's owner is asked each second, and
/// may take two to answer.
const UNVERIFIED_MAX: SignedDuration = SignedDuration::from_secs(5);

/// How far the projection is, as its runner tells it.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Position up to which rows are committed.
    pub applied: watch::Receiver<u64>,
    /// The log's head, as far as it is known.
    pub head: watch::Receiver<u64>,
    /// Why it stands still for good.
    pub stopped: watch::Receiver<Option<Stopped>>,
    /// When the rows were last known to be up to date.
    pub verified: watch::Receiver<Option<Verified>>,
}

impl Progress {
    /// That of a runner.
    #[must_use]
    pub fn of(runner: &Runner) -> Self {
        Self {
            applied: runner.applied(),
            head: runner.head(),
            stopped: runner.stopped(),
            verified: runner.verified(),
        }
    }
}

impl Audit {
    /// What an answer reflects, and how the tables stand. Every answer about the log has it.
    pub(super) fn reflects(&self, point: Point) -> Reflects {
        Reflects {
            as_of: shown(point),
            position: point.position.unsigned_abs(),
            effective_on: point.effective_on.map_or_else(String::new, |date| date.to_string()),
            standing: self.standing(),
        }
    }

    /// How the tables stand; `None` where they are known to be up to date.
    pub(super) fn standing(&self) -> Option<Standing> {
        let Progress { applied, head, stopped, verified } = &self.progress;
        let position = *applied.borrow();
        let log_head = (*head.borrow()).max(position);
        if let Some(stopped) = &*stopped.borrow() {
            return Some(stands_still(stopped, position, log_head));
        }
        // Until it was once, the tables count as up to date as of the start: there is always a moment before the first word.
        let since = verified.borrow().map_or(self.began, |verified| verified.at);
        let is_recent = Timestamp::now().duration_since(since) <= UNVERIFIED_MAX;
        (!is_recent).then(|| lags(since, position, log_head))
    }
}

fn stands_still(Stopped { at, why, .. }: &Stopped, position: u64, log_head: u64) -> Standing {
    Standing {
        state: "stopped".to_owned(),
        position,
        log_head,
        since: at.to_string(),
        message: format!(
            "stopped on {at} at {LOG}@{position}, the log being at {log_head} or further ({why}): what is shown is right as of that \
             position and lacks what came later; have whoever operates the service look at \"concord audit status\", mend it and \
             start it again"
        ),
        message_zh: format!(
            "账簿已于{at}停在{LOG}@{position}（日志至少已到{log_head}）：所示内容截至该序号，其后的事项未入账；请联系运行人员\
             查看“concord audit status”，排除原因后重新启动"
        ),
    }
}

fn lags(since: Timestamp, position: u64, log_head: u64) -> Standing {
    let behind = log_head > position;
    let (state, message, message_zh) = if behind {
        (
            "behind",
            format!(
                "not up to date since {since}: the tables are at {LOG}@{position}, the log at {log_head} or further; what is shown is \
                 right as of that position; ask again later, or pass min_position to wait"
            ),
            format!(
                "自{since}起未跟上：账簿在{LOG}@{position}，日志至少已到{log_head}；所示内容截至该序号，请稍后再试，或填写 min_position 等待"
            ),
        )
    } else {
        (
            "unverified",
            format!(
                "the service of {LOG} has not said since {since} where the log ends: the tables are at {LOG}@{position}, and more may \
                 have been recorded; what is shown is right as of that position; if this lasts, have whoever operates the services \
                 see to it"
            ),
            format!(
                "自{since}起未能核实日志的最新位置：账簿在{LOG}@{position}，其后可能另有记录；所示内容截至该序号，如持续如此请联系运行人员"
            ),
        )
    };
    Standing { state: state.to_owned(), position, log_head, since: since.to_string(), message, message_zh }
}
