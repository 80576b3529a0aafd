//! Corrections 更正 that reverse.

use crate::{
    life, matching, money, partners,
    recovery::{self, RECOVERY, demand, determine, partner, repay},
    shortfall::{accepted, transferred},
    spending,
    world::*,
};
use concord_events::{
    fund::{FundEvent, Holding, MoneyFact},
    ledger::{Account, postings},
};
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand,
        correction::Correct,
        facts::{FactStanding, RecordedFact},
        matching::Arrived,
        tranche::TrancheState,
    },
    recovery::RecoveryState,
};
use concord_kernel::{Date, money::Currency};
use jiff::civil::date;

fn april(day: i8) -> Date {
    date(2013, 4, day)
}

pub fn correct_as(position: u64, reason: &str, authority: &str) -> Order {
    let (reason, authority) = (reason.to_owned(), authority.to_owned());
    let command = GrantCommand::Correct(Correct { position, reason, authority });
    order(april(8), "controller", Command::Grant(GRANT, command))
}

pub fn correct(position: u64) -> Order {
    correct_as(position, "booked twice", "2013-C1")
}

/// A settled tranche, then these; and the position of the last.
fn after(events: impl IntoIterator<Item = FundEvent>) -> (World, u64) {
    let mut world = World::after(tranche_story("settled"));
    events.into_iter().for_each(|event| world.happened(event, march(31)));
    let last = world.head();
    (world, last)
}

pub fn settlement(world: &World) -> u64 {
    let settled = |fact: &MoneyFact| matches!(fact, MoneyFact::Settlement { .. });
    world.grant().facts.recorded().iter().find(|known| settled(&known.fact)).unwrap().position
}

#[test]
fn a_settlement_that_was_not_so_is_with_the_bank_again_and_can_be_settled_rightly() {
    let mut world = World::after(tranche_story("settled"));
    let position = settlement(&world);
    let events = world.execute(&correct(position)).unwrap();
    let FundEvent::FactCorrected { reverses, fact, fact_on, .. } = &events[0] else {
        panic!("it was corrected");
    };
    assert_eq!((*reverses, *fact_on), (position, march(31)));
    assert_eq!(*fact, MoneyFact::Settlement { tranche: 1, amount_minor: AWARD / 2 });
    let set = postings(&events[0]).unwrap();
    assert_eq!((set.sum_minor(), set.counts_from), (0, Some(march(31))));
    let books = &world.grant().books;
    assert_eq!(books.total_minor(Account::Instructed), AWARD / 2);
    assert_eq!(books.total_minor(Account::RecipientUnspent), 0);
    let tranche = world.grant().contract().unwrap().tranche(1).unwrap();
    assert!(matches!(tranche.state, TrancheState::Instructed(payment) if payment.attempt == 1));
    // Rightly: the same reference, or another one, on its own day.
    assert_eq!(world.outcome(&settle(1, "b-1").learned_on(april(5))), "TrancheSettled");
    world.execute(&settle(1, "b-2").learned_on(april(5))).unwrap();
    assert_eq!(world.grant().books.total_minor(Account::RecipientUnspent), AWARD / 2);
    // The right one can be wrong, too.
    let second = world.head();
    assert_eq!(world.outcome(&correct(second)), "FactCorrected");
}

#[test]
fn the_right_settlement_may_lie_before_the_wrong_one() {
    let orders = [request(1, None), authorise(1), instruct(1, 1)].map(|order| order.on(march(31)));
    let wrong = settle(1, "b-1").on(april(4));
    let mut world = World::after(story("payable").into_iter().chain(orders).chain([wrong]));
    let early = settle(1, "b-2").on(april(2)).learned_on(april(5));
    assert_eq!(world.outcome(&early), "TRANCHE_ALREADY_SETTLED, STEP_BEFORE_THE_LAST");
    world.execute(&correct(settlement(&world))).unwrap();
    assert_eq!(world.outcome(&early), "TrancheSettled");
    assert_eq!(
        world.outcome(&settle(1, "b-2").on(march(30)).learned_on(april(4))),
        "STEP_BEFORE_THE_LAST",
        "not before it was instructed"
    );
}

#[test]
fn a_target_is_corrected_once_and_a_correction_never() {
    let mut world = World::after(tranche_story("settled"));
    let position = settlement(&world);
    world.execute(&correct(position)).unwrap();
    let correction = world.head();
    assert_eq!(world.outcome(&correct(position)), "unchanged");
    assert_eq!(world.outcome(&correct_as(position, "another reason", "2013-C1")), "CORRECTED_ALREADY");
    assert_eq!(world.outcome(&correct_as(position, "booked twice", "2013-C2")), "CORRECTED_ALREADY");
    let broken = &world.refusal(&correct_as(position, "another reason", "2013-C1"))[0];
    assert_eq!(broken.facts["correction_position"], correction.to_string());
    let broken = &world.refusal(&correct(correction))[0];
    assert_eq!((broken.code.as_str(), broken.field.as_str()), ("CORRECTION_OF_CORRECTION", "position"));
    assert_eq!(broken.facts["corrected_position"], position.to_string());
    assert!(matches!(
        &world.grant().facts.recorded()[0].standing,
        FactStanding::Corrected(known) if known.position == correction && known.on == april(8)
    ));
}

