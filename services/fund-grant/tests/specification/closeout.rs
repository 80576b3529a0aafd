//! Closeout 结题, evaluation 绩效评价, termination 终止 and cancellation 撤销.

use crate::{
    backing::{self, AGREEMENT, april, hold},
    correction::{correct, settlement},
    edge,
    life::*,
    refusals::{check, row},
    stages,
    world::*,
};
use concord_events::{
    fund::{Ending, FundEvent, FundingMode, Holding, LimitOn, RecoveryCause, Taken},
    ledger::Account,
};
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand,
        closing::{ClosingCommand, recovery_of_cancelled},
        spending::SpendingCommand,
    },
    programme::Programme,
    wire,
};
use concord_proto::fund::v1::{
    self as fund, CancelGrantRequest, CancellationCause, CloseGrantRequest, EvaluateGrantRequest,
    EvaluationGrade, TerminateGrantRequest,
};

// ---- States and commands ---------------------------------------------------------------------------------------------

const ROWS: [&str; 10] = [
    "approved",
    "running",
    "completion_reported",
    "rectifying",
    "finally_accepted",
    "acceptance_failed",
    "closed",
    "evaluated",
    "terminated",
    "cancelled",
];
const COLUMNS: [&str; 16] = [
    "amend",
    "extend",
    "midterm",
    "report",
    "conclude",
    "close",
    "evaluate",
    "terminate",
    "cancel",
    "refund",
    "retain",
    "transfer",
    "request",
    "verify",
    "hold",
    "name",
];

/// Every command as the story has it.
const AS_IN_THE_STORY: &str = "
                    amend extend midterm report conclude close evaluate terminate cancel refund retain transfer request verify hold name
approved              w     w       w      w       w       w       w        w       w      w      w       w       w       +     +    +
running               +     +       +      +       w       w       w        +       +      +      w       w       +       +     +    +
completion_reported   +     w       w      =       +       w       w        +       +      +      w       w       +       +     +    +
rectifying            +     w       w      +       w       w       w        +       +      +      w       w       +       +     +    +
finally_accepted      w     w       w      =       =       +       w        +       +      +      +       +       +       +     +    +
acceptance_failed     w     w       w      =       d       +       w        +       +      +      w       w       w       +     +    +
closed                w     w       w      =       =       =       +        w       +      +      +       +       w       w     w    w
evaluated             w     w       w      =       =       =       =        w       +      +      +       +       w       w     w    w
terminated            w     w       w      w       w       w       w        =       +      +      w       +       w       w     w    w
cancelled             w     w       w      w       w       w       w        w       =      b      w       w       w       w     w    w
";

/// With another report, other minutes, another score, another reason.
const OTHERWISE: &str = "
                    report conclude close evaluate terminate cancel
approved              w       w       w      w         w       w
running               +       w       w      w         +       +
completion_reported   d       +       w      w         +       +
rectifying            +       w       w      w         +       +
finally_accepted      d       d       +      w         +       +
acceptance_failed     d       d       +      w         +       +
closed                d       d       d      +         w       +
evaluated             d       d       d      d         w       +
terminated            w       w       w      w         d       +
cancelled             w       w       w      w         w       d
";

fn asked(column: &str) -> (Order, &'static str) {
    let fraud = RecoveryCause::Cancelled;
    let (order, event) = match column {
        "amend" => (
            amend(None, plan()[..1].iter().cloned().chain([planned(2, PAID, plan()[2].condition)]).collect()),
            "ContractAmended",
        ),
        "extend" => (extend(day(2015, 12, 31)), "ProjectExtended"),
        "midterm" => (midterm(true, "Z-1"), "MidtermChecked"),
        "report" => (report("R-1"), "CompletionReported"),
        "conclude" => (pass(), "FinalAcceptanceConcluded"),
        "close" => (close(Some(april(30))), "GrantClosed"),
        "evaluate" => (evaluate(8_000), "GrantEvaluated"),
        "terminate" => (terminate("bankrupt", None), "GrantTerminated"),
        "cancel" => (cancel(fraud, "false papers"), "GrantCancelled, RecoveryDetermined"),
        "refund" => (refund(1, "f-1"), "BalanceRefunded"),
        "retain" => (retain(1), "BalanceRetained"),
        "transfer" => (transfer(SECOND, 1), "BalanceTransferred"),
        "request" => (request(2, None), "TrancheRequested"),
        "verify" => (verify_payee("a2"), "PayeeVerified"),
        "hold" => (hold("audit"), "GrantHeld"),
        "name" => (backing::name_it(), "BackingNamed"),
        other => panic!("there is no command {other}"),
    };
    (order.on(april(10)), event)
}

