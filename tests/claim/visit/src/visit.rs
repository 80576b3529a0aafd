//! A visit 互访 (domain.md section 3, agreement: "visits 互访 minuted").
//!
//! ```text
//!            ArrangeVisit           MinuteVisit           CloseVisit
//!  (absent) ─────────────▶ Arranged ────────────▶ Minuted ───────────▶ Closed
//! ```
//!
//! The same arrangement, the same minutes or a second closing change nothing. Another arrangement under the id, or other
//! minutes, are refused.

use crate::{
    events::{VisitEvent, VisitId},
    refusal,
};
use concord_chassis::{
    deciding::{Case, content_hash, happens, happens_under, not_before, refused, taken, unchanged},
    log::{Broken, Decision, Meta, RefusalKind, Stop},
};
use concord_kernel::{Date, party::PartyCode};
use serde::{Deserialize, Serialize};

/// A visit as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// What was arranged.
    pub arranged: Arrangement,
    /// Hash of the event that opened it: the same arrangement again is a repeat.
    pub opened_as: String,
    /// Where it stands.
    pub stage: Stage,
    /// When its last step happened; nothing lies before it.
    pub last_step_on: Date,
}

/// Where a visit stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It lies ahead.
    Arranged,
    /// It took place.
    Minuted {
        /// Number of the minutes.
        minutes: String,
    },
    /// Nothing is left to do.
    Closed {
        /// Number of the minutes.
        minutes: String,
    },
}

/// What is asked of a visit. Its JSON is stored with the answer, so its names are permanent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitCommand {
    /// Arrange it.
    Arrange(Arrangement),
    /// Record that it took place.
    Minute {
        /// Number of the minutes.
        minutes: String,
    },
    /// Close it.
    Close,
}

/// What is arranged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrangement {
    /// Who is visited.
    pub host: PartyCode,
    /// Who visits.
    pub guest: PartyCode,
    /// Day for which it is planned.
    pub planned_on: Date,
    /// What it is about.
    pub purpose: String,
}

/// Decides every pair of stage (or none) and command.
pub(crate) fn decide(
    case: &Case<'_, '_, Visit>,
    id: VisitId,
    command: &VisitCommand,
) -> Result<Decision<VisitEvent>, Stop> {
    use VisitCommand::{Arrange, Close, Minute};
    let visit = case.find_or_free(id.stream(), "visit_id", Some)?;
    let minuted =
        |minutes: &String| happens(VisitEvent::VisitMinuted { visit: id, minutes: minutes.clone() });
    let ruling = match (visit.map(|visit| (visit, &visit.stage)), command) {
        (None, Arrange(asked)) => {
            case.well_formed([(asked.host == asked.guest).then(refusal::visits_itself)])?;
            happens_under([asked.planned_before(case.context.effective_on)], asked.event(id))
        }
        (None, Minute { .. } | Close) => {
            return Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_visit(id)]));
        }
        (Some((visit, _)), Arrange(asked)) if visit.opened_as == content_hash(&asked.event(id)) => {
            unchanged()
        }
        (Some(_), Arrange(_)) => {
            return Err(case.refuse(RefusalKind::Taken, vec![taken("visit_id", id.stream())]));
        }
        (Some((_, Stage::Arranged)), Minute { minutes }) => minuted(minutes),
        (Some((_, Stage::Arranged)), Close) => refused(refusal::not_minuted()),
        (
            Some((_, Stage::Minuted { minutes: kept } | Stage::Closed { minutes: kept })),
            Minute { minutes },
        ) => {
            if kept == minutes {
                unchanged()
            } else {
                refused(refusal::minuted_otherwise(kept))
            }
        }
        (Some((_, Stage::Minuted { .. })), Close) => happens(VisitEvent::VisitClosed { visit: id }),
        (Some((_, Stage::Closed { .. })), Close) => unchanged(),
    };
    let last_step_on = visit.map(|visit| visit.last_step_on);
    case.conclude(Vec::new(), ruling, not_before(last_step_on, case.context.effective_on))
}

impl Arrangement {
    fn event(&self, visit: VisitId) -> VisitEvent {
        let Self { host, guest, planned_on, purpose } = self.clone();
        VisitEvent::VisitArranged { visit, host, guest, planned_on, purpose }
    }

    fn planned_before(&self, arranged_on: Date) -> Option<Broken> {
        (self.planned_on < arranged_on).then(|| refusal::planned_before(self.planned_on, arranged_on))
    }
}

impl Visit {
    /// The visit that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &VisitEvent, meta: &Meta<'_>) -> Option<Self> {
        let VisitEvent::VisitArranged { visit, host, guest, planned_on, purpose } = event.clone() else {
            return None;
        };
        Some(Self {
            id: visit,
            arranged: Arrangement { host, guest, planned_on, purpose },
            opened_as: content_hash(event),
            stage: Stage::Arranged,
            last_step_on: meta.effective_on,
        })
    }

    /// Folds an event.
    pub(crate) fn apply(&mut self, event: &VisitEvent, meta: &Meta<'_>) {
        match event {
            VisitEvent::TodayAdvanced { .. } | VisitEvent::VisitArranged { .. } => return,
            VisitEvent::VisitMinuted { minutes, .. } => {
                self.stage = Stage::Minuted { minutes: minutes.clone() }
            }
            VisitEvent::VisitClosed { .. } => {
                self.stage = Stage::Closed { minutes: self.minutes().to_owned() }
            }
        }
        self.last_step_on = meta.effective_on;
    }

    /// Number of the minutes; empty until it has taken place.
    #[must_use]
    pub fn minutes(&self) -> &str {
        match &self.stage {
            Stage::Arranged => "",
            Stage::Minuted { minutes } | Stage::Closed { minutes } => minutes,
        }
    }
}
