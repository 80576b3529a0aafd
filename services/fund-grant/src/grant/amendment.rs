//! Changes to a contract that runs: another plan, other shares or less money 任务书变更, and more time 延期.
//!
//! ```text
//!  Running, CompletionReported, Rectifying ⟲ AmendContract
//!  Running ⟲ ExtendProject, as often as the rulebook allows
//! ```
//!
//! Contracted money only goes down: what was approved beyond the contract was given back when it was signed. What is released
//! is available again, or goes to the treasury where the programme's year is over. A tranche that is under way stays as it
//! is planned; one that was paid less than planned may be planned down to what was paid, which frees the rest.

use super::{Grant, Stage, closing::Progress, contract, contract::Contract, tranche::Tranche};
use crate::{
    party,
    refusal::{self, Ruling, happens_under, refused, unchanged, wrong_stage},
    rules::{self, Hand},
    view::Case,
};
use concord_chassis::log::{Broken, Decision, Stop};
use concord_events::fund::{Allocation, FundEvent, PlannedTranche};
use concord_kernel::{Date, money::Amount, normal::same_reference};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// How often a contract was changed in one way, and by which minutes last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// How often.
    pub count: u32,
    /// Minutes of the last one; `None` before one.
    pub minutes: Option<String>,
}

/// A contract as it is to be from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amendment {
    /// Contracted from now on; `None` where the amount stays.
    pub amount: Option<Amount>,
    /// The whole plan; adds up to the amount.
    pub tranches: Vec<PlannedTranche>,
    /// All shares; they add up to the amount. `None` where they stay.
    pub allocations: Option<Vec<Allocation>>,
    /// Minutes of the meeting 会议纪要.
    pub minutes: String,
}

/// About a contract that runs; the office's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmendmentCommand {
    /// Amend it 任务书变更.
    Amend(Amendment),
    /// Give the project more time 延期.
    Extend {
        /// Last day from now on.
        ends_on: Date,
        /// Minutes of the meeting.
        minutes: String,
    },
}

pub(super) fn decide(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &AmendmentCommand,
) -> Result<Decision<FundEvent>, Stop> {
    let last_step_on = match command {
        AmendmentCommand::Amend(amendment) => {
            let currency =
                amendment.amount.and_then(|amount| grant.other_currency("amount.currency", amount));
            case.well_formed([currency])?;
            grant.money_last_moved_on()
        }
        AmendmentCommand::Extend { .. } => grant.last_step_on,
    };
    let command = as_known(case, grant, command)?;
    let ruling = rule(case, grant, &command)?;
    grant.conclude(case, Hand::Office(None), last_step_on, ruling)
}

/// The amendment with its parties as the grant has them.
fn as_known<'a>(
    case: &Case<'_, '_>,
    grant: &Grant,
    command: &'a AmendmentCommand,
) -> Result<Cow<'a, AmendmentCommand>, Stop> {
    let AmendmentCommand::Amend(amendment @ Amendment { allocations: Some(given), .. }) = command else {
        return Ok(Cow::Borrowed(command));
    };
    Ok(match party::shares_as_known(case, &grant.named_parties(), given)? {
        Cow::Borrowed(_) => Cow::Borrowed(command),
        Cow::Owned(known) => {
            Cow::Owned(AmendmentCommand::Amend(Amendment { allocations: Some(known), ..amendment.clone() }))
        }
    })
}

/// Rules on every pair of command and stage.
fn rule(case: &Case<'_, '_>, grant: &Grant, command: &AmendmentCommand) -> Result<Ruling, Stop> {
    use AmendmentCommand::{Amend, Extend};
    Ok(match (command, &grant.stage) {
        (Amend(amendment), Stage::Running(contract)) if contract.is_amended_as(amendment) => unchanged(),
        (Amend(amendment), Stage::Running(contract)) if contract.progress.is_under_way() => {
            amend(case, grant, contract, amendment)?
        }
        (Amend(_), stage) => refused(wrong_stage(
            stage,
            ("a contract is amended while its project runs", "项目执行期间方可变更任务书"),
        )),

        (Extend { ends_on, minutes }, Stage::Running(contract))
            if contract.ends_on == Some(*ends_on)
                && contract
                    .extensions
                    .minutes
                    .as_ref()
                    .is_some_and(|first| same_reference(first, minutes)) =>
        {
            unchanged()
        }
        (Extend { ends_on, minutes }, Stage::Running(contract)) if contract.progress == Progress::Running => {
            extend(case, grant, contract, *ends_on, minutes)
        }
        (Extend { .. }, stage) => refused(wrong_stage(
            stage,
            ("a project is given more time before its completion is reported", "提交完成报告之前方可延期"),
        )),
    })
}

