//! Into force and out of it.

mod ruling;

pub(super) use ruling::decide;

use super::{Agreement, Signature, Signing, Stage};
use crate::{
    rules::{day_after, days_after},
    view::Case,
};
use concord_chassis::log::Meta;
use concord_events::{
    agreement::{AgreementEvent, Term},
    document::Document,
};
use concord_kernel::Date;
use serde::{Deserialize, Serialize};

/// A term: as it was agreed, and when it is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// As agreed; an amendment may move its last day.
    pub term: Term,
    /// First day in force by the calendar: the later of the term's first day and the last signature or the renewal.
    /// Absent while signatures are missing.
    pub in_force_from: Option<Date>,
    /// Document 文号 of the renewal; the first period has none.
    pub authority: Option<String>,
}

/// A time out of force 中止.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    /// Why.
    pub cause: String,
    /// Document 文号 that ordered it.
    pub authority: String,
    /// First day out of force.
    pub from: Date,
    /// The resumption, once there was one.
    pub resumed: Option<Resumption>,
}

/// The end of a suspension 恢复.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumption {
    /// First day in force again.
    pub from: Date,
    /// Document 文号 that ordered it.
    pub authority: String,
}

/// What brings an agreement into force, or out of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ForceCommand {
    /// Sign it 签署.
    Sign(Signing),
    /// Call the draft off before all have signed.
    CancelDraft {
        /// Why.
        reason: String,
    },
    /// Suspend it 中止, from the day of the act.
    Suspend {
        /// Why.
        cause: String,
        /// Document 文号 that orders it.
        authority: String,
    },
    /// Resume it 恢复, from the day of the act.
    Resume {
        /// Document 文号 that orders it.
        authority: String,
    },
    /// Renew it 续签 by a further term.
    Renew {
        /// The term, after the last one.
        term: Term,
        /// Document 文号 of the renewal.
        authority: String,
        /// The renewal's text, by reference.
        documents: Vec<Document>,
    },
    /// Record that all was done 履行完毕; the day of the act is the last in force.
    Complete {
        /// What proves it, by reference.
        documents: Vec<Document>,
    },
    /// Terminate it 终止 before its end.
    Terminate {
        /// Why.
        reason: String,
        /// Document 文号 of the termination.
        authority: String,
        /// First day out of force, not before the day of the act.
        out_of_force_from: Date,
    },
}

impl Suspension {
    /// Whether it keeps the agreement out of force on a day.
    #[must_use]
    pub fn covers(&self, on: Date) -> bool {
        self.from <= on && self.resumed.as_ref().is_none_or(|resumption| on < resumption.from)
    }
}

impl Agreement {
    /// First and last day in force, as these periods have it and the suspensions left it: of the run that the day lies in,
    /// or of the next one. `None` while it is suspended.
    pub(super) fn in_force_by(&self, periods: &[Period], on: Date) -> Option<Term> {
        if self.stage == Stage::Suspended {
            return None;
        }
        let resumed = self.suspensions.last().and_then(|suspension| suspension.resumed.as_ref());
        let run = run(periods, on)?;
        let from = resumed.map_or(run.from, |resumption| run.from.max(resumption.from));
        Some(Term { from, until: run.until })
    }

    /// The last day of the last term.
    pub(super) fn last_day(&self) -> Date {
        // There is always a period: the draft's.
        self.periods[self.periods.len() - 1].term.until
    }

    /// The last day on which it can be renewed (rulebook, `renewal_grace_days`).
    pub(super) fn grace_ends_on(&self, case: &Case<'_, '_>) -> Date {
        days_after(self.last_day(), case.rulebook.agreement.renewal_grace_days)
    }

    /// The agreed terms without a gap between them, around a day (domain.md section 2: renewals without a gap add up).
    #[must_use]
    pub fn unbroken_term(&self, on: Date) -> Option<Term> {
        let terms = self.periods.iter().map(|period| period.term);
        joined(terms).into_iter().find(|term| term.contains(on))
    }
}

/// First day in force of a renewal: its term's, and never a day before it was made.
fn renewed_from(term: Term, on: Date) -> Date {
    term.from.max(on)
}

/// The days in force without a gap that a day lies in, else the next ones.
fn run(periods: &[Period], on: Date) -> Option<Term> {
    let in_force = periods
        .iter()
        .filter_map(|period| Some(Term { from: period.in_force_from?, until: period.term.until }));
    joined(in_force).into_iter().find(|term| on <= term.until)
}

/// Terms in order, those that follow each other without a gap as one.
fn joined(terms: impl Iterator<Item = Term>) -> Vec<Term> {
    terms.fold(Vec::new(), |mut joined: Vec<Term>, term| {
        match joined.last_mut() {
            Some(last) if day_after(last.until) == term.from => last.until = term.until,
            _ => joined.push(term),
        }
        joined
    })
}

/// Folds what brings the agreement into force or out of it.
pub(super) fn apply(agreement: &mut Agreement, event: &AgreementEvent, meta: &Meta<'_>) {
    let on = meta.effective_on;
    match event {
        AgreementEvent::AgreementSigned { party, signatory, authority, signed_on, in_force, .. } => {
            // There is always a version: the draft's.
            let draft = &mut agreement.versions[0];
            draft.signatures.push(Signature {
                party: *party,
                signatory: signatory.clone(),
                authority: authority.clone(),
                signed_on: *signed_on,
            });
            draft.from = in_force.map(|term| term.from);
            agreement.periods[0].in_force_from = draft.from;
            agreement.stage = if in_force.is_some() { Stage::Signed } else { Stage::PartiallySigned };
        }
        AgreementEvent::DraftCancelled { reason, .. } => {
            agreement.stage = Stage::DraftCancelled { reason: reason.clone(), on };
        }
        AgreementEvent::AgreementSuspended { cause, authority, out_of_force_from, .. } => {
            agreement.suspensions.push(Suspension {
                cause: cause.clone(),
                authority: authority.clone(),
                from: *out_of_force_from,
                resumed: None,
            });
            agreement.stage = Stage::Suspended;
        }
        AgreementEvent::AgreementResumed { authority, in_force, .. } => {
            if let Some(open) = agreement.suspensions.last_mut() {
                open.resumed = Some(Resumption { from: in_force.from, authority: authority.clone() });
            }
            agreement.stage = Stage::Signed;
        }
        AgreementEvent::AgreementRenewed { term, authority, .. } => {
            agreement.periods.push(Period {
                term: *term,
                in_force_from: Some(renewed_from(*term, on)),
                authority: Some(authority.clone()),
            });
        }
        AgreementEvent::AgreementCompleted { out_of_force_from, documents, .. } => {
            agreement.stage =
                Stage::Completed { out_of_force_from: *out_of_force_from, documents: documents.clone() };
            agreement.pending = None;
        }
        AgreementEvent::AgreementTerminated { reason, authority, out_of_force_from, .. } => {
            agreement.stage = Stage::Terminated {
                reason: reason.clone(),
                authority: authority.clone(),
                out_of_force_from: *out_of_force_from,
            };
            agreement.pending = None;
        }
        _ => return,
    }
    agreement.step(on);
}
