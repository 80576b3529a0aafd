//! From recommendation 推荐 to notice 公示, and the two ways out before a contract.

use super::{
    Grant, Stage,
    filing::{Filing, filed_lead},
};
use crate::{
    refusal::{self, Ruling, done_otherwise, happens, refused, unchanged, wrong_stage},
    rules::Hand,
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Stop};
use concord_events::fund::FundEvent;
use concord_kernel::money::Amount;
use concord_kernel::{Date, rulebook::Duty};
use serde::{Deserialize, Serialize};

/// A recommendation by a city or a department.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// Recommending body 推荐单位.
    pub recommender: String,
}

/// What the experts found, and on what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// What was reviewed.
    pub recommendation: Recommendation,
    /// Hundredths of a point, 0 to 10,000.
    pub score_hundredths: u32,
    /// The most that they would award.
    pub ceiling_minor: i64,
}

/// The intended award, as published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What it rests on.
    pub review: Review,
    /// The award as published.
    pub amount_minor: i64,
    /// Last counted working day.
    pub last_day: Date,
    /// First day on which it may be approved.
    pub approvable_from: Date,
}

/// A step of procedure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProcedureCommand {
    /// Recommend it 推荐.
    Recommend {
        /// Recommending body.
        recommender: String,
    },
    /// Take it in 受理.
    Admit,
    /// Record the experts' review 评审.
    Review {
        /// Hundredths of a point, 0 to 10,000.
        score_hundredths: u32,
        /// The most that they would award.
        ceiling: Amount,
    },
    /// Publish the intended award 公示.
    PublishNotice {
        /// As published.
        amount: Amount,
    },
    /// Turn it down 不予立项.
    Reject {
        /// Why.
        reason: String,
    },
    /// Withdraw it 撤回.
    Withdraw {
        /// Why.
        reason: String,
    },
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &ProcedureCommand,
) -> Result<Decision<FundEvent>, Stop> {
    use ProcedureCommand::{Admit, PublishNotice, Recommend, Reject, Review, Withdraw};
    case.well_formed([match command {
        Review { ceiling, .. } => grant.other_currency("ceiling.currency", *ceiling),
        PublishNotice { amount } => grant.other_currency("amount.currency", *amount),
        Recommend { .. } | Admit | Reject { .. } | Withdraw { .. } => None,
    }])?;
    let hand = match command {
        Recommend { .. } => Hand::Office(Some(Duty::Recommend)),
        Admit => Hand::Office(Some(Duty::Admit)),
        Review { .. } => Hand::Office(Some(Duty::Review)),
        PublishNotice { .. } => Hand::Office(Some(Duty::Publish)),
        Reject { .. } => Hand::Office(None),
        Withdraw { .. } => Hand::Applicant(None),
    };
    let filing = Filing::of(case, grant, command)?;
    grant.conclude(case, hand, grant.last_step_on, rule(case, grant, command, filing.as_ref()))
}

/// Rules on every pair of command and stage.
fn rule(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &ProcedureCommand,
    filing: Option<&Filing<'_>>,
) -> Ruling {
    use ProcedureCommand::{Admit, PublishNotice, Recommend, Reject, Review, Withdraw};
    let stage = &grant.stage;
    match (command, stage) {
        (Recommend { recommender }, Stage::Applied) => {
            happens(FundEvent::GrantRecommended { grant: grant.id, recommender: recommender.clone() })
        }
        (Recommend { recommender }, _) => match stage.recommendation() {
            Some(first) if first.recommender == *recommender => unchanged(),
            Some(first) => refused(recommended_already(first)),
            None => refused(wrong_stage(
                stage,
                ("a grant is recommended after it was applied for", "申报之后方可推荐"),
            )),
        },

        (Admit, Stage::Admitted(_)) => unchanged(),
        (Admit, _) if stage.review().is_some() => unchanged(),
        (Admit, _) => match filing {
            Some(filing) => filing.admit(case, grant),
            None => refused(wrong_stage(
                stage,
                ("a grant is admitted after it was recommended", "推荐之后方可受理"),
            )),
        },

        (Review { score_hundredths, ceiling }, Stage::Admitted(_)) => happens(FundEvent::GrantReviewed {
            grant: grant.id,
            currency: grant.currency,
            score_hundredths: *score_hundredths,
            ceiling_minor: ceiling.minor,
        }),
        (Review { score_hundredths, ceiling }, _) => match stage.review() {
            Some(first)
                if (first.score_hundredths, first.ceiling_minor) == (*score_hundredths, ceiling.minor) =>
            {
                unchanged()
            }
            Some(first) => refused(reviewed_already(grant, first)),
            None => {
                refused(wrong_stage(stage, ("a grant is reviewed after it was admitted", "受理之后方可评审")))
            }
        },

        (PublishNotice { amount }, Stage::Reviewed(_)) => publish(case, grant, *amount),
        (PublishNotice { amount }, _) => match (stage.notice(), stage.approval()) {
            (Some(notice), _) if notice.amount_minor == amount.minor => {
                Ok(Decision::unchanged().answering("approvable_from", notice.approvable_from))
            }
            // What is published changes, so the count starts again.
            (Some(_), None) => publish(case, grant, *amount),
            (Some(notice), Some(_)) => refused(published_already(grant, notice)),
            (None, _) => refused(wrong_stage(
                stage,
                ("a notice is published between review and approval", "评审之后、立项之前方可公示"),
            )),
        },

        (Reject { reason }, Stage::Rejected(first)) | (Withdraw { reason }, Stage::Withdrawn(first))
            if reason == first =>
        {
            unchanged()
        }
        (Reject { .. }, Stage::Running(_) | Stage::Rejected(_) | Stage::Withdrawn(_)) => refused(
            wrong_stage(stage, ("a grant is rejected before its contract", "签订任务书之前方可不予立项")),
        ),
        (Reject { reason }, _) => happens(FundEvent::GrantRejected {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            mode: grant.mode,
            lead_region: grant.project.lead.region.clone(),
            released_minor: reserved_minor(stage),
            reason: reason.clone(),
            backing: grant.backing,
            lead: filed_lead(grant),
        }),
        (Withdraw { .. }, Stage::Running(_) | Stage::Rejected(_) | Stage::Withdrawn(_)) => refused(
            wrong_stage(stage, ("a grant is withdrawn before its contract", "签订任务书之前方可撤回")),
        ),
        (Withdraw { reason }, _) => happens(FundEvent::GrantWithdrawn {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            mode: grant.mode,
            lead_region: grant.project.lead.region.clone(),
            released_minor: reserved_minor(stage),
            reason: reason.clone(),
            backing: grant.backing,
            lead: filed_lead(grant),
        }),
    }
}

