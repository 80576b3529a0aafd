//! Approval 立项: one meeting decides on many grants, all or none.

use super::{Grant, Stage, procedure::Notice};
use crate::{
    party,
    party_file::PartyFile,
    programme::Programme,
    refusal::{
        Ruling, done_otherwise, happens_under, never_published, of_grant, refused, unchanged, wrong_stage,
    },
    rules::{self, Hand},
    view::{self, Case},
};
use concord_chassis::log::{Broken, Decision, RefusalKind, Stop};
use concord_events::fund::FundEvent;
use concord_kernel::money::Amount;
use concord_kernel::{
    id::{GrantId, PartyFileId, PartyRecordId, ProgrammeId},
    normal::same_reference,
    rulebook::Duty,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, btree_map::Entry};

/// An award as the meeting made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The notice that it followed.
    pub notice: Notice,
    /// Awarded.
    pub amount_minor: i64,
    /// Minutes of the meeting.
    pub minutes: String,
}

/// A meeting's decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meeting {
    /// Its minutes 会议纪要, by number.
    pub minutes: String,
    /// One to 200 awards, each grant once.
    pub awards: Vec<Award>,
}

/// One award of a meeting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Award {
    /// The grant.
    pub grant: GrantId,
    /// Awarded.
    pub amount: Amount,
}

/// Approves every grant or none. Each is weighed on what the ones before it leave of their programme, and every one that
/// fails is named.
pub(crate) fn decide(case: &Case<'_, '_>, meeting: &Meeting) -> Result<Decision<FundEvent>, Stop> {
    let grants = find(case, meeting)?;
    let mut left: BTreeMap<ProgrammeId, Programme> = BTreeMap::new();
    let (mut events, mut broken) = (Vec::new(), Vec::new());
    for (index, (grant, award)) in grants.into_iter().zip(&meeting.awards).enumerate() {
        let programme = match left.entry(grant.programme) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(view::programme(case, grant.programme)?.clone()),
        };
        let files = party::files(case, grant.project.lead.party, case.context.effective_on)?;
        let ruling = rule(case, grant, (programme, &files), award.amount, &meeting.minutes);
        match grant.conclude(case, Hand::Office(Some(Duty::Approve)), grant.last_step_on, ruling) {
            Ok(decision) => {
                decision.events.iter().for_each(|event| programme.apply(event));
                events.extend(decision.events);
            }
            Err(Stop::Refused(refusal)) => {
                broken.extend(refusal.broken.into_iter().map(|broken| located(index, grant.id, broken)));
            }
            Err(need) => return Err(need),
        }
    }
    if broken.is_empty() { Ok(Decision::events(events)) } else { Err(case.refuse(RefusalKind::Rule, broken)) }
}

/// Rules on every stage.
fn rule(
    case: &Case<'_, '_>,
    grant: &Grant,
    beside: (&Programme, &[&PartyFile]),
    amount: Amount,
    minutes: &str,
) -> Ruling {
    match &grant.stage {
        Stage::OnNotice(notice) => approve(case, grant, beside, notice, amount, minutes),
        Stage::Reviewed(_) => refused(never_published()),
        stage => match stage.approval() {
            Some(first) if first.amount_minor == amount.minor && same_reference(&first.minutes, minutes) => {
                unchanged()
            }
            Some(first) => refused(approved_already(grant, first)),
            None => {
                refused(wrong_stage(stage, ("a grant is approved after its notice", "公示期满之后方可立项")))
            }
        },
    }
}

fn approve(
    case: &Case<'_, '_>,
    grant: &Grant,
    (programme, files): (&Programme, &[&PartyFile]),
    notice: &Notice,
    amount: Amount,
    minutes: &str,
) -> Ruling {
    let lead_region = grant.project.lead.region.as_ref();
    let on = case.context.effective_on;
    let weighed = rules::a08_notice(notice, amount, on)
        .into_iter()
        .chain(rules::a08_objections_closed(grant))
        .chain(rules::a07_as_reviewed(grant, notice, amount, on))
        .chain(rules::a11_acceptance_overdue(files, on))
        .chain(rules::a02_available(programme, amount))
        .chain(rules::a02_sub_limits(programme, grant.mode, lead_region, amount));
    happens_under(
        weighed.map(Some),
        FundEvent::GrantApproved {
            grant: grant.id,
            programme: grant.programme,
            currency: grant.currency,
            mode: grant.mode,
            lead_region: lead_region.cloned(),
            amount_minor: amount.minor,
            minutes: minutes.to_owned(),
            directory: party::directory(case.context),
        },
    )
}

/// The grants of a meeting, with all that is missing or in another currency told at once.
fn find<'v>(case: &Case<'_, 'v>, meeting: &Meeting) -> Result<Vec<&'v Grant>, Stop> {
    case.states.prefetch(meeting.awards.iter().map(|award| award.grant.stream()))?;
    let mut grants = Vec::with_capacity(meeting.awards.len());
    let mut missing = Vec::new();
    for (index, award) in meeting.awards.iter().enumerate() {
        match view::grant(case, award.grant) {
            Ok(grant) => grants.push(grant),
            Err(Stop::Refused(refusal)) => {
                missing.extend(refusal.broken.into_iter().map(|broken| located(index, award.grant, broken)));
            }
            Err(need) => return Err(need),
        }
    }
    if !missing.is_empty() {
        return Err(case.refuse(RefusalKind::NotFound, missing));
    }
    let currencies = grants.iter().zip(&meeting.awards).enumerate().map(|(index, (grant, award))| {
        let broken = grant.other_currency("amount.currency", award.amount)?;
        Some(located(index, grant.id, broken))
    });
    case.well_formed(currencies)?;
    let beside = grants.iter().flat_map(|grant| {
        let lead = grant.project.lead.party;
        [grant.programme.stream(), PartyFileId::of(lead).stream(), PartyRecordId::of(lead).stream()]
    });
    case.states.prefetch(beside)?;
    Ok(grants)
}

/// The same refusal, about this award of the request.
fn located(index: usize, grant: GrantId, broken: Broken) -> Broken {
    let field = match broken.field.as_str() {
        "" => String::new(),
        header if header.starts_with("header.") => header.to_owned(),
        field => format!("awards[{index}].{field}"),
    };
    of_grant(grant, Broken { field, ..broken })
}

fn approved_already(grant: &Grant, first: &Approval) -> Broken {
    done_otherwise(
        "ALREADY_APPROVED",
        ("the grant was approved", "该项目已立项"),
        &[("amount", &grant.amount(first.amount_minor)), ("minutes", &first.minutes)],
    )
}
