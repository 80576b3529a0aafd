//! The audit rules that stop a command (domain.md section 5, "R"): one pure function each, which says what is broken.
//!
//! Every parameter comes from the rulebook in force on the day of the act, none stands here.

mod amendment;
mod approval;
mod balance;
mod closing;
mod correction;
mod matching;
mod partners;
mod party_file;
mod recovery;
mod rectification;
mod spending;

pub use amendment::*;
pub use approval::*;
pub use balance::*;
pub use closing::*;
pub use correction::*;
pub use matching::*;
pub use partners::*;
pub use party_file::*;
pub use recovery::*;
pub use rectification::*;
pub use spending::*;

use crate::{
    backing::{self, AGREEMENT_LOG, Backing},
    grant::{Grant, contract::Contract, procedure::Notice, tranche::Tranche},
    programme::Programme,
    refusal,
};
use concord_chassis::{
    deciding,
    log::{Broken, Context, Followed},
};
use concord_events::{
    fund::{FundingMode, InstructedUnder, LimitOn, Party, PlannedTranche, TrancheCondition},
    personal::PersonalRef,
};
use concord_kernel::money::Amount;
use concord_kernel::{
    Date,
    id::InstructionId,
    money::{Currency, share_of},
    normal,
    region::Region,
    rulebook::{Duty, Rulebook},
};
use jiff::{SignedDuration, Timestamp};

/// How far back a command may be dated (domain.md section 1, "Times"; section 6, "back-dating").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackDating {
    /// An act of procedure.
    Procedure,
    /// An act that moves money.
    Money,
    /// A notice: how late it may be put on record is a question of its own.
    Notice,
    /// A migrated fact, or what another log says: history, however old.
    Unlimited,
}

/// Dates: never after today, and not further back than the rulebook allows.
#[must_use]
pub fn dated(limit: BackDating, rulebook: &Rulebook, context: &Context<'_>) -> Option<Broken> {
    deciding::dated(
        match limit {
            BackDating::Procedure => Some(rulebook.back_dating.days),
            BackDating::Money => Some(rulebook.back_dating.money_days),
            BackDating::Notice => Some(rulebook.back_dating.notice_days),
            BackDating::Unlimited => None,
        },
        context,
    )
}

/// Currency: one programme has one, and sums never mix two (domain.md section 1, "Money").
#[must_use]
pub fn same_currency(field: &str, given: Amount, own: Currency) -> Option<Broken> {
    (given.currency != own).then(|| refusal::other_currency(field, given, Amount::new(0, own)))
}

/// A01, paid without basis: the account that was verified, without which nothing is instructed. That the contract is
/// signed, the stage says.
///
/// # Errors
/// The broken rule, where no account was.
pub fn a01_payee(grant: &Grant) -> Result<&PersonalRef, Broken> {
    grant.payee.as_ref().ok_or_else(refusal::payee_unverified)
}

/// A01: the agreement that a grant names is in force, on the day of the instruction and today. A grant that names none
/// needs none, unless the rulebook says otherwise.
#[must_use]
pub fn a01_backing_in_force(
    rulebook: &Rulebook,
    backing: Option<&Backing>,
    context: &Context<'_>,
) -> Option<Broken> {
    let Some(backing) = backing else {
        return rulebook.backing.required.then(refusal::no_backing_named);
    };
    // The agreement log may be a day ahead: what has happened there is not undone by this log's today.
    let today = backing::today(context).max(backing.happened_on);
    let on = [context.effective_on, today].into_iter().find(|day| !backing.is_in_force_on(*day))?;
    Some(refusal::backing_not_in_force(backing, on, today))
}

/// A01: the grant's lead is a party of the agreement that it names, under whichever code. It was when the agreement was named;
/// another may have taken its place since.
#[must_use]
pub fn a01_lead_is_a_party(backing: &Backing, lead: &Party, is_a_party: bool) -> Option<Broken> {
    (!is_a_party).then(|| refusal::lead_left(backing, lead))
}