#[test]
fn only_facts_of_money_are_corrected() {
    let world = World::after(tranche_story("settled"));
    // The application, and what does not exist.
    for position in [2, 999] {
        let broken = &world.refusal(&correct(position))[0];
        assert_eq!((broken.code.as_str(), broken.field.as_str()), ("FACT_NOT_FOUND", "position"));
        assert!(
            broken.message.contains("a repayment of a recovery"),
            "it lists the kinds: {}",
            broken.message
        );
    }
    let of_another = correct(settlement(&world)).of(recovery::OTHER);
    assert_eq!(world.outcome(&of_another), "GRANT_NOT_FOUND");
}

#[test]
fn money_that_has_gone_on_is_not_taken_back_by_a_stroke_of_the_pen() {
    let (world, _) = after([accepted(1, lead().party, 1)]);
    let broken = &world.refusal(&correct(settlement(&world)))[0];
    assert_eq!(broken.code, "CORRECTION_NOT_COVERED");
    let figures = ["account", "held_minor", "needed_minor"].map(|name| broken.facts[name].as_str());
    assert_eq!(figures, ["recipient_unspent", "4999999", "5000000"]);
    assert_eq!(broken.facts["party_id"], lead().party.to_string());
    // Corrected from the end, it works.
    let (mut world, acceptance) = after([accepted(1, lead().party, 1)]);
    world.execute(&correct(acceptance)).unwrap();
    assert_eq!(world.outcome(&correct(settlement(&world))), "FactCorrected");
}

#[test]
fn what_another_act_has_undone_is_not_corrected() {
    let world = World::after(tranche_story("payment_returned"));
    let broken = &world.refusal(&correct(settlement(&world)))[0];
    assert_eq!(broken.code, "FACT_UNDONE");
    assert_eq!(broken.facts["undone_at"], world.head().to_string());
    let disallowed = FundEvent::SpendDisallowed {
        grant: GRANT,
        programme: PROGRAMME,
        currency: Currency::CNY,
        spend: concord_kernel::id::SpendId(uuid::Uuid::from_u128(1)),
        party: lead().party,
        amount_minor: 700,
        was_accepted: true,
        invoice: None,
        reason: "a fine".to_owned(),
    };
    let (world, last) = after([accepted(1, lead().party, 700), accepted(2, lead().party, 700), disallowed]);
    assert_eq!(world.outcome(&correct(last - 2)), "FACT_UNDONE");
    assert_eq!(world.outcome(&correct(last - 1)), "FactCorrected", "the other item stands");
}

/// What stands on an account in somebody's hand.
fn held(world: &World, account: Account, party: concord_kernel::party::PartyId) -> i64 {
    world.grant().books.held_minor(account, party)
}

#[test]
fn every_kind_of_fact_is_reversed_where_it_moved_money() {
    // A share.
    let (mut world, position) = after([transferred(1_000)]);
    assert_eq!(world.outcome(&correct(position)), "FactCorrected");
    world.execute(&correct(position)).unwrap();
    assert_eq!(held(&world, Account::RecipientUnspent, partner()), 0);
    assert_eq!(held(&world, Account::RecipientUnspent, lead().party), AWARD / 2);

    // A share that the partner has spent a fen of.
    let (world, position) = after([transferred(1_000), accepted(1, partner(), 1)]);
    assert_eq!(world.outcome(&correct(position - 1)), "CORRECTION_NOT_COVERED");

    // An acceptance.
    let (mut world, position) = after([accepted(1, lead().party, 1_000)]);
    world.execute(&correct(position)).unwrap();
    assert_eq!(held(&world, Account::EligibleSpend, lead().party), 0);
    assert_eq!(held(&world, Account::RecipientUnspent, lead().party), AWARD / 2);

    // A refund.
    let refund = FundEvent::BalanceRefunded {
        grant: GRANT,
        programme: PROGRAMME,
        currency: Currency::CNY,
        party: lead().party,
        from: Holding::Unspent,
        amount_minor: 1_000,
        bank_reference: "f-1".to_owned(),
    };
    let (mut world, position) = after([refund]);
    world.execute(&correct(position)).unwrap();
    assert_eq!(world.grant().books.total_minor(Account::Refunded), 0);
    assert_eq!(held(&world, Account::RecipientUnspent, lead().party), AWARD / 2);

    // Matching money.
    let pledge = FundEvent::MatchingPledged {
        grant: GRANT,
        programme: PROGRAMME,
        currency: Currency::CNY,
        source: 1,
        kind: concord_events::fund::MatchingKind::OwnMoney,
        level: None,
        is_public: false,
        payer: None,
        amount_minor: 2_000,
        instalments: Vec::new(),
    };
    let arrival = FundEvent::MatchingArrived {
        grant: GRANT,
        programme: PROGRAMME,
        currency: Currency::CNY,
        source: 1,
        instalment: 1,
        amount_minor: 1_000,
        bank_reference: "m-1".to_owned(),
    };
    let (mut world, position) = after([pledge, arrival]);
    world.execute(&correct(position)).unwrap();
    assert_eq!(world.grant().books.total_minor(Account::MatchArrived), 0);
    assert_eq!(world.grant().books.total_minor(Account::MatchPledged), 2_000);
}

