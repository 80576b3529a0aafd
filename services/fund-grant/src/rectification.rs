//! A rectification 整改: what somebody does about a finding that they are charged with (domain.md section 3, "A finding").
//!
//! ```text
//!  AssignRectification            ExplainFinding
//!  ─────────────────▶ Assigned ────────────────────▶ Explained ── AcceptExplanation ──▶ Accepted
//!                        │                               │
//!                        └──────────────┬────────────────┘
//!                                       ├── RectifyFinding ──▶ Rectified
//!                                       └── DismissFinding ──▶ Dismissed
//! ```
//!
//! A finding is computed and never stored; it is known by its key (rule, subject, position of its cause), and the id of its
//! rectification follows from that. So one finding has one rectification, whoever computes it, however often.

use crate::{
    content_hash,
    refusal::{self, Ruling, done_otherwise, happens, happens_under, refused, unchanged},
    rules::Hand,
    view::{self, Case},
};
use concord_chassis::{
    deciding::not_before,
    log::{Decision, Meta, RefusalKind, Stop},
};
use concord_events::fund::{FindingKey, FundEvent};
use concord_kernel::{
    Date,
    id::{GrantId, RectificationId},
};
use serde::{Deserialize, Serialize};

/// A rectification as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rectification {
    /// Its id.
    pub id: RectificationId,
    /// Hash of the event that opened it: the same again is a repeat.
    pub opened_as: String,
    /// What was asked, of whom.
    pub charge: Charge,
    /// What the owner said, once they did.
    pub explanation: Option<String>,
    /// What it came to.
    pub conclusion: Option<Conclusion>,
    /// When its last step happened; none lies before it.
    pub last_step_on: Date,
}

/// Charging somebody with a finding 整改交办.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The finding.
    pub finding: FindingKey,
    /// The grant that it is about, where it is about one.
    pub grant: Option<GrantId>,
    /// Who is charged with it: opaque id of a person or an organisation.
    pub owner: String,
    /// Day by which it is to be put right.
    pub deadline: Date,
    /// What is asked.
    pub task: String,
}

/// What a rectification came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// It was put right 已整改.
    Rectified {
        /// What proves it.
        evidence: String,
    },
    /// The explanation was accepted 说明成立.
    Accepted {
        /// Minutes or decision.
        minutes: String,
        /// Why.
        reason: String,
    },
    /// It is none 不成立.
    Dismissed {
        /// Minutes or decision.
        minutes: String,
        /// Why.
        reason: String,
    },
}

/// What is asked of a rectification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RectificationCommand {
    /// Charge somebody with it.
    Assign(Charge),
    /// Explain it 说明; the owner's.
    Explain {
        /// What they say.
        explanation: String,
    },
    /// Conclude it. That it was put right is recorded by whoever has the proof; the rest is the office's.
    Conclude(Conclusion),
}

/// The id of the rectification of a finding, the same on every run.
#[must_use]
pub fn id_of(finding: &FindingKey) -> RectificationId {
    let FindingKey { rule, subject, position } = finding;
    RectificationId::derived("finding", &format!("{rule}|{subject}|{position}"))
}

/// Decides every pair of rectification (absent, or where it stands) and command.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    id: RectificationId,
    command: &RectificationCommand,
) -> Result<Decision<FundEvent>, Stop> {
    use RectificationCommand::{Assign, Conclude, Explain};
    let known = view::rectification_or_free(case, id)?;
    let about = known.map(|known| &known.charge).or(match command {
        Assign(charge) => Some(charge),
        Explain { .. } | Conclude(_) => None,
    });
    let grant = about.and_then(|charge| charge.grant).map(|grant| view::grant(case, grant)).transpose()?;
    let ruling = match (known, command) {
        (None, Assign(charge)) => assign(case, id, charge),
        (Some(known), Assign(charge)) => known.assign_again(charge),
        (None, Explain { .. } | Conclude(_)) => {
            return Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_rectification(id)]));
        }
        (Some(known), Explain { explanation }) => known.explain(explanation),
        (Some(known), Conclude(conclusion)) => known.conclude(conclusion),
    };
    let hand = match command {
        Explain { .. } | Conclude(Conclusion::Rectified { .. }) => Hand::Anybody,
        Assign(_) | Conclude(Conclusion::Accepted { .. } | Conclusion::Dismissed { .. }) => {
            Hand::Office(None)
        }
    };
    let last = known.map(|known| known.last_step_on);
    match grant {
        Some(grant) => grant.conclude(case, hand, last.unwrap_or(Date::MIN), ruling),
        None => case.conclude(Vec::new(), ruling, not_before(last, case.context.effective_on)),
    }
}

fn assign(case: &Case<'_, '_>, id: RectificationId, charge: &Charge) -> Ruling {
    let (on, head) = (case.context.effective_on, case.context.head);
    happens_under(
        [
            (charge.finding.position > head)
                .then(|| refusal::finding_ahead_of_log(charge.finding.position, head)),
            (charge.deadline < on).then(|| refusal::deadline_passed(charge.deadline, on)),
        ],
        charge.event(id),
    )
    .map(|decision| decision.answering("rectification_id", id))
}