fn asked_otherwise(column: &str) -> (Order, &'static str) {
    let order = match column {
        "report" => report("R-9"),
        "conclude" => conclude_by("M-9", concord_events::fund::AcceptanceOutcome::Passed),
        "close" => close_by("C-9", Some(april(30))),
        "evaluate" => evaluate(7_999),
        "terminate" => terminate("moved away", None),
        "cancel" => cancel(RecoveryCause::Cancelled, "another reason"),
        other => panic!("there is no command {other}"),
    };
    (order, asked(column).1)
}

fn world_at(row: &str) -> World {
    let known = [
        backing::take(1, march(1), backing::drafted()),
        backing::take(2, march(2), backing::in_force(backing::long())),
    ];
    World::after(known.into_iter().chain(life(row)))
}

#[test]
fn a_contracted_grant_answers_every_command_up_to_its_end() {
    for row in ROWS.iter().filter(|row| **row != "running") {
        assert_eq!(World::after(life(row)).grant().stage.name(), *row);
    }
    assert_eq!(World::after(life("running")).grant().stage.name(), "contracted");
    stages::check(AS_IN_THE_STORY, &ROWS, &COLUMNS, world_at, asked);
    let columns = ["report", "conclude", "close", "evaluate", "terminate", "cancel"];
    stages::check(OTHERWISE, &ROWS, &columns, world_at, asked_otherwise);
}

#[test]
fn what_happened_and_is_said_again_changes_nothing() {
    for row in ROWS {
        for column in COLUMNS {
            let mut world = world_at(row);
            let order = asked(column).0;
            if world.execute(&order).is_ok() {
                assert_eq!(world.outcome(&order), "unchanged", "{row} × {column}, the same again");
            }
        }
    }
}

#[test]
fn the_state_reads_back_from_its_json_and_is_shown() {
    let shown = [
        ("running", fund::State::Contracted),
        ("completion_reported", fund::State::CompletionReported),
        ("rectifying", fund::State::Rectifying),
        ("finally_accepted", fund::State::FinallyAccepted),
        ("acceptance_failed", fund::State::AcceptanceFailed),
        ("closed", fund::State::Closed),
        ("evaluated", fund::State::Evaluated),
        ("terminated", fund::State::Terminated),
        ("cancelled", fund::State::Cancelled),
    ];
    for (row, state) in shown {
        let orders = with(row, [refund(1, "f-1"), retain(2), transfer(SECOND, 3)]);
        let mut world = World::default();
        for order in orders {
            let json = serde_json::to_string(&order.command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), order.command);
            // Where it is not for this state it is refused, and the state is as it was.
            drop(world.execute(&order));
        }
        let json = serde_json::to_string(&world).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<World>(&json).unwrap()).unwrap(), json);
        assert_eq!(wire::answers::grant(world.grant(), 1).state, i32::from(state), "{row}");
    }
    let world = World::after(with("evaluated", [retain(2)]));
    let grant = wire::answers::grant(world.grant(), 1);
    let end = grant.end.unwrap();
    assert_eq!(
        (end.minutes.as_str(), end.reason.as_str(), end.refund_by.as_str()),
        ("C-1", "", "2013-04-30")
    );
    let evaluation = grant.evaluation.unwrap();
    assert_eq!((evaluation.grade(), evaluation.score_hundredths), (EvaluationGrade::Good, 8_000));
    let acceptance = grant.final_acceptance.unwrap();
    assert_eq!((acceptance.outcome(), acceptance.minutes.as_str()), (fund::AcceptanceOutcome::Passed, "M-1"));
    assert_eq!((grant.completion_report.as_str(), grant.acceptance_due_on.as_str()), ("R-1", "2015-09-30"));
    let kept = &grant.retained_balances[0];
    assert_eq!((kept.amount_minor, kept.until.as_str()), (2, "2015-04-10"));
}

