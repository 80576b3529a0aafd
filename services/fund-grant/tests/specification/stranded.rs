//! Property: whatever was done with two grants of one lead, no account is below zero, no money is promised twice, and every fen
//! can still be brought home; and how much one grant may have of what is kept in memory.

use crate::{correction, life, world::*};
use concord_events::{
    fund::{FundEvent, Holding, RecoveryCause},
    ledger::Account,
};
use concord_fund_grant::{
    Command,
    grant::{
        Grant,
        closing::recovery_of_cancelled,
        spending::SpendingCommand,
        tranche::{Tranche, TrancheState},
    },
    recovery::{Determination, RecoveryAct, RecoveryCommand, RecoveryState, Take},
};
use concord_kernel::{
    Date,
    id::{GrantId, RecoveryId, SpendId},
    party::PartyId,
};
use jiff::ToSpan;
use proptest::prelude::*;
use uuid::Uuid;

const GRANTS: [GrantId; 2] = [GRANT, life::SECOND];

/// One thing that is tried, on a later day than the one before.
#[derive(Debug, Clone, Copy)]
struct Try {
    what: u8,
    second: bool,
    by_partner: bool,
    number: u32,
    minor: i64,
    from: Holding,
    word: u8,
    place: usize,
    days: i64,
}

fn tries() -> impl Strategy<Value = Try> {
    let minor = prop_oneof![Just(1_i64), Just(AWARD / 10), Just(AWARD / 5), Just(life::PAID)];
    let from =
        prop_oneof![3 => Just(Holding::Unspent), 2 => Just(Holding::Spent), 1 => Just(Holding::Retained)];
    let days = prop_oneof![3 => Just(0_i64), 2 => 1..10_i64, 1 => Just(45_i64)];
    // An end comes seldom.
    let what = prop_oneof![100 => 0..76_u8, 1 => 76..80_u8];
    let who = (proptest::bool::ANY, proptest::bool::ANY);
    (what, who, 1..4_u32, minor, from, 0..40_u8, 0..20_usize, days).prop_map(
        |(what, (second, by_partner), number, minor, from, word, place, days)| Try {
            what,
            second,
            by_partner,
            number,
            minor,
            from,
            word,
            place,
            days,
        },
    )
}

fn recovery(id: u32, command: RecoveryCommand) -> Order {
    let id = RecoveryId(Uuid::from_u128(0x50 + u128::from(id)));
    order(life::day(2013, 4, 10), "auditor", Command::Recovery(id, command))
}

fn act(id: RecoveryId, act: RecoveryAct) -> Order {
    order(life::day(2013, 4, 10), "auditor", Command::Recovery(id, RecoveryCommand::Act(act)))
}

fn determine(id: u32, grant: GrantId, takes: &[(PartyId, Holding, i64)]) -> Order {
    let takes =
        takes.iter().map(|(party, from, minor)| Take { party: *party, from: *from, amount: cny(*minor) });
    let (minutes, reason) = ("2013-R1".to_owned(), "x".to_owned());
    let (cause, takes) = (RecoveryCause::Diverted, takes.collect());
    recovery(id, RecoveryCommand::Determine(Determination { grant, cause, takes, minutes, reason }))
}

