//! Matching money 配套资金, and what A03 says of it (domain.md sections 3 and 5).

use crate::{money::*, world::*};
use concord_chassis::log::{Domain, Meta};
use concord_events::{
    fund::{
        FundEvent, GovernmentLevel, MatchingInstalment, MatchingKind, MoneyFact, PlannedTranche,
        TrancheCondition,
    },
    ledger::Account,
};
use concord_fund_grant::{
    Fund, State,
    grant::{
        GrantCommand,
        matching::{Arrived, MatchingCommand, Pledge},
    },
};
use concord_kernel::{Date, money::Amount};

fn instalment(number: u32, amount_minor: i64, due_on: Date) -> MatchingInstalment {
    MatchingInstalment { number, amount_minor, due_on }
}

/// Pledged by a city: 1,000.00 by 10 April and 500.00 by 20 April.
pub fn city() -> Pledge {
    Pledge {
        kind: MatchingKind::GovernmentBudget,
        level: Some(GovernmentLevel::City),
        is_public: true,
        payer: None,
        amount: cny(150_000),
        instalments: vec![instalment(1, 100_000, april(10)), instalment(2, 50_000, april(20))],
    }
}

/// Pledged by the lead itself, in one instalment.
pub fn own(minor: i64, due_on: Date) -> Pledge {
    Pledge {
        kind: MatchingKind::OwnMoney,
        level: None,
        is_public: false,
        payer: Some(lead()),
        amount: cny(minor),
        instalments: vec![instalment(1, minor, due_on)],
    }
}

fn source(on: Date, number: u32, command: MatchingCommand) -> Order {
    office(on, GrantCommand::Matching(number, command))
}

pub fn pledge(number: u32, pledge: Pledge) -> Order {
    source(april(1), number, MatchingCommand::Pledge(Box::new(pledge)))
}

fn arrive(on: Date, number: u32, instalment: u32, amount: Amount, reference: &str) -> Order {
    let bank_reference = reference.to_owned();
    source(on, number, MatchingCommand::RecordArrival { instalment, amount, bank_reference })
}

pub fn arrived(number: u32, instalment: u32, minor: i64, reference: &str) -> Order {
    arrive(april(5), number, instalment, cny(minor), reference)
}

pub fn release(on: Date, number: u32, reason: &str) -> Order {
    let (reason, minutes) = (reason.to_owned(), "2013-9".to_owned());
    source(on, number, MatchingCommand::Release { reason, minutes })
}

fn pledged(more: impl IntoIterator<Item = Order>) -> World {
    with(story("payable"), [pledge(1, city())].into_iter().chain(more))
}

/// Both instalments have arrived in full.
fn complete() -> World {
    pledged([arrived(1, 1, 100_000, "m-1"), arrived(1, 2, 50_000, "m-2")])
}

#[test]
fn matching_money_is_pledged_from_the_contract_until_the_end() {
    let new = || pledge(1, city()).on(april(30));
    check([
        ("applied for", World::after(story("applied")), new(), "WRONG_STAGE"),
        ("on notice", World::after(story("on_notice")), new(), "WRONG_STAGE"),
        ("approved", World::after(story("approved")), new(), "WRONG_STAGE"),
        ("rejected", World::after(story("rejected")), new(), "WRONG_STAGE"),
        ("withdrawn", World::after(story("withdrawn")), new(), "WRONG_STAGE"),
        ("contracted", World::after(story("contracted")), new(), "MatchingPledged"),
        ("migrated", World::after(story("migrated")), new(), "MatchingPledged"),
        ("accepted", World::after(story("contracted")).accepted(), new(), "MatchingPledged"),
        ("acceptance failed", World::after(story("contracted")).failed(), new(), "MatchingPledged"),
        ("closed", World::after(story("contracted")).closed(), new(), "WRONG_STAGE"),
        ("evaluated", World::after(story("contracted")).evaluated(), new(), "WRONG_STAGE"),
        ("terminated", World::after(story("contracted")).terminated(), new(), "WRONG_STAGE"),
        ("cancelled", World::after(story("contracted")).cancelled(), new(), "WRONG_STAGE"),
        ("no such grant", World::default(), new(), "GRANT_NOT_FOUND"),
    ]);
}