// ---- Closeout --------------------------------------------------------------------------------------------------------

#[test]
fn a_grant_is_closed_with_no_open_tranche() {
    let paying =
        |more: Vec<Order>| with("finally_accepted", more.into_iter().map(|order| order.on(april(10))));
    let shut = || close(Some(april(30)));
    let asked = || vec![request(2, None)];
    let authorised = || vec![request(2, None), authorise(2)];
    let instructed = || vec![request(2, None), authorise(2), instruct(2, 2)];
    let and = |mut orders: Vec<Order>, more: Order| {
        orders.push(more);
        orders
    };
    check([
        row("asked for", paying(asked()), shut(), "CLOSE_OPEN_TRANCHE"),
        row("authorised", paying(authorised()), shut(), "CLOSE_OPEN_TRANCHE"),
        row("with the bank", paying(instructed()), shut(), "CLOSE_OPEN_TRANCHE"),
        row("paid", paying(and(instructed(), settle(2, "b-2"))), shut(), "GrantClosed"),
        row("come back", paying(and(instructed(), send_back(2, "r-2", "x"))), shut(), "GrantClosed"),
        row("called off", paying(and(authorised(), cancel_tranche(2, "x"))), shut(), "GrantClosed"),
        row(
            "each is named",
            paying(and(asked(), request(3, None))),
            shut(),
            "CLOSE_OPEN_TRANCHE, CLOSE_OPEN_TRANCHE",
        ),
        row("with A10", paying(asked()), close(None), "CLOSE_OPEN_TRANCHE, A10_UNSPENT_WITHOUT_DISPOSITION"),
    ]);
    let refused = broken(&World::after(paying(instructed())), &shut());
    says(&refused, "CLOSE_OPEN_TRANCHE", &[("tranche", "2"), ("state", "instructed")]);
}

#[test]
fn a_grant_is_closed_with_no_undecided_spending() {
    let shut = || close(Some(april(30)));
    let reported = || with("finally_accepted", [report_spend(1, 100), report_spend(2, 200)]);
    let decided = |item, command| reported().into_iter().chain([spending(item, command)]).collect::<Vec<_>>();
    let disallow = || SpendingCommand::Disallow { reason: "no receipt".to_owned() };
    let mut both = decided(1, SpendingCommand::Accept);
    both.push(spending(2, disallow()));
    check([
        row("two wait", reported(), shut(), "CLOSE_OPEN_SPENDING"),
        row("one is accepted", decided(1, SpendingCommand::Accept), shut(), "CLOSE_OPEN_SPENDING"),
        row("one is disallowed", decided(1, disallow()), shut(), "CLOSE_OPEN_SPENDING"),
        row("both are decided", both, shut(), "GrantClosed"),
        row("a termination waits for none", reported(), terminate("x", None), "GrantTerminated"),
    ]);
    let refused = broken(&World::after(reported()), &shut());
    says(&refused, "CLOSE_OPEN_SPENDING", &[("items", "2"), ("sum_minor", "300"), ("currency", "CNY")]);
}