impl Try {
    fn order(&self, world: &World, on: Date) -> Order {
        let Self { what, number, minor, from, .. } = *self;
        let grant = GRANTS[usize::from(self.second)];
        let other = GRANTS[usize::from(!self.second)];
        let word = format!("w-{}", self.word);
        // Recoveries and offsets are of what there is, so that something comes of them.
        let recoveries = &world.grant_of(other).recoveries;
        let id = recoveries.get(self.place % 4).or(recoveries.first()).copied();
        let id = id.unwrap_or(RecoveryId(Uuid::from_u128(0x50)));
        let party = if self.by_partner { life::university().party } else { lead().party };
        let item = u128::from(number) + if self.second { 10 } else { 0 };
        let order = match what {
            0..6 => request(number, Some(minor)),
            6..12 => request(number, None),
            12..20 => authorise(number),
            20 => cancel_tranche(number, &word),
            21..29 => instruct(number, u128::from(number)),
            29..36 => settle(number, &word),
            36..38 => send_back(number, &word, "x"),
            38..41 => life::share_to_partner(minor, &word),
            41..44 => life::report_spend(item, minor),
            44..47 => life::spending(item, SpendingCommand::Accept),
            47 => life::spending(item, SpendingCommand::Disallow { reason: "x".to_owned() }),
            48..50 => life::refund_of(Some(party), minor, from, &word),
            50 => life::retain_of(Some(party), minor),
            51 => life::transfer(other, minor),
            52..56 => {
                return determine(number + 3 * u32::from(self.second), grant, &[(party, from, minor)]).on(on);
            }
            56..60 => return act(id, RecoveryAct::Demand { demand: word }).on(on),
            60 => return act(id, RecoveryAct::Appeal { grounds: word }).on(on),
            61 => return act(id, RecoveryAct::Uphold { reason: word }).on(on),
            62 => return act(id, RecoveryAct::Overturn { reason: word }).on(on),
            63 => {
                let amount = cny(minor);
                return act(id, RecoveryAct::Repay { amount, bank_reference: word }).on(on);
            }
            64..69 => {
                let tranches = world.grant_of(grant).contract().into_iter().flat_map(|it| &it.tranches);
                let authorised = |it: &&Tranche| matches!(it.state, TrancheState::Authorised(_));
                let tranche = tranches.into_iter().find(authorised).map_or(1, |it| it.plan.number);
                return act(id, RecoveryAct::Offset { amount: cny(minor), against: grant, tranche }).on(on);
            }
            69 => return act(id, RecoveryAct::WriteOff { minutes: word, reason: "x".to_owned() }).on(on),
            70..73 => {
                let facts = &world.grant_of(grant).facts;
                let position = facts.recorded().get(self.place).map_or(1, |known| known.position);
                correction::correct(position)
            }
            73..75 => amendment(world.grant_of(grant), number, minor, &word),
            75 => life::report(&word),
            76 => [life::pass(), life::fail()][self.place % 2].clone(),
            77 => life::close(Some(on.saturating_add(10.days()))),
            78 => life::terminate("x", None),
            _ => life::cancel(RecoveryCause::Fraud, "x"),
        };
        order.of(grant).on(on)
    }
}

/// The tranche of this number is planned that much lower.
fn amendment(grant: &Grant, number: u32, minor: i64, minutes: &str) -> Order {
    let plan = grant.contract().into_iter().flat_map(|contract| contract.plan().cloned());
    let mut plan: Vec<_> = plan.collect();
    for line in plan.iter_mut().filter(|line| line.number == number) {
        line.amount_minor = line.amount_minor.saturating_sub(minor).max(1);
    }
    life::amend_by(minutes, Some(plan.iter().map(|line| line.amount_minor).sum()), plan, None)
}

/// Nobody holds less than nothing, what is outstanding is what the ledger has, and what may still be paid is committed.
fn holds(world: &World) -> Result<(), TestCaseError> {
    let mut contracted_minor = 0;
    for grant in GRANTS.map(|id| world.grant_of(id)) {
        let of = |account| grant.books.total_minor(account);
        for held in grant.books.balances() {
            prop_assert!(held.account.is_contra() || held.amount_minor > 0, "{held:?}");
            if !held.account.is_contra() {
                contracted_minor += held.amount_minor;
            }
        }
        let outstanding = grant.recoveries.iter().map(|id| world.recovery(*id).outstanding_minor());
        prop_assert_eq!(outstanding.sum::<i64>(), of(Account::Recoverable));
        let contract = grant.contract().unwrap();
        let payable = contract.tranches.iter().map(|tranche| match &tranche.state {
            TrancheState::Planned(_) => tranche.plan.amount_minor,
            TrancheState::Requested(minor) | TrancheState::Authorised(minor) => *minor,
            TrancheState::PaymentReturned(payment) => payment.amount_minor,
            TrancheState::Instructed(_) | TrancheState::Settled { .. } => 0,
        });
        let payable = if contract.progress.has_ended() { 0 } else { payable.sum::<i64>() };
        prop_assert!(payable <= of(Account::Committed), "{payable} of {}", of(Account::Committed));
        prop_assert!(!contract.progress.has_ended() || of(Account::Committed) == 0);
    }
    let programme = world.programme();
    prop_assert_eq!(programme.contracted_minor, contracted_minor);
    prop_assert_eq!(programme.appropriated_minor, programme.available_minor + contracted_minor);
    Ok(())
}