/// A01: what is known of the agreement was verified recently enough for money to move on it. A log that ends before what is
/// known of it has gone back, and verifies nothing; nor does a generation from which this agreement was not taken in.
///
/// # Errors
/// The broken rule, where it was not.
pub fn a01_backing_verified(
    rulebook: &Rulebook,
    backing: &Backing,
    context: &Context<'_>,
) -> Result<InstructedUnder, Broken> {
    let minutes_max = rulebook.fact_max_age_minutes;
    let followed = context.followed(AGREEMENT_LOG);
    // A time that lies ahead was told by a clock that has been set back since: how old it is nobody knows.
    let recent = SignedDuration::ZERO..=SignedDuration::from_mins(i64::from(minutes_max));
    let is_recent = |at: Timestamp| recent.contains(&context.now.duration_since(at));
    let covers = |followed: &Followed| {
        followed.generation == backing.at.generation && followed.position >= backing.at.position
    };
    match followed.filter(|followed| is_recent(followed.verified_at) && covers(followed)) {
        Some(followed) => Ok(InstructedUnder {
            agreement: backing.agreement,
            position: backing.at.position,
            verified_position: followed.position,
            verified_at: followed.verified_at,
        }),
        None => Err(refusal::backing_unverified(backing, followed, context.now, minutes_max)),
    }
}

/// Hold: requesting, authorising and instructing wait (domain.md section 3).
#[must_use]
pub fn not_on_hold(grant: &Grant) -> Option<Broken> {
    grant.hold.since.map(|since| refusal::on_hold(grant, since))
}

/// A14, bank paid twice: an instruction pays one tranche.
#[must_use]
pub fn a14_instruction_unused(
    contract: &Contract,
    number: u32,
    instruction: InstructionId,
) -> Option<Broken> {
    let pays =
        |tranche: &&Tranche| tranche.payment().is_some_and(|payment| payment.instruction == instruction);
    let other = contract.tranches.iter().filter(|tranche| tranche.plan.number != number).find(pays)?;
    Some(refusal::instruction_used(instruction, other.plan.number))
}

/// A02, more than budgeted: what a programme spends or gives back is available.
#[must_use]
pub fn a02_available(programme: &Programme, asked: Amount) -> Option<Broken> {
    (asked.minor > programme.available_minor)
        .then(|| refusal::above_available(asked, programme.amount(programme.available_minor), programme.id))
}

/// A02: every sub-limit that the award falls under stays at zero or more: its mode's, its lead's region's, and those of
/// the city and province that the region lies in.
#[must_use]
pub fn a02_sub_limits(
    programme: &Programme,
    mode: FundingMode,
    lead_region: Option<&Region>,
    asked: Amount,
) -> Vec<Broken> {
    let applies = |on: &LimitOn| match on {
        LimitOn::Mode(limited) => *limited == mode,
        LimitOn::Region(limited) => lead_region.is_some_and(|lead| lies_in(lead, limited)),
    };
    programme
        .limits()
        .filter(applies)
        .filter_map(|on| {
            let limit = programme.amount(programme.limit_minor(&on)?);
            let left = programme.amount(limit.minor.saturating_sub(programme.taken_minor(&on)));
            (asked.minor > left.minor).then(|| refusal::above_sub_limit(asked, left, limit, &on))
        })
        .collect()
}

/// Whether a lead of region `lead` counts under a limit on `limited`: the region itself, its city or its province.
#[must_use]
pub fn lies_in(lead: &Region, limited: &Region) -> bool {
    lead == limited || lead.city().as_ref() == Some(limited) || lead.province().as_ref() == Some(limited)
}

/// A02: a sub-limit is not set below what its share has taken.
#[must_use]
pub fn a02_limit_covers_taken(programme: &Programme, on: &LimitOn, limit: Amount) -> Option<Broken> {
    let taken = programme.amount(programme.taken_minor(on));
    (limit.minor < taken.minor).then(|| refusal::limit_below_taken(limit, taken, on))
}

/// A02: the appropriation, and with it every account, fits the ledger's integers.
#[must_use]
pub fn a02_ledger_holds(programme: &Programme, more: Amount) -> Option<Broken> {
    let total = programme.amount(programme.appropriated_minor);
    total.minor.checked_add(more.minor).is_none().then(|| refusal::too_large(total, more))
}

/// A02: what was ever migrated into a programme fits an integer too. It only grows, though what was appropriated for it may have been
/// given back since.
#[must_use]
pub fn a02_migrated_holds(programme: &Programme, more: Amount) -> Option<Broken> {
    let total = programme.amount(programme.migrated_minor);
    total.minor.checked_add(more.minor).is_none().then(|| refusal::too_large(total, more))
}

/// A02, more than awarded: contracted ≤ approved.
#[must_use]
pub fn a02_contract(asked: Amount, approved_minor: i64) -> Option<Broken> {
    let approved = Amount::new(approved_minor, asked.currency);
    (asked.minor > approved.minor).then(|| refusal::above_approved(asked, approved))
}