/// Every command on every state of a source. `otherwise`: with other content.
#[test]
fn a_source_answers_every_command() {
    let otherwise = || pledge(1, own(1, april(10)));
    let open = || pledged([]);
    let released = || pledged([release(april(9), 1, "the city is broke")]);
    check([
        ("the first", World::after(story("payable")), pledge(1, city()), "MatchingPledged"),
        ("the next", open(), pledge(2, own(1, april(10))), "MatchingPledged"),
        ("the same again", open(), pledge(1, city()), "unchanged"),
        ("again, once it is released", released(), pledge(1, city()).on(april(10)), "unchanged"),
        ("another one", open(), otherwise(), "MATCHING_ALREADY_PLEDGED"),
        ("with a gap", open(), pledge(3, city()), "SOURCE_NOT_NEXT"),
        ("a part arrives", open(), arrived(1, 1, 1, "m-1"), "MatchingArrived"),
        ("all of it", open(), arrived(1, 1, 100_000, "m-1"), "MatchingArrived"),
        (
            "a second part",
            pledged([arrived(1, 1, 1, "m-1")]),
            arrived(1, 1, 99_999, "m-2"),
            "MatchingArrived",
        ),
        ("the same arrival", pledged([arrived(1, 1, 1, "m-1")]), arrived(1, 1, 1, "m-1"), "unchanged"),
        (
            "the reference with another amount",
            pledged([arrived(1, 1, 1, "m-1")]),
            arrived(1, 1, 2, "m-1"),
            "MATCHING_ALREADY_ARRIVED",
        ),
        (
            "the reference for another instalment",
            pledged([arrived(1, 1, 1, "m-1")]),
            arrived(1, 2, 1, "m-1"),
            "MATCHING_ALREADY_ARRIVED",
        ),
        ("of no source", open(), arrived(2, 1, 1, "m-1"), "SOURCE_NOT_FOUND"),
        ("of no instalment", open(), arrived(1, 3, 1, "m-1"), "INSTALMENT_NOT_FOUND"),
        ("released", open(), release(april(9), 1, "the city is broke"), "MatchingReleased"),
        ("released again", released(), release(april(9), 1, "the city is broke"), "unchanged"),
        ("released otherwise", released(), release(april(9), 1, "late"), "MATCHING_ALREADY_RELEASED"),
        ("nothing to release", complete(), release(april(9), 1, "late"), "MATCHING_ALL_ARRIVED"),
        ("release no source", open(), release(april(9), 2, "late"), "SOURCE_NOT_FOUND"),
        (
            "arrives after its release",
            released(),
            arrive(april(9), 1, 1, cny(1), "m"),
            "MATCHING_ABOVE_MISSING",
        ),
        ("no contract yet", World::after(story("approved")), arrived(1, 1, 1, "m-1"), "WRONG_STAGE"),
        ("no contract yet", World::after(story("approved")), release(april(9), 1, "x"), "WRONG_STAGE"),
    ]);
}

#[test]
fn no_more_arrives_than_is_missing() {
    let part = || pledged([arrived(1, 1, 60_000, "m-1")]);
    check([
        ("what is missing", part(), arrived(1, 1, 40_000, "m-2"), "MatchingArrived"),
        ("one fen more", part(), arrived(1, 1, 40_001, "m-2"), "MATCHING_ABOVE_MISSING"),
        ("what the other instalment misses", part(), arrived(1, 2, 50_000, "m-2"), "MatchingArrived"),
        ("one fen more of that", part(), arrived(1, 2, 50_001, "m-2"), "MATCHING_ABOVE_MISSING"),
    ]);
    let facts = [
        ("pledged_minor", "100000"),
        ("arrived_minor", "60000"),
        ("missing_minor", "40000"),
        ("given_minor", "40001"),
    ];
    let figures = ["1,000.00 CNY", "600.00 CNY", "400.00 CNY", "400.01 CNY"];
    assert_eq!(told(&part(), &arrived(1, 1, 40_001, "m-2"), &facts, &figures), "amount");
}