/// Pays what is on its way, cancels both grants, and has all of it repaid: nothing stands in the way of that.
fn brought_home(world: &mut World, on: Date) -> Result<(), TestCaseError> {
    for id in GRANTS {
        let tranches = world.grant_of(id).contract().unwrap().tranches.clone();
        for tranche in tranches {
            let number = tranche.plan.number;
            let settled = settle(number, &format!("home-{number}"));
            let steps = match tranche.state {
                TrancheState::Instructed(_) => vec![settled],
                TrancheState::Authorised(_) if tranche.offset_minor > 0 => {
                    vec![instruct(number, u128::from(number)), settled]
                }
                _ => Vec::new(),
            };
            for step in steps {
                does(world, step.of(id), on)?;
            }
        }
        if world.grant_of(id).stage.name() != "cancelled" {
            does(world, life::cancel(RecoveryCause::Fraud, "home").of(id), on)?;
        }
        let books = &world.grant_of(id).books;
        let left: Vec<_> = [Holding::Unspent, Holding::Spent, Holding::Retained]
            .into_iter()
            .flat_map(|from| books.of(from.account()).map(move |held| (held.party, from, held.amount_minor)))
            .collect();
        if !left.is_empty() {
            does(world, determine(if id == GRANT { 20 } else { 21 }, id, &left), on)?;
        }
        for (place, recovery) in world.grant_of(id).recoveries.clone().into_iter().enumerate() {
            if world.recovery(recovery).state() == RecoveryState::Determined {
                does(world, act(recovery, RecoveryAct::Demand { demand: "home".to_owned() }), on)?;
            }
            if world.recovery(recovery).state() == RecoveryState::Appealed {
                does(world, act(recovery, RecoveryAct::Uphold { reason: "home".to_owned() }), on)?;
            }
            let outstanding = world.recovery(recovery).outstanding_minor();
            if outstanding > 0 {
                let bank_reference = format!("home-r-{place}");
                does(
                    world,
                    act(recovery, RecoveryAct::Repay { amount: cny(outstanding), bank_reference }),
                    on,
                )?;
            }
        }
        let home = [Account::Refunded, Account::WrittenOff];
        let books = world.grant_of(id).books.balances();
        let stranded = books.iter().find(|held| !held.account.is_contra() && !home.contains(&held.account));
        prop_assert!(stranded.is_none(), "{stranded:?}");
    }
    holds(world)
}

fn does(world: &mut World, order: Order, on: Date) -> Result<(), TestCaseError> {
    let answer = world.execute(&order.clone().on(on));
    prop_assert!(answer.is_ok(), "{:?}: {:?}", order.command, answer.map_err(|refused| refused.codes()));
    Ok(())
}

