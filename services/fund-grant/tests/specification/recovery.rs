//! Recoveries 追缴, and their offsets.

use crate::{backing, life, parties, stages, world::*};
use concord_events::{
    fund::{End, FundEvent, FundingMode, Holding, RecoveryCause},
    ledger::{Account, postings},
};
use concord_fund_grant::{
    Command,
    grant::{opening::MigratedAward, spending::SpendingCommand},
    recovery::{Determination, RecoveryAct, RecoveryCommand, RecoveryState, Take},
};
use concord_kernel::{
    Date,
    id::{GrantId, ProgrammeId, RecoveryId},
    money::{Amount, Currency},
    party::{PartyCode, PartyId},
};
use jiff::civil::date;
use uuid::Uuid;

pub const RECOVERY: RecoveryId = RecoveryId(Uuid::from_u128(0x51));
pub const OTHER: GrantId = GrantId(Uuid::from_u128(0x2));
pub const CLAIM: i64 = 1_000_000;
/// Ninety days after the demand.
const OFFSETTABLE: Date = date(2013, 7, 2);

pub fn april(day: i8) -> Date {
    date(2013, 4, day)
}

pub fn partner() -> PartyId {
    PartyId::of(&PartyCode::parse("CN-USCC:9144030071526726XG").unwrap())
}

fn take(party: PartyId, from: Holding, minor: i64) -> Take {
    Take { party, from, amount: cny(minor) }
}

fn determination(takes: Vec<Take>) -> Determination {
    Determination {
        grant: GRANT,
        cause: RecoveryCause::Diverted,
        takes,
        minutes: "2013-R1".to_owned(),
        reason: "spent on a car".to_owned(),
    }
}

fn determine_as(determination: Determination) -> Order {
    let command = RecoveryCommand::Determine(determination);
    order(april(2), "auditor", Command::Recovery(RECOVERY, command))
}

pub fn determine(minor: i64) -> Order {
    determine_as(determination(vec![take(lead().party, Holding::Unspent, minor)]))
}

fn act(on: Date, act: RecoveryAct) -> Order {
    order(on, "auditor", Command::Recovery(RECOVERY, RecoveryCommand::Act(act)))
}

pub fn demand(number: &str) -> Order {
    act(april(3), RecoveryAct::Demand { demand: number.to_owned() })
}

pub fn appeal(grounds: &str) -> Order {
    act(april(4), RecoveryAct::Appeal { grounds: grounds.to_owned() }).by("applicant", "the-university")
}

pub fn uphold(reason: &str) -> Order {
    act(april(5), RecoveryAct::Uphold { reason: reason.to_owned() })
}

pub fn overturn(reason: &str) -> Order {
    act(april(5), RecoveryAct::Overturn { reason: reason.to_owned() })
}

pub fn repay(minor: i64, reference: &str) -> Order {
    act(april(6), RecoveryAct::Repay { amount: cny(minor), bank_reference: reference.to_owned() })
}

fn offset(minor: i64) -> Order {
    act(OFFSETTABLE, RecoveryAct::Offset { amount: cny(minor), against: OTHER, tranche: 1 })
}

pub fn write_off(reason: &str) -> Order {
    let (minutes, reason) = ("2013-R9".to_owned(), reason.to_owned());
    act(april(6), RecoveryAct::WriteOff { minutes, reason })
}

/// Another grant of the lead, whose first tranche of 50,000.00 is authorised.
fn other() -> Vec<Order> {
    other_of(award(plan()))
}

fn other_of(award: MigratedAward) -> Vec<Order> {
    [import(award), request(1, None), authorise(1), verify_payee("a1")]
        .map(|order| order.of(OTHER))
        .into_iter()
        .collect()
}