#[test]
fn a10_what_is_unspent_has_a_disposition() {
    check([
        row("none", life("finally_accepted"), close(None), "A10_UNSPENT_WITHOUT_DISPOSITION"),
        row("on that day", life("finally_accepted"), close(Some(april(10))), "GrantClosed"),
        row("the day before", life("finally_accepted"), close(Some(april(9))), "A10_REFUND_DAY_OUT_OF_RANGE"),
        row("thirty days later", life("finally_accepted"), close(Some(day(2013, 5, 10))), "GrantClosed"),
        row(
            "thirty-one",
            life("finally_accepted"),
            close(Some(day(2013, 5, 11))),
            "A10_REFUND_DAY_OUT_OF_RANGE",
        ),
        row(
            "all but one fen was refunded",
            with("finally_accepted", [refund(PAID - 1, "f-1")]),
            close(None),
            "A10_UNSPENT_WITHOUT_DISPOSITION",
        ),
        row("all was refunded", with("finally_accepted", [refund(PAID, "f-1")]), close(None), "GrantClosed"),
        row("all is retained", with("finally_accepted", [retain(PAID)]), close(None), "GrantClosed"),
        row(
            "all goes on elsewhere",
            with("finally_accepted", [transfer(SECOND, PAID)]),
            close(None),
            "GrantClosed",
        ),
        row("after a failure too", life("acceptance_failed"), close(None), "A10_UNSPENT_WITHOUT_DISPOSITION"),
    ]);
    let refused = broken(&World::after(life("finally_accepted")), &close(None));
    says(
        &refused,
        "A10_UNSPENT_WITHOUT_DISPOSITION",
        &[
            ("party", "CN-USCC:91330100799655058B"),
            ("unspent_minor", "5000000"),
            ("refund_latest", "2013-05-10"),
        ],
    );
    assert_eq!(refused.field, "refund_by");
    // Each party that holds something is named.
    let mut shared = with_partner();
    for order in [report("R-1"), pass()] {
        shared.execute(&order).unwrap();
    }
    let refused = shared.clone().execute(&close(None)).unwrap_err().0;
    let held: Vec<_> = refused.broken.iter().map(|broken| broken.facts["unspent_minor"].as_str()).collect();
    assert_eq!(held, ["3000000", "2000000"]);
}

#[test]
fn what_was_never_drawn_goes_back_with_the_end() {
    let mut before = World::after(life("finally_accepted"));
    before.execute(&refund(PAID, "f-1")).unwrap();
    let ends = [
        ("closed", close(None)),
        ("terminated", terminate("x", None)),
        ("cancelled", cancel(RecoveryCause::Fraud, "x")),
    ];
    for (state, order) in ends {
        for (on, to_treasury) in [(day(2013, 12, 31), false), (day(2014, 1, 1), true)] {
            let mut world = before.clone();
            let events = world.execute(&order.clone().on(on)).unwrap();
            let [
                FundEvent::GrantClosed { end, .. }
                | FundEvent::GrantTerminated { end, .. }
                | FundEvent::GrantCancelled { end, .. },
            ] = events.as_slice()
            else {
                panic!("it ended, and nothing was recovered: {events:?}");
            };
            assert_eq!((end.undrawn_minor, end.to_treasury), (AWARD - PAID, to_treasury), "{state} on {on}");
            let (was, is) = (before.programme(), world.programme());
            assert_eq!(was.contracted_minor - is.contracted_minor, AWARD - PAID);
            let back = is.available_minor - was.available_minor;
            let gone = was.appropriated_minor - is.appropriated_minor;
            assert_eq!((back, gone), if to_treasury { (0, AWARD - PAID) } else { (AWARD - PAID, 0) });
            assert_eq!(stands(&world, Account::Committed), 0);
            assert_eq!(world.grant().stage.name(), state);
            assert!(world.grant().stage.has_ended());
        }
    }
}

#[test]
fn an_end_comes_after_the_last_payment_and_is_the_offices() {
    let paid_late = || {
        let late = [request(2, None), authorise(2), instruct(2, 2)].map(|order| order.on(april(10)));
        with("finally_accepted", late.into_iter().chain([settle(2, "b-2").on(april(12))]))
    };
    let by_applicant = |order: Order| order.by("colleague", "the-university");
    check([
        row("before it", paid_late(), close(Some(april(30))).on(april(11)), "STEP_BEFORE_THE_LAST"),
        row("on its day", paid_late(), close(Some(april(30))).on(april(12)), "GrantClosed"),
        row("termination before it", paid_late(), terminate("x", None).on(april(11)), "STEP_BEFORE_THE_LAST"),
        row(
            "cancellation before it",
            paid_late(),
            cancel(RecoveryCause::Fraud, "x").on(april(11)),
            "STEP_BEFORE_THE_LAST",
        ),
        row(
            "the applicant's colleague closes",
            life("finally_accepted"),
            by_applicant(close(Some(april(30)))),
            "A13_APPLICANT_IN_OFFICE",
        ),
        row(
            "the applicant's colleague terminates",
            life("running"),
            by_applicant(terminate("x", None)),
            "A13_APPLICANT_IN_OFFICE",
        ),
    ]);
}

