//! The payments of a grant 拨款, made up 模拟: when each tranche is asked for, and how it ends up.
//!
//! A tranche waits until the rules let it: for matching money (A03), and the last one for final acceptance. While the agreement
//! behind the grant is lost nothing is asked for, authorised or instructed; what the bank has been told to do, it does.

use std::collections::HashSet;

use concord_proto::fund::v1::TrancheCondition;

use super::{Facts, Matching, quarter_of};
use crate::demo::agreements::Fate as AgreementFate;
use crate::ids;

/// A step of a tranche.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::demo) enum Payment {
    /// It is asked for.
    Request(u32),
    /// It is authorised.
    Authorise(u32),
    /// The bank is instructed: tranche and attempt.
    Instruct(u32, u32),
    /// The bank has paid: tranche and attempt.
    Settle(u32, u32),
    /// The bank sent an attempt back before it had paid.
    ReturnUnsettled(u32, u32),
    /// The bank sent an attempt back after it had paid.
    ReturnSettled(u32, u32),
}

/// How a tranche ends up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Never asked for: overdue one day.
    LeftPlanned,
    LeftRequested,
    LeftAuthorised,
    LeftInstructed,
    Settled,
    ReturnedThenSettled,
    SettledThenReturned,
    SettledReturnedSettled,
}

/// What a grant's payments wait for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gates<'a> {
    /// Matching money (A03).
    pub(super) matching: &'a Matching,
    /// Quarter in which the project passes final acceptance, if it does.
    pub(super) accepted: Option<usize>,
    /// Quarter from which on nothing is paid any more: it failed, or the grant ended.
    pub(super) stopped: Option<usize>,
}

/// The payments of one grant, each with its quarter, in order.
pub(super) fn payments(grant: &Facts<'_>, gates: Gates<'_>) -> Vec<(usize, Payment)> {
    let planned = tranches(grant, gates);
    let kept = match grant.agreement {
        Some(AgreementFate::Terminated(from) | AgreementFate::RunsOut(from)) => {
            without_agreement(planned, from)
        }
        _ => planned,
    };
    kept.into_iter().filter(|(quarter, _)| gates.stopped.is_none_or(|stopped| *quarter < stopped)).collect()
}

/// Tranche after tranche. While the agreement is suspended the days go by without the grant.
fn tranches(grant: &Facts<'_>, gates: Gates<'_>) -> Vec<(usize, Payment)> {
    let quarters = grant.days.len();
    let real = |quarter: usize| match grant.agreement {
        Some(AgreementFate::Suspended(from, until)) if quarter >= from => quarter + until - from,
        _ => quarter,
    };
    let mut steps = Vec::new();
    let mut earliest = grant.imported;
    for tranche in grant.tranches {
        let number = tranche.number;
        let roll = ids::spread(&format!("demo/fate/{}/{number}", grant.key));
        let due = tranche.due_on.parse().ok().and_then(|due| quarter_of(due, grant.days));
        let is_last = tranche.condition == i32::from(TrancheCondition::FinalAcceptance);
        let may_begin = |quarter: usize| {
            let accepted = !is_last || gates.accepted.is_some_and(|accepted| accepted <= quarter);
            accepted && gates.matching.allows(number, quarter, grant.days[quarter])
        };
        // Half are asked for in the quarter in which they are due, the others later.
        let delay = [0, 0, 1, 2][(roll / 100 % 4) as usize];
        let begun = due.map(|due| due.max(earliest) + delay).and_then(|from| {
            (from..quarters).take_while(|begun| real(*begun) < quarters).find(|begun| may_begin(real(*begun)))
        });
        let Some(begun) = begun else { return steps };
        // The bank takes until the next quarter to send a payment back; after the last quarter it cannot.
        let later = (real(begun + 1) < quarters).then_some(begun + 1);
        let fate = fate(roll % 100);
        if fate == Fate::LeftPlanned {
            return steps;
        }
        let mut take = |quarter: usize, payment: Payment| steps.push((real(quarter), payment));
        take(begun, Payment::Request(number));
        if fate == Fate::LeftRequested {
            return steps;
        }
        take(begun, Payment::Authorise(number));
        if fate == Fate::LeftAuthorised {
            return steps;
        }
        take(begun, Payment::Instruct(number, 1));
        earliest = begun;
        match (fate, later) {
            (Fate::LeftInstructed, _) => return steps,
            (Fate::ReturnedThenSettled, Some(later)) => {
                take(begun, Payment::ReturnUnsettled(number, 1));
                take(later, Payment::Instruct(number, 2));
                take(later, Payment::Settle(number, 2));
                earliest = later;
            }
            (Fate::SettledThenReturned, Some(later)) => {
                take(begun, Payment::Settle(number, 1));
                take(later, Payment::ReturnSettled(number, 1));
                return steps;
            }
            (Fate::SettledReturnedSettled, Some(later)) => {
                take(begun, Payment::Settle(number, 1));
                take(later, Payment::ReturnSettled(number, 1));
                take(later, Payment::Instruct(number, 2));
                take(later, Payment::Settle(number, 2));
                earliest = later;
            }
            _ => take(begun, Payment::Settle(number, 1)),
        }
    }
    steps
}

/// What is left once the agreement is lost for good: nothing is asked for, authorised or instructed from then on.
fn without_agreement(planned: Vec<(usize, Payment)>, from: usize) -> Vec<(usize, Payment)> {
    let mut done = HashSet::new();
    let mut kept = Vec::with_capacity(planned.len());
    for (quarter, payment) in planned {
        let goes_on = match payment {
            Payment::Request(_) | Payment::Authorise(_) | Payment::Instruct(..) => quarter < from,
            Payment::Settle(tranche, attempt) | Payment::ReturnUnsettled(tranche, attempt) => {
                done.contains(&Payment::Instruct(tranche, attempt))
            }
            Payment::ReturnSettled(tranche, attempt) => done.contains(&Payment::Settle(tranche, attempt)),
        };
        if goes_on {
            done.insert(payment);
            kept.push((quarter, payment));
        }
    }
    kept
}

/// Of a hundred tranches: how many end how.
fn fate(roll: u64) -> Fate {
    match roll {
        0..4 => Fate::LeftPlanned,
        4..6 => Fate::LeftRequested,
        6..8 => Fate::LeftAuthorised,
        8..10 => Fate::LeftInstructed,
        10..15 => Fate::ReturnedThenSettled,
        15..17 => Fate::SettledThenReturned,
        17..19 => Fate::SettledReturnedSettled,
        _ => Fate::Settled,
    }
}

/// Whether a tranche is open at the end of these: asked for and not paid, so that the grant cannot be closed.
pub(super) fn leave_a_tranche_open(payments: &[(usize, Payment)]) -> bool {
    let newest = |number: u32| payments.iter().rev().find(|(_, payment)| payment.tranche() == number);
    let numbers: HashSet<u32> = payments.iter().map(|(_, payment)| payment.tranche()).collect();
    numbers.into_iter().filter_map(newest).any(|(_, payment)| {
        matches!(payment, Payment::Request(_) | Payment::Authorise(_) | Payment::Instruct(..))
    })
}

impl Payment {
    /// Number of the tranche.
    pub(in crate::demo) fn tranche(self) -> u32 {
        match self {
            Self::Request(tranche)
            | Self::Authorise(tranche)
            | Self::Instruct(tranche, _)
            | Self::Settle(tranche, _)
            | Self::ReturnUnsettled(tranche, _)
            | Self::ReturnSettled(tranche, _) => tranche,
        }
    }
}