/// A recovery of 10,000.00 of the 50,000.00 that were settled, up to a state.
pub fn recovery_story(until: &str) -> Vec<Order> {
    let claimed = [determine(CLAIM)];
    let demanded = || claimed.iter().cloned().chain([demand("D-1")]);
    let appealed = || demanded().chain([appeal("not so")]);
    let recovery: Vec<Order> = match until {
        "absent" => Vec::new(),
        "determined" => claimed.to_vec(),
        "demanded" => demanded().collect(),
        "appealed" => appealed().collect(),
        "upheld" => appealed().chain([uphold("it is so")]).collect(),
        "overturned" => appealed().chain([overturn("it was the bank")]).collect(),
        "repaid" => demanded().chain([repay(CLAIM, "p-1")]).collect(),
        "offset" => demanded().chain([offset(CLAIM)]).collect(),
        "written_off" => demanded().chain([write_off("insolvent")]).collect(),
        other => panic!("there is no recovery state {other}"),
    };
    tranche_story("settled").into_iter().chain(other()).chain(recovery).collect()
}

/// The same of a second recovery.
fn second(order: Order) -> Order {
    let Command::Recovery(_, command) = order.command else { panic!("it is of a recovery") };
    Order { command: Command::Recovery(RecoveryId(Uuid::from_u128(0x52)), command), ..order }
}

const ROWS: [&str; 9] = [
    "absent",
    "determined",
    "demanded",
    "appealed",
    "upheld",
    "overturned",
    "repaid",
    "offset",
    "written_off",
];
const COLUMNS: [&str; 8] =
    ["determine", "demand", "appeal", "uphold", "overturn", "repay", "offset", "write_off"];

/// `a`: too late to be appealed against, on the day on which it may be offset. `>`: beyond what is outstanding.
const AS_IN_THE_STORY: &str = "
              determine demand appeal uphold overturn repay offset write_off
absent            +        ?      ?      ?       ?      ?      ?       ?
determined        =        +      w      w       w      w      w       w
demanded          =        =      a      w       w      +      +       +
appealed          =        =      =      +       +      w      w       w
upheld            =        =      =      =       d      +      +       +
overturned        =        =      =      d       =      w      w       w
repaid            =        =      w      w       w      =      w       w
offset            =        =      w      w       w      >      =       w
written_off       =        =      w      w       w      >      w       =
";

const OTHERWISE: &str = "
              determine demand appeal uphold overturn repay offset write_off
absent            +        ?      ?      ?       ?      ?      ?       ?
determined        t        +      w      w       w      w      w       w
demanded          t        d      a      w       w      +      +       +
appealed          t        d      d      +       +      w      w       w
upheld            t        d      d      d       d      +      +       +
overturned        t        d      d      d       d      w      w       w
repaid            t        d      w      w       w      >      w       w
offset            t        d      w      w       w      >      d       w
written_off       t        d      w      w       w      >      w       d
";

fn column(column: &str, otherwise: bool) -> (Order, &'static str) {
    let other = |same: Order, another: Order| if otherwise { another } else { same };
    let (order, event) = match column {
        "determine" => (other(determine(CLAIM), determine(CLAIM - 1)), "RecoveryDetermined"),
        "demand" => (other(demand("D-1"), demand("D-2")), "RecoveryDemanded"),
        "appeal" => (other(appeal("not so"), appeal("not at all")), "RecoveryAppealed"),
        "uphold" => (other(uphold("it is so"), uphold("quite so")), "RecoveryUpheld"),
        "overturn" => (other(overturn("it was the bank"), overturn("an error")), "RecoveryOverturned"),
        "repay" => (other(repay(CLAIM, "p-1"), repay(CLAIM, "p-2")), "RecoveryRepaid"),
        "offset" => (other(offset(CLAIM), offset(CLAIM - 1)), "RecoveryOffset"),
        "write_off" => (other(write_off("insolvent"), write_off("gone")), "RecoveryWrittenOff"),
        other => panic!("there is no command {other}"),
    };
    (order.on(OFFSETTABLE), event)
}