fn amend(
    case: &Case<'_, '_>,
    grant: &Grant,
    contract: &Contract,
    amendment: &Amendment,
) -> Result<Ruling, Stop> {
    let contracted = grant.amount(contract.amount_minor);
    let amount = amendment.amount.unwrap_or(contracted);
    let plan = &amendment.tranches;
    let allocations = contract.shares_after(grant, amount, amendment);
    let differs = plan.iter().ne(contract.plan()) || *allocations != *contract.allocations;
    let changes = amount != contracted || differs;
    let weighed = [
        (!changes).then(refusal::amendment_changes_nothing),
        rules::a02_amended(contracted, amount),
        rules::plan_adds_up(amount, plan),
    ];
    let weighed = weighed
        .into_iter()
        .flatten()
        .chain(rules::tranches_kept(grant, &contract.tranches, plan))
        .chain(rules::amended_plan(case.rulebook, amount, &contract.tranches, plan))
        .chain(rules::shares_add_up(grant, contract, amount, &allocations))
        .chain(rules::shares_cover_passed_on(grant, &allocations));
    let broken: Vec<Broken> = weighed.collect();
    if !broken.is_empty() {
        return Ok(Err(broken));
    }
    let released_minor = contracted.minor.saturating_sub(amount.minor);
    let amended = FundEvent::ContractAmended {
        grant: grant.id,
        programme: grant.programme,
        currency: grant.currency,
        mode: grant.mode,
        lead_region: grant.project.lead.region.clone(),
        amendment: contract.amendments.count.saturating_add(1),
        amount_minor: amount.minor,
        released_minor,
        to_treasury: grant.returns_to_treasury(case, released_minor)?,
        tranches: plan.clone(),
        allocations,
        minutes: amendment.minutes.clone(),
    };
    Ok(Ok(Decision::events(vec![amended])))
}

fn extend(case: &Case<'_, '_>, grant: &Grant, contract: &Contract, ends_on: Date, minutes: &str) -> Ruling {
    let Some(former_ends_on) = contract.ends_on else {
        return refused(refusal::extension_without_end());
    };
    let due = contract::acceptance_due(case.rulebook, ends_on).unwrap_or(Date::MAX);
    happens_under(
        [
            rules::extended_seldom(case.rulebook, contract, former_ends_on),
            rules::extended_forwards(former_ends_on, ends_on),
            rules::extended_briefly(case.rulebook, former_ends_on, ends_on),
        ],
        FundEvent::ProjectExtended {
            grant: grant.id,
            lead: grant.project.lead.party,
            former_ends_on,
            ends_on,
            acceptance_due_on: due,
            minutes: minutes.to_owned(),
        },
    )
}

impl Contract {
    /// The plan of its tranches, line by line.
    pub fn plan(&self) -> impl Iterator<Item = &PlannedTranche> {
        self.tranches.iter().map(|tranche| &tranche.plan)
    }

    /// Whether the last amendment was this one.
    fn is_amended_as(&self, amendment: &Amendment) -> bool {
        self.amendments.minutes.as_ref().is_some_and(|first| same_reference(first, &amendment.minutes))
            && amendment.amount.is_none_or(|amount| amount.minor == self.amount_minor)
            && self.plan().eq(&amendment.tranches)
            && amendment.allocations.as_ref().is_none_or(|shares| **shares == *self.allocations)
    }

    /// All shares once it is amended. Where only the lead has one and none is given, it is the whole contract.
    fn shares_after(&self, grant: &Grant, amount: Amount, amendment: &Amendment) -> Vec<Allocation> {
        if let Some(given) = &amendment.allocations {
            return given.clone();
        }
        match &*self.allocations {
            [only] if only.party.party == grant.project.lead.party && only.amount_minor.is_some() => {
                vec![Allocation { party: only.party.clone(), amount_minor: Some(amount.minor) }]
            }
            as_they_are => as_they_are.to_vec(),
        }
    }
}

/// Folds an event of a change.
pub(super) fn apply(contract: &mut Contract, event: &FundEvent, on: Date) {
    match event {
        FundEvent::ContractAmended { amendment, amount_minor, tranches, allocations, minutes, .. } => {
            contract.amendments = Changes { count: *amendment, minutes: Some(minutes.clone()) };
            contract.amount_minor = *amount_minor;
            contract.allocations = allocations.as_slice().into();
            let mut former = std::mem::take(&mut contract.tranches);
            contract.tranches = tranches
                .iter()
                .map(|plan| match former.iter().position(|tranche| tranche.plan.number == plan.number) {
                    Some(index) => Tranche { plan: plan.clone(), ..former.swap_remove(index) },
                    None => Tranche::planned(plan, on),
                })
                .collect();
        }
        FundEvent::ProjectExtended { ends_on, acceptance_due_on, minutes, .. } => {
            let count = contract.extensions.count.saturating_add(1);
            contract.extensions = Changes { count, minutes: Some(minutes.clone()) };
            contract.ends_on = Some(*ends_on);
            contract.acceptance_due_on = Some(*acceptance_due_on);
        }
        _ => {}
    }
}
