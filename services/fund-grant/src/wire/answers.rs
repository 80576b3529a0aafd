//! States as answers.

mod closing;
mod money;
mod recovery;

pub use recovery::{recovery, rectification};

use crate::{
    backing::{Backing, Standing},
    grant::{
        Grant, Origin, Stage,
        tranche::{Tranche, TrancheState},
    },
    programme::Programme,
};
use concord_events::fund::{FundPurpose, FundingMode, HoldCause, LimitOn, Loss, TrancheCondition};
use concord_kernel::Date;
use concord_proto::{
    fund::v1::{self as fund, sub_limit},
    r#type::v1 as types,
};

/// A grant as the writer knows it.
#[must_use]
pub fn grant(grant: &Grant, version: u64) -> fund::Grant {
    let stage = &grant.stage;
    let contract = grant.contract();
    let starts_on = contract.and_then(|contract| contract.starts_on).or(grant.project.starts_on);
    let ends_on = contract.and_then(|contract| contract.ends_on).or(grant.project.ends_on);
    let on_notice = match stage {
        Stage::OnNotice(notice) => Some(notice.approvable_from),
        _ => None,
    };
    let contracted_minor = contract.map_or(0, |contract| contract.amount_minor);
    let (requested_minor, approved_minor, synthetic) = match &grant.origin {
        Origin::Applied { requested_minor, .. } => {
            (*requested_minor, stage.approval().map_or(0, |approval| approval.amount_minor), false)
        }
        // What came in contracted was asked for and approved elsewhere.
        Origin::Migrated { synthetic } => (0, contracted_minor, *synthetic),
    };
    fund::Grant {
        grant_id: grant.id.to_string(),
        programme_id: grant.programme.to_string(),
        state: state(stage).into(),
        mode: mode(grant.mode).into(),
        title: grant.project.title.clone(),
        lead_party_id: grant.project.lead.party.to_string(),
        lead_code: grant.project.lead.code.to_string(),
        lead_region: grant.project.lead.region.as_ref().map(ToString::to_string).unwrap_or_default(),
        industry: grant.project.industry.map(|industry| industry.to_string()).unwrap_or_default(),
        currency: grant.currency.to_string(),
        requested_minor,
        review_ceiling_minor: stage.review().map_or(0, |review| review.ceiling_minor),
        approvable_from: text(on_notice),
        approved_minor,
        contracted_minor,
        tranches: contract
            .map(|contract| contract.tranches.iter().map(tranche).collect())
            .unwrap_or_default(),
        payee_verified: grant.payee.is_some(),
        migrated: grant.is_migrated(),
        synthetic,
        version,
        starts_on: text(starts_on),
        ends_on: text(ends_on),
        backing_agreement_id: grant.backing.map(|agreement| agreement.to_string()).unwrap_or_default(),
        hold: grant.hold.since.map(|since| fund::Hold {
            since: since.to_string(),
            causes: grant.hold.causes.iter().map(hold_cause).collect(),
        }),
        matching: money::matching(grant),
        shares: contract.map(|contract| money::shares(grant, contract)).unwrap_or_default(),
        spending: contract.map(|_| money::spending(&grant.spending)),
        balances: grant.books.balances().iter().map(money::balance).collect(),
        objections: recovery::objections(&grant.objections),
        overrides: recovery::overrides(&grant.overrides),
        facts: recovery::facts(grant.facts.recorded()),
        recovery_ids: grant.recoveries.iter().map(ToString::to_string).collect(),
        ..contract.map(closing::later_life).unwrap_or_default()
    }
}

fn hold_cause(cause: &HoldCause) -> fund::HoldCause {
    match cause {
        HoldCause::Office { reason } => fund::HoldCause {
            kind: fund::HoldKind::Office.into(),
            reason: reason.clone(),
            ..fund::HoldCause::default()
        },
        HoldCause::BackingLost { agreement, how, agreement_position } => fund::HoldCause {
            kind: fund::HoldKind::BackingLost.into(),
            reason: String::new(),
            agreement_id: agreement.to_string(),
            agreement_state: lost(*how).into(),
            agreement_position: *agreement_position,
        },
    }
}

fn lost(how: Loss) -> fund::BackingState {
    match how {
        Loss::Suspended => fund::BackingState::Suspended,
        Loss::Expired => fund::BackingState::Expired,
        Loss::Cancelled => fund::BackingState::Cancelled,
        Loss::Completed => fund::BackingState::Completed,
        Loss::Terminated => fund::BackingState::Terminated,
    }
}

