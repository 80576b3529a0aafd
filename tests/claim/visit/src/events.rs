//! Events of the `visit` log. In the repository such a file lies in `services/events`, where other services can read it.

use concord_kernel::{
    Date,
    event::{LogEvent, StreamId},
    party::PartyCode,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Id of a visit. In the repository such a type is a line of `services/kernel/src/id.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VisitId(pub Uuid);

impl VisitId {
    /// Kind of what it identifies.
    pub const KIND: &'static str = "visit";

    /// The aggregate with this id.
    #[must_use]
    pub const fn stream(self) -> StreamId {
        StreamId::new(Self::KIND, self.0)
    }
}

/// An event of the `visit` log. Past tense, and sufficient by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "data")]
pub enum VisitEvent {
    /// The played clock's today moved forward (architecture, "Two clocks"). In the stream of the log itself.
    #[serde(rename = "concord.visit.v1.TodayAdvanced")]
    TodayAdvanced {
        /// The new today.
        today: Date,
    },
    /// A visit was arranged 约定.
    #[serde(rename = "concord.visit.v1.VisitArranged")]
    VisitArranged {
        /// The new visit.
        visit: VisitId,
        /// Who is visited.
        host: PartyCode,
        /// Who visits.
        guest: PartyCode,
        /// Day for which it is planned.
        planned_on: Date,
        /// What it is about.
        purpose: String,
    },
    /// It took place, on the day of the event, and has its minutes 纪要.
    #[serde(rename = "concord.visit.v1.VisitMinuted")]
    VisitMinuted {
        /// The visit.
        visit: VisitId,
        /// Number of the minutes 文号.
        minutes: String,
    },
    /// What was agreed there is done 办结.
    #[serde(rename = "concord.visit.v1.VisitClosed")]
    VisitClosed {
        /// The visit.
        visit: VisitId,
    },
}

impl LogEvent for VisitEvent {
    fn stream(&self) -> StreamId {
        match self {
            Self::TodayAdvanced { .. } => StreamId::LOG,
            Self::VisitArranged { visit, .. }
            | Self::VisitMinuted { visit, .. }
            | Self::VisitClosed { visit } => visit.stream(),
        }
    }

    fn also(&self) -> Vec<StreamId> {
        Vec::new()
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::TodayAdvanced { .. } => "concord.visit.v1.TodayAdvanced",
            Self::VisitArranged { .. } => "concord.visit.v1.VisitArranged",
            Self::VisitMinuted { .. } => "concord.visit.v1.VisitMinuted",
            Self::VisitClosed { .. } => "concord.visit.v1.VisitClosed",
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
}