impl Charge {
    fn event(&self, rectification: RectificationId) -> FundEvent {
        FundEvent::RectificationAssigned {
            rectification,
            finding: self.finding.clone(),
            grant: self.grant,
            owner: self.owner.clone(),
            deadline: self.deadline,
            task: self.task.clone(),
        }
    }
}

impl Rectification {
    fn assign_again(&self, charge: &Charge) -> Ruling {
        if self.opened_as == content_hash(&charge.event(self.id)) {
            return Ok(Decision::unchanged().answering("rectification_id", self.id));
        }
        refused(done_otherwise(
            "RECTIFICATION_ALREADY_ASSIGNED",
            ("the finding was assigned", "该问题已交办"),
            &[("owner", &self.charge.owner), ("deadline", &self.charge.deadline), ("state", &self.words().0)],
        ))
    }

    fn explain(&self, explanation: &str) -> Ruling {
        match (&self.explanation, &self.conclusion) {
            (Some(first), _) if first == explanation => unchanged(),
            (Some(first), _) => refused(done_otherwise(
                "FINDING_ALREADY_EXPLAINED",
                ("the finding was explained", "该问题已作说明"),
                &[("explanation", first)],
            )),
            (None, Some(_)) => self.wrong(("it is explained before it is concluded", "办结之前方可说明")),
            (None, None) => happens(FundEvent::RectificationExplained {
                rectification: self.id,
                explanation: explanation.to_owned(),
            }),
        }
    }

    fn conclude(&self, conclusion: &Conclusion) -> Ruling {
        let rectification = self.id;
        match (conclusion, &self.conclusion, &self.explanation) {
            (_, Some(first), _) if first == conclusion => unchanged(),
            (_, Some(_), _) => refused(done_otherwise(
                "FINDING_ALREADY_CONCLUDED",
                ("the rectification was concluded", "该整改已办结"),
                &[("state", &self.words().0)],
            )),
            (Conclusion::Accepted { .. }, None, None) => {
                self.wrong(("an explanation is accepted once there is one", "须先有说明，方可认定说明成立"))
            }
            (Conclusion::Rectified { evidence }, None, _) => {
                happens(FundEvent::FindingRectified { rectification, evidence: evidence.clone() })
            }
            (Conclusion::Accepted { minutes, reason }, None, Some(_)) => {
                happens(FundEvent::FindingAccepted {
                    rectification,
                    minutes: minutes.clone(),
                    reason: reason.clone(),
                })
            }
            (Conclusion::Dismissed { minutes, reason }, None, _) => happens(FundEvent::FindingDismissed {
                rectification,
                minutes: minutes.clone(),
                reason: reason.clone(),
            }),
        }
    }

    fn wrong(&self, rule: (&str, &str)) -> Ruling {
        refused(refusal::wrong_rectification_state(self, rule))
    }

    /// Stable name of where it stands, and the Chinese one.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str) {
        match (&self.conclusion, &self.explanation) {
            (None, None) => ("assigned", "已交办"),
            (None, Some(_)) => ("explained", "已说明"),
            (Some(Conclusion::Rectified { .. }), _) => ("rectified", "已整改"),
            (Some(Conclusion::Accepted { .. }), _) => ("accepted", "说明成立"),
            (Some(Conclusion::Dismissed { .. }), _) => ("dismissed", "不成立"),
        }
    }

    /// The rectification that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &FundEvent, meta: &Meta<'_>) -> Option<Self> {
        let FundEvent::RectificationAssigned { rectification, finding, grant, owner, deadline, task } = event
        else {
            return None;
        };
        Some(Self {
            id: *rectification,
            opened_as: content_hash(event),
            charge: Charge {
                finding: finding.clone(),
                grant: *grant,
                owner: owner.clone(),
                deadline: *deadline,
                task: task.clone(),
            },
            explanation: None,
            conclusion: None,
            last_step_on: meta.effective_on,
        })
    }

    /// Folds an event.
    pub(crate) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        match event {
            FundEvent::RectificationExplained { explanation, .. } => {
                self.explanation = Some(explanation.clone());
            }
            FundEvent::FindingRectified { evidence, .. } => {
                self.conclusion = Some(Conclusion::Rectified { evidence: evidence.clone() });
            }
            FundEvent::FindingAccepted { minutes, reason, .. } => {
                let (minutes, reason) = (minutes.clone(), reason.clone());
                self.conclusion = Some(Conclusion::Accepted { minutes, reason });
            }
            FundEvent::FindingDismissed { minutes, reason, .. } => {
                let (minutes, reason) = (minutes.clone(), reason.clone());
                self.conclusion = Some(Conclusion::Dismissed { minutes, reason });
            }
            _ => return,
        }
        self.last_step_on = meta.effective_on;
    }
}