/// What recipients hold is taken as it stands: so an end lies after whatever moved it.
#[test]
fn an_end_comes_after_what_moved_the_money() {
    let late = |order: Order| order.on(april(20));
    let early = |order: Order| order.on(april(15)).learned_on(april(20));
    let accepted = || with("running", [report_spend(1, 100), late(spending(1, SpendingCommand::Accept))]);
    let given_back = || with("finally_accepted", [late(refund(PAID, "f-1"))]);
    let shares = shares(AWARD * 7 / 10, AWARD * 3 / 10);
    let passed_on = || {
        let shared = amend_by("A-0", None, plan(), Some(shares.clone()));
        with("running", [shared, late(share_to_partner(100, "s-1"))])
    };
    let cancelled = || cancel(RecoveryCause::Fraud, "x");
    check([
        row(
            "after spending was accepted",
            accepted(),
            late(cancelled()),
            "GrantCancelled, RecoveryDetermined",
        ),
        row("before it", accepted(), early(cancelled()), "STEP_BEFORE_THE_LAST"),
        row("after all was given back", given_back(), late(close(None)), "GrantClosed"),
        row("before it", given_back(), early(close(None)), "STEP_BEFORE_THE_LAST"),
        row("before a share was passed on", passed_on(), early(terminate("x", None)), "STEP_BEFORE_THE_LAST"),
    ]);
}

#[test]
fn a_migrated_award_is_reported_accepted_and_closed_as_any_other() {
    let steps = [report("R-1"), pass(), close(None), evaluate(9_000)];
    let world = World::after([import(award(plan()))].into_iter().chain(steps));
    assert_eq!(world.grant().stage.name(), "evaluated");
    assert_eq!(world.programme().contracted_minor, 0);
    assert_eq!(World::after(story("migrated")).outcome(&close(None)), "WRONG_STAGE");
}

// ---- Termination -----------------------------------------------------------------------------------------------------

#[test]
fn a_terminated_grant_is_refunded_by_a_day() {
    let with_bank = [request(2, None), authorise(2), instruct(2, 2)].map(|order| order.on(april(10)));
    check([
        row("today", life("running"), terminate("x", Some(april(10))), "GrantTerminated"),
        row("yesterday", life("running"), terminate("x", Some(april(9))), "A10_REFUND_DAY_OUT_OF_RANGE"),
        row("the last day", life("running"), terminate("x", Some(day(2013, 5, 10))), "GrantTerminated"),
        row(
            "a day later",
            life("running"),
            terminate("x", Some(day(2013, 5, 11))),
            "A10_REFUND_DAY_OUT_OF_RANGE",
        ),
        row(
            "a tranche is with the bank",
            with("running", with_bank),
            terminate("x", None),
            "END_TRANCHE_WITH_BANK",
        ),
        row(
            "one is only asked for",
            with("running", [request(2, None).on(april(10))]),
            terminate("x", None),
            "GrantTerminated",
        ),
        row(
            "the same with its day",
            life("terminated"),
            terminate("bankrupt", Some(day(2013, 5, 10))),
            "unchanged",
        ),
        row(
            "with another day",
            life("terminated"),
            terminate("bankrupt", Some(april(30))),
            "ALREADY_TERMINATED",
        ),
    ]);
    let world = World::after(life("terminated"));
    assert_eq!(world.grant().contract().unwrap().progress.refund_by(), Some(day(2013, 5, 10)));
    let refused = broken(&World::after(life("running")), &terminate("x", Some(april(9))));
    says(
        &refused,
        "A10_REFUND_DAY_OUT_OF_RANGE",
        &[("refund_by", "2013-04-09"), ("refund_earliest", "2013-04-10"), ("refund_latest", "2013-05-10")],
    );
    // What is unspent stays with the recipient until it comes back.
    assert_eq!(stands(&world, Account::RecipientUnspent), PAID);
    assert_eq!(world.outcome(&refund(PAID, "f-1")), "BalanceRefunded");
}