#[test]
fn a_banks_reference_counts_once_within_the_grant() {
    let world = with(tranche_story("settled"), [pledge(1, city()), pledge(2, own(100, april(10)))]);
    check([
        ("a tranche's", world.clone(), arrived(1, 1, 1, "b-1"), "A14_REFERENCE_USED"),
        ("its own", world.clone(), arrived(1, 1, 1, "m-1"), "MatchingArrived"),
        (
            "another source's",
            with(
                tranche_story("settled"),
                [pledge(1, city()), pledge(2, own(100, april(10))), arrived(1, 1, 1, "m-1")],
            ),
            arrived(2, 1, 1, "m-1"),
            "MATCHING_ALREADY_ARRIVED",
        ),
    ]);
    assert_eq!(told(&world, &arrived(1, 1, 1, "b-1"), &[("tranche", "1")], &["b-1"]), "bank_reference");
}

#[test]
fn matching_goes_on_while_payments_are_held_and_after_the_end() {
    let held = pledged([crate::backing::hold("audit").on(april(2))]);
    check([
        ("on hold, it arrives", held.clone(), arrived(1, 1, 1, "m-1"), "MatchingArrived"),
        ("on hold, it is pledged", held.clone(), pledge(2, own(1, april(9))).on(april(3)), "MatchingPledged"),
        ("on hold, it is released", held, release(april(9), 1, "late"), "MatchingReleased"),
        ("closed, it arrives", pledged([]).closed(), arrived(1, 1, 1, "m-1"), "MatchingArrived"),
        ("closed, it is released", pledged([]).closed(), release(april(30), 1, "late"), "MatchingReleased"),
        ("cancelled, it arrives", pledged([]).cancelled(), arrived(1, 1, 1, "m-1"), "MatchingArrived"),
    ]);
}

#[test]
fn matching_is_the_offices_and_in_the_grants_currency() {
    let euro = Pledge { amount: eur(150_000), ..city() };
    let by_applicant = |order: Order| order.by("applicant", "the-university");
    let once = "CURRENCY_NOT_THE_PROGRAMMES";
    check([
        ("pledged in euro", World::after(story("payable")), pledge(1, euro), once),
        ("arrived in euro", pledged([]), arrive(april(5), 1, 1, eur(1), "m-1"), once),
        (
            "pledged by the applicant",
            World::after(story("payable")),
            by_applicant(pledge(1, city())),
            "A13_APPLICANT_IN_OFFICE",
        ),
        ("arrived, they say", pledged([]), by_applicant(arrived(1, 1, 1, "m")), "A13_APPLICANT_IN_OFFICE"),
        ("released by them", pledged([]), by_applicant(release(april(9), 1, "x")), "A13_APPLICANT_IN_OFFICE"),
    ]);
}

#[test]
fn dates_of_matching_lie_within_their_limits() {
    let late = |order: Order, today: Date| order.learned_on(today);
    check([
        (
            "pledged on the contract's day",
            World::after(story("contracted")),
            pledge(1, city()).on(march(25)),
            "MatchingPledged",
        ),
        (
            "the day before",
            World::after(story("contracted")),
            pledge(1, city()).on(march(24)),
            "STEP_BEFORE_THE_LAST",
        ),
        (
            "pledged thirty days back",
            World::after(story("payable")),
            late(pledge(1, city()), date(5, 1)),
            "MatchingPledged",
        ),
        (
            "thirty-one",
            World::after(story("payable")),
            late(pledge(1, city()), date(5, 2)),
            "EFFECTIVE_TOO_FAR_BACK",
        ),
        ("arrived five days back", pledged([]), late(arrived(1, 1, 1, "m"), april(10)), "MatchingArrived"),
        ("six", pledged([]), late(arrived(1, 1, 1, "m"), april(11)), "EFFECTIVE_TOO_FAR_BACK"),
        ("arrived on the pledge's day", pledged([]), arrived(1, 1, 1, "m").on(april(1)), "MatchingArrived"),
        ("before the pledge", pledged([]), arrived(1, 1, 1, "m").on(march(31)), "STEP_BEFORE_THE_LAST"),
        (
            "a fact of the bank's may be learned after a later one",
            pledged([arrived(1, 1, 1, "m-1")]),
            arrived(1, 1, 1, "m-2").on(april(4)),
            "MatchingArrived",
        ),
        (
            "a release on the day of the last arrival",
            pledged([arrived(1, 1, 1, "m-1")]),
            release(april(5), 1, "x"),
            "MatchingReleased",
        ),
        ("before it", pledged([arrived(1, 1, 1, "m-1")]), release(april(4), 1, "x"), "STEP_BEFORE_THE_LAST"),
    ]);
}

