//! Properties of every sequence of commands.

use crate::{backing, correction, objection, recovery, world::*};
use concord_events::{
    fund::{Ending, FundEvent, FundingMode, LimitOn},
    ledger::{Account, postings},
};
use concord_fund_grant::{Command, programme::ProgrammeCommand};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Everything that can be asked in the story, with small variations.
fn anything() -> impl Strategy<Value = Order> {
    let on = march(31);
    let limit =
        |minor| ProgrammeCommand::SetSubLimit { on: LimitOn::Mode(FundingMode::NonRepayable), limit: minor };
    let money = prop_oneof![Just(AWARD), Just(AWARD / 2), Just(1_i64), 1..2 * AWARD];
    let number = 1..4_u32;
    let word = prop_oneof![Just("x"), Just("y")];
    prop_oneof![
        Just(appropriate()),
        Just(apply_for(application())),
        Just(recommend()),
        Just(admit()),
        (0..3_u32).prop_map(|score| review(score * 1_000)),
        money.clone().prop_map(publish),
        money.clone().prop_map(approve),
        word.clone().prop_map(reject),
        word.clone().prop_map(withdraw),
        Just(sign(signing())),
        word.clone().prop_map(verify_payee),
        Just(import(award(plan()))),
        (number.clone(), proptest::option::of(money.clone()))
            .prop_map(|(number, minor)| request(number, minor)),
        number.clone().prop_map(authorise),
        (number.clone(), word.clone()).prop_map(|(number, reason)| reject_tranche(number, reason)),
        (number.clone(), word.clone()).prop_map(|(number, reason)| cancel_tranche(number, reason)),
        (number.clone(), 1..3_u128).prop_map(|(number, id)| instruct(number, id)),
        (number.clone(), word.clone()).prop_map(|(number, reference)| settle(number, reference)),
        (number, word.clone(), word)
            .prop_map(|(number, reference, reason)| send_back(number, reference, reason)),
        backing_or_hold(),
        recovery_or_correction(),
        objection_or_override(),
        money
            .clone()
            .prop_map(move |minor| programme(on, ProgrammeCommand::Supplement { amount: cny(minor) })),
        money.clone().prop_map(move |minor| programme(on, ProgrammeCommand::Cut { amount: cny(minor) })),
        proptest::option::of(money).prop_map(move |minor| programme(on, limit(minor.map(cny)))),
    ]
}

/// What the agreement log says, in any order, and what is done about holds.
fn backing_or_hold() -> impl Strategy<Value = Order> {
    let change = prop_oneof![
        Just(backing::drafted()),
        Just(backing::in_force(backing::long())),
        Just(backing::in_force(backing::term(march(1), march(30)))),
        Just(backing::suspended(march(31))),
        Just(backing::ended(Ending::Terminated, march(31))),
        Just(backing::cancelled()),
    ];
    let agreement = prop_oneof![Just(backing::AGREEMENT), Just(backing::OTHER)];
    prop_oneof![
        4 => (agreement.clone(), 1..30_u64, change)
            .prop_map(|(agreement, position, change)| backing::take_of(agreement, position, march(31), change)),
        2 => agreement.prop_map(|agreement| backing::name_as(GRANT, agreement, None)),
        1 => Just(backing::lapse(march(30), march(31))),
        1 => Just(backing::hold("audit")),
        1 => Just(backing::resume()),
    ]
}

/// Recoveries of either amount and what becomes of them, and corrections of whatever stands at a position.
fn recovery_or_correction() -> impl Strategy<Value = Order> {
    let minor = prop_oneof![Just(1_i64), Just(AWARD / 4), Just(AWARD / 2)];
    let word = prop_oneof![Just("x"), Just("y")];
    prop_oneof![
        2 => minor.clone().prop_map(recovery::determine),
        2 => word.clone().prop_map(recovery::demand),
        1 => word.clone().prop_map(recovery::appeal),
        1 => word.clone().prop_map(recovery::uphold),
        1 => word.clone().prop_map(recovery::overturn),
        2 => (minor, word.clone()).prop_map(|(minor, reference)| recovery::repay(minor, reference)),
        1 => word.clone().prop_map(recovery::write_off),
        3 => (8..40_u64, word)
            .prop_map(|(position, reason)| correction::correct_as(position, reason, "2013-C1")),
    ]
}

