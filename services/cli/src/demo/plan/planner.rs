//! Goes through a grant's quarters and does in each what is due: what the bank does first, then what stands on the agenda, last
//! of all the end.
//!
//! A recovery is another aggregate than its grant, and commands about two aggregates keep no order: those of a quarter may be
//! decided either way round. So what is taken for a recovery is taken before anything else of its quarter, what is given back is
//! given back after all else, and a grant is closed in no quarter in which either happens.

use super::course::Course;
use super::payments::{self, Gates};
use super::purse::Purse;
use super::{Claim, ClosingStep, Facts, Item, Life, Matching, Payment, Pursuit, Step};
use concord_proto::fund::v1::TrancheCondition;

/// Something that stands on the agenda of a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Todo {
    /// The lead passes on what partners are owed.
    PassShares,
    /// A party reports what it has spent: `all` at the end, else a part.
    Report {
        party: usize,
        all: bool,
    },
    /// The office decides on an item that was reported.
    Decide(usize),
    /// An accepted item is disallowed after final acceptance.
    DisallowAccepted(usize),
    /// Completion is reported.
    Complete(u32),
    /// Final acceptance is concluded.
    Conclude(u32),
    Terminate,
    Cancel,
    /// Parties give back what they should.
    Refund,
    /// A party gives back what it had kept for so long as it may.
    GiveBackRetained(usize),
    /// What a party should have given back is recovered.
    RecoverKept(usize),
    /// What the lead of a failed project holds is recovered.
    RecoverFailed,
    Evaluate,
    /// A step of a recovery.
    Pursue(Claim, Pursuit),
}

impl Todo {
    /// Whether money is taken from a recipient by a decision on a recovery.
    fn takes_for_recovery(&self) -> bool {
        matches!(self, Self::RecoverFailed | Self::RecoverKept(_))
    }

    /// Whether a decision on a recovery gives money back.
    fn gives_back(&self) -> bool {
        matches!(self, Self::Pursue(_, Pursuit::Overturn(_)))
    }
}

/// A grant on its way through the quarters.
pub(super) struct Planner<'a> {
    pub(super) grant: Facts<'a>,
    pub(super) course: Course,
    pub(super) matching: Matching,
    payments: Vec<(usize, Payment)>,
    pub(super) purse: Purse,
    /// What is due in each quarter.
    agenda: Vec<Vec<Todo>>,
    pub(super) steps: Vec<(usize, Step)>,
    pub(super) items: Vec<PlannedItem>,
    pub(super) invoices: Vec<i64>,
    pub(super) transfers: u32,
    pub(super) completed: Option<usize>,
    /// Quarter in which final acceptance was concluded, and whether the project passed.
    pub(super) concluded: Option<(usize, bool)>,
    pub(super) ended: Option<usize>,
}

/// An item, and what became of it so far.
pub(super) struct PlannedItem {
    pub(super) item: Item,
    /// Quarter of the report.
    pub(super) reported: usize,
    pub(super) is_accepted: bool,
}

/// The life of a grant.
pub(super) fn plan(grant: &Facts<'_>) -> Life {
    let course = Course::of(grant);
    let matching = Matching::of(grant);
    let gates = Gates { matching: &matching, accepted: course.accepted(), stopped: course.stopped() };
    let mut planner = Planner {
        grant: *grant,
        course,
        payments: payments::payments(grant, gates),
        matching,
        purse: Purse::of(grant.award_minor, grant.shares),
        agenda: vec![Vec::new(); grant.days.len()],
        steps: vec![(grant.imported, Step::VerifyPayee)],
        items: Vec::new(),
        invoices: Vec::new(),
        transfers: 0,
        completed: None,
        concluded: None,
        ended: None,
    };
    planner.set_the_course();
    for quarter in grant.imported..grant.days.len() {
        planner.play(quarter);
    }
    Life {
        steps: planner.steps,
        matching: planner.matching,
        items: planner.items.into_iter().map(|planned| planned.item).collect(),
        invoices: planner.invoices,
        ended: planner.ended,
    }
}