fn date(month: i8, day: i8) -> Date {
    jiff::civil::date(2013, month, day)
}

/// What is pledged and arrives stands on a chain of its own, and what is released leaves it.
#[test]
fn the_chain_of_matching_money_adds_up() {
    let world = pledged([arrived(1, 1, 60_000, "m-1")]);
    let of = |world: &World, account| world.grant().books.total_minor(account);
    assert_eq!(of(&world, Account::MatchPledged), 90_000);
    assert_eq!(of(&world, Account::MatchArrived), 60_000);
    assert_eq!(of(&world, Account::MatchSource), -150_000);
    let events = world.clone().execute(&release(april(9), 1, "late")).unwrap();
    let [FundEvent::MatchingReleased { amount_minor: 90_000, .. }] = events.as_slice() else {
        panic!("all that had not arrived: {events:?}");
    };
    let released = pledged([arrived(1, 1, 60_000, "m-1"), release(april(9), 1, "late")]);
    assert_eq!(of(&released, Account::MatchPledged), 0);
    assert_eq!(of(&released, Account::MatchSource), -60_000);
    assert_eq!(released.grant().matching.pledged_minor(), 60_000);
    let source = released.grant().matching.source(1).unwrap();
    let freed: Vec<i64> = source.instalments.iter().map(|instalment| instalment.released_minor).collect();
    assert_eq!(freed, [40_000, 50_000]);
    keeps(&released);
}

/// A migrated award declares its conditions as met, so each of its tranches may be asked for.
fn four() -> Vec<PlannedTranche> {
    (1..=4).map(|number| planned(number, AWARD / 4, TrancheCondition::Contract)).collect()
}

fn asked(number: u32, on: Date) -> Order {
    request(number, None).on(on)
}

fn migrated(more: impl IntoIterator<Item = Order>) -> World {
    with(vec![appropriate(), import(award(four()))], more)
}

/// The shipped ratios are 0, 60 and 100 %; nothing falls due before June.
#[test]
fn a03_the_tranches_ratio_of_what_is_pledged_has_arrived() {
    let june = date(6, 30);
    let arrived = |minor| {
        let some = (minor > 0).then(|| arrived(1, 1, minor, "m-1"));
        migrated([pledge(1, own(101, june))].into_iter().chain(some))
    };
    check([
        ("nothing is pledged", migrated([]), asked(2, april(9)), "TrancheRequested"),
        ("the first tranche does not wait", arrived(0), asked(1, april(9)), "TrancheRequested"),
        ("the second does", arrived(0), asked(2, april(9)), "A03_RATIO"),
        // 60 % of 101 fen are 60.6.
        ("just inside", arrived(61), asked(2, april(9)), "TrancheRequested"),
        ("just outside", arrived(60), asked(2, april(9)), "A03_RATIO"),
        ("all, for the third", arrived(101), asked(3, april(9)), "TrancheRequested"),
        ("one fen less", arrived(100), asked(3, april(9)), "A03_RATIO"),
        ("the fourth is as the last that the rulebook names", arrived(100), asked(4, april(9)), "A03_RATIO"),
        ("and passes as that does", arrived(101), asked(4, april(9)), "TrancheRequested"),
        (
            "what is released is no longer pledged",
            migrated([pledge(1, own(101, june)), arrived_of(60), release(april(6), 1, "x")]),
            asked(3, april(9)),
            "TrancheRequested",
        ),
        (
            "what arrives later does not count for an earlier day",
            migrated([pledge(1, own(101, june)), arrived_of(101).on(april(8))]),
            asked(2, april(7)),
            "A03_RATIO",
        ),
        (
            "on its own day it does",
            migrated([pledge(1, own(101, june)), arrived_of(101).on(april(8))]),
            asked(2, april(8)),
            "TrancheRequested",
        ),
    ]);
    let facts = [
        ("tranche", "2"),
        ("ratio_percent", "60"),
        ("pledged_minor", "101"),
        ("arrived_minor", "60"),
        ("missing_minor", "1"),
    ];
    let figures = ["60 %", "1.01 CNY", "0.60 CNY", "0.01 CNY"].map(|figure| figure.replace(" %", ""));
    let figures: Vec<&str> = figures.iter().map(String::as_str).collect();
    told(&arrived(60), &asked(2, april(9)), &facts, &figures);
}

