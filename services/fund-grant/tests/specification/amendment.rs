//! Another plan, other shares or less money 任务书变更, and more time 延期.

use crate::{
    backing::april,
    edge,
    life::*,
    refusals::{check, row},
    world::*,
};
use concord_events::{
    fund::{FundEvent, PlannedTranche, TrancheCondition},
    ledger::Account,
};
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand,
        amendment::{Amendment, AmendmentCommand},
        opening::MigratedAward,
    },
};
use concord_proto::fund::v1::{AmendContractRequest, ExtendProjectRequest, TrancheCondition as Condition};

const CONTRACT: TrancheCondition = TrancheCondition::Contract;
const ACCEPTED: TrancheCondition = TrancheCondition::FinalAcceptance;

/// A plan of these amounts; the last waits for acceptance.
fn planned_as(amounts: &[i64]) -> Vec<PlannedTranche> {
    let last = amounts.len();
    let lines = amounts.iter().zip(1_u32..).enumerate();
    lines
        .map(|(index, (minor, number))| {
            planned(number, *minor, if index + 1 == last { ACCEPTED } else { CONTRACT })
        })
        .collect()
}

fn amended_to(amounts: &[i64]) -> Order {
    amend(Some(amounts.iter().sum()), planned_as(amounts))
}

#[test]
fn contracted_money_only_goes_down() {
    let (first, rest) = (PAID, AWARD - PAID);
    check([
        row("less", life("running"), amended_to(&[first, rest - 1]), "ContractAmended"),
        row("as much, another plan", life("running"), amended_to(&[first, rest]), "ContractAmended"),
        row("one fen more", life("running"), amended_to(&[first, rest + 1]), "A02_AMENDED_UPWARD"),
        row(
            "up again, after it went down",
            with("running", [amended_to(&[first, rest - 2])]),
            amended_to(&[first, rest - 1]),
            "A02_AMENDED_UPWARD",
        ),
        row(
            "in euro",
            life("running"),
            act(GrantCommand::Amendment(AmendmentCommand::Amend(Amendment {
                amount: Some(eur(AWARD)),
                tranches: plan(),
                allocations: None,
                minutes: "A-1".to_owned(),
            }))),
            "CURRENCY_NOT_THE_PROGRAMMES",
        ),
    ]);
    let refused = broken(&World::after(life("running")), &amended_to(&[first, rest + 1]));
    says(&refused, "A02_AMENDED_UPWARD", &[("asked_minor", "10000001"), ("contracted_minor", "10000000")]);
    assert_eq!(
        refused.message,
        "100,000.00 CNY is contracted, and what was approved beyond it was given back; amend to 100,000.00 CNY or less, not \
         100,000.01 CNY (A02)"
    );
}

#[test]
fn what_is_released_is_available_again_or_goes_to_the_treasury_after_the_year() {
    let less = || amended_to(&[PAID, AWARD - PAID - 1_000_000]);
    let before = World::after(life("running"));
    for (on, to_treasury) in [(day(2013, 12, 31), false), (day(2014, 1, 1), true)] {
        let mut world = before.clone();
        let events = world.execute(&less().on(on)).unwrap();
        let [FundEvent::ContractAmended { released_minor: 1_000_000, to_treasury: goes, amendment: 1, .. }] =
            events.as_slice()
        else {
            panic!("1,000,000 was released: {events:?}");
        };
        assert_eq!(*goes, to_treasury, "{on}");
        let (was, is) = (before.programme(), world.programme());
        let [available, appropriated] = if to_treasury { [0, 1_000_000] } else { [1_000_000, 0] };
        assert_eq!(is.available_minor - was.available_minor, available);
        assert_eq!(was.appropriated_minor - is.appropriated_minor, appropriated);
        assert_eq!(was.contracted_minor - is.contracted_minor, 1_000_000);
        assert_eq!(stands(&world, Account::Committed), AWARD - PAID - 1_000_000);
        assert_eq!(world.grant().contract().unwrap().amount_minor, AWARD - 1_000_000);
    }
}