impl Planner<'_> {
    /// Puts something on the agenda; what is due after the last quarter never happens.
    pub(super) fn due(&mut self, quarter: usize, todo: Todo) {
        if let Some(agenda) = self.agenda.get_mut(quarter) {
            agenda.push(todo);
        }
    }

    pub(super) fn take(&mut self, quarter: usize, step: impl Into<Step>) {
        self.steps.push((quarter, step.into()));
    }

    fn play(&mut self, quarter: usize) {
        let due = std::mem::take(&mut self.agenda[quarter]);
        let (taking, due): (Vec<Todo>, Vec<Todo>) = due.into_iter().partition(Todo::takes_for_recovery);
        let (giving, due): (Vec<Todo>, Vec<Todo>) = due.into_iter().partition(Todo::gives_back);
        let is_settled = taking.is_empty() && giving.is_empty();
        self.agenda[quarter] = due;
        for todo in taking {
            self.attend_to(quarter, todo);
        }
        for step in self.matching.steps(self.grant.imported, quarter) {
            self.take(quarter, step);
        }
        let paid = |(of, payment): &(usize, Payment)| (*of == quarter).then_some(*payment);
        for payment in self.payments.iter().filter_map(paid).collect::<Vec<_>>() {
            self.pay(quarter, payment);
        }
        // What is done may put more on the agenda of the same quarter.
        let mut next = 0;
        while let Some(todo) = self.agenda[quarter].get(next).copied() {
            next += 1;
            self.attend_to(quarter, todo);
        }
        if is_settled && self.may_close(quarter) {
            self.close(quarter);
        }
        for todo in giving {
            self.attend_to(quarter, todo);
        }
    }

    fn attend_to(&mut self, quarter: usize, todo: Todo) {
        match todo {
            Todo::PassShares => self.pass_shares(quarter),
            Todo::Report { party, all } => self.report(quarter, party, all),
            Todo::Decide(item) => self.decide(quarter, item),
            Todo::DisallowAccepted(item) => self.disallow_accepted(quarter, item),
            Todo::Complete(round) => self.complete(quarter, round),
            Todo::Conclude(round) => self.conclude(quarter, round),
            Todo::Terminate => self.terminate(quarter),
            Todo::Cancel => self.cancel(quarter),
            Todo::Refund => self.refund(quarter),
            Todo::GiveBackRetained(party) => self.give_back_retained(quarter, party),
            Todo::RecoverKept(party) => self.recover_kept(quarter, party),
            Todo::RecoverFailed => self.recover_failed(quarter),
            Todo::Evaluate => self.take(quarter, ClosingStep::Evaluate),
            Todo::Pursue(claim, pursuit) => self.pursue(quarter, claim, pursuit),
        }
    }

    /// A step of a tranche, and what follows from it. A grant that has ended is paid nothing more.
    fn pay(&mut self, quarter: usize, payment: Payment) {
        if self.ended.is_some() {
            return;
        }
        let minor = self.tranche_minor(payment.tranche());
        match payment {
            Payment::Request(tranche) => self.check_midterm(quarter, tranche),
            Payment::Authorise(_) => {}
            Payment::Instruct(..) => self.purse.instruct(minor),
            Payment::ReturnUnsettled(..) => self.purse.return_unsettled(minor),
            Payment::Settle(tranche, attempt) => {
                let comes_back = self.comes_back(tranche, attempt);
                let is_shared_all_the_same = comes_back && self.falls_short(tranche);
                self.purse.settle(minor, comes_back && !is_shared_all_the_same);
                if is_shared_all_the_same {
                    self.due(quarter, Todo::PassShares);
                } else if !comes_back {
                    self.share_out(quarter, tranche);
                }
            }
            Payment::ReturnSettled(tranche, attempt) => {
                let was_fleeting = !self.falls_short(tranche);
                let (returned, recovered) = self.purse.return_settled(minor, was_fleeting);
                if recovered > 0 {
                    self.take(quarter, Step::ReturnShort { tranche, attempt, returned, recovered });
                    return self.claim_short(quarter, Claim::Short(tranche, attempt), recovered);
                }
            }
        }
        self.take(quarter, Step::Pay(payment));
    }

    fn tranche_minor(&self, number: u32) -> i64 {
        let planned = self.grant.tranches.iter().find(|tranche| tranche.number == number);
        planned.map_or(0, |tranche| tranche.amount_minor)
    }

    fn comes_back(&self, tranche: u32, attempt: u32) -> bool {
        self.payments.iter().any(|(_, payment)| *payment == Payment::ReturnSettled(tranche, attempt))
    }

    /// Whether the lead passes the first tranche on before it comes back for good, so that it comes back short: in half of the
    /// cases where there are partners, and before anything was spent.
    fn falls_short(&self, tranche: u32) -> bool {
        let for_good = self.payments.iter().rev().find(|(_, payment)| payment.tranche() == tranche);
        tranche == 1
            && !self.grant.shares.is_empty()
            && for_good.is_some_and(|(_, payment)| matches!(payment, Payment::ReturnSettled(..)))
            && self.grant.roll("short").is_multiple_of(2)
    }

    /// Half of the projects are checked before their second tranche is asked for.
    fn check_midterm(&mut self, quarter: usize, tranche: u32) {
        let waits = self.grant.tranches.iter().any(|planned| {
            planned.number == tranche && planned.condition == i32::from(TrancheCondition::Midterm)
        });
        if waits && self.completed.is_none() && self.grant.roll("midterm").is_multiple_of(2) {
            self.take(quarter, ClosingStep::CheckMidterm);
        }
    }

    /// Whether the bank pays anything after this quarter.
    pub(super) fn is_paid_after(&self, quarter: usize) -> bool {
        self.payments.iter().any(|(later, _)| *later > quarter)
    }

    /// Whether the bank settles anything for good after this quarter.
    pub(super) fn is_settled_after(&self, quarter: usize) -> bool {
        self.payments.iter().any(|(later, payment)| {
            *later > quarter
                && matches!(*payment, Payment::Settle(tranche, attempt) if !self.comes_back(tranche, attempt))
        })
    }

    /// Whether shares or spending are on the agenda of this quarter or a later one.
    pub(super) fn is_accounted_for_after(&self, quarter: usize) -> bool {
        self.agenda[quarter + 1..].iter().flatten().any(|todo| {
            matches!(
                todo,
                Todo::PassShares | Todo::Report { .. } | Todo::Decide(_) | Todo::DisallowAccepted(_)
            )
        })
    }

    /// Whether a tranche was asked for and is not paid.
    pub(super) fn has_open_tranche(&self) -> bool {
        payments::leave_a_tranche_open(&self.payments)
    }
}