/// A08: the days are counted from the day after publication; approval is possible on the day after the last of them.
fn publish(case: &Case<'_, '_>, grant: &Grant, amount: Amount) -> Ruling {
    let (notice, published_on) = (&case.rulebook.notice, case.context.effective_on);
    let last_day = notice
        .last_counted_day(published_on, case.calendar)
        .map_err(|missing| vec![refusal::calendar_ends(published_on, notice.working_days, &missing)])?;
    let approvable_from = last_day.tomorrow().unwrap_or(Date::MAX);
    let published = FundEvent::NoticePublished {
        grant: grant.id,
        currency: grant.currency,
        amount_minor: amount.minor,
        working_days: notice.working_days,
        last_day,
        approvable_from,
    };
    happens(published).map(|decision| decision.answering("approvable_from", approvable_from))
}

/// What the programme holds for the grant at this stage.
fn reserved_minor(stage: &Stage) -> i64 {
    match stage {
        Stage::Approved(approval) => approval.amount_minor,
        _ => 0,
    }
}

fn recommended_already(first: &Recommendation) -> Broken {
    done_otherwise(
        "ALREADY_RECOMMENDED",
        ("the grant was recommended", "该项目已推荐"),
        &[("recommender", &first.recommender)],
    )
}

fn reviewed_already(grant: &Grant, first: &Review) -> Broken {
    done_otherwise(
        "ALREADY_REVIEWED",
        ("the grant was reviewed", "该项目已评审"),
        &[("score_hundredths", &first.score_hundredths), ("ceiling", &grant.amount(first.ceiling_minor))],
    )
}

fn published_already(grant: &Grant, first: &Notice) -> Broken {
    done_otherwise(
        "ALREADY_APPROVED",
        ("the grant was approved as published", "该项目已按公示立项"),
        &[("amount", &grant.amount(first.amount_minor))],
    )
}

/// The stage after a step of procedure.
pub(super) fn after(stage: Stage, event: &FundEvent) -> Stage {
    match (event, stage) {
        (FundEvent::GrantRecommended { recommender, .. }, Stage::Applied) => {
            Stage::Recommended(Recommendation { recommender: recommender.clone() })
        }
        (FundEvent::GrantAdmitted { .. }, Stage::Recommended(recommendation)) => {
            Stage::Admitted(recommendation)
        }
        (
            FundEvent::GrantReviewed { score_hundredths, ceiling_minor, .. },
            Stage::Admitted(recommendation),
        ) => Stage::Reviewed(Review {
            recommendation,
            score_hundredths: *score_hundredths,
            ceiling_minor: *ceiling_minor,
        }),
        (
            FundEvent::NoticePublished { amount_minor, last_day, approvable_from, .. },
            Stage::Reviewed(review) | Stage::OnNotice(Notice { review, .. }),
        ) => Stage::OnNotice(Notice {
            review,
            amount_minor: *amount_minor,
            last_day: *last_day,
            approvable_from: *approvable_from,
        }),
        // It is reviewed anew.
        (
            FundEvent::ObjectionUpheld { .. },
            Stage::Reviewed(review) | Stage::OnNotice(Notice { review, .. }),
        ) => Stage::Admitted(review.recommendation),
        (FundEvent::GrantRejected { reason, .. }, _) => Stage::Rejected(reason.clone()),
        (FundEvent::GrantWithdrawn { reason, .. }, _) => Stage::Withdrawn(reason.clone()),
        (_, stage) => stage,
    }
}
