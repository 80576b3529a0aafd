//! The agreement that backs grants 依托协议: what is known of it here, and the grants that rest on it.
//!
//! ```text
//!             AgreementDrafted                            (of the agreement log, position by position)
//!  (unknown) ──────────────────▶ Unsigned ─▶ InForce ⇄ Suspended
//!                                   │           │          │
//!                                   └───────────┴──────────┴──▶ Ended
//! ```
//!
//! The agreement log decides; here its word is taken in, by the process manager `process:backing` and by nobody else. So no
//! arrow is refused. What was taken in before, or is older than what was, changes nothing: events may come twice, and late.
//!
//! | what is taken in | the grants that rest on it |
//! |---|---|
//! | it left force: suspended, completed, terminated, cancelled | each that has not ended is held, with that cause |
//! | it is in force | where it was a cause, the cause is cleared; the hold stays until an officer resumes |
//! | nothing, and the last day of its term has passed | each is held (`Lapse`) |
//!
//! A later generation of the agreement log is taken in from its beginning. What was held meanwhile, for what that generation
//! records of the past, stays held until an officer resumes it; nothing is paid on what it has not said yet.
//!
//! A grant that comes to rest on an agreement while it is suspended is held at once.
//!
//! All of it is one decision: "the agreement ended" and "this grant is paid" are never decided beside each other.
//!
//! Whether it is in force on a day follows from its term and that day (domain.md section 3), whether or not anybody has
//! recorded that the day has come.

use crate::{
    State,
    grant::{Grant, Stage},
    party,
    refusal::{self, Ruling, happens, refused, unchanged, wrong_stage},
    rules::Hand,
    view::{self, Case},
};
use concord_chassis::log::{Context, Decision, Meta, RefusalKind, Stop};
use concord_events::{
    agreement::Term,
    fund::{AgreementPoint, BackingParty, Cleared, Ending, Force, FundEvent, HoldCause, Loss},
};
use concord_kernel::{
    Date,
    id::{AgreementId, BackingId, GrantId},
    party::PartyId,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Name of the log that agreements are decided in.
pub const AGREEMENT_LOG: &str = "agreement";

/// Grants that may rest on one agreement: what its end means for all of them is one decision, and one batch.
pub const DEPENDENTS_MAX: usize = 1_000;

/// An agreement as far as it is known here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backing {
    /// The agreement.
    pub agreement: AgreementId,
    /// Its parties.
    pub parties: Vec<BackingParty>,
    /// Whether it is in force, as far as its events say.
    pub force: Force,
    /// The event of the agreement log that it was last learned from.
    pub at: AgreementPoint,
    /// When that happened.
    pub happened_on: Date,
    /// When it was last recorded here; nothing lies before it.
    pub last_step_on: Date,
    /// Grants that rest on it.
    pub dependents: BTreeSet<GrantId>,
}

/// How an agreement stands by a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Not everybody has signed.
    Unsigned,
    /// Its first day lies ahead.
    NotYet,
    /// In force.
    InForce,
    /// It has left force.
    Lost(Loss),
}

impl Standing {
    /// Stable name, and the Chinese one.
    #[must_use]
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Unsigned => ("unsigned", "未生效"),
            Self::NotYet => ("not_yet_in_force", "尚未到生效日"),
            Self::InForce => ("in_force", "生效"),
            Self::Lost(how) => (how.code(), how.label_zh()),
        }
    }
}

/// What is asked of it. The process manager's alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackingCommand {
    /// Take in what an event of the agreement log says.
    Take(Fact),
    /// The last day of its term has passed, with nobody acting.
    Lapse {
        /// That day.
        last_day: Date,
    },
}

/// What an event of the agreement log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The event.
    pub at: AgreementPoint,
    /// When it happened.
    pub happened_on: Date,
    /// What it changes.
    pub change: Change,
}

/// What changes with an event of the agreement log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was drafted, between these.
    Drafted {
        /// All parties.
        parties: Vec<BackingParty>,
    },
    /// It is in force in this term: everybody has signed, or it was resumed, renewed or amended.
    InForce {
        /// First and last day.
        term: Term,
    },
    /// It is suspended.
    Suspended {
        /// First day out of force.
        out_of_force_from: Date,
    },
    /// It is over.
    Ended {
        /// How.
        how: Ending,
        /// First day out of force; a draft that was called off has none.
        out_of_force_from: Option<Date>,
    },
    /// A party was succeeded.
    Succeeded {
        /// Party until then.
        party: PartyId,
        /// Party from then on.
        successor: BackingParty,
    },
}