/// The recovery that another decision determines has an id that follows from its cause. Who determined one under that id before
/// does not stand in the way: it takes the next.
#[test]
fn a_recovery_that_follows_from_a_decision_has_an_id_whoever_took_its_first() {
    let on = life::day(2013, 4, 10);
    let claimed = |id: RecoveryId| {
        let mut order = determine(1, GRANT, &[(lead().party, Holding::Unspent, 1)]).on(on);
        if let Command::Recovery(given, _) = &mut order.command {
            *given = id;
        }
        order
    };
    let accepted = [life::report_spend(1, 100), life::spending(1, SpendingCommand::Accept)];
    let disallow = life::spending(1, SpendingCommand::Disallow { reason: "x".to_owned() });
    let item = SpendId(Uuid::from_u128(0x5_0001));
    for (id, decision) in [
        (recovery_of_cancelled(GRANT), life::cancel(RecoveryCause::Fraud, "x")),
        (RecoveryId::derived("disallowed spend", &format!("{GRANT}/{item}")), disallow),
        (RecoveryId::derived("payment returned", &format!("{GRANT}/r-1")), send_back(1, "r-1", "x").on(on)),
    ] {
        let given = [life::report("R-1"), life::fail()];
        let mut world = World::after(life::with("running", accepted.clone().into_iter().chain(given)));
        let own = |events: Vec<FundEvent>| match events.last() {
            Some(FundEvent::RecoveryDetermined { recovery, .. }) => *recovery,
            other => panic!("{other:?} determines no recovery"),
        };
        assert_eq!(own(world.clone().execute(&decision).unwrap()), id);
        world.execute(&claimed(id)).unwrap();
        let next = own(world.execute(&decision).unwrap());
        assert_ne!(next, id);
        assert_eq!(world.recovery(next).grant, GRANT);
        assert_eq!(world.outcome(&decision), "unchanged", "{decision:?}");
    }
}

/// Every state is kept in memory, so a grant has its bounds.
#[test]
fn a_grant_has_so_many_refunds_recoveries_repayments_and_corrections() {
    let on = life::day(2013, 4, 10);
    let refunds = |most: u32| (1..=most).map(|part| life::refund(1, &format!("f-{part}")));
    let mut world = World::after(life::with("running", refunds(1_000)));
    assert_eq!(world.outcome(&life::refund(1, "f")), "TOO_MANY");
    assert_eq!(world.outcome(&life::refund(1, "f-1")), "unchanged");
    let claim =
        |id: u32| determine(id, GRANT, &[(lead().party, Holding::Unspent, if id == 1 { 2_000 } else { 1 })]);
    let claims = (1..=1_000).map(claim);
    claims.for_each(|claim| drop(world.execute(&claim.on(on)).unwrap()));
    assert_eq!(world.outcome(&claim(1_001).on(on)), "TOO_MANY");
    let claimed = RecoveryId(Uuid::from_u128(0x51));
    world.execute(&act(claimed, RecoveryAct::Demand { demand: "D-1".to_owned() })).unwrap();
    let repay = |part: u32| {
        let (amount, bank_reference) = (cny(1), format!("p-{part}"));
        act(claimed, RecoveryAct::Repay { amount, bank_reference })
    };
    (1..=1_000).for_each(|part| drop(world.execute(&repay(part)).unwrap()));
    assert_eq!(world.outcome(&repay(1_001)), "TOO_MANY");
    let repaid: Vec<u64> =
        world.grant().facts.recorded().iter().rev().take(1_001).map(|known| known.position).collect();
    let corrected = |position| correction::correct(position).on(on);
    repaid[..1_000].iter().for_each(|position| drop(world.execute(&corrected(*position)).unwrap()));
    assert_eq!(world.outcome(&corrected(repaid[1_000])), "TOO_MANY");
    assert_eq!(world.outcome(&repay(1_001)), "RecoveryRepaid", "what was corrected is no receipt any more");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn no_fen_is_lost_promised_twice_or_stranded(tries in proptest::collection::vec(tries(), 1..150)) {
        let shared = life::amend_by("A-0", None, plan(), Some(life::shares(AWARD * 7 / 10, AWARD * 3 / 10)));
        let known = verify_payee("a1").of(life::SECOND).on(life::day(2013, 4, 10));
        let first = [request(1, None), authorise(1), instruct(1, 1), settle(1, "b-1")];
        let first = first.map(|order| order.of(life::SECOND).on(life::day(2013, 4, 10)));
        let mut world = World::after(life::with("running", [shared, known].into_iter().chain(first)));
        let mut on = life::day(2013, 4, 10);
        for tried in tries {
            on = on.saturating_add(tried.days.days());
            let order = tried.order(&world, on);
            let Ok(events) = world.execute(&order) else { continue };
            holds(&world)?;
            if !events.is_empty() {
                prop_assert_eq!(world.outcome(&order), "unchanged", "{:?} again", order.command);
            }
        }
        brought_home(&mut world, on)?;
    }
}
