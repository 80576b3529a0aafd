//! Properties of every sequence of commands.

use crate::{backing, correction, life, matching, money, objection, partners, recovery, spending, world::*};
use concord_events::{
    fund::{AcceptanceOutcome, Ending, FundEvent, FundingMode, Holding, LimitOn, RecoveryCause},
    ledger::{Account, Chain, postings},
};
use concord_fund_grant::{
    Command,
    grant::{
        GrantCommand,
        spending::{SpendReport, SpendingCommand},
        tranche::{TrancheCommand, TrancheState},
    },
    programme::{Programme, ProgrammeCommand},
};
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
        matching_money(),
        spending_money(),
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

/// The states in which the later life is begun, with a first tranche paid.
fn state_of_later_life() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec![
        "running",
        "completion_reported",
        "rectifying",
        "finally_accepted",
        "acceptance_failed",
        "closed",
        "terminated",
    ])
}

/// From an amendment to the end, and the payment of a second tranche, in any order.
fn later_life() -> impl Strategy<Value = Order> {
    let part = prop_oneof![Just(AWARD / 5), Just(1_i64), 1..AWARD];
    let reference = prop_oneof![Just("f"), Just("g")];
    let from = prop_oneof![Just(Holding::Unspent), Just(Holding::Retained)];
    let tomorrow = backing::april(11);
    let outcome = prop_oneof![
        3 => Just(AcceptanceOutcome::Passed),
        1 => Just(AcceptanceOutcome::Rectify { by: tomorrow }),
    ];
    let refund_by = proptest::option::weighted(0.7, Just(tomorrow));
    let own_life = prop_oneof![
        2 => part.clone().prop_map(|minor| {
            let mut lines = plan();
            lines[2].amount_minor = lines[2].amount_minor.saturating_sub(minor).max(1);
            life::amend(Some(lines.iter().map(|line| line.amount_minor).sum()), lines)
        }),
        1 => Just(life::extend(life::day(2016, 3, 31))),
        1 => proptest::bool::ANY.prop_map(|passed| life::midterm(passed, "Z-1")),
        2 => Just(life::report("R-1")),
        2 => outcome.prop_map(|outcome| life::conclude_by("M-1", outcome)),
        2 => refund_by.prop_map(life::close),
        1 => Just(life::evaluate(8_000)),
        1 => Just(life::terminate("x", None)),
        1 => Just(life::cancel(RecoveryCause::Fraud, "x")),
    ];
    let balance = prop_oneof![
        (part.clone(), from, reference.clone())
            .prop_map(|(minor, from, reference)| life::refund_of(None, minor, from, reference)),
        part.clone().prop_map(life::retain),
        part.clone().prop_map(|minor| life::transfer(life::SECOND, minor)),
    ];
    let item = 1..4_u128;
    let disallow = SpendingCommand::Disallow { reason: "x".to_owned() };
    let spending = prop_oneof![
        (item.clone(), part).prop_map(|(item, minor)| life::report_spend(item, minor)),
        item.clone().prop_map(|item| life::spending(item, SpendingCommand::Accept)),
        item.prop_map(move |item| life::spending(item, disallow.clone())),
    ];
    let payment = prop_oneof![
        Just(request(2, None)),
        Just(authorise(2)),
        Just(cancel_tranche(2, "x")),
        Just(instruct(2, 2)),
        Just(settle(2, "b-2")),
        (1..3_u32, reference.clone()).prop_map(|(number, reference)| send_back(number, reference, "x")),
    ];
    prop_oneof![3 => own_life, 2 => balance, 2 => payment, 2 => spending]
        .prop_map(|order| order.on(backing::april(10)))
}

/// Matching money is pledged, arrives in parts, and is released.
fn matching_money() -> impl Strategy<Value = Order> {
    let word = prop_oneof![Just("x"), Just("y"), Just("z")];
    let minor = prop_oneof![Just(1_i64), Just(50_000), Just(100_000)];
    prop_oneof![
        2 => (1..3_u32).prop_map(|number| matching::pledge(number, matching::city())),
        1 => Just(matching::pledge(2, matching::own(50_000, march(31)))),
        4 => (1..3_u32, 1..3_u32, minor, word.clone())
            .prop_map(|(number, instalment, minor, word)| matching::arrived(number, instalment, minor, word)),
        1 => (1..3_u32, word).prop_map(|(number, word)| matching::release(march(31), number, word)),
    ]
}