#[test]
fn a_plan_keeps_what_is_under_way() {
    let requested = || with("running", [request(2, None).on(april(10))]);
    let alone = || amend(Some(PAID), vec![planned(1, PAID, CONTRACT)]);
    let plan_of = |lines: Vec<PlannedTranche>| amend(None, lines);
    let later = |mut line: PlannedTranche| {
        line.due_on = day(2014, 1, 1);
        line
    };
    let second = AWARD * 3 / 10;
    check([
        row("the paid one less", life("running"), amended_to(&[PAID - 1, AWARD - PAID]), "TRANCHE_NOT_KEPT"),
        row(
            "the paid one more",
            life("running"),
            amended_to(&[PAID + 1, AWARD - PAID - 1]),
            "TRANCHE_NOT_KEPT",
        ),
        row(
            "the paid one on another day",
            life("running"),
            plan_of(vec![later(planned(1, PAID, CONTRACT)), planned(2, PAID, ACCEPTED)]),
            "TRANCHE_NOT_KEPT",
        ),
        row(
            "the paid one under another condition",
            life("running"),
            plan_of(vec![planned(1, PAID, TrancheCondition::Midterm), planned(2, PAID, ACCEPTED)]),
            "TRANCHE_NOT_KEPT",
        ),
        row("what was asked for is dropped", requested(), alone(), "TRANCHE_NOT_KEPT"),
        row("what was asked for is kept", requested(), amended_to(&[PAID, second, 1]), "ContractAmended"),
        row("one fen less of it", requested(), amended_to(&[PAID, second - 1, 1]), "TRANCHE_NOT_KEPT"),
        row("what was not asked for is dropped", life("running"), alone(), "ContractAmended"),
        row(
            "the plan does not add up",
            life("running"),
            amend(Some(AWARD - 1), plan()),
            "PLAN_NOT_THE_AMOUNT",
        ),
    ]);
    let refused = broken(&World::after(life("running")), &amend(Some(AWARD - 1), plan()));
    says(&refused, "PLAN_NOT_THE_AMOUNT", &[("sum_minor", "10000000"), ("amount_minor", "9999999")]);
}

/// The first tranche was asked for and paid with 20,000.00 less than planned.
#[test]
fn what_was_paid_less_than_planned_may_be_planned_down_to_that() {
    let paid = PAID - 2_000_000;
    let steps = [request(1, Some(paid)), authorise(1), instruct(1, 1)];
    let instructed: Vec<Order> = story("payable").into_iter().chain(steps).collect();
    let settled: Vec<Order> = instructed.iter().cloned().chain([settle(1, "b-1")]).collect();
    for given in [instructed, settled] {
        check([
            row("to what was paid", given.clone(), amended_to(&[paid, PAID]), "ContractAmended"),
            row("to more than that", given.clone(), amended_to(&[paid + 1, PAID]), "ContractAmended"),
            row("one fen below it", given.clone(), amended_to(&[paid - 1, PAID]), "TRANCHE_NOT_KEPT"),
        ]);
        let mut world = World::after(given);
        let refused = broken(&world, &amended_to(&[paid - 1, PAID]));
        says(&refused, "TRANCHE_NOT_KEPT", &[("least_minor", "3000000"), ("planned_minor", "5000000")]);
        world.execute(&amended_to(&[paid, PAID])).unwrap();
        assert_eq!(stands(&world, Account::Committed), PAID, "the rest of the first tranche is free");
        assert_eq!(world.outcome(&request(2, Some(1)).on(april(10))), "TRANCHE_CONDITION_NOT_MET");
    }
}

/// Of the 50,000.00 that were paid first, the lead had spent 20,000.00 when the payment came back: 30,000.00 are paid anew, and
/// the rest is recovered. So nothing of that tranche is free.
#[test]
fn what_did_not_come_back_of_a_payment_is_not_freed_by_an_amendment() {
    let short = 2_000_000;
    let mut world = World::after(life("running"));
    happened(&mut world, spent(lead().party, short));
    world.execute(&send_back(1, "r-1", "closed account").on(april(10))).unwrap();
    for step in [instruct(1, 1), settle(1, "b-2")] {
        world.execute(&step.on(april(10))).unwrap();
        let refused = broken(&world, &amended_to(&[PAID - short, PAID]).on(april(10)));
        says(&refused, "TRANCHE_NOT_KEPT", &[("least_minor", "5000000")]);
    }
    assert_eq!(stands(&world, Account::Committed), AWARD - PAID);
}

#[test]
fn an_amended_plan_follows_the_rulebook_as_far_as_it_is_open() {
    let unpaid = || story("payable");
    let share = AWARD / 10 * 6;
    check([
        row("60 % at first", unpaid(), amended_to(&[share, AWARD - share]), "ContractAmended"),
        row(
            "one fen more",
            unpaid(),
            amended_to(&[share + 1, AWARD - share - 1]),
            "TRANCHE_FIRST_ABOVE_SHARE",
        ),
        row(
            "what was paid at first is not weighed anew",
            life("running"),
            amended_to(&[PAID, 1]),
            "ContractAmended",
        ),
        row(
            "the last before acceptance",
            life("running"),
            amend(None, vec![planned(1, PAID, CONTRACT), planned(2, PAID, CONTRACT)]),
            "TRANCHE_LAST_BEFORE_ACCEPTANCE",
        ),
        row(
            "what was asked for last is not weighed anew",
            with("running", [request(2, None).on(april(10))]),
            amend(
                Some(AWARD * 8 / 10),
                vec![planned(1, PAID, CONTRACT), planned(2, AWARD * 3 / 10, CONTRACT)],
            ),
            "ContractAmended",
        ),
    ]);
}