#[test]
fn a_settled_payment_may_still_come_back_after_the_end() {
    for row in ["closed", "evaluated", "terminated"] {
        let mut world = World::after(life(row));
        let back = send_back(1, "r-9", "closed account").on(april(10));
        assert_eq!(world.outcome(&back), "PaymentReturned", "{row}");
        world.execute(&back).unwrap();
        assert_eq!(stands(&world, Account::RecipientUnspent), 0);
        assert_eq!(
            world.outcome(&instruct(1, 1).on(april(10))),
            "WRONG_STAGE",
            "{row}: nothing is paid anew"
        );
        let events = world.execute(&cancel(RecoveryCause::Fraud, "x")).unwrap();
        let [FundEvent::GrantCancelled { end, .. }] = events.as_slice() else {
            panic!("{row}: nothing is with recipients: {events:?}");
        };
        assert_eq!(end.undrawn_minor, 0, "{row}: it went back when it came");
    }
}

/// No later step of an ended grant would release it: it is available again at once, or the treasury's after the year.
#[test]
fn what_comes_back_after_the_end_goes_on_from_the_recipient_at_once() {
    let back = send_back(1, "r-9", "closed account");
    for (on, to_treasury) in [(april(10), false), (day(2014, 1, 2), true)] {
        let mut world = World::after(life("terminated"));
        let was = world.programme().clone();
        let events = world.execute(&back.clone().on(on)).unwrap();
        assert!(matches!(
            &events[..],
            [FundEvent::PaymentReturned { amount_minor: PAID, released: Some(released), .. }]
                if released.to_treasury == to_treasury
        ));
        assert_eq!(stands(&world, Account::Committed), 0);
        let is = world.programme();
        let [available, appropriated] = if to_treasury { [0, PAID] } else { [PAID, 0] };
        assert_eq!(is.available_minor - was.available_minor, available);
        assert_eq!(was.appropriated_minor - is.appropriated_minor, appropriated);
        assert_eq!(was.contracted_minor - is.contracted_minor, PAID);
        let taken = |programme: &Programme| programme.taken_minor(&LimitOn::Mode(FundingMode::NonRepayable));
        assert_eq!(taken(&was) - taken(is), PAID);
    }
}

/// The settlement was recorded wrongly, which was found out after the end: the bank had sent the payment back.
#[test]
fn a_payment_that_was_never_settled_comes_back_after_the_end_too() {
    let mut world = World::after(life("terminated"));
    let position = settlement(&world);
    world.execute(&correct(position).on(april(10))).unwrap();
    assert_eq!(stands(&world, Account::Instructed), PAID);
    let available_minor = world.programme().available_minor;
    world.execute(&send_back(1, "r-9", "closed account").on(april(10))).unwrap();
    assert_eq!((stands(&world, Account::Instructed), stands(&world, Account::Committed)), (0, 0));
    assert_eq!(world.programme().available_minor, available_minor + PAID);
}

// ---- Cancellation ----------------------------------------------------------------------------------------------------

/// The lead holds 20,000.00 unspent, has spent 10,000.00; the partner holds 5,000.00 unspent, has spent 15,000.00.
#[test]
fn all_that_recipients_of_a_cancelled_grant_have_is_recovered() {
    let mut world = with_partner();
    happened(&mut world, spent(lead().party, 1_000_000));
    happened(&mut world, spent(university().party, 1_500_000));
    let events = world.execute(&cancel(RecoveryCause::Fraud, "false books")).unwrap();
    let [
        FundEvent::GrantCancelled { end, .. },
        FundEvent::RecoveryDetermined { recovery, cause, amount_minor, takes, .. },
    ] = events.as_slice()
    else {
        panic!("it was cancelled, and a recovery determined: {events:?}");
    };
    assert_eq!(end.undrawn_minor, AWARD - PAID);
    assert_eq!(*recovery, recovery_of_cancelled(GRANT));
    assert_eq!((*cause, *amount_minor), (RecoveryCause::Fraud, PAID));
    let taken = |party, from, amount_minor| Taken { party, from, amount_minor };
    let (lead, partner) = (lead().party, university().party);
    assert_eq!(
        *takes,
        [
            taken(lead, Holding::Unspent, 2_000_000),
            taken(partner, Holding::Unspent, 500_000),
            taken(lead, Holding::Spent, 1_000_000),
            taken(partner, Holding::Spent, 1_500_000),
        ]
    );
    for account in [Account::Committed, Account::RecipientUnspent, Account::EligibleSpend] {
        assert_eq!(stands(&world, account), 0, "{account:?}");
    }
    assert_eq!(stands(&world, Account::Recoverable), PAID);
    assert_eq!(world.outcome(&cancel(RecoveryCause::Cancelled, "false books")), "ALREADY_CANCELLED");
    assert_eq!(world.outcome(&cancel(RecoveryCause::Fraud, "false books")), "unchanged");
}

