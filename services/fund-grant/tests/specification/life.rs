//! A grant's later life, from its contract to its end: its acts, and the story up to a state.

use crate::{backing::april, world::*};
use concord_events::{
    fund::{
        AcceptanceFailure, AcceptanceOutcome, Allocation, EvaluationGrade, FundEvent, Holding, Party,
        PlannedTranche, RecoveryCause,
    },
    ledger::Account,
};
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand,
        amendment::{Amendment, AmendmentCommand},
        balance::BalanceCommand,
        closing::ClosingCommand,
        midterm::MidtermCheck,
        partners::ShareTransfer,
        spending::{SpendReport, SpendingCommand},
    },
};
use concord_kernel::{
    Date,
    id::{GrantId, SpendId},
    party::{PartyCode, PartyId, PartyKind},
    spending::SpendCategory,
};
use cqrs_es::Aggregate;
use jiff::civil::date;
use uuid::Uuid;

/// Another grant of the same programme and lead.
pub const SECOND: GrantId = GrantId(Uuid::from_u128(0x2));
/// What was paid of the story's first tranche.
pub const PAID: i64 = AWARD / 2;

pub fn act(command: GrantCommand) -> Order {
    order(april(10), "officer", Command::Grant(GRANT, command))
}

pub fn university() -> Party {
    let code = PartyCode::parse("CN-USCC:91110108551385082Q").unwrap();
    Party { party: PartyId::of(&code), code, kind: PartyKind::University, region: None, name: None }
}

pub fn shares(lead_minor: i64, partner_minor: i64) -> Vec<Allocation> {
    [(lead(), lead_minor), (university(), partner_minor)]
        .into_iter()
        .map(|(party, minor)| Allocation { party, amount_minor: Some(minor) })
        .collect()
}

pub fn amend_by(
    minutes: &str,
    minor: Option<i64>,
    tranches: Vec<PlannedTranche>,
    allocations: Option<Vec<Allocation>>,
) -> Order {
    let (amount, minutes) = (minor.map(cny), minutes.to_owned());
    let amendment = Amendment { amount, tranches, allocations, minutes };
    act(GrantCommand::Amendment(AmendmentCommand::Amend(amendment)))
}

pub fn amend(minor: Option<i64>, tranches: Vec<PlannedTranche>) -> Order {
    amend_by("A-1", minor, tranches, None)
}

pub fn extend(ends_on: Date) -> Order {
    let command = AmendmentCommand::Extend { ends_on, minutes: "X-1".to_owned() };
    act(GrantCommand::Amendment(command))
}

pub fn midterm(passed: bool, report: &str) -> Order {
    act(GrantCommand::CheckMidterm(MidtermCheck { passed, report: report.to_owned() }))
}

pub fn closing(command: ClosingCommand) -> Order {
    act(GrantCommand::Closing(command))
}

pub fn report(report: &str) -> Order {
    let command = ClosingCommand::ReportCompletion { report: report.to_owned() };
    closing(command).by("applicant", "the-university")
}

pub fn conclude_by(minutes: &str, outcome: AcceptanceOutcome) -> Order {
    closing(ClosingCommand::ConcludeFinalAcceptance { outcome, minutes: minutes.to_owned() })
}

pub fn pass() -> Order {
    conclude_by("M-1", AcceptanceOutcome::Passed)
}

pub fn rectify(by: Date) -> Order {
    conclude_by("M-0", AcceptanceOutcome::Rectify { by })
}

pub fn fail() -> Order {
    conclude_by("M-3", AcceptanceOutcome::Failed { cause: AcceptanceFailure::Diversion })
}

pub fn close_by(minutes: &str, refund_by: Option<Date>) -> Order {
    closing(ClosingCommand::Close { minutes: minutes.to_owned(), refund_by })
}

pub fn close(refund_by: Option<Date>) -> Order {
    close_by("C-1", refund_by)
}

pub fn evaluate(score_hundredths: u32) -> Order {
    let (grade, minutes) = (EvaluationGrade::Good, "E-1".to_owned());
    closing(ClosingCommand::Evaluate { grade, score_hundredths, minutes })
}

pub fn terminate(reason: &str, refund_by: Option<Date>) -> Order {
    let (reason, minutes) = (reason.to_owned(), "T-1".to_owned());
    closing(ClosingCommand::Terminate { reason, minutes, refund_by })
}

pub fn cancel(cause: RecoveryCause, reason: &str) -> Order {
    let (reason, minutes) = (reason.to_owned(), "K-1".to_owned());
    closing(ClosingCommand::Cancel { cause, reason, minutes })
}

pub fn refund_of(party: Option<PartyId>, minor: i64, from: Holding, reference: &str) -> Order {
    let (amount, bank_reference) = (cny(minor), reference.to_owned());
    act(GrantCommand::Balance(BalanceCommand::Refund { party, amount, from, bank_reference }))
}

pub fn refund(minor: i64, reference: &str) -> Order {
    refund_of(None, minor, Holding::Unspent, reference)
}