/// Shares are passed on, and spending is reported, accepted and disallowed.
fn spending_money() -> impl Strategy<Value = Order> {
    let word = prop_oneof![Just("x"), Just("y")];
    let minor = prop_oneof![Just(1_i64), Just(1_000_000), Just(money::SHARE), Just(money::PAID)];
    let by = prop_oneof![Just(lead().party), Just(money::partner().party), Just(money::stranger().party)];
    let total = prop_oneof![Just(money::SHARE), Just(money::PAID)];
    prop_oneof![
        2 => (minor.clone(), word.clone()).prop_map(|(minor, word)| partners::transfer(minor, word)),
        4 => (1..5_u128, minor, total, by, proptest::bool::ANY).prop_map(
            |(spend, minor, total, party, is_invoiced)| {
                let invoiced = spending::invoiced(minor, cny(total));
                let invoice = invoiced.invoice.clone().filter(|_| is_invoiced);
                let report = SpendReport { party, spent_on: march(31), invoice, ..invoiced };
                spending::report_as(spend, report)
            }
        ),
        2 => (1..5_u128).prop_map(spending::accept),
        1 => (1..5_u128, word).prop_map(|(spend, word)| spending::disallow(spend, word)),
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

/// No party of the grant holds less than nothing on any account, and no invoice is shared out beyond its total.
fn nothing_is_below_zero(world: &World) {
    for balance in world.grant().books.balances() {
        assert!(balance.account.is_contra() || balance.amount_minor > 0, "{balance:?}");
    }
    if let Some(invoice) = world.invoice(spending::invoice()) {
        assert!((0..=invoice.total.minor).contains(&invoice.allocated_minor), "{invoice:?}");
    }
}

/// A settled payment that comes back while the lead no longer holds all of it: the rest becomes a recovery, which the
/// specification of recoveries tells.
fn returns_what_is_no_longer_held(world: &World, order: &Order) -> bool {
    let Command::Grant(_, GrantCommand::Tranche(number, TrancheCommand::Return { .. })) = &order.command
    else {
        return false;
    };
    let Some(grant) = world.any_grant() else { return false };
    let held = grant.books.held_minor(Account::RecipientUnspent, grant.project.lead.party);
    let tranche = grant.contract().and_then(|contract| contract.tranche(*number));
    tranche.is_some_and(|tranche| {
        let settled = matches!(tranche.state, TrancheState::Settled { .. });
        settled && tranche.amount_minor().is_some_and(|paid| paid > held)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// From anywhere in the story: what was accepted, asked again, changes nothing; the chain's accounts stay at zero
    /// or more and add up; and the programme's figures are those of the chain.
    #[test]
    fn the_same_command_again_changes_nothing_and_the_books_balance(
        start in 0..15_usize,
        backed in proptest::bool::ANY,
        alone in proptest::bool::ANY,
        orders in proptest::collection::vec(anything(), 1..40),
    ) {
        let mut world = World::default();
        let mut balances = BTreeMap::new();
        let story = tranche_story("payment_returned");
        let story = if alone { story } else { money::shared(story) };
        let begun = story.into_iter().take(start);
        let signed = [
            backing::take(1, march(1), backing::drafted()),
            backing::take(2, march(2), backing::in_force(backing::long())),
            backing::name_it(),
        ];
        let begun = begun.chain(signed.into_iter().filter(|_| backed));
        // Days move on with the story; what is tried afterwards happens on its last day.
        let tried = orders.into_iter().map(|order| order.on(march(31)));
        for order in begun.chain(tried) {
            if returns_what_is_no_longer_held(&world, &order) {
                continue;
            }
            let Ok(events) = world.execute(&order) else { continue };
            if world.any_grant().is_some() {
                nothing_is_below_zero(&world);
            }
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
                let of = |account: Account| balances.get(&account).copied().unwrap_or_default();
                if let Some(grant) = world.find_grant(GRANT) {
                    let outstanding = grant.recoveries.iter().map(|id| world.recovery(*id).outstanding_minor());
                    prop_assert_eq!(outstanding.sum::<i64>(), of(Account::Recoverable));
                    prop_assert_eq!(grant.books.total_minor(Account::RecipientUnspent), of(Account::RecipientUnspent));
                }
                has_the_chains_figures(world.programme(), &balances)?;
            }
        }
    }

    /// The same from a paid grant on, to its end and beyond: nobody ever holds less than nothing, and what has ended draws
    /// nothing.
    #[test]
    fn a_later_life_repeats_nothing_and_its_books_balance(
        state in state_of_later_life(),
        orders in proptest::collection::vec(later_life(), 1..40),
    ) {
        let mut world = World::default();
        let mut balances = BTreeMap::new();
        for order in life::life(state).into_iter().chain(orders) {
            let had_ended = world.any_grant().is_some_and(|grant| grant.stage.has_ended());
            let Ok(events) = world.execute(&order) else { continue };
            for event in &events {
                post(&mut balances, event);
                let pays = matches!(event, FundEvent::TrancheInstructed { .. } | FundEvent::TrancheSettled { .. });
                prop_assert!(!(had_ended && pays), "{event:?} after the end");
            }
            prop_assert_eq!(world.outcome(&order), "unchanged", "{:?} again", order.command);
            has_the_chains_figures(world.programme(), &balances)?;
            let books = world.any_grant().map_or(&[] as &[_], |grant| grant.books.balances());
            for held in books {
                prop_assert!(held.account.is_contra() || held.amount_minor > 0, "{held:?}");
            }
        }
    }
}

/// The programme's figures are those of the chain, and within its limits.
fn has_the_chains_figures(
    programme: &Programme,
    balances: &BTreeMap<Account, i64>,
) -> Result<(), TestCaseError> {
    let of = |account: Account| balances.get(&account).copied().unwrap_or_default();
    prop_assert_eq!(programme.available_minor, of(Account::Available));
    prop_assert_eq!(programme.reserved_minor, of(Account::Reserved));
    let beyond = [Account::Treasury, Account::Available, Account::Reserved];
    let of_fund = Account::ALL.into_iter().filter(|account| account.chain() == Chain::Fund);
    let contracted: i64 = of_fund.filter(|account| !beyond.contains(account)).map(of).sum();
    prop_assert_eq!(programme.contracted_minor, contracted);
    prop_assert_eq!(programme.appropriated_minor, -of(Account::Treasury));
    let taken = programme.taken_minor(&LimitOn::Mode(FundingMode::NonRepayable));
    prop_assert_eq!(taken, programme.reserved_minor + programme.contracted_minor);
    for on in programme.limits() {
        prop_assert!(programme.taken_minor(&on) <= programme.limit_minor(&on).unwrap());
    }
    Ok(())
}