fn arrived_of(minor: i64) -> Order {
    arrived(1, 1, minor, "m-1")
}

/// The largest amounts there may be weigh exactly.
#[test]
fn a03_weighs_without_rounding() {
    let most = 1_000_000_000_000_000;
    let sources = 9;
    let pledges = (1..=sources).map(|number| pledge(number, own(most, date(6, 30))));
    let pays = |last: i64| {
        let full = (1..=5).map(|number| arrived(number, 1, most, &format!("m-{number}")));
        // 60 % of nine times the most are five and four tenths of it.
        full.chain([arrived(6, 1, most / 10 * 4 - last, "m-6")])
    };
    check([
        ("exactly", migrated(pledges.clone().chain(pays(0))), asked(2, april(9)), "TrancheRequested"),
        ("one fen less", migrated(pledges.chain(pays(1))), asked(2, april(9)), "A03_RATIO"),
    ]);
}

#[test]
fn a03_everything_due_of_each_class_has_arrived() {
    // The enterprise has paid so much that the ratio holds without the city.
    let rich = |more: Vec<Order>| {
        let own = [pledge(1, city()), pledge(2, own(1_000_000, april(3))), arrived(2, 1, 1_000_000, "m-9")];
        migrated(own.into_iter().chain(more))
    };
    let first = || arrived(1, 1, 100_000, "m-1");
    check([
        ("the day before it is due", rich(vec![]), asked(2, april(9)), "TrancheRequested"),
        ("on the day", rich(vec![]), asked(2, april(10)), "A03_CLASS_OVERDUE"),
        ("it has arrived", rich(vec![first()]), asked(2, april(10)), "TrancheRequested"),
        (
            "but for one fen",
            rich(vec![arrived(1, 1, 99_999, "m-1")]),
            asked(2, april(10)),
            "A03_CLASS_OVERDUE",
        ),
        ("until the second is due", rich(vec![first()]), asked(2, april(19)), "TrancheRequested"),
        ("then that is missing", rich(vec![first()]), asked(2, april(20)), "A03_CLASS_OVERDUE"),
        (
            "early money does not stand in for late money",
            rich(vec![arrived(1, 2, 50_000, "m-1")]),
            asked(2, april(10)),
            "A03_CLASS_OVERDUE",
        ),
        (
            "released, it is not due",
            rich(vec![release(april(6), 1, "x")]),
            asked(2, april(20)),
            "TrancheRequested",
        ),
        ("the first tranche does not wait", rich(vec![]), asked(1, april(20)), "TrancheRequested"),
        (
            "both rules are told",
            migrated([pledge(1, city()), pledge(2, own(1, april(3)))]),
            asked(2, april(10)),
            "A03_RATIO, A03_CLASS_OVERDUE, A03_CLASS_OVERDUE",
        ),
    ]);
    let world = rich(vec![arrived(1, 1, 60_000, "m-1")]);
    let facts = [
        ("class", "government_budget"),
        ("due_minor", "150000"),
        ("arrived_minor", "60000"),
        ("missing_minor", "90000"),
        ("overdue_since", "2013-04-10"),
    ];
    let figures = ["1,500.00 CNY", "600.00 CNY", "900.00 CNY", "2013-04-10"];
    told(&world, &asked(2, april(20)), &facts, &figures);
}

/// A03 at authorisation too: what was asked for in time may be overdue by then.
#[test]
fn a03_is_weighed_again_when_a_tranche_is_authorised() {
    let requested = |more: Vec<Order>| {
        let begun = [
            pledge(1, city()),
            pledge(2, own(1_000_000, april(3))),
            arrived(2, 1, 1_000_000, "m-9"),
            asked(2, april(9)),
        ];
        migrated(begun.into_iter().chain(more))
    };
    check([
        ("the day before it is due", requested(vec![]), authorise(2).on(april(9)), "TrancheAuthorised"),
        ("on the day", requested(vec![]), authorise(2).on(april(10)), "A03_CLASS_OVERDUE"),
        (
            "once it has arrived",
            requested(vec![arrived(1, 1, 100_000, "m-1").on(april(10))]),
            authorise(2).on(april(10)),
            "TrancheAuthorised",
        ),
        (
            "a repeat changes nothing, whatever is missing",
            requested(vec![authorise(2).on(april(9))]),
            authorise(2).on(april(10)),
            "unchanged",
        ),
    ]);
}