pub fn retain_of(party: Option<PartyId>, minor: i64) -> Order {
    let (amount, minutes) = (cny(minor), "R-1".to_owned());
    act(GrantCommand::Balance(BalanceCommand::Retain { party, amount, minutes }))
}

pub fn retain(minor: i64) -> Order {
    retain_of(None, minor)
}

pub fn transfer(to: GrantId, minor: i64) -> Order {
    let (amount, minutes) = (cny(minor), "B-1".to_owned());
    act(GrantCommand::Balance(BalanceCommand::Transfer { to, amount, minutes }))
}

/// The lead reports an item of spending, or the office decides on it.
pub fn spending(item: u128, command: SpendingCommand) -> Order {
    act(GrantCommand::Spending(SpendId(Uuid::from_u128(0x5_0000 + item)), command))
}

pub fn report_spend(item: u128, minor: i64) -> Order {
    let report = SpendReport {
        party: lead().party,
        category: SpendCategory::Equipment,
        spent_on: april(1),
        amount: cny(minor),
        invoice: None,
        purpose: "a test bench".to_owned(),
    };
    spending(item, SpendingCommand::Report(Box::new(report))).by("applicant", "the-university")
}

pub fn share_to_partner(minor: i64, reference: &str) -> Order {
    let (amount, bank_reference) = (cny(minor), reference.to_owned());
    let transfer = ShareTransfer { to: university().party, amount, bank_reference };
    act(GrantCommand::TransferShare(transfer)).by("applicant", "the-university")
}

/// The same award as the story imports it, under the other id.
pub fn second() -> Order {
    let mut order = import(award(plan())).on(april(1));
    if let Command::Grant(grant, _) = &mut order.command {
        *grant = SECOND;
    }
    order
}

/// The story up to a state of its later life. Its first tranche is paid, the rest is not asked for.
pub fn life(until: &str) -> Vec<Order> {
    let more = match until {
        "approved" => return story("approved").into_iter().chain([second()]).collect(),
        "running" => vec![],
        "completion_reported" => vec![report("R-1")],
        "rectifying" => vec![report("R-1"), rectify(april(30))],
        "finally_accepted" => vec![report("R-1"), pass()],
        "acceptance_failed" => vec![report("R-1"), fail()],
        "closed" => vec![report("R-1"), pass(), close(Some(april(30)))],
        "evaluated" => vec![report("R-1"), pass(), close(Some(april(30))), evaluate(8_000)],
        "terminated" => vec![terminate("bankrupt", None)],
        "cancelled" => vec![cancel(RecoveryCause::Cancelled, "false papers")],
        other => panic!("there is no state {other}"),
    };
    tranche_story("settled").into_iter().chain([second()]).chain(more).collect()
}

pub fn with(until: &str, more: impl IntoIterator<Item = Order>) -> Vec<Order> {
    life(until).into_iter().chain(more).collect()
}

/// A fact that another part of the fund decides on.
pub fn happened(world: &mut World, event: FundEvent) {
    let (actor, organisation) = ("somebody".to_owned(), "funding-office".to_owned());
    world.apply(Fact { event, on: april(10), actor, organisation });
}

pub fn passed_on(minor: i64) -> FundEvent {
    FundEvent::ShareTransferred {
        grant: GRANT,
        programme: PROGRAMME,
        currency: cny(0).currency,
        to: university().party,
        amount_minor: minor,
        bank_reference: "s-1".to_owned(),
    }
}

pub fn spent(party: PartyId, minor: i64) -> FundEvent {
    FundEvent::SpendAccepted {
        grant: GRANT,
        programme: PROGRAMME,
        currency: cny(0).currency,
        spend: SpendId(Uuid::from_u128(minor.unsigned_abs().into())),
        party,
        amount_minor: minor,
    }
}

/// A running grant with a partner that has a share of 30 %, of which 20,000.00 were passed on.
pub fn with_partner() -> World {
    let shared = amend_by("A-0", None, plan(), Some(shares(AWARD * 7 / 10, AWARD * 3 / 10)));
    let mut world = World::after(with("running", [shared]));
    happened(&mut world, passed_on(2_000_000));
    world
}

/// What stands on an account of the grant, whoever holds it.
pub fn stands(world: &World, account: Account) -> i64 {
    world.grant().books.total_minor(account)
}

/// The only broken rule of an order, with its facts.
pub fn broken(world: &World, order: &Order) -> concord_chassis::log::Broken {
    let refused = world.clone().execute(order).unwrap_err().0;
    assert_eq!(refused.broken.len(), 1, "{:?}", refused.broken);
    let broken = refused.broken.into_iter().next().unwrap();
    assert!(!broken.message.is_empty() && !broken.message_zh.is_empty());
    broken
}

/// Asserts facts of a broken rule by name.
pub fn says(broken: &concord_chassis::log::Broken, code: &str, facts: &[(&str, &str)]) {
    assert_eq!(broken.code, code);
    for (name, value) in facts {
        assert_eq!(broken.facts[*name], *value, "{name} of {code}");
    }
}

pub fn day(year: i16, month: i8, day: i8) -> Date {
    date(year, month, day)
}