#[test]
fn shares_add_up_and_cover_what_was_passed_on() {
    let world = with_partner();
    let shared = |lead: i64, partner: i64| amend_by("A-2", None, plan(), Some(shares(lead, partner)));
    let outcome = |order: &Order| world.outcome(order);
    assert_eq!(outcome(&shared(AWARD - 2_000_000, 2_000_000)), "ContractAmended");
    let refused = broken(&world, &shared(AWARD - 1_999_999, 1_999_999));
    says(&refused, "SHARE_BELOW_PASSED_ON", &[("share_minor", "1999999"), ("passed_on_minor", "2000000")]);
    let refused = broken(&world, &shared(AWARD - 2_000_000, 2_000_001));
    says(
        &refused,
        "SHARES_NOT_THE_CONTRACT",
        &[("shares_minor", "10000001"), ("contracted_minor", "10000000")],
    );
    // Without shares they stay; and then they must add up to the new amount too.
    assert_eq!(outcome(&amend_by("A-2", None, planned_as(&[PAID, PAID]), None)), "ContractAmended");
    assert_eq!(outcome(&amended_to(&[PAID, PAID - 1])), "SHARES_NOT_THE_CONTRACT");
    // What was passed on is covered wherever it lies now.
    let mut spending = world.clone();
    happened(&mut spending, spent(university().party, 1_500_000));
    assert_eq!(spending.outcome(&shared(AWARD - 1_999_999, 1_999_999)), "SHARE_BELOW_PASSED_ON");
    // A partner with money cannot be left out.
    let alone = vec![concord_events::fund::Allocation { party: lead(), amount_minor: Some(AWARD) }];
    let alone = amend_by("A-2", None, plan(), Some(alone));
    assert_eq!(outcome(&alone), "SHARE_BELOW_PASSED_ON");
    // The lead alone has what is contracted, whatever that is.
    let mut sole = World::after(life("running"));
    let alone = vec![concord_events::fund::Allocation { party: lead(), amount_minor: Some(AWARD) }];
    sole.execute(&amend_by("A-0", None, plan(), Some(alone))).unwrap();
    sole.execute(&amended_to(&[PAID, PAID - 1])).unwrap();
    assert_eq!(sole.grant().contract().unwrap().allocations[0].amount_minor, Some(AWARD - 1));
}

#[test]
fn an_amendment_changes_something_and_a_repeat_nothing() {
    let mut world = World::after(life("running"));
    assert_eq!(world.outcome(&amend(None, plan())), "AMENDMENT_CHANGES_NOTHING");
    let less = amended_to(&[PAID, PAID - 1]);
    world.execute(&less).unwrap();
    assert_eq!(world.outcome(&less), "unchanged");
    let by_others = amend_by("A-9", Some(AWARD - 1), planned_as(&[PAID, PAID - 1]), None);
    assert_eq!(world.outcome(&by_others), "AMENDMENT_CHANGES_NOTHING");
    assert_eq!(world.outcome(&sign(signing())), "unchanged", "that it was signed as it was still holds");
    assert_eq!(world.grant().contract().unwrap().amendments.count, 1);
    // What was paid stays paid under the new plan.
    let tranches = &world.grant().contract().unwrap().tranches;
    assert_eq!(tranches.len(), 2);
    assert!(tranches[0].is_settled() && !tranches[1].is_settled());
}

#[test]
fn an_amendment_comes_after_the_last_payment() {
    let before = Order { on: march(30), today: march(31), ..amended_to(&[PAID, PAID - 1]) };
    check([
        row("the day before", life("running"), before, "STEP_BEFORE_THE_LAST"),
        row("on its day", life("running"), amended_to(&[PAID, PAID - 1]).on(march(31)), "ContractAmended"),
        row(
            "the applicant's colleague",
            life("running"),
            amended_to(&[PAID, PAID - 1]).by("colleague", "the-university"),
            "A13_APPLICANT_IN_OFFICE",
        ),
    ]);
}