/// What each lifecycle keeps of its own facts is undone with them.
#[test]
fn a_correction_undoes_what_is_known_beside_the_books() {
    let corrected = |given: Vec<Order>| {
        let mut world = World::after(given);
        let last = world.head();
        world.execute(&correct(last).on(date(2013, 4, 20))).unwrap();
        world
    };
    let shared = money::paid().into_iter().chain([partners::transfer(7, "t-1")]).collect();
    assert_eq!(corrected(shared).grant().passed_on_minor(money::partner().party), 0);

    let pledged = [matching::pledge(1, matching::city()), matching::arrived(1, 1, 7, "m-1")];
    let arrived = money::paid().into_iter().chain(pledged).collect();
    assert_eq!(Arrived::of(&corrected(arrived).grant().facts, None).of_source_minor(1), 0);

    let spent = [spending::report(1, 7), spending::accept(1)];
    let mut world = corrected(money::paid().into_iter().chain(spent).collect());
    // It is reported again, so it can be accepted again.
    assert_eq!(world.outcome(&spending::accept(1)), "SpendAccepted");

    // A refund's reference is free again.
    world = corrected(money::paid().into_iter().chain([life::refund(7, "f-1")]).collect());
    let refunded = |known: &RecordedFact| matches!(known.fact, MoneyFact::BalanceRefund { .. });
    assert!(!world.grant().facts.uncorrected().any(refunded));
    assert_eq!(world.outcome(&life::refund(7, "f-1")), "BalanceRefunded");
}

#[test]
fn a_repayment_that_never_came_in_is_outstanding_again() {
    let paid = [determine(1_000), demand("D-1"), repay(1_000, "p-1")];
    let mut world = World::after(tranche_story("settled").into_iter().chain(paid));
    let position = world.head();
    assert_eq!(world.recovery(RECOVERY).state(), RecoveryState::Repaid);
    world.execute(&correct(position)).unwrap();
    let recovery = world.recovery(RECOVERY);
    assert_eq!((recovery.state(), recovery.outstanding_minor()), (RecoveryState::Demanded, 1_000));
    assert_eq!(world.grant().books.total_minor(Account::Recoverable), 1_000);
    assert_eq!(world.grant().books.total_minor(Account::Refunded), 0);
    // The right amount, under the same reference.
    assert_eq!(world.outcome(&repay(900, "p-1")), "RecoveryRepaid");
}

#[test]
fn a_correction_is_the_offices_and_has_its_dates() {
    let world = World::after(tranche_story("settled"));
    let at = |on: Date, today: Date| Order { on, today, ..correct(settlement(&world)) };
    let rows = [
        (
            "by the applicant's colleague",
            correct(settlement(&world)).by("x", "the-university"),
            "A13_APPLICANT_IN_OFFICE",
        ),
        ("before the fact", at(march(30), april(8)), "STEP_BEFORE_THE_LAST"),
        ("on its day, thirty days later", at(march(31), april(30)), "FactCorrected"),
        ("thirty-one", at(march(31), date(2013, 5, 1)), "EFFECTIVE_TOO_FAR_BACK"),
        ("tomorrow", at(april(9), april(8)), "EFFECTIVE_AFTER_TODAY"),
    ];
    for (says, order, then) in rows {
        assert_eq!(world.outcome(&order), then, "{says}");
    }
}

#[test]
fn corrections_read_back_from_their_json() {
    let mut world = World::after(tranche_story("settled"));
    let order = correct(settlement(&world));
    let json = serde_json::to_string(&order.command).unwrap();
    assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), order.command);
    world.execute(&order).unwrap();
    let json = serde_json::to_string(&world).unwrap();
    assert_eq!(serde_json::to_string(&serde_json::from_str::<World>(&json).unwrap()).unwrap(), json);
}