#[test]
fn a_recovery_answers_every_command_in_every_state() {
    for row in &ROWS[1..] {
        let world = World::after(recovery_story(row));
        assert_eq!(world.recovery(RECOVERY).state().words().0, *row);
    }
    let world = |row: &str| World::after(recovery_story(row));
    stages::check(AS_IN_THE_STORY, &ROWS, &COLUMNS, world, |name| column(name, false));
    stages::check(OTHERWISE, &ROWS, &COLUMNS, world, |name| column(name, true));
}

fn check(rows: impl IntoIterator<Item = (&'static str, Vec<Order>, Order, &'static str)>) {
    for (says, given, when, then) in rows {
        assert_eq!(World::after(given).outcome(&when), then, "{says}");
    }
}

fn with(until: &str, more: impl IntoIterator<Item = Order>) -> Vec<Order> {
    recovery_story(until).into_iter().chain(more).collect()
}

#[test]
fn a_recovery_takes_what_is_held_and_no_more_than_was_settled() {
    let held = AWARD / 2;
    let from = |from, minor| determine_as(determination(vec![take(lead().party, from, minor)]));
    check([
        ("all that is unspent", recovery_story("absent"), determine(held), "RecoveryDetermined"),
        (
            "one fen more is neither held nor was it settled",
            recovery_story("absent"),
            determine(held + 1),
            "RECOVERY_ABOVE_HELD, RECOVERY_ABOVE_SETTLED",
        ),
        ("of what is not there", recovery_story("absent"), from(Holding::Spent, held), "RECOVERY_ABOVE_HELD"),
        (
            "of a stranger",
            recovery_story("absent"),
            determine_as(determination(vec![take(partner(), Holding::Unspent, 1)])),
            "RECOVERY_ABOVE_HELD",
        ),
        ("before the contract", story("approved"), determine(1), "WRONG_STAGE"),
        (
            "in another currency",
            recovery_story("absent"),
            determine_as(determination(vec![Take {
                party: lead().party,
                from: Holding::Unspent,
                amount: eur(1),
            }])),
            "CURRENCY_NOT_THE_PROGRAMMES",
        ),
        (
            "by the applicant's colleague",
            recovery_story("absent"),
            determine(1).by("colleague", "the-university"),
            "A13_APPLICANT_IN_OFFICE",
        ),
        ("five days back", recovery_story("absent"), determine(1).learned_on(april(7)), "RecoveryDetermined"),
        (
            "six days back: it moves money",
            recovery_story("absent"),
            determine(1).learned_on(april(8)),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
    ]);
    let world = World::after(recovery_story("demanded"));
    let broken = world.refusal(&Order {
        command: Command::Recovery(
            RecoveryId(Uuid::from_u128(0x52)),
            RecoveryCommand::Determine(determination(vec![take(lead().party, Holding::Unspent, held)])),
        ),
        ..determine(1).on(april(4))
    });
    let facts = |index: usize, name: &str| broken[index].facts[name].clone();
    assert_eq!(
        (broken[0].code.as_str(), broken[0].field.as_str()),
        ("RECOVERY_ABOVE_HELD", "takes[0].amount")
    );
    assert_eq!(facts(0, "held_minor"), "4000000");
    assert_eq!(facts(0, "asked_minor"), "5000000");
    assert_eq!(facts(0, "party_id"), lead().party.to_string());
    assert_eq!(facts(0, "account"), "unspent");
    assert_eq!(broken[1].code, "RECOVERY_ABOVE_SETTLED");
    assert_eq!(facts(1, "settled_minor"), "5000000");
    assert_eq!(facts(1, "refunded_minor"), "0");
    assert_eq!(facts(1, "recovered_minor"), "1000000");
}

/// A grant of the story that was terminated.
fn terminated(grant: GrantId) -> FundEvent {
    let end = End {
        programme: PROGRAMME,
        currency: Currency::CNY,
        mode: FundingMode::NonRepayable,
        lead_region: None,
        lead: lead().party,
        undrawn_minor: 0,
        to_treasury: false,
        backing: None,
    };
    let (reason, minutes) = ("x".to_owned(), "m".to_owned());
    FundEvent::GrantTerminated { grant, end, refund_by: april(30), reason, minutes }
}

#[test]
fn a_recovery_goes_on_whatever_becomes_of_the_grant() {
    let on_hold = recovery_story("absent").into_iter().chain([backing::hold("audit")]);
    assert_eq!(World::after(on_hold).outcome(&determine(CLAIM)), "RecoveryDetermined");
    let mut world = World::after(recovery_story("absent"));
    world.happened(terminated(GRANT), april(1));
    for order in [determine(CLAIM), demand("D-1"), appeal("not so"), uphold("it is so"), repay(CLAIM, "p-1")]
    {
        assert!(world.execute(&order).is_ok(), "{:?}", order.command);
    }
    assert_eq!(world.grant().books.total_minor(Account::Refunded), CLAIM);
}

/// Cancelling a grant, and disallowing what was accepted as spent after the final acceptance, determine recoveries.
#[test]
fn a_recovery_that_another_decision_determined_goes_on_like_any_other() {
    let spent = [life::report_spend(1, 700), life::spending(1, SpendingCommand::Accept)];
    let accepted = [life::report("R-1"), life::pass()];
    let disallowed = life::spending(1, SpendingCommand::Disallow { reason: "a fine".to_owned() });
    let disallowed = life::with("running", spent.into_iter().chain(accepted).chain([disallowed]));
    let rows = [
        (life::life("cancelled"), RecoveryCause::Cancelled, AWARD / 2),
        (disallowed, RecoveryCause::SpendDisallowed, 700),
    ];
    for (given, cause, minor) in rows {
        let mut world = World::after(given);
        let id = world.grant().recoveries[0];
        assert_eq!(
            (world.recovery(id).cause, world.recovery(id).state()),
            (cause, RecoveryState::Determined)
        );
        let acted = |order: Order| {
            let Command::Recovery(_, command) = order.command else { panic!("it is of a recovery") };
            Order { command: Command::Recovery(id, command), ..order }.on(april(20))
        };
        assert_eq!(world.outcome(&acted(repay(minor, "p-1"))), "WRONG_RECOVERY_STATE");
        world.execute(&acted(demand("D-1"))).unwrap();
        assert_eq!(world.outcome(&acted(repay(minor + 1, "p-1"))), "REPAYMENT_ABOVE_OUTSTANDING");
        world.execute(&acted(repay(minor, "p-1"))).unwrap();
        assert_eq!(world.recovery(id).state(), RecoveryState::Repaid);
        assert_eq!(world.grant().books.total_minor(Account::Refunded), minor);
        assert_eq!(world.grant().books.total_minor(Account::Recoverable), 0);
    }
}

#[test]
fn the_days_to_pay_and_to_appeal_count_from_the_demand() {
    let events = World::after(recovery_story("determined")).execute(&demand("D-1")).unwrap();
    let FundEvent::RecoveryDemanded { due_on, .. } = &events[0] else { panic!("it was demanded") };
    assert_eq!(*due_on, date(2013, 5, 3), "thirty days after 3 April");
    check([
        (
            "on the sixtieth day",
            recovery_story("demanded"),
            appeal("x").on(date(2013, 6, 2)),
            "RecoveryAppealed",
        ),
        ("on the day after", recovery_story("demanded"), appeal("x").on(date(2013, 6, 3)), "APPEAL_TOO_LATE"),
        (
            "after a part was paid",
            with("demanded", [repay(1, "p-0")]),
            appeal("x").on(april(7)),
            "APPEAL_AFTER_PAYMENT",
        ),
        (
            "before the demand's day",
            recovery_story("demanded"),
            appeal("x").on(april(2)),
            "STEP_BEFORE_THE_LAST",
        ),
        (
            "the applicant appeals, and does not decide",
            recovery_story("appealed"),
            overturn("x").by("applicant", "the-university"),
            "A13_APPLICANT_IN_OFFICE",
        ),
    ]);
    let broken = World::after(recovery_story("demanded")).refusal(&appeal("x").on(date(2013, 6, 3)));
    assert_eq!(broken[0].facts["demanded_on"], "2013-04-03");
    assert_eq!(broken[0].facts["last_day"], "2013-06-02");
}

#[test]
fn an_overturned_recovery_gives_back_what_it_took() {
    let world = World::after(recovery_story("overturned"));
    assert_eq!(world.grant().books.held_minor(Account::RecipientUnspent, lead().party), AWARD / 2);
    assert_eq!(world.grant().books.total_minor(Account::Recoverable), 0);
    assert_eq!(world.recovery(RECOVERY).outstanding_minor(), 0);
}

#[test]
fn a_recovery_comes_after_the_payment_that_it_takes_back() {
    let before = determine(CLAIM).on(march(30)).learned_on(april(2));
    check([
        (
            "on the day of the payment",
            recovery_story("absent"),
            determine(CLAIM).on(march(31)),
            "RecoveryDetermined",
        ),
        ("the day before", recovery_story("absent"), before, "STEP_BEFORE_THE_LAST"),
    ]);
}

#[test]
fn no_more_is_repaid_than_is_outstanding() {
    let partly = || with("demanded", [repay(400_000, "p-1")]);
    check([
        ("the rest", partly(), repay(600_000, "p-2"), "RecoveryRepaid"),
        ("one fen more", partly(), repay(600_001, "p-2"), "REPAYMENT_ABOVE_OUTSTANDING"),
        ("the same again", partly(), repay(400_000, "p-1"), "unchanged"),
        ("another amount under that reference", partly(), repay(1, "p-1"), "ALREADY_REPAID"),
        ("the payment's own reference", partly(), repay(1, "b-1"), "A14_REFERENCE_USED"),
        (
            "a repayment's reference, as a return",
            partly(),
            send_back(1, "p-1", "x").on(april(6)),
            "A14_REFERENCE_USED",
        ),
        ("a repayment's reference, as a refund", partly(), life::refund(1, "p-1"), "A14_REFERENCE_USED"),
        (
            "a repayment's reference, for another recovery",
            partly().into_iter().chain([second(determine(1)), second(demand("D-2"))]).collect(),
            second(repay(1, "p-1")),
            "A14_REFERENCE_USED",
        ),
        (
            "in another currency",
            partly(),
            act(april(6), RecoveryAct::Repay { amount: eur(1), bank_reference: "p".to_owned() }),
            "CURRENCY_NOT_THE_PROGRAMMES",
        ),
        ("while it is under appeal", recovery_story("appealed"), repay(1, "p"), "WRONG_RECOVERY_STATE"),
        ("five days back", partly(), repay(1, "p-2").learned_on(april(11)), "RecoveryRepaid"),
        ("six", partly(), repay(1, "p-2").learned_on(april(12)), "EFFECTIVE_TOO_FAR_BACK"),
        ("what is written off is all that is left", partly(), write_off("insolvent"), "RecoveryWrittenOff"),
    ]);
    let broken = &World::after(partly()).refusal(&repay(600_001, "p-2"))[0];
    let figures = ["given_minor", "outstanding_minor", "determined_minor", "repaid_minor"];
    assert_eq!(figures.map(|name| broken.facts[name].as_str()), ["600001", "600000", "1000000", "400000"]);

    let world = World::after(partly().into_iter().chain([write_off("insolvent")]));
    let recovery = world.recovery(RECOVERY);
    assert_eq!((recovery.state(), recovery.written_off_minor()), (RecoveryState::WrittenOff, 600_000));
    let books = &world.grant().books;
    assert_eq!(books.total_minor(Account::Refunded), 400_000);
    assert_eq!(books.total_minor(Account::WrittenOff), 600_000);
    assert_eq!(books.total_minor(Account::Recoverable), 0);
}

#[test]
fn a_recovery_is_offset_against_an_authorised_tranche_of_the_same_lead() {
    let lead_elsewhere = {
        let mut lead = lead();
        lead.code = PartyCode::parse("CN-USCC:9144030071526726XG").unwrap();
        lead.party = partner();
        lead
    };
    let euro =
        MigratedAward { programme: ProgrammeId(Uuid::from_u128(0xB)), amount: eur(AWARD), ..award(plan()) };
    let given = |other: Vec<Order>| {
        let claimed = [determine(CLAIM), demand("D-1")];
        tranche_story("settled").into_iter().chain(other).chain(claimed).collect::<Vec<_>>()
    };
    let offset_on = |on: Date, tranche: u32, amount: Amount, against: GrantId| {
        act(on, RecoveryAct::Offset { amount, against, tranche })
    };
    check([
        ("ninety days after the demand", given(other()), offset(CLAIM), "RecoveryOffset"),
        ("eighty-nine", given(other()), offset(CLAIM).on(date(2013, 7, 1)), "OFFSET_TOO_EARLY"),
        ("one fen above what is outstanding", given(other()), offset(CLAIM + 1), "OFFSET_ABOVE_OUTSTANDING"),
        (
            "against a grant of another lead",
            given(other_of(MigratedAward { lead: lead_elsewhere.clone(), ..award(plan()) })),
            offset(CLAIM),
            "OFFSET_OTHER_LEAD",
        ),
        (
            "against a grant of a lead that was merged into this one",
            given({
                let merged = parties::merged(&lead(), march(4));
                let merged = parties::take(1, march(4), &lead_elsewhere, merged);
                let award = MigratedAward { lead: lead_elsewhere, ..award(plan()) };
                other_of(award).into_iter().chain([merged]).collect()
            }),
            offset(CLAIM),
            "RecoveryOffset",
        ),
        (
            "against a grant in another currency",
            given(other_of(euro)),
            offset(CLAIM),
            "OFFSET_OTHER_CURRENCY",
        ),
        (
            "against itself, whose tranche is settled",
            given(other()),
            offset_on(OFFSETTABLE, 1, cny(CLAIM), GRANT),
            "OFFSET_SAME_GRANT, WRONG_TRANCHE_STATE",
        ),
        (
            "against a tranche that is only planned",
            given(other()),
            offset_on(OFFSETTABLE, 2, cny(CLAIM), OTHER),
            "WRONG_TRANCHE_STATE",
        ),
        (
            "against no tranche",
            given(other()),
            offset_on(OFFSETTABLE, 9, cny(CLAIM), OTHER),
            "TRANCHE_NOT_FOUND",
        ),
        ("against no grant", given(Vec::new()), offset(CLAIM), "GRANT_NOT_FOUND"),
        (
            "all at once",
            given(other()),
            offset_on(date(2013, 7, 1), 2, cny(CLAIM + 1), GRANT),
            "OFFSET_TOO_EARLY, OFFSET_SAME_GRANT, OFFSET_ABOVE_OUTSTANDING, WRONG_TRANCHE_STATE",
        ),
        (
            "after it was instructed",
            given(other().into_iter().chain([instruct(1, 9).of(OTHER)]).collect()),
            offset(CLAIM),
            "WRONG_TRANCHE_STATE",
        ),
    ]);
    // One that has ended pays nothing any more.
    let mut world = World::after(given(other()));
    world.happened(terminated(OTHER), april(4));
    assert_eq!(world.outcome(&offset(CLAIM)), "WRONG_STAGE");
    // Nor does one that failed its acceptance: what was offset against its tranche could never be paid.
    let failed = [life::report("R-1"), life::fail()].map(|order| order.of(OTHER).on(april(10)));
    let world = World::after(given(other().into_iter().chain(failed).collect()));
    assert_eq!(world.outcome(&offset(CLAIM)), "WRONG_STAGE");
    // A tranche of 2,000.00 takes no more than that, of all recoveries together.
    let small = [import(award(plan())), request(1, Some(200_000)), authorise(1)].map(|order| order.of(OTHER));
    let world = World::after(given(small.into_iter().collect()));
    assert_eq!(world.outcome(&offset(200_000)), "RecoveryOffset");
    let broken = &world.refusal(&offset(200_001))[0];
    assert_eq!(broken.code, "OFFSET_ABOVE_TRANCHE");
    assert_eq!(
        (broken.facts["left_minor"].as_str(), broken.facts["asked_minor"].as_str()),
        ("200000", "200001")
    );
}

#[test]
fn what_is_offset_the_bank_does_not_pay() {
    let later = date(2013, 7, 3);
    let mut world = World::after(recovery_story("offset"));
    assert_eq!(world.outcome(&cancel_tranche(1, "x").of(OTHER).on(later)), "TRANCHE_OFFSET");
    let events = world.execute(&instruct(1, 9).of(OTHER).on(later)).unwrap();
    let FundEvent::TrancheInstructed { amount_minor, offset_minor, .. } = events[0] else {
        panic!("it was instructed");
    };
    assert_eq!((amount_minor, offset_minor), (AWARD / 2, CLAIM));
    // Whether it comes back before or after it was settled: only the cash can, and only that is paid again.
    for (settled, before) in [(true, vec![settle(1, "b-9")]), (false, Vec::new())] {
        let mut world = world.clone();
        for order in before {
            world.execute(&order.of(OTHER).on(later)).unwrap();
        }
        let returned = world.execute(&send_back(1, "r-2", "closed").of(OTHER).on(later)).unwrap();
        let [FundEvent::PaymentReturned { amount_minor, shortfall_minor, offset_minor, .. }] = returned[..]
        else {
            panic!("it came back: {returned:?}");
        };
        let paid_by_offset = if settled { 0 } else { CLAIM };
        assert_eq!((amount_minor, shortfall_minor, offset_minor), (4_000_000, 0, paid_by_offset));
        returned.iter().filter_map(postings).for_each(|set| assert_eq!(set.sum_minor(), 0));
        let again = world.execute(&instruct(1, 9).of(OTHER).on(later)).unwrap();
        assert!(matches!(
            again[0],
            FundEvent::TrancheInstructed { amount_minor: 4_000_000, offset_minor: 0, attempt: 2, .. }
        ));
        let (old, new) = (&world.grant().books, &world.grant_of(OTHER).books);
        assert_eq!(old.total_minor(Account::Refunded), CLAIM);
        assert_eq!(old.total_minor(Account::Recoverable), 0);
        assert_eq!(new.total_minor(Account::RecipientUnspent), CLAIM);
        assert_eq!(new.total_minor(Account::Instructed), 4_000_000);
    }
}

/// The recovery counts as paid; so what was kept back for it is with the lead, and is not given out to others.
#[test]
fn what_was_kept_back_of_a_payment_does_not_go_back_with_the_end() {
    let later = date(2013, 7, 3);
    let mut world = World::after(recovery_story("offset"));
    for order in [instruct(1, 9), send_back(1, "r-1", "closed"), life::terminate("bankrupt", None)] {
        world.execute(&order.of(OTHER).on(later)).unwrap();
    }
    let other = &world.grant_of(OTHER).books;
    assert_eq!(other.total_minor(Account::Committed), 0);
    assert_eq!(other.total_minor(Account::RecipientUnspent), CLAIM);
}

#[test]
fn recoveries_and_their_commands_read_back_from_their_json() {
    for row in &ROWS[1..] {
        let mut world = World::default();
        for order in recovery_story(row) {
            let json = serde_json::to_string(&order.command).unwrap();
            assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), order.command);
            world.execute(&order).unwrap();
        }
        let json = serde_json::to_string(&world).unwrap();
        assert_eq!(serde_json::to_string(&serde_json::from_str::<World>(&json).unwrap()).unwrap(), json);
    }
}