#[test]
fn a_migrated_award_is_amended_with_its_shares_as_they_are() {
    let mut bare = award(Vec::new());
    bare.allocations = vec![concord_events::fund::Allocation { party: lead(), amount_minor: None }];
    let world = World::after([import(bare)]);
    let events = world.clone().execute(&amended_to(&[AWARD / 2, AWARD / 2 - 1])).unwrap();
    let FundEvent::ContractAmended { allocations, released_minor: 1, .. } = &events[0] else {
        panic!("it was amended: {events:?}");
    };
    assert_eq!(allocations[0].amount_minor, None, "the source does not say, and nor does the contract");
}

// ---- More time -------------------------------------------------------------------------------------------------------

/// The project of the story ends on 31 March 2015.
#[test]
fn a_project_gets_a_year_more_once() {
    let year = day(2016, 3, 31);
    let migrated = || vec![import(MigratedAward { ends_on: None, ..award(plan()) })];
    check([
        row("a year", life("running"), extend(year), "ProjectExtended"),
        row("a day more", life("running"), extend(day(2016, 4, 1)), "EXTENSION_TOO_LONG"),
        row("a day", life("running"), extend(day(2015, 4, 1)), "ProjectExtended"),
        row("no day", life("running"), extend(day(2015, 3, 31)), "EXTENSION_NOT_LATER"),
        row("twice", with("running", [extend(day(2015, 4, 1))]), extend(day(2015, 4, 2)), "EXTENDED_ALREADY"),
        row("the same again", with("running", [extend(year)]), extend(year), "unchanged"),
        row("an end that is not known", migrated(), extend(year), "EXTENSION_WITHOUT_END"),
    ]);
    let mut world = World::after(life("running"));
    let events = world.execute(&extend(year)).unwrap();
    let FundEvent::ProjectExtended { former_ends_on, acceptance_due_on, .. } = events[0] else {
        panic!("it was extended");
    };
    assert_eq!((former_ends_on, acceptance_due_on), (day(2015, 3, 31), day(2016, 9, 30)));
    let contract = world.grant().contract().unwrap();
    assert_eq!((contract.ends_on, contract.acceptance_due_on), (Some(year), Some(day(2016, 9, 30))));
    let refused = broken(&world, &extend(day(2016, 12, 31)));
    says(
        &refused,
        "EXTENDED_ALREADY",
        &[("extensions", "1"), ("extensions_max", "1"), ("ends_on", "2016-03-31")],
    );
    assert_eq!(world.outcome(&sign(signing())), "unchanged");
}

// ---- Requests --------------------------------------------------------------------------------------------------------

#[test]
fn bad_requests_are_told_at_their_fields() {
    let whole = AmendContractRequest {
        header: edge::header(),
        grant_id: edge::ID.to_owned(),
        amount: edge::cny(100),
        tranches: vec![
            edge::tranche(1, 60, Condition::Contract),
            edge::tranche(2, 40, Condition::FinalAcceptance),
        ],
        allocations: vec![
            edge::share("CN-USCC:91330100799655058B", 60),
            edge::share("CN-USCC:9144030071526726XG", 40),
        ],
        minutes: "A-1".to_owned(),
    };
    let draft = edge::read(whole.clone()).unwrap();
    let Command::Grant(_, GrantCommand::Amendment(AmendmentCommand::Amend(amendment))) = draft.command()
    else {
        panic!("it amends");
    };
    assert_eq!((amendment.tranches.len(), amendment.allocations.as_ref().map(Vec::len)), (2, Some(2)));
    let bare = AmendContractRequest { amount: None, allocations: Vec::new(), ..whole.clone() };
    let draft = edge::read(bare).unwrap();
    let Command::Grant(_, GrantCommand::Amendment(AmendmentCommand::Amend(amendment))) = draft.command()
    else {
        panic!("it amends");
    };
    assert_eq!((amendment.amount, &amendment.allocations), (None, &None));
    assert_eq!(edge::faults(AmendContractRequest::default()), ["header", "grant_id", "tranches", "minutes"]);
    let gap =
        AmendContractRequest { tranches: vec![edge::tranche(2, 100, Condition::Contract)], ..whole.clone() };
    assert_eq!(edge::faults(gap), ["tranches[0].number"]);
    let twice =
        vec![edge::share("CN-USCC:91330100799655058B", 60), edge::share("CN-USCC:91330100799655058B", 40)];
    assert_eq!(
        edge::faults(AmendContractRequest { allocations: twice, ..whole }),
        ["allocations[1].party.code"]
    );
    assert_eq!(edge::faults(ExtendProjectRequest::default()), ["header", "grant_id", "ends_on", "minutes"]);
}