/// Decides every pair of what is known and what is asked.
pub(crate) fn decide(
    case: &Case<'_, '_>,
    agreement: AgreementId,
    command: &BackingCommand,
) -> Result<Decision<FundEvent>, Stop> {
    use BackingCommand::{Lapse, Take};
    let known = find(case, agreement)?;
    match (known, command) {
        (None, Take(Fact { change: Change::Drafted { parties }, at, happened_on })) => {
            let event = FundEvent::BackingChanged {
                agreement,
                parties: parties.clone(),
                force: Force::Unsigned,
                at: *at,
                happened_on: *happened_on,
            };
            Ok(Decision::events(vec![event]).dated(case.context.today.min(*happened_on)))
        }
        (None, Take(_) | Lapse { .. }) => {
            Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_backing(agreement, case.context)]))
        }
        (Some(known), Take(fact)) if !fact.is_news_to(known) => Ok(Decision::unchanged()),
        (Some(known), Take(fact)) => {
            let changed = known.after(fact);
            let mut decision = changed.consequences(case)?;
            decision.events.insert(0, changed.event());
            Ok(decision)
        }
        (Some(known), Lapse { .. }) => known.consequences(case),
    }
}

impl Fact {
    /// Positions begin to be used again in a later generation of the log, and what that says is newer. What it kept is taken in
    /// anew under it, from the draft on, and so takes back what it lost.
    fn is_news_to(&self, known: &Backing) -> bool {
        let place = |at: &AgreementPoint| (at.generation, at.position);
        place(&self.at) > place(&known.at)
    }
}

impl Backing {
    /// The id of its record.
    #[must_use]
    pub fn id(&self) -> BackingId {
        BackingId::of(self.agreement)
    }

    /// Whether it is in force on this day, as far as is known.
    #[must_use]
    pub fn is_in_force_on(&self, day: Date) -> bool {
        self.term().is_some_and(|term| term.contains(day))
    }

    /// First and last day in force. A suspension and an end have cut it short.
    #[must_use]
    pub fn term(&self) -> Option<Term> {
        match self.force {
            Force::Unsigned => None,
            Force::InForce { term } | Force::Suspended { term, .. } => Some(term),
            Force::Ended { term, .. } => term,
        }
    }

    /// How it left force and on which day, where it has by `today`. The two logs may disagree about today; what has happened
    /// in the other one is then no longer ahead here either.
    #[must_use]
    pub fn lost_by(&self, today: Date) -> Option<(Loss, Date)> {
        let today = today.max(self.happened_on);
        let over = |term: Term, how| (today > term.until).then(|| (how, day_after(term.until)));
        match self.force {
            Force::Unsigned => None,
            Force::InForce { term } => over(term, Loss::Expired),
            Force::Suspended { agreed_until: Some(until), .. } if today > until => {
                Some((Loss::Expired, day_after(until)))
            }
            Force::Suspended { term, .. } => over(term, Loss::Suspended),
            Force::Ended { how, term: Some(term) } => over(term, loss_by(how)),
            Force::Ended { how, term: None } => Some((loss_by(how), self.happened_on)),
        }
    }

    /// How it stands by `today`.
    #[must_use]
    pub fn standing(&self, today: Date) -> Standing {
        match (self.lost_by(today), self.force) {
            (Some((how, _)), _) => Standing::Lost(how),
            (None, Force::Unsigned) => Standing::Unsigned,
            (None, _) if self.is_in_force_on(today.max(self.happened_on)) => Standing::InForce,
            (None, _) => Standing::NotYet,
        }
    }

    /// Whether this party is one of its own as they are written, by its id or by the code under which the agreement names it. That
    /// it is one under another code or after a merger, [`crate::party`] knows.
    #[must_use]
    pub fn is_between(&self, party: &concord_events::fund::Party) -> bool {
        self.parties.iter().any(|own| own.party == party.party || own.code == party.code)
    }

    /// What is known once the fact is taken in.
    fn after(&self, fact: &Fact) -> Self {
        let mut after = self.clone();
        (after.at, after.happened_on) = (fact.at, fact.happened_on);
        match &fact.change {
            Change::Drafted { parties } => {
                // Of a log that is taken in anew: what was known of an earlier generation may be what that one has lost.
                after.parties.clone_from(parties);
                after.force = Force::Unsigned;
            }
            Change::InForce { term } => after.force = Force::InForce { term: *term },
            Change::Suspended { out_of_force_from } => {
                let agreed_until = match self.force {
                    Force::Suspended { agreed_until, .. } => agreed_until,
                    _ => self.term().map(|term| term.until),
                };
                if let Some(term) = self.term() {
                    after.force = Force::Suspended { term: cut(term, *out_of_force_from), agreed_until };
                }
            }
            Change::Ended { how, out_of_force_from } => {
                let term = self.term().zip(*out_of_force_from).map(|(term, from)| cut(term, from));
                after.force = Force::Ended { how: *how, term };
            }
            Change::Succeeded { party, successor } => {
                after.parties.retain(|own| own.party != *party && own.party != successor.party);
                after.parties.push(successor.clone());
            }
        }
        after
    }

