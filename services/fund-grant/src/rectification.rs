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
//! rectification follows from that, in whatever spelling it is given. So one finding has one rectification, whoever computes it,
//! however often. One that was concluded is assigned anew where the finding is there again: it has grown, or was not put right.
//!
//! The log cannot know what the audit finds. It knows what a subject names, and with that who must keep out of it: a charge, an
//! acceptance and a dismissal are the office's or the auditor's, an explanation is its owner's, and that it was put right is
//! said by either. Whether there was such a finding, and of what amount, the audit works out as of the event's position.

use crate::{
    grant::Grant,
    party,
    refusal::{self, Ruling, done_otherwise, happens, happens_under, refused, unchanged},
    rules::{self, Hand},
    view::{self, Case},
};
use concord_chassis::{
    deciding::not_before,
    log::{Broken, Decision, Meta, RefusalKind, Stop},
};
use concord_events::fund::{FindingKey, FindingSubject, FundEvent};
use concord_kernel::{
    Date,
    id::{GrantId, ProgrammeId, RectificationId},
    money::Amount,
};
use serde::{Deserialize, Serialize};

/// A rectification as its events left it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rectification {
    /// Its id.
    pub id: RectificationId,
    /// What was asked, of whom; the newest, where it was assigned anew.
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
    /// The grant that it is about. A request may leave it out: it follows from the finding's subject.
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
        /// What the finding amounted to, as those who decided saw it; `None` where they did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Amount>,
    },
    /// It is none 不成立.
    Dismissed {
        /// Minutes or decision.
        minutes: String,
        /// Why.
        reason: String,
        /// What the finding amounted to, as those who decided saw it; `None` where they did not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Amount>,
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

/// The id of the rectification of a finding, the same on every run and in every spelling of its key.
#[must_use]
pub fn id_of(finding: &FindingKey) -> RectificationId {
    id_as_written(&finding.normal())
}

/// The id that follows from a key as it is written. Stored requests have it, and a repeat of one has to have the same body;
/// nothing else goes by it.
pub(crate) fn id_as_written(finding: &FindingKey) -> RectificationId {
    let FindingKey { rule, subject, position } = finding;
    RectificationId::derived("finding", &format!("{rule}|{subject}|{position}"))
}

/// Decides every pair of rectification (absent, or where it stands) and command.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    id: RectificationId,
    command: &RectificationCommand,
) -> Result<Decision<FundEvent>, Stop> {
    match command {
        RectificationCommand::Assign(asked) => assign(case, asked),
        RectificationCommand::Explain { explanation } => {
            let (known, about) = found(case, id)?;
            let stranger = not_the_owner(case, &known.charge.owner);
            conclude(case, Some(known), &about, stranger, known.explain(explanation))
        }
        RectificationCommand::Conclude(conclusion) => {
            let (known, about) = found(case, id)?;
            let owner = &known.charge.owner;
            let stands_against = match conclusion {
                // It hides nothing, and whoever has the proof may say so: the owner, or who may decide.
                Conclusion::Rectified { .. } if not_the_owner(case, owner).is_none() => None,
                Conclusion::Rectified { .. } | Conclusion::Accepted { .. } | Conclusion::Dismissed { .. } => {
                    may_not_decide(case, &about, owner)?
                }
            };
            conclude(case, Some(known), &about, stands_against, known.conclude(conclusion))
        }
    }
}

/// A rectification, and what its finding is about.
fn found<'v>(case: &Case<'_, 'v>, id: RectificationId) -> Result<(&'v Rectification, About<'v>), Stop> {
    let known = view::rectification(case, id)?;
    let about = match About::of(case, &known.charge.finding)? {
        Some(about) => about,
        // Assigned before subjects were looked at: the grant that it names itself is all there is.
        None => About { grants: view::known_grant(case, known.charge.grant)?.into_iter().collect() },
    };
    Ok((known, about))
}

fn assign(case: &Case<'_, '_>, asked: &Charge) -> Result<Decision<FundEvent>, Stop> {
    let finding = asked.finding.normal();
    if finding.about().is_none() {
        return Err(case.refuse(RefusalKind::Malformed, vec![refusal::no_subject_of_the_rule(&finding)]));
    }
    let Some(about) = About::of(case, &finding)? else {
        return Err(case.refuse(RefusalKind::NotFound, vec![refusal::subject_not_found(&finding)]));
    };
    let own = about.first().map(|grant| grant.id);
    let charge = Charge { finding, grant: own, ..asked.clone() };
    let other_grant = asked.grant.filter(|asked| own != Some(*asked));
    if let Some(other) = other_grant {
        return Err(case.refuse(RefusalKind::Rule, vec![refusal::finding_of_another_grant(&charge, other)]));
    }
    let id = id_of(&charge.finding);
    let known = view::rectification_or_free(case, id)?;
    let ruling = match known {
        None => charge.assigned(case, id),
        Some(known) => known.assign_again(case, &charge),
    };
    conclude(case, known, &about, may_not_decide(case, &about, &charge.owner)?, ruling)
}

/// Turns a ruling into an answer: what stands against the one who acts before it, the order of dates after it, and the rulebook
/// of the award's terms beside it.
fn conclude(
    case: &Case<'_, '_>,
    known: Option<&Rectification>,
    about: &About<'_>,
    stands_against: Option<Broken>,
    ruling: Ruling,
) -> Result<Decision<FundEvent>, Stop> {
    let in_order = not_before(known.map(|known| known.last_step_on), case.context.effective_on);
    let answer = case.conclude(stands_against.into_iter().collect(), ruling, in_order);
    match about.first() {
        Some(grant) => grant.under_terms(answer),
        None => answer,
    }
}