#[test]
fn a_grant_is_cancelled_even_after_its_end() {
    for row in ["closed", "evaluated", "terminated"] {
        let before = World::after(with(row, [refund(1_000_000, "f-1")]));
        let mut world = before.clone();
        let events = world.execute(&cancel(RecoveryCause::Fraud, "found out")).unwrap();
        let [FundEvent::GrantCancelled { end, .. }, FundEvent::RecoveryDetermined { amount_minor, .. }] =
            events.as_slice()
        else {
            panic!("{row}: it was cancelled, and a recovery determined: {events:?}");
        };
        assert_eq!((end.undrawn_minor, end.to_treasury, end.backing), (0, false, None));
        assert_eq!(*amount_minor, PAID - 1_000_000, "what was refunded is not recovered");
        assert_eq!(before.programme(), world.programme(), "{row}: the programme has it back already");
    }
    // What is retained is recovered too.
    let mut world = World::after(with("finally_accepted", [retain(PAID), close(None)]));
    let events = world.execute(&cancel(RecoveryCause::Fraud, "found out")).unwrap();
    assert!(matches!(
        &events[1],
        FundEvent::RecoveryDetermined { takes, .. }
            if takes[..] == [Taken { party: lead().party, from: Holding::Retained, amount_minor: PAID }]
    ));
}

#[test]
fn a_grant_that_was_never_paid_is_cancelled_without_a_recovery() {
    let order = cancel(RecoveryCause::Fraud, "false papers");
    let with_bank = [request(1, None), authorise(1), instruct(1, 1)];
    check([
        row("contracted", story("payable"), order.clone(), "GrantCancelled"),
        row(
            "a tranche is with the bank",
            story("payable").into_iter().chain(with_bank).collect(),
            order.clone(),
            "END_TRANCHE_WITH_BANK",
        ),
        row("approved only", story("approved"), order, "WRONG_STAGE"),
    ]);
}

/// A recovery of another grant is offset against the second tranche: from then on it has to be paid.
#[test]
fn a_grant_ends_only_once_what_was_offset_against_it_is_paid() {
    let authorised = [request(2, None), authorise(2)].map(|order| order.on(april(10)));
    let mut world = World::after(with("completion_reported", authorised));
    happened(
        &mut world,
        FundEvent::RecoveryOffset {
            recovery: recovery_of_cancelled(SECOND),
            grant: SECOND,
            programme: PROGRAMME,
            currency: cny(0).currency,
            amount_minor: 1_000,
            against: GRANT,
            tranche: 2,
        },
    );
    let ends = [fail(), terminate("x", None), cancel(RecoveryCause::Fraud, "x")];
    for order in &ends {
        says(&broken(&world, order), "END_TRANCHE_OFFSET", &[("tranche", "2"), ("offset_minor", "1000")]);
    }
    assert_eq!(world.outcome(&pass()), "FinalAcceptanceConcluded", "it is paid after that");
    for order in [instruct(2, 2), settle(2, "b-2")] {
        world.execute(&order.on(april(10))).unwrap();
    }
    for order in &ends {
        assert!(world.clone().execute(order).is_ok(), "{order:?}");
    }
}

// ---- What it rested on -----------------------------------------------------------------------------------------------