/// A02, more than awarded: a tranche's request ≤ its place in the contract's plan.
#[must_use]
pub fn a02_request(asked: Amount, plan: &PlannedTranche) -> Option<Broken> {
    let planned = Amount::new(plan.amount_minor, asked.currency);
    (asked.minor > planned.minor).then(|| refusal::above_planned(asked, planned, plan.number))
}

/// The plan of tranches (domain.md section 6, "tranches"): the first is at most a share of the contract, the last comes
/// after final acceptance.
#[must_use]
pub fn tranche_plan(rulebook: &Rulebook, contracted: Amount, plan: &[PlannedTranche]) -> Vec<Broken> {
    first_share(rulebook, contracted, plan).into_iter().chain(last_condition(rulebook, plan)).collect()
}

fn first_share(rulebook: &Rulebook, contracted: Amount, plan: &[PlannedTranche]) -> Option<Broken> {
    let percent = rulebook.tranches.first_max_percent;
    let most = Amount::new(share_of(contracted.minor, percent), contracted.currency);
    let first = plan.first().filter(|first| first.amount_minor > most.minor)?;
    let first = Amount::new(first.amount_minor, contracted.currency);
    Some(refusal::first_tranche_too_large(first, most, percent))
}

fn last_condition(rulebook: &Rulebook, plan: &[PlannedTranche]) -> Option<Broken> {
    let weighed = rulebook.tranches.last_after_final_acceptance && plan.len() > 1;
    let last = plan.last().filter(|last| weighed && last.condition != TrancheCondition::FinalAcceptance)?;
    Some(refusal::last_tranche_too_early(last.number, last.condition))
}

/// A08, notice skipped or short: approve what was published, from the day after the last counted day on.
#[must_use]
pub fn a08_notice(notice: &Notice, amount: Amount, effective_on: Date) -> Vec<Broken> {
    let short = (effective_on < notice.approvable_from)
        .then(|| refusal::notice_runs(effective_on, notice.last_day, notice.approvable_from));
    let changed = (amount.minor != notice.amount_minor)
        .then(|| refusal::published_otherwise(amount, Amount::new(notice.amount_minor, amount.currency)));
    short.into_iter().chain(changed).collect()
}

/// In whose hand an act lies, and which duty of the rulebook's matrix it is, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// The applicant's: the lead's.
    Applicant(Option<Duty>),
    /// That of any party of the grant.
    Party,
    /// Anybody's.
    Anybody,
    /// The office's.
    Office(Option<Duty>),
}

/// What the record says of the organisation that acts, by its own id and by whom it stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActsFor {
    /// In an act of the office: it is the applicant's, or stands for it.
    pub applicant: bool,
    /// In an act of the applicant's or of a party: it is known to be another one.
    pub stranger: bool,
}

/// A13, incompatible jobs in one hand: the person has no conflicting job on the same grant, nobody of the applicant's
/// organisation does any job of the office, and nobody who is known to be of another one acts for the applicant. Persons and
/// organisations are told by their normal form.
#[must_use]
pub fn a13_one_hand(
    rulebook: &Rulebook,
    grant: &Grant,
    hand: Hand,
    context: &Context<'_>,
    acts_for: ActsFor,
) -> Vec<Broken> {
    let mut broken = Vec::new();
    if let Hand::Applicant(Some(duty)) | Hand::Office(Some(duty)) = hand {
        let held = grant.jobs.iter().filter(|job| normal::same_person(&job.person, context.actor));
        let conflicting = held.filter(|job| rulebook.conflicts(job.duty, duty));
        broken.extend(conflicting.map(|job| refusal::conflicting_duty(context.actor, job.duty, duty)));
    }
    if acts_for.applicant && rulebook.conflicts.applicant_organisation_excluded {
        broken.push(refusal::applicant_in_office(context.actor_organisation));
    }
    let (organisation, lead) = (context.actor_organisation, &grant.project.lead);
    let stranger = match hand {
        Hand::Party => refusal::not_a_party,
        _ => refusal::not_the_applicant,
    };
    broken.extend(acts_for.stranger.then(|| stranger(organisation, lead)));
    broken
}

/// Modes: the lifecycle here is that of the non-repayable mode (domain.md section 4).
#[must_use]
pub fn mode_offered(mode: FundingMode) -> Option<Broken> {
    (mode != FundingMode::NonRepayable).then(|| refusal::mode_not_offered(mode))
}