/// What is known of an agreement, by `today`.
#[must_use]
pub fn backing(backing: &Backing, today: Date) -> fund::Backing {
    let state = match backing.standing(today) {
        Standing::Unsigned => fund::BackingState::Unsigned,
        Standing::NotYet => fund::BackingState::NotYetInForce,
        Standing::InForce => fund::BackingState::InForce,
        Standing::Lost(how) => lost(how),
    };
    let parties = backing
        .parties
        .iter()
        .map(|party| fund::BackingParty { party_id: party.party.to_string(), code: party.code.to_string() });
    fund::Backing {
        agreement_id: backing.agreement.to_string(),
        state: state.into(),
        in_force_from: text(backing.term().map(|term| term.from)),
        in_force_until: text(backing.term().map(|term| term.until)),
        parties: parties.collect(),
        agreement_position: backing.at.position,
        happened_on: backing.happened_on.to_string(),
        grant_ids: backing.dependents.iter().map(ToString::to_string).collect(),
    }
}

fn tranche(tranche: &Tranche) -> fund::Tranche {
    let state = match tranche.state {
        TrancheState::Planned(_) => fund::TrancheState::Planned,
        TrancheState::Requested(_) => fund::TrancheState::Requested,
        TrancheState::Authorised(_) => fund::TrancheState::Authorised,
        TrancheState::Instructed(_) => fund::TrancheState::Instructed,
        TrancheState::Settled { .. } => fund::TrancheState::Settled,
        TrancheState::PaymentReturned(_) => fund::TrancheState::PaymentReturned,
    };
    let condition = match tranche.plan.condition {
        TrancheCondition::Contract => fund::TrancheCondition::Contract,
        TrancheCondition::Midterm => fund::TrancheCondition::Midterm,
        TrancheCondition::FinalAcceptance => fund::TrancheCondition::FinalAcceptance,
        TrancheCondition::VerifiedClaim => fund::TrancheCondition::VerifiedClaim,
    };
    let payment = tranche.payment();
    fund::Tranche {
        number: tranche.plan.number,
        state: state.into(),
        planned_minor: tranche.plan.amount_minor,
        amount_minor: tranche.amount_minor().unwrap_or_default(),
        condition: condition.into(),
        due_on: tranche.plan.due_on.to_string(),
        instruction_id: payment.map(|payment| payment.instruction.to_string()).unwrap_or_default(),
        attempt: payment.map_or(0, |payment| payment.attempt),
        offset_minor: tranche.offset_minor,
    }
}

/// A programme as the writer knows it.
#[must_use]
pub fn programme(programme: &Programme, version: u64) -> fund::Programme {
    let purpose = match programme.purpose {
        FundPurpose::Introduction => fund::FundPurpose::Introduction,
        FundPurpose::Transformation => fund::FundPurpose::Transformation,
        FundPurpose::PilotTest => fund::FundPurpose::PilotTest,
        FundPurpose::General => fund::FundPurpose::General,
    };
    let sub_limits = programme.limits().map(|on| fund::SubLimit {
        limit_minor: programme.limit_minor(&on).unwrap_or_default(),
        taken_minor: programme.taken_minor(&on),
        dimension: Some(match on {
            LimitOn::Mode(limited) => sub_limit::Dimension::Mode(mode(limited).into()),
            LimitOn::Region(region) => sub_limit::Dimension::Region(region.to_string()),
        }),
    });
    fund::Programme {
        programme_id: programme.id.to_string(),
        fund: programme.fund.clone(),
        purpose: purpose.into(),
        year: programme.year.into(),
        currency: programme.currency.to_string(),
        title: programme.title.clone(),
        appropriated_minor: programme.appropriated_minor,
        migrated_minor: programme.migrated_minor,
        available_minor: programme.available_minor,
        reserved_minor: programme.reserved_minor,
        contracted_minor: programme.contracted_minor,
        sub_limits: sub_limits.collect(),
        version,
    }
}

fn state(stage: &Stage) -> fund::State {
    match stage {
        Stage::Applied => fund::State::Applied,
        Stage::Recommended(_) => fund::State::Recommended,
        Stage::Admitted(_) => fund::State::Admitted,
        Stage::Reviewed(_) => fund::State::Reviewed,
        Stage::OnNotice(_) => fund::State::OnNotice,
        Stage::Approved(_) => fund::State::Approved,
        Stage::Running(contract) => closing::state(&contract.progress),
        Stage::Rejected(_) => fund::State::Rejected,
        Stage::Withdrawn(_) => fund::State::Withdrawn,
    }
}

fn mode(mode: FundingMode) -> types::FundingMode {
    match mode {
        FundingMode::NonRepayable => types::FundingMode::NonRepayable,
        FundingMode::Repayable => types::FundingMode::Repayable,
        FundingMode::RiskCompensation => types::FundingMode::RiskCompensation,
        FundingMode::LoanInterestSubsidy => types::FundingMode::LoanInterestSubsidy,
        FundingMode::PostCompletion => types::FundingMode::PostCompletion,
        FundingMode::TransferFeeSubsidy => types::FundingMode::TransferFeeSubsidy,
    }
}

fn text(date: Option<Date>) -> String {
    date.map(|date| date.to_string()).unwrap_or_default()
}