#[test]
fn an_ended_grant_rests_on_no_agreement() {
    let known = || {
        [
            backing::take(1, march(1), backing::drafted()),
            backing::take(2, march(2), backing::in_force(backing::long())),
        ]
    };
    let ends: [&str; 3] = ["closed", "terminated", "cancelled"];
    for row in ends {
        let story: Vec<Order> = life(row);
        let (last, begun) = story.split_last().unwrap();
        let begun =
            known().into_iter().chain(begun.iter().cloned()).chain([backing::name_it().on(april(10))]);
        let mut world = World::after(begun);
        assert!(world.backing(AGREEMENT).unwrap().dependents.contains(&GRANT), "{row}");
        world.execute(last).unwrap();
        assert!(world.backing(AGREEMENT).unwrap().dependents.is_empty(), "{row}");
        assert_eq!(world.grant().backing, Some(AGREEMENT), "what it rested on is still told");
        // The agreement is lost, and nobody is held for it.
        let lost = backing::take(3, april(11), backing::ended(Ending::Terminated, april(11)));
        assert_eq!(world.outcome(&lost), "BackingChanged", "{row}");
        world.execute(&lost).unwrap();
        assert_eq!(world.grant().hold.since, None);
    }
}

/// A grant that is on hold is closed, terminated and cancelled all the same: a hold stops payments and nothing else.
#[test]
fn a_hold_stops_no_end() {
    let held = |until: &str| with(until, [hold("audit")]);
    check([
        row("closed", held("finally_accepted"), close(Some(april(30))), "GrantClosed"),
        row("terminated", held("running"), terminate("x", None), "GrantTerminated"),
        row(
            "cancelled",
            held("running"),
            cancel(RecoveryCause::Fraud, "x"),
            "GrantCancelled, RecoveryDetermined",
        ),
        row("refunded", held("running"), refund(1, "f-1"), "BalanceRefunded"),
        row("accepted", held("completion_reported"), pass(), "FinalAcceptanceConcluded"),
    ]);
}

// ---- Requests --------------------------------------------------------------------------------------------------------

#[test]
fn bad_requests_are_told_at_their_fields() {
    assert_eq!(edge::faults(CloseGrantRequest::default()), ["header", "grant_id", "minutes"]);
    let close = CloseGrantRequest { refund_by: "soon".to_owned(), ..CloseGrantRequest::default() };
    assert_eq!(edge::faults(close), ["header", "grant_id", "minutes", "refund_by"]);
    assert_eq!(edge::faults(EvaluateGrantRequest::default()), ["header", "grant_id", "grade", "minutes"]);
    let evaluate = EvaluateGrantRequest {
        header: edge::header(),
        grant_id: edge::ID.to_owned(),
        grade: EvaluationGrade::Good.into(),
        score_hundredths: 10_001,
        minutes: "E-1".to_owned(),
    };
    assert_eq!(edge::faults(evaluate.clone()), ["score_hundredths"]);
    assert!(edge::read(EvaluateGrantRequest { score_hundredths: 10_000, ..evaluate }).is_ok());
    assert_eq!(edge::faults(TerminateGrantRequest::default()), ["header", "grant_id", "reason", "minutes"]);
    let unknown = CancelGrantRequest { cause: 9, ..CancelGrantRequest::default() };
    assert_eq!(edge::faults(unknown), ["header", "grant_id", "cause", "reason", "minutes"]);
    for (asked, cause) in [
        (CancellationCause::Unspecified, RecoveryCause::Cancelled),
        (CancellationCause::Revoked, RecoveryCause::Cancelled),
        (CancellationCause::Fraud, RecoveryCause::Fraud),
    ] {
        let request = CancelGrantRequest {
            header: edge::header(),
            grant_id: edge::ID.to_owned(),
            cause: asked.into(),
            reason: "x".to_owned(),
            minutes: "K-1".to_owned(),
        };
        let draft = edge::read(request).unwrap();
        let Command::Grant(_, GrantCommand::Closing(ClosingCommand::Cancel { cause: read, .. })) =
            draft.command()
        else {
            panic!("it cancels");
        };
        assert_eq!(*read, cause);
    }
}