fn objection_or_override() -> impl Strategy<Value = Order> {
    let word = prop_oneof![Just("x"), Just("y")];
    let number = 1..3_u32;
    prop_oneof![
        2 => (number.clone(), word.clone()).prop_map(|(number, grounds)| objection::raise(number, grounds)),
        2 => (number.clone(), word.clone()).prop_map(|(number, why)| objection::reject_it(number, why)),
        1 => (number, word.clone()).prop_map(|(number, why)| objection::uphold_it(number, why)),
        1 => word.prop_map(objection::set_aside),
    ]
}

/// Two supplements of 100.00 are two: only the request id, which the chassis keeps, tells a repeat.
fn is_told_by_its_request_id(order: &Order) -> bool {
    matches!(
        order.command,
        Command::Programme(_, ProgrammeCommand::Supplement { .. } | ProgrammeCommand::Cut { .. })
    )
}

/// Posts an event to the chain, and holds it to its law.
fn post(balances: &mut BTreeMap<Account, i64>, event: &FundEvent) {
    let Some(postings) = postings(event) else {
        return;
    };
    assert_eq!(postings.sum_minor(), 0, "{event:?}");
    for line in postings.lines {
        let balance = balances.entry(line.account).or_default();
        *balance += line.amount_minor;
    }
    for (account, balance) in balances {
        assert!(account.is_contra() || *balance >= 0, "{account:?} is {balance} after {event:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// From anywhere in the story: what was accepted, asked again, changes nothing; the chain's accounts stay at zero
    /// or more and add up; and the programme's figures are those of the chain.
    #[test]
    fn the_same_command_again_changes_nothing_and_the_books_balance(
        start in 0..15_usize,
        backed in proptest::bool::ANY,
        orders in proptest::collection::vec(anything(), 1..40),
    ) {
        let mut world = World::default();
        let mut balances = BTreeMap::new();
        let begun = tranche_story("payment_returned").into_iter().take(start);
        let signed = [
            backing::take(1, march(1), backing::drafted()),
            backing::take(2, march(2), backing::in_force(backing::long())),
            backing::name_it(),
        ];
        let begun = begun.chain(signed.into_iter().filter(|_| backed));
        // Days move on with the story; what is tried afterwards happens on its last day.
        let tried = orders.into_iter().map(|order| order.on(march(31)));
        for order in begun.chain(tried) {
            let Ok(events) = world.execute(&order) else { continue };
            events.iter().for_each(|event| post(&mut balances, event));
            // No fen is on its way without an agreement in force, where the grant names one.
            for event in &events {
                if let FundEvent::TrancheInstructed { backing: Some(under), .. } = event {
                    let backing = world.backing(under.agreement).unwrap();
                    prop_assert!(backing.is_in_force_on(march(31)) && backing.lost_by(march(31)).is_none());
                    prop_assert_eq!(under.position, backing.at.position);
                    prop_assert!(world.grant().hold.since.is_none());
                }
            }
            if !is_told_by_its_request_id(&order) {
                prop_assert_eq!(world.outcome(&order), "unchanged", "{:?} again", order.command);
            }
            if !balances.is_empty() {
                let programme = world.programme();
                let of = |account: Account| balances.get(&account).copied().unwrap_or_default();
                if let Some(grant) = world.find_grant(GRANT) {
                    let outstanding = grant.recoveries.iter().map(|id| world.recovery(*id).outstanding_minor());
                    prop_assert_eq!(outstanding.sum::<i64>(), of(Account::Recoverable));
                    prop_assert_eq!(grant.books.total_minor(Account::RecipientUnspent), of(Account::RecipientUnspent));
                }
                prop_assert_eq!(programme.available_minor, of(Account::Available));
                prop_assert_eq!(programme.reserved_minor, of(Account::Reserved));
                let undrawn = of(Account::Committed) + of(Account::Instructed);
                let recovered = of(Account::Recoverable) + of(Account::Refunded) + of(Account::WrittenOff);
                let held = undrawn + of(Account::RecipientUnspent) + recovered;
                prop_assert_eq!(programme.contracted_minor, held);
                prop_assert_eq!(programme.appropriated_minor, -of(Account::Treasury));
                let taken = programme.taken_minor(&LimitOn::Mode(FundingMode::NonRepayable));
                prop_assert_eq!(taken, programme.reserved_minor + programme.contracted_minor);
                for on in programme.limits() {
                    prop_assert!(programme.taken_minor(&on) <= programme.limit_minor(&on).unwrap());
                }
            }
        }
    }
}