/// A corrected arrival is missing again, and its reference is free for the right one.
#[test]
fn a_corrected_arrival_is_undone() {
    let fact = MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 100_000 };
    let world = complete().corrected(fact, april(5));
    assert_eq!(world.grant().books.total_minor(Account::MatchArrived), 50_000);
    assert_eq!(Arrived::of(&world.grant().facts, None).of_source_minor(1), 50_000);
    check([
        (
            "the right amount, same reference, same day",
            world.clone(),
            arrived(1, 1, 90_000, "m-1"),
            "MatchingArrived",
        ),
        ("no more than is missing", world.clone(), arrived(1, 1, 100_001, "m-1"), "MATCHING_ABOVE_MISSING"),
        ("it may be released after all", world, release(april(9), 1, "x"), "MatchingReleased"),
    ]);
    // Released before, what is missing again may be released again.
    let fact = MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 1 };
    let released = pledged([arrived(1, 1, 1, "m-1"), release(april(9), 1, "x")]).corrected(fact, april(5));
    assert_eq!(released.outcome(&release(april(9), 1, "x")), "MatchingReleased");
}

/// Every state is kept in memory, so a grant has its bounds.
#[test]
fn a_grant_has_so_many_sources_and_a_source_so_many_arrivals() {
    let sources = |most: u32| (1..=most).map(|number| pledge(number, own(1, april(10))));
    let arrivals = |most: u32| {
        [pledge(1, city())].into_iter().chain((1..=most).map(|part| arrived(1, 1, 1, &part.to_string())))
    };
    let payable = |orders: Vec<Order>| with(story("payable"), orders);
    check([
        ("the hundredth source", payable(sources(99).collect()), pledge(100, city()), "MatchingPledged"),
        ("one more", payable(sources(100).collect()), pledge(101, city()), "TOO_MANY"),
        (
            "the thousandth arrival",
            payable(arrivals(999).collect()),
            arrived(1, 1, 1, "m"),
            "MatchingArrived",
        ),
        ("one more", payable(arrivals(1_000).collect()), arrived(1, 1, 1, "m"), "TOO_MANY"),
    ]);
}

/// Of two arrivals of the same amount, a correction undoes the one at the position that it names.
#[test]
fn a_correction_undoes_the_arrival_at_its_position() {
    let mut state = Some(State::Grant(Box::new(pledged([]).grant().clone())));
    let mut apply = |position: u64, event: FundEvent| {
        let meta =
            Meta { position, effective_on: april(5), actor: "officer", actor_organisation: "funding-office" };
        Fund::apply(&mut state, GRANT.stream(), &event, &meta);
    };
    let arrival = |reference: &str| FundEvent::MatchingArrived {
        grant: GRANT,
        programme: PROGRAMME,
        currency: concord_kernel::money::Currency::CNY,
        source: 1,
        instalment: 1,
        amount_minor: 7,
        bank_reference: reference.to_owned(),
    };
    apply(41, arrival("m-41"));
    apply(42, arrival("m-42"));
    apply(
        43,
        FundEvent::FactCorrected {
            grant: GRANT,
            programme: PROGRAMME,
            currency: concord_kernel::money::Currency::CNY,
            reverses: 42,
            fact: MoneyFact::MatchingArrival { source: 1, instalment: 1, amount_minor: 7 },
            fact_on: april(5),
            reason: "twice".to_owned(),
            authority: "2013-15".to_owned(),
        },
    );
    let Some(State::Grant(grant)) = state else { panic!("it is a grant") };
    let left: Vec<_> = grant.facts.uncorrected().map(|arrival| arrival.bank_reference.as_deref()).collect();
    assert_eq!(left, [Some("m-41")]);
    assert_eq!(Arrived::of(&grant.facts, None).total_minor(), 7);
}