    fn event(&self) -> FundEvent {
        FundEvent::BackingChanged {
            agreement: self.agreement,
            parties: self.parties.clone(),
            force: self.force,
            at: self.at,
            happened_on: self.happened_on,
        }
    }

    /// What follows for the grants that rest on it, dated on the later of the cause's day and the last day of each life that
    /// it touches, and never after today.
    fn consequences(&self, case: &Case<'_, '_>) -> Result<Decision<FundEvent>, Stop> {
        let lost = self.lost_by(today(case.context));
        let mut on = self.last_step_on.max(lost.map_or(self.happened_on, |(_, since)| since));
        let mut events = Vec::new();
        case.states.prefetch(self.dependents.iter().map(|grant| grant.stream()))?;
        for dependent in &self.dependents {
            let grant = view::grant(case, *dependent)?;
            if let Some(event) = self.consequence(grant, lost) {
                on = on.max(grant.hold.last_step_on.unwrap_or(on));
                events.push(event);
            }
        }
        Ok(Decision::events(events).dated(on.min(case.context.today)))
    }

    fn consequence(&self, grant: &Grant, lost: Option<(Loss, Date)>) -> Option<FundEvent> {
        let (agreement, agreement_position) = (self.agreement, self.at.position);
        let known = grant.hold.loss_of(agreement);
        match (lost, known) {
            _ if grant.stage.has_ended() => None,
            (Some((how, _)), Some(known)) if how == known => None,
            (Some((how, cause_on)), _) => Some(FundEvent::GrantHeld {
                grant: grant.id,
                cause: HoldCause::BackingLost { agreement, how, agreement_position },
                cause_on,
            }),
            (None, Some(_)) if matches!(self.force, Force::InForce { .. }) => {
                Some(FundEvent::HoldCauseCleared {
                    grant: grant.id,
                    agreement,
                    cleared: Cleared::InForceAgain,
                    agreement_position,
                })
            }
            (None, _) => None,
        }
    }

    /// The record that an event opens, if it opens one.
    pub(crate) fn opened_by(event: &FundEvent, meta: &Meta<'_>) -> Option<Self> {
        let FundEvent::BackingChanged { agreement, parties, force, at, happened_on } = event else {
            return None;
        };
        Some(Self {
            agreement: *agreement,
            parties: parties.clone(),
            force: *force,
            at: *at,
            happened_on: *happened_on,
            last_step_on: meta.effective_on,
            dependents: BTreeSet::new(),
        })
    }

    /// Folds an event.
    pub(crate) fn apply(&mut self, event: &FundEvent, meta: &Meta<'_>) {
        match event {
            FundEvent::BackingChanged { parties, force, at, happened_on, .. } => {
                self.parties.clone_from(parties);
                (self.force, self.at, self.happened_on) = (*force, *at, *happened_on);
                self.last_step_on = meta.effective_on;
            }
            FundEvent::BackingNamed { grant, agreement, .. } if *agreement == self.agreement => {
                self.dependents.insert(*grant);
            }
            // It rests on another one, or it has ended.
            FundEvent::BackingNamed { grant, .. }
            | FundEvent::GrantRejected { grant, .. }
            | FundEvent::GrantWithdrawn { grant, .. }
            | FundEvent::GrantClosed { grant, .. }
            | FundEvent::GrantTerminated { grant, .. }
            | FundEvent::GrantCancelled { grant, .. } => drop(self.dependents.remove(grant)),
            _ => {}
        }
    }
}

/// Names the agreement that backs a grant, at any stage before its end. Before the contract the applicant may, from then on
/// the office: what money rests on is no longer the applicant's to choose.
///
/// `agreement_position`: where the caller has seen the agreement. Known here up to a lower one, it is asked to try again.
pub(crate) fn name(
    case: &Case<'_, '_>,
    grant: &Grant,
    agreement: AgreementId,
    agreement_position: Option<u64>,
) -> Result<Decision<FundEvent>, Stop> {
    let hand = if grant.contract().is_some() { Hand::Office(None) } else { Hand::Applicant(None) };
    let named = grant.backing == Some(agreement);
    let ended = grant.stage.has_ended();
    let backing = if named || ended { None } else { Some(learned(case, agreement, agreement_position)?) };
    let is_a_party = match backing {
        Some(backing) => party::is_between(case, backing, &grant.project.lead, case.context.effective_on)?,
        None => false,
    };
    let ruling = match (&grant.stage, backing) {
        _ if named => unchanged(),
        (stage, None) => refused(wrong_stage(
            stage,
            ("an agreement backs a grant that has not ended", "项目终结之前方可指明依托协议"),
        )),
        (_, Some(backing)) => rest_on(case, grant, backing, is_a_party),
    };
    // Beside the naming only the hold changes, and its steps do not go back either.
    let changes_hold = ruling.as_ref().is_ok_and(|decision| decision.events.len() > 1);
    let held = grant.hold.last_step_on.filter(|_| changes_hold);
    let last = held.map_or(grant.last_step_on, |held| held.max(grant.last_step_on));
    grant.conclude(case, hand, last, ruling)
}

