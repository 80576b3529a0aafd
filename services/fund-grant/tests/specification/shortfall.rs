//! Payments that come back 退汇 for less than was settled: the rest is recovered.

use crate::{
    recovery::{CLAIM, RECOVERY, april, partner, recovery_story},
    world::*,
};
use concord_events::{
    fund::{FundEvent, Holding, RecoveryCause, Taken},
    ledger::{Account, postings},
};
use concord_fund_grant::recovery::RecoveryState;
use concord_kernel::{id::SpendId, money::Currency, party::PartyId};
use uuid::Uuid;

pub fn transferred(minor: i64) -> FundEvent {
    FundEvent::ShareTransferred {
        grant: GRANT,
        programme: PROGRAMME,
        currency: Currency::CNY,
        to: partner(),
        amount_minor: minor,
        bank_reference: "t-1".to_owned(),
    }
}

pub fn accepted(spend: u128, party: PartyId, minor: i64) -> FundEvent {
    FundEvent::SpendAccepted {
        grant: GRANT,
        programme: PROGRAMME,
        currency: Currency::CNY,
        spend: SpendId(Uuid::from_u128(spend)),
        party,
        amount_minor: minor,
    }
}

fn retained(party: PartyId, minor: i64) -> FundEvent {
    FundEvent::BalanceRetained {
        grant: GRANT,
        programme: PROGRAMME,
        currency: Currency::CNY,
        party,
        amount_minor: minor,
        until: None,
        minutes: "m".to_owned(),
    }
}

/// A settled tranche, of which these things became.
fn settled_then(events: impl IntoIterator<Item = FundEvent>) -> World {
    let mut world = World::after(tranche_story("settled"));
    events.into_iter().for_each(|event| world.happened(event, march(31)));
    world
}

#[test]
fn a_returned_payment_takes_what_the_lead_holds_and_the_rest_is_recovered() {
    let mut world = settled_then([
        transferred(1_000_000),
        accepted(1, lead().party, 2_500_000),
        accepted(2, partner(), 300_000),
        retained(partner(), 200_000),
    ]);
    let events = world.execute(&send_back(1, "r-1", "closed account")).unwrap();
    let [
        FundEvent::PaymentReturned { amount_minor, shortfall_minor, after_settlement: true, .. },
        FundEvent::RecoveryDetermined { recovery, cause, amount_minor: recovered_minor, takes, .. },
    ] = &events[..]
    else {
        panic!("the payment came back and the rest is recovered: {events:?}");
    };
    assert_eq!((*amount_minor, *shortfall_minor, *recovered_minor), (1_500_000, 3_500_000, 3_500_000));
    assert_eq!(*cause, RecoveryCause::PaymentReturned);
    let took = |party, from, amount_minor| Taken { party, from, amount_minor };
    assert_eq!(
        *takes,
        [
            took(lead().party, Holding::Spent, 2_500_000),
            took(partner(), Holding::Unspent, 500_000),
            took(partner(), Holding::Spent, 300_000),
            took(partner(), Holding::Retained, 200_000),
        ]
    );
    events.iter().filter_map(postings).for_each(|set| assert_eq!(set.sum_minor(), 0));
    let books = &world.grant().books;
    assert!(books.balances().iter().all(|balance| balance.account.is_contra() || balance.amount_minor > 0));
    assert_eq!(books.total_minor(Account::Recoverable), 3_500_000);
    assert_eq!(world.recovery(*recovery).state(), RecoveryState::Determined);
    // It is told once.
    assert_eq!(world.outcome(&send_back(1, "r-1", "closed account")), "unchanged");
    // What came back is paid again, and no more.
    let again = world.execute(&instruct(1, 1)).unwrap();
    assert!(matches!(again[0], FundEvent::TrancheInstructed { amount_minor: 1_500_000, attempt: 2, .. }));
}

#[test]
fn a_payment_of_which_nothing_is_left_with_the_lead_is_recovered_and_not_paid_again() {
    let mut world = settled_then([accepted(1, lead().party, AWARD / 2)]);
    let events = world.execute(&send_back(1, "r-1", "closed account")).unwrap();
    assert!(matches!(
        events[..],
        [
            FundEvent::PaymentReturned { amount_minor: 0, shortfall_minor: 5_000_000, .. },
            FundEvent::RecoveryDetermined { amount_minor: 5_000_000, .. }
        ]
    ));
    assert_eq!(world.outcome(&instruct(1, 1)), "TRANCHE_NOTHING_TO_INSTRUCT");
}

#[test]
fn what_is_recovered_already_is_not_recovered_twice() {
    let mut world = World::after(recovery_story("determined"));
    let events = world.execute(&send_back(1, "r-1", "closed account").on(april(3))).unwrap();
    assert!(
        matches!(
            events[..],
            [FundEvent::PaymentReturned { amount_minor: 4_000_000, shortfall_minor: CLAIM, .. }]
        ),
        "{events:?}"
    );
    assert_eq!(world.grant().books.total_minor(Account::Recoverable), CLAIM);
    assert_eq!(world.grant().recoveries, [RECOVERY]);
}

#[test]
fn a_payment_that_the_lead_holds_whole_comes_back_whole() {
    let mut world = settled_then([]);
    let events = world.execute(&send_back(1, "r-1", "closed account")).unwrap();
    assert!(matches!(
        events[..],
        [FundEvent::PaymentReturned { amount_minor: 5_000_000, shortfall_minor: 0, .. }]
    ));
}