/// A charge, an acceptance and a dismissal: A13 keeps those out whom the finding concerns, and the owner does not decide on the
/// own case.
fn may_not_decide(case: &Case<'_, '_>, about: &About<'_>, owner: &str) -> Result<Option<Broken>, Stop> {
    for grant in &about.grants {
        let acts_for = party::acts_for(case, grant, Hand::Office(None))?;
        let for_a_party = party::acts_for_a_party(case, grant)?;
        let concerned = rules::a13_concerned(case.rulebook, grant, case.context, acts_for, for_a_party);
        if concerned.is_some() {
            return Ok(concerned);
        }
    }
    Ok(not_the_owner(case, owner).is_none().then(|| refusal::owner_decides(owner)))
}

/// Refused where the one who acts is not, and does not act for, whom the charge names: a person, an organisation, or both as
/// `person@organisation`.
fn not_the_owner(case: &Case<'_, '_>, owner: &str) -> Option<Broken> {
    let (person, organisation) = (case.context.actor, case.context.actor_organisation);
    let whole = format!("{person}@{organisation}");
    let is_owner =
        [person, organisation, &whole].into_iter().any(|name| name.eq_ignore_ascii_case(owner.trim()));
    (!is_owner).then(|| refusal::not_the_owner(owner, &whole))
}

/// What a finding is about, as far as somebody has to keep out of what is decided about it.
#[derive(Debug, Default)]
struct About<'v> {
    /// Its grants, the finding's own first; none where it is about a programme.
    grants: Vec<&'v Grant>,
}

impl<'v> About<'v> {
    /// What the finding's subject names; `None` where there is no such thing.
    fn of(case: &Case<'_, 'v>, finding: &FindingKey) -> Result<Option<Self>, Stop> {
        let Some(subject) = finding.about() else { return Ok(None) };
        let of_grant = |id| Ok::<_, Stop>(view::known_grant(case, Some(id))?.map(|grant| vec![grant]));
        let grants = match subject {
            FindingSubject::Grant(id) => of_grant(id)?,
            FindingSubject::Pair(id, other) => {
                let (one, other) = (of_grant(id)?, of_grant(other)?);
                one.zip(other).map(|(one, other)| [one, other].concat())
            }
            FindingSubject::GrantOrProgramme(id) => match of_grant(GrantId(id))? {
                Some(grants) => Some(grants),
                None => view::known_programme(case, ProgrammeId(id))?.map(|_| Vec::new()),
            },
            FindingSubject::Recovery(id) => match view::known_recovery(case, id)? {
                Some(recovery) => of_grant(recovery.grant)?,
                None => None,
            },
            FindingSubject::Rectification(id) => match view::known_rectification(case, id)? {
                Some(known) => Some(view::known_grant(case, known.charge.grant)?.into_iter().collect()),
                None => None,
            },
        };
        Ok(grants.map(|grants| Self { grants }))
    }

    /// The finding's own grant.
    fn first(&self) -> Option<&'v Grant> {
        self.grants.first().copied()
    }
}

impl Charge {
    fn assigned(&self, case: &Case<'_, '_>, id: RectificationId) -> Ruling {
        let (on, head) = (case.context.effective_on, case.context.head);
        happens_under(
            [
                (self.finding.position > head)
                    .then(|| refusal::finding_ahead_of_log(self.finding.position, head)),
                (self.deadline < on).then(|| refusal::deadline_passed(self.deadline, on)),
            ],
            self.event(id),
        )
        .map(|decision| decision.answering("rectification_id", id))
    }

    /// Whether it asks the same of the same. That it names the grant says nothing more.
    fn is_the_same_as(&self, other: &Self) -> bool {
        self.finding == other.finding
            && self.owner == other.owner
            && self.deadline == other.deadline
            && self.task == other.task
    }

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
    fn assign_again(&self, case: &Case<'_, '_>, charge: &Charge) -> Ruling {
        if self.charge.is_the_same_as(charge) {
            return Ok(Decision::unchanged().answering("rectification_id", self.id));
        }
        // It was concluded by what was known then: whoever charges anew has seen that the finding is there again.
        if self.conclusion.is_some() {
            return charge.assigned(case, self.id);
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
            (Conclusion::Accepted { minutes, reason, seen }, None, Some(_)) => {
                happens(FundEvent::FindingAccepted {
                    rectification,
                    minutes: minutes.clone(),
                    reason: reason.clone(),
                    seen: *seen,
                })
            }
            (Conclusion::Dismissed { minutes, reason, seen }, None, _) => {
                happens(FundEvent::FindingDismissed {
                    rectification,
                    minutes: minutes.clone(),
                    reason: reason.clone(),
                    seen: *seen,
                })
            }
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
            FundEvent::RectificationAssigned { .. } => {
                if let Some(anew) = Self::opened_by(event, meta) {
                    *self = anew;
                }
            }
            FundEvent::RectificationExplained { explanation, .. } => {
                self.explanation = Some(explanation.clone());
            }
            FundEvent::FindingRectified { evidence, .. } => {
                self.conclusion = Some(Conclusion::Rectified { evidence: evidence.clone() });
            }
            FundEvent::FindingAccepted { minutes, reason, seen, .. } => {
                let (minutes, reason) = (minutes.clone(), reason.clone());
                self.conclusion = Some(Conclusion::Accepted { minutes, reason, seen: *seen });
            }
            FundEvent::FindingDismissed { minutes, reason, seen, .. } => {
                let (minutes, reason) = (minutes.clone(), reason.clone());
                self.conclusion = Some(Conclusion::Dismissed { minutes, reason, seen: *seen });
            }
            _ => return,
        }
        self.last_step_on = meta.effective_on;
    }
}