/// The agreement, where it is known as far as the caller has seen it.
fn learned<'v>(case: &Case<'_, 'v>, agreement: AgreementId, seen: Option<u64>) -> Result<&'v Backing, Stop> {
    let known = find(case, agreement)?;
    let taken_in = case.context.followed(AGREEMENT_LOG).map_or(0, |followed| followed.position);
    let reached = known.map_or(taken_in, |known| taken_in.max(known.at.position));
    match (known, seen) {
        (_, Some(seen)) if seen > reached => {
            let broken = refusal::agreement_not_taken_in(agreement, seen, reached);
            Err(case.refuse(RefusalKind::Unverified, vec![broken]))
        }
        (Some(known), _) => Ok(known),
        (None, _) => {
            Err(case.refuse(RefusalKind::NotFound, vec![refusal::no_backing(agreement, case.context)]))
        }
    }
}

fn rest_on(case: &Case<'_, '_>, grant: &Grant, backing: &Backing, is_a_party: bool) -> Ruling {
    let today = today(case.context);
    let ended = backing.lost_by(today).filter(|(how, _)| *how != Loss::Suspended);
    let broken: Vec<_> = [
        ended.map(|_| refusal::backing_ended(backing, today)),
        (!is_a_party).then(|| refusal::lead_no_party(backing, &grant.project.lead)),
        (backing.dependents.len() >= DEPENDENTS_MAX).then(|| refusal::too_many_dependents(backing)),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !broken.is_empty() {
        return Err(broken);
    }
    let mut decision = happens(FundEvent::BackingNamed {
        grant: grant.id,
        agreement: backing.agreement,
        former: grant.backing,
    })?;
    // What became of the former one is no cause any more; whether money may move again is still for an officer to say.
    let former = grant.backing.and_then(|former| grant.hold.cause_by(former));
    if let Some(&HoldCause::BackingLost { agreement, agreement_position, .. }) = former {
        decision.events.push(FundEvent::HoldCauseCleared {
            grant: grant.id,
            agreement,
            cleared: Cleared::AnotherNamed,
            agreement_position,
        });
    }
    // An agreement that is suspended when it is named holds the grant as one that is suspended later does.
    decision.events.extend(backing.consequence(grant, backing.lost_by(today)));
    Ok(decision)
}

/// Today, as far as agreements go: the later of this log's and of the agreement log's own, as it was verified. That log may be
/// a day further, and what has ended there is not in force here.
#[must_use]
pub fn today(context: &Context<'_>) -> Date {
    let theirs = context.followed(AGREEMENT_LOG).map(|followed| followed.today);
    theirs.map_or(context.today, |theirs| theirs.max(context.today))
}

/// What is known of an agreement; `None` where nothing is.
pub(crate) fn find<'v>(case: &Case<'_, 'v>, agreement: AgreementId) -> Result<Option<&'v Backing>, Stop> {
    Ok(case.states.get(BackingId::of(agreement).stream())?.and_then(State::backing))
}

impl Stage {
    /// Whether the grant is over: nothing more is approved, contracted or paid.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        match self {
            Self::Rejected(_) | Self::Withdrawn(_) => true,
            Self::Running(contract) => contract.progress.has_ended(),
            _ => false,
        }
    }
}

fn loss_by(how: Ending) -> Loss {
    match how {
        Ending::Cancelled => Loss::Cancelled,
        Ending::Completed => Loss::Completed,
        Ending::Terminated => Loss::Terminated,
    }
}

/// The term until the day before `out_of_force_from`, and no longer than it was.
fn cut(term: Term, out_of_force_from: Date) -> Term {
    let last = out_of_force_from.yesterday().unwrap_or(Date::MIN);
    Term { from: term.from, until: term.until.min(last) }
}

fn day_after(day: Date) -> Date {
    day.tomorrow().unwrap_or(Date::MAX)
}
